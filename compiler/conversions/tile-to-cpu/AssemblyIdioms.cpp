#include "compiler/conversions/tile-to-cpu/AssemblyIdioms.h"

#include "llvm/ADT/StringExtras.h"

using namespace mlir;

namespace inlay::tile_to_cpu {

namespace {

/// One space between words, no comments, no last semicolon, no flush-to-zero, lower case.
std::string normalized(StringRef text) {
  std::string result;
  SmallVector<StringRef> lines;
  text.split(lines, '\n');
  for (StringRef line : lines)
    for (StringRef rest = line.split("//").first; !rest.empty();) {
      auto [word, tail] = llvm::getToken(rest, " \t\r");
      if (!word.empty())
        result += (result.empty() ? "" : " ") + word.lower();
      rest = tail;
    }
  while (StringRef(result).ends_with(";") || StringRef(result).ends_with(" "))
    result.pop_back();
  size_t at = result.find(".ftz");
  if (at != std::string::npos)
    result.erase(at, 4);
  return result;
}

using Emit = Value (*)(OpBuilder &, Location, ValueRange, Type);

template <typename Op>
Value unary(OpBuilder &builder, Location location, ValueRange operands, Type type) {
  return operands[0].getType() == type ? Value(Op::create(builder, location, operands[0]))
                                       : Value();
}

Value constantLike(OpBuilder &builder, Location location, Type type, TypedAttr element) {
  if (auto tile = dyn_cast<RankedTensorType>(type))
    element = DenseElementsAttr::get(tile, Attribute(element));
  return arith::ConstantOp::create(builder, location, element);
}

Value integer(OpBuilder &builder, Location location, Type type, int64_t value) {
  Type element = getElementTypeOrSelf(type);
  return constantLike(
      builder, location, type,
      builder.getIntegerAttr(element, APInt(element.getIntOrFloatBitWidth(), value, true, true)));
}

/// The same bits; null if the widths differ.
Value move(OpBuilder &builder, Location location, ValueRange operands, Type type) {
  Value value = operands[0];
  if (value.getType() == type)
    return value;
  Type from = getElementTypeOrSelf(value.getType()), to = getElementTypeOrSelf(type);
  if (!from.isIntOrFloat() || !to.isIntOrFloat() ||
      from.getIntOrFloatBitWidth() != to.getIntOrFloatBitWidth())
    return {};
  return arith::BitcastOp::create(builder, location, type, value);
}

Value reciprocal(OpBuilder &builder, Location location, ValueRange operands, Type type) {
  if (operands[0].getType() != type || !isa<FloatType>(getElementTypeOrSelf(type)))
    return {};
  Value one =
      constantLike(builder, location, type, builder.getFloatAttr(getElementTypeOrSelf(type), 1));
  return arith::DivFOp::create(builder, location, one, operands[0]);
}

/// Rounds to 10 bits of mantissa, halves away from zero.
Value roundToTf32(OpBuilder &builder, Location location, ValueRange operands, Type type) {
  Type bits = operands[0].getType();
  if (!getElementTypeOrSelf(bits).isF32() ||
      getElementTypeOrSelf(type).getIntOrFloatBitWidth() != 32)
    return {};
  if (auto tile = dyn_cast<RankedTensorType>(bits))
    bits = tile.clone(builder.getI32Type());
  else
    bits = builder.getI32Type();
  Value value = arith::BitcastOp::create(builder, location, bits, operands[0]);
  value = arith::AddIOp::create(builder, location, value, integer(builder, location, bits, 0x1000));
  value =
      arith::AndIOp::create(builder, location, value, integer(builder, location, bits, 0xffffe000));
  return move(builder, location, value, type);
}

/// Nothing is waited for on the CPU: programs of one launch see all of the launches before.
Value nothing(OpBuilder &builder, Location location, ValueRange, Type type) {
  return constantLike(builder, location, type, builder.getZeroAttr(getElementTypeOrSelf(type)));
}

Value multiplyAdd(OpBuilder &builder, Location location, ValueRange operands, Type type) {
  for (Value operand : operands)
    if (operand.getType() != type)
      return {};
  return math::FmaOp::create(builder, location, operands[0], operands[1], operands[2]);
}

/// Byte i of the result is the byte of {b, a} that nibble i of the selector names; with the
/// nibble's highest bit set, that byte's sign in all bits.
Value permuteBytes(OpBuilder &builder, Location location, ValueRange operands, Type type) {
  for (Value operand : operands)
    if (operand.getType() != type || !getElementTypeOrSelf(type).isInteger(32))
      return {};
  Type wide = builder.getI64Type();
  if (auto tile = dyn_cast<RankedTensorType>(type))
    wide = tile.clone(wide);
  auto constant = [&](int64_t value) { return integer(builder, location, wide, value); };
  auto extended = [&](Value value) -> Value {
    return arith::ExtUIOp::create(builder, location, wide, value);
  };
  auto shiftLeft = [&](Value value, Value by) -> Value {
    return arith::ShLIOp::create(builder, location, value, by);
  };
  auto shiftRight = [&](Value value, Value by) -> Value {
    return arith::ShRUIOp::create(builder, location, value, by);
  };
  auto both = [&](Value a, Value b) -> Value {
    return arith::AndIOp::create(builder, location, a, b);
  };
  Value bytes = arith::OrIOp::create(builder, location, extended(operands[0]),
                                     shiftLeft(extended(operands[1]), constant(32)));
  Value selector = extended(operands[2]), result = constant(0);
  for (int64_t i = 0; i < 4; ++i) {
    Value nibble = both(shiftRight(selector, constant(4 * i)), constant(15));
    Value byte =
        both(shiftRight(bytes, shiftLeft(both(nibble, constant(7)), constant(3))), constant(255));
    Value sign =
        arith::MulIOp::create(builder, location, shiftRight(byte, constant(7)), constant(255));
    Value isSign =
        arith::CmpIOp::create(builder, location, arith::CmpIPredicate::uge, nibble, constant(8));
    byte = arith::SelectOp::create(builder, location, isSign, sign, byte);
    result = arith::OrIOp::create(builder, location, result, shiftLeft(byte, constant(8 * i)));
  }
  return arith::TruncIOp::create(builder, location, type, result);
}

struct Idiom {
  const char *text;
  unsigned numOperands;
  Emit emit;
};

constexpr Idiom kIdioms[] = {
    {"tanh.approx.f32 $0, $1", 1, unary<math::TanhOp>},
    {"tanh.approx.f16x2 $0, $1", 1, unary<math::TanhOp>},
    {"tanh.approx.bf16x2 $0, $1", 1, unary<math::TanhOp>},
    {"ex2.approx.f32 $0, $1", 1, unary<math::Exp2Op>},
    {"ex2.approx.f16x2 $0, $1", 1, unary<math::Exp2Op>},
    {"ex2.approx.bf16x2 $0, $1", 1, unary<math::Exp2Op>},
    {"lg2.approx.f32 $0, $1", 1, unary<math::Log2Op>},
    {"sin.approx.f32 $0, $1", 1, unary<math::SinOp>},
    {"cos.approx.f32 $0, $1", 1, unary<math::CosOp>},
    {"sqrt.approx.f32 $0, $1", 1, unary<math::SqrtOp>},
    {"sqrt.rn.f32 $0, $1", 1, unary<math::SqrtOp>},
    {"rsqrt.approx.f32 $0, $1", 1, unary<math::RsqrtOp>},
    {"rcp.approx.f32 $0, $1", 1, reciprocal},
    {"rcp.rn.f32 $0, $1", 1, reciprocal},
    {"fma.rn.f32 $0, $1, $2, $3", 3, multiplyAdd},
    {"cvt.rna.tf32.f32 $0, $1", 1, roundToTf32},
    {"mov.b32 $0, $1", 1, move},
    {"mov.u32 $0, $1", 1, move},
    {"mov.s32 $0, $1", 1, move},
    {"mov.f32 $0, $1", 1, move},
    {"mov.b64 $0, $1", 1, move},
    {"mov.u64 $0, $1", 1, move},
    {"prmt.b32 $0, $1, $2, $3", 3, permuteBytes},
    {"griddepcontrol.wait", 0, nothing},
    {"griddepcontrol.launch_dependents", 0, nothing},
};

} // namespace

Value emitAssemblyIdiom(OpBuilder &builder, tile::InlineAsmOp op) {
  if (op.getNumResults() != 1)
    return {};
  std::string text = normalized(op.getText());
  for (const Idiom &idiom : kIdioms)
    if (text == idiom.text && op.getOperands().size() >= idiom.numOperands)
      return idiom.emit(builder, op.getLoc(), op.getOperands(), op.getResult(0).getType());
  return {};
}

} // namespace inlay::tile_to_cpu
