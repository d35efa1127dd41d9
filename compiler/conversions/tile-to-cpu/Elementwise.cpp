#include "compiler/conversions/tile-to-cpu/Elementwise.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace inlay::tile_to_cpu {

Type valueTypeOf(Type elementType) {
  if (isa<tile::PointerType>(elementType))
    return LLVM::LLVMPointerType::get(elementType.getContext());
  return elementType;
}

Type memoryTypeOf(Type elementType) {
  if (elementType.isInteger(1))
    return IntegerType::get(elementType.getContext(), 8);
  if (isa<FloatType>(elementType) && elementType.getIntOrFloatBitWidth() <= 16)
    return IntegerType::get(elementType.getContext(), elementType.getIntOrFloatBitWidth());
  return valueTypeOf(elementType);
}

unsigned memoryBytesOf(Type elementType) {
  Type type = memoryTypeOf(elementType);
  return type.isIntOrFloat() ? std::max(1u, type.getIntOrFloatBitWidth() / 8) : 8;
}

Type lanesType(Type type, unsigned width) {
  return width == 1 ? type : VectorType::get({width}, type);
}

namespace {

/// `type`'s shape with another element type.
Type withElement(Type type, Type element) {
  if (auto vector = dyn_cast<VectorType>(type))
    return VectorType::get(vector.getShape(), element);
  return element;
}

bool isNarrowFloat(Type type) {
  Type element = getElementTypeOrSelf(type);
  return isa<FloatType>(element) && element.getIntOrFloatBitWidth() <= 16;
}

/// Ops that move or reinterpret bits, or convert; they take 16-bit floats as they are.
bool takesNarrowFloats(Operation *op) {
  return isa<arith::ConstantOp, arith::SelectOp, arith::BitcastOp, arith::ExtFOp, arith::TruncFOp>(
      op);
}

Value widen(OpBuilder &builder, Location location, Value value) {
  if (!isNarrowFloat(value.getType()))
    return value;
  return arith::ExtFOp::create(builder, location,
                               withElement(value.getType(), builder.getF32Type()), value);
}

/// Of the fast-math flags only `contract` is used: division and square root cost little enough to
/// be exact.
void keepContractOnly(Operation *op) {
  auto fastMath = dyn_cast<arith::ArithFastMathInterface>(op);
  if (!fastMath || !fastMath.getFastMathFlagsAttr())
    return;
  auto flags = fastMath.getFastMathFlagsAttr().getValue() & arith::FastMathFlags::contract;
  op->setAttr(fastMath.getFastMathAttrName(),
              arith::FastMathFlagsAttr::get(op->getContext(), flags));
}

/// The divisor with every value that would trap replaced by 1: 0, and -1 under the smallest
/// dividend. x / -1 wraps to x there, and x % -1 is 0, which is what division by 1 gives.
Value safeDivisor(OpBuilder &builder, Operation *op, Value dividend, Value divisor) {
  APInt constant;
  bool isSigned = isa<arith::DivSIOp, arith::RemSIOp, arith::CeilDivSIOp, arith::FloorDivSIOp>(op);
  if (matchPattern(divisor, m_ConstantInt(&constant)) && !constant.isZero() &&
      !(isSigned && constant.isAllOnes()))
    return divisor;
  Location location = op->getLoc();
  Type type = divisor.getType();
  Value one = integerConstant(builder, location, type, 1);
  Value bad = arith::CmpIOp::create(builder, location, arith::CmpIPredicate::eq, divisor,
                                    integerConstant(builder, location, type, 0));
  if (isSigned) {
    unsigned bits = getElementTypeOrSelf(type).getIntOrFloatBitWidth();
    Value smallest =
        integerConstant(builder, location, type, APInt::getSignedMinValue(bits).getSExtValue());
    Value minusOne = integerConstant(builder, location, type, -1);
    Value overflow = arith::AndIOp::create(
        builder, location,
        arith::CmpIOp::create(builder, location, arith::CmpIPredicate::eq, divisor, minusOne),
        arith::CmpIOp::create(builder, location, arith::CmpIPredicate::eq, dividend, smallest));
    bad = arith::OrIOp::create(builder, location, bad, overflow);
  }
  return arith::SelectOp::create(builder, location, bad, one, divisor);
}

bool isIntegerDivision(Operation *op) {
  return isa<arith::DivSIOp, arith::DivUIOp, arith::RemSIOp, arith::RemUIOp, arith::CeilDivSIOp,
             arith::CeilDivUIOp, arith::FloorDivSIOp>(op);
}

/// The pointer ops of the tile dialect.
Value emitPointerOp(OpBuilder &builder, Operation *op, ValueRange operands, unsigned width) {
  Location location = op->getLoc();
  Type resultType = lanesType(valueTypeOf(tile::elementTypeOf(op->getResult(0).getType())), width);
  return TypeSwitch<Operation *, Value>(op)
      .Case([&](tile::AddPtrOp add) -> Value {
        auto pointer = cast<tile::PointerType>(tile::elementTypeOf(add.getPtr().getType()));
        Value offset = toWidth(builder, location, operands[1], 64);
        Value size = integerConstant(builder, location, offset.getType(),
                                     memoryBytesOf(pointer.getElementType()));
        return addBytes(builder, location, operands[0],
                        arith::MulIOp::create(builder, location, offset, size,
                                              arith::IntegerOverflowFlags::nsw));
      })
      .Case([&](tile::PtrCastOp) -> Value { return operands[0]; })
      .Case([&](tile::PtrToIntOp) -> Value {
        return LLVM::PtrToIntOp::create(builder, location, resultType, operands[0]);
      })
      .Case([&](tile::IntToPtrOp) -> Value {
        return LLVM::IntToPtrOp::create(builder, location, resultType, operands[0]);
      })
      .Default([](Operation *) -> Value { return {}; });
}

} // namespace

