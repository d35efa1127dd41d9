// Calls of a graph as plugins see them, and which plugin serves each; single ones and groups.
#pragma once

#include "compiler/conversions/graph-to-plan/PluginChoice.h"
#include "compiler/dialects/graph/Graph.h"
#include "compiler/operators/Groups.h"

#include <memory>

namespace inlay {

/// What is known of a model's symbols. Sizes are never negative, whatever the exporter's range
/// says.
ShapeSymbols shapeSymbolsOf(graph::ModelOp model);

/// Chooses the plugin of a call. Errors: Internal if the operator has none; those of choosePlugin.
Result<PluginChoice> choosePluginOf(graph::CallOp call, const PluginRegistry &plugins,
                                    const ShapeSymbols &symbols,
                                    const ImplementationPolicies &policies,
                                    std::span<const std::string> targets);
/// The plugin that serves a call, which takes its arguments, says what its outputs are, and is
/// built for the targets. Errors: NotFound if the operator has none; those of choosePluginOf; those
/// of the plugin's description.
Result<const PluginDefinition *> lookupServer(graph::CallOp call, const PluginRegistry &plugins,
                                              const ShapeSymbols &symbols,
                                              const ImplementationPolicies &policies,
                                              std::span<const std::string> targets);
/// The names of the call's operands, in order.
std::vector<std::string> tensorNamesOf(graph::CallOp call);

/// A group, and the plugins that serve its calls, in order.
struct BoundGroup {
  OperatorGroup group;
  std::vector<PluginChoice> choices;
};
/// Errors: those of choosePluginOf; InvalidArgument for a call that no standard operator serves, or
/// calls that cannot be computed as the group's kind says.
Result<BoundGroup> bindGroup(graph::GroupOp group, const PluginRegistry &plugins,
                             const ShapeSymbols &symbols, const ImplementationPolicies &policies,
                             std::span<const std::string> targets);

} // namespace inlay
