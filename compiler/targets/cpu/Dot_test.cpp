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
std::string loadColumns(const std::string &name, std::array<int, 2> shape,
                        std::array<int, 2> inside, int pitch, const std::string &type) {
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
        sum +=
            smallInteger(size_t(k) * inside.m + i, 1) * smallInteger(size_t(j) * inside.k + k, 5);
      ASSERT_EQ(d[size_t(i) * s.n + j], float(sum))
          << i << " " << j << " of " << s.m << "x" << s.n << "x" << s.k;
    }
}

std::string transposedDotBody(Sizes s, Sizes inside, const std::string &operand) {
  const std::string c = std::to_string(s.m) + "x" + std::to_string(s.n);
  return loadColumns("a", {s.m, s.k}, {inside.m, inside.k}, inside.m, operand) +
         loadColumns("b", {s.k, s.n}, {inside.k, inside.n}, inside.k, operand) +
         loadDense("c", c, s.m * s.n, "f32") +
         fill("\n    %d = tile.dot %a, %b, %c : tensor<$Mx$Kx$T>, tensor<$Kx$Nx$T> -> "
              "tensor<$Cxf32>",
              {{"$M", std::to_string(s.m)},
               {"$N", std::to_string(s.n)},
               {"$K", std::to_string(s.k)},
               {"$C", c},
               {"$T", operand}}) +
         storeDense(c, s.m * s.n, "f32");
}

TEST_P(Dot, MultipliesOperandsStoredByColumns) {
  for (auto [s, inside] : {std::pair(Sizes{0, 1, 1, 16}, Sizes{0, 1, 1, 16}),
                           {{0, 2, 4, 2}, {0, 2, 3, 1}},
                           {{0, 4, 8, 4}, {0, 3, 8, 4}},
                           {{0, 16, 8, 32}, {0, 11, 7, 29}},
                           {{0, 32, 64, 16}, {0, 32, 64, 16}},
                           {{0, 8, 128, 64}, {0, 8, 100, 33}},
                           {{0, 64, 16, 32}, {0, 41, 15, 32}}}) {
    checkTransposedDot<float>(
        compile(dotArguments("f32", "f32"), transposedDotBody(s, inside, "f32")), s, inside,
        [](float v) { return v; });
    checkTransposedDot<uint16_t>(
        compile(dotArguments("bf16", "f32"), transposedDotBody(s, inside, "bf16")), s, inside,
        toBFloat16);
  }
}

/// Defines %$P, the position along `axis` of each element of a tile of the shape.
std::string positions(const std::string &name, std::vector<int> shape, size_t axis) {
  const std::string size = std::to_string(shape[axis]);
  std::string text =
      fill("\n    %$P0 = tile.arange 0 to $S : tensor<$Sxi32>", {{"$P", name}, {"$S", size}});
  std::string from = size, last = name + "0";
  for (size_t i = 0; i < shape.size(); ++i) {
    if (i == axis)
      continue;
    const std::string to = i < axis ? "1x" + from : from + "x1",
                      next = name + "e" + std::to_string(i);
    text += fill("\n    %$Q = tile.expand_dims %$L, $I : tensor<$Fxi32> -> tensor<$Txi32>",
                 {{"$Q", next}, {"$L", last}, {"$I", std::to_string(i)}, {"$F", from}, {"$T", to}});
    from = to;
    last = next;
  }
  std::string full;
  for (int dimension : shape)
    full += (full.empty() ? "" : "x") + std::to_string(dimension);
  return text + fill("\n    %$P = tile.broadcast %$L : tensor<$Fxi32> -> tensor<$Txi32>",
                     {{"$P", name}, {"$L", last}, {"$F", from}, {"$T", full}});
}

struct Pixels {
  int m, k, h, w;    ///< of the tiles
  int height, width; ///< pixels that are there, and that are stored
};

