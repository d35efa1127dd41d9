"""Cases of operators that contract, or move windows over planes: products, convolutions, pools, resampling, attention."""

import itertools
import math

import numpy

from cases import FLOATS, INF, NAN, RANDOM, call, floats, integers, whole
from graphs import Tensor
from lines import softmaxed


def products():
    for dtype in FLOATS + ("float64",):
        x, w, b = floats((3, 5, 37), dtype), floats((29, 37), dtype), floats((29,), dtype)
        yield call("aten::linear", {"input": x, "weight": w, "bias": b}, x.wide @ w.wide.T + b.wide, dtype=dtype)
    for m, n, k in [(0, 3, 4), (3, 0, 4), (3, 4, 0), (1, 1, 1), (1, 130, 67), (129, 5, 33), (150, 131, 70)]:
        x, w = floats((m, k)), floats((n, k))
        yield call("aten::linear", {"input": x, "weight": w, "bias": None}, x.wide @ w.wide.T)
    x, w, b = floats((2, 300), "bfloat16"), floats((300, 70), "bfloat16"), floats((2, 70), "bfloat16")
    yield call("aten::addmm", {"self": b, "mat1": x, "mat2": w, "alpha": 2}, b.wide + 2 * (x.wide @ w.wide), dtype="bfloat16")
    x, w = floats((21, 48), "float16"), floats((48, 33), "float16")
    yield call("aten::mm", {"self": x, "mat2": w}, x.wide @ w.wide, dtype="float16")
    x, w = floats((3, 21, 19)), floats((3, 19, 17))
    yield call("aten::bmm", {"self": x, "mat2": w}, x.wide @ w.wide)
    for c_shape in [(17,), (21, 17), (21, 1), (1,), ()]:
        c, x, w = floats(c_shape), floats((21, 40)), floats((40, 17))
        yield call("aten::addmm", {"self": c, "mat1": x, "mat2": w, "alpha": 0.5, "beta": 2}, 2 * c.wide + 0.5 * (x.wide @ w.wide))
    c = Tensor(numpy.full((17,), NAN, numpy.float32), "float32")
    x, w = floats((21, 40)), floats((40, 17))
    yield call("aten::addmm", {"self": c, "mat1": x, "mat2": w, "beta": 0}, x.wide @ w.wide)
    for c_shape in [(2, 5, 7), (2, 1, 7), (7,)]:
        c, x, w = floats(c_shape), floats((2, 5, 11)), floats((2, 11, 7))
        yield call("aten::baddbmm", {"self": c, "batch1": x, "batch2": w}, c.wide + x.wide @ w.wide)
    for a, b in [
        ((5,), (5,)),
        ((4, 5), (5,)),
        ((5,), (5, 3)),
        ((2, 3, 4, 5), (5,)),
        ((5,), (2, 5, 3)),
        ((2, 3, 4, 5), (5, 6)),
        ((2, 3, 4, 5), (3, 5, 6)),
        ((2, 1, 4, 5), (1, 3, 5, 6)),
        ((4, 5), (2, 3, 5, 6)),
        ((2, 1, 3, 4, 5), (2, 1, 5, 6)),
    ]:
        x, y = floats(a), floats(b)
        yield call("aten::matmul", {"self": x, "other": y}, numpy.matmul(x.wide, y.wide))
    x, w, b = floats((7, 9, 24)), floats((40, 24)), floats((40,))


def grouped_products():
    """Rows behind the last end are 0; groups may be empty."""
    for (m, n, k), ends, dtype, type_of_ends in [
        ((50, 40, 24), [7, 7, 30, 50], "float32", "int32"),
        ((200, 70, 130), [0, 129, 150], "float16", "int64"),
        ((33, 16, 16), [1, 2, 3, 4, 5, 33, 33, 33], "bfloat16", "int32"),
        ((10, 8, 5), [10], "float32", "int32"),
        ((10, 8, 5), [0, 0], "float32", "int32"),
        ((0, 8, 5), [0, 0], "float32", "int32"),
        ((20, 8, 40), [3, 12], "float64", "int32"),
        ((10, 8, 5), [3, 99, 99], "float32", "int64"),
    ]:
        a, b = floats((m, k), dtype), floats((len(ends), k, n), dtype)
        expected = numpy.zeros((m, n))
        for group, (start, end) in enumerate(zip([0, *ends], ends)):  # an end behind the last row is that row's
            expected[start:end] = a.wide[start:end] @ b.wide[group]
        offs = Tensor(numpy.array(ends), type_of_ends)
        yield call("aten::_grouped_mm", {"self": a, "mat2": b, "offs": offs}, expected, dtype=dtype)
        yield call("transformers::grouped_mm_fallback", {"input": a, "weight": b, "offs": offs}, expected, dtype=dtype)


