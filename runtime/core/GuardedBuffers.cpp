#include "runtime/core/GuardedBuffers.h"

#include <algorithm>

namespace inlay {
namespace {

constexpr uint8_t kGuardByte = 0xCB; // no small number, no address, no float that kernels like

} // namespace

GuardedBuffers::GuardedBuffers(Device &device, size_t numBuffers)
    : device_(device), buffers_(numBuffers), guard_(kGuardBytes, static_cast<char>(kGuardByte)),
      found_(kGuardBytes) {}

GuardedBuffers::~GuardedBuffers() {
  for (const Buffer &buffer : buffers_)
    if (buffer.memory)
      device_.free(buffer.memory);
}

Result<void *> GuardedBuffers::reserve(uint32_t index, uint64_t sizeBytes) {
  Buffer &buffer = buffers_[index];
  if (!buffer.memory || sizeBytes > buffer.capacityBytes) {
    if (buffer.memory)
      device_.free(buffer.memory);
    buffer = {};
    INLAY_ASSIGN(void *memory, device_.allocate(sizeBytes + 2 * kGuardBytes));
    buffer.memory = static_cast<char *>(memory);
    buffer.capacityBytes = sizeBytes;
  }
  buffer.sizeBytes = sizeBytes;
  return buffer.begin();
}

Status GuardedBuffers::arm(Stream stream) {
  uint64_t largest = 0;
  for (const Buffer &buffer : buffers_)
    largest = std::max(largest, buffer.sizeBytes);
  fill_.assign(largest, static_cast<char>(0xFF));
  const auto write = [&](char *target, const std::vector<char> &source, uint64_t sizeBytes) {
    return sizeBytes
               ? device_.copy(target, source.data(), sizeBytes, CopyDirection::HostToDevice, stream)
               : Status();
  };
  for (const Buffer &buffer : buffers_) {
    if (!buffer.memory)
      continue;
    INLAY_TRY(write(buffer.memory, guard_, kGuardBytes));
    INLAY_TRY(write(buffer.begin(), fill_, buffer.sizeBytes));
    INLAY_TRY(write(buffer.end(), guard_, kGuardBytes));
  }
  return device_.synchronize(stream);
}

Result<std::optional<GuardedBuffers::Damage>> GuardedBuffers::findDamage(Stream stream) {
  for (uint32_t i = 0; i < buffers_.size(); ++i)
    for (const bool isBefore : {true, false}) {
      const Buffer &buffer = buffers_[i];
      if (!buffer.memory)
        continue;
      INLAY_TRY(device_.copy(found_.data(), isBefore ? buffer.memory : buffer.end(), kGuardBytes,
                             CopyDirection::DeviceToHost, stream));
      INLAY_TRY(device_.synchronize(stream));
      if (found_ == guard_)
        continue;
      // The byte nearest to the buffer.
      uint64_t at = 0;
      const auto byteAt = [&](uint64_t offset) {
        return static_cast<uint8_t>(found_[isBefore ? kGuardBytes - 1 - offset : offset]);
      };
      while (byteAt(at) == kGuardByte)
        ++at;
      return std::optional(Damage{i, isBefore, at, byteAt(at)});
    }
  return std::optional<Damage>();
}

} // namespace inlay
