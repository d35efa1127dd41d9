#include "compiler/conversions/math/Coefficients.h"
#include "compiler/conversions/math/DoubleWord.h"
#include "compiler/conversions/math/Functions.h"

using namespace mlir;

namespace inlay::math_expansion {

Decomposed decompose(FloatBuilder &f, Value x) {
  int mantissaBits = f.mantissaBits(), shift = mantissaBits + 2;
  Value isSmall = f.less(x, f.constant(0x1p-126, 0x1p-1022));
  Value normal = f.select(isSmall, f.mul(x, f.constant(0x1p25, 0x1p54)), x);
  Value bits = f.bits(normal);
  Value rootHalf = f.bits(f.constant(0x1.6a09e6p-1, 0x1.6a09e667f3bcdp-1));
  Value exponent = f.shrs(f.isub(bits, rootHalf), mantissaBits);
  Value mantissa = f.fromBits(f.isub(bits, f.shl(exponent, mantissaBits)));
  Value offset = f.select(isSmall, f.integer(shift), f.integer(0));
  return {f.toFloat(f.isub(exponent, offset)), mantissa};
}

namespace {

/// log(m) in two words, m in [sqrt(1/2), sqrt(2)). With a = m - 1 and s = a / (2 + a) the logarithm
/// is 2 s + s R(s^2) = a - a^2 / 2 + s (a^2 / 2 + R(s^2)), where the first two terms are exact.
DoubleWord logOfMantissa(FloatBuilder &f, Value m) {
  Value a = f.sub(m, f.constant(1));
  Value s = f.div(a, f.add(a, f.constant(2))), z = f.mul(s, s);
  Value series = f.isDouble() ? f.polynomial(z, kLogF64) : f.polynomial(z, kLogF32);
  DoubleWord half = twoProduct(f, f.mul(a, f.constant(0.5)), a);
  DoubleWord start = fastTwoSum(f, a, f.neg(half.high));
  Value rest = f.mulAdd(s, f.mulAdd(z, series, half.high), f.sub(start.low, half.low));
  return fastTwoSum(f, start.high, rest);
}

/// A constant in two words; the high one short enough that its product with an exponent is exact.
struct Constant {
  double high, low;
};

/// exponent * perExponent + mantissa.
Value combine(FloatBuilder &f, Value exponent, Constant perExponent, DoubleWord mantissa) {
  Value whole = f.mul(exponent, f.constant(perExponent.high));
  DoubleWord sum = fastTwoSum(f, whole, mantissa.high);
  Value rest = f.mulAdd(exponent, f.constant(perExponent.low), mantissa.low);
  return f.add(sum.high, f.add(sum.low, rest));
}

/// Puts in the values at zero, infinity and outside the domain.
Value withSpecialCases(FloatBuilder &f, Value x, Value logarithm) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  Value infinity = f.constant(kInfinity), zero = f.constant(0);
  Value result = f.select(f.equal(x, infinity), infinity, logarithm);
  result = f.select(f.equal(x, zero), f.constant(-kInfinity), result);
  Value isInDomain = f.compare(arith::CmpFPredicate::OGE, x, zero);
  return f.select(isInDomain, result, f.constant(std::numeric_limits<double>::quiet_NaN()));
}

Constant naturalOfTwo(FloatBuilder &f) {
  return f.isDouble() ? Constant{0x1.62e42fefa38p-1, 0x1.ef35793c76730p-45}
                      : Constant{0x1.62e4p-1, 0x1.7f7d1cp-20};
}

/// A logarithm to another base: `scale` is the logarithm of e, `ofTwo` that of 2.
Value logToBase(FloatBuilder &f, Value x, Constant scale, Constant ofTwo) {
  auto [exponent, mantissa] = decompose(f, x);
  DoubleWord factor = {f.constant(scale.high), f.constant(scale.low)};
  DoubleWord scaled = multiply(f, logOfMantissa(f, mantissa), factor);
  return withSpecialCases(f, x, combine(f, exponent, ofTwo, scaled));
}

} // namespace

Value expandLog(FloatBuilder &f, Value x) {
  auto [exponent, mantissa] = decompose(f, x);
  Value result = combine(f, exponent, naturalOfTwo(f), logOfMantissa(f, mantissa));
  return withSpecialCases(f, x, result);
}

Value expandLog2(FloatBuilder &f, Value x) {
  Constant scale = f.isDouble() ? Constant{0x1.71547652b82fep+0, 0x1.777d0ffda0d24p-56}
                                : Constant{0x1.715476p+0, 0x1.4ae0bep-26};
  return logToBase(f, x, scale, {1, 0});
}

Value expandLog10(FloatBuilder &f, Value x) {
  if (f.isDouble())
    return logToBase(f, x, {0x1.bcb7b1526e50ep-2, 0x1.95355baaafad3p-57},
                     {0x1.34413509f78p-2, 0x1.fef311f12b358p-46});
  return logToBase(f, x, {0x1.bcb7bp-2, 0x1.526e5p-26}, {0x1.344p-2, 0x1.3509f6p-18});
}

Value expandLog1p(FloatBuilder &f, Value x) {
  DoubleWord sum = twoSum(f, f.constant(1), x);
  auto [exponent, mantissa] = decompose(f, sum.high);
  DoubleWord part = logOfMantissa(f, mantissa);
  // log(u + c) = log(u) + c / u; what follows is below the last bit.
  part.low = f.add(part.low, f.div(sum.low, sum.high));
  Value result = combine(f, exponent, naturalOfTwo(f), part);
  return f.copySign(withSpecialCases(f, sum.high, result), x);
}

} // namespace inlay::math_expansion
