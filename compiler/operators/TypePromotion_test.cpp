#include "compiler/operators/TypePromotion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace inlay {
namespace {

using enum DataType;
using testing::HasSubstr;

TEST(TypePromotion, TensorsMeetAsInPyTorch) {
  struct Row {
    DataType a, b;
    std::optional<DataType> expected;
  };
  constexpr Row kRows[] = {
      {Float32, Float32, Float32}, {Bool, Bool, Bool},           {Bool, Int8, Int8},
      {Int8, UInt8, Int16},        {UInt8, Int32, Int32},        {Int16, Int64, Int64},
      {Int64, Float16, Float16},   {Float16, BFloat16, Float32}, {BFloat16, Float32, Float32},
      {Float32, Float64, Float64}, {UInt16, Int32, {}},          {UInt16, Bool, UInt16},
      {UInt32, Float16, Float16},  {Float8E5M2, Float16, {}},    {Float8E5M2, Int64, Float8E5M2}};
  for (const Row &row : kRows) {
    EXPECT_EQ(promoteTypes(row.a, row.b), row.expected)
        << dataTypeName(row.a) << " " << dataTypeName(row.b);
    EXPECT_EQ(promoteTypes(row.b, row.a), row.expected)
        << dataTypeName(row.b) << " " << dataTypeName(row.a);
  }
}

/// The type of one tensor with dimensions, one without, and a number; those that are missing are
/// none.
DataType typeOf(std::optional<DataType> tensor, std::optional<DataType> scalar,
                std::optional<AttributeValue> number) {
  TypePromotion promotion;
  if (number)
    promotion.addNumber(numberType(*number));
  if (scalar)
    promotion.addTensor({*scalar, {}});
  if (tensor)
    promotion.addTensor({*tensor, {Expr(3)}});
  return promotion.result().value();
}

TEST(TypePromotion, LesserOperandsWidenOnlyTheCategory) {
  EXPECT_EQ(typeOf(Float16, Float64, {}), Float16);
  EXPECT_EQ(typeOf(Int8, Int64, {}), Int8);
  EXPECT_EQ(typeOf(Int8, Float64, {}), Float64);
  EXPECT_EQ(typeOf(Bool, UInt8, {}), UInt8);
  EXPECT_EQ(typeOf(Int32, {}, AttributeValue(2.5)), Float32);
  EXPECT_EQ(typeOf(Int8, {}, AttributeValue(int64_t{300})), Int8);
  EXPECT_EQ(typeOf(Bool, {}, AttributeValue(int64_t{1})), Int64);
  EXPECT_EQ(typeOf(Bool, {}, AttributeValue(true)), Bool);
  EXPECT_EQ(typeOf({}, Int32, AttributeValue(int64_t{1})), Int32);
  EXPECT_EQ(typeOf({}, BFloat16, AttributeValue(0.5)), BFloat16);
  EXPECT_EQ(typeOf(Int8, Float16, AttributeValue(0.5)), Float16);
}

TEST(TypePromotion, NamesTypesThatHaveNothingInCommon) {
  TypePromotion promotion;
  promotion.addTensor({UInt16, {Expr(3)}});
  promotion.addTensor({Int32, {Expr(3)}});
  EXPECT_THAT(promotion.result().status().message(), HasSubstr("uint16 and int32"));
}

} // namespace
} // namespace inlay
