// Arithmetic on shapes that operators share.
#pragma once

#include "compiler/plugins/PluginDefinition.h"

#include <span>

namespace inlay {

/// a / b of sizes that are known, rounded up; a is not negative and b is positive. ceilDiv is that
/// of expressions.
constexpr int64_t divideUp(int64_t a, int64_t b) { return (a + b - 1) / b; }
/// The least multiple of b that is not below a; as divideUp.
constexpr int64_t roundUp(int64_t a, int64_t b) { return divideUp(a, b) * b; }

/// What is known of a condition at build time, from the ranges of the model's symbols.
enum class Knowledge : uint8_t { Always, Never, DependsOnSizes };
Knowledge knowledgeOf(const PluginNode &node, const Expr &condition);
/// Interval of all values of an expression.
Interval boundsIn(const PluginNode &node, const Expr &expr);

/// A dimension counted from the front; a negative one counts from the back. Rank 0 takes 0 and -1.
/// Errors: OutOfRange naming dimension and rank.
Result<size_t> dimensionOf(int64_t dim, size_t rank);
/// The same of a list. Errors: also InvalidArgument for a dimension that is there twice.
Result<std::vector<size_t>> dimensionsOf(std::span<const int64_t> dims, size_t rank);
/// Products of the sizes behind each dimension: how far apart neighbours are in a dense tensor.
std::vector<Expr> denseStrides(std::span<const Expr> shape);
Expr productOf(std::span<const Expr> sizes);
/// "[s0, 8]".
std::string shapeText(std::span<const Expr> shape);

/// The shape that shapes broadcast to. Sizes that are not known to be 1 are taken not to be 1:
/// where two of them are not known to be equal, that they are is added to `requirements`. Errors:
/// InvalidArgument naming both sizes and shapes.
Result<std::vector<Expr>> broadcastShapes(const PluginNode &node,
                                          std::span<const std::vector<Expr>> shapes,
                                          std::vector<PluginRequirement> &requirements);

} // namespace inlay
