// my::add_one as a host function. On a GPU it copies to the host and back, as plugins do that call
// into a library for the CPU.
#include <inlay/host_function.h>

#include <dlfcn.h>
#include <stdexcept>
#include <vector>

namespace {

/// A function of the CUDA driver, which the runtime has opened.
template <typename Function>
Function driverFunction(const char *name) {
  static void *driver = dlopen("libcuda.so.1", RTLD_NOW);
  auto *function = driver ? reinterpret_cast<Function>(dlsym(driver, name)) : nullptr;
  if (!function)
    throw std::runtime_error(std::string("the CUDA driver has no ") + name);
  return function;
}

void check(int result, const char *what) {
  if (result != 0)
    throw std::runtime_error(std::string(what) + " failed with error " + std::to_string(result));
}

void addOne(const float *x, float *y, int64_t count) {
  for (int64_t i = 0; i < count; ++i)
    y[i] = x[i] + 1;
}

void run(const inlay::HostCall &call) {
  const inlay::HostTensorView x = call.input(0), y = call.output(0);
  if (x.dtype() != INLAY_DTYPE_FLOAT32)
    throw std::invalid_argument(std::string("my::add_one takes float32, not ") +
                                std::to_string(x.dtype()));
  const int64_t count = x.numElements();
  if (call.device() == "cpu")
    return addOne(x.as<float>(), y.as<float>(), count);
  using CopyOut = int (*)(void *, unsigned long long, size_t, void *);
  using CopyIn = int (*)(unsigned long long, const void *, size_t, void *);
  std::vector<float> values(static_cast<size_t>(count));
  const size_t sizeBytes = values.size() * sizeof(float);
  check(
      driverFunction<CopyOut>("cuMemcpyDtoHAsync_v2")(
          values.data(), reinterpret_cast<unsigned long long>(x.data()), sizeBytes, call.stream()),
      "copying from the GPU");
  check(driverFunction<int (*)(void *)>("cuStreamSynchronize")(call.stream()),
        "waiting for the GPU");
  addOne(values.data(), values.data(), count);
  check(
      driverFunction<CopyIn>("cuMemcpyHtoDAsync_v2")(reinterpret_cast<unsigned long long>(y.data()),
                                                     values.data(), sizeBytes, call.stream()),
      "copying to the GPU");
  // The vector goes away at the return.
  check(driverFunction<int (*)(void *)>("cuStreamSynchronize")(call.stream()),
        "waiting for the GPU");
}

} // namespace

INLAY_HOST_LIBRARY(functions) { functions.add("my::add_one", run, 1, 1); }
