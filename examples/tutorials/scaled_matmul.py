"""Lesson: a product of numbers in microscaling formats: 8 or 4 bits each, and an exponent for each 32 of them along K."""
import triton
import triton.language as tl


@triton.jit
def matmul_scaled(a, a_scales, b, b_scales, c, m, n, k, A_FORMAT: tl.constexpr, B_FORMAT: tl.constexpr, TILE_M: tl.constexpr,
                  TILE_N: tl.constexpr, TILE_K: tl.constexpr):
    """C[m, n] = A[m, k] . transposed B[n, k]. Scales are [m, k / 32] and [n, k / 32] of exponents plus 127. Of format 'e2m1' (fp4) a byte
    holds two numbers that are neighbours along K, the low half the first. k is a multiple of TILE_K."""
    A_PACKED: tl.constexpr = 2 if A_FORMAT == "e2m1" else 1
    B_PACKED: tl.constexpr = 2 if B_FORMAT == "e2m1" else 1
    at_m = tl.program_id(0) * TILE_M + tl.arange(0, TILE_M)
    at_n = tl.program_id(1) * TILE_N + tl.arange(0, TILE_N)
    a_at_k = tl.arange(0, TILE_K // A_PACKED)
    b_at_k = tl.arange(0, TILE_K // B_PACKED)
    group = tl.arange(0, TILE_K // 32)
    total = tl.zeros((TILE_M, TILE_N), dtype=tl.float32)
    for step in range(0, k // TILE_K):
        x = tl.load(a + at_m[:, None] * (k // A_PACKED) + (step * (TILE_K // A_PACKED) + a_at_k)[None, :], mask=at_m[:, None] < m, other=0.0)
        y = tl.load(b + at_n[None, :] * (k // B_PACKED) + (step * (TILE_K // B_PACKED) + b_at_k)[:, None], mask=at_n[None, :] < n, other=0.0)
        x_scale = tl.load(a_scales + at_m[:, None] * (k // 32) + (step * (TILE_K // 32) + group)[None, :], mask=at_m[:, None] < m, other=127)
        y_scale = tl.load(b_scales + at_n[:, None] * (k // 32) + (step * (TILE_K // 32) + group)[None, :], mask=at_n[:, None] < n, other=127)
        total = tl.dot_scaled(x, x_scale, A_FORMAT, y, y_scale, B_FORMAT, total)
    tl.store(c + at_m[:, None] * n + at_n[None, :], total.to(c.dtype.element_ty), mask=(at_m[:, None] < m) & (at_n[None, :] < n))
