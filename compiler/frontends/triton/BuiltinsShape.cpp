// Program indices, creation, shapes, conversions.
#include "compiler/frontends/triton/Builtins.h"

#include <algorithm>

using namespace mlir;

namespace inlay::triton {

namespace {

Type scalarType(Scalar scalar) { return {scalar, false, false, {}}; }

template <typename Op>
Value programIndex(Emitter &emitter, const BoundArguments &arguments) {
  std::optional<int64_t> axis = arguments.integer(emitter, 0);
  if (!axis)
    return Value::poison();
  if (*axis < 0 || *axis > 2)
    return emitter.errorAt(arguments.span(0),
                           fmt::format("a grid has axes 0, 1 and 2, not {}", *axis));
  return emitter.semantics().makeValue<Op>(scalarType(Scalar::Int32), static_cast<int32_t>(*axis));
}

Value arange(Emitter &emitter, const BoundArguments &arguments) {
  std::optional<int64_t> begin = arguments.integer(emitter, 0), end = arguments.integer(emitter, 1);
  if (!begin || !end)
    return Value::poison();
  if (*begin < INT32_MIN || *end > INT32_MAX || *end <= *begin)
    return emitter.error("arange({}, {}) is empty or outside 32 bits", *begin, *end);
  int64_t count = *end - *begin;
  if ((count & (count - 1)) != 0)
    return emitter.error("arange({}, {}) has {} elements, which is not a power of two", *begin,
                         *end, count);
  if (count > kMaxBlockElements)
    return emitter.error("arange({}, {}) has more than the allowed {} elements", *begin, *end,
                         kMaxBlockElements);
  Type type{Scalar::Int32, false, false, {count}};
  return emitter.semantics().makeValue<tile::ArangeOp>(type, static_cast<int32_t>(*begin),
                                                       static_cast<int32_t>(*end));
}

Value fullOf(Emitter &emitter, const std::vector<int64_t> &shape, const Type &dtype,
             const Value &value, Span span) {
  Semantics &semantics = emitter.semantics();
  if (value.isNumber() && !dtype.isPointer)
    return Value::tensor(semantics.constant(dtype.withShape(shape), value));
  if (!value.asTensor())
    return emitter.errorAt(
        span,
        fmt::format("the value must be a number or a scalar tensor, not {}", describe(value)));
  if (value.asTensor()->type.isBlock())
    return emitter.errorAt(span,
                           fmt::format("the value must be one number, not {}", describe(value)));
  Value scalar = semantics.cast(*value.asTensor(), dtype);
  return scalar.isPoison() ? scalar : Value::tensor(semantics.splat(*scalar.asTensor(), shape));
}

Value full(Emitter &emitter, const BoundArguments &arguments) {
  auto shape = arguments.shape(emitter, 0);
  auto dtype = arguments.dtype(emitter, 2);
  return shape && dtype ? fullOf(emitter, *shape, *dtype, arguments[1], arguments.span(1))
                        : Value::poison();
}

Value zeros(Emitter &emitter, const BoundArguments &arguments) {
  auto shape = arguments.shape(emitter, 0);
  auto dtype = arguments.dtype(emitter, 1);
  return shape && dtype ? fullOf(emitter, *shape, *dtype, Value::integer(0), arguments.span(0))
                        : Value::poison();
}

Value zerosLike(Emitter &emitter, const BoundArguments &arguments) {
  auto input = arguments.tensor(emitter, 0);
  return input ? fullOf(emitter, input->type.shape, input->type.element(), Value::integer(0),
                        arguments.span(0))
               : Value::poison();
}

Value cast(Emitter &emitter, const BoundArguments &arguments) {
  auto input = arguments.tensor(emitter, 0);
  auto dtype = arguments.dtype(emitter, 1);
  auto rounding = arguments.string(emitter, 2);
  auto isBitcast = arguments.boolean(emitter, 3);
  if (!input || !dtype || !rounding || !isBitcast)
    return Value::poison();
  if (!rounding->empty() && *rounding != "rtne" && *rounding != "rtz")
    return emitter.errorAt(
        arguments.span(2),
        fmt::format("fp_downcast_rounding is 'rtne' or 'rtz', not '{}'", *rounding));
  if (*isBitcast)
    return emitter.semantics().bitcast(*input, *dtype);
  // A Python number converts without a detour over its own type.
  if (arguments[0].isNumber() && !dtype->isPointer)
    return Value::tensor(emitter.semantics().constant(*dtype, arguments[0]));
  Semantics::Rounding mode = rounding->empty()    ? Semantics::Rounding::Default
                             : *rounding == "rtz" ? Semantics::Rounding::TowardZero
                                                  : Semantics::Rounding::NearestEven;
  return emitter.semantics().cast(*input, *dtype, mode);
}

Value toTensor(Emitter &emitter, const BoundArguments &arguments) {
  auto input = arguments.tensor(emitter, 0);
  return input ? Value::tensor(*input) : Value::poison();
}

Value broadcastTo(Emitter &emitter, const BoundArguments &arguments) {
  auto input = arguments.tensor(emitter, 0);
  auto shape = arguments.shape(emitter, 1);
  return input && shape ? emitter.semantics().broadcastTo(*input, *shape) : Value::poison();
}

Value broadcast(Emitter &emitter, const BoundArguments &arguments) {
  auto a = arguments.tensor(emitter, 0), b = arguments.tensor(emitter, 1);
  if (!a || !b || !emitter.semantics().broadcast(*a, *b))
    return Value::poison();
  return Value::tuple({Value::tensor(*a), Value::tensor(*b)});
}

Value expandDims(Emitter &emitter, const BoundArguments &arguments) {
  auto input = arguments.tensor(emitter, 0);
  auto axes = arguments.integers(emitter, 1);
  if (!input || !axes)
    return Value::poison();
  int64_t rank = static_cast<int64_t>(input->type.shape.size() + axes->size());
  for (int64_t &axis : *axes)
    axis += axis < 0 ? rank : 0;
  std::sort(axes->begin(), axes->end());
  Value result = Value::tensor(*input);
  for (int64_t axis : *axes) {
    result = emitter.semantics().expandDims(*result.asTensor(), axis);
    if (result.isPoison())
      return result;
  }
  return result;
}

Value reshapeWith(Emitter &emitter, const BoundArguments &arguments, bool allowReorder) {
  auto input = arguments.tensor(emitter, 0);
  auto shape = arguments.shape(emitter, 1);
  return input && shape ? emitter.semantics().reshape(*input, *shape, allowReorder)
                        : Value::poison();
}

Value reshape(Emitter &emitter, const BoundArguments &arguments) {
  auto canReorder = arguments.boolean(emitter, 2);
  return canReorder ? reshapeWith(emitter, arguments, *canReorder) : Value::poison();
}

Value view(Emitter &emitter, const BoundArguments &arguments) {
  return reshapeWith(emitter, arguments, true);
}

Value ravel(Emitter &emitter, const BoundArguments &arguments) {
  auto input = arguments.tensor(emitter, 0);
  auto canReorder = arguments.boolean(emitter, 1);
  if (!input || !canReorder)
    return Value::poison();
  int64_t count = 1;
  for (int64_t size : input->type.shape)
    count *= size;
  return emitter.semantics().reshape(*input, {count}, *canReorder);
}

Value permute(Emitter &emitter, const BoundArguments &arguments) {
  auto input = arguments.tensor(emitter, 0);
  auto order = arguments.integers(emitter, 1);
  if (!input || !order)
    return Value::poison();
  int64_t rank = static_cast<int64_t>(input->type.shape.size());
  for (int64_t &dimension : *order)
    dimension += dimension < 0 ? rank : 0;
  return emitter.semantics().transpose(*input, *order);
}

/// Without dimensions: swaps the last two.
Value trans(Emitter &emitter, const BoundArguments &arguments) {
  if (!arguments[1].asTuple()->empty())
    return permute(emitter, arguments);
  auto input = arguments.tensor(emitter, 0);
  if (!input)
    return Value::poison();
  std::vector<int64_t> order(input->type.shape.size());
  if (order.size() < 2)
    return emitter.error("trans needs a tensor of at least 2 dimensions, not {}",
                         toString(input->type));
  for (size_t i = 0; i < order.size(); ++i)
    order[i] = static_cast<int64_t>(i);
  std::swap(order[order.size() - 1], order[order.size() - 2]);
  return emitter.semantics().transpose(*input, order);
}

/// tl.str_to_ty("*fp32", None): a type as signatures write it.
Value typeByText(Emitter &emitter, const BoundArguments &arguments) {
  const auto name = arguments.string(emitter, 0);
  if (!name)
    return Value::poison();
  std::string_view text = *name;
  const bool isPointer = text.starts_with('*');
  text.remove_prefix(isPointer ? 1 : 0);
  const bool isConst = isPointer && text.starts_with('k');
  text.remove_prefix(isConst ? 1 : 0);
  if (const std::optional<Scalar> scalar = findScalar(text))
    return Value::dtype({*scalar, isPointer, isConst, {}});
  return emitter.error("'{}' is no type; expected such as 'i32', 'fp16' or '*fp32'", *name);
}

Value blockType(Emitter &emitter, const BoundArguments &arguments) {
  const std::optional<Type> element = arguments.dtype(emitter, 0);
  const std::optional<std::vector<int64_t>> shape = arguments.shape(emitter, 1);
  if (!element || !shape)
    return Value::poison();
  if (element->isBlock() || shape->empty())
    return emitter.error("block_type is of a scalar type and a shape, not of {} and {}",
                         describe(arguments[0]), describe(arguments[1]));
  return Value::dtype(element->withShape(*shape));
}

Value pointerType(Emitter &emitter, const BoundArguments &arguments) {
  auto element = arguments.dtype(emitter, 0);
  if (!element)
    return Value::poison();
  if (element->isPointer)
    return emitter.error("a pointer to pointers is not supported");
  return Value::dtype({element->scalar, true, false, {}});
}

/// Keeps a hint on the op or the kernel's parameter that makes a value.
void setHint(Builder &builder, mlir::Value value, StringRef name, ArrayRef<int64_t> values) {
  if (Operation *op = value.getDefiningOp()) {
    op->setAttr(name, builder.getDenseI64ArrayAttr(values));
  } else if (auto argument = dyn_cast<BlockArgument>(value); name == tile::kDivisibilityAttr) {
    if (auto function = dyn_cast_or_null<func::FuncOp>(argument.getOwner()->getParentOp()))
      function.setArgAttr(argument.getArgNumber(), name, builder.getI64IntegerAttr(values[0]));
  }
}

template <const llvm::StringLiteral &attributeName>
Value hint(Emitter &emitter, const BoundArguments &arguments) {
  auto input = arguments.tensor(emitter, 0);
  auto values = arguments.integers(emitter, 1);
  if (!input || !values)
    return Value::poison();
  size_t expected = std::max<size_t>(input->type.shape.size(), 1);
  if (values->size() != expected)
    return emitter.errorAt(arguments.span(1),
                           fmt::format("a hint for {} needs {} values, not {}",
                                       toString(input->type), expected, values->size()));
  setHint(emitter.semantics().builder, input->handle, attributeName, *values);
  return arguments[0];
}

/// What can be used of an assumption: x % c == 0 with a scalar x says that x is divisible by c.
Value assume(Emitter &emitter, const BoundArguments &arguments) {
  auto *condition = arguments[0].asTensor();
  auto compare = condition ? condition->handle.getDefiningOp<arith::CmpIOp>() : arith::CmpIOp();
  Operation *remainder = compare && compare.getPredicate() == arith::CmpIPredicate::eq &&
                                 matchPattern(compare.getRhs(), m_Zero())
                             ? compare.getLhs().getDefiningOp()
                             : nullptr;
  IntegerAttr divisor;
  if (isa_and_nonnull<arith::RemSIOp, arith::RemUIOp>(remainder) && !condition->type.isBlock() &&
      matchPattern(remainder->getOperand(1), m_Constant(&divisor)) &&
      divisor.getValue().isPowerOf2())
    setHint(emitter.semantics().builder, remainder->getOperand(0), tile::kDivisibilityAttr,
            divisor.getInt());
  return Value();
}

/// The condition of a while loop with options; the options do not concern us.
Value condition(Emitter &, const BoundArguments &arguments) { return arguments[0]; }

constexpr Builtin kBuiltins[] = {
    {"program_id", "axis", programIndex<tile::ProgramIdOp>},
    {"num_programs", "axis", programIndex<tile::NumProgramsOp>},
    {"arange", "start, end", arange},
    {"full", "shape, value, dtype", full},
    {"zeros", "shape, dtype", zeros},
    {"zeros_like", "input", zerosLike},
    {"cast", "input, dtype, fp_downcast_rounding=None, bitcast=False", cast, true},
    {"to", "input, dtype, fp_downcast_rounding=None, bitcast=False", cast, true},
    {"to_tensor", "x", toTensor},
    {"broadcast_to", "input, *shape", broadcastTo, true},
    {"broadcast", "input, other", broadcast},
    {"expand_dims", "input, axis", expandDims, true},
    {"reshape", "input, *shape, can_reorder=False", reshape, true},
    {"view", "input, *shape", view, true},
    {"ravel", "x, can_reorder=False", ravel, true},
    {"trans", "input, *dims", trans, true},
    {"permute", "input, *dims", permute, true},
    {"str_to_ty", "name, c=None", typeByText},
    {"block_type", "element_ty, shape", blockType},
    {"pointer_type", "element_ty", pointerType},
    {"multiple_of", "input, values", hint<tile::kDivisibilityAttr>},
    {"max_contiguous", "input, values", hint<tile::kContiguityAttr>},
    {"max_constancy", "input, values", hint<tile::kConstancyAttr>},
    {"assume", "cond", assume},
    {"condition", "arg0, disable_licm=False", condition},
};

} // namespace

std::span<const Builtin> shapeBuiltins() { return kBuiltins; }

} // namespace inlay::triton
