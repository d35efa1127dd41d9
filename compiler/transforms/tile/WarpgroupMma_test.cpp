// Which dots groups of warps multiply, and how they share them.
#include "compiler/transforms/tile/WarpgroupMma.h"

#include "mlir/Parser/Parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace inlay::tile {
namespace {

const MmaInstruction kF16{MmaType::F16, 16, 8, 16};

TEST(WarpgroupMma, AccumulatorsAreThePtxIsas) {
  // PTX ISA, "Register Fragments for wgmma.mma_async.m64nNk16", matrix D.
  const int64_t shape[] = {64, 256};
  const LinearLayout acc = createMmaLayouts(kF16, shape, 16, 4, *shareOutWarpgroups(shape, 4)).acc;
  ASSERT_EQ(acc.numRegisters(), 128u);
  for (unsigned warp = 0; warp < 4; ++warp)
    for (unsigned lane = 0; lane < 32; ++lane)
      for (unsigned i = 0; i < 128; ++i) {
        const unsigned row = 16 * warp + lane / 4 + 8 * (i / 2 % 2),
                       column = 8 * (i / 4) + 2 * (lane % 4) + i % 2;
        ASSERT_THAT(acc.apply(i, lane, warp),
                    testing::ElementsAre(static_cast<int32_t>(row), static_cast<int32_t>(column)));
      }
}

TEST(WarpgroupMma, LeftFragmentsAreThePtxIsas) {
  // The same section, matrix A in registers: k16 of 2 bytes, k8 of 4, k32 of 1.
  for (const MmaInstruction &fragment : {kF16, MmaInstruction{MmaType::TF32, 16, 8, 8},
                                         MmaInstruction{MmaType::Float8, 16, 8, 32}}) {
    const int64_t shape[] = {64, 64};
    const LinearLayout lhs =
        createMmaLayouts(fragment, shape, fragment.k, 4, *shareOutWarpgroups(shape, 4)).lhs;
    const unsigned perWord = fragment.perWord();
    for (unsigned warp = 0; warp < 4; ++warp)
      for (unsigned lane = 0; lane < 32; ++lane)
        for (unsigned i = 0; i < lhs.numRegisters(); ++i) {
          const unsigned word = i / perWord;
          const unsigned row = 16 * warp + lane / 4 + 8 * (word % 2),
                         column = perWord * (lane % 4) + i % perWord + 4 * perWord * (word / 2);
          ASSERT_THAT(lhs.apply(i, lane, warp), testing::ElementsAre(static_cast<int32_t>(row),
                                                                     static_cast<int32_t>(column)));
        }
  }
}

TEST(WarpgroupMma, GroupsShareRowsBeforeColumns) {
  auto grid = [](int64_t m, int64_t n, unsigned numWarps) {
    const int64_t shape[] = {m, n};
    const auto result = shareOutWarpgroups(shape, numWarps);
    return result ? std::pair(result->m, result->n) : std::pair(0u, 0u);
  };
  EXPECT_EQ(grid(128, 256, 4), std::pair(4u, 1u));
  EXPECT_EQ(grid(128, 256, 8), std::pair(8u, 1u));
  EXPECT_EQ(grid(64, 256, 8), std::pair(4u, 2u));
  EXPECT_EQ(grid(128, 128, 16), std::pair(8u, 2u));
  EXPECT_EQ(grid(64, 64, 8), std::pair(0u, 0u)) << "half a row of 128 bytes";
  EXPECT_EQ(grid(32, 256, 4), std::pair(0u, 0u));
  EXPECT_EQ(grid(64, 64, 2), std::pair(0u, 0u));
}

TEST(WarpgroupMma, PlansCoverTheDot) {
  const int64_t shape[] = {128, 512};
  const LinearLayout acc = createMmaLayouts(kF16, shape, 32, 8, *shareOutWarpgroups(shape, 8)).acc;
  const WarpgroupPlan plan = planWarpgroupDot(kF16, acc, 32);
  EXPECT_EQ(plan.columns, 256u);
  EXPECT_EQ(plan.accRegisters, 128u);
  EXPECT_THAT(plan.groups, testing::ElementsAre(std::pair(64u, 0u)));
  ASSERT_EQ(plan.steps.size(), 4u);
  EXPECT_EQ(plan.steps[1].column, 256u);
  EXPECT_EQ(plan.steps[1].acc, 128u);
  EXPECT_EQ(plan.steps[2].k, 16u);
  EXPECT_EQ(plan.steps[2].lhs, kF16.lhsElements());
}

struct Choice {
  const char *lhs, *rhs, *acc;
  int64_t m, n, k;
  unsigned numWarps;
  bool hasContiguousK;
  bool expected;
  const char *attributes = "";
};

bool isChosen(const Choice &c) {
  mlir::MLIRContext context;
  context.loadDialect<TileDialect, mlir::func::FuncDialect>();
  auto tile = [](int64_t rows, int64_t columns, const char *element) {
    return "tensor<" + std::to_string(rows) + "x" + std::to_string(columns) + "x" + element + ">";
  };
  const std::string a = tile(c.m, c.k, c.lhs), b = tile(c.k, c.n, c.rhs), d = tile(c.m, c.n, c.acc);
  auto module = mlir::parseSourceString<mlir::ModuleOp>(
      "func.func @f(%a: " + a + ", %b: " + b + ", %c: " + d + ") {\n  %d = tile.dot %a, %b, %c " +
          c.attributes + " : " + a + ", " + b + " -> " + d + "\n  return\n}",
      &context);
  EXPECT_TRUE(module);
  bool result = false;
  if (module)
    module->walk([&](DotOp dot) {
      result = chooseWarpgroupMma(dot, 90, c.numWarps, c.hasContiguousK).has_value();
    });
  return result;
}

TEST(WarpgroupMma, IsChosenByTypesAndShapes) {
  const Choice choices[] = {
      {"f16", "f16", "f32", 64, 64, 32, 4, false, true},
      {"bf16", "bf16", "f32", 128, 256, 64, 8, false, true},
      {"f16", "f16", "f16", 64, 64, 32, 4, false, false},
      {"f16", "f16", "f32", 32, 64, 32, 4, false, false},
      {"f16", "f16", "f32", 64, 64, 32, 2, false, false},
      {"f16", "f16", "f32", 64, 8, 64, 4, false, false},
      {"f16", "f16", "f32", 64, 16, 16, 4, false, false},   // less than a pattern of rows
      {"f16", "f16", "f32", 256, 256, 16, 4, false, false}, // 512 registers
      {"f32", "f32", "f32", 64, 64, 32, 4, true, true},
      {"f32", "f32", "f32", 64, 64, 32, 4, false, false},
      {"f32", "f32", "f32", 64, 64, 32, 4, true, false, "precision tf32x3"},
      {"i8", "i8", "i32", 64, 64, 64, 4, true, true},
      {"i8", "i8", "i32", 64, 64, 64, 4, false, false},
      {"f64", "f64", "f64", 64, 64, 16, 4, true, false},
      {"f8E5M2", "f8E4M3FN", "f32", 64, 64, 64, 4, true, false}, // sums in pieces
      {"f8E5M2", "f8E4M3FN", "f32", 64, 64, 64, 4, true, true, "{maxNumImprecise = 128 : i32}"},
  };
  for (const Choice &c : choices)
    EXPECT_EQ(isChosen(c), c.expected)
        << c.lhs << " " << c.m << "x" << c.n << "x" << c.k << " " << c.numWarps << " warps "
        << c.hasContiguousK << c.attributes;
}

} // namespace
} // namespace inlay::tile
