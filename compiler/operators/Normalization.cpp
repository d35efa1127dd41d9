// Normalisations of layers and groups, and by the root of the mean square.
#include "base/Error.h"
#include "compiler/operators/Arguments.h"
#include "compiler/operators/LineOperation.h"
#include "compiler/operators/Lines.h"
#include "compiler/operators/Pointwise.h"
#include "compiler/operators/Shapes.h"

#include <algorithm>
#include <limits>

namespace inlay {
namespace {

/// Rows that are normalised each by itself; weights are by place in the row, or by channel where
/// `area` elements of a row belong to each of `channels`.
struct Rows {
  Expr rows, columns;
  bool isGrouped = false;
  Expr groups = 1, channels = 1, area = 1;
  std::vector<Expr> statisticsShape;
  std::vector<PluginRequirement> requirements;
};

/// Rows of the last dimensions, of the shape that the attribute "normalized_shape" gives.
Result<Rows> readLayerRows(const PluginNode &node) {
  INLAY_TRY(checkFloat(node, "input"));
  const std::vector<Expr> &shape = inputOf(node, "input").shape;
  const std::vector<Expr> normalized = sizesOf(node, "normalized_shape");
  if (normalized.empty() || normalized.size() > shape.size())
    return invalidArgument("normalized_shape is {} for an input of shape {}; expected one to {} "
                           "sizes",
                           shapeText(normalized), shapeText(shape), shape.size());
  Rows rows;
  const size_t first = shape.size() - normalized.size();
  for (size_t i = 0; i < normalized.size(); ++i)
    if (!(normalized[i] == shape[first + i]))
      rows.requirements.push_back(
          {equal(normalized[i], shape[first + i]),
           fmt::format("normalized_shape {} equals the last sizes of the input's shape {}",
                       shapeText(normalized), shapeText(shape))});
  for (std::string_view name : {"weight", "bias"})
    if (const TensorSpec *weight = findInput(node, name))
      rows.requirements.push_back({equal(weight->numel(), productOf(normalized)),
                                   fmt::format("'{}' of shape {} has the normalized_shape {}", name,
                                               shapeText(weight->shape), shapeText(normalized))});
  rows.rows = productOf(std::span(shape).first(first));
  rows.columns = productOf(std::span(shape).subspan(first));
  rows.statisticsShape.assign(shape.begin(), shape.begin() + static_cast<std::ptrdiff_t>(first));
  rows.statisticsShape.resize(shape.size(), Expr(1));
  return rows;
}

void addChannelRequirements(const PluginNode &node, const Expr &channels, Rows &rows) {
  for (std::string_view name : {"weight", "bias"})
    if (const TensorSpec *weight = findInput(node, name))
      rows.requirements.push_back(
          {equal(weight->numel(), channels),
           fmt::format("'{}' has one element for each of {} channels", name, channels.toString())});
}

/// Rows of the channels of one group of one image.
Result<Rows> readGroupRows(const PluginNode &node) {
  INLAY_TRY(checkFloat(node, "input"));
  const std::vector<Expr> &shape = inputOf(node, "input").shape;
  if (shape.size() < 2)
    return invalidArgument("'input' has rank {}; expected at least 2", shape.size());
  const int64_t groups = integerOf(node, hasAttribute(node, "num_groups") ? "num_groups" : "group");
  if (groups < 1)
    return invalidArgument("the number of groups is {}; expected at least 1", groups);
  Rows rows;
  rows.isGrouped = true;
  rows.groups = groups;
  rows.channels = floorDiv(shape[1], groups);
  rows.area = productOf(std::span(shape).subspan(2));
  rows.rows = shape[0] * Expr(groups);
  rows.columns = rows.channels * rows.area;
  rows.statisticsShape = {shape[0], Expr(groups)};
  rows.requirements.push_back({equal(mod(shape[1], groups), 0),
                               fmt::format("the {} channels are a multiple of the {} groups",
                                           shape[1].toString(), groups)});
  addChannelRequirements(node, shape[1], rows);
  return rows;
}

/// Rows of one channel of one image.
Result<Rows> readInstanceRows(const PluginNode &node) {
  INLAY_TRY(checkFloat(node, "input"));
  const std::vector<Expr> &shape = inputOf(node, "input").shape;
  if (shape.size() < 2)
    return invalidArgument("'input' has rank {}; expected at least 2", shape.size());
  if (!boolOf(node, "use_input_stats") || findInput(node, "running_mean") ||
      findInput(node, "running_var"))
    return unimplemented("running statistics are given; expected use_input_stats=True without any");
  Rows rows;
  rows.isGrouped = true;
  rows.groups = shape[1];
  rows.area = productOf(std::span(shape).subspan(2));
  rows.rows = shape[0] * shape[1];
  rows.columns = rows.area;
  addChannelRequirements(node, shape[1], rows);
  return rows;
}

/// What an operator returns of means and inverse deviations.
enum class Statistics : uint8_t {
  None,
  Narrow, // of the input's type: what PyTorch gives for CPU tensors
  Wide    // of the type of the computation: what it gives for CUDA tensors
};

/// Which rows, whether their mean is taken off, and what is returned of it.
struct Normalization {
  Result<Rows> (*read)(const PluginNode &);
  bool isCentered;
  Statistics statistics;
};

DataType statisticsType(const PluginNode &node, Statistics statistics) {
  const DataType type = inputOf(node, "input").dtype;
  return statistics == Statistics::Wide ? sumTypeOf(type) : type;
}

Result<PluginDescription> describe(const PluginNode &node, const Normalization &kind) {
  INLAY_ASSIGN(Rows rows, kind.read(node));
  PluginDescription description;
  const TensorSpec &input = inputOf(node, "input");
  description.outputs.push_back(input);
  if (kind.statistics != Statistics::None)
    description.outputs.resize(3, {statisticsType(node, kind.statistics), rows.statisticsShape});
  description.requirements = std::move(rows.requirements);
  return description;
}

/// The default of rms_norm is what 1 is rounded to in the type of the computation.
double epsilonOf(const PluginNode &node, DataType sum) {
  if (!isNone(node, "eps"))
    return floatOf(node, "eps");
  return sum == DataType::Float64 ? std::numeric_limits<double>::epsilon()
                                  : static_cast<double>(std::numeric_limits<float>::epsilon());
}

Result<PluginImplementation> implement(const PluginNode &node, const Normalization &kind) {
  INLAY_ASSIGN(const Rows rows, kind.read(node));
  const DataType sum = sumTypeOf(inputOf(node, "input").dtype);
  const LineTile tile = tileOf(Lines{rows.rows, rows.columns, 1});
  const bool hasStatistics = kind.statistics != Statistics::None;
  LaunchBuilder launch("normalization.py", "normalize_kernel");
  launch.input(inputIndex(node, "input"))
      .optionalInput("w_ptr", findInputIndex(node, "weight"))
      .optionalInput("b_ptr", findInputIndex(node, "bias"))
      .output(0);
  launch.optionalOutput("mean_ptr", hasStatistics ? std::optional(1u) : std::nullopt)
      .optionalOutput("inverse_ptr", hasStatistics ? std::optional(2u) : std::nullopt)
      .sizes({rows.rows, rows.columns, rows.groups, rows.channels});
  // A division by a constant is a multiplication.
  if (const std::optional<int64_t> area = rows.area.constantValue())
    launch.constant("area", *area);
  else
    launch.sizes({rows.area});
  launch.constant("EPSILON", epsilonOf(node, sum))
      .constant("IS_CENTERED", kind.isCentered)
      .constant("IS_GROUPED", rows.isGrouped)
      .constant("SUM", sum)
      .constant("ROWS", tile.lines)
      .constant("BLOCK", tile.block)
      .constant("FITS", tile.fits);
  return launch.over(ceilDiv(rows.rows, tile.lines));
}

/// Normalisation of the last dimension, as part of a kernel that holds lines.
Result<LineOperation> lineNormalization(const PluginNode &node, const Normalization &kind) {
  INLAY_ASSIGN(const Rows rows, kind.read(node));
  const TensorSpec &input = inputOf(node, "input");
  if (rows.isGrouped || input.shape.empty() || sizesOf(node, "normalized_shape").size() != 1 ||
      inputIndex(node, "input") != 0)
    return unimplemented("it normalises other dimensions than the last");
  const DataType sum = sumTypeOf(input.dtype);
  const std::string length = input.shape.back().toString();
  const std::string epsilon = fmt::format("{:e}", epsilonOf(node, sum));
  std::vector<std::pair<std::string, DataType>> weights; // that the node has
  for (const char *name : {"weight", "bias"})
    if (const TensorSpec *weight = findInput(node, name))
      weights.emplace_back(name, weight->dtype);
  LineOperation operation;
  operation.write = [=, type = input.dtype, isCentered = kind.isCentered](
                        LoopKernel &kernel, const OperandVariables &operands,
                        const std::string &prefix) {
    const std::string result = prefix + "result";
    kernel.line(fmt::format("{} = normalized_line({}, in_range, {}.0, {}, {})", result,
                            converted(operands.at("input"), type, sum), length, epsilon,
                            isCentered ? "True" : "False"));
    for (const auto &[name, weightType] : weights)
      kernel.line(fmt::format("{0} = {0} {1} {2}", result, name == "weight" ? "*" : "+",
                              converted(operands.at(name), weightType, sum)));
    return converted(result, sum, type);
  };
  return operation;
}

/// Which of two plugins serves a node is told by what the exporter recorded.
Status checkStatistics(const PluginNode &node, Statistics statistics) {
  if (node.outputs.size() != 3 || node.outputs[1].dtype == statisticsType(node, statistics))
    return {};
  return invalidArgument("node {} ({}): its second output is {}; expected {}", node.nodeName,
                         node.opName, dataTypeName(node.outputs[1].dtype),
                         dataTypeName(statisticsType(node, statistics)));
}

} // namespace

void addNormalizationOperators(OperatorDefinitions &definitions) {
  const auto add = [&](std::string_view schema, const Normalization &kind,
                       std::string variant = "") {
    addOperator(
        definitions, schema,
        {[kind](const PluginNode &node) { return describe(node, kind); },
         [kind](const PluginNode &node) { return implement(node, kind); },
         std::move(variant),
         [kind](const PluginNode &node) { return checkStatistics(node, kind.statistics); },
         {.line = [kind](const PluginNode &node) { return lineNormalization(node, kind); }}});
  };
  const auto addWithStatistics = [&](std::string_view schema,
                                     Result<Rows> (*read)(const PluginNode &)) {
    add(schema, {read, true, Statistics::Narrow});
    add(schema, {read, true, Statistics::Wide}, "wide statistics");
  };
  add("aten::layer_norm(Tensor input, SymInt[] normalized_shape, Tensor? weight=None, Tensor? "
      "bias=None, float eps=1.0000000000000001e-05, bool cudnn_enable=True) -> Tensor",
      {readLayerRows, true, Statistics::None});
  addWithStatistics("aten::native_layer_norm(Tensor input, SymInt[] normalized_shape, Tensor? "
                    "weight, Tensor? bias, float eps) -> (Tensor, Tensor, Tensor)",
                    readLayerRows);
  add("aten::rms_norm(Tensor input, SymInt[] normalized_shape, Tensor? weight=None, float? "
      "eps=None) -> Tensor",
      {readLayerRows, false, Statistics::None});
  add("aten::group_norm(Tensor input, int num_groups, Tensor? weight=None, Tensor? bias=None, "
      "float eps=1.0000000000000001e-05, bool cudnn_enabled=True) -> Tensor",
      {readGroupRows, true, Statistics::None});
  add("aten::instance_norm(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, "
      "Tensor? running_var, bool use_input_stats, float momentum, float eps, bool cudnn_enabled) "
      "-> Tensor",
      {readInstanceRows, true, Statistics::None});
  addWithStatistics("aten::native_group_norm(Tensor input, Tensor? weight, Tensor? bias, SymInt N, "
                    "SymInt C, SymInt HxW, int group, float eps) -> (Tensor, Tensor, Tensor)",
                    readGroupRows);
}

} // namespace inlay
