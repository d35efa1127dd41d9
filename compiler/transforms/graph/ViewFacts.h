// What can be told of calls, of view operators above all, whatever their names are.
#pragma once

#include "compiler/transforms/graph/PassContext.h"

#include <optional>
#include <vector>

namespace inlay::graph {

/// Type and shape of a tensor.
inline TensorSpec specOf(mlir::Value value) {
  return llvm::cast<TensorType>(value.getType()).getSpec();
}
/// The operand of a name; null if the call does not pass it.
mlir::Value findOperand(CallOp call, mlir::StringRef name);
/// Sizes as an argument.
mlir::ArrayAttr sizesAttribute(mlir::MLIRContext *context, mlir::ArrayRef<Expr> sizes);
/// True if the only result of a standard operator has all elements of its first input in their
/// order: no kernel runs for it.
bool isWholeView(PassContext &context, CallOp call);
/// The dimension of the input that each dimension of the result is, for an operator that does
/// nothing but exchange dimensions; nullopt for others.
std::optional<std::vector<int64_t>> permutationOf(PassContext &context, CallOp call);
/// Puts a call of another operator in the place of one with a single result, of the same type. The
/// new one has the old one's name. Gives the new one if a standard operator serves it; else null,
/// and leaves the graph as it was.
CallOp replaceCall(PassContext &context, CallOp call, mlir::StringRef op, mlir::ValueRange inputs,
                   mlir::ArrayRef<mlir::StringRef> names, mlir::DictionaryAttr arguments);

} // namespace inlay::graph
