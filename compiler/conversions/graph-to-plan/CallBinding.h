// Calls of a graph as plugins see them, and which plugin serves each.
#pragma once

#include "compiler/conversions/graph-to-plan/PluginChoice.h"
#include "compiler/dialects/graph/Graph.h"

namespace inlay {

/// What is known of a model's symbols. Sizes are never negative, whatever the exporter's range
/// says.
ShapeSymbols shapeSymbolsOf(graph::ModelOp model);

/// Chooses the plugin of a call. Errors: Internal if the operator has none; those of choosePlugin.
Result<PluginChoice> choosePluginOf(graph::CallOp call, const PluginRegistry &plugins,
                                    const ShapeSymbols &symbols,
                                    const ImplementationPolicies &policies,
                                    std::span<const std::string> targets);
/// The names of the call's operands, in order.
std::vector<std::string> tensorNamesOf(graph::CallOp call);

} // namespace inlay
