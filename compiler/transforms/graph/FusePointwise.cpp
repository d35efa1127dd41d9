// Pointwise operators of one shape that feed each other become one kernel, with views that only
// they read.
//
//   %t = mul(%x, %y); %u = relu(%t)   →   %u = group "pointwise" (%x, %y) { mul, relu }
//
// Requires nothing. Guarantees that every value keeps its type, to which it is rounded in the
// kernel too. Leaves alone what plugins of users serve, and values of other shapes.
#include "compiler/operators/Pointwise.h"
#include "compiler/operators/Views.h"
#include "compiler/transforms/graph/CallGroups.h"
#include "compiler/transforms/graph/Passes.h"

#include "mlir/Analysis/TopologicalSortUtils.h"

#include <fmt/format.h>

namespace inlay::graph {
namespace {

/// A kernel of more operators takes long to compile and gains nothing.
constexpr size_t kMostCalls = 48;

class PointwiseFuser {
public:
  explicit PointwiseFuser(PassContext &context) : context_(context), groups_(context.model()) {}

  void run() {
    for (auto call : context_.model().getBlock().getOps<CallOp>())
      if (isPointwise(call))
        joinProducers(call);
    absorbViews();
    for (const std::vector<CallOp> &calls : groups_.sets()) {
      const std::string names = nodeNames(calls);
      GroupOp group = makeGroup(context_, calls, GroupKind::Pointwise);
      context_.applied(group.getNode(), fmt::format("computes {} in one kernel", names));
    }
    mlir::sortTopologically(&context_.model().getBlock());
  }

private:
  bool isPointwise(CallOp call) {
    auto [known, isNew] = pointwise_.try_emplace(call, false);
    if (!isNew)
      return known->second;
    const PluginChoice *choice = context_.findStandard(call);
    const bool isOne = choice && choice->plugin->traits()->element && call.getNumResults() == 1 &&
                       choice->plugin->traits()->element(choice->node).isOk();
    return pointwise_[call] = isOne;
  }

  static mlir::ArrayAttr dimensionsOf(mlir::Value value) {
    return llvm::cast<TensorType>(value.getType()).getShape();
  }

  void joinProducers(CallOp call) {
    for (mlir::Value operand : call.getInputs()) {
      auto producer = operand.getDefiningOp<CallOp>();
      if (!producer || groups_.areTogether(producer, call) || !isPointwise(producer))
        continue;
      if (dimensionsOf(operand) != dimensionsOf(call.getResult(0))) {
        miss(call, producer, "their shapes differ");
        continue;
      }
      if (groups_.sizeOf(call) + groups_.sizeOf(producer) > kMostCalls) {
        miss(call, producer,
             fmt::format("the kernel would have more than {} operators", kMostCalls));
        continue;
      }
      if (const std::string through = groups_.findCycle(call, producer); !through.empty()) {
        miss(call, producer, fmt::format("{} lies between them", through));
        continue;
      }
      groups_.merge(producer, call);
    }
  }

  void miss(CallOp call, CallOp producer, std::string why) {
    context_.missed(call.getNode(),
                    fmt::format("stays apart from {}: {}", producer.getNode().str(), why));
  }

  /// A view, or several, of elements in another order than their memory's: kernels would copy it.
  bool isCopiedView(CallOp call) {
    const PluginChoice *choice = context_.findStandard(call);
    if (!choice || !choice->plugin->traits()->views)
      return false;
    PluginNode undescribed = choice->node;
    undescribed.outputs.clear();
    const Result<PluginDescription> description = choice->plugin->describe(undescribed);
    return description.isOk() && description->sharedInputs.empty();
  }

  /// Views that are read by one group alone are read in their place.
  void absorbViews() {
    llvm::SmallVector<CallOp> views;
    for (auto call : context_.model().getBlock().getOps<CallOp>())
      if (isCopiedView(call))
        views.push_back(call);
    for (CallOp view : views) {
      CallOp reader;
      bool isOfOne = !view->use_empty();
      for (mlir::Operation *user : view->getUsers()) {
        auto call = llvm::dyn_cast<CallOp>(user);
        isOfOne =
            isOfOne && call && isPointwise(call) && (!reader || groups_.areTogether(reader, call));
        if (call)
          reader = call;
      }
      auto source = view.getInputs()[0].getDefiningOp<CallOp>();
      if (!isOfOne || !groups_.findCycle(view, reader).empty() ||
          (source && groups_.areTogether(source, reader))) {
        if (reader)
          context_.missed(view.getNode(),
                          "is copied: not all who read it are computed in one kernel without what "
                          "it is a view of");
        continue;
      }
      groups_.merge(reader, view);
    }
  }

  PassContext &context_;
  CallGroups groups_;
  llvm::DenseMap<mlir::Operation *, bool> pointwise_;
};

} // namespace

Status fusePointwise(PassContext &context) {
  PointwiseFuser(context).run();
  return {};
}

} // namespace inlay::graph
