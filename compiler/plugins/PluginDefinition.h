// What the compiler knows of a plugin: the one form that every door (C++, manifest) ends in.
#pragma once

#include "base/DataType.h"
#include "base/LibraryFunctions.h"
#include "base/Status.h"
#include "compiler/plugins/ImplementationPolicy.h"
#include "symbolic/FloatExpr.h"

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace inlay {

/// Value of an operator attribute (a non-tensor argument): every kind a PyTorch schema has.
/// monostate is None.
using AttributeValue =
    std::variant<std::monostate, bool, int64_t, double, std::string, DataType, std::vector<bool>,
                 std::vector<int64_t>, std::vector<double>, std::vector<std::string>>;

/// Number takes an int or a float and keeps which it was. Size, SizeList and SizeNumber (a size, or
/// a number) are for built-in operators: their values may depend on the sizes of a model.
enum class AttributeKind : uint8_t {
  Bool,
  Int,
  Float,
  String,
  DataType,
  BoolList,
  IntList,
  FloatList,
  StringList,
  Number,
  Size,
  SizeList,
  SizeNumber
};

/// "bool", "int[]", "number", …: as manifests write it.
std::string_view attributeKindName(AttributeKind kind);
/// A value as Python prints it, for messages.
std::string attributeText(const AttributeValue &value);

/// A declared attribute of an operator. A missing default means that every node must give the
/// value.
struct AttributeParameter {
  std::string name;
  AttributeKind kind;
  bool isOptional = false; // may be None
  std::optional<AttributeValue> defaultValue;
};

/// Type and symbolic shape of a tensor; dense, row-major.
struct TensorSpec {
  DataType dtype;
  std::vector<Expr> shape;
  /// Number of elements: the product of the shape, 1 for rank 0.
  Expr numel() const;
};

/// A size that a plugin's kernels compute: they write it to a pointer that a launch passes. It is 0
/// before the first launch.
struct ComputedSize {
  std::string name;
  DataType dtype = DataType::Int32; // or Int64
  Expr bound;                       // the largest it can be: memory is planned for it
  Expr opt;                         // to tune for
  /// What stands for it in the shapes and requirements of a description; no model's symbol has such
  /// a name.
  Expr symbol() const { return Expr::symbol("size." + name); }
};

struct TritonKernel;
/// Compile-time values of a kernel and how it is launched: an autotuner's configuration.
struct KernelConfigValues {
  std::map<std::string, AttributeValue> constexprs;
  int numWarps = 4;
  int numStages = 3;
  /// "BLOCK=128, num_warps=4, num_stages=3".
  std::string name() const;
};
/// Reads the configurations of a kernel's @triton.autotune decorator, of which there is one at
/// least. Errors: InvalidArgument naming the kernel and what could not be read.
using AutotuneReader =
    std::function<Result<std::vector<KernelConfigValues>>(const TritonKernel &kernel)>;

/// Whether a build may take functions of libraries on the machine that runs the engine, as tactics.
struct LibraryUse {
  bool isAllowed = false;
  /// The families of targets whose tactics are measured: there all that can be taken are offered,
  /// elsewhere those that a written rule says are faster.
  std::vector<std::string> measured = {};
};

/// One node of a model as a plugin sees it. `inputs` follow the definition's input names;
/// `attributes` hold a value for every declared attribute, defaults filled in, converted to the
/// declared kind.
struct PluginNode {
  std::string opName;   // "my::add_one"
  std::string nodeName; // "add_one_1"
  std::vector<TensorSpec> inputs;
  std::vector<std::string> inputNames; // of each input, as in the operator's schema
  std::map<std::string, AttributeValue, std::less<>> attributes;
  std::vector<TensorSpec> outputs;       // empty while describing
  std::vector<ComputedSize> sizes;       // likewise: as described
  std::vector<std::string> targets = {}; // of the build, "cuda:sm_90a"
  AutotuneReader readAutotune = {};      // while implementing
  LibraryUse libraries = {};             // of the build
  /// Of the attributes of kind Size (one element) and SizeList: what they are; none for None. A
  /// SizeNumber that depends on sizes is here too, and is None among `attributes`.
  std::map<std::string, std::vector<Expr>, std::less<>> sizeAttributes = {};
  /// What is known of the symbols in shapes and sizes; those that are missing are unbounded.
  std::map<std::string, Interval, std::less<>> symbolRanges = {};

  /// The configurations of a kernel's autotuner. Errors: those of readAutotune; FailedPrecondition
  /// if the node is not being implemented.
  Result<std::vector<KernelConfigValues>> autotuneConfigs(const TritonKernel &kernel) const;
};

/// A compile-time argument of a kernel. Strings and dtypes are Triton constexprs too; monostate is
/// None; a list is a tuple of the kernel's.
using ConstexprValue = AttributeValue;

/// A kernel in the Triton language inside a Python file, with the compile-time choices for one
/// launch.
struct TritonKernel {
  std::string path;     // the .py file, as opened
  std::string source;   // its text where there is no file to open; else empty
  std::string function; // name of the @triton.jit function
  std::map<std::string, ConstexprValue> constexprs;
  int numWarps = 4;
  int numStages = 3;
};

/// Errors: InvalidArgument for warps that are no power of two from 1 to 32, or stages beyond 1
/// to 16.
Status checkKernelOptions(int64_t numWarps, int64_t numStages);

/// Memory a plugin needs between or during its launches; not initialised.
struct Workspace {
  std::string name;
  DataType dtype = DataType::UInt8; // what a kernel's pointer to it points to
  Expr sizeBytes;
};

/// A run-time argument of a launch, in the order of the kernel's non-constexpr parameters.
struct LaunchArgument {
  enum class Kind : uint8_t { Input, Output, Workspace, Integer, Float, Size };
  Kind kind;
  uint32_t index = 0;               // Input, Output, Workspace, Size: which
  Expr expression;                  // Integer
  DataType dtype = DataType::Int32; // Integer: Int32 (default), Int64, UInt32, UInt64, …, Bool;
                                    // Float: Float32 or Float64; Workspace, Size: what it holds
  double value = 0;                 // Float
  std::string text;                 // as the author wrote it, for messages
  std::optional<FloatExpr> floatExpression = {}; // Float: instead of `value`, over sizes
};

/// A file of code that others compiled, or of CUDA C++, and what it is for.
struct KernelFile {
  std::string path;   // .ptx, .cubin, .json (Triton's, beside a .ptx or .cubin), .cu, .o, .so
  std::string entry;  // symbol in it; empty: its only kernel
  std::string target; // "cuda:sm_90a", "cuda", "cpu:x86-64-v3", "cpu"; empty: what the file is for
};

/// The targets a text names are known, and a file of this kind may be for them. Errors:
/// InvalidArgument with what is possible.
Status checkKernelFile(const KernelFile &file);

/// "cuda", "cuda:sm_90a", "cpu", "cpu:x86-64-v3". Errors: InvalidArgument for another family.
Status checkTargetName(std::string_view target);
/// True if a target ("cuda:sm_90a") is `name`, or of the family that `name` is.
bool isTargetOf(std::string_view target, std::string_view name);

/// A tensor's address is a multiple of `bytes`, a power of two.
struct TensorAlignment {
  bool isOfOutput = false;
  uint32_t index = 0; // which input or output
  int64_t bytes = 0;
};

/// One of several ways to compute a node: the launches that name it. At run time the first tactic
/// is taken whose conditions and alignments hold.
struct PluginTactic {
  std::string name;
  std::vector<Expr> conditions; // on sizes; all must not be 0
  std::vector<TensorAlignment> alignments;
};

struct PluginLaunch {
  TritonKernel kernel;           // its function is empty if there are files only, or a library
  std::vector<KernelFile> files; // used for the targets they are for, before `kernel`
  std::array<Expr, 3> grid{Expr(1), Expr(1), Expr(1)};
  std::vector<LaunchArgument> arguments;
  // The rest matters to GPUs only. Block, shared memory and cluster are the compiler's own for
  // `kernel`, and for files what they say themselves.
  std::optional<std::array<Expr, 3>> block; // threads along x, y, z
  std::optional<Expr> sharedBytes;          // dynamic shared memory of a block
  std::array<uint32_t, 3> cluster{};        // blocks along x, y, z; all 0: no cluster
  bool isCooperative = false;               // all blocks run at once
  bool isProgrammatic = false;              // may start before the launch in front has ended
  std::optional<uint32_t> tactic;           // of the implementation's; none: always runs
  /// A function of a library instead of a kernel; its arguments are those of LibraryFunctions.def.
  std::optional<LibraryFunctionId> library;

  /// The kernel's name, for messages.
  std::string name() const {
    if (library)
      return std::string(libraryFunction(*library).name);
    if (!kernel.function.empty() || files.empty())
      return kernel.function;
    for (const KernelFile &file : files)
      if (!file.entry.empty())
        return file.entry;
    const std::string &path = files.front().path;
    return path.substr(path.rfind('/') + 1);
  }
};

/// A condition on shapes or attributes that the plugin requires, with the author's message.
struct PluginRequirement {
  Expr condition; // not 0 where it holds
  std::string message;
};

struct PluginImplementation {
  std::vector<Workspace> workspaces;
  std::vector<PluginLaunch> launches; // run in order
  std::vector<PluginTactic> tactics;  // in the order of preference; empty: no choice

  /// The library that a tactic's launches call, for people; empty if none. Such a tactic is not
  /// taken where the library is not there or refuses the sizes.
  std::string_view libraryOf(uint32_t tactic) const {
    for (const PluginLaunch &launch : launches)
      if (launch.library && launch.tactic == tactic)
        return libraryFunction(*launch.library).library;
    return {};
  }
};

struct PluginDescription {
  std::vector<TensorSpec> outputs;
  std::vector<PluginRequirement> requirements;
  /// By output: the input whose memory it is. Kernels read and write it in place; they see one
  /// buffer for both, which holds the input's elements before the first launch.
  std::map<uint32_t, uint32_t> aliasedInputs;
  /// By output: the input whose elements it has, in the same order, under a shape of its own. Both
  /// are one memory, for which no kernel runs.
  std::map<uint32_t, uint32_t> sharedInputs = {};
  std::vector<ComputedSize> sizes;
  /// By output: which of the sizes it is, as a scalar.
  std::map<uint32_t, uint32_t> sizeOutputs;
};

/// What passes may know of standard operators (compiler/operators/OperatorTraits.h).
struct OperatorTraits;

/// A plugin: an operator's name and arguments, what its outputs look like, and how kernels compute
/// them. describe and implement are called once per node, on one thread; they return errors for
/// users (unsupported dtype, say).
class PluginDefinition {
public:
  virtual ~PluginDefinition() = default;
  /// "namespace::name" or "namespace::name.overload"; without an overload it serves the overload
  /// "default".
  const std::string &opName() const { return opName_; }
  /// Names of the tensor arguments, in order; empty if it takes all.
  const std::vector<std::string> &inputNames() const { return inputNames_; }
  /// True for a plugin that declares no inputs: a node's tensors are its inputs, as they come.
  bool takesAllTensors() const { return takesAllTensors_; }
  /// True for a plugin to which literals and sizes that it does not declare are attributes of kind
  /// SizeNumber.
  bool takesAllNumbers() const { return takesAllNumbers_; }
  const std::vector<AttributeParameter> &attributes() const { return attributes_; }
  /// Where it was defined, for messages: "add_one.toml:3" or "C++ registration".
  const std::string &origin() const { return origin_; }
  /// What tells it from other plugins of the same operator and tensor arguments; empty if it is the
  /// only one.
  const std::string &variant() const { return variant_; }
  /// Of several plugins that could serve a node, the one of the highest priority does.
  int64_t priority() const { return priority_; }
  /// True for a plugin that serves no node of which a size changes between runs.
  bool takesStaticShapesOnly() const { return takesStaticShapesOnly_; }
  /// "cuda", "cpu", "cuda:sm_90a": the plugin serves builds for these targets only; empty: all.
  const std::vector<std::string> &targets() const { return targets_; }

  /// What must be known to hold of a node for the plugin to serve it. `node.outputs` are what the
  /// exporter recorded. Errors: why it cannot serve the node whatever its sizes.
  virtual Result<std::vector<PluginRequirement>> conditions(const PluginNode &) const {
    return std::vector<PluginRequirement>();
  }
  virtual Result<PluginDescription> describe(const PluginNode &node) const = 0;
  virtual Result<PluginImplementation> implement(const PluginNode &node) const = 0;

  /// True if it has kernels, so that implement may be called.
  virtual bool hasAot() const { return true; }
  /// True if a function of the process that runs the engine may compute it, by the operator's name.
  virtual bool hasJit() const { return false; }
  /// Bytes of memory that a call of that function gets; none if it needs none.
  virtual Result<std::optional<Expr>> hostWorkspace(const PluginNode &) const {
    return std::optional<Expr>();
  }
  /// What passes over the graph may know of it; null for plugins that are no standard operators,
  /// which passes leave as they are.
  virtual const OperatorTraits *traits() const { return nullptr; }
  /// What the plugin itself says of the two.
  std::optional<ImplementationPolicy> policy() const { return policy_; }

protected:
  std::string opName_;
  std::vector<std::string> inputNames_;
  bool takesAllTensors_ = false, takesAllNumbers_ = false;
  std::vector<AttributeParameter> attributes_;
  std::string origin_;
  std::string variant_;
  int64_t priority_ = 0;
  std::optional<ImplementationPolicy> policy_;
  bool takesStaticShapesOnly_ = false;
  std::vector<std::string> targets_;
};

/// Names one plugin of an operator.
struct PluginName {
  std::string opName;
  std::string variant;
};

/// The plugins known to one build. Not thread-safe.
class PluginRegistry {
public:
  /// Errors: AlreadyExists (same operator, same tensor arguments, same variant) names both origins;
  /// InvalidArgument for a malformed name.
  Status add(std::unique_ptr<PluginDefinition> definition);
  /// Removes the plugins of these names, whatever their tensor arguments, and adds all definitions;
  /// or, on an error, changes nothing. Errors: NotFound for a name that no plugin has; those of
  /// add.
  Status addAll(std::vector<std::unique_ptr<PluginDefinition>> definitions,
                const std::vector<PluginName> &removed = {});
  /// Finds the plugin of "ns::name" or "ns::name.overload" ("ns::name" and "ns::name.default" are
  /// the same); null if none.
  const PluginDefinition *find(std::string_view opName) const;
  /// The plugins that could serve a node with these tensor arguments, those of higher priority
  /// first, then as they were added. An operator may have several that differ in which of its
  /// arguments are tensors (aten::mul.Tensor with a number, say), or in their variant. If none
  /// takes `tensorNames`, the operator's first one, whose binding says why; empty if it has none.
  std::vector<const PluginDefinition *> candidates(std::string_view opName,
                                                   std::span<const std::string> tensorNames) const;
  /// Sorted operator names.
  std::vector<std::string> opNames() const;
  /// Removes an operator's plugins; false if there are none.
  bool remove(std::string_view opName);
  /// Removes those of one variant, which may be empty; false if there are none.
  bool remove(std::string_view opName, std::string_view variant);

  /// Notes that a plugin took the place of a built-in one.
  void noteOverride(const PluginDefinition &definition) { overrides_.insert(&definition); }
  bool overridesBuiltin(const PluginDefinition &definition) const {
    return overrides_.contains(&definition);
  }

private:
  Status check(const PluginDefinition &definition, std::span<const PluginName> removed = {}) const;
  bool has(const PluginName &name) const;
  std::map<std::string, std::vector<std::unique_ptr<PluginDefinition>>, std::less<>> definitions_;
  std::set<const PluginDefinition *> overrides_;
};

} // namespace inlay
