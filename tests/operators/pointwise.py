"""Cases of pointwise operators. References compute in float64 and are rounded once; types are written down, not derived."""
import math
import statistics

import numpy as np

from graphs import Case, Size, Tensor, rounded

EDGES = [0.0, -0.0, 1.0, -1.0, 0.5, 2.5, -2.5, 3.0, -3.0, 3.75, 0.125, -7.5, 20.0, 100.0, math.nan, math.inf, -math.inf, 1e-3]
INTEGERS = [0, 1, -1, 2, 3, -3, 7, -7, 100, -100]
LIMITS = {"int8": 7, "int16": 15, "int32": 31, "int64": 63, "uint8": 8}
HALVES = ("float16", "bfloat16")


def random(seed=0):
    return np.random.default_rng(seed)


def edges(dtype, count=0, seed=0):
    """Values worth trying, of a type, and `count` random ones."""
    if dtype == "bool":
        return Tensor(np.array([True, False, True, True, False]), dtype)
    if dtype in LIMITS:
        bits = LIMITS[dtype]
        least, most = (0, 2**bits - 1) if dtype == "uint8" else (-(2**bits), 2**bits - 1)
        values = [v for v in INTEGERS + [least, most] if least <= v <= most]
        return Tensor(np.array(values + list(random(seed).integers(-100 if least else 0, 100, count)), dtype), dtype)
    return Tensor(np.array(EDGES + list(random(seed).uniform(-8, 8, count))), dtype)


def pairs(dtype, other):
    """Two tensors of which every value of one meets every value of the other."""
    a, b = edges(dtype, 3, 1), edges(other, 3, 2)
    return (Tensor(np.repeat(a.values, b.values.size), dtype), Tensor(np.tile(b.values, a.values.size), other))


def numbers(shape, dtype, seed=0):
    """Random values that all types can tell apart."""
    if dtype == "bool":
        values = random(seed).integers(0, 2, shape).astype(bool)
        values = np.asarray(values)
        values.reshape(-1)[:2] = [False, True][:values.size]  # both, whatever the seed
        return Tensor(values, dtype)
    if dtype in LIMITS:
        return Tensor(random(seed).integers(0 if dtype == "uint8" else -50, 50, shape), dtype)
    return Tensor(random(seed).uniform(-4, 4, shape), dtype)


def wrapped(values, dtype):
    """Integers beyond their type begin again, as hardware does."""
    return np.asarray(values).astype(np.int64).astype(dtype) if dtype in LIMITS else values


def floor_mod(a, b):
    with np.errstate(all="ignore"):
        return np.where(np.isinf(b) & np.isfinite(a), np.where((a != 0) & ((a < 0) != (b < 0)), b, a), np.mod(a, b))


