// Float32 computation in half precision.
#pragma once

#include "base/Status.h"
#include "compiler/dialects/graph/Graph.h"
#include "compiler/plugins/PluginDefinition.h"
#include "compiler/transforms/graph/PrecisionPolicy.h"

#include <span>
#include <string>

namespace inlay {

/// Has the float32 calls of a model computed in half precision, but for those of the policy and
/// those whose plugins do not take it, which get their inputs cast. Inputs, outputs and state of
/// the model keep their types; weights that only half precision needs are converted, unless the
/// model is refittable.
///
///   %y = graph.call "aten::mm" (%x, %w) : (f32, f32) -> f32
/// becomes
///   %1 = graph.call "aten::_to_copy" (%x) {dtype = float16} : (f32) -> f16
///   %y = graph.call "aten::mm" (%1, %w.half) : (f16, f16) -> f16, and what keeps f32 gets a cast
///   of it
///
/// Requires: every operator has a plugin. Guarantees: the model verifies, and its plugins take all
/// types. Errors: InvalidArgument for an entry of keepFp32 that nothing in the model has.
Result<PrecisionOutcome> convertPrecision(graph::ModelOp model, const PluginRegistry &plugins,
                                          const ImplementationPolicies &policies,
                                          std::span<const std::string> targets,
                                          const PrecisionOptions &options);

} // namespace inlay
