// Elements put together at places along a dimension that a tensor of indices names.
#include "base/Error.h"
#include "compiler/operators/Arguments.h"
#include "compiler/operators/Places.h"
#include "compiler/operators/Shapes.h"

#include <algorithm>
#include <array>

namespace inlay {
namespace {

constexpr size_t kMostOthers = 4; // dimensions beside that of the places

Status checkTypes(const PluginNode &node) {
  constexpr std::array kKnown = {DataType::Float16, DataType::BFloat16, DataType::Float32,
                                 DataType::Float64, DataType::Int32,    DataType::Int64};
  const DataType dtype = inputOf(node, "self").dtype;
  if (std::ranges::find(kKnown, dtype) == kKnown.end())
    return unimplemented("'self' is {}; floats of 16 bits or more, int32 and int64 are supported",
                         dataTypeName(dtype));
  if (inputOf(node, "src").dtype != dtype)
    return invalidArgument("'src' is {}, and 'self' {}; expected the same",
                           dataTypeName(inputOf(node, "src").dtype), dataTypeName(dtype));
  return checkIndices(node, inputIndex(node, "index"));
}

Status checkReduction(const PluginNode &node) {
  constexpr std::array<std::string_view, 5> kNames = {"sum", "prod", "mean", "amax", "amin"};
  const std::string &name = textOf(node, "reduce");
  return std::ranges::find(kNames, name) != kNames.end()
             ? Status()
             : invalidArgument("reduce is '{}'; expected sum, prod, mean, amax or amin", name);
}

/// The shape of a tensor, of which a scalar has one element along one dimension.
std::vector<Expr> shapeOf(const PluginNode &node, std::string_view name) {
  const std::vector<Expr> &shape = inputOf(node, name).shape;
  return shape.empty() ? std::vector<Expr>{Expr(1)} : shape;
}

Result<PluginDescription> describe(const PluginNode &node) {
  INLAY_TRY(checkTypes(node));
  INLAY_TRY(checkReduction(node));
  const std::vector<Expr> self = shapeOf(node, "self"), index = shapeOf(node, "index"),
                          source = shapeOf(node, "src");
  if (index.size() != self.size() || source.size() != self.size())
    return invalidArgument("'self' has rank {}, 'index' {} and 'src' {}; expected the same",
                           self.size(), index.size(), source.size());
  if (self.size() > kMostOthers + 1)
    return unimplemented("'self' has rank {}; at most {} are supported", self.size(),
                         kMostOthers + 1);
  INLAY_ASSIGN(const size_t selected, dimensionOf(integerOf(node, "dim"), self.size()));
  PluginDescription description;
  description.outputs.push_back(inputOf(node, "self"));
  description.aliasedInputs = {{0, inputIndex(node, "self")}};
  for (size_t dim = 0; dim < self.size(); ++dim) {
    description.requirements.push_back(
        {lessEqual(index[dim], source[dim]),
         fmt::format("'index' is no larger than 'src' in dimension {}", dim)});
    if (dim != selected)
      description.requirements.push_back(
          {lessEqual(index[dim], self[dim]),
           fmt::format("'index' is no larger than 'self' in dimension {}", dim)});
  }
  return description;
}

/// Of a dense tensor: strides of the dimensions beside the selected one, the first of as many as a
/// kernel takes being 0 where there are fewer, and the selected one's.
void addSteps(LaunchBuilder &launch, const std::vector<Expr> &shape, size_t selected) {
  std::vector<Expr> strides = denseStrides(shape);
  const Expr step = strides[selected];
  strides.erase(strides.begin() + static_cast<std::ptrdiff_t>(selected));
  strides.insert(strides.begin(), kMostOthers - strides.size(), Expr(0));
  for (const Expr &stride : strides)
    launch.wideSize(stride);
  launch.wideSize(step);
}

Result<PluginImplementation> implement(const PluginNode &node) {
  const std::vector<Expr> self = shapeOf(node, "self"), index = shapeOf(node, "index");
  INLAY_ASSIGN(const size_t selected, dimensionOf(integerOf(node, "dim"), self.size()));
  std::vector<Expr> others = index;
  others.erase(others.begin() + static_cast<std::ptrdiff_t>(selected));
  others.insert(others.begin(), kMostOthers - others.size(), Expr(1));
  const Expr lines = productOf(others);
  const DataType dtype = inputOf(node, "self").dtype;
  const DataType sum = isFloat(dtype) ? sumTypeOf(dtype) : dtype;
  const int64_t block = tileFor(lines, 1, 128, 128);
  LaunchBuilder launch("gather.py", "scatter_reduce_kernel");
  launch.input(inputIndex(node, "index"))
      .input(inputIndex(node, "src"))
      .output(0)
      .workspace(0, sum)
      .workspace(1, DataType::Int32)
      .sizes({lines, index[selected], self[selected], others[1], others[2], others[3]});
  addSteps(launch, index, selected);
  addSteps(launch, shapeOf(node, "src"), selected);
  addSteps(launch, self, selected);
  launch.constant("OP", textOf(node, "reduce"))
      .constant("INCLUDES_SELF", boolOf(node, "include_self"))
      .constant("SUM", sum)
      .constant("BLOCK", block)
      .warps(block >= 128 ? 4 : 1);
  PluginImplementation implementation = launch.over(ceilDiv(lines, block));
  const Expr places = lines * self[selected];
  implementation.workspaces = {
      {"totals", sum, places * Expr(dataTypeSizeBytes(sum))},
      {"counts", DataType::Int32, places * Expr(dataTypeSizeBytes(DataType::Int32))}};
  return implementation;
}

} // namespace

void addScatterReduceOperators(OperatorDefinitions &definitions) {
  addOperator(definitions,
              "aten::scatter_reduce.two(Tensor self, int dim, Tensor index, Tensor src, str "
              "reduce, *, bool include_self=True) -> Tensor",
              {describe, implement});
}

} // namespace inlay
