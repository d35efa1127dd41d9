"""Lesson: attention that never writes its scores to memory, forward and backward. Products of tiles that feed each other."""
import triton
import triton.language as tl

LOG2_E: tl.constexpr = 1.4426950408889634


@triton.jit
def rows_of(base, head, at, length, DIM: tl.constexpr, WIDTH: tl.constexpr):
    """Pointers to rows `at` of one head of a [heads, length, DIM] tensor."""
    return base + (head * length + at)[:, None].to(tl.int64) * DIM + tl.arange(0, WIDTH)[None, :]


@triton.jit
def are_there(at, length, DIM: tl.constexpr, WIDTH: tl.constexpr):
    """Which elements of these rows there are."""
    return (at[:, None] < length) & (tl.arange(0, WIDTH)[None, :] < DIM)


@triton.jit
def scores_of(queries, keys, at_q, at_k, length, scale, CAUSAL: tl.constexpr):
    """scale * log2(e) * queries . transposed keys; minus infinity where a query must not look."""
    scores = tl.dot(queries, tl.trans(keys)) * (scale * LOG2_E)
    visible = at_k[None, :] < length
    if CAUSAL:
        visible = visible & (at_q[:, None] >= at_k[None, :])
    return tl.where(visible, scores, float("-inf"))


@triton.jit
def forward(q, k, v, out, logs, scale, length, DIM: tl.constexpr, WIDTH: tl.constexpr, TILE_Q: tl.constexpr, TILE_K: tl.constexpr,
            CAUSAL: tl.constexpr):
    """out = softmax(scale * q . transposed k) . v of one tile of queries; logs: log2 of each row's sum, for the backward pass.

    The softmax is computed as tiles of keys come: when a larger score appears, what was added up so far shrinks by a power of two.
    """
    at_q = tl.program_id(0) * TILE_Q + tl.arange(0, TILE_Q)
    head = tl.program_id(1)
    q_at = rows_of(q, head, at_q, length, DIM, WIDTH)
    q_there = are_there(at_q, length, DIM, WIDTH)
    queries = tl.load(q_at, mask=q_there, other=0.0)
    highest = tl.full([TILE_Q], float("-inf"), dtype=tl.float32)
    weight = tl.zeros([TILE_Q], dtype=tl.float32)
    total = tl.zeros([TILE_Q, WIDTH], dtype=tl.float32)
    last = length
    if CAUSAL:
        last = tl.minimum(length, (tl.program_id(0) + 1) * TILE_Q)
    for start in range(0, last, TILE_K):
        at_k = start + tl.arange(0, TILE_K)
        k_at = rows_of(k, head, at_k, length, DIM, WIDTH)
        k_there = are_there(at_k, length, DIM, WIDTH)
        v_at = rows_of(v, head, at_k, length, DIM, WIDTH)
        keys = tl.load(k_at, mask=k_there, other=0.0)
        scores = scores_of(queries, keys, at_q, at_k, length, scale, CAUSAL)
        higher = tl.maximum(highest, tl.max(scores, axis=1))
        shrink = tl.exp2(highest - higher)
        shares = tl.exp2(scores - higher[:, None])
        weight = weight * shrink + tl.sum(shares, axis=1)
        values = tl.load(v_at, mask=k_there, other=0.0)
        total = tl.dot(shares.to(values.dtype), values, total * shrink[:, None])
        highest = higher
    out_at = rows_of(out, head, at_q, length, DIM, WIDTH)
    there = are_there(at_q, length, DIM, WIDTH)
    tl.store(out_at, (total / weight[:, None]).to(out.dtype.element_ty), mask=there)
    tl.store(logs + head * length + at_q, highest + tl.log2(weight), mask=at_q < length)


@triton.jit
def row_products(out, out_grad, products, length, DIM: tl.constexpr, WIDTH: tl.constexpr, TILE_Q: tl.constexpr):
    """products[row] = out[row] . out_grad[row]: what the normalisation takes away from every score's gradient."""
    at = tl.program_id(0) * TILE_Q + tl.arange(0, TILE_Q)
    head = tl.program_id(1)
    out_at = rows_of(out, head, at, length, DIM, WIDTH)
    there = are_there(at, length, DIM, WIDTH)
    grad_at = rows_of(out_grad, head, at, length, DIM, WIDTH)
    a = tl.load(out_at, mask=there, other=0.0).to(tl.float32)
    b = tl.load(grad_at, mask=there, other=0.0).to(tl.float32)
    tl.store(products + head * length + at, tl.sum(a * b, axis=1), mask=at < length)


@triton.jit
def shares_and_gradients(queries, keys, values, grads, logs, products, at_q, at_k, length, scale, CAUSAL: tl.constexpr):
    """The softmax of a tile, computed again from its logs, and the gradient of its scores before `scale`."""
    scores = scores_of(queries, keys, at_q, at_k, length, scale, CAUSAL)
    shares = tl.where(at_q[:, None] < length, tl.exp2(scores - logs[:, None]), 0.0)
    return shares, shares * (tl.dot(grads, tl.trans(values)) - products[:, None])


