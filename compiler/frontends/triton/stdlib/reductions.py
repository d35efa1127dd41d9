"""Reductions and scans of triton.language, made of reduce and associative_scan."""
import inlay
import triton.language as tl
from triton import jit


@jit
def _wide_float(x):
    """bf16 as fp32: the hardware has no maximum or prefix sums of bf16."""
    return x.to(tl.float32) if x.dtype.is_bf16() else x


@jit
def _summed(x, dtype):
    """x as it is summed: in `dtype` if given; integers narrower than 32 bits in 32; floats as they are."""
    if dtype is not None:
        return x.to(dtype)
    if x.dtype.is_int() and x.dtype.primitive_bitwidth < 32:
        return x.to(tl.int32) if x.dtype.is_int_signed() else x.to(tl.uint32)
    return x


@jit
def _compared(x):
    """x as its extremum is computed: floats narrower than 32 bits in fp32, integers in int32."""
    if x.dtype.primitive_bitwidth < 32:
        return x.to(tl.float32) if x.dtype.is_floating() else x.to(tl.int32)
    return x


@jit
def _sum_combine(a, b):
    return a + b


@jit
def _prod_combine(a, b):
    return a * b


@jit
def _xor_combine(a, b):
    return a ^ b


@jit
def _or_combine(a, b):
    return a | b


@jit
def _elementwise_max(a, b):
    return tl.maximum(a, b)


@jit
def _elementwise_min(a, b):
    return tl.minimum(a, b)


@jit
def _argmax_combine_tie_break_left(value1, index1, value2, index2):
    first = (value1 > value2) | ((value1 == value2) & (index1 < index2))
    return tl.where(first, value1, value2), tl.where(first, index1, index2)


@jit
def _argmax_combine_tie_break_fast(value1, index1, value2, index2):
    first = value1 > value2
    return tl.where(first, value1, value2), tl.where(first, index1, index2)


@jit
def _argmin_combine_tie_break_left(value1, index1, value2, index2):
    first = (value1 < value2) | ((value1 == value2) & (index1 < index2))
    return tl.where(first, value1, value2), tl.where(first, index1, index2)


@jit
def _argmin_combine_tie_break_fast(value1, index1, value2, index2):
    first = value1 < value2
    return tl.where(first, value1, value2), tl.where(first, index1, index2)


@jit
def _reduce_with_indices(x, axis, combine, keep_dims):
    """The reduction of (value, index along axis); without an axis, of the flattened tensor."""
    if axis is None:
        values = tl.reshape(x, [x.numel])
        value, index = tl.reduce((values, tl.arange(0, x.numel)), 0, combine)
        if keep_dims:
            ones: tl.constexpr = [1] * len(x.shape)
            return tl.reshape(value, ones), tl.reshape(index, ones)
        return value, index
    at: tl.constexpr = inlay.axis(axis, x)
    index = inlay.iota(x.shape, at)
    return tl.reduce((x, index), at, combine, keep_dims=keep_dims)


@jit
@method
def sum(input, axis=None, keep_dims=False, dtype: tl.constexpr = None):
    return tl.reduce(_summed(input, dtype), axis, _sum_combine, keep_dims=keep_dims)


@jit
@method
def max(input, axis=None, return_indices=False, return_indices_tie_break_left=True, keep_dims=False):
    x = _wide_float(input)
    if return_indices:
        if return_indices_tie_break_left:
            return _reduce_with_indices(x, axis, _argmax_combine_tie_break_left, keep_dims)
        return _reduce_with_indices(x, axis, _argmax_combine_tie_break_fast, keep_dims)
    return tl.reduce(_compared(x), axis, _elementwise_max, keep_dims=keep_dims)


@jit
@method
def min(input, axis=None, return_indices=False, return_indices_tie_break_left=True, keep_dims=False):
    x = _wide_float(input)
    if return_indices:
        if return_indices_tie_break_left:
            return _reduce_with_indices(x, axis, _argmin_combine_tie_break_left, keep_dims)
        return _reduce_with_indices(x, axis, _argmin_combine_tie_break_fast, keep_dims)
    return tl.reduce(_compared(x), axis, _elementwise_min, keep_dims=keep_dims)


@jit
@method
def argmax(input, axis, tie_break_left=True, keep_dims=False):
    value, index = max(input, axis, return_indices=True, return_indices_tie_break_left=tie_break_left,
                       keep_dims=keep_dims)
    return index


@jit
@method
def argmin(input, axis, tie_break_left=True, keep_dims=False):
    value, index = min(input, axis, return_indices=True, return_indices_tie_break_left=tie_break_left,
                       keep_dims=keep_dims)
    return index


@jit
@method
def xor_sum(input, axis=None, keep_dims=False):
    tl.static_assert(input.dtype.is_int(), "xor_sum needs integers")
    return tl.reduce(input, axis, _xor_combine, keep_dims=keep_dims)


@jit
@method
def reduce_or(input, axis, keep_dims=False):
    tl.static_assert(input.dtype.is_int(), "reduce_or needs integers")
    return tl.reduce(input, axis, _or_combine, keep_dims=keep_dims)


@jit
@method
def softmax(x, dim=None, keep_dims=False, ieee_rounding=False):
    along: tl.constexpr = 0 if dim is None else dim
    power = tl.exp(x - max(x, along, keep_dims=keep_dims))
    return tl.fdiv(power, sum(power, along, keep_dims=keep_dims), ieee_rounding)


@jit
@method
def cumsum(input, axis=0, reverse=False, dtype: tl.constexpr = None):
    return tl.associative_scan(_summed(_wide_float(input), dtype), axis, _sum_combine, reverse)


@jit
@method
def cumprod(input, axis=0, reverse=False):
    return tl.associative_scan(_wide_float(input), axis, _prod_combine, reverse)
