"""Lesson: dropout, with a mask from memory or with none. Random numbers that are computed where they are used."""
import triton
import triton.language as tl


@triton.jit
def drop_by_mask(values, kept, out, count, rate, TILE: tl.constexpr):
    """kept is an int32 for each element: zero drops it."""
    place = tl.program_id(0) * TILE + tl.arange(0, TILE)
    inside = place < count
    x = tl.load(values + place, mask=inside)
    keep = tl.load(kept + place, mask=inside)
    # Elements that stay grow, so that the expected value is the same as without dropout.
    tl.store(out + place, tl.where(keep != 0, x / (1.0 - rate), 0.0), mask=inside)


@triton.jit
def drop_by_seed(values, out, count, rate, seed, TILE: tl.constexpr):
    """The same seed drops the same elements, in any launch: an element's number depends on its place only, so nothing has
    to be kept for the backward pass."""
    place = tl.program_id(0) * TILE + tl.arange(0, TILE)
    inside = place < count
    x = tl.load(values + place, mask=inside)
    keep = tl.rand(seed, place) > rate
    tl.store(out + place, tl.where(keep, x / (1.0 - rate), 0.0), mask=inside)


@triton.jit
def drop_rows_by_seeds(values, seeds, out, columns, row_step, rate, TILE: tl.constexpr):
    """A seed for each row of a matrix."""
    row = tl.program_id(0)
    seed = tl.load(seeds + row)
    for start in range(0, columns, TILE):
        place = start + tl.arange(0, TILE)
        inside = place < columns
        x = tl.load(values + row * row_step + place, mask=inside)
        keep = tl.rand(seed, place) > rate
        tl.store(out + row * row_step + place, tl.where(keep, x / (1.0 - rate), 0.0), mask=inside)
