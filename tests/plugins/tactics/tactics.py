"""Kernels that tell which tactic ran, and one with an autotuner."""
import triton
import triton.language as tl


@triton.jit
def which_kernel(x_ptr, y_ptr, n, number: tl.constexpr, BLOCK: tl.constexpr):
    """y = x + number."""
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offsets < n
    tl.store(y_ptr + offsets, tl.load(x_ptr + offsets, mask=mask) + number, mask=mask)


@triton.autotune(
    configs=[triton.Config({"BLOCK": block, "PER": per}, num_warps=warps) for block, warps in ((64, 2), (256, 4)) for per in (1, 4)],
    key=["n"],
)
@triton.jit
def double_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr, PER: tl.constexpr):
    """y = 2 * x."""
    for part in tl.static_range(PER):
        offsets = (tl.program_id(0) * PER + part) * BLOCK + tl.arange(0, BLOCK)
        mask = offsets < n
        tl.store(y_ptr + offsets, 2 * tl.load(x_ptr + offsets, mask=mask), mask=mask)


@triton.jit
def slow_kernel(x_ptr, y_ptr, n, ROUNDS: tl.constexpr):
    """y = 2 * x by one program, element after element, ROUNDS times."""
    for _ in range(ROUNDS):
        for i in range(n):
            tl.store(y_ptr + i, 2 * tl.load(x_ptr + i))
