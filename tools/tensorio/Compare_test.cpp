#include "tools/tensorio/NpyTensor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

namespace inlay {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

template <typename T>
NpyTensor makeTensor(DataType dtype, const std::vector<T> &values) {
  NpyTensor tensor{dtype, {static_cast<int64_t>(values.size())}, {}};
  tensor.data.resize(values.size() * sizeof(T));
  std::memcpy(tensor.data.data(), values.data(), tensor.data.size());
  return tensor;
}

TEST(NarrowFloat, EveryHalfSurvivesTheRoundTrip) {
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    const auto half = static_cast<uint16_t>(bits);
    if (std::isnan(fromFloat16(half)))
      EXPECT_TRUE(std::isnan(fromFloat16(toFloat16(fromFloat16(half)))));
    else
      ASSERT_EQ(toFloat16(fromFloat16(half)), half);
    if (std::isnan(fromBFloat16(half)))
      EXPECT_TRUE(std::isnan(fromBFloat16(toBFloat16(fromBFloat16(half)))));
    else
      ASSERT_EQ(toBFloat16(fromBFloat16(half)), half);
  }
}

TEST(NarrowFloat, RoundsToNearestEven) {
  EXPECT_EQ(toFloat16(1.0f + 0x1p-11f), 0x3c00); // halfway, to even
  EXPECT_EQ(toFloat16(1.0f + 0x1p-11f + 0x1p-20f), 0x3c01);
  EXPECT_EQ(toFloat16(1.0f + 3 * 0x1p-11f), 0x3c02);
  EXPECT_EQ(toFloat16(65519.0f), 0x7bff);
  EXPECT_EQ(toFloat16(65520.0f), 0x7c00);
  EXPECT_EQ(toFloat16(0x1p-25f), 0x0000);
  EXPECT_EQ(toFloat16(-0x1.8p-25f), 0x8001);
  EXPECT_EQ(toFloat16(-kInfinity), 0xfc00);
  EXPECT_EQ(toBFloat16(1.0f + 0x1p-8f), 0x3f80);
  EXPECT_EQ(toBFloat16(1.0f + 3 * 0x1p-8f), 0x3f82);
  EXPECT_EQ(toBFloat16(kInfinity), 0x7f80);
}

TEST(NarrowFloat, EightBitFormats) {
  EXPECT_EQ(fromFloat8(0x38, DataType::Float8E4M3FN), 1.0f);
  EXPECT_EQ(fromFloat8(0x7e, DataType::Float8E4M3FN), 448.0f);
  EXPECT_EQ(fromFloat8(0x81, DataType::Float8E4M3FN), -0x1p-9f);
  EXPECT_TRUE(std::isnan(fromFloat8(0xff, DataType::Float8E4M3FN)));
  EXPECT_EQ(fromFloat8(0x3c, DataType::Float8E5M2), 1.0f);
  EXPECT_EQ(fromFloat8(0x7b, DataType::Float8E5M2), 57344.0f);
  EXPECT_EQ(fromFloat8(0xfc, DataType::Float8E5M2), -kInfinity);
}

TEST(Compare, CountsMismatchesAndMeasuresErrors) {
  const NpyTensor expected = makeTensor<float>(DataType::Float32, {1, 2, 4, NAN, kInfinity, 0});
  const NpyTensor actual = makeTensor<float>(DataType::Float32, {1, 2.5, 5, -NAN, kInfinity, 0.25});
  Result<Comparison> comparison = compareTensors(actual, expected, 0.25, 0);
  ASSERT_TRUE(comparison.isOk());
  EXPECT_EQ(comparison->numMismatches, 1);
  EXPECT_EQ(comparison->firstMismatch, 5);
  EXPECT_EQ(comparison->maxAbsoluteError, 1);
  EXPECT_EQ(comparison->maxRelativeError, 0.25);
  EXPECT_EQ(compareTensors(actual, expected, 0.25, 0.25)->numMismatches, 0);
  EXPECT_EQ(compareTensors(expected, expected, 0, 0)->numMismatches, 0);
}

TEST(Compare, InfinitiesAndNansMatchOnlyThemselves) {
  const NpyTensor expected =
      makeTensor<float>(DataType::Float32, {kInfinity, NAN, 1, kInfinity, 1});
  const NpyTensor actual =
      makeTensor<float>(DataType::Float32, {-kInfinity, 1, NAN, 3e38f, kInfinity});
  EXPECT_EQ(compareTensors(actual, expected, 1, 1e30)->numMismatches, 5);
}

TEST(Compare, LargeIntegersAreExact) {
  const NpyTensor expected = makeTensor<int64_t>(DataType::Int64, {INT64_MAX, 1});
  const NpyTensor actual = makeTensor<int64_t>(DataType::Int64, {INT64_MAX - 1, 1});
  Result<Comparison> comparison = compareTensors(actual, expected, 0, 0);
  EXPECT_EQ(comparison->numMismatches, 1);
  EXPECT_EQ(comparison->firstMismatch, 0);
}

TEST(Compare, DifferentKindsAreErrors) {
  const NpyTensor floats = makeTensor<float>(DataType::Float32, {1, 2});
  NpyTensor integers = makeTensor<int32_t>(DataType::Int32, {1, 2});
  EXPECT_THAT(compareTensors(floats, integers, 0, 0).status().message(),
              testing::HasSubstr("float32 [2], expected int32 [2]"));
  NpyTensor shortened = floats;
  shortened.data.pop_back();
  EXPECT_FALSE(compareTensors(shortened, floats, 0, 0).isOk());
}

} // namespace
} // namespace inlay
