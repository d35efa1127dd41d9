"""Convolutions over [image, channel, depth, row, column], also transposed ones; those of fewer dimensions have sizes of 1 in front.
Sums are in float32 (float64 for float64)."""
import triton
import triton.language as tl


@triton.jit
def tail(value, offsets, in_range, TAIL: tl.constexpr):
    """Elements of the result before they are stored, where `offsets` lie in it: a group of operators puts its own function here."""
    return value


@triton.jit
def place(out, tap, size, STRIDE: tl.constexpr, PADDING: tl.constexpr, DILATION: tl.constexpr, IS_TRANSPOSED: tl.constexpr):
    """Along one dimension: which element of the input an element of the output sees through a tap, and whether there is one."""
    if IS_TRANSPOSED:
        reached = out + PADDING - tap * DILATION
        at = reached // STRIDE
        return at, (reached >= 0) & (at < size) & (reached == at * STRIDE)
    else:
        at = out * STRIDE - PADDING + tap * DILATION
        return at, (at >= 0) & (at < size)


@triton.jit
def volume_kernel(x_ptr, filter_ptr, bias_ptr, out_ptr, groups, channels, filters, depth, filter_step, channel_step, deep, height, width, volume,
                  out_height, out_width, pixels, KERNEL_D: tl.constexpr, KERNEL_H: tl.constexpr, KERNEL_W: tl.constexpr,
                  STRIDE_D: tl.constexpr, STRIDE_H: tl.constexpr, STRIDE_W: tl.constexpr, PADDING_D: tl.constexpr, PADDING_H: tl.constexpr,
                  PADDING_W: tl.constexpr, DILATION_D: tl.constexpr, DILATION_H: tl.constexpr, DILATION_W: tl.constexpr,
                  IS_TRANSPOSED: tl.constexpr, SUM: tl.constexpr, TILE_M: tl.constexpr, TILE_N: tl.constexpr,
                  TILE_K: tl.constexpr, TAIL: tl.constexpr):
    """A product of filters [filters, channels * taps] and the inputs that they see, [channels * taps, pixels], for each image
    and group. `channels` and `filters` are those of one group, depth = channels * taps, volume = deep * height * width; filter_step and
    channel_step are the strides of the weights."""
    taps: tl.constexpr = KERNEL_D * KERNEL_H * KERNEL_W
    tiles_m = tl.cdiv(filters, TILE_M)
    tiles_n = tl.cdiv(pixels, TILE_N)
    tile_m = tl.program_id(0) % tiles_m
    tile_n = tl.program_id(0) // tiles_m % tiles_n
    image_group = tl.program_id(0) // (tiles_m * tiles_n)
    group = image_group % groups
    x_ptr += image_group.to(tl.int64) * channels * volume
    filter_ptr += group.to(tl.int64) * filters * depth
    out_ptr += image_group.to(tl.int64) * filters * pixels

    at_m = tile_m * TILE_M + tl.arange(0, TILE_M)
    at_n = tile_n * TILE_N + tl.arange(0, TILE_N)
    out_z = at_n // (out_height * out_width)
    out_y = at_n // out_width % out_height
    out_x = at_n % out_width
    total = tl.zeros((TILE_M, TILE_N), dtype=SUM)
    for start in range(0, depth, TILE_K):
        at_k = start + tl.arange(0, TILE_K)
        channel = at_k // taps
        tap = at_k % taps
        a = tl.load(filter_ptr + at_m[:, None] * filter_step + (channel * channel_step + tap)[None, :],
                    mask=(at_m[:, None] < filters) & (at_k[None, :] < depth), other=0.0)
        z, has_z = place(out_z[None, :], (tap // (KERNEL_H * KERNEL_W))[:, None], deep, STRIDE_D, PADDING_D, DILATION_D, IS_TRANSPOSED)
        y, has_y = place(out_y[None, :], (tap // KERNEL_W % KERNEL_H)[:, None], height, STRIDE_H, PADDING_H, DILATION_H, IS_TRANSPOSED)
        x, has_x = place(out_x[None, :], (tap % KERNEL_W)[:, None], width, STRIDE_W, PADDING_W, DILATION_W, IS_TRANSPOSED)
        inside = (at_k[:, None] < depth) & (at_n[None, :] < pixels) & has_z & has_y & has_x
        b = tl.load(x_ptr + channel[:, None] * volume + (z * height + y) * width + x, mask=inside, other=0.0)
        total = tl.dot(a, b, total, input_precision="ieee", out_dtype=SUM)
    if bias_ptr is not None:
        total += tl.load(bias_ptr + group * filters + at_m, mask=at_m < filters, other=0.0).to(SUM)[:, None]
    inside = (at_m[:, None] < filters) & (at_n[None, :] < pixels)
    offsets = (image_group.to(tl.int64) * filters + at_m)[:, None] * pixels + at_n[None, :]
    total = tail(total, offsets, inside, TAIL)
    tl.store(out_ptr + at_m[:, None] * pixels + at_n[None, :], total.to(out_ptr.dtype.element_ty), mask=inside)
