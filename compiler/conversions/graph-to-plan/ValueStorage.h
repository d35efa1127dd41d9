// Which values of a model lie in the same memory: results that a plugin writes in place of an
// input, and views.
#pragma once

#include "compiler/dialects/graph/Graph.h"

#include "llvm/ADT/DenseMap.h"

namespace inlay {

/// Results of calls that are an operand's memory. A result that a call writes in place takes that
/// memory over where nothing reads it from the call on: another call made it, or it is state, which
/// is given its value after all others have been read; this call takes it
/// once, and neither the operand nor another value that lies in it is taken by a later call or an
/// output of the model. Elsewhere the result has memory of its own, into which the operand is
/// copied first, so that in-place calls mean what the graph says. A result that is a view, which no
/// kernel writes, always lies in its operand's memory.
class ValueStorage {
public:
  /// Notes that result `result` of a call is its operand `operand`'s memory. Calls come in the
  /// order in which they stand.
  void alias(mlir::Operation *call, unsigned result, unsigned operand);
  /// Notes that result `result` of a call is a view of its operand `operand`.
  void share(mlir::Operation *call, unsigned result, unsigned operand);
  /// The first value in the memory that a value lies in; the value itself where it shares none.
  mlir::Value first(mlir::Value value) const;

private:
  bool isLastRead(mlir::Value memory, mlir::Operation *call, unsigned operand) const;
  void add(mlir::Value memory, mlir::Value value);

  llvm::DenseMap<mlir::Value, mlir::Value> first_;
  /// By first value: the others in its memory.
  llvm::DenseMap<mlir::Value, llvm::SmallVector<mlir::Value>> others_;
};

} // namespace inlay
