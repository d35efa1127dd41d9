#include "compiler/frontends/triton/Candidates.h"
#include "compiler/frontends/triton/Usage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace inlay::triton {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// The first candidates of a kernel's parameters.
std::vector<std::string> propose(const std::string &text,
                                 const std::map<std::string, std::string> &values = {}) {
  Module module("test.py", "import triton\nimport triton.language as tl\n" + text);
  UsageAnalysis usage(nullptr);
  Diagnostics diagnostics;
  const ModuleItem *kernel = module.jitFunctions().back();
  const Function *function = module.parseFunction(*kernel, diagnostics);
  EXPECT_TRUE(function) << diagnostics.render();
  std::vector<std::string> first;
  std::vector<Launch> launches;
  for (Launch &launch : findLaunches(module))
    if (launch.kernel == kernel->name)
      launches.push_back(launch);
  for (const ParameterCandidates &candidates :
       proposeCandidates(*function, usage.parameters(module, *kernel), launches, values)) {
    EXPECT_FALSE(candidates.choices.empty());
    first.push_back(candidates.choices.front());
  }
  return first;
}

TEST(Candidates, PointersAndSizesOfAPointwiseKernel) {
  EXPECT_THAT(propose("@triton.jit\ndef k(x, y, n, BLOCK: tl.constexpr):\n"
                      "    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)\n"
                      "    m = i < n\n"
                      "    tl.store(y + i, tl.exp(tl.load(x + i, mask=m)), mask=m)\n"),
              ElementsAre("*fp32", "*fp32", "i32", "=64"));
}

TEST(Candidates, FollowAssignmentsAndHelpers) {
  // The base is found behind names, sums and a helper; what is loaded as an index is an integer.
  EXPECT_THAT(propose("@triton.jit\ndef fetch(base, at):\n    return tl.load(base + at)\n"
                      "@triton.jit\ndef k(out, table, index, stride, eps):\n"
                      "    row = fetch(index, tl.program_id(0))\n"
                      "    here = table + row * stride\n"
                      "    here += tl.arange(0, 16)\n"
                      "    v = tl.load(here) + eps * 2.0\n"
                      "    tl.store(out + tl.arange(0, 16), v)\n"),
              ElementsAre("*fp32", "*fp32", "*i32", "i32", "fp32"));
  EXPECT_THAT(propose("@triton.jit\ndef k(out, table, index, stride):\n"
                      "    row = tl.load(index + tl.program_id(0))\n"
                      "    tl.store(out, tl.load(table + row * stride))\n"),
              ElementsAre("*fp32", "*fp32", "*i64", "i32"));
}

TEST(Candidates, TuplesThatAreIndexedOrTakenApart) {
  EXPECT_THAT(propose("@triton.jit\ndef k(x, y, strides, sizes, one):\n"
                      "    rows, columns = sizes\n"
                      "    at = tl.program_id(0) * strides[0] + tl.arange(0, 16) * strides[2]\n"
                      "    at = at % rows + columns\n"
                      "    tl.store(y[0] + at, tl.load(x[1] + at) * 2.0 + one)\n"),
              ElementsAre("(*fp32, *fp32)", "(*fp32,)", "(i32, i32, i32)", "(i32, i32)", "i32"));
}

TEST(Candidates, DotsMasksTablesAndDescriptors) {
  EXPECT_THAT(propose("@triton.jit\ndef k(a, b, c, flags, ptrs, desc):\n"
                      "    i = tl.arange(0, 16)\n"
                      "    x = tl.load(a + i[:, None] * 16 + i[None, :])\n"
                      "    y = tl.load(b + i[:, None] * 16 + i[None, :])\n"
                      "    p = tl.load(ptrs).to(tl.pointer_type(tl.float16))\n"
                      "    z = tl.load(c + i, mask=tl.load(flags + i))\n"
                      "    tl.store(p + i, tl.sum(tl.dot(x, y), 1))\n"
                      "    desc.store([0, 0], x)\n"),
              ElementsAre("*fp16", "*fp16", "*fp16", "*i1", "*i64", "tensordesc<fp16[64, 64]>"));
}

TEST(Candidates, CompileTimeValues) {
  EXPECT_THAT(
      propose("@triton.jit\ndef k(p, ACT: tl.constexpr, HAS_B: tl.constexpr, T: tl.constexpr, "
              "N: tl.constexpr, B: tl.constexpr, D: tl.constexpr = 5):\n"
              "    if ACT == 'relu':\n        pass\n"
              "    if HAS_B:\n        pass\n"
              "    for i in tl.static_range(N):\n        pass\n"
              "    tl.store(p + tl.arange(0, B), tl.zeros([B], dtype=T))\n",
              {{"B", "256"}}),
      ElementsAre("*fp32", "='relu'", "=True", "=tl.float32", "=4", "=256", "="));
}

