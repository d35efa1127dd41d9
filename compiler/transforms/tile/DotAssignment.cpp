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

DotAssignment::DotAssignment(func::FuncOp kernel, unsigned numWarps)
    : numWarps_(numWarps),
      computeCapability_(computeCapabilityOf(kernel->getParentOfType<ModuleOp>())),
      hasWarpgroupMma_(tile::hasWarpgroupMma(kernel->getParentOfType<ModuleOp>())) {
  SmallVector<DotOp> dots;
  llvm::SetVector<Operation *> chained, computed;
  kernel.walk([&](DotOp dot) {
    dots.push_back(dot);
    for (Operation *before : dotsBefore(dot.getLhs())) {
      chained.insert(before);
      chained.insert(dot);
      computed.insert(dot);
    }
  });
  for (DotOp dot : dots) {
    Layouts layouts = createLayouts(dot, chained.contains(dot), computed.contains(dot));
    dots_.insert({dot, layouts});
    mark(dot.getResult(), layouts.acc);
  }
  for (size_t i = 0; i < pending_.size(); ++i)
    propagate(pending_[i]);
}

DotAssignment::Layouts DotAssignment::createLayouts(DotOp dot, bool isChained, bool isLhsComputed) {
  ArrayRef<int64_t> shape = cast<RankedTensorType>(dot.getAcc().getType()).getShape();
  const int64_t k = cast<RankedTensorType>(dot.getLhs().getType()).getShape().back();
  if (hasWarpgroupMma_)
    if (std::optional<WarpgroupMma> mma = chooseWarpgroupMma(dot, computeCapability_, numWarps_,
                                                             hasContiguousK(dot, isLhsComputed))) {
      DotLayouts operands = createMmaLayouts(mma->fragment, shape, k, numWarps_, mma->grid);
      return {isLhsComputed ? std::optional(operands.lhs) : std::nullopt, std::nullopt,
              operands.acc, true};
    }
  if (std::optional<MmaInstruction> mma = chooseMma(dot, computeCapability_)) {
    const WarpGrid grid = shareOutWarps(*mma, shape, numWarps_, isChained);
    DotLayouts operands = createMmaLayouts(*mma, shape, k, numWarps_, grid);
    return {operands.lhs, operands.rhs, operands.acc};
  }
  return {std::nullopt, std::nullopt, createFmaLayout(shape, numWarps_)};
}

bool DotAssignment::hasContiguousK(DotOp dot, bool isLhsComputed) {
  auto isContiguous = [&](Value operand, unsigned kDimension) {
    const TransposedTile source = stripTranspositions(operand);
    const unsigned dimension = source.isTransposed ? 1 - kDimension : kDimension;
    if (source.tile.getDefiningOp<TensorLoadOp>())
      return dimension == 1;
    auto load = source.tile.getDefiningOp<LoadOp>();
    if (!load)
      return false;
    const AxisInfo &info = axes_.get(load.getPtr());
    return info.contiguity[dimension] > info.contiguity[1 - dimension];
  };
  return cast<RankedTensorType>(dot.getLhs().getType()).getRank() == 2 &&
         (isLhsComputed || isContiguous(dot.getLhs(), 1)) && isContiguous(dot.getRhs(), 0);
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
