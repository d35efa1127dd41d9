#include "compiler/conversions/math/Coefficients.h"
#include "compiler/conversions/math/DoubleWord.h"
#include "compiler/conversions/math/Functions.h"

using namespace mlir;

namespace inlay::math_expansion {

namespace {

/// From here on erf is computed from erfc.
constexpr double kSplit = 0.75;

/// erf(x) for |x| <= kSplit.
Value erfNearZero(FloatBuilder &f, Value x) {
  Value z = f.mul(x, x);
  Value series = f.isDouble() ? f.polynomial(z, kErfF64) : f.polynomial(z, kErfF32);
  return f.mulAdd(x, series, x);
}

/// erfc(a) in f32 from kSplit on, as exact as erf, which is 1 less this, needs it.
Value erfcBesideOne(FloatBuilder &f, Value a) {
  // The polynomial ends here, where the result is 0 beside 1; its values are from -20 to 1.
  Value last = f.constant(4.1);
  a = f.select(f.greater(a, last), last, a);
  auto [exponent, argument, rest] = reduceExp(f, f.polynomial(a, kLogErfcF32));
  Value mantissa = f.add(f.constant(1), f.add(argument, rest));
  return f.mul(mantissa, f.powerOfTwo(exponent));
}

/// erfc(a) in f64 for a from 0.45 on: exp(-a^2) / (1 + 2 a) times a polynomial in a variable that
/// maps the half line to a short interval.
Value erfcOfPositive(FloatBuilder &f, Value a) {
  a = f.clamp(a, 0, 27.5); // where the polynomial ends, and the result is 0
  Value center = f.constant(3.75);
  Value t = f.div(f.sub(a, center), f.add(a, center));
  Value series = f.polynomial(t, kErfcF64);
  DoubleWord square = twoProduct(f, a, a);
  auto [exponent, argument, rest] = reduceExp(f, f.neg(square.high));
  // e^-(high + low) = e^-high (1 - low).
  Value power = f.add(argument, rest);
  rest = f.sub(rest, f.mulAdd(power, square.low, square.low));
  DoubleWord exponential = fastTwoSum(f, f.constant(1), argument);
  exponential.low = f.add(exponential.low, rest);
  DoubleWord above = twoProduct(f, series, exponential.high);
  above.low = f.mulAdd(series, exponential.low, above.low);
  DoubleWord below = twoSum(f, f.add(a, a), f.constant(1));
  return f.scale(divide(f, above, below), exponent);
}

} // namespace

Value expandErf(FloatBuilder &f, Value x) {
  Value magnitude = f.abs(x);
  Value rest = f.isDouble() ? erfcOfPositive(f, magnitude) : erfcBesideOne(f, magnitude);
  Value far = f.copySign(f.sub(f.constant(1), rest), x);
  return f.select(f.greater(magnitude, f.constant(kSplit)), far, erfNearZero(f, x));
}

Value expandErfc(FloatBuilder &f, Value x) {
  Value far = erfcOfPositive(f, f.abs(x));
  Value one = f.constant(1);
  Value result = f.select(f.less(x, f.constant(0.5)), f.sub(one, erfNearZero(f, x)), far);
  return f.select(f.less(x, f.constant(-kSplit)), f.sub(f.constant(2), far), result);
}

} // namespace inlay::math_expansion
