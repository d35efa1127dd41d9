// Which of an operator's plugins serves a node.
#pragma once

#include "compiler/conversions/graph-to-plan/ShapeSymbols.h"
#include "compiler/plugins/NodeBinder.h"

#include <span>
#include <string>
#include <vector>

namespace inlay {

/// A node as its plugin sees it.
struct PluginChoice {
  const PluginDefinition *plugin = nullptr;
  PluginNode node;
  std::vector<std::string> passedOver; // why plugins before it do not serve the node
};

/// Chooses the first of `candidates`, of which there is at least one, that declares the node's
/// arguments, takes the build's targets, whose conditions are known to hold for all sizes, and that
/// has an implementation as the policies demand. Errors: InvalidArgument with the reason of each.
Result<PluginChoice>
choosePlugin(std::span<const PluginDefinition *const> candidates, const std::string &opName,
             const std::string &nodeName, const std::vector<NodeArgument> &arguments,
             const std::vector<TensorSpec> &outputs, const ShapeSymbols &symbols,
             const ImplementationPolicies &policies, std::span<const std::string> targets = {});

} // namespace inlay
