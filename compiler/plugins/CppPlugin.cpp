#include "compiler/plugins/CppPlugin.h"

#include "base/Error.h"
#include "compiler/plugins/NodeBinder.h"
#include "compiler/plugins/PluginAbi.h"
#include "compiler/plugins/PluginHost.h"
#include "compiler/plugins/TypeCombinations.h"

#include <algorithm>
#include <cctype>
#include <cstddef>

namespace inlay {
namespace {

/// A plugin behind the C interface. Owns the definition's `user`.
class CppPlugin final : public PluginDefinition {
public:
  CppPlugin(inlay_plugin_definition_v1 given, const PluginSource &source)
      : given_(given), folder_(source.folder), keepAlive_(source.keepAlive) {
    origin_ = source.origin;
  }
  CppPlugin(const CppPlugin &) = delete;
  CppPlugin &operator=(const CppPlugin &) = delete;
  ~CppPlugin() override {
    if (given_.destroy)
      given_.destroy(given_.user);
  }

  /// Takes over names and attributes.
  Status read() {
    INLAY_ASSIGN(opName_, textFromAbi(given_.op_name, "op_name"));
    if (!given_.describe || (!given_.implement && !given_.host))
      return invalidArgument("plugin {} has no {}", opName_,
                             given_.describe ? "implementation (aot or jit)" : "describe");
    if (given_.implementation) {
      INLAY_ASSIGN(policy_, parseImplementationPolicy(given_.implementation), "plugin " + opName_);
    }
    takesAllTensors_ = !given_.input_names;
    for (size_t i = 0; given_.input_names && i < given_.num_inputs; ++i) {
      INLAY_ASSIGN(std::string name, textFromAbi(given_.input_names[i], "name of an input"));
      INLAY_TRY(checkName(name));
      inputNames_.push_back(std::move(name));
    }
    if (!given_.attributes && given_.num_attributes != 0)
      return invalidArgument("plugin {}: attributes is null", opName_);
    for (size_t i = 0; i < given_.num_attributes; ++i)
      INLAY_TRY(readAttribute(given_.attributes[i]));
    return readChoice();
  }

  Result<std::vector<PluginRequirement>> conditions(const PluginNode &node) const override {
    std::vector<TypeCombination> allowed;
    for (const std::string &text : types_) {
      auto rows = parseTypeCombinations(text, node.inputs.size() + node.outputs.size());
      if (!rows.isOk())
        return invalidArgument("node {} ({}, plugin at {}): in its types: {}", node.nodeName,
                               node.opName, origin_, rows.status().message());
      allowed.insert(allowed.end(), rows->begin(), rows->end());
    }
    INLAY_TRY(checkTypeCombinations(*this, node, allowed));
    std::vector<PluginRequirement> conditions;
    if (given_.when)
      INLAY_TRY(callPlugin(given_.when, given_.user, node, origin_, folder_,
                           {.conditions = &conditions}));
    return conditions;
  }

  Result<PluginDescription> describe(const PluginNode &node) const override {
    PluginDescription description;
    INLAY_TRY(callPlugin(given_.describe, given_.user, node, origin_, folder_,
                         {.description = &description}));
    return description;
  }

  Result<PluginImplementation> implement(const PluginNode &node) const override {
    PluginImplementation implementation;
    INLAY_TRY(callPlugin(given_.implement, given_.user, node, origin_, folder_,
                         {.implementation = &implementation}));
    if (implementation.launches.empty())
      return invalidArgument("node {} ({}, plugin at {}): the plugin launches no kernel",
                             node.nodeName, node.opName, origin_);
    return implementation;
  }

  bool hasAot() const override { return given_.implement; }
  bool hasJit() const override { return given_.host; }
  Result<std::optional<Expr>> hostWorkspace(const PluginNode &node) const override {
    PluginImplementation implementation;
    INLAY_TRY(callPlugin(given_.host, given_.user, node, origin_, folder_,
                         {.implementation = &implementation}));
    if (implementation.workspaces.size() > 1 || !implementation.launches.empty())
      return invalidArgument(
          "node {} ({}, plugin at {}): a host function has at most one workspace "
          "and launches nothing",
          node.nodeName, node.opName, origin_);
    return implementation.workspaces.empty()
               ? std::optional<Expr>()
               : std::optional(implementation.workspaces.front().sizeBytes);
  }

private:
  Status checkName(const std::string &name) const {
    const bool isTaken =
        std::ranges::find(inputNames_, name) != inputNames_.end() ||
        std::ranges::find(attributes_, name, &AttributeParameter::name) != attributes_.end();
    if (name.empty() || isTaken)
      return invalidArgument("plugin {}: the name '{}' is {}", opName_, name,
                             isTaken ? "used twice" : "empty");
    return {};
  }

