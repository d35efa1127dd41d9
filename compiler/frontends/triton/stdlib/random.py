"""Random numbers of triton.language: Philox 4x32-10 and what is drawn from it."""
import triton.language as tl
from triton import jit


@jit
def philox_impl(c0, c1, c2, c3, k0, k1, n_rounds: tl.constexpr = 10):
    """n_rounds of Philox on unsigned counters and keys of 32 or 64 bits (Salmon et al., SC 2011)."""
    is_narrow: tl.constexpr = c0.dtype.primitive_bitwidth == 32
    key0: tl.constexpr = 0x9E3779B9 if is_narrow else 0x9E3779B97F4A7C15
    key1: tl.constexpr = 0xBB67AE85 if is_narrow else 0xBB67AE8584CAA73B
    factor0: tl.constexpr = 0xD2511F53 if is_narrow else 0xD2E7470EE14C6C93
    factor1: tl.constexpr = 0xCD9E8D57 if is_narrow else 0xCA5A826395121157
    for _ in tl.static_range(n_rounds):
        old0, old2 = c0, c2
        c0 = tl.umulhi(old2, factor1) ^ c1 ^ k0
        c2 = tl.umulhi(old0, factor0) ^ c3 ^ k1
        c1 = old2 * factor1
        c3 = old0 * factor0
        k0 = k0 + key0
        k1 = k1 + key1
    return c0, c1, c2, c3


@jit
def philox(seed, c0, c1, c2, c3, n_rounds: tl.constexpr = 10):
    """Philox with a seed of up to 64 bits; the counters' width chooses the variant."""
    wide = tl.to_tensor(seed).to(tl.uint64)
    c0 = tl.to_tensor(c0)
    c1 = tl.to_tensor(c1)
    c2 = tl.to_tensor(c2)
    c3 = tl.to_tensor(c3)
    if c0.dtype.primitive_bitwidth == 32:
        return philox_impl(c0.to(tl.uint32), c1.to(tl.uint32), c2.to(tl.uint32), c3.to(tl.uint32),
                           wide.to(tl.uint32), (wide >> 32).to(tl.uint32), n_rounds)
    return philox_impl(c0.to(tl.uint64), c1.to(tl.uint64), c2.to(tl.uint64), c3.to(tl.uint64), wide,
                       wide * 0, n_rounds)


@jit
def randint4x(seed, offset, n_rounds: tl.constexpr = 10):
    """Four blocks of random uint32, of the shape of `offset`."""
    place = tl.to_tensor(offset)
    low = place.to(tl.uint32)
    zero = low * 0
    high = (place >> 32).to(tl.uint32) if place.dtype.primitive_bitwidth > 32 else zero
    return philox(seed, low, high, zero, zero, n_rounds)


@jit
def randint(seed, offset, n_rounds: tl.constexpr = 10):
    first, _, _, _ = randint4x(seed, offset, n_rounds)
    return first


@jit
def uint_to_uniform_float(x):
    """Random integers of 32 or 64 bits as floats in [0, 1)."""
    tl.static_assert(x.dtype.is_int() and x.dtype.primitive_bitwidth >= 32,
                     "random integers have 32 or 64 bits")
    if x.dtype.primitive_bitwidth == 32:
        n = x.to(tl.int32, bitcast=True)
        return tl.where(n < 0, -n - 1, n) * 4.6566127342e-10
    n = x.to(tl.int64, bitcast=True)
    return tl.where(n < 0, -n - 1, n) * 1.0842020432385337e-19


@jit
def rand(seed, offset, n_rounds: tl.constexpr = 10):
    return uint_to_uniform_float(randint(seed, offset, n_rounds))


@jit
def rand4x(seed, offset, n_rounds: tl.constexpr = 10):
    i1, i2, i3, i4 = randint4x(seed, offset, n_rounds)
    return (uint_to_uniform_float(i1), uint_to_uniform_float(i2), uint_to_uniform_float(i3),
            uint_to_uniform_float(i4))


@jit
def pair_uniform_to_normal(u1, u2):
    """Box and Muller's two normal numbers of two uniform ones."""
    u1 = tl.maximum(1.0e-7, u1)
    angle = 6.283185307179586 * u2
    radius = tl.sqrt(-2.0 * tl.log(u1))
    return radius * tl.cos(angle), radius * tl.sin(angle)


@jit
def randn(seed, offset, n_rounds: tl.constexpr = 10):
    i1, i2, _, _ = randint4x(seed, offset, n_rounds)
    normal, _ = pair_uniform_to_normal(uint_to_uniform_float(i1), uint_to_uniform_float(i2))
    return normal


@jit
def randn4x(seed, offset, n_rounds: tl.constexpr = 10):
    u1, u2, u3, u4 = rand4x(seed, offset, n_rounds)
    n1, n2 = pair_uniform_to_normal(u1, u2)
    n3, n4 = pair_uniform_to_normal(u3, u4)
    return n1, n2, n3, n4
