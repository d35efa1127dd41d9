"""Functions of libdevice that round in a stated direction: rn to nearest, rz toward zero, rd down, ru up.

Hardware rounds to nearest here; what that leaves off is computed exactly, and where it points across the result the
neighbour is taken. What is left off of fp32 is found in fp64.
"""
import triton.language as tl
from triton import jit
from triton.language.extra import libdevice


@jit
def _turned(r, first, second, MODE: tl.constexpr):
    """r or its neighbour. The exact value is r + first + second, of which the first outweighs the second."""
    above = (first > 0) | ((first == 0) & (second > 0))
    below = (first < 0) | ((first == 0) & (second < 0))
    up = libdevice.nextafter(r, r * 0 + float("inf"))
    down = libdevice.nextafter(r, r * 0 - float("inf"))
    # r * 0 is NaN where r is infinite: then the neighbour is the largest finite number.
    largest: tl.constexpr = 1.7976931348623157e308 if r.dtype == tl.float64 else 3.4028234663852886e38
    up = tl.where(r == float("-inf"), -largest, up).to(r.dtype)
    down = tl.where(r == float("inf"), largest, down).to(r.dtype)
    if MODE == "u":
        return tl.where(above, up, r)
    if MODE == "d":
        return tl.where(below, down, r)
    return tl.where((r > 0) & below, down, tl.where((r < 0) & above, up, r))


@jit
def _two_sum(a, b):
    """a + b in fp64 as the rounded sum and what it leaves off."""
    s = a + b
    other = s - a
    rest = (a - (s - other)) + (b - other)
    # Where the sum overflows, the exact one is nearer to zero.
    is_over = (tl.abs(s) == float("inf")) & (tl.abs(a) < float("inf")) & (tl.abs(b) < float("inf"))
    return s, tl.where(is_over, -s, rest)


@jit
def _narrowed(s, rest, MODE: tl.constexpr):
    """s + rest, both fp64, as fp32."""
    r = s.to(tl.float32)
    return _turned(r, s - r.to(tl.float64), rest, MODE)


@jit
def _sum(x, y, MODE: tl.constexpr):
    s, rest = _two_sum(x.to(tl.float64), y.to(tl.float64))
    if x.dtype == tl.float64:
        r = _turned(s, rest, rest * 0, MODE)
    else:
        r = _narrowed(s, rest, MODE)
    if MODE == "d":
        # An exact zero of two signs is negative.
        return tl.where((r == 0) & (libdevice.signbit(x) != libdevice.signbit(y)), -0.0, r).to(x.dtype)
    return r


@jit
def _product(x, y, MODE: tl.constexpr):
    if x.dtype != tl.float64:
        s = x.to(tl.float64) * y.to(tl.float64)
        return _narrowed(s, s * 0, MODE)
    s = tl.fma(x, y, -0.0)
    x_is_small = tl.abs(x) < tl.abs(y)
    small = tl.where(x_is_small, x, y)
    large = tl.where(x_is_small, y, x)
    # What a tiny product leaves off is below fp64's range: it is found 2**500 times as large.
    factor = tl.where(tl.abs(s) < 2.0**-900, 2.0**500, 1.0).to(tl.float64)
    rest = tl.fma(small * factor, large, -(s * factor))
    is_lost = (s == 0) & (x != 0) & (y != 0)
    rest = tl.where(is_lost, tl.where((x > 0) == (y > 0), 1.0, -1.0), rest)
    return _turned(s, rest, rest * 0, MODE)


@jit
def _quotient(x, y, MODE: tl.constexpr):
    a = x.to(tl.float64)
    b = y.to(tl.float64)
    s = tl.div_rn(a, b)
    factor = tl.where(tl.abs(a) < 2.0**-700, 2.0**300, 1.0).to(tl.float64)
    rest = tl.fma(-(s * factor), b, a * factor)
    rest = tl.where(b < 0, -rest, rest)
    if x.dtype == tl.float64:
        return _turned(s, rest, rest * 0, MODE)
    return _narrowed(s, rest, MODE)


@jit
def _root(x, MODE: tl.constexpr):
    a = x.to(tl.float64)
    s = tl.sqrt_rn(a)
    factor = tl.where(a < 2.0**-700, 2.0**300, 1.0).to(tl.float64)
    rest = tl.fma(-(s * factor), s * factor, a * factor * factor)
    if x.dtype == tl.float64:
        return _turned(s, rest, rest * 0, MODE)
    return _narrowed(s, rest, MODE)


