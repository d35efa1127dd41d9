#include "base/CheckedMath.h"
#include "base/DataType.h"
#include "base/Error.h"

#include <gtest/gtest.h>

namespace inlay {
namespace {

Result<int> half(int x) {
  if (x % 2)
    return invalidArgument("{} is odd", x);
  return x / 2;
}

Result<int> quarter(int x) {
  INLAY_ASSIGN(int once, half(x), "halving once");
  INLAY_ASSIGN(int twice, half(once), "halving twice");
  return twice;
}

TEST(Status, ErrorsArePassedUpWithContext) {
  EXPECT_EQ(*quarter(8), 2);
  EXPECT_EQ(quarter(6).status().toString(), "INVALID_ARGUMENT: 3 is odd, while halving twice");
  EXPECT_EQ(quarter(5).status().code(), StatusCode::InvalidArgument);
}

TEST(Status, CopiesAreEqualAndSuccessIsEmpty) {
  Status error = outOfRange("x");
  Status copy = error;
  EXPECT_EQ(copy.toString(), error.toString());
  EXPECT_EQ(Status().toString(), "OK");
  EXPECT_EQ(Result<int>(Status()).status().code(), StatusCode::Internal);
}

TEST(CheckedMath, RoundsAsPythonAndSeesOverflow) {
  int64_t result = 0;
  for (int64_t a = -9; a <= 9; ++a)
    for (int64_t b : {-4, -3, -1, 1, 3, 4}) {
      ASSERT_TRUE(checkedFloorDiv(a, b, result));
      EXPECT_EQ(a, result * b + floorMod(a, b));
      EXPECT_TRUE(floorMod(a, b) == 0 || (floorMod(a, b) < 0) == (b < 0));
      int64_t ceiling = 0;
      ASSERT_TRUE(checkedCeilDiv(a, b, ceiling));
      EXPECT_EQ(ceiling, result + (floorMod(a, b) != 0));
    }
  EXPECT_FALSE(checkedAdd(INT64_MAX, 1, result));
  EXPECT_FALSE(checkedMul(INT64_MIN, -1, result));
  EXPECT_FALSE(checkedFloorDiv(INT64_MIN, -1, result));
  EXPECT_FALSE(checkedCeilDiv(INT64_MIN, -1, result));
  EXPECT_EQ(floorMod(INT64_MIN, -1), 0);
}

TEST(DataType, NamesAreFoundAgain) {
  int count = 0;
  for (uint64_t value = 0; value < 300; ++value) {
    if (!isDataType(value))
      continue;
    ++count;
    const auto type = static_cast<DataType>(value);
    EXPECT_EQ(findDataType(dataTypeName(type)), type);
    EXPECT_EQ(findDataType(dataTypeTritonName(type)), type);
    EXPECT_GT(dataTypeSizeBytes(type), 0);
  }
  EXPECT_EQ(count, 15);
  EXPECT_EQ(findDataType("complex64"), std::nullopt);
}

} // namespace
} // namespace inlay
