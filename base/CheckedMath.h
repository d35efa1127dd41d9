// Arithmetic on int64 that tells when it overflows.
#pragma once

#include <cstdint>
#include <limits>

namespace inlay {

/// Writes a + b to `result` and returns true; false on overflow, `result` is then unspecified.
[[nodiscard]] inline bool checkedAdd(int64_t a, int64_t b, int64_t &result) {
  return !__builtin_add_overflow(a, b, &result);
}
/// As checkedAdd, for a * b.
[[nodiscard]] inline bool checkedMul(int64_t a, int64_t b, int64_t &result) {
  return !__builtin_mul_overflow(a, b, &result);
}

/// Quotient rounded toward minus infinity, as Python's `//`. `b` is not 0; false on overflow
/// (INT64_MIN by -1).
[[nodiscard]] inline bool checkedFloorDiv(int64_t a, int64_t b, int64_t &result) {
  if (a == std::numeric_limits<int64_t>::min() && b == -1)
    return false;
  result = a / b - ((a % b != 0 && (a < 0) != (b < 0)) ? 1 : 0);
  return true;
}
/// Quotient rounded toward plus infinity; as checkedFloorDiv.
[[nodiscard]] inline bool checkedCeilDiv(int64_t a, int64_t b, int64_t &result) {
  if (a == std::numeric_limits<int64_t>::min() && b == -1)
    return false;
  result = a / b + ((a % b != 0 && (a < 0) == (b < 0)) ? 1 : 0);
  return true;
}
/// Remainder with the sign of the divisor, as Python's `%`. `b` is not 0.
inline int64_t floorMod(int64_t a, int64_t b) {
  if (b == -1)
    return 0;
  const int64_t remainder = a % b;
  return remainder != 0 && (remainder < 0) != (b < 0) ? remainder + b : remainder;
}

} // namespace inlay
