#include "compiler/plugins/Manifest.h"

#include "base/Error.h"
#include "base/File.h"
#include "compiler/plugins/ManifestExpressions.h"
#include "compiler/plugins/ManifestPlugin.h"
#include "compiler/plugins/Toml.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <initializer_list>

namespace inlay {
namespace {

/// Edits that turn one word into another: insertions, deletions, substitutions.
size_t editDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j)
    row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1])});
      diagonal = above;
    }
  }
  return row.back();
}

std::string_view kindOf(const toml::node &node) {
  switch (node.type()) {
  case toml::node_type::table:
    return "a table";
  case toml::node_type::array:
    return "an array";
  case toml::node_type::string:
    return "a string";
  case toml::node_type::integer:
    return "an integer";
  case toml::node_type::floating_point:
    return "a float";
  case toml::node_type::boolean:
    return "a boolean";
  default:
    return "a date or time";
  }
}

bool isIdentifier(std::string_view text) {
  return !text.empty() && !std::isdigit(static_cast<unsigned char>(text.front())) &&
         std::ranges::all_of(text, [](unsigned char c) { return std::isalnum(c) || c == '_'; });
}

/// Reads one manifest; every method that fails names the place.
class ManifestReader {
public:
  ManifestReader(std::string path, const EmbeddedFiles &embedded)
      : path_(std::move(path)), embedded_(embedded) {}

  Result<std::vector<std::unique_ptr<PluginDefinition>>> read(std::string_view text) {
    toml::parse_result parsed = toml::parse(text, path_);
    if (!parsed) {
      const toml::source_region &region = parsed.error().source();
      return invalidArgument("{}:{}:{}: {}", path_, region.begin.line, region.begin.column,
                             parsed.error().description());
    }
    const toml::table &root = parsed.table();
    INLAY_TRY(checkKeys(root, {"plugin"}, "a manifest"));
    INLAY_ASSIGN(const toml::array *plugins, arrayOf(root, "plugin", true));
    if (plugins->empty())
      return errorAt(*plugins, "a manifest has at least one plugin");
    std::vector<std::unique_ptr<PluginDefinition>> definitions;
    for (const toml::node &node : *plugins) {
      INLAY_ASSIGN(const toml::table *table, tableOf(node, "plugin"));
      INLAY_ASSIGN(ManifestPluginRecord record, readPlugin(*table));
      definitions.push_back(std::make_unique<ManifestPlugin>(std::move(record)));
    }
    return definitions;
  }

private:
  // -- places and kinds

  ManifestPosition positionOf(const toml::node &node) const {
    return {path_, node.source().begin.line, node.source().begin.column};
  }

  template <typename... Args>
  Status errorAt(const toml::node &node, fmt::format_string<Args...> format, Args &&...args) const {
    return invalidArgument("{}: {}", positionOf(node).toString(),
                           fmt::vformat(format, fmt::make_format_args(args...)));
  }

  Status wrongKind(const toml::node &node, std::string_view key, std::string_view expected) const {
    return errorAt(node, "'{}' is {}; expected {}", key, kindOf(node), expected);
  }

  Status checkKeys(const toml::table &table, std::initializer_list<std::string_view> known,
                   std::string_view what) const {
    for (const auto &[key, node] : table) {
      const std::string_view name = key.str();
      if (std::ranges::find(known, name) != known.end())
        continue;
      const std::string_view nearest = *std::ranges::min_element(
          known, {}, [&](std::string_view k) { return editDistance(name, k); });
      const toml::source_position place = key.source().begin;
      return invalidArgument("{}: unknown key '{}' in {}; did you mean '{}'?",
                             ManifestPosition{path_, place.line, place.column}.toString(), name,
                             what, nearest);
    }
    return {};
  }

  Result<const toml::table *> tableOf(const toml::node &node, std::string_view key) const {
    if (const toml::table *table = node.as_table())
      return table;
    return wrongKind(node, key, "a table");
  }

  /// The array under a key; null if it is absent and not required.
  Result<const toml::array *> arrayOf(const toml::table &table, std::string_view key,
                                      bool isRequired = false) const {
    const toml::node *node = table.get(key);
    if (!node) {
      if (isRequired)
        return errorAt(table, "key '{}' is missing", key);
      return static_cast<const toml::array *>(nullptr);
    }
    if (const toml::array *array = node->as_array())
      return array;
    return wrongKind(*node, key, "an array");
  }

  Result<std::string> stringOf(const toml::node &node, std::string_view key) const {
    if (const auto *text = node.as_string())
      return text->get();
    return wrongKind(node, key, "a string");
  }

  Result<std::string> requiredString(const toml::table &table, std::string_view key) const {
    const toml::node *node = table.get(key);
    if (!node)
      return errorAt(table, "key '{}' is missing", key);
    return stringOf(*node, key);
  }

  // -- plugins

  Result<ManifestPluginRecord> readPlugin(const toml::table &table) {
    INLAY_TRY(checkKeys(table,
                        {"op", "variant", "priority", "inputs", "attributes", "outputs", "dtypes",
                         "types", "when", "require", "workspaces", "launch", "jit", "jit_workspace",
                         "implementation", "sizes", "targets", "static_shapes"},
                        "[[plugin]]"));
    record_ = {};
    record_.position = positionOf(table);
    INLAY_ASSIGN(record_.opName, requiredString(table, "op"));
    INLAY_TRY(readInputs(table));
    INLAY_TRY(readAttributes(table));
    INLAY_TRY(readSizes(table));
    INLAY_TRY(readOutputs(table));
    INLAY_TRY(readDataTypes(table));
    INLAY_TRY(readTypeCombinations(table));
    INLAY_TRY(readVariant(table));
    INLAY_TRY(readRequirements(table));
    INLAY_TRY(readWorkspaces(table));
    INLAY_TRY(readHostFunction(table));
    INLAY_ASSIGN(const toml::array *launches, arrayOf(table, "launch", !record_.hasJit));
    if (launches && launches->empty())
      return errorAt(*launches, "a plugin has at least one launch");
    if (!launches)
      return std::move(record_);
    for (const toml::node &node : *launches) {
      INLAY_ASSIGN(const toml::table *launch, tableOf(node, "launch"));
      INLAY_TRY(readLaunch(*launch));
    }
    return std::move(record_);
  }

