// Operators that change nothing go (dropout in evaluation, copies, casts to the own type),
// exchanges of dimensions that follow each other become one, and so do changes of shape. Operators
// that give several views are taken apart.
//
//   %t = transpose(%x, 0, 1); %y = permute(%t, [1, 0])   →   %y = %x
//   %v = view(%x, [6, 4]); %y = reshape(%v, [2, 3, 4])    →   %y = reshape(%x, [2, 3, 4])
//
// Values are what counts in a graph, not memory: an operator that changes an argument in place
// gives its new value as a result, so that a copy of it is the value itself.
#include "compiler/transforms/graph/Passes.h"
#include "compiler/transforms/graph/ViewComposition.h"
#include "compiler/transforms/graph/ViewFacts.h"

#include <fmt/format.h>

namespace inlay::graph {
namespace {

bool isIdentity(const std::vector<int64_t> &permutation) {
  for (size_t i = 0; i < permutation.size(); ++i)
    if (permutation[i] != static_cast<int64_t>(i))
      return false;
  return true;
}

class ViewSimplifier {
public:
  explicit ViewSimplifier(PassContext &context) : context_(context) {}

  void simplify(CallOp call) {
    if (call.getInputs().empty())
      return;
    if (call.getNumResults() != 1)
      return takeApart(call);
    if (isWholeView(context_, call))
      return simplifyWhole(call);
    if (const auto permutation = permutationOf(context_, call))
      simplifyPermutation(call, *permutation);
  }

private:
  /// Each view of an operator that gives several becomes one of its own, which passes may put
  /// together with others.
  void takeApart(CallOp call) {
    mlir::OpBuilder builder(call);
    llvm::SmallVector<CallOp> views;
    for (const auto &[i, result] : llvm::enumerate(call.getResults())) {
      if (result.use_empty()) {
        views.emplace_back();
        continue;
      }
      const std::optional<StridedView> view = viewOf(context_, result);
      CallOp own = view && view->shape == specOf(result).shape
                       ? makeStrided(context_, builder, call.getLoc(),
                                     fmt::format("{}.{}", call.getNode().str(), i),
                                     call.getInputs()[0], *view)
                       : CallOp();
      if (!own) {
        for (CallOp made : views)
          if (made)
            context_.erase(made);
        return;
      }
      views.push_back(own);
    }
    context_.applied(call.getNode(), "its results are views of their own");
    for (unsigned i = 0; i < views.size(); ++i)
      if (views[i])
        call.getResult(i).replaceAllUsesWith(views[i].getResult(0));
    context_.erase(call);
  }

  void replaceBy(CallOp call, mlir::Value value, std::string why) {
    context_.applied(call.getNode(), std::move(why));
    call.getResult(0).replaceAllUsesWith(value);
    context_.erase(call);
  }

  void simplifyWhole(CallOp call) {
    const mlir::Value input = call.getInputs()[0];
    const mlir::Type type = call.getResult(0).getType();
    if (input.getType() == type)
      return replaceBy(call, input, fmt::format("{} changes nothing", call.getOp().str()));
    auto before = input.getDefiningOp<CallOp>();
    if (!before || !isWholeView(context_, before))
      return;
    const mlir::Value first = before.getInputs()[0];
    if (first.getType() == type)
      return replaceBy(call, first, fmt::format("undoes {}", before.getNode().str()));
    if (llvm::cast<TensorType>(first.getType()).getDtype() !=
        llvm::cast<TensorType>(type).getDtype())
      return;
    mlir::Builder builder(type.getContext());
    const std::string node = call.getNode().str(), name = before.getNode().str();
    if (replaceCall(
            context_, call, "aten::reshape", first, {"self"},
            builder.getDictionaryAttr(builder.getNamedAttr(
                "shape", sizesAttribute(type.getContext(), specOf(call.getResult(0)).shape)))))
      context_.applied(node, fmt::format("takes what {} is a view of", name));
  }

  void simplifyPermutation(CallOp call, const std::vector<int64_t> &outer) {
    if (isIdentity(outer) && call.getInputs()[0].getType() == call.getResult(0).getType())
      return replaceBy(call, call.getInputs()[0], "exchanges no dimensions");
    auto before = call.getInputs()[0].getDefiningOp<CallOp>();
    const auto inner = before ? permutationOf(context_, before) : std::nullopt;
    if (!inner)
      return;
    std::vector<int64_t> both;
    for (int64_t dim : outer)
      both.push_back((*inner)[static_cast<size_t>(dim)]);
    const mlir::Value first = before.getInputs()[0];
    if (isIdentity(both) && first.getType() == call.getResult(0).getType())
      return replaceBy(call, first, fmt::format("undoes {}", before.getNode().str()));
    mlir::Builder builder(call.getContext());
    const std::string node = call.getNode().str(), name = before.getNode().str();
    if (replaceCall(
            context_, call, "aten::permute", first, {"self"},
            builder.getDictionaryAttr(builder.getNamedAttr("dims", builder.getI64ArrayAttr(both)))))
      context_.applied(node, fmt::format("exchanges the dimensions of what {} takes", name));
  }

  PassContext &context_;
};

} // namespace

Status simplifyViews(PassContext &context) {
  ViewSimplifier simplifier(context);
  for (mlir::Operation &op : llvm::make_early_inc_range(context.model().getBlock()))
    if (auto call = llvm::dyn_cast<CallOp>(op))
      simplifier.simplify(call);
  return {};
}

} // namespace inlay::graph
