// Tiles in shared memory: places are a bijection without bank conflicts, and a model of `ldmatrix`
// reads through the plan what fragments must hold.
#include "compiler/conversions/tile-to-gpu/SharedAccess.h"
#include "compiler/transforms/tile/MmaLayouts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>
#include <set>

namespace inlay::tile_to_gpu {
namespace {

using tile::LinearLayout;
using tile::PlacePart;

struct Case {
  std::vector<int64_t> shape;
  unsigned elementBytes, fastest;
};

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const std::vector<int64_t> &shape : std::vector<std::vector<int64_t>>{
           {1, 1}, {4, 8}, {16, 16}, {64, 32}, {32, 64}, {8, 256}, {256, 4}, {128, 128}})
    for (unsigned bytes : {1u, 2u, 4u, 8u})
      for (unsigned fastest : {0u, 1u})
        all.push_back({shape, bytes, fastest});
  return all;
}

std::string nameOf(const Case &c) {
  return testing::PrintToString(c.shape) + " of " + std::to_string(c.elementBytes) +
         " bytes, fastest " + std::to_string(c.fastest);
}

TEST(SharedTile, PlacesAreDifferentLinearAndKeepRuns) {
  for (const Case &c : cases()) {
    SCOPED_TRACE(nameOf(c));
    const SharedTile tile(c.shape, c.elementBytes, c.fastest);
    std::set<uint32_t> places;
    for (int32_t i = 0; i < c.shape[0]; ++i)
      for (int32_t j = 0; j < c.shape[1]; ++j) {
        const uint32_t offset = tile.offset({i, j});
        ASSERT_EQ(offset % c.elementBytes, 0u);
        ASSERT_LT(offset, tile.sizeBytes());
        ASSERT_EQ(offset, tile.offset({i, 0}) ^ tile.offset({0, j}));
        const int32_t along = c.fastest == 0 ? i : j;
        const auto within = static_cast<int32_t>(along % tile.runElements());
        if (within) {
          ASSERT_EQ(offset, tile.offset({i - (c.fastest == 0 ? within : 0),
                                         j - (c.fastest == 1 ? within : 0)}) +
                                static_cast<uint32_t>(within) * c.elementBytes);
        }
        places.insert(offset);
      }
    EXPECT_EQ(static_cast<int64_t>(places.size()), c.shape[0] * c.shape[1]);
  }
}

TEST(SharedTile, EightRowsOfAColumnLieInDifferentBanks) {
  for (int64_t columns : {8, 16, 32, 64, 256}) {
    const std::vector<int64_t> shape = {64, columns};
    const SharedTile tile(shape, 2, 1);
    for (int32_t row = 0; row < 64; row += 8)
      for (int32_t column = 0; column < columns; column += 8) {
        std::set<uint32_t> banks;
        for (int32_t i = 0; i < 8; ++i)
          banks.insert(tile.offset({row + i, column}) / 16 % 8);
        EXPECT_EQ(banks.size(), 8u) << columns << " columns at " << row << ", " << column;
      }
  }
}

