"""Lesson: layer normalisation and its gradients. Loops over a row, and programs that add to the same memory under locks."""
import triton
import triton.language as tl


@triton.jit
def normalize(x, y, weight, bias, means, inverses, row_step, columns, epsilon, TILE: tl.constexpr):
    """y = (x - mean) / sqrt(variance + epsilon) * weight + bias of one row; the backward pass wants mean and 1 / sqrt(...)."""
    row = tl.program_id(0)
    x += row * row_step
    y += row * row_step
    lane = tl.arange(0, TILE)
    # Sums are kept for each lane and added up once, after the loop.
    partial = tl.zeros([TILE], dtype=tl.float32)
    for start in range(0, columns, TILE):
        partial += tl.load(x + start + lane, mask=start + lane < columns, other=0.0).to(tl.float32)
    mean = tl.sum(partial, axis=0) / columns
    partial = tl.zeros([TILE], dtype=tl.float32)
    for start in range(0, columns, TILE):
        inside = start + lane < columns
        centred = tl.load(x + start + lane, mask=inside, other=0.0).to(tl.float32) - mean
        centred = tl.where(inside, centred, 0.0)
        partial += centred * centred
    inverse = 1 / tl.sqrt(tl.sum(partial, axis=0) / columns + epsilon)
    tl.store(means + row, mean)
    tl.store(inverses + row, inverse)
    for start in range(0, columns, TILE):
        place = start + lane
        inside = place < columns
        normal = (tl.load(x + place, mask=inside, other=0.0).to(tl.float32) - mean) * inverse
        tl.store(y + place, normal * tl.load(weight + place, mask=inside) + tl.load(bias + place, mask=inside), mask=inside)


@triton.jit
def backward_rows(x_grad, y_grad, weight_parts, bias_parts, x, weight, means, inverses, locks, row_step, columns,
                  PARTS: tl.constexpr, TILE: tl.constexpr):
    """The gradient of one row of x, and the row's share of the gradients of weight and bias, added to one of PARTS sums.

    locks: 2 * PARTS int32, zero at first: a lock for each sum, then whether it has been begun (parts need no zeroing).
    """
    row = tl.program_id(0)
    place = tl.arange(0, TILE)
    inside = place < columns
    at = row * row_step + place
    v = tl.load(x + at, mask=inside, other=0).to(tl.float32)
    g = tl.load(y_grad + at, mask=inside, other=0).to(tl.float32)
    w = tl.load(weight + place, mask=inside, other=0).to(tl.float32)
    inverse = tl.load(inverses + row)
    normal = tl.where(inside, (v - tl.load(means + row)) * inverse, 0.0)
    # Of the gradient with respect to the normalised row, what changes mean or variance falls out.
    wg = w * g
    along = tl.sum(normal * wg, axis=0) / columns
    level = tl.sum(wg, axis=0) / columns
    tl.store(x_grad + at, (wg - (normal * along + level)) * inverse, mask=inside)

    part = row % PARTS
    lock = locks + part
    begun = locks + PARTS + part
    weight_share = g * normal
    bias_share = g
    while tl.atomic_cas(lock, 0, 1) == 1:
        pass
    if tl.load(begun) == 0:
        tl.atomic_xchg(begun, 1)
    else:
        weight_share += tl.load(weight_parts + part * columns + place, mask=inside)
        bias_share += tl.load(bias_parts + part * columns + place, mask=inside)
    tl.store(weight_parts + part * columns + place, weight_share, mask=inside)
    tl.store(bias_parts + part * columns + place, bias_share, mask=inside)
    # One thread releases the lock: all must have stored by then.
    tl.debug_barrier()
    tl.atomic_xchg(lock, 0)


@triton.jit
def add_parts(weight_parts, bias_parts, weight_grad, bias_grad, parts, columns, TILE_M: tl.constexpr, TILE_N: tl.constexpr):
    """The second stage: adds up the sums of the first, TILE_N columns a program."""
    column = tl.program_id(0) * TILE_N + tl.arange(0, TILE_N)
    weight_total = tl.zeros((TILE_M, TILE_N), dtype=tl.float32)
    bias_total = tl.zeros((TILE_M, TILE_N), dtype=tl.float32)
    for start in range(0, parts, TILE_M):
        part = start + tl.arange(0, TILE_M)
        inside = (part[:, None] < parts) & (column[None, :] < columns)
        at = part[:, None] * columns + column[None, :]
        weight_total += tl.load(weight_parts + at, mask=inside, other=0.0)
        bias_total += tl.load(bias_parts + at, mask=inside, other=0.0)
    tl.store(weight_grad + column, tl.sum(weight_total, axis=0), mask=column < columns)
    tl.store(bias_grad + column, tl.sum(bias_total, axis=0), mask=column < columns)