def sums_of_products():
    for equation, *shapes in [
        ("ij,jk->ik", (7, 40), (40, 5)), ("bhwc,hkc->bhwk", (2, 3, 4, 9), (3, 5, 9)), ("bhwc,wkc->bhwk", (2, 3, 4, 9), (4, 5, 9)),
        ("i,j->ij", (4,), (5,)), ("ii->i", (6, 6)), ("ij->ji", (3, 4)), ("ij->", (30, 40)), ("...ij,...jk", (2, 1, 3, 4), (5, 4, 6)),
        ("b a, b a", (3, 70), (3, 70)), ("bnd,bmd->bnm", (2, 0, 4), (2, 3, 4)), ("abc,cd->abd", (2, 3, 100), (100, 4)),
        ("bhwc,hkc->bkhw", (2, 30, 40, 33), (30, 50, 33)), ("bnhd,bmhd->bhnm", (2, 33, 3, 16), (2, 70, 3, 16)), ("acb,dbc->da", (20, 30, 5), (40, 5, 30)),
        ("abcd,cefa->bdef", (2, 17, 3, 4), (3, 5, 6, 2)), ("nctv,vw->nctw", (2, 3, 20, 25), (25, 25)), ("i,j->ji", (40,), (33,)),
        ("aib,bjc,cka->ijk", (8, 6, 4), (4, 5, 3), (3, 7, 8)), ("bi, oij, bj -> bo", (9, 16), (10, 16, 17), (9, 17)), ("bhtd,bhde,bht->bhte", (2, 3, 7, 4), (2, 3, 4, 5), (2, 3, 7)),
        ("ab,bc,cd,d", (2, 3), (3, 40), (40, 5), (5,)),
    ]:
        tensors = [floats(shape) for shape in shapes]
        expected = numpy.einsum(equation, *(tensor.wide for tensor in tensors))
        yield call("aten::einsum", {"equation": equation, "tensors": tensors}, expected)
    x, y = floats((3, 50), "bfloat16"), floats((4, 50), "bfloat16")
    yield call("aten::einsum", {"equation": "ik,jk->ij", "tensors": [x, y]}, x.wide @ y.wide.T, dtype="bfloat16")
    for dtype in FLOATS:
        for rows in ((), (3,), (2, 5)):
            x, y, w, b = floats((*rows, 20), dtype), floats((*rows, 30), dtype), floats((12, 20, 30), dtype), floats((12,), dtype)
            expected = numpy.einsum("...i,oij,...j->...o", x.wide, w.wide, y.wide)
            # A result is rounded before its bias comes, and between the products.
            tolerance = {"float16": 4e-3, "bfloat16": 3e-2}.get(dtype)
            yield call("aten::bilinear", {"input1": x, "input2": y, "weight": w, "bias": b}, expected + b.wide, dtype=dtype, tolerance=tolerance)
            yield call("aten::bilinear", {"input1": x, "input2": y, "weight": w, "bias": None}, expected, dtype=dtype, tolerance=tolerance)
    x, w, y = floats((4, 20)), floats((12, 20, 30)), floats((4, 30))
    yield call("aten::_trilinear", {"i1": x, "i2": w, "i3": y, "expand1": [1, 3], "expand2": [0], "expand3": [1, 2], "sumdim": [2, 3], "unroll_dim": 1},
               numpy.einsum("bi,oij,bj->bo", x.wide, w.wide, y.wide))
    for kind in ("float32", "int64"):
        x = integers((300,), -1, 9, kind)
        expected, _ = numpy.histogram(x.values, 8, (0, 7))
        yield call("aten::histc", {"self": x, "bins": 8, "min": 0, "max": 7}, Tensor(expected, kind), tolerance=0.0)


