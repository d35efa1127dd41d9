"""Recurrent layers. What comes from a layer's input is a matrix product, `gates`, for all steps at once; here is what follows from one
step to the next. States are kept in a workspace [2, direction, batch, hidden]: a step reads one half and writes the other."""
import triton
import triton.language as tl
from triton.language.extra import libdevice


@triton.jit
def copy_state_kernel(x_ptr, state_ptr, begin, n, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + begin + at, mask=at < n)
    tl.store(state_ptr + at, x.to(state_ptr.dtype.element_ty), mask=at < n)


@triton.jit
def pack_kernel(w_ptr, packed_ptr, hidden, hidden_tiles, GATES: tl.constexpr, TILE_N: tl.constexpr, TILE_K: tl.constexpr):
    """Weights [gate, n, k] as [tile of n, k, gate, n], so that a step reads them as they follow each other."""
    n_tile = tl.program_id(0) // hidden_tiles
    k = tl.program_id(0) % hidden_tiles * TILE_K + tl.arange(0, TILE_K)
    n = n_tile * TILE_N + tl.arange(0, TILE_N)
    inside = (n < hidden)[:, None] & (k < hidden)[None, :]
    packed_ptr += n_tile.to(tl.int64) * hidden * GATES * TILE_N
    for gate in tl.static_range(GATES):
        w = tl.load(w_ptr + (gate * hidden + n)[:, None] * hidden + k[None, :], mask=inside, other=0.0)
        place = ((k * GATES + gate) * TILE_N)[:, None] + tl.arange(0, TILE_N)[None, :]
        tl.store(packed_ptr + place, tl.trans(w), mask=(k < hidden)[:, None])


@triton.jit
def gate_of(h_ptr, w_ptr, bias_ptr, b, n_tile, batch, hidden, GATE: tl.constexpr, GATES: tl.constexpr, IS_PACKED: tl.constexpr,
            PRECISION: tl.constexpr, TF32_SCALE: tl.constexpr, SUM: tl.constexpr, TILE_B: tl.constexpr, TILE_N: tl.constexpr,
            TILE_K: tl.constexpr):
    """What a gate gets from the state before: h . W^T and the bias. Weights are packed, or TILE_B is 1 and they are rows."""
    lane = tl.arange(0, TILE_N)
    n = n_tile * TILE_N + lane
    if IS_PACKED:
        total = tl.zeros((TILE_B, TILE_N), dtype=SUM)
        w_ptr += n_tile.to(tl.int64) * hidden * GATES * TILE_N + GATE * TILE_N
        for done in range(0, hidden, TILE_K):
            k = done + tl.arange(0, TILE_K)
            h = tl.load(h_ptr + b[:, None] * hidden + k[None, :], mask=(b < batch)[:, None] & (k < hidden)[None, :], other=0.0)
            w = tl.load(w_ptr + (k * (GATES * TILE_N))[:, None] + lane[None, :], mask=(k < hidden)[:, None], other=0.0)
            if TF32_SCALE is not None:
                h = h * TF32_SCALE
                w = w * TF32_SCALE
            total = tl.dot(h, w, total, input_precision=PRECISION, out_dtype=SUM)
    else:
        row = tl.zeros((TILE_N,), dtype=SUM)
        for done in range(0, hidden, TILE_K):
            k = done + tl.arange(0, TILE_K)
            h = tl.load(h_ptr + tl.min(b) * hidden + k, mask=k < hidden, other=0.0).to(SUM)
            w = tl.load(w_ptr + (GATE * hidden + n)[:, None] * hidden + k[None, :], mask=(n < hidden)[:, None] & (k < hidden)[None, :], other=0.0)
            row += tl.sum(w.to(SUM) * h[None, :], 1)
        total = row[None, :]
    if bias_ptr is not None:
        total += tl.load(bias_ptr + GATE * hidden + n, mask=n < hidden, other=0.0).to(SUM)[None, :]
    return total


@triton.jit
def logistic(x):
    return 1 / (1 + libdevice.exp(-x))


