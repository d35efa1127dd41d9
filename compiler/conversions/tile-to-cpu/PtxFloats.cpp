// Float arithmetic of inline PTX. Source: PTX ISA, "Floating-Point Instructions", "Half Precision
// Floating-Point Instructions". Approximate functions are computed better than asked.
#include "compiler/conversions/tile-to-cpu/PtxEmitter.h"

#include <cmath>

using namespace mlir;

namespace inlay::tile_to_cpu {

using ptx::Instruction;
using ptx::Modifier;
using ptx::Opcode;
using Compare = arith::CmpFPredicate;

namespace {

unsigned widthOf(Value value) { return ElementBuilder::widthOf(value); }
uint64_t signOf(Value value) { return uint64_t{1} << (widthOf(value) - 1); }

bool isDirected(const Instruction &instruction) {
  return instruction.has(Modifier::Rz) || instruction.has(Modifier::Rm) ||
         instruction.has(Modifier::Rp);
}

} // namespace

Value PtxEmitter::canonicalNanBits(Type element) {
  return e_.integer(element.getIntOrFloatBitWidth(), element.isF32()   ? 0x7fffffff
                                                     : element.isF64() ? 0x7fffffffffffffff
                                                                       : 0x7fff);
}

/// .ftz: subnormal numbers become zeros of their sign.
Value PtxEmitter::flush(Value a) {
  Type element = getElementTypeOrSelf(a);
  Value bits = e_.bits(a), sign = e_.bitAnd(bits, e_.integerLike(bits, signOf(a)));
  Value magnitude = e_.bitAnd(bits, e_.integerLike(bits, signOf(a) - 1));
  Value isSmall = e_.icompare(arith::CmpIPredicate::ult, magnitude,
                              e_.integerLike(bits, element.isF32()   ? 0x00800000
                                                   : element.isF16() ? 0x0400
                                                                     : 0x0080));
  return e_.bitcast(e_.select(isSmall, sign, bits), element);
}

/// .sat: limited to [0, 1]; NaN and -0 become +0.
Value PtxEmitter::saturate(Value a) {
  Value zero = e_.realLike(a, 0), one = e_.realLike(a, 1);
  Value limited = e_.select(e_.less(a, one), a, one);
  return e_.select(e_.fcompare(Compare::OGT, a, zero), limited, zero);
}

/// .relu: negative numbers become 0, NaN stays.
Value PtxEmitter::relu(Value a) {
  Value zero = e_.realLike(a, 0);
  return e_.select(e_.fcompare(Compare::OLE, a, zero), zero, a);
}

/// A value rounded to nearest and the sign of what rounding took away, as a value rounded to odd:
/// it may be rounded again to fewer bits in any direction.
Value PtxEmitter::toOdd(Value value, Value error) {
  Value zero = e_.realLike(value, 0), bits = e_.bits(value);
  Value isEven = e_.icompare(arith::CmpIPredicate::eq, e_.bitAnd(bits, e_.integerLike(bits, 1)),
                             e_.integerLike(bits, 0));
  Value isInexact = e_.fcompare(Compare::ONE, error, zero);
  Value sameSign = e_.icompare(arith::CmpIPredicate::sge, e_.bitXor(bits, e_.bits(error)),
                               e_.integerLike(bits, 0));
  Value step = e_.select(sameSign, e_.integerLike(bits, 1), e_.integerLike(bits, ~uint64_t{0}));
  Value odd = e_.bitcast(e_.iadd(bits, step), getElementTypeOrSelf(value));
  return e_.select(e_.bitAnd(isInexact, isEven), odd, value);
}

/// a + b rounded to odd (the error is that of Knuth's sum).
Value PtxEmitter::sumToOdd(Value a, Value b) {
  Value sum = e_.make<arith::AddFOp>(a, b);
  Value partB = e_.make<arith::SubFOp>(sum, a), partA = e_.make<arith::SubFOp>(sum, partB);
  Value error =
      e_.make<arith::AddFOp>(e_.make<arith::SubFOp>(a, partA), e_.make<arith::SubFOp>(b, partB));
  return toOdd(sum, error);
}

/// a * b + c of 16-bit floats with one rounding. The products are exact in f32 for f16, and in f64
/// for bf16, which has f32's exponents.
Value PtxEmitter::narrowFma(ArrayRef<Value> a) {
  Type element = getElementTypeOrSelf(a[0]), wide = e_.builder().getF32Type();
  if (element.isBF16())
    wide = e_.builder().getF64Type();
  Value product = e_.make<arith::MulFOp>(e_.toFloat(a[0], wide), e_.toFloat(a[1], wide));
  return e_.toFloat(sumToOdd(product, e_.toFloat(a[2], wide)), element);
}

/// f32 in the direction that the instruction says, over f64: products are exact there, and the rest
/// is rounded to odd first.
Value PtxEmitter::directed(const Instruction &instruction, ArrayRef<Value> a) {
  Type f64 = e_.builder().getF64Type(), f32 = e_.builder().getF32Type();
  SmallVector<Value> wide;
  for (Value operand : a)
    wide.push_back(e_.toFloat(operand, f64));
  auto sum = [&](Value x, Value y) {
    Value total = sumToOdd(x, y);
    if (!instruction.has(Modifier::Rm))
      return total;
    // Toward negative infinity, x - x is -0.
    Value sign = e_.bitAnd(e_.bitOr(e_.bits(x), e_.bits(y)), e_.integer(64, uint64_t{1} << 63));
    Value zero = e_.bitcast(sign, f64);
    return e_.select(e_.fcompare(Compare::OEQ, total, e_.realLike(total, 0)), zero, total);
  };
  auto quotient = [&](Value x, Value y) {
    Value result = e_.make<arith::DivFOp>(x, y);
    Value rest = e_.make<math::FmaOp>(e_.make<arith::NegFOp>(result), y, x);
    // The error has the sign of rest / y.
    return toOdd(result,
                 e_.make<math::CopySignOp>(e_.make<math::AbsFOp>(rest),
                                           e_.bitcast(e_.bitXor(e_.bits(rest), e_.bits(y)), f64)));
  };
  Value exact;
  switch (instruction.opcode) {
  case Opcode::Add:
    exact = sum(wide[0], wide[1]);
    break;
  case Opcode::Sub:
    exact = sum(wide[0], e_.make<arith::NegFOp>(wide[1]));
    break;
  case Opcode::Mul:
    exact = e_.make<arith::MulFOp>(wide[0], wide[1]);
    break;
  case Opcode::Fma:
    exact = sum(e_.make<arith::MulFOp>(wide[0], wide[1]), wide[2]);
    break;
  case Opcode::Div:
    exact = quotient(wide[0], wide[1]);
    break;
  case Opcode::Rcp:
    exact = quotient(e_.realLike(wide[0], 1), wide[0]);
    break;
  default: {
    Value root = e_.make<math::SqrtOp>(wide[0]);
    exact = toOdd(root, e_.make<math::FmaOp>(e_.make<arith::NegFOp>(root), root, wide[0]));
    break;
  }
  }
  return narrow(instruction, exact, f32);
}

Value PtxEmitter::floatArithmetic(const Instruction &instruction, ArrayRef<Value> a) {
  if (isDirected(instruction))
    return directed(instruction, a);
  switch (instruction.opcode) {
  case Opcode::Add:
    return e_.make<arith::AddFOp>(a[0], a[1]);
  case Opcode::Sub:
    return e_.make<arith::SubFOp>(a[0], a[1]);
  case Opcode::Mul:
    return e_.make<arith::MulFOp>(a[0], a[1]);
  case Opcode::Fma:
    if (widthOf(a[0]) == 16)
      return narrowFma(a);
    return e_.make<math::FmaOp>(a[0], a[1], a[2]);
  case Opcode::Div: {
    Value quotient = e_.make<arith::DivFOp>(a[0], a[1]);
    if (!instruction.has(Modifier::Approx))
      return quotient;
    // div.approx gives 0 for divisors above 2^126, and NaN if the dividend is infinite, too.
    Value magnitude = e_.make<math::AbsFOp>(a[1]);
    Value isLarge = e_.bitAnd(e_.fcompare(Compare::OGT, magnitude, e_.realLike(a[1], 0x1p126)),
                              e_.less(magnitude, e_.realLike(a[1], HUGE_VAL)));
    Value zero =
        e_.make<arith::MulFOp>(a[0], e_.make<math::CopySignOp>(e_.realLike(a[1], 0), a[1]));
    return e_.select(isLarge, zero, quotient);
  }
  case Opcode::Rcp:
    return e_.make<arith::DivFOp>(e_.realLike(a[0], 1), a[0]);
  case Opcode::Sqrt:
    return e_.make<math::SqrtOp>(a[0]);
  case Opcode::Rsqrt:
    return e_.make<math::RsqrtOp>(a[0]);
  case Opcode::Sin:
    return e_.make<math::SinOp>(a[0]);
  case Opcode::Cos:
    return e_.make<math::CosOp>(a[0]);
  case Opcode::Lg2:
    return e_.make<math::Log2Op>(a[0]);
  case Opcode::Ex2:
    return e_.make<math::Exp2Op>(a[0]);
  case Opcode::Tanh:
    return e_.make<math::TanhOp>(a[0]);
  default:
    llvm_unreachable("Forms.def has no such form of floats");
  }
}

/// A number before NaN unless .NaN says otherwise; -0 is below +0.
Value PtxEmitter::minimumFloat(const Instruction &instruction, Value a, Value b) {
  Value result = instruction.opcode == Opcode::Max ? e_.make<arith::MaximumFOp>(a, b)
                                                   : e_.make<arith::MinimumFOp>(a, b);
  if (instruction.has(Modifier::NaN))
    return result;
  return e_.select(e_.isNan(a), b, e_.select(e_.isNan(b), a, result));
}

Value PtxEmitter::testFloat(const Instruction &instruction, Value a) {
  Value magnitude = e_.make<math::AbsFOp>(a);
  Value infinity = e_.realLike(a, HUGE_VAL);
  Value smallest = e_.realLike(a, widthOf(a) == 32 ? 0x1p-126 : 0x1p-1022);
  if (instruction.has(Modifier::Finite))
    return e_.less(magnitude, infinity);
  if (instruction.has(Modifier::Infinite))
    return e_.fcompare(Compare::OEQ, magnitude, infinity);
  if (instruction.has(Modifier::Number))
    return e_.fcompare(Compare::ORD, a, a);
  if (instruction.has(Modifier::NotANumber))
    return e_.isNan(a);
  Value isSubnormal = e_.bitAnd(e_.less(magnitude, smallest),
                                e_.fcompare(Compare::OGT, magnitude, e_.realLike(a, 0)));
  // Zeros count as normal (PTX ISA, "testp").
  if (instruction.has(Modifier::Normal))
    return e_.select(isSubnormal, e_.less(magnitude, e_.realLike(a, 0)),
                     e_.less(magnitude, infinity));
  return isSubnormal;
}

Value PtxEmitter::floatLane(const Instruction &instruction, ArrayRef<Value> operands) {
  SmallVector<Value> a(operands);
  const bool mustFlush = instruction.has(Modifier::Ftz);
  if (mustFlush)
    for (Value &operand : a)
      operand = flush(operand);
  Value result;
  switch (instruction.opcode) {
  case Opcode::Abs:
    return e_.make<math::AbsFOp>(a[0]);
  case Opcode::Neg:
    return e_.make<arith::NegFOp>(a[0]);
  case Opcode::Copysign:
    // The sign of the first operand, the magnitude of the second.
    return e_.make<math::CopySignOp>(a[1], a[0]);
  case Opcode::Min:
  case Opcode::Max:
    result = minimumFloat(instruction, a[0], a[1]);
    break;
  default:
    result = floatArithmetic(instruction, a);
  }
  if (mustFlush)
    result = flush(result);
  if (instruction.has(Modifier::Sat))
    result = saturate(result);
  if (instruction.has(Modifier::Relu))
    result = relu(result);
  return result;
}

} // namespace inlay::tile_to_cpu
