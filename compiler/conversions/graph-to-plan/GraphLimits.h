// What a graph can say that plans cannot yet.
#pragma once

#include "base/Status.h"
#include "compiler/dialects/graph/Graph.h"

namespace inlay {

/// Errors: Unimplemented, naming everything in the model that is imported but has no lowering:
/// lists of tensors and integers that depend on sizes as arguments of operators whose plugins do
/// not take them, results that are None, sizes as outputs, and inputs or buffers that the model
/// changes.
Status checkLowerable(graph::ModelOp model, const PluginRegistry &plugins);

} // namespace inlay
