// Scans, joins, gathers, histograms, atomics and constants on the CPU against plain loops.
#include "compiler/targets/cpu/KernelFixture.h"

#include <algorithm>
#include <numeric>
#include <thread>

namespace inlay {
namespace {

using testing::CpuKernel, testing::fill, testing::GuardedBuffer, testing::LoadedKernel;

class Tiles : public CpuKernel {};
INSTANTIATE_TEST_SUITE_P(Levels, Tiles, ::testing::ValuesIn(testing::runnableLevels()),
                         testing::levelName);

/// Defines %NAME, the dense tile of the shape at pointer %NAME0, and %NAMEptrs.
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

/// Stores %NAME, dense, at %NAME0.
std::string storeDense(const std::string &name, const std::string &shape, int count,
                       const std::string &type) {
  return fill(R"(
    %$Prange = tile.arange 0 to $C : tensor<$Cxi32>
    %$Pbases = tile.splat %$P0 : !tile.ptr<$T> -> tensor<$Cx!tile.ptr<$T>>
    %$Pflat = tile.addptr %$Pbases, %$Prange : tensor<$Cx!tile.ptr<$T>>, tensor<$Cxi32>
    %$Pptrs = tile.reshape %$Pflat : tensor<$Cx!tile.ptr<$T>> -> tensor<$Sx!tile.ptr<$T>>
    tile.store %$Pptrs, %$P : tensor<$Sx!tile.ptr<$T>>, tensor<$Sx$T>)",
              {{"$P", name}, {"$C", std::to_string(count)}, {"$S", shape}, {"$T", type}});
}

std::string shapeText(int rows, int columns) {
  return std::to_string(rows) + "x" + std::to_string(columns);
}

template <typename T>
void checkEveryOther(const LoadedKernel &kernel, int count, int inside) {
  // The last element asked for is the last that is there.
  GuardedBuffer<T> x(size_t(2 * inside - 1)), y(size_t(count), T(0));
  for (size_t i = 0; i < x.size(); ++i)
    x[i] = T(i + 1);
  kernel.run({x.argument(), y.argument(), &inside}, 1);
  for (int i = 0; i < count; ++i)
    ASSERT_EQ(y[i], i < inside ? T(2 * i + 1) : T(7)) << i << " of " << inside;
}

TEST_P(Tiles, LoadsEveryOtherElement) {
  for (int count : {2, 8, 32, 128})
    for (const char *type : {"i8", "i16", "i32", "i64"}) {
      const LoadedKernel kernel =
          compile(fill("%x0: !tile.ptr<$T>, %y0: !tile.ptr<$T>, %n: i32", {{"$T", type}}),
                  fill(R"(
    %i = tile.arange 0 to $C : tensor<$Cxi32>
    %two = arith.constant dense<2> : tensor<$Cxi32>
    %at = arith.muli %i, %two : tensor<$Cxi32>
    %last = tile.splat %n : i32 -> tensor<$Cxi32>
    %inside = arith.cmpi slt, %i, %last : tensor<$Cxi32>
    %bases = tile.splat %x0 : !tile.ptr<$T> -> tensor<$Cx!tile.ptr<$T>>
    %ptrs = tile.addptr %bases, %at : tensor<$Cx!tile.ptr<$T>>, tensor<$Cxi32>
    %seven = arith.constant dense<7> : tensor<$Cx$T>
    %y = tile.load %ptrs mask %inside other %seven : tensor<$Cx!tile.ptr<$T>> mask tensor<$Cxi1> other tensor<$Cx$T> -> tensor<$Cx$T>)",
                       {{"$C", std::to_string(count)}, {"$T", type}}) +
                      storeDense("y", std::to_string(count), count, type));
      for (int inside : {1, count / 2, count}) {
        const std::string_view name(type);
        if (name == "i8")
          checkEveryOther<uint8_t>(kernel, count, inside);
        else if (name == "i16")
          checkEveryOther<uint16_t>(kernel, count, inside);
        else if (name == "i32")
          checkEveryOther<uint32_t>(kernel, count, inside);
        else
          checkEveryOther<uint64_t>(kernel, count, inside);
      }
    }
}

