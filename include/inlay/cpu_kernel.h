/* Kernels for the CPU, written in C or C++ and compiled by any compiler: what a plugin's image of
 * kind "x86" holds (docs/plugins-manifest.md, "Kernels from elsewhere").
 *
 *   INLAY_CPU_KERNEL(add_one_kernel, "*fp32, i32, *fp32") {
 *     const float *x = INLAY_ARGUMENT(0, const float *);
 *     const int32_t n = INLAY_ARGUMENT(1, int32_t);
 *     float *y = INLAY_ARGUMENT(2, float *);
 *     for (uint64_t program = begin; program < end; ++program)
 *       for (int64_t i = program * 256; i < program * 256 + 256 && i < n; ++i)
 *         y[i] = x[i] + 1;
 *   }
 *
 * C99 and C++; needs no other header of Inlay's. */
#ifndef INLAY_CPU_KERNEL_H
#define INLAY_CPU_KERNEL_H

#include <stdint.h>

#ifdef __cplusplus
#define INLAY_CPU_KERNEL_LINKAGE extern "C"
#else
#define INLAY_CPU_KERNEL_LINKAGE extern
#endif
#define INLAY_CPU_KERNEL_EXPORT __attribute__((visibility("default")))

/** Starts a kernel; a function body follows. `signature` lists the types of its arguments as the
 * Triton language writes them ("*fp32, i32, fp64"); a build compares it with the launch.
 *
 * The body runs the programs `begin` to `end` (exclusive) of a grid of `grid[0]` * `grid[1]` *
 * `grid[2]` programs: program p is (p % grid[0], p / grid[0] % grid[1], p / grid[0] / grid[1]).
 * Several threads run it at once, each with programs of its own. `arguments[i]` is the address of
 * the value of argument i. It must not throw. */
#define INLAY_CPU_KERNEL(name, signature)                                                          \
  INLAY_CPU_KERNEL_LINKAGE INLAY_CPU_KERNEL_EXPORT const char name##_inlay_signature[];            \
  const char name##_inlay_signature[] = signature;                                                 \
  INLAY_CPU_KERNEL_LINKAGE INLAY_CPU_KERNEL_EXPORT void name(                                      \
      const void *const *arguments, const uint32_t *grid, uint64_t begin, uint64_t end);           \
  void name(const void *const *arguments, const uint32_t *grid, uint64_t begin, uint64_t end)

/** The value of argument `index`, of type `type`, in the body of a kernel. */
#define INLAY_ARGUMENT(index, type) (*(type const *)arguments[index])

#endif
