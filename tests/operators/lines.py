"""Cases of operators along lines of a tensor, and of those that take elements: normalisations, softmax, reductions, sorting, gathers."""

import itertools
import math

import numpy

from cases import FLOATS, INF, NAN, RANDOM, TOLERANCES, call, floats, integers, whole
from graphs import Size, Tensor


def normalized(x, axes, eps, is_centered=True):
    mean = x.mean(axes, keepdims=True) if is_centered else 0.0
    inverse = 1 / numpy.sqrt(((x - mean) ** 2).mean(axes, keepdims=True) + eps)
    return ((x - mean) * inverse, mean, inverse)


def normalizations():
    for dtype in FLOATS:
        x, w, b = floats((3, 5, 70), dtype, -2, 4), floats((70,), dtype), floats((70,), dtype)
        y, mean, inverse = normalized(x.wide, (-1,), 1e-05)
        yield call("aten::layer_norm", {"input": x, "weight": w, "bias": b, "normalized_shape": [70]}, y * w.wide + b.wide, dtype=dtype)
        yield call(
            "aten::rms_norm",
            {"input": x, "weight": w, "normalized_shape": [70], "eps": 1e-06},
            normalized(x.wide, (-1,), 1e-06, False)[0] * w.wide,
            dtype=dtype,
        )
        x, w, b = floats((2, 6, 5, 7), dtype, -2, 4), floats((6,), dtype), floats((6,), dtype)
        y = normalized(x.wide.reshape(2, 3, -1), (-1,), 1e-05)[0].reshape(x.values.shape)
        yield call(
            "aten::group_norm", {"input": x, "weight": w, "bias": b, "num_groups": 3}, y * w.wide[:, None, None] + b.wide[:, None, None], dtype=dtype
        )
        y = normalized(x.wide, (-2, -1), 1e-05)[0]
        options = {"use_input_stats": True, "momentum": 0.1, "eps": 1e-05, "cudnn_enabled": True}
        none = {"running_mean": None, "running_var": None}
        yield call("aten::instance_norm", {"input": x, "weight": None, "bias": None} | none | options, y, dtype=dtype)
        yield call("aten::instance_norm", {"input": x, "weight": w, "bias": b} | none | options, y * w.wide[:, None, None] + b.wide[:, None, None],
                   dtype=dtype)
        mean, variance = floats((6,), dtype), floats((6,), dtype, 0.5, 2)
        y = (x.wide - mean.wide[:, None, None]) / numpy.sqrt(variance.wide[:, None, None] + 0.001)
        statistics = {"running_mean": mean, "running_var": variance}
        yield call(
            "aten::batch_norm",
            {"input": x, "weight": w, "bias": b} | statistics | {"training": False, "momentum": 0.1, "eps": 0.001, "cudnn_enabled": True},
            y * w.wide[:, None, None] + b.wide[:, None, None],
            dtype=dtype,
        )
    empty = Tensor(numpy.zeros((0,), numpy.float32), "float32")
    x, mean, variance = floats((5, 6)), floats((6,)), floats((6,), "float32", 0.5, 2)
    yield call(
        "aten::_native_batch_norm_legit_no_training",
        {"input": x, "running_mean": mean, "running_var": variance, "weight": None, "bias": None, "momentum": 0.1, "eps": 1e-05},
        (x.wide - mean.wide) / numpy.sqrt(variance.wide + 1e-05),
        empty,
        empty,
    )
    x = floats((2, 6, 3, 3), "float16")
    spread = (slice(None), None, None)
    yield call(
        "aten::_native_batch_norm_legit_no_training",
        {"input": x, "running_mean": mean, "running_var": variance, "weight": None, "bias": None, "momentum": 0.1, "eps": 1e-05},
        Tensor((x.wide - mean.wide[spread]) / numpy.sqrt(variance.wide[spread] + 1e-05), "float16"),
        Tensor(mean.wide, "float32"),
        Tensor(1 / numpy.sqrt(variance.wide + 1e-05), "float32"),
    )
    x = floats((3, 40), "bfloat16")
    y, *statistics = normalized(x.wide, (-1,), 1e-05)
    for kind in ("bfloat16", "float32"):
        yield call(
            "aten::native_layer_norm",
            {"input": x, "normalized_shape": [40], "weight": None, "bias": None, "eps": 1e-05},
            Tensor(y, "bfloat16"),
            *(Tensor(values, kind) for values in statistics),
        )
    x, w = floats((3, 4, 5, 7), "float32", -2, 4), floats((4,))
    y, mean, inverse = normalized(x.wide, (0, 2, 3), 1e-05)
    y = y * w.wide[:, None, None]
    yield call(
        "aten::batch_norm",
        {
            "input": x,
            "weight": w,
            "bias": None,
            "running_mean": None,
            "running_var": None,
            "training": True,
            "momentum": 0.1,
            "eps": 1e-05,
            "cudnn_enabled": True,
        },
        y,
    )
    yield call(
        "aten::_native_batch_norm_legit.no_stats",
        {"input": x, "weight": w, "bias": None, "training": True, "momentum": 0.1, "eps": 1e-05},
        y,
        mean.ravel(),
        inverse.ravel(),
    )
    for shape, normal in [((4, 1), 1), ((3, 2, 5, 7), 2), ((2, 5000), 1), ((0, 8), 1)]:
        x, w = floats(shape, "float32", -2, 4), floats(shape[-normal:])
        y, mean, inverse = normalized(x.wide, tuple(range(-normal, 0)), 1e-05)
        yield call(
            "aten::native_layer_norm",
            {"input": x, "weight": w, "bias": None, "normalized_shape": list(shape[-normal:]), "eps": 1e-05},
            y * w.wide,
            mean,
            inverse,
        )
    x = floats((2, 33))
    x, b = floats((2, 4, 9)), floats((4,))
    y, mean, inverse = normalized(x.wide.reshape(2, 2, -1), (-1,), 1e-05)
    yield call(
        "aten::native_group_norm",
        {"input": x, "bias": b, "weight": None, "N": 2, "C": 4, "HxW": 9, "group": 2, "eps": 1e-05},
        y.reshape(2, 4, 9) + b.wide[:, None],
        mean[..., 0],
        inverse[..., 0],
    )


