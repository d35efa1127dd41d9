// tile.reduce on the CPU against plain loops.
#include "compiler/targets/cpu/KernelFixture.h"

#include <cmath>
#include <limits>
#include <random>

namespace inlay {
namespace {

using testing::CpuKernel, testing::fill, testing::GuardedBuffer, testing::LoadedKernel;

class Reduction : public CpuKernel {};
INSTANTIATE_TEST_SUITE_P(Levels, Reduction, ::testing::ValuesIn(testing::runnableLevels()),
                         testing::levelName);

/// Loads a [R, C] tile at row-major %x (%stride elements a row) under row < %rows, column <
/// %columns, else %other; defines %v, %rowIndex and %columnIndex.
std::string loadTile(int rows, int columns, const std::string &type, const std::string &other) {
  return fill(
      R"(
    %row0 = tile.arange 0 to $R : tensor<$Rxi32>
    %row1 = tile.expand_dims %row0, 1 : tensor<$Rxi32> -> tensor<$Rx1xi32>
    %rowIndex = tile.broadcast %row1 : tensor<$Rx1xi32> -> tensor<$Rx$Cxi32>
    %column0 = tile.arange 0 to $C : tensor<$Cxi32>
    %column1 = tile.expand_dims %column0, 0 : tensor<$Cxi32> -> tensor<1x$Cxi32>
    %columnIndex = tile.broadcast %column1 : tensor<1x$Cxi32> -> tensor<$Rx$Cxi32>
    %strides = tile.splat %stride : i32 -> tensor<$Rx$Cxi32>
    %rowStart = arith.muli %rowIndex, %strides : tensor<$Rx$Cxi32>
    %offs = arith.addi %rowStart, %columnIndex : tensor<$Rx$Cxi32>
    %rs = tile.splat %rows : i32 -> tensor<$Rx$Cxi32>
    %cs = tile.splat %columns : i32 -> tensor<$Rx$Cxi32>
    %rmask = arith.cmpi slt, %rowIndex, %rs : tensor<$Rx$Cxi32>
    %cmask = arith.cmpi slt, %columnIndex, %cs : tensor<$Rx$Cxi32>
    %mask = arith.andi %rmask, %cmask : tensor<$Rx$Cxi1>
    %xs = tile.splat %x : !tile.ptr<$T> -> tensor<$Rx$Cx!tile.ptr<$T>>
    %xp = tile.addptr %xs, %offs : tensor<$Rx$Cx!tile.ptr<$T>>, tensor<$Rx$Cxi32>
    %other = arith.constant dense<$O> : tensor<$Rx$Cx$T>
    %v = tile.load %xp mask %mask other %other : tensor<$Rx$Cx!tile.ptr<$T>> mask tensor<$Rx$Cxi1> other tensor<$Rx$Cx$T> -> tensor<$Rx$Cx$T>)",
      {{"$R", std::to_string(rows)}, {"$C", std::to_string(columns)}, {"$T", type}, {"$O", other}});
}

/// Stores %r, a tile of `count` elements, to %y.
std::string storeResult(int count, const std::string &type) {
  return fill(R"(
    %yrange = tile.arange 0 to $N : tensor<$Nxi32>
    %ys = tile.splat %y : !tile.ptr<$T> -> tensor<$Nx!tile.ptr<$T>>
    %yp = tile.addptr %ys, %yrange : tensor<$Nx!tile.ptr<$T>>, tensor<$Nxi32>
    tile.store %yp, %r : tensor<$Nx!tile.ptr<$T>>, tensor<$Nx$T>)",
              {{"$N", std::to_string(count)}, {"$T", type}});
}

std::string arguments(const std::string &in, const std::string &out) {
  return "%x: !tile.ptr<" + in + ">, %stride: i32, %rows: i32, %columns: i32, %y: !tile.ptr<" +
         out + ">";
}

struct Shape {
  int rows, columns;
};
constexpr Shape kShapes[] = {{1, 1},  {1, 2},   {2, 1},  {4, 4},   {1, 64},
                             {64, 1}, {16, 32}, {32, 8}, {2, 256}, {128, 16}};

