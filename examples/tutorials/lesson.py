"""What a lesson is: inputs, launches, and the same result by NumPy in float64 and by PyTorch."""
import numpy

# Unit roundoff of an element type.
ROUNDOFF = {"fp64": 2.0**-53, "fp32": 2.0**-24, "fp16": 2.0**-11, "bf16": 2.0**-8}


class Lesson:
    """Subclasses say `name`, `cases` and `large` (parameters of each case: small for every day, large for a GPU), and the methods.

    Arrays are launch.Array; `x` is what `inputs` returned.
    """
    name = ""
    cases = []
    large = []

    def inputs(self, random, **case):
        """name -> Array"""
        raise NotImplementedError

    def run(self, launch, x, **case):
        """name -> Array that the kernels computed. `launch` takes a launch.Kernel and returns the arrays it wrote."""
        raise NotImplementedError

    def expected(self, x, **case):
        """name -> float64 of the same shape. `x` holds float64 here."""
        raise NotImplementedError

    def torch(self, torch, x, **case):
        """The same by PyTorch's operators on tensors of the case's types; None where PyTorch has none."""
        return None

    def tolerance(self, **case):
        """(rtol, atol): an element may differ by atol + rtol * |expected|."""
        raise NotImplementedError


def ceildiv(a, b):
    return -(-a // b)


def power_of_two(n):
    return 1 << max(n - 1, 0).bit_length()


def describe(case):
    """A case on one line: 'fp16 64x512 activation=relu'."""
    def text(value):
        return "x".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return " ".join(text(value) if name in ("dtype", "shape") else f"{name}={text(value)}" for name, value in case.items())


def worst(actual, expected, rtol, atol):
    """(largest |actual - expected|, largest share of the tolerance that an element uses); infinite where only one is not finite."""
    if actual.size == 0:
        return 0.0, 0.0
    same = (actual == expected) | (numpy.isnan(actual) & numpy.isnan(expected))
    with numpy.errstate(invalid="ignore"):
        error = numpy.where(same, 0.0, numpy.abs(actual - expected))
        error = numpy.where(numpy.isnan(error), numpy.inf, error)
        allowed = atol + rtol * numpy.abs(numpy.where(numpy.isfinite(expected), expected, 0.0))
        share = numpy.where(error == 0, 0.0, error / numpy.maximum(allowed, 1e-300))
    return float(error.max()), float(share.max())