def softmaxed(x, dim, is_log=False):
    with numpy.errstate(invalid="ignore", divide="ignore"):
        best = x.max(dim, keepdims=True, initial=-INF)
        shifted = x - numpy.where(numpy.isneginf(best), 0, best)
        total = numpy.exp(shifted).sum(dim, keepdims=True)
        return shifted - numpy.log(total) if is_log else numpy.exp(shifted) / total


def softmaxes():
    for dtype in FLOATS:
        x = floats((3, 7, 50), dtype, -8, 8)
        yield call("aten::softmax.int", {"self": x, "dim": -1}, softmaxed(x.wide, -1), dtype=dtype)
        yield call("aten::log_softmax.int", {"self": x, "dim": 1}, softmaxed(x.wide, 1, True), dtype=dtype)
    for shape, dim in [
        ((5,), 0),
        ((1, 1), 1),
        ((4, 3, 5), 0),
        ((2, 9000), 1),
        ((2, 3000, 3), -2),
        ((0, 4), 1),
        ((4, 0), 0),
        ((), 0),
        ((70, 40, 3), 1),
    ]:
        x = floats(shape, "float32", -30, 30)
        yield call("aten::_softmax", {"self": x, "dim": dim, "half_to_float": False}, softmaxed(x.wide, dim) if shape else numpy.array(1.0))
    x = Tensor(numpy.array([[0, -INF, 1], [-INF, -INF, -INF], [NAN, 0, 1], [INF, 0, 0]], numpy.float32), "float32")
    expected = softmaxed(x.wide[:1], 1)
    yield call("aten::_softmax", {"self": x, "dim": 1, "half_to_float": False}, numpy.concatenate([expected, numpy.full((3, 3), NAN)]))
    x = floats((6, 33), "float16", -8, 8)
    yield call("aten::_softmax", {"self": x, "dim": 1, "half_to_float": True}, softmaxed(x.wide, 1))
    yield call("aten::softmax.int", {"self": x, "dim": 1, "dtype": "%float32"}, softmaxed(x.wide, 1))
    yield call("aten::_log_softmax", {"self": x, "dim": 1, "half_to_float": False}, softmaxed(x.wide, 1, True), dtype="float16")
    x = floats((6, 33), "float32", -8, 8)


