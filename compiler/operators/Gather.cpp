// Elements and rows at places that tensors of indices name.
#include "base/Error.h"
#include "compiler/operators/Arguments.h"
#include "compiler/operators/Places.h"
#include "compiler/operators/Shapes.h"

#include <algorithm>

namespace inlay {
namespace {

using ReadPlaces = Result<Places> (*)(const PluginNode &);

Result<PluginDescription> describeGather(const PluginNode &node, ReadPlaces read) {
  INLAY_ASSIGN(Places places, read(node));
  PluginDescription description;
  description.outputs.push_back({inputOf(node, "self").dtype, places.shape()});
  description.requirements = std::move(places.requirements);
  return description;
}

Result<PluginImplementation> implementGather(const PluginNode &node, ReadPlaces read) {
  INLAY_ASSIGN(const Places places, read(node));
  LaunchBuilder launch("gather.py", "gather_kernel");
  launch.input(inputIndex(node, "self")).output(0);
  return overPlaces(launch, places);
}

Result<PluginDescription> describeEmbedding(const PluginNode &node) {
  const TensorSpec &table = inputOf(node, "weight"), &indices = inputOf(node, "indices");
  INLAY_TRY(checkIndices(node, inputIndex(node, "indices")));
  if (table.shape.size() != 2)
    return invalidArgument("'weight' has rank {}; expected 2", table.shape.size());
  PluginDescription description;
  TensorSpec out{table.dtype, indices.shape};
  out.shape.push_back(table.shape[1]);
  description.outputs.push_back(std::move(out));
  return description;
}

Result<Places> placesOfEmbedding(const PluginNode &node) {
  const std::vector<Expr> &table = inputOf(node, "weight").shape;
  const uint32_t indices = inputIndex(node, "indices");
  const std::vector<Expr> &shape = node.inputs[indices].shape, strides = denseStrides(shape);
  Places places;
  for (size_t dim = 0; dim < shape.size(); ++dim)
    places.dimensions.push_back({shape[dim], {Expr(0), strides[dim]}});
  places.dimensions.push_back({table[1], {Expr(1), Expr(0)}});
  places.indices.push_back({indices, table[0], table[1]});
  return places;
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
  const auto add = [&](std::string_view schema, ReadPlaces read) {
    addOperator(definitions, schema,
                {[read](const PluginNode &node) { return describeGather(node, read); },
                 [read](const PluginNode &node) { return implementGather(node, read); },
                 "",
                 {},
                 {.places = read}});
  };
  add("aten::index.Tensor(Tensor self, Tensor?[] indices) -> Tensor", readIndexList);
  add("aten::index_select(Tensor self, int dim, Tensor index) -> Tensor", readSlices);
  add("aten::gather(Tensor self, int dim, Tensor index, *, bool sparse_grad=False) -> Tensor",
      readElements);
  addOperator(definitions,
              "aten::embedding(Tensor weight, Tensor indices, SymInt padding_idx=-1, bool "
              "scale_grad_by_freq=False, bool sparse=False) -> Tensor",
              {describeEmbedding, implementEmbedding, "", {}, {.places = placesOfEmbedding}});
}

} // namespace inlay
