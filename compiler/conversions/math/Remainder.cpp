#include "compiler/conversions/math/Functions.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace inlay::math_expansion {

namespace {

/// floor(log2(x)) of a positive finite x, subnormal or not, as an integer.
Value exponentOf(FloatBuilder &f, Value x) {
  int shift = f.mantissaBits() + 2;
  Value isSmall = f.less(x, f.constant(0x1p-126, 0x1p-1022));
  Value normal = f.select(isSmall, f.mul(x, f.constant(0x1p25, 0x1p54)), x);
  Value biased = f.shru(f.bits(normal), f.mantissaBits());
  Value bias = f.select(isSmall, f.integer(f.exponentBias() + shift), f.integer(f.exponentBias()));
  return f.isub(biased, bias);
}

/// rest modulo divisor * 2^n for the least n with which the quotient has less than half of the
/// mantissa's bits: then all products and differences are exact.
Value reduceOnce(FloatBuilder &f, Value rest, Value divisor, Value divisorExponent) {
  int halfBits = (f.mantissaBits() + 1) / 2;
  Value distance = f.isub(exponentOf(f, rest), divisorExponent);
  Value n = f.isub(distance, f.integer(halfBits - 2)), zero = f.integer(0);
  n = f.select(f.icompare(arith::CmpIPredicate::sgt, n, zero), n, zero);
  // In two steps, since a subnormal divisor may rise by more than one power can say.
  Value half = f.shrs(n, 1);
  Value scaled = f.scale(f.scale(divisor, half), f.isub(n, half));
  Value quotient =
      math::TruncOp::create(f.builder(), f.location(), f.div(rest, scaled)).getResult();
  Value mask = f.integer(~((int64_t(1) << halfBits) - 1));
  Value high = f.fromBits(f.iand(f.bits(scaled), mask)), low = f.sub(scaled, high);
  Value next = f.sub(f.sub(rest, f.mul(quotient, high)), f.mul(quotient, low));
  // The quotient may have been rounded up to the next integer.
  return f.select(f.less(next, f.constant(0)), f.add(next, scaled), next);
}

} // namespace

Value expandRemainder(FloatBuilder &f, Value x, Value y) {
  Value zero = f.constant(0);
  Value dividend = f.abs(x), divisor = f.abs(y);
  Value isOrdinary = f.iand(f.isFinite(x), f.greater(divisor, zero));
  // Lanes without a remainder have none to reduce; an infinite divisor leaves x.
  Value start = f.select(isOrdinary, dividend, zero);
  Value safeDivisor = f.select(f.greater(divisor, zero), divisor, f.constant(1));
  Value divisorExponent = exponentOf(f, safeDivisor);
  auto loop = scf::WhileOp::create(
      f.builder(), f.location(), f.type(), start,
      [&](OpBuilder &builder, Location location, ValueRange rest) {
        FloatBuilder inner(builder, location, f.type(), f.hasFma());
        Value isMore = inner.compare(arith::CmpFPredicate::OGE, rest[0], safeDivisor);
        scf::ConditionOp::create(builder, location, anyLane(inner, isMore), rest);
      },
      [&](OpBuilder &builder, Location location, ValueRange rest) {
        FloatBuilder inner(builder, location, f.type(), f.hasFma());
        // Lanes that are done would meet an infinite divisor or a meaningless exponent.
        Value isMore = inner.compare(arith::CmpFPredicate::OGE, rest[0], safeDivisor);
        Value next = reduceOnce(inner, rest[0], safeDivisor, divisorExponent);
        scf::YieldOp::create(builder, location, inner.select(isMore, next, rest[0]));
      });
  Value result = f.copySign(loop.getResult(0), x);
  return f.select(isOrdinary, result, f.constant(std::numeric_limits<double>::quiet_NaN()));
}

} // namespace inlay::math_expansion
