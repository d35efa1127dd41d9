"""Kernels that write in place, and kernels whose results have sizes that depend on data."""
import triton
import triton.language as tl


@triton.jit
def add_in_place_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    """x += y."""
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = i < n
    tl.store(x_ptr + i, tl.load(x_ptr + i, mask=mask) + tl.load(y_ptr + i, mask=mask), mask=mask)


@triton.jit
def swap_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    """x, y = y, x + 1."""
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = i < n
    x = tl.load(x_ptr + i, mask=mask)
    tl.store(x_ptr + i, tl.load(y_ptr + i, mask=mask), mask=mask)
    tl.store(y_ptr + i, x + 1, mask=mask)


@triton.jit
def double_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = i < n
    tl.store(y_ptr + i, tl.load(x_ptr + i, mask=mask) * 2, mask=mask)


@triton.jit
def non_zero_kernel(x_ptr, n, columns, y_ptr, count_ptr, BLOCK: tl.constexpr):
    """Row and column of each element that is not 0, in their order; one program."""
    count = 0
    for start in range(0, n, BLOCK):
        i = start + tl.arange(0, BLOCK)
        mask = i < n
        hit = (tl.load(x_ptr + i, mask=mask, other=0.0) != 0).to(tl.int32)
        place = count + tl.cumsum(hit, 0) - hit
        tl.store(y_ptr + 2 * place, i // columns, mask=hit != 0)
        tl.store(y_ptr + 2 * place + 1, i % columns, mask=hit != 0)
        count += tl.sum(hit, 0)
    tl.store(count_ptr, count)


@triton.jit
def above_kernel(x_ptr, n, threshold, y_ptr, count_ptr, BLOCK: tl.constexpr):
    """The elements above a threshold, in their order; one program."""
    count = 0
    for start in range(0, n, BLOCK):
        i = start + tl.arange(0, BLOCK)
        mask = i < n
        x = tl.load(x_ptr + i, mask=mask, other=0.0)
        hit = (mask & (x > threshold)).to(tl.int32)
        tl.store(y_ptr + count + tl.cumsum(hit, 0) - hit, x, mask=hit != 0)
        count += tl.sum(hit, 0)
    tl.store(count_ptr, count.to(tl.int64))


@triton.jit
def count_kernel(count_ptr, value):
    tl.store(count_ptr, value)
