// What kernels print and assert, and where inline assembly goes.
#include "base/Error.h"
#include "tests/reference/Interpreter.h"

#include <fmt/ranges.h>

using namespace mlir;

namespace inlay::reference {
namespace {

std::string textOf(const Cell &cell, Type element, bool isSigned, bool isHex) {
  unsigned width = widthOf(element);
  if (isHex)
    return fmt::format("{:#0{}x}", bitsOf(cell, element), 2 + width / 4);
  if (isa<FloatType>(element))
    return fmt::format("{:f}", cell.real);
  return isSigned ? fmt::format("{}", signedOf(cell.bits, width)) : fmt::format("{}", cell.bits);
}

} // namespace

void Interpreter::runPrint(tile::PrintOp op) {
  if (!printed_)
    return;
  for (size_t n = 0; n < op.getOperands().size(); ++n) {
    Value operand = op.getOperands()[n];
    forEachIndex(shapeOf(operand.getType()), [&](size_t i, ArrayRef<int64_t> at) {
      *printed_ +=
          fmt::format("pid ({}, {}, {}) idx ({}) {}: {}\n", program_[0], program_[1], program_[2],
                      fmt::join(at.begin(), at.end(), ", "), op.getPrefix().str(),
                      textOf(of(operand)[i], tile::elementTypeOf(operand.getType()),
                             op.getIsSigned()[n] != 0, op.getHex()));
    });
  }
}

Status Interpreter::runAssert(tile::AssertOp op) {
  for (size_t i = 0; i < of(op.getCondition()).size(); ++i)
    if (!isTrue(op.getCondition(), i))
      return failedPrecondition("{}: assertion failed at element {}: {}", placeOf(*op), i,
                                op.getMessage().str());
  return {};
}

Status Interpreter::runDebug(Operation &op, bool &isKnown) {
  if (auto print = dyn_cast<tile::PrintOp>(op)) {
    runPrint(print);
    return {};
  }
  if (auto assertion = dyn_cast<tile::AssertOp>(op))
    return runAssert(assertion);
  if (auto assembly = dyn_cast<tile::InlineAsmOp>(op))
    return runInlineAsm(assembly);
  isKnown = isa<tile::BarrierOp>(op);
  return {};
}

} // namespace inlay::reference