TEST_P(Tiles, ScansAlongBothDimensionsBothWays) {
  for (auto [r, c] : {std::pair(1, 64), {64, 1}, {8, 16}, {32, 64}, {2, 2}, {1, 1}})
    for (int axis : {0, 1})
      for (bool reverse : {false, true}) {
        std::string shape = shapeText(r, c);
        LoadedKernel kernel = compile("%x0: !tile.ptr<f32>, %y0: !tile.ptr<f32>",
                                      loadDense("x", shape, r * c, "f32") +
                                          fill(R"(
    %y = tile.scan %x axis $A $R : (tensor<$Sxf32>) -> tensor<$Sxf32> {
    ^bb0(%a: f32, %b: f32):
      %two = arith.constant 2.0 : f32
      %c = arith.mulf %b, %two : f32
      %s = arith.subf %c, %a : f32
      tile.yield %s : f32
    })",
                                               {{"$A", std::to_string(axis)},
                                                {"$R", reverse ? "reverse" : ""},
                                                {"$S", shape}}) +
                                          storeDense("y", shape, r * c, "f32"));
        GuardedBuffer<float> x(size_t(r) * c), y(x.size());
        for (size_t i = 0; i < x.size(); ++i)
          x[i] = float(int(i % 5));
        kernel.run({x.argument(), y.argument()}, 1);
        for (int i = 0; i < (axis == 0 ? c : r); ++i) {
          int n = axis == 0 ? r : c;
          float carried = 0;
          for (int j = 0; j < n; ++j) {
            int at = reverse ? n - 1 - j : j;
            size_t index = axis == 0 ? size_t(at) * c + i : size_t(i) * c + at;
            carried = j == 0 ? x[index] : 2 * x[index] - carried;
            ASSERT_EQ(y[index], carried) << shape << " axis " << axis << " at " << i << " " << at;
          }
        }
      }
}

TEST_P(Tiles, ScansSeveralOperandsTogether) {
  // The linear recurrence h = a h + b as pairs.
  LoadedKernel kernel =
      compile("%a0: !tile.ptr<f32>, %b0: !tile.ptr<f32>, %h0: !tile.ptr<f32>",
              loadDense("a", "4x32", 128, "f32") + loadDense("b", "4x32", 128, "f32") + R"(
    %p, %h = tile.scan %a, %b axis 1 : (tensor<4x32xf32>, tensor<4x32xf32>) -> (tensor<4x32xf32>, tensor<4x32xf32>) {
    ^bb0(%a1: f32, %b1: f32, %a2: f32, %b2: f32):
      %m = arith.mulf %a1, %a2 : f32
      %n = arith.mulf %b1, %a2 : f32
      %s = arith.addf %n, %b2 : f32
      tile.yield %m, %s : f32, f32
    })" + storeDense("h", "4x32", 128, "f32"));
  GuardedBuffer<float> a(128), b(128), h(128);
  for (size_t i = 0; i < 128; ++i) {
    a[i] = i % 3 ? 1.0f : -1.0f;
    b[i] = float(i % 7);
  }
  kernel.run({a.argument(), b.argument(), h.argument()}, 1);
  for (size_t row = 0; row < 4; ++row) {
    float carried = 0;
    for (size_t i = row * 32; i < row * 32 + 32; ++i) {
      carried = a[i] * carried + b[i];
      ASSERT_EQ(h[i], carried) << i;
    }
  }
}

