"""Windows over planes [row, column] as columns of a matrix, and back."""
import triton
import triton.language as tl


@triton.jit
def unfold_kernel(x_ptr, out_ptr, height, width, out_height, out_width, blocks, KERNEL_H: tl.constexpr, KERNEL_W: tl.constexpr,
                  STRIDE_H: tl.constexpr, STRIDE_W: tl.constexpr, PADDING_H: tl.constexpr, PADDING_W: tl.constexpr,
                  DILATION_H: tl.constexpr, DILATION_W: tl.constexpr, TILE: tl.constexpr):
    """One row of [planes * taps, blocks], or a tile of it: what the blocks see of one plane through one tap; 0 in the padding."""
    taps: tl.constexpr = KERNEL_H * KERNEL_W
    tiles = tl.cdiv(blocks, TILE)
    line = tl.program_id(0) // tiles
    tap = line % taps
    at = tl.program_id(0) % tiles * TILE + tl.arange(0, TILE)
    x_ptr += (line // taps).to(tl.int64) * height * width
    y = at // out_width * STRIDE_H - PADDING_H + tap // KERNEL_W * DILATION_H
    x = at % out_width * STRIDE_W - PADDING_W + tap % KERNEL_W * DILATION_W
    inside = (at < blocks) & (y >= 0) & (y < height) & (x >= 0) & (x < width)
    value = tl.load(x_ptr + y * width + x, mask=inside, other=0)
    tl.store(out_ptr + line.to(tl.int64) * blocks + at, value, mask=at < blocks)


@triton.jit
def fold_kernel(x_ptr, out_ptr, height, width, out_height, out_width, blocks, KERNEL_H: tl.constexpr, KERNEL_W: tl.constexpr,
                STRIDE_H: tl.constexpr, STRIDE_W: tl.constexpr, PADDING_H: tl.constexpr, PADDING_W: tl.constexpr,
                DILATION_H: tl.constexpr, DILATION_W: tl.constexpr, SUM: tl.constexpr, TILE: tl.constexpr):
    """TILE neighbouring elements of one plane: sums of all that lies on them in the rows of [planes * taps, blocks]. There are
    out_height x out_width blocks."""
    tiles = tl.cdiv(height * width, TILE)
    plane = tl.program_id(0) // tiles
    at = tl.program_id(0) % tiles * TILE + tl.arange(0, TILE)
    x_ptr += plane.to(tl.int64) * (KERNEL_H * KERNEL_W) * blocks
    total = tl.zeros((TILE,), dtype=SUM)
    for dy in range(KERNEL_H):
        y = at // width + PADDING_H - dy * DILATION_H
        row = y // STRIDE_H
        is_row = (at < height * width) & (y >= 0) & (row < out_height) & (row * STRIDE_H == y)
        for dx in range(KERNEL_W):
            x = at % width + PADDING_W - dx * DILATION_W
            column = x // STRIDE_W
            inside = is_row & (x >= 0) & (column < out_width) & (column * STRIDE_W == x)
            tap = dy * KERNEL_W + dx
            total += tl.load(x_ptr + tap * blocks + row * out_width + column, mask=inside, other=0.0).to(SUM)
    tl.store(out_ptr + plane.to(tl.int64) * height * width + at, total.to(out_ptr.dtype.element_ty), mask=at < height * width)
