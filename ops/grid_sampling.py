"""Planes [row, column] read at places that a grid names. A program computes TILE neighbouring elements of one plane of the output."""
import triton
import triton.language as tl


@triton.jit
def reflected(at, low, high):
    """`at` mirrored at both ends of [low, high], as often as it takes."""
    span = high - low
    distance = tl.abs(at - low)
    times = tl.floor(distance / tl.where(span > 0, span, 1))
    rest = distance - times * span
    is_even = times == 2 * tl.floor(times * 0.5)
    return tl.where(span > 0, tl.where(is_even, rest + low, high - rest), 0.0)


@triton.jit
def source_of(at, size, PADDING: tl.constexpr, ALIGNS_CORNERS: tl.constexpr):
    """Where -1 … 1 lies in a dimension of `size` elements. PADDING 0: zeros, 1: the border, 2: reflection."""
    last = (size - 1).to(at.dtype)
    if ALIGNS_CORNERS:
        source = (at + 1) * 0.5 * last
        low = last * 0
        high = last
    else:
        source = ((at + 1) * (last + 1) - 1) * 0.5
        low = last * 0 - 0.5
        high = last + 0.5
    if PADDING == 2:
        source = reflected(source, low, high)
    if PADDING != 0:
        return tl.minimum(tl.maximum(source, 0.0), last)
    # All that lies further out is alike, and fits an int32 so.
    return tl.minimum(tl.maximum(source, -2.0), last + 2)


@triton.jit
def nearest(at):
    """To the nearest integer, and of two the even one."""
    up = tl.floor(at + 0.5)
    is_odd_tie = (up - at == 0.5) & (up != 2 * tl.floor(up * 0.5))
    return tl.where(is_odd_tie, up - 1, up)


@triton.jit
def value_at(x_ptr, y, x, height, width, in_range):
    inside = in_range & (y >= 0) & (y < height) & (x >= 0) & (x < width)
    return tl.load(x_ptr + y * width + x, mask=inside, other=0.0)


@triton.jit
def grid_sample_kernel(x_ptr, grid_ptr, out_ptr, channels, height, width, pixels, IS_NEAREST: tl.constexpr, PADDING: tl.constexpr,
                       ALIGNS_CORNERS: tl.constexpr, SUM: tl.constexpr, TILE: tl.constexpr):
    """x [images, channels, height, width], grid [images, pixels, 2] of x and y."""
    tiles = tl.cdiv(pixels, TILE)
    plane = tl.program_id(0) // tiles
    at = tl.program_id(0) % tiles * TILE + tl.arange(0, TILE)
    in_range = at < pixels
    x_ptr += plane.to(tl.int64) * height * width
    grid_ptr += (plane // channels).to(tl.int64) * pixels * 2
    grid_x = tl.load(grid_ptr + at * 2, mask=in_range, other=0.0).to(SUM)
    grid_y = tl.load(grid_ptr + at * 2 + 1, mask=in_range, other=0.0).to(SUM)
    x = source_of(grid_x, width, PADDING, ALIGNS_CORNERS)
    y = source_of(grid_y, height, PADDING, ALIGNS_CORNERS)
    if IS_NEAREST:
        value = value_at(x_ptr, nearest(y).to(tl.int32), nearest(x).to(tl.int32), height, width, in_range).to(SUM)
    else:
        left = tl.floor(x)
        top = tl.floor(y)
        right_weight = x - left
        low_weight = y - top
        x0 = left.to(tl.int32)
        y0 = top.to(tl.int32)
        upper = (value_at(x_ptr, y0, x0, height, width, in_range).to(SUM) * (1 - right_weight)
                 + value_at(x_ptr, y0, x0 + 1, height, width, in_range).to(SUM) * right_weight)
        lower = (value_at(x_ptr, y0 + 1, x0, height, width, in_range).to(SUM) * (1 - right_weight)
                 + value_at(x_ptr, y0 + 1, x0 + 1, height, width, in_range).to(SUM) * right_weight)
        value = upper * (1 - low_weight) + lower * low_weight
    tl.store(out_ptr + plane.to(tl.int64) * pixels + at, value.to(out_ptr.dtype.element_ty), mask=in_range)
