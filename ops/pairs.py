"""Distances and cosines between pairs of vectors."""
import triton
import triton.language as tl


@triton.jit
def difference_of(a, b, SHIFT: tl.constexpr, KIND: tl.constexpr):
    """What one element of each adds to a distance."""
    difference = a - b + SHIFT
    if KIND == "2":
        return difference * difference
    elif KIND == "0":
        return (difference != 0).to(a.dtype)
    else:
        tl.static_assert(KIND == "1" or KIND == "inf")
        return tl.abs(difference)


@triton.jit
def root(x):
    return tl.sqrt_rn(x) if x.dtype == tl.float32 else tl.sqrt(x)


@triton.jit
def pair_kernel(a_ptr, b_ptr, out_ptr, n, depth, size_1, size_2, size_3, a_0, a_1, a_2, a_3, a_along, b_0, b_1, b_2, b_3, b_along,
                KIND: tl.constexpr, SMALL: tl.constexpr, SUM: tl.constexpr, BLOCK: tl.constexpr, CHUNK: tl.constexpr):
    """An output of four dimensions, of each element a pair of vectors of `depth` elements: where they begin are a_0, ... and b_0, ....
    KIND is "cosine", of lengths that are SMALL at least, or the order of the distance between them, to which SMALL is added."""
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    i_3 = at % size_3
    rest = at // size_3
    i_2 = rest % size_2
    rest = rest // size_2
    i_1 = rest % size_1
    i_0 = rest // size_1
    a_start = i_0 * a_0 + i_1 * a_1 + i_2 * a_2 + i_3 * a_3
    b_start = i_0 * b_0 + i_1 * b_1 + i_2 * b_2 + i_3 * b_3
    total = tl.zeros((BLOCK, CHUNK), dtype=SUM)
    squares_a = tl.zeros((BLOCK, CHUNK), dtype=SUM)
    squares_b = tl.zeros((BLOCK, CHUNK), dtype=SUM)
    for done in range(0, depth, CHUNK):
        k = done + tl.arange(0, CHUNK)
        inside = (at < n)[:, None] & (k < depth)[None, :]
        a = tl.load(a_ptr + a_start[:, None] + (k * a_along)[None, :], mask=inside, other=0.0).to(SUM)
        b = tl.load(b_ptr + b_start[:, None] + (k * b_along)[None, :], mask=inside, other=0.0).to(SUM)
        if KIND == "cosine":
            total += a * b
            squares_a += a * a
            squares_b += b * b
        elif KIND == "inf":
            total = tl.maximum(total, tl.where(inside, difference_of(a, b, SMALL, KIND), 0.0), propagate_nan=tl.PropagateNan.ALL)
        else:
            total += tl.where(inside, difference_of(a, b, SMALL, KIND), 0.0)
    if KIND == "inf":
        result = tl.max(total, 1)
    elif KIND == "cosine":
        lengths = tl.maximum(root(tl.sum(squares_a, 1)), SMALL) * tl.maximum(root(tl.sum(squares_b, 1)), SMALL)
        result = tl.sum(total, 1) / lengths
    elif KIND == "2":
        result = root(tl.sum(total, 1))
    else:
        result = tl.sum(total, 1)
    tl.store(out_ptr + at, result.to(out_ptr.dtype.element_ty), mask=at < n)
