/* The kernel of examples/add_one for the CPU: an object that needs nothing from elsewhere. */
#include <inlay/cpu_kernel.h>

INLAY_CPU_KERNEL(add_one_kernel, "*fp32, i32, *fp32") {
  (void)grid;
  const float *x = INLAY_ARGUMENT(0, const float *);
  const int64_t n = INLAY_ARGUMENT(1, int32_t);
  float *y = INLAY_ARGUMENT(2, float *);
  for (int64_t i = (int64_t)begin * 256; i < (int64_t)end * 256 && i < n; ++i)
    y[i] = x[i] + 1;
}

/* Does not say what its arguments are. */
void plain_kernel(const void *const *arguments, const uint32_t *grid, uint64_t begin, uint64_t end) {
  (void)arguments, (void)grid, (void)begin, (void)end;
}
