"""Operators whose results have as many elements as a mask has that hold."""
import numpy

from cases import RANDOM, call, floats, integers, whole
from graphs import Tensor


def some(shape, share=0.4, symbolic=None):
    return Tensor(RANDOM.uniform(0, 1, shape) < share, "bool", symbolic)


def counted():
    """Each case alone has the symbols u0, u1, ... of its results."""
    shapes = [(7,), (3, 5), (2, 3, 4), (2, 1, 3, 2, 5), (5000,), (70, 90), ()]
    number = 0

    def symbol():
        nonlocal number
        number += 1
        return f"u{number - 1}"
    for shape in shapes:
        x = Tensor(numpy.where(some(shape).values, RANDOM.uniform(-1, 1, shape), 0), "float32")
        yield call("aten::nonzero", {"self": x}, Tensor(numpy.argwhere(x.values), "int64", [symbol(), len(shape)]))
    for value in (0.0, 1.0):
        flags = Tensor(numpy.full((3, 400), value), "int64")
        yield call("aten::nonzero", {"self": flags}, Tensor(numpy.argwhere(flags.values), "int64", [symbol(), 2]))
    for shape, mask_shape in (((6, 8), (6, 8)), ((6, 8), (8,)), ((8,), (6, 8)), ((3, 1, 5), (4, 1)), ((2000,), (2000,))):
        x, mask = floats(shape), some(mask_shape)
        wide, where = numpy.broadcast_arrays(x.values, mask.values)
        yield call("aten::masked_select", {"self": x, "mask": mask}, Tensor(wide[where], "float32", [symbol()]))
    for shape, rank in (((9,), 1), ((9, 5), 1), ((9, 5), 2), ((4, 5, 3, 11), 2), ((1500, 7), 1)):
        x, mask = integers(shape, -9, 9), some(shape[:rank])
        yield call("aten::index.Tensor", {"self": x, "indices[0]": mask}, Tensor(x.values[mask.values], "int64", [symbol(), *shape[rank:]]))
    nothing = floats((0, 4))
    yield call("aten::nonzero", {"self": nothing}, Tensor(numpy.zeros((0, 2)), "int64", [symbol(), 2]))


def written():
    for shape, rank in (((9,), 1), ((9, 5), 1), ((9, 5), 2), ((4, 5, 3, 11), 2), ((1500, 7), 1)):
        x, mask = floats(shape), some(shape[:rank])
        row = shape[rank:]
        count = int(mask.values.sum())
        for values in (floats(()), floats((1,)), floats(row), floats((count, *row))):
            result = x.values.copy()
            result[mask.values] = values.values
            yield call("aten::index_put", {"self": x, "indices[0]": mask, "values": values, "accumulate": False}, result)


def symbols_of(cases):
    """Those of results; what they may be, and what they are tuned for, is the plugin's to say."""
    names = [size for case in cases for result in case.results for size in result.symbolic or () if isinstance(size, str)]
    return [(name, 0, 2**63 - 1) for name in names]


GROUPS = (counted, written)
