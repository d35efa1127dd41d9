// What the standard library composes: random numbers, sorting, shapes, libdevice.
#include "compiler/frontends/triton/TestSupport.h"

#include <array>
#include <sstream>

namespace inlay::triton {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

/// Imports `store(q, expression)`; with constants only the canonicalizer computes the result.
std::string importStored(std::string_view expression, std::string_view type = "i32") {
  return importBody("q", fmt::format("tl.store(q, {})", expression), fmt::format("*{}", type));
}

/// Philox on integers, as the paper has it; `multiply` gives high and low word of a product.
template <typename Word, typename Wide>
std::array<Word, 4> referencePhilox(std::array<Word, 4> c, std::array<Word, 2> key, int rounds,
                                    std::array<Word, 2> factors, std::array<Word, 2> weyl) {
  constexpr int bits = sizeof(Word) * 8;
  for (int i = 0; i < rounds; ++i) {
    Wide a = static_cast<Wide>(factors[0]) * c[0], b = static_cast<Wide>(factors[1]) * c[2];
    c = {static_cast<Word>(static_cast<Word>(b >> bits) ^ c[1] ^ key[0]), static_cast<Word>(b),
         static_cast<Word>(static_cast<Word>(a >> bits) ^ c[3] ^ key[1]), static_cast<Word>(a)};
    key = {static_cast<Word>(key[0] + weyl[0]), static_cast<Word>(key[1] + weyl[1])};
  }
  return c;
}

std::array<uint32_t, 4> philox32(uint64_t seed, std::array<uint32_t, 4> c, int rounds = 10) {
  return referencePhilox<uint32_t, uint64_t>(
      c, {static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)}, rounds,
      {0xD2511F53u, 0xCD9E8D57u}, {0x9E3779B9u, 0xBB67AE85u});
}

