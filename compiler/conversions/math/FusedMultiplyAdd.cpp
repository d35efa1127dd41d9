// math.fma with one rounding, on targets without the instruction. The method is rounding to odd
// (Boldo and Melquiond): a sum rounded so that a lost part shows in the last bit can be rounded
// again to fewer bits without harm.
#include "compiler/conversions/math/DoubleWord.h"
#include "compiler/conversions/math/Functions.h"

using namespace mlir;

namespace inlay::math_expansion {

namespace {

/// a + b in f64, rounded to odd.
Value addToOdd(FloatBuilder &f, Value a, Value b) {
  DoubleWord sum = twoSum(f, a, b);
  Value zero = f.constant(0), bits = f.bits(sum.high);
  Value isInexact = f.compare(arith::CmpFPredicate::ONE, sum.low, zero);
  Value isEven = f.icompare(arith::CmpIPredicate::eq, f.iand(bits, f.integer(1)), f.integer(0));
  Value sameSign =
      f.icompare(arith::CmpIPredicate::sge, f.ixor(bits, f.bits(sum.low)), f.integer(0));
  Value step = f.select(sameSign, f.integer(1), f.integer(-1));
  Value odd = f.fromBits(f.iadd(bits, step));
  return f.select(f.iand(isInexact, isEven), odd, sum.high);
}

struct Scaled {
  Value mantissa; ///< in [1, 2), or zero
  Value exponent; ///< integer
};

/// x of f64 as mantissa * 2^exponent; the exponent of zero is below all others.
Scaled normalize(FloatBuilder &f, Value x) {
  Value magnitude = f.abs(x);
  Value isSmall = f.less(magnitude, f.constant(0x1p-1022));
  Value bits = f.bits(f.select(isSmall, f.mul(x, f.constant(0x1p54)), x));
  Value biased = f.iand(f.shru(bits, 52), f.integer(0x7ff));
  Value bias = f.select(isSmall, f.integer(1023 + 54), f.integer(1023));
  Value mantissa = f.fromBits(
      f.ior(f.iand(bits, f.integer(int64_t(0x800fffffffffffff))), f.integer(int64_t(1023) << 52)));
  Value isZero = f.equal(x, f.constant(0));
  return {f.select(isZero, x, mantissa), f.isub(biased, bias)};
}

Value clampInteger(FloatBuilder &f, Value n, int64_t low, int64_t high) {
  Value lowest = f.integer(low), highest = f.integer(high);
  n = f.select(f.icompare(arith::CmpIPredicate::slt, n, lowest), lowest, n);
  return f.select(f.icompare(arith::CmpIPredicate::sgt, n, highest), highest, n);
}

/// (product + c) 2^exponent in f64 with one rounding, also to a subnormal.
Value addAndScale(FloatBuilder &f, DoubleWord product, Value c, Value exponent) {
  DoubleWord low = twoSum(f, c, product.low), high = twoSum(f, product.high, low.high);
  Value rest = addToOdd(f, low.low, high.low);
  // To round where the subnormals end, add a number whose last bit is there, and take it away. It
  // has the sign of the sum, so that both stay between two powers of two.
  // Results below -1300 are zero, those above -900 normal, whatever was cancelled.
  Value limited = clampInteger(f, exponent, -1300, -900);
  Value firstNormal = f.powerOfTwo(f.isub(f.integer(-1022), limited));
  Value total = f.add(high.high, rest);
  Value isSubnormal = f.less(f.abs(total), firstNormal);
  Value anchor = f.select(isSubnormal, f.copySign(firstNormal, total), f.constant(0));
  DoubleWord anchored = twoSum(f, anchor, high.high);
  Value sum = f.add(anchored.high, addToOdd(f, anchored.low, rest));
  Value result = f.copySign(f.sub(sum, anchor), total);
  return f.scale(result, clampInteger(f, exponent, -2000, 2046));
}

Value fmaOfDouble(FloatBuilder &f, Value a, Value b, Value c) {
  Scaled left = normalize(f, a), right = normalize(f, b), added = normalize(f, c);
  DoubleWord product = twoProduct(f, left.mantissa, right.mantissa);
  Value exponent = f.iadd(left.exponent, right.exponent);
  // Where the product and c do not overlap, the smaller one only shows that the sum is inexact; it
  // may as well be nearer.
  constexpr int64_t kFar = 120;
  Value distance = f.isub(added.exponent, exponent);
  Value limited = clampInteger(f, distance, -kFar, kFar);
  Value isFarAbove = f.icompare(arith::CmpIPredicate::sgt, distance, f.integer(kFar));
  Value isZero = f.equal(c, f.constant(0));
  Value above = f.isub(added.exponent, f.integer(kFar));
  exponent = f.select(isFarAbove, f.select(isZero, exponent, above), exponent);
  Value moved = f.mul(added.mantissa, f.powerOfTwo(limited));
  Value result = addAndScale(f, product, moved, exponent);
  // Zero factors and non-finite operands round nothing away.
  Value factorsFinite = f.iand(f.isFinite(a), f.isFinite(b));
  Value onlyAddend = f.iand(factorsFinite, f.isNonFinite(c));
  Value simple = f.select(onlyAddend, c, f.add(f.mul(a, b), c));
  Value isSimple = f.equal(product.high, f.constant(0));
  for (Value operand : {a, b, c})
    isSimple = f.ior(isSimple, f.isNonFinite(operand));
  return f.select(isSimple, simple, result);
}

} // namespace

Value expandFma(FloatBuilder &f, Value a, Value b, Value c) {
  if (f.isDouble())
    return fmaOfDouble(f, a, b, c);
  // In f64 the product is exact, and 53 bits rounded to odd round right to 24.
  FloatBuilder f64 = f.withElement(f.builder().getF64Type());
  return f.truncate(addToOdd(f64, f64.mul(f.extend(a), f.extend(b)), f.extend(c)));
}

} // namespace inlay::math_expansion
