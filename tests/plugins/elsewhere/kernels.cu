// Kernels in CUDA C++ for tests/e2e/plugins.py. kernels.c has the same for the CPU.

extern "C" __global__ void sigmoid(const float *x, int n, float *y) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n)
    y[i] = 1.0f / (1.0f + expf(-x[i]));
}

template <typename T> __global__ void scale(const T *x, T factor, int n, T *y) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n)
    y[i] = x[i] * factor;
}
template __global__ void scale<float>(const float *, float, int, float *);

/// Sums 1024 elements in each block of 256 threads.
extern "C" __global__ void partial_sums(const float *x, long long n, float *partial) {
  __shared__ float sums[256];
  const long long first = blockIdx.x * 1024ll;
  float sum = 0;
  for (int k = 0; k < 4; ++k) {
    const long long i = first + k * 256 + threadIdx.x;
    sum += i < n ? x[i] : 0.0f;
  }
  sums[threadIdx.x] = sum;
  for (int step = 128; step > 0; step /= 2) {
    __syncthreads();
    if (threadIdx.x < step)
      sums[threadIdx.x] += sums[threadIdx.x + step];
  }
  if (threadIdx.x == 0)
    partial[blockIdx.x] = sums[0];
}

extern "C" __global__ void __launch_bounds__(32) sum_partials(const float *partial, int count, float *y) {
#if __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
  float sum = 0;
  for (int i = 0; i < count; ++i)
    sum += partial[i];
  y[0] = sum;
}

/// Arguments of every kind, in no order.
extern "C" __global__ void mixed(double a, const float *x, bool flag, long long n, float b, unsigned c, unsigned long long d,
                                 float *y, int e, int rows, int columns, long long row_stride, long long column_stride) {
  const long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x;
  if (i >= n || i >= (long long)rows * columns)
    return;
  const long long at = i / columns * row_stride + i % columns * column_stride;
  y[i] = flag ? float(a * x[at] + b + c + d) : x[at] + e;
}

/// Reverses each row of up to 16384 columns in dynamic shared memory, beyond 48 KiB.
extern "C" __global__ void reverse_rows(const float *x, int columns, float *y) {
  extern __shared__ float row[];
  const long long first = (long long)blockIdx.x * columns;
  for (int i = threadIdx.x; i < columns; i += blockDim.x)
    row[i] = x[first + i];
  __syncthreads();
  for (int i = threadIdx.x; i < columns; i += blockDim.x)
    y[first + i] = row[columns - 1 - i];
}

/// Swaps neighbouring stretches of 256 elements through the shared memory of a cluster of two blocks.
extern "C" __global__ void swap_neighbours(const float *x, float *y) {
  __shared__ float values[256];
  const int t = threadIdx.x;
  values[t] = x[blockIdx.x * 256 + t];
  const unsigned own = static_cast<unsigned>(__cvta_generic_to_shared(&values[t]));
  unsigned rank, other;
  float value;
  asm volatile("barrier.cluster.arrive.aligned;\n\tbarrier.cluster.wait.aligned;" ::: "memory");
  asm("mov.u32 %0, %%cluster_ctarank;" : "=r"(rank));
  asm("mapa.shared::cluster.u32 %0, %1, %2;" : "=r"(other) : "r"(own), "r"(rank ^ 1));
  asm volatile("ld.shared::cluster.f32 %0, [%1];" : "=f"(value) : "r"(other) : "memory");
  asm volatile("barrier.cluster.arrive.aligned;\n\tbarrier.cluster.wait.aligned;" ::: "memory");
  y[blockIdx.x * 256 + t] = value;
}
