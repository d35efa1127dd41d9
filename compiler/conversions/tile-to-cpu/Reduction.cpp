// Reductions.
#include "compiler/conversions/tile-to-cpu/ProgramLowering.h"

using namespace mlir;

namespace inlay::tile_to_cpu {

namespace {

bool isTile(Value value) { return isa<RankedTensorType>(value.getType()); }

} // namespace

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
  roots.push_back({.reduce = reduce, .buffers = buffers});
  SmallVector<Value> scalars = emitNest(builder_, reduce.getLoc(), values_, roots, options_);
  bindShared(roots);
  bind(reduce.getResults(), buffers.empty() ? scalars : buffers);
  return success();
}

} // namespace inlay::tile_to_cpu