TEST_P(Reduction, SumsRowsAndColumnsUnderMasks) {
  for (auto [r, c] : kShapes)
    for (int axis : {0, 1}) {
      int count = axis == 0 ? c : r;
      LoadedKernel kernel =
          compile(arguments("f32", "f32"), loadTile(r, c, "f32", "0.0") +
                                               fill(R"(
    %r = tile.reduce %v axis $A : (tensor<$Rx$Cxf32>) -> tensor<$Nxf32> {
    ^bb0(%a: f32, %b: f32):
      %s = arith.addf %a, %b : f32
      tile.yield %s : f32
    })",
                                                    {{"$A", std::to_string(axis)},
                                                     {"$R", std::to_string(r)},
                                                     {"$C", std::to_string(c)},
                                                     {"$N", std::to_string(count)}}) +
                                               storeResult(count, "f32"));
      for (int rows : {r, (r + 1) / 2})
        for (int columns : {c, (c + 1) / 2, c - 1}) {
          int stride = c + 3;
          GuardedBuffer<float> x(size_t(stride) * (rows - 1) + columns), y(count, -1);
          // Small integers: their sums are exact in any order.
          for (size_t i = 0; i < x.size(); ++i)
            x[i] = float(int(i * 7 % 23) - 11);
          kernel.run({x.argument(), &stride, &rows, &columns, y.argument()}, 1);
          for (int i = 0; i < count; ++i) {
            float sum = 0;
            for (int j = 0; j < (axis == 0 ? rows : columns); ++j) {
              int row = axis == 0 ? j : i, column = axis == 0 ? i : j;
              sum += row < rows && column < columns ? x[size_t(row) * stride + column] : 0;
            }
            ASSERT_EQ(y[i], sum) << r << "x" << c << " axis " << axis << " of " << rows << "x"
                                 << columns << " at " << i;
          }
        }
    }
}

/// y[0] = the reduction of a whole row; the region is on f32.
std::string reduceRow(int n, const std::string &type, const std::string &region) {
  return fill(R"(
    %range = tile.arange 0 to $N : tensor<$Nxi32>
    %xs = tile.splat %x : !tile.ptr<$T> -> tensor<$Nx!tile.ptr<$T>>
    %xp = tile.addptr %xs, %range : tensor<$Nx!tile.ptr<$T>>, tensor<$Nxi32>
    %v = tile.load %xp : tensor<$Nx!tile.ptr<$T>> -> tensor<$Nx$T>
    %r = tile.reduce %v axis 0 : (tensor<$Nx$T>) -> $T {
    ^bb0(%a: $T, %b: $T):
      $B
      tile.yield %s : $T
    }
    tile.store %y, %r : !tile.ptr<$T>, $T)",
              {{"$B", region}, {"$N", std::to_string(n)}, {"$T", type}});
}

TEST_P(Reduction, KeepsTheOrderOfOtherCombinations) {
  // The later element if it is positive, else the earlier one: the last positive element, whatever
  // the order of combination.
  const std::string region = R"(
      %zero = arith.constant 0.0 : f32
      %positive = arith.cmpf ogt, %b, %zero : f32
      %s = arith.select %positive, %b, %a : f32)";
  for (int n : {1, 2, 4, 8, 16, 32, 128, 1024}) {
    LoadedKernel kernel =
        compile("%x: !tile.ptr<f32>, %y: !tile.ptr<f32>", reduceRow(n, "f32", region));
    for (int last : {0, n / 2, n - 1}) {
      GuardedBuffer<float> x(n), y(1, -7);
      for (int i = 0; i < n; ++i)
        x[i] = i <= last ? float(i + 1) : float(-i);
      kernel.run({x.argument(), y.argument()}, 1);
      ASSERT_EQ(y[0], float(last + 1)) << n;
    }
  }
}

TEST_P(Reduction, MaximumIgnoresNanAndMinusZeroStays) {
  LoadedKernel maximum = compile("%x: !tile.ptr<f32>, %y: !tile.ptr<f32>",
                                 reduceRow(64, "f32", "%s = arith.maxnumf %a, %b : f32"));
  LoadedKernel sum = compile("%x: !tile.ptr<f32>, %y: !tile.ptr<f32>",
                             reduceRow(64, "f32", "%s = arith.addf %a, %b : f32"));
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  GuardedBuffer<float> x(64, kNan), y(1);
  maximum.run({x.argument(), y.argument()}, 1);
  EXPECT_TRUE(std::isnan(y[0]));
  x[17] = -std::numeric_limits<float>::infinity();
  maximum.run({x.argument(), y.argument()}, 1);
  EXPECT_EQ(y[0], x[17]);
  x[40] = -2;
  maximum.run({x.argument(), y.argument()}, 1);
  EXPECT_EQ(y[0], -2);
  for (int i = 0; i < 64; ++i)
    x[i] = -0.0f;
  sum.run({x.argument(), y.argument()}, 1);
  EXPECT_TRUE(std::signbit(y[0]));
}