TEST(Random, ReferenceAgreesWithKnownAnswers) {
  EXPECT_EQ(philox32(0, {0, 0, 0, 0}),
            (std::array<uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox32(0x299f31d0a4093822, {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}),
            (std::array<uint32_t, 4>{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

/// Seeds of 32 and 64 bits, negative ones, offsets of both widths: bit for bit.
TEST(Random, PhiloxIsExact) {
  auto storedWord = [](uint32_t word) {
    return fmt::format("arith.constant {} : i32", static_cast<int32_t>(word));
  };
  struct Row {
    std::string_view seed, offset;
    uint64_t seedBits;
    std::array<uint32_t, 2> counter;
  };
  const Row rows[] = {
      {"1234", "7", 1234, {7, 0}},
      {"0x123456789ABCDEF", "7", 0x123456789ABCDEF, {7, 0}},
      {"0x123456789ABCDEF", "0x300000007", 0x123456789ABCDEF, {7, 3}},
      {"-5", "-2", static_cast<uint64_t>(-5), {0xFFFFFFFEu, 0}},
  };
  for (const Row &row : rows) {
    std::array<uint32_t, 4> words = philox32(row.seedBits, {row.counter[0], row.counter[1], 0, 0});
    EXPECT_THAT(importStored(fmt::format("tl.randint({}, {})", row.seed, row.offset)),
                HasSubstr(storedWord(words[0])))
        << row.seed << ", " << row.offset;
    for (int i = 0; i < 4; ++i)
      EXPECT_THAT(importStored(fmt::format("tl.randint4x({}, {})[{}]", row.seed, row.offset, i)),
                  HasSubstr(storedWord(words[i])))
          << row.seed << ", " << row.offset << " word " << i;
  }
  EXPECT_THAT(importStored("tl.randint(1234, 7, n_rounds=4)"),
              HasSubstr(storedWord(philox32(1234, {7, 0, 0, 0}, 4)[0])));
  EXPECT_THAT(importStored("tl.philox(3, 4, 5, 6, 7)[2]"),
              HasSubstr(storedWord(philox32(3, {4, 5, 6, 7})[2])));
}

TEST(Random, WideCountersTakeTheWideVariant) {
  std::array<uint64_t, 4> words = referencePhilox<uint64_t, unsigned __int128>(
      {7, 1, 2, 3}, {0x123456789ABCDEFu, 0}, 10, {0xD2E7470EE14C6C93u, 0xCA5A826395121157u},
      {0x9E3779B97F4A7C15u, 0xBB67AE8584CAA73Bu});
  std::string text =
      importBody("q",
                 "w = tl.philox(0x123456789ABCDEF, tl.full((1,), 7, tl.uint64), tl.full((1,), 1, "
                 "tl.uint64), tl.full((1,), 2, tl.uint64), tl.full((1,), 3, tl.uint64))\n"
                 "tl.store(q + tl.arange(0, 1), w[3].to(tl.int64))",
                 "*i64");
  EXPECT_THAT(text, HasSubstr(fmt::format("arith.constant dense<{}> : tensor<1xi64>",
                                          static_cast<int64_t>(words[3]))));
}

TEST(Random, FloatsAreInTheUnitInterval) {
  // 7's first word is negative: -x - 1, then the scale.
  uint32_t word = philox32(1234, {7, 0, 0, 0})[0];
  ASSERT_TRUE(word >> 31);
  float expected = static_cast<float>(static_cast<int32_t>(~word)) * 4.6566127342e-10f;
  std::string text =
      importBody("q", "tl.store(q, tl.rand(1234, 7).to(tl.int32, bitcast=True))", "*i32");
  EXPECT_THAT(text,
              HasSubstr(fmt::format("arith.constant {} : i32", std::bit_cast<int32_t>(expected))));
  EXPECT_THAT(importBody("q", "i = tl.arange(0, 8)\ntl.store(q + i, tl.randn(3, i))", "*fp32"),
              AllOf(HasSubstr("math.log"), HasSubstr("math.cos")));
  EXPECT_THAT(importBody("q",
                         "i = tl.arange(0, 8)\na, b, c, d = tl.randn4x(3, i)\ntl.store(q + i, "
                         "a + b + c + d)",
                         "*fp32"),
              AllOf(HasSubstr("math.sin"), HasSubstr("math.cos")));
  EXPECT_THAT(importStored("tl.uint_to_uniform_float(tl.to_tensor(1.5))", "fp32"),
              HasSubstr("random integers have 32 or 64 bits"));
}

std::string importTile(std::string_view expression, std::string_view type = "fp32") {
  return importBody(
      "p, q",
      fmt::format("x = tl.load(p + tl.arange(0, 4)[:, None] * 8 + tl.arange(0, 8)[None, :])\n"
                  "r = {}\ntl.store(q + tl.zeros_like(r).to(tl.int32), r)",
                  expression),
      fmt::format("*{0}, *{0}", type));
}

TEST(Shapes, Rearranging) {
  struct Row {
    std::string_view expression, expected;
  };
  constexpr Row rows[] = {
      {"tl.join(x, x + 1.0)", "tensor<4x8xf32> -> tensor<4x8x2xf32>"},
      {"tl.join(x, 2.0)", "tensor<4x8xf32> -> tensor<4x8x2xf32>"},
      {"tl.reshape(x, 4, 4, 2).split()[1]", "tensor<4x4x2xf32> -> tensor<4x4xf32>"},
      {"tl.interleave(x, x)", "tensor<4x8x2xf32> -> tensor<4x16xf32>"},
      {"tl.cat(x, x + 1.0, dim=1)", "tensor<4x8x2xf32> -> tensor<4x2x8xf32>"},
      {"tl.cat(tl.ravel(x), tl.ravel(x) * 2.0, can_reorder=True)",
       "tensor<2x32xf32> -> tensor<64xf32>"},
      {"tl.flip(x)", "axis 1 : tensor<4x8xf32>, tensor<4x8xi32> -> tensor<4x8xf32>"},
      {"x.flip(0)", "axis 0 : tensor<4x8xf32>"},
      {"x.gather(tl.zeros((4, 2), tl.int32), 1)",
       "axis 1 : tensor<4x8xf32>, tensor<4x2xi32> -> tensor<4x2xf32>"},
      {"tl.sum(x, 1, keep_dims=True).sum(0).item()", "axis 0 : (tensor<1xf32>) -> f32"},
      {"tl.map_elementwise(tl.maximum, x, 0.0)", "arith.maxnumf"},
  };
  for (const Row &row : rows)
    EXPECT_THAT(importTile(row.expression), AllOf(StartsWith("module"), HasSubstr(row.expected)))
        << row.expression;
  EXPECT_THAT(importTile("tl.histogram(tl.ravel(x), 16)", "i32"),
              HasSubstr("tile.histogram %11 : tensor<32xi32> -> tensor<16xi32>"));
  // Scalars join to a pair and split back.
  EXPECT_THAT(importBody("q", "a, b = tl.split(tl.join(1.0, 2.0))\ntl.store(q, a + b)", "*fp32"),
              AllOf(HasSubstr("tile.join"), HasSubstr("tile.split")));
  EXPECT_THAT(importTile("tl.split(x)[0]"),
              HasSubstr("split needs a tensor whose last dimension is 2, not fp32[4, 8]"));
  EXPECT_THAT(importTile("x.item()"), HasSubstr("item needs a tensor of one element"));
  EXPECT_THAT(importTile("tl.gather(x, tl.zeros((2, 8), tl.int32), 1)"),
              HasSubstr("gather along axis 1 needs indices of the source's shape in all other"));
  EXPECT_THAT(importTile("tl.histogram(x, 16)"),
              HasSubstr("histogram counts a block of integers of rank 1, not fp32[4, 8]"));
}

/// swizzle2d against its formula, on constants.
TEST(Shapes, Swizzle2d) {
  for (int i = 0; i < 5; ++i)
    for (int j = 0; j < 3; ++j) {
      int place = i * 3 + j, group = place / 6, first = group * 2, height = std::min(5 - first, 2);
      int inside = place % 6;
      int expected = (first + inside % height) * 100 + inside / height;
      EXPECT_THAT(importBody("q",
                             fmt::format("a, b = tl.swizzle2d({}, {}, 5, 3, 2)\n"
                                         "tl.store(q, a * 100 + b)",
                                         i, j),
                             "*i32"),
                  HasSubstr(fmt::format("arith.constant {} : i32", expected)));
    }
}

TEST(Sorting, Networks) {
  // 8 elements: 1 + 2 + 3 steps, each one exchange of partners.
  std::string text = importTile("tl.sort(x)");
  size_t steps = 0;
  for (size_t at = text.find("tile.reduce"); at != std::string::npos;
       at = text.find("tile.reduce", at + 1))
    ++steps;
  EXPECT_EQ(steps, 6u) << text;
  EXPECT_THAT(importTile("x.sort(1, descending=True)", "i8"), HasSubstr("arith.cmpi sgt"));
  EXPECT_THAT(importTile("tl.sort(x, 0)"), HasSubstr("only the last dimension can be sorted"));
  EXPECT_THAT(importTile("tl.topk(x, 2)", "fp16"),
              AllOf(StartsWith("module"), HasSubstr("tensor<4x2xf16>")));
  EXPECT_THAT(importTile("tl.topk(x, 16)"), HasSubstr("k is larger than the last dimension"));
  EXPECT_THAT(importTile("tl.topk(x, 3)"), HasSubstr("3 is not a power of two"));
}

TEST(Libdevice, EveryNameCompiles) {
  // All names of Triton 3.6's module, by the types they take and their operands.
  struct Names {
    std::string_view types, operands, names;
  };
  constexpr Names table[] = {
      {"i32 i64", "x", "clz popc brev ffs"},
      {"i32 i64", "x, x", "mulhi"},
      {"i32", "x, x", "mul24 hadd rhadd hiloint2double"},
      {"i32", "x, x, x", "byte_perm sad"},
      {"i32", "x",
       "int2double_rn int2float_rn int2float_rz int2float_rd int2float_ru int_as_float"},
      {"u32", "x",
       "uint2double_rn uint2float_rn uint2float_rz uint2float_rd uint2float_ru uint_as_float"},
      {"i64", "x",
       "ll2float_rn ll2float_rz ll2float_rd ll2float_ru ll2double_rn ll2double_rz ll2double_rd "
       "ll2double_ru longlong_as_double"},
      {"u64", "x",
       "ull2float_rn ull2float_rz ull2float_rd ull2float_ru ull2double_rn ull2double_rz "
       "ull2double_rd ull2double_ru"},
      {"fp32 fp64 i32", "x", "abs"},
      {"fp32", "x",
       "saturatef rsqrt_rn finitef fast_sinf fast_cosf fast_log2f fast_logf fast_expf fast_tanf "
       "fast_exp10f fast_log10f float_as_int float_as_uint float2int_rn float2int_rz float2int_rd "
       "float2int_ru float2uint_rn float2uint_rz float2uint_rd float2uint_ru float2ll_rn "
       "float2ll_rz float2ll_rd float2ll_ru float2ull_rn float2ull_rz float2ull_rd float2ull_ru"},
      {"fp32", "x, x", "fast_dividef fast_powf"},
      {"fp64", "x",
       "rcp64h isfinited double_as_longlong double2loint double2hiint double2float_rn "
       "double2float_rz double2float_rd double2float_ru double2int_rn double2int_rz double2int_rd "
       "double2int_ru double2uint_rn double2uint_rz double2uint_rd double2uint_ru double2ll_rn "
       "double2ll_rz double2ll_rd double2ll_ru double2ull_rn double2ull_rz double2ull_rd "
       "double2ull_ru"},
      {"fp32 fp64", "x",
       "floor rsqrt ceil trunc exp2 rcp_rn rcp_rz rcp_rd rcp_ru sqrt_rn sqrt_rz sqrt_rd sqrt_ru "
       "sqrt rint llrint nearbyint isnan signbit isinf sin cos sinpi cospi tan log2 exp exp10 cosh "
       "sinh tanh atan asin acos log log10 log1p acosh asinh atanh expm1 cbrt rcbrt j0 j1 y0 y1 "
       "cyl_bessel_i0 cyl_bessel_i1 erf erfinv erfc erfcx erfcinv normcdfinv normcdf lgamma tgamma "
       "round llround ilogb logb"},
      {"fp32 fp64", "x, x",
       "div_rn div_rz div_rd div_ru add_rn add_rz add_rd add_ru mul_rn mul_rz mul_rd mul_ru sub_rn "
       "sub_rz sub_rd sub_ru copysign nextafter atan2 hypot rhypot fmod remainder pow fdim"},
      {"fp32 fp64", "x, x, x", "fma_rn fma_rz fma_rd fma_ru fma norm3d rnorm3d"},
      {"fp32 fp64", "x, x, x, x", "norm4d rnorm4d"},
      {"fp32 fp64", "tl.full(x.shape, 3, tl.int32), x", "jn yn"},
      {"fp32 fp64", "x, tl.full(x.shape, 3, tl.int32)", "ldexp scalbn"},
  };
  size_t count = 0;
  for (const Names &row : table) {
    std::istringstream names{std::string(row.names)};
    for (std::string name; names >> name; ++count) {
      std::istringstream types{std::string(row.types)};
      for (std::string type; types >> type;)
        EXPECT_THAT(
            importTile(fmt::format("libdevice.{}({}).to(x.dtype)", name, row.operands), type),
            StartsWith("module"))
            << name << " of " << type;
    }
  }
  EXPECT_EQ(count, 197u);
}

TEST(Libdevice, OtherNamesOfItsFunctions) {
  EXPECT_THAT(importTile("libdevice.llrint(x).to(tl.float32)"), HasSubstr("math.roundeven"));
  EXPECT_THAT(importTile("tl.math.lgamma(x)"), StartsWith("module"));
  EXPECT_THAT(importTile("tl.extra.cuda.libdevice.lgamma(x)"), StartsWith("module"));
  EXPECT_THAT(importTile("libdevice.cyl_bessel_i2(x)"),
              HasSubstr("libdevice.cyl_bessel_i2 is not supported yet"));
}

/// Integer functions of libdevice on constants.
TEST(Libdevice, IntegerFunctionsAreExact) {
  struct Row {
    std::string_view expression;
    int32_t expected;
  };
  constexpr Row rows[] = {
      {"popc(tl.to_tensor(0xF0F1))", 9},
      {"popc(tl.to_tensor(-1))", 32},
      {"popc(tl.to_tensor(-1).to(tl.int64))", 64},
      {"clz(tl.to_tensor(1))", 31},
      {"clz(tl.to_tensor(0))", 32},
      {"ffs(tl.to_tensor(8))", 4},
      {"ffs(tl.to_tensor(0))", 0},
      {"brev(tl.to_tensor(1))", INT32_MIN},
      {"mulhi(tl.to_tensor(-2), tl.to_tensor(3))", -1},
      {"byte_perm(tl.to_tensor(0x04030201), tl.to_tensor(0x08070605), tl.to_tensor(0x7531))",
       0x08060402},
      {"float_as_int(tl.to_tensor(1.0))", 0x3F800000},
      {"signbit(tl.to_tensor(-1.0))", 1},
  };
  for (const Row &row : rows)
    EXPECT_THAT(importStored(fmt::format("libdevice.{}", row.expression)),
                HasSubstr(fmt::format("arith.constant {} : i32", row.expected)))
        << row.expression;
}

TEST(Cuda, SpecialRegisters) {
  EXPECT_THAT(importStored("tl.extra.cuda.num_threads()"), HasSubstr("arith.constant 128 : i32"));
  EXPECT_THAT(
      importStored("tl.extra.cuda.smid()"),
      HasSubstr("tile.inline_asm \"mov.u32 $0, %smid;\", \"=r\" pack 1 pure() : () -> i32"));
  EXPECT_THAT(importStored("tl.extra.cuda.globaltimer()", "i64"), HasSubstr("%globaltimer"));
  EXPECT_THAT(importBody("q", "tl.extra.cuda.gdc_wait()\ntl.store(q, 1)", "*i32"),
              HasSubstr("griddepcontrol.wait"));
}

/// Functions by the symbols of libdevice, as Triton's own modules wrap them.
TEST(ExternElementwise, SymbolsOfLibdevice) {
  auto importExtern = [](std::string_view operands, std::string_view dict, std::string_view type,
                         std::string_view library = "libdevice") {
    return import(request(fmt::format(R"(
from triton.language import core

@core.extern
def wrapped(args, _semantic=None):
    return core.extern_elementwise('{}', '', args, {{{}}}, is_pure=True, _semantic=_semantic)

@triton.jit
def kernel(p):
    i = tl.arange(0, 8)
    x = tl.load(p + i)
    tl.store(p + i, wrapped([{}]))
)",
                                      library, dict, operands),
                          fmt::format("*{}", type)));
  };
  struct Row {
    std::string_view operands, dict, type, expected;
  };
  for (const Row &row : {
           Row{"x",
               "(core.dtype('fp32'),): ('__nv_sinf', core.dtype('fp32')), (tl.float64,): "
               "('__nv_sin', tl.float64)",
               "fp64", "math.sin"},
           Row{"x", "(core.dtype('fp32'),): ('__nv_sinf', core.dtype('fp32'))", "fp32", "math.sin"},
           Row{"x, 2.0", "(tl.float32, tl.float32): ('__nv_powf', tl.float32)", "fp32",
               "math.powf"},
           // Types that the dict does not name are brought to one, as an operator would.
           Row{"x, 3", "(tl.float32, tl.float32): ('__nv_fmaxf', tl.float32)", "fp32",
               "arith.maxnumf"},
           Row{"x", "(tl.int32,): ('__nv_llabs', tl.int32)", "i32", "tile.store"},
           Row{"x", "(tl.float32,): ('__nv_fdiv_r', tl.float32)", "fp32",
               "symbol '__nv_fdiv_r' of library 'libdevice' is not known"},
           Row{"x", "(tl.float64,): ('__nv_sinf', tl.float64)", "fp64",
               "symbol '__nv_sinf' takes fp32, not fp64"},
           Row{"x", "(tl.float64,): ('__nv_sin', tl.float64)", "fp32",
               "operands of types (fp32) are none of those the dict names: (fp64)"},
           Row{"x", "(tl.float32,): '__nv_sinf'", "fp32", "must be a symbol and a dtype"},
           Row{"x", "(core.dtype('fp31'),): ('__nv_sinf', tl.float32)", "fp32",
               "there is no dtype 'fp31'"},
       }) {
    std::string text = importExtern(row.operands, row.dict, row.type);
    EXPECT_THAT(text, HasSubstr(row.expected)) << row.dict;
  }
  EXPECT_THAT(importExtern("x", "(tl.float32,): ('my_function', tl.float32)", "fp32", "mine"),
              HasSubstr("symbol 'my_function' of library 'mine' is not known"));
}

/// A function of the user's file is found before one of the library.
TEST(StandardLibrary, UsersOwnFunctionsComeFirst) {
  EXPECT_THAT(import(request("@triton.jit\ndef flip(x):\n    return x * 3\n@triton.jit\ndef "
                             "kernel(q):\n    tl.store(q, flip(2))\n",
                             "*i32")),
              HasSubstr("arith.constant 6 : i32"));
}

} // namespace
} // namespace inlay::triton
