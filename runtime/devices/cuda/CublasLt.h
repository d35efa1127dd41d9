// cuBLASLt, opened at run time: matrix products on the GPU as tactics of engines.
#pragma once

#include "base/DynamicLibrary.h"
#include "base/Status.h"
#include "runtime/devices/cuda/CublasLtTypes.h"

#include <memory>
#include <string>

namespace inlay {

/// The library's functions and its handle for one GPU. Safe to share between threads.
class CublasLt {
public:
  /// Opens the library that INLAY_CUBLASLT names, or libcublasLt.so.13, .12 or .11, for the GPU
  /// whose context is current. Errors: NotFound (it is not there), Incompatible (a function is
  /// missing), DeviceError.
  static Result<std::shared_ptr<const CublasLt>> open();
  /// What open would open, "cuBLASLt 12.8.4", without a GPU. Errors: NotFound.
  static Result<std::string> findVersion();
  ~CublasLt();
  CublasLt(const CublasLt &) = delete;

#define INLAY_CUBLASLT_SYMBOL(member, name, parameters) CublasStatus(*member) parameters = nullptr;
#include "runtime/devices/cuda/CublasLtSymbols.def"
#undef INLAY_CUBLASLT_SYMBOL

  CublasLtHandle handle() const { return handle_; }
  /// "cuBLASLt 12.8.4 (libcublasLt.so.12)".
  const std::string &description() const { return description_; }
  /// Success; Unimplemented for what the library does not do, OutOfMemory, DeviceError.
  Status check(CublasStatus status, const char *what) const;

private:
  explicit CublasLt(DynamicLibrary library) : library_(std::move(library)) {}
  DynamicLibrary library_;
  std::string description_;
  CublasLtHandle handle_ = nullptr;
};

} // namespace inlay
