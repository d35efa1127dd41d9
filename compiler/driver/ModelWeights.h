// The weights of a model: their bytes, and which of them a finished engine can be given anew.
#pragma once

#include "base/FilePieces.h"
#include "compiler/driver/Build.h"

#include "compiler/dialects/graph/Graph.h"
#include "compiler/dialects/plan/Plan.h"

#include <cstddef>
#include <string>
#include <vector>

namespace inlay {

/// The bytes of a constant as tensors lie in memory; borrowed from the attribute's context where
/// they lie there, or in a file that it has mapped, in that form.
MaybeOwnedBytes constantBytes(mlir::ElementsAttr data);

/// A parameter, buffer or constant of a model.
struct ModelWeight {
  std::string name;
  DataType dtype = DataType::Float32;
  std::vector<int64_t> shape;
  MaybeOwnedBytes bytes;
};
/// All weights of a model, which lends their bytes, in its order. Errors: InvalidArgument for a
/// dumped plan, which has lost their names.
Result<std::vector<ModelWeight>> weightsOf(const Model &model);

/// Adds to a plan the model's weights that it has no buffer for, so that a whole set of weights
/// fits its engine.
void addUnusedWeights(graph::ModelOp model, plan::ProgramOp program);

} // namespace inlay
