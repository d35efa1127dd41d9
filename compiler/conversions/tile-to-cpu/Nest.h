// One loop nest over the elements of a tile for a group of stores.
#pragma once

#include "compiler/conversions/tile-to-cpu/Evaluator.h"
#include "compiler/conversions/tile-to-cpu/TileToCpu.h"

namespace inlay::tile_to_cpu {

/// What a nest does for every element: a store of the kernel, a tile written to a buffer, or a
/// reduction of the elements along one dimension.
struct Root {
  tile::StoreOp store = {};      ///< or null
  mlir::Value tile = {};         ///< written to `buffer`, or null
  mlir::Value buffer = {};       ///< its address
  tile::ReduceOp reduce = {};    ///< or null
  mlir::ValueRange buffers = {}; ///< addresses of its results; none if they are scalars
  mlir::Type packedType = {};    ///< what the tile's elements become in the buffer, if not null
  /// If not 0, the last dimension is written in panels of so many elements: […, K, N] becomes
  /// […, N / panel, K, panel].
  int64_t panel = 0;
  /// The tile is packed as if its last two dimensions, [..., H, W], were one of H * W.
  bool mergesLast = false;
  /// For each dimension an i64 beyond which nobody reads the tile, or null; none at all if empty.
  llvm::SmallVector<mlir::Value, 3> extents = {};

  /// If not null, a tile of the same type; the buffer has another dimension of size 2 at the end,
  /// for the two.
  mlir::Value interleaved = {};

  mlir::RankedTensorType type() {
    mlir::Value value = store    ? store.getValue()
                        : reduce ? mlir::Value(reduce.getSources()[0])
                                 : tile;
    return mlir::cast<mlir::RankedTensorType>(value.getType());
  }
};

/// Emits the nest at the builder's position. All roots have one shape; they and the loads that feed
/// them are done in program order for every step of the nest. At most one is a reduction; returns
/// its scalar results.
mlir::SmallVector<mlir::Value> emitNest(mlir::OpBuilder &builder, mlir::Location location,
                                        ProgramValues &values, llvm::ArrayRef<Root> roots,
                                        const TileToCpuOptions &options);

} // namespace inlay::tile_to_cpu
