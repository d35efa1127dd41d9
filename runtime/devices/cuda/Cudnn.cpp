#include "runtime/devices/cuda/Cudnn.h"

#include "base/Error.h"
#include "base/Log.h"
#include "runtime/devices/VendorLibrary.h"

namespace inlay {
namespace {

constexpr const char *kNames[] = {"libcudnn.so.9", "libcudnn.so.8"};

std::string versionOf(const DynamicLibrary &library) {
  const auto version = reinterpret_cast<size_t (*)()>(library.find("cudnnGetVersion"));
  const size_t number = version ? version() : 0;
  // 1000 * major + 100 * minor + patch up to version 8, then 10000 * major.
  const size_t major = number / (number < 10000 ? 1000 : 10000);
  return fmt::format("cuDNN {}.{}.{}", major, number / 100 % (number < 10000 ? 10 : 100),
                     number % 100);
}

} // namespace

Result<std::string> Cudnn::findVersion() {
  INLAY_ASSIGN(const DynamicLibrary library,
               openVendorLibrary("cuDNN", EnvironmentVariable::Cudnn, kNames));
  return versionOf(library);
}

Result<std::shared_ptr<const Cudnn>> Cudnn::open() {
  INLAY_ASSIGN(DynamicLibrary library,
               openVendorLibrary("cuDNN", EnvironmentVariable::Cudnn, kNames));
  std::shared_ptr<Cudnn> opened(new Cudnn(std::move(library)));
  const auto find = [&](const char *name) { return opened->library_.find(name); };
#define INLAY_CUDNN_SYMBOL(member, symbol, parameters)                                             \
  opened->member = reinterpret_cast<decltype(opened->member)>(find(symbol));                       \
  if (!opened->member)                                                                             \
    return incompatible("{} has no function '{}'", opened->library_.name(), symbol);
#include "runtime/devices/cuda/CudnnSymbols.def"
#undef INLAY_CUDNN_SYMBOL
  opened->description_ =
      fmt::format("{} ({})", versionOf(opened->library_), opened->library_.name());
  INLAY_TRY(opened->check(opened->create(&opened->handle_), "cudnnCreate"));
  INLAY_LOG(Cuda, Info, "{} is used", opened->description_);
  return std::shared_ptr<const Cudnn>(std::move(opened));
}

Cudnn::~Cudnn() {
  if (handle_)
    (void)destroy(handle_);
}

Status Cudnn::run(CudnnDescriptorHandle plan, CudnnDescriptorHandle pack, CudaStream stream) const {
  const std::lock_guard lock(mutex_);
  INLAY_TRY(check(setStream(handle_, stream), "cudnnSetStream"));
  return check(execute(handle_, plan, pack), "cudnnBackendExecute");
}

Status Cudnn::check(CudnnStatus status, const char *what) const {
  // Version 8 counts its errors from 1; version 9 gives each kind a thousand of its own.
  constexpr CudnnStatus kAllocation8 = 2, kBadParameter8 = 3, kArchitecture8 = 6,
                        kNotSupported8 = 9;
  constexpr CudnnStatus kBadParameter = 2, kNotSupported = 3;
  constexpr CudnnStatus kHostAllocation = 4003, kDeviceAllocation = 4004;
  if (status == 0)
    return {};
  if (status == kAllocation8 || status == kHostAllocation || status == kDeviceAllocation)
    return outOfMemory("{} of {} failed with status {}", what, description_, status);
  if (status == kBadParameter8 || status == kArchitecture8 || status == kNotSupported8 ||
      status / 1000 == kBadParameter || status / 1000 == kNotSupported)
    return unimplemented("{} does not do this: {} gives status {}", description_, what, status);
  return deviceError("{} of {} failed with status {}", what, description_, status);
}

Result<CudnnDescriptor> CudnnDescriptor::create(std::shared_ptr<const Cudnn> library,
                                                cudnn::Kind kind) {
  CudnnDescriptor made;
  made.library_ = std::move(library);
  INLAY_TRY(made.library_->check(made.library_->descriptorCreate(kind, &made.handle_),
                                 "cudnnBackendCreateDescriptor"));
  return made;
}

} // namespace inlay
