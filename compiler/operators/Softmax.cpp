// Operators that keep a tensor's shape and go along its lines: softmax, prefix sums, weight norm.
#include "base/Error.h"
#include "compiler/operators/Arguments.h"
#include "compiler/operators/LineOperation.h"
#include "compiler/operators/Lines.h"
#include "compiler/operators/Pointwise.h"
#include "compiler/operators/ProductTiles.h"
#include "compiler/operators/Shapes.h"

namespace inlay {
namespace {

Result<Lines> linesOf(const PluginNode &node) {
  const std::vector<Expr> &shape = inputOf(node, "self").shape;
  INLAY_ASSIGN(const size_t dim, dimensionOf(integerOf(node, "dim"), shape.size()));
  Lines lines = linesAlong(shape, dim);
  lines.isForGpu = isForGpu(node);
  return lines;
}

/// softmax.int has a dtype; _softmax says whether float16 becomes float32.
Result<DataType> softmaxType(const PluginNode &node) {
  const DataType type = inputOf(node, "self").dtype;
  DataType out = type;
  if (hasAttribute(node, "dtype"))
    out = findDataTypeOf(node, "dtype").value_or(type);
  else if (boolOf(node, "half_to_float"))
    out = DataType::Float32;
  if (!isFloat(type) || !isFloat(out))
    return invalidArgument("'self' is {} and the result {}; expected floats", dataTypeName(type),
                           dataTypeName(out));
  return out;
}

Result<PluginDescription> describeSoftmax(const PluginNode &node) {
  INLAY_TRY(linesOf(node).status());
  INLAY_ASSIGN(const DataType type, softmaxType(node));
  PluginDescription description;
  description.outputs.push_back({type, inputOf(node, "self").shape});
  return description;
}

Result<PluginImplementation> implementSoftmax(const PluginNode &node, bool isLog) {
  INLAY_ASSIGN(const Lines lines, linesOf(node));
  INLAY_ASSIGN(const DataType type, softmaxType(node));
  LaunchBuilder launch("lines.py", "softmax_kernel");
  launch.input(inputIndex(node, "self")).output(0);
  addLines(launch, lines);
  launch.constant("IS_LOG", isLog)
      .constant("FITS", tileOf(lines).fits)
      .constant("SUM", sumTypeOf(type));
  return launch.over(programsOf(lines));
}

/// Along the last dimension, as part of a kernel that holds lines.
Result<LineOperation> lineSoftmax(const PluginNode &node, bool isLog) {
  INLAY_ASSIGN(const Lines lines, linesOf(node));
  INLAY_ASSIGN(const DataType type, softmaxType(node));
  const TensorSpec &self = inputOf(node, "self");
  if (self.shape.empty() || lines.inner != Expr(1) || lines.length != self.shape.back())
    return unimplemented("it goes along another dimension than the last");
  LineOperation operation;
  operation.write = [isLog, type, from = self.dtype](LoopKernel &kernel,
                                                     const OperandVariables &operands,
                                                     const std::string &prefix) {
    const DataType sum = sumTypeOf(type);
    // Operands come to the result's type first, as PyTorch brings them.
    kernel.line(fmt::format("{}result = line_softmax({}, in_range, {})", prefix,
                            converted(converted(operands.at("self"), from, type), type, sum),
                            isLog ? "True" : "False"));
    return converted(prefix + "result", sum, type);
  };
  return operation;
}

Result<DataType> prefixType(const PluginNode &node) {
  const DataType type = inputOf(node, "self").dtype;
  const DataType out =
      findDataTypeOf(node, "dtype").value_or(isFloat(type) ? type : DataType::Int64);
  if (!isFloat(out) && out != DataType::Int64 && out != DataType::Int32)
    return unimplemented("dtype is {}; expected a float, int32 or int64", dataTypeName(out));
  return out;
}

Result<PluginDescription> describePrefix(const PluginNode &node) {
  INLAY_TRY(linesOf(node).status());
  INLAY_ASSIGN(const DataType type, prefixType(node));
  PluginDescription description;
  description.outputs.push_back({type, inputOf(node, "self").shape});
  return description;
}

Result<PluginImplementation> implementPrefix(const PluginNode &node, const std::string &op) {
  INLAY_ASSIGN(const Lines lines, linesOf(node));
  INLAY_ASSIGN(const DataType type, prefixType(node));
  LaunchBuilder launch("lines.py", "prefix_kernel");
  launch.input(inputIndex(node, "self")).output(0);
  addLines(launch, lines);
  launch.constant("OP", op).constant("SUM", isFloat(type) ? sumTypeOf(type) : DataType::Int64);
  return launch.over(programsOf(lines));
}

/// The lines of all dimensions but one, which is the first or the last.
Result<Lines> weightLines(const PluginNode &node) {
  const TensorSpec &v = inputOf(node, "v");
  INLAY_TRY(checkFloat(node, "v"));
  INLAY_TRY(checkOneType(node));
  INLAY_ASSIGN(const size_t dim, dimensionOf(integerOf(node, "dim"), v.shape.size()));
  if (dim != 0 && dim + 1 != v.shape.size())
    return unimplemented("dim is {} of a tensor of rank {}; the first and the last are supported",
                         dim, v.shape.size());
  if (v.shape.empty())
    return Lines{1, 1, 1};
  const std::span<const Expr> shape(v.shape);
  return dim == 0 ? Lines{shape[0], productOf(shape.subspan(1)), 1}
                  : Lines{1, productOf(shape.first(dim)), shape[dim]};
}

Result<PluginDescription> describeWeightNorm(const PluginNode &node) {
  INLAY_ASSIGN(const Lines lines, weightLines(node));
  PluginDescription description;
  description.outputs.push_back(inputOf(node, "v"));
  description.requirements.push_back({equal(inputOf(node, "g").numel(), lines.outer * lines.inner),
                                      "'g' has one element for each vector"});
  return description;
}

Result<PluginImplementation> implementWeightNorm(const PluginNode &node) {
  INLAY_ASSIGN(const Lines lines, weightLines(node));
  LaunchBuilder launch("lines.py", "weight_norm_kernel");
  launch.input(inputIndex(node, "v")).input(inputIndex(node, "g")).output(0);
  addLines(launch, lines);
  launch.constant("SUM", sumTypeOf(inputOf(node, "v").dtype));
  return launch.over(programsOf(lines));
}

} // namespace

void addSoftmaxOperators(OperatorDefinitions &definitions) {
  for (const auto &[prefix, isLog] : {std::pair("", false), std::pair("log_", true)}) {
    const OperatorFunctions functions{
        describeSoftmax,
        [isLog = isLog](const PluginNode &node) { return implementSoftmax(node, isLog); },
        "",
        {},
        {.line = [isLog = isLog](const PluginNode &node) { return lineSoftmax(node, isLog); }}};
    addOperator(definitions,
                fmt::format("aten::{}softmax.int(Tensor self, int dim, ScalarType? dtype=None) -> "
                            "Tensor",
                            prefix),
                functions);
    addOperator(
        definitions,
        fmt::format("aten::_{}softmax(Tensor self, int dim, bool half_to_float) -> Tensor", prefix),
        functions);
  }
  for (const auto &[name, op] : {std::pair("cumsum", "sum"), std::pair("cumprod", "product")})
    addOperator(
        definitions,
        fmt::format("aten::{}(Tensor self, int dim, *, ScalarType? dtype=None) -> Tensor", name),
        {describePrefix,
         [op = std::string(op)](const PluginNode &node) { return implementPrefix(node, op); }});
  addOperator(definitions, "aten::_weight_norm(Tensor v, Tensor g, int dim=0) -> Tensor",
              {describeWeightNorm, implementWeightNorm});
}

} // namespace inlay
