// Fragments against the PTX ISA's formulas, and whole dots against a matrix product: the plan runs
// on a model of mma.sync that knows nothing of linear layouts.
#include "compiler/transforms/tile/MmaLayouts.h"

#include "mlir/Parser/Parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <set>

namespace inlay::tile {
namespace {

const MmaInstruction kF16{MmaType::F16, 16, 8, 16}, kTF32{MmaType::TF32, 16, 8, 8},
    kInt8{MmaType::Int8, 16, 8, 32}, kF64{MmaType::F64, 8, 8, 4};
const MmaInstruction kInstructions[] = {kF16, kTF32, kInt8, kF64};

struct Position {
  unsigned row, column;
};

// PTX ISA, "Matrix Fragments for mma.m16n8k16", "…m16n8k8", "…m16n8k32", "…m8n8k4": element i of a
// lane's fragment.
Position lhsPosition(MmaType type, unsigned lane, unsigned i) {
  const unsigned group = lane >> 2, thread = lane % 4;
  switch (type) {
  case MmaType::TF32:
    return {i == 0 || i == 2 ? group : group + 8, i < 2 ? thread : thread + 4};
  case MmaType::Int8:
  case MmaType::Float8:
    return {i < 4 || (i >= 8 && i < 12) ? group : group + 8,
            thread * 4 + (i & 3) + (i < 8 ? 0 : 16)};
  case MmaType::F64:
    return {group, thread};
  default:
    return {i < 2 || (i >= 4 && i < 6) ? group : group + 8, thread * 2 + (i & 1) + (i < 4 ? 0 : 8)};
  }
}
Position rhsPosition(MmaType type, unsigned lane, unsigned i) {
  const unsigned group = lane >> 2, thread = lane % 4;
  switch (type) {
  case MmaType::TF32:
    return {i == 0 ? thread : thread + 4, group};
  case MmaType::Int8:
  case MmaType::Float8:
    return {thread * 4 + (i & 3) + (i < 4 ? 0 : 16), group};
  case MmaType::F64:
    return {thread, group};
  default:
    return {thread * 2 + (i & 1) + (i < 2 ? 0 : 8), group};
  }
}
Position accPosition(unsigned lane, unsigned i) {
  return {(lane >> 2) + (i < 2 ? 0 : 8), (lane % 4) * 2 + (i & 1)};
}

TEST(MmaLayouts, FragmentsAreThePtxIsas) {
  for (const MmaInstruction &mma : kInstructions) {
    const int64_t shape[] = {mma.m, mma.n};
    DotLayouts layouts = createMmaLayouts(mma, shape, mma.k, 1, {});
    ASSERT_EQ(layouts.lhs.numRegisters(), mma.lhsElements());
    ASSERT_EQ(layouts.rhs.numRegisters(), mma.rhsElements());
    ASSERT_EQ(layouts.acc.numRegisters(), mma.accElements());
    auto check = [&](const LinearLayout &layout, auto position) {
      for (unsigned lane = 0; lane < 32; ++lane)
        for (unsigned i = 0; i < layout.numRegisters(); ++i) {
          const Position at = position(lane, i);
          EXPECT_THAT(
              layout.apply(i, lane, 0),
              testing::ElementsAre(static_cast<int32_t>(at.row), static_cast<int32_t>(at.column)))
              << "k" << mma.k << " lane " << lane << " element " << i;
        }
    };
    check(layouts.lhs, [&](unsigned lane, unsigned i) { return lhsPosition(mma.type, lane, i); });
    check(layouts.rhs, [&](unsigned lane, unsigned i) { return rhsPosition(mma.type, lane, i); });
    check(layouts.acc, accPosition);
  }
}

/// Registers of all lanes of one warp.
using WarpRegisters = std::vector<std::vector<int64_t>>;

/// mma.sync on fragments that start at the step's registers.
void runMma(const MmaInstruction &mma, const MmaStep &step, const WarpRegisters &lhs,
            const WarpRegisters &rhs, WarpRegisters &acc) {
  std::vector<std::vector<int64_t>> a(mma.m, std::vector<int64_t>(mma.k)),
      b(mma.k, std::vector<int64_t>(mma.n));
  for (unsigned lane = 0; lane < 32; ++lane) {
    for (unsigned i = 0; i < mma.lhsElements(); ++i) {
      const Position at = lhsPosition(mma.type, lane, i);
      a[at.row][at.column] = lhs[lane].at(step.lhs + i);
    }
    for (unsigned i = 0; i < mma.rhsElements(); ++i) {
      const Position at = rhsPosition(mma.type, lane, i);
      b[at.row][at.column] = rhs[lane].at(step.rhs + i);
    }
  }
  for (unsigned lane = 0; lane < 32; ++lane)
    for (unsigned i = 0; i < mma.accElements(); ++i) {
      const Position at = accPosition(lane, i);
      for (unsigned k = 0; k < mma.k; ++k)
        acc[lane].at(step.acc + i) += a[at.row][k] * b[k][at.column];
    }
}

struct Tensor {
  Tensor(std::vector<int64_t> sizes, std::mt19937 &random) : shape(std::move(sizes)) {
    int64_t count = 1;
    for (int64_t size : shape)
      count *= size;
    for (int64_t i = 0; i < count; ++i)
      elements.push_back(static_cast<int64_t>(random() % 17) - 8);
  }
  int64_t at(llvm::ArrayRef<int32_t> coordinates) const {
    int64_t index = 0;
    for (auto [size, coordinate] : llvm::zip_equal(shape, coordinates)) {
      EXPECT_LT(coordinate, size);
      index = index * size + coordinate;
    }
    return elements.at(static_cast<size_t>(index));
  }
  std::vector<int64_t> shape, elements;
};

WarpRegisters distribute(const Tensor &tensor, const LinearLayout &layout, unsigned warp) {
  WarpRegisters registers(32);
  for (unsigned lane = 0; lane < 32; ++lane)
    for (unsigned r = 0; r < layout.numRegisters(); ++r)
      registers[lane].push_back(tensor.at(layout.apply(r, lane, warp)));
  return registers;
}

void checkDot(const MmaInstruction &mma, const std::vector<int64_t> &accShape, int64_t k,
              unsigned numWarps, bool rowsOnly, std::mt19937 &random) {
  const size_t rank = accShape.size();
  std::vector<int64_t> lhsShape = accShape, rhsShape = accShape;
  lhsShape[rank - 1] = k;
  rhsShape[rank - 2] = k;
  const Tensor lhs(lhsShape, random), rhs(rhsShape, random), acc(accShape, random);
  const WarpGrid grid = shareOutWarps(mma, accShape, numWarps, rowsOnly);
  DotLayouts layouts = createMmaLayouts(mma, accShape, k, numWarps, grid);
  for (const LinearLayout *layout : {&layouts.lhs, &layouts.rhs, &layouts.acc})
    ASSERT_EQ(layout->numWarps(), numWarps);
  std::set<std::vector<int32_t>> covered;
  for (unsigned warp = 0; warp < numWarps; ++warp) {
    WarpRegisters result = distribute(acc, layouts.acc, warp);
    const WarpRegisters a = distribute(lhs, layouts.lhs, warp),
                        b = distribute(rhs, layouts.rhs, warp);
    for (const MmaStep &step : planMmaSteps(mma, layouts.lhs, layouts.acc))
      runMma(mma, step, a, b, result);
    for (unsigned lane = 0; lane < 32; ++lane)
      for (unsigned r = 0; r < layouts.acc.numRegisters(); ++r) {
        LinearLayout::Coordinates at = layouts.acc.apply(r, lane, warp), x = at, y = at;
        covered.insert({at.begin(), at.end()});
        int64_t expected = acc.at(at);
        for (int32_t i = 0; i < k; ++i) {
          x[rank - 1] = i;
          y[rank - 2] = i;
          expected += lhs.at(x) * rhs.at(y);
        }
        ASSERT_EQ(result[lane][r], expected)
            << "warp " << warp << " lane " << lane << " register " << r << "\n"
            << layouts.acc.toString();
      }
  }
  EXPECT_EQ(covered.size(), acc.elements.size());
}

TEST(MmaLayouts, PlansComputeMatrixProducts) {
  const unsigned seed = 20240229;
  std::mt19937 random(seed);
  auto powerOfTwo = [&](unsigned bits) { return int64_t{1} << random() % (bits + 1); };
  for (const MmaInstruction &mma : kInstructions)
    for (int i = 0; i < 40; ++i) {
      std::vector<int64_t> shape;
      if (random() % 3 == 0)
        shape.push_back(powerOfTwo(2));
      shape.push_back(powerOfTwo(7));
      shape.push_back(powerOfTwo(7));
      const int64_t k = mma.k * powerOfTwo(2);
      const auto numWarps = static_cast<unsigned>(powerOfTwo(3));
      SCOPED_TRACE(testing::Message()
                   << "seed " << seed << ", " << testing::PrintToString(shape) << " k " << k << ", "
                   << numWarps << " warps, m" << mma.m << "k" << mma.k);
      checkDot(mma, shape, k, numWarps, random() % 2 == 0, random);
      if (testing::Test::HasFatalFailure())
        return;
    }
}

TEST(MmaLayouts, ResultOfOneDotIsTheOperandOfTheNext) {
  // 64 × 32 of the first is the left operand, with K = 32, of the second.
  const int64_t first[] = {64, 32}, second[] = {64, 128};
  DotLayouts scores = createMmaLayouts(kF16, first, 64, 4, shareOutWarps(kF16, first, 4, true));
  DotLayouts values = createMmaLayouts(kF16, second, 32, 4, shareOutWarps(kF16, second, 4, true));
  EXPECT_EQ(scores.acc, values.lhs) << scores.acc.toString() << values.lhs.toString();
}

TEST(MmaLayouts, WarpsShareSquares) {
  const int64_t square[] = {128, 128}, wide[] = {64, 256}, row[] = {1, 64}, batches[] = {4, 16, 16};
  auto grid = [](llvm::ArrayRef<int64_t> shape, unsigned numWarps, bool rowsOnly) {
    const WarpGrid result = shareOutWarps(kF16, shape, numWarps, rowsOnly);
    return std::array<unsigned, 3>{result.batch, result.m, result.n};
  };
  EXPECT_THAT(grid(square, 4, false), testing::ElementsAre(1, 2, 2));
  EXPECT_THAT(grid(square, 8, false), testing::ElementsAre(1, 4, 2));
  EXPECT_THAT(grid(square, 8, true), testing::ElementsAre(1, 8, 1));
  EXPECT_THAT(grid(wide, 4, false), testing::ElementsAre(1, 1, 4));
  EXPECT_THAT(grid(row, 4, true), testing::ElementsAre(1, 1, 4));
  EXPECT_THAT(grid(row, 32, false), testing::ElementsAre(1, 1, 8));
  EXPECT_THAT(grid(batches, 8, false), testing::ElementsAre(4, 1, 2));
}

TEST(MmaLayouts, ElementwiseProductsCoverTheResult) {
  for (const std::vector<int64_t> &shape : std::vector<std::vector<int64_t>>{
           {1, 1}, {4, 2}, {64, 64}, {128, 16}, {2, 16, 64}, {8, 1, 1}})
    for (unsigned numWarps : {1u, 4u}) {
      const LinearLayout layout = createFmaLayout(shape, numWarps);
      std::set<std::vector<int32_t>> covered;
      for (unsigned warp = 0; warp < numWarps; ++warp)
        for (unsigned lane = 0; lane < 32; ++lane)
          for (unsigned r = 0; r < layout.numRegisters(); ++r) {
            LinearLayout::Coordinates at = layout.apply(r, lane, warp);
            covered.insert({at.begin(), at.end()});
          }
      size_t count = 1;
      for (int64_t size : shape)
        count *= static_cast<size_t>(size);
      EXPECT_EQ(covered.size(), count) << testing::PrintToString(shape);
      EXPECT_TRUE(covered.contains(std::vector<int32_t>(shape.size(), 0)));
    }
}

/// The instruction for a dot of 16 × k by k × 16.
std::optional<MmaInstruction> choose(const std::string &lhs, const std::string &rhs,
                                     const std::string &acc, int k, unsigned capability,
                                     const std::string &precision = "") {
  mlir::MLIRContext context;
  context.loadDialect<TileDialect, mlir::func::FuncDialect>();
  const std::string a = "tensor<16x" + std::to_string(k) + "x" + lhs + ">",
                    b = "tensor<" + std::to_string(k) + "x16x" + rhs + ">",
                    c = "tensor<16x16x" + acc + ">";
  auto module = mlir::parseSourceString<mlir::ModuleOp>(
      "func.func @f(%a: " + a + ", %b: " + b + ", %c: " + c + ") {\n  %d = tile.dot %a, %b, %c " +
          precision + " : " + a + ", " + b + " -> " + c + "\n  return\n}",
      &context);
  std::optional<MmaInstruction> result;
  EXPECT_TRUE(module);
  if (module)
    module->walk([&](DotOp dot) { result = chooseMma(dot, capability); });
  return result;
}

TEST(MmaLayouts, InstructionsFollowTypesAndArchitecture) {
  struct Case {
    const char *lhs, *rhs, *acc;
    int k;
    unsigned capability;
    const char *precision;
    std::optional<MmaInstruction> expected;
  };
  const std::optional<MmaInstruction> none;
  const Case cases[] = {
      {"f16", "f16", "f16", 16, 80, "", kF16},
      {"f16", "f16", "f32", 8, 80, "", none},
      {"bf16", "bf16", "f32", 32, 80, "", MmaInstruction{MmaType::BF16, 16, 8, 16}},
      {"f32", "f32", "f32", 16, 80, "", kTF32},
      {"f32", "f32", "f32", 16, 80, "precision ieee", none},
      {"f32", "f32", "f32", 16, 80, "precision tf32x3", MmaInstruction{MmaType::TF32, 16, 8, 8, 2}},
      {"f32", "f32", "f32", 16, 80, "precision bf16x3",
       MmaInstruction{MmaType::BF16, 16, 8, 16, 2}},
      {"f32", "f32", "f32", 16, 80, "precision bf16x6",
       MmaInstruction{MmaType::BF16, 16, 8, 16, 3}},
      {"f64", "f64", "f64", 16, 80, "", kF64},
      {"i8", "i8", "i32", 32, 80, "", kInt8},
      {"i8", "i8", "i32", 16, 80, "", none},
      {"f8E4M3FN", "f8E5M2", "f32", 32, 89, "", MmaInstruction{MmaType::Float8, 16, 8, 32}},
      {"f8E4M3FN", "f8E5M2", "f32", 16, 89, "", kF16},
      {"f8E5M2", "f8E5M2", "f32", 32, 86, "", kF16},
  };
  for (const Case &c : cases) {
    SCOPED_TRACE(testing::Message() << c.lhs << " k " << c.k << " " << c.precision);
    const auto found = choose(c.lhs, c.rhs, c.acc, c.k, c.capability, c.precision);
    ASSERT_EQ(found.has_value(), c.expected.has_value());
    if (!found)
      continue;
    EXPECT_EQ(found->type, c.expected->type);
    EXPECT_EQ(found->k, c.expected->k);
    EXPECT_EQ(found->parts, c.expected->parts);
  }
}

} // namespace
} // namespace inlay::tile
