"""Cases of operators on pairs of vectors."""
import numpy

from cases import FLOATS, INF, call, floats, integers
from graphs import Tensor


def distance(x, y, order):
    difference = numpy.abs(x - y)
    if order == INF:
        return difference.max(-1, initial=0)
    if order == 0:
        return (difference != 0).sum(-1).astype(float)
    return (difference**order).sum(-1) ** (1 / order)


def cosine(x, y, dim, eps):
    lengths = [numpy.maximum(numpy.linalg.norm(values, axis=dim), eps) for values in (x, y)]
    return (x * y).sum(dim) / (lengths[0] * lengths[1])


def pairs():
    for dtype in FLOATS + ("float64",):
        for order in (0.0, 1.0, 2.0, INF):
            x, y = floats((2, 9, 40), dtype), floats((2, 33, 40), dtype)
            yield call("aten::cdist", {"x1": x, "x2": y, "p": order}, distance(x.wide[:, :, None], y.wide[:, None], order), dtype=dtype)
            x, y = floats((5, 3), dtype), floats((7, 3), dtype)
            yield call("aten::_cdist_forward", {"x1": x, "x2": y, "p": order, "compute_mode": None}, distance(x.wide[:, None], y.wide[None], order), dtype=dtype)
            x, y = floats((4, 1, 130), dtype), floats((6, 130), dtype)
            for keeps in (False, True):
                expected = distance(x.wide + 1e-6, y.wide, order)
                yield call("aten::pairwise_distance", {"x1": x, "x2": y, "p": order, "keepdim": keeps}, expected[..., None] if keeps else expected, dtype=dtype)
        for x_shape, y_shape, dim in [((5, 30), (5, 30), 1), ((4, 1, 70), (3, 70), -1), ((2, 7, 5), (2, 7, 5), 1), ((9,), (9,), 0)]:
            x, y = floats(x_shape, dtype), floats(y_shape, dtype)
            wide = numpy.broadcast_arrays(x.wide, y.wide)
            yield call("aten::cosine_similarity", {"x1": x, "x2": y, "dim": dim}, cosine(*wide, dim, 1e-8), dtype=dtype)
        x, y = floats((37,), dtype), floats((130,), dtype)
        yield call("aten::outer", {"self": x, "vec2": y}, numpy.outer(x.wide, y.wide), dtype=dtype)
        yield call("aten::ger", {"self": y, "vec2": x}, numpy.outer(y.wide, x.wide), dtype=dtype)
    x = Tensor(numpy.zeros((2, 4)), "float32")
    yield call("aten::cosine_similarity", {"x1": x, "x2": floats((2, 4)), "dim": 1, "eps": 0.5}, numpy.zeros(2))
    yield call("aten::cdist", {"x1": x, "x2": floats((0, 4))}, numpy.zeros((2, 0)))
    x, y = integers((6,), 0, 9), floats((5,))
    yield call("aten::outer", {"self": x, "vec2": y}, numpy.outer(x.wide, y.wide))


def symbolic(rows, columns):
    x, y = floats((2, rows, 5), symbolic=("2", "s0", "5")), floats((2, columns, 5), symbolic=("2", "s1", "5"))
    yield call("aten::cdist", {"x1": x, "x2": y}, distance(x.wide[:, :, None], y.wide[:, None], 2), symbolic=("2", "s0", "s1"))
    x, y = floats((rows, columns), symbolic=("s0", "s1")), floats((rows, columns), symbolic=("s0", "s1"))
    yield call("aten::cosine_similarity", {"x1": x, "x2": y, "dim": 1}, cosine(x.wide, y.wide, 1, 1e-8), symbolic=("s0",))
    x, y = floats((rows,), symbolic=("s0",)), floats((columns,), symbolic=("s1",))
    yield call("aten::outer", {"self": x, "vec2": y}, numpy.outer(x.wide, y.wide), symbolic=("s0", "s1"))


GROUPS = (pairs,)
