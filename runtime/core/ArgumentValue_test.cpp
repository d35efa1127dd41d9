#include "runtime/core/ArgumentValue.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace inlay {
namespace {

struct IntegerRange {
  DataType type;
  int64_t min, max;
};

TEST(ArgumentValue, IntegersAreStoredWithinTheirTypesRangeOnly) {
  const IntegerRange ranges[] = {
      {DataType::Bool, 0, 1},
      {DataType::Int8, -128, 127},
      {DataType::Int16, -32768, 32767},
      {DataType::Int32, INT32_MIN, INT32_MAX},
      {DataType::Int64, INT64_MIN, INT64_MAX},
      {DataType::UInt8, 0, 255},
      {DataType::UInt16, 0, 65535},
      {DataType::UInt32, 0, UINT32_MAX},
      {DataType::UInt64, 0, INT64_MAX},
  };
  for (const auto &[type, min, max] : ranges) {
    SCOPED_TRACE(dataTypeName(type));
    const int bits = 8 * static_cast<int>(dataTypeSizeBytes(type));
    const uint64_t mask = bits == 64 ? UINT64_MAX : (uint64_t{1} << bits) - 1;
    uint64_t slot = UINT64_MAX;
    EXPECT_TRUE(storeInteger(type, min, slot));
    EXPECT_EQ(slot, static_cast<uint64_t>(min) & mask);
    EXPECT_TRUE(storeInteger(type, max, slot));
    EXPECT_EQ(slot, static_cast<uint64_t>(max) & mask);
    if (min != INT64_MIN) {
      EXPECT_FALSE(storeInteger(type, min - 1, slot));
    }
    if (max != INT64_MAX) {
      EXPECT_FALSE(storeInteger(type, max + 1, slot));
    }
  }
}

TEST(ArgumentValue, TypesOfTheOtherKindAreRefused) {
  uint64_t slot = 0;
  EXPECT_FALSE(storeInteger(DataType::Float32, 1, slot));
  EXPECT_FALSE(storeFloat(DataType::Int32, 1, slot));
  EXPECT_FALSE(storeFloat(DataType::Float8E4M3FN, 1, slot));
}

struct Rounded {
  double value;
  uint64_t float16, bfloat16;
};

TEST(ArgumentValue, HalfPrecisionRoundsToNearestEvenInOneStep) {
  const double infinity = std::numeric_limits<double>::infinity();
  const Rounded cases[] = {
      {0.0, 0x0000, 0x0000},
      {-0.0, 0x8000, 0x8000},
      {1.0, 0x3c00, 0x3f80},
      {-2.5, 0xc100, 0xc020},
      {65504.0, 0x7bff, 0x4780},     // largest float16
      {65519.99, 0x7bff, 0x4780},    // rounds down to it
      {65520.0, 0x7c00, 0x4780},     // half way: to even, infinity
      {1 + 0x1p-11, 0x3c00, 0x3f80}, // half way: to even
      {1 + 3 * 0x1p-11, 0x3c02, 0x3f80},
      {1 + 0x1p-11 + 0x1p-40, 0x3c01, 0x3f80}, // above half way only in double
      {1 + 0x1p-8, 0x3c04, 0x3f80},
      {1 + 0x1p-8 + 0x1p-40, 0x3c04, 0x3f81},
      {0x1p-24, 0x0001, 0x3380}, // smallest subnormal float16
      {0x1p-25, 0x0000, 0x3300}, // half way: to even, 0
      {0x1p-25 + 0x1p-50, 0x0001, 0x3300},
      {0x1.ffcp-15, 0x0400, 0x3880}, // a subnormal that rounds to the smallest normal
      {0x1p-133, 0x0000, 0x0001},    // smallest subnormal bfloat16
      {infinity, 0x7c00, 0x7f80},
      {-infinity, 0xfc00, 0xff80},
      {1e300, 0x7c00, 0x7f80},
  };
  for (const auto &[value, float16, bfloat16] : cases) {
    SCOPED_TRACE(value);
    uint64_t slot = 0;
    EXPECT_TRUE(storeFloat(DataType::Float16, value, slot));
    EXPECT_EQ(slot, float16);
    EXPECT_TRUE(storeFloat(DataType::BFloat16, value, slot));
    EXPECT_EQ(slot, bfloat16);
  }
  uint64_t slot = 0;
  EXPECT_TRUE(storeFloat(DataType::Float16, std::nan(""), slot));
  EXPECT_EQ(slot & 0x7fff, 0x7e00u);
}

TEST(ArgumentValue, WiderFloatsAreStoredAsTheyAre) {
  uint64_t slot = UINT64_MAX;
  EXPECT_TRUE(storeFloat(DataType::Float32, 0.1, slot));
  EXPECT_EQ(slot, 0x3dcccccdu);
  EXPECT_TRUE(storeFloat(DataType::Float64, 0.1, slot));
  EXPECT_EQ(slot, 0x3fb999999999999au);
}

} // namespace
} // namespace inlay
