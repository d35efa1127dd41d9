// Where the next iteration of a loop reads.
#pragma once

#include "compiler/conversions/tile-to-cpu/Evaluator.h"

namespace inlay::tile_to_cpu {

/// If the innermost loop around the load moves its pointers by the same distance in each iteration,
/// emits that as an i64 in bytes; else null.
mlir::Value emitDistanceToNext(mlir::OpBuilder &builder, tile::LoadOp load, ProgramValues &values);

} // namespace inlay::tile_to_cpu