/// d[m, h, w] = sum over k of a[m, k] · x[k, h, w - 1], where x is 0 outside of its rows: the
/// columns of the right operand, and of the result, are two dimensions.
std::string pixelsBody(Pixels p) {
  return loadDense("a", std::to_string(p.m) + "x" + std::to_string(p.k), p.m * p.k, "f32") +
         positions("k", {p.k, p.h, p.w}, 0) + positions("y", {p.k, p.h, p.w}, 1) +
         positions("z", {p.k, p.h, p.w}, 2) + positions("dm", {p.m, p.h, p.w}, 0) +
         positions("dy", {p.m, p.h, p.w}, 1) + positions("dx", {p.m, p.h, p.w}, 2) +
         fill(R"(
    %one = arith.constant dense<1> : tensor<$Bxi32>
    %zero = arith.constant dense<0> : tensor<$Bxi32>
    %bh = arith.constant dense<$H> : tensor<$Bxi32>
    %bw = arith.constant dense<$W> : tensor<$Bxi32>
    %x = arith.subi %z, %one : tensor<$Bxi32>
    %m0 = arith.cmpi sge, %x, %zero : tensor<$Bxi32>
    %m1 = arith.cmpi slt, %x, %bw : tensor<$Bxi32>
    %m2 = arith.cmpi slt, %y, %bh : tensor<$Bxi32>
    %m01 = arith.andi %m0, %m1 : tensor<$Bxi1>
    %mask = arith.andi %m01, %m2 : tensor<$Bxi1>
    %r0 = arith.muli %k, %bh : tensor<$Bxi32>
    %r1 = arith.addi %r0, %y : tensor<$Bxi32>
    %r2 = arith.muli %r1, %bw : tensor<$Bxi32>
    %r3 = arith.addi %r2, %x : tensor<$Bxi32>
    %bases = tile.splat %b0 : !tile.ptr<f32> -> tensor<$Bx!tile.ptr<f32>>
    %ptrs = tile.addptr %bases, %r3 : tensor<$Bx!tile.ptr<f32>>, tensor<$Bxi32>
    %other = arith.constant dense<0.0> : tensor<$Bxf32>
    %seen = tile.load %ptrs mask %mask other %other : tensor<$Bx!tile.ptr<f32>> mask tensor<$Bxi1> other tensor<$Bxf32> -> tensor<$Bxf32>
    %b = tile.reshape %seen : tensor<$Bxf32> -> tensor<$Nxf32>
    %none = arith.constant dense<0.0> : tensor<$Cxf32>
    %sum = tile.dot %a, %b, %none : tensor<$Axf32>, tensor<$Nxf32> -> tensor<$Cxf32>
    %d = tile.reshape %sum : tensor<$Cxf32> -> tensor<$Dxf32>
    %dh = arith.constant dense<$H> : tensor<$Dxi32>
    %dw = arith.constant dense<$W> : tensor<$Dxi32>
    %n0 = arith.cmpi slt, %dy, %dh : tensor<$Dxi32>
    %n1 = arith.cmpi slt, %dx, %dw : tensor<$Dxi32>
    %inside = arith.andi %n0, %n1 : tensor<$Dxi1>
    %s0 = arith.muli %dm, %dh : tensor<$Dxi32>
    %s1 = arith.addi %s0, %dy : tensor<$Dxi32>
    %s2 = arith.muli %s1, %dw : tensor<$Dxi32>
    %s3 = arith.addi %s2, %dx : tensor<$Dxi32>
    %to = tile.splat %d0 : !tile.ptr<f32> -> tensor<$Dx!tile.ptr<f32>>
    %at = tile.addptr %to, %s3 : tensor<$Dx!tile.ptr<f32>>, tensor<$Dxi32>
    tile.store %at, %d mask %inside : tensor<$Dx!tile.ptr<f32>>, tensor<$Dxf32> mask tensor<$Dxi1>)",
              {{"$A", std::to_string(p.m) + "x" + std::to_string(p.k)},
               {"$B", std::to_string(p.k) + "x" + std::to_string(p.h) + "x" + std::to_string(p.w)},
               {"$N", std::to_string(p.k) + "x" + std::to_string(p.h * p.w)},
               {"$C", std::to_string(p.m) + "x" + std::to_string(p.h * p.w)},
               {"$D", std::to_string(p.m) + "x" + std::to_string(p.h) + "x" + std::to_string(p.w)},
               {"$H", std::to_string(p.height)},
               {"$W", std::to_string(p.width)}});
}

TEST_P(Dot, MultipliesRectanglesOfPixels) {
  for (Pixels p :
       {Pixels{8, 4, 4, 8, 4, 8}, Pixels{16, 8, 8, 8, 5, 7}, Pixels{4, 16, 2, 64, 1, 50},
        Pixels{32, 8, 4, 16, 3, 14}, Pixels{2, 4, 1, 32, 1, 31}, Pixels{8, 2, 16, 2, 9, 2}}) {
    const LoadedKernel kernel = compile(dotArguments("f32", "f32"), pixelsBody(p));
    GuardedBuffer<float> a(size_t(p.m) * p.k), x(size_t(p.k) * p.height * p.width), c(1),
        d(size_t(p.m) * p.height * p.width, -1);
    for (size_t i = 0; i < a.size(); ++i)
      a[i] = float(smallInteger(i, 1));
    for (size_t i = 0; i < x.size(); ++i)
      x[i] = float(smallInteger(i, 5));
    kernel.run({a.argument(), x.argument(), c.argument(), d.argument()}, 1);
    for (size_t i = 0; i < d.size(); ++i) {
      const size_t column = i % p.width, row = i / p.width % p.height, m = i / p.width / p.height;
      int sum = 0;
      for (int k = 0; k < p.k && column > 0; ++k)
        sum += smallInteger(m * p.k + k, 1) *
               smallInteger((size_t(k) * p.height + row) * p.width + column - 1, 5);
      ASSERT_EQ(d[i], float(sum)) << m << " " << row << " " << column << " of " << p.m << "x" << p.k
                                  << "x" << p.h << "x" << p.w;
    }
  }
}

