import triton
import triton.language as tl


@triton.jit
def relu_kernel(x_ptr, y_ptr, numel, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(y_ptr + at, tl.maximum(tl.load(x_ptr + at, mask=at < numel), 0), mask=at < numel)
