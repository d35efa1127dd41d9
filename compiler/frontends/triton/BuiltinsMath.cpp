// Mathematical functions of tl, tl.math and libdevice.
#include "compiler/frontends/triton/Builtins.h"

using namespace mlir;

namespace inlay::triton {

namespace {

/// A float argument of a function that exists for fp32 and fp64 only.
std::optional<Tensor> wideFloat(Emitter &emitter, const BoundArguments &arguments, size_t index) {
  std::optional<Tensor> input = arguments.tensor(emitter, index);
  if (!input)
    return input;
  Scalar scalar = input->type.scalar;
  if (!input->type.isPointer && (scalar == Scalar::Float32 || scalar == Scalar::Float64))
    return input;
  emitter.errorAt(
      arguments.span(index),
      fmt::format("this function takes fp32 or fp64, not {}; convert with .to(tl.float32) first",
                  toString(input->type)));
  return std::nullopt;
}

/// Flags of a function that Triton computes approximately in fp32.
arith::FastMathFlags approximate(const Type &type) {
  return type.scalar == Scalar::Float32 ? arith::FastMathFlags::afn : arith::FastMathFlags::none;
}

template <typename Op, bool isApproximate = false>
Value floatFunction(Emitter &emitter, const BoundArguments &arguments) {
  std::optional<Tensor> input = wideFloat(emitter, arguments, 0);
  if (!input)
    return Value::poison();
  Semantics &semantics = emitter.semantics();
  auto flags =
      semantics.fastMath(isApproximate ? approximate(input->type) : arith::FastMathFlags::none);
  return semantics.makeValue<Op>(input->type, input->handle, flags);
}

/// Two fp32 or two fp64 operands after promotion.
template <typename Op>
Value binaryFloatFunction(Emitter &emitter, const BoundArguments &arguments) {
  Value a = arguments[0], b = arguments[1];
  Semantics &semantics = emitter.semantics();
  if (!semantics.unify(a, b, "this function"))
    return Value::poison();
  const Type &type = a.asTensor()->type;
  if (type.scalar != Scalar::Float32 && type.scalar != Scalar::Float64)
    return emitter.error(
        "this function takes fp32 or fp64, not {}; convert with .to(tl.float32) first",
        toString(type));
  return semantics.makeValue<Op>(type, a.asTensor()->handle, b.asTensor()->handle);
}

template <char op>
constexpr char kOperator = op;

/// An operator by its function's name; overflow is never checked.
template <char op>
Value arithmetic(Emitter &emitter, const BoundArguments &arguments) {
  return emitter.binary(std::string_view(&kOperator<op>, 1), arguments[0], arguments[1]);
}

Value absolute(Emitter &emitter, const BoundArguments &arguments) {
  if (auto *value = arguments[0].asNumber())
    return Value::number(*value < 0 ? -*value : *value);
  if (auto value = arguments[0].integerValue())
    return Value::integer(*value < 0 ? -*value : *value);
  std::optional<Tensor> input = arguments.tensor(emitter, 0);
  if (!input)
    return Value::poison();
  Semantics &semantics = emitter.semantics();
  if (input->type.isPointer)
    return emitter.error("abs is not defined for {}", toString(input->type));
  if (input->type.isFloat())
    return semantics.makeValue<math::AbsFOp>(input->type, input->handle);
  return isSigned(input->type.scalar)
             ? semantics.makeValue<math::AbsIOp>(input->type, input->handle)
             : Value::tensor(*input);
}

Value fma(Emitter &emitter, const BoundArguments &arguments) {
  Semantics &semantics = emitter.semantics();
  Value x = arguments[0], y = arguments[1], z = arguments[2];
  if (!semantics.unify(x, y, "fma") || !semantics.unify(x, z, "fma") ||
      !semantics.unify(z, y, "fma") || !semantics.unify(x, z, "fma"))
    return Value::poison();
  const Type &type = x.asTensor()->type;
  if (!type.isFloat())
    return emitter.error("fma needs floats, not {}", toString(type));
  return semantics.makeValue<math::FmaOp>(type, x.asTensor()->handle, y.asTensor()->handle,
                                          z.asTensor()->handle);
}

/// 1 / (1 + exp(-x)), as the language defines it.
Value sigmoid(Emitter &emitter, const BoundArguments &arguments) {
  std::optional<Tensor> input = wideFloat(emitter, arguments, 0);
  if (!input)
    return Value::poison();
  Semantics &semantics = emitter.semantics();
  Tensor negated = *semantics.unary("-", *input).asTensor();
  Tensor power = semantics.make<math::ExpOp>(negated.type, negated.handle,
                                             semantics.fastMath(approximate(negated.type)));
  Value sum = semantics.binary(BinaryOperator::Add, Value::integer(1), Value::tensor(power));
  return semantics.divide(Value::integer(1), sum, /*ieee=*/false);
}

template <bool ieee>
Value floatDivide(Emitter &emitter, const BoundArguments &arguments) {
  for (size_t i = 0; i < 2; ++i) {
    std::optional<Tensor> operand = arguments.tensor(emitter, i);
    if (!operand)
      return Value::poison();
    if (!operand->type.isFloat() && !arguments[i].isNumber())
      return emitter.errorAt(arguments.span(i), fmt::format("this division needs floats, not {}",
                                                            toString(operand->type)));
  }
  return emitter.semantics().divide(arguments[0], arguments[1], ieee);
}

Value umulhi(Emitter &emitter, const BoundArguments &arguments) {
  Value a = arguments[0], b = arguments[1];
  Semantics &semantics = emitter.semantics();
  if (!semantics.unify(a, b, "umulhi"))
    return Value::poison();
  const Type &type = a.asTensor()->type;
  if (!type.isInteger() || bitWidthOf(type.scalar) < 32)
    return emitter.error("umulhi takes 32-bit or 64-bit integers, not {}", toString(type));
  if (bitWidthOf(type.scalar) == 32) {
    Type wide = type.withScalar(Scalar::UInt64);
    auto widened = [&](const Value &value) {
      return semantics.make<arith::ExtUIOp>(wide, value.asTensor()->handle);
    };
    Value product =
        semantics.binary(BinaryOperator::Mul, Value::tensor(widened(a)), Value::tensor(widened(b)));
    Value high = semantics.binary(BinaryOperator::Shr, product, Value::integer(32));
    return semantics.cast(*high.asTensor(), type);
  }
  auto product = arith::MulUIExtendedOp::create(semantics.builder, semantics.location,
                                                a.asTensor()->handle, b.asTensor()->handle);
  return Value::tensor({type, product.getHigh()});
}

/// (x + (d - 1)) // d: on numbers too, with Python's division then.
Value ceilDivide(Emitter &emitter, const BoundArguments &arguments) {
  Value decremented = emitter.binary("-", arguments[1], Value::integer(1));
  return emitter.binary("//", emitter.binary("+", arguments[0], decremented), arguments[1]);
}

template <bool isMaximum>
Value extremum(Emitter &emitter, const BoundArguments &arguments) {
  auto propagation = arguments.string(emitter, 2);
  if (!propagation)
    return Value::poison();
  return emitter.semantics().extremum(isMaximum, arguments[0], arguments[1],
                                      *propagation == "PropagateNan.ALL");
}

Value clamp(Emitter &emitter, const BoundArguments &arguments) {
  auto propagation = arguments.string(emitter, 3);
  Value x = arguments[0], low = arguments[1], high = arguments[2];
  Semantics &semantics = emitter.semantics();
  if (!propagation || !semantics.unify(low, high, "clamp") || !semantics.unify(x, low, "clamp") ||
      !semantics.unify(x, high, "clamp"))
    return Value::poison();
  if (!x.asTensor()->type.isFloat())
    return emitter.error("clamp is for floats, not {}; use tl.minimum and tl.maximum",
                         toString(x.asTensor()->type));
  bool propagatesNan = *propagation == "PropagateNan.ALL";
  Value raised = semantics.extremum(true, x, low, propagatesNan);
  return raised.isPoison() ? raised : semantics.extremum(false, raised, high, propagatesNan);
}

Value where(Emitter &emitter, const BoundArguments &arguments) {
  return emitter.semantics().select(arguments[0], arguments[1], arguments[2]);
}

Value logicalAnd(Emitter &emitter, const BoundArguments &arguments) {
  return emitter.semantics().logical(true, arguments[0], arguments[1]);
}

Value logicalOr(Emitter &emitter, const BoundArguments &arguments) {
  return emitter.semantics().logical(false, arguments[0], arguments[1]);
}

constexpr Builtin kBuiltins[] = {
    {"exp", "x", floatFunction<math::ExpOp, true>, true},
    {"exp2", "x", floatFunction<math::Exp2Op, true>, true},
    {"log", "x", floatFunction<math::LogOp>, true},
    {"log2", "x", floatFunction<math::Log2Op>, true},
    {"sqrt", "x", floatFunction<math::SqrtOp, true>, true},
    {"sqrt_rn", "x", floatFunction<math::SqrtOp>, true},
    {"rsqrt", "x", floatFunction<math::RsqrtOp>, true},
    {"sin", "x", floatFunction<math::SinOp>, true},
    {"cos", "x", floatFunction<math::CosOp>, true},
    {"erf", "x", floatFunction<math::ErfOp>, true},
    {"floor", "x", floatFunction<math::FloorOp>, true},
    {"ceil", "x", floatFunction<math::CeilOp>, true},
    {"abs", "x", absolute, true},
    {"builtins.abs", "x", absolute},
    {"libdevice.fabs", "x", absolute},
    {"fma", "x, y, z", fma, true},
    {"sigmoid", "x", sigmoid, true},
    {"add", "x, y, sanitize_overflow=True", arithmetic<'+'>},
    {"sub", "x, y, sanitize_overflow=True", arithmetic<'-'>},
    {"mul", "x, y, sanitize_overflow=True", arithmetic<'*'>},
    {"fdiv", "x, y, ieee_rounding=False", floatDivide<false>, true},
    {"div_rn", "x, y", floatDivide<true>, true},
    {"umulhi", "x, y", umulhi, true},
    {"cdiv", "x, div", ceilDivide, true},
    {"triton.cdiv", "x, y", ceilDivide},
    {"maximum", "x, y, propagate_nan='PropagateNan.NONE'", extremum<true>},
    {"minimum", "x, y, propagate_nan='PropagateNan.NONE'", extremum<false>},
    {"clamp", "x, min, max, propagate_nan='PropagateNan.NONE'", clamp},
    {"where", "condition, x, y", where},
    {"logical_and", "input, other", logicalAnd, true},
    {"logical_or", "input, other", logicalOr, true},
    // libdevice: rounded as libdevice does, so without the approximate flag where tl's own is
    // approximate.
    {"libdevice.exp", "x", floatFunction<math::ExpOp>},
    {"libdevice.exp2", "x", floatFunction<math::Exp2Op>},
    {"libdevice.sqrt", "x", floatFunction<math::SqrtOp>},
    {"libdevice.pow", "x, y", binaryFloatFunction<math::PowFOp>},
    {"libdevice.fmod", "x, y", binaryFloatFunction<arith::RemFOp>},
    {"libdevice.atan2", "x, y", binaryFloatFunction<math::Atan2Op>},
    {"libdevice.copysign", "x, y", binaryFloatFunction<math::CopySignOp>},
    {"libdevice.fmax", "x, y", binaryFloatFunction<arith::MaxNumFOp>},
    {"libdevice.fmin", "x, y", binaryFloatFunction<arith::MinNumFOp>},
    {"libdevice.tanh", "x", floatFunction<math::TanhOp>},
    {"libdevice.fast_tanh", "x", floatFunction<math::TanhOp, true>},
    {"libdevice.fast_tanhf", "x", floatFunction<math::TanhOp, true>},
    {"libdevice.fast_expf", "x", floatFunction<math::ExpOp, true>},
    {"libdevice.rint", "x", floatFunction<math::RoundEvenOp>},
    {"libdevice.nearbyint", "x", floatFunction<math::RoundEvenOp>},
    {"libdevice.round", "x", floatFunction<math::RoundOp>},
    {"libdevice.trunc", "x", floatFunction<math::TruncOp>},
    {"libdevice.tan", "x", floatFunction<math::TanOp>},
    {"libdevice.asin", "x", floatFunction<math::AsinOp>},
    {"libdevice.acos", "x", floatFunction<math::AcosOp>},
    {"libdevice.atan", "x", floatFunction<math::AtanOp>},
    {"libdevice.sinh", "x", floatFunction<math::SinhOp>},
    {"libdevice.cosh", "x", floatFunction<math::CoshOp>},
    {"libdevice.log10", "x", floatFunction<math::Log10Op>},
    {"libdevice.log1p", "x", floatFunction<math::Log1pOp>},
    {"libdevice.expm1", "x", floatFunction<math::ExpM1Op>},
    {"libdevice.erfc", "x", floatFunction<math::ErfcOp>},
    {"libdevice.cbrt", "x", floatFunction<math::CbrtOp>},
};

} // namespace

std::span<const Builtin> mathBuiltins() { return kBuiltins; }

} // namespace inlay::triton
