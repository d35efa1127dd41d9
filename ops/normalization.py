"""Normalisations. Sums are in float32 (float64 for float64); results are rounded once."""
import triton
import triton.language as tl


@triton.jit
def affine(x, w_ptr, b_ptr, at, inside):
    """x times weight plus bias, as far as there are any."""
    if w_ptr is not None:
        x = x * tl.load(w_ptr + at, mask=inside, other=0.0).to(x.dtype)
    if b_ptr is not None:
        x = x + tl.load(b_ptr + at, mask=inside, other=0.0).to(x.dtype)
    return x


@triton.jit
def weight_place(row, at, groups, channels, area, IS_GROUPED: tl.constexpr):
    """Where the weight of each element lies: by its place in the row, or by its channel."""
    if IS_GROUPED:
        return (row % groups * channels)[:, None] + (at // area)[None, :]
    else:
        return at[None, :]


@triton.jit
def store_statistics(mean, inverse, row, is_row, mean_ptr, inverse_ptr):
    if mean_ptr is not None:
        tl.store(mean_ptr + row, mean.to(mean_ptr.dtype.element_ty), mask=is_row)
    if inverse_ptr is not None:
        tl.store(inverse_ptr + row, inverse.to(inverse_ptr.dtype.element_ty), mask=is_row)


@triton.jit
def normalize_kernel(x_ptr, w_ptr, b_ptr, out_ptr, mean_ptr, inverse_ptr, rows, columns, groups, channels, area, EPSILON: tl.constexpr,
                     IS_CENTERED: tl.constexpr, IS_GROUPED: tl.constexpr, SUM: tl.constexpr, ROWS: tl.constexpr, BLOCK: tl.constexpr,
                     FITS: tl.constexpr):
    """Each row less its mean (if IS_CENTERED) over the root of its mean square. IS_GROUPED: rows are groups of `channels`
    channels of `area` elements each, and weights are of channels. All pointers but x_ptr and out_ptr may be None.
    FITS: a row is no longer than BLOCK and is read once."""
    row = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    is_row = row < rows
    x_ptr += (tl.program_id(0) * ROWS).to(tl.int64) * columns
    out_ptr += (tl.program_id(0) * ROWS).to(tl.int64) * columns
    begin = tl.arange(0, ROWS) * columns
    lane = tl.arange(0, BLOCK)
    mean = tl.zeros((ROWS,), dtype=SUM)
    if FITS:
        inside = is_row[:, None] & (lane < columns)[None, :]
        offsets = begin[:, None] + lane[None, :]
        x = tl.load(x_ptr + offsets, mask=inside, other=0.0).to(SUM)
        if IS_CENTERED:
            mean = tl.sum(x, 1) / columns.to(SUM)
            x = tl.where(inside, x - mean[:, None], 0.0)
        inverse = 1 / tl.sqrt(tl.sum(x * x, 1) / columns.to(SUM) + EPSILON)
        places = weight_place(row, lane, groups, channels, area, IS_GROUPED)
        result = affine(x * inverse[:, None], w_ptr, b_ptr, places, inside)
        tl.store(out_ptr + offsets, result.to(out_ptr.dtype.element_ty), mask=inside)
    else:
        if IS_CENTERED:
            total = tl.zeros((ROWS, BLOCK), dtype=SUM)
            for done in range(0, columns, BLOCK):
                inside = is_row[:, None] & (done + lane < columns)[None, :]
                total += tl.load(x_ptr + begin[:, None] + (done + lane)[None, :], mask=inside, other=0.0).to(SUM)
            mean = tl.sum(total, 1) / columns.to(SUM)
        total = tl.zeros((ROWS, BLOCK), dtype=SUM)
        for done in range(0, columns, BLOCK):
            inside = is_row[:, None] & (done + lane < columns)[None, :]
            x = tl.load(x_ptr + begin[:, None] + (done + lane)[None, :], mask=inside, other=0.0).to(SUM)
            x = tl.where(inside, x - mean[:, None], 0.0)
            total += x * x
        inverse = 1 / tl.sqrt(tl.sum(total, 1) / columns.to(SUM) + EPSILON)
        for done in range(0, columns, BLOCK):
            at = done + lane
            inside = is_row[:, None] & (at < columns)[None, :]
            offsets = begin[:, None] + at[None, :]
            x = (tl.load(x_ptr + offsets, mask=inside, other=0.0).to(SUM) - mean[:, None]) * inverse[:, None]
            result = affine(x, w_ptr, b_ptr, weight_place(row, at, groups, channels, area, IS_GROUPED), inside)
            tl.store(out_ptr + offsets, result.to(out_ptr.dtype.element_ty), mask=inside)
    store_statistics(mean, inverse, row, is_row, mean_ptr, inverse_ptr)


@triton.jit
def channel_elements(x_ptr, at, plane, channels, area, IS_PLANE: tl.constexpr, SUM: tl.constexpr):
    """Elements of a channel, whose planes are at x_ptr and every channels * area from there, and which of them exist: of one plane, or of
    all as if they followed one another, of which there are `plane`."""
    if IS_PLANE:
        return tl.load(x_ptr + plane.to(tl.int64) * channels * area + at, mask=at < area, other=0.0).to(SUM), at < area
    else:
        offsets = (at // area).to(tl.int64) * channels * area + at % area
        inside = at < plane * area
        return tl.load(x_ptr + offsets, mask=inside, other=0.0).to(SUM), inside


@triton.jit
def batch_statistics_kernel(x_ptr, mean_ptr, inverse_ptr, images, channels, area, BY_PLANE: tl.constexpr, EPSILON: tl.constexpr,
                            SUM: tl.constexpr, BLOCK: tl.constexpr):
    """Of each channel of [image, channel, area] the mean, and 1 over the root of its variance. BY_PLANE: one image after the other."""
    n = images * area
    x_ptr += tl.program_id(0) * area
    lane = tl.arange(0, BLOCK)
    rows = images if BY_PLANE else 1
    length = area if BY_PLANE else n
    total = tl.zeros((BLOCK,), dtype=SUM)
    for row in range(rows):
        for done in range(0, length, BLOCK):
            x, _ = channel_elements(x_ptr, done + lane, row if BY_PLANE else images, channels, area, BY_PLANE, SUM)
            total += x
    mean = tl.sum(total, 0) / n.to(SUM)
    total = tl.zeros((BLOCK,), dtype=SUM)
    for row in range(rows):
        for done in range(0, length, BLOCK):
            x, inside = channel_elements(x_ptr, done + lane, row if BY_PLANE else images, channels, area, BY_PLANE, SUM)
            x = tl.where(inside, x - mean, 0.0)
            total += x * x
    inverse = 1 / tl.sqrt(tl.sum(total, 0) / n.to(SUM) + EPSILON)
    tl.store(mean_ptr + tl.program_id(0), mean.to(mean_ptr.dtype.element_ty))
    tl.store(inverse_ptr + tl.program_id(0), inverse.to(inverse_ptr.dtype.element_ty))


@triton.jit
def given_statistics_kernel(x_ptr, y_ptr, mean_ptr, inverse_ptr, channels, EPSILON: tl.constexpr, SUM: tl.constexpr, BLOCK: tl.constexpr):
    """The same of means x and variances y that are known."""
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = at < channels
    tl.store(mean_ptr + at, tl.load(x_ptr + at, mask=inside).to(mean_ptr.dtype.element_ty), mask=inside)
    inverse = 1 / tl.sqrt(tl.load(y_ptr + at, mask=inside, other=1.0).to(SUM) + EPSILON)
    tl.store(inverse_ptr + at, inverse.to(inverse_ptr.dtype.element_ty), mask=inside)


@triton.jit
def batch_norm_kernel(x_ptr, w_ptr, b_ptr, mean_ptr, spread_ptr, out_ptr, planes, channels, area, EPSILON: tl.constexpr,
                      IS_INVERSE: tl.constexpr, SUM: tl.constexpr, PLANES: tl.constexpr, BLOCK: tl.constexpr):
    """Channels of [image, channel, area] by their means and variances, or what those become in batch_statistics_kernel."""
    tiles = tl.cdiv(area, BLOCK)
    first = tl.program_id(0) // tiles * PLANES
    row = tl.arange(0, PLANES)
    at = tl.program_id(0) % tiles * BLOCK + tl.arange(0, BLOCK)
    is_plane = first + row < planes
    channel = (first + row) % channels
    mean = tl.load(mean_ptr + channel, mask=is_plane, other=0.0).to(SUM)
    inverse = tl.load(spread_ptr + channel, mask=is_plane, other=1.0).to(SUM)
    if not IS_INVERSE:
        inverse = 1 / tl.sqrt(inverse + EPSILON)
    inside = is_plane[:, None] & (at < area)[None, :]
    offsets = row[:, None] * area + at[None, :]
    x_ptr += first.to(tl.int64) * area
    out_ptr += first.to(tl.int64) * area
    x = (tl.load(x_ptr + offsets, mask=inside, other=0.0).to(SUM) - mean[:, None]) * inverse[:, None]
    if w_ptr is not None:
        x = x * tl.load(w_ptr + channel, mask=is_plane, other=0.0).to(SUM)[:, None]
    if b_ptr is not None:
        x = x + tl.load(b_ptr + channel, mask=is_plane, other=0.0).to(SUM)[:, None]
    tl.store(out_ptr + offsets, x.to(out_ptr.dtype.element_ty), mask=inside)
