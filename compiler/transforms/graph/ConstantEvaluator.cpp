#include "compiler/transforms/graph/ConstantEvaluator.h"

#include "compiler/operators/Arguments.h"
#include "compiler/operators/Pointwise.h"
#include "compiler/operators/Shapes.h"
#include "compiler/operators/TypePromotion.h"
#include "compiler/transforms/graph/Coordinates.h"

#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/StringSwitch.h"

#include <cmath>

namespace inlay::graph {
namespace {

std::string_view shortName(std::string_view opName) {
  opName.remove_prefix(opName.find("::") + 2);
  return opName.substr(0, opName.find('.'));
}

/// A number among a node's attributes; nullopt for None and what depends on sizes.
std::optional<double> findNumber(const PluginNode &node, std::string_view name) {
  const auto found = node.attributes.find(name);
  if (found == node.attributes.end() || node.sizeAttributes.contains(name))
    return std::nullopt;
  if (const bool *flag = std::get_if<bool>(&found->second))
    return *flag ? 1 : 0;
  if (const double *number = std::get_if<double>(&found->second))
    return *number;
  if (const int64_t *integer = std::get_if<int64_t>(&found->second))
    return std::abs(*integer) <= int64_t{1} << 53 ? std::optional(static_cast<double>(*integer))
                                                  : std::nullopt;
  return std::nullopt;
}

std::optional<std::vector<int64_t>> constantShape(const TensorSpec &spec) {
  std::vector<int64_t> shape;
  for (const Expr &size : spec.shape) {
    const std::optional<int64_t> constant = size.constantValue();
    if (!constant)
      return std::nullopt;
    shape.push_back(*constant);
  }
  return shape;
}

bool isFloatType(DataType type) { return dataTypeKind(type) == DataTypeKind::Float; }

/// A number as a tensor of a type holds it; nullopt where an integer type does not.
std::optional<double> asType(double value, DataType type) {
  if (type == DataType::Float64)
    return value;
  if (type == DataType::Float32)
    return static_cast<double>(static_cast<float>(value));
  if (type == DataType::Float16 || type == DataType::BFloat16) {
    llvm::APFloat narrow(static_cast<float>(value)); // kernels compute in float32
    bool losesInfo = false;
    narrow.convert(type == DataType::Float16 ? llvm::APFloat::IEEEhalf() : llvm::APFloat::BFloat(),
                   llvm::APFloat::rmNearestTiesToEven, &losesInfo);
    narrow.convert(llvm::APFloat::IEEEdouble(), llvm::APFloat::rmNearestTiesToEven, &losesInfo);
    return narrow.convertToDouble();
  }
  if (type == DataType::Bool)
    return value != 0 ? 1 : 0;
  if (isFloatType(type) || !(std::abs(value) <= 0x1p53))
    return std::nullopt;
  const double bits = 8.0 * static_cast<double>(dataTypeSizeBytes(type));
  const bool isSigned = dataTypeKind(type) == DataTypeKind::Signed;
  const double whole = std::trunc(value), limit = std::exp2(isSigned ? bits - 1 : bits);
  return whole < limit && whole >= (isSigned ? -limit : 0) ? std::optional(whole) : std::nullopt;
}

/// What an operator computes of operands in order, exactly or rounded once by the result's type.
using Function = double (*)(const double *x);

Function functionOf(std::string_view name, bool isFloat) {
  return llvm::StringSwitch<Function>(llvm::StringRef(name))
      .Case("neg", [](const double *x) { return -x[0]; })
      .Case("abs", [](const double *x) { return std::abs(x[0]); })
      .Case("add", [](const double *x) { return x[0] + x[1]; })
      .Case("sub", [](const double *x) { return x[0] - x[1]; })
      .Case("rsub", [](const double *x) { return x[1] - x[0]; })
      .Case("mul", [](const double *x) { return x[0] * x[1]; })
      .Case("div", isFloat ? [](const double *x) { return x[0] / x[1]; } : Function())
      .Case("eq", [](const double *x) { return static_cast<double>(x[0] == x[1]); })
      .Case("ne", [](const double *x) { return static_cast<double>(x[0] != x[1]); })
      .Case("lt", [](const double *x) { return static_cast<double>(x[0] < x[1]); })
      .Case("le", [](const double *x) { return static_cast<double>(x[0] <= x[1]); })
      .Case("gt", [](const double *x) { return static_cast<double>(x[0] > x[1]); })
      .Case("ge", [](const double *x) { return static_cast<double>(x[0] >= x[1]); })
      .Case("logical_not", [](const double *x) { return static_cast<double>(x[0] == 0); })
      .Case("logical_and",
            [](const double *x) { return static_cast<double>(x[0] != 0 && x[1] != 0); })
      .Case("logical_or",
            [](const double *x) { return static_cast<double>(x[0] != 0 || x[1] != 0); })
      .Cases({"fill", "copy"}, [](const double *x) { return x[0]; })
      .Case("masked_fill", [](const double *x) { return x[0] != 0 ? x[1] : x[2]; })
      .Case("where", [](const double *x) { return x[0] != 0 ? x[1] : x[2]; })
      .Cases({"to", "_to_copy", "type_as"}, [](const double *x) { return x[0]; })
      .Default(nullptr);
}

/// The operands of such an operator, in the order of its function.
std::vector<std::string_view> operandsOf(std::string_view name) {
  if (name == "where")
    return {"condition", "self", "other"};
  if (name == "masked_fill")
    return {"mask", "value", "self"};
  if (name == "fill")
    return {"value"};
  if (name == "copy")
    return {"src"};
  if (llvm::is_contained({"neg", "abs", "logical_not", "to", "_to_copy", "type_as"}, name))
    return {"self"};
  return {"self", "other"};
}

/// The elements of an operand along a result's shape.
class Operand {
public:
  /// `values` is one number, or a tensor of `shape`.
  Operand(const std::vector<double> *values, double number, std::span<const Expr> shape,
          std::span<const Expr> domain)
      : values_(values), number_(number) {
    for (const Expr &stride : values ? broadcastAccess(shape, domain).strides : std::vector<Expr>())
      strides_.push_back(*stride.constantValue());
  }
  double at(const std::vector<int64_t> &coordinates) const {
    return values_ ? (*values_)[static_cast<size_t>(placeOf(coordinates, strides_))] : number_;
  }

private:
  const std::vector<double> *values_;
  double number_;
  std::vector<int64_t> strides_;
};

std::optional<std::vector<double>> sumOf(const PluginNode &node, const std::vector<int64_t> &shape,
                                         const std::vector<double> &input) {
  const Result<std::vector<size_t>> reduced = reducedDimensions(node);
  if (!reduced.isOk())
    return std::nullopt;
  std::vector<int64_t> strides(shape.size(), 0);
  int64_t count = 1;
  for (size_t dim = shape.size(); dim-- > 0;)
    if (!llvm::is_contained(*reduced, dim)) {
      strides[dim] = count;
      count *= shape[dim];
    }
  std::vector<double> sums(static_cast<size_t>(count), 0.0);
  bool areExact = true;
  forEachElement(shape, [&](size_t i, const std::vector<int64_t> &coordinates) {
    double &sum = sums[static_cast<size_t>(placeOf(coordinates, strides))];
    sum += input[i];
    areExact &= std::abs(sum) <= 0x1p53;
  });
  return areExact ? std::optional(std::move(sums)) : std::nullopt;
}

std::optional<std::vector<double>>
triangleOf(const PluginNode &node, const std::vector<int64_t> &shape, std::vector<double> input) {
  const Result<int64_t> diagonal = constantOf(node, "diagonal");
  if (!diagonal.isOk() || shape.size() < 2)
    return std::nullopt;
  const bool isLower = shortName(node.opName) == "tril";
  forEachElement(shape, [&](size_t i, const std::vector<int64_t> &coordinates) {
    const int64_t distance = coordinates.back() - coordinates.end()[-2];
    if (isLower ? distance > *diagonal : distance < *diagonal)
      input[i] = 0;
  });
  return input;
}

} // namespace

std::optional<std::vector<double>> createdNumbers(const PluginNode &node) {
  const std::optional<std::vector<int64_t>> shape = constantShape(node.outputs[0]);
  if (!shape)
    return std::nullopt;
  const std::string_view name = shortName(node.opName);
  const auto count = static_cast<size_t>(countOf(*shape));
  const auto filled = [&](std::optional<double> value) -> std::optional<std::vector<double>> {
    return value ? std::optional(std::vector<double>(count, *value)) : std::nullopt;
  };
  if (llvm::is_contained({"zeros", "zeros_like", "new_zeros"}, name))
    return filled(0);
  if (llvm::is_contained({"ones", "ones_like", "new_ones"}, name))
    return filled(1);
  if (llvm::is_contained({"full", "full_like", "new_full"}, name))
    return filled(findNumber(node, "fill_value"));
  if (name == "scalar_tensor")
    return filled(findNumber(node, "s"));
  if (name != "arange")
    return std::nullopt;
  const double start = findNumber(node, "start").value_or(0),
               step = findNumber(node, "step").value_or(1);
  if (node.sizeAttributes.contains("start") || node.sizeAttributes.contains("step"))
    return std::nullopt;
  std::vector<double> numbers(count);
  for (size_t i = 0; i < count; ++i)
    numbers[i] = start + static_cast<double>(i) * step;
  return numbers;
}

std::optional<std::vector<double>>
pointwiseNumbers(const PluginDefinition &plugin, const PluginNode &node,
                 const std::vector<std::vector<double>> &inputs) {
  const std::optional<std::vector<int64_t>> shape = constantShape(node.outputs[0]);
  const Result<PointwiseExpression> expression = plugin.traits()->element(node);
  if (!shape || !expression.isOk())
    return std::nullopt;
  const std::string_view name = shortName(node.opName);
  const DataType common = expression->common;
  const bool isCast = expression->types == PointwiseTypes::Cast;
  // Of narrow floats, operands are rounded twice: only what is moved stays what it is.
  const bool isMoved = isCast || llvm::is_contained({"fill", "copy", "masked_fill", "where"}, name);
  const bool isNarrow = isFloatType(common) && dataTypeSizeBytes(common) < 4 && !isMoved;
  const Function function = functionOf(name, isFloatType(common));
  // Of bools, + and - mean something else.
  if (!function || isNarrow || findNumber(node, "alpha").value_or(1) != 1 ||
      node.attributes.contains("rounding_mode") ||
      (common == DataType::Bool && llvm::is_contained({"add", "sub", "rsub", "neg"}, name)))
    return std::nullopt;
  std::vector<std::vector<double>> converted = inputs; // to the type in which is computed
  std::vector<Operand> operands;
  for (std::string_view operand : operandsOf(name)) {
    const auto at = std::ranges::find(node.inputNames, operand);
    const bool keepsType = isCast || operand == "condition" || operand == "mask" ||
                           expression->types == PointwiseTypes::Logical;
    if (at == node.inputNames.end()) {
      const std::optional<double> number = findNumber(node, operand);
      const std::optional<double> own = number ? asType(*number, common) : std::nullopt;
      if (!own || (!isFloatType(common) && *own != *number))
        return std::nullopt;
      operands.emplace_back(nullptr, *own, std::span<const Expr>(), node.outputs[0].shape);
      continue;
    }
    const auto index = static_cast<size_t>(at - node.inputNames.begin());
    for (double &value : converted[index]) {
      const std::optional<double> own = keepsType ? std::optional(value) : asType(value, common);
      if (!own)
        return std::nullopt;
      value = *own;
    }
    operands.emplace_back(&converted[index], 0, node.inputs[index].shape, node.outputs[0].shape);
  }
  std::vector<double> numbers;
  bool areAllHeld = true;
  forEachElement(*shape, [&](size_t, const std::vector<int64_t> &coordinates) {
    double values[3] = {};
    for (size_t i = 0; i < operands.size(); ++i)
      values[i] = operands[i].at(coordinates);
    const std::optional<double> result =
        isCast ? std::optional(function(values))
               : asType(function(values), expression->types == PointwiseTypes::Compare ||
                                                  expression->types == PointwiseTypes::Logical
                                              ? DataType::Bool
                                              : common);
    areAllHeld &= result.has_value();
    numbers.push_back(result.value_or(0));
  });
  if (!areAllHeld)
    return std::nullopt;
  return numbers;
}

bool isSumOrTriangle(const PluginNode &node) {
  const std::string_view name = shortName(node.opName);
  const auto isExact = [](DataType type) { return !isFloatType(type); };
  return name == "tril" || name == "triu" ||
         (name == "sum" && isExact(node.inputs[0].dtype) && isExact(node.outputs[0].dtype));
}

std::optional<std::vector<double>> sumOrTriangle(const PluginNode &node,
                                                 const std::vector<double> &input) {
  const std::optional<std::vector<int64_t>> shape = constantShape(node.inputs[0]);
  if (!shape)
    return std::nullopt;
  return shortName(node.opName) == "sum" ? sumOf(node, *shape, input)
                                         : triangleOf(node, *shape, input);
}

} // namespace inlay::graph
