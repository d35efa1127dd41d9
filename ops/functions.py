"""What PyTorch's pointwise operators compute of one element, where that is more than an expression. Kernels of standard operators are
generated as text; the functions that a kernel calls are put in front of it. Operands are tiles of one type: narrow floats are float32."""
import triton
import triton.language as tl
from triton.language.extra import libdevice


@triton.jit
def quotient(x, y):
    # Triton's `/` approximates in float32; PyTorch rounds correctly.
    if x.dtype == tl.float32:
        return tl.div_rn(x, y)
    else:
        return x / y


@triton.jit
def one(x):
    return tl.full(x.shape, 1, x.dtype)


@triton.jit
def root(x):
    if x.dtype == tl.float32:
        return tl.sqrt_rn(x)
    else:
        return tl.sqrt(x)


@triton.jit
def whole_quotient(x, y):
    # Division by 0 has no result in PyTorch, and the smallest integer by -1 overflows: neither may trap.
    divisor = tl.where((y == 0) | (y == -1), 1, y).to(y.dtype)
    return tl.where(y == -1, -x, x // divisor).to(x.dtype)


@triton.jit
def unsigned_quotient(x, y):
    return x // tl.where(y == 0, 1, y).to(y.dtype)


@triton.jit
def truncated_quotient(x, y):
    if x.dtype.is_floating():
        return libdevice.trunc(quotient(x, y))
    elif x.dtype.is_int_signed():
        return whole_quotient(x, y)
    else:
        return unsigned_quotient(x, y)


@triton.jit
def floored_quotient(x, y):
    if x.dtype.is_floating():
        # As Python divides: exact also where x / y rounds to a whole number.
        rest = libdevice.fmod(x, y)
        q = quotient(x - rest, y)
        q = tl.where((rest != 0) & ((y < 0) != (rest < 0)), q - 1, q)
        whole = libdevice.floor(q)
        whole = tl.where(q - whole > 0.5, whole + 1, whole)
        plain = quotient(x, y)
        whole = tl.where(q == 0, tl.where(plain < 0, -0.0, 0.0).to(x.dtype), whole)
        return tl.where(y == 0, plain, whole)
    elif x.dtype.is_int_signed():
        q = whole_quotient(x, y)
        rest = x - q * y
        return tl.where((rest != 0) & ((rest < 0) != (y < 0)), q - 1, q).to(x.dtype)
    else:
        return unsigned_quotient(x, y)


@triton.jit
def truncated_rest(x, y):
    if x.dtype.is_floating():
        return libdevice.fmod(x, y)
    else:
        return (x - truncated_quotient(x, y) * y).to(x.dtype)


@triton.jit
def floored_rest(x, y):
    if x.dtype.is_floating():
        rest = libdevice.fmod(x, y)
        return tl.where((rest != 0) & ((y < 0) != (rest < 0)), rest + y, rest)
    else:
        return (x - floored_quotient(x, y) * y).to(x.dtype)


@triton.jit
def whole_power(x, y):
    # Squares and multiplies; negative powers of whole numbers are 0 but for 1 and -1.
    base = x
    exponent = tl.where(y < 0, 0, y).to(y.dtype)
    result = tl.full(x.shape, 1, x.dtype)
    for _ in range(x.dtype.primitive_bitwidth):
        result = tl.where((exponent & 1) != 0, result * base, result).to(x.dtype)
        base = (base * base).to(x.dtype)
        exponent = (exponent >> 1).to(y.dtype)
    if x.dtype.is_int_signed():
        unit = tl.where((y & 1) != 0, x, 1).to(x.dtype)
        negative = tl.where(x == 1, 1, tl.where(x == -1, unit, 0)).to(x.dtype)
        return tl.where(y < 0, negative, result)
    else:
        return result


@triton.jit
def larger(x, y):
    return tl.maximum(x, y, propagate_nan=tl.PropagateNan.ALL)


@triton.jit
def smaller(x, y):
    return tl.minimum(x, y, propagate_nan=tl.PropagateNan.ALL)


@triton.jit
def positive_part(x):
    return tl.where(x < 0, 0, x).to(x.dtype)


@triton.jit
def sign(x):
    return tl.where(x > 0, 1, tl.where(x < 0, -1, 0)).to(x.dtype)


@triton.jit
def is_nan(x):
    return x != x


@triton.jit
def is_infinite(x):
    if x.dtype.is_floating():
        return tl.abs(x) == float("inf")
    else:
        return x != x


@triton.jit
def gelu(x):
    return 0.5 * x * (1.0 + tl.erf(x * 0.7071067811865476))


@triton.jit
def gelu_tanh(x):
    return 0.5 * x * (1.0 + libdevice.tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)))


