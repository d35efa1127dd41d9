// Kernels as Inlay's compiler makes them for the CPU, written by hand for tests: parameters
// (x_ptr, n, y_ptr, bias_ptr, scale) of engine/TestEngine.h, 256 elements per program.
#include <cstdint>

namespace {

template <typename T>
T argument(const void *const *arguments, int index) {
  return *static_cast<const T *>(arguments[index]);
}

} // namespace

/// y = x + bias[0] * scale.
extern "C" void add_one_kernel(const void *const *arguments, const uint32_t *, uint64_t begin,
                               uint64_t end) {
  const float *x = argument<const float *>(arguments, 0);
  const int32_t n = argument<int32_t>(arguments, 1);
  float *y = argument<float *>(arguments, 2);
  const float bias = *argument<const float *>(arguments, 3) * argument<float>(arguments, 4);
  for (uint64_t i = 256 * begin; i < 256 * end && i < static_cast<uint64_t>(n); ++i)
    y[i] = x[i] + bias;
}

/// y = x + 100, to tell one image from another.
extern "C" void add_hundred_kernel(const void *const *arguments, const uint32_t *, uint64_t begin,
                                   uint64_t end) {
  const float *x = argument<const float *>(arguments, 0);
  const int32_t n = argument<int32_t>(arguments, 1);
  float *y = argument<float *>(arguments, 2);
  for (uint64_t i = 256 * begin; i < 256 * end && i < static_cast<uint64_t>(n); ++i)
    y[i] = x[i] + 100;
}

/// Counts each program at its place in the flattened grid: one parameter, a pointer to counts.
extern "C" void count_programs_kernel(const void *const *arguments, const uint32_t *grid,
                                      uint64_t begin, uint64_t end) {
  uint32_t *counts = argument<uint32_t *>(arguments, 0);
  const uint64_t programs = uint64_t{grid[0]} * grid[1] * grid[2];
  for (uint64_t program = begin; program < end && program < programs; ++program)
    ++counts[program];
}

/// y = x + bias[0] * scale by way of scratch memory, 2 MiB of it.
extern "C" void add_by_scratch_kernel(const void *const *arguments, const uint32_t *grid,
                                      uint64_t begin, uint64_t end, void *scratch) {
  constexpr uint64_t kCopies = 2048; // of 256 floats
  float *tile = static_cast<float *>(scratch);
  const float *x = argument<const float *>(arguments, 0);
  const auto n = static_cast<uint64_t>(argument<int32_t>(arguments, 1));
  for (uint64_t program = begin; program < end; ++program) {
    const uint64_t first = 256 * program, count = n - first < 256 ? n - first : 256;
    for (uint64_t copy = 0; copy < kCopies; copy += 97)
      for (uint64_t i = 0; i < count; ++i)
        tile[256 * copy + i] = copy == 0 ? x[first + i] : tile[256 * (copy - 97) + i];
    const uint64_t last = (kCopies - 1) / 97 * 97;
    const void *shifted = tile + 256 * last - first;
    const void *own[] = {&shifted, arguments[1], arguments[2], arguments[3], arguments[4]};
    add_one_kernel(own, grid, program, program + 1);
  }
}

/// As add_one_kernel, and then a stray write.
extern "C" void write_behind_kernel(const void *const *arguments, const uint32_t *grid,
                                    uint64_t begin, uint64_t end) {
  add_one_kernel(arguments, grid, begin, end);
  argument<float *>(arguments, 2)[argument<int32_t>(arguments, 1)] = 7;
}

extern "C" void write_in_front_kernel(const void *const *arguments, const uint32_t *grid,
                                      uint64_t begin, uint64_t end) {
  add_one_kernel(arguments, grid, begin, end);
  argument<float *>(arguments, 2)[-2] = 7;
}

extern "C" void write_input_kernel(const void *const *arguments, const uint32_t *grid,
                                   uint64_t begin, uint64_t end) {
  add_one_kernel(arguments, grid, begin, end);
  argument<float *>(arguments, 0)[1] = 7;
}

extern "C" void write_nothing_kernel(const void *const *, const uint32_t *, uint64_t, uint64_t) {}
