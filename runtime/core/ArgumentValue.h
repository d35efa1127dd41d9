// Values of scalar kernel arguments, as the kernel reads them from memory.
#pragma once

#include "base/DataType.h"

#include <cstdint>
#include <string>

namespace inlay {

/// Writes an integer as `type` (bool or an integer type) to the first bytes of `slot`; false if its
/// range does not hold the value.
[[nodiscard]] bool storeInteger(DataType type, int64_t value, uint64_t &slot);

/// Writes a number rounded to nearest even as `type` to the first bytes of `slot`; false if `type`
/// is none of float16, bfloat16, float32, float64.
[[nodiscard]] bool storeFloat(DataType type, double value, uint64_t &slot);
/// The same of a computed number: false also if it is not finite, or not once it is rounded.
[[nodiscard]] bool storeFiniteFloat(DataType type, double value, uint64_t &slot);
/// "-2147483648 to 2147483647": the values of bool or an integer type.
[[nodiscard]] std::string integerRangeText(DataType type);

} // namespace inlay
