// Integer arithmetic and bits of inline PTX. Source: PTX ISA, "Integer Arithmetic Instructions",
// "Comparison and Selection Instructions", "Logic and Shift Instructions", "prmt".
#include "compiler/conversions/tile-to-cpu/PtxEmitter.h"

#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace inlay::tile_to_cpu {

using ptx::Instruction;
using ptx::Modifier;
using ptx::Opcode;
using Predicate = arith::CmpIPredicate;

namespace {

unsigned widthOf(Value value) { return ElementBuilder::widthOf(value); }

} // namespace

Value PtxEmitter::saturatedSum(Value a, Value b, bool isSubtraction) {
  unsigned bits = widthOf(a);
  Value wideA = e_.resize(a, 64, true), wideB = e_.resize(b, 64, true);
  Value sum = isSubtraction ? e_.isub(wideA, wideB) : e_.iadd(wideA, wideB);
  Value low = e_.integer(64, -(uint64_t{1} << (bits - 1))),
        high = e_.integer(64, (uint64_t{1} << (bits - 1)) - 1);
  sum = e_.make<arith::MinSIOp>(e_.make<arith::MaxSIOp>(sum, low), high);
  return e_.resize(sum, bits);
}

Value PtxEmitter::highProduct(Value a, Value b, bool isSigned) {
  unsigned bits = widthOf(a);
  if (bits <= 32) {
    Value product = e_.imul(e_.resize(a, 2 * bits, isSigned), e_.resize(b, 2 * bits, isSigned));
    return e_.resize(e_.shru(product, bits), bits);
  }
  Value high = arith::MulUIExtendedOp::create(e_.builder(), e_.location(), a, b).getHigh();
  if (!isSigned)
    return high;
  // A negative factor counts 2^64 too much.
  Value zero = e_.integerLike(a, 0);
  high = e_.isub(high, e_.select(e_.icompare(Predicate::slt, a, zero), b, zero));
  return e_.isub(high, e_.select(e_.icompare(Predicate::slt, b, zero), a, zero));
}

Value PtxEmitter::minimum(Value a, Value b, bool isSigned, bool isMaximum) {
  if (isSigned)
    return isMaximum ? e_.make<arith::MaxSIOp>(a, b) : e_.make<arith::MinSIOp>(a, b);
  return isMaximum ? e_.make<arith::MaxUIOp>(a, b) : e_.make<arith::MinUIOp>(a, b);
}

/// Amounts of the width and more shift everything out.
Value PtxEmitter::shiftLeft(Value a, Value by) {
  unsigned bits = widthOf(a);
  Value isInside = e_.icompare(Predicate::ult, by, e_.integerLike(by, bits));
  Value amount = e_.resize(e_.select(isInside, by, e_.integerLike(by, 0)), bits);
  return e_.select(isInside, e_.shl(a, amount), e_.integer(bits, 0));
}

Value PtxEmitter::shiftRight(Value a, Value by, bool isSigned) {
  unsigned bits = widthOf(a);
  if (isSigned) {
    Value amount = e_.make<arith::MinUIOp>(by, e_.integerLike(by, bits - 1));
    return e_.shrs(a, e_.resize(amount, bits));
  }
  Value isInside = e_.icompare(Predicate::ult, by, e_.integerLike(by, bits));
  Value amount = e_.resize(e_.select(isInside, by, e_.integerLike(by, 0)), bits);
  return e_.select(isInside, e_.shru(a, amount), e_.integer(bits, 0));
}

/// `bits` bits, of which the lowest `length` are 1.
Value PtxEmitter::lowMask(Value length, unsigned bits) {
  return e_.bitNot(shiftLeft(e_.integer(bits, ~uint64_t{0}), length));
}

