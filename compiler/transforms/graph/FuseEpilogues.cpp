// Pointwise operators that alone read the result of a product of matrices or a convolution become
// part of its kernel.
//
//   %t = conv2d(%x, W, b); %u = add(%t, %r); %y = relu(%u)
//     →   %y = group "tail" (%x, W, b, %r) { conv2d, add, relu }
//
// Requires nothing; runs behind fuse-reductions, which takes what stands in front of sums along
// lines. Guarantees that every value keeps its type, to which it is rounded in the kernel too.
// Leaves alone what plugins of users serve, results that are used elsewhere too, and operators of
// another shape than the result; views that change nothing but the shape may stand between.
#include "compiler/operators/Pointwise.h"
#include "compiler/transforms/graph/CallGroups.h"
#include "compiler/transforms/graph/Passes.h"
#include "compiler/transforms/graph/ViewFacts.h"

#include "mlir/Analysis/TopologicalSortUtils.h"

#include <fmt/format.h>

namespace inlay::graph {
namespace {

/// More operators than this need more registers than a product leaves.
constexpr size_t kMostCalls = 24;

class EpilogueFuser {
public:
  explicit EpilogueFuser(PassContext &context) : context_(context) {
    for (mlir::Operation &op : context.model().getBlock())
      order_[&op] = order_.size();
  }

  void run() {
    llvm::SmallVector<CallOp> products;
    for (auto call : context_.model().getBlock().getOps<CallOp>())
      if (takesTail(call))
        products.push_back(call);
    for (CallOp product : products)
      fuse(product);
    mlir::sortTopologically(&context_.model().getBlock());
  }

private:
  bool takesTail(CallOp call) {
    const PluginChoice *choice = context_.findStandard(call);
    return choice && choice->plugin->traits()->implementWithTail && call.getNumResults() == 1;
  }

  bool isPointwise(CallOp call) {
    const PluginChoice *choice = context_.findStandard(call);
    return choice && choice->plugin->traits()->element && call.getNumResults() == 1 &&
           choice->plugin->traits()->element(choice->node).isOk();
  }

  static mlir::ArrayAttr shapeOf(mlir::Value value) {
    return llvm::cast<TensorType>(value.getType()).getShape();
  }

  /// Grows a set along the readers of its values, earliest first; the largest that leaves one value
  /// for others, that of its last member, becomes a group.
  void fuse(CallOp product) {
    members_ = {product};
    why_.clear();
    mlir::Value value = followViews(product.getResult(0));
    shape_ = shapeOf(value);
    const size_t numFirst = members_.size();
    size_t best = 0;
    for (CallOp next = findNext(numFirst); next && members_.size() < kMostCalls;
         next = findNext(numFirst)) {
      members_.push_back(next);
      if (leavesLastOnly())
        best = members_.size();
    }
    if (best == 0)
      return miss(product);
    members_.resize(best);
    const std::string names = nodeNames(llvm::ArrayRef(members_).drop_front()),
                      name = product.getNode().str();
    GroupOp group = makeGroup(context_, members_, GroupKind::Tail);
    context_.applied(group.getNode(), fmt::format("the kernel of {} computes {}", name, names));
  }

  /// Takes views of all elements in their order, each the only reader of the one before.
  mlir::Value followViews(mlir::Value value) {
    while (value.hasOneUse()) {
      auto view = llvm::dyn_cast<CallOp>(*value.getUsers().begin());
      if (!view || view.getInputs()[0] != value || !isWholeView(context_, view) ||
          llvm::cast<TensorType>(view.getResult(0).getType()).getDtype() !=
              llvm::cast<TensorType>(value.getType()).getDtype())
        break;
      members_.push_back(view);
      value = view.getResult(0);
    }
    return value;
  }

  bool isMember(mlir::Operation *op) const {
    return op && llvm::any_of(members_, [&](CallOp member) { return member == op; });
  }

  /// The first call that takes a value of the set and may join it; null if there is none. Values in
  /// front of the last view have another shape.
  CallOp findNext(size_t numFirst) {
    CallOp next;
    for (CallOp member : llvm::ArrayRef(members_).drop_front(numFirst - 1))
      for (mlir::Operation *user : member.getResult(0).getUsers()) {
        auto call = llvm::dyn_cast<CallOp>(user);
        if (!isMember(user) && canJoin(call, user) &&
            (!next || order_.lookup(call) < order_.lookup(next)))
          next = call;
      }
    return next;
  }

  bool canJoin(CallOp call, mlir::Operation *user) {
    if (!call || !isPointwise(call)) {
      if (auto group = llvm::dyn_cast<GroupOp>(user))
        why_ = fmt::format("{} is computed in one kernel with others", group.getNode().str());
      return false;
    }
    if (shapeOf(call.getResult(0)) == shape_)
      return true;
    why_ = fmt::format("the shape of {} is another", call.getNode().str());
    return false;
  }

  /// True if the value of the last member alone is used by others.
  bool leavesLastOnly() const {
    return llvm::all_of(members_, [&](CallOp member) {
      const bool isUsedElsewhere = llvm::any_of(
          member.getResult(0).getUsers(), [&](mlir::Operation *user) { return !isMember(user); });
      return isUsedElsewhere == (member == members_.back());
    });
  }

  /// Says why a product keeps its own kernel, where a pointwise operator reads its result.
  void miss(CallOp product) {
    if (members_.size() > 1 && isPointwise(members_.back())) {
      for (CallOp member : members_)
        for (mlir::Operation *user : member.getResult(0).getUsers())
          if (!isMember(user) && member != members_.back())
            why_ = fmt::format("the result of {} is used by {} too", member.getNode().str(),
                               nameOf(user));
      if (why_.empty())
        why_ = fmt::format("there are more than {} operators behind it", kMostCalls);
    }
    if (!why_.empty())
      context_.missed(product.getNode(), "no operator becomes part of its kernel: " + why_);
  }

  static std::string nameOf(mlir::Operation *user) {
    if (auto call = llvm::dyn_cast<CallOp>(user))
      return call.getNode().str();
    if (auto group = llvm::dyn_cast<GroupOp>(user))
      return group.getNode().str();
    return llvm::isa<UpdateOp>(user) ? "an update of state" : "the model's outputs";
  }

  PassContext &context_;
  llvm::DenseMap<mlir::Operation *, size_t> order_;
  llvm::SmallVector<CallOp> members_; // of the set that grows, in their order
  mlir::ArrayAttr shape_;
  std::string why_;
};

} // namespace

Status fuseEpilogues(PassContext &context) {
  EpilogueFuser(context).run();
  return {};
}

} // namespace inlay::graph
