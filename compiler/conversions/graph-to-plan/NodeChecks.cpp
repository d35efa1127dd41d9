#include "compiler/conversions/graph-to-plan/NodeChecks.h"

#include "base/Error.h"

#include <algorithm>
#include <limits>
#include <set>

namespace inlay {

std::string describeNode(const PluginDefinition &plugin, const PluginNode &node) {
  return fmt::format("node {} ({}, plugin at {})", node.nodeName, plugin.opName(), plugin.origin());
}

namespace {

/// The head of a message that goes into the engine: without the plugin's origin, which may hold a
/// path.
std::string describeNodeAtRunTime(const PluginNode &node) {
  return fmt::format("node {} ({})", node.nodeName, node.opName);
}

std::string shapeText(const std::vector<Expr> &shape) {
  std::string text = "[";
  for (const Expr &dimension : shape)
    text += (text.size() > 1 ? ", " : "") + dimension.toString();
  return text + "]";
}

/// How two dimensions that should be equal relate, as far as build time can tell.
enum class Agreement { Same, DependsOnSizes, Contradiction };

Agreement compareDimensions(const Expr &described, const Expr &recorded,
                            const ShapeSymbols &symbols) {
  if (described == recorded)
    return Agreement::Same;
  Truth truth = truthOf(equal(described, recorded), symbols);
  Interval difference = symbols.bounds(described - recorded);
  if (truth == Truth::Always || (difference.min == 0 && difference.max == 0))
    return Agreement::Same;
  auto differs = [](std::optional<int64_t> a, std::optional<int64_t> b) {
    return a && b && *a != *b;
  };
  if (truth == Truth::Never ||
      differs(symbols.valueAtHints(described), symbols.valueAtHints(recorded)) ||
      differs(symbols.valueAtMin(described), symbols.valueAtMin(recorded)) ||
      differs(symbols.valueAtMax(described), symbols.valueAtMax(recorded)))
    return Agreement::Contradiction;
  return Agreement::DependsOnSizes;
}

Status checkOutput(const PluginDefinition &plugin, const PluginNode &node, size_t index,
                   const TensorSpec &described, const ShapeSymbols &symbols,
                   std::vector<PluginRequirement> &runTime) {
  const TensorSpec &recorded = node.outputs[index];
  std::string head = fmt::format("{}: output {}", describeNode(plugin, node), index);
  if (described.dtype != recorded.dtype)
    return invalidArgument("{} is described as {}, but the model recorded {}", head,
                           dataTypeName(described.dtype), dataTypeName(recorded.dtype));
  if (described.shape.size() != recorded.shape.size())
    return invalidArgument(
        "{} is described with shape {} (rank {}), but the model recorded {} (rank {})", head,
        shapeText(described.shape), described.shape.size(), shapeText(recorded.shape),
        recorded.shape.size());
  for (size_t dim = 0; dim < recorded.shape.size(); ++dim) {
    const Expr &ours = described.shape[dim], &theirs = recorded.shape[dim];
    Agreement agreement = compareDimensions(ours, theirs, symbols);
    if (agreement == Agreement::Contradiction)
      return invalidArgument(
          "{}: dimension {} is described as {}, but the model recorded {}; shapes {} and {}", head,
          dim, ours.toString(), theirs.toString(), shapeText(described.shape),
          shapeText(recorded.shape));
    if (agreement == Agreement::DependsOnSizes)
      runTime.push_back(
          {equal(ours, theirs),
           fmt::format("{}: output {}: dimension {} is {} for the plugin and {} for the model",
                       describeNodeAtRunTime(node), index, dim, ours.toString(),
                       theirs.toString())});
  }
  return {};
}

/// Smallest and largest value of an integer type.
Interval rangeOf(DataType type) {
  if (type == DataType::Bool)
    return {0, 1};
  int64_t bits = 8 * dataTypeSizeBytes(type);
  if (dataTypeKind(type) == DataTypeKind::Unsigned)
    return {0, bits == 64 ? std::nullopt : std::optional((int64_t{1} << bits) - 1)};
  int64_t max = bits == 64 ? std::numeric_limits<int64_t>::max() : (int64_t{1} << (bits - 1)) - 1;
  return {-max - 1, max};
}

std::string rangeText(const Interval &range) {
  return fmt::format("{} to {}", range.min.value_or(0),
                     range.max ? std::to_string(*range.max) : "18446744073709551615");
}

/// True if every value in `values` lies outside `range`.
bool liesOutside(const Interval &values, const Interval &range) {
  return (values.min && range.max && *values.min > *range.max) ||
         (values.max && range.min && *values.max < *range.min);
}

Status checkGrid(const std::string &head, const PluginLaunch &launch, const ShapeSymbols &symbols) {
  // The limits of CUDA, which the CPU keeps too, so that an engine behaves the same everywhere.
  constexpr int64_t kLimits[3] = {std::numeric_limits<int32_t>::max(), 65535, 65535};
  for (size_t axis = 0; axis < 3; ++axis)
    if (liesOutside(symbols.bounds(launch.grid[axis]), {0, kLimits[axis]}))
      return outOfRange("{}: grid axis {} is {}, outside 0 to {}", head, "xyz"[axis],
                        launch.grid[axis].toString(), kLimits[axis]);
  return {};
}

Status checkBlock(const std::string &head, const PluginLaunch &launch,
                  const ShapeSymbols &symbols) {
  constexpr int64_t kLimits[3] = {1024, 1024, 64};
  for (size_t axis = 0; launch.block && axis < 3; ++axis)
    if (liesOutside(symbols.bounds((*launch.block)[axis]), {1, kLimits[axis]}))
      return outOfRange("{}: block axis {} is {}, outside 1 to {}", head, "xyz"[axis],
                        (*launch.block)[axis].toString(), kLimits[axis]);
  constexpr int64_t kMostShared = std::numeric_limits<int32_t>::max();
  if (launch.sharedBytes && liesOutside(symbols.bounds(*launch.sharedBytes), {0, kMostShared}))
    return outOfRange("{}: shared_bytes is {}, outside 0 to {}", head,
                      launch.sharedBytes->toString(), kMostShared);
  return {};
}

Status checkArgument(const std::string &head, const PluginNode &node,
                     const PluginImplementation &implementation, const LaunchArgument &argument,
                     const ShapeSymbols &symbols) {
  auto checkIndex = [&](std::string_view what, size_t count) -> Status {
    if (argument.index < count)
      return {};
    return invalidArgument("{}: argument '{}' is {} {}, but there are {}", head, argument.text,
                           what, argument.index, count);
  };
  switch (argument.kind) {
  case LaunchArgument::Kind::Input:
    return checkIndex("input", node.inputs.size());
  case LaunchArgument::Kind::Output:
    return checkIndex("output", node.outputs.size());
  case LaunchArgument::Kind::Workspace:
    return checkIndex("workspace", implementation.workspaces.size());
  case LaunchArgument::Kind::Size:
    return checkIndex("size", node.sizes.size());
  case LaunchArgument::Kind::Integer:
    if (liesOutside(symbols.bounds(argument.expression), rangeOf(argument.dtype)))
      return outOfRange("{}: argument '{}' has the value {}, outside the range of {}, {}{}", head,
                        argument.text, argument.expression.toString(), dataTypeName(argument.dtype),
                        rangeText(rangeOf(argument.dtype)),
                        argument.dtype == DataType::Int32 ? "; pass it as int64" : "");
    return {};
  case LaunchArgument::Kind::Float:
    return {};
  }
  return {};
}

Status checkAlignment(const std::string &head, const PluginNode &node, const PluginTactic &tactic,
                      const TensorAlignment &alignment) {
  constexpr int64_t kMaxBytes = 4096;
  const std::string_view what = alignment.isOfOutput ? "output" : "input";
  const size_t count = alignment.isOfOutput ? node.outputs.size() : node.inputs.size();
  if (alignment.index >= count)
    return invalidArgument("{}: tactic '{}' asks for the alignment of {} {}, but there are {}",
                           head, tactic.name, what, alignment.index, count);
  if (alignment.bytes < 1 || alignment.bytes > kMaxBytes ||
      (alignment.bytes & (alignment.bytes - 1)) != 0)
    return invalidArgument("{}: tactic '{}' asks for {} {} to be aligned to {} bytes; expected a "
                           "power of two up to {}",
                           head, tactic.name, what, alignment.index, alignment.bytes, kMaxBytes);
  return {};
}

/// True if a condition that holds means that `value` is a multiple of `divisor`: it is
/// "value % n == 0" for a multiple n of it.
bool impliesDivisible(const Expr &condition, const Expr &value, int64_t divisor) {
  if (condition.kind() == ExprKind::And)
    return std::ranges::any_of(condition.operands(), [&](const Expr &operand) {
      return impliesDivisible(operand, value, divisor);
    });
  if (condition.kind() != ExprKind::Equal)
    return false;
  for (size_t i = 0; i < 2; ++i) {
    const Expr &rest = condition.operands()[i];
    if (condition.operands()[1 - i].constantValue() != 0 || rest.kind() != ExprKind::Mod)
      continue;
    const std::optional<int64_t> by = rest.operands()[1].constantValue();
    return by && *by != 0 && *by % divisor == 0 && rest.operands()[0] == value;
  }
  return false;
}

} // namespace

Status checkOutputs(const PluginDefinition &plugin, const PluginNode &node,
                    const PluginDescription &description, const ShapeSymbols &symbols,
                    std::vector<PluginRequirement> &runTime) {
  if (description.outputs.size() != node.outputs.size())
    return invalidArgument("{}: the plugin describes {} outputs, but the model's operator has {}",
                           describeNode(plugin, node), description.outputs.size(),
                           node.outputs.size());
  for (size_t i = 0; i < node.outputs.size(); ++i)
    INLAY_TRY(checkOutput(plugin, node, i, description.outputs[i], symbols, runTime));
  return {};
}

Status checkAliases(const PluginDefinition &plugin, const PluginNode &node,
                    const PluginDescription &description) {
  std::map<uint32_t, uint32_t> outputs; // by input
  for (const auto &[output, input] : description.aliasedInputs) {
    const std::string head = fmt::format("{}: output {}", describeNode(plugin, node), output);
    if (input >= node.inputs.size())
      return invalidArgument("{} is aliased to input {}, but the node has {} inputs", head, input,
                             node.inputs.size());
    const auto [other, isFirst] = outputs.emplace(input, output);
    if (!isFirst)
      return invalidArgument("{} is aliased to input '{}', but so is output {}; an input's memory "
                             "can be one output only",
                             head, node.inputNames[input], other->second);
    const TensorSpec &from = node.inputs[input], &to = node.outputs[output];
    if (from.dtype != to.dtype)
      return invalidArgument("{} is aliased to input '{}', which is {}, but it is {}", head,
                             node.inputNames[input], dataTypeName(from.dtype),
                             dataTypeName(to.dtype));
    if (from.shape != to.shape)
      return invalidArgument("{} is aliased to input '{}', whose shape is {}, but its own is {}",
                             head, node.inputNames[input], shapeText(from.shape),
                             shapeText(to.shape));
  }
  return {};
}

Status checkViews(const PluginDefinition &plugin, const PluginNode &node,
                  const PluginDescription &description, const ShapeSymbols &symbols,
                  std::vector<PluginRequirement> &runTime) {
  for (const auto &[output, input] : description.sharedInputs) {
    const std::string head = fmt::format("{}: output {}", describeNode(plugin, node), output);
    if (input >= node.inputs.size() || output >= node.outputs.size())
      return invalidArgument("{} is a view of input {}, but the node has {} outputs and {} inputs",
                             head, input, node.outputs.size(), node.inputs.size());
    if (description.aliasedInputs.contains(output))
      return invalidArgument("{} is both a view of an input and written in place of one", head);
    if (node.inputs[input].dtype != node.outputs[output].dtype)
      return invalidArgument("{} is a view of input '{}', which is {}, but it is {}", head,
                             node.inputNames[input], dataTypeName(node.inputs[input].dtype),
                             dataTypeName(node.outputs[output].dtype));
    const Expr from = node.inputs[input].numel(), to = node.outputs[output].numel();
    const std::vector<PluginRequirement> sameCount = {
        {equal(from, to),
         fmt::format("output {} has {} elements, but is a view of '{}', which has "
                     "{}",
                     output, to.toString(), node.inputNames[input], from.toString())}};
    if (from != to)
      INLAY_TRY(checkRequirements(plugin, node, sameCount, symbols, runTime));
  }
  return {};
}

Status checkRequirements(const PluginDefinition &plugin, const PluginNode &node,
                         const std::vector<PluginRequirement> &requirements,
                         const ShapeSymbols &symbols, std::vector<PluginRequirement> &runTime) {
  for (const PluginRequirement &requirement : requirements) {
    Truth truth = truthOf(requirement.condition, symbols);
    if (truth == Truth::Never)
      return invalidArgument("{}: {}", describeNode(plugin, node), requirement.message);
    if (truth == Truth::Unknown)
      runTime.push_back({requirement.condition,
                         fmt::format("{}: {}", describeNodeAtRunTime(node), requirement.message)});
  }
  return {};
}

Status checkLaunchValues(const PluginDefinition &plugin, const PluginNode &node,
                         const PluginImplementation &implementation, const ShapeSymbols &symbols) {
  for (const PluginLaunch &launch : implementation.launches) {
    std::string head = fmt::format("{}: launch of {}", describeNode(plugin, node), launch.name());
    INLAY_TRY(checkGrid(head, launch, symbols));
    INLAY_TRY(checkBlock(head, launch, symbols));
    for (const LaunchArgument &argument : launch.arguments)
      INLAY_TRY(checkArgument(head, node, implementation, argument, symbols));
  }
  for (const Workspace &workspace : implementation.workspaces)
    if (liesOutside(symbols.bounds(workspace.sizeBytes), {0, std::nullopt}))
      return outOfRange("{}: workspace '{}' has a size of {} bytes", describeNode(plugin, node),
                        workspace.name, workspace.sizeBytes.toString());
  return {};
}

Result<std::vector<DecidedTactic>> decideTactics(const PluginDefinition &plugin,
                                                 const PluginNode &node,
                                                 const PluginImplementation &implementation,
                                                 const ShapeSymbols &symbols) {
  const std::string head = describeNode(plugin, node);
  std::vector<DecidedTactic> decided;
  std::set<std::string> names;
  bool hasUnconditional = false;
  for (const PluginTactic &tactic : implementation.tactics) {
    if (tactic.name.empty() || !names.insert(tactic.name).second)
      return invalidArgument("{}: tactic {} has the name '{}', which is empty or taken", head,
                             decided.size(), tactic.name);
    for (const TensorAlignment &alignment : tactic.alignments)
      INLAY_TRY(checkAlignment(head, node, tactic, alignment));
    DecidedTactic &result = decided.emplace_back();
    for (const Expr &condition : tactic.conditions) {
      const Truth truth = truthOf(condition, symbols);
      result.isImpossible = result.isImpossible || truth == Truth::Never;
      if (truth == Truth::Unknown)
        result.condition = result.condition ? logicalAnd(*result.condition, condition) : condition;
    }
    const auto index = static_cast<uint32_t>(decided.size() - 1);
    hasUnconditional =
        hasUnconditional || (!result.isImpossible && !result.condition &&
                             tactic.alignments.empty() && implementation.libraryOf(index).empty());
  }
  for (const PluginLaunch &launch : implementation.launches)
    if (launch.tactic && *launch.tactic >= decided.size())
      return invalidArgument("{}: a launch of {} belongs to tactic {}, but there are {}", head,
                             launch.name(), *launch.tactic, decided.size());
  if (!decided.empty() && !hasUnconditional)
    return invalidArgument(
        "{}: none of its {} tactics can be taken for all sizes and addresses; one "
        "tactic needs no guard",
        head, decided.size());
  return decided;
}

bool isKnownToBeOne(const PluginLaunch &launch, const LaunchArgument &argument) {
  return launch.files.empty() && !launch.library &&
         argument.kind == LaunchArgument::Kind::Integer && argument.dtype != DataType::Bool &&
         argument.expression.constantValue() == 1;
}

std::vector<std::string> launchSignature(const PluginNode &node, const PluginLaunch &launch,
                                         const ShapeSymbols &symbols,
                                         std::span<const Expr> conditions) {
  const auto isDivisible = [&](const Expr &value) {
    constexpr int64_t kDivisor = 16;
    return symbols.divisor(value) >= kDivisor ||
           std::ranges::any_of(conditions, [&](const Expr &condition) {
             return impliesDivisible(condition, value, kDivisor);
           });
  };
  auto pointer = [](DataType type) { return "*" + std::string(dataTypeTritonName(type)) + ":16"; };
  std::vector<std::string> signature;
  for (const LaunchArgument &argument : launch.arguments) {
    std::string type(dataTypeTritonName(argument.dtype));
    switch (argument.kind) {
    case LaunchArgument::Kind::Input:
      signature.push_back(pointer(node.inputs[argument.index].dtype));
      break;
    case LaunchArgument::Kind::Output:
      signature.push_back(pointer(node.outputs[argument.index].dtype));
      break;
    case LaunchArgument::Kind::Workspace:
    case LaunchArgument::Kind::Size:
      signature.push_back(pointer(argument.dtype));
      break;
    case LaunchArgument::Kind::Integer:
      signature.push_back(type + (isKnownToBeOne(launch, argument)   ? ":1"
                                  : isDivisible(argument.expression) ? ":16"
                                                                     : ""));
      break;
    case LaunchArgument::Kind::Float:
      signature.push_back(type);
      break;
    }
  }
  return signature;
}

} // namespace inlay
