// Host time of one run of an engine, and time from process start to the first result.
// Usage: host_overhead ENGINE DEVICE RUNS [MAX_GRAPHS]
// Prints one JSON object. "run": enqueue on the context's stream; "rebind": bind one input anew,
// then run; "run_and_wait": run and wait for the outputs. Times in microseconds.
#include "bench/PeakMemory.h"

#include <inlay/engine.h>

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

constexpr int kRunsBetweenWaits = 64;
/// A stream takes about a thousand launches; one more waits for the device, and the host's time
/// would be the device's.
constexpr uint64_t kLaunchesBetweenWaits = 512;

double usBetween(Clock::time_point start, Clock::time_point end) {
  return std::chrono::duration<double, std::micro>(end - start).count();
}

double median(std::vector<double> times) {
  std::nth_element(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2),
                   times.end());
  return times[times.size() / 2];
}

template <typename Function>
double measure(int runs, inlay::Context &context, Function function) {
  const uint64_t launches = std::max<uint64_t>(1, context.stats().num_launches);
  const int runsBetweenWaits = static_cast<int>(
      std::clamp<uint64_t>(kLaunchesBetweenWaits / launches, 1, kRunsBetweenWaits));
  std::vector<double> times;
  for (int i = 0; i < runs; ++i) {
    const auto start = Clock::now();
    function();
    times.push_back(usBetween(start, Clock::now()));
    if (i % runsBetweenWaits == runsBetweenWaits - 1)
      context.synchronize();
  }
  context.synchronize();
  return median(std::move(times));
}

/// Milliseconds since the process was started.
double msSinceProcessStart() {
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  std::FILE *file = std::fopen("/proc/self/stat", "r");
  unsigned long long startTicks = 0;
  if (!file ||
      std::fscanf(file,
                  "%*d %*s %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d "
                  "%*d %*d %llu",
                  &startTicks) != 1)
    startTicks = 0;
  if (file)
    std::fclose(file);
  const double startMs =
      static_cast<double>(startTicks) * 1e3 / static_cast<double>(sysconf(_SC_CLK_TCK));
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6 - startMs;
}

int bench(const char *path, const char *device, int runs, unsigned maxGraphs) {
  const auto start = Clock::now();
  inlay::Engine engine = inlay::Engine::load(path);
  const auto loaded = Clock::now();
  inlay::Context context = engine.createContext({.device = device, .maxGraphs = maxGraphs});
  const auto created = Clock::now();
  std::vector<inlay::DeviceMemory> memory;
  std::vector<inlay::Tensor> tensors;
  const auto bind = [&](const inlay_tensor_info_t &info, const inlay::Shape &shape) {
    inlay::Tensor sized(nullptr, info.dtype, shape, INLAY_MEMORY_DEVICE);
    memory.emplace_back(context, static_cast<size_t>(sized.sizeBytes()));
    tensors.emplace_back(memory.back().data(), info.dtype, shape, INLAY_MEMORY_DEVICE);
    context.bind(info.name, tensors.back());
  };
  for (const inlay_tensor_info_t &input : engine.inputs()) {
    inlay::Shape shape;
    for (int32_t i = 0; i < input.rank; ++i)
      shape.push_back(input.dims[i].size >= 0 ? input.dims[i].size : input.dims[i].opt);
    bind(input, shape);
  }
  for (const inlay_tensor_info_t &output : engine.outputs())
    bind(output, context.outputShape(output.name));
  context.run();
  const double firstResultMs = msSinceProcessStart();
  const long peakKb = peakMemoryKb();

  for (int i = 0; i < 200; ++i)
    context.run();
  void *stream = context.stream();
  const double run = measure(runs, context, [&] { context.run(stream); });
  const std::string input = engine.inputs().front().name;
  const double rebind = measure(runs, context, [&] {
    context.bind(input, tensors.front());
    context.run(stream);
  });
  const double runAndWait = measure(runs, context, [&] { context.run(); });
  const double deviceUs = context.measureUs(static_cast<uint32_t>(runs));
  const inlay_context_stats_t stats = context.stats();
  std::printf("{\"device\": \"%s\", \"launches\": %llu, \"graphs\": %llu, \"load_us\": %.1f, "
              "\"context_us\": %.1f, \"first_result_ms\": "
              "%.1f, \"peak_memory_kb\": %ld, \"run_us\": %.3f, \"rebind_us\": %.3f, "
              "\"run_and_wait_us\": %.3f, \"device_us\": %.3f}\n",
              context.deviceName().c_str(), static_cast<unsigned long long>(stats.num_launches),
              static_cast<unsigned long long>(stats.num_graphs), usBetween(start, loaded),
              usBetween(loaded, created), firstResultMs, peakKb, run, rebind, runAndWait, deviceUs);
  return 0;
}

} // namespace

int main(int argc, char **argv) {
  if (argc != 4 && argc != 5) {
    std::fprintf(stderr, "usage: host_overhead ENGINE DEVICE RUNS [MAX_GRAPHS]\n");
    return 2;
  }
  try {
    return bench(argv[1], argv[2], std::max(1, std::atoi(argv[3])),
                 argc == 5 ? static_cast<unsigned>(std::atoi(argv[4])) : 0);
  } catch (const inlay::Error &error) {
    std::fprintf(stderr, "host_overhead: %s\n", error.what());
    return 1;
  }
}
