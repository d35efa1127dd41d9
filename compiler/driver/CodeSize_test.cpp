// The code of CPU kernels must not grow with the block: tiles are loops, whatever their size.

#include "base/File.h"
#include "base/TemporaryFolder.h"
#include "compiler/driver/KernelTool.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <sstream>

namespace inlay {
namespace {

constexpr const char *kKernels = R"(
import triton
import triton.language as tl

@triton.jit
def add_one(x, n, y, B: tl.constexpr):
    at = tl.program_id(0) * B + tl.arange(0, B)
    tl.store(y + at, tl.load(x + at, mask=at < n) + 1, mask=at < n)

@triton.jit
def softmax(x, columns, y, B: tl.constexpr):
    at = tl.arange(0, B)
    start = tl.program_id(0) * columns
    row = tl.load(x + start + at, mask=at < columns, other=-float('inf')).to(tl.float32)
    powers = tl.exp(row - tl.max(row, axis=0))
    tl.store(y + start + at, powers / tl.sum(powers, axis=0), mask=at < columns)

@triton.jit
def prefix(x, columns, y, B: tl.constexpr):
    at = tl.arange(0, B)
    start = tl.program_id(0) * columns
    row = tl.load(x + start + at, mask=at < columns, other=0.0)
    tl.store(y + start + at, tl.cumsum(row, axis=0), mask=at < columns)

@triton.jit
def transpose(x, n, y, B: tl.constexpr):
    rows = tl.arange(0, B)[:, None]
    columns = tl.arange(0, B)[None, :]
    inside = (rows < n) & (columns < n)
    tile = tl.load(x + rows * n + columns, mask=inside, other=0.0)
    tl.store(y + rows * n + columns, tl.trans(tile), mask=inside)

@triton.jit
def matmul(a, b, c, k, B: tl.constexpr):
    rows = tl.program_id(0) * B + tl.arange(0, B)[:, None]
    columns = tl.program_id(1) * B + tl.arange(0, B)[None, :]
    inner = tl.arange(0, B)
    total = tl.zeros((B, B), dtype=c.dtype.element_ty)
    for start in range(0, k, B):
        left = tl.load(a + rows * k + start + inner[None, :])
        right = tl.load(b + (start + inner[:, None]) * k + columns)
        total += tl.dot(left, right)
    tl.store(c + rows * k + columns, total)
)";

struct Family {
  const char *name;
  const char *function;
  const char *signature;
  std::vector<int> blocks; // from small to large
};

void PrintTo(const Family &family, std::ostream *stream) { *stream << family.name; }

class CodeSize : public ::testing::TestWithParam<Family> {
protected:
  void SetUp() override {
    path_ = folder_.path("kernels.py");
    ASSERT_TRUE(writeFileAtomically(path_, kKernels).isOk());
  }

  /// Instructions of the kernel's assembly for x86-64-v3; 0 after a failure.
  size_t countInstructions(int block) {
    KernelToolRequest request;
    request.path = path_;
    request.function = GetParam().function;
    request.signature = GetParam().signature;
    request.constexprs = {"B=" + std::to_string(block)};
    request.target = "cpu:x86-64-v3";
    request.emit = "s";
    auto assembly = compileKernelFile(request);
    EXPECT_TRUE(assembly.isOk()) << assembly.status().toString();
    if (!assembly.isOk())
      return 0;
    size_t count = 0;
    std::istringstream lines(*assembly);
    for (std::string line; std::getline(lines, line);)
      count += line.size() > 1 && line[0] == '\t' && line[1] != '.' && line[1] != '#';
    return count;
  }

private:
  TemporaryFolder folder_;
  std::string path_;
};

TEST_P(CodeSize, DoesNotGrowWithTheBlock) {
  // A quarter more than the smallest block's: vector steps and their remainders may be chosen by
  // size, but a loop that is unrolled over its tile doubles with each step of this list.
  const size_t first = countInstructions(GetParam().blocks.front());
  ASSERT_GT(first, 0u);
  for (int block : GetParam().blocks) {
    const size_t count = countInstructions(block);
    EXPECT_LE(count, first + first / 4) << "block " << block << ", first " << first;
    RecordProperty("instructions_" + std::to_string(block), static_cast<int>(count));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Kernels, CodeSize,
    ::testing::Values(
        Family{"add_one", "add_one", "*fp32:16, i32, *fp32:16", {64, 256, 1024, 8192, 65536}},
        Family{"softmax", "softmax", "*fp16:16, i32, *fp16:16", {64, 256, 1024, 8192, 65536}},
        Family{"prefix", "prefix", "*fp32:16, i32, *fp32:16", {64, 1024, 65536}},
        Family{"transpose", "transpose", "*fp32:16, i32, *fp32:16", {16, 64, 256}},
        Family{"matmul_fp32", "matmul", "*fp32:16, *fp32:16, *fp32:16, i32:16", {16, 32, 64, 128}},
        Family{"matmul_fp16", "matmul", "*fp16:16, *fp16:16, *fp32:16, i32:16", {16, 64, 128}},
        Family{"matmul_int8", "matmul", "*i8:16, *i8:16, *i32:16, i32:16", {32, 64, 128}}),
    [](const auto &tested) { return std::string(tested.param.name); });

} // namespace
} // namespace inlay
