"""Convolutions of three dimensions, and transposed ones. The references go through taps one by one."""
import itertools

import numpy

from cases import FLOATS, call, floats


def taps_of(w):
    return itertools.product(*(range(size) for size in w.shape[2:]))


def reached(tap, sizes, stride, padding, dilation):
    """Where elements of `sizes` lie, along each dimension, that a tap moves by the stride."""
    return [numpy.arange(size) * s - p + t * d for t, size, s, p, d in zip(tap, sizes, stride, padding, dilation)]


def transposed(x, w, b, stride, padding, output_padding, dilation, groups):
    out_sizes = [(size - 1) * s - 2 * p + d * (k - 1) + e + 1
                 for size, s, p, d, k, e in zip(x.shape[2:], stride, padding, dilation, w.shape[2:], output_padding)]
    filters = w.shape[1]
    out = numpy.zeros((x.shape[0], filters * groups, *out_sizes))
    channels = x.shape[1] // groups
    for group, tap in itertools.product(range(groups), taps_of(w)):
        inputs = x[:, group * channels:(group + 1) * channels]
        weights = w[group * channels:(group + 1) * channels][(slice(None), slice(None), *tap)]
        values = numpy.einsum("nc...,cm->nm...", inputs, weights)
        places = reached(tap, x.shape[2:], stride, padding, dilation)
        inside = [(place >= 0) & (place < size) for place, size in zip(places, out_sizes)]
        values = values[(slice(None), slice(None), *numpy.ix_(*inside))]
        target = (slice(None), slice(group * filters, (group + 1) * filters), *numpy.ix_(*(place[i] for place, i in zip(places, inside))))
        out[target] += values
    return out + (0 if b is None else b.reshape(1, -1, *(1 for _ in out_sizes)))


