/* The kernels of kernels.cu for the CPU. */
#include <inlay/cpu_kernel.h>

#include <math.h>

INLAY_CPU_KERNEL(sigmoid, "*fp32, i32, *fp32") {
  (void)grid;
  const float *x = INLAY_ARGUMENT(0, const float *);
  const int64_t n = INLAY_ARGUMENT(1, int32_t);
  float *y = INLAY_ARGUMENT(2, float *);
  for (int64_t i = (int64_t)begin * 256; i < (int64_t)end * 256 && i < n; ++i)
    y[i] = 1.0f / (1.0f + expf(-x[i]));
}

INLAY_CPU_KERNEL(scale, "*fp32, fp32, i32, *fp32") {
  (void)grid;
  const float *x = INLAY_ARGUMENT(0, const float *);
  const float factor = INLAY_ARGUMENT(1, float);
  const int64_t n = INLAY_ARGUMENT(2, int32_t);
  float *y = INLAY_ARGUMENT(3, float *);
  for (int64_t i = (int64_t)begin * 256; i < (int64_t)end * 256 && i < n; ++i)
    y[i] = x[i] * factor;
}

INLAY_CPU_KERNEL(partial_sums, "*fp32, i64, *fp32") {
  (void)grid;
  const float *x = INLAY_ARGUMENT(0, const float *);
  const int64_t n = INLAY_ARGUMENT(1, int64_t);
  float *partial = INLAY_ARGUMENT(2, float *);
  for (int64_t program = (int64_t)begin; program < (int64_t)end; ++program) {
    float sum = 0;
    for (int64_t i = program * 1024; i < program * 1024 + 1024 && i < n; ++i)
      sum += x[i];
    partial[program] = sum;
  }
}

INLAY_CPU_KERNEL(sum_partials, "*fp32, i32, *fp32") {
  (void)grid, (void)begin, (void)end;
  const float *partial = INLAY_ARGUMENT(0, const float *);
  const int32_t count = INLAY_ARGUMENT(1, int32_t);
  float sum = 0;
  for (int32_t i = 0; i < count; ++i)
    sum += partial[i];
  INLAY_ARGUMENT(2, float *)[0] = sum;
}

INLAY_CPU_KERNEL(mixed, "fp64, *fp32, i1, i64, fp32, u32, u64, *fp32, i32, i32, i32, i64, i64") {
  (void)grid;
  const double a = INLAY_ARGUMENT(0, double);
  const float *x = INLAY_ARGUMENT(1, const float *);
  const _Bool flag = INLAY_ARGUMENT(2, _Bool);
  const int64_t n = INLAY_ARGUMENT(3, int64_t);
  const float b = INLAY_ARGUMENT(4, float);
  const uint32_t c = INLAY_ARGUMENT(5, uint32_t);
  const uint64_t d = INLAY_ARGUMENT(6, uint64_t);
  float *y = INLAY_ARGUMENT(7, float *);
  const int32_t e = INLAY_ARGUMENT(8, int32_t);
  const int64_t rows = INLAY_ARGUMENT(9, int32_t), columns = INLAY_ARGUMENT(10, int32_t);
  const int64_t row_stride = INLAY_ARGUMENT(11, int64_t), column_stride = INLAY_ARGUMENT(12, int64_t);
  for (int64_t i = (int64_t)begin * 128; i < (int64_t)end * 128 && i < n && i < rows * columns; ++i) {
    const float value = x[i / columns * row_stride + i % columns * column_stride];
    y[i] = flag ? (float)(a * value + b + c + (double)d) : value + (float)e;
  }
}

INLAY_CPU_KERNEL(reverse_rows, "*fp32, i32, *fp32") {
  (void)grid;
  const float *x = INLAY_ARGUMENT(0, const float *);
  const int64_t columns = INLAY_ARGUMENT(1, int32_t);
  float *y = INLAY_ARGUMENT(2, float *);
  for (int64_t row = (int64_t)begin; row < (int64_t)end; ++row)
    for (int64_t i = 0; i < columns; ++i)
      y[row * columns + i] = x[row * columns + columns - 1 - i];
}

INLAY_CPU_KERNEL(swap_neighbours, "*fp32, *fp32") {
  (void)grid;
  const float *x = INLAY_ARGUMENT(0, const float *);
  float *y = INLAY_ARGUMENT(1, float *);
  for (int64_t i = (int64_t)begin * 256; i < (int64_t)end * 256; ++i)
    y[i] = x[i ^ 256];
}
