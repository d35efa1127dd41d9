"""The two kernels of the language model and their operators, as a user has them. Inlay reads the kernels from this file; it runs no Python."""
import torch
import triton
import triton.language as tl


@triton.jit
def rms_norm_kernel(x_ptr, weight_ptr, y_ptr, width, eps, TILE: tl.constexpr):
    """A row a program: y = x / sqrt(mean(x * x) + eps) * weight, summed in float32."""
    row = tl.program_id(0).to(tl.int64)
    columns = tl.arange(0, TILE)
    mask = columns < width
    x = tl.load(x_ptr + row * width + columns, mask=mask, other=0.0).to(tl.float32)
    weight = tl.load(weight_ptr + columns, mask=mask, other=0.0).to(tl.float32)
    scale = tl.rsqrt(tl.sum(x * x, axis=0) / width + eps)
    tl.store(y_ptr + row * width + columns, (x * scale * weight).to(y_ptr.dtype.element_ty), mask=mask)


@triton.jit
def rotary_kernel(x_ptr, positions_ptr, y_ptr, steps, heads, log2_base, HEADS: tl.constexpr, HALF: tl.constexpr):
    """All heads of one token a program. x is [batch, steps, heads, 2 * HALF]; element i of a head and element HALF + i are turned by
    the angle position / base^(i / HALF)."""
    token = tl.program_id(0).to(tl.int64)
    position = tl.load(positions_ptr + token % steps).to(tl.float32)
    pair = tl.arange(0, HALF)
    angle = position * tl.exp2(pair * (-log2_base / HALF))
    cosine, sine = tl.cos(angle)[None, :], tl.sin(angle)[None, :]
    head = tl.arange(0, HEADS)[:, None]
    mask = head < heads
    offsets = (token * heads + head) * (2 * HALF) + pair[None, :]
    first = tl.load(x_ptr + offsets, mask=mask, other=0.0).to(tl.float32)
    second = tl.load(x_ptr + offsets + HALF, mask=mask, other=0.0).to(tl.float32)
    tl.store(y_ptr + offsets, (first * cosine - second * sine).to(y_ptr.dtype.element_ty), mask=mask)
    tl.store(y_ptr + offsets + HALF, (second * cosine + first * sine).to(y_ptr.dtype.element_ty), mask=mask)


def rms_norm_reference(x, weight, eps):
    wide = x.float()
    return (wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + eps) * weight.float()).to(x.dtype)


def rotary_reference(x, positions, base):
    half = x.shape[-1] // 2
    angle = positions.float()[:, None] * base ** (-torch.arange(half, device=x.device) / half)
    cosine, sine = angle.cos()[None, :, None, :], angle.sin()[None, :, None, :]
    first, second = x.float().split(half, dim=-1)
    return torch.cat([first * cosine - second * sine, second * cosine + first * sine], dim=-1).to(x.dtype)


@torch.library.custom_op("lm::rms_norm", mutates_args=())
def rms_norm(x: torch.Tensor, weight: torch.Tensor, eps: float) -> torch.Tensor:
    if not x.is_cuda:
        return rms_norm_reference(x, weight, eps)
    y, width = torch.empty_like(x), x.shape[-1]
    rms_norm_kernel[(x.numel() // width,)](x, weight, y, width, eps, TILE=triton.next_power_of_2(width))
    return y


@rms_norm.register_fake
def _(x, weight, eps):
    return torch.empty_like(x)


@torch.library.custom_op("lm::rotary", mutates_args=())
def rotary(x: torch.Tensor, positions: torch.Tensor, base: float) -> torch.Tensor:
    if not x.is_cuda:
        return rotary_reference(x, positions, base)
    batch, steps, heads, size = x.shape
    x, y = x.contiguous(), torch.empty(x.shape, dtype=x.dtype, device=x.device)
    log2_base = torch.log2(torch.tensor(base)).item()
    rotary_kernel[(batch * steps,)](x, positions, y, steps, heads, log2_base, HEADS=triton.next_power_of_2(heads), HALF=size // 2)
    return y


@rotary.register_fake
def _(x, positions, base):
    return torch.empty(x.shape, dtype=x.dtype, device=x.device)