@jit
def _fused_wide(x, y, z, MODE: tl.constexpr):
    """x y + z of fp64: of the exact product and sum as three numbers, what the rounded result leaves off."""
    r = tl.fma(x, y, z)
    # Tiny and huge numbers are moved to where nothing of the three is beyond fp64's range.
    product = tl.abs(x * y)
    is_small = (product < 2.0**-900) & (tl.abs(z) < 2.0**400)
    is_large = (product > 2.0**1000) | (tl.abs(z) > 2.0**1000)
    factor = tl.where(is_small, 2.0**500, tl.where(is_large, 2.0**-500, 1.0)).to(tl.float64)
    x_is_small = tl.abs(x) < tl.abs(y)
    small = tl.where(x_is_small, x, y)
    large = tl.where(x_is_small, y, x)
    small = tl.where(is_large, small, small * factor)
    large = tl.where(is_large, large * factor, large)
    p = tl.fma(small, large, -0.0)
    rest = tl.fma(small, large, -p)
    # Of a product that is out of range even so, or far below z, no more than the sign matters.
    sign = tl.where((x > 0) == (y > 0), 2.0**-900, -(2.0**-900)).to(tl.float64)
    is_lost = (tl.abs(p) < 2.0**-900) & (x != 0) & (y != 0)
    p = tl.where(is_lost, sign, p)
    rest = tl.where(is_lost, 0.0, rest)
    w = z * factor
    w = tl.where((w == 0) & (z != 0), tl.where(z > 0, 2.0**-1000, -(2.0**-1000)), w).to(tl.float64)
    s, t = _two_sum(p, w)
    left, after = _two_sum(s - r * factor, t)
    left, last = _two_sum(left, rest)
    is_over = (tl.abs(r) == float("inf")) & (tl.abs(x) < float("inf")) & (tl.abs(y) < float("inf")) & (tl.abs(z) < float("inf"))
    left = tl.where(is_over, -r, left)
    turned = _turned(r, left, tl.where(is_over, 0.0, last + after), MODE)
    if MODE == "d":
        # An exact zero of two signs is negative.
        has_two = (libdevice.signbit(x) ^ libdevice.signbit(y)) != libdevice.signbit(z)
        return tl.where((turned == 0) & (r == 0) & (left == 0) & has_two, -0.0, turned).to(x.dtype)
    return turned


@jit
def _fused(x, y, z, MODE: tl.constexpr):
    if x.dtype == tl.float64:
        return _fused_wide(x, y, z, MODE)
    s, rest = _two_sum(x.to(tl.float64) * y.to(tl.float64), z.to(tl.float64))
    return _narrowed(s, rest, MODE)


@jit
def _split(x):
    """A 64-bit integer as two numbers of fp64."""
    high = (x >> 32).to(tl.float64) * 4294967296.0
    return high, (x & 0xFFFFFFFF).to(tl.float64)


@jit
def _float_of_long(x, MODE: tl.constexpr):
    high, low = _split(x)
    s, rest = _two_sum(high, low)
    return _narrowed(s, rest, MODE)


@jit
def _double_of_long(x, MODE: tl.constexpr):
    high, low = _split(x)
    s, rest = _two_sum(high, low)
    return _turned(s, rest, rest * 0, MODE)


@jit
def _float_of(x, MODE: tl.constexpr):
    s = x.to(tl.float64)
    return _narrowed(s, s * 0, MODE)


@jit
def rcp64h(x):
    """The upper half of the reciprocal; the lower is 0."""
    bits = tl.div_rn(1.0, x).to(tl.int64, bitcast=True)
    return ((bits >> 32) << 32).to(tl.float64, bitcast=True)


@jit
def rcbrt(x):
    return tl.div_rn(1.0, libdevice.cbrt(x.to(tl.float64))).to(x.dtype)


@jit
def _one(x):
    return (_bits(x) * 0).to(x.dtype) + 1.0


@jit
def _bits(x):
    return x.to(tl.int64 if x.dtype == tl.float64 else tl.int32, bitcast=True)


@jit
def add_rz(x, y):
    return _sum(x, y, "z")


@jit
def sub_rz(x, y):
    return _sum(x, -1.0 * y, "z")


@jit
def mul_rz(x, y):
    return _product(x, y, "z")


@jit
def div_rz(x, y):
    return _quotient(x, y, "z")


@jit
def rcp_rz(x):
    return _quotient(_one(x), x, "z")


@jit
def sqrt_rz(x):
    return _root(x, "z")


@jit
def fma_rz(x, y, z):
    return _fused(x, y, z, "z")


@jit
def double2float_rz(x):
    return _float_of(x, "z")