TEST_P(Tiles, JoinsAndSplits) {
  for (auto [r, c] : {std::pair(1, 1), {1, 64}, {4, 8}, {16, 2}}) {
    std::string shape = shapeText(r, c);
    LoadedKernel kernel = compile(
        "%a0: !tile.ptr<i16>, %b0: !tile.ptr<i16>, %j0: !tile.ptr<i16>, %l0: !tile.ptr<i16>, "
        "%r0: !tile.ptr<i16>",
        loadDense("a", shape, r * c, "i16") + loadDense("b", shape, r * c, "i16") +
            fill(R"(
    %j = tile.join %a, %b : tensor<$Sxi16> -> tensor<$Sx2xi16>
    %first, %second = tile.split %j : tensor<$Sx2xi16> -> tensor<$Sxi16>
    %l = arith.addi %first, %first : tensor<$Sxi16>
    %r = arith.subi %second, %first : tensor<$Sxi16>)",
                 {{"$S", shape}}) +
            storeDense("j", shape + "x2", r * c * 2, "i16") + storeDense("l", shape, r * c, "i16") +
            storeDense("r", shape, r * c, "i16"));
    size_t count = size_t(r) * c;
    GuardedBuffer<int16_t> a(count), b(count), j(2 * count), left(count), right(count);
    for (size_t i = 0; i < count; ++i) {
      a[i] = int16_t(i * 3);
      b[i] = int16_t(1000 - i);
    }
    kernel.run({a.argument(), b.argument(), j.argument(), left.argument(), right.argument()}, 1);
    for (size_t i = 0; i < count; ++i) {
      ASSERT_EQ(j[2 * i], a[i]);
      ASSERT_EQ(j[2 * i + 1], b[i]);
      ASSERT_EQ(left[i], 2 * a[i]);
      ASSERT_EQ(right[i], b[i] - a[i]);
    }
  }
}

TEST_P(Tiles, SplitsWhatWasLoaded) {
  LoadedKernel kernel =
      compile("%x0: !tile.ptr<f32>, %l0: !tile.ptr<f32>, %r0: !tile.ptr<f32>",
              loadDense("x", "32x2", 64, "f32") +
                  "\n    %l, %r = tile.split %x : tensor<32x2xf32> -> tensor<32xf32>" +
                  storeDense("l", "32", 32, "f32") + storeDense("r", "32", 32, "f32"));
  GuardedBuffer<float> x(64), left(32), right(32);
  std::iota(x.data(), x.data() + 64, 0.0f);
  kernel.run({x.argument(), left.argument(), right.argument()}, 1);
  for (int i = 0; i < 32; ++i) {
    EXPECT_EQ(left[i], 2 * i);
    EXPECT_EQ(right[i], 2 * i + 1);
  }
}

TEST_P(Tiles, GathersAlongBothDimensions) {
  for (int axis : {0, 1}) {
    std::string indices = axis == 0 ? "32x8" : "4x16";
    int count = axis == 0 ? 256 : 64;
    LoadedKernel kernel = compile(
        "%x0: !tile.ptr<f32>, %i0: !tile.ptr<i32>, %y0: !tile.ptr<f32>",
        loadDense("x", "4x8", 32, "f32") + loadDense("i", indices, count, "i32") +
            fill("\n    %y = tile.gather %x, %i axis $A : tensor<4x8xf32>, tensor<$Ixi32> -> "
                 "tensor<$Ixf32>",
                 {{"$A", std::to_string(axis)}, {"$I", indices}}) +
            storeDense("y", indices, count, "f32"));
    GuardedBuffer<float> x(32), y(count);
    GuardedBuffer<int> i(count);
    for (int k = 0; k < 32; ++k)
      x[k] = float(k);
    for (int k = 0; k < count; ++k)
      i[k] = k * 5 % (axis == 0 ? 4 : 8);
    kernel.run({x.argument(), i.argument(), y.argument()}, 1);
    for (int k = 0; k < count; ++k)
      ASSERT_EQ(y[k], axis == 0 ? x[i[k] * 8 + k % 8] : x[k / 16 * 8 + i[k]]) << axis << " " << k;
    // Far outside: any element, but no crash.
    for (int k = 0; k < count; ++k)
      i[k] = k % 2 ? -1000000000 : 1000000000;
    kernel.run({x.argument(), i.argument(), y.argument()}, 1);
  }
}

TEST_P(Tiles, CountsOnlyWhatIsInsideAndUnmasked) {
  LoadedKernel kernel = compile("%x0: !tile.ptr<i32>, %n: i32, %h0: !tile.ptr<i32>",
                                loadDense("x", "128", 128, "i32") + R"(
    %ns = tile.splat %n : i32 -> tensor<128xi32>
    %mask = arith.cmpi slt, %xrange, %ns : tensor<128xi32>
    %h = tile.histogram %x mask %mask : tensor<128xi32> mask tensor<128xi1> -> tensor<16xi32>)" +
                                    storeDense("h", "16", 16, "i32"));
  GuardedBuffer<int> x(128), h(16, -1);
  for (int i = 0; i < 128; ++i)
    x[i] = i * 7 % 20 - 2;
  for (int n : {0, 1, 100, 128}) {
    kernel.run({x.argument(), &n, h.argument()}, 1);
    for (int bin = 0; bin < 16; ++bin)
      ASSERT_EQ(h[bin], std::count(x.data(), x.data() + n, bin)) << n << " " << bin;
  }
}

