"""Bessel functions and erfcx of libdevice: computed in fp64, from power series near zero and from integrals over a
Gaussian elsewhere, for which the trapezoidal rule converges faster than any power of its step.
"""
import math
import triton.language as tl
from triton import jit
from triton.language.extra import libdevice

# The rule's step and its nodes beyond zero. It is exact to fp64 if the integrand has no singularity within 2 of the
# real line: what it leaves off is of the order of exp(-2 pi 2 / STEP), and exp(-(STEP NODES)**2) behind the last node.
STEP: tl.constexpr = 0.32
NODES: tl.constexpr = 20
# Terms of the power series below 4: the last is less than fp64's precision.
TERMS: tl.constexpr = 20
# Those of the modified functions below 20, and of their series in 1 / x beyond.
MODIFIED_TERMS: tl.constexpr = 40
ASYMPTOTIC_TERMS: tl.constexpr = 25


@jit
def _series(x, ORDER: tl.constexpr, SIGN: tl.constexpr, COUNT: tl.constexpr):
    """The sum of SIGN**k (x/2)**(2k + ORDER) / (k! (k + ORDER)!), for an ORDER of 0 or 1."""
    q = x * x * (0.25 * SIGN)
    total = x * 0.0 + 1.0
    for k in tl.static_range(COUNT, 0, -1):
        total = 1.0 + total * q * (1.0 / (k * (k + ORDER)))
    return total if ORDER == 0 else 0.5 * x * total


@jit
def _second_series(x, first, ORDER: tl.constexpr):
    """Y of x > 0; `first` is J of the same order. Harmonic numbers go with the terms of J's series."""
    gamma: tl.constexpr = 0.5772156649015329
    q = x * x * -0.25
    term = x * 0.0 + 1.0
    harmonic = x * 0.0
    total = x * 0.0
    if ORDER == 1:
        total = total + 1.0
    for k in tl.static_range(1, TERMS + 1):
        term = term * q * (1.0 / (k * (k + ORDER)))
        harmonic = harmonic + 1.0 / k
        if ORDER == 0:
            total = total + harmonic * term
        else:
            total = total + (2.0 * harmonic + 1.0 / (k + 1)) * term
    level = 0.6366197723675814 * (tl.log(0.5 * x) + gamma) * first
    if ORDER == 0:
        return level - 0.6366197723675814 * total
    return level - 0.6366197723675814 / x - 0.15915494309189535 * x * total


@jit
def _hankel_node(half, SQUARE: tl.constexpr, ORDER: tl.constexpr):
    """What both nodes of this square add to the mean: a square root of 1 + i v, or its reciprocal."""
    weight: tl.constexpr = 2 * STEP * 0.5641895835477563 * math.exp(-SQUARE)
    v = SQUARE * half
    size = tl.sqrt_rn(1.0 + v * v)
    root = tl.sqrt_rn(0.5 * (1.0 + size))
    other = 0.5 * v / root
    if ORDER == 0:
        return weight * (root / size), -weight * (other / size)
    return (2 * SQUARE * weight) * root, (2 * SQUARE * weight) * other


@jit
def _hankel(x, ORDER: tl.constexpr):
    """J and Y of x >= 4: the Hankel function without its phase is the mean of (1 + i u**2 / (2 x))**(ORDER - 1/2), weighted by
    exp(-u**2) u**(2 ORDER)."""
    real = x * 0.0
    if ORDER == 0:
        real = real + STEP * 0.5641895835477563
    imaginary = x * 0.0
    half = 0.5 / x
    for k in tl.static_range(1, NODES + 1):
        node_real, node_imaginary = _hankel_node(half, (STEP * k) ** 2, ORDER)
        real = real + node_real
        imaginary = imaginary + node_imaginary
    sine = libdevice.sin(x)
    cosine = libdevice.cos(x)
    # sqrt(2 / (pi x)) times 1 / sqrt(2), from x - pi / 4.
    scale = 0.5641895835477563 / tl.sqrt_rn(x)
    if ORDER == 0:
        a = cosine + sine
        b = sine - cosine
    else:
        a = sine - cosine
        b = -(cosine + sine)
    return scale * (real * a - imaginary * b), scale * (real * b + imaginary * a)


@jit
def _first(x, ORDER: tl.constexpr):
    wide = x.to(tl.float64)
    size = tl.abs(wide)
    large, _ = _hankel(tl.maximum(size, 4.0), ORDER)
    result = tl.where(size < 4.0, _series(tl.minimum(size, 4.0), ORDER, -1, TERMS), large)
    result = tl.where(size == float("inf"), 0.0, result)
    if ORDER == 1:
        result = tl.where(wide < 0, -result, result)
    return tl.where(wide != wide, wide, result)


@jit
def _second(x, ORDER: tl.constexpr):
    wide = x.to(tl.float64)
    _, large = _hankel(tl.maximum(wide, 4.0), ORDER)
    low = tl.minimum(wide, 4.0)
    result = tl.where(wide < 4.0, _second_series(low, _series(low, ORDER, -1, TERMS), ORDER), large)
    result = tl.where(wide == float("inf"), 0.0, result)
    result = tl.where(wide == 0, float("-inf"), result)
    return tl.where((wide < 0) | (wide != wide), float("nan"), result)


