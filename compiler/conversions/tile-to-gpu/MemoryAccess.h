// Loads and stores of one thread, as predicated PTX accesses of up to 128 bits.
#pragma once

#include "compiler/conversions/tile-to-gpu/ThreadCode.h"
#include "compiler/transforms/tile/AxisInfo.h"

namespace inlay::tile_to_gpu {

/// How the registers of a tile are accessed together.
struct AccessPlan {
  /// Registers of one access: an aligned run of this many, 1 to 16.
  unsigned width = 1;
  /// The address of each run is known to be a multiple of its size; otherwise the code asks.
  bool isAligned = true;
  /// All elements of a run have the same mask; otherwise the code asks.
  bool hasUniformMask = true;
};

/// Plans the accesses of a load or store whose pointers have `layout`. `mask` may be null.
/// A run is as wide as the layout's consecutive registers, the contiguity of the addresses and 16
/// bytes allow; the divisibility of the addresses and the constancy of the mask decide what is
/// proved.
AccessPlan planAccess(tile::AxisAnalysis &axes, mlir::Value pointers, mlir::Value mask,
                      const tile::LinearLayout &layout);

/// What a load or store says beyond pointers, masks and values.
struct AccessTraits {
  mlir::Type elementType;
  tile::CacheModifier cache = tile::CacheModifier::None;
  tile::EvictionPolicy evict = tile::EvictionPolicy::Normal;
  bool isVolatile = false;
};

using Registers = llvm::SmallVector<mlir::Value>;

/// Loads a run of `plan.width` elements: pointers, masks (empty: all true) and others (empty: 0) of
/// the run's elements.
Registers emitLoad(mlir::OpBuilder &builder, mlir::Location location, const AccessPlan &plan,
                   const AccessTraits &traits, mlir::ValueRange pointers, mlir::ValueRange masks,
                   mlir::ValueRange others);
/// Stores a run; `owner` (may be null) is a condition for all of it.
void emitStore(mlir::OpBuilder &builder, mlir::Location location, const AccessPlan &plan,
               const AccessTraits &traits, mlir::ValueRange pointers, mlir::ValueRange values,
               mlir::ValueRange masks, mlir::Value owner);

} // namespace inlay::tile_to_gpu
