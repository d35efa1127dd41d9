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

/// Evaluates an engine's expressions for the shapes of its inputs. Sizes that kernels compute are
/// their bounds until they are set.
class ShapeEvaluation {
public:
  explicit ShapeEvaluation(const Engine &engine);

  /// Reads the symbols from the shapes, evaluates all expressions, compares every input dimension
  /// with its expression and tests the engine's checks. `shapes` holds one per input, of the
  /// declared rank and within the declared ranges. Errors: InvalidArgument naming tensor,
  /// dimension, found and expected; OutOfRange (overflow).
  Status evaluate(std::span<const BoundShape> shapes);

  bool hasComputedSizes() const { return !bounds_.empty(); }
  /// Makes all computed sizes their bounds again; after evaluate. Allocates nothing.
  Status resetComputedSizes();
  /// What a computed size is at most, with those read before it as they are.
  Result<int64_t> boundOf(uint32_t symbol);
  /// Sets a computed size, evaluates anew with the bounds of those that are still to come, and
  /// tests the checks that it decides. They come in their order. Allocates nothing. Errors:
  /// InvalidArgument (a check), OutOfRange (overflow).
  Status setComputedSize(uint32_t symbol, int64_t value);
  /// Evaluates all expressions for these values of the symbols, and tests nothing. Errors:
  /// OutOfRange (overflow).
  Status evaluateSymbols(std::span<const int64_t> symbols);

  int64_t value(uint32_t expression) const { return values_[expression]; }
  /// "s0 = 3, s1 = 4", for messages.
  std::string describeSymbols() const;
  /// An expression as text, for messages; long ones are cut.
  std::string describeExpression(uint32_t expression) const;

private:
  /// The bound of a computed size, as a program of its own: it needs no size that is not yet known.
  struct Bound {
    uint32_t symbol = 0;
    std::vector<ExprInstruction> program;
    std::vector<int64_t> values;
  };
  Bound makeBound(uint32_t symbol, uint32_t expression) const;
  Result<int64_t> evaluateBound(Bound &bound);
  Status evaluateFrom(size_t firstBound);
  Status testChecks(uint32_t lastSymbol) const;
  std::string describeFailing();

  const Engine &engine_;
  std::vector<int64_t> symbols_;
  std::vector<int64_t> values_;
  std::vector<Bound> bounds_;        // in the order of their symbols
  std::vector<uint32_t> lastSymbol_; // lastComputedSymbols
};

} // namespace inlay
