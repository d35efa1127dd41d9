#include "compiler/conversions/tile-to-gpu/ThreadCode.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "llvm/ADT/TypeSwitch.h"

#include <map>

using namespace mlir;

namespace inlay::tile_to_gpu {

using tile::LinearLayout;
using tile::PlacePart;

Type valueTypeOf(Type elementType) {
  if (auto pointer = dyn_cast<tile::PointerType>(elementType))
    return LLVM::LLVMPointerType::get(elementType.getContext(), pointer.getMemorySpace());
  return elementType;
}

Type memoryTypeOf(Type elementType) {
  if (elementType.isInteger(1))
    return IntegerType::get(elementType.getContext(), 8);
  if (isa<Float16Type, BFloat16Type>(elementType))
    return IntegerType::get(elementType.getContext(), 16);
  if (isa<FloatType>(elementType) && elementType.getIntOrFloatBitWidth() == 8)
    return IntegerType::get(elementType.getContext(), 8);
  return valueTypeOf(elementType);
}

unsigned memoryBytesOf(Type elementType) {
  Type type = memoryTypeOf(elementType);
  return type.isIntOrFloat() ? std::max(1u, type.getIntOrFloatBitWidth() / 8) : 8;
}

Value integerConstant(OpBuilder &builder, Location location, Type type, int64_t value) {
  return arith::ConstantOp::create(builder, location, builder.getIntegerAttr(type, value));
}

Value toMemory(OpBuilder &builder, Location location, Value value) {
  Type memory = memoryTypeOf(value.getType());
  if (memory == value.getType())
    return value;
  if (value.getType().isInteger(1))
    return arith::ExtUIOp::create(builder, location, memory, value);
  return arith::BitcastOp::create(builder, location, memory, value);
}

Value fromMemory(OpBuilder &builder, Location location, Value value, Type elementType) {
  Type type = valueTypeOf(elementType);
  if (type == value.getType())
    return value;
  if (type.isInteger(1))
    return arith::CmpIOp::create(builder, location, arith::CmpIPredicate::ne, value,
                                 integerConstant(builder, location, value.getType(), 0));
  return arith::BitcastOp::create(builder, location, type, value);
}

namespace {

bool isNarrowFloat(Type type) { return isa<Float16Type, BFloat16Type>(type); }

/// Ops that move or reinterpret bits, or convert; they take 16-bit floats as they are.
bool takesNarrowFloats(Operation *op) {
  return isa<arith::ConstantOp, arith::SelectOp, arith::BitcastOp, arith::ExtFOp, arith::TruncFOp>(
      op);
}

Value signExtend(OpBuilder &builder, Location location, Value value) {
  if (value.getType().isInteger(64))
    return value;
  return arith::ExtSIOp::create(builder, location, builder.getI64Type(), value);
}

/// The pointer ops of the tile dialect; null for others.
Value emitPointerOp(OpBuilder &builder, Operation *op, ValueRange operands) {
  Location location = op->getLoc();
  return llvm::TypeSwitch<Operation *, Value>(op)
      .Case([&](tile::AddPtrOp add) -> Value {
        auto pointer = cast<tile::PointerType>(tile::elementTypeOf(add.getPtr().getType()));
        Type memory = memoryTypeOf(pointer.getElementType());
        return LLVM::GEPOp::create(builder, location, operands[0].getType(), memory, operands[0],
                                   ValueRange{signExtend(builder, location, operands[1])},
                                   LLVM::GEPNoWrapFlags::inbounds);
      })
      .Case([&](tile::PtrCastOp) -> Value { return operands[0]; })
      .Case([&](tile::PtrToIntOp) -> Value {
        return LLVM::PtrToIntOp::create(builder, location, builder.getI64Type(), operands[0]);
      })
      .Case([&](tile::IntToPtrOp cast) -> Value {
        return LLVM::IntToPtrOp::create(
            builder, location, valueTypeOf(tile::elementTypeOf(cast.getResult().getType())),
            operands[0]);
      })
      .Default([](Operation *) -> Value { return {}; });
}

} // namespace

bool isElementwise(Operation *op) {
  if (isa<tile::AddPtrOp, tile::PtrCastOp, tile::PtrToIntOp, tile::IntToPtrOp>(op))
    return true;
  StringRef dialect = op->getName().getDialectNamespace();
  return (dialect == "arith" || dialect == "math") && op->getNumRegions() == 0 &&
         !isa<arith::ConstantOp>(op);
}

SmallVector<Value, 2> emitElement(OpBuilder &builder, Operation *op, ValueRange operands) {
  if (Value pointer = emitPointerOp(builder, op, operands))
    return {pointer};
  Location location = op->getLoc();
  SmallVector<Value> inputs(operands);
  const bool isWidened = !takesNarrowFloats(op);
  if (isWidened)
    for (Value &input : inputs)
      if (isNarrowFloat(input.getType()))
        input = arith::ExtFOp::create(builder, location, builder.getF32Type(), input);
  SmallVector<Type> wanted, computed;
  for (Type result : op->getResultTypes()) {
    wanted.push_back(valueTypeOf(tile::elementTypeOf(result)));
    computed.push_back(isWidened && isNarrowFloat(wanted.back()) ? builder.getF32Type()
                                                                 : wanted.back());
  }
  Operation *emitted =
      builder.insert(Operation::create(location, op->getName(), computed, inputs, NamedAttrList(),
                                       op->getPropertiesStorage(), BlockRange(), 0));
  SmallVector<Value, 2> results;
  for (auto [value, type] : llvm::zip(emitted->getResults(), wanted))
    results.push_back(value.getType() == type
                          ? Value(value)
                          : arith::TruncFOp::create(builder, location, type, value).getResult());
  return results;
}

Value threadId(OpBuilder &builder, Location location) {
  return NVVM::ThreadIdXOp::create(builder, location, builder.getI32Type());
}

namespace {

/// The movement along one dimension of each bit of the thread's number.
SmallVector<int32_t> threadBases(const LinearLayout &layout, unsigned dimension) {
  SmallVector<int32_t> bases;
  for (PlacePart part : {PlacePart::Lane, PlacePart::Warp})
    for (const LinearLayout::Coordinates &basis : layout.bases(part))
      bases.push_back(basis[dimension]);
  return bases;
}

int32_t registerBits(const LinearLayout &layout, unsigned dimension) {
  int32_t bits = 0;
  for (const LinearLayout::Coordinates &basis : layout.bases(PlacePart::Register))
    bits |= basis[dimension];
  return bits;
}

/// Combines parts of a coordinate. Parts without a common bit are added, which later steps know
/// more about than about exclusive or.
Value combine(OpBuilder &builder, Location location, Value a, int32_t aBits, Value b,
              int32_t bBits) {
  if (!a)
    return b;
  if ((aBits & bBits) == 0)
    return arith::AddIOp::create(builder, location, a, b,
                                 arith::IntegerOverflowFlags::nsw |
                                     arith::IntegerOverflowFlags::nuw);
  return arith::XOrIOp::create(builder, location, a, b);
}

int32_t threadBits(const LinearLayout &layout, unsigned dimension) {
  int32_t bits = 0;
  for (int32_t basis : threadBases(layout, dimension))
    bits |= basis;
  return bits;
}

} // namespace

Value threadCoordinate(OpBuilder &builder, Location location, const LinearLayout &layout,
                       unsigned dimension) {
  Type i32 = builder.getI32Type();
  auto constant = [&](int64_t value) { return integerConstant(builder, location, i32, value); };
  SmallVector<int32_t> bases = threadBases(layout, dimension);
  Value coordinate;
  int32_t bitsSoFar = 0;
  for (size_t i = 0; i < bases.size();) {
    if (bases[i] == 0) {
      ++i;
      continue;
    }
    // Bits whose movements double are one field of the thread's number.
    size_t length = 1;
    while (i + length < bases.size() && bases[i + length] == bases[i] << length)
      ++length;
    Value field = threadId(builder, location);
    if (i > 0)
      field = arith::ShRUIOp::create(builder, location, field, constant(static_cast<int64_t>(i)));
    if (i + length < bases.size())
      field = arith::AndIOp::create(builder, location, field, constant((1 << length) - 1));
    int32_t fieldBits = 0;
    for (size_t k = 0; k < length; ++k)
      fieldBits |= bases[i + k];
    if (bases[i] != 1)
      field = arith::MulIOp::create(builder, location, field, constant(bases[i]),
                                    arith::IntegerOverflowFlags::nsw |
                                        arith::IntegerOverflowFlags::nuw);
    coordinate = combine(builder, location, coordinate, bitsSoFar, field, fieldBits);
    bitsSoFar |= fieldBits;
    i += length;
  }
  return coordinate ? coordinate : constant(0);
}

Value registerCoordinate(OpBuilder &builder, Location location, const LinearLayout &layout,
                         unsigned dimension, Value threadPart, unsigned registerIndex) {
  const int32_t offset = layout.registerOffset(registerIndex)[dimension];
  if (offset == 0)
    return threadPart;
  return combine(builder, location, threadPart, threadBits(layout, dimension),
                 integerConstant(builder, location, builder.getI32Type(), offset),
                 registerBits(layout, dimension));
}

Value ownsElements(OpBuilder &builder, Location location, const LinearLayout &layout) {
  const uint32_t free = layout.freeBits(PlacePart::Lane) | layout.freeBits(PlacePart::Warp)
                                                               << tile::kLaneBits;
  if (free == 0)
    return {};
  Type i32 = builder.getI32Type();
  Value bits = arith::AndIOp::create(builder, location, threadId(builder, location),
                                     integerConstant(builder, location, i32, free));
  return arith::CmpIOp::create(builder, location, arith::CmpIPredicate::eq, bits,
                               integerConstant(builder, location, i32, 0));
}

SmallVector<unsigned> representatives(const LinearLayout &layout) {
  std::map<std::vector<int32_t>, unsigned> first;
  SmallVector<unsigned> result;
  for (unsigned r = 0; r < layout.numRegisters(); ++r) {
    LinearLayout::Coordinates at = layout.registerOffset(r);
    result.push_back(
        first.try_emplace(std::vector<int32_t>(at.begin(), at.end()), r).first->second);
  }
  return result;
}

} // namespace inlay::tile_to_gpu
