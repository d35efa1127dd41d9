#include "compiler/transforms/tile/WarpgroupMma.h"

#include "llvm/Support/MathExtras.h"

#include <algorithm>

using namespace mlir;

namespace inlay::tile {

namespace {

/// A warp's lanes hold this many columns between them in each two registers.
constexpr unsigned kColumnsPerPair = 8;
/// With more accumulators a thread has no registers left to work with.
constexpr int64_t kMostAccumulators = 128;
/// Both operands stand in shared memory at once.
constexpr int64_t kMostOperandBytes = int64_t{96} * 1024;
/// Tiles whose rows the hardware permutes begin at multiples of this.
constexpr int64_t kTileAlignmentBytes = 1024;
/// A group's columns are at least a row of 128 bytes of 16-bit elements, so that its part begins
/// with a row.
constexpr int64_t kFewestColumnsOfSplit = 64;
constexpr int64_t kFewestColumns = 16;

} // namespace

std::optional<WarpGrid> shareOutWarpgroups(ArrayRef<int64_t> accShape, unsigned numWarps) {
  const int64_t m = accShape[0], n = accShape[1];
  if (numWarps < kWarpsPerGroup || m < kWarpgroupRows)
    return std::nullopt;
  WarpGrid grid{kWarpsPerGroup, 1, 1};
  for (unsigned left = numWarps / kWarpsPerGroup; left > 1; left /= 2) {
    if (int64_t{grid.m} * (kWarpgroupRows / kWarpsPerGroup) < m)
      grid.m *= 2;
    else if (n / grid.n >= 2 * kFewestColumnsOfSplit)
      grid.n *= 2;
    else
      return std::nullopt;
  }
  return grid;
}

std::optional<WarpgroupMma> chooseWarpgroupMma(DotOp dot, unsigned computeCapability,
                                               unsigned numWarps, bool hasContiguousK) {
  auto accType = cast<RankedTensorType>(dot.getAcc().getType()),
       lhsType = cast<RankedTensorType>(dot.getLhs().getType());
  if (accType.getRank() != 2)
    return std::nullopt;
  const int64_t m = accType.getShape()[0], n = accType.getShape()[1], k = lhsType.getShape()[1];
  Type lhs = lhsType.getElementType(), sum = accType.getElementType();
  std::optional<MmaInstruction> mma = chooseMma(dot, computeCapability);
  if (!mma || mma->parts != 1 || mma->type == MmaType::F64 ||
      (mma->type == MmaType::F16 && !lhs.isF16()) || !(sum.isF32() || sum.isInteger(32)))
    return std::nullopt;
  // Sums of fp8 products are cut into pieces by mma.sync.
  if (mma->type == MmaType::Float8 && dot.getMaxNumImprecise() <= k)
    return std::nullopt;
  const int64_t bytes = lhs.getIntOrFloatBitWidth() / 8;
  if ((bytes != 2 && !hasContiguousK) || n < kFewestColumns ||
      (m + n) * k * bytes > kMostOperandBytes || n * k * bytes % kTileAlignmentBytes != 0 ||
      m * n / (int64_t{32} * numWarps) > kMostAccumulators)
    return std::nullopt;
  std::optional<WarpGrid> grid = shareOutWarpgroups(accType.getShape(), numWarps);
  if (!grid)
    return std::nullopt;
  return WarpgroupMma{*mma, *grid};
}

TransposedTile stripTranspositions(Value tile) {
  TransposedTile result{tile};
  while (auto trans = result.tile.getDefiningOp<TransOp>()) {
    if (trans.getOrder() == ArrayRef<int32_t>{1, 0})
      result.isTransposed = !result.isTransposed;
    result.tile = trans.getSource();
  }
  return result;
}

bool hasLhsInRegisters(DotOp dot) {
  // Rows of a fragment are shared out as the accumulator's; layouts of loads are not.
  const LinearLayout lhs = layoutOf(cast<RankedTensorType>(dot.getLhs().getType())),
                     acc = layoutOf(cast<RankedTensorType>(dot.getAcc().getType()));
  auto rowsOf = [](const LinearLayout &layout, PlacePart part) {
    SmallVector<int32_t> rows;
    for (const LinearLayout::Coordinates &basis : layout.bases(part))
      rows.push_back(basis[0]);
    return rows;
  };
  const auto perWord =
      static_cast<int32_t>(32 / elementTypeOf(dot.getLhs().getType()).getIntOrFloatBitWidth());
  return rowsOf(lhs, PlacePart::Lane) == rowsOf(acc, PlacePart::Lane) &&
         rowsOf(lhs, PlacePart::Warp) == rowsOf(acc, PlacePart::Warp) &&
         lhs.bases(PlacePart::Lane)[0] == LinearLayout::Coordinates{0, perWord};
}

WarpgroupPlan planWarpgroupDot(const MmaInstruction &fragment, const LinearLayout &acc, int64_t k) {
  const LinearLayout::Bases &registers = acc.bases(PlacePart::Register),
                            &warps = acc.bases(PlacePart::Warp);
  WarpgroupPlan plan;
  unsigned pairs = 1, rowTiles = 1;
  // The first two bits are those of a fragment.
  for (const LinearLayout::Coordinates &basis : llvm::drop_begin(registers, 2))
    (basis[1] != 0 ? pairs : rowTiles) *= 2;
  const unsigned groupColumns = pairs * kColumnsPerPair;
  plan.columns = std::min(groupColumns, kWarpgroupColumns);
  plan.accRegisters = plan.columns * kWarpgroupRows / (32 * kWarpsPerGroup);
  const unsigned columnTiles = groupColumns / plan.columns;
  const auto kTiles = static_cast<unsigned>(k / fragment.k);
  for (unsigned kTile = 0; kTile < kTiles; ++kTile)
    for (unsigned row = 0; row < rowTiles; ++row)
      for (unsigned column = 0; column < columnTiles; ++column) {
        WarpgroupStep step{};
        step.k = kTile * fragment.k;
        step.lhs = (row * kTiles + kTile) * fragment.lhsElements();
        step.acc = (row * columnTiles + column) * plan.accRegisters;
        const LinearLayout::Coordinates at = acc.registerOffset(step.acc);
        step.row = static_cast<unsigned>(at[0]);
        step.column = static_cast<unsigned>(at[1]);
        plan.steps.push_back(step);
      }
  for (const LinearLayout::Coordinates &basis :
       llvm::drop_begin(warps, llvm::Log2_32(kWarpsPerGroup)))
    plan.groups.emplace_back(static_cast<unsigned>(basis[0]), static_cast<unsigned>(basis[1]));
  return plan;
}

} // namespace inlay::tile