TEST_P(Reduction, IntegersOfEveryWidth) {
  struct Row {
    const char *op;
    uint64_t (*combine)(uint64_t a, uint64_t b, int bits);
  };
  auto extended = [](uint64_t v, int bits) { return int64_t(v << (64 - bits)) >> (64 - bits); };
  static auto sext = extended;
  const Row rows[] = {
      {"addi", [](uint64_t a, uint64_t b, int) { return a + b; }},
      {"muli", [](uint64_t a, uint64_t b, int) { return a * b; }},
      {"xori", [](uint64_t a, uint64_t b, int) { return a ^ b; }},
      {"ori", [](uint64_t a, uint64_t b, int) { return a | b; }},
      {"andi", [](uint64_t a, uint64_t b, int) { return a & b; }},
      {"maxsi", [](uint64_t a, uint64_t b, int w) { return sext(a, w) > sext(b, w) ? a : b; }},
      {"minsi", [](uint64_t a, uint64_t b, int w) { return sext(a, w) < sext(b, w) ? a : b; }},
      {"maxui", [](uint64_t a, uint64_t b, int) { return std::max(a, b); }},
      {"minui", [](uint64_t a, uint64_t b, int) { return std::min(a, b); }},
  };
  std::mt19937_64 random(5);
  auto check = [&](auto zero, const Row &row) {
    using T = decltype(zero);
    constexpr int kBits = sizeof(T) * 8, kCount = 64;
    std::string type = "i" + std::to_string(kBits);
    LoadedKernel kernel =
        compile("%x: !tile.ptr<" + type + ">, %y: !tile.ptr<" + type + ">",
                reduceRow(kCount, type, std::string("%s = arith.") + row.op + " %a, %b : " + type));
    GuardedBuffer<T> x(kCount), y(1);
    for (int i = 0; i < kCount; ++i)
      x[i] = T(random()) | (row.op == std::string("muli"));
    kernel.run({x.argument(), y.argument()}, 1);
    uint64_t expected = x[0];
    for (int i = 1; i < kCount; ++i)
      expected = row.combine(expected, x[i], kBits);
    ASSERT_EQ(y[0], T(expected)) << row.op << " " << type;
  };
  for (const Row &row : rows) {
    check(uint8_t(), row);
    check(uint16_t(), row);
    check(uint32_t(), row);
    check(uint64_t(), row);
  }
}

TEST_P(Reduction, SumsOfHalvesRoundToHalfAfterEveryAddition) {
  // 2048 + 1 is 2048 in f16: each lane's sum of ones stops there.
  LoadedKernel kernel = compile("%x: !tile.ptr<f16>, %y: !tile.ptr<f16>",
                                reduceRow(1024, "f16", "%s = arith.addf %a, %b : f16"));
  GuardedBuffer<uint16_t> x(1024, 0x3c00), y(1);
  kernel.run({x.argument(), y.argument()}, 1);
  EXPECT_EQ(y[0], 0x6400); // 1024
  for (size_t i = 0; i < 1024; ++i)
    x[i] = 0x3c01; // 1 + 2^-10: partial sums must round
  kernel.run({x.argument(), y.argument()}, 1);
  // 1024 times 1.0009765625 is 1025; rounding on the way may cost a few units of 1.
  EXPECT_NEAR(y[0], 0x6401, 8);
}

/// (value, index) of the largest element, the least index of equal ones.
constexpr const char *kArgmaxRegion = R"(
    ^bb0(%v1: f32, %i1: i32, %v2: f32, %i2: i32):
      %same = arith.cmpf oeq, %v1, %v2 : f32
      %before = arith.cmpi slt, %i1, %i2 : i32
      %tie = arith.andi %same, %before : i1
      %greater = arith.cmpf ogt, %v1, %v2 : f32
      %first = arith.ori %greater, %tie : i1
      %vv = arith.select %first, %v1, %v2 : f32
      %i = arith.select %first, %i1, %i2 : i32
      tile.yield %vv, %i : f32, i32
    })";

