"""Matrix product C = A · B in the Triton language, a tile of C to a program. Matrices are row-major; A_COLUMNS and B_COLUMNS: stored by columns."""
import triton
import triton.language as tl


@triton.jit
def matmul(a_ptr, b_ptr, c_ptr, m, n, k, a_stride, b_stride, c_stride, TILE_M: tl.constexpr, TILE_N: tl.constexpr,
           TILE_K: tl.constexpr, GROUP: tl.constexpr, PRECISION: tl.constexpr, ACC: tl.constexpr, A_COLUMNS: tl.constexpr,
           B_COLUMNS: tl.constexpr):
    # Programs that start together take GROUP rows of tiles, so that they share what they read of B in the second cache.
    program = tl.program_id(0)
    tiles_m = tl.cdiv(m, TILE_M)
    tiles_n = tl.cdiv(n, TILE_N)
    group = program // (GROUP * tiles_n)
    within = program % (GROUP * tiles_n)
    rows_in_group = min(tiles_m - group * GROUP, GROUP)
    tile_m = group * GROUP + within % rows_in_group
    tile_n = within // rows_in_group

    rows = tile_m * TILE_M + tl.arange(0, TILE_M)
    columns = tile_n * TILE_N + tl.arange(0, TILE_N)
    depth = tl.arange(0, TILE_K)
    if A_COLUMNS:
        a_ptrs = a_ptr + (rows % m)[:, None] + depth[None, :] * a_stride
    else:
        a_ptrs = a_ptr + (rows % m)[:, None] * a_stride + depth[None, :]
    if B_COLUMNS:
        b_ptrs = b_ptr + depth[:, None] + (columns % n)[None, :] * b_stride
    else:
        b_ptrs = b_ptr + depth[:, None] * b_stride + (columns % n)[None, :]
    acc = tl.zeros([TILE_M, TILE_N], dtype=ACC)
    for step in range(0, tl.cdiv(k, TILE_K)):
        left = k - step * TILE_K
        a = tl.load(a_ptrs, mask=depth[None, :] < left, other=0)
        b = tl.load(b_ptrs, mask=depth[:, None] < left, other=0)
        acc = tl.dot(a, b, acc, input_precision=PRECISION, out_dtype=ACC)
        a_ptrs += TILE_K * a_stride if A_COLUMNS else TILE_K
        b_ptrs += TILE_K if B_COLUMNS else TILE_K * b_stride
    c = acc.to(c_ptr.dtype.element_ty)
    c_ptrs = c_ptr + rows[:, None] * c_stride + columns[None, :]
    tl.store(c_ptrs, c, mask=(rows[:, None] < m) & (columns[None, :] < n))
