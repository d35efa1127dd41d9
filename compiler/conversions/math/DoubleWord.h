// Unevaluated sums of two floats: twice the precision where one rounding is too many.
#pragma once

#include "compiler/conversions/math/FloatBuilder.h"

namespace inlay::math_expansion {

/// high + low, |low| at most half a unit in the last place of high.
struct DoubleWord {
  mlir::Value high, low;
};

/// a + b exactly.
inline DoubleWord twoSum(FloatBuilder &f, mlir::Value a, mlir::Value b) {
  mlir::Value sum = f.add(a, b), partOfB = f.sub(sum, a);
  mlir::Value lostOfA = f.sub(a, f.sub(sum, partOfB)), lostOfB = f.sub(b, partOfB);
  return {sum, f.add(lostOfA, lostOfB)};
}

/// a + b exactly, where |a| >= |b| or a = 0.
inline DoubleWord fastTwoSum(FloatBuilder &f, mlir::Value a, mlir::Value b) {
  mlir::Value sum = f.add(a, b);
  return {sum, f.sub(b, f.sub(sum, a))};
}

/// a * b exactly, for factors so far from the ends of the exponent range that nothing overflows or
/// is lost below. Without the fma instruction by Dekker's product of halves.
inline DoubleWord twoProduct(FloatBuilder &f, mlir::Value a, mlir::Value b) {
  mlir::Value product = f.mul(a, b);
  if (f.hasFma())
    return {product, f.mulAdd(a, b, f.neg(product))};
  auto split = [&](mlir::Value x) -> DoubleWord {
    mlir::Value shifted = f.mul(x, f.constant(0x1p12 + 1, 0x1p27 + 1));
    mlir::Value high = f.sub(shifted, f.sub(shifted, x));
    return {high, f.sub(x, high)};
  };
  auto [aHigh, aLow] = split(a);
  auto [bHigh, bLow] = split(b);
  mlir::Value error = f.sub(f.mul(aHigh, bHigh), product);
  error = f.add(error, f.mul(aHigh, bLow));
  error = f.add(error, f.mul(aLow, bHigh));
  return {product, f.add(error, f.mul(aLow, bLow))};
}

/// a * b with an error of a few units in the last place of the low word.
inline DoubleWord multiply(FloatBuilder &f, DoubleWord a, DoubleWord b) {
  DoubleWord product = twoProduct(f, a.high, b.high);
  mlir::Value cross = f.mulAdd(a.high, b.low, f.mul(a.low, b.high));
  return fastTwoSum(f, product.high, f.add(product.low, cross));
}

/// a / b rounded to one word.
inline mlir::Value divide(FloatBuilder &f, DoubleWord a, DoubleWord b) {
  mlir::Value quotient = f.div(a.high, b.high);
  DoubleWord product = twoProduct(f, quotient, b.high);
  mlir::Value rest = f.sub(f.sub(a.high, product.high), product.low);
  rest = f.add(rest, f.sub(a.low, f.mul(quotient, b.low)));
  return f.add(quotient, f.div(rest, b.high));
}

} // namespace inlay::math_expansion
