// Block pointers: values of the front end that become pointers and masks where they are used.
#include "compiler/frontends/triton/BuiltinsMemory.h"

using namespace mlir;

namespace inlay::triton {

BlockAddresses addressBlock(Semantics &semantics, const RecordValue &record,
                            const std::vector<Tensor> &offsets,
                            const std::vector<int64_t> &checked) {
  const std::vector<int64_t> &shape = record.block.shape;
  std::vector<Tensor> sizes = record.sizes(), strides = record.strides();
  Type wide{Scalar::Int64, false, false, {}};
  auto widened = [&](const Tensor &tensor) {
    return Value::tensor(*semantics.cast(tensor, wide).asTensor());
  };
  // The scalar part and the part that depends on the element are kept apart: the latter does not
  // change when the block moves.
  Value base = Value::tensor(record.base()), mask, elementOffset;
  for (size_t d = 0; d < shape.size(); ++d) {
    Value offset = widened(offsets[d]), stride = Value::tensor(strides[d]);
    base = semantics.binary(BinaryOperator::Add, base,
                            semantics.binary(BinaryOperator::Mul, offset, stride));
    std::vector<int64_t> line(shape.size(), 1);
    line[d] = shape[d];
    Value index = widened(semantics.iota(line, d));
    Value term = semantics.binary(BinaryOperator::Mul, index, stride);
    elementOffset = d == 0 ? term : semantics.binary(BinaryOperator::Add, elementOffset, term);
    if (std::find(checked.begin(), checked.end(), static_cast<int64_t>(d)) == checked.end())
      continue;
    Value place = semantics.binary(BinaryOperator::Add, index, offset);
    Value inside = semantics.logical(true, semantics.compare(">=", place, Value::integer(0)),
                                     semantics.compare("<", place, Value::tensor(sizes[d])));
    mask = mask.isNone() ? inside : semantics.logical(true, mask, inside);
  }
  BlockAddresses result;
  result.pointers = *semantics.binary(BinaryOperator::Add, base, elementOffset).asTensor();
  if (!mask.isNone())
    result.mask = *semantics.broadcastTo(*mask.asTensor(), shape).asTensor();
  return result;
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
