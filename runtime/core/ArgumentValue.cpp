#include "runtime/core/ArgumentValue.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

namespace inlay {
namespace {

template <typename T>
bool storeAs(int64_t value, uint64_t &slot) {
  if constexpr (std::numeric_limits<T>::is_signed) {
    if (value < std::numeric_limits<T>::min() || value > std::numeric_limits<T>::max())
      return false;
  } else if (value < 0 || static_cast<uint64_t>(value) > std::numeric_limits<T>::max()) {
    return false;
  }
  const T stored = static_cast<T>(value);
  std::memcpy(&slot, &stored, sizeof(stored));
  return true;
}

/// Bits of a binary floating-point number of 16 bits, rounded to nearest even from a double in one
/// step.
uint16_t roundToBits(double value, int exponentBits, int mantissaBits) {
  const uint16_t sign = std::signbit(value) ? 0x8000 : 0;
  const uint16_t infinity = static_cast<uint16_t>(((1 << exponentBits) - 1) << mantissaBits);
  if (std::isnan(value))
    return static_cast<uint16_t>(sign | infinity | (1 << (mantissaBits - 1)));
  const double magnitude = std::fabs(value);
  if (std::isinf(magnitude))
    return sign | infinity;
  if (magnitude == 0)
    return sign;
  const int bias = (1 << (exponentBits - 1)) - 1;
  const int exponent = std::max(std::ilogb(magnitude), 1 - bias);
  // An integer count of units in the last place; a carry moves into the exponent by itself.
  const auto units =
      static_cast<uint64_t>(std::nearbyint(std::scalbn(magnitude, mantissaBits - exponent)));
  const int64_t bits =
      static_cast<int64_t>(units) + (static_cast<int64_t>(exponent + bias - 1) << mantissaBits);
  return static_cast<uint16_t>(sign | (bits >= infinity ? infinity : bits));
}

} // namespace

bool storeInteger(DataType type, int64_t value, uint64_t &slot) {
  slot = 0;
  switch (type) {
  case DataType::Bool:
    slot = value != 0;
    return value == 0 || value == 1;
  case DataType::Int8:
    return storeAs<int8_t>(value, slot);
  case DataType::Int16:
    return storeAs<int16_t>(value, slot);
  case DataType::Int32:
    return storeAs<int32_t>(value, slot);
  case DataType::Int64:
    return storeAs<int64_t>(value, slot);
  case DataType::UInt8:
    return storeAs<uint8_t>(value, slot);
  case DataType::UInt16:
    return storeAs<uint16_t>(value, slot);
  case DataType::UInt32:
    return storeAs<uint32_t>(value, slot);
  case DataType::UInt64:
    return storeAs<uint64_t>(value, slot);
  default:
    return false;
  }
}

bool storeFloat(DataType type, double value, uint64_t &slot) {
  slot = 0;
  switch (type) {
  case DataType::Float16:
    slot = roundToBits(value, 5, 10);
    return true;
  case DataType::BFloat16:
    slot = roundToBits(value, 8, 7);
    return true;
  case DataType::Float32:
    slot = std::bit_cast<uint32_t>(static_cast<float>(value));
    return true;
  case DataType::Float64:
    slot = std::bit_cast<uint64_t>(value);
    return true;
  default:
    return false;
  }
}

bool storeFiniteFloat(DataType type, double value, uint64_t &slot) {
  if (!std::isfinite(value) || !storeFloat(type, value, slot))
    return false;
  switch (type) {
  case DataType::Float16:
    return (slot & 0x7C00) != 0x7C00;
  case DataType::BFloat16:
    return (slot & 0x7F80) != 0x7F80;
  case DataType::Float32:
    return std::isfinite(static_cast<float>(value));
  default:
    return true;
  }
}

std::string integerRangeText(DataType type) {
  const int64_t bits = 8 * dataTypeSizeBytes(type);
  if (type == DataType::Bool)
    return "0 to 1";
  if (dataTypeKind(type) == DataTypeKind::Unsigned)
    return "0 to " + std::to_string(UINT64_MAX >> (64 - bits));
  const int64_t max = INT64_MAX >> (64 - bits);
  return std::to_string(-max - 1) + " to " + std::to_string(max);
}

} // namespace inlay
