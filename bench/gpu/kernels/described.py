"""Matrix product C = A · transposed B in the Triton language through tensor descriptors: a tile of C to a program or to each step of one
that stays, with descriptors that the host or the program makes. All three matrices are row-major; B is N × K."""
import triton
import triton.language as tl


@triton.jit
def multiply_tile(a, b, c, tile, tiles_m, tiles_n, k, TILE_M: tl.constexpr, TILE_N: tl.constexpr, TILE_K: tl.constexpr,
                  GROUP: tl.constexpr):
    # Tiles that are made together share rows of A and of B in the second cache.
    group = tile // (GROUP * tiles_n)
    within = tile % (GROUP * tiles_n)
    rows_in_group = min(tiles_m - group * GROUP, GROUP)
    row = (group * GROUP + within % rows_in_group) * TILE_M
    column = (within // rows_in_group) * TILE_N
    acc = tl.zeros([TILE_M, TILE_N], dtype=tl.float32)
    for start in range(0, k, TILE_K):
        acc = tl.dot(a.load([row, start]), b.load([column, start]).T, acc)
    c.store([row, column], acc.to(c.dtype))


@triton.jit
def tile_each(a, b, c, m, n, k, TILE_M: tl.constexpr, TILE_N: tl.constexpr, TILE_K: tl.constexpr, GROUP: tl.constexpr):
    multiply_tile(a, b, c, tl.program_id(0), tl.cdiv(m, TILE_M), tl.cdiv(n, TILE_N), k, TILE_M, TILE_N, TILE_K, GROUP)


@triton.jit
def persistent(a, b, c, m, n, k, TILE_M: tl.constexpr, TILE_N: tl.constexpr, TILE_K: tl.constexpr, GROUP: tl.constexpr):
    tiles_m = tl.cdiv(m, TILE_M)
    tiles_n = tl.cdiv(n, TILE_N)
    for tile in range(tl.program_id(0), tiles_m * tiles_n, tl.num_programs(0)):
        multiply_tile(a, b, c, tile, tiles_m, tiles_n, k, TILE_M, TILE_N, TILE_K, GROUP)


@triton.jit
def describing(a_ptr, b_ptr, c_ptr, m, n, k, TILE_M: tl.constexpr, TILE_N: tl.constexpr, TILE_K: tl.constexpr, GROUP: tl.constexpr):
    a = tl.make_tensor_descriptor(a_ptr, shape=[m, k], strides=[k, 1], block_shape=[TILE_M, TILE_K])
    b = tl.make_tensor_descriptor(b_ptr, shape=[n, k], strides=[k, 1], block_shape=[TILE_N, TILE_K])
    c = tl.make_tensor_descriptor(c_ptr, shape=[m, n], strides=[n, 1], block_shape=[TILE_M, TILE_N])
    tiles_m = tl.cdiv(m, TILE_M)
    tiles_n = tl.cdiv(n, TILE_N)
    for tile in range(tl.program_id(0), tiles_m * tiles_n, tl.num_programs(0)):
        multiply_tile(a, b, c, tile, tiles_m, tiles_n, k, TILE_M, TILE_N, TILE_K, GROUP)
