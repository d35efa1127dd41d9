// Which values of a model lie in the same memory, because a plugin writes an input in place.
#pragma once

#include "compiler/dialects/graph/Graph.h"

#include "llvm/ADT/DenseMap.h"

namespace inlay {

/// Results of calls that are an operand's memory. A result takes that memory over where nothing
/// reads the operand from the call on: it is another call's result, this call takes it once, no
/// later call takes it, and it is no output of the model. Elsewhere the result has memory of its
/// own, into which the operand is copied first, so that in-place calls mean what the graph says.
class ValueStorage {
public:
  /// Notes that result `result` of a call is its operand `operand`'s memory. Calls come in the
  /// order in which they stand.
  void alias(graph::CallOp call, unsigned result, unsigned operand);
  /// The first value in the memory that a value lies in; the value itself where it shares none.
  mlir::Value first(mlir::Value value) const;

private:
  llvm::DenseMap<mlir::Value, mlir::Value> first_;
};

} // namespace inlay
