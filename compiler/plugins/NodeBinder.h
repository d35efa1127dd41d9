// Brings a node's arguments, as a model has them, to the inputs and attributes a plugin declares.
#pragma once

#include "compiler/plugins/PluginDefinition.h"

#include <string>
#include <variant>
#include <vector>

namespace inlay {

/// An integer, or a list of integers, of which some depend on sizes.
struct SizeArgument {
  std::vector<Expr> values;
  bool isList = false;
};

/// One argument of a node: a tensor, a literal, or integers that depend on sizes.
struct NodeArgument {
  std::string name; // as in the operator's schema
  std::variant<TensorSpec, AttributeValue, SizeArgument> value;
};

/// Brings a literal to a declared kind as PyTorch does: an int or bool for a float, a bool for an
/// int, one element for a list. None if it is of another kind. Literals for sizes stay integers.
std::optional<AttributeValue> convertAttribute(const AttributeValue &value, AttributeKind kind);

/// Matches arguments by name, fills declared defaults and converts literals to the declared kinds.
/// Errors: InvalidArgument naming operator, node, argument, what was found and what was expected.
Result<PluginNode> bindNode(const PluginDefinition &plugin, std::string opName,
                            std::string nodeName, const std::vector<NodeArgument> &arguments,
                            std::vector<TensorSpec> outputs);

} // namespace inlay
