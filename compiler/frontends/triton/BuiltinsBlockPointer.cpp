// Block pointers: values of the front end that become pointers and masks where they are used.
#include "compiler/dialects/tile/BlockAddress.h"
#include "compiler/frontends/triton/BuiltinsMemory.h"

#include <algorithm>

using namespace mlir;

namespace inlay::triton {

BlockAddresses addressBlock(Semantics &semantics, const RecordValue &record,
                            const std::vector<Tensor> &offsets,
                            const std::vector<int64_t> &checked) {
  tile::BlockAddresses made = tile::createBlockAddresses(
      semantics.builder, semantics.location, record.base().handle, handlesOf(record.sizes()),
      handlesOf(record.strides()), handlesOf(offsets), record.block.shape, checked);
  BlockAddresses result{{record.base().type.withShape(record.block.shape), made.pointers}, {}};
  if (made.mask)
    result.mask = {record.block.withScalar(Scalar::Int1), made.mask};
  return result;
}

SmallVector<mlir::Value> handlesOf(const std::vector<Tensor> &tensors) {
  SmallVector<mlir::Value> handles;
  for (const Tensor &tensor : tensors)
    handles.push_back(tensor.handle);
  return handles;
}

namespace {

/// The base of a block pointer, checked to be one pointer.
std::optional<Tensor> baseOf(Emitter &emitter, const BoundArguments &arguments) {
  std::optional<Tensor> base = pointerOf(emitter, arguments);
  if (!base || !base->type.isBlock())
    return base;
  emitter.errorAt(
      arguments.span(0),
      fmt::format("the base of a block pointer is one pointer, not {}", describe(arguments[0])));
  return std::nullopt;
}

Value makeBlockPointer(Emitter &emitter, const BoundArguments &arguments) {
  std::optional<Tensor> base = baseOf(emitter, arguments);
  auto sizes = integerScalars(emitter, arguments, 1, Scalar::Int64);
  auto strides = integerScalars(emitter, arguments, 2, Scalar::Int64);
  auto offsets = integerScalars(emitter, arguments, 3, Scalar::Int32);
  auto block = arguments.shape(emitter, 4);
  auto order = arguments.integers(emitter, 5);
  if (!base || !sizes || !strides || !offsets || !block || !order)
    return Value::poison();
  size_t rank = block->size();
  if (rank == 0 || sizes->size() != rank || strides->size() != rank || offsets->size() != rank ||
      order->size() != rank)
    return emitter.error("shape, strides, offsets, block_shape and order of a block pointer must "
                         "have one length, not {}, {}, {}, {} and {}",
                         sizes->size(), strides->size(), offsets->size(), rank, order->size());
  // The order says which dimension moves fastest in memory; the strides say it too.
  std::vector<int64_t> sorted = *order;
  std::sort(sorted.begin(), sorted.end());
  for (size_t d = 0; d < rank; ++d)
    if (sorted[d] != static_cast<int64_t>(d))
      return emitter.errorAt(arguments.span(5),
                             fmt::format("'order' must be a permutation of 0 to {}", rank - 1));
  RecordValue record{
      RecordValue::Kind::BlockPointer, {base->type.scalar, false, false, *block}, false, {*base}};
  for (const std::vector<Tensor> &part : {*sizes, *strides, *offsets})
    record.fields.insert(record.fields.end(), part.begin(), part.end());
  return Value::record(std::move(record));
}

Value advance(Emitter &emitter, const BoundArguments &arguments) {
  const RecordValue *pointer = arguments[0].asRecord();
  if (!pointer || pointer->kind != RecordValue::Kind::BlockPointer)
    return emitter.errorAt(arguments.span(0), fmt::format("advance moves block pointers, not {}",
                                                          describe(arguments[0])));
  auto offsets = integerScalars(emitter, arguments, 1, Scalar::Int32);
  if (!offsets)
    return Value::poison();
  if (offsets->size() != pointer->rank())
    return emitter.errorAt(arguments.span(1),
                           fmt::format("{} offsets cannot move {}; it has {} dimensions",
                                       offsets->size(), describe(arguments[0]), pointer->rank()));
  RecordValue moved = *pointer;
  size_t first = moved.fields.size() - moved.rank();
  for (size_t d = 0; d < offsets->size(); ++d)
    moved.fields[first + d] =
        *emitter.semantics()
             .binary(BinaryOperator::Add, Value::tensor(moved.fields[first + d]),
                     Value::tensor((*offsets)[d]))
             .asTensor();
  return Value::record(std::move(moved));
}

constexpr Builtin kBuiltins[] = {
    {"make_block_ptr", "base, shape, strides, offsets, block_shape, order", makeBlockPointer},
    {"advance", "base, offsets", advance},
    {"block_pointer.advance", "base, offsets", advance},
};

} // namespace

std::span<const Builtin> blockPointerBuiltins() { return kBuiltins; }

} // namespace inlay::triton
