"""Functions of libdevice that are made of others. fp32 functions without an own expansion compute in fp64."""
import inlay
import triton.language as tl
from triton import jit
from triton.language.extra import libdevice


@jit
def _like(x, y):
    """y, computed in fp64 or from bits, as x's type."""
    return y.to(x.dtype)


@jit
def _signed_bits(x):
    return x.to(inlay.int_dtype(x.dtype.primitive_bitwidth), bitcast=True)


@jit
def _unsigned(x):
    return x.to(tl.uint64 if x.dtype.primitive_bitwidth == 64 else tl.uint32)


# Bits of integers.


@jit
def popc(x):
    v = _unsigned(x)
    if v.dtype == tl.uint32:
        v = v - ((v >> 1) & 0x55555555)
        v = (v & 0x33333333) + ((v >> 2) & 0x33333333)
        v = ((v + (v >> 4)) & 0x0F0F0F0F) * 0x01010101
        return (v >> 24).to(tl.int32)
    v = v - ((v >> 1) & 0x5555555555555555)
    v = (v & 0x3333333333333333) + ((v >> 2) & 0x3333333333333333)
    v = ((v + (v >> 4)) & 0x0F0F0F0F0F0F0F0F) * 0x0101010101010101
    return (v >> 56).to(tl.int32)


@jit
def clz(x):
    v = _unsigned(x)
    bits: tl.constexpr = v.dtype.primitive_bitwidth
    for i in tl.static_range(inlay.log2(bits)):
        v = v | (v >> (1 << i))
    return bits - popc(v)


@jit
def ffs(x):
    v = _unsigned(x)
    return tl.where(v == 0, 0, popc(v ^ (v - 1)))


@jit
def brev(x):
    v = _unsigned(x)
    bits: tl.constexpr = v.dtype.primitive_bitwidth
    result = v * 0
    for i in tl.static_range(bits):
        result = (result << 1) | ((v >> i) & 1)
    return result.to(x.dtype)


@jit
def byte_perm(x, y, s):
    both = (y.to(tl.uint32).to(tl.uint64) << 32) | x.to(tl.uint32).to(tl.uint64)
    choice = s.to(tl.uint32)
    result = choice * 0
    for i in tl.static_range(4):
        selector = (choice >> (4 * i)) & 15
        byte = ((both >> ((selector & 7) * 8).to(tl.uint64)) & 255).to(tl.uint32)
        byte = tl.where(selector > 7, tl.where(byte > 127, 255, 0).to(tl.uint32), byte)
        result = result | (byte << (8 * i))
    return result.to(tl.int32)


@jit
def mulhi(x, y):
    if not x.dtype.is_int_signed():
        return tl.umulhi(x, y)
    high = tl.umulhi(_unsigned(x), _unsigned(y)).to(x.dtype)
    return high - tl.where(x < 0, y, 0) - tl.where(y < 0, x, 0)


@jit
def mul24(x, y):
    if x.dtype.is_int_signed():
        return ((x << 8) >> 8) * ((y << 8) >> 8)
    return (x & 0xFFFFFF) * (y & 0xFFFFFF)


@jit
def sad(x, y, z):
    return tl.where(x > y, x - y, y - x).to(tl.uint32) + z.to(tl.uint32)


@jit
def hadd(x, y):
    return (x & y) + ((x ^ y) >> 1)


@jit
def rhadd(x, y):
    return (x | y) - ((x ^ y) >> 1)


# Bits of floats.


@jit
def float_as_int(x):
    return x.to(tl.int32, bitcast=True)


@jit
def float_as_uint(x):
    return x.to(tl.uint32, bitcast=True)


@jit
def int_as_float(x):
    return x.to(tl.float32, bitcast=True)


@jit
def uint_as_float(x):
    return x.to(tl.float32, bitcast=True)


@jit
def double_as_longlong(x):
    return x.to(tl.int64, bitcast=True)


@jit
def longlong_as_double(x):
    return x.to(tl.float64, bitcast=True)


@jit
def double2hiint(x):
    return (x.to(tl.int64, bitcast=True) >> 32).to(tl.int32)


@jit
def double2loint(x):
    return x.to(tl.int64, bitcast=True).to(tl.int32)


