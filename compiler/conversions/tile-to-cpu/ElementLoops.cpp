#include "compiler/conversions/tile-to-cpu/ElementLoops.h"

using namespace mlir;

namespace inlay::tile_to_cpu {

namespace {

void emitFrom(OpBuilder &builder, Location location, Evaluator &evaluator, ArrayRef<int64_t> sizes,
              llvm::function_ref<void(const Coordinates &)> body, int64_t lanesAlong,
              unsigned width, Coordinates &coordinates, size_t dimension) {
  if (dimension == sizes.size()) {
    body(coordinates);
    return;
  }
  auto rest = [&] {
    emitFrom(builder, location, evaluator, sizes, body, lanesAlong, width, coordinates,
             dimension + 1);
  };
  if (sizes[dimension] == 1) {
    rest();
    return;
  }
  bool hasLanes = static_cast<int64_t>(dimension) == lanesAlong;
  Type i64 = builder.getI64Type();
  auto loop = scf::ForOp::create(builder, location, integerConstant(builder, location, i64, 0),
                                 integerConstant(builder, location, i64, sizes[dimension]),
                                 integerConstant(builder, location, i64, hasLanes ? width : 1));
  evaluator.enterLoop(loop, loop.getBody());
  builder.setInsertionPoint(loop.getBody()->getTerminator());
  coordinates[dimension] = {hasLanes ? Coordinate::Kind::Lanes : Coordinate::Kind::Counter,
                            loop.getInductionVar(), evaluator.level()};
  rest();
  coordinates[dimension] = {};
  evaluator.leaveLoop();
}

} // namespace

void emitElementLoops(OpBuilder &builder, Location location, Evaluator &evaluator,
                      ArrayRef<int64_t> sizes, llvm::function_ref<void(const Coordinates &)> body,
                      int64_t lanesAlong, unsigned width) {
  Coordinates coordinates(sizes.size());
  evaluator.setWidth(lanesAlong < 0 ? 1 : width);
  emitFrom(builder, location, evaluator, sizes, body, lanesAlong, width, coordinates, 0);
}

} // namespace inlay::tile_to_cpu
