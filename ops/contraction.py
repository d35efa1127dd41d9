"""Sums of products over any dimensions, as einsum writes them; and histograms."""
import triton
import triton.language as tl


@triton.jit
def contract_kernel(a_ptr, b_ptr, out_ptr, n, depth, size_1, size_2, size_3, size_4, a_0, a_1, a_2, a_3, a_4, b_0, b_1, b_2, b_3, b_4,
                    sum_1, sum_2, c_0, c_1, c_2, d_0, d_1, d_2, SUM: tl.constexpr, BLOCK: tl.constexpr, CHUNK: tl.constexpr):
    """An output of five dimensions, each element a sum over three: their strides in a are a_0, ... and c_0, ..., in b, which may
    be None, b_0, ... and d_0, ...."""
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
