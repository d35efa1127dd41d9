// Which operators of a model no plugin serves.
#pragma once

#include "base/Status.h"
#include "compiler/dialects/graph/Graph.h"
#include "compiler/plugins/PluginDefinition.h"

namespace inlay {

/// Errors: NotFound listing every operator without a plugin, each with its nodes, their places in
/// the Python source, and the nearest plugin if one has a similar name.
Status checkOperatorsSupported(graph::ModelOp model, const PluginRegistry &plugins);

} // namespace inlay