def prefix_sums():
    for dtype in FLOATS:
        x = floats((3, 40), dtype)
        yield call("aten::cumsum", {"self": x, "dim": 1}, x.wide.cumsum(1), dtype=dtype)
        x = floats((3, 40), dtype, 0.5, 1.5)
        yield call("aten::cumprod", {"self": x, "dim": 1}, x.wide.cumprod(1), dtype=dtype)
    for shape, dim in [((3, 5000), -1), ((2, 70, 5), 1), ((0, 3), 1), ((4, 1), 0)]:
        x = integers(shape, -50, 50)
        yield call("aten::cumsum", {"self": x, "dim": dim}, whole(x.values.cumsum(dim)))
    for shape, dim in [((2, 5000), -1), ((2, 70, 5), 1), ((0, 3), 1), ((4, 1), 0)]:
        x = floats(shape, "float32", 0.99, 1.01)
        yield call("aten::cumprod", {"self": x, "dim": dim}, x.wide.cumprod(dim), tolerance=1e-4)
    x = integers((4, 20), -2, 3)
    yield call("aten::cumprod", {"self": x, "dim": 1}, whole(x.values.cumprod(1)))
    x = integers((2, 9), 0, 2, "bool")
    yield call("aten::cumsum", {"self": x, "dim": 1}, whole(x.values.cumsum(1)))
    yield call("aten::cumsum", {"self": integers((2, 9), 1, 2, "int32"), "dim": 1}, whole(numpy.ones((2, 9)).cumsum(1)))


def log_sums():
    for dtype in FLOATS + ("float64",):
        for shape, dims in [((3, 40), [1]), ((2, 70, 5), [1]), ((3, 4, 700), [1, 2]), ((6, 3), [0]), ((2, 0), [1])]:
            x = floats(shape, dtype, -30, 30)
            for keeps in (False, True):
                with numpy.errstate(divide="ignore"):
                    expected = numpy.logaddexp.reduce(x.wide, axis=tuple(dims), keepdims=keeps) if len(dims) == 1 else \
                        numpy.log(numpy.exp(x.wide).sum(tuple(dims), keepdims=keeps))
                yield call("aten::logsumexp", {"self": x, "dim": dims, "keepdim": keeps}, expected, dtype=dtype)
    x = Tensor([[1, -INF, 2], [-INF, -INF, -INF], [INF, 0, 1], [NAN, 0, 1]], "float32")
    yield call("aten::logsumexp", {"self": x, "dim": [1]}, numpy.array([math.log(math.e + math.e**2), -INF, INF, NAN]))


SHAPES = [
    ((3, 5, 70), [-1], False),
    ((3, 5, 70), [0], True),
    ((4, 6, 5), [1], False),
    ((2, 3, 4, 5), [0, 2], False),
    ((2, 3, 4, 5), [-3, 3], True),
    ((2, 5, 7, 9), [2, 3], False),
    ((2, 6000), [1], False),
    ((1, 3), [0], False),
]


def weight_norms():
    for shape, dim in [((6, 3, 5), 0), ((6, 3, 5), 2), ((40, 70), -1)]:
        for dtype in FLOATS if dim == 2 else ("float32",):
            v, axes = floats(shape, dtype), tuple(i for i in range(len(shape)) if i != dim % len(shape))
            g = floats([size if i not in axes else 1 for i, size in enumerate(shape)], dtype, 0.5, 2)
            expected = v.wide * (g.wide / numpy.sqrt((v.wide**2).sum(axes, keepdims=True)))
            yield call("aten::_weight_norm", {"v": v, "g": g, "dim": dim}, expected, dtype=dtype)


