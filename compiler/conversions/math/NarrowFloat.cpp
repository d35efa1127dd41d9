#include "compiler/conversions/math/FloatBuilder.h"

using namespace mlir;

namespace inlay {

using namespace math_expansion;

namespace {

using Predicate = arith::CmpIPredicate;

Value integerCast(FloatBuilder &f, Value value, unsigned bits) {
  Type type = f.like(f.builder().getIntegerType(bits));
  unsigned from = getElementTypeOrSelf(value.getType()).getIntOrFloatBitWidth();
  if (from < bits)
    return arith::ExtUIOp::create(f.builder(), f.location(), type, value);
  return arith::TruncIOp::create(f.builder(), f.location(), type, value);
}

Value bitcastTo(FloatBuilder &f, Value value, Type element) {
  return arith::BitcastOp::create(f.builder(), f.location(), f.like(element), value);
}

/// f64 to f32 rounded to odd: what is rounded again to fewer than 23 bits then rounds as if it had
/// been rounded once.
Value roundToOdd(FloatBuilder &f32, Value value) {
  FloatBuilder f64 = f32.withElement(f32.builder().getF64Type());
  Value nearest = f32.truncate(value), back = f32.extend(nearest);
  Value tooFar = f64.greater(f64.abs(back), f64.abs(value));
  Value bits = f32.bits(nearest);
  bits = f32.select(tooFar, f32.isub(bits, f32.integer(1)), bits);
  Value inexact = f64.compare(arith::CmpFPredicate::ONE, back, value);
  bits = f32.select(inexact, f32.ior(bits, f32.integer(1)), bits);
  return f32.fromBits(bits);
}

Value extendBFloat16(FloatBuilder &f32, Value value) {
  Value bits = integerCast(f32, bitcastTo(f32, value, f32.builder().getI16Type()), 32);
  return f32.fromBits(f32.shl(bits, 16));
}

Value truncateToBFloat16(FloatBuilder &f32, Value value) {
  Value bits = f32.bits(value);
  Value odd = f32.iand(f32.shru(bits, 16), f32.integer(1));
  Value rounded = f32.shru(f32.iadd(bits, f32.iadd(odd, f32.integer(0x7fff))), 16);
  Value quietNan = f32.ior(f32.shru(bits, 16), f32.integer(0x40));
  Value result = f32.select(f32.isNan(value), quietNan, rounded);
  return bitcastTo(f32, integerCast(f32, result, 16), f32.builder().getBF16Type());
}

Value extendFloat16(FloatBuilder &f32, Value value) {
  Value bits = integerCast(f32, bitcastTo(f32, value, f32.builder().getI16Type()), 32);
  Value magnitude = f32.iand(bits, f32.integer(0x7fff));
  Value sign = f32.shl(f32.iand(bits, f32.integer(0x8000)), 16);
  // The exponent field is too small by 112 after the shift; the product also normalises subnormals.
  Value finite = f32.bits(f32.mul(f32.fromBits(f32.shl(magnitude, 13)), f32.constant(0x1p112)));
  Value special = f32.ior(f32.shl(magnitude, 13), f32.integer(0x7f800000));
  Value isFinite = f32.icompare(Predicate::ult, magnitude, f32.integer(0x7c00));
  return f32.fromBits(f32.ior(sign, f32.select(isFinite, finite, special)));
}

Value truncateToFloat16(FloatBuilder &f32, Value value) {
  Value bits = f32.bits(value);
  Value magnitude = f32.iand(bits, f32.integer(0x7fffffff));
  Value sign = f32.iand(f32.shru(bits, 16), f32.integer(0x8000));
  Value odd = f32.iand(f32.shru(magnitude, 13), f32.integer(1));
  // 112 is the difference of the exponent biases.
  Value normal = f32.shru(f32.iadd(magnitude, f32.iadd(odd, f32.integer(0xfff - (112 << 23)))), 13);
  // Adding 0.5 leaves the rounded subnormal in the low bits.
  Value subnormal = f32.isub(f32.bits(f32.add(f32.fromBits(magnitude), f32.constant(0.5))),
                             f32.integer(0x3f000000));
  Value result = f32.select(f32.icompare(Predicate::ult, magnitude, f32.integer(0x38800000)),
                            subnormal, normal);
  result = f32.select(f32.icompare(Predicate::uge, magnitude, f32.integer(0x477ff000)),
                      f32.integer(0x7c00), result);
  Value nan = f32.ior(f32.integer(0x7e00), f32.iand(f32.shru(magnitude, 13), f32.integer(0x3ff)));
  result =
      f32.select(f32.icompare(Predicate::ugt, magnitude, f32.integer(0x7f800000)), nan, result);
  return bitcastTo(f32, integerCast(f32, f32.ior(sign, result), 16), f32.builder().getF16Type());
}

bool isNarrow(Type type) { return isa<Float16Type, BFloat16Type>(getElementTypeOrSelf(type)); }

class ExtendPattern : public OpRewritePattern<arith::ExtFOp> {
public:
  ExtendPattern(MLIRContext *context, const MathExpansionOptions &options)
      : OpRewritePattern(context), options_(options) {}
  LogicalResult matchAndRewrite(arith::ExtFOp op, PatternRewriter &rewriter) const override {
    Type from = getElementTypeOrSelf(op.getIn().getType()), to = getElementTypeOrSelf(op.getType());
    if (!isNarrow(from) || (from.isF16() && to.isF32() && options_.hasF16Conversion))
      return failure();
    FloatBuilder shape(rewriter, op.getLoc(), op.getType(), options_.hasFma);
    FloatBuilder f32 = shape.withElement(rewriter.getF32Type());
    Value value;
    if (from.isBF16())
      value = extendBFloat16(f32, op.getIn());
    else if (options_.hasF16Conversion)
      value = arith::ExtFOp::create(rewriter, op.getLoc(), f32.type(), op.getIn());
    else
      value = extendFloat16(f32, op.getIn());
    rewriter.replaceOp(op, to.isF64() ? f32.extend(value) : value);
    return success();
  }

private:
  MathExpansionOptions options_;
};

class TruncatePattern : public OpRewritePattern<arith::TruncFOp> {
public:
  TruncatePattern(MLIRContext *context, const MathExpansionOptions &options)
      : OpRewritePattern(context), options_(options) {}
  LogicalResult matchAndRewrite(arith::TruncFOp op, PatternRewriter &rewriter) const override {
    Type from = getElementTypeOrSelf(op.getIn().getType()), to = getElementTypeOrSelf(op.getType());
    if (!isNarrow(to) || (to.isF16() && from.isF32() && options_.hasF16Conversion))
      return failure();
    FloatBuilder shape(rewriter, op.getLoc(), op.getIn().getType(), options_.hasFma);
    FloatBuilder f32 = shape.withElement(rewriter.getF32Type());
    Value value = from.isF64() ? roundToOdd(f32, op.getIn()) : op.getIn();
    if (to.isBF16())
      value = truncateToBFloat16(f32, value);
    else if (options_.hasF16Conversion)
      value = arith::TruncFOp::create(rewriter, op.getLoc(), op.getType(), value);
    else
      value = truncateToFloat16(f32, value);
    rewriter.replaceOp(op, value);
    return success();
  }

private:
  MathExpansionOptions options_;
};

} // namespace

void populateNarrowFloatPatterns(RewritePatternSet &patterns, const MathExpansionOptions &options) {
  patterns.add<ExtendPattern, TruncatePattern>(patterns.getContext(), options);
}

} // namespace inlay
