// What is written over a part of a tensor, and read or written there again.
//
//   %y = slice_scatter(%x, %s, …); %t = slice(%y, …)          →   %t = %s
//   %z = slice_scatter(%y, %s, …), with %s there already       →   %z = %y
//   %z = slice_scatter(%y, %r, …), over all of %s              →   %z = slice_scatter(%x, %r, …)
//   %v = slice(%x, …); %w = select_scatter(%v, %s, …); %y = slice_scatter(%x, %w, …)
//     →   %y = as_strided_scatter(%x, %s, …)
//
// Exporters record all of these for `x[1:, 0] += y`: a view, an operator in place, and a copy of
// its result onto itself.
#include "compiler/transforms/graph/Passes.h"
#include "compiler/transforms/graph/ViewComposition.h"
#include "compiler/transforms/graph/ViewFacts.h"

#include <fmt/format.h>

namespace inlay::graph {
namespace {

bool isSame(const StridedView &a, const StridedView &b) {
  return a.shape == b.shape && a.offset == b.offset && a.strides == b.strides;
}

/// The result of a call that gives a tensor with another in the place of a part.
struct Write {
  CallOp call;
  mlir::Value tensor, written;
  StridedView part;
};

class WriteSimplifier {
public:
  explicit WriteSimplifier(PassContext &context) : context_(context) {}

  void simplify(CallOp call) {
    if (call.getNumResults() != 1)
      return;
    const mlir::Value result = call.getResult(0);
    if (call.getOp() == "aten::copy" && context_.findStandard(call)) {
      const mlir::Value source = findOperand(call, "src");
      if (source && source.getType() == result.getType())
        replaceBy(call, source, "is what it copies");
      return;
    }
    if (const std::optional<Write> write = findWrite(result))
      return simplifyWrite(*write);
    const std::optional<StridedView> view = viewOf(context_, result);
    std::optional<Write> before = view ? findWrite(call.getInputs()[0]) : std::optional<Write>();
    if (before && isSame(*view, before->part) && before->written.getType() == result.getType())
      replaceBy(call, before->written,
                fmt::format("is what {} writes", before->call.getNode().str()));
  }

  /// A write over a part of what was a part of the tensor becomes one over that part.
  void compose(CallOp call) {
    std::optional<Write> outer =
        findWrite(call.getNumResults() == 1 ? call.getResult(0) : mlir::Value());
    std::optional<Write> inner = outer ? findWrite(outer->written) : std::optional<Write>();
    if (!inner || !inner->call.getResult(0).hasOneUse() || !isPart(inner->tensor, *outer))
      return;
    const std::optional<StridedView> part = composed(inner->part, outer->part);
    if (!part || part->shape != specOf(inner->written).shape)
      return;
    mlir::OpBuilder builder(call);
    if (CallOp both = makeStridedScatter(context_, builder, call.getLoc(), call.getNode().str(),
                                         outer->tensor, inner->written, *part))
      replaceBy(call, both.getResult(0),
                fmt::format("writes what {} does", inner->call.getNode().str()));
  }

private:
  std::optional<Write> findWrite(mlir::Value value) {
    auto call = value ? value.getDefiningOp<CallOp>() : CallOp();
    const PluginChoice *choice = call ? context_.findStandard(call) : nullptr;
    if (!choice || call.getNumResults() != 1 || !choice->plugin->traits()->moves)
      return std::nullopt;
    const Result<Moves> moves = choice->plugin->traits()->moves(choice->node);
    if (!moves.isOk() || moves->list.size() != 2)
      return std::nullopt;
    const Move &whole = moves->list[0], &part = moves->list[1];
    const auto operand = [&](const Move &move) {
      return findOperand(call, choice->node.inputNames[move.input]);
    };
    Write write{call, operand(whole), operand(part), part.to};
    const TensorSpec result = specOf(value);
    const bool isWrite =
        write.tensor && write.written && write.tensor.getType() == value.getType() &&
        isSame(whole.to, wholeView(result)) && isSame(whole.from, wholeView(result)) &&
        isSame(part.from, wholeView(specOf(write.written))) &&
        specOf(write.written).dtype == result.dtype;
    return isWrite ? std::optional(write) : std::nullopt;
  }

  /// True if a value is what is in the place that a write is for.
  bool isPart(mlir::Value value, const Write &write) {
    const std::optional<StridedView> view = viewOf(context_, value);
    return view && value.getDefiningOp<CallOp>().getInputs()[0] == write.tensor &&
           isSame(*view, write.part);
  }

  void simplifyWrite(Write write) {
    if (isPart(write.written, write))
      return replaceBy(write.call, write.tensor, "writes what is there");
    std::optional<Write> before = findWrite(write.tensor);
    if (!before || !isSame(before->part, write.part))
      return;
    const std::string name = before->call.getNode().str();
    if (before->written == write.written)
      return replaceBy(write.call, write.tensor, fmt::format("writes what {} does", name));
    for (mlir::OpOperand &operand : write.call->getOpOperands())
      if (operand.get() == write.tensor)
        operand.set(before->tensor);
    context_.applied(write.call.getNode(), fmt::format("writes over what {} does", name));
  }

  void replaceBy(CallOp call, mlir::Value value, std::string why) {
    context_.applied(call.getNode(), std::move(why));
    call.getResult(0).replaceAllUsesWith(value);
    context_.erase(call);
  }

  PassContext &context_;
};

} // namespace

Status simplifyWrites(PassContext &context) {
  WriteSimplifier simplifier(context);
  const auto forEachCall = [&](void (WriteSimplifier::*function)(CallOp)) {
    for (mlir::Operation &op : llvm::make_early_inc_range(context.model().getBlock()))
      if (auto call = llvm::dyn_cast<CallOp>(op))
        (simplifier.*function)(call);
  };
  forEachCall(&WriteSimplifier::simplify);
  forEachCall(&WriteSimplifier::compose);
  return {};
}

} // namespace inlay::graph