def reductions():
    for dtype in FLOATS:
        x = floats((3, 5, 70), dtype)
        for name, function in [("sum", numpy.sum), ("mean", numpy.mean)]:
            op = "aten::sum.dim_IntList" if name == "sum" else "aten::mean.dim"
            yield call(op, {"self": x, "dim": [1], "keepdim": True}, function(x.wide, 1, keepdims=True), dtype=dtype)
        for name, function in [("amax", numpy.max), ("amin", numpy.min)]:
            yield call(f"aten::{name}", {"self": x, "dim": [-1]}, function(x.wide, -1), dtype=dtype, tolerance=0.0)
        yield call("aten::var.correction", {"self": x, "dim": [2]}, x.wide.var(2, ddof=1), dtype=dtype)
    for shape, dims, keeps in SHAPES:
        x, axes = floats(shape), tuple(dims)
        attributes = {"dim": dims, "keepdim": keeps}
        yield call("aten::sum.dim_IntList", {"self": x} | attributes, x.wide.sum(axes, keepdims=keeps))
        yield call("aten::mean.dim", {"self": x} | attributes, x.wide.mean(axes, keepdims=keeps))
        yield call("aten::std.correction", {"self": x} | (attributes | {"correction": 0}), x.wide.std(axes, keepdims=keeps), tolerance=0.0001)
        yield call("aten::linalg_vector_norm", {"self": x} | (attributes | {"ord": 2}), numpy.sqrt((x.wide**2).sum(axes, keepdims=keeps)))
    x = floats((5, 33))
    for order, expected in [
        (1, numpy.abs(x.wide).sum(1)),
        (0, numpy.full(5, 33.0)),
        (INF, numpy.abs(x.wide).max(1)),
        (-INF, numpy.abs(x.wide).min(1)),
    ]:
        yield call("aten::linalg_vector_norm", {"self": x, "dim": [1], "ord": order}, expected)
    mean, variance = x.wide.mean(0), x.wide.var(0, ddof=1)
    yield call("aten::var_mean.correction", {"self": x, "dim": [0], "correction": 1}, variance, mean)
    yield call("aten::var", {"self": x}, x.wide.var(ddof=1))
    yield call("aten::std.dim", {"self": x, "dim": [1], "unbiased": False}, x.wide.std(1))
    yield call("aten::var.dim", {"self": floats((3, 1)), "dim": [1]}, numpy.full(3, NAN))
    yield call("aten::prod.dim_int", {"self": x, "dim": 0}, x.wide.prod(0))
    yield call("aten::sum", {"self": x}, x.wide.sum())
    yield call("aten::mean.dim", {"self": x, "dim": None}, x.wide.mean())
    yield call("aten::max", {"self": x}, x.wide.max(), tolerance=0.0)
    scalar = floats(())
    yield call("aten::sum", {"self": scalar}, scalar.wide)
    empty = floats((0, 3))
    yield call("aten::sum.dim_IntList", {"self": empty, "dim": [0]}, numpy.zeros(3))
    yield call("aten::mean.dim", {"self": empty, "dim": [0]}, numpy.full(3, NAN))
    yield call("aten::sum.dim_IntList", {"self": empty, "dim": [1]}, numpy.zeros(0))
    yield call("aten::prod.dim_int", {"self": empty, "dim": 0}, numpy.ones(3))
    x = floats((4, 5), "float16")
    yield call("aten::sum.dim_IntList", {"self": x, "dim": [1], "dtype": "%float32"}, x.wide.sum(1))
    n = integers((4, 50), -100, 100, "int32")
    yield call("aten::sum.dim_IntList", {"self": n, "dim": [1]}, whole(n.values.sum(1)))
    yield call("aten::amax", {"self": n, "dim": [0]}, Tensor(n.values.max(0), "int32"))
    n = integers((4, 50), -(2**62), 2**62)
    yield call("aten::min", {"self": n}, whole(n.values.min()))
    n = integers((4, 5), -3, 4)
    yield call("aten::prod", {"self": n}, whole(n.values.prod()))
    flags = Tensor(RANDOM.uniform(size=(6, 4)) < 0.4, "bool")
    yield call("aten::sum", {"self": flags}, whole(flags.values.sum()))
    for op, function in [("any", numpy.any), ("all", numpy.all)]:
        yield call(f"aten::{op}", {"self": flags}, Tensor(numpy.asarray(function(flags.values)), "bool"))
        yield call(f"aten::{op}.dim", {"self": flags, "dim": -1, "keepdim": True}, Tensor(function(flags.values, -1, keepdims=True), "bool"))
        yield call(f"aten::{op}.dims", {"self": floats((3, 4, 2)), "dim": [0, 2]}, Tensor(numpy.ones(4, bool), "bool"))
        yield call(f"aten::{op}.dim", {"self": floats((3, 0)), "dim": 1}, Tensor(numpy.full(3, op == "all"), "bool"))
    x = Tensor(numpy.array([[1, NAN, 3], [3, 3, -INF]], numpy.float32), "float32")
    yield call("aten::amax", {"self": x, "dim": [1]}, numpy.array([NAN, 3]))
    yield call("aten::max.dim", {"self": x, "dim": 1}, numpy.array([NAN, 3]), whole([1, 0]))
    yield call("aten::min.dim", {"self": x, "dim": 1}, numpy.array([NAN, -INF]), whole([1, 2]))
    x = Tensor(numpy.array([[1, -INF, -INF, 2, 2, -INF], [-INF] * 6], numpy.float32), "float32")
    yield call("aten::argmax", {"self": x, "dim": -1}, whole([3, 0]))
    yield call("aten::argmin", {"self": x, "dim": -1, "keepdim": True}, whole([[1], [0]]))
    for shape, dim in [((3, 5000), 1), ((4, 7, 5), 1), ((4, 7), None)]:
        n = integers(shape, -40, 40)
        yield call("aten::argmax", {"self": n, "dim": dim}, whole(n.values.argmax(dim)))
    x = floats((6, 9))
    for values in ([True, True, True], [True, False, True]):
        yield call("aten::_is_all_true", {"self": Tensor(numpy.array(values), "bool")}, Tensor(numpy.array(all(values)), "bool"))


