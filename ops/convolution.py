"""Convolutions over [image, channel, depth, row, column]; those of fewer dimensions have sizes of 1 in front. Sums are in float32 (float64 for float64)."""
import triton
import triton.language as tl


@triton.jit
def tail(value, offsets, in_range, TAIL: tl.constexpr):
    """Elements of the result before they are stored, where `offsets` lie in it: a group of operators puts its own function here."""
    return value


@triton.jit
def corner(pixel, out_height, out_width, STRIDE_D: tl.constexpr, STRIDE_H: tl.constexpr, STRIDE_W: tl.constexpr, PADDING_D: tl.constexpr,
           PADDING_H: tl.constexpr, PADDING_W: tl.constexpr, IS_VOLUME: tl.constexpr):
    """Depth, row and column of the first element that a pixel sees; it may lie in the padding."""
    left = pixel % out_width * STRIDE_W - PADDING_W
    if IS_VOLUME:
        row = pixel // out_width
        return row // out_height * STRIDE_D - PADDING_D, row % out_height * STRIDE_H - PADDING_H, left
    else:
        return 0, pixel // out_width * STRIDE_H - PADDING_H, left


@triton.jit
def load_inputs(x_ptr, at_k, at_n, front, top, left, depth, deep, height, width, area, pixels, KERNEL_D: tl.constexpr, KERNEL_H: tl.constexpr,
                KERNEL_W: tl.constexpr, DILATION_D: tl.constexpr, DILATION_H: tl.constexpr, DILATION_W: tl.constexpr, IS_VOLUME: tl.constexpr,
                IS_POINTWISE: tl.constexpr):
    """What the pixels at_n, whose corners are given, see through the taps at_k = channel * taps + tap."""
    if IS_POINTWISE:
        return tl.load(x_ptr + at_k[:, None] * area + at_n[None, :], mask=(at_k[:, None] < depth) & (at_n[None, :] < area), other=0.0)
    else:
        inside = (at_k[:, None] < depth) & (at_n[None, :] < pixels)
        taps: tl.constexpr = KERNEL_D * KERNEL_H * KERNEL_W
        tap = at_k % taps
        x = left[None, :] + (tap % KERNEL_W * DILATION_W)[:, None]
        if IS_VOLUME:
            y = top[None, :] + (tap // KERNEL_W % KERNEL_H * DILATION_H)[:, None]
            z = front[None, :] + (tap // (KERNEL_H * KERNEL_W) * DILATION_D)[:, None]
            inside = inside & (z >= 0) & (z < deep)
            row = z * height + y
        else:
            y = top[None, :] + (tap // KERNEL_W * DILATION_H)[:, None]
            row = y
        inside = inside & (y >= 0) & (y < height) & (x >= 0) & (x < width)
        return tl.load(x_ptr + (at_k // taps)[:, None] * area + row * width + x, mask=inside, other=0.0)


@triton.jit
def convolution_kernel(x_ptr, filter_ptr, bias_ptr, out_ptr, groups, channels, filters, depth, deep, height, width, area, out_height, out_width,
                       pixels, first_image, first_pixel, part_pixels, KERNEL_D: tl.constexpr, KERNEL_H: tl.constexpr, KERNEL_W: tl.constexpr, STRIDE_D: tl.constexpr,
                       STRIDE_H: tl.constexpr, STRIDE_W: tl.constexpr, PADDING_D: tl.constexpr, PADDING_H: tl.constexpr, PADDING_W: tl.constexpr,
                       DILATION_D: tl.constexpr, DILATION_H: tl.constexpr, DILATION_W: tl.constexpr,
                       IS_VOLUME: tl.constexpr, IS_TRANSPOSED: tl.constexpr, SUM: tl.constexpr, PRECISION: tl.constexpr, TF32_SCALE: tl.constexpr,
                       SPLITS: tl.constexpr, SPLIT_DEPTH: tl.constexpr, LOADS_AHEAD: tl.constexpr, TILE_M: tl.constexpr, TILE_N: tl.constexpr,
                       TILE_K: tl.constexpr, TAIL: tl.constexpr):
    """A product of filters [filters, channels * taps], or the transpose of [channels * taps, filters] if IS_TRANSPOSED, and the
    inputs that they see, [channels * taps, pixels], for each image and group; `channels` and `filters` are those of one group.
    depth = channels * taps and area = deep * height * width are arguments because the compiler then knows what divides them. With
    SPLITS > 1 each program sums over SPLIT_DEPTH of depth, a multiple of TILE_K, and out[image, group, split] is for finish_kernel.
    LOADS_AHEAD: inputs are in registers an iteration before their product. Inputs may be those of a part only: part_pixels (None: all)
    from first_pixel on of images (and groups) from first_image on."""
    is_pointwise: tl.constexpr = (KERNEL_D * KERNEL_H * KERNEL_W == 1 and STRIDE_D * STRIDE_H * STRIDE_W == 1
                                  and PADDING_D + PADDING_H + PADDING_W == 0)
    program = tl.program_id(0)
    begin = 0
    end = depth
    split = 0
    if SPLITS > 1:
        split = program % SPLITS
        program = program // SPLITS
        begin = split * SPLIT_DEPTH
        end = min(begin + SPLIT_DEPTH, depth)
    if part_pixels is None:
        here = pixels
    else:
        here = part_pixels
    tiles_m = tl.cdiv(filters, TILE_M)
    tiles_n = tl.cdiv(here, TILE_N)
    # Neighbours in time share the input.
    tile_m = program % tiles_m
    tile_n = program // tiles_m % tiles_n
    image_group = program // (tiles_m * tiles_n)
    x_ptr += image_group.to(tl.int64) * channels * area
    image_group += first_image
    group = image_group % groups
    filter_ptr += group.to(tl.int64) * filters * depth
    out_ptr += (image_group.to(tl.int64) * SPLITS + split) * filters * pixels

    at_m = tile_m * TILE_M + tl.arange(0, TILE_M)
    at_n = tile_n * TILE_N + tl.arange(0, TILE_N)
    k = tl.arange(0, TILE_K)
    front, top, left = corner(at_n, out_height, out_width, STRIDE_D, STRIDE_H, STRIDE_W, PADDING_D, PADDING_H, PADDING_W, IS_VOLUME)
    total = tl.zeros((TILE_M, TILE_N), dtype=SUM)
    if LOADS_AHEAD:
        b = load_inputs(x_ptr, begin + k, at_n, front, top, left, depth, deep, height, width, area, here, KERNEL_D, KERNEL_H, KERNEL_W,
                        DILATION_D, DILATION_H, DILATION_W, IS_VOLUME, is_pointwise)
    for start in range(begin, end, TILE_K):
        at_k = start + k
        if IS_TRANSPOSED:
            filter_tile = filter_ptr + at_m[:, None] + at_k[None, :] * filters
        else:
            filter_tile = filter_ptr + at_m[:, None] * depth + at_k[None, :]
        a = tl.load(filter_tile, mask=(at_m[:, None] < filters) & (at_k[None, :] < depth), other=0.0)
        if LOADS_AHEAD:
            next_b = load_inputs(x_ptr, at_k + TILE_K, at_n, front, top, left, depth, deep, height, width, area, here, KERNEL_D, KERNEL_H,
                                 KERNEL_W, DILATION_D, DILATION_H, DILATION_W, IS_VOLUME, is_pointwise)
        else:
            b = load_inputs(x_ptr, at_k, at_n, front, top, left, depth, deep, height, width, area, here, KERNEL_D, KERNEL_H, KERNEL_W,
                            DILATION_D, DILATION_H, DILATION_W, IS_VOLUME, is_pointwise)
        if TF32_SCALE is not None:
            total = tl.dot(a * TF32_SCALE, b * TF32_SCALE, total, input_precision=PRECISION, out_dtype=SUM)
        else:
            total = tl.dot(a, b, total, input_precision=PRECISION, out_dtype=SUM)
        if LOADS_AHEAD:
            b = next_b
    if bias_ptr is not None:
        total += tl.load(bias_ptr + group * filters + at_m, mask=at_m < filters, other=0.0).to(SUM)[:, None]
    inside = (at_m[:, None] < filters) & (at_n[None, :] < here)
    pixel = first_pixel + at_n
    offsets = (image_group.to(tl.int64) * filters + at_m)[:, None] * pixels + pixel[None, :]
    total = tail(total, offsets, inside, TAIL)
    tl.store(out_ptr + at_m[:, None] * pixels + pixel[None, :], total.to(out_ptr.dtype.element_ty), mask=inside)


@triton.jit
def window_kernel(x_ptr, filter_ptr, bias_ptr, out_ptr, groups, channels, filters, depth, deep, height, width, out_deep, out_height,
                  out_width, KERNEL_D: tl.constexpr, KERNEL_H: tl.constexpr, KERNEL_W: tl.constexpr, STRIDE_D: tl.constexpr,
                  STRIDE_H: tl.constexpr, STRIDE_W: tl.constexpr, PADDING_D: tl.constexpr, PADDING_H: tl.constexpr, PADDING_W: tl.constexpr,
                  DILATION_D: tl.constexpr, DILATION_H: tl.constexpr, DILATION_W: tl.constexpr, IS_VOLUME: tl.constexpr,
                  SUM: tl.constexpr, TILE_M: tl.constexpr, TILE_H: tl.constexpr, TILE_W: tl.constexpr,
                  TILE_K: tl.constexpr, TAIL: tl.constexpr):
    """The same for CPUs: a program's pixels are a rectangle of one plane, so that neighbours see neighbours, and where a row ends and what
    lies outside is found once for a row."""
    tiles_m = tl.cdiv(filters, TILE_M)
    tiles_h = tl.cdiv(out_height, TILE_H)
    tiles_w = tl.cdiv(out_width, TILE_W)
    program = tl.program_id(0)
    tile_m = program % tiles_m
    tile_w = program // tiles_m % tiles_w
    tile_h = program // (tiles_m * tiles_w) % tiles_h
    image_group = program // (tiles_m * tiles_w * tiles_h)
    volume = deep * height * width
    pixels = out_deep * out_height * out_width
    first_pixel = 0
    if IS_VOLUME:
        plane = image_group % out_deep
        image_group = image_group // out_deep
        front = plane * STRIDE_D - PADDING_D
        first_pixel = plane * (out_height * out_width)
    group = image_group % groups
    x_ptr += image_group.to(tl.int64) * channels * volume
    filter_ptr += group.to(tl.int64) * filters * depth
    out_ptr += image_group.to(tl.int64) * filters * pixels + first_pixel

    at_m = tile_m * TILE_M + tl.arange(0, TILE_M)
    row = tile_h * TILE_H + tl.arange(0, TILE_H)
    column = tile_w * TILE_W + tl.arange(0, TILE_W)
    top = (row * STRIDE_H - PADDING_H)[None, :, None]
    left = (column * STRIDE_W - PADDING_W)[None, None, :]
    k = tl.arange(0, TILE_K)
    taps: tl.constexpr = KERNEL_D * KERNEL_H * KERNEL_W
    total = tl.zeros((TILE_M, TILE_H * TILE_W), dtype=SUM)
    for start in range(0, depth, TILE_K):
        at_k = start + k
        a = tl.load(filter_ptr + at_m[:, None] * depth + at_k[None, :], mask=(at_m[:, None] < filters) & (at_k[None, :] < depth), other=0.0)
        tap = at_k % taps
        is_there = at_k < depth
        plane_start = at_k // taps * volume
        tap_row = tap // KERNEL_W
        if IS_VOLUME:
            z = front + tap_row // KERNEL_H * DILATION_D
            is_there = is_there & (z >= 0) & (z < deep)
            plane_start += z * (height * width)
            tap_row = tap_row % KERNEL_H
        y = top + (tap_row * DILATION_H)[:, None, None]
        x = left + (tap % KERNEL_W * DILATION_W)[:, None, None]
        inside = is_there[:, None, None] & (y >= 0) & (y < height) & (x >= 0) & (x < width)
        seen = tl.load(x_ptr + plane_start[:, None, None] + y * width + x, mask=inside, other=0.0)
        total = tl.dot(a, tl.reshape(seen, (TILE_K, TILE_H * TILE_W)), total, input_precision="ieee", out_dtype=SUM)
    total = tl.reshape(total, (TILE_M, TILE_H, TILE_W))
    if bias_ptr is not None:
        total += tl.load(bias_ptr + group * filters + at_m, mask=at_m < filters, other=0.0).to(SUM)[:, None, None]
    inside = (at_m < filters)[:, None, None] & (row < out_height)[None, :, None] & (column < out_width)[None, None, :]
    pixel = (row * out_width)[None, :, None] + column[None, None, :]
    filter_row = at_m[:, None, None] * pixels
    total = tail(total, image_group.to(tl.int64) * filters * pixels + (first_pixel + filter_row + pixel), inside, TAIL)
    tl.store(out_ptr + (filter_row + pixel), total.to(out_ptr.dtype.element_ty), mask=inside)


@triton.jit
def unfold_kernel(x_ptr, out_ptr, channels, depth, deep, height, width, area, out_height, out_width, pixels, row, first_image, first_pixel,
                  KERNEL_D: tl.constexpr, KERNEL_H: tl.constexpr, KERNEL_W: tl.constexpr, STRIDE_D: tl.constexpr,
                  STRIDE_H: tl.constexpr, STRIDE_W: tl.constexpr, PADDING_D: tl.constexpr, PADDING_H: tl.constexpr, PADDING_W: tl.constexpr,
                  DILATION_D: tl.constexpr, DILATION_H: tl.constexpr, DILATION_W: tl.constexpr,
                  IS_VOLUME: tl.constexpr, TILE_K: tl.constexpr, TILE_N: tl.constexpr):
    """out[image and group, depth, row]: what each pixel sees, from first_pixel on, as input of a convolution with windows of one
    element. Between the last pixel and `row` is 0."""
    tiles_k = tl.cdiv(depth, TILE_K)
    tiles_n = tl.cdiv(row, TILE_N)
    tile_n = tl.program_id(0) % tiles_n
    tile_k = tl.program_id(0) // tiles_n % tiles_k
    image_group = tl.program_id(0) // (tiles_n * tiles_k)
    x_ptr += (first_image + image_group).to(tl.int64) * channels * area
    out_ptr += image_group.to(tl.int64) * depth * row
    at_k = tile_k * TILE_K + tl.arange(0, TILE_K)
    at_n = tile_n * TILE_N + tl.arange(0, TILE_N)
    pixel = first_pixel + at_n
    front, top, left = corner(pixel, out_height, out_width, STRIDE_D, STRIDE_H, STRIDE_W, PADDING_D, PADDING_H, PADDING_W, IS_VOLUME)
    seen = load_inputs(x_ptr, at_k, pixel, front, top, left, depth, deep, height, width, area, pixels, KERNEL_D, KERNEL_H, KERNEL_W,
                       DILATION_D, DILATION_H, DILATION_W, IS_VOLUME, False)
    tl.store(out_ptr + at_k[:, None] * row + at_n[None, :], seen, mask=(at_k[:, None] < depth) & (at_n[None, :] < row))


@triton.jit
def depthwise_row(total, x_ptr, filter_ptr, y, is_row, column, width, KERNEL_W: tl.constexpr, STRIDE_W: tl.constexpr, PADDING_W: tl.constexpr,
                  DILATION_W: tl.constexpr):
    """`total` and what a row of the window sees; y: rows of the input, where there is one."""
    for dx in tl.static_range(KERNEL_W):
        x = column * STRIDE_W - PADDING_W + dx * DILATION_W
        weight = tl.load(filter_ptr + dx).to(total.dtype)
        inside = is_row[:, None] & ((x >= 0) & (x < width))[None, :]
        total += tl.load(x_ptr + y[:, None] * width + x[None, :], mask=inside, other=0.0).to(total.dtype) * weight
    return total


@triton.jit
def depthwise_kernel(x_ptr, filter_ptr, bias_ptr, out_ptr, filters, multiplier, deep, height, width, out_deep, out_height, out_width,
                     KERNEL_D: tl.constexpr, KERNEL_H: tl.constexpr, KERNEL_W: tl.constexpr, STRIDE_D: tl.constexpr,
                     STRIDE_H: tl.constexpr, STRIDE_W: tl.constexpr, PADDING_D: tl.constexpr, PADDING_H: tl.constexpr, PADDING_W: tl.constexpr,
                     DILATION_D: tl.constexpr, DILATION_H: tl.constexpr, DILATION_W: tl.constexpr,
                     IS_VOLUME: tl.constexpr, SUM: tl.constexpr, TILE_H: tl.constexpr, TILE_W: tl.constexpr, TAIL: tl.constexpr):
    """Each group has one channel and `multiplier` filters: every volume of the output sees one volume of the input."""
    tiles_w = tl.cdiv(out_width, TILE_W)
    tiles = tl.cdiv(out_height, TILE_H) * tiles_w
    plane = tl.program_id(0) // tiles
    tile = tl.program_id(0) % tiles
    row = tile // tiles_w * TILE_H + tl.arange(0, TILE_H)
    column = tile % tiles_w * TILE_W + tl.arange(0, TILE_W)
    volume = plane
    if IS_VOLUME:
        volume = plane // out_deep
        front = plane % out_deep * STRIDE_D - PADDING_D
    number = volume % filters
    x_ptr += (volume // multiplier).to(tl.int64) * deep * height * width
    filter_ptr += number * (KERNEL_D * KERNEL_H * KERNEL_W)
    top = row * STRIDE_H - PADDING_H
    total = tl.zeros((TILE_H, TILE_W), dtype=SUM)
    if IS_VOLUME:
        for dz in range(KERNEL_D):
            z = front + dz * DILATION_D
            for dy in tl.static_range(KERNEL_H):
                y = top + dy * DILATION_H
                is_row = (z >= 0) & (z < deep) & (y >= 0) & (y < height)
                total = depthwise_row(total, x_ptr, filter_ptr + (dz * KERNEL_H + dy) * KERNEL_W, z * height + y, is_row, column, width, KERNEL_W,
                                      STRIDE_W, PADDING_W, DILATION_W)
    else:
        for dy in range(KERNEL_H):
            y = top + dy * DILATION_H
            total = depthwise_row(total, x_ptr, filter_ptr + dy * KERNEL_W, y, (y >= 0) & (y < height), column, width, KERNEL_W, STRIDE_W,
                                  PADDING_W, DILATION_W)
    if bias_ptr is not None:
        total += tl.load(bias_ptr + number).to(SUM)
    inside = (row < out_height)[:, None] & (column < out_width)[None, :]
    offsets = (plane.to(tl.int64) * out_height + row)[:, None] * out_width + column[None, :]
    total = tail(total, offsets, inside, TAIL)
    out_ptr += plane.to(tl.int64) * out_height * out_width
    tl.store(out_ptr + row[:, None] * out_width + column[None, :], total.to(out_ptr.dtype.element_ty), mask=inside)
