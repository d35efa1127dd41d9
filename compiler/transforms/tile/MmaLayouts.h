// Tensor-core instructions and the layouts of their operands: a warp's fragments as linear layouts.
//
// An instruction multiplies tiles of m × k and k × n that lie in the registers of one warp in a
// fixed way. A larger dot repeats it: the layouts below put the bits of the fragment first among
// the registers, then the bits that count tiles along K, then along N or M, then along the batch;
// warps move along M, then N, then the batch. Where a tile is smaller than the instruction along M
// or N, bases are zero: rows and columns repeat, and what they compute are copies.
#pragma once

#include "compiler/transforms/tile/Architecture.h"
#include "compiler/transforms/tile/LinearLayout.h"

#include <optional>

namespace inlay::tile {

/// What the multiplier takes; fp8 stands for both e4m3 and e5m2.
enum class MmaType : uint8_t { F16, BF16, TF32, Int8, Float8, F64 };

/// One `mma.sync` and how operands are made for it. Source: PTX ISA, "Matrix multiply-accumulate
/// operation using mma instruction".
struct MmaInstruction {
  MmaType type = MmaType::F16;
  unsigned m = 16, n = 8, k = 16;
  /// fp32 operands are taken as the sum of this many narrower ones.
  unsigned parts = 1;

  /// Elements of an operand in one register of the machine.
  unsigned perWord() const;
  /// Elements of the fragments in one lane.
  unsigned lhsElements() const { return m * k / 32; }
  unsigned rhsElements() const { return k * n / 32; }
  unsigned accElements() const { return m * n / 32; }
};

/// The instruction for a dot on GPUs of a compute capability (80, 90, …); none if no tensor core
/// multiplies as the dot asks, or its K is smaller than the instruction's (nothing may be added up
/// twice): then elements are multiplied one by one.
std::optional<MmaInstruction> chooseMma(DotOp dot, unsigned computeCapability);

/// Warps along the dimensions of a dot's result; powers of two. The rest hold copies.
struct WarpGrid {
  unsigned m = 1, n = 1, batch = 1;
};

/// Shares out warps so that a warp's part is near a square; with `rowsOnly` along M as far as it
/// goes, so that a row is in one warp. `accShape` is of rank 2 or 3.
WarpGrid shareOutWarps(const MmaInstruction &mma, llvm::ArrayRef<int64_t> accShape,
                       unsigned numWarps, bool rowsOnly);

/// Layouts of the operands and of the accumulator, of the rank of the dot.
struct DotLayouts {
  LinearLayout lhs, rhs, acc;
};

/// `k` is the dot's K, at least the instruction's.
DotLayouts createMmaLayouts(const MmaInstruction &mma, llvm::ArrayRef<int64_t> accShape, int64_t k,
                            unsigned numWarps, const WarpGrid &grid);

/// The accumulator of a dot that multiplies elements one by one: small squares in each thread.
LinearLayout createFmaLayout(llvm::ArrayRef<int64_t> accShape, unsigned numWarps);

/// One instruction of a warp's part of a dot: the first registers of its three fragments.
struct MmaStep {
  unsigned lhs, rhs, acc;
  unsigned kTile;
};

/// All instructions of a dot whose tiles have layouts of createMmaLayouts, K outermost, so that
/// neighbours do not wait for each other.
llvm::SmallVector<MmaStep> planMmaSteps(const MmaInstruction &mma, const LinearLayout &lhs,
                                        const LinearLayout &acc);

} // namespace inlay::tile
