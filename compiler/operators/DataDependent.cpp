// Elements where a mask holds: results whose size only the data tells, and what is written there.
#include "base/Error.h"
#include "compiler/operators/Arguments.h"
#include "compiler/operators/LaunchBuilder.h"
#include "compiler/operators/Shapes.h"

#include <algorithm>

namespace inlay {
namespace {

constexpr size_t kMostDimensions = 5;
/// Elements of a mask that one program looks at, and elements that it moves at a time.
constexpr int64_t kBlock = 1024, kTile = 4096;

Status checkRank(size_t rank) {
  return rank <= kMostDimensions
             ? Status()
             : unimplemented("a mask of rank {}; at most {} is supported", rank, kMostDimensions);
}

/// Values of the five dimensions that kernels know; the last ones are those that there are.
std::vector<Expr> ofFive(std::span<const Expr> values, int64_t missing) {
  std::vector<Expr> five(kMostDimensions - values.size(), Expr(missing));
  five.insert(five.end(), values.begin(), values.end());
  return five;
}

void addSizes(LaunchBuilder &launch, std::span<const Expr> shape) {
  const std::vector<Expr> sizes = ofFive(shape, 1);
  launch.sizes({productOf(shape), sizes[1], sizes[2], sizes[3], sizes[4]});
}

void addStrides(LaunchBuilder &launch, std::span<const Expr> strides) {
  for (const Expr &stride : ofFive(strides, 0))
    launch.wideSize(stride);
}

/// How many elements hold, up to as many as there are.
ComputedSize countOf(std::span<const Expr> shape) {
  const Expr most = productOf(shape);
  return {"count", DataType::Int32, most, most};
}

/// The launches that count: workspace 0 then says of each block how many hold before it, and the
/// node's size, if it has one, how many hold at all.
PluginImplementation countingOf(const PluginNode &node, uint32_t mask, std::span<const Expr> shape,
                                std::span<const Expr> strides) {
  const Expr blocks = ceilDiv(productOf(shape), kBlock);
  PluginImplementation implementation;
  implementation.workspaces.push_back({"starts", DataType::Int32, blocks * Expr(4)});
  LaunchBuilder count("masks.py", "count_kernel");
  count.input(mask).workspace(0, DataType::Int32);
  addSizes(count, shape);
  addStrides(count, strides);
  implementation.launches.push_back(count.constant("BLOCK", kBlock).launchOver(blocks));
  LaunchBuilder starts("masks.py", "starts_kernel");
  starts.workspace(0, DataType::Int32);
  if (node.sizes.empty())
    starts.constant("total_ptr", std::monostate());
  else
    starts.computedSize(0, DataType::Int32);
  starts.sizes({blocks});
  implementation.launches.push_back(starts.constant("BLOCK", kBlock).launchOver(Expr(1)));
  return implementation;
}

Result<PluginDescription> describeNonzero(const PluginNode &node) {
  const TensorSpec &self = inputOf(node, "self");
  INLAY_TRY(checkRank(self.shape.size()));
  PluginDescription description;
  description.sizes.push_back(countOf(self.shape));
  const auto rank = static_cast<int64_t>(self.shape.size());
  description.outputs = {{DataType::Int64, {description.sizes[0].symbol(), Expr(rank)}}};
  return description;
}

Result<PluginImplementation> implementNonzero(const PluginNode &node) {
  const TensorSpec &self = inputOf(node, "self");
  PluginImplementation implementation = countingOf(node, 0, self.shape, denseStrides(self.shape));
  LaunchBuilder launch("masks.py", "nonzero_kernel");
  launch.input(0).workspace(0, DataType::Int32).output(0);
  addSizes(launch, self.shape);
  launch.constant("RANK", static_cast<int64_t>(self.shape.size())).constant("BLOCK", kBlock);
  implementation.launches.push_back(launch.launchOver(ceilDiv(self.numel(), kBlock)));
  return implementation;
}

/// What is taken of a tensor: rows of `inner` elements, by a mask over the dimensions before.
struct Taken {
  uint32_t self, mask;
  std::vector<Expr> shape;                    // of the mask, as it is walked through
  std::vector<Expr> maskStrides, selfStrides; // along it
  std::vector<Expr> row;                      // sizes of a row
  std::vector<PluginRequirement> requirements;
};

Result<Taken> readMaskedSelect(const PluginNode &node) {
  Taken taken{inputIndex(node, "self"), inputIndex(node, "mask"), {}, {}, {}, {}, {}};
  const TensorSpec &self = node.inputs[taken.self], &mask = node.inputs[taken.mask];
  const std::vector<Expr> shapes[] = {self.shape, mask.shape};
  INLAY_ASSIGN(taken.shape, broadcastShapes(node, shapes, taken.requirements));
  INLAY_TRY(checkRank(taken.shape.size()));
  taken.maskStrides = broadcastStrides(mask.shape, taken.shape.size());
  taken.selfStrides = broadcastStrides(self.shape, taken.shape.size());
  return taken;
}

/// The only index of a node if that is a mask of the leading dimensions.
constexpr std::string_view kFirstIndex = "indices[0]";

Status servesMask(const PluginNode &node) {
  const auto indices = std::ranges::count_if(
      node.inputNames, [](const std::string &name) { return name.starts_with("indices["); });
  const TensorSpec *mask = findInput(node, kFirstIndex);
  if (mask && indices == 1 && (mask->dtype == DataType::Bool || mask->dtype == DataType::UInt8))
    return {};
  return unimplemented("the indices are not one mask (bool or uint8) of the first dimensions");
}

Result<Taken> readMaskedRows(const PluginNode &node) {
  Taken taken{inputIndex(node, "self"), inputIndex(node, kFirstIndex), {}, {}, {}, {}, {}};
  const TensorSpec &self = node.inputs[taken.self], &mask = node.inputs[taken.mask];
  INLAY_TRY(checkRank(mask.shape.size()));
  if (mask.shape.size() > self.shape.size())
    return invalidArgument("the mask has rank {}, and 'self' only {}", mask.shape.size(),
                           self.shape.size());
  taken.shape = mask.shape;
  taken.maskStrides = denseStrides(mask.shape);
  const std::vector<Expr> strides = denseStrides(self.shape);
  for (size_t dim = 0; dim < self.shape.size(); ++dim)
    if (dim >= mask.shape.size())
      taken.row.push_back(self.shape[dim]);
    else {
      taken.selfStrides.push_back(strides[dim]);
      if (!(mask.shape[dim] == self.shape[dim]))
        taken.requirements.push_back(
            {equal(mask.shape[dim], self.shape[dim]),
             fmt::format("size {} of the mask equals that of 'self' in dimension {}",
                         mask.shape[dim].toString(), dim)});
    }
  return taken;
}

using ReadTaken = Result<Taken> (*)(const PluginNode &);

Result<PluginDescription> describeTake(const PluginNode &node, ReadTaken read) {
  INLAY_ASSIGN(Taken taken, read(node));
  PluginDescription description;
  description.sizes.push_back(countOf(taken.shape));
  TensorSpec out{node.inputs[taken.self].dtype, {description.sizes[0].symbol()}};
  out.shape.insert(out.shape.end(), taken.row.begin(), taken.row.end());
  description.outputs.push_back(std::move(out));
  description.requirements = std::move(taken.requirements);
  return description;
}

/// Adds the tile that a program moves at a time.
PluginLaunch launchRows(LaunchBuilder &launch, const Expr &inner, const Expr &blocks) {
  const int64_t columns = tileFor(inner, 1, kTile / kBlock, kTile / kBlock);
  return launch.constant("BLOCK", kBlock).constant("INNER", columns).launchOver(blocks);
}

Result<PluginImplementation> implementTake(const PluginNode &node, ReadTaken read) {
  INLAY_ASSIGN(const Taken taken, read(node));
  PluginImplementation implementation =
      countingOf(node, taken.mask, taken.shape, taken.maskStrides);
  LaunchBuilder launch("masks.py", "take_kernel");
  launch.input(taken.mask).input(taken.self).workspace(0, DataType::Int32).output(0);
  addSizes(launch, taken.shape);
  addStrides(launch, taken.maskStrides);
  addStrides(launch, taken.selfStrides);
  const Expr inner = productOf(taken.row);
  launch.sizes({inner});
  implementation.launches.push_back(
      launchRows(launch, inner, ceilDiv(productOf(taken.shape), kBlock)));
  return implementation;
}

/// How the values of a masked index_put lie: rows for the elements that hold, or one for all.
struct PutValues {
  Expr rows;        // how many there are
  Expr row, column; // strides
  bool isOneRow;
};

Result<PutValues> readValues(const PluginNode &node, const Taken &taken) {
  const TensorSpec &values = inputOf(node, "values");
  const DataType wanted = node.inputs[taken.self].dtype;
  if (values.dtype != wanted)
    return invalidArgument("'values' is {}, and 'self' {}; expected the same",
                           dataTypeName(values.dtype), dataTypeName(wanted));
  if (boolOf(node, "accumulate"))
    return unimplemented("accumulate = True with a mask is not supported");
  const std::vector<Expr> &shape = values.shape;
  if (std::ranges::all_of(shape, isOne))
    return PutValues{Expr(1), Expr(0), Expr(0), true};
  const bool hasRows = shape.size() == taken.row.size() + 1;
  const std::vector<Expr> row(shape.begin() + hasRows, shape.end());
  if (!std::ranges::equal(row, taken.row) || shape.size() > taken.row.size() + 1)
    return unimplemented("'values' is {}; supported are one element, a row {}, and such rows",
                         shapeText(shape), shapeText(taken.row));
  const bool isOneRow = !hasRows || isOne(shape[0]);
  return PutValues{isOneRow ? Expr(1) : shape[0], isOneRow ? Expr(0) : productOf(taken.row),
                   Expr(1), isOneRow};
}

Result<PluginDescription> describePut(const PluginNode &node) {
  INLAY_ASSIGN(Taken taken, readMaskedRows(node));
  INLAY_ASSIGN(const PutValues values, readValues(node, taken));
  PluginDescription description;
  description.outputs.push_back(node.inputs[taken.self]);
  description.aliasedInputs = {{0, taken.self}};
  description.requirements = std::move(taken.requirements);
  return description;
}

Result<PluginImplementation> implementPut(const PluginNode &node) {
  INLAY_ASSIGN(const Taken taken, readMaskedRows(node));
  INLAY_ASSIGN(const PutValues values, readValues(node, taken));
  PluginImplementation implementation;
  if (!values.isOneRow)
    implementation = countingOf(node, taken.mask, taken.shape, taken.maskStrides);
  LaunchBuilder launch("masks.py", "put_kernel");
  launch.input(taken.mask).input(inputIndex(node, "values"));
  if (values.isOneRow)
    launch.constant("starts_ptr", std::monostate());
  else
    launch.workspace(0, DataType::Int32);
  const Expr inner = productOf(taken.row), count = productOf(taken.shape);
  launch.output(0).sizes({count, inner, values.rows}).wideSize(values.row).wideSize(values.column);
  implementation.launches.push_back(launchRows(launch, inner, ceilDiv(count, kBlock)));
  return implementation;
}

} // namespace

void addDataDependentOperators(OperatorDefinitions &definitions) {
  addOperator(definitions, "aten::nonzero(Tensor self) -> Tensor",
              {describeNonzero, implementNonzero});
  const auto addTake = [&](std::string_view schema, ReadTaken read, std::string variant) {
    OperatorFunctions functions{
        [read](const PluginNode &node) { return describeTake(node, read); },
        [read](const PluginNode &node) { return implementTake(node, read); },
        variant,
        {}};
    if (!variant.empty())
      functions.serves = servesMask;
    addOperator(definitions, schema, std::move(functions));
  };
  addTake("aten::masked_select(Tensor self, Tensor mask) -> Tensor", readMaskedSelect, "");
  addTake("aten::index.Tensor(Tensor self, Tensor?[] indices) -> Tensor", readMaskedRows, "mask");
  addOperator(definitions,
              "aten::index_put(Tensor self, Tensor?[] indices, Tensor values, bool "
              "accumulate=False) -> Tensor",
              {describePut, implementPut, "mask", servesMask});
}

} // namespace inlay
