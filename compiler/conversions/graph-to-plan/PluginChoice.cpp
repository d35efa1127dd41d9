#include "compiler/conversions/graph-to-plan/PluginChoice.h"

#include "base/Error.h"
#include "compiler/conversions/graph-to-plan/NodeChecks.h"

#include <algorithm>

namespace inlay {
namespace {

/// Refuses a build for targets that the plugin does not take, and sizes that change where it takes
/// none.
Status checkSupport(const PluginDefinition &plugin, const PluginNode &node) {
  for (const std::string &target : node.targets)
    if (!plugin.targets().empty() &&
        std::ranges::none_of(plugin.targets(),
                             [&](const std::string &name) { return isTargetOf(target, name); }))
      return invalidArgument("{}: the build is for {}; the plugin takes {}",
                             describeNode(plugin, node), target, fmt::join(plugin.targets(), ", "));
  if (!plugin.takesStaticShapesOnly())
    return {};
  for (const auto &[tensors, what] :
       {std::pair(&node.inputs, "input"), std::pair(&node.outputs, "output")})
    for (size_t i = 0; i < tensors->size(); ++i)
      for (size_t dim = 0; dim < (*tensors)[i].shape.size(); ++dim)
        if (const Expr &size = (*tensors)[i].shape[dim]; !size.isConstant())
          return invalidArgument("{}: the plugin takes static shapes only; dimension {} of {} {} "
                                 "is {}",
                                 describeNode(plugin, node), dim, what, i, size.toString());
  return {};
}

/// Refuses a node of which a condition does not hold, or holds for some sizes only.
Status checkConditions(const PluginDefinition &plugin, const PluginNode &node,
                       const ShapeSymbols &symbols) {
  const std::string context = "converting " + describeNode(plugin, node);
  INLAY_ASSIGN(const std::vector<PluginRequirement> conditions, plugin.conditions(node), context);
  for (const PluginRequirement &condition : conditions) {
    std::vector<PluginRequirement> undecided;
    if (!checkRequirements(plugin, node, {condition}, symbols, undecided).isOk())
      return invalidArgument("{}: its condition '{}' does not hold", describeNode(plugin, node),
                             condition.message);
    if (!undecided.empty())
      return invalidArgument("{}: its condition '{}' is not known to hold for all sizes: {}",
                             describeNode(plugin, node), condition.message,
                             condition.condition.toString());
  }
  return {};
}

} // namespace

Result<PluginChoice>
choosePlugin(std::span<const PluginDefinition *const> candidates, const std::string &opName,
             const std::string &nodeName, const std::vector<NodeArgument> &arguments,
             const std::vector<TensorSpec> &outputs, const ShapeSymbols &symbols,
             const ImplementationPolicies &policies, std::span<const std::string> targets) {
  PluginChoice choice;
  for (const PluginDefinition *candidate : candidates) {
    Result<PluginNode> node = bindNode(*candidate, opName, nodeName, arguments, outputs);
    Status status = node.isOk() ? Status() : node.status();
    if (node.isOk()) {
      node->targets.assign(targets.begin(), targets.end());
      node->symbolRanges = symbols.ranges();
      status = checkSupport(*candidate, *node);
    }
    if (status.isOk())
      status = checkConditions(*candidate, *node, symbols);
    if (status.isOk())
      status = policies.choose(*candidate).status();
    if (status.isOk()) {
      choice.plugin = candidate;
      choice.node = std::move(*node);
      return choice;
    }
    if (candidates.size() == 1)
      return status;
    choice.passedOver.push_back(status.message());
  }
  std::string reasons;
  for (const std::string &reason : choice.passedOver)
    reasons += "\n  " + reason;
  return invalidArgument("node {} ({}): none of the operator's {} plugins serves it:{}", nodeName,
                         opName, candidates.size(), reasons);
}

} // namespace inlay
