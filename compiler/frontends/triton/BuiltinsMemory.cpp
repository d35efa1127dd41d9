// Loads, stores, barriers.
#include "compiler/frontends/triton/BuiltinsMemory.h"

#include <cmath>

using namespace mlir;

namespace inlay::triton {

namespace {

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

} // namespace

std::optional<Tensor> pointerOf(Emitter &emitter, const BoundArguments &arguments) {
  auto *tensor = arguments[0].asTensor();
  if (tensor && tensor->type.isPointer)
    return *tensor;
  emitter.errorAt(arguments.span(0),
                  fmt::format("a pointer or a block of pointers is needed here, not {}",
                              describe(arguments[0])));
  return std::nullopt;
}

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

Type memoryElement(const Type &pointer) {
  Type element = pointer.pointee();
  return element.isBool() ? element.withScalar(Scalar::Int8) : element;
}

bool checkWritable(Emitter &emitter, const BoundArguments &arguments, const Type &pointer) {
  if (pointer.isConst)
    emitter.errorAt(arguments.span(0),
                    "this pointer is read only (tl.const), so nothing can be stored through it");
  return !pointer.isConst;
}

Value convertTo(Semantics &semantics, const Value &value, const Type &to) {
  if (value.isNumber() && !to.isPointer)
    return Value::tensor(semantics.constant(to.element(), value));
  Value tensor = semantics.toTensor(value, "the value");
  return tensor.isPoison() ? tensor : semantics.cast(*tensor.asTensor(), to.element());
}

std::optional<std::vector<Tensor>> integerScalars(Emitter &emitter, const BoundArguments &arguments,
                                                  size_t index, Scalar scalar) {
  Value::Elements single{arguments[index]};
  std::vector<Tensor> result;
  for (const Value &element : arguments[index].asTuple() ? *arguments[index].asTuple() : single) {
    bool isInteger =
        element.integerValue() || (element.asTensor() && element.asTensor()->type.isInteger() &&
                                   !element.asTensor()->type.isBlock());
    if (!isInteger) {
      emitter.errorAt(arguments.span(index), fmt::format("'{}' must be integer scalars, not {}",
                                                         arguments.name(index), describe(element)));
      return std::nullopt;
    }
    result.push_back(
        *convertTo(emitter.semantics(), element, {scalar, false, false, {}}).asTensor());
  }
  return result;
}

namespace {

/// The dimensions named by boundary_check; nullopt after an error.
std::optional<std::vector<int64_t>> boundaryCheck(Emitter &emitter, const BoundArguments &arguments,
                                                  size_t index, const RecordValue &pointer) {
  if (arguments[index].isNone())
    return std::vector<int64_t>();
  std::optional<std::vector<int64_t>> dimensions = arguments.integers(emitter, index);
  if (!dimensions)
    return dimensions;
  for (int64_t &dimension : *dimensions) {
    std::optional<int64_t> axis = emitter.semantics().axisIn(dimension, pointer.block);
    if (!axis)
      return std::nullopt;
    dimension = *axis;
  }
  return dimensions;
}

/// The record of a block pointer in argument 0; null if that is something else.
const RecordValue *blockPointerOf(const BoundArguments &arguments) {
  const RecordValue *record = arguments[0].asRecord();
  return record && record->kind == RecordValue::Kind::BlockPointer ? record : nullptr;
}

bool rejectBlockPointerArguments(Emitter &emitter, const BoundArguments &arguments, size_t boundary,
                                 size_t padding) {
  auto *check = arguments[boundary].asTuple();
  bool isUsed =
      (check && !check->empty()) || (padding && arguments[padding].truth().value_or(true));
  if (isUsed)
    emitter.errorAt(
        arguments.span(boundary),
        "boundary_check and padding_option are for block pointers (tl.make_block_ptr); a pointer "
        "or a block of pointers takes 'mask' and 'other'");
  return isUsed;
}

bool rejectMask(Emitter &emitter, const BoundArguments &arguments,
                std::initializer_list<size_t> at) {
  for (size_t index : at)
    if (!arguments[index].isNone()) {
      emitter.errorAt(arguments.span(index),
                      fmt::format("'{}' does not go with a block pointer, which takes "
                                  "boundary_check and padding_option",
                                  arguments.name(index)));
      return true;
    }
  return false;
}

enum class Padding : uint8_t { None, Zero, NaN };
constexpr std::pair<std::string_view, Padding> kPadding[] = {
    {"", Padding::None}, {"zero", Padding::Zero}, {"nan", Padding::NaN}};

struct LoadOptions {
  tile::CacheModifier cache;
  tile::EvictionPolicy eviction;
  bool isVolatile;
};

/// Loads elements as the language sees them: int1 are bytes in memory.
Value loadElements(Semantics &semantics, const Tensor &pointer, mlir::Value mask, mlir::Value other,
                   const LoadOptions &options) {
  Tensor loaded =
      semantics.make<tile::LoadOp>(memoryElement(pointer.type), pointer.handle, mask, other,
                                   options.cache, options.eviction, options.isVolatile);
  return semantics.cast(loaded, pointer.type.pointee());
}

Value loadBlock(Emitter &emitter, const BoundArguments &arguments, const RecordValue &block,
                const LoadOptions &options) {
  Semantics &semantics = emitter.semantics();
  auto checked = boundaryCheck(emitter, arguments, 3, block);
  auto padding = choose(emitter, arguments, 4, kPadding);
  if (!checked || !padding || rejectMask(emitter, arguments, {1, 2}))
    return Value::poison();
  if (*padding == Padding::NaN && !block.block.isFloat())
    return emitter.errorAt(arguments.span(4), fmt::format("padding with NaN is for floats, not {}",
                                                          toString(block.block)));
  BlockAddresses addresses = addressBlock(semantics, block, block.offsets(), *checked);
  mlir::Value mask, other;
  if (addresses.mask) {
    mask = addresses.mask->handle;
    if (*padding != Padding::None)
      other = semantics
                  .constant(memoryElement(addresses.pointers.type),
                            *padding == Padding::NaN ? Value::number(NAN) : Value::integer(0))
                  .handle;
  }
  return loadElements(semantics, addresses.pointers, mask, other, options);
}

Value load(Emitter &emitter, const BoundArguments &arguments) {
  Semantics &semantics = emitter.semantics();
  auto cache = choose(emitter, arguments, 5, kLoadCache);
  auto eviction = choose(emitter, arguments, 6, kEviction);
  auto isVolatile = arguments.boolean(emitter, 7);
  if (!cache || !eviction || !isVolatile)
    return Value::poison();
  LoadOptions options{*cache, *eviction, *isVolatile};
  if (const RecordValue *block = blockPointerOf(arguments))
    return loadBlock(emitter, arguments, *block, options);
  std::optional<Tensor> pointer = pointerOf(emitter, arguments);
  if (!pointer || rejectBlockPointerArguments(emitter, arguments, 3, 4))
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
    Value converted = convertTo(semantics, arguments[2], element);
    if (converted.isPoison())
      return converted;
    converted = semantics.broadcastTo(*converted.asTensor(), pointer->type.shape);
    if (converted.isPoison())
      return converted;
    otherHandle = converted.asTensor()->handle;
  }
  return loadElements(semantics, *pointer, maskHandle, otherHandle, options);
}

/// The value as elements in memory of the pointer's shape.
Value storedElements(Semantics &semantics, const Value &value, const Type &pointer) {
  Value result = convertTo(semantics, value, pointer.pointee());
  if (!result.isPoison())
    result = semantics.cast(*result.asTensor(), memoryElement(pointer).element());
  return result.isPoison() ? result : semantics.broadcastTo(*result.asTensor(), pointer.shape);
}

Value store(Emitter &emitter, const BoundArguments &arguments) {
  Semantics &semantics = emitter.semantics();
  auto cache = choose(emitter, arguments, 4, kStoreCache);
  auto eviction = choose(emitter, arguments, 5, kEviction);
  if (!cache || !eviction)
    return Value::poison();
  Tensor pointer;
  std::optional<Tensor> mask;
  if (const RecordValue *block = blockPointerOf(arguments)) {
    auto checked = boundaryCheck(emitter, arguments, 3, *block);
    if (!checked || rejectMask(emitter, arguments, {2}) ||
        !checkWritable(emitter, arguments, block->base().type))
      return Value::poison();
    BlockAddresses addresses = addressBlock(semantics, *block, block->offsets(), *checked);
    pointer = addresses.pointers;
    mask = addresses.mask;
  } else {
    std::optional<Tensor> given = pointerOf(emitter, arguments);
    if (!given || rejectBlockPointerArguments(emitter, arguments, 3, 0) ||
        !checkWritable(emitter, arguments, given->type) ||
        !besidePointer(emitter, arguments, 1, *given))
      return Value::poison();
    pointer = *given;
    if (!arguments[2].isNone()) {
      mask = maskOf(emitter, arguments, 2, pointer);
      if (!mask)
        return Value::poison();
    }
  }
  Value value = storedElements(semantics, arguments[1], pointer.type);
  if (value.isPoison())
    return value;
  mlir::Value maskHandle;
  if (mask) {
    Value broadcasted = semantics.broadcastTo(*mask, pointer.type.shape);
    if (broadcasted.isPoison())
      return broadcasted;
    maskHandle = broadcasted.asTensor()->handle;
  }
  tile::StoreOp::create(semantics.builder, semantics.location, pointer.handle,
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
