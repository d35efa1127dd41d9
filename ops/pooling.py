"""Pooling and resampling of planes [row, column]. A program computes TILE_H x TILE_W elements of one plane of the output."""
import triton
import triton.language as tl


@triton.jit
def tile_of_plane(out_height, out_width, TILE_H: tl.constexpr, TILE_W: tl.constexpr):
    """This program's plane, rows and columns."""
    tiles_w = tl.cdiv(out_width, TILE_W)
    tiles = tl.cdiv(out_height, TILE_H) * tiles_w
    tile = tl.program_id(0) % tiles
    return tl.program_id(0) // tiles, tile // tiles_w * TILE_H + tl.arange(0, TILE_H), tile % tiles_w * TILE_W + tl.arange(0, TILE_W)


@triton.jit
def store_tile(out_ptr, values, plane, row, column, out_height, out_width):
    out_ptr += plane.to(tl.int64) * out_height * out_width
    tl.store(out_ptr + row[:, None] * out_width + column[None, :], values.to(out_ptr.dtype.element_ty),
             mask=(row < out_height)[:, None] & (column < out_width)[None, :])


@triton.jit
def max_pool_kernel(x_ptr, out_ptr, index_ptr, height, width, out_height, out_width,
                    KERNEL_H: tl.constexpr, KERNEL_W: tl.constexpr, STRIDE_H: tl.constexpr, STRIDE_W: tl.constexpr,
                    PADDING_H: tl.constexpr, PADDING_W: tl.constexpr, DILATION_H: tl.constexpr, DILATION_W: tl.constexpr,
                    SUM: tl.constexpr, TILE_H: tl.constexpr, TILE_W: tl.constexpr):
    """index_ptr, which may be None, gets the place of each maximum in its plane."""
    plane, row, column = tile_of_plane(out_height, out_width, TILE_H, TILE_W)
    x_ptr += plane.to(tl.int64) * height * width
    best = tl.full((TILE_H, TILE_W), -float("inf"), dtype=SUM)
    place = tl.full((TILE_H, TILE_W), -1, dtype=tl.int32)
    for dy in range(KERNEL_H):
        y = row * STRIDE_H - PADDING_H + dy * DILATION_H
        for dx in tl.static_range(KERNEL_W):
            x = column * STRIDE_W - PADDING_W + dx * DILATION_W
            inside = ((y >= 0) & (y < height))[:, None] & ((x >= 0) & (x < width))[None, :]
            at = y[:, None] * width + x[None, :]
            value = tl.load(x_ptr + at, mask=inside, other=-float("inf")).to(SUM)
            if index_ptr is None:
                best = tl.maximum(best, value, propagate_nan=tl.PropagateNan.ALL)
            else:
                # The first of equal maxima counts, and the last NaN.
                is_better = inside & ((value > best) | (value != value) | (place < 0))
                best = tl.where(is_better, value, best)
                place = tl.where(is_better, at, place)
    store_tile(out_ptr, best, plane, row, column, out_height, out_width)
    if index_ptr is not None:
        store_tile(index_ptr, place, plane, row, column, out_height, out_width)


@triton.jit
def average_pool_kernel(x_ptr, out_ptr, height, width, out_height, out_width,
                        KERNEL_H: tl.constexpr, KERNEL_W: tl.constexpr, STRIDE_H: tl.constexpr, STRIDE_W: tl.constexpr,
                        PADDING_H: tl.constexpr, PADDING_W: tl.constexpr, COUNTS_PADDING: tl.constexpr, DIVISOR: tl.constexpr,
                        SUM: tl.constexpr, TILE_H: tl.constexpr, TILE_W: tl.constexpr):
    """DIVISOR 0: the number of elements in a window, with those of the padding if COUNTS_PADDING."""
    plane, row, column = tile_of_plane(out_height, out_width, TILE_H, TILE_W)
    x_ptr += plane.to(tl.int64) * height * width
    top = row * STRIDE_H - PADDING_H
    left = column * STRIDE_W - PADDING_W
    total = tl.zeros((TILE_H, TILE_W), dtype=SUM)
    for dy in range(KERNEL_H):
        y = top + dy
        for dx in tl.static_range(KERNEL_W):
            x = left + dx
            inside = ((y >= 0) & (y < height))[:, None] & ((x >= 0) & (x < width))[None, :]
            total += tl.load(x_ptr + y[:, None] * width + x[None, :], mask=inside, other=0.0).to(SUM)
    if DIVISOR != 0:
        total = total / DIVISOR
    else:
        bottom = tl.minimum(top + KERNEL_H, height + PADDING_H)
        right = tl.minimum(left + KERNEL_W, width + PADDING_W)
        if not COUNTS_PADDING:
            top = tl.maximum(top, 0)
            left = tl.maximum(left, 0)
            bottom = tl.minimum(bottom, height)
            right = tl.minimum(right, width)
        total = total / ((bottom - top)[:, None] * (right - left)[None, :]).to(SUM)
    store_tile(out_ptr, total, plane, row, column, out_height, out_width)


