// Atomic operations.
#include "compiler/frontends/triton/BuiltinsMemory.h"

using namespace mlir;

namespace inlay::triton {

namespace {

constexpr std::pair<std::string_view, tile::MemoryOrder> kOrders[] = {
    {"acq_rel", tile::MemoryOrder::AcquireRelease}, {"", tile::MemoryOrder::AcquireRelease},
    {"acquire", tile::MemoryOrder::Acquire},        {"release", tile::MemoryOrder::Release},
    {"relaxed", tile::MemoryOrder::Relaxed},
};
constexpr std::pair<std::string_view, tile::MemoryScope> kScopes[] = {
    {"gpu", tile::MemoryScope::Gpu},
    {"", tile::MemoryScope::Gpu},
    {"cta", tile::MemoryScope::Block},
    {"sys", tile::MemoryScope::System},
};

std::string_view nameOf(Atomic kind) {
  constexpr std::string_view names[] = {"atomic_add", "atomic_max", "atomic_min", "atomic_and",
                                        "atomic_or",  "atomic_xor", "atomic_xchg"};
  return names[static_cast<size_t>(kind)];
}

/// What an operation is defined for, in words; and whether a type is among it.
std::string_view typesOf(Atomic kind) {
  switch (kind) {
  case Atomic::Add:
    return "integers of 32 and 64 bits, fp16, bf16, fp32 and fp64";
  case Atomic::Max:
  case Atomic::Min:
    return "integers of 32 and 64 bits, fp32 and fp64";
  case Atomic::Exchange:
    return "integers and floats of 32 and 64 bits";
  default:
    return "integers of 32 and 64 bits";
  }
}

bool isDefined(Atomic kind, Scalar scalar) {
  if (bitWidthOf(scalar) >= 32)
    return isInteger(scalar) || kind < Atomic::And || kind == Atomic::Exchange;
  return kind == Atomic::Add && (scalar == Scalar::Float16 || scalar == Scalar::BFloat16);
}

tile::AtomicKind irKind(Atomic kind, Scalar scalar) {
  bool isUnsigned = kindOf(scalar) == ScalarKind::Unsigned;
  switch (kind) {
  case Atomic::Add:
    return isFloat(scalar) ? tile::AtomicKind::FAdd : tile::AtomicKind::Add;
  case Atomic::Max:
    return isUnsigned ? tile::AtomicKind::UMax : tile::AtomicKind::Max;
  case Atomic::Min:
    return isUnsigned ? tile::AtomicKind::UMin : tile::AtomicKind::Min;
  case Atomic::And:
    return tile::AtomicKind::And;
  case Atomic::Or:
    return tile::AtomicKind::Or;
  case Atomic::Xor:
    return tile::AtomicKind::Xor;
  case Atomic::Exchange:
    break;
  }
  return tile::AtomicKind::Exchange;
}

/// The order of floats is that of their bits as signed integers where the sign is clear, and the
/// reverse of that of their bits as unsigned integers where it is set: two operations, one of which
/// each element takes part in.
Value emitFloatExtremum(Semantics &semantics, bool isMaximum, const Tensor &pointer,
                        const Tensor &value, const std::optional<Tensor> &mask,
                        tile::MemoryOrder order, tile::MemoryScope scope) {
  bool isWide = bitWidthOf(value.type.scalar) == 64;
  Type signedType{isWide ? Scalar::Int64 : Scalar::Int32, false, false, {}};
  Type unsignedType{isWide ? Scalar::UInt64 : Scalar::UInt32, false, false, {}};
  Tensor bits = *semantics.bitcast(value, signedType).asTensor();
  Value isNegative = semantics.compare("<", Value::tensor(bits), Value::integer(0));
  Value isPositive = Value::tensor(*semantics.unary("not", *isNegative.asTensor()).asTensor());
  auto emitPart = [&](Atomic kind, const Type &type, const Value &part) {
    Type pointerType{type.scalar, true, false, {}};
    Tensor address = *semantics.cast(pointer, pointerType).asTensor();
    Tensor operand = *semantics.bitcast(value, type).asTensor();
    Value both = mask ? semantics.binary(BinaryOperator::And, Value::tensor(*mask), part) : part;
    return emitAtomic(semantics, kind, address, operand, *both.asTensor(), order, scope);
  };
  Value positive = emitPart(isMaximum ? Atomic::Max : Atomic::Min, signedType, isPositive);
  Value negative = emitPart(isMaximum ? Atomic::Min : Atomic::Max, unsignedType, isNegative);
  negative = semantics.bitcast(*negative.asTensor(), signedType);
  Value old = semantics.select(isPositive, positive, negative);
  return semantics.bitcast(*old.asTensor(), value.type);
}

} // namespace

Value emitAtomic(Semantics &semantics, Atomic kind, const Tensor &pointer, const Tensor &value,
                 const std::optional<Tensor> &mask, tile::MemoryOrder order,
                 tile::MemoryScope scope) {
  Scalar scalar = value.type.scalar;
  if (!isDefined(kind, scalar))
    return semantics.error("{} is defined for {}, not for {}", nameOf(kind), typesOf(kind),
                           triton::nameOf(scalar));
  bool isExtremum = kind == Atomic::Max || kind == Atomic::Min;
  if (isExtremum && isFloat(scalar))
    return emitFloatExtremum(semantics, kind == Atomic::Max, pointer, value, mask, order, scope);
  auto op = tile::AtomicRmwOp::create(semantics.builder, semantics.location, value.handle.getType(),
                                      irKind(kind, scalar), pointer.handle, value.handle,
                                      mask ? mask->handle : mlir::Value(), order, scope);
  return Value::tensor({value.type, op.getResult()});
}

namespace {

/// A value argument as elements of the pointer's shape; nullopt after an error.
std::optional<Tensor> operandOf(Emitter &emitter, const BoundArguments &arguments, size_t index,
                                const Tensor &pointer) {
  if (!besidePointer(emitter, arguments, index, pointer))
    return std::nullopt;
  Value value = convertTo(emitter.semantics(), arguments[index], pointer.type.pointee());
  if (!value.isPoison())
    value = emitter.semantics().broadcastTo(*value.asTensor(), pointer.type.shape);
  if (value.isPoison())
    return std::nullopt;
  return *value.asTensor();
}

template <Atomic kind>
Value atomic(Emitter &emitter, const BoundArguments &arguments) {
  std::optional<Tensor> pointer = pointerOf(emitter, arguments);
  auto order = choose(emitter, arguments, 3, kOrders);
  auto scope = choose(emitter, arguments, 4, kScopes);
  if (!pointer || !order || !scope || !checkWritable(emitter, arguments, pointer->type))
    return Value::poison();
  if (!isDefined(kind, pointer->type.scalar))
    return emitter.error("{} is defined for {}, not for {}", nameOf(kind), typesOf(kind),
                         triton::nameOf(pointer->type.scalar));
  std::optional<Tensor> value = operandOf(emitter, arguments, 1, *pointer);
  if (!value)
    return Value::poison();
  std::optional<Tensor> mask;
  if (!arguments[2].isNone()) {
    mask = maskOf(emitter, arguments, 2, *pointer);
    Value broadcasted =
        mask ? emitter.semantics().broadcastTo(*mask, pointer->type.shape) : Value::poison();
    if (broadcasted.isPoison())
      return broadcasted;
    mask = *broadcasted.asTensor();
  }
  return emitAtomic(emitter.semantics(), kind, *pointer, *value, mask, *order, *scope);
}

Value atomicCas(Emitter &emitter, const BoundArguments &arguments) {
  std::optional<Tensor> pointer = pointerOf(emitter, arguments);
  auto order = choose(emitter, arguments, 3, kOrders);
  auto scope = choose(emitter, arguments, 4, kScopes);
  if (!pointer || !order || !scope || !checkWritable(emitter, arguments, pointer->type))
    return Value::poison();
  if (bitWidthOf(pointer->type.scalar) < 16)
    return emitter.error("atomic_cas is defined for elements of 16, 32 and 64 bits, not for {}",
                         triton::nameOf(pointer->type.scalar));
  std::optional<Tensor> compare = operandOf(emitter, arguments, 1, *pointer),
                        value = operandOf(emitter, arguments, 2, *pointer);
  if (!compare || !value)
    return Value::poison();
  Semantics &semantics = emitter.semantics();
  auto op =
      tile::AtomicCasOp::create(semantics.builder, semantics.location, value->handle.getType(),
                                pointer->handle, compare->handle, value->handle, *order, *scope);
  return Value::tensor({value->type, op.getResult()});
}

constexpr std::string_view kParameters = "pointer, val, mask=None, sem=None, scope=None";

constexpr Builtin kBuiltins[] = {
    {"atomic_add", kParameters, atomic<Atomic::Add>, true},
    {"atomic_max", kParameters, atomic<Atomic::Max>, true},
    {"atomic_min", kParameters, atomic<Atomic::Min>, true},
    {"atomic_and", kParameters, atomic<Atomic::And>, true},
    {"atomic_or", kParameters, atomic<Atomic::Or>, true},
    {"atomic_xor", kParameters, atomic<Atomic::Xor>, true},
    {"atomic_xchg", kParameters, atomic<Atomic::Exchange>, true},
    {"atomic_cas", "pointer, cmp, val, sem=None, scope=None", atomicCas, true},
};

} // namespace

std::span<const Builtin> atomicBuiltins() { return kBuiltins; }

} // namespace inlay::triton
