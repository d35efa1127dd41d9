"""Kernels of PyTorch's pointwise operators. Narrow floats are computed in float32 and rounded once, as PyTorch does."""
import triton
import triton.language as tl


@triton.jit
def widened(x, dtype: tl.constexpr):
    # Operands come to the result's type first, as PyTorch brings them.
    x = x.to(dtype)
    if dtype == tl.float16 or dtype == tl.bfloat16:
        x = x.to(tl.float32)
    return x


@triton.jit
def add_kernel(x_ptr, y_ptr, out_ptr, alpha, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offsets < n
    x = widened(tl.load(x_ptr + offsets, mask=mask), out_ptr.dtype.element_ty)
    y = widened(tl.load(y_ptr + offsets, mask=mask), out_ptr.dtype.element_ty)
    tl.store(out_ptr + offsets, (x + y * alpha.to(x.dtype)).to(out_ptr.dtype.element_ty), mask=mask)


@triton.jit
def add_number_kernel(x_ptr, out_ptr, number, alpha, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offsets < n
    x = widened(tl.load(x_ptr + offsets, mask=mask), out_ptr.dtype.element_ty)
    tl.store(out_ptr + offsets, (x + (number * alpha).to(x.dtype)).to(out_ptr.dtype.element_ty), mask=mask)


@triton.jit
def sub_kernel(x_ptr, y_ptr, out_ptr, alpha, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offsets < n
    x = widened(tl.load(x_ptr + offsets, mask=mask), out_ptr.dtype.element_ty)
    y = widened(tl.load(y_ptr + offsets, mask=mask), out_ptr.dtype.element_ty)
    tl.store(out_ptr + offsets, (x - y * alpha.to(x.dtype)).to(out_ptr.dtype.element_ty), mask=mask)


@triton.jit
def sub_number_kernel(x_ptr, out_ptr, number, alpha, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offsets < n
    x = widened(tl.load(x_ptr + offsets, mask=mask), out_ptr.dtype.element_ty)
    tl.store(out_ptr + offsets, (x - (number * alpha).to(x.dtype)).to(out_ptr.dtype.element_ty), mask=mask)


@triton.jit
def mul_kernel(x_ptr, y_ptr, out_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offsets < n
    x = widened(tl.load(x_ptr + offsets, mask=mask), out_ptr.dtype.element_ty)
    y = widened(tl.load(y_ptr + offsets, mask=mask), out_ptr.dtype.element_ty)
    tl.store(out_ptr + offsets, (x * y).to(out_ptr.dtype.element_ty), mask=mask)


@triton.jit
def mul_number_kernel(x_ptr, out_ptr, number, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offsets < n
    x = widened(tl.load(x_ptr + offsets, mask=mask), out_ptr.dtype.element_ty)
    tl.store(out_ptr + offsets, (x * number.to(x.dtype)).to(out_ptr.dtype.element_ty), mask=mask)


@triton.jit
def quotient(x, y):
    # Triton's `/` approximates in float32; PyTorch rounds correctly.
    if x.dtype == tl.float32:
        return tl.div_rn(x, y)
    else:
        return x / y


@triton.jit
def div_kernel(x_ptr, y_ptr, out_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offsets < n
    x = widened(tl.load(x_ptr + offsets, mask=mask), out_ptr.dtype.element_ty)
    y = widened(tl.load(y_ptr + offsets, mask=mask), out_ptr.dtype.element_ty)
    tl.store(out_ptr + offsets, quotient(x, y).to(out_ptr.dtype.element_ty), mask=mask)


@triton.jit
def div_number_kernel(x_ptr, out_ptr, number, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offsets < n
    x = widened(tl.load(x_ptr + offsets, mask=mask), out_ptr.dtype.element_ty)
    y = number.to(x.dtype) + tl.zeros([BLOCK], x.dtype)
    tl.store(out_ptr + offsets, quotient(x, y).to(out_ptr.dtype.element_ty), mask=mask)