  /// Whether a function of the process may compute it, and which of the two is taken.
  Status readHostFunction(const toml::table &table) {
    if (const toml::node *jit = table.get("jit")) {
      if (!jit->is_boolean())
        return wrongKind(*jit, "jit", "a boolean");
      record_.hasJit = jit->as_boolean()->get();
    }
    if (const toml::node *bytes = table.get("jit_workspace")) {
      if (!record_.hasJit)
        return errorAt(*bytes, "jit_workspace is for plugins with jit = true");
      INLAY_ASSIGN(record_.jitWorkspace, readExpr(*bytes, "jit_workspace", {}));
    }
    if (const toml::node *policy = table.get("implementation")) {
      INLAY_ASSIGN(const std::string text, stringOf(*policy, "implementation"));
      Result<ImplementationPolicy> parsed = parseImplementationPolicy(text);
      if (!parsed.isOk())
        return errorAt(*policy, "implementation: {}", parsed.status().message());
      record_.policy = *parsed;
    }
    return {};
  }

  /// A new name for an input, attribute, size, output or workspace: an identifier that none of the
  /// others has.
  Status checkName(const toml::node &node, const std::string &name) const {
    if (!isIdentifier(name))
      return errorAt(node, "'{}' is no name; expected letters, digits and '_'", name);
    const bool isTaken =
        std::ranges::find(record_.inputNames, name) != record_.inputNames.end() ||
        std::ranges::find(record_.attributes, name, &AttributeParameter::name) !=
            record_.attributes.end() ||
        findSize(name) ||
        std::ranges::find(record_.outputs, name, &ManifestOutput::name) != record_.outputs.end() ||
        std::ranges::find(record_.workspaces, name, &ManifestWorkspace::name) !=
            record_.workspaces.end();
    return isTaken ? errorAt(node, "the name '{}' is used twice in this plugin", name) : Status();
  }

  Status readInputs(const toml::table &table) {
    INLAY_ASSIGN(const toml::array *inputs, arrayOf(table, "inputs", true));
    for (const toml::node &node : *inputs) {
      INLAY_ASSIGN(std::string name, stringOf(node, "inputs"));
      INLAY_TRY(checkName(node, name));
      record_.inputNames.push_back(std::move(name));
    }
    return {};
  }

  static std::optional<AttributeKind> findAttributeKind(std::string_view name) {
    // Exported models carry these as what PyTorch prints.
    if (name == "device" || name == "layout" || name == "memory_format")
      return AttributeKind::String;
    for (int kind = 0; kind <= static_cast<int>(AttributeKind::Number); ++kind)
      if (attributeKindName(static_cast<AttributeKind>(kind)) == name)
        return static_cast<AttributeKind>(kind);
    return std::nullopt;
  }

  Status readAttributes(const toml::table &table) {
    INLAY_ASSIGN(const toml::array *attributes, arrayOf(table, "attributes"));
    if (!attributes)
      return {};
    for (const toml::node &node : *attributes) {
      INLAY_ASSIGN(const toml::table *attribute, tableOf(node, "attributes"));
      INLAY_TRY(checkKeys(*attribute, {"name", "type", "default", "optional"}, "an attribute"));
      AttributeParameter parameter;
      INLAY_ASSIGN(parameter.name, requiredString(*attribute, "name"));
      INLAY_TRY(checkName(node, parameter.name));
      INLAY_ASSIGN(std::string type, requiredString(*attribute, "type"));
      std::optional<AttributeKind> kind = findAttributeKind(type);
      if (!kind)
        return errorAt(node,
                       "attribute '{}' has unknown type '{}'; expected bool, int, float, number, "
                       "string, dtype, device, layout, memory_format, bool[], int[], float[] or "
                       "string[]",
                       parameter.name, type);
      parameter.kind = *kind;
      if (const toml::node *optional = attribute->get("optional")) {
        const auto *flag = optional->as_boolean();
        if (!flag)
          return wrongKind(*optional, "optional", "a boolean");
        parameter.isOptional = flag->get();
      }
      if (const toml::node *value = attribute->get("default")) {
        INLAY_ASSIGN(parameter.defaultValue, readAttributeValue(*value, *kind, parameter.name));
      }
      record_.attributes.push_back(std::move(parameter));
    }
    return {};
  }

  Result<AttributeValue> readAttributeValue(const toml::node &node, AttributeKind kind,
                                            const std::string &name) const {
    switch (kind) {
    case AttributeKind::Bool:
      if (const auto *flag = node.as_boolean())
        return AttributeValue(flag->get());
      break;
    case AttributeKind::Int:
    case AttributeKind::Number:
      if (const auto *integer = node.as_integer())
        return AttributeValue(integer->get());
      if (const auto *number = node.as_floating_point(); number && kind == AttributeKind::Number)
        return AttributeValue(number->get());
      break;
    case AttributeKind::Float:
      if (std::optional<double> number = node.value<double>(); number && !node.is_boolean())
        return AttributeValue(*number);
      break;
    case AttributeKind::String:
      if (const auto *text = node.as_string())
        return AttributeValue(text->get());
      break;
    case AttributeKind::DataType:
      if (const auto *text = node.as_string())
        if (std::optional<DataType> type = findDataType(text->get()))
          return AttributeValue(*type);
      break;
    case AttributeKind::BoolList:
      return readList<bool>(node, AttributeKind::Bool, kind, name);
    case AttributeKind::IntList:
      return readList<int64_t>(node, AttributeKind::Int, kind, name);
    case AttributeKind::FloatList:
      return readList<double>(node, AttributeKind::Float, kind, name);
    case AttributeKind::StringList:
      return readList<std::string>(node, AttributeKind::String, kind, name);
    }
    return errorAt(node, "the default of attribute '{}' is {}; expected {}", name, kindOf(node),
                   attributeKindName(kind));
  }

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

