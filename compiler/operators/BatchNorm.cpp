// Normalisation of channels: by statistics that are given, or by those of the batch.
#include "base/Error.h"
#include "compiler/operators/Arguments.h"
#include "compiler/operators/LaunchBuilder.h"
#include "compiler/operators/ProductTiles.h"
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

/// What an operator returns of means and inverse deviations.
enum class Statistics : uint8_t {
  None,
  Empty,   // empty tensors: what PyTorch gives for CPU tensors where they are known before
  Channels // those that were used
};

Expr statisticsSize(const PluginNode &node, Statistics statistics) {
  return statistics == Statistics::Empty ? Expr(0) : inputOf(node, "input").shape[1];
}

Result<PluginDescription> describe(const PluginNode &node, Statistics statistics) {
  INLAY_TRY(checkArguments(node));
  const TensorSpec &input = inputOf(node, "input");
  PluginDescription description;
  description.outputs.push_back(input);
  if (statistics != Statistics::None)
    description.outputs.resize(3, {sumTypeOf(input.dtype), {statisticsSize(node, statistics)}});
  for (std::string_view name : {"weight", "bias", "running_mean", "running_var"})
    if (const TensorSpec *tensor = findInput(node, name))
      description.requirements.push_back(
          {equal(tensor->numel(), input.shape[1]),
           fmt::format("'{}' has one element for each of {} channels", name,
                       input.shape[1].toString())});
  return description;
}

/// Where means (0) and inverse deviations or variances (1) are that the batch is normalised by.
void addStatistics(LaunchBuilder &launch, const PluginNode &node, Statistics statistics) {
  for (uint32_t i = 0; i < 2; ++i)
    if (!usesOwnStatistics(node))
      launch.input(inputIndex(node, i == 0 ? "running_mean" : "running_var"));
    else if (statistics == Statistics::Channels)
      launch.output(1 + i);
    else
      launch.workspace(i, sumTypeOf(inputOf(node, "input").dtype));
}

PluginLaunch ownStatisticsLaunch(const PluginNode &node, Statistics statistics) {
  const TensorSpec &input = inputOf(node, "input");
  LaunchBuilder launch("normalization.py", "batch_statistics_kernel");
  launch.input(inputIndex(node, "input"));
  addStatistics(launch, node, statistics);
  const Expr area = productOf(std::span(input.shape).subspan(2));
  // Programs of GPUs are as wide as many small planes; CPUs would divide for each element.
  const bool isByPlane = !isForGpu(node) || isOne(input.shape[0]);
  launch.sizes({input.shape[0], input.shape[1], area})
      .constant("BY_PLANE", isByPlane)
      .constant("EPSILON", floatOf(node, "eps"))
      .constant("SUM", sumTypeOf(input.dtype))
      .constant("BLOCK", isByPlane ? tileFor(area, 16, 1024, 256) : int64_t{1024});
  return launch.launchOver(input.shape[1]);
}

PluginLaunch givenStatisticsLaunch(const PluginNode &node) {
  const TensorSpec &input = inputOf(node, "input");
  constexpr int64_t kBlock = 256;
  LaunchBuilder launch("normalization.py", "given_statistics_kernel");
  addStatistics(launch, node, Statistics::Channels);
  launch.output(1)
      .output(2)
      .sizes({input.shape[1]})
      .constant("EPSILON", floatOf(node, "eps"))
      .constant("SUM", sumTypeOf(input.dtype))
      .constant("BLOCK", kBlock);
  return launch.launchOver(ceilDiv(input.shape[1], kBlock));
}

PluginLaunch normalizationLaunch(const PluginNode &node, Statistics statistics) {
  const TensorSpec &input = inputOf(node, "input");
  const Expr planes = input.shape[0] * input.shape[1];
  const Expr area = productOf(std::span(input.shape).subspan(2));
  constexpr int64_t kElements = 1024;
  const int64_t block = tileFor(area, 1, kElements, 256);
  const int64_t planesPerProgram = kElements / block;
  LaunchBuilder launch("normalization.py", "batch_norm_kernel");
  launch.input(inputIndex(node, "input"))
      .optionalInput("w_ptr", findInputIndex(node, "weight"))
      .optionalInput("b_ptr", findInputIndex(node, "bias"));
  addStatistics(launch, node, statistics);
  launch.output(0)
      .sizes({planes, input.shape[1], area})
      .constant("EPSILON", floatOf(node, "eps"))
      .constant("IS_INVERSE", usesOwnStatistics(node))
      .constant("SUM", sumTypeOf(input.dtype))
      .constant("PLANES", planesPerProgram)
      .constant("BLOCK", block);
  return launch.launchOver(ceilDiv(planes, planesPerProgram) * ceilDiv(area, block));
}

Result<PluginImplementation> implement(const PluginNode &node, Statistics statistics) {
  INLAY_TRY(checkArguments(node));
  PluginImplementation implementation;
  const DataType sum = sumTypeOf(inputOf(node, "input").dtype);
  const Expr bytes = inputOf(node, "input").shape[1] * Expr(dataTypeSizeBytes(sum));
  if (usesOwnStatistics(node) && statistics != Statistics::Channels)
    implementation.workspaces = {{"means", sum, bytes}, {"inverses", sum, bytes}};
  if (usesOwnStatistics(node))
    implementation.launches.push_back(ownStatisticsLaunch(node, statistics));
  else if (statistics == Statistics::Channels)
    implementation.launches.push_back(givenStatisticsLaunch(node));
  implementation.launches.push_back(normalizationLaunch(node, statistics));
  return implementation;
}

/// Which of two plugins serves a node is told by what the exporter recorded.
Status checkStatistics(const PluginNode &node, Statistics statistics) {
  if (node.outputs.size() != 3 || node.outputs[1].shape.size() != 1 ||
      (node.outputs[1].shape[0] == Expr(0)) == (statistics == Statistics::Empty))
    return {};
  return invalidArgument("node {} ({}): its second output has the shape {}; expected [{}]",
                         node.nodeName, node.opName, shapeText(node.outputs[1].shape),
                         statisticsSize(node, statistics).toString());
}

} // namespace

void addBatchNormOperators(OperatorDefinitions &definitions) {
  const auto add = [&](std::string_view schema, Statistics statistics, std::string variant = "") {
    addOperator(definitions, schema,
                {[=](const PluginNode &node) { return describe(node, statistics); },
                 [=](const PluginNode &node) { return implement(node, statistics); },
                 std::move(variant),
                 [=](const PluginNode &node) { return checkStatistics(node, statistics); }});
  };
  add("aten::batch_norm(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? "
      "running_var, bool training, float momentum, float eps, bool cudnn_enabled) -> Tensor",
      Statistics::None);
  constexpr std::string_view kNoTraining =
      "aten::_native_batch_norm_legit_no_training(Tensor input, Tensor? weight, Tensor? bias, "
      "Tensor running_mean, Tensor running_var, float momentum, float eps) -> (Tensor, Tensor, "
      "Tensor)";
  add(kNoTraining, Statistics::Empty);
  add(kNoTraining, Statistics::Channels, "statistics");
  add("aten::_native_batch_norm_legit.no_stats(Tensor input, Tensor? weight, Tensor? bias, bool "
      "training, float momentum, float eps) -> (Tensor, Tensor, Tensor)",
      Statistics::Channels);
}

} // namespace inlay
