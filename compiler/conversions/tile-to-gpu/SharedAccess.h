// Tiles between registers and shared memory: vector accesses, `ldmatrix`, and asynchronous copies
// from global memory.
#pragma once

#include "compiler/conversions/tile-to-gpu/MemoryAccess.h"
#include "compiler/conversions/tile-to-gpu/SharedTile.h"

#include <optional>

namespace inlay::tile_to_gpu {

/// How a tile of fragments is read by `ldmatrix`: four (or two, or one) matrices of 8 rows of 16
/// bytes at once, one 32-bit word of each lane's registers from each.
/// Source: PTX ISA, "Warp-level matrix load instruction: ldmatrix".
struct MatrixLoadPlan {
  bool isTransposed = false;
  /// Registers in a word of 32 bits, and words that one instruction loads.
  unsigned wordElements = 2, numMatrices = 4;
  /// Which element each lane gives the address of: lanes as `ldmatrix` counts rows, registers
  /// count instructions.
  tile::LinearLayout addresses;
};

/// A plan if the layout's lanes are those of fragments and every row is 16 neighbouring bytes.
std::optional<MatrixLoadPlan> planMatrixLoads(const SharedTile &place,
                                              const tile::LinearLayout &layout);

/// Accesses to one tile in shared memory, in one thread. `base` is an address of space 3.
class SharedAccess {
public:
  SharedAccess(mlir::OpBuilder &builder, mlir::Location location, const SharedTile &place,
               mlir::Value base)
      : builder_(builder), location_(location), place_(place), base_(base) {}

  /// Stores a tile's registers; elements that several registers hold once.
  void store(const tile::LinearLayout &layout, mlir::ValueRange registers);
  /// Loads a tile's registers, with `ldmatrix` where it fits.
  Registers load(const tile::LinearLayout &layout, mlir::Type elementType);
  /// Begins copies of runs of `width` elements from global memory; zeros where a mask (empty: none)
  /// is false.
  void copyAsync(const tile::LinearLayout &layout, mlir::ValueRange pointers,
                 mlir::ValueRange masks, unsigned width);

private:
  class Addresses;
  unsigned runLength(const tile::LinearLayout &layout) const;
  Registers loadMatrices(const MatrixLoadPlan &plan, const tile::LinearLayout &layout,
                         mlir::Type elementType);

  mlir::OpBuilder &builder_;
  mlir::Location location_;
  SharedTile place_;
  mlir::Value base_;
};

} // namespace inlay::tile_to_gpu
