"""Lesson: the sum of two vectors. Programs, tiles, and masks for what lies behind the end."""
import triton
import triton.language as tl


@triton.jit
def add_vectors(left, right, out, count, TILE: tl.constexpr):
    # Each program owns TILE neighbouring elements; the last one may own fewer, which the mask says.
    place = tl.program_id(axis=0) * TILE + tl.arange(0, TILE)
    inside = place < count
    total = tl.load(left + place, mask=inside) + tl.load(right + place, mask=inside)
    tl.store(out + place, total, mask=inside)
