#include "compiler/conversions/graph-to-plan/ValueStorage.h"

#include "llvm/ADT/STLExtras.h"

namespace inlay {
namespace {

/// True if nothing but operand `operand` of the call reads the value from the call on.
bool isLastRead(mlir::Value value, graph::CallOp call, unsigned operand) {
  return llvm::all_of(value.getUses(), [&](mlir::OpOperand &use) {
    mlir::Operation *reader = use.getOwner();
    return reader == call.getOperation() ? use.getOperandNumber() == operand
                                         : reader->isBeforeInBlock(call);
  });
}

} // namespace

void ValueStorage::alias(graph::CallOp call, unsigned result, unsigned operand) {
  mlir::Value value = call.getInputs()[operand];
  // The caller's memory and constants are not written.
  if (value.getDefiningOp<graph::CallOp>() && isLastRead(value, call, operand))
    first_[call.getOutputs()[result]] = first(value);
}

mlir::Value ValueStorage::first(mlir::Value value) const {
  const auto found = first_.find(value);
  return found == first_.end() ? value : found->second;
}

} // namespace inlay
