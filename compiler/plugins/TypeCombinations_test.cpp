#include "compiler/plugins/TypeCombinations.h"

#include <gtest/gtest.h>

namespace inlay {
namespace {

/// All combinations of a text for two inputs and an output, a line each; or the error.
std::string combinations(std::string_view text) {
  auto rows = parseTypeCombinations(text, 3);
  if (!rows.isOk())
    return rows.status().message();
  std::string result;
  for (const TypeCombination &row : *rows)
    result += typeCombinationText(row, 2) + "\n";
  return result;
}

TEST(TypeCombinations, TakesOneTypeForEach) {
  EXPECT_EQ(combinations("FP32, INT64 ,float8_e5m2"), "float32, int64 -> float8_e5m2\n");
}

TEST(TypeCombinations, LetsAlternativesGoTogether) {
  EXPECT_EQ(combinations("FP32|FP16, INT32, FP32|BF16"), "float32, int32 -> float32\n"
                                                         "float16, int32 -> bfloat16\n");
}

TEST(TypeCombinations, CrossesIndependentTypes) {
  EXPECT_EQ(combinations("FP32|FP16, INT32*INT64, FP32|FP16"), "float32, int32 -> float32\n"
                                                               "float16, int32 -> float16\n"
                                                               "float32, int64 -> float32\n"
                                                               "float16, int64 -> float16\n");
}

TEST(TypeCombinations, GivesEachOnce) {
  EXPECT_EQ(combinations("FP32*FP32, FP8, BOOL"), "float32, float8_e4m3fn -> bool\n");
}

TEST(TypeCombinations, RefusesWhatMakesNoSense) {
  EXPECT_EQ(combinations("FP32, FP32"),
            "'FP32, FP32' has 2 entries; the plugin has 3 inputs and outputs");
  EXPECT_EQ(combinations("FP32, FP33, FP32"),
            "'FP33' is no type; expected \"FP32\", \"INT64\", \"float32\" or another");
  EXPECT_EQ(combinations("FP32, , FP32"),
            "'' is no type; expected \"FP32\", \"INT64\", \"float32\" or another");
  EXPECT_EQ(combinations("FP32|FP16*BF16, FP32, FP32"),
            "'FP32|FP16*BF16' mixes '|' and '*'; an entry has one of them");
  EXPECT_EQ(combinations("FP32|FP16, FP32|FP16|BF16, FP32"),
            "entries joined by '|' go together and have 2 and 3 alternatives");
}

TEST(TypeCombinations, RefusesTooMany) {
  std::string types = "FP32";
  for (const char *type : {"FP16", "BF16", "FP64", "INT8", "INT16", "INT32", "INT64", "UINT8",
                           "UINT16", "UINT32", "UINT64", "BOOL", "FP8"})
    types += std::string("*") + type;
  std::string text = types;
  for (int i = 0; i < 3; ++i)
    text += "," + types;
  auto rows = parseTypeCombinations(text, 4);
  ASSERT_FALSE(rows.isOk());
  EXPECT_EQ(rows.status().code(), StatusCode::OutOfRange);
}

} // namespace
} // namespace inlay
