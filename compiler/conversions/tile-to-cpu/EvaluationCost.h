// What it costs to evaluate one element of a tile that is in no buffer.
#pragma once

#include "compiler/conversions/tile-to-cpu/Evaluator.h"

namespace inlay::tile_to_cpu {

/// About the number of simple instructions for one element; each op that is needed counts once.
/// Index arithmetic and elements in buffers cost nothing.
unsigned evaluationCost(mlir::Value tile, const ProgramValues &values);

/// Evaluating a tile above this cost a second time costs more than to keep it in a buffer.
inline constexpr unsigned kBufferCost = 4;

/// True if the tile is index arithmetic.
bool isCheap(mlir::Value value);

} // namespace inlay::tile_to_cpu
