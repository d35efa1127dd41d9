"""Losses: what two tensors differ by, element by element, or in sum or mean."""
import triton
import triton.language as tl


@triton.jit
def loss_of(x, y, KIND: tl.constexpr, BOUND: tl.constexpr):
    """Of one pair. BOUND is where smooth losses turn from squares to lines."""
    d = x - y
    if KIND == "square":
        return d * d
    size = tl.abs(d)
    if KIND == "smooth" and BOUND > 0:
        return tl.where(size < BOUND, 0.5 * d * d / BOUND, size - 0.5 * BOUND)
    elif KIND == "huber":
        return tl.where(size <= BOUND, 0.5 * d * d, BOUND * (size - 0.5 * BOUND))
    else:
        return size


@triton.jit
def loss_kernel(x_ptr, y_ptr, out_ptr, n, KIND: tl.constexpr, BOUND: tl.constexpr, SUM: tl.constexpr, BLOCK: tl.constexpr):
    at = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + at, mask=at < n).to(SUM)
    y = tl.load(y_ptr + at, mask=at < n).to(SUM)
    tl.store(out_ptr + at, loss_of(x, y, KIND, BOUND).to(out_ptr.dtype.element_ty), mask=at < n)


@triton.jit
def part_kernel(x_ptr, y_ptr, part_ptr, n, KIND: tl.constexpr, BOUND: tl.constexpr, SUM: tl.constexpr, STEPS: tl.constexpr, BLOCK: tl.constexpr):
    """The sum over STEPS * BLOCK pairs."""
    first = tl.program_id(0).to(tl.int64) * (STEPS * BLOCK)
    total = tl.zeros((BLOCK,), dtype=SUM)
    for step in range(STEPS):
        at = first + step * BLOCK + tl.arange(0, BLOCK)
        x = tl.load(x_ptr + at, mask=at < n, other=0.0).to(SUM)
        y = tl.load(y_ptr + at, mask=at < n, other=0.0).to(SUM)
        total += loss_of(x, y, KIND, BOUND)
    tl.store(part_ptr + tl.program_id(0), tl.sum(total))


@triton.jit
def total_kernel(part_ptr, out_ptr, parts, n, IS_MEAN: tl.constexpr, SUM: tl.constexpr, BLOCK: tl.constexpr):
    """The sum of all parts, in their order; or the mean of n pairs, which is NaN of none."""
    total = tl.zeros((BLOCK,), dtype=SUM)
    for done in range(0, parts, BLOCK):
        at = done + tl.arange(0, BLOCK)
        total += tl.load(part_ptr + at, mask=at < parts, other=0.0)
    result = tl.sum(total)
    if IS_MEAN:
        result = result / n.to(SUM)
    tl.store(out_ptr, result.to(out_ptr.dtype.element_ty))
