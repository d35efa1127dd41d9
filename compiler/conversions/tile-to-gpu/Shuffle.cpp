#include "compiler/conversions/tile-to-gpu/Shuffle.h"

#include "compiler/conversions/tile-to-gpu/ThreadCode.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;

namespace inlay::tile_to_gpu {

Value toBits(OpBuilder &builder, Location location, Value value) {
  Type type = value.getType();
  if (isa<LLVM::LLVMPointerType>(type))
    return LLVM::PtrToIntOp::create(builder, location, builder.getI64Type(), value);
  if (isa<FloatType>(type))
    return arith::BitcastOp::create(builder, location,
                                    builder.getIntegerType(type.getIntOrFloatBitWidth()), value);
  return value;
}

Value fromBits(OpBuilder &builder, Location location, Value bits, Type type) {
  if (isa<LLVM::LLVMPointerType>(type))
    return LLVM::IntToPtrOp::create(builder, location, type, bits);
  if (isa<FloatType>(type))
    return arith::BitcastOp::create(builder, location, type, bits);
  return bits;
}

namespace {

constexpr int32_t kAllLanes = -1;

Value shuffleWord(OpBuilder &builder, Location location, Value word, Value operand,
                  NVVM::ShflKind kind) {
  Type i32 = builder.getI32Type();
  auto constant = [&](int32_t value) { return integerConstant(builder, location, i32, value); };
  return NVVM::ShflOp::create(builder, location, i32, constant(kAllLanes), word, operand,
                              constant(0x1f), kind, UnitAttr());
}

Value shuffle(OpBuilder &builder, Location location, Value value, Value operand,
              NVVM::ShflKind kind) {
  Type i32 = builder.getI32Type(), i64 = builder.getI64Type();
  Value bits = toBits(builder, location, value);
  const unsigned width = bits.getType().getIntOrFloatBitWidth();
  Value result;
  if (width == 64) {
    Value half = integerConstant(builder, location, i64, 32);
    Value high = arith::ShRUIOp::create(builder, location, bits, half);
    auto moved = [&](Value word) -> Value {
      Value narrow = arith::TruncIOp::create(builder, location, i32, word);
      return arith::ExtUIOp::create(builder, location, i64,
                                    shuffleWord(builder, location, narrow, operand, kind));
    };
    Value low = moved(bits);
    result = arith::OrIOp::create(builder, location, low,
                                  arith::ShLIOp::create(builder, location, moved(high), half));
  } else if (width == 32) {
    result = shuffleWord(builder, location, bits, operand, kind);
  } else {
    Value wide = arith::ExtUIOp::create(builder, location, i32, bits);
    result = arith::TruncIOp::create(builder, location, bits.getType(),
                                     shuffleWord(builder, location, wide, operand, kind));
  }
  return fromBits(builder, location, result, value.getType());
}

} // namespace

Value shuffleXor(OpBuilder &builder, Location location, Value value, uint32_t laneMask) {
  return shuffle(builder, location, value,
                 integerConstant(builder, location, builder.getI32Type(), laneMask),
                 NVVM::ShflKind::bfly);
}

Value shuffleFrom(OpBuilder &builder, Location location, Value value, Value lane) {
  return shuffle(builder, location, value, lane, NVVM::ShflKind::idx);
}

} // namespace inlay::tile_to_gpu
