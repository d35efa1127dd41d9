// Which operators of a model no plugin serves.
#pragma once

#include "base/Status.h"
#include "compiler/dialects/graph/Graph.h"
#include "compiler/plugins/PluginDefinition.h"

#include <string>
#include <vector>

namespace inlay {

/// "model.py:64": the first file location inside a location; empty if there is none.
std::string placeOf(mlir::Location location);
/// The plugin whose operator's name differs in at most two letters; empty if there is none.
std::string nearestPlugin(const std::string &op, const std::vector<std::string> &known);

/// Errors: NotFound listing every operator without a plugin, each with its nodes, their places in
/// the Python source, and the nearest plugin if one has a similar name.
Status checkOperatorsSupported(graph::ModelOp model, const PluginRegistry &plugins);

} // namespace inlay
