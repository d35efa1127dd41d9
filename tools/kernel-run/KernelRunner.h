// Launches single kernels on a device of the runtime, with tensors in host memory as arguments.
#pragma once

#include "base/Status.h"
#include "runtime/devices/Device.h"
#include "tools/kernel-run/TensorTable.h"
#include "tools/tensorio/NpyTensor.h"

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace inlay::tools {

/// What is passed for a parameter: the bits of a scalar as they lie in memory; a tensor, whose
/// address is passed and which the kernel may change; or the address of a table of such tensors'
/// addresses.
using KernelArgument = std::variant<uint64_t, NpyTensor, TensorTable>;

/// A device to launch kernels on, one at a time.
class KernelRunner {
public:
  /// Opens a device by name ("cpu", "cuda:0"). Errors: as createDevice.
  static Result<KernelRunner> open(const std::string &device);
  KernelRunner(KernelRunner &&) = default;
  ~KernelRunner();

  const DeviceInfo &info() const { return device_->info(); }

  /// Launches the only kernel of an engine once, with one argument for each parameter in order, and
  /// waits; tensors then hold what the kernel left in them. On the device each tensor lies between
  /// guard bytes, and a kernel that writes there is an error. Errors: InvalidArgument (number or
  /// kind of arguments), OutOfRange (a write before or after a tensor), those of the device.
  /// Afterwards, when the results have been read back, it launches once more for each element of
  /// `timesUs` and stores the device's time of that launch there, in microseconds.
  Status run(const EngineFile &engine, std::vector<KernelArgument> &arguments,
             std::array<uint32_t, 3> grid, std::span<double> timesUs = {});

private:
  explicit KernelRunner(std::unique_ptr<Device> device) : device_(std::move(device)) {}

  Status measure(const LaunchRecord &record, std::span<double> timesUs);

  std::unique_ptr<Device> device_;
  Stream stream_ = nullptr;
};

} // namespace inlay::tools
