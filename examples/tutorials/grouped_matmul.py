"""Lesson: products of many sizes in one launch. Tables of addresses, and programs that walk over all problems."""
import triton
import triton.language as tl


@triton.jit
def problems(a_addresses, b_addresses, c_addresses, sizes, steps, count, PROGRAMS: tl.constexpr, TILE_M: tl.constexpr, TILE_N: tl.constexpr,
             TILE_K: tl.constexpr):
    """C[i] = A[i] . B[i] of float16. Tables: the addresses of the matrices as integers; sizes m, n, k of each problem; and how many
    elements a row of A, B and C takes. Program p takes tiles p, p + PROGRAMS, ... of all problems' tiles in a row."""
    index = tl.program_id(0)
    first = 0
    for problem in range(count):
        m = tl.load(sizes + 3 * problem)
        n = tl.load(sizes + 3 * problem + 1)
        k = tl.load(sizes + 3 * problem + 2)
        tiles_n = tl.cdiv(n, TILE_N)
        behind = first + tl.cdiv(m, TILE_M) * tiles_n
        while index >= first and index < behind:
            a = tl.load(a_addresses + problem).to(tl.pointer_type(tl.float16))
            b = tl.load(b_addresses + problem).to(tl.pointer_type(tl.float16))
            c = tl.load(c_addresses + problem).to(tl.pointer_type(tl.float16))
            a_step = tl.load(steps + 3 * problem)
            b_step = tl.load(steps + 3 * problem + 1)
            c_step = tl.load(steps + 3 * problem + 2)
            at_m = (index - first) // tiles_n * TILE_M + tl.arange(0, TILE_M)
            at_n = (index - first) % tiles_n * TILE_N + tl.arange(0, TILE_N)
            at_k = tl.arange(0, TILE_K)
            a_tile = a + at_m[:, None] * a_step + at_k[None, :]
            b_tile = b + at_k[:, None] * b_step + at_n[None, :]
            total = tl.zeros((TILE_M, TILE_N), dtype=tl.float32)
            for done in range(0, k, TILE_K):
                # Addresses from memory are of unknown alignment; these are not.
                a_tile = tl.multiple_of(a_tile, [16, 16])
                b_tile = tl.multiple_of(b_tile, [16, 16])
                x = tl.load(a_tile, mask=(at_m[:, None] < m) & (at_k[None, :] < k - done), other=0.0)
                y = tl.load(b_tile, mask=(at_k[:, None] < k - done) & (at_n[None, :] < n), other=0.0)
                total += tl.dot(x, y)
                a_tile += TILE_K
                b_tile += TILE_K * b_step
            tl.store(c + at_m[:, None] * c_step + at_n[None, :], total.to(tl.float16), mask=(at_m[:, None] < m) & (at_n[None, :] < n))
            index += PROGRAMS
        first = behind


@triton.jit
def problems_described(a_addresses, b_addresses, c_addresses, sizes, steps, count, PROGRAMS: tl.constexpr, TILE_M: tl.constexpr,
                       TILE_N: tl.constexpr, TILE_K: tl.constexpr, FP8: tl.constexpr):
    """C[i] = A[i] . transposed B[i], through descriptors that are made of each problem's addresses. Rows of 16 bytes' multiples."""
    dtype = tl.float8e4nv if FP8 else tl.float16
    index = tl.program_id(0)
    first = 0
    for problem in range(count):
        m = tl.load(sizes + 3 * problem)
        n = tl.load(sizes + 3 * problem + 1)
        k = tl.load(sizes + 3 * problem + 2)
        tiles_n = tl.cdiv(n, TILE_N)
        behind = first + tl.cdiv(m, TILE_M) * tiles_n
        if index >= first and index < behind:
            a_tensor = tl.make_tensor_descriptor(tl.load(a_addresses + problem).to(tl.pointer_type(dtype)), shape=[m, k],
                                                 strides=[tl.load(steps + 3 * problem), 1], block_shape=[TILE_M, TILE_K])
            b_tensor = tl.make_tensor_descriptor(tl.load(b_addresses + problem).to(tl.pointer_type(dtype)), shape=[n, k],
                                                 strides=[tl.load(steps + 3 * problem + 1), 1], block_shape=[TILE_N, TILE_K])
            c_tensor = tl.make_tensor_descriptor(tl.load(c_addresses + problem).to(tl.pointer_type(tl.float16)), shape=[m, n],
                                                 strides=[tl.load(steps + 3 * problem + 2), 1], block_shape=[TILE_M, TILE_N])
            while index >= first and index < behind:
                row = (index - first) // tiles_n
                column = (index - first) % tiles_n
                total = tl.zeros((TILE_M, TILE_N), dtype=tl.float32)
                for step in range(0, tl.cdiv(k, TILE_K)):
                    x = a_tensor.load([row * TILE_M, step * TILE_K])
                    y = b_tensor.load([column * TILE_N, step * TILE_K])
                    total += tl.dot(x, y.T)
                c_tensor.store([row * TILE_M, column * TILE_N], total.to(tl.float16))
                index += PROGRAMS
        first = behind
