// Short names for arithmetic on one float type, scalar or vector, for the function expansions.
#pragma once

#include "compiler/conversions/math/MathExpansion.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

#include <limits>

namespace inlay::math_expansion {

/// Emits operations on values of a float type and on the signless integers of the same width and
/// shape.
class FloatBuilder {
public:
  FloatBuilder(mlir::OpBuilder &builder, mlir::Location location, mlir::Type type, bool hasFma)
      : builder_(builder), location_(location), type_(type), hasFma_(hasFma) {}

  mlir::OpBuilder &builder() { return builder_; }
  mlir::Location location() const { return location_; }
  mlir::Type type() const { return type_; }
  mlir::Type element() const { return mlir::getElementTypeOrSelf(type_); }
  bool isDouble() const { return element().isF64(); }
  bool hasFma() const { return hasFma_; }
  mlir::Type like(mlir::Type element) const {
    if (auto vector = mlir::dyn_cast<mlir::VectorType>(type_))
      return vector.clone(element);
    return element;
  }
  mlir::Type integerType() const {
    return like(builder_.getIntegerType(element().getIntOrFloatBitWidth()));
  }
  FloatBuilder withElement(mlir::Type element) const {
    return {builder_, location_, like(element), hasFma_};
  }

  mlir::Value constant(double value) {
    mlir::TypedAttr attribute = builder_.getFloatAttr(element(), value);
    return make(attribute, type_);
  }
  mlir::Value integer(int64_t value) {
    mlir::Type type = integerType();
    return make(builder_.getIntegerAttr(mlir::getElementTypeOrSelf(type), value), type);
  }
  mlir::Value add(mlir::Value a, mlir::Value b) {
    return mlir::arith::AddFOp::create(builder_, location_, a, b);
  }
  mlir::Value sub(mlir::Value a, mlir::Value b) {
    return mlir::arith::SubFOp::create(builder_, location_, a, b);
  }
  mlir::Value mul(mlir::Value a, mlir::Value b) {
    return mlir::arith::MulFOp::create(builder_, location_, a, b);
  }
  mlir::Value div(mlir::Value a, mlir::Value b) {
    return mlir::arith::DivFOp::create(builder_, location_, a, b);
  }
  mlir::Value neg(mlir::Value a) { return mlir::arith::NegFOp::create(builder_, location_, a); }
  mlir::Value abs(mlir::Value a) { return mlir::math::AbsFOp::create(builder_, location_, a); }
  mlir::Value copySign(mlir::Value magnitude, mlir::Value sign) {
    return mlir::math::CopySignOp::create(builder_, location_, magnitude, sign);
  }
  /// a * b + c, in one rounding where the target has the instruction and in two elsewhere.
  mlir::Value mulAdd(mlir::Value a, mlir::Value b, mlir::Value c) {
    if (hasFma_)
      return mlir::math::FmaOp::create(builder_, location_, a, b, c);
    return add(mul(a, b), c);
  }
  /// c[0] + c[1] x + c[2] x^2 + …, by Horner's rule.
  mlir::Value polynomial(mlir::Value x, llvm::ArrayRef<double> coefficients) {
    mlir::Value sum = constant(coefficients.back());
    for (double coefficient : llvm::reverse(coefficients.drop_back()))
      sum = mulAdd(sum, x, constant(coefficient));
    return sum;
  }
  mlir::Value compare(mlir::arith::CmpFPredicate predicate, mlir::Value a, mlir::Value b) {
    return mlir::arith::CmpFOp::create(builder_, location_, predicate, a, b);
  }
  /// Neither infinite nor NaN.
  mlir::Value isFinite(mlir::Value a) {
    return less(abs(a), constant(std::numeric_limits<double>::infinity()));
  }
  mlir::Value isNonFinite(mlir::Value a) {
    return compare(mlir::arith::CmpFPredicate::UEQ, abs(a),
                   constant(std::numeric_limits<double>::infinity()));
  }
  mlir::Value less(mlir::Value a, mlir::Value b) {
    return compare(mlir::arith::CmpFPredicate::OLT, a, b);
  }
  mlir::Value greater(mlir::Value a, mlir::Value b) {
    return compare(mlir::arith::CmpFPredicate::OGT, a, b);
  }
  mlir::Value equal(mlir::Value a, mlir::Value b) {
    return compare(mlir::arith::CmpFPredicate::OEQ, a, b);
  }
  mlir::Value isNan(mlir::Value a) { return compare(mlir::arith::CmpFPredicate::UNO, a, a); }
  mlir::Value select(mlir::Value condition, mlir::Value a, mlir::Value b) {
    return mlir::arith::SelectOp::create(builder_, location_, condition, a, b);
  }
  /// x limited to [low, high]; NaN stays.
  mlir::Value clamp(mlir::Value x, double low, double high) {
    mlir::Value lowest = constant(low), highest = constant(high);
    x = select(less(x, lowest), lowest, x);
    return select(greater(x, highest), highest, x);
  }