/// Bit i of the result is bit (a_i, b_i, c_i) of the table, of which a chooses the upper half.
Value PtxEmitter::lookup3(ArrayRef<Value> a, unsigned table) {
  auto ofTwo = [&](unsigned four) -> Value {
    Value zero = e_.integerLike(a[0], 0), ones = e_.bitNot(zero);
    auto ofOne = [&](unsigned two) {
      return two == 0 ? zero : two == 3 ? ones : two == 2 ? a[2] : e_.bitNot(a[2]);
    };
    unsigned low = four & 3, high = four >> 2;
    if (low == high)
      return ofOne(low);
    return e_.bitOr(e_.bitAnd(a[1], ofOne(high)), e_.bitAnd(e_.bitNot(a[1]), ofOne(low)));
  };
  unsigned low = table & 15, high = (table >> 4) & 15;
  if (low == high)
    return ofTwo(low);
  return e_.bitOr(e_.bitAnd(a[0], ofTwo(high)), e_.bitAnd(e_.bitNot(a[0]), ofTwo(low)));
}

Value PtxEmitter::reverseBits(Value a) {
  constexpr uint64_t masks[] = {0x5555555555555555, 0x3333333333333333, 0x0f0f0f0f0f0f0f0f,
                                0x00ff00ff00ff00ff, 0x0000ffff0000ffff, 0x00000000ffffffff};
  for (unsigned step = 0; (1u << step) < widthOf(a); ++step) {
    Value mask = e_.integerLike(a, masks[step]);
    a = e_.bitOr(e_.shl(e_.bitAnd(a, mask), 1u << step), e_.bitAnd(e_.shru(a, 1u << step), mask));
  }
  return a;
}

/// The place of the highest bit that is not the sign's, ~0 if there is none.
Value PtxEmitter::findLeading(const Instruction &instruction, Value a) {
  unsigned bits = widthOf(a);
  if (instruction.type.isSigned())
    a = e_.bitXor(a, e_.shrs(a, bits - 1));
  Value leading = e_.resize(e_.make<math::CountLeadingZerosOp>(a), 32);
  Value place =
      instruction.has(Modifier::Shiftamt) ? leading : e_.isub(e_.integer(32, bits - 1), leading);
  Value isZero = e_.icompare(Predicate::eq, a, e_.integerLike(a, 0));
  return e_.select(isZero, e_.integer(32, ~uint64_t{0}), place);
}

Value PtxEmitter::extractField(const Instruction &instruction, ArrayRef<Value> a) {
  unsigned bits = widthOf(a[0]);
  Value byte = e_.integer(32, 0xff), start = e_.bitAnd(a[1], byte), length = e_.bitAnd(a[2], byte);
  if (!instruction.type.isSigned())
    return e_.bitAnd(shiftRight(a[0], start, false), lowMask(length, bits));
  // The field's highest bit, or the value's where the field is longer, fills the rest.
  Value field = shiftRight(a[0], start, true);
  Value unused =
      e_.isub(e_.integer(32, bits), e_.make<arith::MinUIOp>(length, e_.integer(32, bits)));
  Value isEmpty = e_.icompare(Predicate::eq, length, e_.integer(32, 0));
  field = shiftRight(shiftLeft(field, unused), unused, true);
  return e_.select(isEmpty, e_.integer(bits, 0), field);
}

Value PtxEmitter::insertField(ArrayRef<Value> a) {
  Value byte = e_.integer(32, 0xff), start = e_.bitAnd(a[2], byte), length = e_.bitAnd(a[3], byte);
  Value mask = shiftLeft(lowMask(length, widthOf(a[0])), start);
  return e_.bitOr(e_.bitAnd(shiftLeft(a[0], start), mask), e_.bitAnd(a[1], e_.bitNot(mask)));
}

Value PtxEmitter::funnelShift(const Instruction &instruction, ArrayRef<Value> a) {
  Value amount = instruction.has(Modifier::Wrap)
                     ? e_.bitAnd(a[2], e_.integer(32, 31))
                     : e_.make<arith::MinUIOp>(a[2], e_.integer(32, 32));
  Value both = e_.bitOr(e_.resize(a[0], 64), e_.shl(e_.resize(a[1], 64), 32));
  Value wide = e_.resize(amount, 64);
  if (instruction.has(Modifier::Right))
    return e_.resize(e_.shru(both, wide), 32);
  return e_.resize(e_.shru(e_.shl(both, wide), 32), 32);
}

