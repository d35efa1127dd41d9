// Atomics, block pointers, tensor descriptors, dot, assembly, printing: their IR and their errors.
#include "compiler/frontends/triton/TestSupport.h"

namespace inlay::triton {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

std::string importAtomic(std::string_view call, std::string_view type) {
  return importBody("p, n", fmt::format("i = tl.arange(0, 8)\n{}", call),
                    fmt::format("*{}, i32", type));
}

TEST(Atomics, KindsAndTypes) {
  struct Row {
    std::string_view call, type, expected;
  };
  constexpr Row rows[] = {
      {"tl.atomic_add(p + i, 1, i < n)", "i32", "tile.atomic_rmw add"},
      {"tl.atomic_add(p + i, 1.0)", "fp16", "tile.atomic_rmw fadd"},
      {"tl.atomic_add(p + i, 1.0)", "bf16", "tile.atomic_rmw fadd"},
      {"tl.atomic_add(p + i, 1.0)", "fp64", "tile.atomic_rmw fadd"},
      {"(p + i).atomic_add(2)", "u64", "tile.atomic_rmw add"},
      {"tl.atomic_max(p + i, 1)", "i32", "tile.atomic_rmw max"},
      {"tl.atomic_max(p + i, 1)", "u32", "tile.atomic_rmw umax"},
      {"tl.atomic_min(p + i, 1)", "u64", "tile.atomic_rmw umin"},
      {"tl.atomic_and(p + i, 1)", "i64", "tile.atomic_rmw and"},
      {"tl.atomic_or(p + i, 1)", "i32", "tile.atomic_rmw or"},
      {"tl.atomic_xor(p + i, 1)", "i32", "tile.atomic_rmw xor"},
      {"tl.atomic_xchg(p + i, 1)", "fp32", "tile.atomic_rmw xchg"},
      {"tl.atomic_add(p, 1)", "i32", "tile.atomic_rmw add %arg0, %c1_i32 : !tile.ptr<i32>, i32"},
      {"tl.atomic_add(p, 1, sem='relaxed', scope='cta')", "i32", "order relaxed scope cta"},
      {"tl.atomic_add(p, 1, sem='acquire', scope='sys')", "i32", "order acquire scope sys"},
      {"tl.atomic_add(p + i, 1, n > 3)", "i32", "tile.splat"}, // the mask broadcasts
      {"tl.atomic_cas(p, 0, 1)", "i32", "tile.atomic_cas %arg0, %c0_i32, %c1_i32"},
      {"tl.atomic_cas(p, 0, 1, sem='release')", "i64", "order release"},
      {"tl.atomic_cas(p + i, 0, 1)", "i16", "tile.atomic_cas"},
  };
  for (const Row &row : rows)
    EXPECT_THAT(importAtomic(row.call, row.type),
                AllOf(StartsWith("module"), HasSubstr(row.expected)))
        << row.call << " of " << row.type;
}

/// Two integer operations, split by the sign of the value; the old value comes back as a float.
TEST(Atomics, FloatExtremaAreIntegerOnes) {
  std::string text =
      importBody("p, q", "v = tl.load(q)\ntl.store(q, tl.atomic_max(p, v))", "*fp32, *fp32");
  EXPECT_THAT(text, AllOf(HasSubstr("tile.atomic_rmw max"), HasSubstr("tile.atomic_rmw umin"),
                          HasSubstr("arith.cmpi slt"), HasSubstr("arith.select"),
                          HasSubstr("arith.bitcast")));
  text = importBody("p, q", "v = tl.load(q)\ntl.store(q, tl.atomic_min(p, v))", "*fp64, *fp64");
  EXPECT_THAT(text, AllOf(HasSubstr("tile.atomic_rmw min"), HasSubstr("tile.atomic_rmw umax")));
}

TEST(Atomics, Errors) {
  struct Row {
    std::string_view call, type, expected;
  };
  constexpr Row rows[] = {
      {"tl.atomic_max(p + i, 1.0)", "fp16",
       "atomic_max is defined for integers of 32 and 64 bits, fp32 and fp64, not for fp16"},
      {"tl.atomic_add(p + i, 1)", "i8", "atomic_add is defined for"},
      {"tl.atomic_and(p + i, 1)", "fp32", "atomic_and is defined for integers of 32 and 64 bits"},
      {"tl.atomic_xchg(p + i, 1)", "fp16", "atomic_xchg is defined for"},
      {"tl.atomic_cas(p + i, 0, 1)", "i8", "elements of 16, 32 and 64 bits, not for i8"},
      {"tl.atomic_add(p + i, 1)", "ki32", "read only"},
      {"tl.atomic_add(p + i, 1, i)", "i32", "a mask must be int1, not i32[8]"},
      {"tl.atomic_add(p, i)", "i32", "'val' is a block (i32[8]), but the pointer is a scalar"},
      {"tl.atomic_add(p, 1, sem='weak')", "i32", "'sem' is one of"},
      {"tl.atomic_add(i, 1)", "i32", "a pointer or a block of pointers is needed"},
  };
  for (const Row &row : rows)
    EXPECT_THAT(importAtomic(row.call, row.type),
                AllOf(StartsWith("ERROR"), HasSubstr(row.expected)))
        << row.call << " of " << row.type;
}

std::string importBlockPointer(std::string_view body, std::string_view type = "fp16") {
  return importBody(
      "p, m, n",
      fmt::format("b = tl.make_block_ptr(p, (m, n), (n, 1), (4, 0), (4, 8), (1, 0))\n{}", body),
      fmt::format("*{}, i32, i32", type));
}

TEST(BlockPointers, BecomePointersAndMasks) {
  // Nothing checked: no mask. One or two dimensions: masks and padding.
  EXPECT_THAT(importBlockPointer("x = tl.load(b)\ntl.store(b, x)"),
              AllOf(StartsWith("module"),
                    HasSubstr("tensor<4x8x!tile.ptr<f16>> -> tensor<4x8xf16>"),
                    Not(HasSubstr("mask"))));
  EXPECT_THAT(importBlockPointer("tl.store(b, tl.load(b, boundary_check=(0, 1)))"),
              AllOf(HasSubstr("mask"), Not(HasSubstr("other"))));
  EXPECT_THAT(
      importBlockPointer("tl.store(b, tl.load(b, boundary_check=(1,), padding_option='zero'))"),
      HasSubstr("other"));
  EXPECT_THAT(
      importBlockPointer("tl.store(b, tl.load(b, boundary_check=(0,), padding_option='nan'))"),
      HasSubstr("dense<0x7E00> : tensor<4x8xf16>"));
  EXPECT_THAT(importBlockPointer("tl.store(b, 1.5, boundary_check=(0, 1))"),
              HasSubstr("dense<1.500000e+00> : tensor<4x8xf16>"));
  EXPECT_THAT(importBlockPointer("tl.store(b, tl.zeros((4, 8), b.dtype.element_ty))"),
              HasSubstr("tensor<4x8xf16>"));
  EXPECT_THAT(importBlockPointer("tl.store(b, tl.zeros((4, 8), b.type.element_ty))"),
              HasSubstr("tensor<4x8xf16>"));
}

TEST(BlockPointers, SurviveLoopsAndBranches) {
  std::string loop = importBlockPointer("for k in range(0, n, 8):\n    x = tl.load(b)\n    "
                                        "tl.store(b, x)\n    b = tl.advance(b, (0, 8))");
  EXPECT_THAT(loop, AllOf(StartsWith("module"), HasSubstr("iter_args"), HasSubstr("arith.addi")));
  EXPECT_THAT(importBlockPointer("if n > 3:\n    b = b.advance((1, 0))\ntl.store(b, 1.0)"),
              AllOf(HasSubstr("arith.select"), HasSubstr("tile.store")));
  // A loop may also replace it by one of another block: that is an error.
  EXPECT_THAT(importBlockPointer("for k in range(0, n):\n    b = tl.make_block_ptr(p, (m, n), (n, "
                                 "1), (4, 0), (8, 8), (1, 0))"),
              HasSubstr("must keep its type through the loop"));
}

TEST(BlockPointers, Errors) {
  struct Row {
    std::string_view body, expected;
  };
  constexpr Row rows[] = {
      {"tl.load(b, mask=m > 1)", "'mask' does not go with a block pointer"},
      {"tl.load(b, boundary_check=(2,))", "axis 2 does not exist"},
      {"tl.load(p, boundary_check=(0,))", "are for block pointers"},
      {"tl.load(b, padding_option='one')", "'padding_option' is one of '', 'zero', 'nan'"},
      {"tl.advance(b, (0,))", "1 offsets cannot move a block pointer of fp16[4, 8]"},
      {"tl.advance(p, (0,))", "advance moves block pointers, not a tensor of type *fp16"},
      {"tl.make_block_ptr(p, (m,), (n, 1), (4, 0), (4, 8), (1, 0))", "must have one length"},
      {"tl.make_block_ptr(p, (m, n), (n, 1), (4, 0), (4, 8), (1, 1))", "permutation of 0 to 1"},
      {"tl.make_block_ptr(p, (m, n), (n, 1.5), (4, 0), (4, 8), (1, 0))",
       "'strides' must be integer scalars, not 1.5"},
      {"tl.make_block_ptr(p, (m, n), (n, 1), (4, 0), (4, 7), (1, 0))", "power of two"},
      {"b + 1", "is not defined for a block pointer of fp16[4, 8]"},
  };
  for (const Row &row : rows)
    EXPECT_THAT(importBlockPointer(row.body), AllOf(StartsWith("ERROR"), HasSubstr(row.expected)))
        << row.body;
  EXPECT_THAT(importBlockPointer("tl.load(b, boundary_check=(0,), padding_option='nan')", "i32"),
              HasSubstr("padding with NaN is for floats"));
}

std::string importDescriptor(std::string_view body, std::string_view type = "fp16") {
  return importBody(
      "p, m, n", fmt::format("d = tl.make_tensor_descriptor(p, [m, n], [n, 1], [4, 8])\n{}", body),
      fmt::format("*{}, i32, i32", type));
}

TEST(Descriptors, Accesses) {
  EXPECT_THAT(importDescriptor("d.store([m, 0], d.load([0, 8]) + 1.0)"),
              AllOf(HasSubstr("tile.descriptor_load %arg0 sizes"),
                    HasSubstr("tile.descriptor_store %arg0"), HasSubstr("tensor<4x8xf16>")));
  EXPECT_THAT(importDescriptor("tl.store_tensor_descriptor(d, [0, 0], "
                               "tl.load_tensor_descriptor(d, [0, 0]))"),
              HasSubstr("tile.descriptor_store"));
  EXPECT_THAT(importDescriptor("x = tl._experimental_descriptor_load(d, [0, 0], [4, 8], d.dtype)\n"
                               "tl._experimental_descriptor_store(d, x, [0, 0])"),
              HasSubstr("tile.descriptor_store"));
  EXPECT_THAT(importDescriptor("tl.static_assert(d.block_shape == [4, 8])\n"
                               "tl.static_assert(d.dtype == tl.float16)\n"
                               "tl.static_assert(isinstance(d, tl.tensor_descriptor))\n"
                               "tl.static_assert(not isinstance(p, tl.tensor_descriptor))\n"
                               "d.store([0, 0], tl.zeros(d.block_shape, d.dtype))"),
              StartsWith("module"));
  EXPECT_THAT(importDescriptor("d.atomic_add([0, 0], 1.0)"),
              AllOf(HasSubstr("tile.atomic_rmw fadd"), HasSubstr("mask")));
  EXPECT_THAT(importDescriptor("d.atomic_max([0, 0], 1)", "i32"), HasSubstr("tile.atomic_rmw max"));
  EXPECT_THAT(
      importBody("p, n",
                 "d = tl.make_tensor_descriptor(p, [n, n], [n, 1], [1, 8], "
                 "padding_option='nan')\nx = d.gather(tl.arange(0, 4), 8)\n"
                 "d.scatter(x, tl.arange(0, 4) * 2, 0)",
                 "*fp32, i32"),
      AllOf(HasSubstr("-> tensor<4x8xf32>"), HasSubstr("0x7FC00000"), HasSubstr("tile.store")));
  EXPECT_THAT(importDescriptor("for k in range(0, 3):\n    d.store([k, 0], 1.0)"),
              HasSubstr("tile.descriptor_store"));
}

TEST(Descriptors, Errors) {
  struct Row {
    std::string_view body, expected;
  };
  constexpr Row rows[] = {
      {"d.load([0])", "has 2 dimensions, so it takes as many offsets, not 1"},
      {"d.prefetch([0, 0])", "has no method 'prefetch'"},
      {"tl.make_tensor_descriptor(p, [m, n], [n, 2], [4, 8])", "last stride"},
      {"tl.make_tensor_descriptor(p, [m, n], [n, n], [4, 8])", "last stride"},
      {"tl.make_tensor_descriptor(p, [m, n], [n, 1], [4, 4])",
       "at least 16 bytes, but 4 elements of fp16 have 8"},
      {"tl.make_tensor_descriptor(p, [m], [n, 1], [4, 8])", "must have one length"},
      {"tl.load_tensor_descriptor(p, [0, 0])", "a tensor descriptor is needed here"},
      {"d.gather(tl.arange(0, 4), 0)", "need a descriptor of block shape [1, N]"},
      {"tl._experimental_descriptor_load(p, [0, 0], [4, 8], tl.float16)",
       "pass a tensor descriptor"},
  };
  for (const Row &row : rows)
    EXPECT_THAT(importDescriptor(row.body), AllOf(StartsWith("ERROR"), HasSubstr(row.expected)))
        << row.body;
}

/// A descriptor made by the host: base, sizes, strides, with what the hardware demands of them.
TEST(Descriptors, KernelParameters) {
  std::string text = importBody("d, n, e", "e.store([n, 0], d.load([n, 8]))",
                                "tensordesc<fp16[4, 8]>, i32, tensordesc<fp16[4,8]>");
  EXPECT_THAT(
      text,
      AllOf(HasSubstr("%arg0: !tile.ptr<f16> {tile.divisibility = 16 : i64, tile.name = \"d\"}, "
                      "%arg1: i64 {tile.name = \"d.size0\"}, %arg2: i64 {tile.name = "
                      "\"d.size1\"}, %arg3: i64 {tile.divisibility = 8 : i64, tile.name = "
                      "\"d.stride0\"}, %arg4: i64 {tile.name = \"d.stride1\"}, %arg5: i32"),
            HasSubstr("tile.descriptor_load %arg0 sizes %arg1, %arg2 strides %arg3, %c1_i64 "
                      "offsets %arg5, %c8_i32"),
            HasSubstr("tile.descriptor_store %arg6")));
  for (std::string_view entry : {"tensordesc<fp16[4, 4]>", "tensordesc<fp16[4, 7]>",
                                 "tensordesc<half[4, 8]>", "tensordesc<fp16[]>", "tensordesc"})
    EXPECT_THAT(importBody("d", "d.load([0, 0])", entry), HasSubstr("is not a descriptor"))
        << entry;
}

/// Imports a dot of an [m, k] by a [k, n] block of the given types.
std::string importDot(std::string_view expression, std::string_view a, std::string_view b,
                      std::string_view shapes = "a = tl.zeros((16, 32), pa.dtype.element_ty)\nb = "
                                                "tl.zeros((32, 16), pb.dtype.element_ty)") {
  return importBody("pa, pb, o",
                    fmt::format("{}\na = a + tl.load(pa)\nb = b + tl.load(pb)\nr = {}\n"
                                "tl.store(o + tl.zeros(r.shape, tl.int32), r)",
                                shapes, expression),
                    fmt::format("*{}, *{}, *fp32", a, b));
}

TEST(Dot, Types) {
  struct Row {
    std::string_view expression, type, expected;
  };
  constexpr Row rows[] = {
      {"tl.dot(a, b)", "fp16", "tensor<32x16xf16> -> tensor<16x16xf32>"},
      {"tl.dot(a, b, out_dtype=tl.float16)", "fp16", "-> tensor<16x16xf16>"},
      {"tl.dot(a, b)", "bf16", "tensor<32x16xbf16> -> tensor<16x16xf32>"},
      {"tl.dot(a, b, out_dtype=tl.float16)", "bf16", "-> tensor<16x16xf32>"},
      {"tl.dot(a, b)", "fp32", "tensor<32x16xf32> -> tensor<16x16xf32>"},
      {"tl.dot(a, b)", "fp64", "tensor<32x16xf64> -> tensor<16x16xf64>"},
      {"tl.dot(a, b)", "i8", "tensor<32x16xi8> -> tensor<16x16xi32>"},
      {"tl.dot(a, b, input_precision='ieee')", "fp32", "precision ieee"},
      {"tl.dot(a, b, allow_tf32=False)", "fp32", "precision ieee"},
      {"tl.dot(a, b, input_precision='tf32x3')", "fp32", "precision tf32x3"},
      {"tl.dot(a, b, tl.zeros((16, 16), tl.float32))", "fp16", "tile.dot"},
      {"tl.dot(a, b, acc=tl.zeros((16, 16), tl.int32), out_dtype=tl.int32)", "i8", "tile.dot"},
  };
  for (const Row &row : rows)
    EXPECT_THAT(importDot(row.expression, row.type, row.type),
                AllOf(StartsWith("module"), HasSubstr(row.expected)))
        << row.expression << " of " << row.type;
  EXPECT_THAT(importDot("tl.dot(a, b)", "fp16", "fp16"), Not(HasSubstr("precision")));
  // Batches: 3 dimensions as they are, more as one.
  EXPECT_THAT(
      importDot("tl.dot(a, b)", "fp16", "fp16",
                "a = tl.zeros((4, 16, 32), tl.float16)\nb = tl.zeros((4, 32, 16), tl.float16)"),
      HasSubstr("tensor<4x32x16xf16> -> tensor<4x16x16xf32>"));
  EXPECT_THAT(importDot("tl.dot(a, b)", "fp16", "fp16",
                        "a = tl.zeros((2, 4, 1, 16), tl.float16)\nb = tl.zeros((2, 4, 16, 2), "
                        "tl.float16)"),
              AllOf(HasSubstr("tensor<8x16x2xf16> -> tensor<8x1x2xf32>"),
                    HasSubstr("tensor<8x1x2xf32> -> tensor<2x4x1x2xf32>")));
}

/// `acc += dot(a, b)` is as good as `dot(a, b, acc)`.
TEST(Dot, SumsGoIntoTheAccumulator) {
  for (std::string_view expression : {"c + tl.dot(a, b)", "tl.dot(a, b) + c", "tl.dot(a, b, c)"})
    EXPECT_THAT(
        importDot(expression, "fp16", "fp16",
                  "c = tl.load(o + tl.zeros((16, 16), tl.int32))\na = tl.zeros((16, 32), "
                  "tl.float16)\nb = tl.zeros((32, 16), tl.float16)"),
        AllOf(HasSubstr("tile.dot"), Not(ContainsRegex("arith.addf[^\n]*tensor<16x16xf32>"))))
        << expression;
}

/// fp8 operands may be of two types; by default all products are summed natively.
TEST(Dot, Float8) {
  auto importFloat8 = [](std::string_view arguments, std::string_view a, std::string_view b) {
    return importBody(
        "pa, pb, o",
        fmt::format("i = tl.arange(0, 32)\na = tl.load(pa + i[:, None] + i[None, :])\n"
                    "b = tl.load(pb + i[:, None] + i[None, :])\nr = tl.dot(a, b{})\n"
                    "tl.store(o + i[:, None] + i[None, :], r)",
                    arguments),
        fmt::format("*{}, *{}, *fp32", a, b));
  };
  EXPECT_THAT(importFloat8("", "fp8e5", "fp8e4nv"),
              AllOf(HasSubstr("tile.dot"), HasSubstr("f8E5M2"), HasSubstr("f8E4M3FN"),
                    HasSubstr("maxNumImprecise = 1073741824")));
  EXPECT_THAT(importFloat8(", max_num_imprecise_acc=32", "fp8e5", "fp8e5"),
              HasSubstr("maxNumImprecise = 32"));
  EXPECT_THAT(importFloat8(", max_num_imprecise_acc=0", "fp8e5", "fp8e5"),
              Not(HasSubstr("maxNumImprecise")));
  EXPECT_THAT(importFloat8(", max_num_imprecise_acc=64", "fp8e5", "fp8e5"),
              HasSubstr("max_num_imprecise_acc is 64, but K is 32"));
  EXPECT_THAT(importFloat8("", "fp8e4b15", "fp8e4b15"), HasSubstr("tensor<32x32xf16>, tensor"));
}

/// Microscaling formats are widened and scaled, then multiplied.
TEST(Dot, Scaled) {
  auto importScaled = [](std::string_view lhs, std::string_view formatA, std::string_view scaleA,
                         std::string_view rhs, std::string_view formatB, std::string_view scaleB) {
    return importBody(
        "pa, pb, ps, o",
        fmt::format("i = tl.arange(0, 16)\nk = tl.arange(0, 64)\nh = tl.arange(0, 32)\n"
                    "g = tl.arange(0, 2)\na = tl.load({})\nb = tl.load({})\n"
                    "s = tl.load(ps + i[:, None] * 2 + g[None, :])\n"
                    "r = tl.dot_scaled(a, {}, '{}', b, {}, '{}')\n"
                    "tl.store(o + i[:, None] + i[None, :], r)",
                    lhs, rhs, scaleA, formatA, scaleB, formatB),
        "*u8, *u8, *u8, *fp32");
  };
  constexpr std::string_view a8 = "pa + i[:, None] + k[None, :]",
                             b8 = "pb + k[:, None] + i[None, :]";
  constexpr std::string_view a4 = "pa + i[:, None] + h[None, :]",
                             b4 = "pb + h[:, None] + i[None, :]";
  EXPECT_THAT(importScaled(a8, "e4m3", "s", b8, "e5m2", "s"),
              AllOf(HasSubstr("tensor<16x64xbf16>, tensor<64x16xbf16> -> tensor<16x16xf32>"),
                    HasSubstr("f8E4M3FN"), HasSubstr("f8E5M2")));
  EXPECT_THAT(importScaled(a4, "e2m1", "s", b4, "e2m1", "s"),
              AllOf(HasSubstr("tensor<16x32x2xbf16>"), HasSubstr("tensor<32x2x16xbf16>"),
                    HasSubstr("tensor<16x64xbf16>, tensor<64x16xbf16>")));
  EXPECT_THAT(importScaled(a8, "e4m3", "None", b8, "fp16", "None"),
              HasSubstr("tensor<16x64xf16>, tensor<64x16xf16>"));
  EXPECT_THAT(importScaled(a8, "e3m2", "s", b8, "e5m2", "s"),
              HasSubstr("the formats of dot_scaled are 'e2m1'"));
  EXPECT_THAT(importScaled(a4, "e5m2", "s", b4, "e5m2", "s"),
              HasSubstr("one scale for 32 elements along K"));
}

TEST(Dot, Errors) {
  struct Row {
    std::string_view expression, a, b, expected;
  };
  constexpr Row rows[] = {
      {"tl.dot(a, b)", "fp16", "bf16", "of the same type on both sides, not fp16 by bf16"},
      {"tl.dot(a, b)", "i32", "i32", "not i32 by i32"},
      {"tl.dot(a, b)", "u8", "u8", "not u8 by u8"},
      {"tl.dot(a, a)", "fp16", "fp16", "dot of [16, 32] and [16, 32]"},
      {"tl.dot(a, 1.0)", "fp16", "fp16", "dot multiplies blocks of rank 2 or more, not 1.0"},
      {"tl.dot(a, b, out_dtype=tl.bfloat16)", "bf16", "bf16", "dot does not sum in bf16"},
      {"tl.dot(a, b, tl.zeros((16, 16), tl.float16))", "fp16", "fp16",
       "the accumulator of this dot must be fp32[16, 16], not a tensor of type fp16[16, 16]"},
      {"tl.dot(a, b, tl.zeros((16, 32), tl.float32))", "fp16", "fp16", "must be fp32[16, 16]"},
      {"tl.dot(a, b, allow_tf32=True, input_precision='ieee')", "fp32", "fp32", "one of them"},
      {"tl.dot(a, b, input_precision='fp8')", "fp32", "fp32", "'input_precision' is one of"},
  };
  for (const Row &row : rows)
    EXPECT_THAT(importDot(row.expression, row.a, row.b),
                AllOf(StartsWith("ERROR"), HasSubstr(row.expected)))
        << row.expression;
  EXPECT_THAT(importDot("tl.dot(a, b)", "fp16", "fp16",
                        "a = tl.zeros((16, 8), tl.float16)\nb = tl.zeros((8, 16), tl.float16)"),
              HasSubstr("K is 8, but must be at least 16 for fp16"));
  EXPECT_THAT(importDot("tl.dot(a, b)", "i8", "i8",
                        "a = tl.zeros((16, 16), tl.int8)\nb = tl.zeros((16, 16), tl.int8)"),
              HasSubstr("K is 16, but must be at least 32 for i8"));
}

TEST(InlineAsm, OperandsAndResults) {
  auto importAsm = [](std::string_view arguments) {
    return importBody("p, n",
                      fmt::format("i = tl.arange(0, 8)\nr = tl.inline_asm_elementwise({})\n"
                                  "if isinstance(r, tl.tuple):\n    tl.store(p + i, r[0] + r[1])\n"
                                  "else:\n    tl.store(p + i, r)",
                                  arguments),
                      "*i32, i32");
  };
  EXPECT_THAT(importAsm("'add.s32 $0, $1, $2;', '=r,r,r', [i, n], tl.int32, True, 1"),
              AllOf(HasSubstr("pack 1 pure(%0, %1) : (tensor<8xi32>, tensor<8xi32>) -> "),
                    HasSubstr("tile.splat %arg1")));
  EXPECT_THAT(importAsm("asm='x', constraints='=r,=r,r', args=[i], dtype=(tl.int32, tl.int8), "
                        "is_pure=False, pack=4"),
              AllOf(HasSubstr("pack 4("), HasSubstr("-> (tensor<8xi32>, tensor<8xi8>)")));
  EXPECT_THAT(importAsm("'x', '=r', [], tl.int32, True, 1"), HasSubstr("pure() : () -> i32"));
  EXPECT_THAT(importAsm("'x', '=r', [], tl.int32, True, 3"), HasSubstr("power of two, not 3"));
  EXPECT_THAT(importAsm("'x', '=r', [], (), True, 1"), HasSubstr("at least one result type"));
  EXPECT_THAT(importAsm("i, '=r', [], tl.int32, True, 1"), HasSubstr("'asm' must be a string"));
}

TEST(Printing, PrefixesAndSigns) {
  auto importPrint = [](std::string_view call) {
    return importBody("p, n", fmt::format("i = tl.arange(0, 8)\n{}", call), "*u32, i32");
  };
  EXPECT_THAT(importPrint("tl.device_print('x: ', i, tl.load(p))"),
              HasSubstr("tile.print \"x: \"(%0, %1) signed [1, 0] : tensor<8xi32>, i32"));
  EXPECT_THAT(importPrint("print('n', n)"), HasSubstr("tile.print \"n\"(%arg1)"));
  EXPECT_THAT(importPrint("print(n, i)"), HasSubstr("tile.print \"\"(%arg1, %0)"));
  EXPECT_THAT(importPrint("tl.device_print('x', i, hex=True)"), HasSubstr("\"x\" hex("));
  EXPECT_THAT(importPrint("tl.device_print(n)"),
              HasSubstr("the prefix of what is printed must be"));
}

/// Run-time assertions cost nothing unless they are asked for.
TEST(Assertions, OnlyInDebugBuilds) {
  constexpr std::string_view source = "@triton.jit\ndef kernel(p, n):\n    tl.device_assert(n > 3, "
                                      "'too small')\n    assert n < 9, 'too large'\n";
  KernelRequest kernel = request(source, "*i32, i32");
  EXPECT_THAT(import(kernel), Not(HasSubstr("tile.assert")));
  kernel.isDebug = true;
  EXPECT_THAT(import(kernel), AllOf(HasSubstr("\"too small\""), HasSubstr("\"too large\"")));
  KernelRequest masked = request("@triton.jit\ndef kernel(p, n):\n    i = tl.arange(0, 8)\n    "
                                 "tl.device_assert(i > 3, mask=i < n)\n",
                                 "*i32, i32");
  masked.isDebug = true;
  EXPECT_THAT(import(masked), AllOf(HasSubstr("arith.ori"), HasSubstr("tile.assert")));
}

/// Grouped GEMM keeps addresses in int64 and makes pointers of them.
TEST(Pointers, FromLoadedAddresses) {
  EXPECT_THAT(importBody("p, o",
                         "a = tl.load(p).to(tl.pointer_type(tl.float16))\n"
                         "tl.store(o, tl.load(a + 3).to(tl.float32))",
                         "*i64, *fp32"),
              AllOf(HasSubstr("tile.int_to_ptr"), HasSubstr("!tile.ptr<f16> -> f16")));
}

} // namespace
} // namespace inlay::triton
