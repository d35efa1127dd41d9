// Reductions and scans: types, axes, combine functions, errors.
#include "compiler/frontends/triton/TestSupport.h"

namespace inlay::triton {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

/// Imports a kernel that loads x, a [4, 8] block of an element type, and stores `expression`.
std::string importReduction(std::string_view expression, std::string_view type,
                            std::string_view out = "fp32") {
  return importBody("p, q",
                    fmt::format("x = tl.load(p + tl.arange(0, 4)[:, None] * 8 + tl.arange(0, "
                                "8)[None, :])\nr = {}\nif isinstance(r, tl.tuple):\n    "
                                "tl.store(q + tl.zeros_like(r[0]).to(tl.int32), r[0])\n    "
                                "tl.store(q + tl.zeros_like(r[1]).to(tl.int32), r[1])\nelse:\n    "
                                "tl.store(q + tl.zeros_like(r).to(tl.int32), r)",
                                expression),
                    fmt::format("*{}, *{}", type, out));
}

struct Row {
  std::string_view expression, type, expected;
};

TEST(Reductions, TypesAndAxes) {
  constexpr Row rows[] = {
      // Sums: floats keep their type, narrow integers grow with their sign.
      {"tl.sum(x, 1)", "fp32", "axis 1 : (tensor<4x8xf32>) -> tensor<4xf32>"},
      {"tl.sum(x, axis=0)", "fp16", "axis 0 : (tensor<4x8xf16>) -> tensor<8xf16>"},
      {"tl.sum(x, -1)", "bf16", "axis 1 : (tensor<4x8xbf16>) -> tensor<4xbf16>"},
      {"tl.sum(x, 1)", "i8", "arith.extsi"},
      {"tl.sum(x, 1)", "u8", "arith.extui"},
      {"tl.sum(x, 1)", "i1", "arith.extui"},
      {"tl.sum(x, 1)", "i64", "(tensor<4x8xi64>) -> tensor<4xi64>"},
      {"tl.sum(x, 1, dtype=tl.float32)", "fp16", "(tensor<4x8xf32>) -> tensor<4xf32>"},
      {"tl.sum(x)", "fp32", " reorder : tensor<4x8xf32> -> tensor<32xf32>"},
      {"tl.sum(x)", "fp32", "axis 0 : (tensor<32xf32>) -> f32"},
      {"tl.sum(x, 1, keep_dims=True)", "fp32", "tile.expand_dims"},
      {"tl.sum(x, keep_dims=True)", "fp32", "tensor<1x1xf32>"},
      {"x.sum(1)", "fp32", "axis 1 : (tensor<4x8xf32>) -> tensor<4xf32>"},
      // Extrema: narrow floats in fp32, narrow integers in int32, NaN ignored.
      {"tl.max(x, 1)", "fp32", "arith.maxnumf"},
      {"tl.max(x, 1)", "fp16", "(tensor<4x8xf32>) -> tensor<4xf32>"},
      {"tl.max(x, 1)", "bf16", "(tensor<4x8xf32>) -> tensor<4xf32>"},
      {"tl.max(x, 1)", "i8", "(tensor<4x8xi32>) -> tensor<4xi32>"},
      {"tl.max(x, 1)", "u32", "arith.maxui"},
      {"tl.min(x, 1)", "i32", "arith.minsi"},
      {"x.min(axis=0)", "fp64", "arith.minnumf"},
      {"tl.max(tl.max(x, 0), 0)", "fp32", "axis 0 : (tensor<8xf32>) -> f32"},
      // With indices only bf16 grows.
      {"tl.max(x, 1, return_indices=True)", "fp16",
       "(tensor<4x8xf16>, tensor<4x8xi32>) -> (tensor<4xf16>, tensor<4xi32>)"},
      {"tl.max(x, 1, return_indices=True)", "bf16",
       "(tensor<4x8xf32>, tensor<4x8xi32>) -> (tensor<4xf32>, tensor<4xi32>)"},
      {"tl.max(x, 1, return_indices=True)", "i8", "(tensor<4x8xi8>, tensor<4x8xi32>)"},
      {"tl.argmax(x, 1)", "fp32", "arith.cmpi slt"}, // the tie goes to the lower index
      {"tl.argmin(x, axis=0)", "fp32", "arith.cmpf olt"},
      {"tl.argmax(x, axis=None)", "fp32", "(tensor<32xf32>, tensor<32xi32>) -> (f32, i32)"},
      {"tl.argmax(x, 1, keep_dims=True)", "fp32", "tensor<4x1xi32>"},
      {"tl.xor_sum(x, 1)", "i8", "arith.xori"},
      {"tl.reduce_or(x, 1)", "i1", "arith.ori"},
      // Scans.
      {"tl.cumsum(x, 1)", "fp16", " axis 1 : (tensor<4x8xf16>) -> tensor<4x8xf16>"},
      {"tl.cumsum(x, 1)", "bf16", "(tensor<4x8xf32>) -> tensor<4x8xf32>"},
      {"tl.cumsum(x, 1)", "i16", "(tensor<4x8xi32>) -> tensor<4x8xi32>"},
      {"tl.cumsum(x)", "fp32", "axis 0 : (tensor<4x8xf32>)"},
      {"tl.cumsum(x, 1, reverse=True)", "fp32", "axis 1 reverse"},
      {"tl.cumsum(x, 1, dtype=tl.float64)", "fp32", "(tensor<4x8xf64>)"},
      {"x.cumprod(0)", "fp32", "arith.mulf"},
      {"tl.softmax(x)", "fp32", "axis 0 : (tensor<4x8xf32>) -> tensor<8xf32>"},
      {"tl.softmax(x, 1, keep_dims=True)", "fp32", "fastmath<afn>"},
  };
  for (const Row &row : rows)
    EXPECT_THAT(importReduction(row.expression, row.type),
                AllOf(StartsWith("module"), HasSubstr(row.expected)))
        << row.expression << " of " << row.type;
}

/// What is returned is what is combined, without a conversion back.
TEST(Reductions, ResultTypes) {
  EXPECT_THAT(importReduction("tl.max(x, 1)", "fp16", "fp32"), Not(HasSubstr("arith.truncf")));
  EXPECT_THAT(importReduction("tl.sum(x, 1)", "fp16", "fp16"), Not(HasSubstr("arith.extf")));
  EXPECT_THAT(importReduction("tl.argmax(x, 1, tie_break_left=False)", "fp32", "i32"),
              Not(HasSubstr("arith.cmpi")));
}

std::string importCombination(std::string_view combine, std::string_view expression) {
  return import(request(fmt::format("{}\n@triton.jit\ndef kernel(p, q):\n    x = tl.load(p + "
                                    "tl.arange(0, 8))\n    i = tl.arange(0, 8)\n    r = {}\n    "
                                    "tl.store(q, r)\n",
                                    combine, expression),
                        "*fp32, *fp32"));
}

TEST(Reductions, CombineFunctions) {
  // A combine function may call helpers; several tensors are reduced together.
  EXPECT_THAT(importCombination("@triton.jit\ndef twice(a):\n    return a * 2.0\n@triton.jit\ndef "
                                "f(a, b):\n    return a + twice(b)",
                                "tl.reduce(x, 0, f)"),
              AllOf(HasSubstr("arith.mulf"), HasSubstr("tile.yield")));
  EXPECT_THAT(importCombination("@triton.jit\ndef f(a, i, b, j):\n    return a + b, i * j",
                                "tl.reduce((x, i), 0, combine_fn=f)[0]"),
              HasSubstr("(tensor<8xf32>, tensor<8xi32>) -> (f32, i32)"));
  // A run-time choice becomes a selection.
  EXPECT_THAT(importCombination("@triton.jit\ndef f(a, b):\n    return a if a > b else b * 2.0",
                                "x.reduce(0, f)"),
              AllOf(HasSubstr("arith.select"), Not(HasSubstr("scf.if"))));
  EXPECT_THAT(importCombination("@triton.jit\ndef f(a, b):\n    if a > b:\n        return a\n    "
                                "return b",
                                "tl.reduce(x, 0, f)"),
              AllOf(HasSubstr("arith.select"), Not(HasSubstr("scf.if"))));
  EXPECT_THAT(importCombination("", "tl.reduce(x, 0, tl.maximum)"), HasSubstr("arith.maxnumf"));
  EXPECT_THAT(importCombination("from triton.language.standard import _sum_combine",
                                "tl.reduce(x, 0, _sum_combine)"),
              HasSubstr("arith.addf"));
  EXPECT_THAT(importCombination("@triton.jit\ndef f(a, i, b, j):\n    return a + b, i * j",
                                "tl.sum(tl.associative_scan((x, i), 0, f, reverse=True)[0])"),
              HasSubstr("tile.scan %3, %0 axis 0 reverse"));
  // What is made only to ask for its dtype is gone.
  EXPECT_THAT(importCombination("@triton.jit\ndef f(a, b):\n"
                                "    if (a + tl.zeros((1,), tl.int1)).dtype.is_floating():\n"
                                "        return a + b\n"
                                "    return a",
                                "tl.reduce(x, 0, f)"),
              AllOf(HasSubstr("arith.addf"), Not(HasSubstr("ERROR"))));
}

TEST(Reductions, Errors) {
  EXPECT_THAT(importCombination("@triton.jit\ndef f(a, b):\n    return a > b", "x.reduce(0, f)"),
              HasSubstr("the function that combines elements of type (fp32) must return the same "
                        "types, not a tensor of type i1"));
  EXPECT_THAT(importCombination("@triton.jit\ndef f(a, b):\n    return a + tl.load(P)\nP = 1",
                                "x.reduce(0, f)"),
              StartsWith("ERROR"));
  EXPECT_THAT(importCombination("@triton.jit\ndef f(a, b):\n    tl.debug_barrier()\n    return a",
                                "x.reduce(0, f)"),
              HasSubstr("can only compute with its arguments, but this one contains tile.barrier"));
  EXPECT_THAT(importReduction("tl.xor_sum(x, 1)", "fp32"), HasSubstr("xor_sum needs integers"));
  EXPECT_THAT(importReduction("tl.sum(x, 1, mask=1)", "fp32"),
              HasSubstr("'sum' has no parameter 'mask'"));
  EXPECT_THAT(importReduction("tl.cumsum(x[0], 1)", "fp32"), StartsWith("ERROR"));
}

/// An error inside the standard library is shown at the user's call, with the library's line.
TEST(Reductions, ErrorsPointAtTheCall) {
  EXPECT_THAT(
      importBody("p", "x = tl.load(p + tl.arange(0, 8))\ny = tl.sum(x, 2)", "*fp32"),
      AllOf(StartsWith("ERROR test.py:5:9: error: axis 2 does not exist in a tensor of type "
                       "fp32[8]\n        y = tl.sum(x, 2)\n"),
            ContainsRegex("stdlib/reductions.py:[0-9]+:[0-9]+: note: in 'sum' of the "
                          "standard library here")));
}

} // namespace
} // namespace inlay::triton
