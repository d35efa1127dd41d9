// Compile-time helpers of the standard library (stdlib/*.py), which kernels do not see.
#include "compiler/frontends/triton/Builtins.h"

#include <bit>

using namespace mlir;

namespace inlay::triton {

namespace {

/// The exponent of a power of two.
Value log2(Emitter &emitter, const BoundArguments &arguments) {
  auto value = arguments.integer(emitter, 0);
  if (!value)
    return Value::poison();
  if (*value <= 0 || !std::has_single_bit(static_cast<uint64_t>(*value)))
    return emitter.error("{} is not a power of two", *value);
  return Value::integer(std::countr_zero(static_cast<uint64_t>(*value)));
}

/// An axis counted from 0, checked to be one of a tensor.
Value axisOf(Emitter &emitter, const BoundArguments &arguments) {
  auto axis = arguments.integer(emitter, 0);
  auto input = arguments.tensor(emitter, 1);
  if (!axis || !input)
    return Value::poison();
  std::optional<int64_t> result = emitter.semantics().axisIn(*axis, input->type);
  return result ? Value::integer(*result) : Value::poison();
}

/// The index along an axis as an int32 tile of a shape.
Value iota(Emitter &emitter, const BoundArguments &arguments) {
  auto shape = arguments.shape(emitter, 0);
  auto axis = arguments.integer(emitter, 1);
  if (!shape || !axis)
    return Value::poison();
  return Value::tensor(emitter.semantics().iota(*shape, static_cast<size_t>(*axis)));
}

/// The signed integer type of a number of bits.
Value intDtype(Emitter &emitter, const BoundArguments &arguments) {
  auto bits = arguments.integer(emitter, 0);
  if (!bits)
    return Value::poison();
  for (Scalar scalar : {Scalar::Int8, Scalar::Int16, Scalar::Int32, Scalar::Int64})
    if (bitWidthOf(scalar) == *bits)
      return Value::dtype({scalar, false, false, {}});
  return emitter.error("this is not defined for elements of {} bits", *bits);
}

Value numWarps(Emitter &emitter, const BoundArguments &) {
  return Value::integer(emitter.options.numWarps);
}

constexpr Builtin kBuiltins[] = {
    {"inlay.log2", "value", log2},       {"inlay.axis", "axis, x", axisOf},
    {"inlay.iota", "shape, axis", iota}, {"inlay.int_dtype", "bits", intDtype},
    {"inlay.num_warps", "", numWarps},
};

} // namespace

std::span<const Builtin> internalBuiltins() { return kBuiltins; }

} // namespace inlay::triton
