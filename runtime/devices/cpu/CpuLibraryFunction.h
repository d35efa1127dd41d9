// Kernels that are functions of libraries, on the CPU.
#pragma once

#include "runtime/devices/Device.h"
#include "runtime/devices/VendorLibrary.h"
#include "runtime/devices/cpu/OneDnn.h"

#include <mutex>
#include <optional>

namespace inlay {

/// One launch, ready for its sizes: programs that threads share, as those of a kernel's grid.
class CpuLibraryCall : public PreparedCall {
public:
  virtual uint64_t numPrograms() const = 0;
  /// Runs the programs begin to end (exclusive); the thread has a place of its own. Errors:
  /// DeviceError.
  virtual Status run(void *const *arguments, uint32_t place, uint64_t begin,
                     uint64_t end) const = 0;
};

class CpuLibraryFunction : public LoadedKernel {
public:
  bool isLibraryFunction() const final { return true; }
  /// Reads sizes from the record's arguments, and makes ready what at most `numThreads` threads
  /// need; memory is the device's. Errors: as Device::prepareCall.
  virtual Result<std::unique_ptr<PreparedCall>>
  prepare(const LaunchRecord &record, uint32_t numThreads, Device &device) const = 0;
};

/// Finds the functions of a device's kernels, and opens their library when the first is asked for.
class CpuLibraries {
public:
  /// Errors: as Device::loadKernel.
  Result<std::unique_ptr<LoadedKernel>> load(const fb::Kernel &kernel);

private:
  std::mutex mutex_;
  std::optional<Result<std::shared_ptr<const OneDnn>>> oneDnn_; // once it was opened
};

/// A product or a convolution by oneDNN; the type is that of the kernel's first parameter.
std::unique_ptr<CpuLibraryFunction> createOneDnnMatmul(std::shared_ptr<const OneDnn> library,
                                                       const LibraryFunction &function,
                                                       DataType dtype);

std::unique_ptr<CpuLibraryFunction> createOneDnnConvolution(std::shared_ptr<const OneDnn> library,
                                                            const LibraryFunction &function,
                                                            DataType dtype);

} // namespace inlay
