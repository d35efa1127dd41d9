// The region of a reduction or scan as a function on scalars or lanes.
#pragma once

#include "compiler/conversions/tile-to-cpu/Elementwise.h"

#include <optional>

namespace inlay::tile_to_cpu {

/// Combines `earlier` and `later` elements, one of each operand, by a region of tile.reduce or
/// tile.scan.
class Combination {
public:
  explicit Combination(mlir::Block &region);

  /// True if the elements may be combined in any order, because each operand is combined by one
  /// commutative operation for itself; then there are neutral elements.
  bool isUnordered() const { return !neutral_.empty(); }
  /// One for each operand, lanes of the operands' value types. Requires isUnordered().
  mlir::SmallVector<mlir::Value> neutral(mlir::OpBuilder &builder, mlir::Location location,
                                         unsigned width) const;

  mlir::SmallVector<mlir::Value> emit(mlir::OpBuilder &builder, mlir::ValueRange earlier,
                                      mlir::ValueRange later, unsigned width) const;
  /// All lanes combined into scalars. Keeps their order unless isUnordered().
  mlir::SmallVector<mlir::Value> emitAcrossLanes(mlir::OpBuilder &builder, mlir::Location location,
                                                 mlir::ValueRange lanes, unsigned width) const;

private:
  mlir::Block &region_;
  mlir::SmallVector<mlir::TypedAttr> neutral_;
};

} // namespace inlay::tile_to_cpu
