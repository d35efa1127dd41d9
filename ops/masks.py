"""Elements where a mask holds, in order: their places, their values, or new values for them. A mask is any tensor; it holds where an
element is not 0. How many there are is counted for each block first."""
import triton
import triton.language as tl


@triton.jit
def coordinates(at, size_1, size_2, size_3, size_4):
    """Of elements of a tensor of five dimensions."""
    i_4 = at % size_4
    rest = at // size_4
    i_3 = rest % size_3
    rest = rest // size_3
    i_2 = rest % size_2
    rest = rest // size_2
    return rest // size_1, rest % size_1, i_2, i_3, i_4


@triton.jit
def offset_of(at, size_1, size_2, size_3, size_4, x_0, x_1, x_2, x_3, x_4):
    """Where the elements lie in a tensor of these strides."""
    i_0, i_1, i_2, i_3, i_4 = coordinates(at, size_1, size_2, size_3, size_4)
    return i_0.to(tl.int64) * x_0 + i_1.to(tl.int64) * x_1 + i_2.to(tl.int64) * x_2 + i_3.to(tl.int64) * x_3 + i_4.to(tl.int64) * x_4


@triton.jit
def holds(mask_ptr, at, n, size_1, size_2, size_3, size_4, m_0, m_1, m_2, m_3, m_4):
    place = offset_of(at, size_1, size_2, size_3, size_4, m_0, m_1, m_2, m_3, m_4)
    return tl.load(mask_ptr + place, mask=at < n, other=0) != 0


@triton.jit
def count_kernel(mask_ptr, counts_ptr, n, size_1, size_2, size_3, size_4, m_0, m_1, m_2, m_3, m_4, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = holds(mask_ptr, at, n, size_1, size_2, size_3, size_4, m_0, m_1, m_2, m_3, m_4)
    tl.store(counts_ptr + tl.program_id(0), tl.sum(mask.to(tl.int32), 0))


@triton.jit
def starts_kernel(counts_ptr, total_ptr, blocks, BLOCK: tl.constexpr):
    """Turns the count of each block into that of all blocks before it. One program."""
    before = 0
    for start in range(0, blocks, BLOCK):
        at = start + tl.arange(0, BLOCK)
        count = tl.load(counts_ptr + at, mask=at < blocks, other=0)
        tl.store(counts_ptr + at, before + tl.cumsum(count, 0) - count, mask=at < blocks)
        before += tl.sum(count, 0)
    if total_ptr is not None:
        tl.store(total_ptr, before)


@triton.jit
def nonzero_kernel(mask_ptr, starts_ptr, out_ptr, n, size_1, size_2, size_3, size_4, RANK: tl.constexpr, BLOCK: tl.constexpr):
    """The coordinates of a dense tensor's elements where it is not 0, a row for each."""
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = tl.load(mask_ptr + at, mask=at < n, other=0) != 0
    flag = mask.to(tl.int32)
    row = (tl.load(starts_ptr + tl.program_id(0)) + tl.cumsum(flag, 0) - flag).to(tl.int64)
    i_0, i_1, i_2, i_3, i_4 = coordinates(at, size_1, size_2, size_3, size_4)
    end_ptr = out_ptr + (row + 1) * RANK
    if RANK > 0:
        tl.store(end_ptr - 1, i_4.to(tl.int64), mask=mask)
    if RANK > 1:
        tl.store(end_ptr - 2, i_3.to(tl.int64), mask=mask)
    if RANK > 2:
        tl.store(end_ptr - 3, i_2.to(tl.int64), mask=mask)
    if RANK > 3:
        tl.store(end_ptr - 4, i_1.to(tl.int64), mask=mask)
    if RANK > 4:
        tl.store(end_ptr - 5, i_0.to(tl.int64), mask=mask)


@triton.jit
def take_kernel(mask_ptr, x_ptr, starts_ptr, out_ptr, n, size_1, size_2, size_3, size_4, m_0, m_1, m_2, m_3, m_4, x_0, x_1, x_2, x_3, x_4,
                inner, BLOCK: tl.constexpr, INNER: tl.constexpr):
    """Rows of `inner` elements, one after the other. The row of the element of the mask with coordinates i begins at i . x."""
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = holds(mask_ptr, at, n, size_1, size_2, size_3, size_4, m_0, m_1, m_2, m_3, m_4)
    flag = mask.to(tl.int32)
    row = (tl.load(starts_ptr + tl.program_id(0)) + tl.cumsum(flag, 0) - flag).to(tl.int64)
    begin = offset_of(at, size_1, size_2, size_3, size_4, x_0, x_1, x_2, x_3, x_4)
    for start in range(0, inner, INNER):
        column = start + tl.arange(0, INNER)
        inside = mask[:, None] & (column < inner)[None, :]
        value = tl.load(x_ptr + begin[:, None] + column[None, :], mask=inside)
        tl.store(out_ptr + row[:, None] * inner + column[None, :], value, mask=inside)


@triton.jit
def put_kernel(mask_ptr, v_ptr, starts_ptr, out_ptr, n, inner, v_rows, v_row, v_column, BLOCK: tl.constexpr, INNER: tl.constexpr):
    """Writes rows of v, of which there are v_rows, where a dense mask holds, one after the other; v_row and v_column are v's strides."""
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = tl.load(mask_ptr + at, mask=at < n, other=0) != 0
    flag = mask.to(tl.int32)
    row = tl.zeros([BLOCK], tl.int32)
    if starts_ptr is not None:
        row = tl.load(starts_ptr + tl.program_id(0)) + tl.cumsum(flag, 0) - flag
    for start in range(0, inner, INNER):
        column = start + tl.arange(0, INNER)
        inside = (mask & (row < v_rows))[:, None] & (column < inner)[None, :]
        value = tl.load(v_ptr + row.to(tl.int64)[:, None] * v_row + column[None, :] * v_column, mask=inside)
        tl.store(out_ptr + at.to(tl.int64)[:, None] * inner + column[None, :], value, mask=inside)