Value splat(OpBuilder &builder, Location location, Value scalar, unsigned width) {
  if (width == 1 || isa<VectorType>(scalar.getType()))
    return scalar;
  return vector::BroadcastOp::create(builder, location, lanesType(scalar.getType(), width), scalar);
}

Value integerConstant(OpBuilder &builder, Location location, Type type, int64_t value) {
  Type element = getElementTypeOrSelf(type);
  TypedAttr attribute =
      builder.getIntegerAttr(element, APInt(element.getIntOrFloatBitWidth(), value, true, true));
  if (auto shaped = dyn_cast<VectorType>(type))
    attribute = DenseElementsAttr::get(shaped, attribute);
  return arith::ConstantOp::create(builder, location, type, attribute);
}

Value zeroConstant(OpBuilder &builder, Location location, Type type) {
  if (isa<LLVM::LLVMPointerType>(getElementTypeOrSelf(type)))
    return LLVM::ZeroOp::create(builder, location, type);
  return arith::ConstantOp::create(builder, location, type, builder.getZeroAttr(type));
}

Value toWidth(OpBuilder &builder, Location location, Value value, unsigned bits) {
  Type type = value.getType();
  unsigned from = getElementTypeOrSelf(type).getIntOrFloatBitWidth();
  Type to = withElement(type, builder.getIntegerType(bits));
  if (from == bits)
    return value;
  if (from > bits)
    return arith::TruncIOp::create(builder, location, to, value);
  return arith::ExtSIOp::create(builder, location, to, value);
}

Value extendTo(OpBuilder &builder, Location location, Value value, Type element) {
  if (getElementTypeOrSelf(value.getType()) == element)
    return value;
  Type type = withElement(value.getType(), element);
  if (isa<FloatType>(element))
    return arith::ExtFOp::create(builder, location, type, value);
  return arith::ExtSIOp::create(builder, location, type, value);
}

Value addBytes(OpBuilder &builder, Location location, Value ptr, Value offset) {
  Type result = ptr.getType();
  if (isa<VectorType>(offset.getType()))
    result = withElement(offset.getType(), getElementTypeOrSelf(result));
  return LLVM::GEPOp::create(builder, location, result, builder.getI8Type(), ptr,
                             ValueRange{offset});
}

Value toMemory(OpBuilder &builder, Location location, Value value) {
  Type element = getElementTypeOrSelf(value.getType());
  Type memory = memoryTypeOf(element);
  if (memory == element)
    return value;
  Type type = withElement(value.getType(), memory);
  if (element.isInteger(1))
    return arith::ExtUIOp::create(builder, location, type, value);
  return arith::BitcastOp::create(builder, location, type, value);
}

Value fromMemory(OpBuilder &builder, Location location, Value value, Type elementType) {
  Type element = valueTypeOf(elementType);
  if (element == getElementTypeOrSelf(value.getType()))
    return value;
  if (element.isInteger(1))
    return arith::CmpIOp::create(builder, location, arith::CmpIPredicate::ne, value,
                                 integerConstant(builder, location, value.getType(), 0));
  return arith::BitcastOp::create(builder, location, withElement(value.getType(), element), value);
}

Value roundUp(OpBuilder &builder, Location location, Value value, int64_t step) {
  if (step == 1)
    return value;
  Value size = integerConstant(builder, location, value.getType(), step);
  Value last = integerConstant(builder, location, value.getType(), step - 1);
  Value steps = arith::DivUIOp::create(builder, location,
                                       arith::AddIOp::create(builder, location, value, last), size);
  return arith::MulIOp::create(builder, location, steps, size);
}

bool isElementwise(Operation *op) {
  if (isa<tile::AddPtrOp, tile::PtrCastOp, tile::PtrToIntOp, tile::IntToPtrOp>(op))
    return true;
  StringRef dialect = op->getName().getDialectNamespace();
  return (dialect == "arith" || dialect == "math") && op->getNumResults() == 1 &&
         op->getNumRegions() == 0 && !isa<arith::ConstantOp>(op);
}

Value emitElementwise(OpBuilder &builder, Operation *op, ValueRange operands, unsigned width) {
  if (Value pointer = emitPointerOp(builder, op, operands, width))
    return pointer;
  Location location = op->getLoc();
  SmallVector<Value> inputs(operands);
  if (isa<arith::SelectOp>(op) && width > 1 && !isa<VectorType>(inputs[0].getType()))
    inputs[0] = splat(builder, location, inputs[0], width);
  Type element = valueTypeOf(tile::elementTypeOf(op->getResult(0).getType())), computed = element;
  if (!takesNarrowFloats(op)) {
    for (Value &input : inputs)
      input = widen(builder, location, input);
    if (isNarrowFloat(element))
      computed = builder.getF32Type();
  }
  if (isIntegerDivision(op))
    inputs[1] = safeDivisor(builder, op, inputs[0], inputs[1]);
  Operation *emitted =
      Operation::create(location, op->getName(), TypeRange{lanesType(computed, width)}, inputs,
                        NamedAttrList(), op->getPropertiesStorage(), BlockRange(), 0);
  keepContractOnly(emitted);
  Value result = builder.insert(emitted)->getResult(0);
  if (computed != element)
    result = arith::TruncFOp::create(builder, location, lanesType(element, width), result);
  return result;
}

} // namespace inlay::tile_to_cpu