def convolved(x, w, b, stride, padding, dilation, groups):
    """[image, channel, row, column], padding in front and behind of both."""
    x = numpy.pad(x, [(0, 0), (0, 0), *padding])
    images, filters, (rows, columns) = (x.shape[0], w.shape[0], w.shape[2:])
    height = (x.shape[2] - dilation[0] * (rows - 1) - 1) // stride[0] + 1
    width = (x.shape[3] - dilation[1] * (columns - 1) - 1) // stride[1] + 1
    out = numpy.zeros((images, filters, height, width))
    channels, per_group = w.shape[1], filters // groups
    for f, r, c in itertools.product(range(filters), range(rows), range(columns)):
        first = f // per_group * channels
        seen = x[:, first : first + channels, r * dilation[0] :, c * dilation[1] :]
        seen = seen[:, :, : (height - 1) * stride[0] + 1 : stride[0], : (width - 1) * stride[1] + 1 : stride[1]]
        out[:, f] += numpy.einsum("nchw,c->nhw", seen, w[f, :, r, c])
    return out if b is None else out + b[:, None, None]


def convolution(op, dtype, x_shape, w_shape, has_bias, stride, padding, dilation, groups, attributes):
    x, w, b = floats(x_shape, dtype), floats(w_shape, dtype), floats(w_shape[:1], dtype) if has_bias else None
    dims = len(w_shape) - 2
    batch = x.wide if len(x_shape) == dims + 2 else x.wide[None]
    flat = [array[:, :, None] if dims == 1 else array for array in (batch, w.wide)]
    pairs = [(0, 0)] * (2 - dims) + [(p, p) if isinstance(p, int) else p for p in padding]
    expected = convolved(*flat, None if b is None else b.wide, ([1] + stride)[-2:], pairs, ([1] + dilation)[-2:], groups)
    expected = expected[:, :, 0] if dims == 1 else expected
    expected = expected if len(x_shape) == dims + 2 else expected[0]
    tensors = {"input": x, "weight": w} | ({"bias": b} if has_bias else {})
    return call(op, tensors | attributes, expected, dtype=dtype)


def convolutions():
    shapes = [
        ((2, 3, 17, 19), (8, 3, 3, 3), True, [1, 1], [1, 1], [1, 1], 1),
        ((1, 3, 30, 31), (10, 3, 7, 7), False, [2, 2], [3, 3], [1, 1], 1),
        ((2, 20, 9, 11), (24, 20, 1, 1), True, [1, 1], [0, 0], [1, 1], 1),
        ((2, 8, 9, 11), (6, 8, 1, 1), True, [2, 2], [0, 0], [1, 1], 1),
        ((2, 8, 15, 13), (12, 4, 3, 2), True, [2, 1], [1, 0], [1, 2], 2),
        ((2, 6, 20, 9), (6, 1, 3, 3), True, [1, 1], [1, 1], [1, 1], 6),
        ((1, 4, 11, 70), (8, 1, 5, 3), False, [2, 3], [2, 1], [2, 1], 4),
        ((3, 5, 6), (4, 3, 2, 2), True, [1, 1], [0, 0], [1, 1], 1),
        ((0, 3, 8, 8), (4, 3, 3, 3), True, [1, 1], [1, 1], [1, 1], 1),
    ]
    for number, (x, w, b, stride, padding, dilation, groups) in enumerate(shapes):
        for dtype in FLOATS if number in (0, 5) else ("float32",):
            attributes = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
            yield convolution("aten::conv2d", dtype, x, w, b, stride, padding, dilation, groups, attributes)
    yield convolution("aten::conv2d", "float32", (1, 2, 5, 5), (3, 2, 3, 3), False, [1, 1], [0, 0], [1, 1], 1, {})
    yield convolution(
        "aten::conv2d.padding",
        "float32",
        (1, 2, 9, 8),
        (3, 2, 4, 3),
        True,
        [1, 1],
        [(1, 2), (2, 2)],
        [1, 2],
        1,
        {"padding": "same", "dilation": [1, 2]},
    )
    yield convolution("aten::conv1d", "float32", (2, 4, 33), (6, 2, 5), True, [2], [3], [1], 2, {"stride": [2], "padding": [3], "groups": 2})
    yield convolution(
        "aten::convolution",
        "float32",
        (2, 3, 12, 10),
        (4, 3, 3, 3),
        True,
        [1, 2],
        [1, 1],
        [1, 1],
        1,
        {"stride": [1, 2], "padding": [1, 1], "dilation": [1, 1], "transposed": False, "output_padding": [0, 0], "groups": 1},
    )


