// The CUDA driver, opened at run time: its functions as a table, its errors as Status.
#pragma once

#include "base/DynamicLibrary.h"
#include "base/Status.h"
#include "runtime/devices/cuda/CudaTypes.h"

#include <memory>

namespace inlay {

/// The driver's functions. Immutable, safe to share between threads.
class CudaDriver {
public:
  /// Opens the library that INLAY_CUDA_DRIVER names, or libcuda.so.1, and initialises it. Errors:
  /// DeviceError (no driver, no GPU, or it does not start), Incompatible (a function is missing).
  static Result<std::shared_ptr<const CudaDriver>> open();

#define INLAY_CUDA_SYMBOL(member, name, parameters) CudaResult(*member) parameters = nullptr;
#include "runtime/devices/cuda/CudaSymbols.def"
#undef INLAY_CUDA_SYMBOL

  /// Success, or a DeviceError (OutOfMemory where it is that) with the driver's name and text.
  Status check(CudaResult result, const char *what) const {
    return result == 0 ? Status() : failure(result, what);
  }
  /// "CUDA_ERROR_INVALID_VALUE (invalid argument, error 1)".
  std::string describe(CudaResult result) const;
  /// The newest CUDA version the driver runs, 1000 * major + 10 * minor; 0 if it does not say.
  int version() const;

private:
  explicit CudaDriver(DynamicLibrary library) : library_(std::move(library)) {}
  Status failure(CudaResult result, const char *what) const;
  DynamicLibrary library_;
};

} // namespace inlay
