// tile.dot on the CPU against plain loops.
#include "compiler/targets/cpu/KernelFixture.h"
#include "compiler/targets/cpu/MatmulKernel.h"

#include <bit>
#include <cmath>

namespace inlay {
namespace {

using testing::CpuKernel, testing::fill, testing::GuardedBuffer, testing::LoadedKernel;

class Dot : public CpuKernel {};
INSTANTIATE_TEST_SUITE_P(Levels, Dot, ::testing::ValuesIn(testing::runnableLevels()),
                         testing::levelName);

/// Defines %$P, the row-major tile of the shape at pointer %$P0.
std::string loadDense(const std::string &name, const std::string &shape, int count,
                      const std::string &type) {
  return fill(R"(
    %$Prange = tile.arange 0 to $C : tensor<$Cxi32>
    %$Pbases = tile.splat %$P0 : !tile.ptr<$T> -> tensor<$Cx!tile.ptr<$T>>
    %$Pflat = tile.addptr %$Pbases, %$Prange : tensor<$Cx!tile.ptr<$T>>, tensor<$Cxi32>
    %$Pptrs = tile.reshape %$Pflat : tensor<$Cx!tile.ptr<$T>> -> tensor<$Sx!tile.ptr<$T>>
    %$P = tile.load %$Pptrs : tensor<$Sx!tile.ptr<$T>> -> tensor<$Sx$T>)",
              {{"$P", name}, {"$C", std::to_string(count)}, {"$S", shape}, {"$T", type}});
}

std::string storeDense(const std::string &shape, int count, const std::string &type) {
  return fill(R"(
    %srange = tile.arange 0 to $C : tensor<$Cxi32>
    %sbases = tile.splat %d0 : !tile.ptr<$T> -> tensor<$Cx!tile.ptr<$T>>
    %sflat = tile.addptr %sbases, %srange : tensor<$Cx!tile.ptr<$T>>, tensor<$Cxi32>
    %sptrs = tile.reshape %sflat : tensor<$Cx!tile.ptr<$T>> -> tensor<$Sx!tile.ptr<$T>>
    tile.store %sptrs, %d : tensor<$Sx!tile.ptr<$T>>, tensor<$Sx$T>)",
              {{"$C", std::to_string(count)}, {"$S", shape}, {"$T", type}});
}

struct Sizes {
  int batch, m, n, k; ///< batch 0: rank 2
};

/// d = a · b + c, all dense.
std::string dotBody(Sizes s, const std::string &operand, const std::string &accumulator) {
  auto shape = [&](int rows, int columns) {
    return (s.batch ? std::to_string(s.batch) + "x" : "") + std::to_string(rows) + "x" +
           std::to_string(columns);
  };
  int batch = std::max(s.batch, 1);
  std::string a = shape(s.m, s.k), b = shape(s.k, s.n), c = shape(s.m, s.n);
  return loadDense("a", a, batch * s.m * s.k, operand) +
         loadDense("b", b, batch * s.k * s.n, operand) +
         loadDense("c", c, batch * s.m * s.n, accumulator) +
         fill("\n    %d = tile.dot %a, %b, %c : tensor<$Ax$T>, tensor<$Bx$T> -> tensor<$Cx$R>",
              {{"$A", a}, {"$B", b}, {"$C", c}, {"$T", operand}, {"$R", accumulator}}) +
         storeDense(c, batch * s.m * s.n, accumulator);
}

std::string dotArguments(const std::string &operand, const std::string &accumulator) {
  return fill("%a0: !tile.ptr<$T>, %b0: !tile.ptr<$T>, %c0: !tile.ptr<$R>, %d0: !tile.ptr<$R>",
              {{"$T", operand}, {"$R", accumulator}});
}

uint16_t toBFloat16(float value) { return uint16_t(std::bit_cast<uint32_t>(value) >> 16); }
/// Small integers alone.
uint16_t toFloat16(float value) { return std::bit_cast<uint16_t>(_Float16(value)); }

