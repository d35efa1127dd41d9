// Activations of more than one element, or whose weights lie along channels.
#include "base/Error.h"
#include "compiler/operators/Arguments.h"
#include "compiler/operators/LoopKernel.h"
#include "compiler/operators/Pointwise.h"
#include "compiler/operators/Shapes.h"

namespace inlay {
namespace {

/// The dimension of which the second half gates the first.
Result<size_t> gatedDimension(const PluginNode &node) {
  return dimensionOf(integerOf(node, "dim"), inputOf(node, "self").shape.size());
}

Result<PluginDescription> describeGate(const PluginNode &node) {
  INLAY_TRY(checkFloat(node, "self"));
  INLAY_ASSIGN(const size_t dim, gatedDimension(node));
  TensorSpec out = inputOf(node, "self");
  if (out.shape.empty())
    return invalidArgument("'self' has rank 0; expected 1 or more");
  const Expr whole = out.shape[dim];
  out.shape[dim] = floorDiv(whole, 2);
  PluginDescription description;
  description.outputs = {std::move(out)};
  description.requirements.push_back(
      {equal(mod(whole, 2), 0),
       fmt::format("size {} of dimension {} is even", whole.toString(), dim)});
  return description;
}

Result<PluginImplementation> implementGate(const PluginNode &node) {
  INLAY_ASSIGN(const size_t dim, gatedDimension(node));
  const TensorSpec &self = inputOf(node, "self"), &out = node.outputs[0];
  const std::vector<Expr> strides = denseStrides(self.shape);
  const DataType sum = sumTypeOf(self.dtype);
  LoopKernel kernel(node, "glu", out.shape);
  kernel.load("value", 0, {Expr(0), strides});
  kernel.load("gate", 0, {out.shape[dim] * strides[dim], strides});
  kernel.line(fmt::format("result = {} * logistic({})", converted("value", self.dtype, sum),
                          converted("gate", self.dtype, sum)));
  kernel.store(0, denseAccess(out.shape), converted("result", sum, out.dtype));
  PluginImplementation implementation;
  INLAY_TRY(kernel.appendTo(implementation));
  return implementation;
}

Result<PluginDescription> describeSlopes(const PluginNode &node) {
  INLAY_TRY(checkFloat(node, "self"));
  INLAY_TRY(checkOneType(node));
  const TensorSpec &self = inputOf(node, "self");
  const Expr slopes = inputOf(node, "weight").numel();
  const Expr channels = self.shape.size() < 2 ? Expr(1) : self.shape[1];
  PluginDescription description;
  description.outputs = {self};
  description.requirements.push_back(
      {logicalOr(equal(slopes, 1), equal(slopes, channels)),
       fmt::format("'weight' has {} elements: one, or one for each of {} channels",
                   slopes.toString(), channels.toString())});
  return description;
}

Result<PluginImplementation> implementSlopes(const PluginNode &node) {
  const TensorSpec &self = inputOf(node, "self");
  const Expr slopes = inputOf(node, "weight").numel();
  const DataType sum = sumTypeOf(self.dtype);
  StridedAccess channel{Expr(0), std::vector<Expr>(self.shape.size(), Expr(0))};
  if (self.shape.size() > 1)
    channel.strides[1] = select(equal(slopes, 1), Expr(0), Expr(1));
  LoopKernel kernel(node, "prelu", self.shape);
  kernel.load("x", inputIndex(node, "self"), denseAccess(self.shape));
  kernel.load("slope", inputIndex(node, "weight"), std::move(channel));
  kernel.line(fmt::format("wide = {}", converted("x", self.dtype, sum)));
  kernel.line(fmt::format("result = tl.where(wide > 0, wide, wide * {})",
                          converted("slope", self.dtype, sum)));
  kernel.store(0, denseAccess(self.shape), converted("result", sum, self.dtype));
  PluginImplementation implementation;
  INLAY_TRY(kernel.appendTo(implementation));
  return implementation;
}

} // namespace

void addActivationOperators(OperatorDefinitions &definitions) {
  addOperator(definitions, "aten::glu(Tensor self, int dim=-1) -> Tensor",
              {describeGate, implementGate});
  addOperator(definitions, "aten::prelu(Tensor self, Tensor weight) -> Tensor",
              {describeSlopes, implementSlopes});
}

} // namespace inlay
