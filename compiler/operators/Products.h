// Matrix products as part of other operators.
#pragma once

#include "compiler/operators/LaunchBuilder.h"

namespace inlay {

/// The launches of aten::linear for a node of its inputs ("input", "weight", perhaps "bias"), with
/// the tactics that the node allows.
Result<PluginImplementation> implementLinear(const PluginNode &node);

/// The launches of aten::einsum of one or two operands, for a node with its attribute "equation".
Result<PluginImplementation> implementContraction(const PluginNode &node);

/// aten::einsum of more operands, from left to right.
Result<PluginDescription> describeContractions(const PluginNode &node);
Result<PluginImplementation> implementContractions(const PluginNode &node);

} // namespace inlay
