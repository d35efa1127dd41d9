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

bool isCheap(Value value) {
  if (!isTile(value))
    return true;
  Operation *op = value.getDefiningOp();
  if (!op)
    return false;
  if (isa<tile::ArangeOp, tile::SplatOp, arith::ConstantOp>(op))
    return true;
  bool cheap =
      isShapeOp(op) ||
      isa<tile::AddPtrOp, tile::PtrCastOp, arith::AddIOp, arith::SubIOp, arith::MulIOp,
          arith::CmpIOp, arith::AndIOp, arith::OrIOp, arith::XOrIOp, arith::ExtSIOp, arith::ExtUIOp,
          arith::TruncIOp, arith::ShLIOp, arith::ShRSIOp, arith::ShRUIOp>(op);
  return cheap && llvm::all_of(op->getOperands(), isCheap);
}

unsigned evaluationCost(Value tile, const ProgramValues &values) {
  unsigned cost = 0;
  DenseSet<Operation *> seen;
  SmallVector<Value> work{tile};
  while (!work.empty()) {
    Value value = work.pop_back_val();
    Operation *op = value.getDefiningOp();
    if (!isTile(value) || !op || values.bufferOf(value) || !seen.insert(op).second ||
        isCheap(value))
      continue;
    cost += ownCost(op);
    work.append(op->operand_begin(), op->operand_end());
  }
  return cost;
}

} // namespace inlay::tile_to_cpu
