// Tensor descriptors.
#include "compiler/frontends/triton/BuiltinsMemory.h"

#include <cmath>
#include <numeric>

using namespace mlir;

namespace inlay::triton {

namespace {

constexpr std::pair<std::string_view, bool> kPadding[] = {
    {"", false}, {"zero", false}, {"nan", true}};

Value makeDescriptor(Emitter &emitter, const BoundArguments &arguments) {
  std::optional<Tensor> base = pointerOf(emitter, arguments);
  auto sizes = integerScalars(emitter, arguments, 1, Scalar::Int64);
  auto strides = integerScalars(emitter, arguments, 2, Scalar::Int64);
  auto block = arguments.shape(emitter, 3);
  auto padsWithNaN = choose(emitter, arguments, 4, kPadding);
  if (!base || !sizes || !strides || !block || !padsWithNaN)
    return Value::poison();
  size_t rank = block->size();
  if (base->type.isBlock())
    return emitter.errorAt(arguments.span(0),
                           fmt::format("the base of a tensor descriptor is one pointer, not {}",
                                       describe(arguments[0])));
  if (rank < 1 || rank > 5)
    return emitter.errorAt(arguments.span(3),
                           fmt::format("a tensor descriptor has 1 to 5 dimensions, not {}", rank));
  if (sizes->size() != rank || strides->size() != rank)
    return emitter.error("shape, strides and block_shape of a tensor descriptor must have one "
                         "length, not {}, {} and {}",
                         sizes->size(), strides->size(), rank);
  IntegerAttr last;
  matchPattern(strides->back().handle, m_Constant(&last));
  if (!last || last.getInt() != 1)
    return emitter.errorAt(arguments.span(2),
                           "the last stride of a tensor descriptor must be 1 at compile time");
  int64_t lineBytes = block->back() * bitWidthOf(base->type.scalar) / 8;
  if (lineBytes < 16)
    return emitter.errorAt(
        arguments.span(3),
        fmt::format("the last dimension of a descriptor's block must have at least 16 bytes, but "
                    "{} elements of {} have {}",
                    block->back(), nameOf(base->type.scalar), lineBytes));
  if (*padsWithNaN && !isFloat(base->type.scalar))
    return emitter.errorAt(arguments.span(4), fmt::format("padding with NaN is for floats, not {}",
                                                          nameOf(base->type.scalar)));
  RecordValue record{RecordValue::Kind::Descriptor,
                     {base->type.scalar, false, false, *block},
                     *padsWithNaN,
                     {*base}};
  for (const std::vector<Tensor> &part : {*sizes, *strides})
    record.fields.insert(record.fields.end(), part.begin(), part.end());
  return Value::record(std::move(record));
}

const RecordValue *descriptorOf(Emitter &emitter, const BoundArguments &arguments) {
  const RecordValue *record = arguments[0].asRecord();
  if (record && record->kind == RecordValue::Kind::Descriptor)
    return record;
  emitter.errorAt(arguments.span(0), fmt::format("a tensor descriptor is needed here, not {}",
                                                 describe(arguments[0])));
  return nullptr;
}

/// The offsets of a block: one int32 for each dimension.
std::optional<std::vector<Tensor>> offsetsOf(Emitter &emitter, const BoundArguments &arguments,
                                             size_t index, const RecordValue &descriptor) {
  auto offsets = integerScalars(emitter, arguments, index, Scalar::Int32);
  if (offsets && offsets->size() != descriptor.rank()) {
    emitter.errorAt(arguments.span(index),
                    fmt::format("{} has {} dimensions, so it takes as many offsets, not {}",
                                describe(arguments[0]), descriptor.rank(), offsets->size()));
    return std::nullopt;
  }
  return offsets;
}

/// What is stored: elements of the descriptor's type in the shape of its block.
std::optional<Tensor> blockValue(Emitter &emitter, const BoundArguments &arguments, size_t index,
                                 const RecordValue &descriptor) {
  if (!checkWritable(emitter, arguments, descriptor.base().type))
    return std::nullopt;
  Value value = convertTo(emitter.semantics(), arguments[index], descriptor.block);
  if (!value.isPoison())
    value = emitter.semantics().broadcastTo(*value.asTensor(), descriptor.block.shape);
  if (value.isPoison())
    return std::nullopt;
  return *value.asTensor();
}

Value load(Emitter &emitter, const BoundArguments &arguments) {
  const RecordValue *descriptor = descriptorOf(emitter, arguments);
  auto offsets = descriptor ? offsetsOf(emitter, arguments, 1, *descriptor) : std::nullopt;
  if (!offsets)
    return Value::poison();
  return emitter.semantics().makeValue<tile::DescriptorLoadOp>(
      descriptor->block, descriptor->base().handle, handlesOf(descriptor->sizes()),
      handlesOf(descriptor->strides()), handlesOf(*offsets),
      descriptor->padsWithNaN ? tile::Padding::NaN : tile::Padding::Zero);
}

Value store(Emitter &emitter, const BoundArguments &arguments) {
  const RecordValue *descriptor = descriptorOf(emitter, arguments);
  auto offsets = descriptor ? offsetsOf(emitter, arguments, 1, *descriptor) : std::nullopt;
  auto value = offsets ? blockValue(emitter, arguments, 2, *descriptor) : std::nullopt;
  if (!value)
    return Value::poison();
  Semantics &semantics = emitter.semantics();
  tile::DescriptorStoreOp::create(semantics.builder, semantics.location, descriptor->base().handle,
                                  value->handle, handlesOf(descriptor->sizes()),
                                  handlesOf(descriptor->strides()), handlesOf(*offsets));
  return Value();
}

std::vector<int64_t> allDimensions(const RecordValue &descriptor) {
  std::vector<int64_t> dimensions(descriptor.rank());
  std::iota(dimensions.begin(), dimensions.end(), 0);
  return dimensions;
}

template <Atomic kind>
Value atomic(Emitter &emitter, const BoundArguments &arguments) {
  const RecordValue *descriptor = descriptorOf(emitter, arguments);
  auto offsets = descriptor ? offsetsOf(emitter, arguments, 1, *descriptor) : std::nullopt;
  auto value = offsets ? blockValue(emitter, arguments, 2, *descriptor) : std::nullopt;
  if (!value)
    return Value::poison();
  BlockAddresses addresses =
      addressBlock(emitter.semantics(), *descriptor, *offsets, allDimensions(*descriptor));
  Value old = emitAtomic(emitter.semantics(), kind, addresses.pointers, *value, addresses.mask,
                         tile::MemoryOrder::Relaxed);
  return old.isPoison() ? old : Value();
}

/// Rows of a described matrix: row i of the result is row rows[i], from column `column` on.
std::optional<BlockAddresses> addressRows(Emitter &emitter, const BoundArguments &arguments,
                                          size_t rowsIndex, const RecordValue &descriptor,
                                          Type &block) {
  Semantics &semantics = emitter.semantics();
  auto rows = arguments.tensor(emitter, rowsIndex);
  auto column = integerScalars(emitter, arguments, rowsIndex + 1, Scalar::Int32);
  if (!rows || !column)
    return std::nullopt;
  if (descriptor.rank() != 2 || descriptor.block.shape[0] != 1 || rows->type.shape.size() != 1 ||
      !rows->type.isInteger() || column->size() != 1) {
    emitter.error("gather and scatter need a descriptor of block shape [1, N], a block of integer "
                  "rows of rank 1 and one column, not {} and {}",
                  toString(descriptor.block), toString(rows->type));
    return std::nullopt;
  }
  block = descriptor.block.withShape({rows->type.shape[0], descriptor.block.shape[1]});
  Type wide{Scalar::Int64, false, false, {}};
  Value row = semantics.expandDims(*semantics.cast(*rows, wide).asTensor(), 1);
  Value columns =
      Value::tensor(*semantics.cast(semantics.iota({1, block.shape[1]}, 1), wide).asTensor());
  columns = semantics.binary(BinaryOperator::Add, columns, semantics.cast((*column)[0], wide));
  Value address = Value::tensor(descriptor.base()), inside;
  std::vector<Tensor> sizes = descriptor.sizes(), strides = descriptor.strides();
  const Value places[] = {row, columns};
  for (size_t d = 0; d < 2; ++d) {
    address = semantics.binary(
        BinaryOperator::Add, address,
        semantics.binary(BinaryOperator::Mul, places[d], Value::tensor(strides[d])));
    Value fits = semantics.logical(true, semantics.compare(">=", places[d], Value::integer(0)),
                                   semantics.compare("<", places[d], Value::tensor(sizes[d])));
    inside = d == 0 ? fits : semantics.logical(true, inside, fits);
  }
  return BlockAddresses{*address.asTensor(), *inside.asTensor()};
}

Value gather(Emitter &emitter, const BoundArguments &arguments) {
  const RecordValue *descriptor = descriptorOf(emitter, arguments);
  Type block;
  auto addresses =
      descriptor ? addressRows(emitter, arguments, 1, *descriptor, block) : std::nullopt;
  if (!addresses)
    return Value::poison();
  Semantics &semantics = emitter.semantics();
  Tensor other =
      semantics.constant(block, descriptor->padsWithNaN ? Value::number(NAN) : Value::integer(0));
  return semantics.makeValue<tile::LoadOp>(
      block, addresses->pointers.handle, addresses->mask->handle, other.handle,
      tile::CacheModifier::None, tile::EvictionPolicy::Normal, false);
}

Value scatter(Emitter &emitter, const BoundArguments &arguments) {
  const RecordValue *descriptor = descriptorOf(emitter, arguments);
  Type block;
  auto addresses =
      descriptor ? addressRows(emitter, arguments, 2, *descriptor, block) : std::nullopt;
  if (!addresses || !checkWritable(emitter, arguments, descriptor->base().type))
    return Value::poison();
  Semantics &semantics = emitter.semantics();
  Value value = convertTo(semantics, arguments[1], block);
  if (!value.isPoison())
    value = semantics.broadcastTo(*value.asTensor(), block.shape);
  if (value.isPoison())
    return value;
  tile::StoreOp::create(semantics.builder, semantics.location, addresses->pointers.handle,
                        value.asTensor()->handle, addresses->mask->handle,
                        tile::CacheModifier::None, tile::EvictionPolicy::Normal);
  return Value();
}

/// The older spelling repeats what the descriptor says; only its block counts.
Value oldLoad(Emitter &emitter, const BoundArguments &arguments) {
  const RecordValue *descriptor = arguments[0].asRecord();
  if (!descriptor)
    return emitter.errorAt(
        arguments.span(0),
        "_experimental_descriptor_load through a pointer needs a descriptor encoded by the host in "
        "the driver's format, which is not supported; pass a tensor descriptor");
  auto block = arguments.shape(emitter, 2);
  if (!block)
    return Value::poison();
  if (*block != descriptor->block.shape)
    return emitter.errorAt(arguments.span(2), fmt::format("the block differs from that of {}",
                                                          describe(arguments[0])));
  return load(emitter, arguments);
}

constexpr std::string_view kMake = "base, shape, strides, block_shape, padding_option='zero'";
constexpr std::string_view kAtomic = "self, offsets, value";

constexpr Builtin kBuiltins[] = {
    {"make_tensor_descriptor", kMake, makeDescriptor},
    {"_experimental_make_tensor_descriptor", kMake, makeDescriptor},
    {"load_tensor_descriptor", "desc, offsets", load},
    {"store_tensor_descriptor", "desc, offsets, value", store},
    {"_experimental_descriptor_load", "desc, offsets, shape, dtype=None", oldLoad},
    {"_experimental_descriptor_store", "desc, value, offsets",
     [](Emitter &emitter, const BoundArguments &arguments) {
       return store(emitter, arguments.reordered({0, 2, 1}));
     }},
    {"tensor_descriptor.load", "self, offsets", load},
    {"tensor_descriptor.store", "self, offsets, value", store},
    {"tensor_descriptor.gather", "self, x_offsets, y_offset", gather},
    {"tensor_descriptor.scatter", "self, value, x_offsets, y_offset", scatter},
    {"tensor_descriptor.atomic_add", kAtomic, atomic<Atomic::Add>},
    {"tensor_descriptor.atomic_max", kAtomic, atomic<Atomic::Max>},
    {"tensor_descriptor.atomic_min", kAtomic, atomic<Atomic::Min>},
    {"tensor_descriptor.atomic_and", kAtomic, atomic<Atomic::And>},
    {"tensor_descriptor.atomic_or", kAtomic, atomic<Atomic::Or>},
    {"tensor_descriptor.atomic_xor", kAtomic, atomic<Atomic::Xor>},
};

} // namespace

std::span<const Builtin> descriptorBuiltins() { return kBuiltins; }

} // namespace inlay::triton
