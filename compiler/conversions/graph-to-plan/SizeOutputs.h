// Outputs of a model that are sizes, not tensors.
#pragma once

#include "base/Status.h"
#include "compiler/dialects/graph/Graph.h"
#include "compiler/plugins/PluginDefinition.h"

#include <string>
#include <vector>

namespace inlay {

/// A size that a model returns, which an engine returns as a scalar of int64.
struct SizeOutput {
  std::string name; // the last word of its path, which no other output has
  std::string path; // "['n']"
  Expr value;
};

/// Those of a model, in their order. Errors: InvalidArgument for a text that is no expression.
Result<std::vector<SizeOutput>> sizeOutputsOf(graph::ModelOp model);

/// The launch that stores a size, of a node whose only output is the scalar.
PluginLaunch storeSize(const SizeOutput &output);

} // namespace inlay