/// Small integers, so that every order of summation is exact.
int smallInteger(size_t i, int seed) { return int((i * 7 + size_t(seed)) % 9) - 4; }

template <typename Operand, typename Accumulator, typename Encode, typename Decode>
void checkDot(const LoadedKernel &kernel, Sizes s, Encode encode, Decode decode) {
  int batch = std::max(s.batch, 1);
  GuardedBuffer<Operand> a(size_t(batch) * s.m * s.k), b(size_t(batch) * s.k * s.n);
  GuardedBuffer<Accumulator> c(size_t(batch) * s.m * s.n), d(c.size());
  for (size_t i = 0; i < a.size(); ++i)
    a[i] = Operand(encode(float(smallInteger(i, 1))));
  for (size_t i = 0; i < b.size(); ++i)
    b[i] = Operand(encode(float(smallInteger(i, 5))));
  for (size_t i = 0; i < c.size(); ++i)
    c[i] = decode(float(smallInteger(i, 3)));
  kernel.run({a.argument(), b.argument(), c.argument(), d.argument()}, 1);
  for (int z = 0; z < batch; ++z)
    for (int i = 0; i < s.m; ++i)
      for (int j = 0; j < s.n; ++j) {
        size_t at = (size_t(z) * s.m + i) * s.n + j;
        int sum = smallInteger(at, 3);
        for (int k = 0; k < s.k; ++k)
          sum += smallInteger((size_t(z) * s.m + i) * s.k + k, 1) *
                 smallInteger((size_t(z) * s.k + k) * s.n + j, 5);
        ASSERT_EQ(d[at], decode(float(sum)))
            << z << " " << i << " " << j << " of " << s.m << "x" << s.n << "x" << s.k;
      }
}

constexpr Sizes kSizes[] = {{0, 1, 1, 1},   {0, 1, 1, 16},   {0, 2, 4, 2},    {0, 4, 2, 64},
                            {0, 8, 8, 8},   {0, 16, 16, 16}, {0, 32, 64, 16}, {0, 64, 32, 32},
                            {0, 1, 128, 4}, {0, 128, 1, 8},  {2, 4, 8, 16},   {4, 16, 32, 8}};

TEST_P(Dot, MultipliesEveryShape) {
  for (Sizes s : kSizes) {
    auto same = [](float v) { return v; };
    checkDot<float, float>(compile(dotArguments("f32", "f32"), dotBody(s, "f32", "f32")), s, same,
                           same);
  }
}

