#include "base/CheckedMath.h"
#include "base/Error.h"
#include "tools/tensorio/NpyTensor.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstring>

namespace inlay {
namespace {

template <typename T>
T load(const std::byte *address) {
  T value;
  std::memcpy(&value, address, sizeof(T));
  return value;
}

/// An element as the widest float; 64-bit integers are exact only up to 2^53.
double valueAt(const NpyTensor &tensor, int64_t index) {
  const std::byte *address = tensor.data.data() + index * dataTypeSizeBytes(tensor.dtype);
  switch (tensor.dtype) {
  case DataType::Bool:
    return load<uint8_t>(address) != 0;
  case DataType::Int8:
    return load<int8_t>(address);
  case DataType::Int16:
    return load<int16_t>(address);
  case DataType::Int32:
    return load<int32_t>(address);
  case DataType::Int64:
    return static_cast<double>(load<int64_t>(address));
  case DataType::UInt8:
    return load<uint8_t>(address);
  case DataType::UInt16:
    return load<uint16_t>(address);
  case DataType::UInt32:
    return load<uint32_t>(address);
  case DataType::UInt64:
    return static_cast<double>(load<uint64_t>(address));
  case DataType::Float16:
    return fromFloat16(load<uint16_t>(address));
  case DataType::BFloat16:
    return fromBFloat16(load<uint16_t>(address));
  case DataType::Float32:
    return load<float>(address);
  case DataType::Float64:
    return load<double>(address);
  case DataType::Float8E4M3FN:
  case DataType::Float8E5M2:
    return fromFloat8(load<uint8_t>(address), tensor.dtype);
  }
  return std::nan("");
}

Status verifyTensor(const NpyTensor &tensor, std::string_view what) {
  INLAY_ASSIGN(const int64_t sizeBytes, computeSizeBytes(tensor.dtype, tensor.shape));
  if (tensor.data.size() != static_cast<uint64_t>(sizeBytes))
    return invalidArgument("{} tensor has {} bytes; its shape takes {}", what, tensor.data.size(),
                           sizeBytes);
  return {};
}

} // namespace

Result<int64_t> computeSizeBytes(DataType dtype, std::span<const int64_t> shape) {
  // An empty dimension must not hide an overflow of the others' strides.
  int64_t sizeBytes = dataTypeSizeBytes(dtype);
  bool isEmpty = false;
  for (int64_t dim : shape) {
    isEmpty |= dim == 0;
    if (dim < 0 || !checkedMul(sizeBytes, std::max<int64_t>(dim, 1), sizeBytes))
      return invalidArgument("shape [{}] of {} is negative or beyond 64 bits",
                             fmt::join(shape, ", "), dataTypeName(dtype));
  }
  return isEmpty ? 0 : sizeBytes;
}

Result<Comparison> compareTensors(const NpyTensor &actual, const NpyTensor &expected, double rtol,
                                  double atol) {
  if (actual.dtype != expected.dtype || actual.shape != expected.shape)
    return invalidArgument("tensors differ in kind: {} [{}], expected {} [{}]",
                           dataTypeName(actual.dtype), fmt::join(actual.shape, ", "),
                           dataTypeName(expected.dtype), fmt::join(expected.shape, ", "));
  INLAY_TRY(verifyTensor(actual, "actual"));
  INLAY_TRY(verifyTensor(expected, "expected"));
  Comparison result;
  const int64_t sizeBytes = dataTypeSizeBytes(actual.dtype);
  const int64_t numElements = static_cast<int64_t>(actual.data.size()) / sizeBytes;
  for (int64_t i = 0; i < numElements; ++i) {
    // Equal bits are equal values (NaN too), and 64-bit integers need the exact comparison.
    if (std::memcmp(actual.data.data() + i * sizeBytes, expected.data.data() + i * sizeBytes,
                    static_cast<size_t>(sizeBytes)) == 0)
      continue;
    const double x = valueAt(actual, i), y = valueAt(expected, i);
    bool isMatch = (std::isnan(x) && std::isnan(y)) || (x == y && std::isinf(x));
    if (std::isfinite(x) && std::isfinite(y)) {
      const bool isInteger = dataTypeKind(actual.dtype) == DataTypeKind::Signed ||
                             dataTypeKind(actual.dtype) == DataTypeKind::Unsigned;
      const double error = std::fabs(x - y);
      isMatch = error <= atol + rtol * std::fabs(y) && !(isInteger && rtol == 0 && atol == 0);
      result.maxAbsoluteError = std::max(result.maxAbsoluteError, error);
      if (y != 0)
        result.maxRelativeError = std::max(result.maxRelativeError, error / std::fabs(y));
    }
    if (!isMatch && result.numMismatches++ == 0)
      result.firstMismatch = i;
  }
  return result;
}

} // namespace inlay
