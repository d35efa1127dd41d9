#include "compiler/transforms/tile/MmaLayouts.h"

#include "llvm/Support/MathExtras.h"

#include <algorithm>

using namespace mlir;

namespace inlay::tile {

namespace {

/// The first GPUs whose tensor cores multiply fp8.
constexpr unsigned kFloat8Capability = 89;

bool isMmaFloat8(Type type) { return isa<Float8E4M3FNType, Float8E5M2Type>(type); }

std::optional<MmaInstruction> chooseForF32(DotPrecision precision) {
  switch (precision) {
  case DotPrecision::TF32:
    return MmaInstruction{MmaType::TF32, 16, 8, 8, 1};
  case DotPrecision::TF32x3:
    return MmaInstruction{MmaType::TF32, 16, 8, 8, 2};
  case DotPrecision::BF16x3:
    return MmaInstruction{MmaType::BF16, 16, 8, 16, 2};
  case DotPrecision::BF16x6:
    return MmaInstruction{MmaType::BF16, 16, 8, 16, 3};
  case DotPrecision::IEEE:
    return std::nullopt;
  }
  llvm_unreachable("unknown precision");
}

/// Collects the bases of a layout; a step past the tile's size moves nowhere.
class BasisList {
public:
  explicit BasisList(ArrayRef<int64_t> shape) : shape_(shape) {}

  void add(PlacePart part, unsigned dimension, int64_t step) {
    LinearLayout::Coordinates basis(shape_.size(), 0);
    if (step < shape_[dimension])
      basis[dimension] = static_cast<int32_t>(step);
    bases_[static_cast<size_t>(part)].push_back(std::move(basis));
  }
  void addNowhere(PlacePart part) {
    bases_[static_cast<size_t>(part)].emplace_back(shape_.size(), 0);
  }
  /// Steps first, 2 * first, … below `end`.
  void addRange(PlacePart part, unsigned dimension, int64_t first, int64_t end) {
    for (int64_t step = first; step < end; step *= 2)
      add(part, dimension, step);
  }
  /// As many bits as there are warps, and none past the tile.
  void finishWarps(unsigned numWarps) {
    while (bases_[static_cast<size_t>(PlacePart::Warp)].size() < llvm::Log2_32(numWarps))
      addNowhere(PlacePart::Warp);
  }
  LinearLayout take() {
    return LinearLayout(static_cast<unsigned>(shape_.size()), bases_[0], bases_[1], bases_[2]);
  }

private:
  ArrayRef<int64_t> shape_;
  std::array<LinearLayout::Bases, kNumPlaceParts> bases_;
};

/// How one dimension of a fragment is counted: the fragment's own size, the warps along it, and the
/// distance between the tiles of neighbouring warps.
struct DimensionTiling {
  unsigned dimension;
  int64_t size;
  unsigned fragment, numWarps;
  /// Neighbouring warps hold neighbouring tiles; otherwise each warp holds a range.
  bool interleaves;