def deep_products():
    """Long sums over small outputs, which GPUs compute in parts, and inputs that they unfold."""
    for dtype in FLOATS:
        for x, w, stride, padding, groups in [
            ((1, 64, 7, 7), (80, 64, 3, 3), [1, 1], [1, 1], 1),
            ((2, 96, 5, 7), (40, 96, 1, 1), [1, 1], [0, 0], 1),
            ((1, 300, 6, 6), (20, 150, 1, 1), [1, 1], [0, 0], 2),
            ((2, 80, 9, 8), (24, 40, 3, 3), [2, 1], [0, 2], 2),
        ]:
            attributes = {"stride": stride, "padding": padding, "groups": groups}
            yield convolution("aten::conv2d", dtype, x, w, True, stride, padding, [1, 1], groups, attributes)
        x, w, b = floats((20, 1500), dtype), floats((70, 1500), dtype), floats((70,), dtype)
        yield call("aten::linear", {"input": x, "weight": w, "bias": b}, x.wide @ w.wide.T + b.wide, dtype=dtype)
        x, w = floats((1, 3000), dtype), floats((33, 3000), dtype)
        yield call("aten::linear", {"input": x, "weight": w, "bias": None}, x.wide @ w.wide.T, dtype=dtype)
        x, w, c = floats((20, 1500), dtype), floats((1500, 70), dtype), floats((20, 1), dtype)
        yield call("aten::addmm", {"self": c, "mat1": x, "mat2": w, "alpha": 0.5, "beta": 2}, 2 * c.wide + 0.5 * (x.wide @ w.wide), dtype=dtype)
    x, w, c = floats((2, 9, 700)), floats((2, 700, 30)), floats((2, 1, 30))
    yield call("aten::baddbmm", {"self": c, "batch1": x, "batch2": w, "beta": 3}, 3 * c.wide + x.wide @ w.wide)
    x, w = floats((3, 2, 9, 700)), floats((2, 700, 30))
    yield call("aten::matmul", {"self": x, "other": w}, numpy.matmul(x.wide, w.wide))


