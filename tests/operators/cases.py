"""What the cases of operators with kernels of their own share. References compute in float64, of inputs that are rounded first."""
import numpy

from graphs import Case, Dtype, Tensor

RANDOM = numpy.random.default_rng(20261127)
FLOATS = ("float32", "float16", "bfloat16")
# Relative to the largest element: what one rounding costs, and in float32 the order of sums.
TOLERANCES = {"float32": 1e-5, "float16": 1e-3, "bfloat16": 8e-3, "float64": 1e-12}
NAN, INF = float("nan"), float("inf")


def floats(shape, dtype="float32", low=-1.0, high=1.0, symbolic=None):
    return Tensor(RANDOM.uniform(low, high, shape), dtype, symbolic)


def integers(shape, low, high, dtype="int64", symbolic=None):
    return Tensor(RANDOM.integers(low, high, shape), dtype, symbolic)


def whole(array):
    """A result of integers."""
    return Tensor(array, "int64")


def call(op, arguments, *results, dtype="float32", tolerance=None, symbolic=None):
    """A case whose results, where they are no tensors yet, are of one type; that of the first says how far all may be off.
    A data type as an argument is a text that begins with "%"."""
    results = [result if isinstance(result, Tensor) else Tensor(result, dtype, symbolic) for result in results]
    if tolerance is None:
        tolerance = TOLERANCES.get(results[0].dtype, 0.0)
    finite = [numpy.abs(result.wide[numpy.isfinite(result.wide)]).max(initial=0) for result in results if result.dtype in TOLERANCES]
    arguments = {name: Dtype(value[1:]) if isinstance(value, str) and value.startswith("%") else value for name, value in arguments.items()}
    return Case(op, arguments, results, near=tolerance * max(finite, default=0))
