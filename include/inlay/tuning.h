// Choosing tactics on a device of this process: joins the compiler (inlay/compiler.h) and the
// runtime (inlay/engine.h), and needs both libraries.
//
//   options.timers = {inlay::deviceTimer("cuda:0")};
//   options.timingCache = "times.json";
#pragma once

#include <inlay/compiler.h>
#include <inlay/engine.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace inlay {
inline namespace v1 {

/// Device time of one run of an engine at the sizes that it is tuned for, in microseconds: the
/// fastest of five rounds of about 5 ms. Its inputs are tensors of this function's own: float32
/// tensors hold random numbers from -1 to 1, all others zeros. Throws inlay::Error.
inline double measureTunedUs(const Engine &engine, const std::string &device) {
  Context context = engine.createContext({.device = device});
  std::vector<HostTensor> tensors;
  const auto make = [&](const inlay_tensor_info_t &info) -> const HostTensor & {
    Shape shape;
    for (int32_t dim = 0; dim < info.rank; ++dim)
      shape.push_back(info.dims[dim].size >= 0 ? info.dims[dim].size : info.dims[dim].opt);
    return tensors.emplace_back(info.dtype, std::move(shape));
  };
  std::minstd_rand random; // the same numbers every time
  std::uniform_real_distribution<float> distribution(-1.0F, 1.0F);
  for (const inlay_tensor_info_t &info : engine.inputs()) {
    const HostTensor &tensor = make(info);
    if (info.dtype == INLAY_DTYPE_FLOAT32)
      std::generate_n(tensor.data<float>(), tensor.numElements(),
                      [&] { return distribution(random); });
    context.bind(info.name, tensor);
  }
  for (const inlay_tensor_info_t &info : engine.outputs())
    context.bind(info.name, make(info));
  double fastest = context.measureUs(1);
  const auto runs = static_cast<uint32_t>(std::clamp(5000.0 / std::max(fastest, 1.0), 1.0, 1000.0));
  for (int round = 0; round < 5; ++round)
    fastest = std::min(fastest, context.measureUs(runs));
  return fastest;
}

/// A timer for inlay::build that measures on a device, "cuda:0" or "cpu". Throws inlay::Error if
/// there is none such.
inline BuildTimer deviceTimer(const std::string &device) {
  inlay_device_info_t info{};
  info.struct_size = sizeof(info);
  detail::check(inlay_device_describe(device.c_str(), &info));
  BuildTimer timer;
  timer.family = device.substr(0, device.find(':'));
  timer.target = info.target;
  timer.device = info.name;
  timer.measureUs = [device](const void *bytes, size_t sizeBytes) {
    return measureTunedUs(Engine::fromMemory(bytes, sizeBytes), device);
  };
  return timer;
}

} // namespace v1
} // namespace inlay
