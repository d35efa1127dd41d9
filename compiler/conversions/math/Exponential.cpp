#include "compiler/conversions/math/Coefficients.h"
#include "compiler/conversions/math/DoubleWord.h"
#include "compiler/conversions/math/Functions.h"

using namespace mlir;

namespace inlay::math_expansion {

ReducedExp reduceExp(FloatBuilder &f, Value x) {
  auto [n, exponent] = f.roundToInteger(f.mul(x, f.constant(0x1.71547652b82fep+0)));
  // The high part of ln(2) has so few bits that its product with n is exact.
  Value high = f.mulAdd(n, f.constant(-0x1.62e4p-1, -0x1.62e42fefa38p-1), x);
  Value correction = f.mul(n, f.constant(0x1.7f7d1cp-20, 0x1.ef35793c76730p-45));
  Value argument = f.sub(high, correction);
  Value lost = f.sub(f.sub(high, argument), correction);
  Value square = f.mul(argument, argument);
  Value tail = f.isDouble() ? f.polynomial(argument, kExpF64) : f.polynomial(argument, kExpF32);
  return {exponent, argument, f.mulAdd(square, tail, lost)};
}

Value expandExp(FloatBuilder &f, Value x) {
  Value limited = f.isDouble() ? f.clamp(x, -746, 710) : f.clamp(x, -105, 89);
  auto [exponent, argument, rest] = reduceExp(f, limited);
  return f.scale(f.add(f.constant(1), f.add(argument, rest)), exponent);
}

Value expandExp2(FloatBuilder &f, Value x) {
  Value limited = f.isDouble() ? f.clamp(x, -1076, 1025) : f.clamp(x, -151, 129);
  auto [n, exponent] = f.roundToInteger(limited);
  Value r = f.sub(limited, n);
  Value slope = f.isDouble() ? f.polynomial(r, kExp2F64) : f.polynomial(r, kExp2F32);
  return f.scale(f.mulAdd(r, slope, f.constant(1)), exponent);
}

Value expandExpM1(FloatBuilder &f, Value x) {
  // Below the lower limit the result is -1 to the last bit.
  Value limited = f.isDouble() ? f.clamp(x, -60, 710) : f.clamp(x, -30, 89);
  auto [exponent, argument, rest] = reduceExp(f, limited);
  // 2^n (1 + a) - 1 = 2^n ((1 - 2^-n) + a). For n above 100 the 1 no longer counts.
  Value most = f.integer(100);
  Value few = f.select(f.icompare(arith::CmpIPredicate::sgt, exponent, most), most, exponent);
  Value one = f.sub(f.constant(1), f.powerOfTwo(f.isub(f.integer(0), few)));
  DoubleWord sum = fastTwoSum(f, one, argument);
  Value value = f.scale(f.add(sum.high, f.add(sum.low, rest)), exponent);
  return f.copySign(value, x);
}

Value expandTanh(FloatBuilder &f, Value x) {
  // tanh is 1 to the last bit from the limit on.
  Value magnitude = f.clamp(f.abs(x), 0, f.isDouble() ? 20 : 10);
  Value e = expandExpM1(f, f.add(magnitude, magnitude));
  Value quotient = divide(f, {e, f.constant(0)}, twoSum(f, e, f.constant(2)));
  return f.copySign(quotient, x);
}

namespace {

/// e^a / 2, also where e^a is too large.
Value halfExp(FloatBuilder &f, Value a) {
  auto [exponent, argument, rest] = reduceExp(f, f.clamp(a, -711, 711));
  return f.scale(f.add(f.constant(1), f.add(argument, rest)), f.isub(exponent, f.integer(1)));
}

} // namespace

Value expandCosh(FloatBuilder &f, Value x) {
  Value half = halfExp(f, f.abs(x));
  return f.add(half, f.div(f.constant(0.25), half));
}

Value expandSinh(FloatBuilder &f, Value x) {
  Value magnitude = f.abs(x);
  Value half = halfExp(f, magnitude);
  Value large = f.sub(half, f.div(f.constant(0.25), half));
  Value e = expandExpM1(f, magnitude);
  Value small = f.mul(f.constant(0.5), f.add(e, f.div(e, f.add(e, f.constant(1)))));
  return f.copySign(f.select(f.less(magnitude, f.constant(1)), small, large), x);
}

} // namespace inlay::math_expansion
