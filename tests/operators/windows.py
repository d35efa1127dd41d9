"""Cases of pools of lines and volumes, of windows as columns, and of planes and lines read at other places. The references go through
windows and places one by one."""
import itertools
import math

import numpy

from cases import FLOATS, INF, NAN, call, floats, integers, whole
from graphs import Tensor


def pool_windows(shape, kernel, stride, padding, dilation, is_ceil):
    """For each element of the output the indices, along each dimension, of what its window sees, and how far it reaches in the padding."""
    sizes = []
    for size, k, s, p, d in zip(shape, kernel, stride, padding, dilation):
        out = (size + 2 * p - d * (k - 1) - 1 + (s - 1 if is_ceil else 0)) // s + 1
        sizes.append(out - 1 if is_ceil and (out - 1) * s >= size + p else out)
    for at in itertools.product(*map(range, sizes)):
        begins = [i * s - p for i, s, p in zip(at, stride, padding)]
        yield at, sizes, [[b + t * d for t in range(k) if 0 <= b + t * d < size] for b, k, d, size in zip(begins, kernel, dilation, shape)], math.prod(
            min(b + k, size + p) - b for b, k, size, p in zip(begins, kernel, shape, padding))


def flattened(x, dims):
    return x.reshape(-1, *x.shape[x.ndim - dims:])


def pooled_maxima(x, dims, windows):
    """Maxima and their places; `windows` gives what pool_windows does."""
    values = places = None
    volumes = flattened(x, dims)
    for at, sizes, indices, _ in windows:
        if values is None:
            values, places = numpy.zeros((len(volumes), *sizes)), numpy.zeros((len(volumes), *sizes), numpy.int64)
        numbers = numpy.ravel_multi_index(numpy.ix_(*indices), x.shape[x.ndim - dims:]).ravel()
        for i, volume in enumerate(volumes):
            best = int(numpy.argmax(volume.ravel()[numbers]))
            values[(i, *at)], places[(i, *at)] = volume.ravel()[numbers[best]], numbers[best]
    return [result.reshape(*x.shape[:x.ndim - dims], *result.shape[1:]) for result in (values, places)]


def pooled_means(x, dims, windows, counts_padding=False, divisor=None):
    out = None
    volumes = flattened(x, dims)
    for at, sizes, indices, count in windows:
        out = numpy.zeros((len(volumes), *sizes)) if out is None else out
        count = divisor or (count if counts_padding else math.prod(map(len, indices)))
        out[(slice(None), *at)] = volumes[(slice(None), *numpy.ix_(*indices))].reshape(len(volumes), -1).sum(1) / count
    return out.reshape(*x.shape[:x.ndim - dims], *out.shape[1:])


