"""Pooling of volumes [layer, row, column]; those of fewer dimensions have sizes of 1 in front. A program computes a rectangle of one
layer of the output, or (adaptive pools) TILE neighbouring elements of one volume."""
import triton
import triton.language as tl


@triton.jit
def tile_of_volume(out_height, out_width, pixels, TILE: tl.constexpr):
    """This program's volume; of its elements the place in the output, layer, row and column."""
    tiles = tl.cdiv(pixels, TILE)
    at = tl.program_id(0) % tiles * TILE + tl.arange(0, TILE)
    return tl.program_id(0) // tiles, at, at // (out_height * out_width), at // out_width % out_height, at % out_width


@triton.jit
def rectangle_of_layer(out_deep, out_height, out_width, TILE_H: tl.constexpr, TILE_W: tl.constexpr):
    """This program's volume and layer, and its rows and columns."""
    tiles_w = tl.cdiv(out_width, TILE_W)
    tiles = tl.cdiv(out_height, TILE_H) * tiles_w
    tile = tl.program_id(0) % tiles
    plane = tl.program_id(0) // tiles
    row = tile // tiles_w * TILE_H + tl.arange(0, TILE_H)
    return plane // out_deep, plane % out_deep, row, tile % tiles_w * TILE_W + tl.arange(0, TILE_W)


@triton.jit
def max_pool_kernel(x_ptr, out_ptr, index_ptr, deep, height, width, out_deep, out_height, out_width,
                    KERNEL_D: tl.constexpr, KERNEL_H: tl.constexpr, KERNEL_W: tl.constexpr,
                    STRIDE_D: tl.constexpr, STRIDE_H: tl.constexpr, STRIDE_W: tl.constexpr,
                    PADDING_D: tl.constexpr, PADDING_H: tl.constexpr, PADDING_W: tl.constexpr,
                    DILATION_D: tl.constexpr, DILATION_H: tl.constexpr, DILATION_W: tl.constexpr,
                    SUM: tl.constexpr, TILE_H: tl.constexpr, TILE_W: tl.constexpr):
    """index_ptr, which may be None, gets the place of each maximum in its volume."""
    of, layer, row, column = rectangle_of_layer(out_deep, out_height, out_width, TILE_H, TILE_W)
    x_ptr += of.to(tl.int64) * deep * height * width
    best = tl.full((TILE_H, TILE_W), -float("inf"), dtype=SUM)
    place = tl.full((TILE_H, TILE_W), -1, dtype=tl.int32)
    for dz in range(KERNEL_D):
        z = layer * STRIDE_D - PADDING_D + dz * DILATION_D
        for dy in range(KERNEL_H):
            y = row * STRIDE_H - PADDING_H + dy * DILATION_H
            is_row = (z >= 0) & (z < deep) & (y >= 0) & (y < height)
            for dx in tl.static_range(KERNEL_W):
                x = column * STRIDE_W - PADDING_W + dx * DILATION_W
                inside = is_row[:, None] & ((x >= 0) & (x < width))[None, :]
                source = (z * height + y)[:, None] * width + x[None, :]
                value = tl.load(x_ptr + source, mask=inside, other=-float("inf")).to(SUM)
                if index_ptr is None:
                    best = tl.maximum(best, value, propagate_nan=tl.PropagateNan.ALL)
                else:
                    # The first of equal maxima counts, and the last NaN.
                    is_better = inside & ((value > best) | (value != value) | (place < 0))
                    best = tl.where(is_better, value, best)
                    place = tl.where(is_better, source, place)
    offsets = ((of.to(tl.int64) * out_deep + layer) * out_height + row)[:, None] * out_width + column[None, :]
    inside = (row < out_height)[:, None] & (column < out_width)[None, :]
    tl.store(out_ptr + offsets, best.to(out_ptr.dtype.element_ty), mask=inside)
    if index_ptr is not None:
        tl.store(index_ptr + offsets, place.to(tl.int64), mask=inside)


