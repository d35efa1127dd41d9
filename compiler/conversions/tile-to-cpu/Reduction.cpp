// Reductions, and what is worth keeping of the tiles they evaluate.
#include "compiler/conversions/tile-to-cpu/EvaluationCost.h"
#include "compiler/conversions/tile-to-cpu/ProgramLowering.h"

using namespace mlir;

namespace inlay::tile_to_cpu {

namespace {

bool isTile(Value value) { return isa<RankedTensorType>(value.getType()); }

} // namespace

LogicalResult ProgramLowering::addSharedValues(ValueRange operands, SmallVector<Root> &roots) {
  DenseMap<Value, bool> known;
  DenseSet<Value> seen;
  // Values and whether the nest has their elements at hand.
  SmallVector<std::pair<Value, bool>> work;
  for (Value operand : operands)
    work.push_back({operand, true});
  SmallVector<Value> shared, apart;
  while (!work.empty()) {
    auto [value, isAtHand] = work.pop_back_val();
    Operation *op = value.getDefiningOp();
    if (!isTile(value) || !op || values_.bufferOf(value) || !seen.insert(value).second ||
        isCheap(value))
      continue;
    if (!isa<tile::LoadOp>(op) && !isShapeOp(op) && isNeededLater(value, known) &&
        evaluationCost(value, values_) > kBufferCost) {
      (isAtHand ? shared : apart).push_back(value);
      // What is apart is kept with its own shared values.
      if (!isAtHand)
        continue;
    }
    for (Value operand : op->getOperands())
      work.push_back({operand, isAtHand && isElementwise(op)});
  }
  for (Value value : llvm::reverse(apart))
    if (failed(keep(value)))
      return failure();
  for (Value value : llvm::reverse(shared)) {
    if (values_.bufferOf(value))
      continue;
    Value buffer = allocate(value);
    if (!buffer)
      return failure();
    roots.push_back({{}, value, buffer, {}});
  }
  return success();
}

void ProgramLowering::bindShared(ArrayRef<Root> roots) {
  for (const Root &root : roots)
    if (root.tile)
      values_.setBuffer(root.tile, root.buffer);
}

LogicalResult ProgramLowering::lowerReduce(tile::ReduceOp reduce) {
  if (failed(flush()))
    return failure();
  emitted_.insert(reduce);
  SmallVector<Root> roots;
  if (failed(addSharedValues(reduce.getSources(), roots)))
    return failure();
  SmallVector<Value> buffers;
  for (Value result : reduce.getResults())
    if (isTile(result)) {
      buffers.push_back(allocate(result));
      if (!buffers.back())
        return failure();
    }
  roots.push_back({{}, {}, {}, reduce, buffers});
  SmallVector<Value> scalars = emitNest(builder_, reduce.getLoc(), values_, roots, options_);
  bindShared(roots);
  bind(reduce.getResults(), buffers.empty() ? scalars : buffers);
  return success();
}

} // namespace inlay::tile_to_cpu
