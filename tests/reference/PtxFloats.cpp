// Float instructions and conversions of PTX: LLVM's arbitrary floats round once, in any direction.
#include "tests/reference/Cell.h"
#include "tests/reference/PtxMachine.h"

#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/APSInt.h"

#include <cmath>

namespace inlay::reference {

using llvm::APFloat;
using llvm::APInt;
using ptx::Instruction;
using ptx::Kind;
using ptx::Modifier;
using ptx::Opcode;
using ptx::Type;

namespace {

const llvm::fltSemantics &semanticsOf(Type type) {
  switch (type.kind) {
  case Kind::BFloat:
    return APFloat::BFloat();
  case Kind::Tf32:
    return APFloat::FloatTF32();
  case Kind::E4M3:
    return APFloat::Float8E4M3FN();
  case Kind::E5M2:
    return APFloat::Float8E5M2();
  case Kind::E2M3:
    return APFloat::Float6E2M3FN();
  case Kind::E3M2:
    return APFloat::Float6E3M2FN();
  case Kind::E2M1:
    return APFloat::Float4E2M1FN();
  default:
    return type.bits == 16   ? APFloat::IEEEhalf()
           : type.bits == 32 ? APFloat::IEEEsingle()
                             : APFloat::IEEEdouble();
  }
}

APFloat decode(uint64_t bits, Type type) {
  const llvm::fltSemantics &semantics = semanticsOf(type);
  unsigned size = APFloat::getSizeInBits(semantics);
  return APFloat(semantics, APInt(64, bits).trunc(size));
}

/// NaN is the type's canonical one; f64 keeps its own.
uint64_t encode(const APFloat &value, Type type) {
  if (value.isNaN() && type.bits != 64)
    return type.kind == Kind::E4M3 || type.kind == Kind::E5M2 ? 0x7f
           : type.bits == 16                                  ? 0x7fff
                                                              : 0x7fffffff;
  return value.bitcastToAPInt().getZExtValue();
}

APFloat::roundingMode modeOf(const Instruction &instruction) {
  if (instruction.has(Modifier::Rz) || instruction.has(Modifier::Rzi))
    return APFloat::rmTowardZero;
  if (instruction.has(Modifier::Rm) || instruction.has(Modifier::Rmi))
    return APFloat::rmTowardNegative;
  if (instruction.has(Modifier::Rp) || instruction.has(Modifier::Rpi))
    return APFloat::rmTowardPositive;
  return instruction.has(Modifier::Rna) ? APFloat::rmNearestTiesToAway
                                        : APFloat::rmNearestTiesToEven;
}

APFloat converted(APFloat value, Type type, APFloat::roundingMode mode) {
  bool losesInfo;
  value.convert(semanticsOf(type), mode, &losesInfo);
  return value;
}

APFloat zeroOf(Type type, bool isNegative = false) {
  return APFloat::getZero(semanticsOf(type), isNegative);
}

APFloat flushed(const APFloat &value, Type type) {
  return value.isDenormal() ? zeroOf(type, value.isNegative()) : value;
}

/// .ftz on results, .sat, .relu, .satfinite.
APFloat finished(const Instruction &instruction, APFloat value, Type type) {
  if (instruction.has(Modifier::Ftz) && (type.bits == 32 || instruction.opcode != Opcode::Cvt))
    value = flushed(value, type);
  APFloat one(semanticsOf(type), 1);
  if (instruction.has(Modifier::Sat)) {
    if (value.isNaN() || value.isNegative() || value.isZero())
      value = zeroOf(type);
    else if (value > one)
      value = one;
  }
  if (instruction.has(Modifier::Satfinite) && value.isInfinity())
    value = APFloat::getLargest(semanticsOf(type), value.isNegative());
  if (instruction.has(Modifier::Relu) && !value.isNaN() && (value.isNegative() || value.isZero()))
    value = zeroOf(type);
  return value;
}

/// f32: the root rounded in a direction, found by squaring, which is exact in f64.
APFloat squareRoot(const Instruction &instruction, const APFloat &a, Type type) {
  double x = toDouble(a), root = std::sqrt(x);
  if (type.bits == 64)
    return APFloat(root);
  float rounded = static_cast<float>(root);
  auto square = [](float value) { return double{value} * double{value}; };
  APFloat::roundingMode mode = modeOf(instruction);
  if (std::isfinite(rounded) && mode != APFloat::rmNearestTiesToEven) {
    bool isUp = mode == APFloat::rmTowardPositive;
    if (isUp && square(rounded) < x)
      rounded = std::nextafter(rounded, INFINITY);
    if (!isUp && square(rounded) > x)
      rounded = std::nextafter(rounded, 0.0f);
  }
  return APFloat(rounded);
}

APFloat approximate(Opcode opcode, const APFloat &a, Type type) {
  double x = toDouble(a), y = 0;
  switch (opcode) {
  case Opcode::Rsqrt:
    y = 1 / std::sqrt(x);
    break;
  case Opcode::Sin:
    y = std::sin(x);
    break;
  case Opcode::Cos:
    y = std::cos(x);
    break;
  case Opcode::Lg2:
    y = std::log2(x);
    break;
  case Opcode::Ex2:
    y = std::exp2(x);
    break;
  default:
    y = std::tanh(x);
  }
  return converted(APFloat(y), type, APFloat::rmNearestTiesToEven);
}

APFloat least(const Instruction &instruction, const APFloat &a, const APFloat &b) {
  if (a.isNaN() || b.isNaN()) {
    if (instruction.has(Modifier::NaN) || (a.isNaN() && b.isNaN()))
      return APFloat::getNaN(a.getSemantics());
    return a.isNaN() ? b : a;
  }
  bool isMaximum = instruction.opcode == Opcode::Max;
  bool isLess = a < b || (a.isZero() && b.isZero() && a.isNegative());
  return isLess != isMaximum ? a : b;
}

} // namespace

uint64_t ptxFloatLane(const Instruction &instruction, const std::vector<uint64_t> &a) {
  const Type type = instruction.type.lane();
  std::vector<APFloat> x;
  for (uint64_t bits : a) {
    APFloat value = decode(bits, type);
    x.push_back(instruction.has(Modifier::Ftz) ? flushed(value, type) : value);
  }
  const APFloat::roundingMode mode = modeOf(instruction);
  APFloat result = x[0];
  switch (instruction.opcode) {
  case Opcode::Abs:
    return encode(abs(x[0]), type);
  case Opcode::Neg:
    return encode(neg(x[0]), type);
  case Opcode::Copysign:
    result = x[1];
    result.copySign(x[0]);
    return encode(result, type);
  case Opcode::Add:
    result.add(x[1], mode);
    break;
  case Opcode::Sub:
    result.subtract(x[1], mode);
    break;
  case Opcode::Mul:
    result.multiply(x[1], mode);
    break;
  case Opcode::Fma:
    result.fusedMultiplyAdd(x[1], x[2], mode);
    break;
  case Opcode::Div:
    if (instruction.has(Modifier::Approx) && x[1].isFinite() && abs(x[1]) > APFloat(0x1p126f)) {
      // Divisors above 2^126: 0, or NaN for an infinite dividend.
      APFloat sign = zeroOf(type, x[1].isNegative());
      result.multiply(sign, mode);
    } else {
      result.divide(x[1], mode);
    }
    break;
  case Opcode::Rcp:
    result = APFloat(semanticsOf(type), 1);
    result.divide(x[0], mode);
    break;
  case Opcode::Sqrt:
    result = squareRoot(instruction, x[0], type);
    break;
  case Opcode::Min:
  case Opcode::Max:
    result = least(instruction, x[0], x[1]);
    break;
  default:
    result = approximate(instruction.opcode, x[0], type);
  }
  return encode(finished(instruction, result, type), type);
}

bool ptxCompare(const Instruction &instruction, Type type, uint64_t a, uint64_t b) {
  struct Comparison {
    Modifier modifier;
    bool less, equal, greater, unordered;
  };
  constexpr Comparison comparisons[] = {
      {Modifier::Eq, false, true, false, false}, {Modifier::Ne, true, false, true, false},
      {Modifier::Lt, true, false, false, false}, {Modifier::Le, true, true, false, false},
      {Modifier::Gt, false, false, true, false}, {Modifier::Ge, false, true, true, false},
      {Modifier::Lo, true, false, false, false}, {Modifier::Ls, true, true, false, false},
      {Modifier::Hi, false, false, true, false}, {Modifier::Hs, false, true, true, false},
      {Modifier::Equ, false, true, false, true}, {Modifier::Neu, true, false, true, true},
      {Modifier::Ltu, true, false, false, true}, {Modifier::Leu, true, true, false, true},
      {Modifier::Gtu, false, false, true, true}, {Modifier::Geu, false, true, true, true},
      {Modifier::Num, true, true, true, false},  {Modifier::Nan, false, false, false, true}};
  bool isLess, isEqual, isUnordered = false;
  if (type.isFloat()) {
    APFloat x = decode(a, type), y = decode(b, type);
    if (instruction.has(Modifier::Ftz)) {
      x = flushed(x, type);
      y = flushed(y, type);
    }
    isLess = x < y;
    isEqual = x == y;
    isUnordered = x.isNaN() || y.isNaN();
  } else {
    isLess = type.isSigned() ? signedOf(a, type.bits) < signedOf(b, type.bits) : a < b;
    isEqual = a == b;
  }
  for (const Comparison &c : comparisons)
    if (instruction.has(c.modifier))
      return isUnordered ? c.unordered : isEqual ? c.equal : isLess ? c.less : c.greater;
  return false;
}

bool ptxTest(const Instruction &instruction, uint64_t a) {
  APFloat x = decode(a, instruction.type);
  if (instruction.has(Modifier::Finite))
    return x.isFinite();
  if (instruction.has(Modifier::Infinite))
    return x.isInfinity();
  if (instruction.has(Modifier::Number))
    return !x.isNaN();
  if (instruction.has(Modifier::NotANumber))
    return x.isNaN();
  // Zeros count as normal (PTX ISA, "testp").
  return instruction.has(Modifier::Normal) ? x.isNormal() || x.isZero() : x.isDenormal();
}

bool ptxIsPositive(const Instruction &instruction, uint64_t a) {
  APFloat x = decode(a, instruction.source);
  if (instruction.has(Modifier::Ftz))
    x = flushed(x, instruction.source);
  return !x.isNaN() && (x.isZero() || !x.isNegative());
}

namespace {

uint64_t integerToInteger(const Instruction &instruction, uint64_t a) {
  const Type from = instruction.source, to = instruction.type;
  __int128 value = from.isSigned() ? __int128(signedOf(a, from.bits)) : __int128(a);
  if (instruction.has(Modifier::Sat)) {
    __int128 one = 1, low = to.isSigned() ? -(one << (to.bits - 1)) : 0,
             high = (one << (to.isSigned() ? to.bits - 1 : to.bits)) - 1;
    value = std::clamp(value, low, high);
  }
  return static_cast<uint64_t>(value) & maskOf(to.bits);
}

uint64_t integerToFloat(const Instruction &instruction, uint64_t a) {
  const Type from = instruction.source, to = instruction.type;
  APFloat result(semanticsOf(to));
  result.convertFromAPInt(APInt(64, a).trunc(from.bits), from.isSigned(), modeOf(instruction));
  return encode(finished(instruction, result, to), to);
}

uint64_t floatToInteger(const Instruction &instruction, uint64_t a) {
  const Type from = instruction.source, to = instruction.type;
  APFloat value = decode(a, from);
  if (instruction.has(Modifier::Ftz))
    value = flushed(value, from);
  if (value.isNaN())
    return from.bits == 64 || to.bits == 64 ? uint64_t{1} << (to.bits - 1) : 0;
  llvm::APSInt result(to.bits, !to.isSigned());
  bool isExact;
  value.convertToInteger(result, modeOf(instruction), &isExact);
  return result.getZExtValue();
}

/// The exponent of the power of two at or above (.rp), or below, a magnitude, biased by 127.
uint64_t toScale(const Instruction &instruction, const APFloat &value) {
  if (value.isNaN())
    return 0xff;
  uint64_t tooLarge = instruction.has(Modifier::Satfinite) ? 0xfe : 0xff;
  if (value.isInfinity())
    return tooLarge;
  double magnitude = std::fabs(toDouble(value));
  for (int exponent = -127; exponent <= 127; ++exponent)
    if (instruction.has(Modifier::Rp) ? magnitude <= std::ldexp(1.0, exponent)
                                      : magnitude < std::ldexp(1.0, exponent + 1))
      return static_cast<uint64_t>(exponent + 127);
  return tooLarge;
}

uint64_t floatToFloat(const Instruction &instruction, uint64_t a) {
  const Type from = instruction.source.lane(), to = instruction.type.lane();
  APFloat value = decode(a, from);
  if (to.kind == Kind::UE8M0)
    return toScale(instruction, value);
  if (instruction.has(Modifier::Ftz) && from.bits == 32)
    value = flushed(value, from);
  const bool isIntegral = instruction.has(Modifier::Rni) || instruction.has(Modifier::Rzi) ||
                          instruction.has(Modifier::Rmi) || instruction.has(Modifier::Rpi);
  if (isIntegral) {
    value.roundToIntegral(modeOf(instruction));
    return encode(finished(instruction, value, to), to);
  }
  const llvm::fltSemantics &semantics = semanticsOf(to);
  if (to.bits <= 8) {
    // Without infinities, or not used: limited before it is rounded.
    APFloat largest = APFloat::getLargest(semantics);
    if (value.isNaN() && to.kind != Kind::E4M3 && to.kind != Kind::E5M2)
      return encode(largest, to);
    APFloat limit = converted(largest, from, APFloat::rmNearestTiesToEven);
    if (!value.isNaN() && abs(value) > limit)
      value = value.isNegative() ? neg(limit) : limit;
  }
  APFloat result = finished(instruction, converted(value, to, modeOf(instruction)), to);
  if (to.kind == Kind::Tf32)
    return result.isNaN()
               ? 0x7fffffff
               : encode(converted(result, {Kind::Float, 32, 1}, APFloat::rmNearestTiesToEven),
                        {Kind::Float, 32, 1});
  return encode(result, to);
}

} // namespace

uint64_t ptxConvert(const Instruction &instruction, uint64_t a) {
  const Type from = instruction.source, to = instruction.type;
  if (from.isInteger())
    return to.isInteger() ? integerToInteger(instruction, a) : integerToFloat(instruction, a);
  if (to.isInteger())
    return floatToInteger(instruction, a);
  if (from.kind == Kind::UE8M0)
    return a == 0xff ? 0x7fff
                     : encode(converted(APFloat(std::ldexp(1.0, static_cast<int>(a) - 127)),
                                        to.lane(), APFloat::rmNearestTiesToEven),
                              to.lane());
  return floatToFloat(instruction, a);
}

} // namespace inlay::reference