def sortings():
    for dtype in FLOATS + ("int64", "int32"):
        x = floats((3, 75), dtype) if dtype in FLOATS else integers((3, 75), -9, 9, dtype)
        order = numpy.argsort(x.values, -1, kind="stable")
        yield call("aten::sort", {"self": x}, Tensor(numpy.take_along_axis(x.values, order, -1), dtype), whole(order), tolerance=0.0)
        yield call("aten::argsort", {"self": x}, whole(order))
    x = floats((5, 40, 3))
    yield call("aten::argsort.stable", {"self": x, "stable": True, "dim": 1, "descending": True}, whole(numpy.argsort(-x.values, 1, kind="stable")))
    x = Tensor(numpy.array([[2, NAN, -INF, 2, 7, NAN]], numpy.float32), "float32")
    down = [[1, 5, 4, 0, 3, 2]]
    yield call(
        "aten::sort.stable",
        {"self": x, "stable": True, "dim": 1, "descending": True},
        numpy.take_along_axis(x.values, numpy.array(down), 1),
        whole(down),
        tolerance=0.0,
    )
    for shape, dim, k, largest in [((4, 50, 3), 1, 5, True), ((2, 9), -1, 9, False), ((7,), 0, 0, True), ((0, 4), 1, 2, True)]:
        x = floats(shape)
        order = numpy.argsort(-x.values if largest else x.values, dim, kind="stable").take(range(k), dim)
        yield call(
            "aten::topk",
            {"self": x, "k": k, "dim": dim, "largest": largest},
            numpy.take_along_axis(x.values, order, dim),
            whole(order),
            tolerance=0.0,
        )


def ordered(values, dim, is_descending):
    """A stable order of the places along a dimension; NaN is the largest."""
    keys = numpy.nan_to_num(values.astype(numpy.float64), nan=INF, posinf=1e300, neginf=-1e300) if values.dtype.kind == "f" else values.astype(numpy.int64)
    return numpy.argsort(-keys if is_descending else keys, dim, kind="stable")


def long_sortings():
    """Of lines that are merged, and of which few elements are found first. Some elements are equal."""
    for dtype in FLOATS + ("float64", "int64", "int32", "uint8", "bool"):
        for shape, dim in (((3, 1000), 1), ((2, 300, 3), 1), ((1, 129), -1)):
            x = integers(shape, 0, 2 if dtype == "bool" else 200, dtype) if dtype not in FLOATS + ("float64",) else \
                Tensor(numpy.round(RANDOM.uniform(-9, 9, shape), 1), dtype)
            for is_descending in (False, True):
                order = ordered(x.values, dim, is_descending)
                yield call("aten::sort", {"self": x, "dim": dim, "descending": is_descending}, Tensor(numpy.take_along_axis(x.values, order, dim), dtype),
                           whole(order), tolerance=0.0)
                yield call("aten::argsort.stable", {"self": x, "stable": True, "dim": dim, "descending": is_descending}, whole(order))
                for k in (1, 7, 128):
                    first = order.take(range(k), dim)
                    yield call("aten::topk", {"self": x, "k": k, "dim": dim, "largest": is_descending}, Tensor(numpy.take_along_axis(x.values, first, dim), dtype),
                               whole(first), tolerance=0.0)
    x = Tensor(RANDOM.choice([NAN, INF, -INF, 0.0, -0.0, 1.0, -2.5], (4, 700)), "float32")
    for is_descending in (False, True):
        order = ordered(x.values, 1, is_descending)
        yield call("aten::sort", {"self": x, "descending": is_descending}, numpy.take_along_axis(x.values, order, 1), whole(order), tolerance=0.0)
        for k in (5, 300, 700):
            first = order[:, :k]
            yield call("aten::topk", {"self": x, "k": k, "largest": is_descending}, numpy.take_along_axis(x.values, first, 1), whole(first), tolerance=0.0)
    x = Tensor(RANDOM.uniform(-9, 9, (2, 40000)), "float32")
    order = ordered(x.values, 1, True)
    for k in (0, 3, 256, 257, 3000):
        yield call("aten::topk", {"self": x, "k": k}, numpy.take_along_axis(x.values, order[:, :k], 1), whole(order[:, :k]), tolerance=0.0)
    for values in (numpy.sort(x.values)[:, ::-1], numpy.sort(x.values), numpy.zeros((2, 5000)), numpy.arange(8192.0)[None].repeat(2, 0) % 256):
        x = Tensor(values, "float32")
        order = ordered(x.values, 1, True)[:, :9]
        yield call("aten::topk", {"self": x, "k": 9}, numpy.take_along_axis(x.values, order, 1), whole(order), tolerance=0.0)


