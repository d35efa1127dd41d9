// Calls of standard operators whose results nothing uses go, and constants that nothing uses any
// more. A user's plugin may do more than compute its results, and stays; so does what gives a size
// that depends on data, which shapes may use.
#include "compiler/transforms/graph/Passes.h"

#include <fmt/format.h>

namespace inlay::graph {
namespace {

bool computesSizes(const PluginChoice &choice) {
  PluginNode undescribed = choice.node;
  undescribed.outputs.clear();
  const Result<PluginDescription> description = choice.plugin->describe(undescribed);
  return !description.isOk() || !description->sizes.empty();
}

} // namespace

Status eliminateDead(PassContext &context) {
  for (mlir::Operation &op :
       llvm::make_early_inc_range(llvm::reverse(context.model().getBlock()))) {
    auto call = llvm::dyn_cast<CallOp>(op);
    if (!call || !call.use_empty())
      continue;
    const PluginChoice *choice = context.findStandard(call);
    if (!choice || computesSizes(*choice)) {
      context.missed(call.getNode(), choice ? "gives a size that depends on data"
                                            : "nothing uses its results, but a plugin that is no "
                                              "standard operator may do more than compute them");
      continue;
    }
    context.applied(call.getNode(), "is left out: nothing uses its results");
    context.erase(call);
  }
  for (auto constant : llvm::make_early_inc_range(context.model().getBlock().getOps<ConstantOp>()))
    if (constant.use_empty())
      constant.erase();
  return {};
}

} // namespace inlay::graph
