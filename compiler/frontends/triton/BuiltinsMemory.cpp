// Loads, stores, barriers.
#include "compiler/frontends/triton/Builtins.h"

using namespace mlir;

namespace inlay::triton {

namespace {

/// Finds a choice by its text ("" is the first enumerator); an error lists the choices.
template <typename Enum, size_t count>
std::optional<Enum> choose(Emitter &emitter, const BoundArguments &arguments, size_t index,
                           const std::pair<std::string_view, Enum> (&choices)[count]) {
  std::optional<std::string> text = arguments.string(emitter, index);
  if (!text)
    return std::nullopt;
  std::string known;
  for (const auto &[name, value] : choices) {
    if (name == *text)
      return value;
    known += fmt::format("{}'{}'", known.empty() ? "" : ", ", name);
  }
  emitter.errorAt(arguments.span(index),
                  fmt::format("'{}' is one of {}, not '{}'", arguments.name(index), known, *text));
  return std::nullopt;
}

constexpr std::pair<std::string_view, tile::CacheModifier> kLoadCache[] = {
    {"", tile::CacheModifier::None},
    {".ca", tile::CacheModifier::CA},
    {".cg", tile::CacheModifier::CG},
    {".cv", tile::CacheModifier::CV}};
constexpr std::pair<std::string_view, tile::CacheModifier> kStoreCache[] = {
    {"", tile::CacheModifier::None},
    {".wb", tile::CacheModifier::WB},
    {".cg", tile::CacheModifier::CG},
    {".cs", tile::CacheModifier::CS},
    {".wt", tile::CacheModifier::WT}};
constexpr std::pair<std::string_view, tile::EvictionPolicy> kEviction[] = {
    {"", tile::EvictionPolicy::Normal},
    {"evict_normal", tile::EvictionPolicy::Normal},
    {"evict_first", tile::EvictionPolicy::EvictFirst},
    {"evict_last", tile::EvictionPolicy::EvictLast}};

std::optional<Tensor> pointerOf(Emitter &emitter, const BoundArguments &arguments) {
  auto *tensor = arguments[0].asTensor();
  if (tensor && tensor->type.isPointer)
    return *tensor;
  emitter.errorAt(arguments.span(0),
                  fmt::format("a pointer or a block of pointers is needed here, not {}",
                              describe(arguments[0])));
  return std::nullopt;
}

/// A mask or other value, checked to fit the pointer: a scalar pointer takes scalars only.
std::optional<Tensor> besidePointer(Emitter &emitter, const BoundArguments &arguments, size_t index,
                                    const Tensor &pointer) {
  std::optional<Tensor> tensor = arguments.tensor(emitter, index);
  if (tensor && tensor->type.isBlock() && !pointer.type.isBlock()) {
    emitter.errorAt(arguments.span(index),
                    fmt::format("'{}' is a block ({}), but the pointer is a scalar",
                                arguments.name(index), toString(tensor->type)));
    return std::nullopt;
  }
  return tensor;
}

std::optional<Tensor> maskOf(Emitter &emitter, const BoundArguments &arguments, size_t index,
                             const Tensor &pointer) {
  std::optional<Tensor> mask = besidePointer(emitter, arguments, index, pointer);
  if (mask && !mask->type.isBool()) {
    emitter.errorAt(arguments.span(index),
                    fmt::format("a mask must be int1, not {}", toString(mask->type)));
    return std::nullopt;
  }
  return mask;
}

bool rejectBlockPointerArguments(Emitter &emitter, const BoundArguments &arguments,
                                 size_t boundaryCheck, size_t padding) {
  auto *check = arguments[boundaryCheck].asTuple();
  bool isUsed =
      (check && !check->empty()) || (padding && arguments[padding].truth().value_or(true));
  if (isUsed)
    emitter.errorAt(
        arguments.span(boundaryCheck),
        "boundary_check and padding_option are for block pointers, which are not supported yet");
  return isUsed;
}

/// int1 lives in memory as a byte.
Type memoryElement(const Type &pointer) {
  Type element = pointer.pointee();
  return element.isBool() ? element.withScalar(Scalar::Int8) : element;
}

Value load(Emitter &emitter, const BoundArguments &arguments) {
  Semantics &semantics = emitter.semantics();
  std::optional<Tensor> pointer = pointerOf(emitter, arguments);
  auto cache = choose(emitter, arguments, 5, kLoadCache);
  auto eviction = choose(emitter, arguments, 6, kEviction);
  auto isVolatile = arguments.boolean(emitter, 7);
  if (!pointer || !cache || !eviction || !isVolatile ||
      rejectBlockPointerArguments(emitter, arguments, 3, 4))
    return Value::poison();
  bool hasMask = !arguments[1].isNone(), hasOther = !arguments[2].isNone();
  if (hasOther && !hasMask)
    return emitter.errorAt(arguments.span(2), "'other' has no meaning without 'mask'");
  mlir::Value maskHandle, otherHandle;
  if (hasMask) {
    std::optional<Tensor> mask = maskOf(emitter, arguments, 1, *pointer);
    if (!mask || !semantics.broadcast(*mask, *pointer))
      return Value::poison();
    maskHandle = mask->handle;
  }
  Type element = memoryElement(pointer->type);
  if (hasOther) {
    std::optional<Tensor> other = besidePointer(emitter, arguments, 2, *pointer);
    if (!other)
      return Value::poison();
    Value converted = arguments[2].isNumber()
                          ? Value::tensor(semantics.constant(element.element(), arguments[2]))
                          : semantics.cast(*other, element.element());
    if (converted.isPoison())
      return converted;
    converted = semantics.broadcastTo(*converted.asTensor(), pointer->type.shape);
    if (converted.isPoison())
      return converted;
    otherHandle = converted.asTensor()->handle;
  }
  Tensor loaded = semantics.make<tile::LoadOp>(element, pointer->handle, maskHandle, otherHandle,
                                               *cache, *eviction, *isVolatile);
  return semantics.cast(loaded, pointer->type.pointee());
}

Value store(Emitter &emitter, const BoundArguments &arguments) {
  Semantics &semantics = emitter.semantics();
  std::optional<Tensor> pointer = pointerOf(emitter, arguments);
  auto cache = choose(emitter, arguments, 4, kStoreCache);
  auto eviction = choose(emitter, arguments, 5, kEviction);
  if (!pointer || !cache || !eviction || rejectBlockPointerArguments(emitter, arguments, 3, 0))
    return Value::poison();
  if (pointer->type.isConst)
    return emitter.errorAt(
        arguments.span(0),
        "this pointer is read only (tl.const), so nothing can be stored through it");
  Type element = memoryElement(pointer->type);
  Value value = arguments[1];
  if (value.isNumber()) {
    value = Value::tensor(semantics.constant(pointer->type.pointee().element(), value));
  } else {
    std::optional<Tensor> tensor = besidePointer(emitter, arguments, 1, *pointer);
    if (!tensor)
      return Value::poison();
    value = semantics.cast(*tensor, pointer->type.pointee().element());
  }
  if (!value.isPoison())
    value = semantics.cast(*value.asTensor(), element.element());
  if (!value.isPoison())
    value = semantics.broadcastTo(*value.asTensor(), pointer->type.shape);
  if (value.isPoison())
    return value;
  mlir::Value maskHandle;
  if (!arguments[2].isNone()) {
    std::optional<Tensor> mask = maskOf(emitter, arguments, 2, *pointer);
    if (!mask)
      return Value::poison();
    Value broadcasted = semantics.broadcastTo(*mask, pointer->type.shape);
    if (broadcasted.isPoison())
      return broadcasted;
    maskHandle = broadcasted.asTensor()->handle;
  }
  tile::StoreOp::create(semantics.builder, semantics.location, pointer->handle,
                        value.asTensor()->handle, maskHandle, *cache, *eviction);
  return Value();
}

Value barrier(Emitter &emitter, const BoundArguments &) {
  tile::BarrierOp::create(emitter.semantics().builder, emitter.semantics().location);
  return Value();
}

constexpr Builtin kBuiltins[] = {
    {"load",
     "pointer, mask=None, other=None, boundary_check=(), padding_option='', cache_modifier='', "
     "eviction_policy='', volatile=False",
     load},
    {"store", "pointer, value, mask=None, boundary_check=(), cache_modifier='', eviction_policy=''",
     store},
    {"debug_barrier", "", barrier},
};

} // namespace

std::span<const Builtin> memoryBuiltins() { return kBuiltins; }

} // namespace inlay::triton
