// Losses between two tensors: of each pair of elements, or their sum or mean.
#include "base/Error.h"
#include "compiler/operators/Arguments.h"
#include "compiler/operators/LaunchBuilder.h"
#include "compiler/operators/Shapes.h"

namespace inlay {
namespace {

/// PyTorch's numbers of reductions.
enum Reduction : int64_t { None = 0, Mean = 1, Sum = 2 };

constexpr int64_t kBlock = 1024;

/// A loss, as ops/losses.py names it, and the attribute that says where it turns from squares to
/// lines.
struct Loss {
  std::string_view kind, bound;
};

Result<double> boundOf(const PluginNode &node, const Loss &loss) {
  if (loss.bound.empty())
    return 0.0;
  const double bound = floatOf(node, loss.bound);
  const bool mayBeZero = loss.kind == "smooth";
  if (bound > 0 || (mayBeZero && bound == 0))
    return bound;
  return invalidArgument("'{}' is {}; expected a {} number", loss.bound, bound,
                         mayBeZero ? "non-negative" : "positive");
}

Result<PluginDescription> describe(const PluginNode &node, const Loss &loss) {
  INLAY_TRY(checkFloat(node, "self"));
  INLAY_TRY(checkOneType(node));
  INLAY_TRY(boundOf(node, loss).status());
  const int64_t reduction = integerOf(node, "reduction");
  if (reduction < None || reduction > Sum)
    return invalidArgument("reduction is {}; expected 0 (none), 1 (mean) or 2 (sum)", reduction);
  const TensorSpec &self = inputOf(node, "self"), &target = inputOf(node, "target");
  if (self.shape.size() != target.shape.size())
    return unimplemented("'self' has rank {} and 'target' rank {}; only tensors of one shape are "
                         "supported",
                         self.shape.size(), target.shape.size());
  PluginDescription description;
  description.outputs.push_back({self.dtype, reduction == None ? self.shape : std::vector<Expr>()});
  for (size_t dim = 0; dim < self.shape.size(); ++dim)
    if (!(self.shape[dim] == target.shape[dim]))
      description.requirements.push_back(
          {equal(self.shape[dim], target.shape[dim]),
           fmt::format("'self' and 'target' have one size in dimension {}; they are not broadcast",
                       dim)});
  return description;
}

void addPairs(LaunchBuilder &launch, const PluginNode &node) {
  launch.input(inputIndex(node, "self")).input(inputIndex(node, "target"));
}

Result<PluginImplementation> implement(const PluginNode &node, const Loss &loss) {
  INLAY_ASSIGN(const double bound, boundOf(node, loss));
  const DataType sum = sumTypeOf(inputOf(node, "self").dtype);
  const Expr n = inputOf(node, "self").numel();
  const auto addLoss = [&](LaunchBuilder &launch) {
    launch.wideSize(n)
        .constant("KIND", std::string(loss.kind))
        .constant("BOUND", bound)
        .constant("SUM", sum)
        .constant("BLOCK", kBlock);
  };
  const int64_t reduction = integerOf(node, "reduction");
  if (reduction == None) {
    LaunchBuilder launch("losses.py", "loss_kernel");
    addPairs(launch, node);
    launch.output(0);
    addLoss(launch);
    return launch.over(ceilDiv(n, kBlock));
  }
  constexpr int64_t kSteps = 16;
  const Expr parts = ceilDiv(n, kSteps * kBlock);
  LaunchBuilder launch("losses.py", "part_kernel"), total("losses.py", "total_kernel");
  addPairs(launch, node);
  launch.workspace(0, sum);
  addLoss(launch);
  launch.constant("STEPS", kSteps);
  total.workspace(0, sum)
      .output(0)
      .sizes({parts})
      .wideSize(n)
      .constant("IS_MEAN", reduction == Mean)
      .constant("SUM", sum)
      .constant("BLOCK", kBlock);
  PluginImplementation implementation = launch.over(parts);
  implementation.workspaces = {{"parts", sum, max(parts, 1) * Expr(dataTypeSizeBytes(sum))}};
  implementation.launches.push_back(total.launchOver(Expr(1)));
  return implementation;
}

} // namespace

void addLossOperators(OperatorDefinitions &definitions) {
  const auto add = [&](std::string_view name, std::string_view parameter, const Loss &loss) {
    addOperator(definitions,
                fmt::format("aten::{}(Tensor self, Tensor target, int reduction=1{}) -> Tensor",
                            name, parameter),
                {[loss](const PluginNode &node) { return describe(node, loss); },
                 [loss](const PluginNode &node) { return implement(node, loss); }});
  };
  add("mse_loss", "", {"square", ""});
  add("l1_loss", "", {"absolute", ""});
  add("smooth_l1_loss", ", float beta=1.0", {"smooth", "beta"});
  add("huber_loss", ", float delta=1.0", {"huber", "delta"});
}

} // namespace inlay
