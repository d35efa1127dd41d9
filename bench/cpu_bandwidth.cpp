// Bandwidth of an engine on the CPU beside a plain copy, in turns in one process.
// Usage: cpu_bandwidth ENGINE NUM_ELEMENTS [THREADS]
// ENGINE has one float32 input and one float32 output of rank 1 with the same free size. Prints one
// JSON object; bandwidths count the bytes of input and output, gigabytes (1e9) per second.
#include <inlay/engine.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
constexpr int kRounds = 15;

/// Calls `part` for equal parts of `count` elements on `threads` threads.
template <typename Function>
void inParallel(int threads, size_t count, Function part) {
  const size_t share = (count + static_cast<size_t>(threads) - 1) / static_cast<size_t>(threads);
  std::vector<std::thread> workers;
  for (size_t begin = 0; begin < count; begin += share)
    workers.emplace_back([=] { part(begin, std::min(share, count - begin)); });
  for (std::thread &worker : workers)
    worker.join();
}

double medianMs(std::vector<double> times) {
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

int bench(const char *path, int64_t count, int threads) {
  const auto engine = inlay::Engine::load(path);
  inlay::Context context = engine.createContext({.device = "cpu", .numThreads = threads});
  inlay::HostTensor x(INLAY_DTYPE_FLOAT32, {count}), y(INLAY_DTYPE_FLOAT32, {count});
  context.bind(engine.inputs()[0].name, x).bind(engine.outputs()[0].name, y);
  const float *from = x.data<float>();
  float *to = y.data<float>();
  const auto size = static_cast<size_t>(count);
  const std::pair<const char *, std::function<void()>> ways[] = {
      {"engine", [&] { context.run(); }},
      {"memcpy",
       [&] {
         inParallel(threads, size, [=](size_t begin, size_t part) {
           std::memcpy(to + begin, from + begin, part * sizeof(float));
         });
       }},
      {"loop",
       [&] {
         inParallel(threads, size, [=](size_t begin, size_t part) {
           // As written, not as the compiler would: it makes a memcpy of a copying loop.
           for (size_t i = begin; i < begin + part; ++i)
             to[i] = from[i] + 1;
         });
       }},
  };
  std::vector<double> times[std::size(ways)];
  for (int round = 0; round <= kRounds; ++round)
    for (size_t way = 0; way < std::size(ways); ++way) {
      const auto start = Clock::now();
      ways[way].second();
      const double ms = std::chrono::duration<double, std::milli>(Clock::now() - start).count();
      if (round > 0) // the first touches the pages
        times[way].push_back(ms);
    }
  std::printf("{\"device\": \"%s\", \"threads\": %d, \"elements\": %lld",
              context.deviceName().c_str(), threads, static_cast<long long>(count));
  for (size_t way = 0; way < std::size(ways); ++way) {
    const double ms = medianMs(times[way]);
    std::printf(", \"%s\": {\"ms\": %.3f, \"gb_per_s\": %.2f}", ways[way].first, ms,
                8.0 * static_cast<double>(count) / ms / 1e6);
  }
  std::printf("}\n");
  return 0;
}

} // namespace

int main(int argc, char **argv) try {
  if (argc < 3 || argc > 4) {
    std::fprintf(stderr, "usage: cpu_bandwidth ENGINE NUM_ELEMENTS [THREADS]\n");
    return 2;
  }
  const int threads = argc == 4
                          ? std::atoi(argv[3])
                          : static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  return bench(argv[1], std::atoll(argv[2]), threads);
} catch (const std::exception &error) {
  std::fprintf(stderr, "cpu_bandwidth: %s\n", error.what());
  return 1;
}
