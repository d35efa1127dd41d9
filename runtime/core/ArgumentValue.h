// Values of scalar kernel arguments, as the kernel reads them from memory.
#pragma once

#include "base/DataType.h"

#include <cstdint>

namespace inlay {

/// Writes an integer as `type` (bool or an integer type) to the first bytes of `slot`; false if its
/// range does not hold the value.
[[nodiscard]] bool storeInteger(DataType type, int64_t value, uint64_t &slot);

/// Writes a number rounded to nearest even as `type` to the first bytes of `slot`; false if `type`
/// is none of float16, bfloat16, float32, float64.
[[nodiscard]] bool storeFloat(DataType type, double value, uint64_t &slot);

} // namespace inlay
