// NVIDIA GPUs through the CUDA driver.
#pragma once

#include "runtime/devices/Device.h"

namespace inlay {

/// Opens GPU `ordinal` and retains its primary context. Errors: DeviceError (no driver, no such
/// GPU).
Result<std::unique_ptr<Device>> createCudaDevice(uint32_t ordinal);
Result<DeviceInfo> describeCudaDevice(uint32_t ordinal);
Result<uint32_t> countCudaDevices();

} // namespace inlay
