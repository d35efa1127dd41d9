// The tutorial's matrix product on one core, beside the core's peak and OpenBLAS where it is
// installed. Usage: cpu_matmul [SIZE [BLOCK_M BLOCK_N BLOCK_K]] Prints one JSON object for each
// level of x86-64 that this machine runs: time to compile, GFLOP/s of the kernel, of a loop of
// nothing but FMAs, and of cblas_sgemm.
#include "compiler/targets/cpu/MatmulKernel.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>

namespace {

using Clock = std::chrono::steady_clock;
constexpr int kRounds = 7;

double secondsOf(const std::function<void()> &work) {
  const auto start = Clock::now();
  work();
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// The best of some rounds: the machine may be shared.
double bestSeconds(const std::function<void()> &work) {
  double best = secondsOf(work);
  for (int round = 1; round < kRounds; ++round)
    best = std::min(best, secondsOf(work));
  return best;
}

/// Floating-point operations per second of 12 independent chains of 8-lane FMAs.
double peakOfFma() {
  constexpr int kChains = 12;
  constexpr long kSteps = 20'000'000;
  const double seconds = bestSeconds([] {
    // Named registers: what the compiler makes of an array of vectors would be measured instead.
    for (long step = 0; step < kSteps; ++step)
      asm volatile("vfmadd231ps %%ymm15, %%ymm15, %%ymm0\n"
                   "vfmadd231ps %%ymm15, %%ymm15, %%ymm1\n"
                   "vfmadd231ps %%ymm15, %%ymm15, %%ymm2\n"
                   "vfmadd231ps %%ymm15, %%ymm15, %%ymm3\n"
                   "vfmadd231ps %%ymm15, %%ymm15, %%ymm4\n"
                   "vfmadd231ps %%ymm15, %%ymm15, %%ymm5\n"
                   "vfmadd231ps %%ymm15, %%ymm15, %%ymm6\n"
                   "vfmadd231ps %%ymm15, %%ymm15, %%ymm7\n"
                   "vfmadd231ps %%ymm15, %%ymm15, %%ymm8\n"
                   "vfmadd231ps %%ymm15, %%ymm15, %%ymm9\n"
                   "vfmadd231ps %%ymm15, %%ymm15, %%ymm10\n"
                   "vfmadd231ps %%ymm15, %%ymm15, %%ymm11\n" ::
                       : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8",
                         "xmm9", "xmm10", "xmm11");
  });
  return 2.0 * 8 * kChains * kSteps / seconds;
}

using Sgemm = void (*)(int, int, int, int, int, int, float, const float *, int, const float *, int,
                       float, float *, int);

Sgemm findSgemm() {
  setenv("OPENBLAS_NUM_THREADS", "1", 1);
  void *library = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL);
  return library ? reinterpret_cast<Sgemm>(dlsym(library, "cblas_sgemm")) : nullptr;
}

int bench(int size, int blockM, int blockN, int blockK) {
  const auto count = static_cast<size_t>(size) * static_cast<size_t>(size);
  std::vector<float> a(count), b(count), c(count);
  for (size_t i = 0; i < count; ++i) {
    a[i] = static_cast<float>(i % 7) - 3;
    b[i] = static_cast<float>(i % 5) - 2;
  }
  const double operations = 2.0 * size * size * size;
  const double peak = __builtin_cpu_supports("x86-64-v3") ? peakOfFma() : 0;
  double library = 0;
  if (Sgemm sgemm = findSgemm())
    library = operations / bestSeconds([&] {
                sgemm(101, 111, 111, size, size, size, 1, a.data(), size, b.data(), size, 0,
                      c.data(), size);
              });
  for (const char *level : {"x86-64-v2", "x86-64-v3", "x86-64-v4"}) {
    if (!inlay::testing::machineHas(level))
      continue;
    const auto start = Clock::now();
    auto image = inlay::testing::compileText(
        inlay::testing::kernelText(inlay::testing::kMatmulArguments,
                                   inlay::testing::matmulBody(blockM, blockN, blockK)),
        level);
    const double compiled = std::chrono::duration<double>(Clock::now() - start).count();
    if (!image.isOk()) {
      std::fprintf(stderr, "cpu_matmul: %s\n", image.status().toString().c_str());
      return 1;
    }
    auto kernel = inlay::testing::LoadedKernel::load(*image);
    if (!kernel.isOk()) {
      std::fprintf(stderr, "cpu_matmul: %s\n", kernel.status().toString().c_str());
      return 1;
    }
    const float *pa = a.data(), *pb = b.data();
    float *pc = c.data();
    const double seconds = bestSeconds([&] {
      kernel->run({&pa, &pb, &pc, &size, &size, &size},
                  static_cast<uint32_t>((size + blockM - 1) / blockM),
                  static_cast<uint32_t>((size + blockN - 1) / blockN));
    });
    std::printf("{\"level\": \"%s\", \"size\": %d, \"block\": [%d, %d, %d], \"compile_ms\": %.0f, "
                "\"gflops\": %.1f, \"fma_peak_gflops\": %.1f, \"openblas_gflops\": %.1f}\n",
                level, size, blockM, blockN, blockK, compiled * 1e3, operations / seconds / 1e9,
                peak / 1e9, library / 1e9);
  }
  return 0;
}

} // namespace

int main(int argc, char **argv) {
  const auto argument = [&](int index, int fallback) {
    return index < argc ? std::atoi(argv[index]) : fallback;
  };
  return bench(argument(1, 1024), argument(2, 128), argument(3, 128), argument(4, 64));
}
