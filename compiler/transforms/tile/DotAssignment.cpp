#include "compiler/transforms/tile/DotAssignment.h"

#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace inlay::tile {

namespace {

/// Ops whose results have the elements of their operands in the same places.
bool keepsPlaces(Operation *op) {
  StringRef dialect = op->getName().getDialectNamespace();
  return op->getNumRegions() == 0 &&
         (dialect == "arith" || dialect == "math" || isa<AddPtrOp, InlineAsmOp>(op));
}

bool haveOneShape(Type a, Type b) {
  auto x = dyn_cast<RankedTensorType>(a), y = dyn_cast<RankedTensorType>(b);
  return x && y && x.getShape() == y.getShape();
}

/// The dots that a left operand is computed from, within its block and blocks around it; what is
/// carried by a loop counts as computed before.
llvm::SetVector<Operation *> dotsBefore(Value operand) {
  llvm::SetVector<Operation *> seen, dots;
  SmallVector<Value> pending = {operand};
  while (!pending.empty()) {
    Operation *op = pending.pop_back_val().getDefiningOp();
    if (!op || !seen.insert(op))
      continue;
    if (isa<DotOp>(op))
      dots.insert(op);
    else if (op->getNumRegions() == 0 && !isa<LoadOp>(op))
      for (Value input : op->getOperands())
        if (isa<RankedTensorType>(input.getType()))
          pending.push_back(input);
  }
  return dots;
}

} // namespace

DotAssignment::DotAssignment(func::FuncOp kernel, unsigned numWarps) {
  SmallVector<DotOp> dots;
  llvm::SetVector<Operation *> chained;
  kernel.walk([&](DotOp dot) {
    dots.push_back(dot);
    for (Operation *before : dotsBefore(dot.getLhs())) {
      chained.insert(before);
      chained.insert(dot);
    }
  });
  const unsigned capability = computeCapabilityOf(kernel->getParentOfType<ModuleOp>());
  for (DotOp dot : dots) {
    ArrayRef<int64_t> shape = cast<RankedTensorType>(dot.getAcc().getType()).getShape();
    const int64_t k = cast<RankedTensorType>(dot.getLhs().getType()).getShape().back();
    Layouts layouts;
    if (std::optional<MmaInstruction> mma = chooseMma(dot, capability)) {
      const WarpGrid grid = shareOutWarps(*mma, shape, numWarps, chained.contains(dot));
      DotLayouts operands = createMmaLayouts(*mma, shape, k, numWarps, grid);
      layouts = {operands.lhs, operands.rhs, operands.acc};
    } else {
      layouts.acc = createFmaLayout(shape, numWarps);
    }
    dots_.insert({dot, layouts});
    mark(dot.getResult(), layouts.acc);
  }
  for (size_t i = 0; i < pending_.size(); ++i)
    propagate(pending_[i]);
}

std::optional<LinearLayout> DotAssignment::find(Value tile) const {
  auto found = layouts_.find(tile);
  return found == layouts_.end() ? std::nullopt : std::optional(found->second);
}

void DotAssignment::mark(Value tile, const LinearLayout &layout) {
  if (isa<RankedTensorType>(tile.getType()) && layouts_.try_emplace(tile, layout).second)
    pending_.push_back(tile);
}

void DotAssignment::propagate(Value tile) {
  const LinearLayout layout = layouts_.find(tile)->second;
  for (OpOperand &use : tile.getUses()) {
    Operation *user = use.getOwner();
    const unsigned number = use.getOperandNumber();
    llvm::TypeSwitch<Operation *>(user)
        .Case([&](ReduceOp reduce) {
          for (Value result : reduce.getResults())
            mark(result, layout.withoutDimension(reduce.getAxis()));
        })
        .Case([&](scf::YieldOp yield) {
          Operation *parent = yield->getParentOp();
          if (auto loop = dyn_cast<scf::ForOp>(parent))
            mark(loop.getRegionIterArg(number), layout);
          if (auto loop = dyn_cast<scf::WhileOp>(parent))
            mark(loop.getBeforeArguments()[number], layout);
          else
            mark(parent->getResult(number), layout);
        })
        .Case([&](scf::ConditionOp condition) {
          auto loop = cast<scf::WhileOp>(condition->getParentOp());
          mark(loop.getAfterArguments()[number - 1], layout);
          mark(loop.getResult(number - 1), layout);
        })
        .Case([&](scf::ForOp loop) {
          const unsigned first = loop.getNumControlOperands();
          mark(loop.getRegionIterArg(number - first), layout);
          mark(loop.getResult(number - first), layout);
        })
        .Case([&](scf::WhileOp loop) { mark(loop.getBeforeArguments()[number], layout); })
        .Default([&](Operation *other) {
          if (keepsPlaces(other))
            for (Value result : other->getResults())
              if (haveOneShape(result.getType(), tile.getType()))
                mark(result, layout);
        });
  }
}

} // namespace inlay::tile
