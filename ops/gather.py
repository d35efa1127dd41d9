"""Elements at places that tensors of indices name. An index outside of its dimension gives 0 and writes nothing, where PyTorch
raises an error."""
import triton
import triton.language as tl


@triton.jit
def embedding_kernel(table_ptr, index_ptr, out_ptr, rows, columns, entries, ROWS: tl.constexpr, BLOCK: tl.constexpr):
    """Whole rows of a table."""
    tiles = tl.cdiv(columns, BLOCK)
    row = tl.program_id(0) // tiles * ROWS + tl.arange(0, ROWS)
    column = tl.program_id(0) % tiles * BLOCK + tl.arange(0, BLOCK)
    index = tl.load(index_ptr + row, mask=row < rows, other=0).to(tl.int64)
    inside = (row < rows)[:, None] & (column < columns)[None, :]
    exists = (index >= 0) & (index < entries)
    values = tl.load(table_ptr + index[:, None] * columns + column[None, :], mask=inside & exists[:, None], other=0)
    tl.store(out_ptr + row.to(tl.int64)[:, None] * columns + column[None, :], values, mask=inside)


@triton.jit
def dot_of_five(a_0, a_1, a_2, a_3, a_4, b_0, b_1, b_2, b_3, b_4):
    return a_0 * b_0 + a_1 * b_1 + a_2 * b_2 + a_3 * b_3 + a_4 * b_4


@triton.jit
def indexed(offsets, exists, index_ptr, place, is_index, size, step):
    """Adds where an index leads to the offsets; those that lead nowhere do not exist."""
    index = tl.load(index_ptr + place, mask=is_index, other=0).to(tl.int64)
    index = tl.where(index < 0, index + size, index)
    return offsets + index * step, exists & (index >= 0) & (index < size)


@triton.jit
def indexed_rows(offsets, exists, index_ptr, COLUMN: tl.constexpr, place, is_row, size, step):
    """An index that is the same along a row is read once."""
    if index_ptr is not None and COLUMN == 0:
        offsets, exists = indexed(offsets, exists, index_ptr, place, is_row, size, step)
    return offsets, exists


@triton.jit
def indexed_elements(offsets, exists, index_ptr, COLUMN: tl.constexpr, place, column, is_element, size, step):
    if index_ptr is not None and COLUMN != 0:
        offsets, exists = indexed(offsets, exists, index_ptr, place[:, None] + column * COLUMN, is_element, size, step)
    return offsets, exists


@triton.jit
def tile_of(columns, ROWS: tl.constexpr, COLUMNS: tl.constexpr):
    """The rows and columns of a program."""
    tiles = tl.cdiv(columns, COLUMNS)
    row = tl.program_id(0) // tiles * ROWS + tl.arange(0, ROWS)
    return row, tl.program_id(0) % tiles * COLUMNS + tl.arange(0, COLUMNS)


