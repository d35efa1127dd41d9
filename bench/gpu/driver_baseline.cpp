// What the NVIDIA driver takes by itself, as the floor of the other measurements: context and first
// launch from process start, memory, and the host time of a bare cuLaunchKernel; that of
// NUM_LAUNCHES of them one after the other, and as one graph by cuGraphLaunch.
// Usage: driver_baseline KERNEL.ptx ENTRY NUM_ELEMENTS BLOCK RUNS [NUM_LAUNCHES]
// The kernel has the tutorial's parameters (float pointer, i32 number, float pointer) and 128
// threads.
#include "bench/PeakMemory.h"

#include <dlfcn.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

void *findSymbol(void *library, const char *symbol) {
  void *function = dlsym(library, symbol);
  if (!function) {
    std::fprintf(stderr, "%s not found\n", symbol);
    std::exit(1);
  }
  return function;
}

template <typename... Args>
void call(void *library, const char *symbol, Args... args) {
  if (int error = reinterpret_cast<int (*)(Args...)>(findSymbol(library, symbol))(args...)) {
    std::fprintf(stderr, "%s failed with %d\n", symbol, error);
    std::exit(1);
  }
}

using LaunchKernel = int (*)(void *, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned,
                             unsigned, void *, void **, void **);

double ms(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

/// Median host time of `run` in microseconds; waits for the stream so often that it takes launches
/// at once.
template <typename Run, typename Wait>
double medianUs(int runs, int launchesPerRun, Run run, Wait wait) {
  const int runsBetweenWaits = std::clamp(512 / launchesPerRun, 1, 64);
  std::vector<double> times;
  for (int i = 0; i < runs; ++i) {
    const auto begin = Clock::now();
    run();
    times.push_back(ms(begin) * 1e3);
    if (i % runsBetweenWaits == runsBetweenWaits - 1)
      wait();
  }
  wait();
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

} // namespace

int main(int argc, char **argv) {
  if (argc != 6 && argc != 7) {
    std::fprintf(stderr, "usage: driver_baseline KERNEL.ptx ENTRY NUM_ELEMENTS BLOCK RUNS "
                         "[NUM_LAUNCHES]\n");
    return 2;
  }
  const int runs = std::max(1, std::atoi(argv[5]));
  const int numLaunches = argc == 7 ? std::max(1, std::atoi(argv[6])) : 1;
  const auto start = Clock::now();
  std::ifstream file(argv[1]);
  const std::string ptx((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  int32_t numElements = std::atoi(argv[3]);
  const unsigned grid =
      (static_cast<unsigned>(numElements) + static_cast<unsigned>(std::atoi(argv[4])) - 1) /
      static_cast<unsigned>(std::atoi(argv[4]));
  void *library = dlopen("libcuda.so.1", RTLD_NOW);
  if (!library) {
    std::fprintf(stderr, "no NVIDIA driver: %s\n", dlerror());
    return 1;
  }
  int device = 0;
  void *context = nullptr, *module = nullptr, *function = nullptr, *stream = nullptr;
  uint64_t x = 0, y = 0;
  call(library, "cuInit", 0u);
  call(library, "cuDeviceGet", &device, 0);
  call(library, "cuDevicePrimaryCtxRetain", &context, device);
  call(library, "cuCtxSetCurrent", context);
  call(library, "cuModuleLoadData", &module, ptx.c_str());
  call(library, "cuModuleGetFunction", &function, module, argv[2]);
  call(library, "cuStreamCreate", &stream, 1u);
  call(library, "cuMemAlloc_v2", &x, static_cast<size_t>(numElements) * 4);
  call(library, "cuMemAlloc_v2", &y, static_cast<size_t>(numElements) * 4);
  void *arguments[] = {&x, &numElements, &y};
  const auto launch = reinterpret_cast<LaunchKernel>(findSymbol(library, "cuLaunchKernel"));
  const auto run = [&] {
    if (launch(function, grid, 1, 1, 128, 1, 1, 0, stream, arguments, nullptr) != 0)
      std::exit(1);
  };
  run();
  call(library, "cuStreamSynchronize", stream);
  const double firstResultMs = ms(start);
  const long peakKb = peakMemoryKb();
  const auto runAll = [&] {
    for (int i = 0; i < numLaunches; ++i)
      run();
  };
  const auto wait = [&] { call(library, "cuStreamSynchronize", stream); };
  const double runUs = medianUs(runs, numLaunches, runAll, wait);
  void *graph = nullptr, *exec = nullptr;
  call(library, "cuStreamBeginCapture_v2", stream, 1);
  runAll();
  call(library, "cuStreamEndCapture", stream, &graph);
  call(library, "cuGraphInstantiateWithFlags", &exec, graph, 0ull);
  const auto launchGraph =
      reinterpret_cast<int (*)(void *, void *)>(findSymbol(library, "cuGraphLaunch"));
  const double graphUs = medianUs(
      runs, numLaunches,
      [&] {
        if (launchGraph(exec, stream) != 0)
          std::exit(1);
      },
      wait);
  std::printf("{\"first_result_ms\": %.1f, \"peak_memory_kb\": %ld, \"launches\": %d, \"run_us\": "
              "%.3f, \"graph_us\": %.3f}\n",
              firstResultMs, peakKb, numLaunches, runUs, graphUs);
  return 0;
}
