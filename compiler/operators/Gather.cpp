// Elements and rows at places that tensors of indices name: taken, or written.
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

/// The tensor whose elements a node writes.
std::string_view sourceName(const PluginNode &node) {
  for (std::string_view name : {"values", "source"})
    if (findInput(node, name))
      return name;
  return "src";
}

/// Places that are written. The source of scatter may be larger than the index.
Result<Places> readWritten(const PluginNode &node, ReadPlaces read) {
  INLAY_ASSIGN(Places places, read(node));
  const TensorSpec &source = inputOf(node, sourceName(node));
  if (source.dtype != inputOf(node, "self").dtype)
    return invalidArgument("'{}' is {}, and 'self' {}; expected the same", sourceName(node),
                           dataTypeName(source.dtype), dataTypeName(inputOf(node, "self").dtype));
  if (hasAttribute(node, "accumulate") && boolOf(node, "accumulate"))
    return unimplemented("accumulate = True is not supported");
  if (read == readElements && source.shape.size() == places.dimensions.size())
    places.addSourceSteps(denseStrides(source.shape));
  else
    INLAY_TRY(places.addSource(source.shape));
  return places;
}

Result<PluginDescription> describeScatter(const PluginNode &node, ReadPlaces read) {
  INLAY_ASSIGN(Places places, readWritten(node, read));
  PluginDescription description;
  description.outputs.push_back(inputOf(node, "self"));
  description.aliasedInputs = {{0, inputIndex(node, "self")}};
  description.requirements = std::move(places.requirements);
  return description;
}

Result<PluginImplementation> implementScatter(const PluginNode &node, ReadPlaces read) {
  INLAY_ASSIGN(const Places places, readWritten(node, read));
  LaunchBuilder launch("gather.py", "scatter_kernel");
  launch.input(inputIndex(node, sourceName(node))).output(0);
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
                 [read](const PluginNode &node) { return implementGather(node, read); }});
  };
  add("aten::index.Tensor(Tensor self, Tensor?[] indices) -> Tensor", readIndexList);
  add("aten::index_select(Tensor self, int dim, Tensor index) -> Tensor", readSlices);
  add("aten::gather(Tensor self, int dim, Tensor index, *, bool sparse_grad=False) -> Tensor",
      readElements);
  const auto addScatter = [&](std::string_view schema, ReadPlaces read) {
    addOperator(definitions, schema,
                {[read](const PluginNode &node) { return describeScatter(node, read); },
                 [read](const PluginNode &node) { return implementScatter(node, read); }});
  };
  addScatter("aten::index_put(Tensor self, Tensor?[] indices, Tensor values, bool "
             "accumulate=False) -> Tensor",
             readIndexList);
  addScatter("aten::index_copy(Tensor self, int dim, Tensor index, Tensor source) -> Tensor",
             readSlices);
  addScatter("aten::scatter.src(Tensor self, int dim, Tensor index, Tensor src) -> Tensor",
             readElements);
  addOperator(definitions,
              "aten::embedding(Tensor weight, Tensor indices, SymInt padding_idx=-1, bool "
              "scale_grad_by_freq=False, bool sparse=False) -> Tensor",
              {describeEmbedding, implementEmbedding});
}

} // namespace inlay
