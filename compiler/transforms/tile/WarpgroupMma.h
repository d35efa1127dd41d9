// Products by groups of four warps, whose operands the tensor cores read from shared memory
// (`wgmma`).
//
// The accumulator of one instruction is 64 rows by up to 256 columns: each warp of the group holds
// 16 rows, as `mma.sync` has them. So the layouts are those of MmaLayouts.h with at least four
// warps along M, and a left operand in registers has the same fragments.
#pragma once

#include "compiler/transforms/tile/MmaLayouts.h"

namespace inlay::tile {

/// On a tile.dot whose layouts are those of a WarpgroupMma: unit.
inline constexpr llvm::StringLiteral kWarpgroupAttr = "tile.warpgroup";

inline constexpr unsigned kWarpsPerGroup = 4;
/// Rows and, at most, columns of one instruction.
inline constexpr unsigned kWarpgroupRows = 64, kWarpgroupColumns = 256;

/// How a dot is multiplied by groups of warps. Source: PTX ISA, "wgmma.mma_async".
struct WarpgroupMma {
  /// What one warp has of an instruction: 16 rows, and 8 of its columns.
  MmaInstruction fragment;
  WarpGrid grid;
};

/// How groups of warps multiply a dot; none if they cannot, or would partly repeat each other's
/// work. `hasContiguousK`: both operands lie in memory with K's elements as neighbours, which types
/// other than of 16 bits need.
std::optional<WarpgroupMma> chooseWarpgroupMma(DotOp dot, unsigned computeCapability,
                                               unsigned numWarps, bool hasContiguousK);

/// The grid of at least four warps along M, and groups along M before N; none if there are more
/// groups than work.
std::optional<WarpGrid> shareOutWarpgroups(llvm::ArrayRef<int64_t> accShape, unsigned numWarps);

/// A tile without the transpositions that it is seen through.
struct TransposedTile {
  mlir::Value tile;
  bool isTransposed = false;
};
TransposedTile stripTranspositions(mlir::Value tile);

/// Whether the left operand of a dot marked kWarpgroupAttr is there in registers as the instruction
/// takes it. Requires that layouts were assigned.
bool hasLhsInRegisters(DotOp dot);

/// One instruction of a group: where its parts begin in the group's share of the dot.
struct WarpgroupStep {
  /// The first row of the left operand, the first column of the right one, and the first of K.
  unsigned row, column, k;
  /// The first register of the left operand's fragments, if it is in registers, and of the
  /// accumulator.
  unsigned lhs, acc;
};

/// All instructions of a dot of layouts that chooseWarpgroupMma's grid makes.
struct WarpgroupPlan {
  /// Columns and registers of the accumulator of one instruction.
  unsigned columns, accRegisters;
  llvm::SmallVector<WarpgroupStep> steps;
  /// For each bit of the group's number (the warp's, divided by four) the row and the column by
  /// which it moves.
  llvm::SmallVector<std::pair<unsigned, unsigned>> groups;
};
WarpgroupPlan planWarpgroupDot(const MmaInstruction &fragment, const LinearLayout &acc, int64_t k);

} // namespace inlay::tile