TEST(Candidates, NumbersThatAConstantIsComparedWith) {
  // A kind that is told apart by numbers is one of them; a size stays a size.
  EXPECT_THAT(propose("@triton.jit\ndef act(x, KIND):\n"
                      "    if KIND == 3:\n        x = tl.exp(x)\n    return x\n"
                      "@triton.jit\ndef k(p, KIND: tl.constexpr, OWN: tl.constexpr, "
                      "N: tl.constexpr):\n"
                      "    i = tl.arange(0, N)\n"
                      "    if OWN == 5:\n        pass\n"
                      "    if N == 2:\n        pass\n"
                      "    tl.store(p + i, act(tl.load(p + i), KIND))\n"),
              ElementsAre("*fp32", "=3", "=5", "=64"));
}

TEST(Candidates, SizesArePositiveIntegers) {
  Module module("test.py", "import triton\nimport triton.language as tl\n@triton.jit\n"
                           "def k(p, N: tl.constexpr):\n    tl.store(p + tl.arange(0, N), 1.0)\n");
  UsageAnalysis usage(nullptr);
  Diagnostics diagnostics;
  const ModuleItem &kernel = *module.jitFunctions().front();
  const Function *function = module.parseFunction(kernel, diagnostics);
  ASSERT_TRUE(function) << diagnostics.render();
  std::vector<ParameterCandidates> candidates =
      proposeCandidates(*function, usage.parameters(module, kernel), {}, {});
  ASSERT_EQ(candidates.size(), 2u);
  EXPECT_THAT(candidates[1].choices,
              ElementsAre("=64", "=32", "=16", "=128", "=1", "=2", "=4", "=8", "=256", "=1024"));
}

TEST(Candidates, LaunchesSayMore) {
  EXPECT_THAT(propose("@triton.jit\ndef k(x, s, B: tl.constexpr, F: tl.constexpr):\n"
                      "    tl.store(x, s)\n"
                      "def launch(t):\n    BLOCK = 512\n"
                      "    k[(1,)](t, t.stride(0), B=BLOCK, F='sum', num_warps=8)\n"),
              ElementsAre("*fp32", "i32", "=512", "='sum'"));
}

TEST(Usage, DependenciesOfAPlace) {
  const std::string text =
      "import triton\n@triton.jit\ndef k(a, b, c, d):\n    x = a + b\n    if c:\n"
      "        y = x\n    z = y * d\n";
  Module module("test.py", text);
  UsageAnalysis usage(nullptr);
  const ModuleItem &kernel = *module.jitFunctions().front();
  auto at = static_cast<uint32_t>(text.find("y * d"));
  EXPECT_THAT(usage.dependencies(module, kernel, Span{at, at + 5}), ElementsAre(3, 0, 1));
  // Whether y has a value at all depends on c.
  EXPECT_THAT(usage.dependencies(module, kernel, std::string("y")), ElementsAre(2, 0, 1));
  EXPECT_THAT(usage.dependencies(module, kernel, std::string("nothing")), IsEmpty());
}

TEST(Launches, AreFoundAnywhere) {
  Module module("test.py",
                "def f(x):\n    grid = lambda m: (triton.cdiv(x.numel(), m['B']),)\n"
                "    if x:\n        k[grid](x, x.numel(), x.shape[0], 1e-5, *rest, B=64, "
                "ACT=None, T=torch.float16, W=f(2))\n    table[0](1)\n");
  std::vector<Launch> launches = findLaunches(module);
  ASSERT_EQ(launches.size(), 2u);
  const Launch &launch = launches[0];
  EXPECT_EQ(launch.kernel, "k");
  ASSERT_EQ(launch.positional.size(), 4u);
  EXPECT_EQ(launch.positional[0].kind, LaunchArgument::Kind::Unknown);
  EXPECT_EQ(launch.positional[1].kind, LaunchArgument::Kind::Integer);
  EXPECT_EQ(launch.positional[2].kind, LaunchArgument::Kind::Integer);
  EXPECT_EQ(launch.positional[3].text, "1e-5");
  EXPECT_EQ(launch.keywords.at("B").text, "64");
  EXPECT_EQ(launch.keywords.at("ACT").text, "None");
  EXPECT_EQ(launch.keywords.at("T").text, "tl.float16");
  EXPECT_EQ(launch.keywords.at("W").kind, LaunchArgument::Kind::Unknown);
}

TEST(Launches, TakeDictionariesApart) {
  Module module("test.py", "meta = {'B': 64, 'ACT': 'relu', 'N': x.stride(0)}\n"
                           "k[g](x, **meta)\n"
                           "more = dict(C=2, **meta)\nk[g](x, **more)\n"
                           "k[g](x, **{**meta, 'B': 32})\n"
                           "meta = unknown()\nk[g](x, **meta)\n");
  const std::vector<Launch> launches = findLaunches(module);
  ASSERT_EQ(launches.size(), 4u);
  EXPECT_EQ(launches[0].keywords.at("B").text, "64");
  EXPECT_EQ(launches[0].keywords.at("ACT").text, "'relu'");
  EXPECT_EQ(launches[0].keywords.at("N").kind, LaunchArgument::Kind::Integer);
  EXPECT_EQ(launches[1].keywords.at("C").text, "2");
  EXPECT_EQ(launches[1].keywords.at("B").text, "64");
  EXPECT_EQ(launches[2].keywords.at("B").text, "32");
  EXPECT_THAT(launches[3].keywords, IsEmpty());
}

} // namespace
} // namespace inlay::triton
