"""Matrix products: with programs grouped for the cache, persistent, over groups of problems, and through descriptors."""
import triton
import triton.language as tl


@triton.jit
def leaky_relu(x):
    return tl.where(x >= 0, x, 0.01 * x)


@triton.jit
def tile_of(index, tiles_m, tiles_n, GROUP: tl.constexpr):
    """Row and column of the index-th tile, GROUP rows of tiles at a time."""
    in_group = GROUP * tiles_n
    group = index // in_group
    first = group * GROUP
    height = min(tiles_m - first, GROUP)
    return first + (index % in_group) % height, (index % in_group) // height


@triton.jit
def grouped(a, b, c, m, n, k, a_row, a_column, b_row, b_column, c_row, c_column, M: tl.constexpr, N: tl.constexpr, K: tl.constexpr,
            GROUP: tl.constexpr, ACTIVATION: tl.constexpr):
    row, column = tile_of(tl.program_id(axis=0), tl.cdiv(m, M), tl.cdiv(n, N), GROUP)
    tl.assume(row >= 0)
    tl.assume(a_row > 0)
    i = (row * M + tl.arange(0, M)) % m
    j = (column * N + tl.arange(0, N)) % n
    at = tl.arange(0, K)
    a_tile = a + (i[:, None] * a_row + at[None, :] * a_column)
    b_tile = b + (at[:, None] * b_row + j[None, :] * b_column)
    total = tl.zeros((M, N), dtype=tl.float32)
    for step in range(0, tl.cdiv(k, K)):
        x = tl.load(a_tile, mask=at[None, :] < k - step * K, other=0.0)
        y = tl.load(b_tile, mask=at[:, None] < k - step * K, other=0.0)
        total = tl.dot(x, y, total)
        a_tile += K * a_column
        b_tile += K * b_row
    if ACTIVATION == "leaky_relu":
        total = leaky_relu(total)
    result = total.to(tl.float16)
    i = row * M + tl.arange(0, M)
    j = column * N + tl.arange(0, N)
    tl.store(c + c_row * i[:, None] + c_column * j[None, :], result, mask=(i[:, None] < m) & (j[None, :] < n))


@triton.jit
def persistent(a, b, c, m, n, k, M: tl.constexpr, N: tl.constexpr, K: tl.constexpr, GROUP: tl.constexpr):
    tiles_m = tl.cdiv(m, M)
    tiles_n = tl.cdiv(n, N)
    for index in tl.range(tl.program_id(0), tiles_m * tiles_n, tl.num_programs(0), flatten=True):
        row, column = tile_of(index, tiles_m, tiles_n, GROUP)
        i = row * M + tl.arange(0, M)
        j = column * N + tl.arange(0, N)
        i = tl.where(i < m, i, 0)
        j = tl.where(j < n, j, 0)
        i = tl.max_contiguous(tl.multiple_of(i, M), M)
        j = tl.max_contiguous(tl.multiple_of(j, N), N)
        total = tl.zeros((M, N), dtype=tl.float32)
        for step in range(tl.cdiv(k, K)):
            at = step * K + tl.arange(0, K)
            x = tl.load(a + i[:, None] * k + at[None, :], mask=at[None, :] < k, other=0.0)
            y = tl.load(b + at[:, None] * n + j[None, :], mask=at[:, None] < k, other=0.0)
            total = tl.dot(x, y, total)
        i = row * M + tl.arange(0, M)
        j = column * N + tl.arange(0, N)
        tl.store(c + i[:, None] * n + j[None, :], total.to(c.dtype.element_ty), mask=(i[:, None] < m) & (j[None, :] < n))


@triton.jit
def persistent_described(a, b, c, m, n, k, M: tl.constexpr, N: tl.constexpr, K: tl.constexpr, GROUP: tl.constexpr):
    tiles_m = tl.cdiv(m, M)
    tiles_n = tl.cdiv(n, N)
    a_tensor = tl.make_tensor_descriptor(a, shape=[m, k], strides=[k, 1], block_shape=[M, K])
    b_tensor = tl.make_tensor_descriptor(b, shape=[n, k], strides=[k, 1], block_shape=[N, K])
    c_tensor = tl.make_tensor_descriptor(c, shape=[m, n], strides=[n, 1], block_shape=[M, N])
    for index in tl.range(tl.program_id(0), tiles_m * tiles_n, tl.num_programs(0)):
        row, column = tile_of(index, tiles_m, tiles_n, GROUP)
        total = tl.zeros((M, N), dtype=tl.float32)
        for step in range(tl.cdiv(k, K)):
            x = a_tensor.load([row * M, step * K])
            y = b_tensor.load([column * N, step * K])
            total = tl.dot(x, y.T, total)
        c_tensor.store([row * M, column * N], total.to(c.dtype.element_ty))


@triton.jit
def problems(addresses, sizes, group_count, M: tl.constexpr, N: tl.constexpr, K: tl.constexpr):
    """Products of several sizes in one launch: a table gives where the operands are, another their sizes."""
    index = tl.program_id(0)
    end = 0
    for group in range(group_count):
        m = tl.load(sizes + group * 3)
        n = tl.load(sizes + group * 3 + 1)
        k = tl.load(sizes + group * 3 + 2)
        tiles_n = tl.cdiv(n, N)
        tiles = tl.cdiv(m, M) * tiles_n
        while index >= end and index < end + tiles:
            a = addresses + tl.load(sizes + group_count * 3 + group * 3)
            b = addresses + tl.load(sizes + group_count * 3 + group * 3 + 1)
            c = addresses + tl.load(sizes + group_count * 3 + group * 3 + 2)
            i = (index - end) // tiles_n * M + tl.arange(0, M)
            j = (index - end) % tiles_n * N + tl.arange(0, N)
            total = tl.zeros((M, N), dtype=tl.float32)
            for start in range(0, k, K):
                at = start + tl.arange(0, K)
                x = tl.load(a + i[:, None] * k + at[None, :], mask=(i[:, None] < m) & (at[None, :] < k), other=0.0)
                y = tl.load(b + at[:, None] * n + j[None, :], mask=(at[:, None] < k) & (j[None, :] < n), other=0.0)
                total += tl.dot(x, y)
            tl.store(c + i[:, None] * n + j[None, :], total.to(tl.float16), mask=(i[:, None] < m) & (j[None, :] < n))
            index += tl.num_programs(0)
        end += tiles


@triton.jit
def blocks(a, b, c, m, n, k, M: tl.constexpr, N: tl.constexpr, K: tl.constexpr):
    x = tl.make_block_ptr(base=a, shape=(m, k), strides=(k, 1), offsets=(tl.program_id(0) * M, 0), block_shape=(M, K), order=(1, 0))
    y = tl.make_block_ptr(base=b, shape=(k, n), strides=(n, 1), offsets=(0, tl.program_id(1) * N), block_shape=(K, N), order=(1, 0))
    total = tl.zeros((M, N), dtype=tl.float32)
    for _ in range(0, k, K):
        total += tl.dot(tl.load(x, boundary_check=(0, 1)), tl.load(y, boundary_check=(0, 1)))
        x = tl.advance(x, (0, K))
        y = tl.advance(y, (K, 0))
    z = tl.make_block_ptr(base=c, shape=(m, n), strides=(n, 1), offsets=(tl.program_id(0) * M, tl.program_id(1) * N), block_shape=(M, N), order=(1, 0))
    tl.store(z, total.to(tl.float16), boundary_check=(0, 1))
