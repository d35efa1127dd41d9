// Loops and branches: tiles that a region takes or gives become as many scalars as they have
// registers.
#include "compiler/conversions/tile-to-gpu/KernelLowering.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace inlay::tile_to_gpu {

SmallVector<Type> KernelLowering::flattenTypes(TypeRange types) {
  SmallVector<Type> flat;
  for (Type type : types) {
    unsigned count = 1;
    if (auto tensor = dyn_cast<RankedTensorType>(type))
      count = tile::layoutOf(tensor).numRegisters();
    flat.append(count, valueTypeOf(tile::elementTypeOf(type)));
  }
  return flat;
}

Registers KernelLowering::flatten(ValueRange values) {
  Registers flat;
  for (Value value : values)
    flat.append(get(value));
  return flat;
}

void KernelLowering::bind(ValueRange values, ValueRange emitted) {
  for (Value value : values) {
    const size_t count = flattenTypes(value.getType()).size();
    registers_[value] = Registers(emitted.take_front(count));
    emitted = emitted.drop_front(count);
  }
}

LogicalResult KernelLowering::lowerInto(Block &from, Block &to) {
  OpBuilder::InsertionGuard guard(builder_);
  if (to.mightHaveTerminator())
    to.getTerminator()->erase();
  builder_.setInsertionPointToEnd(&to);
  return lowerBlock(from);
}

LogicalResult KernelLowering::lowerFor(scf::ForOp op) {
  auto loop = scf::ForOp::create(builder_, op.getLoc(), get(op.getLowerBound()).front(),
                                 get(op.getUpperBound()).front(), get(op.getStep()).front(),
                                 flatten(op.getInitArgs()), nullptr, op.getUnsignedCmp());
  registers_[op.getInductionVar()] = {loop.getInductionVar()};
  bind(op.getRegionIterArgs(), loop.getRegionIterArgs());
  const SharedMemory::LoopEntry entry = memory_.enterLoop();
  if (failed(lowerInto(*op.getBody(), *loop.getBody())))
    return failure();
  memory_.leaveLoop(entry);
  bind(op.getResults(), loop.getResults());
  return success();
}

LogicalResult KernelLowering::lowerWhile(scf::WhileOp op) {
  auto loop = scf::WhileOp::create(builder_, op.getLoc(), flattenTypes(op.getResultTypes()),
                                   flatten(op.getInits()));
  const SharedMemory::LoopEntry entry = memory_.enterLoop();
  std::optional<SharedMemory::State> atExit; // the loop is left at the end of its first region
  for (auto [from, to] : llvm::zip(op->getRegions(), loop->getRegions())) {
    OpBuilder::InsertionGuard guard(builder_);
    SmallVector<Type> types = flattenTypes(from.getArgumentTypes());
    Block *block =
        builder_.createBlock(&to, {}, types, SmallVector<Location>(types.size(), op.getLoc()));
    bind(from.getArguments(), block->getArguments());
    if (failed(lowerBlock(from.front())))
      return failure();
    if (!atExit)
      atExit = memory_.state();
  }
  memory_.setState(*atExit);
  memory_.leaveLoop(entry);
  bind(op.getResults(), loop.getResults());
  return success();
}

LogicalResult KernelLowering::lowerIf(scf::IfOp op) {
  auto branch = scf::IfOp::create(
      builder_, op.getLoc(), flattenTypes(op.getResultTypes()), get(op.getCondition()).front(),
      /*addThenBlock=*/true, /*addElseBlock=*/!op.getElseRegion().empty());
  const SharedMemory::State before = memory_.state();
  if (failed(lowerInto(op.getThenRegion().front(), branch.getThenRegion().front())))
    return failure();
  const SharedMemory::State afterThen = memory_.state();
  memory_.setState(before);
  if (!op.getElseRegion().empty() &&
      failed(lowerInto(op.getElseRegion().front(), branch.getElseRegion().front())))
    return failure();
  memory_.merge(afterThen);
  bind(op.getResults(), branch.getResults());
  return success();
}

LogicalResult KernelLowering::lowerTerminator(Operation *op) {
  Registers operands = flatten(op->getOperands());
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case([&](scf::YieldOp) {
        scf::YieldOp::create(builder_, op->getLoc(), operands);
        return success();
      })
      .Case([&](scf::ConditionOp) {
        scf::ConditionOp::create(builder_, op->getLoc(), operands.front(),
                                 ArrayRef(operands).drop_front());
        return success();
      })
      .Case([&](func::ReturnOp) {
        releaseMaps(op->getLoc());
        func::ReturnOp::create(builder_, op->getLoc(), operands);
        return success();
      });
}

} // namespace inlay::tile_to_gpu
