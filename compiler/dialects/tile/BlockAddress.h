// Addresses of the elements of a block of a tensor in memory.
#pragma once

#include "compiler/dialects/tile/Tile.h"

namespace inlay::tile {

/// Where the elements of a block are, and which of them exist: both of the block's shape.
struct BlockAddresses {
  mlir::Value pointers;
  mlir::Value mask; // null if no dimension is checked
};

/// Makes the addresses of a block of `shape` at `offsets` (i32) in a tensor of `sizes` and
/// `strides` (i64, in elements) that begins at `base`. `checked` are the dimensions in which the
/// block may reach outside of the tensor. What depends on the offsets is scalar, so that the rest
/// stays the same when the block moves.
BlockAddresses createBlockAddresses(mlir::OpBuilder &builder, mlir::Location location,
                                    mlir::Value base, mlir::ValueRange sizes,
                                    mlir::ValueRange strides, mlir::ValueRange offsets,
                                    llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<int64_t> checked);

} // namespace inlay::tile
