#include "runtime/devices/cuda/CudaDriver.h"

#include "base/Env.h"
#include "base/Error.h"

namespace inlay {

Result<std::shared_ptr<const CudaDriver>> CudaDriver::open() {
  const std::string path =
      findEnvironment(EnvironmentVariable::CudaDriver).value_or("libcuda.so.1");
  Result<DynamicLibrary> library = DynamicLibrary::open(path);
  if (!library.isOk())
    return deviceError("no NVIDIA driver: {} was not found ({})", path, library.status().message());
  std::shared_ptr<CudaDriver> driver(new CudaDriver(std::move(*library)));
#define INLAY_CUDA_SYMBOL(member, name, parameters)                                                \
  driver->member = reinterpret_cast<decltype(driver->member)>(driver->library_.find(name));        \
  if (!driver->member)                                                                             \
    return incompatible("the NVIDIA driver {} has no function {}: it is too old", path, name);
#include "runtime/devices/cuda/CudaSymbols.def"
#undef INLAY_CUDA_SYMBOL
  if (const CudaResult result = driver->init(0)) {
    if (result == cuda::kErrorNoDevice)
      return deviceError("the NVIDIA driver {} finds no GPU: {}", path, driver->describe(result));
    return deviceError("the NVIDIA driver {} does not start: {}", path, driver->describe(result));
  }
  return std::shared_ptr<const CudaDriver>(std::move(driver));
}

std::string CudaDriver::describe(CudaResult result) const {
  const char *name = nullptr, *text = nullptr;
  if (getErrorName(result, &name) != 0 || !name)
    name = "unknown error";
  if (getErrorString(result, &text) != 0 || !text)
    text = "no description";
  return fmt::format("{} ({}, error {})", name, text, result);
}

int CudaDriver::version() const {
  int version = 0;
  return driverGetVersion(&version) == 0 ? version : 0;
}

Status CudaDriver::failure(CudaResult result, const char *what) const {
  if (result == cuda::kErrorOutOfMemory)
    return outOfMemory("{} failed: {}", what, describe(result));
  return deviceError("{} failed: {}", what, describe(result));
}

} // namespace inlay
