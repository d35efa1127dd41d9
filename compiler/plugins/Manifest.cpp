#include "compiler/plugins/Manifest.h"

#include "base/File.h"
#include "compiler/plugins/ManifestReader.h"

#include <algorithm>

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

} // namespace

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

Result<std::vector<std::unique_ptr<PluginDefinition>>> ManifestReader::read(std::string_view text) {
  toml::parse_result parsed = toml::parse(text, path_);
  if (!parsed) {
    const toml::source_region &region = parsed.error().source();
    return invalidArgument("{}:{}:{}: {}", path_, region.begin.line, region.begin.column,
                           parsed.error().description());
  }
  const toml::table &root = parsed.table();
  INLAY_TRY(checkKeys(root, {"plugin", "triton_kernel"}, "a manifest"));
  INLAY_ASSIGN(const toml::array *kernels, arrayOf(root, "triton_kernel"));
  INLAY_ASSIGN(const toml::array *plugins, arrayOf(root, "plugin", !kernels));
  if ((!plugins || plugins->empty()) && (!kernels || kernels->empty()))
    return errorAt(plugins ? *plugins : *kernels, "a manifest has at least one plugin");
  std::vector<std::unique_ptr<PluginDefinition>> definitions;
  for (size_t i = 0; kernels && i < kernels->size(); ++i) {
    INLAY_ASSIGN(const toml::table *table, tableOf(*kernels->get(i), "triton_kernel"));
    INLAY_ASSIGN(auto definition, readRecordedKernel(*table));
    definitions.push_back(std::move(definition));
  }
  for (size_t i = 0; plugins && i < plugins->size(); ++i) {
    const toml::node &node = *plugins->get(i);
    INLAY_ASSIGN(const toml::table *table, tableOf(node, "plugin"));
    INLAY_ASSIGN(ManifestPluginRecord record, readPlugin(*table));
    definitions.push_back(std::make_unique<ManifestPlugin>(std::move(record)));
  }
  return definitions;
}

ManifestPosition ManifestReader::positionOf(const toml::node &node) const {
  return {path_, node.source().begin.line, node.source().begin.column};
}

Status ManifestReader::wrongKind(const toml::node &node, std::string_view key,
                                 std::string_view expected) const {
  return errorAt(node, "'{}' is {}; expected {}", key, kindOf(node), expected);
}

Status ManifestReader::checkKeys(const toml::table &table,
                                 std::initializer_list<std::string_view> known,
                                 std::string_view what) const {
  for (const auto &[key, node] : table) {
    const std::string_view name = key.str();
    if (std::ranges::find(known, name) != known.end())
      continue;
    const std::string_view nearest = *std::ranges::min_element(
        known, {}, [&](std::string_view k) { return editDistance(name, k); });
    const toml::source_position place = key.source().begin;
    return invalidArgument("{}: unknown key '{}' in {}; did you mean '{}'?",
                           ManifestPosition{path_, place.line, place.column}.toString(), name, what,
                           nearest);
  }
  return {};
}

Result<const toml::table *> ManifestReader::tableOf(const toml::node &node,
                                                    std::string_view key) const {
  if (const toml::table *table = node.as_table())
    return table;
  return wrongKind(node, key, "a table");
}

Result<const toml::array *> ManifestReader::arrayOf(const toml::table &table, std::string_view key,
                                                    bool isRequired) const {
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

Result<std::string> ManifestReader::stringOf(const toml::node &node, std::string_view key) const {
  if (const auto *text = node.as_string())
    return text->get();
  return wrongKind(node, key, "a string");
}

Result<std::string> ManifestReader::requiredString(const toml::table &table,
                                                   std::string_view key) const {
  const toml::node *node = table.get(key);
  if (!node)
    return errorAt(table, "key '{}' is missing", key);
  return stringOf(*node, key);
}

Result<ManifestPluginRecord> ManifestReader::readPlugin(const toml::table &table) {
  INLAY_TRY(checkKeys(table,
                      {"op", "variant", "priority", "inputs", "attributes", "outputs", "dtypes",
                       "types", "when", "require", "workspaces", "launch", "tactic", "jit",
                       "jit_workspace", "implementation", "sizes", "targets", "static_shapes"},
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
  INLAY_TRY(readTactics(table));
  return std::move(record_);
}

Status ManifestReader::readHostFunction(const toml::table &table) {
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

Status ManifestReader::checkName(const toml::node &node, const std::string &name) const {
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

std::optional<uint32_t> ManifestReader::findInput(std::string_view name) const {
  auto it = std::ranges::find(record_.inputNames, name);
  if (it == record_.inputNames.end())
    return std::nullopt;
  return static_cast<uint32_t>(it - record_.inputNames.begin());
}

Result<uint32_t> ManifestReader::inputNamed(const toml::node &node, std::string_view name) const {
  if (std::optional<uint32_t> index = findInput(name))
    return *index;
  return errorAt(node, "'{}' is no input of this plugin", name);
}

std::optional<uint32_t> ManifestReader::findSize(std::string_view name) const {
  const auto found = std::ranges::find(record_.sizes, name, &ManifestSize::name);
  if (found == record_.sizes.end())
    return std::nullopt;
  return static_cast<uint32_t>(found - record_.sizes.begin());
}

Status ManifestReader::readVariant(const toml::table &table) {
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

Status ManifestReader::readRequirements(const toml::table &table) {
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

Status ManifestReader::readWorkspaces(const toml::table &table) {
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
