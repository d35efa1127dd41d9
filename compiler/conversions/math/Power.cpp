#include "compiler/conversions/math/Coefficients.h"
#include "compiler/conversions/math/DoubleWord.h"
#include "compiler/conversions/math/Functions.h"

using namespace mlir;

namespace inlay::math_expansion {

namespace {

/// log2(x) of f64 with an error of about 2^-64 for x near 1 and relative to the result elsewhere.
DoubleWord preciseLog2(FloatBuilder &f, Value x) {
  auto [exponent, m] = decompose(f, x);
  // s = a / (2 + a) for a = m - 1, with the remainder of the division.
  Value a = f.sub(m, f.constant(1));
  DoubleWord below = twoSum(f, a, f.constant(2));
  Value quotient = f.div(a, below.high);
  DoubleWord product = twoProduct(f, quotient, below.high);
  Value rest = f.sub(f.sub(f.sub(a, product.high), product.low), f.mul(quotient, below.low));
  DoubleWord s = fastTwoSum(f, quotient, f.div(rest, below.high));
  // log(m) = 2 s (1 + z / 3 + z^2 Q(z)), z = s^2.
  DoubleWord z = multiply(f, s, s);
  DoubleWord third = {f.constant(0x1.5555555555555p-2), f.constant(0x1.5555555555555p-56)};
  DoubleWord linear = multiply(f, z, third);
  Value tail = f.mul(f.mul(z.high, z.high), f.polynomial(z.high, kPowerLogF64));
  DoubleWord series = twoSum(f, linear.high, tail);
  series.low = f.add(series.low, linear.low);
  DoubleWord factor = fastTwoSum(f, f.constant(1), series.high);
  factor.low = f.add(factor.low, series.low);
  DoubleWord twice = {f.add(s.high, s.high), f.add(s.low, s.low)};
  DoubleWord log2e = {f.constant(0x1.71547652b82fep+0), f.constant(0x1.777d0ffda0d24p-56)};
  DoubleWord fraction = multiply(f, multiply(f, twice, factor), log2e);
  DoubleWord sum = fastTwoSum(f, exponent, fraction.high);
  return fastTwoSum(f, sum.high, f.add(sum.low, fraction.low));
}

/// 2^(x.high + x.low) for f64.
Value preciseExp2(FloatBuilder &f, DoubleWord x) {
  Value limited = f.clamp(x.high, -1080, 1030);
  auto [n, exponent] = f.roundToInteger(limited);
  Value r = f.sub(limited, n);
  Value power = f.mulAdd(r, f.polynomial(r, kExp2F64), f.constant(1));
  // What is far outside the range has a low word that could turn the sign.
  Value isNear = f.equal(limited, x.high);
  Value low = f.select(isNear, x.low, f.constant(0));
  Value correction = f.mul(power, f.mul(low, f.constant(0x1.62e42fefa39efp-1)));
  return f.scale(f.add(power, correction), exponent);
}

/// |x|^y for x neither zero nor infinite.
Value powerOfMagnitude(FloatBuilder &f, Value magnitude, Value y) {
  if (!f.isDouble()) {
    FloatBuilder f64 = f.withElement(f.builder().getF64Type());
    Value exponent = f64.mul(f.extend(y), expandLog2(f64, f.extend(magnitude)));
    return f.truncate(expandExp2(f64, exponent));
  }
  // From 2^64 on every result but that of 1 is at an end of the range, which smaller exponents
  // reach too.
  Value limited = f.clamp(y, -0x1p64, 0x1p64);
  DoubleWord logarithm = preciseLog2(f, magnitude);
  DoubleWord exponent = multiply(f, logarithm, {limited, f.constant(0)});
  return preciseExp2(f, exponent);
}

} // namespace

Value expandPower(FloatBuilder &f, Value x, Value y) {
  Value zero = f.constant(0), one = f.constant(1);
  Value infinity = f.constant(std::numeric_limits<double>::infinity());
  Value nan = f.constant(std::numeric_limits<double>::quiet_NaN());
  auto both = [&](Value a, Value b) { return f.iand(a, b); };
  auto truncated = [&](Value a) -> Value {
    return math::TruncOp::create(f.builder(), f.location(), a);
  };
  Value magnitude = f.abs(x);
  Value result = powerOfMagnitude(f, magnitude, y);
  // Zero and infinity are their own powers, or each other's.
  Value isEnd = f.ior(f.equal(magnitude, zero), f.equal(magnitude, infinity));
  Value end = f.select(f.less(y, zero), f.div(one, magnitude), magnitude);
  result = f.select(isEnd, end, result);

  Value half = f.mul(y, f.constant(0.5));
  Value isInteger = f.equal(truncated(y), y);
  Value isOdd = both(isInteger, f.compare(arith::CmpFPredicate::UNE, truncated(half), half));
  result = f.select(isOdd, f.copySign(result, x), result);
  Value outside = both(f.less(x, zero), f.compare(arith::CmpFPredicate::UNE, truncated(y), y));
  Value isFiniteBase = f.less(magnitude, infinity);
  result = f.select(both(outside, isFiniteBase), nan, result);

  Value anyNan = f.compare(arith::CmpFPredicate::UNO, x, y);
  result = f.select(anyNan, nan, result);
  Value oneToInfinity = both(f.equal(magnitude, one), f.equal(f.abs(y), infinity));
  Value isOne = f.ior(f.ior(f.equal(x, one), f.equal(y, zero)), oneToInfinity);
  return f.select(isOne, one, result);
}

} // namespace inlay::math_expansion
