// A view that is copied and the views in front of it become one view of what the first is of.
//
//   %t = permute(%x, …); %s = select(%t, 0, 1); %v = view(%s, …); %y = transpose(%v, 1, 2)
//     →   %y = as_strided(%x, …)
//
// Views in the order of their memory cost nothing and stay; of those that are copied, one copy is
// made in place of several. Requires that every dimension of the outer view lies within one of the
// inner one.
#include "compiler/transforms/graph/Passes.h"
#include "compiler/transforms/graph/ViewComposition.h"
#include "compiler/transforms/graph/ViewFacts.h"

#include <fmt/format.h>

namespace inlay::graph {
namespace {

class ViewComposer {
public:
  explicit ViewComposer(PassContext &context) : context_(context) {}

  void compose(CallOp call) {
    if (call.getNumResults() != 1 || isWholeView(context_, call))
      return;
    std::optional<StridedView> view = viewOf(context_, call.getResult(0));
    if (!view)
      return;
    mlir::Value source = call.getInputs()[0];
    std::string skipped;
    mlir::Value best; // behind the last view that is copied
    StridedView bestView;
    while (auto before = source.getDefiningOp<CallOp>()) {
      const std::optional<StridedView> inner = viewOf(context_, source);
      std::optional<StridedView> both = inner ? composed(*view, *inner) : std::nullopt;
      if (!both)
        break;
      view = std::move(both);
      source = before.getInputs()[0];
      if (isWholeView(context_, before))
        continue;
      skipped += (skipped.empty() ? "" : ", ") + before.getNode().str();
      best = source;
      bestView = *view;
    }
    if (best)
      replace(call, best, bestView, skipped);
  }

private:
  void replace(CallOp call, mlir::Value source, const StridedView &view,
               const std::string &skipped) {
    mlir::OpBuilder builder(call);
    const mlir::Type type = call.getResult(0).getType();
    const bool isWhole = view.shape == specOf(call.getResult(0)).shape;
    const std::string node = call.getNode().str();
    CallOp strided = makeStrided(context_, builder, call.getLoc(),
                                 isWhole ? node : node + ".strided", source, view);
    if (!strided)
      return;
    if (isWhole) {
      call.getResult(0).replaceAllUsesWith(strided.getResult(0));
      context_.erase(call);
    } else if (!replaceCall(context_, call, "aten::reshape", strided.getResult(0), {"self"},
                            builder.getDictionaryAttr(builder.getNamedAttr(
                                "shape", sizesAttribute(type.getContext(),
                                                        specOf(call.getResult(0)).shape))))) {
      return context_.erase(strided);
    }
    context_.applied(node, fmt::format("takes its elements from in front of {}", skipped));
  }

  PassContext &context_;
};

} // namespace

Status composeViews(PassContext &context) {
  ViewComposer composer(context);
  for (mlir::Operation &op : llvm::make_early_inc_range(context.model().getBlock()))
    if (auto call = llvm::dyn_cast<CallOp>(op))
      composer.compose(call);
  return {};
}

} // namespace inlay::graph