@jit
def _modified(x, ORDER: tl.constexpr):
    wide = x.to(tl.float64)
    size = tl.abs(wide)
    inverse = 0.125 / tl.maximum(size, 20.0)
    total = size * 0.0 + 1.0
    for k in tl.static_range(ASYMPTOTIC_TERMS, 0, -1):
        total = 1.0 + total * inverse * (((2 * k - 1) ** 2 - 4 * ORDER) / k)
    # In two halves, of which neither overflows before the result does.
    half = tl.exp(0.5 * size)
    large = half * (total * 0.3989422804014327 / tl.sqrt_rn(tl.maximum(size, 20.0))) * half
    large = tl.where(size == float("inf"), size, large)
    result = tl.where(size < 20.0, _series(tl.minimum(size, 20.0), ORDER, 1, MODIFIED_TERMS), large)
    if ORDER == 1:
        result = tl.where(wide < 0, -result, result)
    return tl.where(wide != wide, wide, result).to(x.dtype)


@jit
def j0(x):
    return _first(x, 0).to(x.dtype)


@jit
def j1(x):
    return _first(x, 1).to(x.dtype)


@jit
def y0(x):
    return _second(x, 0).to(x.dtype)


@jit
def y1(x):
    return _second(x, 1).to(x.dtype)


@jit
def cyl_bessel_i0(x):
    return _modified(x, 0)


@jit
def cyl_bessel_i1(x):
    return _modified(x, 1)


@jit
def erfcx(x):
    wide = x.to(tl.float64)
    # exp(x * x), with what the square leaves off.
    square = wide * wide
    rest = tl.where(square < 800.0, tl.fma(wide, wide, -square), 0.0)
    power = tl.exp(square)
    small = (power + power * rest) * libdevice.erfc(wide)
    small = tl.where(power == float("inf"), power, small)
    # x / pi times the integral of exp(-u**2) / (x**2 + u**2).
    z = tl.minimum(tl.maximum(wide, 2.0), 1.0e100)
    total = STEP / (z * z)
    for k in tl.static_range(1, NODES + 1):
        total = total + (2 * STEP * math.exp(-((STEP * k) ** 2))) / (z * z + (STEP * k) ** 2)
    large = tl.where(wide > 1.0e100, 0.5641895835477563 / wide, 0.3183098861837907 * z * total)
    return tl.where(wide < 2.0, small, tl.where(wide != wide, wide, large)).to(x.dtype)


@jit
def _largest(n):
    if len(n.shape) == 0:
        return n
    return tl.max(n)


@jit
def _orders(n, x):
    """n, an integer, for each element of x."""
    return n.to(tl.int32) + (x != x).to(tl.int32) * 0


@jit
def _backward(order, x):
    """J of order >= 1 and of x >= 1e-8 not beyond the order, by Miller's recurrence: down from an order where J is next to
    nothing, and in the end divided by what J0 + 2 J2 + 2 J4 + ... should have been, which is 1."""
    start = order + 24 + tl.sqrt_rn(60.0 * order.to(tl.float64)).to(tl.int32)
    top = _largest(start)
    now = x * 0.0
    above = now
    total = now
    picked = now
    for i in range(top):
        k = top - i
        now = tl.where(start == k, 1.0, now)
        picked = tl.where(order == k, now, picked)
        total = total + tl.where(k % 2 == 0, 2.0 * now, 0.0)
        below = (2.0 * k.to(tl.float64) / x) * now - above
        scale = tl.where(tl.abs(below) > 1.0e100, 1.0e-100, 1.0).to(tl.float64)
        above = now * scale
        now = below * scale
        total = total * scale
        picked = picked * scale
    return picked / (total + now)


@jit
def jn(n, x):
    wide = x.to(tl.float64)
    order = _orders(n, wide)
    size = tl.abs(wide)
    before = _first(size, 0)
    now = _first(size, 1)
    power = 0.5 * size
    result = tl.where(order == 0, before, now)
    for k in range(1, _largest(order)):
        after = (2.0 * k.to(tl.float64) / size) * now - before
        before = now
        now = after
        power = power * 0.5 * size / (k + 1)
        result = tl.where(order == k + 1, tl.where(size < 1.0e-8, power, now), result)
    goes_down = (order > 1) & (order > size) & (size >= 1.0e-8)
    down = _backward(tl.where(goes_down, order, 1), tl.where(goes_down, size, 1.0))
    result = tl.where(goes_down, down, result)
    result = tl.where(size == float("inf"), 0.0, result)
    result = tl.where((wide < 0) & (order % 2 == 1), -result, result)
    return tl.where((order < 0) | (wide != wide), float("nan"), result).to(x.dtype)


@jit
def yn(n, x):
    wide = x.to(tl.float64)
    order = _orders(n, wide)
    before = _second(wide, 0)
    now = _second(wide, 1)
    result = tl.where(order == 0, before, now)
    for k in range(1, _largest(order)):
        after = (2.0 * k.to(tl.float64) / wide) * now - before
        # Once beyond fp64 it stays there.
        after = tl.where(now == float("-inf"), now, after)
        before = now
        now = after
        result = tl.where(order == k + 1, now, result)
    result = tl.where(wide == float("inf"), 0.0, result)
    return tl.where((order < 0) | (wide != wide), float("nan"), result).to(x.dtype)
