// Loops over the elements of a tile, one after the other, for what is done one by one.
#pragma once

#include "compiler/conversions/tile-to-cpu/Evaluator.h"

namespace inlay::tile_to_cpu {

/// Emits loops over `sizes`, the first outermost, at the builder's position; `body` is called in
/// the innermost with the builder there and the evaluator at one lane. Dimension `lanesAlong` (none
/// if negative) goes in steps of `width` lanes.
void emitElementLoops(mlir::OpBuilder &builder, mlir::Location location, Evaluator &evaluator,
                      llvm::ArrayRef<int64_t> sizes,
                      llvm::function_ref<void(const Coordinates &)> body, int64_t lanesAlong = -1,
                      unsigned width = 1);

} // namespace inlay::tile_to_cpu
