#include "compiler/frontends/triton/TestSupport.h"

#include "mlir/IR/MLIRContext.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace inlay::triton {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

KernelTuning readFrom(const std::string &text, const std::string &function = "kernel") {
  mlir::MLIRContext context;
  KernelRequest request;
  request.path = "test.py";
  request.source =
      "import triton\nimport triton.language as tl\nimport itertools\nimport torch\n" + text;
  request.function = function;
  Result<KernelTuning> tuning = readTuning(context, request);
  EXPECT_TRUE(tuning.isOk()) << tuning.status().message();
  return tuning.isOk() ? *tuning : KernelTuning();
}

/// "B=64 w4 s3" for each configuration.
std::vector<std::string> texts(const KernelTuning &tuning) {
  std::vector<std::string> all;
  for (const KernelConfig &config : tuning.configs) {
    std::string text;
    for (const auto &[name, value] : config.values)
      text += name + "=" +
              (std::holds_alternative<int64_t>(value) ? std::to_string(std::get<int64_t>(value))
                                                      : std::string("?")) +
              " ";
    all.push_back(text + "w" + std::to_string(config.numWarps) + " s" +
                  std::to_string(config.numStages));
  }
  return all;
}

constexpr std::string_view kKernel =
    "@triton.jit\ndef kernel(p, n, B: tl.constexpr):\n    tl.store(p, n)\n";

TEST(Tuning, ConfigsFromLiteralsComprehensionsAndFunctions) {
  const std::string kernel(kKernel);
  EXPECT_THAT(texts(readFrom("@triton.autotune(configs=[triton.Config({'B': 64}), "
                             "triton.Config({'B': 128}, num_warps=8, num_stages=2)], key=['n'])\n" +
                             kernel)),
              ElementsAre("B=64 w4 s3", "B=128 w8 s2"));
  EXPECT_THAT(texts(readFrom("@triton.autotune([triton.Config({'B': b * k}, num_warps=w) for b in "
                             "[16, 32] for k in (1, 2) if b * k != 32 for w in [4]], ['n'])\n" +
                             kernel)),
              ElementsAre("B=16 w4 s3", "B=64 w4 s3"));
  EXPECT_THAT(
      texts(readFrom("def configs():\n    out = []\n    for b, w in "
                     "itertools.product([1, 2], [4, 8]):\n        if b * w > 8:\n            "
                     "break\n        if w == 4 and b == 2:\n            continue\n        "
                     "out.append(triton.Config(dict(B=b), num_warps=w))\n    return out\n"
                     "@triton.autotune(configs=configs(), key=[])\n" +
                     kernel)),
      ElementsAre("B=1 w4 s3", "B=1 w8 s3"));
  EXPECT_THAT(texts(readFrom("CONFIGS = {'small': [triton.Config({'B': 2})]}\n"
                             "@triton.autotune(configs=CONFIGS['small'] + CONFIGS.get('none', []), "
                             "key=[])\n" +
                             kernel)),
              ElementsAre("B=2 w4 s3"));
}

TEST(Tuning, AssignmentsAndUnknownDecorators) {
  const std::string kernel(kKernel);
  EXPECT_THAT(texts(readFrom("def kernel(p, n, B: tl.constexpr):\n    tl.store(p, n)\nkernel = "
                             "triton.autotune([triton.Config({'B': 4})], "
                             "['n'])(triton.jit(kernel))\n")),
              ElementsAre("B=4 w4 s3"));
  EXPECT_THAT(
      texts(readFrom("@libentry()\n@libtuner(configs=[triton.Config({'B': 8})], key=['n'])\n" +
                     kernel)),
      ElementsAre("B=8 w4 s3"));
}

