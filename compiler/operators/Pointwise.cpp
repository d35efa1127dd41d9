#include "compiler/operators/Pointwise.h"

#include "base/Error.h"
#include "compiler/operators/Shapes.h"
#include "compiler/operators/TypePromotion.h"

#include <algorithm>

namespace inlay {
namespace {

/// Tensors that say where something is done, and have no part in the type of a result.
constexpr std::string_view kMasks[] = {"condition", "mask"};
/// Numbers that are operands; the others are adjustments, and have no part in it either.
constexpr std::string_view kNumbers[] = {"self", "other", "exponent", "min", "max"};

bool isMask(std::string_view name) { return std::ranges::find(kMasks, name) != std::end(kMasks); }

/// The category of a type as conditions write it.
std::string_view categoryName(DataType type) {
  switch (dataTypeKind(type)) {
  case DataTypeKind::Bool:
    return "bool";
  case DataTypeKind::Float:
    return "float";
  default:
    return "integer";
  }
}

double asDouble(const AttributeValue &value) {
  if (const bool *flag = std::get_if<bool>(&value))
    return *flag ? 1 : 0;
  if (const int64_t *integer = std::get_if<int64_t>(&value))
    return static_cast<double>(*integer);
  return std::get<double>(value);
}

/// Whether one word of a condition holds.
bool holds(std::string_view word, const PluginNode &node, DataType common) {
  if (word == "unsigned")
    return dataTypeKind(common) == DataTypeKind::Unsigned;
  if (word == "bool" || word == "integer" || word == "float")
    return categoryName(common) == word;
  const size_t equals = word.find('=');
  const std::string_view name = word.substr(0, equals);
  if (equals == std::string_view::npos)
    return findInput(node, name) || (node.attributes.contains(name) && !isNone(node, name));
  // A tensor that the operator may take in place of a number is no number.
  const auto attribute = node.attributes.find(name);
  if (attribute == node.attributes.end() || node.sizeAttributes.contains(name))
    return false;
  const std::string_view wanted = word.substr(equals + 1);
  if (wanted == "None")
    return std::holds_alternative<std::monostate>(attribute->second);
  if (const std::string *text = std::get_if<std::string>(&attribute->second))
    return *text == wanted;
  if (std::holds_alternative<std::monostate>(attribute->second))
    return false;
  return fmt::format("{}", asDouble(attribute->second)) == wanted;
}

bool holdsAll(std::string_view when, const PluginNode &node, DataType common) {
  while (!when.empty()) {
    const size_t end = std::min(when.find(' '), when.size());
    if (!holds(when.substr(0, end), node, common))
      return false;
    when.remove_prefix(std::min(when.size(), end + 1));
  }
  return true;
}

/// The type in which the operands meet.
Result<DataType> commonType(const PluginNode &node) {
  TypePromotion promotion;
  for (size_t i = 0; i < node.inputs.size(); ++i)
    if (!isMask(node.inputNames[i]))
      promotion.addTensor(node.inputs[i]);
  for (std::string_view name : kNumbers) {
    const auto attribute = node.attributes.find(name);
    if (node.sizeAttributes.contains(name))
      promotion.addNumber(DataType::Int64);
    else if (attribute != node.attributes.end() &&
             !std::holds_alternative<std::monostate>(attribute->second))
      promotion.addNumber(numberType(attribute->second));
  }
  return promotion.result();
}

/// The names in braces of an expression, each once, in order.
std::vector<std::string_view> namesIn(std::string_view text) {
  std::vector<std::string_view> names;
  for (size_t open = text.find('{'); open != std::string_view::npos;
       open = text.find('{', open + 1)) {
    const std::string_view name = text.substr(open + 1, text.find('}', open) - open - 1);
    if (std::ranges::find(names, name) == names.end())
      names.push_back(name);
  }
  return names;
}

/// The expression with a variable in place of each name in braces.
std::string withVariables(std::string_view text,
                          const std::map<std::string, std::string, std::less<>> &variables) {
  std::string plain;
  for (size_t open = text.find('{'); open != std::string_view::npos; open = text.find('{')) {
    const size_t close = text.find('}', open);
    plain += text.substr(0, open);
    plain += variables.find(text.substr(open + 1, close - open - 1))->second;
    text.remove_prefix(close + 1);
  }
  return plain + std::string(text);
}

/// The type in which an expression computes with an argument.
DataType operandType(const PointwiseExpression &expression, std::string_view name) {
  if (expression.types == PointwiseTypes::Logical || isMask(name))
    return DataType::Bool;
  return computeType(expression.common);
}

Result<PluginDescription> describe(const PointwiseOperator &op, const PluginNode &node) {
  INLAY_ASSIGN(const PointwiseExpression expression, pointwiseExpressionOf(op, node));
  PluginDescription description;
  std::vector<std::vector<Expr>> shapes;
  for (const TensorSpec &input : node.inputs)
    shapes.push_back(input.shape);
  INLAY_ASSIGN(std::vector<Expr> shape, broadcastShapes(node, shapes, description.requirements));
  // What is written into a tensor has no more elements; what is made of one may have.
  if (expression.types == PointwiseTypes::Self && !usesOperand(expression, "self") &&
      shape != findInput(node, "self")->shape)
    return invalidArgument("the operands broadcast to {}, beyond 'self', which is {}",
                           shapeText(shape), shapeText(findInput(node, "self")->shape));
  description.outputs = {{expression.result, std::move(shape)}};
  return description;
}

Result<PluginImplementation> implement(const PointwiseOperator &op, const PluginNode &node) {
  INLAY_ASSIGN(const PointwiseExpression expression, pointwiseExpressionOf(op, node));
  const std::vector<Expr> &domain = node.outputs[0].shape;
  const std::string_view name = std::string_view(node.opName).substr(node.opName.find("::") + 2);
  LoopKernel kernel(node, std::string(name.substr(0, name.find('.'))), domain);
  std::map<std::string, std::string, std::less<>> variables;
  for (std::string_view operand : namesIn(expression.text))
    if (const TensorSpec *input = findInput(node, operand)) {
      kernel.load(std::string(operand), inputIndex(node, operand),
                  broadcastAccess(input->shape, domain));
      variables.emplace(operand, operand);
    }
  kernel.store(0, denseAccess(domain), addPointwiseLines(kernel, node, expression, variables));
  PluginImplementation implementation;
  INLAY_TRY(kernel.appendTo(implementation));
  return implementation;
}

} // namespace

std::string converted(const std::string &value, DataType from, DataType to) {
  if (from == to)
    return value;
  if (to == DataType::Bool)
    return fmt::format("({} != 0)", value);
  return fmt::format("{}.to({})", value, tritonType(to));
}

Result<PointwiseExpression> pointwiseExpressionOf(const PointwiseOperator &op,
                                                  const PluginNode &node) {
  const TensorSpec *self = findInput(node, "self");
  const bool isSelf = op.bodies.front().types == PointwiseTypes::Self;
  INLAY_ASSIGN(const DataType common, isSelf ? Result<DataType>(self->dtype) : commonType(node));
  for (const PointwiseBody &body : op.bodies) {
    if (!holdsAll(body.when, node, common))
      continue;
    PointwiseExpression expression{body.text, body.types, common, common};
    if (body.types == PointwiseTypes::Float && dataTypeKind(common) != DataTypeKind::Float)
      expression.common = expression.result = DataType::Float32;
    if (body.types == PointwiseTypes::Compare || body.types == PointwiseTypes::Logical)
      expression.result = DataType::Bool;
    return expression;
  }
  std::string attributes;
  for (const auto &[name, value] : node.attributes)
    if (!std::holds_alternative<std::monostate>(value))
      attributes += fmt::format(", {} = {}", name, attributeText(value));
  return invalidArgument("the operator does not take {}{}", dataTypeName(common), attributes);
}

bool usesOperand(const PointwiseExpression &expression, std::string_view name) {
  return std::ranges::count(namesIn(expression.text), name) != 0;
}

std::string addPointwiseLines(LoopKernel &kernel, const PluginNode &node,
                              const PointwiseExpression &expression,
                              const std::map<std::string, std::string, std::less<>> &variables,
                              const std::string &prefix) {
  std::map<std::string, std::string, std::less<>> operands;
  for (std::string_view name : namesIn(expression.text)) {
    const std::string variable = prefix + std::string(name);
    operands.emplace(name, variable);
    if (expression.types == PointwiseTypes::Cast) {
      operands[std::string(name)] = variables.find(name)->second;
      continue;
    }
    const DataType type = operandType(expression, name);
    const TensorSpec *input = findInput(node, name);
    if (!input) {
      kernel.number(variable, numberOf(node, name), type);
      continue;
    }
    // As PyTorch does, by way of the type in which the operands meet.
    std::string value = variables.find(name)->second;
    if (type != DataType::Bool || expression.common == DataType::Bool) {
      const DataType met = isMask(name) ? DataType::Bool : expression.common;
      value = converted(converted(value, input->dtype, met), met, type);
    } else {
      value = converted(value, input->dtype, type);
    }
    if (value != variable)
      kernel.line(variable + " = " + value);
  }
  const DataType computed =
      expression.types == PointwiseTypes::Cast ? expression.common
      : expression.types == PointwiseTypes::Compare || expression.types == PointwiseTypes::Logical
          ? DataType::Bool
          : computeType(expression.common);
  kernel.line(prefix + "result = " + withVariables(expression.text, operands));
  return converted(prefix + "result", computed, expression.result);
}

void addPointwiseOperators(OperatorDefinitions &definitions) {
  // run_decompositions() writes 1 - x as sub.Tensor of a number.
  const auto numbersIn = [](std::string_view schema) {
    std::vector<std::string_view> names = {"other", "exponent"};
    if (schema.find("Tensor self, Tensor other") != std::string_view::npos ||
        schema.find("Tensor self, Tensor exponent") != std::string_view::npos)
      names.emplace_back("self");
    return names;
  };
  for (const PointwiseOperator &op : pointwiseOperators())
    for (const std::string &schema : op.schemas)
      addOperator(
          definitions, schema,
          {[&op](const PluginNode &node) { return describe(op, node); },
           [&op](const PluginNode &node) { return implement(op, node); },
           "",
           {},
           {.element = [&op](const PluginNode &node) { return pointwiseExpressionOf(op, node); }}},
          numbersIn(schema));
}

} // namespace inlay
