// From the shapes of the inputs to the value of every expression of an engine.
#pragma once

#include "runtime/core/Engine.h"

#include <span>
#include <vector>

namespace inlay {

/// Sizes of a bound tensor, one per dimension of its description.
using BoundShape = std::vector<int64_t>;

/// "64x3", "scalar" for rank 0; for messages.
std::string formatShape(std::span<const int64_t> shape);

/// Evaluates an engine's expressions for the shapes of its inputs.
class ShapeEvaluation {
public:
  explicit ShapeEvaluation(const Engine &engine);

  /// Reads the symbols from the shapes, evaluates all expressions, compares every input dimension
  /// with its expression and tests the engine's checks. `shapes` holds one per input, of the
  /// declared rank and within the declared ranges. Errors: InvalidArgument naming tensor,
  /// dimension, found and expected; OutOfRange (overflow).
  Status evaluate(std::span<const BoundShape> shapes);

  int64_t value(uint32_t expression) const { return values_[expression]; }
  /// "s0 = 3, s1 = 4", for messages.
  std::string describeSymbols() const;

private:
  const Engine &engine_;
  std::vector<int64_t> symbols_;
  std::vector<int64_t> values_;
};

} // namespace inlay
