// What kernels print, assert and say in assembly, and descriptors, on the CPU.
#include "compiler/targets/cpu/KernelFixture.h"

#include <bit>
#include <cmath>

namespace inlay {
namespace {

using testing::CpuKernel, testing::fill, testing::GuardedBuffer, testing::LoadedKernel;

class Debugging : public CpuKernel {};
INSTANTIATE_TEST_SUITE_P(Levels, Debugging, ::testing::ValuesIn(testing::runnableLevels()),
                         testing::levelName);

TEST_P(Debugging, PrintsEveryElement) {
  LoadedKernel kernel = compile("%n: i32", R"(
    %range = tile.arange 0 to 2 : tensor<2xi32>
    %x = arith.constant dense<[[1.5, -2.0], [0.25, 3.0]]> : tensor<2x2xf16>
    tile.print "a 100%: " (%range, %n) signed [1, 0] : tensor<2xi32>, i32
    tile.print "x" (%x) signed [1] : tensor<2x2xf16>
    tile.print "h" hex (%n) signed [1] : i32)");
  int n = -1;
  ::testing::internal::CaptureStdout();
  kernel.run({&n}, 1);
  std::fflush(stdout);
  EXPECT_EQ(::testing::internal::GetCapturedStdout(), "pid (0, 0, 0) idx (0) a 100%: : 0\n"
                                                      "pid (0, 0, 0) idx (1) a 100%: : 1\n"
                                                      "pid (0, 0, 0) idx () a 100%: : 4294967295\n"
                                                      "pid (0, 0, 0) idx (0, 0) x: 1.500000\n"
                                                      "pid (0, 0, 0) idx (0, 1) x: -2.000000\n"
                                                      "pid (0, 0, 0) idx (1, 0) x: 0.250000\n"
                                                      "pid (0, 0, 0) idx (1, 1) x: 3.000000\n"
                                                      "pid (0, 0, 0) idx () h: 0xffffffff\n");
}

TEST_P(Debugging, StopsAtAFalseAssertion) {
  LoadedKernel kernel = compile("%n: i32", R"(
    %range = tile.arange 0 to 8 : tensor<8xi32>
    %ns = tile.splat %n : i32 -> tensor<8xi32>
    %c = arith.cmpi slt, %range, %ns : tensor<8xi32>
    tile.assert %c, "n is at least 8" : tensor<8xi1>)");
  int n = 8;
  kernel.run({&n}, 1);
  n = 7;
  EXPECT_DEATH(kernel.run({&n}, 1), "assertion failed: n is at least 8");
}

TEST_P(Debugging, KnowsFrequentAssembly) {
  LoadedKernel kernel = compile("%x: !tile.ptr<f32>, %y: !tile.ptr<f32>", R"(
    %range = tile.arange 0 to 16 : tensor<16xi32>
    %xs = tile.splat %x : !tile.ptr<f32> -> tensor<16x!tile.ptr<f32>>
    %xp = tile.addptr %xs, %range : tensor<16x!tile.ptr<f32>>, tensor<16xi32>
    %v = tile.load %xp : tensor<16x!tile.ptr<f32>> -> tensor<16xf32>
    %t = tile.inline_asm "tanh.approx.f32   $0, $1;  // fast", "=r,r" pack 1 pure (%v) : (tensor<16xf32>) -> tensor<16xf32>
    %e = tile.inline_asm "ex2.approx.ftz.f32 $0, $1;", "=f,f" pack 1 pure (%v) : (tensor<16xf32>) -> tensor<16xf32>
    %r = tile.inline_asm "cvt.rna.tf32.f32 $0, $1;", "=r,r" pack 1 pure (%v) : (tensor<16xf32>) -> tensor<16xf32>
    %g = tile.inline_asm "griddepcontrol.wait; // dummy $0", "=r" pack 1 () : () -> i32
    %a = arith.addf %t, %e : tensor<16xf32>
    %b = arith.addf %a, %r : tensor<16xf32>
    %ys = tile.splat %y : !tile.ptr<f32> -> tensor<16x!tile.ptr<f32>>
    %yp = tile.addptr %ys, %range : tensor<16x!tile.ptr<f32>>, tensor<16xi32>
    tile.store %yp, %b : tensor<16x!tile.ptr<f32>>, tensor<16xf32>)");
  GuardedBuffer<float> x(16), y(16);
  for (int i = 0; i < 16; ++i)
    x[i] = 0.3f * float(i - 8);
  kernel.run({x.argument(), y.argument()}, 1);
  for (int i = 0; i < 16; ++i) {
    float rounded = std::bit_cast<float>((std::bit_cast<uint32_t>(x[i]) + 0x1000) & 0xffffe000);
    EXPECT_NEAR(y[i], std::tanh(x[i]) + std::exp2(x[i]) + rounded, 2e-6) << i;
  }
}

TEST_P(Debugging, PermutesBytes) {
  LoadedKernel kernel = compile("%a: i32, %b: i32, %s: i32, %y: !tile.ptr<i32>", R"(
    %r = tile.inline_asm "prmt.b32 $0, $1, $2, $3;", "=r,r,r,r" pack 1 pure (%a, %b, %s) : (i32, i32, i32) -> i32
    tile.store %y, %r : !tile.ptr<i32>, i32)");
  uint32_t a = 0x83828180, b = 0x07060504, s = 0x9735;
  GuardedBuffer<uint32_t> y(1);
  kernel.run({&a, &b, &s, y.argument()}, 1);
  // Nibbles 5, 3, 7 are bytes; 9 is the sign of byte 1.
  EXPECT_EQ(y[0], 0xff078305);
}

TEST_P(Debugging, RefusesOtherAssemblyByName) {
  auto image = testing::compileText(testing::kernelText("%x: i32, %y: !tile.ptr<i32>", R"(
    %r = tile.inline_asm "shfl.sync.up.b32 $0, $1, 1, 0, -1;", "=r,r" pack 1 pure (%x) : (i32) -> i32
    tile.store %y, %r : !tile.ptr<i32>, i32)"),
                                    GetParam());
  ASSERT_FALSE(image.isOk());
  EXPECT_NE(image.status().toString().find(
                "inline assembly cannot be translated for the CPU: line 1 of the inline assembly, "
                "'shfl.sync.up.b32': instruction 'shfl': it works between the threads"),
            std::string::npos)
      << image.status().toString();
}

TEST_P(Debugging, HighHalvesOfProducts) {
  for (int bits : {32, 64}) {
    std::string type = "i" + std::to_string(bits);
    LoadedKernel kernel =
        compile(fill("%a0: !tile.ptr<$T>, %b0: !tile.ptr<$T>, %y0: !tile.ptr<$T>", {{"$T", type}}),
                fill(R"(
    %range = tile.arange 0 to 32 : tensor<32xi32>
    %as = tile.splat %a0 : !tile.ptr<$T> -> tensor<32x!tile.ptr<$T>>
    %ap = tile.addptr %as, %range : tensor<32x!tile.ptr<$T>>, tensor<32xi32>
    %a = tile.load %ap : tensor<32x!tile.ptr<$T>> -> tensor<32x$T>
    %bs = tile.splat %b0 : !tile.ptr<$T> -> tensor<32x!tile.ptr<$T>>
    %bp = tile.addptr %bs, %range : tensor<32x!tile.ptr<$T>>, tensor<32xi32>
    %b = tile.load %bp : tensor<32x!tile.ptr<$T>> -> tensor<32x$T>
    %low, %high = arith.mului_extended %a, %b : tensor<32x$T>
    %ys = tile.splat %y0 : !tile.ptr<$T> -> tensor<32x!tile.ptr<$T>>
    %yp = tile.addptr %ys, %range : tensor<32x!tile.ptr<$T>>, tensor<32xi32>
    tile.store %yp, %high : tensor<32x!tile.ptr<$T>>, tensor<32x$T>)",
                     {{"$T", type}}));
    auto check = [&](auto zero) {
      using T = decltype(zero);
      GuardedBuffer<T> a(32), b(32), y(32);
      for (int i = 0; i < 32; ++i) {
        a[i] = T(0x9e3779b97f4a7c15ull * uint64_t(i + 1));
        b[i] = T(0xbb67ae8584caa73bull * uint64_t(3 * i + 1));
      }
      kernel.run({a.argument(), b.argument(), y.argument()}, 1);
      for (int i = 0; i < 32; ++i)
        EXPECT_EQ(y[i], T((unsigned __int128)(a[i]) * b[i] >> bits)) << bits << " " << i;
    };
    if (bits == 32)
      check(uint32_t());
    else
      check(uint64_t());
  }
}

TEST_P(Debugging, DescribedTensorsReadPaddingAndDropWritesOutside) {
  LoadedKernel kernel =
      compile("%x: !tile.ptr<f32>, %y: !tile.ptr<f32>, %h: i64, %w: i64, %r: i32, %c: i32", R"(
    %one = arith.constant 1 : i64
    %t = tile.descriptor_load %x sizes %h, %w strides %w, %one offsets %r, %c : !tile.ptr<f32> -> tensor<4x16xf32>
    %ones = arith.constant dense<1.0> : tensor<4x16xf32>
    %u = arith.addf %t, %ones : tensor<4x16xf32>
    %total = tile.reduce %u axis 1 : (tensor<4x16xf32>) -> tensor<4xf32> {
    ^bb0(%a: f32, %b: f32):
      %s = arith.addf %a, %b : f32
      tile.yield %s : f32
    }
    %e = tile.expand_dims %total, 1 : tensor<4xf32> -> tensor<4x1xf32>
    %bb = tile.broadcast %e : tensor<4x1xf32> -> tensor<4x16xf32>
    %v = arith.addf %u, %bb : tensor<4x16xf32>
    tile.descriptor_store %y, %v sizes %h, %w strides %w, %one offsets %r, %c : !tile.ptr<f32>, tensor<4x16xf32>)");
  const int64_t h = 6, w = 20;
  for (auto [r, c] : {std::pair(0, 0), {4, 12}, {-2, -3}, {2, 4}, {100, 0}}) {
    GuardedBuffer<float> x(h * w), y(h * w, -1);
    for (int i = 0; i < h * w; ++i)
      x[i] = float(i % 13);
    kernel.run({x.argument(), y.argument(), &h, &w, &r, &c}, 1);
    for (int64_t i = 0; i < h; ++i)
      for (int64_t j = 0; j < w; ++j) {
        float expected = -1;
        if (i >= r && i < r + 4 && j >= c && j < c + 16) {
          expected = x[i * w + j] + 1 + 16;
          for (int64_t k = std::max<int64_t>(c, 0); k < std::min<int64_t>(c + 16, w); ++k)
            expected += x[i * w + k];
        }
        ASSERT_EQ(y[i * w + j], expected) << r << " " << c << " at " << i << " " << j;
      }
  }
}

} // namespace
} // namespace inlay
