#include "compiler/conversions/graph-to-plan/UpdatedInputs.h"

#include "mlir/IR/Builders.h"
#include "llvm/ADT/DenseSet.h"

#include <optional>

namespace inlay {
namespace {

bool usesBuffer(mlir::Operation &step, llvm::StringRef buffer) {
  bool isUsed = false;
  step.getAttrDictionary().walk(
      [&](mlir::FlatSymbolRefAttr name) { isUsed = isUsed || name.getValue() == buffer; });
  return isUsed;
}

/// The buffer that the first step on `buffer` copies to it, if no later step uses it.
std::optional<llvm::StringRef> findUpdated(plan::ProgramOp program, llvm::StringRef buffer) {
  std::optional<llvm::StringRef> source;
  for (mlir::Operation &op : program.getBody().front()) {
    if (!plan::isStep(op))
      continue;
    if (source && usesBuffer(op, *source))
      return std::nullopt;
    if (source || !usesBuffer(op, buffer))
      continue;
    auto copy = llvm::dyn_cast<plan::CopyOp>(op);
    if (!copy || copy.getTarget() != buffer)
      return std::nullopt;
    source = copy.getSource();
  }
  return source;
}

} // namespace

void markUpdatedInputs(plan::ProgramOp program) {
  mlir::Builder builder(program.getContext());
  llvm::DenseSet<int32_t> taken;
  for (auto output : program.getBody().getOps<plan::OutputOp>()) {
    const std::optional<llvm::StringRef> source = findUpdated(program, output.getBuffer());
    int32_t index = 0;
    for (auto input : program.getBody().getOps<plan::InputOp>()) {
      if (source && input.getBuffer() == *source && taken.insert(index).second)
        output.setUpdatesAttr(builder.getI32IntegerAttr(index));
      ++index;
    }
  }
}

} // namespace inlay
