"""Pointwise and index-arithmetic kernels as people write them; tests import each of them."""
import triton
import triton.language as tl
from triton.language.extra import libdevice

SQRT_HALF: tl.constexpr = 0.7071067811865476
SQRT_2_OVER_PI = tl.constexpr(0.7978845608028654)


@triton.jit
def relu(x):
    return tl.maximum(x, 0.0)


@triton.jit
def silu(x):
    return x * tl.sigmoid(x)


@triton.jit
def gelu_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(axis=0) * BLOCK + tl.arange(0, BLOCK)
    mask = offsets < n
    x = tl.load(x_ptr + offsets, mask=mask).to(tl.float32)
    y = 0.5 * x * (1.0 + tl.erf(x * SQRT_HALF))
    tl.store(y_ptr + offsets, y, mask=mask)


@triton.jit
def gelu_tanh_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offsets < n
    x = tl.load(x_ptr + offsets, mask=mask, other=0.0).to(tl.float32)
    inner = SQRT_2_OVER_PI * (x + 0.044715 * x * x * x)
    tl.store(y_ptr + offsets, (0.5 * x * (1 + libdevice.tanh(inner))).to(y_ptr.dtype.element_ty), mask=mask)


@triton.jit
def silu_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offsets < n
    tl.store(y_ptr + offsets, silu(tl.load(x_ptr + offsets, mask=mask)), mask=mask)


@triton.jit
def swiglu_kernel(a_ptr, b_ptr, c_ptr, stride, n_cols, BLOCK: tl.constexpr):
    row = tl.program_id(0).to(tl.int64)
    a_ptr += row * stride
    b_ptr += row * stride
    c_ptr += row * stride
    cols = tl.arange(0, BLOCK)
    mask = cols < n_cols
    a = tl.load(a_ptr + cols, mask=mask, other=0).to(tl.float32)  # sigmoid needs fp32
    b = tl.load(b_ptr + cols, mask=mask, other=0)
    tl.store(c_ptr + cols, silu(a).cast(b.dtype) * b, mask=mask)


@triton.jit
def add_2d_kernel(x_ptr, y_ptr, out_ptr, M, N, stride, BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr):
    rows = tl.program_id(0) * BLOCK_M + tl.arange(0, BLOCK_M)
    cols = tl.program_id(1) * BLOCK_N + tl.arange(0, BLOCK_N)
    mask = (rows[:, None] < M) & (cols[None, :] < N)
    offsets = rows[:, None] * stride + cols[None, :]
    x = tl.load(x_ptr + offsets, mask=mask)
    y = tl.load(y_ptr + cols[None, :], mask=cols[None, :] < N)
    tl.store(out_ptr + offsets, x + y, mask=mask)


@triton.jit
def rotary_kernel(x_ptr, cos_ptr, sin_ptr, out_ptr, seq_len, head_dim, HALF: tl.constexpr, CONJUGATE: tl.constexpr = False):
    pid = tl.program_id(0)
    position = pid % seq_len
    i = tl.arange(0, HALF)
    cos = tl.load(cos_ptr + position * HALF + i)
    sin = tl.load(sin_ptr + position * HALF + i)
    if CONJUGATE:
        sin = -sin
    base = pid * head_dim
    x0 = tl.load(x_ptr + base + i).to(tl.float32)
    x1 = tl.load(x_ptr + base + i + HALF).to(tl.float32)
    tl.store(out_ptr + base + i, x0 * cos - x1 * sin)
    tl.store(out_ptr + base + i + HALF, x0 * sin + x1 * cos)


@triton.jit
def bias_activation_kernel(x_ptr, bias_ptr, y_ptr, n, n_cols, BLOCK: tl.constexpr, ACTIVATION: tl.constexpr):
    pid = tl.program_id(0)
    offsets = pid * BLOCK + tl.arange(0, BLOCK)
    if pid * BLOCK >= n:
        return
    mask = offsets < n
    x = tl.load(x_ptr + offsets, mask=mask)
    x += tl.load(bias_ptr + offsets % n_cols, mask=mask, eviction_policy="evict_last")
    if ACTIVATION == "relu":
        x = relu(x)
    elif ACTIVATION == "silu":
        x = silu(x.to(tl.float32)).to(x.dtype)
    else:
        tl.static_assert(ACTIVATION == "", f"unknown activation {ACTIVATION}")
    tl.store(y_ptr + offsets, x, mask=mask)


@triton.jit
def circ_pad_kernel(
    X, Y,
    pads_0, pads_2, pads_4, pads_6,
    x_dim_1, x_dim_2, x_dim_3,
    y_dim_1, y_dim_2, y_dim_3,
    x_dim_0, x_numel, y_numel,
    BLOCK: tl.constexpr,
):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = i < y_numel
    i3 = i % y_dim_3
    i2 = (i // y_dim_3) % y_dim_2
    i1 = (i // y_dim_3 // y_dim_2) % y_dim_1
    i0 = i // y_dim_3 // y_dim_2 // y_dim_1
    j0 = (i0 - pads_0 + x_dim_0) % x_dim_0
    j1 = (i1 - pads_2 + x_dim_1) % x_dim_1
    j2 = (i2 - pads_4 + x_dim_2) % x_dim_2
    j3 = (i3 - pads_6 + x_dim_3) % x_dim_3
    load_idx = x_dim_3 * x_dim_2 * x_dim_1 * j0 + x_dim_3 * x_dim_2 * j1 + x_dim_3 * j2 + j3
    mask_x = load_idx < x_numel
    x = tl.load(X + load_idx, mask=mask_x)
    tl.store(Y + i, x, mask=mask)


@triton.jit
def elementwise_mul_kernel(X, Y, Z, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offsets < n
    tl.store(Z + offsets, tl.load(X + offsets, mask) * tl.load(Y + offsets, mask), mask)


@triton.jit
def split_sign_kernel(X, P, N, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offsets < n
    x = tl.load(X + offsets, mask=mask)
    tl.store(P + offsets, max(x, 0.0), mask=mask)
    tl.store(N + offsets, min(x, 0.0), mask=mask)


@triton.jit
def grid_stride_kernel(X, Y, n, BLOCK: tl.constexpr):
    step = tl.num_programs(0) * BLOCK
    for start in range(tl.program_id(0) * BLOCK, n, step):
        offsets = start + tl.arange(0, BLOCK)
        mask = offsets < n
        tl.store(Y + offsets, tl.load(X + offsets, mask=mask) * 2, mask=mask)
