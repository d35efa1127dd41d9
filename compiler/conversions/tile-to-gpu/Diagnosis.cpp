// tile.print and tile.assert: the functions that the CUDA driver gives to device code.
// Source: CUDA C++ Programming Guide, "Formatted Output" and "Assertion".
#include "compiler/conversions/tile-to-gpu/KernelLowering.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;

namespace inlay::tile_to_gpu {

using tile::LinearLayout;

namespace {

LLVM::LLVMFuncOp declare(ModuleOp module, OpBuilder &builder, StringRef name, Type result,
                         ArrayRef<Type> parameters) {
  if (auto known = module.lookupSymbol<LLVM::LLVMFuncOp>(name))
    return known;
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(module.getBody());
  return LLVM::LLVMFuncOp::create(builder, module.getLoc(), name,
                                  LLVM::LLVMFunctionType::get(result, parameters));
}

/// What printf must be told of a value, and the value as it takes it.
struct Printed {
  std::string format;
  Value value;
};

Printed printed(OpBuilder &builder, Location location, Value value, bool isSigned, bool isHex) {
  Type type = value.getType();
  if (isa<LLVM::LLVMPointerType>(type))
    return {"0x%016llx", LLVM::PtrToIntOp::create(builder, location, builder.getI64Type(), value)};
  if (isa<FloatType>(type)) {
    if (!type.isF64())
      value = arith::ExtFOp::create(builder, location, builder.getF64Type(), value);
    return {"%f", value};
  }
  const unsigned width = type.getIntOrFloatBitWidth();
  if (width < 32) {
    Type i32 = builder.getI32Type();
    value = isSigned && !isHex && width > 1
                ? arith::ExtSIOp::create(builder, location, i32, value).getResult()
                : arith::ExtUIOp::create(builder, location, i32, value).getResult();
  }
  const std::string length = width == 64 ? "ll" : "";
  if (isHex)
    return {"0x%0" + std::to_string(std::max(1u, width / 4)) + length + "x", value};
  return {"%" + length + (isSigned ? "d" : "u"), value};
}

std::string withoutFormats(StringRef text) {
  std::string result;
  for (char c : text)
    result += c == '%' ? "%%" : std::string(1, c);
  return result;
}

} // namespace

Value KernelLowering::textPointer(Location location, StringRef text) {
  SmallString<64> bytes(text);
  bytes.push_back('\0');
  LLVM::GlobalOp global;
  {
    OpBuilder::InsertionGuard atModule(builder_);
    builder_.setInsertionPointToStart(module_.getBody());
    global = LLVM::GlobalOp::create(
        builder_, location, LLVM::LLVMArrayType::get(builder_.getI8Type(), bytes.size()),
        /*isConstant=*/true, LLVM::Linkage::Internal, "inlay_text_" + std::to_string(numTables_++),
        builder_.getStringAttr(bytes.str()), /*alignment=*/1, kGlobalSpace);
  }
  Value address = LLVM::AddressOfOp::create(
      builder_, location, LLVM::LLVMPointerType::get(builder_.getContext(), kGlobalSpace),
      global.getSymName());
  return LLVM::AddrSpaceCastOp::create(builder_, location,
                                       LLVM::LLVMPointerType::get(builder_.getContext()), address);
}

void KernelLowering::emitPrintf(Location location, StringRef format, ValueRange values) {
  Type i32 = builder_.getI32Type(), pointer = LLVM::LLVMPointerType::get(builder_.getContext());
  LLVM::LLVMFuncOp vprintf = declare(module_, builder_, "vprintf", i32, {pointer, pointer});
  SmallVector<Type> types;
  for (Value value : values)
    types.push_back(value.getType());
  Type buffer = LLVM::LLVMStructType::getLiteral(builder_.getContext(), types);
  Value arguments = LLVM::AllocaOp::create(builder_, location, pointer, buffer,
                                           integerConstant(builder_, location, i32, 1),
                                           /*alignment=*/8);
  for (auto [i, value] : llvm::enumerate(values)) {
    Value field = LLVM::GEPOp::create(builder_, location, pointer, buffer, arguments,
                                      ArrayRef<LLVM::GEPArg>{0, static_cast<int32_t>(i)});
    LLVM::StoreOp::create(builder_, location, value, field);
  }
  LLVM::CallOp::create(builder_, location, vprintf,
                       ValueRange{textPointer(location, format), arguments});
}

LogicalResult KernelLowering::lowerPrint(tile::PrintOp op) {
  Location location = op.getLoc();
  Type i32 = builder_.getI32Type();
  Value isFirst = arith::CmpIOp::create(builder_, location, arith::CmpIPredicate::eq,
                                        threadId(builder_, location),
                                        integerConstant(builder_, location, i32, 0));
  const SmallVector<Value> program = {NVVM::BlockIdXOp::create(builder_, location, i32),
                                      NVVM::BlockIdYOp::create(builder_, location, i32),
                                      NVVM::BlockIdZOp::create(builder_, location, i32)};
  for (auto [n, operand] : llvm::enumerate(op.getOperands())) {
    auto type = dyn_cast<RankedTensorType>(operand.getType());
    const LinearLayout layout = type ? tile::layoutOf(type) : LinearLayout(0);
    SmallVector<unsigned> first = {0};
    Value owner = isFirst;
    if (type) {
      first = representatives(layout);
      owner = ownsElements(builder_, location, layout);
    }
    const bool isSigned = op.getIsSigned()[n] != 0;
    emitWhere(location, owner, [&] {
      for (auto [r, representative] : llvm::enumerate(first)) {
        if (representative != r)
          continue;
        SmallVector<Value> values = program;
        std::string index;
        for (unsigned d = 0; d < layout.rank(); ++d) {
          index += d ? ", %d" : "%d";
          values.push_back(coordinateOf(location, layout, d, static_cast<unsigned>(r)));
        }
        const Printed value = printed(builder_, location, at(operand, static_cast<unsigned>(r)),
                                      isSigned, op.getHex());
        values.push_back(value.value);
        emitPrintf(location,
                   "pid (%d, %d, %d) idx (" + index + ") " + withoutFormats(op.getPrefix()) + ": " +
                       value.format + "\n",
                   values);
      }
    });
  }
  return success();
}

LogicalResult KernelLowering::lowerAssert(tile::AssertOp op) {
  Location location = op.getLoc();
  Type i32 = builder_.getI32Type(), i64 = builder_.getI64Type();
  Type pointer = LLVM::LLVMPointerType::get(builder_.getContext());
  Value holds;
  for (Value condition : get(op.getCondition()))
    holds =
        holds ? arith::AndIOp::create(builder_, location, holds, condition).getResult() : condition;
  Value fails = arith::XOrIOp::create(builder_, location, holds,
                                      integerConstant(builder_, location, builder_.getI1Type(), 1));
  std::string file = "kernel";
  int64_t line = 0;
  if (auto place = location->findInstanceOf<FileLineColLoc>()) {
    file = place.getFilename().str();
    line = place.getLine();
  }
  LLVM::LLVMFuncOp assertFail =
      declare(module_, builder_, "__assertfail", LLVM::LLVMVoidType::get(builder_.getContext()),
              {pointer, pointer, i32, pointer, i64});
  emitWhere(location, fails, [&] {
    LLVM::CallOp::create(builder_, location, assertFail,
                         ValueRange{textPointer(location, op.getMessage()),
                                    textPointer(location, file),
                                    integerConstant(builder_, location, i32, line),
                                    textPointer(location, kernel_.getName()),
                                    integerConstant(builder_, location, i64, 1)});
  });
  return success();
}

} // namespace inlay::tile_to_gpu
