"""Sums of products over any dimensions, as einsum writes them; and histograms."""
import triton
import triton.language as tl


@triton.jit
def contract_kernel(a_ptr, b_ptr, out_ptr, n, depth, size_1, size_2, size_3, size_4, a_0, a_1, a_2, a_3, a_4, b_0, b_1, b_2, b_3, b_4,
                    sum_1, sum_2, c_0, c_1, c_2, d_0, d_1, d_2, SUM: tl.constexpr, BLOCK: tl.constexpr, CHUNK: tl.constexpr):
    """An output of five dimensions, each element a sum over three, computed by itself: their strides in a are a_0, ... and c_0, ...,
    in b, which may be None, b_0, ... and d_0, ...."""
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    i_4 = at % size_4
    rest = at // size_4
    i_3 = rest % size_3
    rest = rest // size_3
    i_2 = rest % size_2
    rest = rest // size_2
    i_1 = rest % size_1
    i_0 = rest // size_1
    a_start = i_0 * a_0 + i_1 * a_1 + i_2 * a_2 + i_3 * a_3 + i_4 * a_4
    b_start = i_0 * b_0 + i_1 * b_1 + i_2 * b_2 + i_3 * b_3 + i_4 * b_4
    total = tl.zeros((BLOCK, CHUNK), dtype=SUM)
    for done in range(0, depth, CHUNK):
        k = done + tl.arange(0, CHUNK)
        k_2 = k % sum_2
        k_1 = k // sum_2 % sum_1
        k_0 = k // sum_2 // sum_1
        inside = (at < n)[:, None] & (k < depth)[None, :]
        a = tl.load(a_ptr + a_start[:, None] + (k_0 * c_0 + k_1 * c_1 + k_2 * c_2)[None, :], mask=inside, other=0.0).to(SUM)
        if b_ptr is not None:
            a *= tl.load(b_ptr + b_start[:, None] + (k_0 * d_0 + k_1 * d_1 + k_2 * d_2)[None, :], mask=inside, other=0.0).to(SUM)
        total += a
    tl.store(out_ptr + at, tl.sum(total, 1).to(out_ptr.dtype.element_ty), mask=at < n)


@triton.jit
def place_of_three(index, size_1, size_2, step_0, step_1, step_2, OFFSET: tl.constexpr):
    """Where an element of three dimensions lies, of which the inner two have these sizes."""
    rest = index // size_2
    return (rest // size_1).to(OFFSET) * step_0 + (rest % size_1).to(OFFSET) * step_1 + (index % size_2).to(OFFSET) * step_2


@triton.jit
def product_kernel(a_ptr, b_ptr, out_ptr, m, n, k, batch_1, batch_2, m_1, m_2, n_1, n_2, k_1, k_2,
                   batch_a_0, batch_a_1, batch_a_2, batch_b_0, batch_b_1, batch_b_2, batch_out_0, batch_out_1, batch_out_2,
                   m_a_0, m_a_1, m_a_2, m_out_0, m_out_1, m_out_2, n_b_0, n_b_1, n_b_2, n_out_0, n_out_1, n_out_2,
                   k_a_0, k_a_1, k_a_2, k_b_0, k_b_1, k_b_2, SUM: tl.constexpr, PRECISION: tl.constexpr, TF32_SCALE: tl.constexpr,
                   OFFSET: tl.constexpr, TILE_M: tl.constexpr, TILE_N: tl.constexpr, TILE_K: tl.constexpr):
    """A product of matrices whose rows (m), columns (n), sums (k) and batches are up to three dimensions each, which lie apart: each
    has its strides in a, b and the output."""
    tiles_m = tl.cdiv(m, TILE_M)
    tiles_n = tl.cdiv(n, TILE_N)
    batch = tl.program_id(0) // (tiles_m * tiles_n)
    row = tl.program_id(0) // tiles_n % tiles_m
    column = tl.program_id(0) % tiles_n
    a_ptr += place_of_three(batch, batch_1, batch_2, batch_a_0, batch_a_1, batch_a_2, tl.int64)
    b_ptr += place_of_three(batch, batch_1, batch_2, batch_b_0, batch_b_1, batch_b_2, tl.int64)
    out_ptr += place_of_three(batch, batch_1, batch_2, batch_out_0, batch_out_1, batch_out_2, tl.int64)
    at_m = row * TILE_M + tl.arange(0, TILE_M)
    at_n = column * TILE_N + tl.arange(0, TILE_N)
    a_rows = place_of_three(at_m, m_1, m_2, m_a_0, m_a_1, m_a_2, OFFSET)
    b_columns = place_of_three(at_n, n_1, n_2, n_b_0, n_b_1, n_b_2, OFFSET)
    total = tl.zeros((TILE_M, TILE_N), dtype=SUM)
    for done in range(0, k, TILE_K):
        at_k = done + tl.arange(0, TILE_K)
        a_sums = place_of_three(at_k, k_1, k_2, k_a_0, k_a_1, k_a_2, OFFSET)
        b_sums = place_of_three(at_k, k_1, k_2, k_b_0, k_b_1, k_b_2, OFFSET)
        a = tl.load(a_ptr + a_rows[:, None] + a_sums[None, :], mask=(at_m < m)[:, None] & (at_k < k)[None, :], other=0.0)
        b = tl.load(b_ptr + b_sums[:, None] + b_columns[None, :], mask=(at_k < k)[:, None] & (at_n < n)[None, :], other=0.0)
        if TF32_SCALE is not None:
            a = a * TF32_SCALE
            b = b * TF32_SCALE
        total = tl.dot(a, b, total, input_precision=PRECISION, out_dtype=SUM)
    out_rows = place_of_three(at_m, m_1, m_2, m_out_0, m_out_1, m_out_2, OFFSET)
    out_columns = place_of_three(at_n, n_1, n_2, n_out_0, n_out_1, n_out_2, OFFSET)
    tl.store(out_ptr + out_rows[:, None] + out_columns[None, :], total.to(out_ptr.dtype.element_ty),
             mask=(at_m < m)[:, None] & (at_n < n)[None, :])


@triton.jit
def add_bias_kernel(out_ptr, bias_ptr, n, columns, SUM: tl.constexpr, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = at < n
    total = tl.load(out_ptr + at, mask=inside, other=0.0).to(SUM) + tl.load(bias_ptr + at % columns, mask=inside, other=0.0).to(SUM)
    tl.store(out_ptr + at, total.to(out_ptr.dtype.element_ty), mask=inside)


@triton.jit
def histogram_kernel(x_ptr, out_ptr, n, bins, LEAST: tl.constexpr, MOST: tl.constexpr, SUM: tl.constexpr, BINS: tl.constexpr,
                     BLOCK: tl.constexpr):
    """How many elements lie in each of `bins` equal parts of LEAST to MOST; the last part has its end, too."""
    bin = tl.program_id(0) * BINS + tl.arange(0, BINS)
    count = tl.zeros((BINS, BLOCK), dtype=tl.int32)
    for done in range(0, n, BLOCK):
        at = done + tl.arange(0, BLOCK)
        x = tl.load(x_ptr + at, mask=at < n, other=0).to(SUM)
        inside = (at < n) & (x >= LEAST) & (x <= MOST)
        place = ((x - LEAST) * bins.to(SUM) / (MOST - LEAST)).to(tl.int32)
        place = tl.minimum(place, bins - 1)
        count += (inside[None, :] & (place[None, :] == bin[:, None])).to(tl.int32)
    tl.store(out_ptr + bin, tl.sum(count, 1).to(out_ptr.dtype.element_ty), mask=bin < bins)
