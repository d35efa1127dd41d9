"""Transposed convolutions over [image, channel, depth, row, column]; those of fewer dimensions have sizes of 1 in front. Sums are in
float32 (float64 for float64)."""
import triton
import triton.language as tl


@triton.jit
def tail(value, offsets, in_range, TAIL: tl.constexpr):
    """Elements of the result before they are stored, where `offsets` lie in it: a group of operators puts its own function here."""
    return value


@triton.jit
def origin(out, tap, size, STRIDE: tl.constexpr, PADDING: tl.constexpr, DILATION: tl.constexpr):
    """Along one dimension: which element of the input reaches one of the output through a tap, and whether there is one."""
    reached = out + PADDING - tap * DILATION
    at = reached // STRIDE
    return at, (reached >= 0) & (at < size) & (reached == at * STRIDE)


@triton.jit
def gather_kernel(x_ptr, filter_ptr, bias_ptr, out_ptr, groups, channels, filters, depth, deep, height, width, volume,
                  out_height, out_width, pixels, KERNEL_D: tl.constexpr, KERNEL_H: tl.constexpr, KERNEL_W: tl.constexpr,
                  STRIDE_D: tl.constexpr, STRIDE_H: tl.constexpr, STRIDE_W: tl.constexpr, PADDING_D: tl.constexpr, PADDING_H: tl.constexpr,
                  PADDING_W: tl.constexpr, DILATION_D: tl.constexpr, DILATION_H: tl.constexpr, DILATION_W: tl.constexpr,
                  IS_VOLUME: tl.constexpr, SUM: tl.constexpr, PRECISION: tl.constexpr, TF32_SCALE: tl.constexpr, TILE_M: tl.constexpr,
                  TILE_N: tl.constexpr, TILE_K: tl.constexpr, TAIL: tl.constexpr):
    """A product of filters [filters, channels * taps] and the inputs that reach each element of the output, [channels * taps, pixels],
    for each image and group. `channels` and `filters` are those of one group, depth = channels * taps, volume = deep * height * width.
    Filters are stored as [channels, filters, taps]."""
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
    out_x = at_n % out_width
    if IS_VOLUME:
        out_y = at_n // out_width % out_height
        out_z = at_n // (out_height * out_width)
    else:
        out_y = at_n // out_width
    total = tl.zeros((TILE_M, TILE_N), dtype=SUM)
    for start in range(0, depth, TILE_K):
        at_k = start + tl.arange(0, TILE_K)
        channel = at_k // taps
        tap = at_k % taps
        a = tl.load(filter_ptr + at_m[:, None] * taps + (channel * (filters * taps) + tap)[None, :],
                    mask=(at_m[:, None] < filters) & (at_k[None, :] < depth), other=0.0)
        y, has_y = origin(out_y[None, :], (tap // KERNEL_W % KERNEL_H)[:, None], height, STRIDE_H, PADDING_H, DILATION_H)
        x, has_x = origin(out_x[None, :], (tap % KERNEL_W)[:, None], width, STRIDE_W, PADDING_W, DILATION_W)
        inside = (at_k[:, None] < depth) & (at_n[None, :] < pixels) & has_y & has_x
        row = y
        if IS_VOLUME:
            z, has_z = origin(out_z[None, :], (tap // (KERNEL_H * KERNEL_W))[:, None], deep, STRIDE_D, PADDING_D, DILATION_D)
            inside = inside & has_z
            row = z * height + y
        b = tl.load(x_ptr + channel[:, None] * volume + row * width + x, mask=inside, other=0.0)
        if TF32_SCALE is not None:
            total = tl.dot(a * TF32_SCALE, b * TF32_SCALE, total, input_precision=PRECISION, out_dtype=SUM)
        else:
            total = tl.dot(a, b, total, input_precision=PRECISION, out_dtype=SUM)
    if bias_ptr is not None:
        total += tl.load(bias_ptr + group * filters + at_m, mask=at_m < filters, other=0.0).to(SUM)[:, None]
    inside = (at_m[:, None] < filters) & (at_n[None, :] < pixels)
    offsets = (image_group.to(tl.int64) * filters + at_m)[:, None] * pixels + at_n[None, :]
    total = tail(total, offsets, inside, TAIL)
    tl.store(out_ptr + at_m[:, None] * pixels + at_n[None, :], total.to(out_ptr.dtype.element_ty), mask=inside)


@triton.jit
def collect_kernel(spread_ptr, bias_ptr, out_ptr, filters, deep, height, width, out_height, out_width, pixels, KERNEL_D: tl.constexpr,
                   KERNEL_H: tl.constexpr, KERNEL_W: tl.constexpr, STRIDE_D: tl.constexpr, STRIDE_H: tl.constexpr, STRIDE_W: tl.constexpr,
                   PADDING_D: tl.constexpr, PADDING_H: tl.constexpr, PADDING_W: tl.constexpr, DILATION_D: tl.constexpr,
                   DILATION_H: tl.constexpr, DILATION_W: tl.constexpr, IS_VOLUME: tl.constexpr, SUM: tl.constexpr,
                   TILE: tl.constexpr, TAIL: tl.constexpr):
    """TILE neighbouring elements of one volume of the output: sums of all that reaches them out of spread[image, filter, tap, element of
    the input], in the order of taps."""
    tiles = tl.cdiv(pixels, TILE)
    volume = tl.program_id(0) // tiles
    at = tl.program_id(0) % tiles * TILE + tl.arange(0, TILE)
    spread_ptr += volume.to(tl.int64) * (KERNEL_D * KERNEL_H * KERNEL_W) * (deep * height * width)
    out_x = at % out_width
    if IS_VOLUME:
        out_y = at // out_width % out_height
        out_z = at // (out_height * out_width)
    else:
        out_y = at // out_width
    total = tl.zeros((TILE,), dtype=SUM)
    for step in range(KERNEL_D * KERNEL_H):
        row, is_row = origin(out_y, step % KERNEL_H, height, STRIDE_H, PADDING_H, DILATION_H)
        if IS_VOLUME:
            z, has_z = origin(out_z, step // KERNEL_H, deep, STRIDE_D, PADDING_D, DILATION_D)
            is_row = is_row & has_z
            row += z * height
        is_row = is_row & (at < pixels)
        for dx in tl.static_range(KERNEL_W):
            x, has_x = origin(out_x, dx, width, STRIDE_W, PADDING_W, DILATION_W)
            place = (step * KERNEL_W + dx) * (deep * height * width) + row * width + x
            total += tl.load(spread_ptr + place, mask=is_row & has_x, other=0.0)
    if bias_ptr is not None:
        total += tl.load(bias_ptr + volume % filters).to(SUM)
    offsets = volume.to(tl.int64) * pixels + at
    total = tail(total, offsets, at < pixels, TAIL)
    tl.store(out_ptr + offsets, total.to(out_ptr.dtype.element_ty), mask=at < pixels)
