"""sort and topk of triton.language: bitonic networks along the last dimension.

A network compares elements whose places, counted in row-major order, differ in one bit. Seen as
[rows, 2, 2**bit] those are neighbours along the middle dimension.
"""
import inlay
import triton.language as tl
from triton import jit


@jit
def _compare_and_swap(x, bit: tl.constexpr, stage: tl.constexpr, descending: tl.constexpr):
    """One step on a flat tensor. `descending` None: the bit `stage` of the place says it."""
    rows: tl.constexpr = x.numel // 2 ** (bit + 1)
    pairs = tl.reshape(x, [rows, 2, 2**bit])
    bits = pairs.to(inlay.int_dtype(x.dtype.primitive_bitwidth), bitcast=True)
    other = (bits ^ tl.xor_sum(bits, 1, keep_dims=True)).to(x.dtype, bitcast=True)
    is_right = inlay.iota([1, 2, 1], 1)
    if descending is None:
        flips = ((inlay.iota([rows, 1, 1], 0) >> (stage - bit - 1)) & 1) ^ is_right
    else:
        flips = is_right ^ (1 if descending else 0)
    swaps = (pairs > other) != (flips != 0)
    return tl.reshape(tl.where(swaps, other, pairs), [x.numel])


@jit
def _merge(x, stage: tl.constexpr, descending: tl.constexpr):
    """Sorts runs of 2**stage elements, each of which rises and falls once."""
    for i in tl.static_range(stage):
        x = _compare_and_swap(x, stage - 1 - i, stage, descending)
    return x


@jit
def _sorted(x, k_bits: tl.constexpr, descending: tl.constexpr):
    """The first 2**k_bits of each line in order; all of them if the line is that long."""
    bits: tl.constexpr = inlay.log2(x.shape[-1])
    flat = tl.reshape(x, [x.numel])
    for stage in tl.static_range(1, k_bits + 1):
        flat = _merge(flat, stage, None if stage < bits else descending)
    # Of two runs that are sorted in opposite directions the better half is found in one step.
    for stage in tl.static_range(k_bits + 1, bits + 1):
        runs = tl.reshape(flat, [flat.numel // 2 ** (k_bits + 1), 2, 2**k_bits])
        best = tl.max(runs, 1) if descending else tl.min(runs, 1)
        flat = _merge(tl.reshape(best.to(x.dtype), [flat.numel // 2]), k_bits,
                      None if stage < bits else descending)
    return tl.reshape(flat, x.shape[:-1] + [2**k_bits])


@jit
@method
def sort(x, dim: tl.constexpr = None, descending: tl.constexpr = False):
    tl.static_assert(dim is None or dim == -1 or dim == len(x.shape) - 1,
                     "only the last dimension can be sorted")
    return _sorted(x, inlay.log2(x.shape[-1]), descending)


@jit
@method
def topk(x, k: tl.constexpr, dim: tl.constexpr = None):
    tl.static_assert(dim is None or dim == -1 or dim == len(x.shape) - 1,
                     "only the last dimension can be sorted")
    tl.static_assert(k <= x.shape[-1], "k is larger than the last dimension")
    return _sorted(x, inlay.log2(k), True)


@jit
def bitonic_merge(x, dim: tl.constexpr = None, descending: tl.constexpr = False):
    tl.static_assert(dim is None or dim == -1 or dim == len(x.shape) - 1,
                     "only the last dimension can be sorted")
    merged = _merge(tl.reshape(x, [x.numel]), inlay.log2(x.shape[-1]), descending)
    return tl.reshape(merged, x.shape)
