// Kernels that are functions of libraries, on GPUs.
#pragma once

#include "base/DataType.h"
#include "runtime/devices/Device.h"
#include "runtime/devices/VendorLibrary.h"
#include "runtime/devices/cuda/CublasLt.h"
#include "runtime/devices/cuda/Cudnn.h"

#include <memory>
#include <mutex>
#include <optional>

namespace inlay {

/// A launch on the GPU, ready for its sizes.
class CudaLibraryCall : public PreparedCall {
public:
  /// Puts it into the stream; one thread at a time. Errors: DeviceError.
  virtual Status run(void *const *arguments, CudaStream stream) const = 0;
};

class CudaLibraryFunction : public LoadedKernel {
public:
  bool isLibraryFunction() const final { return true; }
  /// Reads sizes from the arguments. Errors: as Device::prepareCall.
  virtual Result<std::unique_ptr<PreparedCall>> prepare(void *const *arguments) const = 0;
};

/// A product, or a convolution; the type is that of the kernel's first parameter.
std::unique_ptr<CudaLibraryFunction> createCublasLtMatmul(std::shared_ptr<const CublasLt> library,
                                                          const LibraryFunction &function,
                                                          DataType dtype);
std::unique_ptr<CudaLibraryFunction> createCudnnConvolution(std::shared_ptr<const Cudnn> library,
                                                            const LibraryFunction &function,
                                                            DataType dtype);

/// Finds the functions of a GPU's kernels, and opens a library when the first of it is asked for.
class CudaLibraries {
public:
  /// Errors: as Device::loadKernel. The GPU's context is current.
  Result<std::unique_ptr<LoadedKernel>> load(const fb::Kernel &kernel);

private:
  std::mutex mutex_;
  // Once they were opened.
  std::optional<Result<std::shared_ptr<const CublasLt>>> cublasLt_;
  std::optional<Result<std::shared_ptr<const Cudnn>>> cudnn_;
};

} // namespace inlay
