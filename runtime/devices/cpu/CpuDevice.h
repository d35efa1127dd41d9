// The CPU: kernels are x86-64 shared objects, programs of a grid are spread over a thread pool.
#pragma once

#include "runtime/devices/Device.h"

namespace inlay {

/// Opens the CPU. Work runs before launch returns; streams only say how many threads to use.
Result<std::unique_ptr<Device>> createCpuDevice(uint32_t ordinal);
Result<DeviceInfo> describeCpuDevice(uint32_t ordinal);
Result<uint32_t> countCpuDevices();

} // namespace inlay
