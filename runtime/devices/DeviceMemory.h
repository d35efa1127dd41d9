// Memory of a device that its holder gives back.
#pragma once

#include "runtime/devices/Device.h"

#include <utility>

namespace inlay {

/// Owns memory of a device, which outlives it.
class DeviceMemory {
public:
  DeviceMemory() = default;
  /// As Device::allocate; none for 0 bytes.
  static Result<DeviceMemory> allocate(Device &device, uint64_t sizeBytes) {
    DeviceMemory memory;
    if (sizeBytes == 0)
      return memory;
    memory.device_ = &device;
    INLAY_ASSIGN(memory.data_, device.allocate(sizeBytes));
    memory.sizeBytes_ = sizeBytes;
    return memory;
  }
  DeviceMemory(DeviceMemory &&other) noexcept { *this = std::move(other); }
  DeviceMemory &operator=(DeviceMemory &&other) noexcept {
    std::swap(device_, other.device_);
    std::swap(data_, other.data_);
    std::swap(sizeBytes_, other.sizeBytes_);
    return *this;
  }
  ~DeviceMemory() {
    if (data_)
      device_->free(data_);
  }

  void *data() const { return data_; }
  uint64_t sizeBytes() const { return sizeBytes_; }

private:
  Device *device_ = nullptr;
  void *data_ = nullptr;
  uint64_t sizeBytes_ = 0;
};

} // namespace inlay
