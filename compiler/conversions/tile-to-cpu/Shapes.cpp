// Ops that move elements to other places: what cannot be a map of coordinates goes through buffers.
#include "compiler/conversions/tile-to-cpu/EvaluationCost.h"
#include "compiler/conversions/tile-to-cpu/ProgramLowering.h"

using namespace mlir;

namespace inlay::tile_to_cpu {

LogicalResult ProgramLowering::lowerReshape(tile::ReshapeOp reshape) {
  Value source = reshape.getSource();
  // Only a reshape that mixes dimensions makes its operand dear to evaluate.
  Coordinates coordinates(cast<RankedTensorType>(reshape.getType()).getRank(),
                          {Coordinate::Kind::Counter, {}, 0});
  if (!values_.bufferOf(source)) {
    if (sourceCoordinates(reshape, coordinates) || evaluationCost(source, values_) <= kBufferCost)
      return success();
    if (failed(flush()) || failed(keep(source)))
      return failure();
  }
  // The same memory under another shape.
  Value address = values_.bufferOf(source);
  bindTile(reshape.getResult(), address, depths_.lookup(source));
  return success();
}

LogicalResult ProgramLowering::lowerJoin(tile::JoinOp join) {
  if (failed(flush()))
    return failure();
  emitted_.insert(join);
  SmallVector<Root> roots;
  if (failed(addSharedValues(join.getOperands(), roots)))
    return failure();
  Value buffer = allocate(join.getResult());
  if (!buffer)
    return failure();
  size_t numShared = roots.size();
  roots.push_back({.tile = join.getLhs(), .buffer = buffer, .interleaved = join.getRhs()});
  emitNest(builder_, join.getLoc(), values_, roots, options_);
  bindShared(ArrayRef(roots).take_front(numShared));
  bindTile(join.getResult(), buffer, scopes_.size());
  return success();
}

LogicalResult ProgramLowering::lowerSplit(tile::SplitOp split) {
  // Two elements side by side are evaluated at once by nobody.
  if (values_.bufferOf(split.getSource()) ||
      evaluationCost(split.getSource(), values_) <= kBufferCost)
    return success();
  return failure(failed(flush()) || failed(keep(split.getSource())));
}

LogicalResult ProgramLowering::lowerGather(tile::GatherOp gather) {
  return failure(failed(flush()) || failed(keep(gather.getSource())));
}

} // namespace inlay::tile_to_cpu
