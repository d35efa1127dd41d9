// Normalisation of channels: by statistics that are given, or by those of the batch.
#include "base/Error.h"
#include "compiler/operators/Arguments.h"
#include "compiler/operators/LaunchBuilder.h"
#include "compiler/operators/Shapes.h"

namespace inlay {
namespace {

/// Training without running statistics is normalisation by the batch's own.
bool usesOwnStatistics(const PluginNode &node) {
  return hasAttribute(node, "training") && boolOf(node, "training") &&
         !findInput(node, "running_mean") && !findInput(node, "running_var");
}

Status checkArguments(const PluginNode &node) {
  INLAY_TRY(checkFloat(node, "input"));
  if (inputOf(node, "input").shape.size() < 2)
    return invalidArgument("'input' has rank {}; expected at least 2",
                           inputOf(node, "input").shape.size());
  if (usesOwnStatistics(node))
    return {};
  if (hasAttribute(node, "training") && boolOf(node, "training"))
    return unimplemented("training with running statistics is not supported");
  for (std::string_view name : {"running_mean", "running_var"})
    if (!findInput(node, name))
      return invalidArgument("there is no '{}'; without training it is needed", name);
  return {};
}

Result<PluginDescription> describe(const PluginNode &node, bool returnsStatistics) {
  INLAY_TRY(checkArguments(node));
  const TensorSpec &input = inputOf(node, "input");
  PluginDescription description;
  description.outputs.push_back(input);
  // Where statistics are given PyTorch returns empty tensors for those of the batch.
  if (returnsStatistics)
    description.outputs.resize(
        3, {sumTypeOf(input.dtype), {usesOwnStatistics(node) ? input.shape[1] : Expr(0)}});
  for (std::string_view name : {"weight", "bias", "running_mean", "running_var"})
    if (const TensorSpec *tensor = findInput(node, name))
      description.requirements.push_back(
          {equal(tensor->numel(), input.shape[1]),
           fmt::format("'{}' has one element for each of {} channels", name,
                       input.shape[1].toString())});
  return description;
}

/// Where means (0) and inverse deviations or variances (1) are.
void addStatistics(LaunchBuilder &launch, const PluginNode &node, bool returnsStatistics) {
  for (uint32_t i = 0; i < 2; ++i)
    if (!usesOwnStatistics(node))
      launch.input(inputIndex(node, i == 0 ? "running_mean" : "running_var"));
    else if (returnsStatistics)
      launch.output(1 + i);
    else
      launch.workspace(i, sumTypeOf(inputOf(node, "input").dtype));
}

PluginLaunch statisticsLaunch(const PluginNode &node, bool returnsStatistics) {
  const TensorSpec &input = inputOf(node, "input");
  LaunchBuilder launch("normalization.py", "batch_statistics_kernel");
  launch.input(inputIndex(node, "input"));
  addStatistics(launch, node, returnsStatistics);
  launch.sizes({input.shape[0], input.shape[1], productOf(std::span(input.shape).subspan(2))})
      .constant("EPSILON", floatOf(node, "eps"))
      .constant("SUM", sumTypeOf(input.dtype))
      .constant("BLOCK", int64_t{1024});
  return launch.launchOver(input.shape[1]);
}

Result<PluginImplementation> implement(const PluginNode &node, bool returnsStatistics) {
  INLAY_TRY(checkArguments(node));
  const TensorSpec &input = inputOf(node, "input");
  const DataType sum = sumTypeOf(input.dtype);
  PluginImplementation implementation;
  if (usesOwnStatistics(node)) {
    implementation.launches.push_back(statisticsLaunch(node, returnsStatistics));
    const Expr bytes = input.shape[1] * Expr(dataTypeSizeBytes(sum));
    if (!returnsStatistics)
      implementation.workspaces = {{"means", sum, bytes}, {"inverses", sum, bytes}};
  }
  constexpr int64_t kBlock = 1024;
  LaunchBuilder launch("normalization.py", "batch_norm_kernel");
  launch.input(inputIndex(node, "input"))
      .optionalInput("w_ptr", findInputIndex(node, "weight"))
      .optionalInput("b_ptr", findInputIndex(node, "bias"));
  addStatistics(launch, node, returnsStatistics);
  launch.output(0)
      .wideSize(input.numel())
      .sizes({input.shape[1], productOf(std::span(input.shape).subspan(2))})
      .constant("EPSILON", floatOf(node, "eps"))
      .constant("IS_INVERSE", usesOwnStatistics(node))
      .constant("SUM", sum)
      .constant("BLOCK", kBlock);
  implementation.launches.push_back(launch.launchOver(ceilDiv(input.numel(), kBlock)));
  return implementation;
}

} // namespace

void addBatchNormOperators(OperatorDefinitions &definitions) {
  const auto add = [&](std::string_view schema, bool returnsStatistics) {
    addOperator(definitions, schema,
                {[=](const PluginNode &node) { return describe(node, returnsStatistics); },
                 [=](const PluginNode &node) { return implement(node, returnsStatistics); }});
  };
  add("aten::batch_norm(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? "
      "running_var, bool training, float momentum, float eps, bool cudnn_enabled) -> Tensor",
      false);
  add("aten::_native_batch_norm_legit_no_training(Tensor input, Tensor? weight, Tensor? bias, "
      "Tensor running_mean, Tensor running_var, float momentum, float eps) -> (Tensor, Tensor, "
      "Tensor)",
      true);
  add("aten::_native_batch_norm_legit.no_stats(Tensor input, Tensor? weight, Tensor? bias, bool "
      "training, float momentum, float eps) -> (Tensor, Tensor, Tensor)",
      true);
}

} // namespace inlay