@jit
def int2float_rz(x):
    return _float_of(x, "z")


@jit
def uint2float_rz(x):
    return _float_of(x, "z")


@jit
def ll2float_rz(x):
    return _float_of_long(x, "z")


@jit
def ll2double_rz(x):
    return _double_of_long(x, "z")


@jit
def ull2float_rz(x):
    return _float_of_long(x, "z")


@jit
def ull2double_rz(x):
    return _double_of_long(x, "z")


@jit
def add_rd(x, y):
    return _sum(x, y, "d")


@jit
def sub_rd(x, y):
    return _sum(x, -1.0 * y, "d")


@jit
def mul_rd(x, y):
    return _product(x, y, "d")


@jit
def div_rd(x, y):
    return _quotient(x, y, "d")


@jit
def rcp_rd(x):
    return _quotient(_one(x), x, "d")


@jit
def sqrt_rd(x):
    return _root(x, "d")


@jit
def fma_rd(x, y, z):
    return _fused(x, y, z, "d")


@jit
def double2float_rd(x):
    return _float_of(x, "d")


@jit
def int2float_rd(x):
    return _float_of(x, "d")


@jit
def uint2float_rd(x):
    return _float_of(x, "d")


@jit
def ll2float_rd(x):
    return _float_of_long(x, "d")


@jit
def ll2double_rd(x):
    return _double_of_long(x, "d")


@jit
def ull2float_rd(x):
    return _float_of_long(x, "d")


@jit
def ull2double_rd(x):
    return _double_of_long(x, "d")


@jit
def add_ru(x, y):
    return _sum(x, y, "u")


@jit
def sub_ru(x, y):
    return _sum(x, -1.0 * y, "u")


@jit
def mul_ru(x, y):
    return _product(x, y, "u")


@jit
def div_ru(x, y):
    return _quotient(x, y, "u")


@jit
def rcp_ru(x):
    return _quotient(_one(x), x, "u")


@jit
def sqrt_ru(x):
    return _root(x, "u")


@jit
def fma_ru(x, y, z):
    return _fused(x, y, z, "u")


@jit
def double2float_ru(x):
    return _float_of(x, "u")


@jit
def int2float_ru(x):
    return _float_of(x, "u")


@jit
def uint2float_ru(x):
    return _float_of(x, "u")


@jit
def ll2float_ru(x):
    return _float_of_long(x, "u")


@jit
def ll2double_ru(x):
    return _double_of_long(x, "u")


@jit
def ull2float_ru(x):
    return _float_of_long(x, "u")


@jit
def ull2double_ru(x):
    return _double_of_long(x, "u")


@jit
def float2uint_rd(x):
    return tl.floor(x).to(tl.uint32)


@jit
def float2uint_ru(x):
    return tl.ceil(x).to(tl.uint32)


@jit
def float2ll_rd(x):
    return tl.floor(x).to(tl.int64)


@jit
def float2ll_ru(x):
    return tl.ceil(x).to(tl.int64)


@jit
def float2ull_rn(x):
    return libdevice.rint(x).to(tl.uint64)


@jit
def float2ull_rz(x):
    return x.to(tl.uint64)


@jit
def float2ull_rd(x):
    return tl.floor(x).to(tl.uint64)


@jit
def float2ull_ru(x):
    return tl.ceil(x).to(tl.uint64)


@jit
def double2int_rd(x):
    return tl.floor(x).to(tl.int32)


@jit
def double2int_ru(x):
    return tl.ceil(x).to(tl.int32)


@jit
def double2uint_rn(x):
    return libdevice.rint(x).to(tl.uint32)


@jit
def double2uint_rz(x):
    return x.to(tl.uint32)


@jit
def double2uint_rd(x):
    return tl.floor(x).to(tl.uint32)


@jit
def double2uint_ru(x):
    return tl.ceil(x).to(tl.uint32)


@jit
def double2ll_rd(x):
    return tl.floor(x).to(tl.int64)


@jit
def double2ll_ru(x):
    return tl.ceil(x).to(tl.int64)


@jit
def double2ull_rn(x):
    return libdevice.rint(x).to(tl.uint64)


@jit
def double2ull_rz(x):
    return x.to(tl.uint64)


@jit
def double2ull_rd(x):
    return tl.floor(x).to(tl.uint64)


@jit
def double2ull_ru(x):
    return tl.ceil(x).to(tl.uint64)


@jit
def ull2float_rn(x):
    return x.to(tl.float32)


@jit
def ull2double_rn(x):
    return x.to(tl.float64)


@jit
def uint2double_rn(x):
    return x.to(tl.float64)