  int64_t warpStep() const {
    return interleaves ? fragment : std::max<int64_t>(fragment, size / numWarps);
  }
};

void addWarps(BasisList &list, const DimensionTiling &tiling) {
  list.addRange(PlacePart::Warp, tiling.dimension, tiling.warpStep(),
                tiling.warpStep() * tiling.numWarps);
}
void addNoWarps(BasisList &list, unsigned numWarps) {
  for (unsigned i = 1; i < numWarps; i *= 2)
    list.addNowhere(PlacePart::Warp);
}
void addTiles(BasisList &list, const DimensionTiling &tiling) {
  if (tiling.interleaves)
    list.addRange(PlacePart::Register, tiling.dimension, int64_t{tiling.fragment} * tiling.numWarps,
                  tiling.size);
  else
    list.addRange(PlacePart::Register, tiling.dimension, tiling.fragment,
                  std::min(tiling.warpStep(), tiling.size));
}

/// Lanes of every fragment: two bits along the dimension whose elements share a word (K, or N of
/// the accumulator), three along the other.
void addLanes(BasisList &list, unsigned wordDimension, unsigned perWord, unsigned otherDimension) {
  list.addRange(PlacePart::Lane, wordDimension, perWord, 4 * perWord);
  list.addRange(PlacePart::Lane, otherDimension, 1, 8);
}

} // namespace

unsigned MmaInstruction::perWord() const {
  switch (type) {
  case MmaType::F16:
  case MmaType::BF16:
    return 2;
  case MmaType::TF32:
  case MmaType::F64:
    return 1;
  case MmaType::Int8:
  case MmaType::Float8:
    return 4;
  }
  llvm_unreachable("unknown type");
}

std::optional<MmaInstruction> chooseMma(DotOp dot, unsigned computeCapability) {
  Type lhs = elementTypeOf(dot.getLhs().getType()), rhs = elementTypeOf(dot.getRhs().getType());
  const int64_t k = cast<RankedTensorType>(dot.getLhs().getType()).getShape().back();
  std::optional<MmaInstruction> mma;
  if (lhs.isF16())
    mma = MmaInstruction{MmaType::F16, 16, 8, 16};
  else if (lhs.isBF16())
    mma = MmaInstruction{MmaType::BF16, 16, 8, 16};
  else if (lhs.isF32())
    mma = chooseForF32(dot.getPrecision());
  else if (lhs.isF64())
    mma = MmaInstruction{MmaType::F64, 8, 8, 4};
  else if (lhs.isInteger(8))
    mma = MmaInstruction{MmaType::Int8, 16, 8, 32};
  else if (isMmaFloat8(lhs) && isMmaFloat8(rhs) && computeCapability >= kFloat8Capability &&
           k >= 32)
    mma = MmaInstruction{MmaType::Float8, 16, 8, 32};
  else if (isa<FloatType>(lhs))
    mma = MmaInstruction{MmaType::F16, 16, 8, 16}; // every fp8 number is one of f16
  if (mma && k < mma->k)
    return std::nullopt;
  return mma;
}

WarpGrid shareOutWarps(const MmaInstruction &mma, ArrayRef<int64_t> accShape, unsigned numWarps,
                       bool rowsOnly) {
  const int64_t m = accShape[accShape.size() - 2], n = accShape.back(),
                batch = accShape.size() == 3 ? accShape[0] : 1;
  WarpGrid grid;
  for (unsigned left = numWarps; left > 1; left /= 2) {
    const bool fitsBatch = grid.batch < batch, fitsM = grid.m * mma.m < m,
               fitsN = grid.n * mma.n < n;
    // A warp's rows cost as much to fetch as its columns.
    const bool prefersM = rowsOnly || m / grid.m >= n / grid.n;
    if (fitsBatch)
      grid.batch *= 2;
    else if (fitsM && (prefersM || !fitsN))
      grid.m *= 2;
    else if (fitsN)
      grid.n *= 2;
    else
      break;
  }
  return grid;
}

DotLayouts createMmaLayouts(const MmaInstruction &mma, ArrayRef<int64_t> accShape, int64_t k,
                            unsigned numWarps, const WarpGrid &grid) {
  const unsigned rank = static_cast<unsigned>(accShape.size());
  const unsigned row = rank - 2, column = rank - 1, perWord = mma.perWord();
  const DimensionTiling m{row, accShape[row], mma.m, grid.m, true};
  const DimensionTiling n{column, accShape[column], mma.n, grid.n, false};
  const DimensionTiling batch{0, rank == 3 ? accShape[0] : 1, 1, grid.batch, true};

  SmallVector<int64_t> lhsShape(accShape), rhsShape(accShape);
  lhsShape[column] = k;
  rhsShape[row] = k;
  BasisList acc(accShape), lhs(lhsShape), rhs(rhsShape);

  acc.addRange(PlacePart::Register, column, 1, 2);
  acc.addRange(PlacePart::Register, row, 8, mma.m);
  lhs.addRange(PlacePart::Register, column, 1, perWord);
  lhs.addRange(PlacePart::Register, row, 8, mma.m);
  lhs.addRange(PlacePart::Register, column, 4 * perWord, mma.k);
  rhs.addRange(PlacePart::Register, row, 1, perWord);
  rhs.addRange(PlacePart::Register, row, 4 * perWord, mma.k);
  addLanes(acc, column, 2, row);
  addLanes(lhs, column, perWord, row);
  addLanes(rhs, row, perWord, column);

  addTiles(acc, n);
  addTiles(acc, m);
  lhs.addRange(PlacePart::Register, column, mma.k, k);
  addTiles(lhs, m);
  rhs.addRange(PlacePart::Register, row, mma.k, k);
  addTiles(rhs, n);

  addWarps(acc, m);
  addWarps(acc, n);
  addWarps(lhs, m);
  addNoWarps(lhs, grid.n);
  addNoWarps(rhs, grid.m);
  addWarps(rhs, n);
  for (BasisList *list : {&acc, &lhs, &rhs}) {
    if (rank == 3) {
      addTiles(*list, batch);
      addWarps(*list, batch);
    }
    list->finishWarps(numWarps);
  }
  return {lhs.take(), rhs.take(), acc.take()};
}

LinearLayout createFmaLayout(ArrayRef<int64_t> accShape, unsigned numWarps) {
  const unsigned rank = static_cast<unsigned>(accShape.size()), row = rank - 2, column = rank - 1;
  SmallVector<int64_t> taken(rank, 1);
  BasisList list(accShape);
  // The next bit moves along the first of these dimensions that is not yet covered.
  auto addBit = [&](PlacePart part, ArrayRef<unsigned> dimensions) {
    for (unsigned dimension : dimensions)
      if (taken[dimension] < accShape[dimension]) {
        list.add(part, dimension, taken[dimension]);
        taken[dimension] *= 2;
        return true;
      }
    return false;
  };
  int64_t numElements = 1;
  for (int64_t size : accShape)
    numElements *= size;
  const int64_t fairShare = numElements / (int64_t{32} * numWarps);
  for (int64_t held = 1, i = 0; held < std::min<int64_t>(16, fairShare); held *= 2, ++i)
    addBit(PlacePart::Register, i < 2 ? ArrayRef<unsigned>{column, row} : ArrayRef{row, column});
  for (unsigned i = 0; i < kLaneBits; ++i) {
    const SmallVector<unsigned> order =
        i < 3 ? SmallVector<unsigned>{column, row, 0} : SmallVector<unsigned>{row, column, 0};
    if (!addBit(PlacePart::Lane, order))
      list.addNowhere(PlacePart::Lane);
  }
  for (unsigned i = 1; i < numWarps; i *= 2)
    if (!addBit(PlacePart::Warp, {row, column, 0}))
      list.addNowhere(PlacePart::Warp);
  while (addBit(PlacePart::Register, {column, row, 0})) {
  }
  return list.take();
}

SmallVector<MmaStep> planMmaSteps(const MmaInstruction &mma, const LinearLayout &lhs,
                                  const LinearLayout &acc) {
  // Past the fragment's own bits every register bit counts tiles along one dimension.
  auto countTiles = [](const LinearLayout &layout, unsigned fragmentElements, unsigned dimension) {
    unsigned count = 1;
    for (const LinearLayout::Coordinates &basis :
         llvm::drop_begin(layout.bases(PlacePart::Register), llvm::Log2_32(fragmentElements)))
      if (basis[dimension] != 0)
        count *= 2;
    return count;
  };
  const unsigned rank = acc.rank();
  const unsigned mTiles = countTiles(acc, mma.accElements(), rank - 2),
                 nTiles = countTiles(acc, mma.accElements(), rank - 1),
                 kTiles = countTiles(lhs, mma.lhsElements(), rank - 1),
                 batches = rank == 3 ? countTiles(acc, mma.accElements(), 0) : 1;
  SmallVector<MmaStep> steps;
  for (unsigned b = 0; b < batches; ++b)
    for (unsigned k = 0; k < kTiles; ++k)
      for (unsigned m = 0; m < mTiles; ++m)
        for (unsigned n = 0; n < nTiles; ++n)
          steps.push_back({((b * mTiles + m) * kTiles + k) * mma.lhsElements(),
                           ((b * nTiles + n) * kTiles + k) * mma.rhsElements(),
                           ((b * mTiles + m) * nTiles + n) * mma.accElements(), k});
  return steps;
}

} // namespace inlay::tile
