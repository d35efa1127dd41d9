// Sub-graphs that stand in a program only for the mode they were traced in.
#pragma once

#include "compiler/frontends/pt2/ExportedProgram.h"

namespace inlay::pt2 {

/// Puts the nodes of torch.no_grad() and disabled autocast regions in the place of the higher-order
/// operators that wrap them, at any depth; names of values get the wrapper's name before them. An
/// enabled autocast region, whose casts the export has not written down, gets a Node::problem.
///
/// Of torch.cond, both branches take its place, and aten::where chooses among their results by the
/// predicate; if that is a constant, the branch that it names alone. A Node::problem gets one whose
/// predicate depends on sizes, whose results differ in type or shape, or of which a branch writes
/// to its operands or asserts something.
/// Errors: InvalidArgument (a wrapper whose arguments or results are not as many as its graph's).
Status inlineWrappers(ExportedProgram &program);

} // namespace inlay::pt2