  std::optional<uint32_t> findInput(std::string_view name) const {
    auto it = std::ranges::find(record_.inputNames, name);
    if (it == record_.inputNames.end())
      return std::nullopt;
    return static_cast<uint32_t>(it - record_.inputNames.begin());
  }

  Result<uint32_t> inputNamed(const toml::node &node, std::string_view name) const {
    if (std::optional<uint32_t> index = findInput(name))
      return *index;
    return errorAt(node, "'{}' is no input of this plugin", name);
  }

  std::optional<uint32_t> findSize(std::string_view name) const {
    const auto found = std::ranges::find(record_.sizes, name, &ManifestSize::name);
    if (found == record_.sizes.end())
      return std::nullopt;
    return static_cast<uint32_t>(found - record_.sizes.begin());
  }

  Status readSizes(const toml::table &table) {
    INLAY_ASSIGN(const toml::array *sizes, arrayOf(table, "sizes"));
    if (!sizes)
      return {};
    for (const toml::node &node : *sizes) {
      INLAY_ASSIGN(const toml::table *written, tableOf(node, "sizes"));
      INLAY_TRY(checkKeys(*written, {"name", "dtype", "max", "opt"}, "a size"));
      ManifestSize size;
      INLAY_ASSIGN(size.name, requiredString(*written, "name"));
      INLAY_TRY(checkName(node, size.name));
      const toml::node *max = written->get("max"), *opt = written->get("opt");
      if (!max)
        return errorAt(node, "key 'max' is missing");
      INLAY_ASSIGN(size.bound, readExpr(*max, "max", {}));
      INLAY_ASSIGN(size.opt, readExpr(opt ? *opt : *max, "opt", {}));
      if (const toml::node *dtype = written->get("dtype")) {
        INLAY_ASSIGN(size.dtype, dataTypeOf(*dtype, "dtype"));
        if (size.dtype != DataType::Int32 && size.dtype != DataType::Int64)
          return errorAt(*dtype, "size '{}' is {}; expected int32 or int64", size.name,
                         dataTypeName(size.dtype));
      }
      record_.sizes.push_back(std::move(size));
    }
    return {};
  }

  Status readOutputs(const toml::table &table) {
    INLAY_ASSIGN(const toml::array *outputs, arrayOf(table, "outputs", true));
    for (const toml::node &node : *outputs) {
      INLAY_ASSIGN(const toml::table *written, tableOf(node, "outputs"));
      INLAY_TRY(
          checkKeys(*written, {"name", "like", "shape", "dtype", "aliased", "size"}, "an output"));
      ManifestOutput output;
      INLAY_ASSIGN(output.name, requiredString(*written, "name"));
      INLAY_TRY(checkName(node, output.name));
      INLAY_TRY(readOutputShape(node, *written, output));
      INLAY_TRY(readOutputDataType(node, *written, output));
      record_.outputs.push_back(std::move(output));
    }
    if (record_.outputs.empty())
      return errorAt(*outputs, "a plugin has at least one output");
    return {};
  }

  Status readOutputShape(const toml::node &node, const toml::table &written,
                         ManifestOutput &output) {
    const toml::node *like = written.get("like"), *shape = written.get("shape"),
                     *aliased = written.get("aliased"), *size = written.get("size");
    if (!like + !shape + !aliased + !size != 3)
      return errorAt(node, "output '{}' needs either 'like', 'shape', 'aliased' or 'size'",
                     output.name);
    if (size) {
      INLAY_ASSIGN(std::string name, stringOf(*size, "size"));
      output.size = findSize(name);
      if (!output.size)
        return errorAt(*size, "'{}' is no size of this plugin", name);
      for (const ManifestOutput &other : record_.outputs)
        if (other.size == output.size)
          return errorAt(*size, "outputs '{}' and '{}' are both the size '{}'", other.name,
                         output.name, name);
      output.dtype.fixed = record_.sizes[*output.size].dtype;
      return {};
    }
    if (aliased)
      return readAliased(*aliased, output);
    if (like) {
      INLAY_ASSIGN(std::string input, stringOf(*like, "like"));
      INLAY_ASSIGN(uint32_t index, inputNamed(*like, input));
      output.shapeLikeInput = index;
      output.dtype.likeInput = index;
      return {};
    }
    INLAY_ASSIGN(const toml::array *dims, arrayOf(written, "shape"));
    for (const toml::node &dim : *dims) {
      INLAY_ASSIGN(ManifestExpr expr, readExpr(dim, "shape", {}));
      output.shape.push_back(std::move(expr));
    }
    return {};
  }

  /// An output that is an input's memory has its shape and type.
  Status readAliased(const toml::node &node, ManifestOutput &output) const {
    INLAY_ASSIGN(std::string input, stringOf(node, "aliased"));
    INLAY_ASSIGN(uint32_t index, inputNamed(node, input));
    for (const ManifestOutput &other : record_.outputs)
      if (other.aliasedInput == index)
        return errorAt(node, "outputs '{}' and '{}' are both aliased to input '{}'", other.name,
                       output.name, input);
    output.aliasedInput = output.shapeLikeInput = output.dtype.likeInput = index;
    return {};
  }

  Status readOutputDataType(const toml::node &node, const toml::table &written,
                            ManifestOutput &output) const {
    const toml::node *dtype = written.get("dtype");
    if (output.size)
      return dtype ? errorAt(*dtype, "output '{}' has the type of its size", output.name)
                   : Status();
    if (!dtype)
      return output.shapeLikeInput
                 ? Status()
                 : errorAt(node, "output '{}' needs 'dtype' beside 'shape'", output.name);
    INLAY_ASSIGN(std::string text, stringOf(*dtype, "dtype"));
    constexpr std::string_view kOfTensor = ".dtype";
    if (text.ends_with(kOfTensor)) {
      INLAY_ASSIGN(output.dtype.likeInput,
                   inputNamed(*dtype, text.substr(0, text.size() - kOfTensor.size())));
      return {};
    }
    output.dtype.fixed = findDataType(text);
    return output.dtype.fixed
               ? Status()
               : errorAt(*dtype, "'{}' is no dtype; write \"float32\" or \"X.dtype\", say", text);
  }

