// A plugin written as a manifest: expressions over inputs and attributes, evaluated for each node.
#pragma once

#include "compiler/plugins/PluginDefinition.h"
#include "compiler/plugins/TypeCombinations.h"

#include <map>
#include <string>
#include <variant>
#include <vector>

namespace inlay {

/// Where in a manifest something stands.
struct ManifestPosition {
  std::string path;
  uint32_t line = 0;
  uint32_t column = 0;
  /// "add_one.toml:3:5".
  std::string toString() const;
};

/// An expression as written, with its place. Its symbols are names of the manifest's language:
/// "X.shape[0]", "X.numel", "X.rank", "X.size_bytes", "pads[1]", "pads.len", attributes, questions
/// about them (ManifestExpressions.h) and, in launches, constexprs.
struct ManifestExpr {
  Expr expr;
  std::string text;
  ManifestPosition position;
};

/// The type of an output: a name ("float32") or another tensor's ("X.dtype").
struct ManifestDataType {
  std::optional<DataType> fixed;
  uint32_t likeInput = 0;
};

struct ManifestOutput {
  std::string name;
  std::optional<uint32_t> shapeLikeInput;
  std::vector<ManifestExpr> shape; // unless like an input
  ManifestDataType dtype;
  std::optional<uint32_t> aliasedInput; // whose memory it is
  std::optional<uint32_t> size;         // which of the sizes it is
};

/// A size that kernels compute.
struct ManifestSize {
  std::string name;
  DataType dtype = DataType::Int32;
  ManifestExpr bound, opt;
};

/// A constexpr: a value, or what to take from the node.
struct ManifestConstexpr {
  enum class Source : uint8_t { Value, Expression, Attribute, InputDataType };
  Source source = Source::Value;
  ConstexprValue value;
  ManifestExpr expression; // Expression
  std::string attribute;   // Attribute
  uint32_t input = 0;      // InputDataType
};

/// A launch argument as written.
struct ManifestArgument {
  /// Shape and Strides stand for as many integers as the tensor has dimensions.
  enum class Kind : uint8_t {
    Input,
    Output,
    Workspace,
    Integer,
    FloatValue,
    FloatExpression,
    Shape,
    Strides,
    Size
  };
  Kind kind;
  uint32_t index = 0; // Input, Output, Workspace, Size; of Shape and Strides an input, or an output
  bool isOfOutput = false; // Shape, Strides
  ManifestExpr expression; // Integer
  DataType dtype = DataType::Int32;
  double value = 0;          // FloatValue
  FloatExpr floatExpression; // FloatExpression
  std::string text;
};

/// An autotuner's configuration as written: constexprs, warps, stages.
struct ManifestConfig {
  std::map<std::string, ManifestConstexpr> constexprs;
  std::optional<int> numWarps, numStages; // absent: the launch's
  std::string text;                       // "BLOCK=256, num_warps=8"
};

struct ManifestLaunch {
  std::string kernelPath;   // joined with the manifest's folder
  std::string kernelSource; // text of an embedded file, else empty
  std::string function;     // empty if there are files only
  std::vector<KernelFile> files;
  std::map<std::string, ManifestConstexpr> constexprs;
  int numWarps = 4;
  int numStages = 3;
  std::vector<ManifestExpr> grid;
  std::vector<ManifestArgument> arguments;
  std::vector<ManifestExpr> block; // empty, or 3
  std::optional<ManifestExpr> sharedBytes;
  std::array<uint32_t, 3> cluster{};
  bool isCooperative = false;
  bool isProgrammatic = false;
  std::vector<ManifestConfig> configs; // one of them is taken; empty: no choice
  bool usesAutotune = false;           // the configurations are those of the kernel's decorator
  ManifestPosition position;
};

/// What a [[plugin.tactic]] table says: one of several ways to compute a node.
struct ManifestTactic {
  std::string name; // empty: the launches of a plugin without tactics
  std::vector<ManifestExpr> guards;
  std::vector<TensorAlignment> alignments;
  std::vector<ManifestLaunch> launches;
};

struct ManifestRequirement {
  ManifestExpr that;
  std::string message;
};

struct ManifestWorkspace {
  std::string name;
  DataType dtype = DataType::UInt8; // what a kernel's pointer points to
  ManifestExpr sizeBytes;
};

/// What one [[plugin]] table says, its names resolved.
struct ManifestPluginRecord {
  std::string opName;
  std::vector<std::string> inputNames;
  std::vector<AttributeParameter> attributes;
  std::vector<ManifestSize> sizes;
  std::vector<ManifestOutput> outputs;
  std::string variant;
  int64_t priority = 0;
  bool takesStaticShapesOnly = false;
  std::vector<std::string> targets;
  std::vector<ManifestRequirement> conditions;      // of `when`
  std::map<uint32_t, std::vector<DataType>> dtypes; // allowed types by input
  std::vector<TypeCombination> types;               // allowed together; empty: all
  std::vector<ManifestRequirement> requirements;
  std::vector<ManifestWorkspace> workspaces;
  std::vector<ManifestTactic> tactics; // none: hasJit
  bool hasJit = false;
  std::optional<ManifestExpr> jitWorkspace; // bytes
  std::optional<ImplementationPolicy> policy;
  ManifestPosition position;
};

/// The definition over a record.
class ManifestPlugin final : public PluginDefinition {
public:
  explicit ManifestPlugin(ManifestPluginRecord record);
  Result<std::vector<PluginRequirement>> conditions(const PluginNode &node) const override;
  Result<PluginDescription> describe(const PluginNode &node) const override;
  Result<PluginImplementation> implement(const PluginNode &node) const override;
  bool hasAot() const override { return !record_.tactics.empty(); }
  bool hasJit() const override { return record_.hasJit; }
  Result<std::optional<Expr>> hostWorkspace(const PluginNode &node) const override;

private:
  Status checkInputTypes(const PluginNode &node) const;
  Status implementTactic(const PluginNode &node, const ManifestTactic &tactic,
                         PluginImplementation &implementation) const;

  ManifestPluginRecord record_;
};

} // namespace inlay
