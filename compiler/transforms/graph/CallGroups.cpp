#include "compiler/transforms/graph/CallGroups.h"

#include "mlir/IR/IRMapping.h"

#include <algorithm>

namespace inlay::graph {

CallGroups::CallGroups(ModelOp model) : model_(model) {
  for (mlir::Operation &op : model.getBlock()) {
    order_[&op] = setOf_[&op] = ops_.size();
    sets_.push_back({ops_.size()});
    ops_.push_back(&op);
  }
}

std::vector<CallOp> CallGroups::membersOf(CallOp call) const {
  std::vector<CallOp> members;
  for (size_t place : sets_[setOf(call)])
    members.push_back(llvm::cast<CallOp>(ops_[place]));
  return members;
}

std::string CallGroups::findCycle(CallOp a, CallOp b) const {
  const size_t setA = setOf(a), setB = setOf(b);
  const size_t first = std::min(sets_[setA].front(), sets_[setB].front());
  // Backwards from what the new set takes from others; sets count as one.
  std::vector<std::pair<size_t, size_t>> pending; // a set, and that through which it was reached
  llvm::DenseSet<size_t> seen;
  const auto pushOperands = [&](size_t set, size_t through) {
    for (size_t place : sets_[set])
      for (mlir::Value operand : ops_[place]->getOperands())
        if (mlir::Operation *producer = operand.getDefiningOp()) {
          const size_t from = setOf(producer);
          const bool isOwn = from == setA || from == setB;
          if (through == SIZE_MAX ? isOwn : from == set)
            continue;
          if (sets_[from].back() >= first && (isOwn || seen.insert(from).second))
            pending.emplace_back(from, through == SIZE_MAX ? from : through);
        }
  };
  pushOperands(setA, SIZE_MAX);
  pushOperands(setB, SIZE_MAX);
  while (!pending.empty()) {
    const auto [set, through] = pending.back();
    pending.pop_back();
    if (set == setA || set == setB) {
      auto call = llvm::dyn_cast<CallOp>(ops_[sets_[through].front()]);
      return call ? call.getNode().str() : "another node";
    }
    pushOperands(set, through);
  }
  return "";
}

void CallGroups::merge(CallOp a, CallOp b) {
  const size_t into = setOf(a), from = setOf(b);
  if (into == from)
    return;
  for (size_t place : sets_[from]) {
    setOf_[ops_[place]] = into;
    sets_[into].push_back(place);
  }
  sets_[from].clear();
  std::ranges::sort(sets_[into]);
}

std::vector<std::vector<CallOp>> CallGroups::sets() const {
  std::vector<std::vector<CallOp>> result;
  for (size_t place = 0; place < ops_.size(); ++place) {
    const std::vector<size_t> &set = sets_[setOf(ops_[place])];
    if (set.size() > 1 && set.front() == place)
      result.push_back(membersOf(llvm::cast<CallOp>(ops_[place])));
  }
  return result;
}

GroupOp makeGroup(PassContext &context, mlir::ArrayRef<CallOp> calls, GroupKind kind) {
  llvm::SetVector<mlir::Value> inputs, results;
  llvm::DenseSet<mlir::Operation *> members(calls.begin(), calls.end());
  llvm::SmallVector<mlir::Location> locations;
  for (CallOp call : calls) {
    locations.push_back(call.getLoc());
    for (mlir::Value operand : call.getInputs())
      if (!members.contains(operand.getDefiningOp()))
        inputs.insert(operand);
    for (mlir::Value result : call.getOutputs())
      if (llvm::any_of(result.getUsers(),
                       [&](mlir::Operation *user) { return !members.contains(user); }))
        results.insert(result);
  }
  mlir::OpBuilder builder(calls.back());
  const mlir::Location location = mlir::FusedLoc::get(builder.getContext(), locations);
  const mlir::ValueRange operands(inputs.getArrayRef()), yielded(results.getArrayRef());
  auto group = GroupOp::create(builder, location, mlir::TypeRange(yielded),
                               builder.getStringAttr(groupKindName(kind)),
                               builder.getStringAttr(CallOp(calls.back()).getNode()), operands);
  mlir::Block *block = builder.createBlock(&group.getBody());
  mlir::IRMapping mapping;
  for (mlir::Value input : inputs)
    mapping.map(input, block->addArgument(input.getType(), input.getLoc()));
  for (CallOp call : calls)
    builder.clone(*call, mapping);
  llvm::SmallVector<mlir::Value> inner;
  for (mlir::Value result : results)
    inner.push_back(mapping.lookup(result));
  YieldOp::create(builder, location, inner);
  for (size_t i = 0; i < results.size(); ++i)
    mlir::Value(results[i]).replaceAllUsesWith(group.getOutputs()[static_cast<unsigned>(i)]);
  // Users of a call are members or gone.
  for (CallOp call : llvm::reverse(calls))
    context.erase(call);
  return group;
}

std::string nodeNames(mlir::ArrayRef<CallOp> calls) {
  std::string names;
  for (size_t i = 0; i < calls.size(); ++i)
    names += (i == 0                  ? ""
              : i + 1 == calls.size() ? " and "
                                      : ", ") +
             CallOp(calls[i]).getNode().str();
  return names;
}

} // namespace inlay::graph
