// cuDNN, opened at run time: convolutions on the GPU as tactics of engines.
#pragma once

#include "base/DynamicLibrary.h"
#include "base/Status.h"
#include "runtime/devices/cuda/CudnnTypes.h"

#include <memory>
#include <mutex>
#include <span>
#include <string>

namespace inlay {

/// The library's functions and its handle for one GPU. Safe to share between threads.
class Cudnn : public std::enable_shared_from_this<Cudnn> {
public:
  /// Opens the library that INLAY_CUDNN names, or libcudnn.so.9 or .8, for the GPU whose context is
  /// current. Errors: NotFound (it is not there), Incompatible (a function is missing),
  /// DeviceError.
  static Result<std::shared_ptr<const Cudnn>> open();
  /// What open would open, "cuDNN 9.19.0", without a GPU. Errors: NotFound.
  static Result<std::string> findVersion();
  ~Cudnn();
  Cudnn(const Cudnn &) = delete;

#define INLAY_CUDNN_SYMBOL(member, name, parameters) CudnnStatus(*member) parameters = nullptr;
#include "runtime/devices/cuda/CudnnSymbols.def"
#undef INLAY_CUDNN_SYMBOL

  CudnnHandle handle() const { return handle_; }
  /// "cuDNN 9.19.0 (libcudnn.so.9)".
  const std::string &description() const { return description_; }
  /// Puts a plan into a stream; its handle has one stream at a time, so that threads wait for each
  /// other here. Errors: DeviceError.
  Status run(CudnnDescriptorHandle plan, CudnnDescriptorHandle pack, CudaStream stream) const;
  /// Success; Unimplemented for what the library does not do, OutOfMemory, DeviceError.
  Status check(CudnnStatus status, const char *what) const;

private:
  explicit Cudnn(DynamicLibrary library) : library_(std::move(library)) {}
  DynamicLibrary library_;
  std::string description_;
  CudnnHandle handle_ = nullptr;
  mutable std::mutex mutex_; // of the handle's stream
};

/// One of the library's descriptors: attributes are set, then it is finished.
class CudnnDescriptor {
public:
  CudnnDescriptor() = default;
  /// Errors: as Cudnn::check.
  static Result<CudnnDescriptor> create(std::shared_ptr<const Cudnn> library, cudnn::Kind kind);
  CudnnDescriptor(CudnnDescriptor &&other) noexcept { *this = std::move(other); }
  CudnnDescriptor &operator=(CudnnDescriptor &&other) noexcept {
    std::swap(library_, other.library_);
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~CudnnDescriptor() {
    if (handle_)
      (void)library_->descriptorDestroy(handle_);
  }

  CudnnDescriptorHandle handle() const { return handle_; }
  template <typename T>
  Status set(cudnn::Attribute attribute, cudnn::Type type, std::span<const T> values) {
    return library_->check(library_->descriptorSet(handle_, attribute, type,
                                                   static_cast<int64_t>(values.size()),
                                                   values.data()),
                           "setting an attribute");
  }
  template <typename T>
  Status set(cudnn::Attribute attribute, cudnn::Type type, const T &value) {
    return set(attribute, type, std::span<const T>(&value, 1));
  }
  Status set(cudnn::Attribute attribute, const CudnnDescriptor &value) {
    return set(attribute, cudnn::Descriptor, value.handle_);
  }
  Status finish() {
    return library_->check(library_->descriptorFinalize(handle_), "cudnnBackendFinalize");
  }
  /// Reads at most as many elements as `values` has; `count` is how many there are.
  template <typename T>
  Status get(cudnn::Attribute attribute, cudnn::Type type, std::span<T> values,
             int64_t &count) const {
    return library_->check(library_->descriptorGet(handle_, attribute, type,
                                                   static_cast<int64_t>(values.size()), &count,
                                                   values.data()),
                           "reading an attribute");
  }

private:
  std::shared_ptr<const Cudnn> library_;
  CudnnDescriptorHandle handle_ = nullptr;
};

} // namespace inlay
