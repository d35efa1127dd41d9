"""Attention forward in the Triton language: softmax(Q · Kᵀ · scale) · V with a running maximum, a tile of queries to a program."""
import triton
import triton.language as tl


@triton.jit
def attention(q_ptr, k_ptr, v_ptr, o_ptr, scale_log2, length, HEAD: tl.constexpr, TILE_Q: tl.constexpr,
              TILE_K: tl.constexpr, CAUSAL: tl.constexpr):
    tile = tl.program_id(0)
    base = tl.program_id(1).to(tl.int64) * length * HEAD
    queries = tile * TILE_Q + tl.arange(0, TILE_Q)
    keys = tl.arange(0, TILE_K)
    features = tl.arange(0, HEAD)
    q = tl.load(q_ptr + base + queries[:, None] * HEAD + features[None, :])
    k_ptrs = k_ptr + base + keys[None, :] * HEAD + features[:, None]
    v_ptrs = v_ptr + base + keys[:, None] * HEAD + features[None, :]

    # Of the keys so far: the greatest score of each query, the sum of weights and of weighted values relative to it.
    greatest = tl.full([TILE_Q], float("-inf"), dtype=tl.float32)
    weight = tl.zeros([TILE_Q], dtype=tl.float32)
    values = tl.zeros([TILE_Q, HEAD], dtype=tl.float32)
    end = length
    if CAUSAL:
        end = (tile + 1) * TILE_Q
    for start in range(0, end, TILE_K):
        k = tl.load(k_ptrs)
        scores = tl.dot(q, k) * scale_log2
        if CAUSAL:
            scores = tl.where(queries[:, None] >= start + keys[None, :], scores, float("-inf"))
        new_greatest = tl.maximum(greatest, tl.max(scores, 1))
        p = tl.exp2(scores - new_greatest[:, None])
        shrink = tl.exp2(greatest - new_greatest)
        weight = weight * shrink + tl.sum(p, 1)
        values = values * shrink[:, None]
        v = tl.load(v_ptrs)
        values = tl.dot(p.to(tl.float16), v, values)
        greatest = new_greatest
        k_ptrs += TILE_K * HEAD
        v_ptrs += TILE_K * HEAD
    values = values / weight[:, None]
    tl.store(o_ptr + base + queries[:, None] * HEAD + features[None, :], values.to(tl.float16))