/// Reads a tile whose element (i, j) is i * columns + j by `ldmatrix` and checks all registers.
void checkMatrixLoads(const SharedTile &place, const std::vector<int64_t> &shape,
                      const LinearLayout &layout, const MatrixLoadPlan &plan) {
  const unsigned bytes = place.elementBytes();
  std::vector<int64_t> memory(static_cast<size_t>(shape[0] * shape[1]));
  for (int32_t i = 0; i < shape[0]; ++i)
    for (int32_t j = 0; j < shape[1]; ++j)
      memory.at(place.offset({i, j}) / bytes) = i * shape[1] + j;
  const unsigned perRow = 16 / bytes;
  for (unsigned warp = 0; warp < layout.numWarps(); ++warp)
    for (unsigned step = 0; step < plan.addresses.numRegisters(); ++step)
      for (unsigned matrix = 0; matrix < plan.numMatrices; ++matrix) {
        // Row r of a matrix is where lane 8 * matrix + r points.
        std::vector<std::vector<int64_t>> rows;
        for (unsigned r = 0; r < 8; ++r) {
          const uint32_t offset = place.offset(plan.addresses.apply(step, 8 * matrix + r, warp));
          ASSERT_EQ(offset % 16, 0u);
          rows.emplace_back(memory.begin() + offset / bytes,
                            memory.begin() + offset / bytes + perRow);
        }
        for (unsigned lane = 0; lane < 32; ++lane)
          for (unsigned e = 0; e < plan.wordElements; ++e) {
            const unsigned word = step * plan.numMatrices + matrix;
            // PTX ISA, ldmatrix: lane l receives word l % 4 of row l / 4; transposed, elements
            // 2 * (l % 4) and the next of column l / 4.
            const int64_t loaded = plan.isTransposed
                                       ? rows[2 * (lane % 4) + e][lane / 4]
                                       : rows[lane / 4][(lane % 4) * plan.wordElements + e];
            const LinearLayout::Coordinates at =
                layout.apply(word * plan.wordElements + e, lane, warp);
            ASSERT_EQ(loaded, at[0] * shape[1] + at[1])
                << "warp " << warp << " word " << word << " lane " << lane << " element " << e;
          }
      }
}

TEST(SharedTile, MatrixLoadsFillFragments) {
  using tile::MmaType;
  const tile::MmaInstruction f16{MmaType::F16, 16, 8, 16}, tf32{MmaType::TF32, 16, 8, 8},
      int8{MmaType::Int8, 16, 8, 32};
  struct Fragments {
    tile::MmaInstruction mma;
    unsigned bytes;
    int64_t m, n, k;
    unsigned numWarps;
    /// Whether operands are read by ldmatrix if K is fastest in memory, and if it is not.
    bool alongK, acrossK;
  };
  for (const Fragments &f : std::vector<Fragments>{{f16, 2, 16, 8, 16, 1, true, true},
                                                   {f16, 2, 128, 128, 64, 4, true, true},
                                                   {f16, 2, 64, 16, 32, 8, true, true},
                                                   {int8, 1, 64, 64, 64, 4, true, false},
                                                   {tf32, 4, 64, 64, 32, 4, true, false}}) {
    const int64_t accShape[] = {f.m, f.n};
    const tile::DotLayouts layouts = tile::createMmaLayouts(
        f.mma, accShape, f.k, f.numWarps, tile::shareOutWarps(f.mma, accShape, f.numWarps, false));
    for (bool isLhs : {true, false})
      for (unsigned fastest : {0u, 1u}) {
        const std::vector<int64_t> shape =
            isLhs ? std::vector<int64_t>{f.m, f.k} : std::vector<int64_t>{f.k, f.n};
        SCOPED_TRACE(nameOf({shape, f.bytes, fastest}) + (isLhs ? " lhs" : " rhs"));
        const LinearLayout &layout = isLhs ? layouts.lhs : layouts.rhs;
        const SharedTile place(shape, f.bytes, fastest);
        const auto plan = planMatrixLoads(place, layout);
        const bool isAlongK = (fastest == 1) == isLhs;
        ASSERT_EQ(plan.has_value(), isAlongK ? f.alongK : f.acrossK);
        if (!plan)
          continue;
        EXPECT_EQ(plan->isTransposed, !isAlongK);
        checkMatrixLoads(place, shape, layout, *plan);
        if (testing::Test::HasFatalFailure())
          return;
      }
  }
}

TEST(SharedTile, SmallTilesAreNoMatrices) {
  using tile::MmaType;
  const tile::MmaInstruction f16{MmaType::F16, 16, 8, 16};
  // Four columns are no row of 16 bytes.
  const int64_t accShape[] = {16, 4};
  const tile::DotLayouts layouts = tile::createMmaLayouts(f16, accShape, 16, 1, {});
  const std::vector<int64_t> shape = {16, 4};
  EXPECT_FALSE(planMatrixLoads(SharedTile(shape, 2, 1), layouts.rhs));
}

} // namespace
} // namespace inlay::tile_to_gpu
