#include "compiler/conversions/graph-to-plan/ValueStorage.h"

#include "llvm/ADT/STLExtras.h"

namespace inlay {
namespace {

/// True for the use of a value as that which an update changes, which reads nothing.
bool isUpdated(mlir::OpOperand &use) {
  return llvm::isa<graph::UpdateOp>(use.getOwner()) && use.getOperandNumber() == 0;
}

/// True if nothing but operand `operand` of the call reads the value from the call on.
bool isValueLastRead(mlir::Value value, mlir::Operation *call, unsigned operand) {
  return llvm::all_of(value.getUses(), [&](mlir::OpOperand &use) {
    mlir::Operation *reader = use.getOwner();
    if (isUpdated(use))
      return true;
    return reader == call ? use.getOperandNumber() == operand : reader->isBeforeInBlock(call);
  });
}

} // namespace

bool ValueStorage::isLastRead(mlir::Value memory, mlir::Operation *call, unsigned operand) const {
  const auto others = others_.find(memory);
  return isValueLastRead(memory, call, operand) &&
         (others == others_.end() || llvm::all_of(others->second, [&](mlir::Value value) {
            return isValueLastRead(value, call, operand);
          }));
}

void ValueStorage::alias(mlir::Operation *call, unsigned result, unsigned operand) {
  const mlir::Value memory = first(call->getOperand(operand));
  // The caller's memory and constants are not written; state is.
  const bool isState =
      memory.getDefiningOp<graph::ConstantOp>() && llvm::any_of(memory.getUses(), isUpdated);
  if ((isState || llvm::isa_and_nonnull<graph::CallOp, graph::GroupOp, graph::SegmentOp>(
                      memory.getDefiningOp())) &&
      isLastRead(memory, call, operand))
    add(memory, call->getResult(result));
}

void ValueStorage::share(mlir::Operation *call, unsigned result, unsigned operand) {
  add(first(call->getOperand(operand)), call->getResult(result));
}

void ValueStorage::add(mlir::Value memory, mlir::Value value) {
  first_[value] = memory;
  others_[memory].push_back(value);
}

mlir::Value ValueStorage::first(mlir::Value value) const {
  const auto found = first_.find(value);
  return found == first_.end() ? value : found->second;
}

} // namespace inlay
