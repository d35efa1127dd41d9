// Kernels from source through the front end, run by the interpreter, against results computed here.
#include "tests/reference/TileInterpreter.h"

#include "compiler/frontends/triton/TritonFrontend.h"

#include <cmath>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <numeric>
#include <sstream>

namespace inlay {
namespace {

/// Imports a kernel of a front-end test file and runs it.
class InterpretKernel : public testing::Test {
protected:
  mlir::OwningOpRef<mlir::ModuleOp> importFile(const std::string &file, const std::string &function,
                                               std::string_view signature,
                                               std::map<std::string, ConstexprValue> constexprs) {
    std::ifstream stream("compiler/frontends/triton/test/" + file);
    std::stringstream text;
    text << stream.rdbuf();
    return importText(text.str(), function, signature, std::move(constexprs));
  }

  mlir::OwningOpRef<mlir::ModuleOp> importText(std::string source, const std::string &function,
                                               std::string_view signature,
                                               std::map<std::string, ConstexprValue> constexprs) {
    triton::KernelRequest request;
    request.path = "test.py";
    request.source = std::move(source);
    request.function = function;
    request.signature = triton::splitSignature(signature);
    request.constexprs = std::move(constexprs);
    auto module = triton::importKernel(context_, request);
    EXPECT_TRUE(module.isOk()) << module.status().message();
    return module.isOk() ? std::move(module).value() : nullptr;
  }

  template <typename... Args>
  Status run(mlir::ModuleOp module, std::array<uint32_t, 3> grid,
             std::span<const MemoryRange> memory, const Args &...args) {
    const void *arguments[] = {&args...};
    return interpretTileKernel(module, arguments, grid, memory);
  }

