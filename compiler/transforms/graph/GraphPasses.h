// Optimisation passes over the graph of a model, before it becomes a plan.
#pragma once

#include "base/Status.h"
#include "compiler/transforms/graph/PassContext.h"

#include "mlir/IR/BuiltinOps.h"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace inlay {

/// A pass of GraphPasses.def. It leaves a graph that verifies and means the same; what it cannot
/// improve it leaves alone, with a remark. Errors are faults of the pass.
struct GraphPass {
  std::string_view name; // "fuse-pointwise"
  std::string_view description;
  Status (*run)(graph::PassContext &context);
};
/// All passes, in the order in which they run.
std::span<const GraphPass> graphPasses();

/// The passes to run, in their order: `passes` is "all", "none", or names with commas between;
/// those named in `disabled` are left out. Errors: InvalidArgument for an unknown name, with the
/// known ones.
Result<std::vector<const GraphPass *>> selectGraphPasses(std::string_view passes,
                                                         std::span<const std::string> disabled);

/// Runs passes on a module with one graph.model, which is changed; gives what they say. `targets`
/// are the build's. Errors: Internal if a pass leaves a graph that does not verify.
Result<std::vector<graph::PassRemark>> runGraphPasses(mlir::ModuleOp module,
                                                      std::span<const GraphPass *const> passes,
                                                      const PluginRegistry &plugins,
                                                      const ImplementationPolicies &policies,
                                                      std::span<const std::string> targets);

/// Registers every pass as `graph-NAME`; its option `plugins` lists manifests that stand before the
/// standard operators. What a pass says is emitted as MLIR remarks.
void registerGraphPasses();

} // namespace inlay
