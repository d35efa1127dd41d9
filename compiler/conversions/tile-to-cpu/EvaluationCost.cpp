#include "compiler/conversions/tile-to-cpu/EvaluationCost.h"

using namespace mlir;

namespace inlay::tile_to_cpu {

namespace {

bool isTile(Value value) { return isa<RankedTensorType>(value.getType()); }

unsigned ownCost(Operation *op) {
  if (isa<tile::ArangeOp, tile::SplatOp, arith::ConstantOp, tile::AddPtrOp, tile::PtrCastOp>(op))
    return 0;
  if (auto reshape = dyn_cast<tile::ReshapeOp>(op)) {
    Coordinates coordinates(cast<RankedTensorType>(reshape.getType()).getRank());
    return sourceCoordinates(op, coordinates) ? 0 : 4;
  }
  if (isShapeOp(op))
    return 0;
  if (isa<arith::DivFOp, arith::DivSIOp, arith::DivUIOp, arith::RemSIOp, arith::RemUIOp,
          math::SqrtOp>(op))
    return 4;
  if (op->getName().getDialectNamespace() == "math" &&
      !isa<math::AbsFOp, math::AbsIOp, math::FmaOp, math::FloorOp, math::CeilOp, math::TruncOp>(op))
    return 12;
  return 1;
}

} // namespace

bool isCheap(Value tile) {
  if (!isTile(tile))
    return true;
  // More ops than this are arithmetic for its own sake, such as random numbers.
  constexpr size_t kMaxOps = 32;
  DenseSet<Operation *> seen;
  SmallVector<Value> work{tile};
  while (!work.empty()) {
    Value value = work.pop_back_val();
    Operation *op = value.getDefiningOp();
    if (!isTile(value))
      continue;
    if (!op || !(isShapeOp(op) || isa<arith::ArithDialect>(op->getDialect()) ||
                 isa<tile::ArangeOp, tile::SplatOp, tile::AddPtrOp, tile::PtrCastOp>(op)))
      return false;
    Type element = tile::elementTypeOf(value.getType());
    if (isa<FloatType>(element) && !isa<arith::ConstantOp, tile::SplatOp>(op) && !isShapeOp(op))
      return false;
    if (!seen.insert(op).second)
      continue;
    if (seen.size() > kMaxOps)
      return false;
    work.append(op->operand_begin(), op->operand_end());
  }
  return true;
}

unsigned evaluationCost(Value tile, const ProgramValues &values) {
  unsigned cost = 0;
  DenseSet<Operation *> seen;
  SmallVector<Value> work{tile};
  while (!work.empty()) {
    Value value = work.pop_back_val();
    Operation *op = value.getDefiningOp();
    if (!isTile(value) || !op || values.bufferOf(value) || !seen.insert(op).second)
      continue;
    if (isa<arith::ArithDialect>(op->getDialect()) && isCheap(value))
      continue;
    cost += ownCost(op);
    work.append(op->operand_begin(), op->operand_end());
  }
  return cost;
}

} // namespace inlay::tile_to_cpu
