// What is known of a tile's integers and addresses along each dimension: the base of coalescing and
// vector accesses.
#pragma once

#include "compiler/dialects/tile/Tile.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SmallVector.h"

#include <optional>

namespace inlay::tile {

/// Facts along each dimension of a tile (one entry for a scalar); all are powers of two.
struct AxisInfo {
  /// Aligned groups of this many neighbours count up by one (addresses: by one element).
  llvm::SmallVector<int64_t, 2> contiguity;
  /// The first value of each such group is a multiple of this (addresses: in bytes).
  llvm::SmallVector<int64_t, 2> divisibility;
  /// Aligned groups of this many neighbours are equal.
  llvm::SmallVector<int64_t, 2> constancy;
  /// The value that all elements equal.
  std::optional<int64_t> constant;
  /// No element is negative as a signed number. Sums and products of 32 bits and more are taken not
  /// to wrap around, and divisors to be positive: an index that is otherwise addresses nothing.
  bool isNonNegative = false;

  static AxisInfo unknown(unsigned rank);
  /// What holds of either.
  AxisInfo meet(const AxisInfo &other) const;
  bool operator==(const AxisInfo &other) const = default;
};

/// Computes AxisInfo on demand. Sources: the rules of Triton's AxisInfo analysis; the user's hints
/// (tile.divisibility, tile.contiguity, tile.constancy) override them. Of what an scf.for carries
/// holds what holds of the first value and is kept by each iteration; what scf.while carries is
/// unknown.
class AxisAnalysis {
public:
  const AxisInfo &get(mlir::Value value);

private:
  AxisInfo compute(mlir::Value value);
  AxisInfo ofBlockArgument(mlir::BlockArgument argument);
  AxisInfo ofCarried(mlir::scf::ForOp loop, unsigned number);
  AxisInfo ofOperation(mlir::Operation *op);
  bool isNonNegative(mlir::Operation *op);

  llvm::DenseMap<mlir::Value, AxisInfo> known_;
};

} // namespace inlay::tile