@triton.jit
def adaptive_average_pool_kernel(x_ptr, out_ptr, height, width, out_height, out_width, most_rows, most_columns,
                                 SUM: tl.constexpr, TILE_H: tl.constexpr, TILE_W: tl.constexpr):
    """Windows that cover the plane: from floor(i * size / out_size) up to ceil((i + 1) * size / out_size); none is larger
    than most_rows x most_columns."""
    plane, row, column = tile_of_plane(out_height, out_width, TILE_H, TILE_W)
    x_ptr += plane.to(tl.int64) * height * width
    top = row * height // out_height
    bottom = ((row + 1) * height + out_height - 1) // out_height
    left = column * width // out_width
    right = ((column + 1) * width + out_width - 1) // out_width
    is_row = row < out_height
    is_column = column < out_width
    total = tl.zeros((TILE_H, TILE_W), dtype=SUM)
    for dy in range(0, most_rows):
        y = top + dy
        for dx in range(0, most_columns):
            x = left + dx
            inside = ((y < bottom) & is_row)[:, None] & ((x < right) & is_column)[None, :]
            total += tl.load(x_ptr + y[:, None] * width + x[None, :], mask=inside, other=0.0).to(SUM)
    total = total / ((bottom - top)[:, None] * (right - left)[None, :]).to(SUM)
    store_tile(out_ptr, total, plane, row, column, out_height, out_width)


@triton.jit
def nearest_kernel(x_ptr, out_ptr, height, width, out_height, out_width, scale_h, scale_w, TILE_H: tl.constexpr, TILE_W: tl.constexpr):
    """The scales are sizes of the input over sizes of the output."""
    plane, row, column = tile_of_plane(out_height, out_width, TILE_H, TILE_W)
    x_ptr += plane.to(tl.int64) * height * width
    y = tl.minimum((row.to(tl.float32) * scale_h).to(tl.int32), height - 1)
    x = tl.minimum((column.to(tl.float32) * scale_w).to(tl.int32), width - 1)
    inside = (row < out_height)[:, None] & (column < out_width)[None, :]
    values = tl.load(x_ptr + y[:, None] * width + x[None, :], mask=inside)
    store_tile(out_ptr, values, plane, row, column, out_height, out_width)


@triton.jit
def sampled(at, scale, size, ALIGNS_CORNERS: tl.constexpr):
    """For a place in the output: its neighbours in the input, and how near the second one is."""
    if ALIGNS_CORNERS:
        source = at.to(tl.float32) * scale
    else:
        source = tl.maximum((at.to(tl.float32) + 0.5) * scale - 0.5, 0.0)
    first = tl.minimum(source.to(tl.int32), size - 1)
    return first, tl.minimum(first + 1, size - 1), tl.minimum(tl.maximum(source - first.to(tl.float32), 0.0), 1.0)


@triton.jit
def bilinear_kernel(x_ptr, out_ptr, height, width, out_height, out_width, scale_h, scale_w, ALIGNS_CORNERS: tl.constexpr,
                    SUM: tl.constexpr, TILE_H: tl.constexpr, TILE_W: tl.constexpr):
    plane, row, column = tile_of_plane(out_height, out_width, TILE_H, TILE_W)
    x_ptr += plane.to(tl.int64) * height * width
    y0, y1, fy = sampled(row, scale_h, height, ALIGNS_CORNERS)
    x0, x1, fx = sampled(column, scale_w, width, ALIGNS_CORNERS)
    inside = (row < out_height)[:, None] & (column < out_width)[None, :]
    top = x_ptr + y0[:, None] * width
    bottom = x_ptr + y1[:, None] * width
    right = fx.to(SUM)[None, :]
    low = fy.to(SUM)[:, None]
    upper = (tl.load(top + x0[None, :], mask=inside, other=0.0).to(SUM) * (1 - right)
             + tl.load(top + x1[None, :], mask=inside, other=0.0).to(SUM) * right)
    lower = (tl.load(bottom + x0[None, :], mask=inside, other=0.0).to(SUM) * (1 - right)
             + tl.load(bottom + x1[None, :], mask=inside, other=0.0).to(SUM) * right)
    store_tile(out_ptr, upper * (1 - low) + lower * low, plane, row, column, out_height, out_width)


@triton.jit
def cubic_weight(distance, IS_NEAR: tl.constexpr):
    """Of an element at most 1 away, and of one from 1 to 2 away: the cubic convolution with a = -0.75."""
    if IS_NEAR:
        return (1.25 * distance - 2.25) * distance * distance + 1
    else:
        return ((-0.75 * distance + 3.75) * distance - 6) * distance + 3


