"""Attention in one pass over the keys, with the running maximum and sum of each query."""
import triton
import triton.language as tl


@triton.jit
def attention_kernel(q_ptr, k_ptr, v_ptr, mask_ptr, out_ptr, log_ptr, queries, keys, heads, key_heads, mask_outer, mask_head, mask_row, mask_column,
                     SCALE: tl.constexpr, HEAD: tl.constexpr, VALUE: tl.constexpr, IS_CAUSAL: tl.constexpr, IS_MASK_BOOL: tl.constexpr,
                     SUM: tl.constexpr, PRECISION: tl.constexpr, TF32_SCALE: tl.constexpr, TILE_M: tl.constexpr, TILE_N: tl.constexpr, TILE_D: tl.constexpr, TILE_V: tl.constexpr):
    """q [outer, heads, queries, HEAD], k and v [outer, key_heads, keys, HEAD or VALUE]; the mask, which may be None, has the
    strides that are given. log_ptr, which may be None too, gets the logarithm of the sum of each query's exp(score). A query that may see no key gets 0. SCALE is that of the scores over ln 2: exp(x) is exp2(x / ln 2)."""
    tiles = tl.cdiv(queries, TILE_M)
    tile = tl.program_id(0) % tiles
    sequence = tl.program_id(0) // tiles
    outer = sequence // heads
    head = sequence % heads
    key_sequence = outer * key_heads + head // (heads // key_heads)
    q_ptr += sequence.to(tl.int64) * queries * HEAD
    k_ptr += key_sequence.to(tl.int64) * keys * HEAD
    v_ptr += key_sequence.to(tl.int64) * keys * VALUE
    out_ptr += sequence.to(tl.int64) * queries * VALUE
    i = tile * TILE_M + tl.arange(0, TILE_M)
    d = tl.arange(0, TILE_D)
    e = tl.arange(0, TILE_V)
    q = tl.load(q_ptr + i[:, None] * HEAD + d[None, :], mask=(i[:, None] < queries) & (d[None, :] < HEAD), other=0.0)
    if TF32_SCALE is not None:
        q = q * TF32_SCALE
    total = tl.zeros((TILE_M, TILE_V), dtype=SUM)
    weight = tl.zeros((TILE_M,), dtype=SUM)
    best = tl.full((TILE_M,), -float("inf"), dtype=SUM)
    end = keys
    if IS_CAUSAL:
        end = min((tile + 1) * TILE_M, keys)
    for start in range(0, end, TILE_N):
        j = start + tl.arange(0, TILE_N)
        k = tl.load(k_ptr + j[None, :] * HEAD + d[:, None], mask=(j[None, :] < keys) & (d[:, None] < HEAD), other=0.0)
        if TF32_SCALE is not None:
            k = k * TF32_SCALE
        scores = tl.dot(q, k, input_precision=PRECISION, out_dtype=SUM) * SCALE
        allowed = j[None, :] < keys
        if IS_CAUSAL:
            allowed = allowed & (i[:, None] >= j[None, :])
        if mask_ptr is not None:
            at = mask_ptr + outer.to(tl.int64) * mask_outer + head.to(tl.int64) * mask_head + i[:, None] * mask_row + j[None, :] * mask_column
            inside = (i[:, None] < queries) & (j[None, :] < keys)
            if IS_MASK_BOOL:
                allowed = allowed & (tl.load(at, mask=inside, other=0) != 0)
            else:
                scores += tl.load(at, mask=inside, other=0.0).to(SUM) * 1.4426950408889634
        scores = tl.where(allowed, scores, -float("inf"))
        highest = tl.maximum(best, tl.max(scores, 1))
        # Where no key was allowed yet all scores are -inf, and their weights 0.
        taken = tl.where(highest == -float("inf"), 0.0, highest)
        p = tl.exp2(scores - taken[:, None])
        shrink = tl.exp2(best - taken)
        weight = weight * shrink + tl.sum(p, 1)
        v = tl.load(v_ptr + j[:, None] * VALUE + e[None, :], mask=(j[:, None] < keys) & (e[None, :] < VALUE), other=0.0)
        if TF32_SCALE is not None:
            p = p * TF32_SCALE
            v = v * TF32_SCALE
        total = tl.dot(p.to(v.dtype), v, total * shrink[:, None], input_precision=PRECISION, out_dtype=SUM)
        best = highest
    if log_ptr is not None:
        tl.store(log_ptr + sequence.to(tl.int64) * queries + i, ((best + tl.log2(weight)) * 0.6931471805599453).to(log_ptr.dtype.element_ty),
                 mask=i < queries)
    total = total / tl.where(weight == 0.0, 1.0, weight)[:, None]
    tl.store(out_ptr + i[:, None] * VALUE + e[None, :], total.to(out_ptr.dtype.element_ty), mask=(i[:, None] < queries) & (e[None, :] < VALUE))