@triton.jit
def average_pool_kernel(x_ptr, out_ptr, deep, height, width, out_deep, out_height, out_width,
                        KERNEL_D: tl.constexpr, KERNEL_H: tl.constexpr, KERNEL_W: tl.constexpr,
                        STRIDE_D: tl.constexpr, STRIDE_H: tl.constexpr, STRIDE_W: tl.constexpr,
                        PADDING_D: tl.constexpr, PADDING_H: tl.constexpr, PADDING_W: tl.constexpr,
                        COUNTS_PADDING: tl.constexpr, DIVISOR: tl.constexpr, SUM: tl.constexpr, TILE_H: tl.constexpr,
                        TILE_W: tl.constexpr):
    """DIVISOR 0: the number of elements in a window, with those of the padding if COUNTS_PADDING."""
    of, layer, row, column = rectangle_of_layer(out_deep, out_height, out_width, TILE_H, TILE_W)
    x_ptr += of.to(tl.int64) * deep * height * width
    front = layer * STRIDE_D - PADDING_D
    top = row * STRIDE_H - PADDING_H
    left = column * STRIDE_W - PADDING_W
    total = tl.zeros((TILE_H, TILE_W), dtype=SUM)
    for dz in range(KERNEL_D):
        z = front + dz
        for dy in range(KERNEL_H):
            y = top + dy
            is_row = (z >= 0) & (z < deep) & (y >= 0) & (y < height)
            for dx in tl.static_range(KERNEL_W):
                x = left + dx
                inside = is_row[:, None] & ((x >= 0) & (x < width))[None, :]
                total += tl.load(x_ptr + (z * height + y)[:, None] * width + x[None, :], mask=inside, other=0.0).to(SUM)
    if DIVISOR != 0:
        total = total / DIVISOR
    else:
        back = tl.minimum(front + KERNEL_D, deep + PADDING_D)
        bottom = tl.minimum(top + KERNEL_H, height + PADDING_H)
        right = tl.minimum(left + KERNEL_W, width + PADDING_W)
        if not COUNTS_PADDING:
            front = tl.maximum(front, 0)
            top = tl.maximum(top, 0)
            left = tl.maximum(left, 0)
            back = tl.minimum(back, deep)
            bottom = tl.minimum(bottom, height)
            right = tl.minimum(right, width)
        total = total / (((back - front) * (bottom - top))[:, None] * (right - left)[None, :]).to(SUM)
    offsets = ((of.to(tl.int64) * out_deep + layer) * out_height + row)[:, None] * out_width + column[None, :]
    inside = (row < out_height)[:, None] & (column < out_width)[None, :]
    tl.store(out_ptr + offsets, total.to(out_ptr.dtype.element_ty), mask=inside)


@triton.jit
def adaptive_pool_kernel(x_ptr, out_ptr, index_ptr, deep, height, width, volume, out_deep, out_height, out_width, pixels,
                         most_layers, most_rows, most_columns, IS_MAX: tl.constexpr, SUM: tl.constexpr, TILE: tl.constexpr):
    """Means or maxima of windows that cover the volume: from floor(i * size / out_size) up to ceil((i + 1) * size / out_size); none is
    larger than most_layers x most_rows x most_columns. index_ptr is that of maxima, and may be None."""
    of, at, layer, row, column = tile_of_volume(out_height, out_width, pixels, TILE)
    x_ptr += of.to(tl.int64) * volume
    front = layer * deep // out_deep
    back = ((layer + 1) * deep + out_deep - 1) // out_deep
    top = row * height // out_height
    bottom = ((row + 1) * height + out_height - 1) // out_height
    left = column * width // out_width
    right = ((column + 1) * width + out_width - 1) // out_width
    total = tl.full((TILE,), -float("inf") if IS_MAX else 0.0, dtype=SUM)
    place = tl.full((TILE,), -1, dtype=tl.int32)
    for dz in range(0, most_layers):
        z = front + dz
        for dy in range(0, most_rows):
            y = top + dy
            for dx in range(0, most_columns):
                x = left + dx
                inside = (at < pixels) & (z < back) & (y < bottom) & (x < right)
                source = (z * height + y) * width + x
                value = tl.load(x_ptr + source, mask=inside, other=0.0).to(SUM)
                if IS_MAX:
                    is_better = inside & ((value > total) | (value != value) | (place < 0))
                    total = tl.where(is_better, value, total)
                    place = tl.where(is_better, source, place)
                else:
                    total += value
    if not IS_MAX:
        total = total / ((back - front) * (bottom - top) * (right - left)).to(SUM)
    offsets = of.to(tl.int64) * pixels + at
    tl.store(out_ptr + offsets, total.to(out_ptr.dtype.element_ty), mask=at < pixels)
    if index_ptr is not None:
        tl.store(index_ptr + offsets, place.to(tl.int64), mask=at < pixels)
