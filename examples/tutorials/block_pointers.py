"""Lesson: a matrix product by block pointers, which know a matrix's shape and move as a whole."""
import triton
import triton.language as tl


@triton.jit
def matmul_blocks(a, b, c, m, n, k, a_row, a_column, b_row, b_column, c_row, c_column, TILE_M: tl.constexpr, TILE_N: tl.constexpr,
                  TILE_K: tl.constexpr):
    top = tl.program_id(0) * TILE_M
    left = tl.program_id(1) * TILE_N
    a_block = tl.make_block_ptr(a, shape=(m, k), strides=(a_row, a_column), offsets=(top, 0), block_shape=(TILE_M, TILE_K), order=(1, 0))
    b_block = tl.make_block_ptr(b, shape=(k, n), strides=(b_row, b_column), offsets=(0, left), block_shape=(TILE_K, TILE_N), order=(1, 0))
    total = tl.zeros((TILE_M, TILE_N), dtype=tl.float32)
    for _ in range(0, k, TILE_K):
        # What lies outside along the dimensions that are checked is read as zero and adds nothing.
        x = tl.load(a_block, boundary_check=(0, 1), padding_option="zero")
        y = tl.load(b_block, boundary_check=(0, 1), padding_option="zero")
        total += tl.dot(x, y)
        a_block = a_block.advance((0, TILE_K))
        b_block = tl.advance(b_block, (TILE_K, 0))
    c_block = tl.make_block_ptr(c, shape=(m, n), strides=(c_row, c_column), offsets=(top, left), block_shape=(TILE_M, TILE_N), order=(1, 0))
    tl.store(c_block, total.to(c.dtype.element_ty), boundary_check=(0, 1))
