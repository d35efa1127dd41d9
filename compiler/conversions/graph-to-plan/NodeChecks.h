// What can be checked at build time of one node that a plugin serves: outputs, requirements, grids,
// arguments.
#pragma once

#include "base/Status.h"
#include "compiler/conversions/graph-to-plan/ShapeSymbols.h"
#include "compiler/plugins/PluginDefinition.h"

#include <span>
#include <string>
#include <vector>

namespace inlay {

/// "node add_one_1 (my::add_one, plugin at add_one.toml:3)": the head of every message about a
/// node.
std::string describeNode(const PluginDefinition &plugin, const PluginNode &node);

/// Compares what a plugin says of its outputs with what the exporter recorded in `node.outputs`:
/// number, dtype, rank, each dimension. Dimensions that agree at the export but are not the same
/// expression become run-time requirements, which are appended. Errors: InvalidArgument naming
/// plugin, output, dimension and both expressions.
Status checkOutputs(const PluginDefinition &plugin, const PluginNode &node,
                    const PluginDescription &description, const ShapeSymbols &symbols,
                    std::vector<PluginRequirement> &runTime);

/// Checks the outputs that are said to be inputs' memory: the input is there, aliased once, and has
/// the type and shape that the model recorded for the output. Errors: InvalidArgument naming
/// plugin, output and input.
Status checkAliases(const PluginDefinition &plugin, const PluginNode &node,
                    const PluginDescription &description);

/// Checks the outputs that are said to be views: the input is there and has the type of the output,
/// and as many elements; that they are as many is appended to `runTime` where it depends on sizes.
/// Errors: InvalidArgument naming plugin, output and input.
Status checkViews(const PluginDefinition &plugin, const PluginNode &node,
                  const PluginDescription &description, const ShapeSymbols &symbols,
                  std::vector<PluginRequirement> &runTime);

/// Decides requirements as far as the symbols' ranges allow; what is left is appended for run time,
/// its message headed by the node. Errors: InvalidArgument with the author's message if one never
/// holds.
Status checkRequirements(const PluginDefinition &plugin, const PluginNode &node,
                         const std::vector<PluginRequirement> &requirements,
                         const ShapeSymbols &symbols, std::vector<PluginRequirement> &runTime);

/// Refuses grids and integer arguments that no symbol value brings into their range, and launch
/// arguments whose index is beyond the node's inputs, outputs or workspaces. Errors: OutOfRange or
/// InvalidArgument naming kernel and argument.
Status checkLaunchValues(const PluginDefinition &plugin, const PluginNode &node,
                         const PluginImplementation &implementation, const ShapeSymbols &symbols);

/// What is known of a tactic at build time.
struct DecidedTactic {
  std::optional<Expr> condition; // what only the run can decide
  bool isImpossible = false;     // it can be taken for no sizes
};
/// Decides the conditions of tactics as far as the symbols' ranges allow. Errors: InvalidArgument
/// naming the plugin and the tactic for two of one name, a launch of a tactic that is not there,
/// alignments of no tensor, and if no tactic can always be taken.
Result<std::vector<DecidedTactic>> decideTactics(const PluginDefinition &plugin,
                                                 const PluginNode &node,
                                                 const PluginImplementation &implementation,
                                                 const ShapeSymbols &symbols);

/// True for an integer argument that is 1 whatever the sizes, of a kernel that is compiled for the
/// launch alone: the kernel knows it as a constant and has no parameter for it, as in Triton. A
/// stride of 1 is what lets it load whole vectors.
bool isKnownToBeOne(const PluginLaunch &launch, const LaunchArgument &argument);

/// The kernel's signature for the arguments of a launch, one entry per argument: "*fp32:16",
/// "i32:16", "i32:1" (isKnownToBeOne), "fp32". What `conditions` (of the launch's tactic) say of an
/// argument's divisibility is promised, too.
std::vector<std::string> launchSignature(const PluginNode &node, const PluginLaunch &launch,
                                         const ShapeSymbols &symbols,
                                         std::span<const Expr> conditions = {});

} // namespace inlay