TEST_P(Reduction, FindsTheFirstLargestElement) {
  for (auto [r, c] : kShapes)
    for (int axis : {0, 1}) {
      int count = axis == 0 ? c : r;
      LoadedKernel kernel =
          compile(arguments("f32", "i32"),
                  loadTile(r, c, "f32", "-1000.0") +
                      fill("\n    %best, %r = tile.reduce %v, %$I axis $A : (tensor<$Rx$Cxf32>, "
                           "tensor<$Rx$Cxi32>) -> (tensor<$Nxf32>, tensor<$Nxi32>) {",
                           {{"$A", std::to_string(axis)},
                            {"$I", axis == 0 ? "rowIndex" : "columnIndex"},
                            {"$R", std::to_string(r)},
                            {"$C", std::to_string(c)},
                            {"$N", std::to_string(count)}}) +
                      kArgmaxRegion + storeResult(count, "i32"));
      int stride = c, rows = r, columns = c;
      GuardedBuffer<float> x(size_t(r) * c);
      GuardedBuffer<int> y(count, -1);
      for (size_t i = 0; i < x.size(); ++i)
        x[i] = float(i * 5 % 7);
      kernel.run({x.argument(), &stride, &rows, &columns, y.argument()}, 1);
      for (int i = 0; i < count; ++i) {
        int best = 0;
        auto at = [&](int j) { return axis == 0 ? x[j * c + i] : x[i * c + j]; };
        for (int j = 0; j < (axis == 0 ? r : c); ++j)
          if (at(j) > at(best))
            best = j;
        ASSERT_EQ(y[i], best) << r << "x" << c << " axis " << axis << " at " << i;
      }
    }
}

TEST_P(Reduction, SoftmaxOfOneRowCompilesToTheSameCodeForEveryBlock) {
  size_t bytes = 0;
  for (int block : {1024, 65536}) {
    LoadedKernel kernel = compile("%x: !tile.ptr<f32>, %n: i32, %y: !tile.ptr<f32>",
                                  fill(R"(
    %range = tile.arange 0 to $N : tensor<$Nxi32>
    %ns = tile.splat %n : i32 -> tensor<$Nxi32>
    %mask = arith.cmpi slt, %range, %ns : tensor<$Nxi32>
    %xs = tile.splat %x : !tile.ptr<f32> -> tensor<$Nx!tile.ptr<f32>>
    %xp = tile.addptr %xs, %range : tensor<$Nx!tile.ptr<f32>>, tensor<$Nxi32>
    %other = arith.constant dense<0xFF800000> : tensor<$Nxf32>
    %v = tile.load %xp mask %mask other %other : tensor<$Nx!tile.ptr<f32>> mask tensor<$Nxi1> other tensor<$Nxf32> -> tensor<$Nxf32>
    %m = tile.reduce %v axis 0 : (tensor<$Nxf32>) -> f32 {
    ^bb0(%a: f32, %b: f32):
      %s = arith.maxnumf %a, %b : f32
      tile.yield %s : f32
    }
    %ms = tile.splat %m : f32 -> tensor<$Nxf32>
    %d = arith.subf %v, %ms : tensor<$Nxf32>
    %e = math.exp %d : tensor<$Nxf32>
    %t = tile.reduce %e axis 0 : (tensor<$Nxf32>) -> f32 {
    ^bb0(%a: f32, %b: f32):
      %s = arith.addf %a, %b : f32
      tile.yield %s : f32
    }
    %ts = tile.splat %t : f32 -> tensor<$Nxf32>
    %q = arith.divf %e, %ts : tensor<$Nxf32>
    %ys = tile.splat %y : !tile.ptr<f32> -> tensor<$Nx!tile.ptr<f32>>
    %yp = tile.addptr %ys, %range : tensor<$Nx!tile.ptr<f32>>, tensor<$Nxi32>
    tile.store %yp, %q mask %mask : tensor<$Nx!tile.ptr<f32>>, tensor<$Nxf32> mask tensor<$Nxi1>)",
                                       {{"$N", std::to_string(block)}}));
    EXPECT_NEAR(double(imageBytes_), double(bytes ? bytes : imageBytes_), 600);
    bytes = imageBytes_;
    for (int n : {1, 7, 100, 781, 1024}) {
      GuardedBuffer<float> x(n), y(n);
      double sum = 0;
      for (int i = 0; i < n; ++i) {
        x[i] = float(std::sin(i) * 5);
        sum += std::exp(double(x[i]));
      }
      kernel.run({x.argument(), &n, y.argument()}, 1);
      for (int i = 0; i < n; ++i)
        ASSERT_NEAR(y[i], std::exp(double(x[i])) / sum, 1e-6) << block << " " << n << " " << i;
    }
  }
}

} // namespace
} // namespace inlay
