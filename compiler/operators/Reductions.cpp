// Sums, products, means, extrema, variances and norms along dimensions.
#include "base/Error.h"
#include "compiler/operators/Arguments.h"
#include "compiler/operators/LineOperation.h"
#include "compiler/operators/Lines.h"
#include "compiler/operators/Pointwise.h"
#include "compiler/operators/ProductTiles.h"
#include "compiler/operators/Shapes.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace inlay {
namespace {

/// The lines of those dimensions.
Result<SplitLines> reducedLines(const PluginNode &node, const std::vector<size_t> &dims) {
  INLAY_ASSIGN(SplitLines lines, linesAlong(inputOf(node, "self").shape, dims));
  lines.isForGpu = isForGpu(node);
  return lines;
}

bool keepsDimensions(const PluginNode &node) {
  return hasAttribute(node, "keepdim") && boolOf(node, "keepdim");
}

std::vector<Expr> reducedShape(const PluginNode &node, const std::vector<size_t> &dims) {
  const std::vector<Expr> &shape = inputOf(node, "self").shape;
  std::vector<Expr> reduced;
  for (size_t dim = 0; dim < shape.size(); ++dim)
    if (std::ranges::find(dims, dim) == dims.end())
      reduced.push_back(shape[dim]);
    else if (keepsDimensions(node))
      reduced.push_back(Expr(1));
  return reduced;
}

PluginRequirement isNotEmpty(const PluginNode &node, const std::vector<size_t> &dims) {
  Expr length(1);
  for (size_t dim : dims)
    if (dim < inputOf(node, "self").shape.size())
      length = length * inputOf(node, "self").shape[dim];
  return {lessEqual(1, length), "the dimensions that are reduced are not empty"};
}

/// What an operator makes of each line.
struct Reduction {
  std::string op;      // "sum", "product", "max", "min"
  std::string prepare; // of each element: "", "nonzero", "square", "absolute"
  std::string finish;  // of the result: "", "mean", "root"
  DataType out, sum;   // the result's type, and that of the computation
  bool takesEmpty = true;
};

DataType integerSumOf(DataType type) {
  return dataTypeSizeBytes(type) == 8 ? DataType::Int64 : DataType::Int32;
}

/// What leaves the other operand of an operation as it is.
ConstexprValue neutralOf(const Reduction &reduction) {
  if (reduction.op == "sum" || reduction.op == "product") {
    const int64_t value = reduction.op == "sum" ? 0 : 1;
    return isFloat(reduction.sum) ? ConstexprValue(static_cast<double>(value))
                                  : ConstexprValue(value);
  }
  const bool isMax = reduction.op == "max";
  // Truth is 0 or 1.
  if (reduction.prepare == "nonzero")
    return int64_t{isMax ? 0 : 1};
  if (isFloat(reduction.sum)) {
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    return isMax ? -kInfinity : kInfinity;
  }
  if (reduction.sum == DataType::Int64)
    return isMax ? std::numeric_limits<int64_t>::min() : std::numeric_limits<int64_t>::max();
  return int64_t{isMax ? std::numeric_limits<int32_t>::min() : std::numeric_limits<int32_t>::max()};
}

Status checkKnownType(DataType type) {
  if (isFloat(type) || type == DataType::Bool || dataTypeKind(type) == DataTypeKind::Signed ||
      type == DataType::UInt8)
    return {};
  return unimplemented("'self' is {}; reductions of it are not supported", dataTypeName(type));
}

/// The type that a sum or product has: that of the attribute "dtype", or the input's, where
/// integers become int64.
DataType totalType(const PluginNode &node) {
  const DataType type = inputOf(node, "self").dtype;
  const std::optional<DataType> wanted =
      hasAttribute(node, "dtype") ? findDataTypeOf(node, "dtype") : std::nullopt;
  return wanted.value_or(isFloat(type) ? type : DataType::Int64);
}

Result<Reduction> readTotal(const PluginNode &node, const std::string &op) {
  const DataType out = totalType(node);
  if (!isFloat(out) && out != DataType::Int64 && out != DataType::Int32)
    return unimplemented("dtype is {}; expected a float, int32 or int64", dataTypeName(out));
  return Reduction{op, "", "", out, isFloat(out) ? sumTypeOf(out) : DataType::Int64};
}

Result<Reduction> readMean(const PluginNode &node) {
  const DataType out = totalType(node);
  if (!isFloat(out) || (!isFloat(inputOf(node, "self").dtype) && !findDataTypeOf(node, "dtype")))
    return invalidArgument("the mean of {} is no float; expected a float, or a dtype that is one",
                           dataTypeName(inputOf(node, "self").dtype));
  return Reduction{"sum", "", "mean", out, sumTypeOf(out)};
}

Result<Reduction> readExtremum(const PluginNode &node, const std::string &op) {
  const DataType type = inputOf(node, "self").dtype;
  return Reduction{op, "", "", type, isFloat(type) ? sumTypeOf(type) : integerSumOf(type), false};
}

Result<Reduction> readTruth(const PluginNode &node, const std::string &op) {
  const bool isByte = inputOf(node, "self").dtype == DataType::UInt8;
  return Reduction{op, "nonzero", "", isByte ? DataType::UInt8 : DataType::Bool, DataType::Int32};
}

Result<Reduction> readNorm(const PluginNode &node) {
  INLAY_TRY(checkFloat(node, "self"));
  const DataType out = totalType(node);
  if (!isFloat(out))
    return invalidArgument("dtype is {}; expected a float", dataTypeName(out));
  INLAY_ASSIGN(const double order, constantNumber(node, "ord"));
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const DataType sum = sumTypeOf(out);
  if (order == 2)
    return Reduction{"sum", "square", "root", out, sum};
  if (order == 1)
    return Reduction{"sum", "absolute", "", out, sum};
  if (order == 0)
    return Reduction{"sum", "nonzero", "", out, sum};
  if (order == kInfinity || order == -kInfinity)
    return Reduction{order > 0 ? "max" : "min", "absolute", "", out, sum, false};
  return unimplemented("norms of order {} are not supported; 0, 1, 2 and the infinities are",
                       order);
}

using ReadReduction = std::function<Result<Reduction>(const PluginNode &)>;

Result<PluginDescription> describeReduction(const PluginNode &node, const ReadReduction &read) {
  INLAY_TRY(checkKnownType(inputOf(node, "self").dtype));
  INLAY_ASSIGN(const Reduction reduction, read(node));
  INLAY_ASSIGN(const std::vector<size_t> dims, reducedDimensions(node));
  INLAY_TRY(reducedLines(node, dims).status());
  PluginDescription description;
  description.outputs.push_back({reduction.out, reducedShape(node, dims)});
  if (!reduction.takesEmpty)
    description.requirements.push_back(isNotEmpty(node, dims));
  return description;
}

Result<PluginImplementation> implementReduction(const PluginNode &node, const ReadReduction &read) {
  INLAY_ASSIGN(const Reduction reduction, read(node));
  INLAY_ASSIGN(const std::vector<size_t> dims, reducedDimensions(node));
  INLAY_ASSIGN(const SplitLines split, reducedLines(node, dims));
  LaunchBuilder launch("lines.py", split.areLines() ? "reduce_kernel" : "reduce_split_kernel");
  launch.input(inputIndex(node, "self")).output(0);
  if (split.areLines())
    addLines(launch, split.lines());
  else
    addSplitLines(launch, split);
  launch.constant("OP", reduction.op)
      .constant("PREPARE", reduction.prepare)
      .constant("FINISH", reduction.finish)
      .constant("NEUTRAL", neutralOf(reduction))
      .constant("SUM", reduction.sum);
  return launch.over(split.areLines() ? programsOf(split.lines()) : programsOf(split));
}

/// Sums and means of floats along the last dimension, as part of a kernel that holds lines.
Result<LineOperation> lineReduction(const PluginNode &node, const ReadReduction &read) {
  INLAY_ASSIGN(const Reduction reduction, read(node));
  INLAY_ASSIGN(const std::vector<size_t> dims, reducedDimensions(node));
  const TensorSpec &self = inputOf(node, "self");
  if (reduction.op != "sum" || !reduction.prepare.empty() || !isFloat(reduction.sum) ||
      (reduction.finish != "" && reduction.finish != "mean"))
    return unimplemented("only sums and means of floats are computed along held lines");
  if (self.shape.empty() || dims.size() != 1 || dims[0] + 1 != self.shape.size())
    return unimplemented("it reduces other dimensions than the last");
  const std::string length = self.shape.back().toString();
  LineOperation operation;
  operation.isReduction = true;
  operation.write = [reduction, length, from = self.dtype](LoopKernel &kernel,
                                                           const OperandVariables &operands,
                                                           const std::string &prefix) {
    const std::string total = prefix + "total";
    kernel.line(fmt::format("{} = line_total({}, in_range)", total,
                            converted(operands.at("self"), from, reduction.sum)));
    return converted(reduction.finish == "mean" ? fmt::format("({} / {}.0)", total, length) : total,
                     reduction.sum, reduction.out);
  };
  return operation;
}

/// Largest and smallest elements with their places: max.dim, argmax and their like.
struct Search {
  std::string op; // "max", "min"
  bool hasValues;
};

Result<PluginDescription> describeSearch(const PluginNode &node, const Search &search) {
  INLAY_TRY(checkKnownType(inputOf(node, "self").dtype));
  INLAY_ASSIGN(const std::vector<size_t> dims, reducedDimensions(node));
  PluginDescription description;
  if (search.hasValues)
    description.outputs.push_back({inputOf(node, "self").dtype, reducedShape(node, dims)});
  description.outputs.push_back({DataType::Int64, reducedShape(node, dims)});
  description.requirements.push_back(isNotEmpty(node, dims));
  return description;
}

Result<PluginImplementation> implementSearch(const PluginNode &node, const Search &search) {
  INLAY_ASSIGN(const std::vector<size_t> dims, reducedDimensions(node));
  INLAY_ASSIGN(const SplitLines split, reducedLines(node, dims));
  INLAY_ASSIGN(const Reduction reduction, readExtremum(node, search.op));
  LaunchBuilder launch("lines.py", "find_kernel");
  launch.input(inputIndex(node, "self"));
  launch.optionalOutput("out_ptr", search.hasValues ? std::optional(0u) : std::nullopt);
  launch.output(search.hasValues ? 1 : 0);
  addLines(launch, split.lines());
  launch.constant("OP", search.op)
      .constant("NEUTRAL", neutralOf(reduction))
      .constant("SUM", reduction.sum);
  return launch.over(programsOf(split.lines()));
}

Result<SplitLines> exponentialLines(const PluginNode &node) {
  INLAY_TRY(checkFloat(node, "self"));
  INLAY_ASSIGN(const std::vector<size_t> dims, reducedDimensions(node));
  INLAY_ASSIGN(SplitLines split, reducedLines(node, dims));
  if (!split.areLines())
    return unimplemented("the dimensions are no neighbours, which is not supported");
  return split;
}

Result<PluginDescription> describeLogSumExp(const PluginNode &node) {
  INLAY_TRY(exponentialLines(node).status());
  INLAY_ASSIGN(const std::vector<size_t> dims, reducedDimensions(node));
  PluginDescription description;
  description.outputs.push_back({inputOf(node, "self").dtype, reducedShape(node, dims)});
  return description;
}

Result<PluginImplementation> implementLogSumExp(const PluginNode &node) {
  INLAY_ASSIGN(const SplitLines split, exponentialLines(node));
  LaunchBuilder launch("lines.py", "log_sum_exp_kernel");
  launch.input(inputIndex(node, "self")).output(0);
  addLines(launch, split.lines());
  launch.constant("SUM", sumTypeOf(inputOf(node, "self").dtype));
  return launch.over(programsOf(split.lines()));
}

/// Variances: of which the root is taken, or of which the mean is a result too.
struct Spread {
  bool isRoot, hasMean;
};

Result<double> correctionOf(const PluginNode &node) {
  if (hasAttribute(node, "unbiased"))
    return boolOf(node, "unbiased") ? 1.0 : 0.0;
  if (isNone(node, "correction"))
    return 1.0;
  return constantNumber(node, "correction");
}

Result<PluginDescription> describeSpread(const PluginNode &node, const Spread &spread) {
  INLAY_TRY(checkFloat(node, "self"));
  INLAY_TRY(correctionOf(node).status());
  INLAY_ASSIGN(const std::vector<size_t> dims, reducedDimensions(node));
  INLAY_TRY(reducedLines(node, dims).status());
  PluginDescription description;
  description.outputs.assign(spread.hasMean ? 2 : 1,
                             {inputOf(node, "self").dtype, reducedShape(node, dims)});
  return description;
}

Result<PluginImplementation> implementSpread(const PluginNode &node, const Spread &spread) {
  INLAY_ASSIGN(const double correction, correctionOf(node));
  INLAY_ASSIGN(const std::vector<size_t> dims, reducedDimensions(node));
  INLAY_ASSIGN(const SplitLines split, reducedLines(node, dims));
  LaunchBuilder launch("lines.py", split.areLines() ? "variance_kernel" : "variance_split_kernel");
  launch.input(inputIndex(node, "self")).output(0);
  launch.optionalOutput("mean_ptr", spread.hasMean ? std::optional(1u) : std::nullopt);
  if (split.areLines())
    addLines(launch, split.lines());
  else
    addSplitLines(launch, split);
  launch.constant("CORRECTION", correction)
      .constant("IS_ROOT", spread.isRoot)
      .constant("SUM", sumTypeOf(inputOf(node, "self").dtype));
  return launch.over(split.areLines() ? programsOf(split.lines()) : programsOf(split));
}

void addReduction(OperatorDefinitions &definitions, std::string_view schema,
                  const ReadReduction &read) {
  addOperator(definitions, schema,
              {[read](const PluginNode &node) { return describeReduction(node, read); },
               [read](const PluginNode &node) { return implementReduction(node, read); },
               "",
               {},
               {.line = [read](const PluginNode &node) { return lineReduction(node, read); }}});
}

void addTotals(OperatorDefinitions &definitions) {
  const auto sum = [](const PluginNode &node) { return readTotal(node, "sum"); };
  const auto product = [](const PluginNode &node) { return readTotal(node, "product"); };
  addReduction(definitions, "aten::sum(Tensor self, *, ScalarType? dtype=None) -> Tensor", sum);
  addReduction(definitions,
               "aten::sum.dim_IntList(Tensor self, int[1]? dim, bool keepdim=False, *, ScalarType? "
               "dtype=None) -> Tensor",
               sum);
  addReduction(definitions, "aten::prod(Tensor self, *, ScalarType? dtype=None) -> Tensor",
               product);
  addReduction(definitions,
               "aten::prod.dim_int(Tensor self, int dim, bool keepdim=False, *, ScalarType? "
               "dtype=None) -> Tensor",
               product);
  addReduction(definitions, "aten::mean(Tensor self, *, ScalarType? dtype=None) -> Tensor",
               readMean);
  addReduction(definitions,
               "aten::mean.dim(Tensor self, int[1]? dim, bool keepdim=False, *, ScalarType? "
               "dtype=None) -> Tensor",
               readMean);
  addReduction(definitions,
               "aten::linalg_vector_norm(Tensor self, Scalar ord=2, int[1]? dim=None, bool "
               "keepdim=False, *, ScalarType? dtype=None) -> Tensor",
               readNorm);
}

/// max, amax, argmax, any of all elements and along dimensions, and their counterparts.
void addExtrema(OperatorDefinitions &definitions, const std::string &op) {
  const auto name = [&](std::string_view text) {
    std::string schema(text);
    for (size_t at; (at = schema.find("$")) != std::string::npos;)
      schema.replace(at, 1, op);
    return schema;
  };
  const auto extremum = [op](const PluginNode &node) { return readExtremum(node, op); };
  const auto truth = [op](const PluginNode &node) { return readTruth(node, op); };
  const std::string truthName = op == "max" ? "aten::any" : "aten::all";
  addReduction(definitions, name("aten::$(Tensor self) -> Tensor"), extremum);
  addReduction(definitions,
               name("aten::a$(Tensor self, int[1] dim=[], bool keepdim=False) -> Tensor"),
               extremum);
  addReduction(definitions, truthName + "(Tensor self) -> Tensor", truth);
  if (op == "min")
    addReduction(definitions, "aten::_is_all_true(Tensor self) -> Tensor", truth);
  addReduction(definitions, truthName + ".dim(Tensor self, int dim, bool keepdim=False) -> Tensor",
               truth);
  addReduction(definitions,
               truthName + ".dims(Tensor self, int[]? dim=None, bool keepdim=False) -> Tensor",
               truth);
  const auto addSearch = [&](const std::string &schema, bool hasValues) {
    const Search search{op, hasValues};
    addOperator(definitions, schema,
                {[search](const PluginNode &node) { return describeSearch(node, search); },
                 [search](const PluginNode &node) { return implementSearch(node, search); }});
  };
  addSearch(name("aten::$.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor "
                 "indices)"),
            true);
  addSearch(name("aten::arg$(Tensor self, int? dim=None, bool keepdim=False) -> Tensor"), false);
}

void addSpreads(OperatorDefinitions &definitions, const std::string &name, const Spread &spread) {
  const std::string results = spread.hasMean ? " -> (Tensor, Tensor)" : " -> Tensor";
  for (const std::string &arguments :
       {std::string("(Tensor self, bool unbiased=True)"),
        std::string(".dim(Tensor self, int[1]? dim, bool unbiased=True, bool keepdim=False)"),
        std::string(".correction(Tensor self, int[1]? dim=None, *, Scalar? correction=None, bool "
                    "keepdim=False)")})
    addOperator(definitions, name + arguments + results,
                {[spread](const PluginNode &node) { return describeSpread(node, spread); },
                 [spread](const PluginNode &node) { return implementSpread(node, spread); }});
}

} // namespace

void addReductionOperators(OperatorDefinitions &definitions) {
  addTotals(definitions);
  addOperator(definitions, "aten::logsumexp(Tensor self, int[1] dim, bool keepdim=False) -> Tensor",
              {describeLogSumExp, implementLogSumExp});
  addExtrema(definitions, "max");
  addExtrema(definitions, "min");
  addSpreads(definitions, "aten::var", {false, false});
  addSpreads(definitions, "aten::std", {true, false});
  addSpreads(definitions, "aten::var_mean", {false, true});
  addSpreads(definitions, "aten::std_mean", {true, true});
}

} // namespace inlay
