// The functions of GraphPasses.def.
#pragma once

#include "compiler/transforms/graph/PassContext.h"

namespace inlay::graph {

#define INLAY_GRAPH_PASS(function, name, description) Status function(PassContext &context);
#include "compiler/transforms/graph/GraphPasses.def"
#undef INLAY_GRAPH_PASS

} // namespace inlay::graph
