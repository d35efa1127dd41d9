// Operators along lines of the last dimension (sums, means, softmax, normalisations) become one
// kernel with the pointwise operators before and behind them.
//
//   pow, mean, add, rsqrt, mul, mul   →   group "lines" { … }: a normalisation by the root mean
//   square
//
// Requires that the length of the lines is known and that a program can hold whole lines. Leaves
// alone what plugins of users serve. Values keep their types, to which they are rounded in the
// kernel too.
#include "compiler/operators/LineOperation.h"
#include "compiler/operators/Pointwise.h"
#include "compiler/transforms/graph/CallGroups.h"
#include "compiler/transforms/graph/Passes.h"

#include "mlir/Analysis/TopologicalSortUtils.h"

#include <fmt/format.h>

namespace inlay::graph {
namespace {

/// More operators than this need more registers than there are.
constexpr size_t kMostCalls = 24;

mlir::ArrayAttr shapeOf(mlir::Value value) {
  return llvm::cast<TensorType>(value.getType()).getShape();
}

/// The shape with one element for each line.
mlir::ArrayAttr shapeOfLines(mlir::ArrayAttr shape) {
  llvm::SmallVector<mlir::Attribute> sizes(shape.begin(), shape.end());
  sizes.back() = mlir::StringAttr::get(shape.getContext(), "1");
  return mlir::ArrayAttr::get(shape.getContext(), sizes);
}

class ReductionFuser {
public:
  explicit ReductionFuser(PassContext &context) : context_(context), groups_(context.model()) {}

  void run() {
    llvm::SmallVector<CallOp> lines;
    for (auto call : context_.model().getBlock().getOps<CallOp>())
      if (isAlongLines(call))
        lines.push_back(call);
    for (CallOp call : lines) {
      domain_ = shapeOf(call.getInputs()[0]);
      ofLines_ = shapeOfLines(domain_);
      grow(call);
    }
    for (const std::vector<CallOp> &calls : groups_.sets()) {
      const std::string names = nodeNames(calls);
      GroupOp group = makeGroup(context_, calls, GroupKind::Lines);
      context_.applied(group.getNode(), fmt::format("computes {} in one kernel", names));
    }
    mlir::sortTopologically(&context_.model().getBlock());
  }

private:
  /// An operator along lines of a length that programs hold, of which the first result alone is
  /// used.
  bool isAlongLines(CallOp call) {
    const PluginChoice *choice = context_.findStandard(call);
    if (!choice || !choice->plugin->traits()->line)
      return false;
    const Result<LineOperation> operation = choice->plugin->traits()->line(choice->node);
    if (!operation.isOk()) {
      context_.missed(call.getNode(), operation.status().message());
      return false;
    }
    const std::optional<int64_t> length = choice->node.inputs[0].shape.back().constantValue();
    if (!length || *length < 2 || *length > kLongestLine) {
      context_.missed(call.getNode(),
                      fmt::format("its lines have {} elements; lines of 2 to {} are held whole",
                                  choice->node.inputs[0].shape.back().toString(), kLongestLine));
      return false;
    }
    return llvm::all_of(call.getOutputs().drop_front(),
                        [](mlir::Value other) { return other.use_empty(); });
  }

  bool isPointwise(CallOp call) {
    const PluginChoice *choice = context_.findStandard(call);
    return choice && choice->plugin->traits()->element && call.getNumResults() == 1 &&
           choice->plugin->traits()->element(choice->node).isOk();
  }

  /// True for what a kernel of this domain's lines can compute too.
  bool canJoin(CallOp call) {
    if (!call || groups_.sizeOf(call) != 1)
      return false;
    if (isPointwise(call))
      return shapeOf(call.getResult(0)) == domain_ || shapeOf(call.getResult(0)) == ofLines_;
    return !call.getInputs().empty() && shapeOf(call.getInputs()[0]) == domain_ &&
           isAlongLines(call);
  }

  /// What a member leaves behind may be read by others of the kernel if it has the shape of the
  /// domain, or one element for each line.
  bool isReadable(mlir::Value value) {
    return shapeOf(value) == domain_ || shapeOf(value) == ofLines_;
  }

  /// Adds neighbours until there are none.
  void grow(CallOp seed) {
    for (bool hasGrown = true; hasGrown;) {
      hasGrown = false;
      for (CallOp member : groups_.membersOf(seed)) {
        for (mlir::Value operand : member.getInputs())
          if (auto producer = operand.getDefiningOp<CallOp>();
              producer && isReadable(operand) && join(seed, producer, member))
            hasGrown = true;
        if (isReadable(member.getResult(0)))
          for (mlir::Operation *user : member.getResult(0).getUsers())
            if (join(seed, llvm::dyn_cast<CallOp>(user), member))
              hasGrown = true;
      }
    }
  }

  bool join(CallOp seed, CallOp call, CallOp neighbour) {
    if (!call || groups_.areTogether(seed, call) || !canJoin(call))
      return false;
    const auto miss = [&](std::string why) {
      context_.missed(call.getNode(), fmt::format("stays apart from {}: {}",
                                                  neighbour.getNode().str(), std::move(why)));
      return false;
    };
    if (groups_.sizeOf(seed) >= kMostCalls)
      return miss(fmt::format("the kernel would have more than {} operators", kMostCalls));
    if (passesOtherShapes(seed, call))
      return miss("a value of another shape would go between them");
    if (const std::string through = groups_.findCycle(seed, call); !through.empty())
      return miss(fmt::format("{} lies between them", through));
    groups_.merge(seed, call);
    return true;
  }

  /// True if a call and a set would exchange a value that a kernel of lines does not hold: the sums
  /// of lines without the dimension that is summed, say.
  bool passesOtherShapes(CallOp seed, CallOp call) {
    const auto isOfSet = [&](mlir::Operation *op) {
      auto other = llvm::dyn_cast_or_null<CallOp>(op);
      return other && groups_.areTogether(seed, other);
    };
    return llvm::any_of(call.getInputs(),
                        [&](mlir::Value input) {
                          return isOfSet(input.getDefiningOp()) && !isReadable(input);
                        }) ||
           (!isReadable(call.getResult(0)) && llvm::any_of(call.getResult(0).getUsers(), isOfSet));
  }

  PassContext &context_;
  CallGroups groups_;
  mlir::ArrayAttr domain_, ofLines_;
};

} // namespace

Status fuseReductions(PassContext &context) {
  ReductionFuser(context).run();
  return {};
}

} // namespace inlay::graph
