// Runs an AOTInductor package from C++, as its users do, and prints one JSON line: milliseconds to
// load and to the first result, host time per run, and the process's peak memory. Usage:
// aoti_runner PACKAGE.pt2 NUM_ELEMENTS ITERATIONS
#include "../PeakMemory.h"

#include <ATen/ATen.h>
#include <c10/cuda/CUDAStream.h>
#include <torch/csrc/inductor/aoti_package/model_package_loader.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace {
using Clock = std::chrono::steady_clock;
double elapsedMs(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}
} // namespace

int main(int argc, char **argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: %s PACKAGE.pt2 NUM_ELEMENTS ITERATIONS\n", argv[0]);
    return 2;
  }
  const auto start = Clock::now();
  torch::inductor::AOTIModelPackageLoader loader(argv[1]);
  const double loadMs = elapsedMs(start);
  std::vector<at::Tensor> inputs = {
      at::rand({std::atoll(argv[2])}, at::device(at::kCUDA).dtype(at::kFloat))};
  auto outputs = loader.run(inputs);
  const float first = outputs[0][0].item<float>();
  const double firstResultMs = elapsedMs(start);
  if (first != inputs[0][0].item<float>() + 1.0f) {
    std::fprintf(stderr, "wrong result\n");
    return 1;
  }
  const int iterations = std::atoi(argv[3]);
  std::vector<double> times;
  for (int i = 0; i < iterations; ++i) {
    const auto begin = Clock::now();
    auto result = loader.run(inputs);
    times.push_back(elapsedMs(begin) * 1000.0);
    if (i % 64 == 63)
      c10::cuda::getCurrentCUDAStream().synchronize();
  }
  std::sort(times.begin(), times.end());
  const long peakKb = peakMemoryKb();
  std::printf("{\"what\": \"AOTInductor C++\", \"load_ms\": %.2f, \"first_result_ms\": %.2f, "
              "\"host_us_p50\": %.3f, "
              "\"host_us_p90\": %.3f, \"peak_rss_mb\": %.1f}\n",
              loadMs, firstResultMs, times[times.size() / 2], times[times.size() * 9 / 10],
              static_cast<double>(peakKb) / 1024.0);
  return 0;
}