  mlir::MLIRContext context_;
};

TEST_F(InterpretKernel, TutorialKernelAtManySizes) {
  auto module = importFile("add_one.py", "add_one_kernel", "*fp32, i32, *fp32",
                           {{"BLOCK_SIZE", int64_t{64}}});
  ASSERT_TRUE(module);
  for (int32_t n : {0, 1, 63, 64, 65, 200}) {
    std::vector<float> x(n), y(n, -1);
    std::iota(x.begin(), x.end(), 0.5f);
    MemoryRange memory[] = {{x.data(), n * 4u}, {y.data(), n * 4u}};
    Status status =
        run(*module, {static_cast<uint32_t>(n + 63) / 64, 1, 1}, memory, x.data(), n, y.data());
    ASSERT_TRUE(status.isOk()) << status.message();
    for (int32_t i = 0; i < n; ++i)
      EXPECT_EQ(y[i], x[i] + 1);
  }
}

TEST_F(InterpretKernel, CircularPadding) {
  auto module =
      importFile("pointwise.py", "circ_pad_kernel",
                 "*fp32, *fp32, i32, i32, i32, i32, i32, i32, i32, i32, i32, i32, i32, i32, i32",
                 {{"BLOCK", int64_t{16}}});
  ASSERT_TRUE(module);
  int32_t dims[4] = {1, 2, 3, 4}, pads[4] = {0, 1, 2, 1}, out[4] = {1, 4, 6, 6};
  int32_t xNumel = 24, yNumel = 144;
  std::vector<float> x(xNumel), y(yNumel, -1);
  std::iota(x.begin(), x.end(), 0.f);
  MemoryRange memory[] = {{x.data(), 96}, {y.data(), 576}};
  Status status =
      run(*module, {9, 1, 1}, memory, x.data(), y.data(), pads[0], pads[1], pads[2], pads[3],
          dims[1], dims[2], dims[3], out[1], out[2], out[3], dims[0], xNumel, yNumel);
  ASSERT_TRUE(status.isOk()) << status.message();
  int32_t i = 0;
  for (int32_t b = 0; b < out[1]; ++b)
    for (int32_t c = 0; c < out[2]; ++c)
      for (int32_t d = 0; d < out[3]; ++d, ++i) {
        int32_t from =
            ((b - pads[1] + 2) % 2 * 3 + (c - pads[2] + 3) % 3) * 4 + (d - pads[3] + 4) % 4;
        EXPECT_EQ(y[i], x[from]) << b << " " << c << " " << d;
      }
}

TEST_F(InterpretKernel, HalvesRoundOnce) {
  auto module =
      importFile("pointwise.py", "gelu_kernel", "*fp32, *fp16, i32", {{"BLOCK", int64_t{8}}});
  ASSERT_TRUE(module);
  float x[8] = {-3, -1, -0.5f, 0, 0.1f, 1, 2, 5};
  _Float16 y[8];
  int32_t n = 8;
  float *xAddress = x;
  _Float16 *yAddress = y;
  ASSERT_TRUE(run(*module, {1, 1, 1}, {}, xAddress, yAddress, n).isOk());
  for (int i = 0; i < 8; ++i)
    EXPECT_NEAR(static_cast<float>(y[i]), 0.5 * x[i] * (1 + std::erf(x[i] * std::sqrt(0.5))), 2e-3)
        << x[i];
}

TEST_F(InterpretKernel, LoopsShapesAndIntegers) {
  constexpr std::string_view source = R"(
import triton
import triton.language as tl
@triton.jit
def kernel(p, o, n, B: tl.constexpr):
    i = tl.arange(0, B)
    acc = tl.zeros((B,), tl.int32)
    for k in range(n, 0, -2):
        acc += tl.load(p + i) * k
    j = 0
    while j * j < n:
        j += 1
    t = (i[:, None] * 10 + i[None, :]).trans().reshape(B * B)
    tl.store(o + i, acc // -3 + (acc % 4) * 1000)
    tl.store(o + B, j)
    tl.store(o + B + 1 + tl.arange(0, B * B), t)
)";
  auto module = importText(std::string(source), "kernel", "*i8, *i32, i32", {{"B", int64_t{2}}});
  ASSERT_TRUE(module);
  int8_t p[2] = {-3, 7};
  int32_t o[7] = {}, n = 5;
  int8_t *pAddress = p;
  int32_t *oAddress = o;
  MemoryRange memory[] = {{p, sizeof(p)}, {o, sizeof(o)}};
  Status status = run(*module, {1, 1, 1}, memory, pAddress, oAddress, n);
  ASSERT_TRUE(status.isOk()) << status.message();
  // acc = p * (5 + 3 + 1); // and % truncate as in C.
  EXPECT_THAT(o, testing::ElementsAre(-27 / -3 + (-27 % 4) * 1000, 63 / -3 + (63 % 4) * 1000, 3, 0,
                                      10, 1, 11));
}

TEST_F(InterpretKernel, AccessesOutsideTheMemoryAreNamed) {
  auto module =
      importFile("add_one.py", "add_one_kernel", "*fp32, i32, *fp32", {{"BLOCK_SIZE", int64_t{4}}});
  ASSERT_TRUE(module);
  float x[4] = {}, y[4] = {};
  float *xAddress = x, *yAddress = y;
  int32_t n = 8;
  MemoryRange memory[] = {{x, 16}, {y, 16}};
  Status status = run(*module, {2, 1, 1}, memory, xAddress, n, yAddress);
  EXPECT_EQ(status.code(), StatusCode::OutOfRange);
  EXPECT_THAT(
      status.message(),
      testing::AllOf(testing::HasSubstr("tile.load at loc(\"test.py\":13:9) in program (1, 0, 0)"),
                     testing::HasSubstr("outside the given memory")));
}

TEST_F(InterpretKernel, WrongArgumentCount) {
  auto module =
      importFile("add_one.py", "add_one_kernel", "*fp32, i32, *fp32", {{"BLOCK_SIZE", int64_t{4}}});
  ASSERT_TRUE(module);
  Status status = interpretTileKernel(*module, {}, {1, 1, 1});
  EXPECT_THAT(status.message(),
              testing::HasSubstr("kernel 'add_one_kernel' takes 3 arguments, not 0"));
}

} // namespace
} // namespace inlay
