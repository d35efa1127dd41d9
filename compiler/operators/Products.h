// Matrix products as part of other operators.
#pragma once

#include "compiler/operators/LaunchBuilder.h"

namespace inlay {

/// The launches of aten::linear for a node of its inputs ("input", "weight", perhaps "bias"), with
/// the tactics that the node allows.
Result<PluginImplementation> implementLinear(const PluginNode &node);

} // namespace inlay