def windows(x, kernel, stride, padding, dilation, is_ceil):
    """For each place of the output the rows and columns of its window that lie in the plane, and the window's end."""
    sizes = []
    for size, k, s, p, d in zip(x.shape[-2:], kernel, stride, padding, dilation):
        reach = size + 2 * p - d * (k - 1) - 1
        out = (-(-reach // s) if is_ceil else reach // s) + 1
        if is_ceil and (out - 1) * s >= size + p:
            out -= 1
        sizes.append(out)
    for i, j in itertools.product(range(sizes[0]), range(sizes[1])):
        begins = [i * stride[0] - padding[0], j * stride[1] - padding[1]]
        yield (
            (i, j),
            sizes,
            begins,
            [[b + n * d for n in range(k) if 0 <= b + n * d < size] for b, k, d, size in zip(begins, kernel, dilation, x.shape[-2:])],
        )


def max_pooled(x, kernel, stride, padding, dilation, is_ceil):
    planes = x.reshape(-1, *x.shape[-2:])
    out = places = None
    for (i, j), sizes, _, (rows, columns) in windows(x, kernel, stride, padding, dilation, is_ceil):
        if out is None:
            out, places = numpy.zeros((len(planes), *sizes)), numpy.zeros((len(planes), *sizes), numpy.int64)
        for p, plane in enumerate(planes):
            window = plane[numpy.ix_(rows, columns)]
            at = int(numpy.argmax(window))
            out[p, i, j] = window.flat[at]
            places[p, i, j] = rows[at // len(columns)] * x.shape[-1] + columns[at % len(columns)]
    return (out.reshape(*x.shape[:-2], *out.shape[1:]), places.reshape(*x.shape[:-2], *out.shape[1:]))


def average_pooled(x, kernel, stride, padding, is_ceil, counts_padding, divisor):
    planes = x.reshape(-1, *x.shape[-2:])
    out = None
    for (i, j), sizes, begins, (rows, columns) in windows(x, kernel, stride, padding, (1, 1), is_ceil):
        if out is None:
            out = numpy.zeros((len(planes), *sizes))
        count = len(rows) * len(columns)
        if counts_padding:
            count = math.prod((min(b + k, size + p) - b for b, k, size, p in zip(begins, kernel, x.shape[-2:], padding)))
        out[:, i, j] = planes[:, rows][:, :, columns].sum((1, 2)) / (divisor or count)
    return out.reshape(*x.shape[:-2], *out.shape[1:])


def adaptive_pooled(x, sizes):
    out = numpy.zeros((*x.shape[:-2], *sizes))
    height, width = x.shape[-2:]
    for i, j in itertools.product(range(sizes[0]), range(sizes[1])):
        rows = slice(i * height // sizes[0], -(-(i + 1) * height // sizes[0]))
        columns = slice(j * width // sizes[1], -(-(j + 1) * width // sizes[1]))
        out[..., i, j] = x[..., rows, columns].mean((-2, -1))
    return out


def pools():
    cases = [
        ((2, 3, 17, 19), [3, 3], [2, 2], [1, 1], [1, 1], False),
        ((1, 2, 15, 80), [2, 3], [2, 2], [1, 1], [1, 1], True),
        ((3, 9, 10), [2, 2], [], [0, 0], [1, 1], False),
        ((1, 1, 20, 12), [3, 2], [1, 2], [1, 1], [2, 3], True),
    ]
    for number, (shape, kernel, stride, padding, dilation, is_ceil) in enumerate(cases):
        for dtype in FLOATS if number == 0 else ("float32",):
            x = floats(shape, dtype)
            attributes = {"kernel_size": kernel, "stride": stride, "padding": padding, "dilation": dilation, "ceil_mode": is_ceil}
            values, places = max_pooled(x.wide, kernel, stride or kernel, padding, dilation, is_ceil)
            yield call("aten::max_pool2d", {"self": x} | attributes, values, dtype=dtype, tolerance=0.0)
            yield call("aten::max_pool2d_with_indices", {"self": x} | attributes, values, whole(places), dtype=dtype, tolerance=0.0)
    x = Tensor(numpy.array([[[1, 1, NAN], [-INF, 1, 0], [0, 0, 0]]], numpy.float32), "float32")
    yield call(
        "aten::max_pool2d_with_indices", {"self": x, "kernel_size": [2], "stride": [1]}, numpy.array([[[1, NAN], [1, 1]]]), whole([[[0, 2], [4, 4]]])
    )
    for number, (shape, kernel, stride, padding, is_ceil, counts, divisor) in enumerate(
        [
            ((2, 3, 17, 19), [3, 3], [2, 2], [1, 1], False, True, None),
            ((1, 2, 15, 16), [2, 3], [2, 2], [1, 1], True, True, None),
            ((1, 2, 15, 16), [3, 3], [2, 2], [1, 1], True, False, None),
            ((2, 9, 10), [2, 2], [], [0, 0], False, True, 3),
        ]
    ):
        for dtype in FLOATS if number == 0 else ("float32",):
            x = floats(shape, dtype)
            attributes = {
                "kernel_size": kernel,
                "stride": stride,
                "padding": padding,
                "ceil_mode": is_ceil,
                "count_include_pad": counts,
                "divisor_override": divisor,
            }
            yield call(
                "aten::avg_pool2d",
                {"self": x} | attributes,
                average_pooled(x.wide, kernel, stride or kernel, padding, is_ceil, counts, divisor),
                dtype=dtype,
            )
    for number, (shape, sizes) in enumerate([((2, 5, 7, 9), [1, 1]), ((2, 3, 7, 9), [3, 4]), ((3, 5, 6), [7, 6]), ((1, 2, 8, 8), [2, 1])]):
        for dtype in FLOATS if number < 2 else ("float32",):
            x = floats(shape, dtype)
            yield call("aten::adaptive_avg_pool2d", {"self": x, "output_size": sizes}, adaptive_pooled(x.wide, sizes), dtype=dtype)
    x = floats((2, 5, 7, 9))
    yield call("aten::_adaptive_avg_pool2d", {"self": x, "output_size": [1, 1]}, adaptive_pooled(x.wide, [1, 1]))


def bilinear(x, sizes, steps, aligns):
    weights = []
    for size, out, step in zip(x.shape[-2:], sizes, steps):
        matrix = numpy.zeros((out, size))
        for i in range(out):
            source = i * step if aligns else max((i + 0.5) * step - 0.5, 0.0)
            first = min(int(source), size - 1)
            matrix[i, first] += 1 - (source - first)
            matrix[i, min(first + 1, size - 1)] += source - first
        weights.append(matrix)
    return numpy.einsum("hr,...rc,wc->...hw", weights[0], x, weights[1])


def resampled():
    for dtype in FLOATS:
        x = floats((2, 3, 7, 9), dtype)
        rows, columns = [min(int(i * 7 / 15), 6) for i in range(15)], [min(int(i * 9 / 20), 8) for i in range(20)]
        yield call(
            "aten::upsample_nearest2d.vec",
            {"input": x, "output_size": [15, 20], "scale_factors": None},
            x.wide[:, :, rows][..., columns],
            dtype=dtype,
            tolerance=0.0,
        )
        yield call(
            "aten::upsample_bilinear2d.vec",
            {"input": x, "output_size": [15, 20], "align_corners": False, "scale_factors": None},
            bilinear(x.wide, (15, 20), (7 / 15, 9 / 20), False),
            dtype=dtype,
        )
    x = floats((1, 2, 5, 6))
    same = {"output_size": list(x.values.shape[2:]), "align_corners": False}
    yield call("aten::upsample_bilinear2d", {"self": x} | same, x.wide, tolerance=0.0)
    yield call("aten::upsample_nearest2d", {"self": x, "output_size": [2, 6]}, x.wide[:, :, [0, 2]])
    yield call("aten::upsample_bilinear2d", {"self": x, "output_size": [9, 1], "align_corners": True}, bilinear(x.wide, (9, 1), (4 / 8, 0.0), True))
    yield call(
        "aten::upsample_bilinear2d.vec",
        {"input": x, "output_size": None, "align_corners": False, "scale_factors": [2.5, 2.0]},
        bilinear(x.wide, (12, 12), (1 / 2.5, 0.5), False),
    )


def attended(q, k, v, mask=None, is_causal=False, scale=None):
    groups = q.shape[-3] // k.shape[-3] if q.ndim > 2 else 1
    if groups > 1:
        k, v = k.repeat(groups, -3), v.repeat(groups, -3)
    scores = q @ numpy.swapaxes(k, -1, -2) * (1 / math.sqrt(q.shape[-1]) if scale is None else scale)
    if is_causal:
        scores = numpy.where(numpy.tri(*scores.shape[-2:], dtype=bool), scores, -INF)
    if mask is not None:
        scores = numpy.where(mask, scores, -INF) if mask.dtype == bool else scores + mask
    weights = numpy.nan_to_num(softmaxed(scores, -1), nan=0.0)
    return weights @ v


def attentions():
    op = "aten::scaled_dot_product_attention"
    for dtype in FLOATS:
        q, k, v = floats((2, 3, 37, 16), dtype), floats((2, 3, 70, 16), dtype), floats((2, 3, 70, 24), dtype)
        tolerance = {"float32": 1e-05, "float16": 0.002, "bfloat16": 0.016}[dtype]
        yield call(op, {"query": q, "key": k, "value": v, "attn_mask": None}, attended(q.wide, k.wide, v.wide), dtype=dtype, tolerance=tolerance)
    q, k, v = floats((2, 4, 50, 20)), floats((2, 4, 50, 20)), floats((2, 4, 50, 20))
    yield call(op, {"query": q, "key": k, "value": v, "is_causal": True, "scale": 0.3}, attended(q.wide, k.wide, v.wide, is_causal=True, scale=0.3))
    for shape in [(50, 50), (1, 50), (2, 1, 50, 50), (2, 4, 1, 50), (4, 50, 50)]:
        keep = RANDOM.uniform(size=shape) < 0.7
        keep[..., 0, :] = False if shape[-2] > 1 else keep[..., 0, :]
        yield call(op, {"query": q, "key": k, "value": v, "attn_mask": Tensor(keep, "bool")}, attended(q.wide, k.wide, v.wide, keep))
        mask = floats(shape, "float32", -3, 3)
        yield call(op, {"query": q, "key": k, "value": v, "attn_mask": mask}, attended(q.wide, k.wide, v.wide, mask.wide))
    scores = numpy.where(numpy.tri(50, dtype=bool), q.wide @ numpy.swapaxes(k.wide, -1, -2) / math.sqrt(20), -INF)
    yield call(
        "aten::_scaled_dot_product_flash_attention_for_cpu",
        {"query": q, "key": k, "value": v, "is_causal": True},
        attended(q.wide, k.wide, v.wide, is_causal=True),
        numpy.log(numpy.exp(scores).sum(-1)),
    )
    q, k, v = floats((2, 6, 1, 16)), floats((2, 2, 33, 16)), floats((2, 2, 33, 16))
    yield call(op, {"query": q, "key": k, "value": v, "enable_gqa": True}, attended(q.wide, k.wide, v.wide))
    q, k, v = floats((2, 6, 5, 16)), floats((2, 1, 33, 16)), floats((2, 1, 33, 16))
    yield call(op, {"query": q, "key": k, "value": v}, attended(q.wide, k.wide, v.wide))
    q, k, v = floats((3, 9, 8)), floats((3, 11, 8)), floats((3, 11, 8))
    yield call(op, {"query": q, "key": k, "value": v}, attended(q.wide, k.wide, v.wide))
    q, k, v = floats((1, 1, 20, 300)), floats((1, 1, 33, 300)), floats((1, 1, 33, 300))
    yield call(op, {"query": q, "key": k, "value": v}, attended(q.wide, k.wide, v.wide))
    q, k, v = floats((1, 1, 3, 8)), floats((1, 1, 0, 8)), floats((1, 1, 0, 8))
    yield call(op, {"query": q, "key": k, "value": v}, numpy.zeros((1, 1, 3, 8)))


def symbolic(rows, columns):
    """Calls whose sizes change: s0 rows, s1 columns."""
    x, w, b = floats((rows, columns, 24), symbolic=("s0", "s1", "24")), floats((40, 24)), floats((40,))
    yield call("aten::linear", {"input": x, "weight": w, "bias": b}, x.wide @ w.wide.T + b.wide, symbolic=("s0", "s1", "40"))
    x, w = floats((rows, columns), symbolic=("s0", "s1")), floats((columns, 6), symbolic=("s1", "6"))
    yield call("aten::mm", {"self": x, "mat2": w}, x.wide @ w.wide, symbolic=("s0", "6"))
    x, w = floats((rows, 3, columns, 8), symbolic=("s0", "3", "s1", "8")), floats((5, 3, 3, 3))
    expected = convolved(x.wide, w.wide, None, (2, 2), ((1, 1), (1, 1)), (1, 1), 1)
    yield call("aten::conv2d", {"input": x, "weight": w, "stride": [2, 2], "padding": [1, 1]}, expected, symbolic=("s0", "5", "(s1 + 1)//2", "4"))
    x, w = floats((rows, 30, columns, 7), "float16", symbolic=("s0", "30", "s1", "7")), floats((6, 30, 3, 3), "float16")
    expected = convolved(x.wide, w.wide, None, (1, 1), ((1, 1), (1, 1)), (1, 1), 1)
    yield call("aten::conv2d", {"input": x, "weight": w, "padding": [1, 1]}, expected, dtype="float16", symbolic=("s0", "6", "s1", "7"))
    x = floats((1, 2, columns, 3), symbolic=("1", "2", "s1", "3"))
    yield call(
        "aten::upsample_nearest2d.vec",
        {"input": x, "output_size": None, "scale_factors": [2.0, 3.0]},
        x.wide.repeat(2, 2).repeat(3, 3),
        tolerance=0.0,
        symbolic=("1", "2", "2*s1", "9"),
    )
    x = floats((2, rows, columns), symbolic=("2", "s0", "s1"))
    yield call("aten::adaptive_avg_pool2d", {"self": x, "output_size": [1, 1]}, x.wide.mean((1, 2), keepdims=True), symbolic=("2", "1", "1"))
    q, k, v = (floats((2, size, 8), symbolic=("2", name, "8")) for size, name in ((rows, "s0"), (columns, "s1"), (columns, "s1")))
    yield call("aten::scaled_dot_product_attention", {"query": q, "key": k, "value": v}, attended(q.wide, k.wide, v.wide), symbolic=("2", "s0", "8"))
    q, k = floats((2, rows, 3, 8), symbolic=("2", "s0", "3", "8")), floats((2, columns, 3, 8), symbolic=("2", "s1", "3", "8"))
    expected = numpy.einsum("bqhd,bkhd->bhqk", q.wide, k.wide)
    yield call("aten::einsum", {"equation": "bqhd,bkhd->bhqk", "tensors": [q, k]}, expected, symbolic=("2", "3", "s0", "s1"))


GROUPS = (products, grouped_products, sums_of_products, convolutions, deep_products, pools, resampled, attentions)
