#include "compiler/conversions/math/Coefficients.h"
#include "compiler/conversions/math/DoubleWord.h"
#include "compiler/conversions/math/Functions.h"

using namespace mlir;

namespace inlay::math_expansion {

namespace {

/// atan(t) + base in f64 for |t| <= tan(pi / 8).
Value arctangentFrom(FloatBuilder &f, DoubleWord t, DoubleWord base) {
  Value z = f.mul(t.high, t.high);
  Value tail = f.mulAdd(f.mul(t.high, z), f.polynomial(z, kAtanF64), t.low);
  DoubleWord sum = twoSum(f, base.high, t.high);
  return f.add(sum.high, f.add(sum.low, f.add(tail, base.low)));
}

/// above / below with the remainder of the division.
DoubleWord quotientOf(FloatBuilder &f, DoubleWord above, DoubleWord below) {
  Value quotient = f.div(above.high, below.high);
  DoubleWord product = twoProduct(f, quotient, below.high);
  Value rest = f.sub(f.sub(above.high, product.high), product.low);
  rest = f.add(rest, f.sub(above.low, f.mul(quotient, below.low)));
  // Near the ends of the range the product is not exact; there the quotient must do.
  Value isEnd = f.ior(f.less(f.abs(above.high), f.constant(0x1p-960)),
                      f.greater(below.high, f.constant(0x1p960)));
  return {quotient, f.select(isEnd, f.constant(0), f.div(rest, below.high))};
}

/// The angle of (x, y) in f64, for y >= 0 and x of either sign; not both zero or infinite.
Value angle(FloatBuilder &f, Value y, Value x) {
  Value zero = f.constant(0), width = f.abs(x);
  Value isSteep = f.greater(y, width);
  Value smaller = f.select(isSteep, width, y), larger = f.select(isSteep, y, width);
  // Above tan(pi / 8): atan(a / b) = pi / 4 + atan((a - b) / (a + b)).
  Value nearDiagonal = f.greater(smaller, f.mul(larger, f.constant(0x1.a827999fcef32p-2)));
  DoubleWord difference = twoSum(f, smaller, f.neg(larger)), sum = twoSum(f, smaller, larger);
  DoubleWord above = {f.select(nearDiagonal, difference.high, smaller),
                      f.select(nearDiagonal, difference.low, zero)};
  DoubleWord below = {f.select(nearDiagonal, sum.high, larger),
                      f.select(nearDiagonal, sum.low, zero)};
  DoubleWord t = quotientOf(f, above, below);
  // angle = offset + sign * (t's arctangent + pi / 4 or 0): put the constants together first.
  Value isLeft = f.less(x, zero);
  Value flips = f.ixor(isSteep, isLeft);
  t = {f.select(flips, f.neg(t.high), t.high), f.select(flips, f.neg(t.low), t.low)};
  // In quarters of pi: steep ones count back from 2, left ones from 4.
  Value quarter = f.select(nearDiagonal, f.constant(1), zero);
  quarter = f.select(flips, f.neg(quarter), quarter);
  Value start = f.select(isSteep, f.constant(2), f.select(isLeft, f.constant(4), zero));
  Value quarters = f.add(start, quarter);
  DoubleWord base = {f.mul(quarters, f.constant(0x1.921fb54442d18p-1)),
                     f.mul(quarters, f.constant(0x1.1a62633145c07p-55))};
  // Three quarters are not exact.
  Value isThree = f.equal(quarters, f.constant(3));
  base.high = f.select(isThree, f.constant(0x1.2d97c7f3321d2p+1), base.high);
  base.low = f.select(isThree, f.constant(0x1.a79394c9e8a0ap-54), base.low);
  return arctangentFrom(f, t, base);
}

} // namespace

Value expandAtan(FloatBuilder &f, Value x) {
  Value result = f.copySign(angle(f, f.abs(x), f.constant(1)), x);
  return f.select(f.isNan(x), x, result);
}

Value expandAtan2(FloatBuilder &f, Value y, Value x) {
  Value infinity = f.constant(std::numeric_limits<double>::infinity());
  Value one = f.constant(1), zero = f.constant(0);
  auto is = [&](Value value, Value what) { return f.equal(f.abs(value), what); };
  // Two infinities are as far as two ones; two zeros as zero beside one. The sign of zero decides.
  Value bothInfinite = f.iand(is(x, infinity), is(y, infinity));
  Value bothZero = f.iand(is(x, zero), is(y, zero));
  Value width = f.select(f.ior(bothInfinite, bothZero), one, f.abs(x));
  Value height = f.select(bothInfinite, one, f.abs(y));
  // Away from overflow, and where the smaller one is lost the result is 0.
  Value isLarge =
      f.ior(f.greater(width, f.constant(0x1p900)), f.greater(height, f.constant(0x1p900)));
  Value factor = f.select(isLarge, f.constant(0x1p-200), one);
  Value result = angle(f, f.mul(height, factor), f.copySign(f.mul(width, factor), x));
  Value anyNan = f.compare(arith::CmpFPredicate::UNO, x, y);
  return f.select(anyNan, f.add(x, y), f.copySign(result, y));
}

Value expandAsin(FloatBuilder &f, Value x) {
  // asin(x) = atan2(x, sqrt(1 - x^2)).
  Value magnitude = f.abs(x), one = f.constant(1);
  Value square = f.mul(f.sub(one, magnitude), f.add(one, magnitude));
  Value width = math::SqrtOp::create(f.builder(), f.location(), square);
  Value result = f.copySign(angle(f, magnitude, width), x);
  return f.select(f.isNan(width), width, result);
}

Value expandAcos(FloatBuilder &f, Value x) {
  // acos(x) = atan2(sqrt(1 - x^2), x); 1 - x is exact where it matters.
  Value one = f.constant(1);
  Value square = f.mul(f.sub(one, x), f.add(one, x));
  Value height = math::SqrtOp::create(f.builder(), f.location(), square);
  return f.select(f.isNan(height), height, angle(f, height, x));
}

} // namespace inlay::math_expansion