TEST_P(Tiles, ConstantsOfDifferentElements) {
  LoadedKernel kernel =
      compile("%x0: !tile.ptr<f16>, %y0: !tile.ptr<i32>, %z0: !tile.ptr<i1>",
              R"(
    %x = arith.constant dense<[1.0, 2.0, -0.5, 0.0]> : tensor<4xf16>
    %y = arith.constant dense<[[1, 2], [-3, 4]]> : tensor<2x2xi32>
    %z = arith.constant dense<[true, false]> : tensor<2xi1>)" +
                  storeDense("x", "4", 4, "f16") + storeDense("y", "2x2", 4, "i32") +
                  storeDense("z", "2", 2, "i1"));
  GuardedBuffer<uint16_t> x(4);
  GuardedBuffer<int> y(4);
  GuardedBuffer<uint8_t> z(2, 7);
  kernel.run({x.argument(), y.argument(), z.argument()}, 1);
  EXPECT_EQ(std::vector<int>(x.data(), x.data() + 4),
            (std::vector<int>{0x3c00, 0x4000, 0xb800, 0}));
  EXPECT_EQ(std::vector<int>(y.data(), y.data() + 4), (std::vector<int>{1, 2, -3, 4}));
  EXPECT_EQ(z[0], 1);
  EXPECT_EQ(z[1], 0);
}

/// Applies an atomic operation of 64 elements, element i to cell i % 8, under i < n; stores the old
/// values.
std::string atomicBody(const std::string &kind, const std::string &type) {
  return fill(loadDense("v", "64", 64, "$T") + R"(
    %seven = arith.constant dense<7> : tensor<64xi32>
    %cells = arith.andi %vrange, %seven : tensor<64xi32>
    %ps = tile.splat %p : !tile.ptr<$T> -> tensor<64x!tile.ptr<$T>>
    %pp = tile.addptr %ps, %cells : tensor<64x!tile.ptr<$T>>, tensor<64xi32>
    %ns = tile.splat %n : i32 -> tensor<64xi32>
    %mask = arith.cmpi slt, %vrange, %ns : tensor<64xi32>
    %o = tile.atomic_rmw $K %pp, %v mask %mask : tensor<64x!tile.ptr<$T>>, tensor<64x$T> mask tensor<64xi1>)" +
                  storeDense("o", "64", 64, "$T"),
              {{"$T", type}, {"$K", kind}});
}

template <typename T, typename Combine>
void checkAtomic(const LoadedKernel &kernel, const char *kind, Combine combine) {
  GuardedBuffer<T> v(64), p(8), old(64);
  for (int n : {0, 1, 29, 64}) {
    std::vector<T> cells(8);
    for (int i = 0; i < 8; ++i)
      cells[i] = p[i] = T(3 * i - 5);
    for (int i = 0; i < 64; ++i)
      v[i] = T(i * 5 % 17 - 8);
    kernel.run({v.argument(), p.argument(), &n, old.argument()}, 1);
    for (int i = 0; i < n; ++i) {
      ASSERT_EQ(old[i], cells[i % 8]) << kind << " element " << i;
      cells[i % 8] = T(combine(cells[i % 8], v[i]));
    }
    for (int i = 0; i < 8; ++i)
      ASSERT_EQ(p[i], cells[i]) << kind << " cell " << i;
  }
}

std::string atomicArguments(const std::string &type) {
  return fill("%v0: !tile.ptr<$T>, %p: !tile.ptr<$T>, %n: i32, %o0: !tile.ptr<$T>", {{"$T", type}});
}

