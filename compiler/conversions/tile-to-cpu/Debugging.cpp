// What kernels print and assert.
#include "compiler/conversions/tile-to-cpu/ElementLoops.h"
#include "compiler/conversions/tile-to-cpu/LibraryCalls.h"
#include "compiler/conversions/tile-to-cpu/ProgramLowering.h"

#include "llvm/Support/FormatVariadic.h"

using namespace mlir;

namespace inlay::tile_to_cpu {

namespace {

bool isTile(Value value) { return isa<RankedTensorType>(value.getType()); }

ArrayRef<int64_t> shapeOf(Value value) {
  if (auto type = dyn_cast<RankedTensorType>(value.getType()))
    return type.getShape();
  return {};
}

std::string escaped(StringRef text) {
  std::string result;
  for (char character : text)
    result += character == '%' ? "%%" : std::string(1, character);
  return result;
}

/// The element as an argument of printf, and how that prints it.
std::pair<Value, std::string> printable(OpBuilder &builder, Location location, Value element,
                                        bool isSigned, bool isHex) {
  Type type = element.getType(), i64 = builder.getI64Type();
  if (isa<LLVM::LLVMPointerType>(type))
    return {LLVM::PtrToIntOp::create(builder, location, i64, element), "0x%llx"};
  unsigned bits = type.getIntOrFloatBitWidth();
  if (isa<FloatType>(type) && !isHex) {
    if (!type.isF64())
      element = arith::ExtFOp::create(builder, location, builder.getF64Type(), element);
    return {element, "%f"};
  }
  if (isa<FloatType>(type))
    element = arith::BitcastOp::create(builder, location, builder.getIntegerType(bits), element);
  if (bits < 64) {
    if (isSigned && !isHex)
      element = arith::ExtSIOp::create(builder, location, i64, element);
    else
      element = arith::ExtUIOp::create(builder, location, i64, element);
  }
  if (isHex)
    return {element, llvm::formatv("0x%0{0}llx", std::max(bits / 4, 1u)).str()};
  return {element, isSigned ? "%lld" : "%llu"};
}

} // namespace

void ProgramLowering::emitForElements(
    Location location, Value value,
    llvm::function_ref<void(Value element, const Coordinates &coordinates)> body) {
  Evaluator evaluator(values_, builder_, 1);
  emitElementLoops(
      builder_, location, evaluator, shapeOf(value), [&](const Coordinates &coordinates) {
        body(isTile(value) ? evaluator.scalar(value, coordinates) : values_.scalars.lookup(value),
             coordinates);
      });
}

LogicalResult ProgramLowering::lowerPrint(tile::PrintOp print) {
  if (failed(flush()))
    return failure();
  emitted_.insert(print);
  if (failed(keepForElements(print)))
    return failure();
  Location location = print.getLoc();
  for (auto [index, operand] : llvm::enumerate(print.getOperands()))
    emitForElements(location, operand, [&](Value element, const Coordinates &coordinates) {
      std::string format = "pid (%d, %d, %d) idx (";
      SmallVector<Value> arguments(std::begin(grid_.programId), std::end(grid_.programId));
      for (auto [dimension, coordinate] : llvm::enumerate(coordinates)) {
        format += dimension ? ", %lld" : "%lld";
        arguments.push_back(coordinate.value
                                ? coordinate.value
                                : integerConstant(builder_, location, builder_.getI64Type(), 0));
      }
      auto [argument, conversion] =
          printable(builder_, location, element, print.getIsSigned()[index] != 0, print.getHex());
      format += ") " + escaped(print.getPrefix()) + ": " + conversion + "\n";
      arguments.push_back(argument);
      arguments.insert(arguments.begin(), stringAddress(builder_, location, format));
      callLibrary(builder_, location, LibraryFunction::Printf, arguments);
    });
  return success();
}

LogicalResult ProgramLowering::lowerAssert(tile::AssertOp assertion) {
  if (failed(flush()))
    return failure();
  emitted_.insert(assertion);
  if (failed(keepForElements(assertion)))
    return failure();
  Location location = assertion.getLoc();
  std::string place;
  if (auto file = location->findInstanceOf<FileLineColLoc>())
    place = llvm::formatv("{0}:{1}:{2}: ", file.getFilename().getValue(), file.getLine(),
                          file.getColumn());
  std::string message = place + "assertion failed: " + assertion.getMessage().str();
  emitForElements(location, assertion.getCondition(), [&](Value element, const Coordinates &) {
    Value isFalse = arith::XOrIOp::create(
        builder_, location, element, integerConstant(builder_, location, element.getType(), 1));
    auto branch = scf::IfOp::create(builder_, location, isFalse, /*withElseRegion=*/false);
    OpBuilder::InsertionGuard guard(builder_);
    builder_.setInsertionPoint(branch.thenYield());
    stopProcess(builder_, location, message);
  });
  return success();
}

} // namespace inlay::tile_to_cpu
