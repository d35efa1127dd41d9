// The expansions of the functions: each emits plain arithmetic on scalars or vectors.
#pragma once

#include "compiler/conversions/math/FloatBuilder.h"

namespace inlay::math_expansion {

// For f32 and f64.
mlir::Value expandExp(FloatBuilder &f, mlir::Value x);
mlir::Value expandExp2(FloatBuilder &f, mlir::Value x);
mlir::Value expandExpM1(FloatBuilder &f, mlir::Value x);
mlir::Value expandTanh(FloatBuilder &f, mlir::Value x);
mlir::Value expandLog(FloatBuilder &f, mlir::Value x);
mlir::Value expandLog2(FloatBuilder &f, mlir::Value x);
mlir::Value expandLog10(FloatBuilder &f, mlir::Value x);
mlir::Value expandLog1p(FloatBuilder &f, mlir::Value x);
mlir::Value expandSin(FloatBuilder &f, mlir::Value x);
mlir::Value expandCos(FloatBuilder &f, mlir::Value x);
mlir::Value expandErf(FloatBuilder &f, mlir::Value x);
mlir::Value expandPower(FloatBuilder &f, mlir::Value x, mlir::Value y);
mlir::Value expandRsqrt(FloatBuilder &f, mlir::Value x);
mlir::Value expandRound(FloatBuilder &f, mlir::Value x);
/// x - trunc(x / y) y exactly, with the sign of x, as C's fmod.
mlir::Value expandRemainder(FloatBuilder &f, mlir::Value x, mlir::Value y);
/// a * b + c with one rounding, without the instruction.
mlir::Value expandFma(FloatBuilder &f, mlir::Value a, mlir::Value b, mlir::Value c);

// For f64 only; f32 goes through it.
mlir::Value expandTan(FloatBuilder &f, mlir::Value x);
mlir::Value expandSinh(FloatBuilder &f, mlir::Value x);
mlir::Value expandCosh(FloatBuilder &f, mlir::Value x);
mlir::Value expandErfc(FloatBuilder &f, mlir::Value x);
mlir::Value expandAsin(FloatBuilder &f, mlir::Value x);
mlir::Value expandAcos(FloatBuilder &f, mlir::Value x);
mlir::Value expandAtan(FloatBuilder &f, mlir::Value x);
mlir::Value expandAtan2(FloatBuilder &f, mlir::Value y, mlir::Value x);
mlir::Value expandCbrt(FloatBuilder &f, mlir::Value x);

/// e^x = 2^exponent (1 + (argument + rest)), |argument| <= ln(2) / 2.
struct ReducedExp {
  mlir::Value exponent; ///< integer
  mlir::Value argument, rest;
};
/// Reduces x, at most twice the exponent range times ln(2).
ReducedExp reduceExp(FloatBuilder &f, mlir::Value x);

/// x = 2^exponent mantissa, mantissa in [sqrt(1/2), sqrt(2)), for positive finite x; unspecified
/// but defined for others.
struct Decomposed {
  mlir::Value exponent; ///< as a float
  mlir::Value mantissa;
};
Decomposed decompose(FloatBuilder &f, mlir::Value x);

/// True if a condition holds in any lane.
mlir::Value anyLane(FloatBuilder &f, mlir::Value condition);

} // namespace inlay::math_expansion