@triton.jit
def logistic(x):
    return quotient(one(x), 1.0 + tl.exp(-x))


@triton.jit
def silu(x):
    return quotient(x, 1.0 + tl.exp(-x))


@triton.jit
def softplus(x, beta, threshold):
    scaled = x * beta
    # The exponential of what is beyond the threshold would be infinite.
    return tl.where(scaled > threshold, x, quotient(libdevice.log1p(tl.exp(tl.where(scaled > threshold, 0.0, scaled))), beta))


@triton.jit
def relu6(x):
    return smaller(positive_part(x), tl.full(x.shape, 6.0, x.dtype))


@triton.jit
def hard_sigmoid(x):
    return quotient(relu6(x + 3.0), tl.full(x.shape, 6.0, x.dtype))


@triton.jit
def hard_swish(x):
    return quotient(x * relu6(x + 3.0), tl.full(x.shape, 6.0, x.dtype))


@triton.jit
def elu(x, alpha, scale, input_scale):
    return tl.where(x > 0, x * scale, libdevice.expm1(x * input_scale) * (alpha * scale))


@triton.jit
def log_sigmoid(x):
    return tl.where(x < 0, x, 0.0) - libdevice.log1p(tl.exp(-tl.abs(x)))


@triton.jit
def inverse_erf(x):
    """Rational approximations, near 0 and in the tails, and two steps of Newton's method, which are told how far 1 is in the tails."""
    y = tl.abs(x)
    z = x * x
    near = y * (((-0.140543331 * z + 0.914624893) * z - 1.645349621) * z + 0.886226899) / (
        (((0.012229801 * z - 0.329097515) * z + 1.442710462) * z - 2.118377725) * z + 1.0)
    z = tl.sqrt(-tl.log((1.0 - tl.minimum(y, 0.99999999)) * 0.5))
    far = (((1.641345311 * z + 3.429567803) * z - 1.624906493) * z - 1.970840454) / ((1.637067800 * z + 3.543889200) * z + 1.0)
    result = tl.where(y <= 0.7, near, far)
    for step in tl.static_range(2):
        excess = tl.where(y <= 0.7, tl.erf(result) - y, (1.0 - y) - libdevice.erfc(result))
        result = result - excess / (1.1283791670955126 * tl.exp(-result * result))
    return tl.where(y < 1, tl.where(x < 0, -result, result), tl.where(y == 1, x * float("inf"), float("nan")))


@triton.jit
def lerp(start, end, weight):
    # From whichever end is nearer.
    step = end - start
    return tl.where(tl.abs(weight) < 0.5, start + weight * step, end - step * (1.0 - weight))


@triton.jit
def shifted_left(x, y):
    bits: tl.constexpr = x.dtype.primitive_bitwidth
    is_out = (y < 0) | (y >= bits)
    return tl.where(is_out, 0, x << tl.where(is_out, 0, y).to(y.dtype)).to(x.dtype)


@triton.jit
def shifted_right(x, y):
    bits: tl.constexpr = x.dtype.primitive_bitwidth
    most = tl.where((y < 0) | (y >= bits), bits - 1, y).to(y.dtype)
    return (x >> most).to(x.dtype)


# Of tiles that hold whole lines: `inside` tells which elements of a tile are there.


@triton.jit
def line_total(x, inside):
    return tl.sum(tl.where(inside, x, 0.0), 1)[:, None]


@triton.jit
def line_softmax(x, inside, IS_LOG: tl.constexpr):
    x = tl.where(inside, x, -float("inf"))
    best = tl.max(x, 1)[:, None]
    # Of a line of -inf only nothing is taken before exp.
    best = tl.where(best == -float("inf"), 0.0, best)
    total = tl.sum(tl.exp(x - best), 1)[:, None]
    if IS_LOG:
        return x - best - tl.log(total)
    else:
        return tl.exp(x - best) / total


@triton.jit
def normalized_line(x, inside, length, EPSILON: tl.constexpr, IS_CENTERED: tl.constexpr):
    """A line less its mean (if IS_CENTERED) over the root of its mean square."""
    if IS_CENTERED:
        mean = tl.sum(tl.where(inside, x, 0.0), 1) / length
        x = tl.where(inside, x - mean[:, None], 0.0)
    else:
        x = tl.where(inside, x, 0.0)
    inverse = 1 / tl.sqrt(tl.sum(x * x, 1) / length + EPSILON)
    return x * inverse[:, None]