/// Defines %$P, a tile of `rows` x `columns` whose columns follow each other in memory at pointer
/// %$P0, `pitch` elements apart; what is outside of `insideRows` x `insideColumns` is 0.
std::string loadColumns(const std::string &name, std::array<int, 2> shape, std::array<int, 2> inside,
                        int pitch, const std::string &type) {
  return fill(R"(
    %$Pi = tile.arange 0 to $R : tensor<$Rxi32>
    %$Pj = tile.arange 0 to $C : tensor<$Cxi32>
    %$Pi1 = tile.expand_dims %$Pi, 1 : tensor<$Rxi32> -> tensor<$Rx1xi32>
    %$Pj1 = tile.expand_dims %$Pj, 0 : tensor<$Cxi32> -> tensor<1x$Cxi32>
    %$Plasti = arith.constant dense<$I> : tensor<$Rx1xi32>
    %$Plastj = arith.constant dense<$J> : tensor<1x$Cxi32>
    %$Pini = arith.cmpi slt, %$Pi1, %$Plasti : tensor<$Rx1xi32>
    %$Pinj = arith.cmpi slt, %$Pj1, %$Plastj : tensor<1x$Cxi32>
    %$Pini2 = tile.broadcast %$Pini : tensor<$Rx1xi1> -> tensor<$Rx$Cxi1>
    %$Pinj2 = tile.broadcast %$Pinj : tensor<1x$Cxi1> -> tensor<$Rx$Cxi1>
    %$Pmask = arith.andi %$Pini2, %$Pinj2 : tensor<$Rx$Cxi1>
    %$Ppitch = arith.constant dense<$H> : tensor<1x$Cxi32>
    %$Pj2 = arith.muli %$Pj1, %$Ppitch : tensor<1x$Cxi32>
    %$Pi3 = tile.broadcast %$Pi1 : tensor<$Rx1xi32> -> tensor<$Rx$Cxi32>
    %$Pj3 = tile.broadcast %$Pj2 : tensor<1x$Cxi32> -> tensor<$Rx$Cxi32>
    %$Poffsets = arith.addi %$Pi3, %$Pj3 : tensor<$Rx$Cxi32>
    %$Pbases = tile.splat %$P0 : !tile.ptr<$T> -> tensor<$Rx$Cx!tile.ptr<$T>>
    %$Pptrs = tile.addptr %$Pbases, %$Poffsets : tensor<$Rx$Cx!tile.ptr<$T>>, tensor<$Rx$Cxi32>
    %$Pother = arith.constant dense<0.0> : tensor<$Rx$Cx$T>
    %$P = tile.load %$Pptrs mask %$Pmask other %$Pother : tensor<$Rx$Cx!tile.ptr<$T>> mask tensor<$Rx$Cxi1> other tensor<$Rx$Cx$T> -> tensor<$Rx$Cx$T>)",
              {{"$P", name},
               {"$R", std::to_string(shape[0])},
               {"$C", std::to_string(shape[1])},
               {"$I", std::to_string(inside[0])},
               {"$J", std::to_string(inside[1])},
               {"$H", std::to_string(pitch)},
               {"$T", type}});
}

/// d = a · b + c, where a and b are stored by columns and only `inside` of them is there.
template <typename T>
void checkTransposedDot(const LoadedKernel &kernel, Sizes s, Sizes inside, T (*encode)(float)) {
  GuardedBuffer<T> a(size_t(inside.m) * inside.k), b(size_t(inside.k) * inside.n);
  GuardedBuffer<float> c(size_t(s.m) * s.n, 1), d(c.size());
  for (size_t i = 0; i < a.size(); ++i)
    a[i] = encode(float(smallInteger(i, 1)));
  for (size_t i = 0; i < b.size(); ++i)
    b[i] = encode(float(smallInteger(i, 5)));
  kernel.run({a.argument(), b.argument(), c.argument(), d.argument()}, 1);
  for (int i = 0; i < s.m; ++i)
    for (int j = 0; j < s.n; ++j) {
      int sum = 1;
      for (int k = 0; k < inside.k && i < inside.m && j < inside.n; ++k)
        sum += smallInteger(size_t(k) * inside.m + i, 1) * smallInteger(size_t(j) * inside.k + k, 5);
      ASSERT_EQ(d[size_t(i) * s.n + j], float(sum))
          << i << " " << j << " of " << s.m << "x" << s.n << "x" << s.k;
    }
}

std::string transposedDotBody(Sizes s, Sizes inside, const std::string &operand) {
  const std::string c = std::to_string(s.m) + "x" + std::to_string(s.n);
  return loadColumns("a", {s.m, s.k}, {inside.m, inside.k}, inside.m, operand) +
         loadColumns("b", {s.k, s.n}, {inside.k, inside.n}, inside.k, operand) +
         loadDense("c", c, s.m * s.n, "f32") +
         fill("\n    %d = tile.dot %a, %b, %c : tensor<$Mx$Kx$T>, tensor<$Kx$Nx$T> -> tensor<$Cxf32>",
              {{"$M", std::to_string(s.m)},
               {"$N", std::to_string(s.n)},
               {"$K", std::to_string(s.k)},
               {"$C", c},
               {"$T", operand}}) +
         storeDense(c, s.m * s.n, "f32");
}