def arithmetic():
    with np.errstate(all="ignore"):
        for dtype in ("float32", "float16", "bfloat16", "float64"):
            a, b = pairs(dtype, dtype)
            x, y = a.wide, b.wide
            near = 1 if dtype in HALVES else 0
            for op, value, arguments in (
                    ("add.Tensor", x + y, {}), ("sub.Tensor", x - y, {}), ("mul.Tensor", x * y, {}), ("div.Tensor", x / y, {}),
                    ("maximum", np.maximum(x, y), {}), ("minimum", np.minimum(x, y), {}), ("max.other", np.maximum(x, y), {}),
                    ("min.other", np.minimum(x, y), {}), ("fmod.Tensor", np.fmod(x, y), {}), ("remainder.Tensor", floor_mod(x, y), {}),
                    ("div.Tensor_mode", np.trunc(rounded(x / y, "float64" if dtype == "float64" else "float32")), {"rounding_mode": "trunc"}), ("div.Tensor_mode", x / y, {"rounding_mode": None})):
                yield Case(f"aten::{op}", {"self": a, "other": b, **arguments}, Tensor(value, dtype), ulps=near)
            yield Case("aten::add.Tensor", {"self": a, "other": b, "alpha": 0.5}, Tensor(x + y * 0.5, dtype), ulps=1)
            yield Case("aten::sub.Tensor", {"self": a, "other": b, "alpha": 2}, Tensor(x - y * 2, dtype), ulps=1)
            yield Case("aten::add.Tensor", {"self": a, "other": 0.75}, Tensor(x + 0.75, dtype), ulps=near)
            yield Case("aten::mul.Scalar", {"self": a, "other": -2}, Tensor(x * -2, dtype))
            yield Case("aten::rsub.Scalar", {"self": a, "other": 1}, Tensor(1 - x, dtype), ulps=near)
            yield Case("aten::sub.Tensor", {"self": 1, "other": a}, Tensor(1 - x, dtype), ulps=near)
        # Quotients that are whole but for rounding, where Python's way of dividing matters.
        a, b = Tensor([7.0, -7.0, 7.5, 6.0, 1.0, -1.0, 0.0, 5.0, -5.0, math.nan], "float32"), Tensor(
            [2.0, 2.0, -2.5, 0.0, 0.1, 0.1, -3.0, math.inf, math.inf, 1.0], "float32")
        yield Case("aten::div.Tensor_mode", {"self": a, "other": b, "rounding_mode": "floor"},
                   Tensor([3, -4, -3, math.inf, 9, -10, -0.0, 0, -1, math.nan], "float32"))
        yield Case("aten::floor_divide", {"self": a, "other": 2}, Tensor(np.floor(a.wide / 2), "float32"))
        for dtype in ("int32", "int64", "int8", "int16", "uint8"):
            a, b = pairs(dtype, dtype)
            x, y = a.wide, b.wide
            for op, value, arguments in (("add.Tensor", x + y, {}), ("sub.Tensor", x - y, {}), ("mul.Tensor", x * y, {}),
                                         ("maximum", np.maximum(x, y), {}), ("minimum", np.minimum(x, y), {}),
                                         ("add.Tensor", x + 3 * y, {"alpha": 3}), ("bitwise_and.Tensor", x & y, {}),
                                         ("bitwise_or.Tensor", x | y, {}), ("__and__.Tensor", x & y, {}), ("bitwise_xor.Tensor", x ^ y, {})):
                yield Case(f"aten::{op}", {"self": a, "other": b, **arguments}, Tensor(wrapped(value, dtype), dtype))
            yield Case("aten::div.Tensor", {"self": a, "other": b}, Tensor(a.values.astype(np.float32) / b.values.astype(np.float32), "float32"))
            keep = y != 0
            a, b, x, y = Tensor(a.values[keep], dtype), Tensor(b.values[keep], dtype), x[keep], y[keep]
            floored = np.array([int(p) // int(q) for p, q in zip(x, y)], dtype=object)
            truncated = np.array([abs(int(p)) // abs(int(q)) * (1 if (p < 0) == (q < 0) else -1) for p, q in zip(x, y)], dtype=object)
            fits = lambda values: np.array([(int(v) + 2**63) % 2**64 - 2**63 for v in values], np.int64).astype(dtype)
            for op, value, arguments in (("floor_divide", floored, {}), ("div.Tensor_mode", floored, {"rounding_mode": "floor"}),
                                         ("div.Tensor_mode", truncated, {"rounding_mode": "trunc"}),
                                         ("remainder.Tensor", x.astype(object) - floored * y.astype(object), {}),
                                         ("fmod.Tensor", x.astype(object) - truncated * y.astype(object), {})):
                yield Case(f"aten::{op}", {"self": a, "other": b, **arguments}, Tensor(fits(value), dtype))


def powers():
    with np.errstate(all="ignore"):
        for dtype in ("float32", "float16", "bfloat16"):
            a = edges(dtype, 20)
            for exponent in (0, 1, 2, 3, 0.5, -0.5, -1, -2, 2.5, 4):
                value = np.sqrt(a.wide) if exponent == 0.5 else 1 / np.sqrt(a.wide) if exponent == -0.5 else np.power(a.wide, exponent)
                yield Case("aten::pow.Tensor_Scalar", {"self": a, "exponent": exponent}, Tensor(value, dtype), ulps=4)
            yield Case("aten::pow.Scalar", {"self": 2, "exponent": a}, Tensor(np.power(2.0, a.wide), dtype), ulps=4)
            b, c = pairs(dtype, dtype)
            yield Case("aten::pow.Tensor_Tensor", {"self": b, "exponent": c}, Tensor(np.power(b.wide, c.wide), dtype), ulps=4)
        a = Tensor([0, 1, -1, 2, -3, 10], "int64")
        for exponent in (0, 1, 2, 3, 7, -1):
            value = [int(v) ** exponent if exponent >= 0 else 1 if v == 1 else (-1) ** exponent if v == -1 else 0 for v in a.values]
            yield Case("aten::pow.Tensor_Scalar", {"self": a, "exponent": exponent}, Tensor(np.array(value), "int64"))
        yield Case("aten::pow.Tensor_Scalar", {"self": a, "exponent": 2.0}, Tensor(a.wide**2.0, "float32"))
        yield Case("aten::pow.Tensor_Tensor", {"self": Tensor([2, -2, 3, 1, -1], "int32"), "exponent": Tensor([31, 3, 5, -4, -3], "int32")},
                   Tensor(np.array([2**31 - 2**32, -8, 243, 1, -1]), "int32"))


def unary():
    erf = np.vectorize(math.erf)
    exp = np.exp
    round_even = np.round
    sigmoid = lambda x: 1 / (1 + exp(-x))
    relu6 = lambda x: np.where(np.isnan(x), x, np.clip(x, 0, 6))
    softplus = lambda x: np.where(x > 20, x, np.log1p(exp(np.minimum(x, 20))))
    limited = lambda function, limit: lambda x: np.where(np.isinf(x), limit(x), function(np.where(np.isinf(x), 0, x)))
    zero_below = lambda x: np.where(x > 0, x, 0.0)
    table = {  # name: (function, units in the last place of float32)
        "abs": (np.abs, 0), "neg": (np.negative, 0), "relu": (lambda x: np.where(x < 0, 0, x), 0), "square": (np.square, 0),
        "floor": (np.floor, 0), "ceil": (np.ceil, 0), "trunc": (np.trunc, 0), "round": (round_even, 0),
        "sign": (lambda x: np.where(np.isnan(x), 0, np.sign(x)), 0), "sqrt": (np.sqrt, 0), "rsqrt": (lambda x: 1 / np.sqrt(x), 2),
        "reciprocal": (lambda x: 1 / x, 0), "exp": (exp, 2), "exp2": (np.exp2, 2), "expm1": (np.expm1, 2), "log": (np.log, 2),
        "log2": (np.log2, 2), "log10": (np.log10, 2), "log1p": (np.log1p, 2), "sin": (np.sin, 2), "cos": (np.cos, 2), "tan": (np.tan, 4),
        "asin": (np.arcsin, 4), "acos": (np.arccos, 4), "atan": (np.arctan, 4), "sinh": (np.sinh, 4), "cosh": (np.cosh, 4),
        "tanh": (np.tanh, 4), "asinh": (np.arcsinh, 4), "acosh": (np.arccosh, 4), "atanh": (np.arctanh, 4), "erf": (erf, 4),
        "sigmoid": (sigmoid, 4), "silu": (limited(lambda x: x * sigmoid(x), lambda x: np.where(x < 0, math.nan, x)), 4),
        "relu6": (relu6, 0), "hardsigmoid": (lambda x: relu6(x + 3) / 6, 2),
        "hardswish": (lambda x: x * relu6(x + 3) / 6, 2), "log_sigmoid": (lambda x: np.minimum(x, 0) - np.log1p(exp(-np.abs(x))), 4),
        "mish": (lambda x: x * np.tanh(np.log1p(exp(x))), 8),
        "selu": (lambda x: 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(np.where(x > 0, 0, x))), 4),
    }
    with np.errstate(all="ignore"):
        for dtype in ("float32", "float16", "bfloat16"):
            a = edges(dtype, 40)
            for name, (function, ulps) in table.items():
                yield Case(f"aten::{name}", {"self": a}, Tensor(function(a.wide), dtype), ulps=ulps if dtype == "float32" else 1, near=2e-7)
            for op, function, arguments, ulps in (
                    ("gelu", lambda x: 0.5 * x * (1 + erf(x / math.sqrt(2))), {"approximate": "none"}, 8),
                    ("gelu", lambda x: 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))), {"approximate": "tanh"}, 8),
                    ("hardtanh", lambda x: np.clip(x, -1, 1), {}, 0), ("leaky_relu", lambda x: np.where(x > 0, x, x * 0.25), {"negative_slope": 0.25}, 0),
                    ("elu", lambda x: np.where(x > 0, x, 0.5 * np.expm1(np.minimum(x, 0))), {"alpha": 0.5}, 4),
                    ("softplus", softplus, {}, 4), ("clamp", lambda x: np.clip(x, -1.5, 2), {"min": -1.5, "max": 2}, 0),
                    ("clamp", lambda x: np.maximum(x, 0.5), {"min": 0.5}, 0), ("clamp", lambda x: np.minimum(x, 0.5), {"min": None, "max": 0.5}, 0),
                    ("clamp_min", lambda x: np.maximum(x, 0.5), {"min": 0.5}, 0), ("clamp_max", lambda x: np.minimum(x, 0.5), {"max": 0.5}, 0),
                    ("threshold", lambda x: np.where(x <= 1, 5, x), {"threshold": 1, "value": 5}, 0),
                    ("hardshrink", lambda x: np.where(np.abs(x) <= 0.5, 0, x), {}, 0)):
                yield Case(f"aten::{op}", {"self": a, **arguments}, Tensor(function(a.wide), dtype), ulps=ulps if dtype == "float32" else 1, near=2e-7)
            for op, function in (("isnan", np.isnan), ("isinf", np.isinf), ("logical_not", lambda x: x == 0)):
                yield Case(f"aten::{op}", {"self": a}, Tensor(function(a.wide), "bool"))
        inverse = np.vectorize(lambda x: statistics.NormalDist().inv_cdf((x + 1) / 2) / math.sqrt(2) if -1 < x < 1 else x * math.inf if abs(x) == 1 else math.nan)
        for dtype in ("float32", "float16", "bfloat16"):
            a = Tensor(np.concatenate([np.linspace(-0.999, 0.999, 300), [0, 1, -1, 2, 0.999999, -0.99999, 0.7, math.nan]]), dtype)
            yield Case("aten::erfinv", {"self": a}, Tensor(inverse(a.wide), dtype), ulps=8 if dtype == "float32" else 1, near=2e-7)
        for dtype in ("int32", "int64", "int8"):
            a = edges(dtype)
            for op, function in (("abs", np.abs), ("neg", np.negative), ("relu", lambda x: np.maximum(x, 0)), ("sign", np.sign),
                                 ("bitwise_not", np.invert), ("floor", lambda x: x), ("square", np.square)):
                yield Case(f"aten::{op}", {"self": a}, Tensor(wrapped(function(a.wide), dtype), dtype))
            yield Case("aten::clamp", {"self": a, "min": -2, "max": 5}, Tensor(np.clip(a.wide, -2, 5), dtype))
            yield Case("aten::clamp", {"self": a, "min": -2.5}, Tensor(np.maximum(a.wide.astype(np.float32), np.float32(-2.5)), "float32"))
            yield Case("aten::sqrt", {"self": Tensor(np.abs(numbers((5,), dtype).values), dtype)},
                       Tensor(np.sqrt(np.abs(numbers((5,), dtype).wide).astype(np.float32)), "float32"))
            yield Case("aten::logical_not", {"self": a}, Tensor(a.wide == 0, "bool"))
            yield Case("aten::isnan", {"self": a}, Tensor(a.wide != a.wide, "bool"))
        flags = edges("bool")
        for op, result in (("bitwise_not", "bool"), ("logical_not", "bool")):
            yield Case(f"aten::{op}", {"self": flags}, Tensor(~flags.wide, result))
        yield Case("aten::exp", {"self": flags}, Tensor(exp(flags.wide.astype(float)), "float32"), ulps=2)


