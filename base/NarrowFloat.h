// Narrow floating-point formats, by their bits.
#pragma once

#include "base/DataType.h"

#include <cstdint>

namespace inlay {

/// Float32 to narrower floats and back; rounds to nearest even, keeps NaN and infinities.
uint16_t toBFloat16(float value);
float fromBFloat16(uint16_t bits);
uint16_t toFloat16(float value);
float fromFloat16(uint16_t bits);
/// The value of an 8-bit float: Float8E4M3FN or Float8E5M2.
float fromFloat8(uint8_t bits, DataType dtype);

} // namespace inlay
