// dot: types, shapes and precisions of matrix products.
#include "compiler/frontends/triton/BuiltinsMemory.h"

#include <fmt/ranges.h>

using namespace mlir;

namespace inlay::triton {

namespace {

constexpr std::pair<std::string_view, tile::DotPrecision> kPrecisions[] = {
    {"tf32", tile::DotPrecision::TF32},     {"tf32x3", tile::DotPrecision::TF32x3},
    {"ieee", tile::DotPrecision::IEEE},     {"bf16x3", tile::DotPrecision::BF16x3},
    {"bf16x6", tile::DotPrecision::BF16x6},
};

/// How many products fp8 is summed natively for unless the kernel says: all of them.
constexpr int32_t kNativeFloat8Accumulation = 1 << 30;

enum Parameter : size_t { Lhs, Rhs, Acc, InputPrecision, AllowTf32, MaxImprecise, OutDtype };

/// A tile of rank 2 or more of a type that can be multiplied.
std::optional<Tensor> operandOf(Emitter &emitter, const BoundArguments &arguments, size_t index) {
  auto *tensor = arguments[index].asTensor();
  if (!tensor || tensor->type.shape.size() < 2 || tensor->type.isPointer) {
    emitter.errorAt(
        arguments.span(index),
        fmt::format("dot multiplies blocks of rank 2 or more, not {}", describe(arguments[index])));
    return std::nullopt;
  }
  // The oldest fp8 type is multiplied as fp16.
  if (tensor->type.scalar == Scalar::Float8E4B15)
    return *emitter.semantics().cast(*tensor, {Scalar::Float16, false, false, {}}).asTensor();
  return *tensor;
}

bool checkTypes(Emitter &emitter, Scalar lhs, Scalar rhs) {
  if (isFloat8(lhs) && isFloat8(rhs))
    return true;
  bool isKnown = isFloat(lhs) || lhs == Scalar::Int8;
  if (lhs == rhs && isKnown)
    return true;
  emitter.error("dot multiplies int8, fp8, fp16, bf16, fp32 or fp64 of the same type on both "
                "sides, not {} by {}",
                nameOf(lhs), nameOf(rhs));
  return false;
}

bool checkShapes(Emitter &emitter, const Type &lhs, const Type &rhs) {
  size_t rank = lhs.shape.size();
  bool fits = rank == rhs.shape.size() && lhs.shape[rank - 1] == rhs.shape[rank - 2];
  for (size_t i = 0; fits && i + 2 < rank; ++i)
    fits = lhs.shape[i] == rhs.shape[i];
  if (!fits) {
    emitter.error("dot of [{}] and [{}]: the first needs the shape [.., M, K] and the second "
                  "[.., K, N]",
                  fmt::join(lhs.shape, ", "), fmt::join(rhs.shape, ", "));
    return false;
  }
  int64_t smallest = bitWidthOf(lhs.scalar) == 8 ? 32 : 16;
  if (lhs.shape[rank - 1] >= smallest)
    return true;
  emitter.error("dot of [{}] and [{}]: K is {}, but must be at least {} for {}; use a larger block "
                "with a mask",
                fmt::join(lhs.shape, ", "), fmt::join(rhs.shape, ", "), lhs.shape[rank - 1],
                smallest, nameOf(lhs.scalar));
  return false;
}

std::optional<tile::DotPrecision> precisionOf(Emitter &emitter, const BoundArguments &arguments) {
  if (arguments[AllowTf32].isNone())
    return arguments[InputPrecision].isNone()
               ? tile::DotPrecision::TF32
               : choose(emitter, arguments, InputPrecision, kPrecisions);
  if (!arguments[InputPrecision].isNone()) {
    emitter.errorAt(arguments.span(AllowTf32),
                    "allow_tf32 and input_precision say the same thing; give one of them");
    return std::nullopt;
  }
  auto allows = arguments.boolean(emitter, AllowTf32);
  if (!allows)
    return std::nullopt;
  return *allows ? tile::DotPrecision::TF32 : tile::DotPrecision::IEEE;
}

/// The type products are summed in; nullopt after an error.
std::optional<Scalar> accumulatorOf(Emitter &emitter, const BoundArguments &arguments,
                                    Scalar operand) {
  Type out{Scalar::Float32, false, false, {}};
  if (!arguments[OutDtype].isNone()) {
    auto given = arguments.dtype(emitter, OutDtype);
    if (!given)
      return std::nullopt;
    out = *given;
  }
  if (operand == Scalar::Int8)
    return Scalar::Int32;
  if (operand == Scalar::Float64)
    return Scalar::Float64;
  if (out.isFloat() && out.scalar == Scalar::BFloat16) {
    emitter.errorAt(arguments.span(OutDtype),
                    "dot does not sum in bf16; use out_dtype=tl.float32 and .to(tl.bfloat16)");
    return std::nullopt;
  }
  if (operand == Scalar::Float32 || operand == Scalar::BFloat16)
    return Scalar::Float32;
  if (out.isFloat() && (out.scalar == Scalar::Float16 || out.scalar == Scalar::Float32))
    return out.scalar;
  emitter.errorAt(arguments.span(OutDtype), fmt::format("dot of {} sums in fp32 or fp16, not in {}",
                                                        nameOf(operand), toString(out)));
  return std::nullopt;
}

/// More than one batch dimension becomes one.
Tensor withOneBatch(Semantics &semantics, const Tensor &tensor) {
  const std::vector<int64_t> &shape = tensor.type.shape;
  if (shape.size() <= 3)
    return tensor;
  std::vector<int64_t> flat{1, shape[shape.size() - 2], shape[shape.size() - 1]};
  for (size_t i = 0; i + 2 < shape.size(); ++i)
    flat[0] *= shape[i];
  return *semantics.reshape(tensor, flat, /*allowReorder=*/false).asTensor();
}

Value dot(Emitter &emitter, const BoundArguments &arguments) {
  Semantics &semantics = emitter.semantics();
  std::optional<Tensor> lhs = operandOf(emitter, arguments, Lhs),
                        rhs = operandOf(emitter, arguments, Rhs);
  if (!lhs || !rhs || !checkTypes(emitter, lhs->type.scalar, rhs->type.scalar) ||
      !checkShapes(emitter, lhs->type, rhs->type))
    return Value::poison();
  auto precision = precisionOf(emitter, arguments);
  auto scalar = accumulatorOf(emitter, arguments, lhs->type.scalar);
  if (!precision || !scalar)
    return Value::poison();
  int64_t k = lhs->type.shape.back();
  int32_t maxImprecise = isFloat8(lhs->type.scalar) ? kNativeFloat8Accumulation : 0;
  if (!arguments[MaxImprecise].isNone()) {
    auto given = arguments.integer(emitter, MaxImprecise);
    if (!given)
      return Value::poison();
    if (*given < 0 || (isFloat8(lhs->type.scalar) && *given > k))
      return emitter.errorAt(arguments.span(MaxImprecise),
                             fmt::format("max_num_imprecise_acc is {}, but K is {}", *given, k));
    maxImprecise = isFloat8(lhs->type.scalar) ? static_cast<int32_t>(*given) : 0;
  }
  Type type{*scalar, false, false, lhs->type.shape};
  type.shape.back() = rhs->type.shape.back();
  if (std::string reason = checkBlockShape(type.shape); !reason.empty())
    return emitter.error("{}", reason);
  Tensor acc;
  if (arguments[Acc].isNone()) {
    acc = semantics.constant(type, int64_t{0});
  } else {
    auto *given = arguments[Acc].asTensor();
    if (!given || !(given->type == type))
      return emitter.errorAt(arguments.span(Acc),
                             fmt::format("the accumulator of this dot must be {}, not {}",
                                         toString(type), describe(arguments[Acc])));
    acc = *given;
  }
  Tensor flat = withOneBatch(semantics, acc);
  Tensor product = semantics.make<tile::DotOp>(flat.type, withOneBatch(semantics, *lhs).handle,
                                               withOneBatch(semantics, *rhs).handle, flat.handle,
                                               *precision, maxImprecise);
  return semantics.reshape(product, type.shape, /*allowReorder=*/false);
}

constexpr Builtin kBuiltins[] = {
    {"dot",
     "input, other, acc=None, input_precision=None, allow_tf32=None, max_num_imprecise_acc=None, "
     "out_dtype=None",
     dot},
};

} // namespace

std::span<const Builtin> dotBuiltins() { return kBuiltins; }

} // namespace inlay::triton
