"""Functions of triton.language that rearrange elements or indices."""
import inlay
import triton.language as tl
from triton import jit


@jit
@method
def flip(x, dim: tl.constexpr = None):
    axis: tl.constexpr = inlay.axis(-1 if dim is None else dim, x)
    return tl.gather(x, x.shape[axis] - 1 - inlay.iota(x.shape, axis), axis)


@jit
def interleave(a, b):
    """The elements of a and b in turn along the last dimension."""
    joined = tl.join(a, b)
    if len(joined.shape) == 1:
        return joined
    return tl.reshape(joined, joined.shape[:-2] + [2 * joined.shape[-2]])


@jit
def cat(input, other, can_reorder: tl.constexpr = False, dim: tl.constexpr = 0):
    """a followed by b along a dimension; the order is kept in any case."""
    joined = tl.join(input, other)
    axis: tl.constexpr = inlay.axis(dim, input)
    rank: tl.constexpr = len(joined.shape)
    order: tl.constexpr = [i for i in range(axis)] + [rank - 1] + [i for i in range(axis, rank - 1)]
    shape: tl.constexpr = input.shape[:axis] + [2 * input.shape[axis]] + input.shape[axis + 1:]
    return tl.reshape(tl.permute(joined, order), shape)


@jit
def swizzle2d(i, j, size_i, size_j, size_g):
    """Row-major indices as they are visited in groups of size_g rows."""
    place = i * size_j + j
    group = place // (size_g * size_j)
    first = group * size_g
    height = tl.minimum(size_i - first, size_g)
    inside = place % (size_g * size_j)
    return first + inside % height, inside // height
