// Where the dots of a kernel want their tiles, and what computed from their results may stay there.
#pragma once

#include "compiler/transforms/tile/AxisInfo.h"
#include "compiler/transforms/tile/WarpgroupMma.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/MapVector.h"

namespace inlay::tile {

/// Layouts for all dots of one kernel, chosen before any op is rewritten.
///
/// A dot on tensor cores wants its three operands as createMmaLayouts says; one that multiplies
/// elements one by one only cares for its accumulator, and one by groups of warps takes operands
/// from shared memory, whatever layout they are in, unless the left one is computed from another
/// dot's result: then it stays in registers. Dots in a chain, where the left operand of
/// one is computed from the result of another, keep each row in one warp: then the result is the
/// next operand without moving, and reductions along rows need no shared memory.
class DotAssignment {
public:
  DotAssignment(mlir::func::FuncOp kernel, unsigned numWarps);

  struct Layouts {
    std::optional<LinearLayout> lhs, rhs;
    LinearLayout acc;
    /// The accumulator is that of a WarpgroupMma.
    bool isWarpgroup = false;
  };
  const Layouts &of(DotOp dot) const { return dots_.find(dot)->second; }

  /// The layout of a tile that is computed element by element, or by a reduction, from the result
  /// of a dot, also around a loop; none for others.
  std::optional<LinearLayout> find(mlir::Value tile) const;

private:
  Layouts createLayouts(DotOp dot, bool isChained, bool isLhsComputed);
  /// Whether a dot's operands are loaded from memory where K's elements are neighbours.
  bool hasContiguousK(DotOp dot, bool isLhsComputed);
  void mark(mlir::Value tile, const LinearLayout &layout);
  void propagate(mlir::Value tile);

  unsigned numWarps_, computeCapability_;
  bool hasWarpgroupMma_;
  AxisAnalysis axes_;
  llvm::MapVector<mlir::Operation *, Layouts> dots_;
  llvm::DenseMap<mlir::Value, LinearLayout> layouts_;
  llvm::SmallVector<mlir::Value> pending_;
};

} // namespace inlay::tile