@triton.jit
def cubic_weight_of(TAP: tl.constexpr, beyond):
    """Of the four neighbours of a place that is `beyond` the second."""
    if TAP == 0:
        return cubic_weight(1 + beyond, False)
    elif TAP == 1:
        return cubic_weight(beyond, True)
    elif TAP == 2:
        return cubic_weight(1 - beyond, True)
    else:
        return cubic_weight(2 - beyond, False)


@triton.jit
def bicubic_kernel(x_ptr, out_ptr, height, width, out_height, out_width, scale_h, scale_w, ALIGNS_CORNERS: tl.constexpr,
                   SUM: tl.constexpr, TILE_H: tl.constexpr, TILE_W: tl.constexpr):
    plane, row, column = tile_of_plane(out_height, out_width, TILE_H, TILE_W)
    x_ptr += plane.to(tl.int64) * height * width
    y = row.to(tl.float32) * scale_h if ALIGNS_CORNERS else (row.to(tl.float32) + 0.5) * scale_h - 0.5
    x = column.to(tl.float32) * scale_w if ALIGNS_CORNERS else (column.to(tl.float32) + 0.5) * scale_w - 0.5
    top = tl.floor(y)
    left = tl.floor(x)
    inside = (row < out_height)[:, None] & (column < out_width)[None, :]
    total = tl.zeros((TILE_H, TILE_W), dtype=SUM)
    for dy in tl.static_range(4):
        from_row = tl.minimum(tl.maximum(top.to(tl.int32) + (dy - 1), 0), height - 1)
        line = tl.zeros((TILE_H, TILE_W), dtype=SUM)
        for dx in tl.static_range(4):
            from_column = tl.minimum(tl.maximum(left.to(tl.int32) + (dx - 1), 0), width - 1)
            value = tl.load(x_ptr + from_row[:, None] * width + from_column[None, :], mask=inside, other=0.0).to(SUM)
            line += value * cubic_weight_of(dx, (x - left).to(SUM))[None, :]
        total += line * cubic_weight_of(dy, (y - top).to(SUM))[:, None]
    store_tile(out_ptr, total, plane, row, column, out_height, out_width)


@triton.jit
def filter_weight(distance, INTERPOLATION: tl.constexpr):
    """Of an element that is so far from the place that is resampled: a triangle, or the cubic convolution with a = -0.5."""
    d = tl.abs(distance)
    if INTERPOLATION == 2:
        return tl.maximum(1 - d, 0.0)
    else:
        near = (1.5 * d - 2.5) * d * d + 1
        far = ((-0.5 * d + 2.5) * d - 4) * d + 2
        return tl.where(d < 1, near, tl.where(d < 2, far, 0.0))


@triton.jit
def antialias_kernel(x_ptr, out_ptr, height, width, out_height, out_width, scale, IS_ALONG_ROWS: tl.constexpr,
                     INTERPOLATION: tl.constexpr, SUM: tl.constexpr, TILE_H: tl.constexpr, TILE_W: tl.constexpr):
    """Resamples planes along one dimension, with a filter that is wider where they are made smaller; scale is the size of the
    input over that of the output."""
    plane, row, column = tile_of_plane(out_height, out_width, TILE_H, TILE_W)
    x_ptr += plane.to(tl.int64) * height * width
    place = column if IS_ALONG_ROWS else row
    size = width if IS_ALONG_ROWS else height
    stretch = tl.maximum(scale, 1.0)
    support = stretch * (INTERPOLATION * 0.5)
    center = (place.to(tl.float32) + 0.5) * scale
    first = tl.maximum((center - support + 0.5).to(tl.int32), 0)
    end = tl.minimum((center + support + 0.5).to(tl.int32), size)
    most = tl.ceil(support).to(tl.int32) * 2 + 1
    inside = (row < out_height)[:, None] & (column < out_width)[None, :]
    total = tl.zeros((TILE_H, TILE_W), dtype=SUM)
    weights = tl.zeros(place.shape, dtype=SUM)
    for step in range(0, most):
        at = first + step
        weight = filter_weight((at.to(tl.float32) - center + 0.5) / stretch, INTERPOLATION)
        weight = tl.where(at < end, weight, 0.0).to(SUM)
        weights += weight
        if IS_ALONG_ROWS:
            x = tl.load(x_ptr + row[:, None] * width + at[None, :], mask=inside & (at < end)[None, :], other=0.0)
            total += x.to(SUM) * weight[None, :]
        else:
            x = tl.load(x_ptr + at[:, None] * width + column[None, :], mask=inside & (at < end)[:, None], other=0.0)
            total += x.to(SUM) * weight[:, None]
    weights = tl.where(weights != 0, weights, 1.0)
    total = total / (weights[None, :] if IS_ALONG_ROWS else weights[:, None])
    store_tile(out_ptr, total, plane, row, column, out_height, out_width)
