// Plugins in C++: what an operator's outputs look like, and which kernels compute them.
//
//   INLAY_PLUGIN_LIBRARY(plugins) {
//     plugins.add("my::add_one")
//         .describe([](auto &p) { p.output(p.input(0).like()); })
//         .aot([](auto &p) {
//           auto n = p.input(0).numel();
//           p.launch({.kernel = p.triton("add_one.py", "add_one_kernel", {{"BLOCK_SIZE", 256}}),
//                     .grid = {ceilDiv(n, 256)},
//                     .args = {p.input(0), SymInt32(n), p.output(0)}});
//         });
//   }
//
// A shared library of this is given to `inlay build --plugin LIB.so`; it links against nothing of
// Inlay's. docs/plugins-cpp.md has the rest. Both functions are called once for each node. What
// they throw, and p.fail, becomes an error of the build.
#pragma once

#include <inlay/plugin_abi.h>
#include <inlay/plugin_expr.h>

#include <array>
#include <exception>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace inlay {
// The version keeps these names apart from other versions' and from the library's own.
inline namespace v1 {

/// Kinds of attributes. Number takes an int or a float and keeps which it was.
enum class AttributeKind : uint32_t {
  Bool = INLAY_PLUGIN_VALUE_BOOL,
  Int = INLAY_PLUGIN_VALUE_INT,
  Float = INLAY_PLUGIN_VALUE_FLOAT,
  String = INLAY_PLUGIN_VALUE_STRING,
  Dtype = INLAY_PLUGIN_VALUE_DTYPE,
  BoolList = INLAY_PLUGIN_VALUE_BOOL_LIST,
  IntList = INLAY_PLUGIN_VALUE_INT_LIST,
  FloatList = INLAY_PLUGIN_VALUE_FLOAT_LIST,
  StringList = INLAY_PLUGIN_VALUE_STRING_LIST,
  Number = INLAY_PLUGIN_VALUE_NUMBER
};

/// A value of an attribute or constexpr: None (the default), a bool, an integer, a float, a text, a
/// dtype, or a list, which is a tuple in a kernel.
class PluginValue {
public:
  PluginValue() = default;
  PluginValue(bool value) : value_(value) {}
  PluginValue(int value) : value_(int64_t{value}) {}
  PluginValue(int64_t value) : value_(value) {}
  PluginValue(double value) : value_(value) {}
  PluginValue(const char *value) : value_(std::string(value)) {}
  PluginValue(std::string value) : value_(std::move(value)) {}
  PluginValue(inlay_dtype_t value) : value_(value) {}
  PluginValue(std::vector<bool> value) : value_(std::move(value)) {}
  PluginValue(std::vector<int64_t> value) : value_(std::move(value)) {}
  PluginValue(std::vector<double> value) : value_(std::move(value)) {}
  PluginValue(std::vector<std::string> value) : value_(std::move(value)) {}
  /// A copy of what the C interface holds.
  explicit PluginValue(const inlay_plugin_value_v1 &value);

  bool isNone() const { return std::holds_alternative<std::monostate>(value_); }
  // Each throws if the value is of another kind; asFloat also takes an integer.
  bool asBool() const { return as<bool>("a bool"); }
  int64_t asInt() const { return as<int64_t>("an int"); }
  double asFloat() const {
    const int64_t *integer = std::get_if<int64_t>(&value_);
    return integer ? static_cast<double>(*integer) : as<double>("a float");
  }
  const std::string &asString() const { return as<std::string>("a string"); }
  inlay_dtype_t asDtype() const { return as<inlay_dtype_t>("a dtype"); }
  const std::vector<bool> &asBools() const { return as<std::vector<bool>>("a list of bools"); }
  const std::vector<int64_t> &asInts() const { return as<std::vector<int64_t>>("a list of ints"); }
  const std::vector<double> &asFloats() const {
    return as<std::vector<double>>("a list of floats");
  }
  const std::vector<std::string> &asStrings() const {
    return as<std::vector<std::string>>("a list of strings");
  }
  /// inlay_plugin_value_kind_t.
  uint32_t kind() const { return static_cast<uint32_t>(value_.index()); }

private:
  friend class PluginValueView;
  template <typename T>
  const T &as(const char *what) const {
    if (const T *value = std::get_if<T>(&value_))
      return *value;
    throw std::invalid_argument("the value of an attribute is not " + std::string(what));
  }
  // The alternatives stand in the order of inlay_plugin_value_kind_t.
  std::variant<std::monostate, bool, int64_t, double, std::string, inlay_dtype_t, std::vector<bool>,
               std::vector<int64_t>, std::vector<double>, std::vector<std::string>>
      value_;
};

/// Element type and shape of a tensor: what p.output takes.
struct TensorDesc {
  inlay_dtype_t dtype;
  std::vector<SymInt> shape;
  /// The input whose memory this output is; negative: memory of its own.
  int64_t aliasedInput = -1;
  /// The same shape with another element type.
  TensorDesc withDtype(inlay_dtype_t other) const { return {other, shape, aliasedInput}; }
};

/// A tensor of the node that a plugin serves; dense, row-major.
class PluginTensor {
public:
  inlay_dtype_t dtype() const { return desc_.dtype; }
  const std::vector<SymInt> &shape() const { return desc_.shape; }
  int64_t rank() const { return static_cast<int64_t>(desc_.shape.size()); }
  /// The size of a dimension; negative ones count from the end. Throws if there is none such.
  SymInt size(int64_t dim) const {
    const int64_t fromStart = dim < 0 ? dim + rank() : dim;
    if (fromStart < 0 || fromStart >= rank())
      throw std::out_of_range("a tensor of rank " + std::to_string(rank()) + " has no dimension " +
                              std::to_string(dim));
    return desc_.shape[static_cast<size_t>(fromStart)];
  }
  /// The number of elements; 1 for rank 0.
  SymInt numel() const {
    SymInt product = 1;
    for (size_t i = 0; i < desc_.shape.size(); ++i)
      product = i == 0 ? desc_.shape[0] : product * desc_.shape[i];
    return product;
  }
  /// A description with this tensor's type and shape, to change or to return.
  TensorDesc like() const { return desc_; }
  /// A description of an output that is this input's memory: kernels write it in place, and see one
  /// buffer for both. What else reads the input still sees it as it was.
  TensorDesc aliased() const {
    if (kind_ != INLAY_PLUGIN_ARGUMENT_INPUT)
      throw std::logic_error("aliased() was called for an output; only inputs can be aliased");
    TensorDesc desc = desc_;
    desc.aliasedInput = index_;
    return desc;
  }

private:
  friend class AotContext;
  friend class DescribeContext;
  friend class Argument;
  TensorDesc desc_{};
  uint32_t kind_ = INLAY_PLUGIN_ARGUMENT_INPUT;
  uint32_t index_ = 0;
};

/// Memory for a plugin's launches.
class PluginWorkspace {
  friend class AotContext;
  friend class Argument;
  uint32_t index_ = 0;
};

/// A size that a plugin's kernels compute, as they see it: a pointer, to 0 before the first launch.
class PluginSize {
  friend class AotContext;
  friend class Argument;
  uint32_t index_ = 0;
};

/// A number for an integer or float parameter of a kernel, with its type.
struct TypedNumber {
  inlay_dtype_t dtype;
  SymInt integer;
  double number = 0;
  std::optional<SymFloat> expression = {}; // of a float
};
inline TypedNumber SymInt32(SymInt n) { return {INLAY_DTYPE_INT32, std::move(n)}; }
inline TypedNumber SymInt64(SymInt n) { return {INLAY_DTYPE_INT64, std::move(n)}; }
inline TypedNumber SymUInt32(SymInt n) { return {INLAY_DTYPE_UINT32, std::move(n)}; }
inline TypedNumber SymUInt64(SymInt n) { return {INLAY_DTYPE_UINT64, std::move(n)}; }
inline TypedNumber SymBool(SymInt n) { return {INLAY_DTYPE_BOOL, std::move(n)}; }
inline TypedNumber Float32(double x) { return {INLAY_DTYPE_FLOAT32, {}, x}; }
inline TypedNumber Float64(double x) { return {INLAY_DTYPE_FLOAT64, {}, x}; }
inline TypedNumber Float32(SymFloat x) { return {INLAY_DTYPE_FLOAT32, {}, 0, std::move(x)}; }
inline TypedNumber Float64(SymFloat x) { return {INLAY_DTYPE_FLOAT64, {}, 0, std::move(x)}; }

/// A run-time argument of a launch: a tensor, a workspace, or a number. A plain integer is passed
/// as int32; a float says its type.
class Argument {
public:
  Argument(const PluginTensor &tensor) : kind_(tensor.kind_), index_(tensor.index_) {}
  Argument(const PluginWorkspace &workspace)
      : kind_(INLAY_PLUGIN_ARGUMENT_WORKSPACE), index_(workspace.index_) {}
  Argument(const PluginSize &size) : kind_(INLAY_PLUGIN_ARGUMENT_SIZE), index_(size.index_) {}
  Argument(TypedNumber number)
      : kind_(number.expression ? INLAY_PLUGIN_ARGUMENT_FLOAT_EXPRESSION
              : number.dtype == INLAY_DTYPE_FLOAT32 || number.dtype == INLAY_DTYPE_FLOAT64
                  ? INLAY_PLUGIN_ARGUMENT_FLOAT
                  : INLAY_PLUGIN_ARGUMENT_INTEGER),
        number_(std::move(number)) {}
  Argument(SymInt n) : Argument(SymInt32(std::move(n))) {}
  template <typename T, typename = std::enable_if_t<std::is_integral_v<T>>>
  Argument(T n) : Argument(SymInt(n)) {}
  /// Write Float32(x) or Float64(x).
  Argument(double) = delete;
  Argument(float) = delete;

private:
  friend class AotContext;
  uint32_t kind_;
  uint32_t index_ = 0;
  TypedNumber number_{INLAY_DTYPE_INT32, {}};
};

/// A compile-time argument of a kernel.
struct Constexpr {
  std::string name;
  PluginValue value;
};

/// A kernel in the Triton language, with its compile-time arguments.
struct TritonFunction {
  std::string path;
  std::optional<std::string> source; // the text, if there is no file
  std::string function;
  std::vector<Constexpr> constexprs;
};

/// A file of code that others compiled, or of CUDA C++: .ptx, .cubin, .json (Triton's, beside one
/// of these), .cu, .o, .so. A relative path starts at the plugin library's folder.
struct KernelFile {
  std::string path;
  std::string entry = {};  // empty: the file's only kernel
  std::string target = {}; // "cuda:sm_90a", "cuda", "cpu", …; empty: what the file is for
};

/// One launch. `args` are the kernel's parameters that are not constexpr, in their order. Files
/// serve the targets that they are for, the kernel in the Triton language all others; one of them
/// is enough.
struct Launch {
  TritonFunction kernel = {};
  std::vector<SymInt> grid = {};
  std::vector<Argument> args = {};
  uint32_t numWarps = 4;
  uint32_t numStages = 3;
  std::vector<KernelFile> files = {};
  // For files on GPUs, as far as they do not say it themselves.
  std::vector<SymInt> block = {};         // threads along x, y, z
  std::optional<SymInt> sharedBytes = {}; // dynamic shared memory of a block
  std::array<uint32_t, 3> cluster = {};   // blocks of a cluster along x, y, z
  bool isCooperative = false;             // all blocks run at once
  bool isProgrammatic = false;            // may start before the launch in front has ended
};

/// A node of a model while its outputs are described. Valid only in the function it is passed to.
class DescribeContext {
public:
  DescribeContext(const inlay_plugin_host_v1 *host, inlay_plugin_node_t *node)
      : host_(host), node_(node) {}
  std::string opName() const { return host_->op_name(node_); }
  std::string nodeName() const { return host_->node_name(node_); }
  size_t numInputs() const { return host_->num_tensors(node_, 0); }
  PluginTensor input(size_t index) const { return tensor(false, index); }
  PluginTensor input(const std::string &name) const {
    for (size_t i = 0; i < numInputs(); ++i)
      if (name == host_->input_name(node_, i))
        return input(i);
    fail("there is no input '" + name + "'");
  }
  /// A declared attribute: the node's value or the default.
  PluginValue attribute(const std::string &name) const {
    inlay_plugin_value_v1 value{};
    if (!host_->attribute(node_, name.c_str(), &value))
      fail("the plugin declares no attribute '" + name + "'");
    return PluginValue(value);
  }
  /// The value of an expression that is the same at every run; none if it is not.
  std::optional<int64_t> constant(const SymInt &expression) const {
    int64_t value = 0;
    return host_->constant(node_, expression.text().c_str(), &value) ? std::optional(value)
                                                                     : std::nullopt;
  }
  /// The next output.
  void output(const TensorDesc &desc) {
    std::vector<const char *> shape;
    for (const SymInt &size : desc.shape)
      shape.push_back(size.text().c_str());
    if (desc.aliasedInput >= 0)
      host_->add_aliased_output(node_, desc.dtype, shape.data(), shape.size(),
                                static_cast<size_t>(desc.aliasedInput));
    else
      host_->add_output(node_, desc.dtype, shape.data(), shape.size());
  }
  /// A size that the kernels compute, of int32 or int64, from 0 to `bound`: memory is planned for
  /// that, and `opt` is to tune for. What is returned may be a dimension of outputs.
  SymInt computedSize(const std::string &name, inlay_dtype_t dtype, const SymInt &bound,
                      const SymInt &opt) {
    const uint32_t index =
        host_->add_size(node_, name.c_str(), dtype, bound.text().c_str(), opt.text().c_str());
    return SymInt::parse(host_->size_symbol(node_, index));
  }
  SymInt computedSize(const std::string &name, inlay_dtype_t dtype, const SymInt &bound) {
    return computedSize(name, dtype, bound, bound);
  }
  /// The next output is a computed size itself, a scalar.
  void sizeOutput(const std::string &name) {
    host_->add_size_output(node_, host_->find_size(node_, name.c_str()));
  }
  /// A condition that must hold: checked at build time as far as sizes are known, else at run time.
  void require(const SymInt &condition, const std::string &message) {
    host_->require(node_, condition.text().c_str(), message.c_str());
  }
  /// Refuses the node with a reason.
  [[noreturn]] void fail(const std::string &message) const { throw std::runtime_error(message); }

protected:
  PluginTensor tensor(bool isOutput, size_t index) const {
    const size_t count = host_->num_tensors(node_, isOutput);
    const std::string what = isOutput ? "output" : "input";
    if (index >= count)
      fail("there is no " + what + " " + std::to_string(index) + "; the node has " +
           std::to_string(count));
    PluginTensor result;
    result.kind_ = isOutput ? INLAY_PLUGIN_ARGUMENT_OUTPUT : INLAY_PLUGIN_ARGUMENT_INPUT;
    result.index_ = static_cast<uint32_t>(index);
    result.desc_.dtype = static_cast<inlay_dtype_t>(host_->tensor_dtype(node_, isOutput, index));
    const size_t rank = host_->tensor_rank(node_, isOutput, index);
    for (size_t dim = 0; dim < rank; ++dim)
      result.desc_.shape.push_back(SymInt::parse(host_->tensor_size(node_, isOutput, index, dim)));
    return result;
  }
  const inlay_plugin_host_v1 *host_;
  inlay_plugin_node_t *node_;
};

/// A tensor's address must be a multiple of `bytes`, a power of two up to 4096.
struct TensorAlignment {
  PluginTensor tensor;
  uint32_t bytes;
};

/// A configuration of a kernel's @triton.autotune decorator.
struct AutotuneConfig {
  std::string name; // "BLOCK=128, num_warps=4, num_stages=3"
  std::vector<Constexpr> constexprs;
  uint32_t numWarps = 4;
  uint32_t numStages = 3;
  /// A constexpr that is an integer, for grids; throws std::out_of_range if there is none.
  int64_t integer(const std::string &wanted) const {
    for (const Constexpr &constant : constexprs)
      if (constant.name == wanted)
        return constant.value.asInt();
    throw std::out_of_range("configuration '" + name + "' has no '" + wanted + "'");
  }
};

/// A node of a model while its launches are listed. Valid only in the function it is passed to.
class AotContext : private DescribeContext {
public:
  using DescribeContext::attribute, DescribeContext::constant, DescribeContext::fail,
      DescribeContext::input, DescribeContext::nodeName, DescribeContext::numInputs,
      DescribeContext::opName;
  using DescribeContext::DescribeContext;
  size_t numOutputs() const { return host_->num_tensors(node_, 1); }
  PluginTensor output(size_t index) const { return tensor(true, index); }
  /// Memory that the launches share, not initialised; kernels see a pointer to `dtype`.
  PluginWorkspace workspace(const std::string &name, inlay_dtype_t dtype, const SymInt &sizeBytes) {
    PluginWorkspace result;
    result.index_ = host_->add_workspace(node_, name.c_str(), dtype, sizeBytes.text().c_str());
    return result;
  }
  /// A computed size, for an argument: kernels get a pointer, and write the size.
  PluginSize computedSize(const std::string &name) const {
    PluginSize result;
    result.index_ = host_->find_size(node_, name.c_str());
    return result;
  }
  /// A @triton.jit function of a Python file. A relative path starts at the plugin library's
  /// folder; in a program, at the current one.
  TritonFunction triton(std::string path, std::string function,
                        std::vector<Constexpr> constexprs = {}) const {
    return {std::move(path), std::nullopt, std::move(function), std::move(constexprs)};
  }
  /// A @triton.jit function of a text; `name` ("add_one.py") stands for it in messages.
  TritonFunction tritonSource(std::string name, std::string source, std::string function,
                              std::vector<Constexpr> constexprs = {}) const {
    return {std::move(name), std::move(source), std::move(function), std::move(constexprs)};
  }
  /// Begins a tactic, one of several ways to compute the node: the launches that follow are its
  /// own. Of the tactics whose conditions (on sizes) and alignments hold in a run the first is
  /// taken, or the one that was measured as the fastest (`inlay build --tune`). One at least has
  /// none of either. Launches in front of all tactics always run.
  void tactic(const std::string &name, const std::vector<SymInt> &conditions = {},
              const std::vector<TensorAlignment> &aligned = {}) {
    host_->begin_tactic(node_, name.c_str());
    for (const SymInt &condition : conditions)
      host_->tactic_condition(node_, condition.text().c_str());
    for (const TensorAlignment &alignment : aligned)
      host_->tactic_alignment(node_, alignment.tensor.kind_ == INLAY_PLUGIN_ARGUMENT_OUTPUT,
                              alignment.tensor.index_, alignment.bytes);
  }
  /// The configurations of a kernel's @triton.autotune decorator, for a tactic each; there is one
  /// at least, or the node fails.
  std::vector<AutotuneConfig> autotuneConfigs(const TritonFunction &kernel) const;
  /// The next launch; launches run in order.
  void launch(const Launch &launch);
};

/// A node of a model while it is asked whether a plugin serves it. Valid only in the function it is
/// passed to. Outputs are those that the exporter recorded.
class ConditionContext : private DescribeContext {
public:
  using DescribeContext::attribute, DescribeContext::constant, DescribeContext::fail,
      DescribeContext::input, DescribeContext::nodeName, DescribeContext::numInputs,
      DescribeContext::opName;
  using DescribeContext::DescribeContext;
  size_t numOutputs() const { return host_->num_tensors(node_, 1); }
  PluginTensor output(size_t index) const { return tensor(true, index); }
  /// The targets of the build, "cuda:sm_90a".
  std::vector<std::string> targets() const {
    std::vector<std::string> names;
    for (size_t i = 0; i < host_->num_targets(node_); ++i)
      names.push_back(host_->target(node_, i));
    return names;
  }
  /// A condition that must be known, while the engine is built, to hold for all sizes; `message` is
  /// the reason given if it does not (default: its text).
  void require(const SymInt &condition, const std::string &message = "") {
    host_->require(node_, condition.text().c_str(),
                   message.empty() ? condition.text().c_str() : message.c_str());
  }
};

/// An operator's plugin; made by PluginRegistry::add.
class Plugin {
public:
  explicit Plugin(std::string opName) : opName_(std::move(opName)) {}
  /// Names of the tensor arguments, in the order of p.input. Without this a node's tensors are the
  /// inputs, in the operator's order.
  Plugin &inputs(std::vector<std::string> names) {
    inputNames_ = std::move(names);
    return *this;
  }
  /// An attribute that every node gives.
  Plugin &attribute(std::string name, AttributeKind kind) {
    attributes_.push_back({std::move(name), kind, false, std::nullopt});
    return *this;
  }
  /// An attribute with a default, which must be of its kind.
  Plugin &attribute(std::string name, AttributeKind kind, PluginValue defaultValue) {
    attributes_.push_back({std::move(name), kind, false, std::move(defaultValue)});
    return *this;
  }
  /// An attribute of the kind of its default: attribute("eps", 1e-5).
  Plugin &attribute(std::string name, PluginValue defaultValue) {
    const auto kind = static_cast<AttributeKind>(defaultValue.kind());
    return attribute(std::move(name), kind, std::move(defaultValue));
  }
  /// An attribute that may be None, and is if a node does not give it.
  Plugin &optionalAttribute(std::string name, AttributeKind kind) {
    attributes_.push_back({std::move(name), kind, true, std::nullopt});
    return *this;
  }
  /// Tells it from other plugins of the operator with the same tensor arguments: a name of letters,
  /// digits and '_'.
  Plugin &variant(std::string name) {
    variant_ = std::move(name);
    return *this;
  }
  /// Of several plugins that could serve a node, the one of the highest priority does; 0 if not
  /// given.
  Plugin &priority(int64_t value) {
    priority_ = value;
    return *this;
  }
  /// Combinations of element types of all inputs, then all outputs, that it takes, as in manifests:
  /// "FP32|FP16, FP32|FP16".
  Plugin &types(std::vector<std::string> texts) {
    types_ = std::move(texts);
    return *this;
  }
  /// "cuda", "cpu", "cuda:sm_90a": it serves builds of which all targets are among these.
  Plugin &targets(std::vector<std::string> names) {
    targets_ = std::move(names);
    return *this;
  }
  /// It serves no node of which a size changes between runs.
  Plugin &staticShapesOnly() {
    staticShapesOnly_ = true;
    return *this;
  }
  /// Whether it serves a node: `function(ConditionContext &)` calls p.require, or p.fail with a
  /// reason, or returns a condition (a bool or SymInt).
  template <typename Function>
  Plugin &when(Function function) {
    using Returned = decltype(function(std::declval<ConditionContext &>()));
    if constexpr (std::is_void_v<Returned>)
      when_ = std::move(function);
    else
      when_ = [function](ConditionContext &p) {
        const SymInt condition = function(p);
        p.require(condition, "what .when returns: " + condition.text());
      };
    return *this;
  }
  /// What the outputs are: calls p.output for each.
  Plugin &describe(std::function<void(DescribeContext &)> function) {
    describe_ = std::move(function);
    return *this;
  }
  /// How kernels in the engine compute them: calls p.launch.
  Plugin &aot(std::function<void(AotContext &)> function) {
    implement_ = std::move(function);
    return *this;
  }

  /// A function of the process that runs the engine, registered under the operator's name
  /// (inlay/host_function.h), may compute them, instead of or beside kernels. `workspace` gives the
  /// bytes of memory that a call gets; empty: none.
  Plugin &jit(std::function<SymInt(DescribeContext &)> workspace = {}) {
    hasHost_ = true;
    hostWorkspace_ = std::move(workspace);
    return *this;
  }
  /// Which of the two is taken: "prefer-aot", "prefer-jit", "strict-aot", "strict-jit". What a
  /// build says of this operator counts before it.
  Plugin &implementation(std::string policy) {
    policy_ = std::move(policy);
    return *this;
  }

private:
  friend class PluginRegistry;
  struct Attribute {
    std::string name;
    AttributeKind kind;
    bool isOptional;
    std::optional<PluginValue> defaultValue;
  };
  static void registerWith(const inlay_plugin_host_v1 &host, std::shared_ptr<Plugin> plugin);
  std::string opName_;
  std::optional<std::vector<std::string>> inputNames_;
  std::vector<Attribute> attributes_;
  std::function<void(DescribeContext &)> describe_;
  std::function<void(AotContext &)> implement_;
  bool hasHost_ = false;
  std::function<SymInt(DescribeContext &)> hostWorkspace_;
  std::optional<std::string> policy_;
  std::string variant_;
  int64_t priority_ = 0;
  std::vector<std::string> types_, targets_;
  bool staticShapesOnly_ = false;
  std::function<void(ConditionContext &)> when_;
};

/// Plugins of a library or a program.
class PluginRegistry {
public:
  /// Starts a plugin for "namespace::name" or "namespace::name.overload". The reference stays good.
  Plugin &add(std::string opName) {
    plugins_.push_back(std::make_shared<Plugin>(std::move(opName)));
    return *plugins_.back();
  }
  /// Removes a plugin by its operator and variant: one of this registry, or, if it has none such,
  /// one that was registered with the compiler before, by a file say; then it is an error of the
  /// build if there is none.
  void remove(const std::string &opName, const std::string &variant = "") {
    const size_t before = plugins_.size();
    std::vector<std::shared_ptr<Plugin>> kept;
    for (const std::shared_ptr<Plugin> &plugin : plugins_)
      if (plugin->opName_ != opName || plugin->variant_ != variant)
        kept.push_back(plugin);
    plugins_ = std::move(kept);
    if (plugins_.size() == before)
      removed_.emplace_back(opName, variant);
  }
  bool isEmpty() const { return plugins_.empty() && removed_.empty(); }
  /// Adds all to the compiler's; the plugins may outlive this registry.
  void registerWith(const inlay_plugin_host_v1 &host) const {
    for (const auto &[opName, variant] : removed_)
      host.remove_plugin(host.registration, opName.c_str(), variant.c_str());
    for (const std::shared_ptr<Plugin> &plugin : plugins_)
      Plugin::registerWith(host, plugin);
  }

private:
  std::vector<std::shared_ptr<Plugin>> plugins_;
  std::vector<std::pair<std::string, std::string>> removed_; // operator and variant
};

} // namespace v1
} // namespace inlay

#include <inlay/plugin_registration.h>

/// Defines the entry of a plugin library; a function body follows, in which `registry` is the
/// PluginRegistry to fill. Once per library.
#define INLAY_PLUGIN_LIBRARY(registry)                                                             \
  static void inlayFillPlugins(::inlay::PluginRegistry &registry);                                 \
  extern "C" INLAY_API void inlay_register_plugins_v1(const inlay_plugin_host_v1 *host) {          \
    ::inlay::plugin_detail::registerPlugins(host, inlayFillPlugins);                               \
  }                                                                                                \
  static void inlayFillPlugins(::inlay::PluginRegistry &registry)
