// Sub-graphs that stand in a program only for the mode they were traced in.
#pragma once

#include "compiler/frontends/pt2/ExportedProgram.h"

namespace inlay::pt2 {

/// Puts the nodes of torch.no_grad() and disabled autocast regions in the place of the higher-order
/// operators that wrap them, at any depth; names of values get the wrapper's name before them. An
/// enabled autocast region, whose casts the export has not written down, gets a Node::problem.
/// Errors: InvalidArgument (a wrapper whose arguments or results are not as many as its graph's).
Status inlineWrappers(ExportedProgram &program);

} // namespace inlay::pt2