  Result<DataType> dataTypeOf(const toml::node &node, std::string_view key) const {
    INLAY_ASSIGN(std::string name, stringOf(node, key));
    if (std::optional<DataType> found = findDataType(name))
      return *found;
    return errorAt(node, "'{}' is no dtype; expected \"float32\", \"int64\" or another", name);
  }

  Status readDataTypes(const toml::table &table) {
    const toml::node *node = table.get("dtypes");
    if (!node)
      return {};
    INLAY_ASSIGN(const toml::table *dtypes, tableOf(*node, "dtypes"));
    for (const auto &[key, types] : *dtypes) {
      INLAY_ASSIGN(uint32_t input, inputNamed(types, key.str()));
      const toml::array *array = types.as_array();
      if (!array || array->empty())
        return wrongKind(types, key.str(), "an array of dtypes");
      for (const toml::node &type : *array) {
        INLAY_ASSIGN(DataType found, dataTypeOf(type, "dtypes"));
        record_.dtypes[input].push_back(found);
      }
    }
    return {};
  }

  Status readTypeCombinations(const toml::table &table) {
    INLAY_ASSIGN(const toml::array *texts, arrayOf(table, "types"));
    if (!texts)
      return {};
    if (texts->empty())
      return errorAt(*texts, "'types' is empty; expected at least one combination");
    for (const toml::node &node : *texts) {
      INLAY_ASSIGN(std::string text, stringOf(node, "types"));
      auto rows = parseTypeCombinations(text, record_.inputNames.size() + record_.outputs.size());
      if (!rows.isOk())
        return errorAt(node, "in 'types': {}", rows.status().message());
      record_.types.insert(record_.types.end(), rows->begin(), rows->end());
    }
    return {};
  }

  /// Of several plugins for one operator: which this is, how much it is preferred, and when it
  /// serves a node.
  Status readVariant(const toml::table &table) {
    if (const toml::node *variant = table.get("variant")) {
      INLAY_ASSIGN(record_.variant, stringOf(*variant, "variant"));
      if (!isIdentifier(record_.variant))
        return errorAt(*variant, "'{}' is no name; expected letters, digits and '_'",
                       record_.variant);
    }
    if (const toml::node *priority = table.get("priority")) {
      if (!priority->is_integer())
        return wrongKind(*priority, "priority", "an integer");
      record_.priority = priority->as_integer()->get();
    }
    if (const toml::node *isStatic = table.get("static_shapes")) {
      if (!isStatic->is_boolean())
        return wrongKind(*isStatic, "static_shapes", "a boolean");
      record_.takesStaticShapesOnly = isStatic->as_boolean()->get();
    }
    INLAY_ASSIGN(const toml::array *targets, arrayOf(table, "targets"));
    for (size_t i = 0; targets && i < targets->size(); ++i) {
      INLAY_ASSIGN(std::string target, stringOf(*targets->get(i), "targets"));
      if (const Status status = checkTargetName(target); !status.isOk())
        return errorAt(*targets->get(i), "in 'targets': {}", status.message());
      record_.targets.push_back(std::move(target));
    }
    INLAY_ASSIGN(const toml::array *conditions, arrayOf(table, "when"));
    if (!conditions)
      return {};
    for (const toml::node &node : *conditions) {
      ManifestRequirement condition;
      INLAY_ASSIGN(condition.that, readExpr(node, "when", {}));
      condition.message = condition.that.text;
      record_.conditions.push_back(std::move(condition));
    }
    return {};
  }

  Status readRequirements(const toml::table &table) {
    INLAY_ASSIGN(const toml::array *requirements, arrayOf(table, "require"));
    if (!requirements)
      return {};
    for (const toml::node &node : *requirements) {
      INLAY_ASSIGN(const toml::table *written, tableOf(node, "require"));
      INLAY_TRY(checkKeys(*written, {"that", "message"}, "a requirement"));
      const toml::node *that = written->get("that");
      if (!that)
        return errorAt(node, "key 'that' is missing");
      ManifestRequirement requirement;
      INLAY_ASSIGN(requirement.that, readExpr(*that, "that", {}));
      requirement.message = requirement.that.text;
      if (written->get("message")) {
        INLAY_ASSIGN(requirement.message, requiredString(*written, "message"));
      }
      record_.requirements.push_back(std::move(requirement));
    }
    return {};
  }

  Status readWorkspaces(const toml::table &table) {
    INLAY_ASSIGN(const toml::array *workspaces, arrayOf(table, "workspaces"));
    if (!workspaces)
      return {};
    for (const toml::node &node : *workspaces) {
      INLAY_ASSIGN(const toml::table *written, tableOf(node, "workspaces"));
      INLAY_TRY(checkKeys(*written, {"name", "bytes", "dtype"}, "a workspace"));
      ManifestWorkspace workspace;
      INLAY_ASSIGN(workspace.name, requiredString(*written, "name"));
      INLAY_TRY(checkName(node, workspace.name));
      const toml::node *bytes = written->get("bytes");
      if (!bytes)
        return errorAt(node, "key 'bytes' is missing");
      INLAY_ASSIGN(workspace.sizeBytes, readExpr(*bytes, "bytes", {}));
      if (const toml::node *dtype = written->get("dtype")) {
        INLAY_ASSIGN(workspace.dtype, dataTypeOf(*dtype, "dtype"));
      }
      record_.workspaces.push_back(std::move(workspace));
    }
    return {};
  }

  // -- expressions

  using Constexprs = std::map<std::string, ManifestConstexpr>;

