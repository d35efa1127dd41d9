"""Tensors of random numbers: Philox, by the seed of a call and the place of the element."""
import triton
import triton.language as tl


@triton.jit
def draw_kernel(out_ptr, n, seed, IS_NORMAL: tl.constexpr, BLOCK: tl.constexpr):
    """Uniform from 0 to 1, without 1; or normal with mean 0 and deviation 1."""
    at = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    if IS_NORMAL:
        value = tl.randn(seed, at.to(tl.int32))
    else:
        # Below 1 also when it is rounded to fewer bits: of those, only so many count.
        value = tl.rand(seed, at.to(tl.int32))
        if out_ptr.dtype.element_ty == tl.float16:
            value = tl.floor(value * 2048.0) / 2048.0
        elif out_ptr.dtype.element_ty == tl.bfloat16:
            value = tl.floor(value * 256.0) / 256.0
    tl.store(out_ptr + at, value.to(out_ptr.dtype.element_ty), mask=at < n)
