#include "compiler/conversions/math/FloatBuilder.h"

#include <cmath>

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

/// A format of 8 bits, or one whose conversion toward zero is expanded.
struct Format {
  int mantissaBits, bias;
  double largest;     ///< finite value
  int64_t nan;        ///< without the sign
  bool saturates;     ///< infinities and what is too large become the largest value
  bool hasSignedZero; ///< the sign alone is -0; else it is the only NaN
};

Format formatOf(Type type) {
  if (isa<Float8E5M2Type>(type))
    return {2, 15, 57344, 0x7f, true, true};
  if (isa<Float8E4M3FNType>(type))
    return {3, 7, 448, 0x7f, true, true};
  if (isa<Float8E4M3B11FNUZType>(type))
    return {3, 11, 30, 0x80, true, false};
  if (type.isBF16())
    return {7, 127, 0x1.fep127, 0x7fc0, false, true};
  return {10, 15, 65504, 0x7e00, false, true};
}

Value extendFloat8(FloatBuilder &f32, Value value, const MathExpansionOptions &options) {
  Type type = getElementTypeOrSelf(value.getType());
  Value bits = integerCast(f32, bitcastTo(f32, value, f32.builder().getI8Type()), 32);
  if (isa<Float8E5M2Type>(type)) {
    // The upper half of an f16.
    Value half = bitcastTo(f32, integerCast(f32, f32.shl(bits, 8), 16), f32.builder().getF16Type());
    if (!options.hasF16Conversion)
      return extendFloat16(f32, half);
    return arith::ExtFOp::create(f32.builder(), f32.location(), f32.type(), half);
  }
  Format format = formatOf(type);
  Value magnitude = f32.iand(bits, f32.integer(0x7f));
  Value sign = f32.shl(f32.iand(bits, f32.integer(0x80)), 24);
  // The product corrects the exponent's bias and normalises subnormals.
  Value finite = f32.mul(f32.fromBits(f32.shl(magnitude, 23 - format.mantissaBits)),
                         f32.constant(std::ldexp(1.0, 127 - format.bias)));
  Value result = f32.ior(sign, f32.bits(finite));
  Value isNan = format.hasSignedZero
                    ? f32.icompare(Predicate::eq, magnitude, f32.integer(format.nan))
                    : f32.icompare(Predicate::eq, bits, f32.integer(format.nan));
  return f32.fromBits(f32.select(isNan, f32.integer(0x7fc00000), result));
}

/// The bits of the value in the format, as 32-bit integers.
Value truncateTo(FloatBuilder &f32, Value value, const Format &format, unsigned bitWidth,
                 bool towardZero) {
  Value bits = f32.bits(value);
  Value sign = f32.iand(f32.shru(bits, 32 - bitWidth), f32.integer(int64_t(1) << (bitWidth - 1)));
  Value magnitude = f32.iand(bits, f32.integer(0x7fffffff));
  Value largest = f32.bits(f32.constant(format.largest));
  // What is larger is cut off; for formats with infinities this is toward zero alone.
  Value limited = f32.select(f32.icompare(Predicate::ugt, magnitude, largest), largest, magnitude);
  int shift = 23 - format.mantissaBits, smallest = 1 - format.bias;
  Value rebiased = f32.isub(limited, f32.integer(int64_t(127 - format.bias) << 23));
  if (!towardZero) {
    Value odd = f32.iand(f32.shru(limited, shift), f32.integer(1));
    rebiased = f32.iadd(rebiased, f32.iadd(odd, f32.integer((int64_t(1) << (shift - 1)) - 1)));
  }
  Value result = f32.shru(rebiased, shift);
  if (format.bias != 127) {
    // Below the smallest normal value: multiples of the smallest subnormal one.
    int unit = smallest - format.mantissaBits;
    Value small = f32.fromBits(limited), magic;
    if (towardZero) {
      magic = f32.constant(0x1p23);
      small = math::TruncOp::create(f32.builder(), f32.location(),
                                    f32.mul(small, f32.constant(std::ldexp(1.0, -unit))));
    } else {
      magic = f32.constant(std::ldexp(1.0, 23 + unit));
    }
    Value subnormal = f32.isub(f32.bits(f32.add(small, magic)), f32.bits(magic));
    Value isSubnormal =
        f32.icompare(Predicate::ult, limited, f32.bits(f32.constant(std::ldexp(1.0, smallest))));
    result = f32.select(isSubnormal, subnormal, result);
  }
  Value infinity = f32.integer(0x7f800000);
  if (!format.saturates) {
    int exponentBits = static_cast<int>(bitWidth) - 1 - format.mantissaBits;
    Value code = f32.integer(((int64_t(1) << exponentBits) - 1) << format.mantissaBits);
    result = f32.select(f32.icompare(Predicate::eq, magnitude, infinity), code, result);
  }
  Value signedResult = f32.ior(sign, result);
  if (!format.hasSignedZero)
    signedResult =
        f32.select(f32.icompare(Predicate::eq, result, f32.integer(0)), result, signedResult);
  Value nan =
      format.hasSignedZero ? f32.ior(sign, f32.integer(format.nan)) : f32.integer(format.nan);
  return f32.select(f32.icompare(Predicate::ugt, magnitude, infinity), nan, signedResult);
}

