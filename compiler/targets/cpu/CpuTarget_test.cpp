#include "compiler/targets/cpu/CodeGeneration.h"
#include "compiler/targets/cpu/KernelFixture.h"

#include <cmath>
#include <numeric>

namespace inlay {
namespace {

using testing::CpuKernel, testing::GuardedBuffer, testing::LoadedKernel, testing::replaceAll;

INSTANTIATE_TEST_SUITE_P(Levels, CpuKernel, ::testing::ValuesIn(testing::runnableLevels()),
                         testing::levelName);

TEST(Levels, V4NeedsAvx512ToRun) {
  if (!testing::machineHas("x86-64-v4"))
    GTEST_SKIP()
        << "this machine has no AVX-512: code for x86-64-v4 is compiled and looked at, not run";
}

/// The tutorial's kernel: y = x + 1 under offs < n.
std::string addOneBody(int block) {
  return replaceAll(R"(
    %pid = tile.program_id 0 : i32
    %block = arith.constant $B : i32
    %start = arith.muli %pid, %block : i32
    %range = tile.arange 0 to $B : tensor<$Bxi32>
    %starts = tile.splat %start : i32 -> tensor<$Bxi32>
    %offs = arith.addi %starts, %range : tensor<$Bxi32>
    %ns = tile.splat %n : i32 -> tensor<$Bxi32>
    %mask = arith.cmpi slt, %offs, %ns : tensor<$Bxi32>
    %xs = tile.splat %x : !tile.ptr<f32> -> tensor<$Bx!tile.ptr<f32>>
    %xp = tile.addptr %xs, %offs : tensor<$Bx!tile.ptr<f32>>, tensor<$Bxi32>
    %v = tile.load %xp mask %mask : tensor<$Bx!tile.ptr<f32>> mask tensor<$Bxi1> -> tensor<$Bxf32>
    %one = arith.constant dense<1.0> : tensor<$Bxf32>
    %r = arith.addf %v, %one : tensor<$Bxf32>
    %ys = tile.splat %y : !tile.ptr<f32> -> tensor<$Bx!tile.ptr<f32>>
    %yp = tile.addptr %ys, %offs : tensor<$Bx!tile.ptr<f32>>, tensor<$Bxi32>
    tile.store %yp, %r mask %mask : tensor<$Bx!tile.ptr<f32>>, tensor<$Bxf32> mask tensor<$Bxi1>)",
                    "$B", std::to_string(block));
}
constexpr const char *kAddOneArguments = "%x: !tile.ptr<f32>, %n: i32, %y: !tile.ptr<f32>";

TEST_P(CpuKernel, AddsOneAtEverySizeAroundBlocksAndVectors) {
  for (int block : {1, 2, 8, 64, 256, 1024}) {
    LoadedKernel kernel = compile(kAddOneArguments, addOneBody(block));
    for (int n : {1,  2,  3,  7,   8,   9,   15,   16,   17,   31,   33,
                  63, 64, 65, 255, 256, 257, 1000, 1023, 1024, 1025, 2049}) {
      GuardedBuffer<float> x(n), y(n, -7.0f);
      for (int i = 0; i < n; ++i)
        x[i] = 0.5f * i;
      kernel.run({x.argument(), &n, y.argument()}, (n + block - 1) / block);
      for (int i = 0; i < n; ++i)
        ASSERT_EQ(y[i], 0.5f * i + 1.0f) << "block " << block << " n " << n << " i " << i;
    }
  }
}

TEST_P(CpuKernel, LargeLaunchesStreamTheirStores) {
  std::string assembly;
  auto image = testing::compileText(testing::kernelText(kAddOneArguments, addOneBody(256)),
                                    GetParam(), [&](std::string_view stage, std::string_view text) {
                                      if (stage == "s")
                                        assembly = text;
                                    });
  ASSERT_TRUE(image.isOk()) << image.status().toString();
  EXPECT_NE(assembly.find("movntps"), std::string::npos) << assembly;
  EXPECT_NE(assembly.find("sfence"), std::string::npos);
  auto kernel = LoadedKernel::load(*image);
  ASSERT_TRUE(kernel.isOk());
  // Two programs of a launch whose grid says that it is large, at every alignment of the output.
  constexpr int kPrograms = 2, kCount = 256 * kPrograms;
  const uint32_t grid[3] = {1 << 10, 1 << 10, 1};
  for (int shift = 0; shift < 16; ++shift)
    for (int n : {1, 17, 255, 256, 500, kCount}) {
      GuardedBuffer<float> x(kCount), y(kCount + shift, -7.0f);
      for (int i = 0; i < kCount; ++i)
        x[i] = 0.5f * i;
      const float *output = y.data();
      const void *arguments[] = {x.argument(), &n, &output};
      kernel->run(arguments, grid, 0, kPrograms);
      for (int i = 0; i < kCount + shift; ++i)
        ASSERT_EQ(y[i], i < n ? 0.5f * i + 1.0f : -7.0f) << "shift " << shift << " n " << n;
    }
}

TEST_P(CpuKernel, LargeKernelsKeepTheirMeaning) {
  constexpr int kSteps = 2200, kCount = 64;
  std::string steps = "    %half = arith.constant dense<0.5> : tensor<64xf32>\n";
  std::string last = "%v";
  for (int i = 0; i < kSteps; ++i) {
    const std::string n = std::to_string(i);
    steps += "    %s" + n + " = arith.addf " + last + ", %v : tensor<64xf32>\n    %t" + n +
             " = arith.mulf %s" + n + ", %half : tensor<64xf32>\n";
    last = "%t" + n;
  }
  std::string body = addOneBody(kCount);
  const std::string store = "    %r = arith.addf %v, %one";
  ASSERT_NE(body.find(store), std::string::npos);
  body = replaceAll(body, store, steps + "    %r = arith.addf " + last + ", %one");

  size_t instructions = 0;
  auto image =
      testing::compileText(testing::kernelText(kAddOneArguments, body), GetParam(),
                           [&](std::string_view stage, std::string_view text) {
                             if (stage == "ll")
                               for (size_t at = 0; (at = text.find("\n  ", at)) != text.npos; ++at)
                                 ++instructions;
                           });
  ASSERT_TRUE(image.isOk()) << image.status().toString();
  ASSERT_GT(instructions, kLargeInstructions) << "this kernel is not large";
  auto kernel = LoadedKernel::load(*image);
  ASSERT_TRUE(kernel.isOk()) << kernel.status().toString();
  for (int n : {1, 7, 63, kCount}) {
    GuardedBuffer<float> x(n), y(n, -7.0f);
    for (int i = 0; i < n; ++i)
      x[i] = 0.3f * i;
    kernel->run({x.argument(), &n, y.argument()}, 1);
    for (int i = 0; i < n; ++i) {
      float expected = x[i];
      for (int step = 0; step < kSteps; ++step)
        expected = (expected + x[i]) * 0.5f;
      ASSERT_EQ(y[i], expected + 1.0f) << "n " << n << " i " << i;
    }
  }
}

} // namespace
} // namespace inlay