  /// What tells it from other plugins of its operator, and which nodes it serves.
  Status readChoice() {
    variant_ = given_.variant ? given_.variant : "";
    if (!std::ranges::all_of(variant_, [](unsigned char c) { return std::isalnum(c) || c == '_'; }))
      return invalidArgument("plugin {}: the variant '{}' is no name; expected letters, digits and "
                             "'_'",
                             opName_, variant_);
    priority_ = given_.priority;
    takesStaticShapesOnly_ = given_.static_shapes_only != 0;
    INLAY_TRY(readTexts(given_.types, given_.num_types, "types", types_));
    for (const std::string &text : types_) {
      // The number of tensors is known with a node only.
      const auto entries = static_cast<size_t>(std::ranges::count(text, ',')) + 1;
      if (auto rows = parseTypeCombinations(text, entries); !rows.isOk())
        return invalidArgument("plugin {}: in types: {}", opName_, rows.status().message());
    }
    INLAY_TRY(readTexts(given_.targets, given_.num_targets, "targets", targets_));
    for (const std::string &target : targets_)
      INLAY_TRY(checkTargetName(target));
    return {};
  }

  Status readTexts(const char *const *texts, size_t count, std::string_view what,
                   std::vector<std::string> &out) const {
    if (!texts && count != 0)
      return invalidArgument("plugin {}: {} is null", opName_, what);
    for (size_t i = 0; i < count; ++i) {
      INLAY_ASSIGN(std::string text, textFromAbi(texts[i], what));
      out.push_back(std::move(text));
    }
    return {};
  }

  Status readAttribute(const inlay_plugin_attribute_v1 &given) {
    AttributeParameter parameter;
    INLAY_ASSIGN(parameter.name, textFromAbi(given.name, "name of an attribute"));
    INLAY_TRY(checkName(parameter.name));
    const std::string what = fmt::format("plugin {}: attribute '{}'", opName_, parameter.name);
    INLAY_ASSIGN(parameter.kind, attributeKindFromAbi(given.kind), what);
    parameter.isOptional = given.is_optional != 0;
    if (given.default_value) {
      INLAY_ASSIGN(AttributeValue value, attributeFromAbi(*given.default_value), what);
      parameter.defaultValue = convertAttribute(value, parameter.kind);
      if (!parameter.defaultValue)
        return invalidArgument("{}: the default is {}; expected {}", what, attributeText(value),
                               attributeKindName(parameter.kind));
    }
    attributes_.push_back(std::move(parameter));
    return {};
  }

  inlay_plugin_definition_v1 given_; // its names and attributes are read in `read` only
  std::string folder_;
  std::vector<std::string> types_;
  std::shared_ptr<const void> keepAlive_;
};

/// What one call of a registration function adds.
struct Registration {
  const PluginSource &source;
  std::vector<std::unique_ptr<PluginDefinition>> definitions;
  std::vector<PluginName> removed;
  Status error;

  void fail(Status status) {
    if (error.isOk())
      error = std::move(status);
  }

  void add(const inlay_plugin_definition_v1 *given) {
    inlay_plugin_definition_v1 definition{};
    // Libraries from before there were host functions give less.
    Status status =
        copySizedStruct(given, &definition, sizeof(definition),
                        offsetof(inlay_plugin_definition_v1, host), "inlay_plugin_definition_v1");
    if (!status.isOk())
      return fail(std::move(status));
    auto plugin = std::make_unique<CppPlugin>(definition, source);
    status = plugin->read();
    if (!status.isOk())
      return fail(std::move(status));
    definitions.push_back(std::move(plugin));
  }
};

} // namespace

Status addCppPlugins(PluginRegistry &registry,
                     const std::function<void(const inlay_plugin_host_v1 *)> &registerPlugins,
                     const PluginSource &source) {
  Registration registration{source, {}, {}, {}};
  inlay_plugin_host_v1 host = pluginNodeTable();
  host.registration = &registration;
  host.fail = [](void *self, const char *message) {
    static_cast<Registration *>(self)->fail(invalidArgument("{}", message ? message : ""));
  };
  host.add_plugin = [](void *self, const inlay_plugin_definition_v1 *definition) {
    static_cast<Registration *>(self)->add(definition);
  };
  host.remove_plugin = [](void *self, const char *opName, const char *variant) {
    static_cast<Registration *>(self)->removed.push_back(
        {opName ? opName : "", variant ? variant : ""});
  };
  registerPlugins(&host);
  if (!registration.error.isOk())
    return Status(registration.error.code(),
                  fmt::format("plugins of {}: {}", source.origin, registration.error.message()));
  if (registration.definitions.empty() && registration.removed.empty())
    return invalidArgument("plugins of {}: no plugin was added", source.origin);
  return registry.addAll(std::move(registration.definitions), registration.removed);
}

} // namespace inlay