  mlir::Value bits(mlir::Value a) {
    return mlir::arith::BitcastOp::create(builder_, location_, integerType(), a);
  }
  mlir::Value fromBits(mlir::Value a) {
    return mlir::arith::BitcastOp::create(builder_, location_, type_, a);
  }
  mlir::Value iadd(mlir::Value a, mlir::Value b) {
    return mlir::arith::AddIOp::create(builder_, location_, a, b);
  }
  mlir::Value isub(mlir::Value a, mlir::Value b) {
    return mlir::arith::SubIOp::create(builder_, location_, a, b);
  }
  mlir::Value iand(mlir::Value a, mlir::Value b) {
    return mlir::arith::AndIOp::create(builder_, location_, a, b);
  }
  mlir::Value ior(mlir::Value a, mlir::Value b) {
    return mlir::arith::OrIOp::create(builder_, location_, a, b);
  }
  mlir::Value ixor(mlir::Value a, mlir::Value b) {
    return mlir::arith::XOrIOp::create(builder_, location_, a, b);
  }
  mlir::Value shl(mlir::Value a, int64_t by) {
    return mlir::arith::ShLIOp::create(builder_, location_, a, integerLike(a, by));
  }
  mlir::Value shru(mlir::Value a, int64_t by) {
    return mlir::arith::ShRUIOp::create(builder_, location_, a, integerLike(a, by));
  }
  mlir::Value shrs(mlir::Value a, int64_t by) {
    return mlir::arith::ShRSIOp::create(builder_, location_, a, integerLike(a, by));
  }
  mlir::Value icompare(mlir::arith::CmpIPredicate predicate, mlir::Value a, mlir::Value b) {
    return mlir::arith::CmpIOp::create(builder_, location_, predicate, a, b);
  }
  /// An integer constant of the type of `value`.
  mlir::Value integerLike(mlir::Value value, int64_t number) {
    mlir::Type type = value.getType(), scalar = mlir::getElementTypeOrSelf(type);
    return make(builder_.getIntegerAttr(
                    scalar, llvm::APInt(scalar.getIntOrFloatBitWidth(), number, true, true)),
                type);
  }
  mlir::Value extend(mlir::Value a) {
    return mlir::arith::ExtFOp::create(builder_, location_, like(builder_.getF64Type()), a);
  }
  mlir::Value truncate(mlir::Value a) {
    return mlir::arith::TruncFOp::create(builder_, location_, like(builder_.getF32Type()), a);
  }

  int mantissaBits() const { return isDouble() ? 52 : 23; }
  int exponentBias() const { return isDouble() ? 1023 : 127; }

  struct Rounded {
    mlir::Value value;   ///< the nearest integer as a float
    mlir::Value integer; ///< and as an integer; unspecified but defined for NaN and large values
  };
  /// The integer nearest to x, |x| < 2^(mantissa bits - 2), without a conversion that could trap or
  /// be undefined.
  Rounded roundToInteger(mlir::Value x) {
    double magic = isDouble() ? 0x1.8p52 : 0x1.8p23;
    mlir::Value shifted = add(x, constant(magic));
    return {sub(shifted, constant(magic)), isub(bits(shifted), bits(constant(magic)))};
  }
  /// An integer of magnitude below 2^(mantissa bits - 2) as a float, without a conversion that
  /// vectors may lack.
  mlir::Value toFloat(mlir::Value n) {
    mlir::Value magic = constant(isDouble() ? 0x1.8p52 : 0x1.8p23);
    return sub(fromBits(iadd(bits(magic), n)), magic);
  }
  /// One of two constants, by the element type.
  mlir::Value constant(double forSingle, double forDouble) {
    return constant(isDouble() ? forDouble : forSingle);
  }
  /// 2^n for integers in the range of normal exponents.
  mlir::Value powerOfTwo(mlir::Value n) {
    return fromBits(shl(iadd(n, integer(exponentBias())), mantissaBits()));
  }
  /// x * 2^n with one rounding, for |n| up to twice the exponent range.
  mlir::Value scale(mlir::Value x, mlir::Value n) {
    mlir::Value half = shrs(n, 1);
    return mul(mul(x, powerOfTwo(half)), powerOfTwo(isub(n, half)));
  }

private:
  mlir::Value make(mlir::TypedAttr attribute, mlir::Type type) {
    if (auto shaped = mlir::dyn_cast<mlir::VectorType>(type))
      attribute = mlir::DenseElementsAttr::get(shaped, mlir::Attribute(attribute));
    return mlir::arith::ConstantOp::create(builder_, location_, type, attribute);
  }

  mlir::OpBuilder &builder_;
  mlir::Location location_;
  mlir::Type type_;
  bool hasFma_;
};

} // namespace inlay::math_expansion
