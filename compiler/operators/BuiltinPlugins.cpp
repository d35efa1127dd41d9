#include "compiler/operators/BuiltinPlugins.h"

#include "compiler/operators/StandardOperator.h"

#include <algorithm>

namespace inlay {

namespace {

/// The user's plugin that serves what a built-in one would; null if there is none. A variant of the
/// user's may refuse nodes, which the built-in one then serves.
const PluginDefinition *findReplacement(const PluginRegistry &registry,
                                        const PluginDefinition &builtin) {
  const auto isReplacement = [&](const PluginDefinition *known) {
    return known->variant().empty() && (known->takesAllTensors() || builtin.takesAllTensors() ||
                                        known->inputNames() == builtin.inputNames());
  };
  const auto known = registry.candidates(builtin.opName(), builtin.inputNames());
  const auto found = std::ranges::find_if(known, isReplacement);
  return found == known.end() ? nullptr : *found;
}

} // namespace

Status addBuiltinPlugins(PluginRegistry &registry) {
  OperatorDefinitions definitions;
#define INLAY_OPERATOR_GROUP(add) add(definitions);
#include "compiler/operators/OperatorGroups.def"
#undef INLAY_OPERATOR_GROUP
  // Variants of a built-in plugin are not each other's replacements.
  std::erase_if(definitions, [&](const std::unique_ptr<PluginDefinition> &definition) {
    const PluginDefinition *replacement = findReplacement(registry, *definition);
    if (replacement)
      registry.noteOverride(*replacement);
    return replacement != nullptr;
  });
  for (std::unique_ptr<PluginDefinition> &definition : definitions)
    INLAY_TRY(registry.add(std::move(definition)));
  return {};
}

} // namespace inlay
