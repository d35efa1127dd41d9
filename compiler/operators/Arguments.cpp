#include "compiler/operators/Arguments.h"

#include "base/Error.h"
#include "compiler/operators/Shapes.h"

#include <algorithm>
#include <numeric>

namespace inlay {

bool isForGpu(const PluginNode &node) {
  return std::any_of(node.targets.begin(), node.targets.end(),
                     [](const std::string &target) { return isTargetOf(target, "cuda"); });
}

const TensorSpec &inputOf(const PluginNode &node, std::string_view name) {
  return node.inputs[inputIndex(node, name)];
}

std::optional<uint32_t> findInputIndex(const PluginNode &node, std::string_view name) {
  return findInput(node, name) ? std::optional(inputIndex(node, name)) : std::nullopt;
}

bool hasAttribute(const PluginNode &node, std::string_view name) {
  return node.attributes.find(name) != node.attributes.end();
}

Result<int64_t> constantOf(const PluginNode &node, std::string_view name) {
  const std::optional<Expr> size = findSize(node, name);
  if (size && !size->isConstant())
    return unimplemented("argument '{}' depends on sizes ({}); it must be known when the engine is "
                         "built",
                         name, size->toString());
  return integerOf(node, name);
}

Result<double> constantNumber(const PluginNode &node, std::string_view name) {
  const OperatorNumber number = numberOf(node, name);
  if (number.expression)
    return unimplemented("argument '{}' depends on sizes ({}); it must be known when the engine is "
                         "built",
                         name, number.expression->toString());
  if (const bool *flag = std::get_if<bool>(&number.value))
    return *flag ? 1.0 : 0.0;
  if (const int64_t *integer = std::get_if<int64_t>(&number.value))
    return static_cast<double>(*integer);
  return std::get<double>(number.value);
}

Result<std::vector<int64_t>> constantsOf(const PluginNode &node, std::string_view name) {
  if (node.sizeAttributes.find(name) == node.sizeAttributes.end())
    return integersOf(node, name);
  std::vector<int64_t> constants;
  for (const Expr &size : sizesOf(node, name)) {
    if (!size.isConstant())
      return unimplemented("argument '{}' depends on sizes ({}); it must be known when the engine "
                           "is built",
                           name, size.toString());
    constants.push_back(*size.constantValue());
  }
  return constants;
}

Status readDimensions(const PluginNode &node, std::string_view name, size_t dims, int64_t least,
                      std::span<int64_t> values) {
  INLAY_ASSIGN(const std::vector<int64_t> list, constantsOf(node, name));
  if (list.size() != 1 && list.size() != dims)
    return invalidArgument("{} has {} elements; expected {}", name, list.size(), dims);
  for (size_t i = 0; i < dims; ++i) {
    const int64_t value = list.size() == 1 ? list[0] : list[i];
    if (value < least)
      return invalidArgument("{} has the element {}; expected at least {}", name, value, least);
    values[values.size() - dims + i] = value;
  }
  return {};
}

Result<std::array<int64_t, 2>> constantPair(const PluginNode &node, std::string_view name) {
  INLAY_ASSIGN(const std::vector<int64_t> values, constantsOf(node, name));
  if (values.size() == 1)
    return std::array{values[0], values[0]};
  if (values.size() == 2)
    return std::array{values[0], values[1]};
  return invalidArgument("argument '{}' has {} elements; expected one or two", name, values.size());
}

bool isFloat(DataType type) {
  return type == DataType::Float16 || type == DataType::BFloat16 || type == DataType::Float32 ||
         type == DataType::Float64;
}

DataType sumTypeOf(DataType type) {
  return type == DataType::Float64 ? DataType::Float64 : DataType::Float32;
}

Status checkFloat(const PluginNode &node, std::string_view name) {
  const DataType dtype = inputOf(node, name).dtype;
  if (isFloat(dtype))
    return {};
  return invalidArgument("'{}' is {}; expected float16, bfloat16, float32 or float64", name,
                         dataTypeName(dtype));
}

Status checkOneType(const PluginNode &node) {
  for (size_t i = 1; i < node.inputs.size(); ++i)
    if (node.inputs[i].dtype != node.inputs[0].dtype)
      return invalidArgument("'{}' is {}, but '{}' is {}; expected one type", node.inputNames[0],
                             dataTypeName(node.inputs[0].dtype), node.inputNames[i],
                             dataTypeName(node.inputs[i].dtype));
  return {};
}

std::vector<Expr> broadcastStrides(std::span<const Expr> shape, size_t rank) {
  std::vector<Expr> strides(rank, Expr(0));
  Expr stride(1);
  for (size_t i = 0; i < shape.size(); ++i) {
    const Expr &size = shape[shape.size() - 1 - i];
    if (!isOne(size))
      strides[rank - 1 - i] = stride;
    stride = stride * size;
  }
  return strides;
}

bool isOne(const Expr &size) { return size.constantValue() == 1; }

Result<std::vector<size_t>> reducedDimensions(const PluginNode &node) {
  const size_t rank = inputOf(node, "self").shape.size();
  std::vector<int64_t> dims;
  if (hasAttribute(node, "dim") && !isNone(node, "dim")) {
    const AttributeValue &value = node.attributes.find("dim")->second;
    if (const int64_t *dim = std::get_if<int64_t>(&value))
      dims.push_back(*dim);
    else
      dims = integersOf(node, "dim");
  }
  if (dims.empty()) {
    std::vector<size_t> all(rank);
    std::iota(all.begin(), all.end(), size_t{0});
    return all;
  }
  return dimensionsOf(dims, rank);
}

} // namespace inlay
