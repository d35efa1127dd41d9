// Scans: the operands are copied to the results' buffers, and combined there along the axis, with
// lanes over the last dimension where that is another.
#include "compiler/conversions/tile-to-cpu/Combination.h"
#include "compiler/conversions/tile-to-cpu/ElementLoops.h"
#include "compiler/conversions/tile-to-cpu/ProgramLowering.h"

using namespace mlir;

namespace inlay::tile_to_cpu {

LogicalResult ProgramLowering::lowerScan(tile::ScanOp scan) {
  if (failed(flush()))
    return failure();
  emitted_.insert(scan);
  SmallVector<Root> shared;
  if (failed(addSharedValues(scan.getSources(), shared)))
    return failure();
  SmallVector<Value> buffers;
  for (auto [source, result] : llvm::zip(scan.getSources(), scan.getResults())) {
    buffers.push_back(allocate(result));
    if (!buffers.back())
      return failure();
    shared.push_back({.tile = source, .buffer = buffers.back()});
  }
  emitNest(builder_, scan.getLoc(), values_, shared, options_);
  bindShared(ArrayRef(shared).drop_back(buffers.size()));

  Location location = scan.getLoc();
  auto typeOf = [&](unsigned index) { return cast<RankedTensorType>(scan.getType(index)); };
  SmallVector<int64_t> others(typeOf(0).getShape());
  int64_t axis = scan.getAxis(), size = others[axis], last = others.size() - 1;
  others[axis] = 1;
  unsigned widest = 1;
  for (Type type : scan.getResultTypes())
    widest = std::max(widest, memoryBytesOf(tile::elementTypeOf(type)));
  unsigned width =
      std::min<uint64_t>(2 * options_.vectorBytes / std::max(widest, 2u), others[last]);
  bool hasLanes = axis != last && width > 1;
  Combination combination(scan.getCombine().front());
  Evaluator evaluator(values_, builder_, 1);
  auto i64 = [&](int64_t value) {
    return integerConstant(builder_, location, builder_.getI64Type(), value);
  };
  auto emitAlong = [&](Coordinates coordinates) {
    coordinates[axis] = {Coordinate::Kind::Counter, i64(scan.getReverse() ? size - 1 : 0),
                         evaluator.level()};
    SmallVector<Value> carried;
    for (auto [index, buffer] : llvm::enumerate(buffers))
      carried.push_back(toMemory(builder_, location,
                                 evaluator.loadFromBuffer(typeOf(index), buffer, coordinates)));
    auto loop = scf::ForOp::create(builder_, location, i64(1), i64(size), i64(1), carried);
    builder_.setInsertionPointToEnd(loop.getBody());
    scf::YieldOp::create(builder_, location, loop.getRegionIterArgs());
    evaluator.enterLoop(loop, loop.getBody());
    builder_.setInsertionPoint(loop.getBody()->getTerminator());
    Value position = loop.getInductionVar();
    if (scan.getReverse())
      position = arith::SubIOp::create(builder_, location, i64(size - 1), position);
    coordinates[axis] = {Coordinate::Kind::Counter, position, evaluator.level()};
    SmallVector<Value> earlier, later;
    for (auto [index, buffer] : llvm::enumerate(buffers)) {
      earlier.push_back(fromMemory(builder_, location, loop.getRegionIterArg(index),
                                   typeOf(index).getElementType()));
      later.push_back(evaluator.loadFromBuffer(typeOf(index), buffer, coordinates));
    }
    SmallVector<Value> combined = combination.emit(builder_, earlier, later, hasLanes ? width : 1),
                       next;
    for (auto [index, buffer] : llvm::enumerate(buffers)) {
      evaluator.storeToBuffer(typeOf(index), combined[index], buffer, coordinates);
      next.push_back(toMemory(builder_, location, combined[index]));
    }
    loop.getBody()->getTerminator()->setOperands(next);
    evaluator.leaveLoop();
  };
  if (size > 1)
    emitElementLoops(builder_, location, evaluator, others, emitAlong, hasLanes ? last : -1, width);
  bind(scan.getResults(), buffers);
  return success();
}

} // namespace inlay::tile_to_cpu
