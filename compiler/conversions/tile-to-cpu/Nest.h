// One loop nest over the elements of a tile for a group of stores.
#pragma once

#include "compiler/conversions/tile-to-cpu/Evaluator.h"
#include "compiler/conversions/tile-to-cpu/TileToCpu.h"

namespace inlay::tile_to_cpu {

/// What a nest does for every element: a store of the kernel, or a tile written to a buffer.
struct Root {
  tile::StoreOp store; ///< or null
  mlir::Value tile;    ///< written to `buffer`
  mlir::Value buffer;  ///< its address
  mlir::RankedTensorType type() {
    return mlir::cast<mlir::RankedTensorType>(store ? store.getValue().getType() : tile.getType());
  }
};

/// Emits the nest at the builder's position. All roots have one shape; they and the loads that feed
/// them are done in program order for every step of the nest.
void emitNest(mlir::OpBuilder &builder, mlir::Location location, ProgramValues &values,
              llvm::ArrayRef<Root> roots, const TileToCpuOptions &options);

} // namespace inlay::tile_to_cpu
