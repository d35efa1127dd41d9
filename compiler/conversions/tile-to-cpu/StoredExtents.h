// How much of a tile is ever stored.
#pragma once

#include "compiler/conversions/tile-to-cpu/Evaluator.h"

namespace inlay::tile_to_cpu {

/// If the tile's elements reach stores only, each at its own place, whose masks are false for all
/// positions >= extent of the dimension, emits that extent as an i64; else null. What the masks are
/// computed from must be emitted.
mlir::Value emitStoredExtent(mlir::OpBuilder &builder, mlir::Value tile, size_t dimension,
                             ProgramValues &values);

} // namespace inlay::tile_to_cpu