  Result<ManifestExpr> readExpr(const toml::node &node, std::string_view key,
                                const Constexprs &constexprs) const {
    if (const auto *integer = node.as_integer())
      return ManifestExpr{Expr(integer->get()), std::to_string(integer->get()), positionOf(node)};
    if (!node.is_string())
      return wrongKind(node, key, "an integer or an expression in a string");
    return parseExprAt(node, node.as_string()->get(), constexprs);
  }

  Result<ManifestExpr> parseExprAt(const toml::node &node, const std::string &text,
                                   const Constexprs &constexprs) const {
    Result<std::string> words = toExpressionText(text);
    Result<Expr> expr = words.isOk() ? parseExpr(*words) : std::move(words).status();
    if (!expr.isOk())
      return errorAt(node, "in expression '{}': {}", text, expr.status().message());
    for (const std::string &name : symbolsOf(*expr))
      INLAY_TRY(checkSymbol(node, text, name, constexprs));
    return ManifestExpr{*expr, text, positionOf(node)};
  }

  Status checkSymbol(const toml::node &node, const std::string &text, const std::string &name,
                     const Constexprs &constexprs, bool isOfFloats = false) const {
    const ExpressionName parts = splitExpressionName(name);
    const std::string &base = parts.base;
    const bool isTensor =
        findInput(base) ||
        std::ranges::find(record_.outputs, base, &ManifestOutput::name) != record_.outputs.end();
    if (isTensor) {
      const bool isPlain = !parts.index && !parts.comparedWith && !parts.asksWhetherNone;
      if (isPlain &&
          (parts.property == "numel" || parts.property == "rank" || parts.property == "size_bytes"))
        return {};
      if (parts.property == "shape" && parts.index && !parts.comparedWith && !parts.asksWhetherNone)
        return {};
      if (parts.property == "dtype" && parts.comparedWith && !parts.index)
        return findDataType(*parts.comparedWith)
                   ? Status()
                   : errorAt(node, "in expression '{}': '{}' is no dtype", text,
                             *parts.comparedWith);
      return errorAt(node,
                     "in expression '{}': '{}' is no integer; a tensor has .shape[i], .numel, "
                     ".rank and .size_bytes",
                     text, name);
    }
    auto attribute = std::ranges::find(record_.attributes, base, &AttributeParameter::name);
    if (attribute != record_.attributes.end()) {
      const std::string problem = attributeNameError(*attribute, parts, isOfFloats);
      return problem.empty() ? Status() : errorAt(node, "in expression '{}': {}", text, problem);
    }
    if (name == base && (constexprs.contains(base) || findSize(base)))
      return {};
    return errorAt(
        node,
        "in expression '{}': '{}' names no input, output, attribute or constexpr of this plugin",
        text, name);
  }

  // -- launches

  Status readLaunch(const toml::table &table) {
    INLAY_TRY(checkKeys(table,
                        {"kernel", "images", "constexprs", "num_warps", "num_stages", "num_ctas",
                         "grid", "block", "shared_bytes", "cluster", "cooperative", "programmatic",
                         "args", "extra_args"},
                        "[[plugin.launch]]"));
    ManifestLaunch launch;
    launch.position = positionOf(table);
    INLAY_TRY(readKernelName(table, launch));
    INLAY_TRY(readKernelOptions(table, launch));
    INLAY_TRY(readConstexprs(table, launch));
    INLAY_TRY(readGrid(table, launch));
    INLAY_TRY(readBlock(table, launch));
    INLAY_TRY(readArguments(table, launch));
    record_.launches.push_back(std::move(launch));
    return {};
  }

  /// `kernel` and `images`: at least one of them.
  Status readKernelName(const toml::table &table, ManifestLaunch &launch) const {
    if (const toml::node *images = table.get("images")) {
      INLAY_ASSIGN(const toml::table *written, tableOf(*images, "images"));
      if (written->empty())
        return errorAt(*images, "'images' is empty; expected a file for at least one target");
      for (const auto &[key, file] : *written)
        INLAY_TRY(readKernelFile(file, std::string(key.str()), launch));
      if (!table.get("kernel"))
        return {};
    }
    INLAY_ASSIGN(std::string name, requiredString(table, "kernel"));
    const toml::node &node = *table.get("kernel");
    const auto [path, entry] = splitKernelName(name);
    if (!path.ends_with(".py") && std::filesystem::path(path).has_extension())
      return readKernelFile(node, "", launch);
    if (path.empty() || !isIdentifier(entry))
      return errorAt(node, "'{}' names no kernel; expected \"FILE.py:FUNCTION\"", name);
    launch.function = entry;
    launch.kernelPath = pathBeside(path);
    if (auto file = embedded_.find(launch.kernelPath); file != embedded_.end())
      launch.kernelSource = file->second;
    return {};
  }

  /// "k.ptx:add" is the kernel add of k.ptx; "k.ptx" its only one.
  static std::pair<std::string, std::string> splitKernelName(const std::string &name) {
    // The entry may hold "::" and be a template's instance.
    size_t colon = name.find(':', name.rfind('/') == std::string::npos ? 0 : name.rfind('/'));
    if (colon == std::string::npos)
      return {name, ""};
    return {name.substr(0, colon), name.substr(colon + 1)};
  }

  std::string pathBeside(const std::string &path) const {
    return (std::filesystem::path(path_).parent_path() / path).lexically_normal().string();
  }

  Status readKernelFile(const toml::node &node, std::string target, ManifestLaunch &launch) const {
    INLAY_ASSIGN(const std::string name, stringOf(node, target.empty() ? "kernel" : target));
    auto [path, entry] = splitKernelName(name);
    KernelFile file{pathBeside(path), std::move(entry), std::move(target)};
    if (const Status status = checkKernelFile(file); !status.isOk())
      return errorAt(node, "{}", status.message());
    launch.files.push_back(std::move(file));
    return {};
  }

