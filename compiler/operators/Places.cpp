#include "compiler/operators/Places.h"

#include "base/Error.h"
#include "compiler/operators/Arguments.h"
#include "compiler/operators/Shapes.h"

#include <algorithm>
#include <span>

namespace inlay {
namespace {

constexpr size_t kRowDimensions = 5, kMostIndices = 4;

/// Brings the elements to as few dimensions as possible.
std::vector<PlaceDimension> merged(const std::vector<PlaceDimension> &dimensions) {
  std::vector<PlaceDimension> result;
  for (const PlaceDimension &dimension : dimensions) {
    if (isOne(dimension.size))
      continue;
    const auto isContinued = [&](const PlaceDimension &outer) {
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

/// The tensors of indices of index.Tensor, by the dimension that each indexes.
Result<std::vector<std::pair<size_t, uint32_t>>> listedIndices(const PluginNode &node) {
  std::vector<std::pair<size_t, uint32_t>> indices;
  constexpr std::string_view kPrefix = "indices[";
  for (uint32_t i = 0; i < node.inputNames.size(); ++i) {
    const std::string &name = node.inputNames[i];
    if (!name.starts_with(kPrefix))
      continue;
    INLAY_TRY(checkIndices(node, i));
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

} // namespace

std::vector<Expr> Places::shape() const {
  std::vector<Expr> sizes;
  for (const PlaceDimension &dimension : dimensions)
    sizes.push_back(dimension.size);
  return sizes;
}

Status Places::addSource(std::span<const Expr> source) {
  if (source.size() > dimensions.size())
    return invalidArgument("the tensor that is written has rank {}; expected at most {}",
                           source.size(), dimensions.size());
  const size_t first = dimensions.size() - source.size();
  for (size_t dim = 0; dim < source.size(); ++dim)
    if (const Expr &size = dimensions[first + dim].size;
        !isOne(source[dim]) && !(source[dim] == size))
      requirements.push_back(
          {equal(source[dim], size), fmt::format("size {} of the tensor that is written equals {}",
                                                 source[dim].toString(), size.toString())});
  addSourceSteps(broadcastStrides(source, dimensions.size()));
  return {};
}

void Places::addSourceSteps(std::span<const Expr> steps) {
  hasSource = true;
  for (size_t dim = 0; dim < dimensions.size(); ++dim)
    dimensions[dim].steps.push_back(steps[dim]);
}

Status checkIndices(const PluginNode &node, uint32_t input) {
  const DataType dtype = node.inputs[input].dtype;
  if (dtype == DataType::Int64 || dtype == DataType::Int32)
    return {};
  if (dtype == DataType::Bool || dtype == DataType::UInt8)
    return unimplemented(
        "'{}' is a mask ({}); supported are indices of int32 and int64, or only one "
        "mask of the first dimensions",
        node.inputNames[input], dataTypeName(dtype));
  return invalidArgument("'{}' is {}; expected int32 or int64", node.inputNames[input],
                         dataTypeName(dtype));
}

Result<Places> readIndexList(const PluginNode &node) {
  const std::vector<Expr> &shape = inputOf(node, "self").shape;
  const std::vector<Expr> strides = denseStrides(shape);
  INLAY_ASSIGN(const auto indices, listedIndices(node));
  Places places;
  std::vector<std::vector<Expr>> indexShapes;
  for (const auto &[dim, input] : indices) {
    places.indices.push_back({input, shape[dim], strides[dim]});
    indexShapes.push_back(node.inputs[input].shape);
  }
  INLAY_ASSIGN(const std::vector<Expr> together,
               broadcastShapes(node, indexShapes, places.requirements));
  std::vector<PlaceDimension> indexed;
  for (const Expr &size : together)
    indexed.push_back({size, {Expr(0)}});
  for (const std::vector<Expr> &indexShape : indexShapes) {
    const std::vector<Expr> steps = broadcastStrides(indexShape, together.size());
    for (size_t dim = 0; dim < together.size(); ++dim)
      indexed[dim].steps.push_back(steps[dim]);
  }
  const size_t first = indices.front().first, last = indices.back().first;
  const bool areNeighbours = last - first + 1 == indices.size();
  const auto append = [&](const std::vector<PlaceDimension> &dimensions) {
    places.dimensions.insert(places.dimensions.end(), dimensions.begin(), dimensions.end());
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
    places.dimensions.push_back({shape[dim], std::move(steps)});
  }
  return places;
}

Result<Places> readSlices(const PluginNode &node) {
  const std::vector<Expr> &shape = inputOf(node, "self").shape;
  const uint32_t index = inputIndex(node, "index");
  INLAY_TRY(checkIndices(node, index));
  const TensorSpec &indices = node.inputs[index];
  if (indices.shape.size() > 1)
    return invalidArgument("'index' has rank {}; expected 0 or 1", indices.shape.size());
  INLAY_ASSIGN(const size_t selected, dimensionOf(integerOf(node, "dim"), shape.size()));
  Places places;
  if (shape.empty()) {
    places.indices.push_back({index, Expr(1), Expr(1)});
    return places;
  }
  const std::vector<Expr> strides = denseStrides(shape);
  for (size_t dim = 0; dim < shape.size(); ++dim)
    if (dim == selected)
      places.dimensions.push_back({indices.numel(), {Expr(0), Expr(1)}});
    else
      places.dimensions.push_back({shape[dim], {strides[dim], Expr(0)}});
  places.indices.push_back({index, shape[selected], strides[selected]});
  return places;
}

Result<Places> readElements(const PluginNode &node) {
  const std::vector<Expr> &shape = inputOf(node, "self").shape;
  const uint32_t index = inputIndex(node, "index");
  INLAY_TRY(checkIndices(node, index));
  const std::vector<Expr> &indices = node.inputs[index].shape;
  if (indices.size() != shape.size())
    return invalidArgument("'index' has rank {}, and 'self' {}; expected the same", indices.size(),
                           shape.size());
  INLAY_ASSIGN(const size_t selected, dimensionOf(integerOf(node, "dim"), shape.size()));
  const std::vector<Expr> strides = denseStrides(shape), indexStrides = denseStrides(indices);
  Places places;
  for (size_t dim = 0; dim < shape.size(); ++dim) {
    places.dimensions.push_back(
        {indices[dim], {dim == selected ? Expr(0) : strides[dim], indexStrides[dim]}});
    if (dim != selected)
      places.requirements.push_back(
          {lessEqual(indices[dim], shape[dim]),
           fmt::format("'index' is no larger than 'self' in dimension {}", dim)});
  }
  places.indices.push_back({index, shape.empty() ? Expr(1) : shape[selected],
                            shape.empty() ? Expr(1) : strides[selected]});
  return places;
}

namespace {

/// The elements as rows, which lie in kRowDimensions, and columns.
struct Tiling {
  std::vector<PlaceDimension> rows;
  PlaceDimension columns;

  Expr numRows() const {
    Expr count(1);
    for (const PlaceDimension &dimension : rows)
      count = count * dimension.size;
    return count;
  }
};

/// True for a dimension along which no index is taken, so that places along it are different ones.
bool isKept(const PlaceDimension &dimension) { return !(dimension.steps[0] == Expr(0)); }

/// Tiles whose columns are the last dimension if it `suits`.
Result<Tiling> tilingOf(const Places &places, bool (*suits)(const PlaceDimension &)) {
  const std::vector<Expr> none(1 + places.indices.size() + (places.hasSource ? 1 : 0), Expr(0));
  Tiling tiling{merged(places.dimensions), {Expr(1), none}};
  // Kernels are compiled for the step of an index along the columns.
  const auto areStepsKnown = [&](const PlaceDimension &dimension) {
    return std::ranges::all_of(std::span(dimension.steps).subspan(1, places.indices.size()),
                               [](const Expr &step) { return step.constantValue().has_value(); });
  };
  if (!tiling.rows.empty() && areStepsKnown(tiling.rows.back()) && suits(tiling.rows.back())) {
    tiling.columns = std::move(tiling.rows.back());
    tiling.rows.pop_back();
  }
  if (tiling.rows.size() > kRowDimensions)
    return unimplemented("the elements have {} dimensions that are indexed in different ways; at "
                         "most {} are supported",
                         tiling.rows.size() + 1, kRowDimensions + 1);
  // Behind, since only the first needs no division.
  tiling.rows.resize(kRowDimensions, {Expr(1), none});
  return tiling;
}

/// What a kernel is told of one tensor of indices; of one that is not there, that it is None.
void addIndex(LaunchBuilder &launch, const Places &places, const Tiling &tiling, size_t i) {
  const std::string name(1, static_cast<char>('a' + i));
  const std::string columnStep = fmt::format("{}_COLUMN", static_cast<char>('A' + i));
  if (i < places.indices.size()) {
    const PlaceIndex &index = places.indices[i];
    launch.input(index.input).wideSize(index.size).wideSize(index.step);
    for (const PlaceDimension &dimension : tiling.rows)
      launch.wideSize(dimension.steps[1 + i]);
    launch.constant(columnStep, *tiling.columns.steps[1 + i].constantValue());
    return;
  }
  launch.constant(name + "_ptr", std::monostate());
  for (std::string_view suffix : {"size", "step", "0", "1", "2", "3", "4"})
    launch.constant(fmt::format("{}_{}", name, suffix), int64_t{0});
  launch.constant(columnStep, int64_t{0});
}

constexpr int64_t kElements = 1024; // of a tile

int64_t tileOfColumns(const Tiling &tiling) {
  return tileFor(tiling.columns.size, 1, kElements, isOne(tiling.numRows()) ? kElements : 256);
}

/// What a kernel is told of all of it.
void addTiling(LaunchBuilder &launch, const Places &places, const Tiling &tiling) {
  launch.sizes({tiling.numRows()});
  for (size_t dim = 1; dim < kRowDimensions; ++dim)
    launch.sizes({tiling.rows[dim].size});
  launch.sizes({tiling.columns.size});
  const auto addSteps = [&](size_t tensor) {
    for (const PlaceDimension &dimension : tiling.rows)
      launch.wideSize(dimension.steps[tensor]);
    launch.wideSize(tiling.columns.steps[tensor]);
  };
  addSteps(0);
  for (size_t i = 0; i < kMostIndices; ++i)
    addIndex(launch, places, tiling, i);
  if (places.hasSource)
    addSteps(1 + places.indices.size());
}

} // namespace

Result<PluginImplementation> overPlaces(LaunchBuilder &launch, const Places &places) {
  INLAY_ASSIGN(const Tiling tiling, tilingOf(places, [](const PlaceDimension &) { return true; }));
  const Expr rows = tiling.numRows();
  const int64_t tileColumns = tileOfColumns(tiling);
  const int64_t tileRows = tileFor(rows, 1, kElements / tileColumns, kElements / tileColumns);
  addTiling(launch, places, tiling);
  launch.constant("ROWS", tileRows).constant("COLUMNS", tileColumns);
  return launch.over(ceilDiv(rows, tileRows) * ceilDiv(tiling.columns.size, tileColumns));
}

Result<PluginImplementation> inOrderOfPlaces(LaunchBuilder &launch, const Places &places) {
  INLAY_ASSIGN(const Tiling tiling, tilingOf(places, isKept));
  const int64_t tileColumns = tileOfColumns(tiling);
  const bool isGrouped = isKept(tiling.rows[0]);
  addTiling(launch, places, tiling);
  launch.constant("GROUPED", isGrouped).constant("COLUMNS", tileColumns);
  return launch.over((isGrouped ? tiling.rows[0].size : Expr(1)) *
                     ceilDiv(tiling.columns.size, tileColumns));
}

} // namespace inlay
