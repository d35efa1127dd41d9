// Operators on pairs of vectors: distances, cosines, and products of each element with each.
#include "base/Error.h"
#include "compiler/operators/Arguments.h"
#include "compiler/operators/LaunchBuilder.h"
#include "compiler/operators/LoopKernel.h"
#include "compiler/operators/Pointwise.h"
#include "compiler/operators/Shapes.h"
#include "compiler/operators/TypePromotion.h"

#include <limits>

namespace inlay {
namespace {

/// Dimensions of pairs that ops/pairs.py walks through.
constexpr size_t kPairDims = 4;

/// Pairs of vectors in the inputs 0 and 1: the vectors lie along the last dimension of both, which
/// are brought to one shape; in memory the steps are those given.
struct Pairs {
  std::vector<Expr> shape; // of the pairs
  std::array<std::vector<Expr>, 2> steps;
  Expr length;
  std::array<Expr, 2> along;
};

/// A tensor without one of its dimensions, and the steps of a dense one.
struct Vectors {
  std::vector<Expr> shape, steps;
  Expr length, along;
};

Vectors vectorsAlong(const TensorSpec &tensor, size_t dim) {
  Vectors vectors{tensor.shape, denseStrides(tensor.shape), tensor.shape[dim], Expr(0)};
  vectors.along = vectors.steps[dim];
  vectors.shape.erase(vectors.shape.begin() + static_cast<std::ptrdiff_t>(dim));
  vectors.steps.erase(vectors.steps.begin() + static_cast<std::ptrdiff_t>(dim));
  return vectors;
}

/// The vectors of a and of b against each other, their shapes broadcast.
Result<Pairs> pairsOf(const PluginNode &node, const Vectors &a, const Vectors &b,
                      std::vector<PluginRequirement> &requirements) {
  Pairs pairs;
  INLAY_ASSIGN(pairs.shape, broadcastShapes(node, std::vector{a.shape, b.shape}, requirements));
  if (pairs.shape.size() > kPairDims)
    return unimplemented("there are {} dimensions beside that of the vectors; at most {} are "
                         "supported",
                         pairs.shape.size(), kPairDims);
  if (!(a.length == b.length))
    requirements.push_back({equal(a.length, b.length), "the vectors have one length"});
  pairs.length = a.length;
  pairs.along = {a.along, b.along};
  for (size_t side = 0; side < 2; ++side) {
    const Vectors &from = side == 0 ? a : b;
    pairs.steps[side].assign(pairs.shape.size(), Expr(0));
    const size_t first = pairs.shape.size() - from.shape.size();
    for (size_t dim = 0; dim < from.shape.size(); ++dim)
      if (!isOne(from.shape[dim]))
        pairs.steps[side][first + dim] = from.steps[dim];
  }
  return pairs;
}

PluginImplementation implementPairs(const PluginNode &node, const Pairs &pairs,
                                    const std::string &kind, double small) {
  const Expr count = productOf(pairs.shape);
  const int64_t chunk = tileFor(pairs.length, 1, 32, 32);
  const int64_t block = tileFor(count, 1, std::max<int64_t>(512 / chunk, 16), 16);
  LaunchBuilder launch("pairs.py", "pair_kernel");
  launch.input(0).input(1).output(0).sizes({count, pairs.length});
  const size_t missing = kPairDims - pairs.shape.size();
  for (size_t dim = 1; dim < kPairDims; ++dim)
    launch.sizes({dim < missing ? Expr(1) : pairs.shape[dim - missing]});
  for (size_t side = 0; side < 2; ++side) {
    for (size_t dim = 0; dim < kPairDims; ++dim)
      launch.wideSize(dim < missing ? Expr(0) : pairs.steps[side][dim - missing]);
    launch.wideSize(pairs.along[side]);
  }
  launch.constant("KIND", kind)
      .constant("SMALL", small)
      .constant("SUM", sumTypeOf(node.inputs[0].dtype))
      .constant("BLOCK", block)
      .constant("CHUNK", chunk);
  return launch.over(ceilDiv(count, block));
}

/// How ops/pairs.py names a distance's order.
Result<std::string> orderOf(const PluginNode &node) {
  INLAY_ASSIGN(const double order, constantNumber(node, "p"));
  if (order == 0 || order == 1 || order == 2)
    return fmt::format("{}", order);
  if (order == std::numeric_limits<double>::infinity())
    return std::string("inf");
  return unimplemented("distances of order {} are not supported; 0, 1, 2 and infinity are", order);
}

Status checkPair(const PluginNode &node) {
  INLAY_TRY(checkFloat(node, "x1"));
  return checkOneType(node);
}

using ReadPairs = Result<Pairs> (*)(const PluginNode &, std::vector<PluginRequirement> &);

/// Each row of x1 with the row of x2 in the same place.
Result<Pairs> pairsOfRows(const PluginNode &node, std::vector<PluginRequirement> &requirements) {
  for (const TensorSpec &input : node.inputs)
    if (input.shape.empty())
      return invalidArgument("a tensor of rank 0 is no vector");
  return pairsOf(node, vectorsAlong(node.inputs[0], node.inputs[0].shape.size() - 1),
                 vectorsAlong(node.inputs[1], node.inputs[1].shape.size() - 1), requirements);
}

/// The same along a dimension of the shape that both are broadcast to.
Result<Pairs> pairsAlong(const PluginNode &node, std::vector<PluginRequirement> &requirements) {
  const size_t rank = std::max(node.inputs[0].shape.size(), node.inputs[1].shape.size());
  INLAY_ASSIGN(const size_t dim, dimensionOf(integerOf(node, "dim"), rank));
  std::array<TensorSpec, 2> inputs{node.inputs[0], node.inputs[1]};
  for (TensorSpec &input : inputs)
    input.shape.insert(input.shape.begin(), rank - input.shape.size(), Expr(1));
  if (rank == 0 || isOne(inputs[0].shape[dim]) != isOne(inputs[1].shape[dim]))
    return unimplemented("the vectors are broadcast along dimension {}, which is not supported",
                         dim);
  return pairsOf(node, vectorsAlong(inputs[0], dim), vectorsAlong(inputs[1], dim), requirements);
}

/// Each row of a matrix of x1 with each of x2's.
Result<Pairs> pairsOfMatrices(const PluginNode &node,
                              std::vector<PluginRequirement> &requirements) {
  std::array<Vectors, 2> vectors;
  for (size_t side = 0; side < 2; ++side) {
    const std::vector<Expr> &shape = node.inputs[side].shape;
    if (shape.size() < 2)
      return invalidArgument("a tensor of rank {} is no matrix", shape.size());
    vectors[side] = vectorsAlong(node.inputs[side], shape.size() - 1);
    // Rows of x1 lie along the last dimension but one, rows of x2 along the last.
    const std::ptrdiff_t other = side == 0 ? 0 : 1;
    vectors[side].shape.insert(vectors[side].shape.end() - other, Expr(1));
    vectors[side].steps.insert(vectors[side].steps.end() - other, Expr(0));
  }
  return pairsOf(node, vectors[0], vectors[1], requirements);
}

bool keepsVectors(const PluginNode &node) {
  return hasAttribute(node, "keepdim") && boolOf(node, "keepdim");
}

Result<PluginDescription> describeDistance(const PluginNode &node, ReadPairs read) {
  INLAY_TRY(checkPair(node));
  INLAY_TRY(orderOf(node).status());
  PluginDescription description;
  INLAY_ASSIGN(Pairs pairs, read(node, description.requirements));
  if (keepsVectors(node))
    pairs.shape.emplace_back(1);
  description.outputs.push_back({node.inputs[0].dtype, std::move(pairs.shape)});
  return description;
}

Result<PluginImplementation> implementDistance(const PluginNode &node, ReadPairs read) {
  std::vector<PluginRequirement> requirements;
  INLAY_ASSIGN(const Pairs pairs, read(node, requirements));
  INLAY_ASSIGN(const std::string order, orderOf(node));
  return implementPairs(node, pairs, order, hasAttribute(node, "eps") ? floatOf(node, "eps") : 0.0);
}

Result<PluginDescription> describeCosine(const PluginNode &node) {
  INLAY_TRY(checkPair(node));
  PluginDescription description;
  INLAY_ASSIGN(const Pairs pairs, pairsAlong(node, description.requirements));
  description.outputs.push_back({node.inputs[0].dtype, pairs.shape});
  return description;
}

Result<PluginImplementation> implementCosine(const PluginNode &node) {
  std::vector<PluginRequirement> requirements;
  INLAY_ASSIGN(const Pairs pairs, pairsAlong(node, requirements));
  return implementPairs(node, pairs, "cosine", floatOf(node, "eps"));
}

Result<PluginDescription> describeOuter(const PluginNode &node) {
  for (size_t i = 0; i < 2; ++i)
    if (node.inputs[i].shape.size() != 1)
      return invalidArgument("'{}' has rank {}; expected a vector", node.inputNames[i],
                             node.inputs[i].shape.size());
  TypePromotion promotion;
  promotion.addTensor(node.inputs[0]);
  promotion.addTensor(node.inputs[1]);
  INLAY_ASSIGN(const DataType type, promotion.result());
  PluginDescription description;
  description.outputs.push_back({type, {node.inputs[0].shape[0], node.inputs[1].shape[0]}});
  return description;
}

Result<PluginImplementation> implementOuter(const PluginNode &node) {
  const TensorSpec &out = node.outputs[0];
  const DataType computed = computeType(out.dtype);
  LoopKernel kernel(node, "outer", out.shape);
  kernel.load("a", 0, {Expr(0), {Expr(1), Expr(0)}});
  kernel.load("b", 1, {Expr(0), {Expr(0), Expr(1)}});
  kernel.line(fmt::format("product = {} * {}", converted("a", node.inputs[0].dtype, computed),
                          converted("b", node.inputs[1].dtype, computed)));
  kernel.store(0, denseAccess(out.shape), converted("product", computed, out.dtype));
  PluginImplementation implementation;
  INLAY_TRY(kernel.appendTo(implementation));
  return implementation;
}

} // namespace

void addPairOperators(OperatorDefinitions &definitions) {
  const auto addDistance = [&](std::string_view schema, ReadPairs read) {
    addOperator(definitions, schema,
                {[read](const PluginNode &node) { return describeDistance(node, read); },
                 [read](const PluginNode &node) { return implementDistance(node, read); }});
  };
  addDistance("aten::cdist(Tensor x1, Tensor x2, float p=2, int? compute_mode=None) -> Tensor",
              pairsOfMatrices);
  addDistance("aten::_cdist_forward(Tensor x1, Tensor x2, float p, int? compute_mode) -> Tensor",
              pairsOfMatrices);
  addDistance("aten::pairwise_distance(Tensor x1, Tensor x2, float p=2, float eps=1e-06, bool "
              "keepdim=False) -> Tensor",
              pairsOfRows);
  addOperator(definitions,
              "aten::cosine_similarity(Tensor x1, Tensor x2, int dim=1, float eps=1e-08) -> "
              "Tensor",
              {describeCosine, implementCosine});
  for (std::string_view name : {"outer", "ger"})
    addOperator(definitions, fmt::format("aten::{}(Tensor self, Tensor vec2) -> Tensor", name),
                {describeOuter, implementOuter});
}

} // namespace inlay
