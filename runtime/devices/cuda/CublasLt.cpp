#include "runtime/devices/cuda/CublasLt.h"

#include "base/Error.h"
#include "base/Log.h"
#include "runtime/devices/VendorLibrary.h"

namespace inlay {
namespace {

constexpr const char *kNames[] = {"libcublasLt.so.13", "libcublasLt.so.12", "libcublasLt.so.11"};

std::string versionOf(const DynamicLibrary &library) {
  const auto version = reinterpret_cast<size_t (*)()>(library.find("cublasLtGetVersion"));
  const size_t number = version ? version() : 0; // 10000 * major + 100 * minor + patch
  return fmt::format("cuBLASLt {}.{}.{}", number / 10000, number / 100 % 100, number % 100);
}

} // namespace

Result<std::string> CublasLt::findVersion() {
  INLAY_ASSIGN(const DynamicLibrary library,
               openVendorLibrary("cuBLASLt", EnvironmentVariable::CublasLt, kNames));
  return versionOf(library);
}

Result<std::shared_ptr<const CublasLt>> CublasLt::open() {
  INLAY_ASSIGN(DynamicLibrary library,
               openVendorLibrary("cuBLASLt", EnvironmentVariable::CublasLt, kNames));
  std::shared_ptr<CublasLt> opened(new CublasLt(std::move(library)));
  const auto find = [&](const char *name) { return opened->library_.find(name); };
#define INLAY_CUBLASLT_SYMBOL(member, symbol, parameters)                                          \
  opened->member = reinterpret_cast<decltype(opened->member)>(find(symbol));                       \
  if (!opened->member)                                                                             \
    return incompatible("{} has no function '{}'", opened->library_.name(), symbol);
#include "runtime/devices/cuda/CublasLtSymbols.def"
#undef INLAY_CUBLASLT_SYMBOL
  opened->description_ =
      fmt::format("{} ({})", versionOf(opened->library_), opened->library_.name());
  INLAY_TRY(opened->check(opened->create(&opened->handle_), "cublasLtCreate"));
  INLAY_LOG(Cuda, Info, "{} is used", opened->description_);
  return std::shared_ptr<const CublasLt>(std::move(opened));
}

CublasLt::~CublasLt() {
  if (handle_)
    (void)destroy(handle_);
}

Status CublasLt::check(CublasStatus status, const char *what) const {
  switch (status) {
  case 0:
    return {};
  case cublas::kAllocationFailed:
    return outOfMemory("{} of {} failed", what, description_);
  case cublas::kInvalidValue:
  case cublas::kArchitectureMismatch:
  case cublas::kNotSupported:
    return unimplemented("{} does not do this: {} gives status {}", description_, what, status);
  default:
    return deviceError("{} of {} failed with status {}", what, description_, status);
  }
}

} // namespace inlay
