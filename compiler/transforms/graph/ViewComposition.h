// Views of views as one.
#pragma once

#include "compiler/operators/Views.h"
#include "compiler/transforms/graph/PassContext.h"

#include <optional>

namespace inlay::graph {

/// Where the elements of `outer` lie, a view of the dense result of `inner`, in the tensor that
/// this is a view of. A dimension may become several, which follow each other. nullopt if that is
/// no view.
std::optional<StridedView> composed(const StridedView &outer, const StridedView &inner);
/// The result of a call as a view of the call's first input, on no condition; nullopt for others.
std::optional<StridedView> viewOf(PassContext &context, mlir::Value result);
/// A call that takes such a view of a dense tensor; null, and nothing, if no standard operator
/// serves it.
CallOp makeStrided(PassContext &context, mlir::OpBuilder &builder, mlir::Location location,
                   const std::string &node, mlir::Value source, const StridedView &view);
/// The same of one that gives the tensor with `written` in the place of that part.
CallOp makeStridedScatter(PassContext &context, mlir::OpBuilder &builder, mlir::Location location,
                          const std::string &node, mlir::Value tensor, mlir::Value written,
                          const StridedView &part);

} // namespace inlay::graph