/// Stores 3 rows of a product, and the sum of all its columns if `sums`.
std::string partBody(Sizes s, bool sums) {
  const std::string c = std::to_string(s.m) + "x" + std::to_string(s.n);
  std::string body = dotBody(s, "f32", "f32");
  body.erase(body.find("\n    %srange"));
  body += positions("i", {s.m, s.n}, 0) + positions("j", {s.m, s.n}, 1) +
          fill(R"(
    %rows = arith.constant dense<3> : tensor<$Cxi32>
    %pitch = arith.constant dense<$N> : tensor<$Cxi32>
    %inside = arith.cmpi slt, %i, %rows : tensor<$Cxi32>
    %o0 = arith.muli %i, %pitch : tensor<$Cxi32>
    %o1 = arith.addi %o0, %j : tensor<$Cxi32>
    %to = tile.splat %d0 : !tile.ptr<f32> -> tensor<$Cx!tile.ptr<f32>>
    %at = tile.addptr %to, %o1 : tensor<$Cx!tile.ptr<f32>>, tensor<$Cxi32>
    tile.store %at, %d mask %inside : tensor<$Cx!tile.ptr<f32>>, tensor<$Cxf32> mask tensor<$Cxi1>)",
               {{"$C", c}, {"$N", std::to_string(s.n)}});
  if (!sums)
    return body;
  return body + fill(R"(
    %total = "tile.reduce"(%d) ({
    ^bb0(%x: f32, %y: f32):
      %xy = arith.addf %x, %y : f32
      tile.yield %xy : f32
    }) {axis = 0 : i32} : (tensor<$Cxf32>) -> tensor<$Nxf32>
    %behind = arith.constant dense<$O> : tensor<$Nxi32>
    %t0 = tile.arange 0 to $N : tensor<$Nxi32>
    %t1 = arith.addi %t0, %behind : tensor<$Nxi32>
    %t2 = tile.splat %d0 : !tile.ptr<f32> -> tensor<$Nx!tile.ptr<f32>>
    %t3 = tile.addptr %t2, %t1 : tensor<$Nx!tile.ptr<f32>>, tensor<$Nxi32>
    tile.store %t3, %total : tensor<$Nx!tile.ptr<f32>>, tensor<$Nxf32>)",
                     {{"$C", c}, {"$N", std::to_string(s.n)}, {"$O", std::to_string(3 * s.n)}});
}

// Rows that are not stored need not be computed, unless something else reads them.
TEST_P(Dot, ComputesWhatIsReadBesidesStores) {
  const Sizes s{0, 32, 16, 8};
  for (bool sums : {false, true}) {
    const LoadedKernel kernel = compile(dotArguments("f32", "f32"), partBody(s, sums));
    GuardedBuffer<float> a(size_t(s.m) * s.k), b(size_t(s.k) * s.n), c(size_t(s.m) * s.n),
        d(size_t(sums ? 4 : 3) * s.n);
    for (size_t i = 0; i < a.size(); ++i)
      a[i] = float(smallInteger(i, 1));
    for (size_t i = 0; i < b.size(); ++i)
      b[i] = float(smallInteger(i, 5));
    for (size_t i = 0; i < c.size(); ++i)
      c[i] = float(smallInteger(i, 3));
    kernel.run({a.argument(), b.argument(), c.argument(), d.argument()}, 1);
    for (int j = 0; j < s.n; ++j) {
      int total = 0;
      for (int i = 0; i < s.m; ++i) {
        int sum = smallInteger(size_t(i) * s.n + j, 3);
        for (int k = 0; k < s.k; ++k)
          sum += smallInteger(size_t(i) * s.k + k, 1) * smallInteger(size_t(k) * s.n + j, 5);
        total += sum;
        if (i < 3) {
          ASSERT_EQ(d[size_t(i) * s.n + j], float(sum)) << i << " " << j;
        }
      }
      if (sums) {
        ASSERT_EQ(d[size_t(3) * s.n + j], float(total)) << j;
      }
    }
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
                           std::array{31, 100, 70}, std::array{64, 64, 70}}) {
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