  Status readKernelOptions(const toml::table &table, ManifestLaunch &launch) const {
    int64_t numWarps = launch.numWarps, numStages = launch.numStages;
    for (auto [key, value] : {std::pair("num_warps", &numWarps), {"num_stages", &numStages}}) {
      const toml::node *node = table.get(key);
      if (!node)
        continue;
      const auto *number = node->as_integer();
      if (!number)
        return wrongKind(*node, key, "an integer");
      *value = number->get();
      if (const Status status = checkKernelOptions(numWarps, numStages); !status.isOk())
        return errorAt(*node, "{}", status.message());
    }
    if (const toml::node *ctas = table.get("num_ctas"); ctas && ctas->value<int64_t>() != 1)
      return errorAt(*ctas, "'num_ctas' is not 1: programs in the Triton language are compiled for "
                            "one block each; a cluster needs a kernel that was compiled elsewhere, "
                            "and 'cluster'");
    launch.numWarps = static_cast<int>(numWarps);
    launch.numStages = static_cast<int>(numStages);
    return {};
  }

  /// Blocks, shared memory and clusters: a kernel in the Triton language has them from the
  /// compiler.
  Status readBlock(const toml::table &table, ManifestLaunch &launch) const {
    for (std::string_view key : {"block", "shared_bytes", "cluster"})
      if (const toml::node *node = table.get(key); node && launch.files.empty())
        return errorAt(*node,
                       "'{}' is for kernels that were compiled elsewhere; the compiler "
                       "chooses it for kernels in the Triton language",
                       key);
    for (std::string_view key : {"num_warps", "num_stages", "constexprs"})
      if (const toml::node *node = table.get(key); node && launch.function.empty())
        return errorAt(*node, "'{}' is for kernels in the Triton language; this launch has none{}",
                       key, key == "num_warps" ? "; give 'block'" : "");
    INLAY_ASSIGN(const toml::array *block, arrayOf(table, "block"));
    if (block && (block->empty() || block->size() > 3))
      return errorAt(*block, "'block' has {} extents; expected 1 to 3", block->size());
    for (size_t axis = 0; block && axis < block->size(); ++axis) {
      INLAY_ASSIGN(ManifestExpr expr, readExpr(*block->get(axis), "block", launch.constexprs));
      launch.block.push_back(std::move(expr));
    }
    if (const toml::node *shared = table.get("shared_bytes")) {
      INLAY_ASSIGN(launch.sharedBytes, readExpr(*shared, "shared_bytes", launch.constexprs));
    }
    INLAY_TRY(readCluster(table, launch));
    for (auto [key, flag] : {std::pair("cooperative", &launch.isCooperative),
                             {"programmatic", &launch.isProgrammatic}})
      if (const toml::node *node = table.get(key)) {
        if (!node->is_boolean())
          return wrongKind(*node, key, "a boolean");
        *flag = node->as_boolean()->get();
      }
    return {};
  }

  Status readCluster(const toml::table &table, ManifestLaunch &launch) const {
    INLAY_ASSIGN(const toml::array *cluster, arrayOf(table, "cluster"));
    if (!cluster)
      return {};
    constexpr int64_t kMaxBlocks = 16;
    int64_t blocks = cluster->empty() || cluster->size() > 3 ? 0 : 1;
    launch.cluster = {1, 1, 1};
    for (size_t axis = 0; axis < cluster->size() && blocks > 0; ++axis) {
      const auto *extent = cluster->get(axis)->as_integer();
      const bool isPossible = extent && extent->get() >= 1 && extent->get() <= kMaxBlocks;
      blocks = isPossible ? blocks * extent->get() : 0;
      launch.cluster[axis] = isPossible ? static_cast<uint32_t>(extent->get()) : 0;
    }
    if (blocks < 1 || blocks > kMaxBlocks)
      return errorAt(*cluster, "'cluster' is 1 to 3 numbers of blocks, at most {} in all",
                     kMaxBlocks);
    return {};
  }

  Status readConstexprs(const toml::table &table, ManifestLaunch &launch) const {
    const toml::node *node = table.get("constexprs");
    if (!node)
      return {};
    INLAY_ASSIGN(const toml::table *written, tableOf(*node, "constexprs"));
    for (const auto &[key, value] : *written) {
      INLAY_ASSIGN(ManifestConstexpr read, readConstexpr(value, key.str()));
      launch.constexprs.emplace(std::string(key.str()), std::move(read));
    }
    return {};
  }

  Result<ManifestConstexpr> readConstexpr(const toml::node &node, std::string_view key) const {
    ManifestConstexpr result;
    if (const auto *flag = node.as_boolean())
      result.value = flag->get();
    else if (const auto *integer = node.as_integer())
      result.value = integer->get();
    else if (const auto *number = node.as_floating_point())
      result.value = number->get();
    else if (const auto *text = node.as_string())
      result.value = text->get();
    else if (node.is_array())
      return readTuple(node, key);
    else if (const toml::table *table = node.as_table(); table && table->size() == 1)
      return readConstexprSource(*table, node);
    else
      return wrongKind(
          node, key,
          "a number, a boolean, a string, a list, or one of { expr = … }, { attribute = … }, "
          "{ dtype = … }");
    return result;
  }

  /// A list of values of one kind.
  Result<ManifestConstexpr> readTuple(const toml::node &node, std::string_view key) const {
    for (AttributeKind kind : {AttributeKind::BoolList, AttributeKind::IntList,
                               AttributeKind::FloatList, AttributeKind::StringList})
      if (Result<AttributeValue> value = readAttributeValue(node, kind, std::string(key));
          value.isOk()) {
        ManifestConstexpr result;
        result.value = std::move(value).value();
        return result;
      }
    return errorAt(node,
                   "'{}' is a list of several kinds; expected booleans, integers, floats or "
                   "strings",
                   key);
  }

