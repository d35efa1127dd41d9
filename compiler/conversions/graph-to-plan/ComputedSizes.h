// Sizes that a plugin's kernels compute: which symbols of the model they are.
#pragma once

#include "base/Status.h"
#include "compiler/conversions/graph-to-plan/ShapeSymbols.h"
#include "compiler/plugins/PluginDefinition.h"

#include <set>
#include <string>
#include <vector>

namespace inlay {

/// Finds the symbol of the model that each of a described node's sizes is, by the dimension where
/// an output has it: one whose value neither an input nor an earlier node gives (`known`). The
/// sizes' own symbols are replaced by these in the description, and `symbols` learns their ranges;
/// what the exporter's range says beyond the bound is appended to `runTime`. Gives a name for each
/// size. Errors: InvalidArgument naming plugin, size and output.
Result<std::vector<std::string>>
bindComputedSizes(const PluginDefinition &plugin, const PluginNode &node,
                  PluginDescription &description, const std::set<std::string> &known,
                  ShapeSymbols &symbols, std::vector<PluginRequirement> &runTime);

/// Refuses launches and workspaces that need a size which only the launches compute; `names` are
/// the symbols of node.sizes. Errors: InvalidArgument naming launch, expression and size.
Status checkSizesAreNotNeeded(const PluginDefinition &plugin, const PluginNode &node,
                              const PluginImplementation &implementation,
                              const std::vector<std::string> &names);

} // namespace inlay
