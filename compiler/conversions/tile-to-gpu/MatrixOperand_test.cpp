// Descriptors and plans of dots by groups of warps, run on a model of `wgmma` that reads bytes of
// shared memory as the PTX ISA says and knows nothing of SharedTile or linear layouts.
#include "compiler/conversions/tile-to-gpu/MatrixOperand.h"

#include "compiler/transforms/tile/WarpgroupMma.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>

namespace inlay::tile_to_gpu {
namespace {

using tile::LinearLayout;
using tile::MmaInstruction;
using tile::MmaType;

/// Shared memory of a block: elements by the byte at which they begin.
using Memory = std::map<uint32_t, int64_t>;

/// The hardware's permutation of 16-byte pieces: bits 4 … of an address by bits 7 … .
uint32_t swizzle(uint32_t address, unsigned mode) {
  const uint32_t bits = mode == 1 ? 0x70 : mode == 2 ? 0x30 : mode == 3 ? 0x10 : 0;
  return address ^ (address >> 3 & bits);
}

struct Fields {
  uint32_t start, leading, stride;
  unsigned mode;
};
Fields fieldsOf(uint64_t descriptor) {
  EXPECT_EQ(descriptor >> 46 & 0xffff, 0u) << "base offset and reserved bits";
  return {static_cast<uint32_t>(descriptor & 0x3fff) * 16,
          static_cast<uint32_t>(descriptor >> 16 & 0x3fff) * 16,
          static_cast<uint32_t>(descriptor >> 32 & 0x3fff) * 16,
          static_cast<unsigned>(descriptor >> 62)};
}

/// The element (outer, k) of an instruction's operand. Source: PTX ISA, "Shared Memory Matrix
/// Layout" of wgmma: K-major matrices are groups of eight rows, MN-major ones are blocks of as many
/// neighbours as a row has and eight of K.
int64_t fetch(const Memory &memory, uint64_t descriptor, bool isKMajor, unsigned bytes,
              unsigned outer, unsigned k) {
  const Fields fields = fieldsOf(descriptor);
  const uint32_t row = fields.mode == 1 ? 128 : fields.mode == 2 ? 64 : 32;
  uint32_t address = fields.start;
  if (isKMajor) {
    address += outer / 8 * fields.stride + outer % 8 * row + k * bytes;
  } else {
    const uint32_t neighbours = row / bytes;
    address += outer / neighbours * fields.leading + outer % neighbours * bytes +
               k / 8 * fields.stride + k % 8 * row;
  }
  const auto found = memory.find(swizzle(address, fields.mode));
  EXPECT_NE(found, memory.end()) << "nothing stands at byte " << address;
  return found == memory.end() ? 0 : found->second;
}

struct Matrix {
  Matrix(int64_t rows, int64_t columns, std::mt19937 &random)
      : columns(columns), elements(static_cast<size_t>(rows * columns)) {
    for (int64_t &element : elements)
      element = static_cast<int64_t>(random() % 17) - 8;
  }
  int64_t at(int64_t row, int64_t column) const {
    return elements.at(static_cast<size_t>(row * columns + column));
  }
  int64_t columns;
  std::vector<int64_t> elements;
};

/// Stores a matrix as the ops of a kernel do: by SharedTile.
Memory place(const Matrix &matrix, const SharedTile &tile, uint32_t base, int64_t rows) {
  Memory memory;
  for (int32_t r = 0; r < rows; ++r)
    for (int32_t c = 0; c < matrix.columns; ++c)
      memory[base + tile.offset({r, c})] = matrix.at(r, c);
  return memory;
}

// PTX ISA, "Register Fragments for wgmma": element i of the accumulator of a thread of the group.
std::pair<unsigned, unsigned> accPosition(unsigned thread, unsigned i) {
  return {16 * (thread / 32) + thread % 32 / 4 + 8 * (i / 2 % 2),
          8 * (i / 4) + 2 * (thread % 4) + i % 2};
}

struct Case {
  MmaInstruction fragment;
  unsigned bytes;
  int64_t m, n, k;
  unsigned numWarps;
  bool lhsKMajor = true, rhsKMajor = true;
};

/// Runs a whole dot with both operands in shared memory.
void check(const Case &c, std::mt19937 &random) {
  const int64_t shape[] = {c.m, c.n};
  const auto grid = tile::shareOutWarpgroups(shape, c.numWarps);
  ASSERT_TRUE(grid);
  const LinearLayout acc = tile::createMmaLayouts(c.fragment, shape, c.k, c.numWarps, *grid).acc;
  const tile::WarpgroupPlan plan = tile::planWarpgroupDot(c.fragment, acc, c.k);
  const Matrix lhs(c.m, c.k, random), rhs(c.k, c.n, random);
  const SharedTile lhsTile({c.m, c.k}, c.bytes, c.lhsKMajor ? 1 : 0),
      rhsTile({c.k, c.n}, c.bytes, c.rhsKMajor ? 0 : 1);
  const MatrixOperand lhsOperand(lhsTile, 1), rhsOperand(rhsTile, 0);
  ASSERT_EQ(lhsOperand.isKMajor(), c.lhsKMajor);
  ASSERT_EQ(rhsOperand.isKMajor(), c.rhsKMajor);
  const uint32_t lhsBase = 3 * kMatrixAlignmentBytes, rhsBase = 7 * kMatrixAlignmentBytes;
  const Memory lhsMemory = place(lhs, lhsTile, lhsBase, c.m),
               rhsMemory = place(rhs, rhsTile, rhsBase, c.k);
  for (unsigned group = 0; group < c.numWarps / tile::kWarpsPerGroup; ++group) {
    uint64_t lhsStart = lhsBase, rhsStart = rhsBase;
    for (auto [bit, step] : llvm::enumerate(plan.groups))
      if (group >> bit & 1) {
        lhsStart += lhsOperand.partOffset(step.first, 0);
        rhsStart += rhsOperand.partOffset(step.second, 0);
      }
    std::vector<std::vector<int64_t>> sums(128, std::vector<int64_t>(acc.numRegisters(), 0));
    for (const tile::WarpgroupStep &step : plan.steps) {
      const uint64_t a = lhsOperand.descriptor() +
                         (lhsStart + lhsOperand.partOffset(step.row, step.k)) / 16,
                     b = rhsOperand.descriptor() +
                         (rhsStart + rhsOperand.partOffset(step.column, step.k)) / 16;
      std::vector<std::vector<int64_t>> x(tile::kWarpgroupRows), y(plan.columns);
      for (unsigned i = 0; i < tile::kWarpgroupRows; ++i)
        for (unsigned k = 0; k < c.fragment.k; ++k)
          x[i].push_back(fetch(lhsMemory, a, c.lhsKMajor, c.bytes, i, k));
      for (unsigned i = 0; i < plan.columns; ++i)
        for (unsigned k = 0; k < c.fragment.k; ++k)
          y[i].push_back(fetch(rhsMemory, b, c.rhsKMajor, c.bytes, i, k));
      for (unsigned thread = 0; thread < 128; ++thread)
        for (unsigned i = 0; i < plan.accRegisters; ++i) {
          const auto [row, column] = accPosition(thread, i);
          for (unsigned k = 0; k < c.fragment.k; ++k)
            sums[thread].at(step.acc + i) += x.at(row)[k] * y.at(column)[k];
        }
    }
    for (unsigned thread = 0; thread < 128; ++thread)
      for (unsigned r = 0; r < acc.numRegisters(); ++r) {
        const auto at = acc.apply(r, thread % 32, group * tile::kWarpsPerGroup + thread / 32);
        int64_t expected = 0;
        for (int64_t k = 0; k < c.k; ++k)
          expected += lhs.at(at[0], k) * rhs.at(k, at[1]);
        ASSERT_EQ(sums[thread][r], expected)
            << "group " << group << " thread " << thread << " register " << r;
      }
  }
}

constexpr MmaInstruction kF16{MmaType::F16, 16, 8, 16}, kTF32{MmaType::TF32, 16, 8, 8},
    kInt8{MmaType::Int8, 16, 8, 32};

TEST(MatrixOperand, PlansComputeMatrixProducts) {
  std::mt19937 random(20251126);
  const Case cases[] = {
      {kF16, 2, 64, 64, 64, 4},
      {kF16, 2, 64, 32, 16, 4, true, false}, // rows of 32 and of 64 bytes
      {kF16, 2, 64, 16, 32, 4, true, false}, // rows of 64 and of 32 bytes
      {kF16, 2, 128, 128, 32, 4, false, false},
      {kF16, 2, 128, 64, 128, 4, false, true}, // two panels along K
      {kF16, 2, 64, 128, 128, 4, true, true},
      {kF16, 2, 128, 256, 64, 8, true, false},
      {kF16, 2, 64, 256, 16, 8, false, false}, // groups share columns
      {kF16, 2, 64, 128, 32, 8, true, true},
      {kF16, 2, 256, 128, 16, 16, true, false},
      {kF16, 2, 64, 512, 16, 4, true, false}, // two instructions along N
      {kTF32, 4, 64, 32, 32, 4},
      {kTF32, 4, 128, 64, 64, 8},
      {kInt8, 1, 64, 64, 64, 4},
      {kInt8, 1, 128, 128, 128, 8},
      {kInt8, 1, 64, 128, 256, 8},
  };
  for (const Case &c : cases) {
    SCOPED_TRACE(testing::Message()
                 << c.m << "x" << c.n << "x" << c.k << " of " << c.bytes << " bytes, " << c.numWarps
                 << " warps, " << c.lhsKMajor << c.rhsKMajor);
    check(c, random);
    if (testing::Test::HasFatalFailure())
      return;
  }
}

TEST(MatrixOperand, DescriptorsHaveTheirFields) {
  // 128 × 64 halves along K: rows of 128 bytes, eight of them 1024 bytes apart.
  const MatrixOperand rows(SharedTile({128, 64}, 2, 1), 1);
  EXPECT_EQ(rows.descriptor(), uint64_t{1} << 62 | uint64_t{64} << 32 | uint64_t{1} << 16);
  // 32 × 256 along N: four panels of 32 rows.
  const MatrixOperand panels(SharedTile({32, 256}, 2, 1), 0);
  EXPECT_EQ(panels.descriptor(), uint64_t{1} << 62 | uint64_t{64} << 32 | uint64_t{256} << 16);
  EXPECT_EQ(panels.partOffset(128, 16), 2u * 32 * 128 + 16 * 128);
  // Rows of 64 and of 32 bytes.
  EXPECT_EQ(MatrixOperand(SharedTile({64, 32}, 2, 1), 1).descriptor() >> 62, 2u);
  EXPECT_EQ(MatrixOperand(SharedTile({64, 16}, 2, 1), 1).descriptor() >> 62, 3u);
}

} // namespace
} // namespace inlay::tile_to_gpu