@triton.jit
def recurrence_kernel(gates_ptr, gates_1_ptr, w_ptr, w_1_ptr, bias_ptr, bias_1_ptr, h_ptr, c_ptr, y_ptr, h_out_ptr, c_out_ptr,
                      begin, steps, length, batch, hidden, step_rows, batch_rows, first_state, KIND: tl.constexpr, GATES: tl.constexpr,
                      DIRECTIONS: tl.constexpr, SPLITS_HIDDEN: tl.constexpr, IS_PACKED: tl.constexpr, PRECISION: tl.constexpr,
                      TF32_SCALE: tl.constexpr, SUM: tl.constexpr, TILE_B: tl.constexpr, TILE_N: tl.constexpr, TILE_K: tl.constexpr):
    """As many steps of sequences of `length`, from `begin` on. A program has TILE_B sequences in one direction and, if SPLITS_HIDDEN, one
    tile of the state, for which the launch must be of one step. Of a sequence's step t the row is t * step_rows + b * batch_rows."""
    tiles_n = tl.cdiv(hidden, TILE_N)
    tiles_b = tl.cdiv(batch, TILE_B)
    program = tl.program_id(0)
    first_tile = 0
    end_tile = tiles_n
    if SPLITS_HIDDEN:
        first_tile = program % tiles_n
        end_tile = first_tile + 1
        program = program // tiles_n
    b = program % tiles_b * TILE_B + tl.arange(0, TILE_B)
    direction = program // tiles_b
    is_back = False
    if DIRECTIONS == 2:
        is_back = direction == 1
        if is_back:
            gates_ptr = gates_1_ptr
            w_ptr = w_1_ptr
            if bias_ptr is not None:
                bias_ptr = bias_1_ptr
    half = batch * hidden * DIRECTIONS
    for step in range(begin, begin + steps):
        t = step
        if DIRECTIONS == 2:
            t = tl.where(is_back, length - 1 - step, step)
        before = h_ptr + (step % 2 * half + direction * batch * hidden)
        after = h_ptr + ((step + 1) % 2 * half + direction * batch * hidden)
        row = (t * step_rows + b * batch_rows).to(tl.int64)
        for n_tile in range(first_tile, end_tile):
            n = n_tile * TILE_N + tl.arange(0, TILE_N)
            inside = (b < batch)[:, None] & (n < hidden)[None, :]
            place = b[:, None] * hidden + n[None, :]
            gate = gates_ptr + row[:, None] * (GATES * hidden) + n[None, :]
            first = gate_of(before, w_ptr, bias_ptr, b, n_tile, batch, hidden, 0, GATES, IS_PACKED, PRECISION, TF32_SCALE, SUM, TILE_B, TILE_N,
                            TILE_K) + tl.load(gate, mask=inside, other=0.0)
            if KIND == "tanh":
                h = libdevice.tanh(first)
            elif KIND == "relu":
                h = tl.maximum(first, 0.0, propagate_nan=tl.PropagateNan.ALL)
            else:
                second = gate_of(before, w_ptr, bias_ptr, b, n_tile, batch, hidden, 1, GATES, IS_PACKED, PRECISION, TF32_SCALE, SUM, TILE_B, TILE_N,
                                 TILE_K) + tl.load(gate + hidden, mask=inside, other=0.0)
                third = gate_of(before, w_ptr, bias_ptr, b, n_tile, batch, hidden, 2, GATES, IS_PACKED, PRECISION, TF32_SCALE, SUM, TILE_B, TILE_N,
                                TILE_K)
                given = tl.load(gate + 2 * hidden, mask=inside, other=0.0)
                if KIND == "gru":
                    fresh = libdevice.tanh(given + logistic(first) * third)
                    h = fresh + (tl.load(before + place, mask=inside, other=0.0).to(SUM) - fresh) * logistic(second)
                else:
                    fourth = gate_of(before, w_ptr, bias_ptr, b, n_tile, batch, hidden, 3, GATES, IS_PACKED, PRECISION, TF32_SCALE, SUM, TILE_B,
                                     TILE_N, TILE_K) + tl.load(gate + 3 * hidden, mask=inside, other=0.0)
                    cell = c_ptr + (direction * batch * hidden + place)
                    c = logistic(second) * tl.load(cell, mask=inside, other=0.0) + logistic(first) * libdevice.tanh(third + given)
                    tl.store(cell, c, mask=inside)
                    tl.store(c_out_ptr + (first_state + direction) * batch * hidden + place, c.to(c_out_ptr.dtype.element_ty),
                             mask=inside & (step == length - 1))
                    h = logistic(fourth) * libdevice.tanh(c)
            h = h.to(y_ptr.dtype.element_ty)
            tl.store(after + place, h, mask=inside)
            tl.store(y_ptr + row[:, None] * (DIRECTIONS * hidden) + direction * hidden + n[None, :], h, mask=inside)
            tl.store(h_out_ptr + (first_state + direction) * batch * hidden + place, h, mask=inside & (step == length - 1))
        tl.debug_barrier()


@triton.jit
def cell_kernel(given_ptr, kept_ptr, before_ptr, h_out_ptr, c_out_ptr, n, hidden, KIND: tl.constexpr, GATES: tl.constexpr,
                SUM: tl.constexpr, BLOCK: tl.constexpr):
    """One step of n states, of gates that came from the input, `given`, and from the state, `kept`. before_ptr holds an LSTM's cells, of
    others the states."""
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = at < n
    gate = (at // hidden).to(tl.int64) * (GATES * hidden) + at % hidden
    first_given = tl.load(given_ptr + gate, mask=inside, other=0.0).to(SUM)
    first_kept = tl.load(kept_ptr + gate, mask=inside, other=0.0).to(SUM)
    if KIND == "tanh":
        h = libdevice.tanh(first_given + first_kept)
    elif KIND == "relu":
        h = tl.maximum(first_given + first_kept, 0.0, propagate_nan=tl.PropagateNan.ALL)
    else:
        before = tl.load(before_ptr + at, mask=inside, other=0.0).to(SUM)
        second = (tl.load(given_ptr + gate + hidden, mask=inside, other=0.0) + tl.load(kept_ptr + gate + hidden, mask=inside, other=0.0)).to(SUM)
        third_given = tl.load(given_ptr + gate + 2 * hidden, mask=inside, other=0.0).to(SUM)
        third_kept = tl.load(kept_ptr + gate + 2 * hidden, mask=inside, other=0.0).to(SUM)
        if KIND == "gru":
            fresh = libdevice.tanh(third_given + logistic(first_given + first_kept) * third_kept)
            h = fresh + (before - fresh) * logistic(second)
        else:
            fourth = (tl.load(given_ptr + gate + 3 * hidden, mask=inside, other=0.0) + tl.load(kept_ptr + gate + 3 * hidden, mask=inside, other=0.0)).to(SUM)
            c = logistic(second) * before + logistic(first_given + first_kept) * libdevice.tanh(third_given + third_kept)
            tl.store(c_out_ptr + at, c.to(c_out_ptr.dtype.element_ty), mask=inside)
            h = logistic(fourth) * libdevice.tanh(c)
    tl.store(h_out_ptr + at, h.to(h_out_ptr.dtype.element_ty), mask=inside)
