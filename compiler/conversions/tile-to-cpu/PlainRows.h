// Tiles whose elements can be read in memory where they are.
#pragma once

#include "compiler/conversions/tile-to-cpu/Evaluator.h"

namespace inlay::tile_to_cpu {

/// A matrix in memory: rows of elements that follow each other, `pitch` bytes apart.
struct PlainRows {
  mlir::Value arePlain; ///< i1: whether all elements asked for are there, none masked
  mlir::Value address, pitch;
};

/// If a load of a matrix reads rows at one distance, and its mask can be checked as a whole, emits
/// where they are; `numRows` of them, an i64, are asked for.
std::optional<PlainRows> emitPlainRows(mlir::OpBuilder &builder, tile::LoadOp load,
                                       mlir::Value numRows, ProgramValues &values);

} // namespace inlay::tile_to_cpu
