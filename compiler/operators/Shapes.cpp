#include "compiler/operators/Shapes.h"

#include "base/Error.h"

#include <algorithm>

namespace inlay {

Interval boundsIn(const PluginNode &node, const Expr &expr) {
  return boundsOf(expr, [&](std::string_view name) -> Interval {
    const auto range = node.symbolRanges.find(name);
    return range == node.symbolRanges.end() ? Interval{} : range->second;
  });
}

Knowledge knowledgeOf(const PluginNode &node, const Expr &condition) {
  const Interval bounds = boundsIn(node, condition);
  if ((bounds.min && *bounds.min > 0) || (bounds.max && *bounds.max < 0))
    return Knowledge::Always;
  if (bounds.min == 0 && bounds.max == 0)
    return Knowledge::Never;
  return Knowledge::DependsOnSizes;
}

Result<size_t> dimensionOf(int64_t dim, size_t rank) {
  const int64_t count = std::max<int64_t>(1, static_cast<int64_t>(rank));
  if (dim < -count || dim >= count)
    return outOfRange("dimension {} is outside {} to {}, for a tensor of rank {}", dim, -count,
                      count - 1, rank);
  return static_cast<size_t>(dim < 0 ? dim + count : dim);
}

Result<std::vector<size_t>> dimensionsOf(std::span<const int64_t> dims, size_t rank) {
  std::vector<size_t> found;
  for (int64_t dim : dims) {
    INLAY_ASSIGN(const size_t index, dimensionOf(dim, rank));
    if (std::ranges::find(found, index) != found.end())
      return invalidArgument("dimension {} is there twice", index);
    found.push_back(index);
  }
  return found;
}

std::vector<Expr> denseStrides(std::span<const Expr> shape) {
  std::vector<Expr> strides(shape.size(), Expr(1));
  for (size_t dim = shape.size(); dim-- > 1;)
    strides[dim - 1] = strides[dim] * shape[dim];
  return strides;
}

Expr productOf(std::span<const Expr> sizes) {
  Expr product(1);
  for (const Expr &size : sizes)
    product = product * size;
  return product;
}

std::string shapeText(std::span<const Expr> shape) {
  std::vector<std::string> texts;
  for (const Expr &size : shape)
    texts.push_back(size.toString());
  return fmt::format("[{}]", fmt::join(texts, ", "));
}

namespace {

/// Two sizes of one dimension of the result.
Result<Expr> broadcastSizes(const PluginNode &node, const Expr &a, const Expr &b,
                            std::vector<PluginRequirement> &requirements) {
  if (a == b || b == Expr(1))
    return a;
  if (a == Expr(1))
    return b;
  const Expr condition = equal(a, b);
  switch (knowledgeOf(node, condition)) {
  case Knowledge::Always:
    break;
  case Knowledge::Never:
    return invalidArgument("sizes {} and {} differ, and neither is 1", a.toString(), b.toString());
  case Knowledge::DependsOnSizes:
    requirements.push_back(
        {condition, fmt::format("sizes {} and {} of two tensors are equal; a size that changes "
                                "between runs is not broadcast",
                                a.toString(), b.toString())});
    break;
  }
  return b.isConstant() ? b : a;
}

} // namespace

Result<std::vector<Expr>> broadcastShapes(const PluginNode &node,
                                          std::span<const std::vector<Expr>> shapes,
                                          std::vector<PluginRequirement> &requirements) {
  std::vector<Expr> result;
  for (const std::vector<Expr> &shape : shapes) {
    if (shape.size() > result.size())
      result.insert(result.begin(), shape.size() - result.size(), Expr(1));
    const size_t first = result.size() - shape.size();
    for (size_t dim = 0; dim < shape.size(); ++dim) {
      Result<Expr> size = broadcastSizes(node, result[first + dim], shape[dim], requirements);
      if (!size.isOk())
        return std::move(size).status().withContext(
            fmt::format("broadcasting shapes {} and {}", shapeText(result), shapeText(shape)));
      result[first + dim] = std::move(size).value();
    }
  }
  return result;
}

} // namespace inlay