TEST_P(Tiles, AtomicsOfEveryKind) {
  auto check = [&](auto zero, const std::string &type, const char *kind, auto combine) {
    checkAtomic<decltype(zero)>(compile(atomicArguments(type), atomicBody(kind, type)), kind,
                                combine);
  };
  auto checkIntegers = [&](auto zero, auto unsignedZero, const std::string &type) {
    using S = decltype(zero);
    using U = decltype(unsignedZero);
    check(zero, type, "add", [](S a, S b) { return a + b; });
    check(zero, type, "and", [](S a, S b) { return a & b; });
    check(zero, type, "or", [](S a, S b) { return a | b; });
    check(zero, type, "xor", [](S a, S b) { return a ^ b; });
    check(zero, type, "max", [](S a, S b) { return std::max(a, b); });
    check(zero, type, "min", [](S a, S b) { return std::min(a, b); });
    check(zero, type, "umax", [](S a, S b) { return S(std::max(U(a), U(b))); });
    check(zero, type, "umin", [](S a, S b) { return S(std::min(U(a), U(b))); });
    check(zero, type, "xchg", [](S, S b) { return b; });
  };
  checkIntegers(int32_t(), uint32_t(), "i32");
  checkIntegers(int64_t(), uint64_t(), "i64");
  check(float(), "f32", "fadd", [](float a, float b) { return a + b; });
  check(double(), "f64", "fadd", [](double a, double b) { return a + b; });
  check(float(), "f32", "xchg", [](float, float b) { return b; });
}

TEST_P(Tiles, AtomicAdditionOfNarrowFloats) {
  for (const char *type : {"f16", "bf16"}) {
    LoadedKernel kernel = compile(atomicArguments(type), atomicBody("fadd", type));
    const bool isHalf = type[0] == 'f';
    const uint16_t one = isHalf ? 0x3c00 : 0x3f80, eight = isHalf ? 0x4800 : 0x4100,
                   seven = isHalf ? 0x4700 : 0x40e0;
    GuardedBuffer<uint16_t> v(64, one), p(8, 0), old(64);
    int n = 64;
    kernel.run({v.argument(), p.argument(), &n, old.argument()}, 1);
    for (int i = 0; i < 8; ++i) {
      EXPECT_EQ(p[i], eight) << type;
      EXPECT_EQ(old[56 + i], seven) << type;
      EXPECT_EQ(old[i], 0) << type;
    }
  }
}

TEST_P(Tiles, AtomicsOfThreadsAddUp) {
  LoadedKernel kernel = compile("%p: !tile.ptr<f32>, %h: !tile.ptr<f16>", R"(
    %one = arith.constant 1.0 : f32
    %old = tile.atomic_rmw fadd %p, %one : !tile.ptr<f32>, f32
    %half = arith.constant 1.0 : f16
    %oldh = tile.atomic_rmw fadd %h, %half order relaxed : !tile.ptr<f16>, f16)");
  GuardedBuffer<float> p(1);
  GuardedBuffer<uint16_t> h(1);
  const void *arguments[] = {p.argument(), h.argument()};
  const uint32_t grid[3] = {1024, 1, 1};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&, i] { kernel.run(arguments, grid, 256 * i, 256 * (i + 1)); });
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_EQ(p[0], 1024);
  EXPECT_EQ(h[0], 0x6400);
}

TEST_P(Tiles, CompareAndSwapOfEveryWidth) {
  auto check = [&](auto zero, const std::string &type) {
    using T = decltype(zero);
    LoadedKernel kernel = compile(
        fill("%p0: !tile.ptr<$T>, %c0: !tile.ptr<$T>, %v0: !tile.ptr<$T>, %o0: !tile.ptr<$T>",
             {{"$T", type}}),
        fill(loadDense("p", "16", 16, "$T") + loadDense("c", "16", 16, "$T") +
                 loadDense("v", "16", 16, "$T") +
                 "\n    %o = tile.atomic_cas %pptrs, %c, %v : "
                 "tensor<16x!tile.ptr<$T>>, tensor<16x$T>" +
                 storeDense("o", "16", 16, "$T"),
             {{"$T", type}}));
    GuardedBuffer<T> p(16), c(16), v(16), o(16);
    for (int i = 0; i < 16; ++i) {
      p[i] = T(i);
      c[i] = T(i % 2 ? i : 99);
      v[i] = T(50 + i);
    }
    kernel.run({p.argument(), c.argument(), v.argument(), o.argument()}, 1);
    for (int i = 0; i < 16; ++i) {
      EXPECT_EQ(o[i], T(i)) << type;
      EXPECT_EQ(p[i], T(i % 2 ? 50 + i : i)) << type;
    }
  };
  check(uint16_t(), "i16");
  check(uint32_t(), "i32");
  check(uint64_t(), "i64");
  check(float(), "f32");
  check(double(), "f64");
  check(uint16_t(), "f16");
}