bool isFloat8(Type type) {
  return isa<Float8E5M2Type, Float8E4M3FNType, Float8E4M3B11FNUZType>(getElementTypeOrSelf(type));
}
bool isNarrow(Type type) {
  return isa<Float16Type, BFloat16Type>(getElementTypeOrSelf(type)) || isFloat8(type);
}

class ExtendPattern : public OpRewritePattern<arith::ExtFOp> {
public:
  ExtendPattern(MLIRContext *context, const MathExpansionOptions &options)
      : OpRewritePattern(context), options_(options) {}
  LogicalResult matchAndRewrite(arith::ExtFOp op, PatternRewriter &rewriter) const override {
    Type from = getElementTypeOrSelf(op.getIn().getType()), to = getElementTypeOrSelf(op.getType());
    if (!isNarrow(from) || (from.isF16() && to.isF32() && options_.hasF16Conversion) ||
        (options_.hasNarrowFloats && !isFloat8(from)))
      return failure();
    FloatBuilder shape(rewriter, op.getLoc(), op.getType(), options_.hasFma);
    FloatBuilder f32 = shape.withElement(rewriter.getF32Type());
    Value value;
    if (isFloat8(from))
      value = extendFloat8(f32, op.getIn(), options_);
    else if (from.isBF16())
      value = extendBFloat16(f32, op.getIn());
    else if (options_.hasF16Conversion)
      value = arith::ExtFOp::create(rewriter, op.getLoc(), f32.type(), op.getIn());
    else
      value = extendFloat16(f32, op.getIn());
    if (to.isF64())
      value = f32.extend(value);
    else if (!to.isF32()) // exact
      value = arith::TruncFOp::create(rewriter, op.getLoc(), op.getType(), value);
    rewriter.replaceOp(op, value);
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
    const bool towardZero = op.getRoundingmode() == arith::RoundingMode::toward_zero;
    if (!isNarrow(to) || (to.isF16() && from.isF32() && options_.hasF16Conversion && !towardZero) ||
        (options_.hasNarrowFloats && !isFloat8(to) && !towardZero))
      return failure();
    FloatBuilder shape(rewriter, op.getLoc(), op.getIn().getType(), options_.hasFma);
    FloatBuilder f32 = shape.withElement(rewriter.getF32Type());
    Value value = op.getIn();
    if (from.isF64())
      value = roundToOdd(f32, value);
    else if (!from.isF32())
      value = arith::ExtFOp::create(rewriter, op.getLoc(), f32.type(), value);
    if (isFloat8(to) || towardZero) {
      unsigned bits = to.getIntOrFloatBitWidth();
      value = truncateTo(f32, value, formatOf(to), bits, towardZero);
      value = bitcastTo(f32, integerCast(f32, value, bits), to);
    } else if (to.isBF16()) {
      value = truncateToBFloat16(f32, value);
    } else if (options_.hasF16Conversion) {
      value = arith::TruncFOp::create(rewriter, op.getLoc(), op.getType(), value);
    } else {
      value = truncateToFloat16(f32, value);
    }
    rewriter.replaceOp(op, value);
    return success();
  }

private:
  MathExpansionOptions options_;
};

/// A choice between 16-bit floats by their bits: LLVM would convert bfloat16 to f32 and back with a
/// call.
class SelectPattern : public OpRewritePattern<arith::SelectOp> {
public:
  using OpRewritePattern<arith::SelectOp>::OpRewritePattern;
  LogicalResult matchAndRewrite(arith::SelectOp op, PatternRewriter &rewriter) const override {
    if (!isNarrow(op.getType()))
      return failure();
    FloatBuilder shape(rewriter, op.getLoc(), op.getType(), false);
    unsigned bits = getElementTypeOrSelf(op.getType()).getIntOrFloatBitWidth();
    Type integer = rewriter.getIntegerType(bits);
    Value chosen = arith::SelectOp::create(rewriter, op.getLoc(), op.getCondition(),
                                           bitcastTo(shape, op.getTrueValue(), integer),
                                           bitcastTo(shape, op.getFalseValue(), integer));
    rewriter.replaceOpWithNewOp<arith::BitcastOp>(op, op.getType(), chosen);
    return success();
  }
};

} // namespace

void populateNarrowFloatPatterns(RewritePatternSet &patterns, const MathExpansionOptions &options) {
  patterns.add<ExtendPattern, TruncatePattern>(patterns.getContext(), options);
  if (!options.hasNarrowFloats)
    patterns.add<SelectPattern>(patterns.getContext());
}

} // namespace inlay
