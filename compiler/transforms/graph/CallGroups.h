// Sets of calls that are to become one group: which may be put together, and how that is done.
#pragma once

#include "compiler/transforms/graph/PassContext.h"

#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"

namespace inlay::graph {

/// Disjoint sets of calls of one model. Two sets may be merged unless a value would go out of the
/// new set and, through other calls or sets, back into it.
class CallGroups {
public:
  explicit CallGroups(ModelOp model);

  /// The calls of the set that a call is in, which may be itself alone; in their order.
  std::vector<CallOp> membersOf(CallOp call) const;
  size_t sizeOf(CallOp call) const { return sets_[setOf(call)].size(); }
  bool areTogether(CallOp a, CallOp b) const { return setOf(a) == setOf(b); }
  /// The node through which a value would come back if the sets of both were one; empty if none.
  std::string findCycle(CallOp a, CallOp b) const;
  /// Merges the sets of both.
  void merge(CallOp a, CallOp b);
  /// All sets of two calls or more, in the order of their first calls.
  std::vector<std::vector<CallOp>> sets() const;
  /// Where a call stands among all.
  size_t orderOf(mlir::Operation *op) const { return order_.lookup(op); }

private:
  size_t setOf(mlir::Operation *op) const { return setOf_.lookup(op); }

  ModelOp model_;
  std::vector<mlir::Operation *> ops_;
  llvm::DenseMap<mlir::Operation *, size_t> order_, setOf_;
  std::vector<std::vector<size_t>> sets_; // of places in ops_, sorted; empty after a merge
};

/// Replaces calls, in the order in which they stand, by a group of them; what is used outside of it
/// becomes its results. The group has the name of the last. The block's order is to be mended after
/// the last group (sortTopologically).
GroupOp makeGroup(PassContext &context, mlir::ArrayRef<CallOp> calls, GroupKind kind);

/// "mul_1, add_2 and relu_3".
std::string nodeNames(mlir::ArrayRef<CallOp> calls);

} // namespace inlay::graph