@jit
def hiloint2double(high, low):
    bits = (high.to(tl.int64) << 32) | low.to(tl.uint32).to(tl.int64)
    return bits.to(tl.float64, bitcast=True)


@jit
def isnan(x):
    return x != x


@jit
def isinf(x):
    return tl.abs(x) == float("inf")


@jit
def finitef(x):
    return tl.abs(x) < float("inf")


@jit
def isfinited(x):
    return tl.abs(x) < float("inf")


@jit
def signbit(x):
    return (_signed_bits(x) < 0).to(tl.int32)


@jit
def _power_of_two(n, like):
    """2**n for an n whose result is a normal number."""
    if like.dtype == tl.float64:
        return ((n.to(tl.int64) + 1023) << 52).to(tl.float64, bitcast=True)
    return ((n.to(tl.int32) + 127) << 23).to(tl.float32, bitcast=True)


@jit
def ldexp(x, n):
    limit: tl.constexpr = 2200 if x.dtype == tl.float64 else 300
    total = tl.minimum(tl.maximum(n, -limit), limit)
    quarter = total >> 2
    step = _power_of_two(quarter, x)
    return x * step * step * step * _power_of_two(total - 3 * quarter, x)


@jit
def scalbn(x, n):
    return ldexp(x, n)


@jit
def ilogb(x):
    if x.dtype == tl.float64:
        is_small = tl.abs(x) < 2.2250738585072014e-308
        bits = tl.where(is_small, x * 18014398509481984.0, x).to(tl.int64, bitcast=True)
        exponent = ((bits >> 52) & 2047).to(tl.int32) - 1023 - tl.where(is_small, 54, 0)
    else:
        is_small = tl.abs(x) < 1.1754943508222875e-38
        bits = tl.where(is_small, x * 33554432.0, x).to(tl.int32, bitcast=True)
        exponent = ((bits >> 23) & 255) - 127 - tl.where(is_small, 25, 0)
    exponent = tl.where(x == 0, -2147483648, exponent)
    exponent = tl.where(isinf(x), 2147483647, exponent)
    return tl.where(isnan(x), -2147483648, exponent)


@jit
def logb(x):
    result = ilogb(x).to(x.dtype)
    result = tl.where(x == 0, float("-inf"), result)
    return tl.where(isinf(x) | isnan(x), x * x, result)


@jit
def nextafter(x, y):
    bits = _signed_bits(x)
    away = (y > x) == (x > 0)
    moved = tl.where(away, bits + 1, bits - 1).to(x.dtype, bitcast=True)
    smallest = (bits * 0 + 1).to(x.dtype, bitcast=True)
    moved = tl.where(x == 0, tl.where(y > 0, smallest, -smallest), moved)
    return tl.where((x != x) | (y != y), x + y, tl.where(x == y, y, moved))


# Rounding and conversion.


@jit
def llrint(x):
    return libdevice.rint(x).to(tl.int64)


@jit
def llround(x):
    return libdevice.round(x).to(tl.int64)


@jit
def float2int_rn(x):
    return libdevice.rint(x).to(tl.int32)


@jit
def float2int_rz(x):
    return x.to(tl.int32)


@jit
def float2int_rd(x):
    return tl.floor(x).to(tl.int32)


@jit
def float2int_ru(x):
    return tl.ceil(x).to(tl.int32)


@jit
def float2uint_rn(x):
    return libdevice.rint(x).to(tl.uint32)


@jit
def float2uint_rz(x):
    return x.to(tl.uint32)


@jit
def float2ll_rn(x):
    return libdevice.rint(x).to(tl.int64)


@jit
def float2ll_rz(x):
    return x.to(tl.int64)


@jit
def double2int_rn(x):
    return libdevice.rint(x).to(tl.int32)


@jit
def double2int_rz(x):
    return x.to(tl.int32)


@jit
def double2ll_rn(x):
    return libdevice.rint(x).to(tl.int64)


@jit
def double2ll_rz(x):
    return x.to(tl.int64)


@jit
def double2float_rn(x):
    return x.to(tl.float32)


@jit
def int2float_rn(x):
    return x.to(tl.float32)