  Result<ManifestConstexpr> readConstexprSource(const toml::table &table,
                                                const toml::node &node) const {
    INLAY_TRY(checkKeys(table, {"expr", "attribute", "dtype"}, "a constexpr"));
    ManifestConstexpr result;
    if (const toml::node *expression = table.get("expr")) {
      result.source = ManifestConstexpr::Source::Expression;
      INLAY_ASSIGN(result.expression, readExpr(*expression, "expr", {}));
    } else if (table.get("attribute")) {
      result.source = ManifestConstexpr::Source::Attribute;
      INLAY_ASSIGN(result.attribute, requiredString(table, "attribute"));
      if (std::ranges::find(record_.attributes, result.attribute, &AttributeParameter::name) ==
          record_.attributes.end())
        return errorAt(node, "'{}' is no attribute of this plugin", result.attribute);
    } else {
      result.source = ManifestConstexpr::Source::InputDataType;
      INLAY_ASSIGN(std::string input, requiredString(table, "dtype"));
      INLAY_ASSIGN(result.input, inputNamed(node, input));
    }
    return result;
  }

  Status readGrid(const toml::table &table, ManifestLaunch &launch) const {
    INLAY_ASSIGN(const toml::array *grid, arrayOf(table, "grid", true));
    if (grid->empty() || grid->size() > 3)
      return errorAt(*grid, "'grid' has {} extents; expected 1 to 3", grid->size());
    for (const toml::node &extent : *grid) {
      INLAY_ASSIGN(ManifestExpr expr, readExpr(extent, "grid", launch.constexprs));
      launch.grid.push_back(std::move(expr));
    }
    return {};
  }

  /// `args` lists every argument. Without it the order is the tutorial's: inputs, `extra_args`,
  /// outputs.
  Status readArguments(const toml::table &table, ManifestLaunch &launch) const {
    INLAY_ASSIGN(const toml::array *args, arrayOf(table, "args"));
    INLAY_ASSIGN(const toml::array *extraArgs, arrayOf(table, "extra_args"));
    if (args && extraArgs)
      return errorAt(*extraArgs, "'extra_args' goes without 'args': 'args' lists every argument");
    if (!args)
      for (uint32_t i = 0; i < record_.inputNames.size(); ++i)
        launch.arguments.push_back(
            tensorArgument(ManifestArgument::Kind::Input, i, record_.inputNames[i]));
    if (const toml::array *written = args ? args : extraArgs)
      for (const toml::node &node : *written) {
        INLAY_ASSIGN(ManifestArgument argument, readArgument(node, launch.constexprs));
        launch.arguments.push_back(std::move(argument));
      }
    if (!args)
      for (uint32_t i = 0; i < record_.outputs.size(); ++i)
        launch.arguments.push_back(
            tensorArgument(ManifestArgument::Kind::Output, i, record_.outputs[i].name));
    return {};
  }

  static ManifestArgument tensorArgument(ManifestArgument::Kind kind, uint32_t index,
                                         std::string text) {
    ManifestArgument argument;
    argument.kind = kind;
    argument.index = index;
    argument.text = std::move(text);
    return argument;
  }

  ManifestArgument workspaceArgument(uint32_t index) const {
    const ManifestWorkspace &workspace = record_.workspaces[index];
    ManifestArgument argument =
        tensorArgument(ManifestArgument::Kind::Workspace, index, workspace.name);
    argument.dtype = workspace.dtype;
    return argument;
  }

  Result<ManifestArgument> readArgument(const toml::node &node,
                                        const Constexprs &constexprs) const {
    if (const auto *number = node.as_floating_point())
      return floatArgument(DataType::Float32, number->get(), fmt::format("{}", number->get()));
    if (const auto *integer = node.as_integer())
      return integerArgument(node, DataType::Int32, std::to_string(integer->get()), constexprs);
    if (const auto *flag = node.as_boolean())
      return integerArgument(node, DataType::Bool, flag->get() ? "1" : "0", constexprs);
    if (!node.is_string())
      return wrongKind(node, "args", "a number, a boolean, a name or an expression");
    const std::string &text = node.as_string()->get();
    if (std::optional<uint32_t> input = findInput(text))
      return tensorArgument(ManifestArgument::Kind::Input, *input, text);
    if (auto it = std::ranges::find(record_.outputs, text, &ManifestOutput::name);
        it != record_.outputs.end())
      return tensorArgument(ManifestArgument::Kind::Output,
                            static_cast<uint32_t>(it - record_.outputs.begin()), text);
    if (auto it = std::ranges::find(record_.workspaces, text, &ManifestWorkspace::name);
        it != record_.workspaces.end())
      return workspaceArgument(static_cast<uint32_t>(it - record_.workspaces.begin()));
    if (std::optional<uint32_t> size = findSize(text)) {
      ManifestArgument argument = tensorArgument(ManifestArgument::Kind::Size, *size, text);
      argument.dtype = record_.sizes[*size].dtype;
      return argument;
    }
    if (std::optional<ManifestArgument> dimensions = findDimensions(text, DataType::Int32))
      return *dimensions;
    if (auto [type, inner] = splitCast(text); type)
      return castArgument(node, *type, std::string(inner), text, constexprs);
    auto attribute = std::ranges::find(record_.attributes, text, &AttributeParameter::name);
    if (attribute != record_.attributes.end() && attribute->kind == AttributeKind::Number)
      return errorAt(node, "attribute '{}' may be an int or a float; write f32({}) or i32({})",
                     text, text, text);
    if (isOfFloats(text) || hasDecimalPoint(text))
      return floatExpression(node, DataType::Float32, text, text, constexprs);
    return integerArgument(node, DataType::Int32, text, constexprs);
  }

  /// True if a number in the text has a point: whatever is wrong with it is said of floats.
  static bool hasDecimalPoint(std::string_view text) {
    for (size_t i = 1; i < text.size(); ++i)
      if (text[i] == '.' && std::isdigit(static_cast<unsigned char>(text[i - 1])))
        return true;
    return false;
  }