@triton.jit
def places_of(row, column, rows, size_1, size_2, size_3, size_4, columns, x_0, x_1, x_2, x_3, x_4, x_5, a_ptr, a_size, a_step, a_0, a_1,
              a_2, a_3, a_4, b_ptr, b_size, b_step, b_0, b_1, b_2, b_3, b_4, c_ptr, c_size, c_step, c_0, c_1, c_2, c_3, c_4, d_ptr,
              d_size, d_step, d_0, d_1, d_2, d_3, d_4, A_COLUMN: tl.constexpr, B_COLUMN: tl.constexpr, C_COLUMN: tl.constexpr,
              D_COLUMN: tl.constexpr):
    """Of elements in rows, which lie in five dimensions, and columns: where each lies in the indexed tensor, whether it does, whether
    it is one, and the coordinates of the rows. It lies where the coordinates lead by the strides x_0, ..., and each tensor of
    indices (a to d; None where there are fewer) by its element, which the coordinates find by the strides a_0, ... and A_COLUMN."""
    is_row = row < rows
    is_element = is_row[:, None] & (column < columns)[None, :]
    column = column[None, :]
    i_4 = row % size_4
    rest = row // size_4
    i_3 = rest % size_3
    rest = rest // size_3
    i_2 = rest % size_2
    rest = rest // size_2
    i_1 = rest % size_1
    i_0 = rest // size_1
    offsets = dot_of_five(i_0, i_1, i_2, i_3, i_4, x_0, x_1, x_2, x_3, x_4).to(tl.int64)
    exists = is_row
    a_row = dot_of_five(i_0, i_1, i_2, i_3, i_4, a_0, a_1, a_2, a_3, a_4)
    b_row = dot_of_five(i_0, i_1, i_2, i_3, i_4, b_0, b_1, b_2, b_3, b_4)
    c_row = dot_of_five(i_0, i_1, i_2, i_3, i_4, c_0, c_1, c_2, c_3, c_4)
    d_row = dot_of_five(i_0, i_1, i_2, i_3, i_4, d_0, d_1, d_2, d_3, d_4)
    offsets, exists = indexed_rows(offsets, exists, a_ptr, A_COLUMN, a_row, is_row, a_size, a_step)
    offsets, exists = indexed_rows(offsets, exists, b_ptr, B_COLUMN, b_row, is_row, b_size, b_step)
    offsets, exists = indexed_rows(offsets, exists, c_ptr, C_COLUMN, c_row, is_row, c_size, c_step)
    offsets, exists = indexed_rows(offsets, exists, d_ptr, D_COLUMN, d_row, is_row, d_size, d_step)
    offsets = offsets[:, None] + column * x_5
    exists = exists[:, None] & is_element
    offsets, exists = indexed_elements(offsets, exists, a_ptr, A_COLUMN, a_row, column, is_element, a_size, a_step)
    offsets, exists = indexed_elements(offsets, exists, b_ptr, B_COLUMN, b_row, column, is_element, b_size, b_step)
    offsets, exists = indexed_elements(offsets, exists, c_ptr, C_COLUMN, c_row, column, is_element, c_size, c_step)
    offsets, exists = indexed_elements(offsets, exists, d_ptr, D_COLUMN, d_row, column, is_element, d_size, d_step)
    return offsets, exists, is_element, i_0, i_1, i_2, i_3, i_4


@triton.jit
def gather_kernel(x_ptr, out_ptr, rows, size_1, size_2, size_3, size_4, columns, x_0, x_1, x_2, x_3, x_4, x_5, a_ptr, a_size, a_step,
                  a_0, a_1, a_2, a_3, a_4, b_ptr, b_size, b_step, b_0, b_1, b_2, b_3, b_4, c_ptr, c_size, c_step, c_0, c_1, c_2, c_3,
                  c_4, d_ptr, d_size, d_step, d_0, d_1, d_2, d_3, d_4, A_COLUMN: tl.constexpr, B_COLUMN: tl.constexpr,
                  C_COLUMN: tl.constexpr, D_COLUMN: tl.constexpr, ROWS: tl.constexpr, COLUMNS: tl.constexpr):
    row, column = tile_of(columns, ROWS, COLUMNS)
    offsets, exists, is_element, i_0, i_1, i_2, i_3, i_4 = places_of(
        row, column, rows, size_1, size_2, size_3, size_4, columns, x_0, x_1, x_2, x_3, x_4, x_5, a_ptr, a_size, a_step, a_0, a_1, a_2,
        a_3, a_4, b_ptr, b_size, b_step, b_0, b_1, b_2, b_3, b_4, c_ptr, c_size, c_step, c_0, c_1, c_2, c_3, c_4, d_ptr, d_size, d_step,
        d_0, d_1, d_2, d_3, d_4, A_COLUMN, B_COLUMN, C_COLUMN, D_COLUMN)
    at = row.to(tl.int64)[:, None] * columns + column[None, :]
    tl.store(out_ptr + at, tl.load(x_ptr + offsets, mask=exists, other=0), mask=is_element)


