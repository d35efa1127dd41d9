"""Cases of recurrent layers. The references go step by step, in float64; states are not rounded in between."""
import itertools

import numpy

from cases import FLOATS, call, floats
from graphs import Tensor


def logistic(x):
    return 1 / (1 + numpy.exp(-x))


def step(kind, x, h, c, params):
    """What a cell makes of one input and its states."""
    w_ih, w_hh, *biases = params
    given, kept = x @ w_ih.T, h @ w_hh.T
    if biases:
        given, kept = given + biases[0], kept + biases[1]
    if kind == "lstm":
        i, f, g, o = numpy.split(given + kept, 4, 1)
        c = logistic(f) * c + logistic(i) * numpy.tanh(g)
        return logistic(o) * numpy.tanh(c), c
    if kind == "gru":
        (r, z, n), (r_kept, z_kept, n_kept) = numpy.split(given, 3, 1), numpy.split(kept, 3, 1)
        n = numpy.tanh(n + logistic(r + r_kept) * n_kept)
        return n + logistic(z + z_kept) * (h - n), c
    return numpy.tanh(given + kept) if kind == "rnn_tanh" else numpy.maximum(given + kept, 0), c


def layered(kind, x, h, c, params, layers, directions):
    """Of x [time, batch, features]: the last layer's states, and those that each layer ends with."""
    last_h, last_c = [], []
    each = len(params) // (layers * directions)
    for layer in range(layers):
        results = []
        for direction in range(directions):
            at = layer * directions + direction
            now_h, now_c, sequence = h[at], c[at], []
            for values in x[::-1] if direction else x:
                now_h, now_c = step(kind, values, now_h, now_c, params[at * each:(at + 1) * each])
                sequence.append(now_h)
            results.append(numpy.stack(sequence[::-1] if direction else sequence))
            last_h.append(now_h)
            last_c.append(now_c)
        x = numpy.concatenate(results, -1)
    return x, numpy.stack(last_h), numpy.stack(last_c)


GATES = {"lstm": 4, "gru": 3, "rnn_tanh": 1, "rnn_relu": 1}


def case(kind, dtype, length, batch, features, hidden, layers=1, directions=1, has_biases=True, is_batch_first=False, symbolic=None, state_rank=3):
    """`symbolic`: how the graph writes length and batch. Of rank 4, states have a dimension more, as torch.export records those of an LSTM."""
    sizes = symbolic or (str(length), str(batch))
    rows, names = ((batch, length), sizes[::-1]) if is_batch_first else ((length, batch), sizes)
    count, scale = layers * directions, hidden**-0.5
    x = floats((*rows, features), dtype, symbolic=(*names, str(features)))
    h, c = (floats((count, batch, hidden), dtype, symbolic=(str(count), sizes[1], str(hidden))) for _ in range(2))
    params = []
    for layer in range(layers):
        for _ in range(directions):
            depth = features if layer == 0 else hidden * directions
            shapes = [(GATES[kind] * hidden, depth), (GATES[kind] * hidden, hidden)] + [(GATES[kind] * hidden,)] * 2 * has_biases
            params += [floats(shape, dtype, -scale, scale) for shape in shapes]
    inputs = x.wide.swapaxes(0, 1) if is_batch_first else x.wide
    y, last_h, last_c = layered(kind, inputs, h.wide, c.wide, [param.wide for param in params], layers, directions)
    y = y.swapaxes(0, 1) if is_batch_first else y
    options = {"has_biases": has_biases, "num_layers": layers, "dropout": 0.0, "train": False, "bidirectional": directions == 2, "batch_first": is_batch_first}
    states = [h, c] if kind == "lstm" else h
    results = [(y, (*names, str(hidden * directions))), *((last, h.symbolic) for last in ((last_h, last_c) if kind == "lstm" else (last_h,)))]
    if state_rank == 4:
        results[1:] = [(numpy.expand_dims(values, 1), (names[0], "1", *names[1:])) for values, names in results[1:]]
    # A state is rounded after each step, and so is what comes of it.
    tolerance = {"float16": 4e-3, "bfloat16": 3e-2}.get(dtype)
    return call(f"aten::{kind}.input", {"input": x, "hx": states, "params": params, **options}, *(Tensor(values, dtype, names) for values, names in results),
                dtype=dtype, tolerance=tolerance)


def recurrences():
    for kind, dtype in itertools.product(GATES, FLOATS):
        yield case(kind, dtype, 5, 3, 20, 33, layers=2, directions=2, is_batch_first=True)
        yield case(kind, dtype, 6, 1, 8, 24)
        yield case(kind, dtype, 4, 40, 16, 48, layers=3, has_biases=False)
        yield case(kind, dtype, 3, 5, 24, 130, directions=2)
        yield case(kind, dtype, 1, 2, 16, 16, is_batch_first=True)
    yield case("lstm", "float32", 4, 3, 8, 24, layers=2, state_rank=4)
    for kind in GATES:
        yield case(kind, "float64", 5, 3, 20, 33, layers=2, directions=2)


def cells():
    """One step, of inputs without a dimension of time."""
    for kind, dtype in itertools.product(GATES, FLOATS + ("float64",)):
        for batch, features, hidden, has_biases in ((3, 20, 33, True), (1, 8, 24, True), (40, 16, 130, False)):
            yield cell(kind, dtype, batch, features, hidden, has_biases)


def cell(kind, dtype, batch, features, hidden, has_biases=True, symbolic=None):
    rows = symbolic or str(batch)
    scale = hidden**-0.5
    x = floats((batch, features), dtype, symbolic=(rows, str(features)))
    h, c = (floats((batch, hidden), dtype, symbolic=(rows, str(hidden))) for _ in range(2))
    names, shapes = ("w_ih", "w_hh", "b_ih", "b_hh"), [(features,), (hidden,), (), ()]
    params = {name: floats((GATES[kind] * hidden, *shape), dtype, -scale, scale) for name, shape in list(zip(names, shapes))[:4 if has_biases else 2]}
    results = step(kind, x.wide, h.wide, c.wide, [param.wide for param in params.values()])
    return call(f"aten::{kind}_cell", {"input": x, "hx": [h, c] if kind == "lstm" else h} | params,
                *(Tensor(values, dtype, (rows, str(hidden))) for values in results[:2 if kind == "lstm" else 1]), dtype=dtype)


def symbolic(rows, columns):
    for kind in GATES:
        yield cell(kind, "float32", rows, 6, 10, symbolic="s0")
    for kind in GATES:
        yield case(kind, "float32", columns, rows, 6, 10, layers=2, directions=2, symbolic=("s1", "s0"))


GROUPS = (recurrences, cells)