def adaptive_windows(shape, sizes):
    for at in itertools.product(*map(range, sizes)):
        yield at, sizes, [list(range(i * size // out, -(-(i + 1) * size // out))) for i, size, out in zip(at, shape, sizes)], None


def volume_pools():
    for dtype, (shape, kernel, stride, padding, dilation, is_ceil) in itertools.product(FLOATS + ("float64",), [
        ((2, 3, 17), [3], [2], [1], [1], False),
        ((4, 300), [4], [], [2], [2], True),
        ((2, 3, 5, 7, 9), [2, 3, 3], [1, 2, 2], [1, 1, 0], [1, 1, 2], False),
        ((3, 6, 5, 8), [3, 2, 2], [2, 2, 3], [1, 0, 1], [1, 2, 1], True),
    ]):
        x, dims = floats(shape, dtype), len(kernel)
        inner = shape[len(shape) - dims:]
        attributes = {"kernel_size": kernel, "stride": stride, "padding": padding, "ceil_mode": is_ceil}
        values, places = pooled_maxima(x.wide, dims, pool_windows(inner, kernel, stride or kernel, padding, dilation, is_ceil))
        yield call(f"aten::max_pool{dims}d", {"self": x, "dilation": dilation} | attributes, values, dtype=dtype, tolerance=0.0)
        yield call(f"aten::max_pool{dims}d_with_indices", {"self": x, "dilation": dilation} | attributes, values, whole(places), dtype=dtype,
                   tolerance=0.0)
        for counts_padding, divisor in ((True, None), (False, None), (True, 5)):
            if divisor and dims == 1:
                continue
            windows = pool_windows(inner, kernel, stride or kernel, padding, [1] * dims, is_ceil)
            given = {"count_include_pad": counts_padding} | ({"divisor_override": divisor} if divisor else {})
            yield call(f"aten::avg_pool{dims}d", {"self": x} | attributes | given, pooled_means(x.wide, dims, windows, counts_padding, divisor), dtype=dtype)
    x = Tensor(numpy.array([[1, 1, NAN, -INF, -INF, 0]], numpy.float32), "float32")
    yield call("aten::max_pool1d_with_indices", {"self": x, "kernel_size": [2], "stride": [1]}, numpy.array([[1, NAN, NAN, -INF, 0]]),
               whole([[0, 2, 2, 3, 5]]))
    for dtype, (shape, sizes) in itertools.product(FLOATS, [((2, 3, 17), [5]), ((3, 40), [1]), ((2, 3, 5, 4, 6), [2, 3, 1]), ((4, 3, 5, 2), [4, 1, 2])]):
        x, dims = floats(shape, dtype), len(sizes)
        inner = shape[len(shape) - dims:]
        yield call(f"aten::adaptive_avg_pool{dims}d", {"self": x, "output_size": sizes}, pooled_means(x.wide, dims, adaptive_windows(inner, sizes)),
                   dtype=dtype)
        values, places = pooled_maxima(x.wide, dims, adaptive_windows(inner, sizes))
        yield call(f"aten::adaptive_max_pool{dims}d", {"self": x, "output_size": sizes}, values, whole(places), dtype=dtype, tolerance=0.0)
    x = floats((2, 7, 9))
    values, places = pooled_maxima(x.wide, 2, adaptive_windows((7, 9), (3, 2)))
    yield call("aten::adaptive_max_pool2d", {"self": x, "output_size": [3, 2]}, values, whole(places), tolerance=0.0)


def block_places(shape, kernel, dilation, padding, stride):
    """For each block and tap: the row and column in the plane."""
    counts = [(size + 2 * p - d * (k - 1) - 1) // s + 1 for size, k, d, p, s in zip(shape, kernel, dilation, padding, stride)]
    for number, block in enumerate(itertools.product(*map(range, counts))):
        for tap, offsets in enumerate(itertools.product(*map(range, kernel))):
            place = [b * s - p + t * d for b, s, p, t, d in zip(block, stride, padding, offsets, dilation)]
            if all(0 <= i < size for i, size in zip(place, shape)):
                yield number, tap, tuple(place)


def folded_sizes(shape, kernel, dilation, padding, stride):
    return math.prod((size + 2 * p - d * (k - 1) - 1) // s + 1 for size, k, d, p, s in zip(shape, kernel, dilation, padding, stride))


def folds():
    for dtype, (shape, kernel, dilation, padding, stride) in itertools.product(FLOATS, [
        ((2, 3, 9, 11), [3, 2], [1, 1], [0, 0], [1, 1]),
        ((2, 3, 9, 40), [2, 2], [1, 1], [0, 0], [2, 2]),
        ((4, 7, 8), [3, 3], [2, 1], [1, 2], [2, 3]),
    ]):
        window = {"kernel_size": kernel, "dilation": dilation, "padding": padding, "stride": stride}
        given = (shape[-2:], kernel, dilation, padding, stride)
        taps, blocks = math.prod(kernel), folded_sizes(*given)
        x = floats(shape, dtype)
        planes = flattened(x.wide, 2)
        columns = numpy.zeros((len(planes), taps, blocks))
        for block, tap, place in block_places(*given):
            columns[:, tap, block] = planes[(slice(None), *place)]
        lead = shape[:-3]
        columns = columns.reshape(*lead, shape[-3] * taps, blocks)
        yield call("aten::im2col", {"self": x} | window, columns, dtype=dtype, tolerance=0.0)
        x = floats(columns.shape, dtype)
        values, out = x.wide.reshape(-1, taps, blocks), numpy.zeros_like(planes)
        for block, tap, place in block_places(*given):
            out[(slice(None), *place)] += values[:, tap, block]
        yield call("aten::col2im", {"self": x, "output_size": list(shape[-2:])} | window, out.reshape(shape), dtype=dtype)
    x = integers((1, 2, 5, 4), -9, 9)
    columns = numpy.stack([x.values[0, :, i:i + 4, j:j + 3].reshape(2, 12) for i in range(2) for j in range(2)], 1).reshape(1, 8, 12)
    yield call("aten::im2col", {"self": x, "kernel_size": [2], "dilation": [1], "padding": [0], "stride": [1]}, whole(columns))


def gates():
    """Activations of two elements, or with weights for channels."""
    for dtype in FLOATS + ("float64",):
        x = floats((3, 6, 10), dtype, -4, 4)
        for dim in (-1, 1):
            a, b = numpy.split(x.wide, 2, dim)
            yield call("aten::glu", {"self": x, "dim": dim}, a / (1 + numpy.exp(-b)), dtype=dtype)
        slopes = floats((6,), dtype)
        yield call("aten::prelu", {"self": x, "weight": slopes}, numpy.where(x.wide > 0, x.wide, x.wide * slopes.wide[:, None]), dtype=dtype)
        slope = floats((1,), dtype)
        yield call("aten::prelu", {"self": x, "weight": slope}, numpy.where(x.wide > 0, x.wide, x.wide * slope.wide), dtype=dtype)
    x, slope = floats((5,)), floats((1,))
    yield call("aten::prelu", {"self": x, "weight": slope}, numpy.where(x.wide > 0, x.wide, x.wide * slope.wide))


def mirrored(at, low, high):
    while high > low and not low <= at <= high:
        at = 2 * low - at if at < low else 2 * high - at
    return at if high > low else 0.0


def source_place(at, size, padding, aligns):
    source = (at + 1) / 2 * (size - 1) if aligns else ((at + 1) * size - 1) / 2
    if padding == 2:
        source = mirrored(source, 0.0 if aligns else -0.5, size - 1.0 if aligns else size - 0.5)
    return min(max(source, 0.0), size - 1.0) if padding else source


def grid_sampled(x, grid, mode, padding, aligns):
    images, _, height, width = x.shape
    out = numpy.zeros((images, x.shape[1], *grid.shape[1:3]))

    def pixel(image, row, column):
        return x[image, :, row, column] if 0 <= row < height and 0 <= column < width else 0.0
    for image, i, j in itertools.product(range(images), *map(range, grid.shape[1:3])):
        column, row = (source_place(at, size, padding, aligns) for at, size in zip(grid[image, i, j], (width, height)))
        if mode == 1:
            out[image, :, i, j] = pixel(image, round(row), round(column))
            continue
        top, left = math.floor(row), math.floor(column)
        for dy, dx in itertools.product((0, 1), (0, 1)):
            weight = (row - top if dy else 1 - row + top) * (column - left if dx else 1 - column + left)
            out[image, :, i, j] += weight * pixel(image, top + dy, left + dx)
    return out


def grid_samples():
    for mode, padding, aligns in itertools.product((0, 1), (0, 1, 2), (False, True)):
        for dtype in ("float32", "float64"):
            x, grid = floats((2, 3, 5, 7), dtype), floats((2, 4, 9, 2), dtype, -2.6, 2.6)
            attributes = {"interpolation_mode": mode, "padding_mode": padding, "align_corners": aligns}
            yield call("aten::grid_sampler", {"input": x, "grid": grid} | attributes, grid_sampled(x.wide, grid.wide, mode, padding, aligns), dtype=dtype)
    # Ties go to the even element, and what is far out is outside.
    x, grid = floats((1, 2, 4, 5)), Tensor(numpy.array([[[[0.0, -1.0], [-0.5, 1.0], [1e30, 0.0], [-1e30, -1e30]]]], numpy.float32), "float32")
    attributes = {"interpolation_mode": 1, "padding_mode": 0, "align_corners": False}
    yield call("aten::grid_sampler_2d", {"input": x, "grid": grid} | attributes, grid_sampled(x.wide, grid.wide, 1, 0, False))
    x, grid = floats((1, 4, 6, 6), "float16"), floats((1, 3, 3, 2), "float16")
    attributes = {"interpolation_mode": 0, "padding_mode": 0, "align_corners": False}
    yield call("aten::grid_sampler", {"input": x, "grid": grid} | attributes, grid_sampled(x.wide, grid.wide, 0, 0, False), dtype="float16")


def cubic_weight(distance):
    d = abs(distance)
    return (1.25 * d - 2.25) * d * d + 1 if d <= 1 else ((-0.75 * d + 3.75) * d - 6) * d + 3 if d < 2 else 0.0


def cubic_matrix(size, out, step, aligns):
    matrix = numpy.zeros((out, size))
    for i in range(out):
        source = i * step if aligns else (i + 0.5) * step - 0.5
        for at in range(math.floor(source) - 1, math.floor(source) + 3):
            matrix[i, min(max(at, 0), size - 1)] += cubic_weight(source - at)
    return matrix


def linear_matrix(size, out, step, aligns):
    matrix = numpy.zeros((out, size))
    for i in range(out):
        source = i * step if aligns else max((i + 0.5) * step - 0.5, 0.0)
        first = min(int(source), size - 1)
        matrix[i, first] += 1 - (source - first)
        matrix[i, min(first + 1, size - 1)] += source - first
    return matrix


def other_resampled():
    for dtype in FLOATS:
        x = floats((2, 3, 7, 9), dtype)
        for sizes, aligns in (([15, 20], False), ([4, 5], True), ([5, 33], False)):
            steps = [(size - 1) / (out - 1) if aligns else size / out for size, out in zip((7, 9), sizes)]
            rows, columns = (cubic_matrix(size, out, step, aligns) for size, out, step in zip((7, 9), sizes, steps))
            yield call("aten::upsample_bicubic2d.vec", {"input": x, "output_size": sizes, "align_corners": aligns, "scale_factors": None},
                       numpy.einsum("hr,...rc,wc->...hw", rows, x.wide, columns), dtype=dtype)
        x = floats((2, 3, 11), dtype)
        yield call("aten::upsample_linear1d.vec", {"input": x, "output_size": [25], "align_corners": False, "scale_factors": None},
                   x.wide @ linear_matrix(11, 25, 11 / 25, False).T, dtype=dtype)
        yield call("aten::upsample_nearest1d.vec", {"input": x, "output_size": None, "scale_factors": [2.0]}, x.wide.repeat(2, 2), dtype=dtype,
                   tolerance=0.0)
    x = floats((1, 2, 5, 6))
    yield call("aten::upsample_bicubic2d", {"self": x, "output_size": [12, 9], "align_corners": False, "scales_h": 2.5, "scales_w": 1.5},
               numpy.einsum("hr,...rc,wc->...hw", cubic_matrix(5, 12, 1 / 2.5, False), x.wide, cubic_matrix(6, 9, 1 / 1.5, False)))
    x = floats((1, 2, 6))
    yield call("aten::upsample_linear1d", {"self": x, "output_size": [9], "align_corners": True}, x.wide @ linear_matrix(6, 9, 5 / 8, True).T)
    yield call("aten::upsample_nearest1d", {"self": x, "output_size": [3]}, x.wide[:, :, ::2], tolerance=0.0)


def antialiased_matrix(size, out, step, interpolation):
    """Filters as PyTorch has them: triangles, or cubic convolutions with a = -0.5, stretched where the result is smaller."""
    matrix, stretch = numpy.zeros((out, size)), max(step, 1.0)
    support = interpolation / 2 * stretch
    for i in range(out):
        center = (i + 0.5) * step
        first, end = max(int(center - support + 0.5), 0), min(int(center + support + 0.5), size)
        for at in range(first, end):
            d = abs(at - center + 0.5) / stretch
            cubic = (1.5 * d - 2.5) * d * d + 1 if d < 1 else ((-0.5 * d + 2.5) * d - 4) * d + 2 if d < 2 else 0.0
            matrix[i, at] = max(1 - d, 0.0) if interpolation == 2 else cubic
    return matrix / matrix.sum(1, keepdims=True)


def antialiased(x, sizes, steps, interpolation):
    rows, columns = (antialiased_matrix(size, out, step, interpolation) for size, out, step in zip(x.shape[2:], sizes, steps))
    return numpy.einsum("hr,...rc,wc->...hw", rows, x, columns)


FILTERS = {"bilinear": 2, "bicubic": 4}


def antialiased_resampled():
    for dtype, (name, width) in itertools.product(FLOATS, FILTERS.items()):
        x = floats((2, 3, 17, 23), dtype)
        for sizes, aligns in (([5, 8], False), ([30, 40], False), ([17, 4], False), ([4, 50], True), ([1, 1], True), ([1, 1], False)):
            steps = [((size - 1) / (out - 1) if out > 1 else 0.0) if aligns else size / out for size, out in zip((17, 23), sizes)]
            yield call(f"aten::_upsample_{name}2d_aa.vec", {"input": x, "output_size": sizes, "align_corners": aligns, "scale_factors": None},
                       antialiased(x.wide, sizes, steps, width), dtype=dtype)
    x = floats((1, 2, 12, 9))
    for name, width in FILTERS.items():
        yield call(f"aten::_upsample_{name}2d_aa", {"self": x, "output_size": [5, 6], "align_corners": False, "scales_h": 0.4, "scales_w": 0.7},
                   antialiased(x.wide, (5, 6), (2.5, 1 / 0.7), width))
        yield call(f"aten::_upsample_{name}2d_aa.vec", {"input": x, "output_size": None, "align_corners": False, "scale_factors": [0.5, 2.0]},
                   antialiased(x.wide, (6, 18), (2.0, 0.5), width))


def symbolic(rows, columns):
    """Calls whose sizes change: s0 rows, s1 columns."""
    x = floats((2, 3, rows, columns), symbolic=("2", "3", "s0", "s1"))
    for name, width in FILTERS.items():
        yield call(f"aten::_upsample_{name}2d_aa.vec", {"input": x, "output_size": [6, 14], "align_corners": False, "scale_factors": None},
                   antialiased(x.wide, (6, 14), (rows / 6, columns / 14), width), symbolic=("2", "3", "6", "14"))
    x = floats((rows, 3, 4, columns), symbolic=("s0", "3", "4", "s1"))
    windows = pool_windows((4, columns), (2, 2), (2, 2), (0, 1), (1, 1), False)
    yield call("aten::max_pool3d", {"self": x, "kernel_size": [1, 2, 2], "stride": [1, 2, 2], "padding": [0, 0, 1]},
               pooled_maxima(x.wide, 2, windows)[0], tolerance=0.0, symbolic=("s0", "3", "2", "s1//2 + 1"))
    x = floats((2, rows, columns), symbolic=("2", "s0", "s1"))
    yield call("aten::adaptive_avg_pool1d", {"self": x, "output_size": [1]}, x.wide.mean(2, keepdims=True), symbolic=("2", "s0", "1"))
    x, grid = floats((1, 3, rows, 4), symbolic=("1", "3", "s0", "4")), floats((1, 2, columns, 2), symbolic=("1", "2", "s1", "2"))
    yield call("aten::grid_sampler", {"input": x, "grid": grid, "interpolation_mode": 0, "padding_mode": 0, "align_corners": False},
               grid_sampled(x.wide, grid.wide, 0, 0, False), tolerance=1e-4, symbolic=("1", "3", "2", "s1"))


GROUPS = (volume_pools, folds, gates, grid_samples, other_resampled, antialiased_resampled)
