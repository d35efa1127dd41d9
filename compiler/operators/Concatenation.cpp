// Operators that put tensors together along a dimension.
#include "compiler/operators/Shapes.h"
#include "compiler/operators/TypePromotion.h"
#include "compiler/operators/Views.h"

#include "base/Error.h"

#include <algorithm>

namespace inlay {
namespace {

/// PyTorch takes empty tensors of rank 1 among those of any shape.
bool isLegacyEmpty(const TensorSpec &tensor) {
  return tensor.shape.size() == 1 && tensor.shape[0] == Expr(0);
}

/// Tensors one behind the other along a dimension.
struct Concatenation {
  TensorSpec output;
  size_t dim = 0;
  std::vector<Expr> starts; // of each input along the dimension
  std::vector<PluginRequirement> requirements;
};

Result<Concatenation> concatenationOf(const PluginNode &node) {
  const auto first = std::ranges::find_if_not(node.inputs, isLegacyEmpty);
  if (node.inputs.empty())
    return invalidArgument("there are no tensors to put together");
  const TensorSpec &model = first == node.inputs.end() ? node.inputs[0] : *first;
  if (model.shape.empty())
    return invalidArgument("tensors of rank 0 cannot be put together along a dimension");
  Concatenation result{{model.dtype, model.shape}, 0, {}, {}};
  INLAY_ASSIGN(result.dim, dimensionOf(integerOf(node, "dim"), model.shape.size()));
  TypePromotion promotion;
  Expr end(0);
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    const TensorSpec &input = node.inputs[i];
    promotion.addTensor(input);
    result.starts.push_back(end);
    if (isLegacyEmpty(input))
      continue;
    if (input.shape.size() != model.shape.size())
      return invalidArgument("tensor {} has the shape {}, tensor 0 {}: they differ in rank", i,
                             shapeText(input.shape), shapeText(model.shape));
    for (size_t dim = 0; dim < model.shape.size(); ++dim)
      if (dim != result.dim && input.shape[dim] != model.shape[dim])
        result.requirements.push_back(
            {equal(input.shape[dim], model.shape[dim]),
             fmt::format("tensor {} has the shape {}, and the others {}, apart from dimension {}",
                         i, shapeText(input.shape), shapeText(model.shape), result.dim)});
    end = end + input.shape[result.dim];
  }
  result.output.shape[result.dim] = end;
  INLAY_ASSIGN(result.output.dtype, promotion.result());
  return result;
}

Result<PluginDescription> describeCat(const PluginNode &node) {
  INLAY_ASSIGN(Concatenation cat, concatenationOf(node));
  PluginDescription description;
  description.outputs = {std::move(cat.output)};
  description.requirements = std::move(cat.requirements);
  return description;
}

Result<Moves> movesOfCat(const PluginNode &node) {
  INLAY_ASSIGN(const Concatenation cat, concatenationOf(node));
  const std::vector<Expr> strides = denseStrides(cat.output.shape);
  Moves moves;
  for (uint32_t i = 0; i < node.inputs.size(); ++i)
    if (const TensorSpec &input = node.inputs[i]; !isLegacyEmpty(input))
      moves.list.push_back(
          {i, wholeView(input), 0, {input.shape, cat.starts[i] * strides[cat.dim], strides}});
  return moves;
}

Result<PluginDescription> describeStack(const PluginNode &node) {
  if (node.inputs.empty())
    return invalidArgument("there are no tensors to put together");
  const TensorSpec &first = node.inputs[0];
  PluginDescription description;
  TypePromotion promotion;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    const TensorSpec &input = node.inputs[i];
    promotion.addTensor(input);
    if (input.shape.size() != first.shape.size())
      return invalidArgument("tensor {} has the shape {}, tensor 0 {}", i, shapeText(input.shape),
                             shapeText(first.shape));
    for (size_t dim = 0; dim < first.shape.size(); ++dim)
      if (input.shape[dim] != first.shape[dim])
        description.requirements.push_back(
            {equal(input.shape[dim], first.shape[dim]),
             fmt::format("tensor {} has the shape {}, and the others {}", i, shapeText(input.shape),
                         shapeText(first.shape))});
  }
  INLAY_ASSIGN(const DataType dtype, promotion.result());
  INLAY_ASSIGN(const size_t dim, dimensionOf(integerOf(node, "dim"), first.shape.size() + 1));
  std::vector<Expr> shape = first.shape;
  shape.insert(shape.begin() + static_cast<std::ptrdiff_t>(dim),
               Expr(static_cast<int64_t>(node.inputs.size())));
  description.outputs = {{dtype, std::move(shape)}};
  return description;
}

Result<Moves> movesOfStack(const PluginNode &node) {
  const TensorSpec &output = node.outputs[0];
  INLAY_ASSIGN(const size_t dim, dimensionOf(integerOf(node, "dim"), output.shape.size()));
  std::vector<Expr> strides = denseStrides(output.shape);
  const Expr step = strides[dim];
  strides.erase(strides.begin() + static_cast<std::ptrdiff_t>(dim));
  Moves moves;
  for (uint32_t i = 0; i < node.inputs.size(); ++i)
    moves.list.push_back({i,
                          wholeView(node.inputs[i]),
                          0,
                          {node.inputs[i].shape, Expr(static_cast<int64_t>(i)) * step, strides}});
  return moves;
}

} // namespace

void addConcatenationOperators(OperatorDefinitions &definitions) {
  const auto add = [&](std::string_view schema, OperatorFunctions functions) {
    addOperator(definitions, schema, std::move(functions));
  };
  const OperatorFunctions cat = copying(describeCat, movesOfCat, "cat"),
                          stack = copying(describeStack, movesOfStack, "stack");
  add("aten::cat(Tensor[] tensors, int dim=0) -> Tensor", cat);
  add("aten::concat(Tensor[] tensors, int dim=0) -> Tensor", cat);
  add("aten::concatenate(Tensor[] tensors, int dim=0) -> Tensor", cat);
  add("aten::stack(Tensor[] tensors, int dim=0) -> Tensor", stack);
}

} // namespace inlay
