#include "compiler/conversions/graph-to-plan/PluginChoice.h"

#include "base/Error.h"
#include "compiler/conversions/graph-to-plan/NodeChecks.h"

namespace inlay {
namespace {

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

Result<PluginChoice> choosePlugin(std::span<const PluginDefinition *const> candidates,
                                  const std::string &opName, const std::string &nodeName,
                                  const std::vector<NodeArgument> &arguments,
                                  const std::vector<TensorSpec> &outputs,
                                  const ShapeSymbols &symbols,
                                  const ImplementationPolicies &policies) {
  PluginChoice choice;
  for (const PluginDefinition *candidate : candidates) {
    Result<PluginNode> node = bindNode(*candidate, opName, nodeName, arguments, outputs);
    Status status =
        node.isOk() ? checkConditions(*candidate, *node, symbols) : std::move(node).status();
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
