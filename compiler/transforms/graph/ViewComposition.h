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

} // namespace inlay::graph
