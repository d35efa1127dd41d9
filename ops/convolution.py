"""Convolutions over [image, channel, row, column]; those of one dimension have one row. Sums are in float32 (float64 for float64)."""
import triton
import triton.language as tl


@triton.jit
def convolution_kernel(x_ptr, filter_ptr, bias_ptr, out_ptr, groups, channels, filters, depth, height, width, area, out_width, pixels,
                       KERNEL_H: tl.constexpr, KERNEL_W: tl.constexpr, STRIDE_H: tl.constexpr, STRIDE_W: tl.constexpr,
                       PADDING_H: tl.constexpr, PADDING_W: tl.constexpr, DILATION_H: tl.constexpr, DILATION_W: tl.constexpr,
                       SUM: tl.constexpr, TILE_M: tl.constexpr, TILE_N: tl.constexpr, TILE_K: tl.constexpr):
    """A product of filters [filters, channels * taps] and the inputs that they see, [channels * taps, pixels], for each image
    and group; `channels` and `filters` are those of one group. depth = channels * taps and area = height * width are arguments
    because the compiler then knows what divides them."""
    taps: tl.constexpr = KERNEL_H * KERNEL_W
    tiles_m = tl.cdiv(filters, TILE_M)
    tiles_n = tl.cdiv(pixels, TILE_N)
    # Neighbours in time share the input.
    tile_m = tl.program_id(0) % tiles_m
    tile_n = tl.program_id(0) // tiles_m % tiles_n
    image_group = tl.program_id(0) // (tiles_m * tiles_n)
    group = image_group % groups
    x_ptr += image_group.to(tl.int64) * channels * area
    filter_ptr += group.to(tl.int64) * filters * depth
    out_ptr += image_group.to(tl.int64) * filters * pixels

    at_m = tile_m * TILE_M + tl.arange(0, TILE_M)
    at_n = tile_n * TILE_N + tl.arange(0, TILE_N)
    is_pointwise: tl.constexpr = taps == 1 and STRIDE_H * STRIDE_W == 1 and PADDING_H + PADDING_W == 0
    top = at_n // out_width * STRIDE_H - PADDING_H
    left = at_n % out_width * STRIDE_W - PADDING_W
    total = tl.zeros((TILE_M, TILE_N), dtype=SUM)
    for start in range(0, depth, TILE_K):
        at_k = start + tl.arange(0, TILE_K)
        a = tl.load(filter_ptr + at_m[:, None] * depth + at_k[None, :], mask=(at_m[:, None] < filters) & (at_k[None, :] < depth), other=0.0)
        inside = (at_k[:, None] < depth) & (at_n[None, :] < pixels)
        if is_pointwise:
            b = tl.load(x_ptr + at_k[:, None] * pixels + at_n[None, :], mask=inside, other=0.0)
        else:
            tap = at_k % taps
            y = top[None, :] + (tap // KERNEL_W * DILATION_H)[:, None]
            x = left[None, :] + (tap % KERNEL_W * DILATION_W)[:, None]
            inside = inside & (y >= 0) & (y < height) & (x >= 0) & (x < width)
            b = tl.load(x_ptr + (at_k // taps)[:, None] * area + y * width + x, mask=inside, other=0.0)
        total = tl.dot(a, b, total, input_precision="ieee", out_dtype=SUM)
    if bias_ptr is not None:
        total += tl.load(bias_ptr + group * filters + at_m, mask=at_m < filters, other=0.0).to(SUM)[:, None]
    tl.store(out_ptr + at_m[:, None] * pixels + at_n[None, :], total.to(out_ptr.dtype.element_ty),
             mask=(at_m[:, None] < filters) & (at_n[None, :] < pixels))


@triton.jit
def depthwise_kernel(x_ptr, filter_ptr, bias_ptr, out_ptr, filters, multiplier, height, width, out_height, out_width,
                     KERNEL_H: tl.constexpr, KERNEL_W: tl.constexpr, STRIDE_H: tl.constexpr, STRIDE_W: tl.constexpr,
                     PADDING_H: tl.constexpr, PADDING_W: tl.constexpr, DILATION_H: tl.constexpr, DILATION_W: tl.constexpr,
                     SUM: tl.constexpr, TILE_H: tl.constexpr, TILE_W: tl.constexpr):
    """Each group has one channel and `multiplier` filters: every plane of the output sees one plane of the input."""
    tiles_w = tl.cdiv(out_width, TILE_W)
    tiles = tl.cdiv(out_height, TILE_H) * tiles_w
    plane = tl.program_id(0) // tiles
    tile = tl.program_id(0) % tiles
    row = tile // tiles_w * TILE_H + tl.arange(0, TILE_H)
    column = tile % tiles_w * TILE_W + tl.arange(0, TILE_W)
    number = plane % filters
    x_ptr += (plane // multiplier).to(tl.int64) * height * width
    total = tl.zeros((TILE_H, TILE_W), dtype=SUM)
    for dy in range(KERNEL_H):
        y = row * STRIDE_H - PADDING_H + dy * DILATION_H
        for dx in tl.static_range(KERNEL_W):
            x = column * STRIDE_W - PADDING_W + dx * DILATION_W
            weight = tl.load(filter_ptr + (number * KERNEL_H + dy) * KERNEL_W + dx).to(SUM)
            inside = ((y >= 0) & (y < height))[:, None] & ((x >= 0) & (x < width))[None, :]
            total += tl.load(x_ptr + y[:, None] * width + x[None, :], mask=inside, other=0.0).to(SUM) * weight
    if bias_ptr is not None:
        total += tl.load(bias_ptr + number).to(SUM)
    out_ptr += plane.to(tl.int64) * out_height * out_width
    tl.store(out_ptr + row[:, None] * out_width + column[None, :], total.to(out_ptr.dtype.element_ty),
             mask=(row < out_height)[:, None] & (column < out_width)[None, :])