TEST(Tuning, SaysWhatItCannotKnow) {
  KernelTuning tuning = readFrom(
      "@triton.autotune(configs=torch.cuda.best_configs(), key=['n'])\n" + std::string(kKernel));
  EXPECT_THAT(tuning.configs, IsEmpty());
  EXPECT_THAT(tuning.notes, ElementsAre(HasSubstr("test.py:5: the autotuner's configurations are "
                                                  "not known at compile time: 'torch.cuda.best_")));
  // Endless work ends.
  tuning = readFrom("def configs():\n    while True:\n        pass\n@triton.autotune(configs="
                    "configs(), key=['n'])\n" +
                    std::string(kKernel));
  EXPECT_THAT(tuning.configs, IsEmpty());
  EXPECT_THAT(tuning.notes, ElementsAre(HasSubstr("too large")));
}

TEST(CompileTimePython, FunctionsThatKernelsCall) {
  // Plain functions and what wraps them; integers by width; limits of types.
  std::string text = import(request(
      "import torch\nfrom triton.runtime.jit import constexpr_function\ndef width(dtype):\n    for "
      "bits "
      "in [8, 16, 32]:\n        if bits == dtype.primitive_bitwidth:\n            return "
      "tl.core.get_int_dtype(bits, False)\nwidth = "
      "constexpr_function(width)\nNAMES = {'a': 3, **{'b': 4}}\nTEXT = "
      "','.join(['{}={v}'.format(k, v=v) for k, v in NAMES.items()]).replace(',', "
      "';')\n@triton.jit\ndef kernel(p, q):\n    x = tl.load(p).to(width(p.dtype.element_ty), "
      "bitcast=True)\n    if TEXT == 'a=3;b=4':\n        x += 41\n    if 2 < len(NAMES) < 3:\n     "
      "   "
      "x += 1000\n    tl.store(q, tl.float32(x) + torch.finfo(torch.float16).max)\n",
      "*fp16, *fp32"));
  EXPECT_THAT(text, HasSubstr("arith.constant 41 : i16"));
  EXPECT_THAT(text, HasSubstr("arith.uitofp"));
  EXPECT_THAT(text, HasSubstr("6.550400e+04"));
  EXPECT_THAT(text, ::testing::Not(HasSubstr("1000")));
}

/// The tile module of a kernel with heuristics, or the error.
std::string importWith(const std::string &heuristics, const std::string &signature,
                       const std::map<std::string, ConstexprValue> &constexprs) {
  return import(request("import torch\n@triton.heuristics(" + heuristics +
                            ")\n@triton.jit\ndef kernel(p, q, n, B: tl.constexpr, H: "
                            "tl.constexpr):\n    if H:\n        tl.store(p, B)\n    "
                            "else:\n        tl.store(p, 1000)\n",
                        signature, constexprs));
}

TEST(Heuristics, AreEvaluatedFromWhatIsKnown) {
  const std::map<std::string, ConstexprValue> b = {{"B", int64_t{77}}};
  EXPECT_THAT(importWith("{'H': lambda args: args['q'] is not None}", "*i32, *i32, i32", b),
              HasSubstr("77"));
  EXPECT_THAT(importWith("{'H': lambda args: args['q'] is not None}", "*i32, i32",
                         {{"B", int64_t{77}}, {"q", std::monostate()}}),
              HasSubstr("1000"));
  EXPECT_THAT(importWith("{'H': lambda a: a['B'] % 7 == 0 and 32 < triton.next_power_of_2(a['B'])}",
                         "*i32, *i32, i32", b),
              HasSubstr("77"));
  // What is given counts more; a heuristic may then refer to itself.
  EXPECT_THAT(importWith("{'H': lambda args: bool(args['H'])}", "*i32, *i32, i32",
                         {{"B", int64_t{77}}, {"H", false}}),
              HasSubstr("1000"));
  EXPECT_THAT(importWith("{'H': lambda args: args['n'] % 16 == 0}", "*i32, *i32, i32", b),
              HasSubstr("no value is given for it, and its heuristic cannot be evaluated"));
}

} // namespace
} // namespace inlay::triton