TEST_P(Tiles, ProgramsTakeTurnsUnderALock) {
  // Each program adds 1 to all cells under a spin lock, not atomically.
  LoadedKernel kernel = compile("%lock: !tile.ptr<i32>, %p: !tile.ptr<f32>", R"(
    %zero = arith.constant 0 : i32
    %one = arith.constant 1 : i32
    scf.while : () -> () {
      %old = tile.atomic_cas %lock, %zero, %one : !tile.ptr<i32>, i32
      %taken = arith.cmpi eq, %old, %one : i32
      scf.condition(%taken)
    } do {
      scf.yield
    }
    %range = tile.arange 0 to 64 : tensor<64xi32>
    %ps = tile.splat %p : !tile.ptr<f32> -> tensor<64x!tile.ptr<f32>>
    %pp = tile.addptr %ps, %range : tensor<64x!tile.ptr<f32>>, tensor<64xi32>
    %v = tile.load %pp : tensor<64x!tile.ptr<f32>> -> tensor<64xf32>
    %ones = arith.constant dense<1.0> : tensor<64xf32>
    %w = arith.addf %v, %ones : tensor<64xf32>
    tile.store %pp, %w : tensor<64x!tile.ptr<f32>>, tensor<64xf32>
    tile.barrier
    %free = tile.atomic_rmw xchg %lock, %zero : !tile.ptr<i32>, i32)");
  GuardedBuffer<int> lock(1, 0);
  GuardedBuffer<float> p(64);
  const void *arguments[] = {lock.argument(), p.argument()};
  const uint32_t grid[3] = {800, 1, 1};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&, i] { kernel.run(arguments, grid, 200 * i, 200 * (i + 1)); });
  for (std::thread &thread : threads)
    thread.join();
  for (int i = 0; i < 64; ++i)
    EXPECT_EQ(p[i], 800);
}

TEST_P(Tiles, LargeTilesLiveInScratchMemory) {
  // Two buffers of 4 MiB: a tile reversed along its rows needs all of it.
  constexpr int kCount = 1 << 20;
  LoadedKernel kernel = compile("%x0: !tile.ptr<f32>, %y0: !tile.ptr<f32>",
                                loadDense("x", "1024x1024", kCount, "f32") + R"(
    %y = tile.scan %x axis 0 : (tensor<1024x1024xf32>) -> tensor<1024x1024xf32> {
    ^bb0(%a: f32, %b: f32):
      %s = arith.addf %a, %b : f32
      tile.yield %s : f32
    })" + storeDense("y", "1024x1024", kCount, "f32"));
  std::vector<float> x(kCount), y(kCount);
  for (size_t i = 0; i < kCount; ++i)
    x[i] = float(i % 3);
  const void *from = x.data(), *to = y.data();
  EXPECT_GE(kernel.scratchBytes(), kCount * sizeof(float));
  EXPECT_LE(kernel.scratchBytes(), 2 * kCount * sizeof(float) + 4096);
  kernel.run({&from, &to}, 2);
  for (size_t column = 0; column < 1024; column += 101) {
    float sum = 0;
    for (size_t row = 0; row < 1024; ++row) {
      sum += x[row * 1024 + column];
      ASSERT_EQ(y[row * 1024 + column], sum) << row << " " << column;
    }
  }
}

