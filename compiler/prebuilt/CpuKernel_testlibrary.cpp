// A kernel for the CPU as a user writes it, for tests.
#include <inlay/cpu_kernel.h>

INLAY_CPU_KERNEL(add_one_kernel, "*fp32, i32, *fp32") {
  (void)grid;
  const float *x = INLAY_ARGUMENT(0, const float *);
  const int32_t n = INLAY_ARGUMENT(1, int32_t);
  float *y = INLAY_ARGUMENT(2, float *);
  for (uint64_t program = begin; program < end; ++program)
    for (uint64_t i = program * 256; i < program * 256 + 256 && i < static_cast<uint64_t>(n); ++i)
      y[i] = x[i] + 1;
}

/// Has no signature.
extern "C" INLAY_CPU_KERNEL_EXPORT void plain_kernel(const void *const *, const uint32_t *,
                                                     uint64_t, uint64_t) {}