TEST_P(Dot, MultipliesOperandsStoredByColumns) {
  for (auto [s, inside] :
       {std::pair(Sizes{0, 1, 1, 16}, Sizes{0, 1, 1, 16}), {{0, 2, 4, 2}, {0, 2, 3, 1}},
        {{0, 4, 8, 4}, {0, 3, 8, 4}}, {{0, 16, 8, 32}, {0, 11, 7, 29}},
        {{0, 32, 64, 16}, {0, 32, 64, 16}}, {{0, 8, 128, 64}, {0, 8, 100, 33}},
        {{0, 64, 16, 32}, {0, 41, 15, 32}}}) {
    checkTransposedDot<float>(
        compile(dotArguments("f32", "f32"), transposedDotBody(s, inside, "f32")), s, inside,
        [](float v) { return v; });
    checkTransposedDot<uint16_t>(
        compile(dotArguments("bf16", "f32"), transposedDotBody(s, inside, "bf16")), s, inside,
        toBFloat16);
  }
}

TEST_P(Dot, MultipliesEveryType) {
  for (Sizes s : {Sizes{0, 8, 4, 16}, Sizes{0, 32, 64, 16}, Sizes{2, 4, 32, 4}}) {
    auto asFloat = [](float v) { return v; };
    checkDot<double, double>(compile(dotArguments("f64", "f64"), dotBody(s, "f64", "f64")), s,
                             asFloat, [](float v) { return double(v); });
    checkDot<uint16_t, float>(compile(dotArguments("f16", "f32"), dotBody(s, "f16", "f32")), s,
                              toFloat16, asFloat);
    checkDot<uint16_t, float>(compile(dotArguments("bf16", "f32"), dotBody(s, "bf16", "f32")), s,
                              toBFloat16, asFloat);
    checkDot<uint16_t, uint16_t>(compile(dotArguments("f16", "f16"), dotBody(s, "f16", "f16")), s,
                                 toFloat16, toFloat16);
    checkDot<int8_t, int32_t>(
        compile(dotArguments("i8", "i32"), dotBody(s, "i8", "i32")), s,
        [](float v) { return int8_t(v); }, [](float v) { return int32_t(v); });
  }
}

TEST_P(Dot, RunsTheTutorialsMatrixProduct) {
  for (auto [bm, bn, bk] :
       {std::array{16, 16, 16}, std::array{64, 32, 16}, std::array{32, 64, 32}}) {
    LoadedKernel kernel = compile(testing::kMatmulArguments, testing::matmulBody(bm, bn, bk));
    for (auto [m, n, k] : {std::array{64, 64, 64}, std::array{1, 1, 1}, std::array{65, 63, 17},
                           std::array{31, 100, 70}}) {
      GuardedBuffer<float> a(size_t(m) * k), b(size_t(k) * n), c(size_t(m) * n, -1);
      for (size_t i = 0; i < a.size(); ++i)
        a[i] = float(smallInteger(i, 2));
      for (size_t i = 0; i < b.size(); ++i)
        b[i] = float(smallInteger(i, 4));
      kernel.run({a.argument(), b.argument(), c.argument(), &m, &n, &k}, (m + bm - 1) / bm,
                 (n + bn - 1) / bn);
      for (int i = 0; i < m; ++i)
        for (int j = 0; j < n; ++j) {
          float sum = 0;
          for (int l = 0; l < k; ++l)
            sum += a[size_t(i) * k + l] * b[size_t(l) * n + j];
          ASSERT_EQ(c[size_t(i) * n + j], sum)
              << i << " " << j << " of " << m << " " << n << " " << k;
        }
    }
  }
}

TEST_P(Dot, CodeDoesNotGrowWithTheTile) {
  compile(testing::kMatmulArguments, testing::matmulBody(32, 32, 32));
  size_t small = imageBytes_;
  compile(testing::kMatmulArguments, testing::matmulBody(128, 128, 64));
  EXPECT_LE(imageBytes_, small + small / 4);
}

} // namespace
} // namespace inlay
