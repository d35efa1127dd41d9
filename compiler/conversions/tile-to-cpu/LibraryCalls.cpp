#include "compiler/conversions/tile-to-cpu/LibraryCalls.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/BuiltinOps.h"

using namespace mlir;

namespace inlay::tile_to_cpu {

namespace {

ModuleOp moduleAt(OpBuilder &builder) {
  return builder.getInsertionBlock()->getParentOp()->getParentOfType<ModuleOp>();
}

LLVM::LLVMFunctionType typeOf(Builder &builder, LibraryFunction function) {
  MLIRContext *context = builder.getContext();
  Type pointer = LLVM::LLVMPointerType::get(context), none = LLVM::LLVMVoidType::get(context),
       i32 = builder.getI32Type();
  switch (function) {
  case LibraryFunction::Printf:
    return LLVM::LLVMFunctionType::get(i32, {pointer}, /*isVarArg=*/true);
  case LibraryFunction::Dprintf:
    return LLVM::LLVMFunctionType::get(i32, {i32, pointer}, /*isVarArg=*/true);
  case LibraryFunction::Abort:
    return LLVM::LLVMFunctionType::get(none, {});
  }
  llvm_unreachable("no such library function");
}

} // namespace

Value callLibrary(OpBuilder &builder, Location location, LibraryFunction function,
                  ValueRange arguments) {
  StringRef name = kLibraryFunctionNames[static_cast<size_t>(function)];
  ModuleOp module = moduleAt(builder);
  auto declaration = module.lookupSymbol<LLVM::LLVMFuncOp>(name);
  if (!declaration) {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(module.getBody());
    declaration = LLVM::LLVMFuncOp::create(builder, location, name, typeOf(builder, function));
  }
  auto call = LLVM::CallOp::create(builder, location, declaration, arguments);
  return call.getNumResults() ? call.getResult() : Value();
}

Value stringAddress(OpBuilder &builder, Location location, StringRef text) {
  ModuleOp module = moduleAt(builder);
  std::string content(text);
  content.push_back('\0');
  LLVM::GlobalOp global;
  size_t count = 0;
  for (auto other : module.getOps<LLVM::GlobalOp>()) {
    ++count;
    if (auto value = dyn_cast_or_null<StringAttr>(other.getValueAttr());
        value && value.getValue() == content)
      global = other;
  }
  if (!global) {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(module.getBody());
    auto type = LLVM::LLVMArrayType::get(builder.getI8Type(), content.size());
    global = LLVM::GlobalOp::create(builder, location, type, /*isConstant=*/true,
                                    LLVM::Linkage::Internal, "constant." + std::to_string(count),
                                    builder.getStringAttr(content));
  }
  return LLVM::AddressOfOp::create(builder, location, global);
}

void stopProcess(OpBuilder &builder, Location location, StringRef message) {
  Value file = LLVM::ConstantOp::create(builder, location, builder.getI32Type(),
                                        builder.getI32IntegerAttr(2));
  Value format = stringAddress(builder, location, "%s\n");
  Value text = stringAddress(builder, location, message);
  callLibrary(builder, location, LibraryFunction::Dprintf, {file, format, text});
  callLibrary(builder, location, LibraryFunction::Abort, {});
}

} // namespace inlay::tile_to_cpu
