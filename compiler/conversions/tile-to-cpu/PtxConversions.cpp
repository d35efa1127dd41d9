// cvt of inline PTX. Source: PTX ISA, "Data Movement and Conversion Instructions: cvt", "Alternate
// Floating-Point Data Formats".
#include "compiler/conversions/tile-to-cpu/PtxEmitter.h"

#include <cmath>

using namespace mlir;

namespace inlay::tile_to_cpu {

using ptx::Instruction;
using ptx::Kind;
using ptx::Modifier;
using Compare = arith::CmpFPredicate;

namespace {

unsigned widthOf(Value value) { return ElementBuilder::widthOf(value); }

/// A format of at most 8 bits without infinities.
struct SmallFormat {
  int mantissaBits, bias;
  double largest;
};

SmallFormat formatOf(Kind kind) {
  if (kind == Kind::E2M3)
    return {3, 1, 7.5};
  if (kind == Kind::E3M2)
    return {2, 3, 28};
  return {1, 1, 6};
}

bool isFloat8(Kind kind) { return kind == Kind::E4M3 || kind == Kind::E5M2; }
bool isSmall(Kind kind) { return kind == Kind::E2M3 || kind == Kind::E3M2 || kind == Kind::E2M1; }

bool hasIntegralRounding(const Instruction &instruction) {
  return instruction.has(Modifier::Rni) || instruction.has(Modifier::Rzi) ||
         instruction.has(Modifier::Rmi) || instruction.has(Modifier::Rpi);
}

} // namespace

Value PtxEmitter::integerToInteger(const Instruction &instruction, Value a) {
  const ptx::Type from = instruction.source, to = instruction.type;
  if (instruction.has(Modifier::Sat)) {
    // The limits of the target that the source's values can pass, as values of the source.
    const bool isSigned = from.isSigned();
    if (isSigned && (!to.isSigned() || to.bits < from.bits)) {
      uint64_t low = to.isSigned() ? -(uint64_t{1} << (to.bits - 1)) : 0;
      a = e_.make<arith::MaxSIOp>(a, e_.integerLike(a, low));
    }
    unsigned magnitude = to.isSigned() ? to.bits - 1u : to.bits;
    if (magnitude < from.bits - unsigned{isSigned}) {
      Value high = e_.integerLike(a, (uint64_t{1} << magnitude) - 1);
      a = isSigned ? e_.make<arith::MinSIOp>(a, high) : e_.make<arith::MinUIOp>(a, high);
    }
  }
  return e_.resize(a, to.bits, from.isSigned());
}

Value PtxEmitter::integerToFloat(const Instruction &instruction, Value a) {
  Type element = elementTypeOf(instruction.type), f64 = e_.builder().getF64Type();
  const bool isSigned = instruction.source.isSigned();
  auto toFloat = [&](Value integer, Type type) {
    return isSigned ? e_.convert<arith::SIToFPOp>(integer, type)
                    : e_.convert<arith::UIToFPOp>(integer, type);
  };
  if (element.isF64() || (element.isF32() && instruction.has(Modifier::Rn)))
    return toFloat(a, element);
  if (widthOf(a) == 64) {
    // Of more than 53 bits all but the highest 42 become one that says whether any was set; f64
    // holds the rest, and what is rounded from it is rounded right.
    Value lost = e_.bitAnd(a, e_.integer(64, 0xfff));
    Value sticky = e_.select(e_.icompare(arith::CmpIPredicate::ne, lost, e_.integer(64, 0)),
                             e_.integer(64, 0x800), e_.integer(64, 0));
    Value cut = e_.bitOr(e_.bitAnd(a, e_.integer(64, ~uint64_t{0xfff})), sticky);
    Value magnitude = isSigned ? e_.bitXor(a, e_.shrs(a, 63)) : a;
    Value isLong =
        e_.icompare(arith::CmpIPredicate::uge, magnitude, e_.integer(64, uint64_t{1} << 53));
    a = e_.select(isLong, cut, a);
  }
  return narrow(instruction, toFloat(a, f64), element);
}

Value PtxEmitter::roundToIntegral(const Instruction &instruction, Value a) {
  if (instruction.has(Modifier::Rni))
    return e_.make<math::RoundEvenOp>(a);
  if (instruction.has(Modifier::Rzi))
    return e_.make<math::TruncOp>(a);
  return instruction.has(Modifier::Rmi) ? e_.make<math::FloorOp>(a) : e_.make<math::CeilOp>(a);
}

Value PtxEmitter::floatToInteger(const Instruction &instruction, Value a) {
  const ptx::Type to = instruction.type;
  if (instruction.has(Modifier::Ftz))
    a = flush(a);
  if (widthOf(a) == 16)
    a = e_.toFloat(a, e_.builder().getF32Type());
  a = roundToIntegral(instruction, a);
  // Out of range the nearest integer; NaN gives 0, or the highest bit where 64 bits take part.
  const bool isSigned = to.isSigned();
  const double low = isSigned ? -std::ldexp(1.0, to.bits - 1) : 0;
  const double end = std::ldexp(1.0, isSigned ? to.bits - 1 : to.bits);
  Value isBelow = e_.less(a, e_.realLike(a, low));
  Value isAbove = e_.fcompare(Compare::OGE, a, e_.realLike(a, end));
  Value isNan = e_.isNan(a);
  Value isOutside = e_.bitOr(isNan, e_.bitOr(isBelow, isAbove));
  Value inside = e_.select(isOutside, e_.realLike(a, 0), a);
  const unsigned bits = std::max<unsigned>(32, to.bits);
  Type type = e_.integerType(bits);
  Value integer = isSigned ? e_.convert<arith::FPToSIOp>(inside, type)
                           : e_.convert<arith::FPToUIOp>(inside, type);
  integer = e_.resize(integer, to.bits);
  const uint64_t highest = uint64_t{1} << (to.bits - 1);
  integer = e_.select(isBelow, e_.integer(to.bits, isSigned ? highest : 0), integer);
  integer = e_.select(isAbove, e_.integer(to.bits, isSigned ? highest - 1 : ~uint64_t{0}), integer);
  const bool hasLong = instruction.source.bits == 64 || to.bits == 64;
  return e_.select(isNan, e_.integer(to.bits, hasLong ? highest : 0), integer);
}

Value PtxEmitter::narrow(const Instruction &instruction, Value a, Type element) {
  Value nearest = e_.toFloat(a, element);
  const bool up = instruction.has(Modifier::Rp), down = instruction.has(Modifier::Rm),
             zero = instruction.has(Modifier::Rz);
  if ((!up && !down && !zero) || getElementTypeOrSelf(a) == element)
    return nearest;
  Value back = e_.toFloat(nearest, getElementTypeOrSelf(a)), mustStep;
  if (zero)
    mustStep = e_.less(e_.make<math::AbsFOp>(a), e_.make<math::AbsFOp>(back));
  else
    mustStep = up ? e_.less(back, a) : e_.less(a, back);
  // One less in the bits is nearer to zero.
  Value bits = e_.bits(nearest), one = e_.integerLike(bits, 1),
        minusOne = e_.integerLike(bits, ~uint64_t{0});
  Value isNegative = e_.icompare(arith::CmpIPredicate::slt, bits, e_.integerLike(bits, 0));
  Value step = zero ? minusOne
               : up ? e_.select(isNegative, minusOne, one)
                    : e_.select(isNegative, one, minusOne);
  return e_.bitcast(e_.select(mustStep, e_.iadd(bits, step), bits), element);
}

Value PtxEmitter::floatToFloat(const Instruction &instruction, Value a) {
  Type element = elementTypeOf(instruction.type);
  const bool mustFlush = instruction.has(Modifier::Ftz);
  if (mustFlush && instruction.source.bits == 32)
    a = flush(a);
  Value result = hasIntegralRounding(instruction) ? a : narrow(instruction, a, element);
  if (hasIntegralRounding(instruction)) {
    Type wide = widthOf(a) == 16 ? Type(e_.builder().getF32Type()) : getElementTypeOrSelf(a);
    result = e_.toFloat(roundToIntegral(instruction, e_.toFloat(a, wide)), element);
  } else if (widthOf(a) == 16 && element.isBF16() && getElementTypeOrSelf(a).isF16()) {
    result = narrow(instruction, e_.toFloat(a, e_.builder().getF32Type()), element);
  }
  if (mustFlush && instruction.type.bits == 32)
    result = flush(result);
  if (instruction.has(Modifier::Sat))
    result = saturate(result);
  if (instruction.has(Modifier::Satfinite)) {
    Value largest = e_.realLike(result, element.isF16() ? 65504 : 0x1.fep127);
    Value magnitude = e_.make<math::AbsFOp>(result);
    result =
        e_.select(e_.less(largest, magnitude), e_.make<math::CopySignOp>(largest, result), result);
  }
  if (instruction.has(Modifier::Relu))
    result = relu(result);
  return result;
}

/// 10 bits of mantissa in the bits of an f32; NaN is 0x7fffffff.
Value PtxEmitter::toTf32(const Instruction &instruction, Value a) {
  Value bits = e_.bits(a), cut = e_.integer(32, 0xffffe000);
  Value sum = bits;
  if (instruction.has(Modifier::Rna)) {
    sum = e_.iadd(bits, e_.integer(32, 0x1000));
  } else if (instruction.has(Modifier::Rn)) {
    Value isOdd = e_.bitAnd(e_.shru(bits, 13), e_.integer(32, 1));
    sum = e_.iadd(bits, e_.iadd(isOdd, e_.integer(32, 0xfff)));
  }
  Value result = e_.bitAnd(sum, cut);
  Value sign = e_.bitAnd(bits, e_.integer(32, 0x80000000));
  Value magnitude = e_.bitAnd(result, e_.integer(32, 0x7fffffff));
  if (instruction.has(Modifier::Satfinite)) {
    Value isLarge = e_.icompare(arith::CmpIPredicate::uge, magnitude, e_.integer(32, 0x7f800000));
    result = e_.select(isLarge, e_.bitOr(sign, e_.integer(32, 0x7f7fe000)), result);
  }
  if (instruction.has(Modifier::Relu))
    result = e_.select(e_.icompare(arith::CmpIPredicate::ne, sign, e_.integer(32, 0)),
                       e_.integer(32, 0), result);
  return e_.select(e_.isNan(a), e_.integer(32, 0x7fffffff), result);
}

/// The code of an f32 rounded to nearest even and limited to the largest value; NaN is the largest.
Value PtxEmitter::encodeSmall(Kind kind, Value a) {
  const SmallFormat format = formatOf(kind);
  const int shift = 23 - format.mantissaBits, smallest = 1 - format.bias;
  const unsigned codeBits = kind == Kind::E2M1 ? 4 : 6;
  Type f32 = e_.builder().getF32Type();
  Value bits = e_.bits(a), largest = e_.real(f32, format.largest);
  Value magnitude = e_.make<math::AbsFOp>(a);
  Value isInside = e_.less(magnitude, largest);
  Value limited = e_.select(isInside, magnitude, largest);
  Value limitedBits = e_.bits(limited);
  Value isOdd = e_.bitAnd(e_.shru(limitedBits, shift), e_.integer(32, 1));
  Value rebiased = e_.isub(limitedBits, e_.integer(32, uint64_t(127 - format.bias) << 23));
  rebiased = e_.iadd(rebiased, e_.iadd(isOdd, e_.integer(32, (uint64_t{1} << (shift - 1)) - 1)));
  Value normal = e_.shru(rebiased, shift);
  // Below the normal values, adding a number whose last bit is the smallest subnormal rounds.
  Value magic = e_.real(f32, std::ldexp(1.0, 23 + smallest - format.mantissaBits));
  Value subnormal = e_.isub(e_.bits(e_.make<arith::AddFOp>(limited, magic)), e_.bits(magic));
  Value isSubnormal = e_.less(limited, e_.real(f32, std::ldexp(1.0, smallest)));
  Value code = e_.select(isSubnormal, subnormal, normal);
  Value sign = e_.shl(e_.shru(bits, 31), codeBits - 1);
  sign = e_.select(e_.isNan(a), e_.integer(32, 0), sign);
  return e_.resize(e_.bitOr(sign, code), 8);
}

/// The f16 that a code (in the low bits of 8) stands for: its exponent and mantissa moved to f16's
/// places, times the difference of the biases, which also makes subnormal values right.
Value PtxEmitter::decodeSmall(Kind kind, Value bits) {
  const SmallFormat format = formatOf(kind);
  const unsigned codeBits = kind == Kind::E2M1 ? 4 : 6;
  Value code = e_.resize(bits, 16);
  Value magnitude = e_.bitAnd(code, e_.integer(16, (1u << (codeBits - 1)) - 1));
  Value sign = e_.shl(e_.bitAnd(e_.shru(code, codeBits - 1), e_.integer(16, 1)), 15);
  Value scaled = e_.bitcast(e_.shl(magnitude, static_cast<unsigned>(10 - format.mantissaBits)),
                            e_.builder().getF16Type());
  scaled = e_.make<arith::MulFOp>(scaled, e_.realLike(scaled, std::ldexp(1.0, 15 - format.bias)));
  return e_.bitcast(e_.bitOr(e_.bits(scaled), sign), e_.builder().getF16Type());
}

/// One lane of e4m3x2 and its like from f32 or f16, as an integer of 8 bits.
Value PtxEmitter::toNarrowBits(const Instruction &instruction, Value a) {
  const Kind kind = instruction.type.kind;
  a = e_.toFloat(a, e_.builder().getF32Type());
  if (instruction.has(Modifier::Relu))
    a = relu(a);
  if (isSmall(kind))
    return encodeSmall(kind, a);
  Type element = kind == Kind::E4M3 ? Type(Float8E4M3FNType::get(e_.builder().getContext()))
                                    : Type(Float8E5M2Type::get(e_.builder().getContext()));
  Value bits = e_.bits(e_.convert<arith::TruncFOp>(a, element));
  return e_.select(e_.isNan(a), e_.integer(8, 0x7f), bits);
}

/// ue8m0: the exponent of a magnitude rounded to a power of two; NaN is 0xff.
Value PtxEmitter::toScale(const Instruction &instruction, Value a) {
  a = e_.toFloat(a, e_.builder().getF32Type());
  Value magnitude = e_.bitAnd(e_.bits(a), e_.integer(32, 0x7fffffff));
  Value exponent = e_.shru(magnitude, 23);
  if (instruction.has(Modifier::Rp)) {
    Value mantissa = e_.bitAnd(magnitude, e_.integer(32, 0x7fffff));
    // 2^-127, the smallest scale, is half of the smallest normal f32.
    Value limit = e_.select(e_.icompare(arith::CmpIPredicate::eq, exponent, e_.integer(32, 0)),
                            e_.integer(32, 0x400000), e_.integer(32, 0));
    Value isAbove = e_.icompare(arith::CmpIPredicate::ugt, mantissa, limit);
    exponent = e_.iadd(exponent, e_.resize(isAbove, 32));
  }
  Value isInfinite = e_.icompare(arith::CmpIPredicate::uge, exponent, e_.integer(32, 0xff));
  exponent = e_.select(
      isInfinite, e_.integer(32, instruction.has(Modifier::Satfinite) ? 0xfe : 0xff), exponent);
  return e_.select(e_.isNan(a), e_.integer(8, 0xff), e_.resize(exponent, 8));
}

Value PtxEmitter::convertScalar(const Instruction &instruction, Value a) {
  const ptx::Type from = instruction.source, to = instruction.type;
  if (from.isInteger())
    return to.isInteger() ? integerToInteger(instruction, a) : integerToFloat(instruction, a);
  if (to.isInteger())
    return floatToInteger(instruction, a);
  if (to.kind == Kind::Tf32)
    return toTf32(instruction, a);
  return floatToFloat(instruction, a);
}

RegisterParts PtxEmitter::convert(const Instruction &instruction) {
  const ptx::Type from = instruction.source, to = instruction.type;
  if (to.lanes == 1) {
    Value value = convertScalar(instruction, read(instruction.operands[0]));
    if (to.isFloat() && from.isInteger() && instruction.has(Modifier::Ftz))
      value = flush(value);
    if (to.isFloat() && from.isInteger() && instruction.has(Modifier::Sat))
      value = saturate(value);
    RegisterParts parts{{value, to.isFloat()}};
    const ptx::Operand &result = instruction.results[0];
    unsigned width = result.kind == ptx::Operand::Kind::Register
                         ? program_.registers[result.index].type.width()
                         : to.width();
    // A wider register holds the value extended.
    if (width > to.width())
      parts = {{e_.resize(bitsOf(parts[0]), width, to.isSigned())}};
    return parts;
  }
  // Of two operands the first is the upper lane.
  RegisterParts parts;
  for (unsigned lane = 0; lane < 2; ++lane) {
    Value a = instruction.operands.size() == 2 ? read(instruction.operands[1 - lane])
                                               : read(instruction.operands[0], lane);
    Value value;
    if (to.kind == Kind::UE8M0)
      value = toScale(instruction, a);
    else if (isFloat8(to.kind) || isSmall(to.kind))
      value = toNarrowBits(instruction, a);
    else if (from.kind == Kind::UE8M0)
      // 2^-127 is subnormal, and NaN's code is that of infinity.
      value =
          e_.bitcast(e_.select(e_.icompare(arith::CmpIPredicate::eq, a, e_.integer(8, 0xff)),
                               e_.integer(16, 0x7fff),
                               e_.select(e_.icompare(arith::CmpIPredicate::eq, a, e_.integer(8, 0)),
                                         e_.integer(16, 0x40), e_.shl(e_.resize(a, 16), 7))),
                     e_.builder().getBF16Type());
    else if (isSmall(from.kind))
      value = decodeSmall(from.kind, a);
    else if (isFloat8(from.kind))
      value = e_.toFloat(e_.bitcast(a, from.kind == Kind::E4M3
                                           ? Type(Float8E4M3FNType::get(e_.builder().getContext()))
                                           : Type(Float8E5M2Type::get(e_.builder().getContext()))),
                         e_.builder().getF16Type());
    else
      value = floatToFloat(instruction, a);
    if (to.isFloat() && !from.isFloat() && instruction.has(Modifier::Relu))
      value = relu(value);
    parts.push_back({value, to.isFloat()});
  }
  if (to.kind == Kind::E2M1) // two codes in a byte
    return {{e_.bitOr(parts[0].value, e_.shl(parts[1].value, 4))}};
  return parts;
}

} // namespace inlay::tile_to_cpu
