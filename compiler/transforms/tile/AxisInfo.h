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
  /// to wrap around, and divisors that are known only when run to be positive: an index that is
  /// otherwise addresses nothing.
  bool isNonNegative = false;

  static AxisInfo unknown(unsigned rank);
};

/// Computes AxisInfo on demand. Sources: the rules of Triton's AxisInfo analysis; the user's hints
/// (tile.divisibility, tile.contiguity, tile.constancy) override them. What loops carry begins as
/// what they begin with and loses what the loop's body does not keep, until nothing changes.
class AxisAnalysis {
public:
  const AxisInfo &get(mlir::Value value);

private:
  AxisInfo compute(mlir::Value value);
  AxisInfo ofBlockArgument(mlir::BlockArgument argument);
  /// Facts that hold for all results of a loop or branch with this number.
  AxisInfo ofRegionResult(mlir::Operation *op, unsigned number);
  /// Finds the facts of all values that a loop's first block takes, which begin as `initial` and go
  /// on as `next`, operands of a terminator inside.
  void solveLoop(mlir::Operation *loop, mlir::Block &first, mlir::ValueRange arguments,
                 mlir::ValueRange initial, mlir::ValueRange next);
  AxisInfo ofOperation(mlir::Operation *op);
  bool isNonNegative(mlir::Operation *op);

  llvm::DenseMap<mlir::Value, AxisInfo> known_;
};

} // namespace inlay::tile