/// Byte i of the result is the byte of {b, a} that nibble i of the selector names, its sign in all
/// bits where the nibble's highest bit is set. Modes have fixed selectors for each value of the
/// lowest two bits.
Value PtxEmitter::permuteBytes(const Instruction &instruction, ArrayRef<Value> a) {
  struct Mode {
    Modifier modifier;
    uint16_t selectors[4];
  };
  constexpr Mode modes[] = {{Modifier::F4e, {0x3210, 0x4321, 0x5432, 0x6543}},
                            {Modifier::B4e, {0x5670, 0x6701, 0x7012, 0x0123}},
                            {Modifier::Rc8, {0x0000, 0x1111, 0x2222, 0x3333}},
                            {Modifier::Ecl, {0x3210, 0x3211, 0x3222, 0x3333}},
                            {Modifier::Ecr, {0x0000, 0x1110, 0x2210, 0x3210}},
                            {Modifier::Rc16, {0x1010, 0x3232, 0x1010, 0x3232}}};
  Value selector = e_.resize(a[2], 64);
  for (const Mode &mode : modes) {
    if (!instruction.has(mode.modifier))
      continue;
    Value control = e_.bitAnd(selector, e_.integer(64, 3));
    selector = e_.integer(64, mode.selectors[3]);
    for (unsigned i = 3; i-- > 0;)
      selector = e_.select(e_.icompare(Predicate::eq, control, e_.integer(64, i)),
                           e_.integer(64, mode.selectors[i]), selector);
  }
  Value bytes = e_.bitOr(e_.resize(a[0], 64), e_.shl(e_.resize(a[1], 64), 32)), result;
  for (unsigned i = 0; i < 4; ++i) {
    Value nibble = e_.bitAnd(e_.shru(selector, 4 * i), e_.integer(64, 15));
    Value place = e_.shl(e_.bitAnd(nibble, e_.integer(64, 7)), 3);
    Value byte = e_.bitAnd(e_.shru(bytes, place), e_.integer(64, 255));
    Value sign = e_.imul(e_.shru(byte, 7), e_.integer(64, 255));
    Value isSign = e_.icompare(Predicate::uge, nibble, e_.integer(64, 8));
    byte = e_.shl(e_.select(isSign, sign, byte), 8 * i);
    result = result ? e_.bitOr(result, byte) : byte;
  }
  return e_.resize(result, 32);
}

Value PtxEmitter::byteProducts(const Instruction &instruction, ArrayRef<Value> a) {
  Value sum = a[2];
  for (unsigned i = 0; i < 4; ++i) {
    auto byteOf = [&](Value word, bool isSigned) {
      return e_.resize(e_.resize(e_.shru(word, 8 * i), 8), 32, isSigned);
    };
    sum = e_.iadd(sum, e_.imul(byteOf(a[0], instruction.type.isSigned()),
                               byteOf(a[1], instruction.source.isSigned())));
  }
  return sum;
}

