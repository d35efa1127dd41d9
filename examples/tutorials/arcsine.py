"""Lesson: functions of CUDA's device library, which tl itself does not have."""
import triton
import triton.language as tl
from triton.language.extra import libdevice


@triton.jit
def arcsine(x, y, count, TILE: tl.constexpr):
    place = tl.program_id(0) * TILE + tl.arange(0, TILE)
    inside = place < count
    # The function of the argument's width is chosen: asinf for float32, asin for float64.
    tl.store(y + place, libdevice.asin(tl.load(x + place, mask=inside, other=0.0)), mask=inside)
