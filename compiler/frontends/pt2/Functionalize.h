// From programs that change tensors in place to programs of values.
#pragma once

#include "compiler/frontends/pt2/ExportedProgram.h"

namespace inlay::pt2 {

/// Rewrites a program so that no node changes a tensor: training IR as torch.export.export returns
/// it becomes what run_decompositions({}) would make of it.
///
/// * "aten::relu_" becomes "aten::relu", and later uses of its argument use the result. Where the
///   argument is a slice or selection of another tensor, that one is rebuilt by aten::slice_scatter
///   or aten::select_scatter.
/// * A user's operator without results changes its only tensor: it gets a result, its new value.
///   auto_functionalized(_v2) becomes the operator that it calls: its own results, then the new
///   values of what it changes.
/// * A buffer, parameter or input that was changed becomes an output of kind "buffer_mutation",
///   "parameter_mutation" or "user_input_mutation".
/// * detach and alias disappear; lift_fresh_copy is a clone.
///
/// What cannot be rewritten (a change seen through another view, say) gets a Node::problem.
void functionalize(ExportedProgram &program);

} // namespace inlay::pt2
