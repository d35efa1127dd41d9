#include "compiler/frontends/triton/TestSupport.h"
#include "compiler/frontends/triton/Type.h"

#include <fmt/format.h>

namespace inlay::triton {
namespace {

constexpr std::array kNames = {"i1",  "i8",    "i16",     "i32",  "i64",  "u8",   "u16", "u32",
                               "u64", "fp8e5", "fp8e4nv", "fp16", "bf16", "fp32", "fp64"};

/// Result types of a + b, row by left type, column by right type, in the order of kNames; "-" is an
/// error. Written from the language reference, rules 1 to 6.
constexpr std::array<std::string_view, 15> kSums = {
    // i1      i8    i16   i32   i64   u8    u16   u32   u64   e5   e4nv  fp16   bf16   fp32   fp64
    "i1   i8   i16  i32  i64  u8   u16  u32  u64  -    -    fp16 fp32 fp32 fp64",    // i1
    "i8   i8   i16  i32  i64  u8   u16  u32  u64  -    -    fp16 fp32 fp32 fp64",    // i8
    "i16  i16  i16  i32  i64  i16  u16  u32  u64  -    -    fp16 fp32 fp32 fp64",    // i16
    "i32  i32  i32  i32  i64  i32  i32  u32  u64  -    -    fp16 fp32 fp32 fp64",    // i32
    "i64  i64  i64  i64  i64  i64  i64  i64  u64  -    -    fp16 fp32 fp32 fp64",    // i64
    "u8   u8   i16  i32  i64  u8   u16  u32  u64  -    -    fp16 fp32 fp32 fp64",    // u8
    "u16  u16  u16  i32  i64  u16  u16  u32  u64  -    -    fp16 fp32 fp32 fp64",    // u16
    "u32  u32  u32  u32  i64  u32  u32  u32  u64  -    -    fp16 fp32 fp32 fp64",    // u32
    "u64  u64  u64  u64  u64  u64  u64  u64  u64  -    -    fp16 fp32 fp32 fp64",    // u64
    "-    -    -    -    -    -    -    -    -    fp8e5 fp16 fp16 fp32 fp32 fp64",   // fp8e5
    "-    -    -    -    -    -    -    -    -    fp16 fp8e4nv fp16 fp32 fp32 fp64", // fp8e4nv
    "fp16 fp16 fp16 fp16 fp16 fp16 fp16 fp16 fp16 fp16 fp16 fp16 fp16 fp32 fp64",    // fp16
    "fp32 fp32 fp32 fp32 fp32 fp32 fp32 fp32 fp32 fp32 fp32 fp16 bf16 fp32 fp64",    // bf16
    "fp32 fp32 fp32 fp32 fp32 fp32 fp32 fp32 fp32 fp32 fp32 fp32 fp32 fp32 fp64",    // fp32
    "fp64 fp64 fp64 fp64 fp64 fp64 fp64 fp64 fp64 fp64 fp64 fp64 fp64 fp64 fp64",    // fp64
};

std::vector<std::string> words(std::string_view text) {
  std::vector<std::string> result;
  std::istringstream stream{std::string(text)};
  for (std::string word; stream >> word;)
    result.push_back(word);
  return result;
}

bool isUnsignedName(std::string_view name) { return name.starts_with("u") || name == "i1"; }
bool isFloatName(std::string_view name) { return name.starts_with("fp") || name == "bf16"; }

std::string promoted(std::string_view a, std::string_view b, bool isDivision,
                     bool isNumberA = false, bool isNumberB = false) {
  Promotion result = promote({*findScalar(a), isNumberA}, {*findScalar(b), isNumberB}, isDivision);
  return result.type ? std::string(nameOf(*result.type)) : "-";
}

TEST(Promotion, AllPairsOfTensors) {
  for (size_t i = 0; i < kNames.size(); ++i) {
    std::vector<std::string> row = words(kSums[i]);
    ASSERT_EQ(row.size(), kNames.size());
    for (size_t j = 0; j < kNames.size(); ++j)
      EXPECT_EQ(promoted(kNames[i], kNames[j], false), row[j]) << kNames[i] << " + " << kNames[j];
  }
}

TEST(Promotion, DivisionWidensHalvesAndRefusesMixedSigns) {
  for (size_t i = 0; i < kNames.size(); ++i) {
    std::vector<std::string> row = words(kSums[i]);
    for (size_t j = 0; j < kNames.size(); ++j) {
      std::string expected = row[j];
      bool touchesHalf =
          expected == "bf16" || (expected == "fp16" && (std::string_view(kNames[i]) == "fp16" ||
                                                        std::string_view(kNames[j]) == "fp16"));
      if (touchesHalf)
        expected = "fp32";
      bool areIntegers = !isFloatName(kNames[i]) && !isFloatName(kNames[j]);
      if (areIntegers && isUnsignedName(kNames[i]) != isUnsignedName(kNames[j]))
        expected = "-";
      EXPECT_EQ(promoted(kNames[i], kNames[j], true), expected) << kNames[i] << " / " << kNames[j];
    }
  }
}

TEST(Promotion, NumbersTakePartOnlyIfOfAHigherKind) {
  struct Row {
    std::string_view tensor, withBool, withInt, withFloat;
  };
  constexpr Row rows[] = {{"i1", "i1", "i32", "fp32"},      {"i8", "i8", "i8", "fp32"},
                          {"i64", "i64", "i64", "fp32"},    {"u8", "u8", "u8", "fp32"},
                          {"u64", "u64", "u64", "fp32"},    {"fp16", "fp16", "fp16", "fp16"},
                          {"bf16", "bf16", "bf16", "bf16"}, {"fp32", "fp32", "fp32", "fp32"},
                          {"fp64", "fp64", "fp64", "fp64"}, {"fp8e5", "fp8e5", "fp8e5", "fp8e5"}};
  for (const Row &row : rows)
    for (bool isLeft : {false, true}) {
      auto with = [&](std::string_view number) {
        return isLeft ? promoted(number, row.tensor, false, true, false)
                      : promoted(row.tensor, number, false, false, true);
      };
      EXPECT_EQ(with("i1"), row.withBool) << row.tensor;
      EXPECT_EQ(with("i32"), row.withInt) << row.tensor;
      EXPECT_EQ(with("fp32"), row.withFloat) << row.tensor;
    }
  EXPECT_EQ(promoted("fp16", "i32", true, false, true), "fp32");
  EXPECT_EQ(promoted("fp32", "bf16", true, true, false), "fp32");
  EXPECT_EQ(promoted("i32", "fp64", false, false, true), "fp64"); // a number outside fp32's range
}

TEST(Promotion, KernelArgumentsTakePartFully) {
  // A scalar argument is a tensor, not a number: fp32 argument with fp16 block gives fp32.
  std::string ir =
      importBody("p, s", "x = tl.load(p + tl.arange(0, 8))\ntl.store(p + tl.arange(0, 8), x * s)",
                 "*fp16, fp32");
  EXPECT_THAT(ir, testing::HasSubstr("arith.mulf %"));
  EXPECT_THAT(ir, testing::HasSubstr("tensor<8xf32>"));
  ir = importBody("p", "x = tl.load(p + tl.arange(0, 8))\ntl.store(p + tl.arange(0, 8), x * 1.5)",
                  "*fp16");
  EXPECT_THAT(ir, testing::HasSubstr("fastmath<contract> : tensor<8xf16>"));
}

TEST(Type, BlocksArePowersOfTwoUpToAMillion) {
  EXPECT_EQ(checkBlockShape({1, 2, 1024}), "");
  EXPECT_EQ(checkBlockShape({1 << 20}), "");
  EXPECT_THAT(checkBlockShape({3}), testing::HasSubstr("power of two"));
  EXPECT_THAT(checkBlockShape({0}), testing::HasSubstr("power of two"));
  EXPECT_THAT(checkBlockShape({1 << 20, 2}), testing::HasSubstr("more than the allowed"));
  EXPECT_THAT(checkBlockShape({int64_t{1} << 62, 4}), testing::HasSubstr("more than the allowed"));
}

} // namespace
} // namespace inlay::triton
