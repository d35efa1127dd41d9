// Operators on tensors: promotion, arithmetic, comparison, selection.
#include "compiler/frontends/triton/Semantics.h"

#include <array>
#include <utility>

using namespace mlir;

namespace inlay::triton {

namespace {

constexpr std::array<std::pair<std::string_view, BinaryOperator>, 11> kBinaryOperators = {{
    {"+", BinaryOperator::Add},
    {"-", BinaryOperator::Sub},
    {"*", BinaryOperator::Mul},
    {"/", BinaryOperator::Div},
    {"//", BinaryOperator::FloorDiv},
    {"%", BinaryOperator::Mod},
    {"&", BinaryOperator::And},
    {"|", BinaryOperator::Or},
    {"^", BinaryOperator::Xor},
    {"<<", BinaryOperator::Shl},
    {">>", BinaryOperator::Shr},
}};

std::string_view spellingOf(BinaryOperator op) {
  return kBinaryOperators[static_cast<size_t>(op)].first;
}

struct Predicates {
  std::string_view op;
  arith::CmpFPredicate floating;
  arith::CmpIPredicate signedInteger, unsignedInteger;
};
constexpr std::array<Predicates, 6> kPredicates = {{
    {"<", arith::CmpFPredicate::OLT, arith::CmpIPredicate::slt, arith::CmpIPredicate::ult},
    {"<=", arith::CmpFPredicate::OLE, arith::CmpIPredicate::sle, arith::CmpIPredicate::ule},
    {">", arith::CmpFPredicate::OGT, arith::CmpIPredicate::sgt, arith::CmpIPredicate::ugt},
    {">=", arith::CmpFPredicate::OGE, arith::CmpIPredicate::sge, arith::CmpIPredicate::uge},
    {"==", arith::CmpFPredicate::OEQ, arith::CmpIPredicate::eq, arith::CmpIPredicate::eq},
    {"!=", arith::CmpFPredicate::UNE, arith::CmpIPredicate::ne, arith::CmpIPredicate::ne},
}};

bool isBitwise(BinaryOperator op) { return op >= BinaryOperator::And; }

} // namespace

std::optional<BinaryOperator> findBinaryOperator(std::string_view op) {
  for (const auto &[spelling, kind] : kBinaryOperators)
    if (spelling == op)
      return kind;
  return std::nullopt;
}

bool Semantics::checkNumberFits(const Value &side, Scalar type) {
  std::optional<Integer> value = side.integerValue();
  if (isFloat(type) || !value)
    return true;
  if (*value < 0 && !isSigned(type)) {
    error("the negative number {} cannot go with an unsigned tensor ({}); cast one of them",
          describe(side), nameOf(type));
    return false;
  }
  unsigned bits = bitWidthOf(type);
  Integer limit = Integer(1) << (isSigned(type) ? bits - 1 : bits);
  if (*value >= limit || (isSigned(type) && *value < -limit)) {
    error("the number {} is out of range for {}", describe(side), nameOf(type));
    return false;
  }
  return true;
}

bool Semantics::unify(Value &a, Value &b, std::string_view what, bool isDivisionOrRemainder) {
  for (const Value *side : {&a, &b})
    if (!side->asTensor() && !side->isNumber()) {
      error("{} is not defined for {}", what, describe(*side));
      return false;
    }
  auto sideOf = [](const Value &value) -> std::optional<PromotionSide> {
    if (auto *tensor = value.asTensor())
      return PromotionSide{tensor->type.scalar, false};
    if (auto type = numberType(value))
      return PromotionSide{*type, true};
    return std::nullopt;
  };
  auto isPointer = [](const Value &value) {
    return value.asTensor() && value.asTensor()->type.isPointer;
  };
  if (isPointer(a) || isPointer(b)) {
    error("{} is not defined for {} and {}", what, describe(a), describe(b));
    return false;
  }
  std::optional<PromotionSide> left = sideOf(a), right = sideOf(b);
  if (!left || !right) {
    error("integer {} does not fit 64 bits", describe(left ? b : a));
    return false;
  }
  Promotion promotion = promote(*left, *right, isDivisionOrRemainder);
  if (!promotion.type) {
    error("{}: {}", what, promotion.error);
    return false;
  }
  Type type{*promotion.type, false, false, {}};
  std::array<Tensor, 2> sides;
  for (size_t i = 0; i < 2; ++i) {
    const Value &side = i == 0 ? a : b;
    if (side.isNumber()) {
      if (!checkNumberFits(side, type.scalar))
        return false;
      sides[i] = constant(type, side);
      continue;
    }
    Value converted = cast(*side.asTensor(), type);
    if (converted.isPoison())
      return false;
    sides[i] = *converted.asTensor();
  }
  if (!broadcast(sides[0], sides[1]))
    return false;
  a = Value::tensor(sides[0]);
  b = Value::tensor(sides[1]);
  return true;
}

Value Semantics::pointerArithmetic(BinaryOperator op, Value a, Value b) {
  bool isLeft = a.asTensor() && a.asTensor()->type.isPointer;
  bool isRight = b.asTensor() && b.asTensor()->type.isPointer;
  if ((isLeft && isRight) || (op != BinaryOperator::Add && !(op == BinaryOperator::Sub && isLeft)))
    return error("operator '{}' is not defined for {} and {}", spellingOf(op), describe(a),
                 describe(b));
  if (isRight)
    std::swap(a, b);
  Value offsetValue = toTensor(b, "the offset of a pointer");
  if (offsetValue.isPoison())
    return offsetValue;
  Tensor pointer = *a.asTensor(), offset = *offsetValue.asTensor();
  if (!offset.type.isInteger())
    return error("the offset of a pointer must be an integer, not {}", toString(offset.type));
  // Offsets are signed in the IR, so a narrow unsigned one must grow before its top bit is read as
  // a sign.
  if (!isSigned(offset.type.scalar) && bitWidthOf(offset.type.scalar) < 64)
    offset = *cast(offset, {Scalar::Int64, false, false, {}}).asTensor();
  if (op == BinaryOperator::Sub)
    offset = *unary("-", offset).asTensor();
  if (!broadcast(pointer, offset))
    return Value::poison();
  return Value::tensor(
      {pointer.type, tile::AddPtrOp::create(builder, location, pointer.handle, offset.handle)});
}

Value Semantics::binary(BinaryOperator op, const Value &left, const Value &right) {
  Value a = left, b = right;
  auto isPointer = [](const Value &value) {
    return value.asTensor() && value.asTensor()->type.isPointer;
  };
  if (isPointer(a) || isPointer(b))
    return pointerArithmetic(op, a, b);
  if (op == BinaryOperator::Div)
    return divide(a, b, /*ieee=*/false);
  bool isLeftSigned =
      a.asTensor() ? a.asTensor()->type.isInteger() && isSigned(a.asTensor()->type.scalar)
                   : a.isNumber() && !a.asNumber() && numberType(a) && isSigned(*numberType(a));
  bool isRemainder = op == BinaryOperator::FloorDiv || op == BinaryOperator::Mod;
  if (!unify(a, b, fmt::format("operator '{}'", spellingOf(op)), isRemainder))
    return Value::poison();
  return arithmetic(op, *a.asTensor(), *b.asTensor(), isLeftSigned);
}

/// Both sides have one type and shape.
Value Semantics::arithmetic(BinaryOperator op, const Tensor &a, const Tensor &b,
                            bool isLeftSigned) {
  const Type &type = a.type;
  mlir::Value x = a.handle, y = b.handle;
  bool isSignedType = type.isInteger() && isSigned(type.scalar);
  if (type.isFloat() && (isBitwise(op) || op == BinaryOperator::FloorDiv))
    return error("operator '{}' needs integers, not {}{}", spellingOf(op), toString(type),
                 op == BinaryOperator::FloorDiv ? "; use tl.floor(a / b)" : "");
  if (type.isFloat() && isFloat8(type.scalar))
    return error("operator '{}' is not defined for {}; cast to a wider float first", spellingOf(op),
                 toString(type));
  if (type.isFloat()) {
    auto contract = fastMath(arith::FastMathFlags::contract);
    switch (op) {
    case BinaryOperator::Add:
      return makeValue<arith::AddFOp>(type, x, y, contract);
    case BinaryOperator::Sub:
      return makeValue<arith::SubFOp>(type, x, y, contract);
    case BinaryOperator::Mul:
      return makeValue<arith::MulFOp>(type, x, y, contract);
    default:
      return makeValue<arith::RemFOp>(type, x, y);
    }
  }
  switch (op) {
  case BinaryOperator::Add:
    return makeValue<arith::AddIOp>(type, x, y);
  case BinaryOperator::Sub:
    return makeValue<arith::SubIOp>(type, x, y);
  case BinaryOperator::Mul:
    return makeValue<arith::MulIOp>(type, x, y);
  case BinaryOperator::FloorDiv:
    return isSignedType ? makeValue<arith::DivSIOp>(type, x, y)
                        : makeValue<arith::DivUIOp>(type, x, y);
  case BinaryOperator::Mod:
    return isSignedType ? makeValue<arith::RemSIOp>(type, x, y)
                        : makeValue<arith::RemUIOp>(type, x, y);
  case BinaryOperator::And:
    return makeValue<arith::AndIOp>(type, x, y);
  case BinaryOperator::Or:
    return makeValue<arith::OrIOp>(type, x, y);
  case BinaryOperator::Xor:
    return makeValue<arith::XOrIOp>(type, x, y);
  case BinaryOperator::Shl:
    return makeValue<arith::ShLIOp>(type, x, y);
  default:
    return isLeftSigned ? makeValue<arith::ShRSIOp>(type, x, y)
                        : makeValue<arith::ShRUIOp>(type, x, y);
  }
}

Value Semantics::divide(const Value &left, const Value &right, bool ieee) {
  Value a = left, b = right;
  if (!unify(a, b, "operator '/'", /*isDivisionOrRemainder=*/true))
    return Value::poison();
  Tensor x = *a.asTensor(), y = *b.asTensor();
  if (x.type.isInteger()) {
    x = *cast(x, {Scalar::Float32, false, false, {}}).asTensor();
    y = *cast(y, {Scalar::Float32, false, false, {}}).asTensor();
  }
  if (isFloat8(x.type.scalar))
    return error("operator '/' is not defined for {}; cast to a wider float first",
                 toString(x.type));
  arith::FastMathFlags flags = arith::FastMathFlags::none;
  if (!ieee && x.type.scalar == Scalar::Float32)
    flags = arith::FastMathFlags::afn;
  return makeValue<arith::DivFOp>(x.type, x.handle, y.handle, fastMath(flags));
}

Value Semantics::compare(std::string_view op, const Value &left, const Value &right) {
  Value a = left, b = right;
  if (!unify(a, b, fmt::format("operator '{}'", op)))
    return Value::poison();
  Tensor x = *a.asTensor(), y = *b.asTensor();
  Type result = x.type.withScalar(Scalar::Int1);
  for (const Predicates &predicates : kPredicates) {
    if (predicates.op != op)
      continue;
    if (x.type.isFloat() && isFloat8(x.type.scalar))
      return error("operator '{}' is not defined for {}; cast to a wider float first", op,
                   toString(x.type));
    if (x.type.isFloat())
      return makeValue<arith::CmpFOp>(result, predicates.floating, x.handle, y.handle);
    return makeValue<arith::CmpIOp>(
        result, isSigned(x.type.scalar) ? predicates.signedInteger : predicates.unsignedInteger,
        x.handle, y.handle);
  }
  return error("operator '{}' is not defined for tensors", op);
}

Value Semantics::logical(bool isAnd, const Value &left, const Value &right) {
  Value a = toTensor(left, "an operand of 'and'/'or'"),
        b = toTensor(right, "an operand of 'and'/'or'");
  if (a.isPoison() || b.isPoison())
    return Value::poison();
  for (Value *side : {&a, &b}) {
    if (!side->asTensor()->type.isBool())
      return error("'{}' needs int1 on both sides, not {}; compare with 0 instead",
                   isAnd ? "and" : "or", describe(*side));
  }
  return binary(isAnd ? BinaryOperator::And : BinaryOperator::Or, a, b);
}

Value Semantics::unary(std::string_view op, const Tensor &a) {
  const Type &type = a.type;
  if (type.isPointer)
    return error("operator '{}' is not defined for {}", op, toString(type));
  if (op == "+")
    return Value::tensor(a);
  if (op == "-") {
    // The language defines -x as 0 - x, which keeps +0.0 for x = +0.0.
    return arithmetic(BinaryOperator::Sub, constant(type, int64_t{0}), a, true);
  }
  if (op == "~") {
    if (!type.isInteger())
      return error("operator '~' needs an integer, not {}", toString(type));
    return makeValue<arith::XOrIOp>(type, a.handle, constant(type, int64_t{-1}).handle);
  }
  if (!type.isBool())
    return error("'not' needs int1, not {}; compare with 0 instead", toString(type));
  return makeValue<arith::XOrIOp>(type, a.handle, constant(type, int64_t{1}).handle);
}

Value Semantics::extremum(bool isMaximum, const Value &left, const Value &right,
                          bool propagatesNan) {
  Value a = left, b = right;
  if (!unify(a, b, isMaximum ? "maximum" : "minimum"))
    return Value::poison();
  Tensor x = *a.asTensor(), y = *b.asTensor();
  if (x.type.scalar == Scalar::BFloat16)
    for (Tensor *side : {&x, &y})
      *side = *cast(*side, {Scalar::Float32, false, false, {}}).asTensor();
  const Type &type = x.type;
  mlir::Value p = x.handle, q = y.handle;
  if (type.isFloat() && isFloat8(type.scalar))
    return error("{} is not defined for {}; cast to a wider float first",
                 isMaximum ? "maximum" : "minimum", toString(type));
  if (type.isFloat() && propagatesNan)
    return isMaximum ? makeValue<arith::MaximumFOp>(type, p, q)
                     : makeValue<arith::MinimumFOp>(type, p, q);
  if (type.isFloat())
    return isMaximum ? makeValue<arith::MaxNumFOp>(type, p, q)
                     : makeValue<arith::MinNumFOp>(type, p, q);
  if (isSigned(type.scalar))
    return isMaximum ? makeValue<arith::MaxSIOp>(type, p, q)
                     : makeValue<arith::MinSIOp>(type, p, q);
  return isMaximum ? makeValue<arith::MaxUIOp>(type, p, q) : makeValue<arith::MinUIOp>(type, p, q);
}

Value Semantics::select(const Value &conditionValue, const Value &left, const Value &right) {
  Value condition = toTensor(conditionValue, "the condition of where");
  if (condition.isPoison())
    return condition;
  Value casted = cast(*condition.asTensor(), {Scalar::Int1, false, false, {}});
  if (casted.isPoison())
    return casted;
  Value a = left, b = right;
  bool arePointers = a.asTensor() && b.asTensor() && a.asTensor()->type.isPointer &&
                     a.asTensor()->type.element() == b.asTensor()->type.element();
  Tensor x, y, c = *casted.asTensor();
  if (arePointers) {
    x = *a.asTensor();
    y = *b.asTensor();
    if (!broadcast(x, y))
      return Value::poison();
  } else {
    if (!unify(a, b, "where"))
      return Value::poison();
    x = *a.asTensor();
    y = *b.asTensor();
  }
  // A scalar condition stays a scalar: arith.select takes one for whole tiles.
  if (c.type.isBlock() && (!broadcast(c, x) || !broadcast(x, y)))
    return Value::poison();
  return makeValue<arith::SelectOp>(x.type, c.handle, x.handle, y.handle);
}

} // namespace inlay::triton
