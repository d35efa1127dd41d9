// Where the dots of a kernel want their tiles, and what computed from their results may stay there.
#pragma once

#include "compiler/transforms/tile/MmaLayouts.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/MapVector.h"

namespace inlay::tile {

/// Layouts for all dots of one kernel, chosen before any op is rewritten.
///
/// A dot on tensor cores wants its three operands as createMmaLayouts says; one that multiplies
/// elements one by one only cares for its accumulator. Dots in a chain, where the left operand of
/// one is computed from the result of another, keep each row in one warp: then the result is the
/// next operand without moving, and reductions along rows need no shared memory.
class DotAssignment {
public:
  DotAssignment(mlir::func::FuncOp kernel, unsigned numWarps);

  struct Layouts {
    std::optional<LinearLayout> lhs, rhs;
    LinearLayout acc;
  };
  const Layouts &of(DotOp dot) const { return dots_.find(dot)->second; }

  /// The layout of a tile that is computed element by element, or by a reduction, from the result
  /// of a dot, also around a loop; none for others.
  std::optional<LinearLayout> find(mlir::Value tile) const;

private:
  void mark(mlir::Value tile, const LinearLayout &layout);
  void propagate(mlir::Value tile);

  llvm::MapVector<mlir::Operation *, Layouts> dots_;
  llvm::DenseMap<mlir::Value, LinearLayout> layouts_;
  llvm::SmallVector<mlir::Value> pending_;
};

} // namespace inlay::tile
