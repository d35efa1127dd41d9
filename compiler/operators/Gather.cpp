// Elements and rows at places that tensors of indices name.
#include "base/Error.h"
#include "compiler/operators/Arguments.h"
#include "compiler/operators/LaunchBuilder.h"
#include "compiler/operators/Shapes.h"

#include <algorithm>

namespace inlay {
namespace {

constexpr size_t kMostDimensions = 5, kMostIndices = 4;

/// One dimension of the output: how far each tensor advances along it. `steps` are of the tensor
/// itself, then of those of indices.
struct GatherDimension {
  Expr size;
  std::vector<Expr> steps;
};

/// A tensor of indices: where among the inputs it is, and the dimension that it indexes.
struct GatherIndex {
  uint32_t input;
  Expr size, step;
};

struct Gather {
  std::vector<GatherDimension> dimensions;
  std::vector<GatherIndex> indices;
  std::vector<PluginRequirement> requirements;

  std::vector<Expr> shape() const {
    std::vector<Expr> sizes;
    for (const GatherDimension &dimension : dimensions)
      sizes.push_back(dimension.size);
    return sizes;
  }
};

Status checkIndex(const PluginNode &node, uint32_t input) {
  const DataType dtype = node.inputs[input].dtype;
  if (dtype == DataType::Int64 || dtype == DataType::Int32)
    return {};
  if (dtype == DataType::Bool || dtype == DataType::UInt8)
    return unimplemented("'{}' is a mask ({}), which makes an output whose size depends on data; "
                         "indices of int32 and int64 are supported",
                         node.inputNames[input], dataTypeName(dtype));
  return invalidArgument("'{}' is {}; expected int32 or int64", node.inputNames[input],
                         dataTypeName(dtype));
}

/// Brings the output to as few dimensions as possible.
std::vector<GatherDimension> merged(const std::vector<GatherDimension> &dimensions) {
  std::vector<GatherDimension> result;
  for (const GatherDimension &dimension : dimensions) {
    if (isOne(dimension.size))
      continue;
    const auto isContinued = [&](const GatherDimension &outer) {
      for (size_t i = 0; i < outer.steps.size(); ++i)
        if (!(outer.steps[i] == dimension.steps[i] * dimension.size))
          return false;
      return true;
    };
    if (!result.empty() && isContinued(result.back()))
      result.back() = {result.back().size * dimension.size, dimension.steps};
    else
      result.push_back(dimension);
  }
  return result;
}

Result<PluginImplementation> implementGather(const PluginNode &node, const Gather &gather) {
  std::vector<GatherDimension> dimensions = merged(gather.dimensions);
  if (dimensions.size() > kMostDimensions)
    return unimplemented("the output has {} dimensions that are indexed in different ways; at most "
                         "{} are supported",
                         dimensions.size(), kMostDimensions);
  const std::vector<Expr> none(1 + gather.indices.size(), Expr(0));
  dimensions.insert(dimensions.begin(), kMostDimensions - dimensions.size(), {Expr(1), none});
  constexpr int64_t kBlock = 1024;
  const Expr numel = productOf(gather.shape());
  LaunchBuilder launch("gather.py", "gather_kernel");
  launch.input(inputIndex(node, "self")).output(0).sizes({numel});
  for (size_t dim = 1; dim < kMostDimensions; ++dim)
    launch.sizes({dimensions[dim].size});
  for (const GatherDimension &dimension : dimensions)
    launch.wideSize(dimension.steps[0]);
  for (size_t i = 0; i < kMostIndices; ++i) {
    const std::string name(1, static_cast<char>('a' + i));
    if (i < gather.indices.size()) {
      const GatherIndex &index = gather.indices[i];
      launch.input(index.input).wideSize(index.size).wideSize(index.step);
      for (const GatherDimension &dimension : dimensions)
        launch.wideSize(dimension.steps[1 + i]);
      continue;
    }
    launch.constant(name + "_ptr", std::monostate());
    for (std::string_view suffix : {"size", "step", "0", "1", "2", "3", "4"})
      launch.constant(fmt::format("{}_{}", name, suffix), int64_t{0});
  }
  launch.constant("BLOCK", kBlock);
  return launch.over(ceilDiv(numel, kBlock));
}

/// The tensors of indices of index.Tensor, by the dimension that each indexes.
Result<std::vector<std::pair<size_t, uint32_t>>> listedIndices(const PluginNode &node) {
  std::vector<std::pair<size_t, uint32_t>> indices;
  constexpr std::string_view kPrefix = "indices[";
  for (uint32_t i = 0; i < node.inputNames.size(); ++i) {
    const std::string &name = node.inputNames[i];
    if (!name.starts_with(kPrefix))
      continue;
    INLAY_TRY(checkIndex(node, i));
    indices.emplace_back(std::stoul(name.substr(kPrefix.size())), i);
  }
  std::ranges::sort(indices);
  const size_t rank = inputOf(node, "self").shape.size();
  if (indices.empty() || indices.size() > kMostIndices || indices.back().first >= rank)
    return unimplemented(
        "{} tensors of indices for a tensor of rank {}; from 1 to {} are supported", indices.size(),
        rank, kMostIndices);
  return indices;
}

/// index.Tensor: the dimensions of the indices, broadcast, stand where the indexed dimensions were
/// if those are neighbours, else in front.
Result<Gather> readIndex(const PluginNode &node) {
  const std::vector<Expr> &shape = inputOf(node, "self").shape;
  const std::vector<Expr> strides = denseStrides(shape);
  INLAY_ASSIGN(const auto indices, listedIndices(node));
  Gather gather;
  std::vector<std::vector<Expr>> indexShapes;
  for (const auto &[dim, input] : indices) {
    gather.indices.push_back({input, shape[dim], strides[dim]});
    indexShapes.push_back(node.inputs[input].shape);
  }
  INLAY_ASSIGN(const std::vector<Expr> together,
               broadcastShapes(node, indexShapes, gather.requirements));
  std::vector<GatherDimension> indexed;
  for (const Expr &size : together)
    indexed.push_back({size, {Expr(0)}});
  for (const std::vector<Expr> &indexShape : indexShapes) {
    const std::vector<Expr> steps = broadcastStrides(indexShape, together.size());
    for (size_t dim = 0; dim < together.size(); ++dim)
      indexed[dim].steps.push_back(steps[dim]);
  }
  const size_t first = indices.front().first, last = indices.back().first;
  const bool areNeighbours = last - first + 1 == indices.size();
  const auto append = [&](const std::vector<GatherDimension> &dimensions) {
    gather.dimensions.insert(gather.dimensions.end(), dimensions.begin(), dimensions.end());
  };
  if (!areNeighbours)
    append(indexed);
  for (size_t dim = 0; dim < shape.size(); ++dim) {
    if (areNeighbours && dim == first)
      append(indexed);
    if (std::ranges::find(indices, dim, [](const auto &index) { return index.first; }) !=
        indices.end())
      continue;
    std::vector<Expr> steps(1 + indices.size(), Expr(0));
    steps[0] = strides[dim];
    gather.dimensions.push_back({shape[dim], std::move(steps)});
  }
  return gather;
}

/// index_select: whole slices.
Result<Gather> readSelect(const PluginNode &node) {
  const std::vector<Expr> &shape = inputOf(node, "self").shape;
  const uint32_t index = inputIndex(node, "index");
  INLAY_TRY(checkIndex(node, index));
  const TensorSpec &indices = node.inputs[index];
  if (indices.shape.size() > 1)
    return invalidArgument("'index' has rank {}; expected 0 or 1", indices.shape.size());
  INLAY_ASSIGN(const size_t selected, dimensionOf(integerOf(node, "dim"), shape.size()));
  Gather gather;
  if (shape.empty()) {
    gather.indices.push_back({index, Expr(1), Expr(1)});
    return gather;
  }
  const std::vector<Expr> strides = denseStrides(shape);
  for (size_t dim = 0; dim < shape.size(); ++dim)
    if (dim == selected)
      gather.dimensions.push_back({indices.numel(), {Expr(0), Expr(1)}});
    else
      gather.dimensions.push_back({shape[dim], {strides[dim], Expr(0)}});
  gather.indices.push_back({index, shape[selected], strides[selected]});
  return gather;
}

/// gather: the index has the output's shape.
Result<Gather> readGather(const PluginNode &node) {
  const std::vector<Expr> &shape = inputOf(node, "self").shape;
  const uint32_t index = inputIndex(node, "index");
  INLAY_TRY(checkIndex(node, index));
  const std::vector<Expr> &indices = node.inputs[index].shape;
  if (indices.size() != shape.size())
    return invalidArgument("'index' has rank {}, and 'self' {}; expected the same", indices.size(),
                           shape.size());
  INLAY_ASSIGN(const size_t selected, dimensionOf(integerOf(node, "dim"), shape.size()));
  const std::vector<Expr> strides = denseStrides(shape), indexStrides = denseStrides(indices);
  Gather gather;
  for (size_t dim = 0; dim < shape.size(); ++dim) {
    gather.dimensions.push_back(
        {indices[dim], {dim == selected ? Expr(0) : strides[dim], indexStrides[dim]}});
    if (dim != selected)
      gather.requirements.push_back(
          {lessEqual(indices[dim], shape[dim]),
           fmt::format("'index' is no larger than 'self' in dimension {}", dim)});
  }
  gather.indices.push_back({index, shape.empty() ? Expr(1) : shape[selected],
                            shape.empty() ? Expr(1) : strides[selected]});
  return gather;
}

using ReadGather = Result<Gather> (*)(const PluginNode &);

Result<PluginDescription> describeGather(const PluginNode &node, ReadGather read) {
  INLAY_ASSIGN(Gather gather, read(node));
  PluginDescription description;
  description.outputs.push_back({inputOf(node, "self").dtype, gather.shape()});
  description.requirements = std::move(gather.requirements);
  return description;
}

Result<PluginDescription> describeEmbedding(const PluginNode &node) {
  const TensorSpec &table = inputOf(node, "weight"), &indices = inputOf(node, "indices");
  INLAY_TRY(checkIndex(node, inputIndex(node, "indices")));
  if (table.shape.size() != 2)
    return invalidArgument("'weight' has rank {}; expected 2", table.shape.size());
  PluginDescription description;
  TensorSpec out{table.dtype, indices.shape};
  out.shape.push_back(table.shape[1]);
  description.outputs.push_back(std::move(out));
  return description;
}

Result<PluginImplementation> implementEmbedding(const PluginNode &node) {
  const TensorSpec &table = inputOf(node, "weight"), &indices = inputOf(node, "indices");
  const Expr columns = table.shape[1];
  const int64_t block = tileFor(columns, 1, 1024, 256);
  const int64_t rows = std::clamp<int64_t>(1024 / block, 1, 64);
  LaunchBuilder launch("gather.py", "embedding_kernel");
  launch.input(inputIndex(node, "weight"))
      .input(inputIndex(node, "indices"))
      .output(0)
      .sizes({indices.numel(), columns, table.shape[0]})
      .constant("ROWS", rows)
      .constant("BLOCK", block);
  return launch.over(ceilDiv(indices.numel(), rows) * ceilDiv(columns, block));
}

} // namespace

void addGatherOperators(OperatorDefinitions &definitions) {
  const auto add = [&](std::string_view schema, ReadGather read) {
    addOperator(definitions, schema,
                {[read](const PluginNode &node) { return describeGather(node, read); },
                 [read](const PluginNode &node) -> Result<PluginImplementation> {
                   INLAY_ASSIGN(const Gather gather, read(node));
                   return implementGather(node, gather);
                 }});
  };
  add("aten::index.Tensor(Tensor self, Tensor?[] indices) -> Tensor", readIndex);
  add("aten::index_select(Tensor self, int dim, Tensor index) -> Tensor", readSelect);
  add("aten::gather(Tensor self, int dim, Tensor index, *, bool sparse_grad=False) -> Tensor",
      readGather);
  addOperator(definitions,
              "aten::embedding(Tensor weight, Tensor indices, SymInt padding_idx=-1, bool "
              "scale_grad_by_freq=False, bool sparse=False) -> Tensor",
              {describeEmbedding, implementEmbedding});
}

} // namespace inlay
