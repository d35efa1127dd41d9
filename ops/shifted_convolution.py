"""Convolutions over [image, channel, depth, row, column] whose windows move by single elements, for GPUs. All sizes are known."""
import triton
import triton.language as tl


@triton.jit
def tail(value, offsets, in_range, TAIL: tl.constexpr):
    """Elements of the result before they are stored, where `offsets` lie in it: a group of operators puts its own function here."""
    return value


@triton.jit
def widen_kernel(x_ptr, out_ptr, deep, height, width, padded_deep, padded_height, row, channels, first_image, KERNEL_D: tl.constexpr,
                 KERNEL_H: tl.constexpr, KERNEL_W: tl.constexpr, STRIDE_D: tl.constexpr, STRIDE_H: tl.constexpr, STRIDE_W: tl.constexpr,
                 PADDING_D: tl.constexpr, PADDING_H: tl.constexpr, PADDING_W: tl.constexpr, DILATION_D: tl.constexpr, DILATION_H: tl.constexpr,
                 DILATION_W: tl.constexpr, IS_VOLUME: tl.constexpr, TILE: tl.constexpr):
    """out[image and group, channel, KERNEL_W, padded_deep, padded_height, row]: the input as the first pixel of each row sees it through
    each column of the window, with padding in front and behind; columns of `row` that no pixel has are whatever comes."""
    plane = padded_deep * padded_height * row
    tiles = tl.cdiv(plane, TILE)
    number = tl.program_id(0) // tiles
    at = tl.program_id(0) % tiles * TILE + tl.arange(0, TILE)
    x = at % row + number % KERNEL_W * DILATION_W - PADDING_W
    y = at // row
    inside = (at < plane) & (x >= 0) & (x < width)
    x_ptr += (first_image * channels + number // KERNEL_W).to(tl.int64) * (deep * height * width)
    if IS_VOLUME:
        z = y // padded_height - PADDING_D
        y = y % padded_height - PADDING_H
        inside = inside & (z >= 0) & (z < deep)
        line = z * height + y
    else:
        y = y - PADDING_H
        line = y
    inside = inside & (y >= 0) & (y < height)
    seen = tl.load(x_ptr + line * width + x, mask=inside, other=0.0)
    tl.store(out_ptr + number.to(tl.int64) * plane + at, seen, mask=at < plane)


@triton.jit
def shifted_kernel(x_ptr, filter_ptr, bias_ptr, out_ptr, groups, channels, filters, padded_deep, padded_height, row, out_deep, out_height, out_width,
                   first_image, KERNEL_D: tl.constexpr, KERNEL_H: tl.constexpr, KERNEL_W: tl.constexpr, STRIDE_D: tl.constexpr,
                   STRIDE_H: tl.constexpr, STRIDE_W: tl.constexpr, PADDING_D: tl.constexpr, PADDING_H: tl.constexpr, PADDING_W: tl.constexpr,
                   DILATION_D: tl.constexpr, DILATION_H: tl.constexpr, DILATION_W: tl.constexpr, IS_VOLUME: tl.constexpr, SUM: tl.constexpr,
                   PRECISION: tl.constexpr, TF32_SCALE: tl.constexpr, SPLITS: tl.constexpr, SPLIT_DEPTH: tl.constexpr, TILE_M: tl.constexpr,
                   TILE_N: tl.constexpr, TILE_K: tl.constexpr, TAIL: tl.constexpr):
    """A product of filters [filters, channels * taps] and widen_kernel's copy, of which each tap reads places from another row on. Places are
    those of the output's planes in rows of the copy; of some there is no pixel, and they are not stored. Parts of sums (SPLITS) are as in
    convolution_kernel."""
    pixels = out_deep * out_height * out_width
    places = out_deep * padded_height * row
    plane = padded_deep * padded_height * row
    taps: tl.constexpr = KERNEL_D * KERNEL_H * KERNEL_W
    depth = channels * taps
    program = tl.program_id(0)
    begin = 0
    end = depth
    split = 0
    if SPLITS > 1:
        split = program % SPLITS
        program = program // SPLITS
        begin = split * SPLIT_DEPTH
        end = min(begin + SPLIT_DEPTH, depth)
    tiles_m = tl.cdiv(filters, TILE_M)
    tiles_n = tl.cdiv(places, TILE_N)
    # Neighbours in time share the input.
    tile_m = program % tiles_m
    tile_n = program // tiles_m % tiles_n
    image_group = program // (tiles_m * tiles_n)
    x_ptr += image_group.to(tl.int64) * (channels * KERNEL_W) * plane
    image_group += first_image
    group = image_group % groups
    filter_ptr += group.to(tl.int64) * filters * depth
    out_ptr += (image_group.to(tl.int64) * SPLITS + split) * filters * pixels

    at_m = tile_m * TILE_M + tl.arange(0, TILE_M)
    at_n = tile_n * TILE_N + tl.arange(0, TILE_N)
    total = tl.zeros((TILE_M, TILE_N), dtype=SUM)
    for start in range(begin, end, TILE_K):
        at_k = start + tl.arange(0, TILE_K)
        a = tl.load(filter_ptr + at_m[:, None] * depth + at_k[None, :], mask=(at_m[:, None] < filters) & (at_k[None, :] < depth), other=0.0)
        copy = at_k // taps * KERNEL_W + at_k % KERNEL_W
        line = at_k // KERNEL_W % KERNEL_H * DILATION_H
        if IS_VOLUME:
            line += at_k % taps // (KERNEL_H * KERNEL_W) * (DILATION_D * padded_height)
        shift = copy * plane + line * row
        b = tl.load(x_ptr + shift[:, None] + at_n[None, :], mask=(at_k[:, None] < depth) & (at_n[None, :] < places), other=0.0)
        if TF32_SCALE is not None:
            total = tl.dot(a * TF32_SCALE, b * TF32_SCALE, total, input_precision=PRECISION, out_dtype=SUM)
        else:
            total = tl.dot(a, b, total, input_precision=PRECISION, out_dtype=SUM)
    if bias_ptr is not None:
        total += tl.load(bias_ptr + group * filters + at_m, mask=at_m < filters, other=0.0).to(SUM)[:, None]
    x = at_n % row
    line = at_n // row
    y = line % padded_height
    is_pixel = (x < out_width) & (y < out_height) & (at_n < places)
    if IS_VOLUME:
        line = line // padded_height * out_height + y
    pixel = line * out_width + x
    inside = (at_m[:, None] < filters) & is_pixel[None, :]
    offsets = (image_group.to(tl.int64) * filters + at_m)[:, None] * pixels + pixel[None, :]
    total = tail(total, offsets, inside, TAIL)
    tl.store(out_ptr + at_m[:, None] * pixels + pixel[None, :], total.to(out_ptr.dtype.element_ty), mask=inside)