@jit
def uint2float_rn(x):
    return x.to(tl.float32)


@jit
def ll2float_rn(x):
    return x.to(tl.float32)


@jit
def int2double_rn(x):
    return x.to(tl.float64)


@jit
def ll2double_rn(x):
    return x.to(tl.float64)


# Arithmetic. A fused operation with a neutral operand is one that nothing is fused into.


@jit
def add_rn(x, y):
    return tl.fma(x, 1.0, y)


@jit
def sub_rn(x, y):
    return tl.fma(y, -1.0, x)


@jit
def mul_rn(x, y):
    return tl.fma(x, y, -0.0)


@jit
def fma_rn(x, y, z):
    return tl.fma(x, y, z)


@jit
def rcp_rn(x):
    return tl.div_rn(1.0, x)


@jit
def rsqrt_rn(x):
    return _like(x, tl.div_rn(1.0, tl.sqrt_rn(x.to(tl.float64))))


@jit
def saturatef(x):
    return tl.minimum(tl.maximum(x, 0.0), 1.0)


@jit
def fdim(x, y):
    return tl.where(x <= y, 0.0, x - y)


@jit
def remainder(x, y):
    size = tl.abs(y)
    rest = libdevice.fmod(tl.abs(x), size + size)
    rest = tl.where(rest + rest > size, tl.where((rest - size) + (rest - size) >= size, rest - size - size,
                                                 rest - size), rest)
    return tl.where(x < 0, -rest, rest)


@jit
def hypot(x, y):
    if x.dtype == tl.float32:
        a = x.to(tl.float64)
        b = y.to(tl.float64)
        return _like(x, tl.sqrt_rn(a * a + b * b))
    large = tl.maximum(tl.abs(x), tl.abs(y))
    ratio = tl.where((large == 0) | isinf(large), 0.0, tl.minimum(tl.abs(x), tl.abs(y)) / large)
    return large * tl.sqrt_rn(1.0 + ratio * ratio)


@jit
def rhypot(x, y):
    return tl.div_rn(1.0, hypot(x, y))


@jit
def norm3d(x, y, z):
    return hypot(hypot(x, y), z)


@jit
def rnorm3d(x, y, z):
    return tl.div_rn(1.0, norm3d(x, y, z))


@jit
def norm4d(x, y, z, w):
    return hypot(hypot(x, y), hypot(z, w))


@jit
def rnorm4d(x, y, z, w):
    return tl.div_rn(1.0, norm4d(x, y, z, w))


# Transcendental functions.


@jit
def exp10(x):
    return libdevice.pow(10.0, x)


@jit
def sinpi(x):
    return libdevice.sin(3.141592653589793 * (x - 2.0 * libdevice.rint(0.5 * x)).to(tl.float64)).to(x.dtype)


@jit
def cospi(x):
    return libdevice.cos(3.141592653589793 * (x - 2.0 * libdevice.rint(0.5 * x)).to(tl.float64)).to(x.dtype)


@jit
def asinh(x):
    a = tl.abs(x)
    small = libdevice.log1p(a + a * a / (1.0 + tl.sqrt_rn(a * a + 1.0)))
    return libdevice.copysign(tl.where(a > 1.0e9, tl.log(a) + 0.6931471805599453, small), x)


@jit
def acosh(x):
    t = x - 1.0
    return tl.where(x > 1.0e9, tl.log(x) + 0.6931471805599453, libdevice.log1p(t + tl.sqrt_rn(t * (t + 2.0))))


@jit
def atanh(x):
    a = tl.abs(x)
    return libdevice.copysign(0.5 * libdevice.log1p(tl.div_rn(a + a, 1.0 - a)), x)


@jit
def _log_gamma(x):
    """ln(gamma(x)) for x >= 0.5 in fp64: Stirling's series beyond 8, reached by the recurrence."""
    product = x * 0.0 + 1.0
    z = x
    for _ in tl.static_range(8):
        is_low = z < 8.0
        product = tl.where(is_low, product * z, product)
        z = tl.where(is_low, z + 1.0, z)
    i = 1.0 / z
    s = i * i
    # Bernoulli(2k) / (2k (2k - 1)).
    series = 1.0 / 12 + s * (-1.0 / 360 + s * (1.0 / 1260 + s * (-1.0 / 1680 + s * (
        1.0 / 1188 + s * (-691.0 / 360360 + s * (1.0 / 156 + s * (-3617.0 / 122400)))))))
    return (z - 0.5) * tl.log(z) - z + 0.9189385332046727 + i * series - tl.log(product)


