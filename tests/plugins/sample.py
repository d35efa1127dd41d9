"""Kernels of the operators in the exported models of tests/models."""
import triton
import triton.language as tl


@triton.jit
def elementwise_mul_kernel(x_ptr, y_ptr, z_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offsets < n
    x = tl.load(x_ptr + offsets, mask=mask)
    y = tl.load(y_ptr + offsets, mask=mask)
    tl.store(z_ptr + offsets, x * y, mask=mask)


@triton.jit
def scale_mul_kernel(x_ptr, y_ptr, z_ptr, b, a, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offsets < n
    x = tl.load(x_ptr + offsets, mask=mask)
    y = tl.load(y_ptr + offsets, mask=mask)
    tl.store(z_ptr + offsets, x * y * a + b, mask=mask)


@triton.jit
def circ_pad_kernel(x_ptr, y_ptr, left, top, x_rows, x_cols, y_rows, y_cols, n, BLOCK: tl.constexpr):
    """Circular padding of the last two dimensions."""
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = i < n
    col = i % y_cols
    row = i // y_cols % y_rows
    image = i // y_cols // y_rows
    from_row = (row - top + x_rows) % x_rows
    from_col = (col - left + x_cols) % x_cols
    x = tl.load(x_ptr + (image * x_rows + from_row) * x_cols + from_col, mask=mask)
    tl.store(y_ptr + i, x, mask=mask)


@triton.jit
def circ_pad_row_kernel(x_ptr, y_ptr, left, top, x_rows, x_cols, y_rows, y_cols, BLOCK: tl.constexpr):
    """As circ_pad_kernel: a program for each row of the output, which is no longer than BLOCK."""
    row = tl.program_id(0)
    image = tl.program_id(1)
    col = tl.arange(0, BLOCK)
    mask = col < y_cols
    from_row = (row - top + x_rows) % x_rows
    from_col = (col - left + x_cols) % x_cols
    x = tl.load(x_ptr + (image * x_rows + from_row) * x_cols + from_col, mask=mask)
    tl.store(y_ptr + (image * y_rows + row) * y_cols + col, x, mask=mask)


@triton.jit
def split_sign_kernel(x_ptr, positive_ptr, negative_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offsets < n
    x = tl.load(x_ptr + offsets, mask=mask)
    tl.store(positive_ptr + offsets, tl.maximum(x, 0.0), mask=mask)
    tl.store(negative_ptr + offsets, tl.minimum(x, 0.0), mask=mask)


@triton.jit
def add_one_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offsets < n
    tl.store(y_ptr + offsets, tl.load(x_ptr + offsets, mask=mask) + 1, mask=mask)
