// A call that computes what an earlier one did takes that one's results.
//
//   %a = relu(%x); %b = relu(%x); add(%a, %b)   →   %a = relu(%x); add(%a, %a)
//
// Only standard operators, which are functions of their arguments, but for those that draw random
// numbers; those that change an argument give its new value as a result, and are functions too.
// What a user's plugin computes twice is computed twice. Results of sizes that depend on data have
// symbols of their own and stay apart.
#include "compiler/transforms/graph/Passes.h"

#include <fmt/format.h>
#include <map>

namespace inlay::graph {
namespace {

/// All that a call's results depend on; pointers to what MLIR holds once.
std::vector<const void *> keyOf(CallOp call) {
  std::vector<const void *> key = {call.getOpAttr().getAsOpaquePointer(),
                                   call.getArgNames().getAsOpaquePointer(),
                                   call.getArguments().getAsOpaquePointer()};
  for (mlir::Value input : call.getInputs())
    key.push_back(input.getAsOpaquePointer());
  for (mlir::Type type : call->getResultTypes())
    key.push_back(type.getAsOpaquePointer());
  return key;
}

} // namespace

Status eliminateCommon(PassContext &context) {
  std::map<std::vector<const void *>, CallOp> known;
  for (mlir::Operation &op : llvm::make_early_inc_range(context.model().getBlock())) {
    auto call = llvm::dyn_cast<CallOp>(op);
    if (!call)
      continue;
    auto [first, isNew] = known.try_emplace(keyOf(call), call);
    if (isNew)
      continue;
    const PluginChoice *choice = context.findStandard(call);
    if (choice && choice->plugin->traits()->drawsNumbers)
      continue;
    if (!choice) {
      context.missed(call.getNode(),
                     fmt::format("computes what {} does, but {} is no standard operator",
                                 first->second.getNode().str(), call.getOp().str()));
      continue;
    }
    context.applied(call.getNode(),
                    fmt::format("is what {} computes", first->second.getNode().str()));
    call->replaceAllUsesWith(first->second->getResults());
    context.erase(call);
  }
  return {};
}

} // namespace inlay::graph
