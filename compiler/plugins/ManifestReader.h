// The reader behind readManifest, over toml++'s nodes; its parts are in Manifest*.cpp.
#pragma once

#include "base/Error.h"
#include "compiler/plugins/Manifest.h"
#include "compiler/plugins/ManifestPlugin.h"
#include "compiler/plugins/Toml.h"

#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace inlay {

/// "a table", "an integer": for messages.
std::string_view kindOf(const toml::node &node);
/// Letters, digits and '_', not beginning with a digit.
bool isIdentifier(std::string_view text);

/// Reads one manifest; every method that fails names the place.
class ManifestReader {
public:
  ManifestReader(std::string path, const EmbeddedFiles &embedded)
      : path_(std::move(path)), embedded_(embedded) {}

  Result<std::vector<std::unique_ptr<PluginDefinition>>> read(std::string_view text);

private:
  // -- places and kinds

  ManifestPosition positionOf(const toml::node &node) const;

  template <typename... Args>
  Status errorAt(const toml::node &node, fmt::format_string<Args...> format, Args &&...args) const {
    return invalidArgument("{}: {}", positionOf(node).toString(),
                           fmt::vformat(format, fmt::make_format_args(args...)));
  }

  Status wrongKind(const toml::node &node, std::string_view key, std::string_view expected) const;
  Status checkKeys(const toml::table &table, std::initializer_list<std::string_view> known,
                   std::string_view what) const;
  Result<const toml::table *> tableOf(const toml::node &node, std::string_view key) const;
  /// The array under a key; null if it is absent and not required.
  Result<const toml::array *> arrayOf(const toml::table &table, std::string_view key,
                                      bool isRequired = false) const;
  Result<std::string> stringOf(const toml::node &node, std::string_view key) const;
  Result<std::string> requiredString(const toml::table &table, std::string_view key) const;

  // -- plugins

  Result<ManifestPluginRecord> readPlugin(const toml::table &table);
  /// A [[triton_kernel]]: the source of a kernel whose launches the model records.
  Result<std::unique_ptr<PluginDefinition>> readRecordedKernel(const toml::table &table) const;
  /// Whether a function of the process may compute it, and which of the two is taken.
  Status readHostFunction(const toml::table &table);
  /// A new name for an input, attribute, size, output or workspace: an identifier that none of the
  /// others has.
  Status checkName(const toml::node &node, const std::string &name) const;
  Status readInputs(const toml::table &table);
  static std::optional<AttributeKind> findAttributeKind(std::string_view name);
  Status readAttributes(const toml::table &table);
  Result<AttributeValue> readAttributeValue(const toml::node &node, AttributeKind kind,
                                            const std::string &name) const;

  template <typename T>
  Result<AttributeValue> readList(const toml::node &node, AttributeKind elementKind,
                                  AttributeKind kind, const std::string &name) const {
    const toml::array *array = node.as_array();
    if (!array)
      return errorAt(node, "the default of attribute '{}' is {}; expected {}", name, kindOf(node),
                     attributeKindName(kind));
    std::vector<T> values;
    for (const toml::node &element : *array) {
      INLAY_ASSIGN(AttributeValue value, readAttributeValue(element, elementKind, name));
      values.push_back(std::get<T>(value));
    }
    return AttributeValue(std::move(values));
  }

  std::optional<uint32_t> findInput(std::string_view name) const;
  Result<uint32_t> inputNamed(const toml::node &node, std::string_view name) const;
  std::optional<uint32_t> findSize(std::string_view name) const;
  Status readSizes(const toml::table &table);
  Status readOutputs(const toml::table &table);
  Status readOutputShape(const toml::node &node, const toml::table &written,
                         ManifestOutput &output);
  /// An output that is an input's memory has its shape and type.
  Status readAliased(const toml::node &node, ManifestOutput &output) const;
  Status readOutputDataType(const toml::node &node, const toml::table &written,
                            ManifestOutput &output) const;
  Result<DataType> dataTypeOf(const toml::node &node, std::string_view key) const;
  Status readDataTypes(const toml::table &table);
  Status readTypeCombinations(const toml::table &table);
  /// Of several plugins for one operator: which this is, how much it is preferred, and when it
  /// serves a node.
  Status readVariant(const toml::table &table);
  Status readRequirements(const toml::table &table);
  Status readWorkspaces(const toml::table &table);

  // -- expressions

  using Constexprs = std::map<std::string, ManifestConstexpr>;

