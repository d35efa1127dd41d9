"""Attention in one pass over the keys, with the running maximum and sum of each query, forward and backward."""
import triton
import triton.language as tl


@triton.jit
def inner(total, weight, best, q, keys, values, at_query, begin, end, length, scale, HEAD: tl.constexpr, N: tl.constexpr, CAUSAL: tl.constexpr):
    d = tl.arange(0, HEAD)
    for start in range(begin, end, N):
        start = tl.multiple_of(start, N)
        j = start + tl.arange(0, N)
        k = tl.load(keys + j[None, :] * HEAD + d[:, None], mask=j[None, :] < length, other=0.0)
        s = tl.dot(q, k) * scale
        allowed = j[None, :] < length
        if CAUSAL:
            allowed = allowed & (at_query[:, None] >= j[None, :])
        s = tl.where(allowed, s, -1.0e6)
        highest = tl.maximum(best, tl.max(s, 1))
        p = tl.exp2(s - highest[:, None])
        shrink = tl.exp2(best - highest)
        weight = weight * shrink + tl.sum(p, 1)
        v = tl.load(values + j[:, None] * HEAD + d[None, :], mask=j[:, None] < length, other=0.0)
        total = tl.dot(p.to(v.dtype), v, total * shrink[:, None])
        best = highest
    return total, weight, best


@triton.jit
def forward(queries, keys, values, out, logs, length, scale, HEAD: tl.constexpr, M: tl.constexpr, N: tl.constexpr, CAUSAL: tl.constexpr):
    offset = tl.program_id(1).to(tl.int64) * length * HEAD
    i = tl.program_id(0) * M + tl.arange(0, M)
    d = tl.arange(0, HEAD)
    at = i[:, None] * HEAD + d[None, :]
    q = tl.load(queries + offset + at, mask=i[:, None] < length, other=0.0)
    total = tl.zeros([M, HEAD], dtype=tl.float32)
    weight = tl.zeros([M], dtype=tl.float32) + 1.0
    best = tl.zeros([M], dtype=tl.float32) - float("inf")
    # exp(x) is exp2(x / ln 2): the factor goes into the scale.
    factor = scale * 1.44269504
    end = length
    if CAUSAL:
        end = min((tl.program_id(0) + 1) * M, length)
    weight -= 1.0
    total, weight, best = inner(total, weight, best, q, keys + offset, values + offset, i, 0, end, length, factor, HEAD, N, CAUSAL)
    total = total / weight[:, None]
    tl.store(logs + tl.program_id(1) * length + i, best + tl.log2(weight), mask=i < length)
    tl.store(out + offset + at, total.to(out.dtype.element_ty), mask=i[:, None] < length)


@triton.jit
def row_products(out, grad_out, deltas, length, HEAD: tl.constexpr, M: tl.constexpr):
    i = tl.program_id(0) * M + tl.arange(0, M)
    at = tl.program_id(1) * length * HEAD + i[:, None] * HEAD + tl.arange(0, HEAD)[None, :]
    o = tl.load(out + at, mask=i[:, None] < length, other=0.0).to(tl.float32)
    g = tl.load(grad_out + at, mask=i[:, None] < length, other=0.0).to(tl.float32)
    tl.store(deltas + tl.program_id(1) * length + i, tl.sum(o * g, axis=1), mask=i < length)


@triton.jit
def backward(queries, keys, values, grad_out, logs, deltas, grad_queries, grad_keys, grad_values, length, scale, HEAD: tl.constexpr,
             N: tl.constexpr, M: tl.constexpr):
    """Gradients of the keys and values of one block; those of the queries are added by all blocks."""
    offset = tl.program_id(1) * length * HEAD
    j = tl.program_id(0) * N + tl.arange(0, N)
    d = tl.arange(0, HEAD)
    at = offset + j[:, None] * HEAD + d[None, :]
    k = tl.load(keys + at, mask=j[:, None] < length, other=0.0)
    v = tl.load(values + at, mask=j[:, None] < length, other=0.0)
    grad_k = tl.zeros([N, HEAD], dtype=tl.float32)
    grad_v = tl.zeros([N, HEAD], dtype=tl.float32)
    for start in range(0, length, M):
        i = start + tl.arange(0, M)
        at_query = offset + i[:, None] * HEAD + d[None, :]
        q = tl.load(queries + at_query, mask=i[:, None] < length, other=0.0)
        g = tl.load(grad_out + at_query, mask=i[:, None] < length, other=0.0)
        log = tl.load(logs + tl.program_id(1) * length + i, mask=i < length, other=0.0)
        delta = tl.load(deltas + tl.program_id(1) * length + i, mask=i < length, other=0.0)
        p = tl.exp2(tl.dot(q, tl.trans(k)) * (scale * 1.44269504) - log[:, None])
        p = tl.where((i[:, None] < length) & (j[None, :] < length), p, 0.0)
        grad_v += tl.dot(tl.trans(p).to(g.dtype), g)
        ds = (p * (tl.dot(g, tl.trans(v)) - delta[:, None]) * scale).to(q.dtype)
        grad_k += tl.dot(tl.trans(ds), q)
        tl.atomic_add(grad_queries + at_query, tl.dot(ds, k), mask=i[:, None] < length)
    tl.store(grad_keys + at, grad_k.to(k.dtype), mask=j[:, None] < length)
    tl.store(grad_values + at, grad_v.to(v.dtype), mask=j[:, None] < length)
