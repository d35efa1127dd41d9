"""Kernels whose launches take attributes of many kinds."""
import triton
import triton.language as tl


@triton.jit
def scale_kernel(x_ptr, y_ptr, factor, bias, n, BLOCK: tl.constexpr):
    """y = x * factor + bias; bias is a float64."""
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = i < n
    x = tl.load(x_ptr + i, mask=mask)
    tl.store(y_ptr + i, x * factor + bias.to(tl.float32), mask=mask)


@triton.jit
def options_kernel(x_ptr, y_ptr, rows, columns, n, PADS: tl.constexpr, LIMIT: tl.constexpr, MODE: tl.constexpr, TYPE: tl.constexpr,
                   BLOCK: tl.constexpr):
    """Adds what the constexprs say, through a number of the type TYPE."""
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = i < n
    value = tl.load(x_ptr + i, mask=mask)
    for k in tl.static_range(len(PADS)):
        value += PADS[k] * (k + 1)
    if LIMIT is not None:
        value = tl.minimum(value, LIMIT)
    if MODE == "negate":
        value = -value
    value += rows * 1000 + columns
    tl.store(y_ptr + i, value.to(TYPE).to(tl.float32), mask=mask)


@triton.jit
def rms_norm_kernel(x_ptr, w_ptr, y_ptr, eps, reciprocal, columns, BLOCK: tl.constexpr):
    """y = x / sqrt(mean(x^2) + eps) * w over a row, in float32."""
    row = tl.program_id(0)
    i = tl.arange(0, BLOCK)
    mask = i < columns
    x = tl.load(x_ptr + row * columns + i, mask=mask, other=0.0).to(tl.float32)
    w = tl.load(w_ptr + i, mask=mask).to(tl.float32)
    mean = tl.sum(x * x, axis=0) * reciprocal
    y = x * tl.rsqrt(mean + eps) * w
    tl.store(y_ptr + row * columns + i, y.to(y_ptr.dtype.element_ty), mask=mask)


@triton.jit
def cluster_ranks_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    """y = x + the rank of the program's block in its cluster."""
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = i < n
    rank = tl.inline_asm_elementwise("mov.u32 $0, %cluster_ctarank;", "=r,r", [i], dtype=tl.int32, is_pure=True, pack=1)
    tl.store(y_ptr + i, tl.load(x_ptr + i, mask=mask) + rank, mask=mask)
