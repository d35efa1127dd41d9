"""Matrix products, any number of them at a time. Sums are in float32 (float64 for float64) and rounded once."""
import triton
import triton.language as tl


@triton.jit
def tail(value, offsets, in_range, TAIL: tl.constexpr):
    """Elements of the result before they are stored, where `offsets` lie in it: a group of operators puts its own function here."""
    return value


@triton.jit
def place_in_bands(index, tiles_m, tiles_n, BAND: tl.constexpr):
    """Row and column of a program's tile: down BAND rows of tiles, then one column on, so that neighbours in time share
    rows of A and columns of B in the cache."""
    per_band = BAND * tiles_n
    band = index // per_band
    height = min(tiles_m - band * BAND, BAND)
    inside = index % per_band
    return band * BAND + inside % height, inside // height


@triton.jit
def batch_start(batch, size_1, size_2, step_0, step_1, step_2):
    """Where a batch of three dimensions begins; a step is 0 along a dimension that is broadcast."""
    outer = batch // size_2
    return (outer // size_1).to(tl.int64) * step_0 + (outer % size_1).to(tl.int64) * step_1 + (batch % size_2).to(tl.int64) * step_2


@triton.jit
def matmul_kernel(a_ptr, b_ptr, c_ptr, out_ptr, m, n, k, size_1, size_2, a_step_0, a_step_1, a_step_2, b_step_0, b_step_1, b_step_2,
                  c_step_0, c_step_1, c_step_2, c_row, c_column, ALPHA: tl.constexpr, BETA: tl.constexpr, IS_B_TRANSPOSED: tl.constexpr,
                  SUM: tl.constexpr, WRAPS: tl.constexpr, PRECISION: tl.constexpr, TF32_SCALE: tl.constexpr, SPLITS: tl.constexpr,
                  SPLIT_DEPTH: tl.constexpr, TILE_M: tl.constexpr, TILE_N: tl.constexpr, TILE_K: tl.constexpr, TAIL: tl.constexpr):
    """out[m, n] = ALPHA * A[m, k] . B[k, n] + BETA * C; B is stored as [n, k] if IS_B_TRANSPOSED. c_ptr may be None. With
    SPLITS > 1 each program sums over SPLIT_DEPTH of k, a multiple of TILE_K, and out[batch, split] is for finish_kernel."""
    program = tl.program_id(0)
    begin = 0
    end = k
    split = 0
    if SPLITS > 1:
        split = program % SPLITS
        program = program // SPLITS
        begin = split * SPLIT_DEPTH
        end = min(begin + SPLIT_DEPTH, k)
    tiles_m = tl.cdiv(m, TILE_M)
    tiles_n = tl.cdiv(n, TILE_N)
    batch = program // (tiles_m * tiles_n)
    row, column = place_in_bands(program % (tiles_m * tiles_n), tiles_m, tiles_n, 8)
    tl.assume(row >= 0)
    tl.assume(column >= 0)
    tl.assume(k >= 0)
    tl.assume(n > 0)
    a_ptr += batch_start(batch, size_1, size_2, a_step_0, a_step_1, a_step_2)
    b_ptr += batch_start(batch, size_1, size_2, b_step_0, b_step_1, b_step_2)
    # On GPUs rows and columns beyond the matrices wrap around: they are loaded, computed and not stored, so that the loop needs
    # masks along K only. CPUs compute what is stored, and load it in vectors that masks end.
    at_m = row * TILE_M + tl.arange(0, TILE_M)
    at_n = column * TILE_N + tl.arange(0, TILE_N)
    if WRAPS:
        at_m = at_m % m
        at_n = at_n % n
    at_k = tl.arange(0, TILE_K)
    b_row = 1 if IS_B_TRANSPOSED else n
    b_column = k if IS_B_TRANSPOSED else 1
    if SPLITS > 1:
        a_ptr += begin
        b_ptr += begin.to(tl.int64) * b_row
    a_tile = a_ptr + at_m[:, None].to(tl.int64) * k + at_k[None, :]
    b_tile = b_ptr + at_k[:, None] * b_row + at_n[None, :].to(tl.int64) * b_column
    total = tl.zeros((TILE_M, TILE_N), dtype=SUM)
    for done in range(begin, end, TILE_K):
        in_a = at_k[None, :] < k - done
        in_b = at_k[:, None] < k - done
        if not WRAPS:
            in_a = in_a & (at_m < m)[:, None]
            in_b = in_b & (at_n < n)[None, :]
        a = tl.load(a_tile, mask=in_a, other=0.0)
        b = tl.load(b_tile, mask=in_b, other=0.0)
        if TF32_SCALE is not None:
            a = a * TF32_SCALE
            b = b * TF32_SCALE
        total = tl.dot(a, b, total, input_precision=PRECISION, out_dtype=SUM)
        a_tile += TILE_K
        b_tile += TILE_K * b_row
    at_m = row * TILE_M + tl.arange(0, TILE_M)
    at_n = column * TILE_N + tl.arange(0, TILE_N)
    inside = (at_m[:, None] < m) & (at_n[None, :] < n)
    if ALPHA != 1:
        total = total * ALPHA
    if c_ptr is not None:
        c_ptr += batch_start(batch, size_1, size_2, c_step_0, c_step_1, c_step_2)
        c = tl.load(c_ptr + at_m[:, None] * c_row + at_n[None, :] * c_column, mask=inside, other=0.0).to(SUM)
        total += c * BETA
    offsets = (batch.to(tl.int64) * m + at_m)[:, None] * n + at_n[None, :]
    total = tail(total, offsets, inside, TAIL)
    out_ptr += (batch.to(tl.int64) * SPLITS + split) * m * n
    tl.store(out_ptr + at_m[:, None].to(tl.int64) * n + at_n[None, :], total.to(out_ptr.dtype.element_ty), mask=inside)


@triton.jit
def row_kernel(a_ptr, b_ptr, c_ptr, out_ptr, m, n, k, size_1, size_2, a_step_0, a_step_1, a_step_2, b_step_0, b_step_1, b_step_2,
               c_step_0, c_step_1, c_step_2, c_row, c_column, ALPHA: tl.constexpr, BETA: tl.constexpr, IS_B_TRANSPOSED: tl.constexpr,
               SUM: tl.constexpr, TILE_N: tl.constexpr, TILE_K: tl.constexpr, TAIL: tl.constexpr):
    """The same for few rows, each by itself: reading B takes the time, and tensor cores would be idle."""
    tiles_n = tl.cdiv(n, TILE_N)
    row = tl.program_id(0) // tiles_n % m
    batch = tl.program_id(0) // tiles_n // m
    a_ptr += batch_start(batch, size_1, size_2, a_step_0, a_step_1, a_step_2) + row.to(tl.int64) * k
    b_ptr += batch_start(batch, size_1, size_2, b_step_0, b_step_1, b_step_2)
    at_n = tl.program_id(0) % tiles_n * TILE_N + tl.arange(0, TILE_N)
    at_k = tl.arange(0, TILE_K)
    b_row = 1 if IS_B_TRANSPOSED else n
    b_column = k if IS_B_TRANSPOSED else 1
    total = tl.zeros((TILE_N, TILE_K), dtype=SUM)
    for done in range(0, k, TILE_K):
        inside = done + at_k < k
        a = tl.load(a_ptr + done + at_k, mask=inside, other=0.0).to(SUM)
        b = tl.load(b_ptr + at_n[:, None].to(tl.int64) * b_column + (done + at_k)[None, :].to(tl.int64) * b_row,
                    mask=(at_n < n)[:, None] & inside[None, :], other=0.0).to(SUM)
        total += b * a[None, :]
    result = tl.sum(total, 1)
    if ALPHA != 1:
        result = result * ALPHA
    if c_ptr is not None:
        c_ptr += batch_start(batch, size_1, size_2, c_step_0, c_step_1, c_step_2) + row.to(tl.int64) * c_row
        result += tl.load(c_ptr + at_n * c_column, mask=at_n < n, other=0.0).to(SUM) * BETA
    offsets = (batch.to(tl.int64) * m + row) * n + at_n
    result = tail(result, offsets, at_n < n, TAIL)
    tl.store(out_ptr + offsets, result.to(out_ptr.dtype.element_ty), mask=at_n < n)


@triton.jit
def finish_kernel(part_ptr, c_ptr, out_ptr, count, m, n, size_1, size_2, c_step_0, c_step_1, c_step_2, c_row, c_column,
                  ALPHA: tl.constexpr, BETA: tl.constexpr, SUM: tl.constexpr, SPLITS: tl.constexpr, BLOCK: tl.constexpr, TAIL: tl.constexpr):
    """out[batch] = ALPHA * (part[batch, 0] + part[batch, 1] + ...) + BETA * C, in the order of the parts; count = batches * m * n."""
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = at < count
    batch = at // (m * n)
    part = part_ptr + batch * ((SPLITS - 1) * m * n) + at
    total = tl.zeros((BLOCK,), dtype=SUM)
    for split in tl.static_range(SPLITS):
        total += tl.load(part + split * (m * n), mask=inside, other=0.0)
    if ALPHA != 1:
        total = total * ALPHA
    if c_ptr is not None:
        place = batch_start(batch, size_1, size_2, c_step_0, c_step_1, c_step_2) + at // n % m * c_row + at % n * c_column
        total += tl.load(c_ptr + place, mask=inside, other=0.0).to(SUM) * BETA
    total = tail(total, at, inside, TAIL)
    tl.store(out_ptr + at, total.to(out_ptr.dtype.element_ty), mask=inside)
