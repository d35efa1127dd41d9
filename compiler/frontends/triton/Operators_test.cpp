// Operators, casts and builtins: each row is a kernel body and what its IR must or must not
// contain.
#include "compiler/frontends/triton/TestSupport.h"

namespace inlay::triton {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

/// Imports `store(o + i, <expression>)` where a, b, … are loaded from pointers of the given element
/// types.
std::string importExpression(std::string_view expression, std::string_view a,
                             std::string_view b = "i32", std::string_view out = "fp32") {
  return importBody(
      "pa, pb, o",
      fmt::format(
          "i = tl.arange(0, 8)\na = tl.load(pa + i)\nb = tl.load(pb + i)\ntl.store(o + i, {})",
          expression),
      fmt::format("*{}, *{}, *{}", a, b, out));
}

struct Row {
  std::string_view expression, a, b, expected;
};

TEST(Operators, TensorArithmetic) {
  constexpr Row rows[] = {
      {"a + b", "fp32", "fp32", "arith.addf %3, %6 fastmath<contract>"},
      {"a / b", "fp32", "fp32", "fastmath<afn> : tensor<8xf32>"},
      {"a / b", "fp64", "fp64", "arith.divf"},
      {"a / b", "i32", "i32", "arith.sitofp"},
      {"a / b", "u32", "u32", "arith.uitofp"},
      {"a / b", "fp16", "fp16", "fastmath<afn> : tensor<8xf32>"},
      {"a / 2", "bf16", "i32", "fastmath<afn> : tensor<8xf32>"},
      {"tl.div_rn(a, b)", "fp32", "fp32", "arith.divf %3, %6 : tensor<8xf32>"},
      {"a // b", "i32", "i32", "arith.divsi"},
      {"a // b", "u32", "u32", "arith.divui"},
      {"a % b", "i64", "i64", "arith.remsi"},
      {"a % b", "u8", "u8", "arith.remui"},
      {"a % b", "fp32", "fp32", "arith.remf"},
      {"a >> b", "i32", "i32", "arith.shrsi"},
      {"a >> b", "u32", "u32", "arith.shrui"},
      {"a << 3", "u16", "i32", "arith.shli"},
      {"-a", "fp32", "i32", "arith.subf %cst"},
      {"-a", "i32", "i32", "arith.subi %cst"},
      {"~a", "i32", "i32", "arith.xori"},
      {"not (a < b)", "i32", "i32", "arith.xori"},
      {"a < b", "u32", "u32", "arith.cmpi ult"},
      {"a < b", "fp32", "fp32", "arith.cmpf olt"},
      {"a != b", "fp32", "fp32", "arith.cmpf une"},
      {"a == b", "fp32", "fp32", "arith.cmpf oeq"},
      {"(a < b) & (a > 0)", "i32", "i32", "arith.andi"},
      {"(a < b) and (a > 0)", "i32", "i32", "arith.andi"},
      {"tl.where(a > b, a, 0.0)", "fp32", "fp32", "arith.select"},
      {"tl.where(a, b, 0)", "i32", "i32", "arith.cmpi ne"},
      {"tl.maximum(a, b)", "fp32", "fp32", "arith.maxnumf"},
      {"tl.minimum(a, b, propagate_nan=tl.PropagateNan.ALL)", "fp32", "fp32", "arith.minimumf"},
      {"tl.maximum(a, b)", "bf16", "bf16", "arith.maxnumf %9, %10 : tensor<8xf32>"},
      {"tl.maximum(a, b)", "u32", "u32", "arith.maxui"},
      {"max(a, b)", "i32", "i32", "arith.maxsi"},
      {"tl.clamp(a, 0.0, 1.0)", "fp32", "i32", "arith.minnumf"},
      {"tl.exp(a)", "fp32", "i32", "math.exp"},
      {"tl.math.log2(a)", "fp32", "i32", "math.log2"},
      {"tl.sqrt(a)", "fp32", "i32", "math.sqrt %3 fastmath<afn>"},
      {"tl.sqrt_rn(a)", "fp32", "i32", "math.sqrt %3 : tensor<8xf32>"},
      {"tl.sigmoid(a)", "fp32", "i32", "math.exp"},
      {"libdevice.pow(a, b)", "fp32", "fp32", "math.powf"},
      {"tl.math.tanh(a)", "fp32", "i32", "math.tanh"},
      {"tl.extra.cuda.libdevice.rint(a)", "fp32", "i32", "math.roundeven"},
      {"libdevice.isnan(a)", "fp32", "i32", "arith.cmpf une"},
      {"libdevice.isinf(a)", "fp32", "i32", "arith.cmpf oeq"},
      {"tl.math.finitef(a)", "fp32", "i32", "arith.cmpf olt"},
      {"tl.fma(a, b, 1.0)", "fp32", "fp32", "math.fma"},
      {"tl.abs(a)", "i32", "i32", "math.absi"},
      {"a.to(tl.float32).abs()", "fp16", "i32", "math.absf"},
      {"tl.umulhi(a, b)", "u64", "u64", "arith.mului_extended"},
      {"tl.umulhi(a, b)", "u32", "u32", "arith.shrui"},
      {"tl.cdiv(a, 4)", "i32", "i32", "arith.divsi"},
      {"a.to(tl.int32, bitcast=True)", "fp32", "i32", "arith.bitcast"},
      {"a.to(tl.uint32, bitcast=True) >> 1", "fp32", "i32", "arith.shrui"},
  };
  for (const Row &row : rows)
    EXPECT_THAT(importExpression(row.expression, row.a, row.b),
                AllOf(StartsWith("module"), HasSubstr(row.expected)))
        << row.expression << " with " << row.a << ", " << row.b;
}

TEST(Operators, Casts) {
  struct CastRow {
    std::string_view from, to, expected;
  };
  constexpr CastRow rows[] = {
      {"fp32", "float16", "arith.truncf"}, {"fp16", "float32", "arith.extf"},
      {"fp32", "int32", "arith.fptosi"},   {"fp32", "uint8", "arith.fptoui"},
      {"fp32", "int1", "arith.cmpf une"},  {"i32", "int1", "arith.cmpi ne"},
      {"i8", "int32", "arith.extsi"},      {"u8", "int32", "arith.extui"},
      {"i64", "int16", "arith.trunci"},    {"i32", "float32", "arith.sitofp"},
      {"u32", "float32", "arith.uitofp"},  {"i1", "int32", "arith.extui"},
      {"i1", "float32", "arith.uitofp"},   {"fp16", "bfloat16", "arith.truncf"},
      {"fp32", "float8e4nv", "f8E4M3FN"},  {"fp8e5", "float32", "arith.extf"},
  };
  for (const CastRow &row : rows)
    EXPECT_THAT(importBody("p, o",
                           fmt::format("i = tl.arange(0, 8)\ntl.store(o + i, tl.load(p + "
                                       "i).to(tl.{}).to(tl.float32, bitcast=False))",
                                       row.to == "float8e4nv" ? "float8e4nv" : row.to),
                           fmt::format("*{}, *fp32", row.from)),
                AllOf(StartsWith("module"), HasSubstr(row.expected)))
        << row.from << " to " << row.to;
  // fp16 to bf16 goes through fp32; the rounding mode is kept.
  EXPECT_THAT(importExpression("a.to(tl.bfloat16)", "fp16", "i32", "bf16"),
              AllOf(HasSubstr("arith.extf"), HasSubstr("arith.truncf")));
  EXPECT_THAT(
      importExpression("a.to(tl.float16, fp_downcast_rounding='rtz')", "fp32", "i32", "fp16"),
      HasSubstr("toward_zero"));
  EXPECT_THAT(importExpression("a.to(tl.int32, fp_downcast_rounding='rtz')", "fp32"),
              StartsWith("ERROR"));
  EXPECT_THAT(importExpression("a.to(tl.int16, bitcast=True)", "fp32"),
              HasSubstr("cannot bitcast fp32 (32 bits) to i16 (16 bits)"));
  EXPECT_THAT(importExpression("a.to(tl.int32)", "fp8e5"),
              HasSubstr("converts to and from floating types only"));
}

TEST(Operators, Errors) {
  constexpr Row rows[] = {
      {"a // b", "fp32", "fp32", "operator '//' needs integers, not fp32[8]; use tl.floor(a / b)"},
      {"a & b", "fp32", "fp32", "operator '&' needs integers"},
      {"a ** 2", "fp32", "i32", "operator '**' is not defined for tensors; use libdevice.pow"},
      {"a @ b", "fp32", "fp32", "tl.dot multiplies matrices"},
      {"a / b", "u32", "i32", "differ in signedness"},
      {"a % b", "i32", "u32", "differ in signedness"},
      {"a + 300", "i8", "i32", "the number 300 is out of range for i8"},
      {"a + (-1)", "u32", "i32", "the negative number -1 cannot go with an unsigned tensor (u32)"},
      {"not a", "i32", "i32", "'not' needs int1"},
      {"a and b", "i32", "i32", "'and' needs int1"},
      {"pa == pb", "i32", "i32", "operator '==' is not defined for a tensor of type *i32"},
      {"tl.load(pa + pb)", "i32", "i32",
       "operator '+' is not defined for a tensor of type *i32 and a tensor of type *i32"},
      {"tl.load(pa + a)", "fp32", "i32", "the offset of a pointer must be an integer, not fp32[8]"},
      {"tl.exp(a)", "fp16", "i32", "this function takes fp32 or fp64, not fp16[8]"},
      {"tl.sin(a)", "i32", "i32", "this function takes fp32 or fp64, not i32[8]"},
      {"tl.clamp(a, 0, 3)", "i32", "i32", "clamp is for floats"},
      {"a[0]", "fp32", "i32", "a tensor can only be indexed with ':' and None"},
      {"a if a > 0 else b", "fp32", "fp32", "must be one value"},
      {"tl.zeros((3,), tl.float32)", "fp32", "i32", "must be a power of two, not 3"},
      {"tl.arange(0, 6)", "fp32", "i32", "6 elements, which is not a power of two"},
      {"a + tl.arange(0, 16)", "fp32", "i32", "do not go together: dimension 0 is 8 and 16"},
      {"libdevice.j2(a)", "fp32", "i32", "libdevice.j2 is not supported yet"},
      {"tl.frobnicate(a)", "fp32", "i32",
       "'triton.language.frobnicate' is not a function of the Triton language"},
      {"torch.exp(a)", "fp32", "i32", "'torch.exp' is imported from another file or package"},
      {"undefined_name", "fp32", "i32", "name 'undefined_name' is not defined"},
      {"tl.load(a)", "fp32", "i32",
       "a pointer or a block of pointers is needed here, not a tensor of type fp32[8]"},
      {"tl.load(pa + i, other=0)", "fp32", "i32", "'other' has no meaning without 'mask'"},
      {"tl.load(pa + i, mask=a)", "i32", "i32", "a mask must be int1, not i32[8]"},
      {"tl.load(pa, mask=i < 4)", "i32", "i32",
       "'mask' is a block (i1[8]), but the pointer is a scalar"},
      {"tl.load(pa + i, cache_modifier='.xx')", "i32", "i32",
       "'cache_modifier' is one of '', '.ca', '.cg', '.cv', not '.xx'"},
      {"tl.load(pa + i, maks=None)", "i32", "i32", "'load' has no parameter 'maks'"},
      {"tl.load()", "i32", "i32", "'load' needs an argument for 'pointer'"},
      {"tl.program_id(3)", "i32", "i32", "a grid has axes 0, 1 and 2, not 3"},
      {"(lambda x: x)(a)", "i32", "i32", "a lambda is not supported in kernels"},
      {"{1: 2}", "i32", "i32", "'value' must be a tensor or a number, not {1: 2}"},
      {"1j", "i32", "i32", "a complex number is not supported in kernels"},
      {"1 // 0", "i32", "i32", "division by zero"},
      {"a.nope", "i32", "i32", "has no attribute 'nope'"},
      {"a.nope()", "i32", "i32", "has no method 'nope'"},
  };
  for (const Row &row : rows)
    EXPECT_THAT(importExpression(row.expression, row.a, row.b),
                AllOf(StartsWith("ERROR test.py:"), HasSubstr(row.expected)))
        << row.expression << " with " << row.a << ", " << row.b;
}

TEST(Operators, ConstexprArithmeticIsPythons) {
  constexpr std::pair<std::string_view, std::string_view> rows[] = {
      {"-7 // 2", "-4"},
      {"-7 % 3", "2"},
      {"7 / 2", "3.5"},
      {"2 ** 10", "1024"},
      {"2 ** -1", "0.5"},
      {"1 << 40", "1099511627776"},
      {"0xFF & 0x0F", "15"},
      {"1_000 + 1", "1001"},
      {"-7.5 // 2", "-4.0"},
      {"True + 1", "2"},
      {"not 3", "False"},
      {"~5", "-6"},
      {"1 if 2 > 1 else 3", "1"},
      {"(1, 2) + (3,)", "(1, 2, 3)"},
      {"(1, 2, 3)[1:]", "(2, 3)"},
      {"(1, 2, 3)[-1]", "3"},
      {"len((1, 2))", "2"},
      {"max(1, 5, 3)", "5"},
      {"min(2.0, 1)", "1"},
      {"float('inf')", "inf"},
      {"float('-inf')", "-inf"},
      {"int(2.9)", "2"},
      {"'a' 'b'", "ab"},
      {"f'{1 + 1}x'", "2x"},
      {"None is None", "True"},
      {"3 in (1, 2, 3)", "True"},
      {"0 or 5", "5"},
      {"0 and 5", "0"},
      {"[x * 2 for x in (1, 2)]", "(2, 4)"},
      {"0b101", "5"},
      {"0o17", "15"},
      {"1e3", "1000.0"},
      {".5", "0.5"},
      {"tl.cdiv(7, 2)", "4"},
      {"triton.next_power_of_2(5)", "8"},
      {"tl.float16.primitive_bitwidth", "16"},
      {"tl.int32.is_int_signed()", "True"},
      {"tl.uint8.is_int_signed()", "False"},
      {"tl.float32 == tl.float32", "True"},
      {"isinstance(1, int)", "True"},
      {"'abc'.startswith('ab')", "True"},
      {"math.pi > 3", "True"},
      {"(2, 3) == (2, 3)", "True"},
      {"tl.constexpr(4).value", "4"},
      {"2 ** 63 - 1", "9223372036854775807"},
      {"1 ^ 3", "2"},
      {"True & False", "False"},
  };
  for (const auto &[expression, expected] : rows) {
    KernelRequest kernel = request(
        fmt::format("@triton.jit\ndef kernel():\n    tl.static_print({})\n", expression), "");
    std::vector<std::string> notes;
    kernel.notes = [&](std::string_view note) { notes.emplace_back(note); };
    EXPECT_THAT(import(kernel), StartsWith("module")) << expression;
    EXPECT_THAT(notes, testing::ElementsAre(expected)) << expression;
  }
  EXPECT_THAT(importBody("", "tl.static_print(2 ** 200)", ""), HasSubstr("does not fit 127 bits"));
  EXPECT_THAT(importBody("", "x = 2 ** 64", ""),
              HasSubstr("integer 18446744073709551616 does not fit 64 bits"));
  EXPECT_THAT(importBody("", "tl.static_print(1 << 1000000000)", ""),
              HasSubstr("does not fit 127 bits"));
}

TEST(Operators, NumbersBecomeTensorsByTheirSize) {
  constexpr std::pair<std::string_view, std::string_view> rows[] = {
      {"True", "i1"},           {"1", "i32"},          {"-2147483648", "i32"},
      {"2147483648", "u32"},    {"4294967296", "i64"}, {"9223372036854775808", "u64"},
      {"1.5", "fp32"},          {"1e39", "fp64"},      {"1e-40", "fp64"},
      {"float('inf')", "fp32"}, {"0.0", "fp32"},       {"float('nan')", "fp32"}};
  for (const auto &[number, type] : rows) {
    KernelRequest kernel = request(
        fmt::format("@triton.jit\ndef kernel():\n    x = {}\n    tl.static_print(x)\n", number),
        "");
    std::vector<std::string> notes;
    kernel.notes = [&](std::string_view note) { notes.emplace_back(note); };
    import(kernel);
    EXPECT_THAT(notes, testing::ElementsAre(fmt::format("a tensor of type {}", type))) << number;
  }
}

TEST(Operators, PointersAndShapes) {
  // Narrow unsigned offsets are zero-extended.
  EXPECT_THAT(importExpression("tl.load(pa + b)", "fp32", "u32"), HasSubstr("arith.extui"));
  EXPECT_THAT(importExpression("tl.load(pa + b)", "fp32", "u64"), Not(HasSubstr("arith.extui")));
  EXPECT_THAT(importExpression("tl.load(pa - b)", "fp32", "i32"), HasSubstr("arith.subi"));
  // A 2-D tile of pointers; masks broadcast.
  std::string ir = importBody(
      "p, n, m, o",
      "r = tl.arange(0, 4)[:, None]\nc = tl.arange(0, 8)[None, :]\nmask = (r < n) & (c < m)\n"
      "x = tl.load(p + r * m + c, mask=mask, other=0.)\ntl.store(o + c * n + r, x, mask=mask)",
      "*fp32, i32, i32, *fp32");
  EXPECT_THAT(ir, AllOf(HasSubstr("tile.expand_dims"), HasSubstr("tile.broadcast"),
                        HasSubstr("tensor<4x8xf32>"), HasSubstr("other %")));
  // Booleans in memory are bytes.
  ir = importExpression("a", "i1", "i32", "i1");
  EXPECT_THAT(ir, AllOf(HasSubstr("!tile.ptr<i8> {tile.name = \"pa\", tile.signedness = \"bool\"}"),
                        HasSubstr("arith.cmpi ne"), HasSubstr("arith.extui")));
  EXPECT_THAT(importExpression("tl.reshape(a, (2, 4)).trans().reshape(8)", "fp32"),
              AllOf(HasSubstr("tile.trans"), HasSubstr("[1, 0]")));
  EXPECT_THAT(importExpression("tl.reshape(a, 2, 4).T.ravel()", "fp32"), HasSubstr("tile.trans"));
  EXPECT_THAT(importExpression("tl.permute(a.view(2, 2, 2), (2, 0, 1)).ravel()", "fp32"),
              HasSubstr("[2, 0, 1]"));
  EXPECT_THAT(
      importExpression("tl.broadcast_to(a[:, None], (8, 8)).reshape(64).reshape((8, 8))", "fp32"),
      HasSubstr("ERROR"));
  EXPECT_THAT(importExpression("tl.reshape(a, (3, 3))", "fp32"),
              HasSubstr("must be a power of two"));
  EXPECT_THAT(importExpression("tl.reshape(a, (4, 4))", "fp32"),
              HasSubstr("cannot reshape fp32[8] (8 elements) to [4, 4] (16 elements)"));
  EXPECT_THAT(importExpression("tl.expand_dims(a, (0, 2)).reshape(8)", "fp32"),
              HasSubstr("tensor<1x8x1xf32>"));
  // The dtype idiom.
  EXPECT_THAT(importExpression("b.to(pa.dtype.element_ty)", "bf16", "fp32", "bf16"),
              HasSubstr("arith.truncf"));
  EXPECT_THAT(
      importExpression("tl.load(pa.to(tl.pointer_type(tl.int32)) + i)", "fp32", "i32", "i32"),
      HasSubstr("tile.ptr_cast"));
  EXPECT_THAT(importExpression("pa.to(tl.int64)", "fp32", "i32", "i64"),
              HasSubstr("tile.ptr_to_int"));
}

TEST(Operators, LoadAndStoreOptions) {
  std::string ir =
      importBody("p, o",
                 "i = tl.arange(0, 8)\nx = tl.load(p + i, cache_modifier='.cg', "
                 "eviction_policy='evict_first', volatile=True)\n"
                 "tl.store(o + i, x, cache_modifier='.cs', eviction_policy='evict_last')",
                 "*fp32, *fp32");
  EXPECT_THAT(ir,
              AllOf(HasSubstr("cache cg"), HasSubstr("evict evict_first"), HasSubstr("volatile"),
                    HasSubstr("cache cs"), HasSubstr("evict evict_last")));
  EXPECT_THAT(importBody("p", "tl.store(p, 1.0)", "*kfp32"),
              HasSubstr("this pointer is read only (tl.const)"));
  EXPECT_THAT(importBody("p: tl.const", "tl.store(p, 1.0)", "*fp32"),
              HasSubstr("this pointer is read only (tl.const)"));
  EXPECT_THAT(
      importBody("p, q: tl.const, n: tl.const", "tl.store(p, tl.load(q) + n)", "*fp32, *fp32, i32"),
      StartsWith("module"));
  EXPECT_THAT(importBody("p", "tl.store(p, tl.arange(0, 4))", "*i32"),
              HasSubstr("is a block (i32[4]), but the pointer is a scalar"));
}

TEST(Operators, Hints) {
  std::string ir = importBody("p, n, o",
                              "i = tl.max_contiguous(tl.multiple_of(n * 3 + tl.arange(0, 8), 8), "
                              "8)\nn = tl.multiple_of(n, 4)\ntl.assume(n > 0)\n"
                              "tl.store(o + i, tl.load(p + i))",
                              "*fp32, i32, *fp32");
  EXPECT_THAT(ir, AllOf(HasSubstr("tile.contiguity = array<i64: 8>"),
                        HasSubstr("tile.divisibility = array<i64: 8>"),
                        HasSubstr("tile.divisibility = 4 : i64")));
}

TEST(Types, AreFoundByNameAndMadeOfOthers) {
  EXPECT_THAT(
      importBody("p",
                 "tl.static_assert(tl.dtype('int32') == tl.int32)\n"
                 "tl.static_assert(tl.str_to_ty('*fp16', None) == tl.pointer_type(tl.float16))\n"
                 "tl.static_assert(tl.str_to_ty('u8') == tl.uint8)\n"
                 "b: tl.constexpr = tl.block_type(tl.float32, [16, 4])\n"
                 "tl.static_assert(b.shape[0] * b.shape[1] == 64 and b.element_ty == tl.float32)\n"
                 "tl.store(p, tl.load(p))",
                 "*i32"),
      testing::StartsWith("module"));
  EXPECT_THAT(importBody("p", "tl.store(p, tl.dtype('int33'))", "*i32"),
              HasSubstr("there is no dtype 'int33'"));
  EXPECT_THAT(importBody("p", "tl.store(p, tl.str_to_ty('**i32'))", "*i32"),
              HasSubstr("'**i32' is no type"));
  EXPECT_THAT(
      importBody("p", "x: tl.constexpr = tl.block_type(tl.float32, [3])\ntl.store(p, 1)", "*i32"),
      HasSubstr("error"));
}

} // namespace
} // namespace inlay::triton
