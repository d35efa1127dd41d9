"""Lesson: a matrix product with an epilogue. Tensor cores, the order of programs, and an autotuner's configurations."""
import triton
import triton.language as tl

# Rows, columns and depth of a tile; loads in flight; warps.
SIZES_16_BIT = [(128, 256, 64, 3, 8), (64, 256, 32, 4, 4), (128, 128, 32, 4, 4), (128, 64, 32, 4, 4), (64, 128, 32, 4, 4),
                (128, 32, 32, 4, 4), (64, 32, 32, 5, 2), (32, 64, 32, 5, 2)]
SIZES_8_BIT = [(128, 256, 128, 3, 8), (256, 128, 128, 3, 8), (256, 64, 128, 4, 4), (64, 256, 128, 4, 4), (128, 128, 128, 4, 4),
               (128, 64, 64, 4, 4), (64, 128, 64, 4, 4), (128, 32, 64, 4, 4)]


def configurations():
    return [triton.Config({"TILE_M": m, "TILE_N": n, "TILE_K": k, "BAND": 8}, num_stages=stages, num_warps=warps)
            for m, n, k, stages, warps in SIZES_16_BIT + SIZES_8_BIT]


@triton.jit
def leaky_relu(x):
    return tl.where(x >= 0, x, 0.01 * x)


@triton.jit
def activate(x, KIND: tl.constexpr):
    """KIND is a string known when the kernel is compiled: the other branches leave no code."""
    if KIND == "leaky_relu":
        return leaky_relu(x)
    elif KIND == "relu":
        return tl.maximum(x, 0.0)
    elif KIND == "silu":
        return x * tl.sigmoid(x)
    elif KIND == "gelu":
        return 0.5 * x * (1.0 + tl.erf(x * 0.7071067811865476))
    else:
        tl.static_assert(KIND == "", "activations are '', 'leaky_relu', 'relu', 'silu' and 'gelu'")
        return x


@triton.jit
def place_in_bands(index, tiles_m, tiles_n, BAND: tl.constexpr):
    """Row and column of a program's tile: down BAND rows of tiles, then one column on, so that neighbours in time share
    rows of A and columns of B in the cache."""
    per_band = BAND * tiles_n
    band = index // per_band
    height = min(tiles_m - band * BAND, BAND)
    inside = index % per_band
    return band * BAND + inside % height, inside // height


@triton.autotune(configs=configurations(), key=["m", "n", "k"])
@triton.jit
def matmul(a, b, c, m, n, k, a_row, a_column, b_row, b_column, c_row, c_column, TILE_M: tl.constexpr, TILE_N: tl.constexpr,
           TILE_K: tl.constexpr, BAND: tl.constexpr, ACTIVATION: tl.constexpr):
    """C[m, n] = activation(A[m, k] . B[k, n]); the strides, in elements, let both be transposed views."""
    row, column = place_in_bands(tl.program_id(axis=0), tl.cdiv(m, TILE_M), tl.cdiv(n, TILE_N), BAND)
    # What the compiler cannot know: that no stride runs backwards.
    tl.assume(row >= 0)
    tl.assume(column >= 0)
    tl.assume(a_row > 0)
    tl.assume(a_column > 0)
    tl.assume(b_row > 0)
    tl.assume(b_column > 0)
    tl.assume(c_row > 0)
    tl.assume(c_column > 0)
    # Rows and columns beyond the matrices wrap around: they are loaded, computed and not stored, so the loop needs
    # masks along K only.
    at_m = (row * TILE_M + tl.arange(0, TILE_M)) % m
    at_n = (column * TILE_N + tl.arange(0, TILE_N)) % n
    at_k = tl.arange(0, TILE_K)
    a_tile = a + at_m[:, None] * a_row + at_k[None, :] * a_column
    b_tile = b + at_k[:, None] * b_row + at_n[None, :] * b_column
    total = tl.zeros((TILE_M, TILE_N), dtype=tl.float32)
    for done in range(0, k, TILE_K):
        x = tl.load(a_tile, mask=at_k[None, :] < k - done, other=0.0)
        y = tl.load(b_tile, mask=at_k[:, None] < k - done, other=0.0)
        total = tl.dot(x, y, total)
        a_tile += TILE_K * a_column
        b_tile += TILE_K * b_row
    result = activate(total, ACTIVATION).to(c.dtype.element_ty)
    at_m = row * TILE_M + tl.arange(0, TILE_M)
    at_n = column * TILE_N + tl.arange(0, TILE_N)
    tl.store(c + at_m[:, None] * c_row + at_n[None, :] * c_column, result, mask=(at_m[:, None] < m) & (at_n[None, :] < n))