def gathers():
    table = floats((11, 70))
    for shape, kind in [((3, 5), "int64"), ((7,), "int32"), ((), "int64"), ((0, 2), "int64")]:
        index = integers(shape, 0, 11, kind)
        yield call("aten::embedding", {"weight": table, "indices": index, "padding_idx": 0}, table.values[index.values], tolerance=0.0)
    for dtype in ("float16", "bfloat16"):
        table, index = floats((5, 3), dtype), integers((4,), 0, 5)
        yield call("aten::embedding", {"weight": table, "indices": index}, table.values[index.values], dtype=dtype, tolerance=0.0)
    x = floats((4, 5, 6))
    for dim in (0, 1, -1):
        index = integers((7,), 0, 4)
        yield call("aten::index_select", {"self": x, "index": index, "dim": dim}, x.values.take(index.values, dim), tolerance=0.0)
        shape = [3, 2, 5]
        index = integers(shape, 0, x.values.shape[dim])
        part = x.values[tuple((slice(None) if d == dim % 3 else slice(size) for d, size in enumerate(shape)))]
        yield call("aten::gather", {"self": x, "index": index, "dim": dim}, numpy.take_along_axis(part, index.values, dim), tolerance=0.0)
    flags = Tensor(RANDOM.uniform(size=(4, 6)) < 0.5, "bool")
    for label, self, shapes in [
        ("first", x, {0: (7,)}),
        ("last", x, {2: (2, 3)}),
        ("two", x, {0: (3, 1), 1: (4,)}),
        ("apart", x, {0: (3,), 2: (3,)}),
        ("all", x, {0: (2, 1), 1: (1, 3), 2: ()}),
        ("mask of attention", flags, {0: (4, 1, 1, 1), 1: (6,)}),
        ("middle", floats((3, 4, 5, 2)), {1: (2, 2), 2: (2,)}),
        ("none", x, {0: (0,)}),
    ]:
        index = {dim: integers(shape, -self.values.shape[dim], self.values.shape[dim]) for dim, shape in shapes.items()}
        key = tuple((index[dim].values if dim in index else slice(None) for dim in range(self.values.ndim)))
        tensors = {"self": self} | {f"indices[{dim}]": array for dim, array in index.items()}
        missing = {f"indices[{dim}]": None for dim in range(max(index)) if dim not in index}
        yield call("aten::index.Tensor", tensors | missing, Tensor(self.values[key], self.dtype))
    scatters = [({0: [3, -4]}, (2, 5, 6)), ({0: [[0], [2]], 1: [1, 3, -1]}, (6,)), ({0: [1, 2], 2: [0, -1]}, (2, 5))]
    for places, shape in scatters:
        values = floats(shape)
        expected = x.values.copy()
        expected[tuple(numpy.array(places[dim]) if dim in places else slice(None) for dim in range(3))] = values.values
        indices = [Tensor(numpy.array(places[dim]), "int64") if dim in places else None for dim in range(max(places) + 1)]
        yield call("aten::index_put", {"self": x, "indices": indices, "values": values}, expected, tolerance=0.0)
    values, expected = floats((4, 2, 6), "float16"), floats((4, 5, 6), "float16")
    changed = Tensor(expected.values.copy(), "float16")
    changed.values[:, [4, 1]] = values.values
    index = Tensor(numpy.array([4, 1]), "int64")
    yield call("aten::index_copy", {"self": expected, "dim": 1, "index": index, "source": values}, changed)
    values, index = floats((4, 5, 6)), Tensor(numpy.argsort(RANDOM.uniform(size=(2, 5, 3)), 1), "int64")
    expected = x.values.copy()
    numpy.put_along_axis(expected[:2, :, :3], index.values, values.values[:2, :, :3], 1)
    yield call("aten::scatter.src", {"self": x, "dim": 1, "index": index, "src": values}, expected, tolerance=0.0)
    for value, dtype in ((-2.5, "float32"), (3, "int64"), (True, "bool"), (7, "float16")):
        self = Tensor(numpy.zeros((4, 5, 6)), dtype)
        expected = self.values.copy()
        numpy.put_along_axis(expected[:2, :, :3], index.values, value, 1)
        yield call("aten::scatter.value", {"self": self, "dim": 1, "index": index, "value": value}, Tensor(expected, dtype), tolerance=0.0)
    table, index = floats((3, 2)), Tensor(numpy.array([2, 99, -1]), "int64")
    expected = numpy.stack([table.values[2], [0, 0], [0, 0]])
    yield call("aten::embedding", {"weight": table, "indices": index}, expected, tolerance=0.0)
    # More than a tile, of rows and of columns; columns that are indexed, and that are not.
    for shape, dim, length in (((40, 700), 0, 90), ((40, 12), 0, 300), ((3, 50, 33), 1, 70), ((50, 40), 1, 60), ((2000,), 0, 3000)):
        x, index = floats(shape), integers((length,), 0, shape[dim])
        yield call("aten::index_select", {"self": x, "index": index, "dim": dim}, x.values.take(index.values, dim), tolerance=0.0)
        index = integers(shape, 0, shape[dim])
        yield call("aten::gather", {"self": x, "index": index, "dim": dim}, numpy.take_along_axis(x.values, index.values, dim), tolerance=0.0)
        index, values = Tensor(numpy.argsort(RANDOM.uniform(size=shape), dim), "int64"), floats(shape)
        expected = x.values.copy()
        numpy.put_along_axis(expected, index.values, values.values, dim)
        yield call("aten::scatter.src", {"self": x, "dim": dim, "index": index, "src": values}, expected, tolerance=0.0)