  /// True for a text that a float expression is: by its numbers, `/` or functions, or as it has an
  /// attribute of floats.
  bool isOfFloats(const std::string &text) const {
    Result<std::string> words = toExpressionText(text);
    Result<ParsedFloatExpr> parsed =
        words.isOk() ? parseFloatExpr(*words) : std::move(words).status();
    if (!parsed.isOk())
      return false;
    bool isOfFloats = parsed->isOfFloats;
    forEachInteger(parsed->expr, [&](const Expr &integer) {
      if (integer.kind() != ExprKind::Symbol)
        return;
      const ExpressionName name = splitExpressionName(integer.symbolName());
      auto it = std::ranges::find(record_.attributes, name.base, &AttributeParameter::name);
      isOfFloats =
          isOfFloats ||
          (it != record_.attributes.end() && !name.asksWhetherNone && name.property.empty() &&
           (it->kind == AttributeKind::Float || it->kind == AttributeKind::FloatList));
    });
    return isOfFloats;
  }

  /// "X.shape" or "shape(X)", and "X.strides": one argument for each dimension.
  std::optional<ManifestArgument> findDimensions(std::string_view text, DataType type) const {
    std::string_view name, property;
    for (std::string_view word : {"shape", "strides"})
      if (text.starts_with(word) && text.substr(word.size()).starts_with("(") &&
          text.ends_with(")")) {
        property = word;
        name = text.substr(word.size() + 1, text.size() - word.size() - 2);
      } else if (text.ends_with(word) && text.size() > word.size() &&
                 text[text.size() - word.size() - 1] == '.') {
        property = word;
        name = text.substr(0, text.size() - word.size() - 1);
      }
    if (property.empty())
      return std::nullopt;
    const auto output = std::ranges::find(record_.outputs, name, &ManifestOutput::name);
    const std::optional<uint32_t> input = findInput(name);
    if (!input && output == record_.outputs.end())
      return std::nullopt;
    ManifestArgument argument = tensorArgument(
        property == "shape" ? ManifestArgument::Kind::Shape : ManifestArgument::Kind::Strides,
        input ? *input : static_cast<uint32_t>(output - record_.outputs.begin()),
        std::string(text));
    argument.isOfOutput = !input;
    argument.dtype = type;
    return argument;
  }

  /// "i64(X.numel)" is a cast of "X.numel" to int64; a text that is no cast has no type.
  static std::pair<std::optional<DataType>, std::string_view> splitCast(std::string_view text) {
    static constexpr std::pair<std::string_view, DataType> kCasts[] = {
        {"i1", DataType::Bool},     {"i8", DataType::Int8},     {"i16", DataType::Int16},
        {"i32", DataType::Int32},   {"i64", DataType::Int64},   {"u8", DataType::UInt8},
        {"u16", DataType::UInt16},  {"u32", DataType::UInt32},  {"u64", DataType::UInt64},
        {"f32", DataType::Float32}, {"f64", DataType::Float64}, {"bool", DataType::Bool}};
    for (const auto &[name, type] : kCasts)
      if (text.starts_with(name) && text.substr(name.size()).starts_with("(") &&
          text.ends_with(")"))
        return {type, text.substr(name.size() + 1, text.size() - name.size() - 2)};
    return {};
  }

  Result<ManifestArgument> castArgument(const toml::node &node, DataType type,
                                        const std::string &inner, const std::string &text,
                                        const Constexprs &constexprs) const {
    if (dataTypeKind(type) != DataTypeKind::Float) {
      if (std::optional<ManifestArgument> dimensions = findDimensions(inner, type))
        return *dimensions;
      INLAY_ASSIGN(ManifestArgument argument, integerArgument(node, type, inner, constexprs));
      argument.text = text;
      return argument;
    }
    return floatExpression(node, type, inner, text, constexprs);
  }

  /// A float expression: its value, or what to compute for a node.
  Result<ManifestArgument> floatExpression(const toml::node &node, DataType type,
                                           const std::string &inner, const std::string &text,
                                           const Constexprs &constexprs) const {
    Result<std::string> words = toExpressionText(inner);
    Result<ParsedFloatExpr> parsed =
        words.isOk() ? parseFloatExpr(*words) : std::move(words).status();
    if (!parsed.isOk())
      return errorAt(node, "argument '{}': {}", text, parsed.status().message());
    Status status;
    forEachInteger(parsed->expr, [&](const Expr &integer) {
      // A name alone may be of floats; what stands in int(…) is of integers.
      const bool mayBeFloat = integer.kind() == ExprKind::Symbol;
      for (const std::string &name : symbolsOf(integer))
        if (status.isOk())
          status = checkSymbol(node, text, name, constexprs, mayBeFloat);
    });
    INLAY_TRY(std::move(status));
    for (const std::string &name : parsed->integerNames)
      INLAY_TRY(checkSymbol(node, text, name, constexprs));
    ManifestArgument argument = floatArgument(type, 0, text);
    argument.kind = ManifestArgument::Kind::FloatExpression;
    argument.floatExpression = parsed->expr;
    argument.expression.position = positionOf(node);
    return argument;
  }

  static ManifestArgument floatArgument(DataType type, double value, std::string text) {
    ManifestArgument argument;
    argument.kind = ManifestArgument::Kind::FloatValue;
    argument.dtype = type;
    argument.value = value;
    argument.text = std::move(text);
    return argument;
  }

  Result<ManifestArgument> integerArgument(const toml::node &node, DataType type,
                                           const std::string &text,
                                           const Constexprs &constexprs) const {
    ManifestArgument argument;
    argument.kind = ManifestArgument::Kind::Integer;
    argument.dtype = type;
    argument.text = text;
    INLAY_ASSIGN(argument.expression, parseExprAt(node, text, constexprs));
    return argument;
  }

  std::string path_;
  const EmbeddedFiles &embedded_;
  ManifestPluginRecord record_; // the plugin being read
};

} // namespace

Result<std::vector<std::unique_ptr<PluginDefinition>>>
readManifest(const std::string &path, std::string_view text, const EmbeddedFiles &embedded) {
  return ManifestReader(path, embedded).read(text);
}

Status addManifest(PluginRegistry &registry, const std::string &path) {
  INLAY_ASSIGN(std::string text, readFile(path));
  INLAY_ASSIGN(auto definitions, readManifest(path, text));
  return registry.addAll(std::move(definitions));
}

} // namespace inlay