@triton.jit
def backward_keys(q, k, v, out_grad, logs, products, k_grad, v_grad, scale, length, DIM: tl.constexpr, WIDTH: tl.constexpr,
                  TILE_Q: tl.constexpr, TILE_K: tl.constexpr, CAUSAL: tl.constexpr):
    """The gradients of one tile of keys and values, which walk over all queries that saw them."""
    first = tl.program_id(0) * TILE_K
    at_k = first + tl.arange(0, TILE_K)
    head = tl.program_id(1)
    k_at = rows_of(k, head, at_k, length, DIM, WIDTH)
    k_there = are_there(at_k, length, DIM, WIDTH)
    v_at = rows_of(v, head, at_k, length, DIM, WIDTH)
    keys = tl.load(k_at, mask=k_there, other=0.0)
    values = tl.load(v_at, mask=k_there, other=0.0)
    k_total = tl.zeros([TILE_K, WIDTH], dtype=tl.float32)
    v_total = tl.zeros([TILE_K, WIDTH], dtype=tl.float32)
    begin = 0
    if CAUSAL:
        begin = first // TILE_Q * TILE_Q
    for start in range(begin, length, TILE_Q):
        at_q = start + tl.arange(0, TILE_Q)
        q_at = rows_of(q, head, at_q, length, DIM, WIDTH)
        q_there = are_there(at_q, length, DIM, WIDTH)
        grad_at = rows_of(out_grad, head, at_q, length, DIM, WIDTH)
        queries = tl.load(q_at, mask=q_there, other=0.0)
        grads = tl.load(grad_at, mask=q_there, other=0.0)
        row_logs = tl.load(logs + head * length + at_q, mask=at_q < length, other=0.0)
        row_products_of = tl.load(products + head * length + at_q, mask=at_q < length, other=0.0)
        shares, gradients = shares_and_gradients(queries, keys, values, grads, row_logs, row_products_of, at_q, at_k, length, scale,
                                                 CAUSAL)
        v_total = tl.dot(tl.trans(shares).to(grads.dtype), grads, v_total)
        k_total = tl.dot(tl.trans(gradients).to(queries.dtype), queries, k_total)
    k_grad_at = rows_of(k_grad, head, at_k, length, DIM, WIDTH)
    there = are_there(at_k, length, DIM, WIDTH)
    v_grad_at = rows_of(v_grad, head, at_k, length, DIM, WIDTH)
    tl.store(k_grad_at, (k_total * scale).to(k_grad.dtype.element_ty), mask=there)
    tl.store(v_grad_at, v_total.to(v_grad.dtype.element_ty), mask=there)


@triton.jit
def backward_queries(q, k, v, out_grad, logs, products, q_grad, scale, length, DIM: tl.constexpr, WIDTH: tl.constexpr,
                     TILE_Q: tl.constexpr, TILE_K: tl.constexpr, CAUSAL: tl.constexpr):
    """The gradient of one tile of queries, which walks over the keys that it saw."""
    at_q = tl.program_id(0) * TILE_Q + tl.arange(0, TILE_Q)
    head = tl.program_id(1)
    q_at = rows_of(q, head, at_q, length, DIM, WIDTH)
    q_there = are_there(at_q, length, DIM, WIDTH)
    grad_at = rows_of(out_grad, head, at_q, length, DIM, WIDTH)
    queries = tl.load(q_at, mask=q_there, other=0.0)
    grads = tl.load(grad_at, mask=q_there, other=0.0)
    row_logs = tl.load(logs + head * length + at_q, mask=at_q < length, other=0.0)
    row_products_of = tl.load(products + head * length + at_q, mask=at_q < length, other=0.0)
    total = tl.zeros([TILE_Q, WIDTH], dtype=tl.float32)
    last = length
    if CAUSAL:
        last = tl.minimum(length, (tl.program_id(0) + 1) * TILE_Q)
    for start in range(0, last, TILE_K):
        at_k = start + tl.arange(0, TILE_K)
        k_at = rows_of(k, head, at_k, length, DIM, WIDTH)
        k_there = are_there(at_k, length, DIM, WIDTH)
        v_at = rows_of(v, head, at_k, length, DIM, WIDTH)
        keys = tl.load(k_at, mask=k_there, other=0.0)
        values = tl.load(v_at, mask=k_there, other=0.0)
        shares, gradients = shares_and_gradients(queries, keys, values, grads, row_logs, row_products_of, at_q, at_k, length, scale, CAUSAL)
        total = tl.dot(gradients.to(keys.dtype), keys, total)
    q_grad_at = rows_of(q_grad, head, at_q, length, DIM, WIDTH)
    there = are_there(at_q, length, DIM, WIDTH)
    tl.store(q_grad_at, (total * scale).to(q_grad.dtype.element_ty), mask=there)