def additions():
    """Sums of several elements at a place, small integers: exact in every type and order."""
    for shape, dim, length in (((3, 7, 20), 1, 30), ((5,), 0, 3000), ((600, 3), 0, 700), ((2, 6, 3, 5), -2, 9)):
        self = Tensor(RANDOM.integers(-3, 4, shape), "float32")
        grown = list(shape)
        grown[dim] = length
        index, values, expected = integers((length,), 0, shape[dim]), Tensor(RANDOM.integers(-3, 4, grown), "float32"), self.wide.copy()
        numpy.add.at(numpy.moveaxis(expected, dim, 0), index.values, numpy.moveaxis(values.wide, dim, 0))
        yield call("aten::index_add", {"self": self, "dim": dim, "index": index, "source": values}, expected, tolerance=0.0)
        index, expected = integers(grown, 0, shape[dim]), self.wide.copy()
        places = list(numpy.indices(grown))
        places[dim] = index.values
        numpy.add.at(expected, tuple(places), values.wide)
        yield call("aten::scatter_add", {"self": self, "dim": dim, "index": index, "src": values}, expected, tolerance=0.0)
    for dtype in ("float32", "float16", "bfloat16", "float64", "int32", "int64"):
        self = Tensor(RANDOM.integers(-3, 4, (4, 5)), dtype)
        rows, values = integers((9,), 0, 4), Tensor(RANDOM.integers(-3, 4, (9, 5)), dtype)
        expected = self.wide.copy()
        numpy.add.at(expected, rows.values, values.wide)
        yield call("aten::index_add", {"self": self, "dim": 0, "index": rows, "source": values}, Tensor(expected, dtype), tolerance=0.0)
        yield call("aten::index_put", {"self": self, "indices": [rows], "values": values, "accumulate": True}, Tensor(expected, dtype), tolerance=0.0)
        index, values = integers((3, 8), 0, 5), Tensor(RANDOM.integers(-3, 4, (4, 9)), dtype)
        expected = self.wide.copy()
        numpy.add.at(expected, (numpy.arange(3)[:, None], index.values), values.wide[:3, :8])
        yield call("aten::scatter_add", {"self": self, "dim": 1, "index": index, "src": values}, Tensor(expected, dtype), tolerance=0.0)


def put_together(self, dim, index, src, reduce, includes_self):
    """scatter_reduce, element by element, and of how many each result is."""
    out, counts = self.copy(), numpy.full(self.shape, int(includes_self))
    for at in numpy.ndindex(index.shape):
        place = at[:dim] + (int(index[at]),) + at[dim + 1:]
        both = {"sum": numpy.add, "mean": numpy.add, "prod": numpy.multiply, "amax": numpy.maximum, "amin": numpy.minimum}[reduce]
        out[place] = both(out[place], src[at]) if counts[place] else src[at]
        counts[place] += 1
    if reduce != "mean":
        return out
    return out // counts.clip(1) if out.dtype.kind == "i" else out / counts.clip(1)


