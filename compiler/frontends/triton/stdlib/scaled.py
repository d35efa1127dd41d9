"""dot_scaled of triton.language: operands in microscaling formats are widened, scaled, and multiplied by dot.

A scale is an exponent (e8m0: 2**(s - 127), 255 is NaN) of 32 elements in a row along K.
"""
import inlay
import triton.language as tl
from triton import jit


@jit
def _e2m1(x):
    """The values of two-bit exponents and one-bit mantissas in the low four bits of x, as bf16."""
    n = x.to(tl.uint16)
    magnitude = n & 7
    # 0.5 is the only subnormal number.
    bits = tl.where(magnitude == 1, 0x3F00, tl.where(magnitude == 0, 0, (magnitude << 6) + 0x3F00))
    return (bits.to(tl.uint16) | ((n & 8) << 12)).to(tl.bfloat16, bitcast=True)


@jit
def _unpacked(x, along_last: tl.constexpr):
    """Both e2m1 numbers of each byte, the low four bits first, along the last dimension or the one before."""
    pairs = tl.join(_e2m1(x), _e2m1(x.to(tl.uint8, bitcast=True) >> 4))
    rank: tl.constexpr = len(x.shape)
    if along_last:
        return tl.reshape(pairs, x.shape[:-1] + [2 * x.shape[-1]])
    order: tl.constexpr = [i for i in range(rank - 1)] + [rank, rank - 1]
    return tl.reshape(tl.permute(pairs, order), x.shape[:-2] + [2 * x.shape[-2], x.shape[-1]])


@jit
def _widened(x, format: tl.constexpr, is_packed_along_last: tl.constexpr, to: tl.constexpr):
    """Elements of a format in a float type of 16 bits."""
    if format == "e2m1":
        tl.static_assert(x.dtype == tl.uint8 or x.dtype == tl.int8, "e2m1 operands are packed in uint8")
        return _unpacked(x, is_packed_along_last).to(to)
    if format == "e4m3":
        return (x.to(tl.float8e4nv, bitcast=True) if x.dtype.is_int() else x).to(to)
    if format == "e5m2":
        return (x.to(tl.float8e5, bitcast=True) if x.dtype.is_int() else x).to(to)
    tl.static_assert(format == "bf16" or format == "fp16",
                     "the formats of dot_scaled are 'e2m1', 'e4m3', 'e5m2', 'bf16' and 'fp16'")
    return x.to(to)


@jit
def _scaled(x, scale, to: tl.constexpr):
    """x, whose last dimension is K, times the scales of its groups."""
    rank: tl.constexpr = len(x.shape)
    tl.static_assert(32 * scale.shape[-1] == x.shape[-1], "dot_scaled needs one scale for 32 elements along K")
    groups = tl.reshape(x, x.shape[:-1] + [x.shape[-1] // 32, 32])
    s = scale.to(tl.uint8).to(tl.uint16)
    # 2**-127 is below the normal numbers of bf16.
    factor = tl.where(s == 0, 0x0040, s << 7).to(tl.uint16).to(tl.bfloat16, bitcast=True)
    product = groups.to(tl.float32) * tl.expand_dims(factor, rank).to(tl.float32)
    is_nan = tl.broadcast_to(tl.expand_dims(s == 255, rank), groups.shape)
    return tl.reshape(tl.where(is_nan, float("nan"), product), x.shape).to(to)


@jit
def dot_scaled(lhs, lhs_scale, lhs_format: tl.constexpr, rhs, rhs_scale, rhs_format: tl.constexpr, acc=None,
               fast_math: tl.constexpr = False, lhs_k_pack: tl.constexpr = True,
               rhs_k_pack: tl.constexpr = True, out_dtype: tl.constexpr = tl.float32):
    tl.static_assert(lhs_k_pack or lhs_format == "e2m1", "lhs_k_pack=False is for e2m1 operands, two in a byte")
    tl.static_assert(rhs_k_pack or rhs_format == "e2m1", "rhs_k_pack=False is for e2m1 operands, two in a byte")
    is_half: tl.constexpr = lhs_format == "fp16" or rhs_format == "fp16"
    to: tl.constexpr = tl.float16 if is_half else tl.bfloat16
    a = _widened(lhs, lhs_format, lhs_k_pack, to)
    b = _widened(rhs, rhs_format, not rhs_k_pack, to)
    if lhs_scale is not None:
        a = _scaled(a, lhs_scale, to)
    if rhs_scale is not None:
        # Its scales are [N, K / 32].
        b = tl.trans(_scaled(tl.trans(b), rhs_scale, to))
    return tl.dot(a, b, acc, out_dtype=out_dtype)
