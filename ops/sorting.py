"""Sorting: each element goes where the number of those before it says. Stable, for lines of any length, in a time that grows
with the square of it."""
import triton
import triton.language as tl


@triton.jit
def compared(x):
    """x in a type that the hardware compares."""
    if x.dtype.primitive_bitwidth < 32:
        return x.to(tl.float32) if x.dtype.is_floating() else x.to(tl.int32)
    return x


@triton.jit
def precedes(a, i, b, j, IS_DESCENDING: tl.constexpr):
    """True where a at place i comes before b at place j. NaN is larger than all else."""
    if IS_DESCENDING:
        is_first = (a > b) | ((a != a) & (b == b))
    else:
        is_first = (a < b) | ((a == a) & (b != b))
    are_equal = (a == b) | ((a != a) & (b != b))
    return is_first | (are_equal & (i < j))


@triton.jit
def rank_kernel(x_ptr, out_ptr, index_ptr, length, inner, kept, IS_DESCENDING: tl.constexpr, BLOCK: tl.constexpr, CHUNK: tl.constexpr):
    """Of each line of [outer, length, inner] the first `kept` elements in order, unless out_ptr is None, and their places."""
    tiles = tl.cdiv(length, BLOCK)
    line = tl.program_id(0) // tiles
    outer = (line // inner).to(tl.int64)
    at = tl.program_id(0) % tiles * BLOCK + tl.arange(0, BLOCK)
    x_ptr += outer * length * inner + line % inner
    value = tl.load(x_ptr + at * inner, mask=at < length, other=0)
    x = compared(value)
    rank = tl.zeros((BLOCK,), dtype=tl.int32)
    for start in range(0, length, CHUNK):
        j = start + tl.arange(0, CHUNK)
        y = compared(tl.load(x_ptr + j * inner, mask=j < length, other=0))
        is_before = precedes(y[None, :], j[None, :], x[:, None], at[:, None], IS_DESCENDING) & (j < length)[None, :]
        rank += tl.sum(is_before.to(tl.int32), 1)
    place = outer * kept * inner + line % inner + rank * inner
    inside = (at < length) & (rank < kept)
    if out_ptr is not None:
        tl.store(out_ptr + place, value, mask=inside)
    tl.store(index_ptr + place, at.to(tl.int64), mask=inside)