@triton.jit
def scatter_kernel(v_ptr, out_ptr, rows, size_1, size_2, size_3, size_4, columns, x_0, x_1, x_2, x_3, x_4, x_5, a_ptr, a_size, a_step,
                   a_0, a_1, a_2, a_3, a_4, b_ptr, b_size, b_step, b_0, b_1, b_2, b_3, b_4, c_ptr, c_size, c_step, c_0, c_1, c_2, c_3,
                   c_4, d_ptr, d_size, d_step, d_0, d_1, d_2, d_3, d_4, v_0, v_1, v_2, v_3, v_4, v_5, A_COLUMN: tl.constexpr,
                   B_COLUMN: tl.constexpr, C_COLUMN: tl.constexpr, D_COLUMN: tl.constexpr, VALUE: tl.constexpr, ADDS: tl.constexpr,
                   ROWS: tl.constexpr, COLUMNS: tl.constexpr):
    """Writes the elements of v, which the coordinates find by the strides v_0, ..., or if it is None VALUE, to their places. Of
    several for one place any may remain; if ADDS, all are added, in any order."""
    row, column = tile_of(columns, ROWS, COLUMNS)
    offsets, exists, is_element, i_0, i_1, i_2, i_3, i_4 = places_of(
        row, column, rows, size_1, size_2, size_3, size_4, columns, x_0, x_1, x_2, x_3, x_4, x_5, a_ptr, a_size, a_step, a_0, a_1, a_2,
        a_3, a_4, b_ptr, b_size, b_step, b_0, b_1, b_2, b_3, b_4, c_ptr, c_size, c_step, c_0, c_1, c_2, c_3, c_4, d_ptr, d_size, d_step,
        d_0, d_1, d_2, d_3, d_4, A_COLUMN, B_COLUMN, C_COLUMN, D_COLUMN)
    if v_ptr is None:
        values = tl.full((ROWS, COLUMNS), VALUE, out_ptr.dtype.element_ty)
    else:
        v_row = dot_of_five(i_0, i_1, i_2, i_3, i_4, v_0, v_1, v_2, v_3, v_4).to(tl.int64)
        values = tl.load(v_ptr + (v_row[:, None] + column[None, :] * v_5), mask=exists, other=0)
    if ADDS:
        tl.atomic_add(out_ptr + offsets, values, mask=exists)
    else:
        tl.store(out_ptr + offsets, values, mask=exists)


@triton.jit
def add_in_order_kernel(v_ptr, out_ptr, rows, size_1, size_2, size_3, size_4, columns, x_0, x_1, x_2, x_3, x_4, x_5, a_ptr, a_size,
                        a_step, a_0, a_1, a_2, a_3, a_4, b_ptr, b_size, b_step, b_0, b_1, b_2, b_3, b_4, c_ptr, c_size, c_step, c_0,
                        c_1, c_2, c_3, c_4, d_ptr, d_size, d_step, d_0, d_1, d_2, d_3, d_4, v_0, v_1, v_2, v_3, v_4, v_5,
                        A_COLUMN: tl.constexpr, B_COLUMN: tl.constexpr, C_COLUMN: tl.constexpr, D_COLUMN: tl.constexpr,
                        VALUE: tl.constexpr, GROUPED: tl.constexpr, COLUMNS: tl.constexpr):
    """The same where elements are added in their order, row by row. No two columns may lead to one place; if GROUPED, no two rows of
    different first coordinates either, and programs share those."""
    tiles = tl.cdiv(columns, COLUMNS)
    column = tl.program_id(0) % tiles * COLUMNS + tl.arange(0, COLUMNS)
    group_rows = size_1 * size_2 * size_3 * size_4 if GROUPED else rows
    first = tl.program_id(0) // tiles * group_rows
    for at in range(first, first + group_rows):
        row = at + tl.arange(0, 1)
        offsets, exists, is_element, i_0, i_1, i_2, i_3, i_4 = places_of(
            row, column, rows, size_1, size_2, size_3, size_4, columns, x_0, x_1, x_2, x_3, x_4, x_5, a_ptr, a_size, a_step, a_0, a_1,
            a_2, a_3, a_4, b_ptr, b_size, b_step, b_0, b_1, b_2, b_3, b_4, c_ptr, c_size, c_step, c_0, c_1, c_2, c_3, c_4, d_ptr,
            d_size, d_step, d_0, d_1, d_2, d_3, d_4, A_COLUMN, B_COLUMN, C_COLUMN, D_COLUMN)
        if v_ptr is None:
            values = tl.full((1, COLUMNS), VALUE, out_ptr.dtype.element_ty)
        else:
            v_row = dot_of_five(i_0, i_1, i_2, i_3, i_4, v_0, v_1, v_2, v_3, v_4).to(tl.int64)
            values = tl.load(v_ptr + (v_row[:, None] + column[None, :] * v_5), mask=exists, other=0)
        values += tl.load(out_ptr + offsets, mask=exists, other=0)
        tl.store(out_ptr + offsets, values, mask=exists)


