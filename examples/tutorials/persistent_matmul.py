"""Lesson: five ways to give tiles of a matrix product to programs: one each, or a fixed number of programs that take tile after tile;
by pointers, by descriptors that the host makes, by descriptors that the program makes."""
import triton
import triton.language as tl


@triton.jit
def place_in_bands(index, tiles_m, tiles_n, BAND: tl.constexpr):
    """Row and column of a tile, going down BAND rows of tiles before the next column."""
    per_band = BAND * tiles_n
    band = index // per_band
    height = min(tiles_m - band * BAND, BAND)
    inside = index % per_band
    return band * BAND + inside % height, inside // height


@triton.jit
def tile_product(a, b, row, column, m, n, k, a_row, a_column, b_row, b_column, TILE_M: tl.constexpr, TILE_N: tl.constexpr,
                 TILE_K: tl.constexpr):
    """One tile of A[m, k] . B[k, n] in float32, read through pointers."""
    at_m = row * TILE_M + tl.arange(0, TILE_M)
    at_n = column * TILE_N + tl.arange(0, TILE_N)
    # Rows that are not there read row 0, so that the loop masks along K only; the hints say that whole tiles stay contiguous.
    at_m = tl.max_contiguous(tl.multiple_of(tl.where(at_m < m, at_m, 0), TILE_M), TILE_M)
    at_n = tl.max_contiguous(tl.multiple_of(tl.where(at_n < n, at_n, 0), TILE_N), TILE_N)
    total = tl.zeros((TILE_M, TILE_N), dtype=tl.float32)
    for step in range(tl.cdiv(k, TILE_K)):
        at_k = step * TILE_K + tl.arange(0, TILE_K)
        x = tl.load(a + at_m[:, None] * a_row + at_k[None, :] * a_column, mask=at_k[None, :] < k, other=0.0)
        y = tl.load(b + at_k[:, None] * b_row + at_n[None, :] * b_column, mask=at_k[:, None] < k, other=0.0)
        total = tl.dot(x, y, total)
    return total


@triton.jit
def store_tile(c, total, row, column, m, n, c_row, c_column, TILE_M: tl.constexpr, TILE_N: tl.constexpr):
    at_m = row * TILE_M + tl.arange(0, TILE_M)
    at_n = column * TILE_N + tl.arange(0, TILE_N)
    inside = (at_m[:, None] < m) & (at_n[None, :] < n)
    tl.store(c + at_m[:, None] * c_row + at_n[None, :] * c_column, total.to(c.dtype.element_ty), mask=inside)


@triton.jit
def tile_each(a, b, c, m, n, k, a_row, a_column, b_row, b_column, c_row, c_column, TILE_M: tl.constexpr, TILE_N: tl.constexpr,
              TILE_K: tl.constexpr, BAND: tl.constexpr):
    """As many programs as tiles."""
    row, column = place_in_bands(tl.program_id(0), tl.cdiv(m, TILE_M), tl.cdiv(n, TILE_N), BAND)
    total = tile_product(a, b, row, column, m, n, k, a_row, a_column, b_row, b_column, TILE_M, TILE_N, TILE_K)
    store_tile(c, total, row, column, m, n, c_row, c_column, TILE_M, TILE_N)


@triton.jit
def persistent(a, b, c, m, n, k, a_row, a_column, b_row, b_column, c_row, c_column, TILE_M: tl.constexpr, TILE_N: tl.constexpr,
               TILE_K: tl.constexpr, BAND: tl.constexpr):
    """Programs stay; `flatten` makes one loop of both, so that the next tile's loads begin before this one's sums are stored."""
    tiles_m = tl.cdiv(m, TILE_M)
    tiles_n = tl.cdiv(n, TILE_N)
    for index in tl.range(tl.program_id(0), tiles_m * tiles_n, tl.num_programs(0), flatten=True):
        row, column = place_in_bands(index, tiles_m, tiles_n, BAND)
        total = tile_product(a, b, row, column, m, n, k, a_row, a_column, b_row, b_column, TILE_M, TILE_N, TILE_K)
        store_tile(c, total, row, column, m, n, c_row, c_column, TILE_M, TILE_N)


