#include "base/NarrowFloat.h"

#include <bit>
#include <cmath>
#include <limits>

namespace inlay {
namespace {

/// The value of a float with the given field widths and IEEE's infinities and NaNs.
float fromFields(uint32_t bits, int exponentBits, int mantissaBits) {
  const uint32_t mantissa = bits & ((1u << mantissaBits) - 1);
  const uint32_t exponent = (bits >> mantissaBits) & ((1u << exponentBits) - 1);
  const bool isNegative = (bits >> (mantissaBits + exponentBits)) & 1;
  const int bias = (1 << (exponentBits - 1)) - 1;
  float value;
  if (exponent == (1u << exponentBits) - 1)
    value =
        mantissa ? std::numeric_limits<float>::quiet_NaN() : std::numeric_limits<float>::infinity();
  else if (exponent == 0)
    value = std::ldexp(static_cast<float>(mantissa), 1 - bias - mantissaBits);
  else
    value = std::ldexp(static_cast<float>(mantissa | (1u << mantissaBits)),
                       static_cast<int>(exponent) - bias - mantissaBits);
  return isNegative ? -value : value;
}

} // namespace

uint16_t toBFloat16(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  if (std::isnan(value))
    return static_cast<uint16_t>((bits >> 16) | 0x40);
  return static_cast<uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

float fromBFloat16(uint16_t bits) {
  return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16);
}

uint16_t toFloat16(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  const auto sign = static_cast<uint16_t>((bits >> 16) & 0x8000);
  if (std::isnan(value))
    return sign | 0x7e00;
  const float magnitude = std::fabs(value);
  if (magnitude >= 65520.0f) // halfway from the largest float16 to what would follow
    return sign | 0x7c00;
  if (magnitude < 0x1p-14f) // multiples of 2^-24; nearbyint rounds to even
    return static_cast<uint16_t>(sign | static_cast<uint16_t>(std::nearbyint(magnitude * 0x1p24f)));
  const uint32_t absolute = bits & 0x7fffffff;
  const uint32_t rounded = absolute + 0xfff + ((absolute >> 13) & 1);
  return static_cast<uint16_t>(sign | ((rounded >> 13) - ((127 - 15) << 10)));
}

float fromFloat16(uint16_t bits) { return fromFields(bits, 5, 10); }

float fromFloat8(uint8_t bits, DataType dtype) {
  if (dtype == DataType::Float8E5M2)
    return fromFields(bits, 5, 2);
  // E4M3FN has no infinities: only the all-ones pattern is NaN, the rest of the top exponent
  // counts.
  if ((bits & 0x7f) == 0x7f)
    return std::numeric_limits<float>::quiet_NaN();
  if ((bits & 0x78) == 0x78) {
    const float value = std::ldexp(static_cast<float>(8 + (bits & 7)), 15 - 7 - 3);
    return bits & 0x80 ? -value : value;
  }
  return fromFields(bits, 4, 3);
}

} // namespace inlay
