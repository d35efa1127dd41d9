// Sizes that kernels compute: memory is planned for their bounds; a run reads them as it goes.
#include "base/Error.h"
#include "runtime/core/ExecutionContext.h"

namespace inlay {
namespace {

constexpr uint64_t kTensorAlignmentBytes = 16;

std::string_view textOf(const flatbuffers::String *text) {
  return text ? text->string_view() : std::string_view();
}

} // namespace

/// Brings all sizes back to their bounds, as a run begins with them.
Status ExecutionContext::resetSizes() {
  INLAY_TRY(shapes_.resetComputedSizes());
  areSizesRead_ = false;
  return applySizes();
}

/// Gives buffers, launches and calls the sizes that are known now. Their memory stays where it is.
Status ExecutionContext::applySizes() {
  table_.decideTactics(shapes_, stream_);
  for (uint32_t i = 0; i < bufferSizes_.size(); ++i) {
    const int64_t size = sizeOfBuffer(i);
    if (size < 0 || size > plannedSizes_[i])
      return outOfRange("{} would have {} bytes with the sizes that were computed; it was planned "
                        "for up to {} ({})",
                        table_.describeBuffer(i), size, plannedSizes_[i],
                        shapes_.describeSymbols());
    bufferSizes_[i] = size;
  }
  INLAY_TRY(table_.setShapes(shapes_, bufferSizes_));
  table_.selectTactics(addresses_);
  return hostCalls_.setShapes(shapes_, bufferSizes_);
}

Status ExecutionContext::readSize(const fb::ReadSize &read, Stream stream) {
  INLAY_ASSIGN(const int64_t bound, shapes_.boundOf(read.symbol()));
  const bool isNarrow = static_cast<DataType>(read.dtype()) == DataType::Int32;
  int64_t value = 0;
  int32_t narrow = 0;
  INLAY_TRY(device().copy(isNarrow ? static_cast<void *>(&narrow) : &value,
                          addresses_[read.buffer()], isNarrow ? sizeof(narrow) : sizeof(value),
                          CopyDirection::DeviceToHost, stream));
  INLAY_TRY(device().synchronize(stream));
  if (isNarrow)
    value = narrow;
  if (value < 0 || value > bound)
    return outOfRange("plugin '{}' (node '{}') computed the size {} for '{}'; possible are 0 to {} "
                      "({})",
                      textOf(read.plugin()), textOf(read.node()), value,
                      engine_->metadata().symbols()->Get(read.symbol())->name()->string_view(),
                      bound, shapes_.describeSymbols());
  areSizesRead_ = areSizesOfBoundInputs_ = true;
  INLAY_TRY(shapes_.setComputedSize(read.symbol(), value));
  return applySizes();
}

void ExecutionContext::setOutputAllocator(uint32_t index, OutputAllocator allocator) {
  Slot &slot = outputs_[index];
  slot.allocator = std::move(allocator);
  slot.isBound = false;
  isReady_ = false;
}

/// An output whose place is asked for later is written to memory of the context until then.
Status ExecutionContext::prepareAllocated(Slot &slot, const BoundShape &shape) {
  int64_t numElements = 1;
  for (int64_t size : shape)
    if (__builtin_mul_overflow(numElements, size, &numElements))
      return outOfRange("output '{}' has shape {}, more elements than can be counted",
                        slot.description->name, formatShape(shape));
  slot.shape = shape;
  slot.isBound = slot.isStaged = true;
  slot.isOnHost = false;
  slot.data = nullptr;
  slot.sizeBytes = static_cast<uint64_t>(numElements) *
                   static_cast<uint64_t>(dataTypeSizeBytes(slot.description->dtype));
  return {};
}

/// Asks for the place of an output, and copies it there.
Status ExecutionContext::copyToAllocated(Slot &slot, Stream stream) {
  const auto index = static_cast<uint32_t>(&slot - outputs_.data());
  INLAY_ASSIGN(const BoundShape shape, evaluatedOutputShape(index));
  const auto sizeBytes = static_cast<uint64_t>(bufferSizes_[slot.description->buffer]);
  const std::string_view name = slot.description->name;
  INLAY_ASSIGN(const OutputPlace place, slot.allocator(*slot.description, shape, sizeBytes),
               fmt::format("asking for the place of output '{}'", name));
  if (!sizeBytes)
    return {};
  if (!place.data || reinterpret_cast<uintptr_t>(place.data) % kTensorAlignmentBytes != 0)
    return invalidArgument("the allocator of output '{}' gave address {:#x} for {} bytes; expected "
                           "a multiple of {} that is not 0",
                           name, reinterpret_cast<uintptr_t>(place.data), sizeBytes,
                           kTensorAlignmentBytes);
  const bool isOnHost = !place.isOnDevice && !device().usesHostMemory();
  if (isOnHost && stream != stream_)
    return invalidArgument("the allocator of output '{}' gave host memory, which a run on the "
                           "caller's stream cannot use; give device memory",
                           name);
  INLAY_TRY(device().copy(place.data, slot.staging, sizeBytes,
                          isOnHost ? CopyDirection::DeviceToHost : CopyDirection::DeviceToDevice,
                          stream),
            fmt::format("copying output '{}' to its place", name));
  return profiler_ ? profileCopy(slot, stream) : Status();
}

Result<BoundShape> ExecutionContext::outputBound(uint32_t index) {
  INLAY_TRY(evaluateShapes());
  // After a run what is bound has the bound's shape.
  if (areSizesRead_ && isReady_)
    return outputs_[index].shape;
  if (areSizesRead_) {
    INLAY_TRY(shapes_.resetComputedSizes());
    areSizesRead_ = false;
  }
  return evaluatedOutputShape(index);
}

} // namespace inlay