/// One step of a bitonic sort of 64 elements: reshape, exchange, select.
std::string sortStep(int step, int stage, int distance) {
  int inner = distance, outer = 64 / (2 * inner);
  return fill(R"(
    %h$S = tile.reshape %v$S : tensor<64xi32> -> tensor<$Ox2x$Ixi32>
    %x$S = tile.reduce %h$S axis 1 : (tensor<$Ox2x$Ixi32>) -> tensor<$Ox$Ixi32> {
    ^bb0(%a: i32, %b: i32):
      %s = arith.xori %a, %b : i32
      tile.yield %s : i32
    }
    %e$S = tile.expand_dims %x$S, 1 : tensor<$Ox$Ixi32> -> tensor<$Ox1x$Ixi32>
    %b$S = tile.broadcast %e$S : tensor<$Ox1x$Ixi32> -> tensor<$Ox2x$Ixi32>
    %p$S = arith.xori %b$S, %h$S : tensor<$Ox2x$Ixi32>
    %i$S = tile.reshape %index : tensor<64xi32> -> tensor<$Ox2x$Ixi32>
    %d$S = arith.constant dense<$D> : tensor<$Ox2x$Ixi32>
    %u$S = arith.constant dense<$U> : tensor<$Ox2x$Ixi32>
    %z$S = arith.constant dense<0> : tensor<$Ox2x$Ixi32>
    %m$S = arith.andi %i$S, %d$S : tensor<$Ox2x$Ixi32>
    %n$S = arith.andi %i$S, %u$S : tensor<$Ox2x$Ixi32>
    %upper$S = arith.cmpi ne, %m$S, %z$S : tensor<$Ox2x$Ixi32>
    %falls$S = arith.cmpi ne, %n$S, %z$S : tensor<$Ox2x$Ixi32>
    %greater$S = arith.cmpi sgt, %h$S, %p$S : tensor<$Ox2x$Ixi32>
    %wa$S = arith.xori %greater$S, %upper$S : tensor<$Ox2x$Ixi1>
    %wb$S = arith.xori %wa$S, %falls$S : tensor<$Ox2x$Ixi1>
    %differ$S = arith.cmpi ne, %h$S, %p$S : tensor<$Ox2x$Ixi32>
    %w$S = arith.andi %wb$S, %differ$S : tensor<$Ox2x$Ixi1>
    %t$S = arith.select %w$S, %p$S, %h$S : tensor<$Ox2x$Ixi1>, tensor<$Ox2x$Ixi32>
    %v$N = tile.reshape %t$S : tensor<$Ox2x$Ixi32> -> tensor<64xi32>)",
              {{"$S", std::to_string(step)},
               {"$N", std::to_string(step + 1)},
               {"$O", std::to_string(outer)},
               {"$I", std::to_string(inner)},
               {"$D", std::to_string(distance)},
               {"$U", std::to_string(stage)}});
}

TEST_P(Tiles, SortsThroughALongChainOfSteps) {
  std::string body = loadDense("v0_", "64", 64, "i32") + R"(
    %index = tile.arange 0 to 64 : tensor<64xi32>
    %zeros = arith.constant dense<0> : tensor<64xi32>
    %v0 = arith.addi %v0_, %zeros : tensor<64xi32>)";
  int step = 0;
  for (int stage = 2; stage <= 64; stage *= 2)
    for (int distance = stage / 2; distance >= 1; distance /= 2)
      body += sortStep(step++, stage == 64 ? 0 : stage, distance);
  body += fill(R"(
    %out = arith.addi %v$S, %zeros : tensor<64xi32>)",
               {{"$S", std::to_string(step)}}) +
          storeDense("out", "64", 64, "i32");
  LoadedKernel kernel = compile("%v0_0: !tile.ptr<i32>, %out0: !tile.ptr<i32>", body);
  // 21 steps: each is evaluated once.
  EXPECT_LE(imageBytes_, 150000u);
  GuardedBuffer<int> x(64), y(64);
  for (int i = 0; i < 64; ++i)
    x[i] = int(uint32_t(i) * 2654435761u >> 8) % 50 - 25;
  kernel.run({x.argument(), y.argument()}, 1);
  std::sort(x.data(), x.data() + 64);
  for (int i = 0; i < 64; ++i)
    ASSERT_EQ(y[i], x[i]) << i;
}

} // namespace
} // namespace inlay