@triton.jit
def described_product(a, b, row, column, k, TILE_M: tl.constexpr, TILE_N: tl.constexpr, TILE_K: tl.constexpr):
    """One tile of A[m, k] . transposed B[n, k] through descriptors: what lies outside reads as zero, and needs no mask."""
    total = tl.zeros((TILE_M, TILE_N), dtype=tl.float32)
    for step in range(tl.cdiv(k, TILE_K)):
        x = a.load([row * TILE_M, step * TILE_K])
        y = b.load([column * TILE_N, step * TILE_K])
        total = tl.dot(x, y.T, total)
    return total


@triton.jit
def store_described(c, total, row, column, TILE_M: tl.constexpr, TILE_N: tl.constexpr, HALVES: tl.constexpr):
    """With HALVES the tile is stored as its left and its right half, which needs half the room on the way out."""
    if HALVES:
        pair = tl.permute(tl.reshape(total, (TILE_M, 2, TILE_N // 2)), (0, 2, 1))
        left, right = tl.split(pair)
        c.store([row * TILE_M, column * TILE_N], left.to(c.dtype))
        c.store([row * TILE_M, column * TILE_N + TILE_N // 2], right.to(c.dtype))
    else:
        c.store([row * TILE_M, column * TILE_N], total.to(c.dtype))


@triton.jit
def tile_each_described(a, b, c, m, n, k, TILE_M: tl.constexpr, TILE_N: tl.constexpr, TILE_K: tl.constexpr, BAND: tl.constexpr):
    """a, b and c are descriptors that the host made, with blocks of one tile."""
    row, column = place_in_bands(tl.program_id(0), tl.cdiv(m, TILE_M), tl.cdiv(n, TILE_N), BAND)
    total = described_product(a, b, row, column, k, TILE_M, TILE_N, TILE_K)
    store_described(c, total, row, column, TILE_M, TILE_N, False)


@triton.jit
def persistent_described(a, b, c, m, n, k, TILE_M: tl.constexpr, TILE_N: tl.constexpr, TILE_K: tl.constexpr, BAND: tl.constexpr,
                         HALVES: tl.constexpr):
    tiles_m = tl.cdiv(m, TILE_M)
    tiles_n = tl.cdiv(n, TILE_N)
    for index in tl.range(tl.program_id(0), tiles_m * tiles_n, tl.num_programs(0), flatten=True, warp_specialize=False):
        row, column = place_in_bands(index, tiles_m, tiles_n, BAND)
        total = described_product(a, b, row, column, k, TILE_M, TILE_N, TILE_K)
        store_described(c, total, row, column, TILE_M, TILE_N, HALVES)


@triton.jit
def persistent_describing(a, b, c, m, n, k, TILE_M: tl.constexpr, TILE_N: tl.constexpr, TILE_K: tl.constexpr, BAND: tl.constexpr,
                          HALVES: tl.constexpr):
    """a, b and c are pointers, of which the program makes its descriptors."""
    a_tensor = tl.make_tensor_descriptor(a, shape=[m, k], strides=[k, 1], block_shape=[TILE_M, TILE_K])
    b_tensor = tl.make_tensor_descriptor(b, shape=[n, k], strides=[k, 1], block_shape=[TILE_N, TILE_K])
    c_tensor = tl.make_tensor_descriptor(c, shape=[m, n], strides=[n, 1], block_shape=[TILE_M, TILE_N if not HALVES else TILE_N // 2])
    tiles_m = tl.cdiv(m, TILE_M)
    tiles_n = tl.cdiv(n, TILE_N)
    for index in tl.range(tl.program_id(0), tiles_m * tiles_n, tl.num_programs(0), flatten=True):
        row, column = place_in_bands(index, tiles_m, tiles_n, BAND)
        total = described_product(a_tensor, b_tensor, row, column, k, TILE_M, TILE_N, TILE_K)
        store_described(c_tensor, total, row, column, TILE_M, TILE_N, HALVES)