def comparisons():
    table = {"eq": np.equal, "ne": np.not_equal, "lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal}
    for dtype in ("float32", "float16", "bfloat16", "int32", "int64", "uint8", "bool"):
        a, b = pairs(dtype, dtype)
        for name, function in table.items():
            yield Case(f"aten::{name}.Tensor", {"self": a, "other": b}, Tensor(function(a.wide, b.wide), "bool"))
            yield Case(f"aten::{name}.Scalar", {"self": a, "other": 1}, Tensor(function(a.wide.astype(float), 1), "bool"))
    a = Tensor([0, 1, 2, 3], "int64")
    yield Case("aten::gt.Scalar", {"self": a, "other": 1.5}, Tensor([False, False, True, True], "bool"))
    for name, function in (("logical_and", np.logical_and), ("logical_or", np.logical_or), ("logical_xor", np.logical_xor)):
        for dtype, other in (("float32", "int32"), ("bool", "bool"), ("int8", "float16")):
            a, b = pairs(dtype, other)
            yield Case(f"aten::{name}", {"self": a, "other": b}, Tensor(function(a.wide != 0, b.wide != 0), "bool"))
    a, b = pairs("bool", "bool")
    for name, function in (("bitwise_and.Tensor", np.logical_and), ("__and__.Tensor", np.logical_and), ("__or__.Tensor", np.logical_or),
                           ("bitwise_xor.Tensor", np.logical_xor), ("add.Tensor", np.logical_or), ("mul.Tensor", np.logical_and)):
        yield Case(f"aten::{name}", {"self": a, "other": b}, Tensor(function(a.wide, b.wide), "bool"))
    yield Case("aten::__and__.Scalar", {"self": a, "other": True}, Tensor(a.wide, "bool"))
    shifts = Tensor([0, 1, 5, 31, 32, 40, -1], "int32")
    ones = Tensor([-3] * 7, "int32")
    yield Case("aten::bitwise_left_shift.Tensor", {"self": ones, "other": shifts},
               Tensor(np.array([-3, -6, -96, -(2**31), 0, 0, 0]), "int32"))
    yield Case("aten::bitwise_right_shift.Tensor", {"self": ones, "other": shifts}, Tensor([-3, -2, -1, -1, -1, -1, -1], "int32"))


def promotion():
    """The type of a result: (self, other, expected); shapes () are of rank 0."""
    rows = [("float16", (3,), "float32", (3,), "float32"), ("float16", (3,), "bfloat16", (3,), "float32"), ("float16", (3,), "float32", (), "float16"),
            ("int32", (3,), "int64", (3,), "int64"), ("int32", (3,), "int64", (), "int32"), ("int32", (3,), "float16", (), "float16"),
            ("int64", (3,), "float16", (3,), "float16"), ("bool", (3,), "uint8", (3,), "uint8"), ("uint8", (3,), "int8", (3,), "int16"),
            ("uint8", (3,), "int16", (3,), "int16"), ("bool", (3,), "int64", (), "int64"), ("float32", (3,), "float64", (3,), "float64"),
            ("float32", (3,), "float64", (), "float32"), ("bool", (), "int32", (), "int32"), ("int64", (), "float32", (3,), "float32")]
    for dtype, shape, other, other_shape, result in rows:
        a, b = numbers(shape, dtype, 3), numbers(other_shape, other, 4)
        # A tensor of rank 0 is brought to the type of the others first.
        value = rounded(a.wide, result).astype(float) + rounded(b.wide, result) if result.startswith(("float", "bfloat")) else a.wide.astype(np.int64) + b.wide
        yield Case("aten::add.Tensor", {"self": a, "other": b}, Tensor(value, result), ulps=1)
        yield Case("aten::lt.Tensor", {"self": a, "other": b}, Tensor(a.wide.astype(float) < b.wide, "bool"))
        if result == "bool" or result.startswith("int") or result == "uint8":
            quotient = a.values.astype(np.float32) / np.where(b.values == 0, 1, b.values).astype(np.float32)
            yield Case("aten::div.Tensor", {"self": a, "other": Tensor(np.where(b.values == 0, 1, b.values), other)}, Tensor(quotient, "float32"))
    for dtype, number, result in (("int32", 2, "int32"), ("int32", 2.5, "float32"), ("float16", 3, "float16"), ("uint8", 1, "uint8"),
                                  ("bool", 1, "int64"), ("bool", 1.5, "float32"), ("bfloat16", 0.5, "bfloat16"), ("int8", True, "int8"), ("bool", True, "bool")):
        a = numbers((4,), dtype, 5)
        value = a.wide | number if result == "bool" else a.wide.astype(np.float64) + number
        yield Case("aten::add.Tensor", {"self": a, "other": number}, Tensor(value if result not in LIMITS else value.astype(np.int64), result), ulps=1)


def broadcasting():
    shapes = [((3, 4), (4,)), ((3, 1), (1, 4)), ((2, 3, 4), (3, 1)), ((1,), (5,)), ((), (2, 3)), ((2, 1, 3, 1), (4, 1, 5)), ((0, 4), (4,)), ((3, 0), (1, 1)),
              ((2, 64, 7, 7), (64, 1, 1)), ((1, 1), (1,)), ((5, 1, 3), (5, 4, 3)), ((4, 1, 1, 3), (1, 2, 5, 1)), ((), ()), ((1025,), (1,))]
    for shape, other in shapes:
        for dtype in ("float32", "int32"):
            a, b = numbers(shape, dtype, 6), numbers(other, dtype, 7)
            yield Case("aten::add.Tensor", {"self": a, "other": b}, Tensor(a.wide + b.wide, dtype))
            yield Case("aten::sub.Tensor", {"self": b, "other": a}, Tensor(b.wide - a.wide, dtype))
    condition = numbers((3, 1), "bool")
    a, b = numbers((1, 4), "float16", 1), numbers((2, 1, 1), "float32", 2)
    yield Case("aten::where.self", {"condition": condition, "self": a, "other": b}, Tensor(np.where(condition.wide, a.wide, b.wide), "float32"))
    yield Case("aten::where.ScalarOther", {"condition": condition, "self": a, "other": 2}, Tensor(np.where(condition.wide, a.wide, 2), "float16"))
    yield Case("aten::where.ScalarSelf", {"condition": condition, "self": 2.5, "other": numbers((3, 4), "int64")},
               Tensor(np.where(condition.wide, 2.5, numbers((3, 4), "int64").wide), "float32"))
    yield Case("aten::where.Scalar", {"condition": condition, "self": 1, "other": 0}, Tensor(np.where(condition.wide, 1, 0), "int64"))
    x = numbers((3, 4), "float32", 3)
    for value in (-math.inf, 3, math.nan):
        yield Case("aten::masked_fill.Scalar", {"self": x, "mask": condition, "value": value}, Tensor(np.where(condition.wide, value, x.wide), "float32"))
    yield Case("aten::masked_fill.Scalar", {"self": numbers((1, 4), "float32", 5), "mask": condition, "value": 2.5},
               Tensor(np.where(condition.wide, 2.5, numbers((1, 4), "float32", 5).wide), "float32"))
    yield Case("aten::masked_fill.Tensor", {"self": numbers((3, 4), "int32"), "mask": condition, "value": Tensor(7.9, "float32")},
               Tensor(np.where(condition.wide, 7, numbers((3, 4), "int32").wide), "int32"))
    yield Case("aten::fill.Scalar", {"self": x, "value": 2.5}, Tensor(np.full((3, 4), 2.5), "float32"))
    yield Case("aten::fill.Tensor", {"self": x, "value": Tensor(3, "int64")}, Tensor(np.full((3, 4), 3), "float32"))
    yield Case("aten::copy", {"self": x, "src": numbers((4,), "int32", 4)}, Tensor(np.broadcast_to(numbers((4,), "int32", 4).wide, (3, 4)), "float32"))
    low, high = Tensor([-1, 0, 1, 0.5], "float32"), Tensor([[1], [0.5], [2]], "float32")
    yield Case("aten::clamp.Tensor", {"self": x, "min": low, "max": high}, Tensor(np.minimum(np.maximum(x.wide, low.wide), high.wide), "float32"))
    yield Case("aten::clamp.Tensor", {"self": x, "min": low, "max": None}, Tensor(np.maximum(x.wide, low.wide), "float32"))
    yield Case("aten::clamp.Tensor", {"self": x, "max": high}, Tensor(np.minimum(x.wide, high.wide), "float32"))
    for op, function in (("addcmul", lambda p, q, r: p + 0.5 * q * r), ("addcdiv", lambda p, q, r: p + 0.5 * q / r)):
        p, q, r = numbers((3, 4), "float32", 1), numbers((4,), "float32", 2), Tensor(np.abs(numbers((3, 1), "float32", 3).values) + 1, "float32")
        yield Case(f"aten::{op}", {"self": p, "tensor1": q, "tensor2": r, "value": 0.5}, Tensor(function(p.wide, q.wide, r.wide), "float32"), ulps=2, near=1e-6)
    p, q, w = numbers((5,), "float32", 1), numbers((5,), "float32", 2), Tensor([0, 0.25, 0.5, 0.75, 1], "float32")
    yield Case("aten::lerp.Tensor", {"self": p, "end": q, "weight": w}, Tensor(p.wide + w.wide * (q.wide - p.wide), "float32"), ulps=4, near=1e-6)
    yield Case("aten::lerp.Scalar", {"self": p, "end": q, "weight": 0.5}, Tensor(p.wide + 0.5 * (q.wide - p.wide), "float32"), ulps=4, near=1e-6)
    x, y, z = numbers((9, 200), "float32", 1), Tensor(np.abs(numbers((200,), "float32", 2).values) + 0.5, "float32"), numbers((9, 1), "float32", 3)
    yield Case("aten::pow.Tensor_Tensor", {"self": y, "exponent": z}, Tensor(np.power(y.wide, z.wide), "float32"), ulps=4)
    yield Case("aten::remainder.Tensor", {"self": x, "other": y}, Tensor(floor_mod(x.wide, y.wide), "float32"), near=1e-6)
    yield Case("aten::clamp.Tensor", {"self": x, "min": z, "max": y}, Tensor(np.minimum(np.maximum(x.wide, z.wide), y.wide), "float32"))
    yield Case("aten::where.self", {"condition": numbers((9, 1), "bool"), "self": x, "other": Tensor(2.5, "float32")}, Tensor(np.where(numbers((9, 1), "bool").wide, x.wide, 2.5), "float32"))
    yield Case("aten::lerp.Tensor", {"self": x, "end": y, "weight": Tensor(np.abs(z.values) / 4, "float32")}, Tensor(x.wide + np.abs(z.values).astype(float) / 4 * (y.wide - x.wide), "float32"), ulps=8, near=1e-6)
    yield Case("aten::ge.Tensor", {"self": numbers((9, 1, 64), "int64"), "other": numbers((5, 1), "int64", 2)}, Tensor(numbers((9, 1, 64), "int64").wide >= numbers((5, 1), "int64", 2).wide, "bool"))
    x = numbers((300, 257), "float32", 9)  # several blocks, the last not full
    yield Case("aten::add.Tensor", {"self": x, "other": numbers((257,), "float32", 10)}, Tensor(x.wide + numbers((257,), "float32", 10).wide, "float32"))
    yield Case("aten::mul.Tensor", {"self": x, "other": x}, Tensor(x.wide * x.wide, "float32"))


def symbolic(rows, columns):
    """Calls whose sizes change: s0 rows, s1 columns."""
    a = Tensor(numbers((rows, columns), "float32", 1).values, "float32", ("s0", "s1"))
    b = Tensor(numbers((columns,), "float32", 2).values, "float32", ("s1",))
    c = Tensor(numbers((rows, 1), "float32", 3).values, "float32", ("s0", "1"))
    result = lambda values: Tensor(values, "float32", ("s0", "s1"))
    yield Case("aten::add.Tensor", {"self": a, "other": b}, result(a.wide + b.wide))
    yield Case("aten::add.Tensor", {"self": a, "other": a}, result(a.wide + a.wide))
    yield Case("aten::mul.Tensor", {"self": c, "other": b}, result(c.wide * b.wide))
    yield Case("aten::sub.Tensor", {"self": a, "other": Size("s0")}, result(a.wide - rows))
    yield Case("aten::sub.Tensor", {"self": Size("s0"), "other": a}, result(rows - a.wide))
    yield Case("aten::relu", {"self": a}, result(np.maximum(a.wide, 0)))
    wide, bias = Tensor(numbers((rows, columns, 96), "float32", 4).values, "float32", ("s0", "s1", "96")), numbers((96,), "float32", 5)
    yield Case("aten::add.Tensor", {"self": wide, "other": bias}, Tensor(wide.wide + bias.wide, "float32", ("s0", "s1", "96")))


def second_names():
    """Operators under the other name that PyTorch has for them."""
    x, y = edges("float32"), Tensor(np.roll(edges("float32").values, 1), "float32")
    small = numbers((7,), "float32", 5)
    with np.errstate(all="ignore"):
        for name, function in (("multiply", np.multiply), ("divide", np.divide), ("subtract", np.subtract)):
            yield Case(f"aten::{name}.Tensor", {"self": x, "other": y}, Tensor(function(x.wide, y.wide), "float32"))
        for name, function in (("greater", np.greater), ("greater_equal", np.greater_equal), ("less", np.less), ("less_equal", np.less_equal),
                               ("not_equal", np.not_equal)):
            yield Case(f"aten::{name}.Tensor", {"self": x, "other": y}, Tensor(function(x.wide, y.wide), "bool"))
            yield Case(f"aten::{name}.Scalar", {"self": x, "other": 1}, Tensor(function(x.wide, 1), "bool"))
    for name, function in (("negative", np.negative), ("absolute", np.abs), ("fix", np.trunc)):
        yield Case(f"aten::{name}", {"self": x}, Tensor(function(x.wide), "float32"))
    for name, function in (("arccos", np.arccos), ("arcsin", np.arcsin), ("arctan", np.arctan)):
        angle = Tensor(small.wide / 4, "float32")
        yield Case(f"aten::{name}", {"self": angle}, Tensor(function(angle.wide), "float32"), ulps=2)
    yield Case("aten::clip", {"self": small, "min": -1, "max": 2.5}, Tensor(np.clip(small.wide, -1, 2.5), "float32"))


GROUPS = (arithmetic, powers, unary, comparisons, promotion, broadcasting, second_names)