@jit
def lgamma(x):
    wide = x.to(tl.float64)
    low = wide < 0.5
    upper = _log_gamma(tl.where(low, 1.0 - wide, wide))
    # gamma(x) gamma(1 - x) = pi / sin(pi x).
    fraction = wide - tl.floor(wide)
    reflected = 1.1447298858494002 - tl.log(libdevice.sin(3.141592653589793 * fraction)) - upper
    result = tl.where(low, reflected, upper)
    is_pole = (wide <= 0) & (fraction == 0)
    result = tl.where(is_pole | isinf(wide), float("inf"), result)
    return _like(x, result)


@jit
def tgamma(x):
    wide = x.to(tl.float64)
    size = tl.exp(lgamma(wide))
    floor = tl.floor(wide)
    is_odd = floor != 2.0 * tl.floor(0.5 * floor)
    result = tl.where((wide < 0) & is_odd, -size, size)
    result = tl.where(wide == 0, libdevice.copysign(float("inf"), wide), result)
    result = tl.where(((wide < 0) & (floor == wide)), float("nan"), result)
    return _like(x, result)


@jit
def _inverse_erfc(w):
    """z >= 0 with erfc(z) = w, 0 < w <= 1, in fp64: Winitzki's estimate and Halley's iteration."""
    l = tl.log(w * (2.0 - w))
    t = 4.330746750799873 + 0.5 * l
    z = tl.sqrt_rn(tl.maximum(tl.sqrt_rn(t * t - 6.802721088435374 * l) - t, 0.0))
    for _ in tl.static_range(3):
        error = (libdevice.erfc(z) - w) / (-1.1283791670955126 * tl.exp(-z * z))
        z = z - error / (1.0 + z * error)
    return z


@jit
def erfinv(x):
    wide = x.to(tl.float64)
    a = tl.abs(wide)
    z = libdevice.copysign(_inverse_erfc(1.0 - a), wide)
    # Where the complement loses the digits of a small argument the series has them.
    z = tl.where(a < 1.0e-4, wide * (0.8862269254527580 + 0.2320136665346545 * wide * wide), z)
    z = tl.where(a == 1.0, libdevice.copysign(float("inf"), wide), z)
    return _like(x, tl.where(a > 1.0, float("nan"), z))


@jit
def erfcinv(x):
    wide = x.to(tl.float64)
    is_upper = wide > 1.0
    z = _inverse_erfc(tl.where(is_upper, 2.0 - wide, wide))
    z = tl.where(is_upper, -z, z)
    z = tl.where(wide == 0, float("inf"), tl.where(wide == 2.0, float("-inf"), z))
    return _like(x, tl.where((wide < 0) | (wide > 2.0), float("nan"), z))


@jit
def normcdf(x):
    return _like(x, 0.5 * libdevice.erfc(-0.7071067811865476 * x.to(tl.float64)))


@jit
def normcdfinv(x):
    return _like(x, -1.4142135623730951 * erfcinv(2.0 * x.to(tl.float64)))


# Functions that promise speed, not digits.


@jit
def fast_sinf(x):
    return tl.sin(x)


@jit
def fast_cosf(x):
    return tl.cos(x)


@jit
def fast_tanf(x):
    return tl.fdiv(tl.sin(x), tl.cos(x))


@jit
def fast_logf(x):
    return tl.log(x)


@jit
def fast_log2f(x):
    return tl.log2(x)


@jit
def fast_log10f(x):
    return tl.log2(x) * 0.3010299956639812


@jit
def fast_exp10f(x):
    return tl.exp2(x * 3.321928094887362)


@jit
def fast_powf(x, y):
    return tl.exp2(y * tl.log2(x))


@jit
def fast_dividef(x, y):
    return tl.fdiv(x, y)


@jit
def fast_fdividef(x, y):
    return tl.fdiv(x, y)