Value PtxEmitter::integerLane(const Instruction &instruction, ArrayRef<Value> a) {
  const bool isSigned = instruction.type.isSigned();
  const unsigned bits = widthOf(a[0]);
  auto product = [&]() -> Value {
    if (instruction.has(Modifier::Hi))
      return highProduct(a[0], a[1], isSigned);
    if (instruction.has(Modifier::Wide))
      return e_.imul(e_.resize(a[0], 2 * bits, isSigned), e_.resize(a[1], 2 * bits, isSigned));
    return e_.imul(a[0], a[1]);
  };
  switch (instruction.opcode) {
  case Opcode::Add:
    return instruction.has(Modifier::Sat) ? saturatedSum(a[0], a[1], false) : e_.iadd(a[0], a[1]);
  case Opcode::Sub:
    return instruction.has(Modifier::Sat) ? saturatedSum(a[0], a[1], true) : e_.isub(a[0], a[1]);
  case Opcode::Mul:
    return product();
  case Opcode::Mad:
    return instruction.has(Modifier::Sat) ? saturatedSum(product(), a[2], false)
                                          : e_.iadd(product(), a[2]);
  case Opcode::Div:
    return isSigned ? e_.make<arith::DivSIOp>(a[0], a[1]) : e_.make<arith::DivUIOp>(a[0], a[1]);
  case Opcode::Rem:
    return isSigned ? e_.make<arith::RemSIOp>(a[0], a[1]) : e_.make<arith::RemUIOp>(a[0], a[1]);
  case Opcode::Abs:
    return e_.select(e_.icompare(Predicate::slt, a[0], e_.integer(bits, 0)),
                     e_.isub(e_.integer(bits, 0), a[0]), a[0]);
  case Opcode::Neg:
    return e_.isub(e_.integer(bits, 0), a[0]);
  case Opcode::Min:
  case Opcode::Max: {
    Value result = minimum(a[0], a[1], isSigned, instruction.opcode == Opcode::Max);
    return instruction.has(Modifier::Relu) ? minimum(result, e_.integer(bits, 0), true, true)
                                           : result;
  }
  case Opcode::Popc:
    return e_.resize(e_.make<math::CtPopOp>(a[0]), 32);
  case Opcode::Clz:
    return e_.resize(e_.make<math::CountLeadingZerosOp>(a[0]), 32);
  case Opcode::Bfind:
    return findLeading(instruction, a[0]);
  case Opcode::Brev:
    return reverseBits(a[0]);
  case Opcode::Bfe:
    return extractField(instruction, a);
  case Opcode::Bfi:
    return insertField(a);
  case Opcode::Dp4a:
    return byteProducts(instruction, a);
  case Opcode::And:
    return e_.bitAnd(a[0], a[1]);
  case Opcode::Or:
    return e_.bitOr(a[0], a[1]);
  case Opcode::Xor:
    return e_.bitXor(a[0], a[1]);
  case Opcode::Not:
    return e_.bitNot(a[0]);
  case Opcode::Cnot:
    return e_.resize(e_.icompare(Predicate::eq, a[0], e_.integer(bits, 0)), bits);
  case Opcode::Lop3:
    return lookup3(a, static_cast<unsigned>(instruction.operands[3].bits & 0xff));
  case Opcode::Shl:
    return shiftLeft(a[0], a[1]);
  case Opcode::Shr:
    return shiftRight(a[0], a[1], isSigned);
  case Opcode::Shf:
    return funnelShift(instruction, a);
  case Opcode::Prmt:
    return permuteBytes(instruction, a);
  default:
    llvm_unreachable("Forms.def has no such form of integers");
  }
}

Value PtxEmitter::compare(const Instruction &instruction, ptx::Type type, Value a, Value b) {
  if (type.isFloat()) {
    using Float = arith::CmpFPredicate;
    constexpr std::pair<Modifier, Float> predicates[] = {
        {Modifier::Eq, Float::OEQ},  {Modifier::Ne, Float::ONE},  {Modifier::Lt, Float::OLT},
        {Modifier::Le, Float::OLE},  {Modifier::Gt, Float::OGT},  {Modifier::Ge, Float::OGE},
        {Modifier::Equ, Float::UEQ}, {Modifier::Neu, Float::UNE}, {Modifier::Ltu, Float::ULT},
        {Modifier::Leu, Float::ULE}, {Modifier::Gtu, Float::UGT}, {Modifier::Geu, Float::UGE},
        {Modifier::Num, Float::ORD}, {Modifier::Nan, Float::UNO}};
    if (instruction.has(Modifier::Ftz)) {
      a = flush(a);
      b = flush(b);
    }
    for (auto [modifier, predicate] : predicates)
      if (instruction.has(modifier))
        return e_.fcompare(predicate, a, b);
  }
  const bool isSigned = type.isSigned();
  const std::pair<Modifier, Predicate> predicates[] = {
      {Modifier::Eq, Predicate::eq},
      {Modifier::Ne, Predicate::ne},
      {Modifier::Lt, isSigned ? Predicate::slt : Predicate::ult},
      {Modifier::Le, isSigned ? Predicate::sle : Predicate::ule},
      {Modifier::Gt, isSigned ? Predicate::sgt : Predicate::ugt},
      {Modifier::Ge, isSigned ? Predicate::sge : Predicate::uge},
      {Modifier::Lo, Predicate::ult},
      {Modifier::Ls, Predicate::ule},
      {Modifier::Hi, Predicate::ugt},
      {Modifier::Hs, Predicate::uge}};
  for (auto [modifier, predicate] : predicates)
    if (instruction.has(modifier))
      return e_.icompare(predicate, a, b);
  llvm_unreachable("every form of setp and set has a comparison");
}

} // namespace inlay::tile_to_cpu
