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
