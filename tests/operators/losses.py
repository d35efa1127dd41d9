"""Cases of losses."""
import numpy

from cases import FLOATS, call, floats


def loss(kind, x, y, bound=1.0):
    d = numpy.abs(x - y)
    if kind == "mse_loss":
        return d * d
    if kind == "smooth_l1_loss" and bound > 0:
        return numpy.where(d < bound, d * d / 2 / bound, d - bound / 2)
    if kind == "huber_loss":
        return numpy.where(d <= bound, d * d / 2, bound * (d - bound / 2))
    return d


BOUNDS = {"mse_loss": (None,), "l1_loss": (None,), "smooth_l1_loss": (None, 0.5, 0.0), "huber_loss": (None, 0.25)}
REDUCTIONS = (lambda values: values, numpy.mean, numpy.sum)


def losses():
    for dtype in FLOATS + ("float64",):
        for shape in ((3, 7, 5), (), (130, 300)):
            x, y = floats(shape, dtype, -2, 2), floats(shape, dtype, -2, 2)
            for kind, bounds in BOUNDS.items():
                for bound in bounds:
                    values = loss(kind, x.wide, y.wide, 1.0 if bound is None else bound)
                    given = {} if bound is None else {"beta" if kind == "smooth_l1_loss" else "delta": bound}
                    for number, reduce in enumerate(REDUCTIONS):
                        yield call(f"aten::{kind}", {"self": x, "target": y, "reduction": number} | given, reduce(values), dtype=dtype)
    x, y = floats((0, 3)), floats((0, 3))
    for number, expected in enumerate((numpy.zeros((0, 3)), float("nan"), 0.0)):
        yield call("aten::mse_loss", {"self": x, "target": y, "reduction": number}, expected)


def symbolic(rows, columns):
    x, y = (floats((rows, 3, columns), symbolic=("s0", "3", "s1")) for _ in range(2))
    for kind in BOUNDS:
        values = loss(kind, x.wide, y.wide)
        yield call(f"aten::{kind}", {"self": x, "target": y, "reduction": 0}, values, symbolic=("s0", "3", "s1"))
        yield call(f"aten::{kind}", {"self": x, "target": y}, values.mean())


GROUPS = (losses,)