@triton.jit
def put_together(total, x, OP: tl.constexpr):
    if OP == "prod":
        return total * x
    elif OP == "amax" and x.dtype.is_floating():
        return tl.maximum(total, x, propagate_nan=tl.PropagateNan.ALL)
    elif OP == "amax":
        return tl.maximum(total, x)
    elif OP == "amin" and x.dtype.is_floating():
        return tl.minimum(total, x, propagate_nan=tl.PropagateNan.ALL)
    elif OP == "amin":
        return tl.minimum(total, x)
    else:
        return total + x


@triton.jit
def mean_of(total, count):
    """Of integers the floor."""
    if total.dtype.is_floating():
        return total / count.to(total.dtype)
    quotient = total // count
    return quotient - ((total % count != 0) & (total < 0)).to(total.dtype)


@triton.jit
def scatter_reduce_kernel(index_ptr, v_ptr, out_ptr, total_ptr, count_ptr, lines, length, size, size_1, size_2, size_3,
                          i_0, i_1, i_2, i_3, i_step, v_0, v_1, v_2, v_3, v_step, x_0, x_1, x_2, x_3, x_step,
                          OP: tl.constexpr, INCLUDES_SELF: tl.constexpr, SUM: tl.constexpr, BLOCK: tl.constexpr):
    """Puts the elements of v together with those of out at the places along a dimension that the index names, in their order. A
    program has BLOCK lines along that dimension, which lie in four others: no two write to one place. The totals of a line's
    places, and of how many elements each is, are kept in [size, lines]."""
    line = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    is_line = line < lines
    at_3 = line % size_3
    rest = line // size_3
    at_2 = rest % size_2
    rest = rest // size_2
    at_1 = rest % size_1
    at_0 = rest // size_1
    index_ptr += at_0 * i_0 + at_1 * i_1 + at_2 * i_2 + at_3 * i_3
    v_ptr += at_0 * v_0 + at_1 * v_1 + at_2 * v_2 + at_3 * v_3
    out_ptr += at_0 * x_0 + at_1 * x_1 + at_2 * x_2 + at_3 * x_3
    for k in range(0, size):
        at = tl.cast(k, tl.int64) * lines + line
        tl.store(total_ptr + at, tl.load(out_ptr + k * x_step, mask=is_line).to(SUM), mask=is_line)
        tl.store(count_ptr + at, tl.full((BLOCK,), 1 if INCLUDES_SELF else 0, tl.int32), mask=is_line)
    tl.debug_barrier()
    for j in range(0, length):
        k = tl.load(index_ptr + j * i_step, mask=is_line, other=0).to(tl.int64)
        exists = is_line & (k >= 0) & (k < size)
        at = k * lines + line
        x = tl.load(v_ptr + j * v_step, mask=exists, other=0).to(SUM)
        so_far = tl.load(total_ptr + at, mask=exists, other=0)
        count = tl.load(count_ptr + at, mask=exists, other=0)
        tl.store(total_ptr + at, tl.where(count == 0, x, put_together(so_far, x, OP)), mask=exists)
        tl.store(count_ptr + at, count + 1, mask=exists)
        tl.debug_barrier()
    for k in range(0, size):
        at = tl.cast(k, tl.int64) * lines + line
        result = tl.load(total_ptr + at, mask=is_line, other=0)
        if OP == "mean":
            result = mean_of(result, tl.maximum(tl.load(count_ptr + at, mask=is_line, other=1), 1))
        tl.store(out_ptr + k * x_step, result.to(out_ptr.dtype.element_ty), mask=is_line)
