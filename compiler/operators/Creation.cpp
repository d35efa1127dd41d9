// Operators that make tensors of values that no tensor has, and those that change an element type.
#include "compiler/operators/LoopKernel.h"
#include "compiler/operators/Pointwise.h"
#include "compiler/operators/Shapes.h"
#include "compiler/operators/TypePromotion.h"

#include "base/Error.h"

#include <cmath>

namespace inlay {
namespace {

// -- one value

/// A tensor whose elements are all one value.
struct Filling {
  TensorSpec output;
  OperatorNumber value;
};

using FillFunction = Result<Filling> (*)(const PluginNode &);

/// The shape that a node asks for: its attribute size, or that of `self`.
std::vector<Expr> askedShape(const PluginNode &node) {
  return node.attributes.contains("size") ? sizesOf(node, "size") : findInput(node, "self")->shape;
}

/// The type that a node asks for: its attribute dtype, that of `self`, or `otherwise`.
DataType askedType(const PluginNode &node, DataType otherwise) {
  if (const std::optional<DataType> type = findDataTypeOf(node, "dtype"))
    return *type;
  const TensorSpec *self = findInput(node, "self");
  return self ? self->dtype : otherwise;
}

template <int64_t value>
Result<Filling> constantFilling(const PluginNode &node) {
  return Filling{{askedType(node, DataType::Float32), askedShape(node)}, {value, {}}};
}

Result<Filling> zeroFilling(const PluginNode &node) {
  return Filling{*findInput(node, "self"), {int64_t{0}, {}}};
}

Result<Filling> givenFilling(const PluginNode &node) {
  const OperatorNumber value = numberOf(node, "fill_value");
  const DataType otherwise = value.expression ? DataType::Int64 : numberType(value.value);
  return Filling{{askedType(node, otherwise), askedShape(node)}, value};
}

Result<Filling> scalarFilling(const PluginNode &node) {
  return Filling{{askedType(node, DataType::Float32), {}}, numberOf(node, "s")};
}

Result<PluginDescription> describeFilling(FillFunction function, const PluginNode &node) {
  INLAY_ASSIGN(Filling filling, function(node));
  PluginDescription description;
  for (const Expr &size : filling.output.shape)
    description.requirements.push_back(
        {lessEqual(Expr(0), size),
         fmt::format("every size of {} is 0 or more", shapeText(filling.output.shape))});
  description.outputs = {std::move(filling.output)};
  return description;
}

Result<PluginImplementation> implementFilling(FillFunction function, const PluginNode &node) {
  INLAY_ASSIGN(const Filling filling, function(node));
  LoopKernel kernel(node, "fill", filling.output.shape);
  kernel.number("value", filling.value, filling.output.dtype);
  kernel.store(0, denseAccess(filling.output.shape), "value");
  PluginImplementation implementation;
  INLAY_TRY(kernel.appendTo(implementation));
  return implementation;
}

// -- ranges

/// start, start + step, … before end.
struct NumberRange {
  OperatorNumber start, end, step;
  DataType dtype;
  Expr length;
};

bool isWhole(const OperatorNumber &number) {
  return number.expression || !std::holds_alternative<double>(number.value);
}

Expr wholeOf(const OperatorNumber &number) {
  if (number.expression)
    return *number.expression;
  if (const bool *flag = std::get_if<bool>(&number.value))
    return Expr(int64_t{*flag});
  return Expr(std::get<int64_t>(number.value));
}

Result<double> realOf(const OperatorNumber &number) {
  if (const double *real = std::get_if<double>(&number.value))
    return *real;
  if (const std::optional<int64_t> whole = wholeOf(number).constantValue())
    return static_cast<double>(*whole);
  return unimplemented("the range has a float among its numbers, and one that depends on sizes, {}",
                       number.expression->toString());
}

OperatorNumber numberOr(const PluginNode &node, std::string_view name, int64_t otherwise) {
  return node.attributes.contains(name) ? numberOf(node, name)
                                        : OperatorNumber{otherwise, std::nullopt};
}

Result<NumberRange> rangeOf(const PluginNode &node) {
  NumberRange range{numberOr(node, "start", 0), numberOf(node, "end"), numberOr(node, "step", 1),
                    DataType::Int64, Expr()};
  const bool areWhole = isWhole(range.start) && isWhole(range.end) && isWhole(range.step);
  range.dtype = askedType(node, areWhole ? DataType::Int64 : DataType::Float32);
  if (areWhole) {
    const Expr step = wholeOf(range.step);
    const Interval bounds = boundsIn(node, step);
    if (!(bounds.min && *bounds.min > 0) && !(bounds.max && *bounds.max < 0))
      return invalidArgument("the step of a range is {}, expected an integer known not to be 0",
                             step.toString());
    const Expr distance = wholeOf(range.end) - wholeOf(range.start);
    const Expr length = step == Expr(1) ? distance : ceilDiv(distance, step);
    const Interval lengths = boundsIn(node, length);
    range.length = lengths.min && *lengths.min >= 0 ? length : max(Expr(0), length);
    return range;
  }
  INLAY_ASSIGN(const double start, realOf(range.start));
  INLAY_ASSIGN(const double end, realOf(range.end));
  INLAY_ASSIGN(const double step, realOf(range.step));
  const double length = std::ceil((end - start) / step);
  constexpr double kMost = 1e15;
  if (!(step != 0) || !(length < kMost))
    return invalidArgument("the range from {} to {} by {} has no length", start, end, step);
  range.length = Expr(static_cast<int64_t>(std::max(0.0, length)));
  range.start.value = start;
  range.step.value = step;
  range.start.expression = range.step.expression = std::nullopt;
  return range;
}

Result<PluginDescription> describeRange(const PluginNode &node) {
  INLAY_ASSIGN(NumberRange range, rangeOf(node));
  PluginDescription description;
  description.outputs = {{range.dtype, {std::move(range.length)}}};
  return description;
}

Result<PluginImplementation> implementRange(const PluginNode &node) {
  INLAY_ASSIGN(const NumberRange range, rangeOf(node));
  const std::vector<Expr> &domain = node.outputs[0].shape;
  LoopKernel kernel(node, "arange", domain);
  // Rounded once, as PyTorch computes ranges.
  const bool isWholeRange = isWhole(range.start) && isWhole(range.step);
  const DataType computed = isWholeRange ? DataType::Int64 : DataType::Float64;
  kernel.number("start", range.start, computed);
  kernel.number("step", range.step, computed);
  kernel.line(
      fmt::format("result = start + {}.to({}) * step", kernel.coordinate(0), tritonType(computed)));
  kernel.store(0, denseAccess(domain), converted("result", computed, range.dtype));
  PluginImplementation implementation;
  INLAY_TRY(kernel.appendTo(implementation));
  return implementation;
}

/// `steps` numbers from start to end, both among them. The second half is counted from the end.
Result<PluginDescription> describeSteps(const PluginNode &node) {
  const Expr steps = *findSize(node, "steps");
  PluginDescription description;
  description.requirements.push_back(
      {lessEqual(Expr(0), steps), fmt::format("steps, {}, is 0 or more", steps.toString())});
  description.outputs = {{askedType(node, DataType::Float32), {steps}}};
  return description;
}

Result<PluginImplementation> implementSteps(const PluginNode &node) {
  const TensorSpec &output = node.outputs[0];
  const Expr &steps = output.shape[0];
  LoopKernel kernel(node, "linspace", output.shape);
  kernel.number("start", numberOf(node, "start"), DataType::Float64);
  kernel.number("end", numberOf(node, "end"), DataType::Float64);
  const std::string at = kernel.coordinate(0), last = kernel.integer(max(steps - Expr(1), 1)),
                    half = kernel.integer(floorDiv(steps, 2)),
                    back = kernel.integer(steps - Expr(1));
  kernel.line(fmt::format("step = (end - start) / ({})", last));
  kernel.line(fmt::format("result = tl.where(({0} < {1}) | ({2} == 0), start + {0}.to(tl.float64) "
                          "* step, end - ({2} - {0}).to(tl.float64) * step)",
                          at, half, back));
  kernel.store(0, denseAccess(output.shape), converted("result", DataType::Float64, output.dtype));
  PluginImplementation implementation;
  INLAY_TRY(kernel.appendTo(implementation));
  return implementation;
}

// -- the identity

Result<PluginDescription> describeIdentity(const PluginNode &node) {
  const Expr rows = *findSize(node, "n");
  const Expr columns = node.sizeAttributes.contains("m") ? *findSize(node, "m") : rows;
  PluginDescription description;
  for (const Expr &size : {rows, columns})
    description.requirements.push_back(
        {lessEqual(Expr(0), size), fmt::format("the size {} is 0 or more", size.toString())});
  description.outputs = {{askedType(node, DataType::Float32), {rows, columns}}};
  return description;
}

Result<PluginImplementation> implementIdentity(const PluginNode &node) {
  const TensorSpec &output = node.outputs[0];
  LoopKernel kernel(node, "eye", output.shape);
  kernel.number("one", {int64_t{1}, {}}, output.dtype);
  kernel.number("zero", {int64_t{0}, {}}, output.dtype);
  kernel.store(
      0, denseAccess(output.shape),
      fmt::format("tl.where({} == {}, one, zero)", kernel.coordinate(0), kernel.coordinate(1)));
  PluginImplementation implementation;
  INLAY_TRY(kernel.appendTo(implementation));
  return implementation;
}

// -- classes

Result<PluginDescription> describeOneHot(const PluginNode &node) {
  if (node.inputs[0].dtype != DataType::Int64)
    return invalidArgument("'self' is {}; expected int64", dataTypeName(node.inputs[0].dtype));
  if (integerOf(node, "num_classes") < 1)
    return unimplemented("num_classes is {}: the classes are counted in the data, which is not "
                         "supported; expected at least 1",
                         integerOf(node, "num_classes"));
  PluginDescription description;
  description.outputs = {node.inputs[0]};
  description.outputs[0].shape.emplace_back(integerOf(node, "num_classes"));
  return description;
}

Result<PluginImplementation> implementOneHot(const PluginNode &node) {
  const std::vector<Expr> &shape = node.outputs[0].shape;
  LoopKernel kernel(node, "one_hot", shape);
  StridedAccess access{Expr(0), denseStrides(node.inputs[0].shape)};
  access.strides.emplace_back(0);
  kernel.load("index", 0, std::move(access));
  kernel.store(0, denseAccess(shape),
               fmt::format("(index == {}).to(tl.int64)", kernel.coordinate(shape.size() - 1)));
  PluginImplementation implementation;
  INLAY_TRY(kernel.appendTo(implementation));
  return implementation;
}

// -- element types

/// The type that a node's input is brought to.
DataType castType(const PluginNode &node) {
  if (const TensorSpec *other = findInput(node, "other"))
    return other->dtype;
  return findDataTypeOf(node, "dtype").value_or(node.inputs[0].dtype);
}

Result<PluginDescription> describeCast(const PluginNode &node) {
  PluginDescription description;
  description.outputs = {{castType(node), node.inputs[0].shape}};
  if (castType(node) == node.inputs[0].dtype)
    description.sharedInputs.emplace(0, 0);
  return description;
}

Result<PointwiseExpression> castExpression(const PluginNode &node) {
  return PointwiseExpression{"{self}", PointwiseTypes::Cast, node.inputs[0].dtype, castType(node)};
}

Result<PluginImplementation> implementCast(const PluginNode &node) {
  PluginImplementation implementation;
  const TensorSpec &input = node.inputs[0];
  if (castType(node) == input.dtype)
    return implementation;
  LoopKernel kernel(node, "cast", input.shape);
  kernel.load("x", 0, denseAccess(input.shape));
  kernel.store(0, denseAccess(input.shape), converted("x", input.dtype, castType(node)));
  INLAY_TRY(kernel.appendTo(implementation));
  return implementation;
}

struct FillOperator {
  std::string_view schema;
  FillFunction function;
};

#define INLAY_PLACEMENT                                                                            \
  "ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None"

// What is "empty" is 0, so that every run has one result.
constexpr FillOperator kFillings[] = {
    {"aten::zeros(SymInt[] size, *, " INLAY_PLACEMENT ") -> Tensor", constantFilling<0>},
    {"aten::ones(SymInt[] size, *, " INLAY_PLACEMENT ") -> Tensor", constantFilling<1>},
    {"aten::empty.memory_format(SymInt[] size, *, " INLAY_PLACEMENT
     ", MemoryFormat? memory_format=None) -> Tensor",
     constantFilling<0>},
    {"aten::empty_permuted(SymInt[] size, int[] physical_layout, *, " INLAY_PLACEMENT ") -> Tensor",
     constantFilling<0>},
    {"aten::full(SymInt[] size, Scalar fill_value, *, " INLAY_PLACEMENT ") -> Tensor",
     givenFilling},
    {"aten::zeros_like(Tensor self, *, " INLAY_PLACEMENT
     ", MemoryFormat? memory_format=None) -> Tensor",
     constantFilling<0>},
    {"aten::ones_like(Tensor self, *, " INLAY_PLACEMENT
     ", MemoryFormat? memory_format=None) -> Tensor",
     constantFilling<1>},
    {"aten::empty_like(Tensor self, *, " INLAY_PLACEMENT
     ", MemoryFormat? memory_format=None) -> Tensor",
     constantFilling<0>},
    {"aten::full_like(Tensor self, Scalar fill_value, *, " INLAY_PLACEMENT
     ", MemoryFormat? memory_format=None) -> Tensor",
     givenFilling},
    {"aten::new_zeros(Tensor self, SymInt[] size, *, " INLAY_PLACEMENT ") -> Tensor",
     constantFilling<0>},
    {"aten::zero(Tensor self) -> Tensor", zeroFilling},
    {"aten::new_ones(Tensor self, SymInt[] size, *, " INLAY_PLACEMENT ") -> Tensor",
     constantFilling<1>},
    {"aten::new_empty(Tensor self, SymInt[] size, *, " INLAY_PLACEMENT ") -> Tensor",
     constantFilling<0>},
    {"aten::new_full(Tensor self, SymInt[] size, Scalar fill_value, *, " INLAY_PLACEMENT
     ") -> Tensor",
     givenFilling},
    {"aten::scalar_tensor(Scalar s, *, " INLAY_PLACEMENT ") -> Tensor", scalarFilling},
};

constexpr std::string_view kRanges[] = {
    "aten::arange(Scalar end, *, " INLAY_PLACEMENT ") -> Tensor",
    "aten::arange.start(Scalar start, Scalar end, *, " INLAY_PLACEMENT ") -> Tensor",
    "aten::arange.start_step(Scalar start, Scalar end, Scalar step=1, *, " INLAY_PLACEMENT
    ") -> Tensor",
};

constexpr std::string_view kSteps =
    "aten::linspace(Scalar start, Scalar end, SymInt steps, *, " INLAY_PLACEMENT ") -> Tensor";

constexpr std::string_view kIdentities[] = {
    "aten::eye(SymInt n, *, " INLAY_PLACEMENT ") -> Tensor",
    "aten::eye.m(SymInt n, SymInt m, *, " INLAY_PLACEMENT ") -> Tensor",
};

constexpr std::string_view kCasts[] = {
    "aten::to.dtype(Tensor(a) self, ScalarType dtype, bool non_blocking=False, bool copy=False, "
    "MemoryFormat? memory_format=None) -> Tensor(a)",
    "aten::to.dtype_layout(Tensor(a) self, *, " INLAY_PLACEMENT ", bool non_blocking=False, bool "
    "copy=False, MemoryFormat? memory_format=None) -> Tensor(a)",
    "aten::to.device(Tensor(a) self, Device device, ScalarType dtype, bool non_blocking=False, "
    "bool "
    "copy=False, MemoryFormat? memory_format=None) -> Tensor(a)",
    "aten::to.other(Tensor(a) self, Tensor other, bool non_blocking=False, bool copy=False, "
    "MemoryFormat? memory_format=None) -> Tensor(a)",
    "aten::_to_copy(Tensor self, *, " INLAY_PLACEMENT
    ", bool non_blocking=False, MemoryFormat? memory_format=None) -> Tensor",
    "aten::type_as(Tensor self, Tensor other) -> Tensor",
};

#undef INLAY_PLACEMENT

} // namespace

void addCreationOperators(OperatorDefinitions &definitions) {
  for (const FillOperator &op : kFillings)
    addOperator(definitions, op.schema,
                {[function = op.function](const PluginNode &node) {
                   return describeFilling(function, node);
                 },
                 [function = op.function](const PluginNode &node) {
                   return implementFilling(function, node);
                 }});
  for (std::string_view schema : kIdentities)
    addOperator(definitions, schema, {describeIdentity, implementIdentity});
  addOperator(definitions, "aten::one_hot(Tensor self, int num_classes=-1) -> Tensor",
              {describeOneHot, implementOneHot});
  addOperator(definitions, kSteps, {describeSteps, implementSteps});
  for (std::string_view schema : kRanges)
    addOperator(definitions, schema, {describeRange, implementRange});
  for (std::string_view schema : kCasts)
    addOperator(definitions, schema,
                {describeCast, implementCast, "", {}, {.element = castExpression}});
}

} // namespace inlay