def scatter_reductions():
    cases = list(itertools.product(("sum", "prod", "mean", "amax", "amin"), (True, False)))
    for dtype, (reduce, includes_self) in itertools.product(FLOATS + ("float64", "int32", "int64"), cases):
        for self, dim, index, src in (((4, 5), 1, (3, 8), (4, 9)), ((6,), 0, (40,), (40,)), ((3, 4, 2, 5), 0, (9, 4, 1, 5), (9, 4, 2, 6))):
            make = floats if dtype in TOLERANCES else lambda shape, dtype: integers(shape, -5, 6, dtype)
            self, src, index = make(self, dtype), make(src, dtype), integers(index, 0, self[dim])
            expected = put_together(self.wide, dim, index.values, src.wide, reduce, includes_self)
            yield call("aten::scatter_reduce.two", {"self": self, "dim": dim, "index": index, "src": src, "reduce": reduce, "include_self": includes_self},
                       Tensor(expected, dtype), tolerance=4 * TOLERANCES.get(dtype, 0.0))
    x, index = floats((), "float32"), Tensor(numpy.array(0), "int64")
    src = Tensor(numpy.array(NAN), "float32")
    yield call("aten::scatter_reduce.two", {"self": x, "dim": 0, "index": index, "src": src, "reduce": "amax"}, src.values)


def symbolic(rows, columns):
    """Calls whose sizes change: s0 rows, s1 columns."""
    x, index, src = floats((5, columns), symbolic=("5", "s1")), integers((rows, columns), 0, 5, symbolic=("s0", "s1")), floats((rows, columns), symbolic=("s0", "s1"))
    expected = put_together(x.wide, 0, index.values, src.wide, "mean", False)
    yield call("aten::scatter_reduce.two", {"self": x, "dim": 0, "index": index, "src": src, "reduce": "mean", "include_self": False}, expected,
               symbolic=("5", "s1"))
    both = ("s0", "s1")
    x = floats((rows, columns), low=-4, high=4, symbolic=both)
    for dim in (0, 1):
        yield call("aten::softmax.int", {"self": x, "dim": dim}, softmaxed(x.wide, dim), symbolic=both)
        yield call("aten::sum.dim_IntList", {"self": x, "dim": [dim]}, x.wide.sum(dim), symbolic=(both[1 - dim],))
        yield call("aten::argmax", {"self": x, "dim": dim}, Tensor(x.values.argmax(dim), "int64", (both[1 - dim],)))
    yield call("aten::var.correction", {"self": x, "dim": None}, x.wide.var(ddof=1))
    yield call("aten::layer_norm", {"input": x, "normalized_shape": [Size("s1")]}, normalized(x.wide, (-1,), 1e-5)[0], symbolic=both, tolerance=1e-4)
    n = integers((rows, columns), -50, 50, symbolic=both)
    yield call("aten::cumsum", {"self": n, "dim": 1}, Tensor(n.values.cumsum(1), "int64", both))
    order = numpy.argsort(n.values, 1, kind="stable")
    yield call("aten::sort", {"self": n}, *(Tensor(values, "int64", both) for values in (numpy.take_along_axis(n.values, order, 1), order)))
    table, index = floats((11, 7)), integers((rows, columns), 0, 11, symbolic=both)
    yield call("aten::embedding", {"weight": table, "indices": index}, table.values[index.values], tolerance=0.0, symbolic=("s0", "s1", "7"))
    values, index = Tensor(RANDOM.integers(-3, 4, (rows, columns)), "float32", both), integers((rows,), 0, 5, symbolic=("s0",))
    bins = Tensor(RANDOM.integers(-3, 4, (5, columns)), "float32", ("5", "s1"))
    expected = bins.wide.copy()
    numpy.add.at(expected, index.values, values.wide)
    yield call("aten::index_add", {"self": bins, "dim": 0, "index": index, "source": values}, expected, tolerance=0.0, symbolic=("5", "s1"))
    index, expected = integers((rows, columns), 0, columns, symbolic=both), values.wide.copy()
    numpy.add.at(expected, (numpy.arange(rows)[:, None], index.values), values.wide)
    yield call("aten::scatter_add", {"self": values, "dim": 1, "index": index, "src": values}, expected, tolerance=0.0, symbolic=both)
    yield call("aten::gather", {"self": values, "dim": 1, "index": index}, numpy.take_along_axis(values.values, index.values, 1), tolerance=0.0, symbolic=both)
    y, index = floats((rows, 5, 6), symbolic=("s0", "5", "6")), integers((columns,), 0, 5, symbolic=("s1",))
    yield call("aten::index_select", {"self": y, "index": index, "dim": 1}, y.values[:, index.values], tolerance=0.0, symbolic=("s0", "s1", "6"))


GROUPS = (normalizations, softmaxes, prefix_sums, log_sums, weight_norms, reductions, sortings, long_sortings, gathers, additions, scatter_reductions)
