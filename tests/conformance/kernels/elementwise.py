"""Vector addition, dropout and a function of libdevice: one block of elements for each program."""
import triton
import triton.language as tl
from triton.language.extra import libdevice


@triton.jit
def add(left, right, out, count, BLOCK: tl.constexpr):
    at = tl.program_id(axis=0) * BLOCK + tl.arange(0, BLOCK)
    inside = at < count
    total = tl.load(left + at, mask=inside) + tl.load(right + at, mask=inside)
    tl.store(out + at, total, mask=inside)


@triton.jit
def masked_dropout(values, kept, out, count, rate, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = at < count
    v = tl.load(values + at, mask=inside)
    keep = tl.load(kept + at, mask=inside)
    tl.store(out + at, tl.where(keep, v / (1 - rate), 0.0), mask=inside)


@triton.jit
def seeded_dropout(values, out, count, rate, seed, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = at < count
    v = tl.load(values + at, mask=inside)
    chance = tl.rand(seed, at)
    tl.store(out + at, tl.where(chance > rate, v / (1 - rate), 0.0), mask=inside)


@triton.jit
def arcsine(values, out, count, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    v = tl.load(values + at, mask=at < count)
    tl.store(out + at, libdevice.asin(v), mask=at < count)
