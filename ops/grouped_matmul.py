"""Products of groups of rows with a matrix for each group, as mixtures of experts have them."""
import triton
import triton.language as tl


@triton.jit
def grouped_matmul_kernel(a_ptr, b_ptr, ends_ptr, out_ptr, m, n, k, groups, SUM: tl.constexpr, PRECISION: tl.constexpr, TF32_SCALE: tl.constexpr,
                          GROUPS: tl.constexpr, TILE_M: tl.constexpr, TILE_N: tl.constexpr, TILE_K: tl.constexpr):
    """out[row] = A[row, k] . B[g, k, n] for the rows from ends[g - 1], or 0, up to ends[g]. Rows behind the last end are 0,
    and an end behind the last row is that row's. Where a group ends is known to the GPU alone: there are as many programs as any groups can need, each looks for its group, and those
    that are left over end at once. GROUPS is a power of two greater than the number of groups."""
    tiles_n = tl.cdiv(n, TILE_N)
    tile = tl.program_id(0) // tiles_n
    column = tl.program_id(0) % tiles_n
    # The rows behind the last end are one more group.
    group = tl.arange(0, GROUPS)
    ends = tl.minimum(tl.load(ends_ptr + group, mask=group < groups, other=m).to(tl.int32), m)
    starts = tl.minimum(tl.load(ends_ptr + group - 1, mask=(group > 0) & (group <= groups), other=0).to(tl.int32), m)
    starts = tl.where(group <= groups, starts, ends)
    tiles = (ends - starts + TILE_M - 1) // TILE_M
    behind = tl.cumsum(tiles, 0)
    mine = tl.sum((behind <= tile).to(tl.int32), 0)
    if mine > groups:
        return
    is_mine = group == mine
    start = tl.sum(tl.where(is_mine, starts + (tile - behind + tiles) * TILE_M, 0), 0)
    end = tl.sum(tl.where(is_mine, ends, 0), 0)
    depth = k
    if mine == groups:
        depth = 0
    at_m = start + tl.arange(0, TILE_M)
    at_n = column * TILE_N + tl.arange(0, TILE_N)
    at_k = tl.arange(0, TILE_K)
    rows = (at_m >= 0) & (at_m < end)  # ends that do not rise leave rows out, and lead to no others
    columns = at_n < n
    a_tile = a_ptr + at_m[:, None].to(tl.int64) * k + at_k[None, :]
    b_tile = b_ptr + mine.to(tl.int64) * k * n + at_k[:, None] * n + at_n[None, :]
    total = tl.zeros((TILE_M, TILE_N), dtype=SUM)
    for done in range(0, depth, TILE_K):
        a = tl.load(a_tile, mask=rows[:, None] & (at_k < depth - done)[None, :], other=0.0)
        b = tl.load(b_tile, mask=columns[None, :] & (at_k < depth - done)[:, None], other=0.0)
        if TF32_SCALE is not None:
            a = a * TF32_SCALE
            b = b * TF32_SCALE
        total = tl.dot(a, b, total, input_precision=PRECISION, out_dtype=SUM)
        a_tile += TILE_K
        b_tile += TILE_K * n
    tl.store(out_ptr + at_m[:, None].to(tl.int64) * n + at_n[None, :], total.to(out_ptr.dtype.element_ty),
             mask=rows[:, None] & columns[None, :])