  Result<ManifestExpr> readExpr(const toml::node &node, std::string_view key,
                                const Constexprs &constexprs) const;
  Result<ManifestExpr> parseExprAt(const toml::node &node, const std::string &text,
                                   const Constexprs &constexprs) const;
  Status checkSymbol(const toml::node &node, const std::string &text, const std::string &name,
                     const Constexprs &constexprs, bool isOfFloats = false) const;

  // -- launches

  /// The launches of a plugin: its `launch` tables, or those of its `tactic` tables.
  Status readTactics(const toml::table &table);
  Status readTactic(const toml::table &table);
  Status readAlignments(const toml::node &node, ManifestTactic &tactic) const;
  Result<ManifestLaunch> readLaunch(const toml::table &table);
  /// `configs`: "autotune", or a list of tables.
  Status readConfigs(const toml::table &table, ManifestLaunch &launch) const;
  Result<ManifestConfig> readConfig(const toml::node &node, const ManifestLaunch &launch) const;
  /// An option of a kernel's compilation; none if the table does not have it.
  Result<std::optional<int>> readKernelOption(const toml::table &table, std::string_view key) const;
  /// `kernel` and `images`: at least one of them.
  Status readKernelName(const toml::table &table, ManifestLaunch &launch) const;
  /// "k.ptx:add" is the kernel add of k.ptx; "k.ptx" its only one.
  static std::pair<std::string, std::string> splitKernelName(const std::string &name);
  std::string pathBeside(const std::string &path) const;
  Status readKernelFile(const toml::node &node, std::string target, ManifestLaunch &launch) const;
  Status readKernelOptions(const toml::table &table, ManifestLaunch &launch) const;
  /// Blocks, shared memory and clusters: a kernel in the Triton language has the first two from the
  /// compiler.
  Status readBlock(const toml::table &table, ManifestLaunch &launch) const;
  Status readCluster(const toml::table &table, ManifestLaunch &launch) const;
  Status readConstexprs(const toml::table &table, ManifestLaunch &launch) const;
  Result<ManifestConstexpr> readConstexpr(const toml::node &node, std::string_view key) const;
  /// A list of values of one kind.
  Result<ManifestConstexpr> readTuple(const toml::node &node, std::string_view key) const;
  Result<ManifestConstexpr> readConstexprSource(const toml::table &table,
                                                const toml::node &node) const;
  Status readGrid(const toml::table &table, ManifestLaunch &launch) const;
  /// `args` lists every argument. Without it the order is the tutorial's: inputs, `extra_args`,
  /// outputs.
  Status readArguments(const toml::table &table, ManifestLaunch &launch) const;
  static ManifestArgument tensorArgument(ManifestArgument::Kind kind, uint32_t index,
                                         std::string text);
  ManifestArgument workspaceArgument(uint32_t index) const;
  Result<ManifestArgument> readArgument(const toml::node &node, const Constexprs &constexprs) const;
  /// True if a number in the text has a point: whatever is wrong with it is said of floats.
  static bool hasDecimalPoint(std::string_view text);
  /// True for a text that a float expression is: by its numbers, `/` or functions, or as it has an
  /// attribute of floats.
  bool isOfFloats(const std::string &text) const;
  /// "X.shape" or "shape(X)", and "X.strides": one argument for each dimension.
  std::optional<ManifestArgument> findDimensions(std::string_view text, DataType type) const;
  /// "i64(X.numel)" is a cast of "X.numel" to int64; a text that is no cast has no type.
  static std::pair<std::optional<DataType>, std::string_view> splitCast(std::string_view text);
  Result<ManifestArgument> castArgument(const toml::node &node, DataType type,
                                        const std::string &inner, const std::string &text,
                                        const Constexprs &constexprs) const;
  /// A float expression: its value, or what to compute for a node.
  Result<ManifestArgument> floatExpression(const toml::node &node, DataType type,
                                           const std::string &inner, const std::string &text,
                                           const Constexprs &constexprs) const;
  static ManifestArgument floatArgument(DataType type, double value, std::string text);
  Result<ManifestArgument> integerArgument(const toml::node &node, DataType type,
                                           const std::string &text,
                                           const Constexprs &constexprs) const;

  std::string path_;
  const EmbeddedFiles &embedded_;
  ManifestPluginRecord record_; // the plugin being read
  /// Names in a launch's expressions may be those of configurations that are not read yet.
  bool areNamesOpen_ = false;
};

} // namespace inlay