def direct(x, w, b, stride, padding, dilation, groups):
    out_sizes = [(size + 2 * p - d * (k - 1) - 1) // s + 1 for size, s, p, d, k in zip(x.shape[2:], stride, padding, dilation, w.shape[2:])]
    padded = numpy.pad(x, [(0, 0), (0, 0), *((p, p) for p in padding)])
    filters, channels = w.shape[0] // groups, w.shape[1]
    out = numpy.zeros((x.shape[0], w.shape[0], *out_sizes))
    for group, tap in itertools.product(range(groups), taps_of(w)):
        places = reached(tap, out_sizes, stride, [0] * len(stride), dilation)
        seen = padded[:, group * channels:(group + 1) * channels][(slice(None), slice(None), *numpy.ix_(*places))]
        weights = w[group * filters:(group + 1) * filters][(slice(None), slice(None), *tap)]
        out[:, group * filters:(group + 1) * filters] += numpy.einsum("nc...,mc->nm...", seen, weights)
    return out + (0 if b is None else b.reshape(1, -1, *(1 for _ in out_sizes)))


def volume_convolutions():
    dims = {1: "1d", 2: "2d.input", 3: "3d.input"}
    for dtype, (x, w, groups, stride, padding, output_padding, dilation) in itertools.product(FLOATS + ("float64",), [
        ((2, 3, 7), (3, 5, 4), 1, [2], [1], [1], [1]),
        ((1, 4, 5, 6), (4, 3, 3, 2), 2, [2, 3], [1, 0], [0, 2], [1, 2]),
        ((2, 4, 3, 4, 5), (4, 2, 2, 3, 1), 1, [1, 2, 2], [0, 1, 0], [0, 1, 0], [2, 1, 1]),
        ((1, 70, 9, 9), (70, 66, 2, 2), 1, [2, 2], [0, 0], [0, 0], [1, 1]),
        ((2, 6, 4, 4), (6, 1, 4, 4), 6, [2, 2], [1, 1], [0, 0], [1, 1]),
    ]):
        count = len(stride)
        inputs, weights, bias = floats(x, dtype), floats(w, dtype), floats((w[1] * groups,), dtype)
        expected = transposed(inputs.wide, weights.wide, bias.wide, stride, padding, output_padding, dilation, groups)
        options = {"stride": stride, "padding": padding, "output_padding": output_padding, "groups": groups, "dilation": dilation}
        yield call(f"aten::conv_transpose{dims[count]}", {"input": inputs, "weight": weights, "bias": bias, **options}, expected, dtype=dtype)
    x, w = floats((1, 2, 4, 5)), floats((2, 3, 3, 3))
    form = {"stride": [2, 2], "padding": [1, 1], "dilation": [1, 1], "transposed": True, "output_padding": [1, 0], "groups": 1}
    expected = transposed(x.wide, w.wide, None, [2, 2], [1, 1], [1, 0], [1, 1], 1)
    yield call("aten::convolution", {"input": x, "weight": w, "bias": None, **form}, expected)
    x = floats((2, 4, 5))
    yield call("aten::conv_transpose2d.input", {"input": x, "weight": w}, transposed(x.wide[None], w.wide, None, [1, 1], [0, 0], [0, 0], [1, 1], 1)[0])
    for dtype in FLOATS:
        x, w, b = floats((2, 4, 5, 6, 7), dtype), floats((6, 2, 2, 3, 3), dtype), floats((6,), dtype)
        expected = direct(x.wide, w.wide, b.wide, [1, 2, 1], [0, 1, 2], [2, 1, 1], 2)
        options = {"stride": [1, 2, 1], "padding": [0, 1, 2], "dilation": [2, 1, 1], "groups": 2}
        yield call("aten::conv3d", {"input": x, "weight": w, "bias": b, **options}, expected, dtype=dtype)
        yield call("aten::convolution", {"input": x, "weight": w, "bias": b, **options, "transposed": False, "output_padding": [0, 0, 0]}, expected,
                   dtype=dtype)
        # With one channel a group, and windows of single elements, also with steps.
        for x, w, groups, stride, padding, dilation in [
            ((2, 5, 4, 6, 7), (10, 1, 3, 2, 3), 5, [2, 1, 1], [1, 0, 1], [1, 2, 1]),
            ((1, 20, 2, 3, 5), (7, 20, 1, 1, 1), 1, [1, 1, 1], [0, 0, 0], [1, 1, 1]),
            ((2, 20, 4, 3, 5), (8, 10, 1, 1, 1), 2, [2, 1, 2], [0, 0, 0], [1, 1, 1]),
            ((1, 70, 5, 5, 5), (24, 70, 3, 3, 3), 1, [1, 1, 1], [1, 1, 1], [1, 1, 1]),
            ((1, 6, 6, 5, 4), (9, 6, 3, 1, 1), 1, [1, 1, 1], [1, 0, 0], [1, 1, 1]),
            ((1, 6, 3, 5, 8), (9, 6, 1, 3, 3), 1, [1, 2, 2], [0, 1, 1], [1, 1, 1]),
        ]:
            inputs, weights, bias = floats(x, dtype), floats(w, dtype), floats((w[0],), dtype)
            expected = direct(inputs.wide, weights.wide, bias.wide, stride, padding, dilation, groups)
            options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
            yield call("aten::conv3d", {"input": inputs, "weight": weights, "bias": bias, **options}, expected, dtype=dtype)
    x, w = floats((1, 2, 4, 4, 4)), floats((3, 2, 3, 3, 3))
    expected = direct(x.wide, w.wide, None, [1, 1, 1], [1, 1, 1], [1, 1, 1], 1)
    yield call("aten::conv3d.padding", {"input": x, "weight": w, "padding": "same"}, expected)


def large(shapes):
    for dtype, x, w, stride, padding, dilation in shapes:
        groups = x[1] // w[1]
        inputs, weights, bias = floats(x, dtype), floats(w, dtype), floats((w[0],), dtype)
        expected = direct(inputs.wide, weights.wide, bias.wide, stride, padding, dilation, groups)
        name = {1: "aten::conv1d", 2: "aten::conv2d", 3: "aten::conv3d"}[len(padding)]
        options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
        yield call(name, {"input": inputs, "weight": weights, "bias": bias, **options}, expected, dtype=dtype)


def large_windows():
    """Of which so much is unfolded on GPUs that it is done in parts: of images, and of pixels of one."""
    yield from large([
        ("float32", (3, 8, 16, 32, 128), (4, 8, 5, 5, 5), [1, 1, 2], [2, 2, 2], [1, 1, 1]),
        ("float32", (1, 8, 840, 512), (4, 8, 7, 7), [2, 1], [3, 3], [1, 1]),
        ("float32", (2, 8, 840, 512), (4, 4, 7, 7), [2, 1], [3, 3], [1, 1]),
    ])


def shifted_windows():
    """That move by single elements: GPUs read the input at a shift for each tap. The last are done in parts of images."""
    for dtype in FLOATS:
        yield from large([
            (dtype, (2, 24, 60, 56), (20, 24, 3, 3), [1, 1], [1, 1], [1, 1]),
            (dtype, (1, 40, 61, 75), (34, 20, 5, 3), [1, 1], [0, 2], [2, 1]),
            (dtype, (1, 70, 9000), (17, 70, 7), [1], [3], [1]),
            (dtype, (1, 16, 9, 40, 33), (20, 16, 3, 3, 3), [1, 1, 1], [1, 1, 1], [1, 1, 1]),
            (dtype, (2, 16, 20, 24, 20), (20, 8, 3, 1, 1), [1, 1, 1], [1, 0, 0], [2, 1, 1]),
            (dtype, (1, 300, 12, 40), (12, 300, 3, 3), [1, 1], [0, 1], [1, 1]),
        ])
    yield from large([("float32", (7, 8, 420, 512), (4, 8, 7, 7), [1, 1], [3, 3], [1, 1])])


def symbolic(rows, columns):
    x, w = floats((rows, 3, columns, 4), symbolic=("s0", "3", "s1", "4")), floats((3, 2, 3, 2))
    expected = transposed(x.wide, w.wide, None, [2, 1], [1, 0], [1, 0], [1, 1], 1)
    yield call("aten::conv_transpose2d.input", {"input": x, "weight": w, "stride": [2, 1], "padding": [1, 0], "output_padding": [1, 0]}, expected,
               symbolic=("s0", "2", "2*s1", "5"))
    x, w = floats((1, 2, rows, 4, columns), symbolic=("1", "2", "s0", "4", "s1")), floats((3, 2, 2, 3, 1))
    expected = direct(x.wide, w.wide, None, [1, 2, 1], [1, 1, 0], [1, 1, 1], 1)
    yield call("aten::conv3d", {"input": x, "weight": w, "stride": [1, 2, 1], "padding": [1, 1, 0]}, expected, symbolic=("1", "3", "s0 + 1", "2", "s1"))


GROUPS = (volume_convolutions, large_windows, shifted_windows)
