#include "compiler/operators/TypePromotion.h"

#include "base/Error.h"

#include <algorithm>

namespace inlay {
namespace {

bool isFloat8(DataType type) {
  return type == DataType::Float8E4M3FN || type == DataType::Float8E5M2;
}

/// uint8 takes part in promotion; the wider unsigned types meet only bool, floats and themselves.
bool isWideUnsigned(DataType type) {
  return dataTypeKind(type) == DataTypeKind::Unsigned && type != DataType::UInt8;
}

/// bool < integer < float.
int categoryOf(DataType type) {
  switch (dataTypeKind(type)) {
  case DataTypeKind::Bool:
    return 0;
  case DataTypeKind::Signed:
  case DataTypeKind::Unsigned:
    return 1;
  case DataTypeKind::Float:
    return 2;
  }
  return 2;
}

std::optional<DataType> promoteFloats(DataType a, DataType b) {
  if (isFloat8(a) || isFloat8(b))
    return std::nullopt;
  if (dataTypeSizeBytes(a) == dataTypeSizeBytes(b))
    return DataType::Float32; // float16 and bfloat16
  return dataTypeSizeBytes(a) > dataTypeSizeBytes(b) ? a : b;
}

std::optional<DataType> promoteIntegers(DataType a, DataType b) {
  if (isWideUnsigned(a) || isWideUnsigned(b))
    return std::nullopt;
  if (a == DataType::UInt8 || b == DataType::UInt8) {
    const DataType other = a == DataType::UInt8 ? b : a;
    return other == DataType::Int8 ? DataType::Int16 : other;
  }
  return dataTypeSizeBytes(a) > dataTypeSizeBytes(b) ? a : b;
}

} // namespace

std::optional<DataType> promoteTypes(DataType a, DataType b) {
  if (a == b)
    return a;
  const int categoryA = categoryOf(a), categoryB = categoryOf(b);
  if (categoryA != categoryB)
    return categoryA > categoryB ? a : b;
  return categoryA == 2 ? promoteFloats(a, b) : promoteIntegers(a, b);
}

DataType numberType(const AttributeValue &value) {
  if (std::holds_alternative<bool>(value))
    return DataType::Bool;
  return std::holds_alternative<double>(value) ? DataType::Float32 : DataType::Int64;
}

void TypePromotion::meet(std::optional<DataType> &type, DataType other) {
  if (!type) {
    type = other;
    return;
  }
  if (const std::optional<DataType> common = promoteTypes(*type, other))
    type = common;
  else if (!conflict_)
    conflict_ = {*type, other};
}

void TypePromotion::addTensor(const TensorSpec &tensor) {
  meet(tensor.shape.empty() ? scalar_ : dimensioned_, tensor.dtype);
}

void TypePromotion::addNumber(DataType type) { meet(number_, type); }

Result<DataType> TypePromotion::result() const {
  // The operands that count less decide only if their category is higher.
  std::optional<DataType> type = dimensioned_;
  for (const std::optional<DataType> &lesser : {scalar_, number_})
    if (lesser && (!type || categoryOf(*type) < categoryOf(*lesser)))
      type = lesser;
  if (conflict_)
    return invalidArgument("PyTorch has no common type of {} and {}",
                           dataTypeName(conflict_->first), dataTypeName(conflict_->second));
  INLAY_CHECK(type.has_value(), "no operands");
  return *type;
}

std::string tritonType(DataType type) {
  switch (type) {
  case DataType::Bool:
    return "tl.int1";
  case DataType::Float8E4M3FN:
    return "tl.float8e4nv";
  case DataType::Float8E5M2:
    return "tl.float8e5";
  default:
    return "tl." + std::string(dataTypeName(type));
  }
}

DataType computeType(DataType type) {
  return dataTypeKind(type) == DataTypeKind::Float && dataTypeSizeBytes(type) < 4
             ? DataType::Float32
             : type;
}

} // namespace inlay
