"""Texts of graphs for the tests of passes: each function gives a model and the most launches that it may take with all passes."""


def tensor(shape, dtype="float32"):
    return f'!graph.tensor<[{", ".join(chr(34) + str(d) + chr(34) for d in shape)}], "{dtype}">'


class Graph:
    """The text of a model, call by call."""

    def __init__(self, inputs, symbols=()):
        self.values = {name: tensor(*spec) for name, spec in inputs.items()}
        self.inputs, self.lines = list(inputs), []
        self.symbols = ", ".join(f'{{name = "{s}", min = 1 : i64, max = 64 : i64, opt = 8 : i64}}' for s in symbols)

    def call(self, name, op, operands, result, **arguments):
        self.values[name] = tensor(*result)
        names = ", ".join(f'"{key}"' for key in operands)
        values = ", ".join(f"%{value}" for value in operands.values())
        types = ", ".join(self.values[value] for value in operands.values())
        literals = ", ".join(f"{key} = {value}" for key, value in arguments.items())
        self.lines.append(f'  %{name} = graph.call "{op}" node "{name}" ({values}) names [{names}] arguments {{{literals}}} : ({types}) '
                          f"-> {self.values[name]}")

    def constant(self, name, shape, numbers, dtype="float32"):
        short = {"float32": "f32", "float16": "f16", "bfloat16": "bf16"}[dtype]
        self.values[name] = tensor(shape, dtype)
        self.lines.append(f'  %{name} = graph.constant "{name}" dense<[{", ".join(f"{n:.6e}" for n in numbers)}]> : tensor<{len(numbers)}x{short}> : '
                          f"{self.values[name]}")

    def text(self, *outputs):
        quoted = lambda names: "[" + ", ".join(f'"{name}"' for name in names) + "]"
        arguments = ", ".join(f"%{name}: {self.values[name]}" for name in self.inputs)
        outs = [f"out_{i}" for i in range(len(outputs))]
        return (f"graph.model @m inputs {quoted(self.inputs)} {quoted([''] * len(self.inputs))} outputs {quoted(outs)} "
                f"{quoted([''] * len(outs))} symbols [{self.symbols}] checks [] {{\n^bb0({arguments}):\n" + "\n".join(self.lines) +
                f"\n  graph.output {', '.join('%' + o for o in outputs)} : {', '.join(self.values[o] for o in outputs)}\n}}\n")


def pointwise_tree():
    """Broadcasting, promotion, numbers, conditions, casts, a view of an input, and a value that is used twice."""
    shape = ("s0", 6)
    g = Graph({"x": (shape,), "y": ((6,),), "i": (shape, "int32"), "t": ((6, "s0"),)}, ["s0"])
    g.call("scaled", "aten::mul.Tensor", {"self": "x", "other": "y"}, (shape,))
    g.call("whole", "aten::add.Tensor", {"self": "scaled", "other": "i"}, (shape,), alpha="2 : i64")
    g.call("flipped", "aten::transpose.int", {"self": "t"}, (shape,), dim0="0 : i64", dim1="1 : i64")
    g.call("is_larger", "aten::gt.Tensor", {"self": "whole", "other": "flipped"}, (shape, "bool"))
    g.call("half", "aten::_to_copy", {"self": "whole"}, (shape, "float16"), dtype='#graph.dtype<"float16">')
    g.call("gelu", "aten::gelu", {"self": "half"}, (shape, "float16"), approximate='"tanh"')
    g.call("chosen", "aten::where.self", {"condition": "is_larger", "self": "gelu", "other": "flipped"}, (shape,))
    g.call("counted", "aten::remainder.Scalar", {"self": "i"}, (shape, "int32"), other="3 : i64")
    g.call("result", "aten::mul.Tensor", {"self": "chosen", "other": "counted"}, (shape,))
    return g.text("result", "scaled", "is_larger"), 3


def lines(length, eps=1e-6):
    """A norm written out, an addition before layer_norm, a mask before softmax."""
    shape = ("s0", 3, length)
    column = ("s0", 3, 1)
    g = Graph({"x": (shape,), "r": (shape,), "w": ((length,),), "m": ((3, length), "bool")}, ["s0"])
    g.call("pow", "aten::pow.Tensor_Scalar", {"self": "x"}, (shape,), exponent="2 : i64")
    g.call("mean", "aten::mean.dim", {"self": "pow"}, (column,), dim="[-1]", keepdim="true")
    g.call("eps", "aten::add.Tensor", {"self": "mean"}, (column,), other=f"{eps:e} : f64")
    g.call("rsqrt", "aten::rsqrt", {"self": "eps"}, (column,))
    g.call("scaled", "aten::mul.Tensor", {"self": "x", "other": "rsqrt"}, (shape,))
    g.call("rms", "aten::mul.Tensor", {"self": "w", "other": "scaled"}, (shape,))
    g.call("sum", "aten::add.Tensor", {"self": "rms", "other": "r"}, (shape,))
    g.call("norm", "aten::layer_norm", {"input": "sum", "weight": "w"}, (shape,), normalized_shape=f"[{length}]")
    g.call("masked", "aten::masked_fill.Scalar", {"self": "norm", "mask": "m"}, (shape,), value="0xFFF0000000000000 : f64")
    g.call("softmax", "aten::softmax.int", {"self": "masked"}, (shape,), dim="2 : i64")
    g.call("half", "aten::_to_copy", {"self": "softmax"}, (shape, "float16"), dtype='#graph.dtype<"float16">')
    g.call("total", "aten::sum.dim_IntList", {"self": "half"}, (("s0", 3), "float16"), dim="[2]")
    return g.text("half", "sum", "rsqrt", "total"), 4


def add_casts(g, dtype, names):
    """Inputs in another type, as values named after them."""
    for name, shape in names.items():
        g.call(f"{name}_{dtype}", "aten::_to_copy", {"self": name}, (shape, dtype), dtype=f'#graph.dtype<"{dtype}">')


def products(dtype, rows):
    """Products of each kind with what alone reads their results; with one row, rows are computed one by one."""
    g = Graph({"x": ((rows, 33),), "w": ((21, 33),), "b": ((21,),), "r": ((rows, 21),), "v": ((33, 20),), "c": ((20,),), "batch": ((3, rows, 33),),
               "column": ((3, rows, 1),)}, ["s0"] if rows == "s0" else [])
    add_casts(g, dtype, {"x": (rows, 33), "w": (21, 33), "b": (21,), "r": (rows, 21), "v": (33, 20), "c": (20,), "batch": (3, rows, 33),
                         "column": (3, rows, 1)})
    t = lambda *shape: (shape, dtype)
    value = lambda name: f"{name}_{dtype}"
    # A residual, and an activation that reads its operand twice.
    g.call("linear", "aten::linear", {"input": value("x"), "weight": value("w"), "bias": value("b")}, t(rows, 21))
    g.call("residual", "aten::add.Tensor", {"self": "linear", "other": value("r")}, t(rows, 21))
    g.call("sigmoid", "aten::sigmoid", {"self": "residual"}, t(rows, 21))
    g.call("swish", "aten::mul.Tensor", {"self": "residual", "other": "sigmoid"}, t(rows, 21))
    # A view in front of what reads it, a column for each, a cast.
    g.call("addmm", "aten::addmm", {"self": value("c"), "mat1": value("x"), "mat2": value("v")}, t(rows, 20), alpha="2 : i64")
    g.call("viewed", "aten::unsqueeze", {"self": "addmm"}, t(1, rows, 20), dim="0 : i64")
    g.call("shifted", "aten::sub.Tensor", {"self": "viewed", "other": value("c")}, t(1, rows, 20))
    g.call("clamped", "aten::clamp", {"self": "shifted"}, t(1, rows, 20), min="-2 : i64", max="3 : i64")
    g.call("wide", "aten::_to_copy", {"self": "clamped"}, ((1, rows, 20), "float32"), dtype='#graph.dtype<"float32">')
    # Batches, an element for each row, a number; truth as the result.
    g.call("matmul", "aten::matmul", {"self": value("batch"), "other": value("v")}, t(3, rows, 20))
    g.call("scaled", "aten::mul.Tensor", {"self": "matmul", "other": value("column")}, t(3, rows, 20))
    g.call("gelu", "aten::gelu", {"self": "scaled"}, t(3, rows, 20), approximate='"tanh"')
    g.call("halved", "aten::div.Scalar", {"self": "gelu"}, t(3, rows, 20), other="3.0 : f64")
    g.call("mm", "aten::mm", {"self": value("x"), "mat2": value("v")}, t(rows, 20))
    g.call("is_positive", "aten::gt.Scalar", {"self": "mm"}, ((rows, 20), "bool"), other="0 : i64")
    outputs = ["wide", "is_positive"]
    for name, shape in {"swish": (rows, 21), "halved": (3, rows, 20)}.items():
        if dtype != "float32":
            g.call(f"{name}_out", "aten::_to_copy", {"self": name}, (shape, "float32"), dtype='#graph.dtype<"float32">')
        outputs.append(name if dtype == "float32" else f"{name}_out")
    return g.text(*outputs), 4 + (8 if dtype != "float32" else 0)


def residual_block(dtype, height=9, width=7):
    """Two convolutions with batch norm, as residual networks have them; weights are constants, so that the norms go."""
    g = Graph({"x": (("s0", 8, height, width),)}, ["s0"])
    add_casts(g, dtype, {"x": ("s0", 8, height, width)})
    t = ("s0", 8, height, width), dtype

    def numbers(count, seed, least=-0.5):
        return [((i * seed + 3) % 17) / 17 + least for i in range(count)]
    for i in (1, 2):
        g.constant(f"w{i}", (8, 8, 3, 3), numbers(8 * 72, 5 + i), dtype)
        for name, least in (("g", 0.5), ("b", -0.5), ("m", -0.5), ("v", 0.5)):
            g.constant(f"{name}{i}", (8,), numbers(8, 7 + i, least), dtype)
    value = f"x_{dtype}"
    for i in (1, 2):
        g.call(f"conv{i}", "aten::conv2d", {"input": value, "weight": f"w{i}"}, t, padding="[1, 1]")
        g.call(f"norm{i}", "aten::batch_norm", {"input": f"conv{i}", "weight": f"g{i}", "bias": f"b{i}", "running_mean": f"m{i}",
                                                "running_var": f"v{i}"}, t, training="false", momentum="1.0e-01 : f64", eps="1.0e-05 : f64",
               cudnn_enabled="true")
        if i == 2:
            g.call("sum", "aten::add.Tensor", {"self": "norm2", "other": f"x_{dtype}"}, t)
        value = f"relu{i}"
        g.call(value, "aten::relu", {"self": "norm1" if i == 1 else "sum"}, t)
    g.call("out", "aten::_to_copy", {"self": "relu2"}, (t[0], "float32"), dtype='#graph.dtype<"float32">')
    # The cast of the input, and in half precision that of the result is part of the second convolution.
    return g.text("out"), 2 + (dtype != "float32")


def library_convolution():
    """A convolution that a library may compute, with a bias and what the kernel behind it does."""
    shape = ("s0", 24, 20, 14)
    g = Graph({"x": (("s0", 16, 20, 14),), "w": ((24, 16, 3, 3),), "b": ((24,),), "r": (shape,)}, ["s0"])
    g.call("convolved", "aten::conv2d", {"input": "x", "weight": "w", "bias": "b"}, (shape,), padding="[1, 1]")
    g.call("sum", "aten::add.Tensor", {"self": "convolved", "other": "r"}, (shape,))
    g.call("out", "aten::relu", {"self": "sum"}, (shape,))
    return g.text("out"), 2


def convolutions():
    """The other kernels of convolutions: groups, one channel a group, one and three dimensions, transposed."""
    g = Graph({"x": (("s0", 6, 11, 5),), "w": ((6, 3, 3, 3),), "d": ((6, 1, 3, 3),), "b": ((6,),), "line": (("s0", 6, 13),), "l": ((4, 6, 3),),
               "r": ((4, 1),), "volume": ((1, 2, 5, 6, 7),), "k": ((3, 2, 3, 3, 3),), "t": ((6, 4, 3, 3),), "s": ((1, 4, 13, 7),)}, ["s0"])
    shape = ("s0", 6, 11, 5)
    g.call("grouped", "aten::conv2d", {"input": "x", "weight": "w", "bias": "b"}, (shape,), padding="[1, 1]", groups="2 : i64")
    g.call("swish", "aten::hardswish", {"self": "grouped"}, (shape,))
    g.call("depthwise", "aten::conv2d", {"input": "x", "weight": "d"}, (shape,), padding="[1, 1]", groups="6 : i64")
    g.call("added", "aten::add.Tensor", {"self": "x", "other": "depthwise"}, (shape,), alpha="3 : i64")
    g.call("silu", "aten::silu", {"self": "added"}, (shape,))
    g.call("conv1d", "aten::conv1d", {"input": "line", "weight": "l"}, (("s0", 4, 11),))
    g.call("channels", "aten::mul.Tensor", {"self": "conv1d", "other": "r"}, (("s0", 4, 11),))
    g.call("conv3d", "aten::conv3d", {"input": "volume", "weight": "k"}, ((1, 3, 3, 4, 5),))
    g.call("tanh", "aten::tanh", {"self": "conv3d"}, ((1, 3, 3, 4, 5),))
    g.call("transposed", "aten::conv_transpose2d.input", {"input": "x", "weight": "t"}, (("s0", 4, 13, 7),))
    g.call("leaky", "aten::leaky_relu", {"self": "transposed"}, (("s0", 4, 13, 7),), negative_slope="1.0e-01 : f64")
    g.call("broadcast", "aten::add.Tensor", {"self": "leaky", "other": "s"}, (("s0", 4, 13, 7),))
    return g.text("swish", "silu", "channels", "tanh", "broadcast"), 5


def library_product():
    """A product that libraries compute for more than a few rows; they take no tail, so that a kernel stands behind them."""
    g = Graph({"x": (("s0", 128),), "w": ((128, 128),), "b": ((128,),), "r": (("s0", 128),)}, ["s0"])
    shape = ("s0", 128)
    g.call("linear", "aten::linear", {"input": "x", "weight": "w", "bias": "b"}, (shape,))
    g.call("relu", "aten::relu", {"self": "linear"}, (shape,))
    g.call("sum", "aten::add.Tensor", {"self": "relu", "other": "r"}, (shape,))
    return g.text("sum"), 2


def attention(form, dtype="float32"):
    """Attention written out: "scaled" (a number behind the product, a mask that is added), "filled" (the number on the queries, scores
    filled with minus infinity), "grouped" (heads of keys repeated), "three" (products of three dimensions between views)."""
    outer, heads, rows, keys, head = 2, 4, "s0", 9, 24
    key_heads = 2 if form == "grouped" else heads
    g = Graph({"q": ((outer, rows, heads, head),), "k": ((outer, keys, key_heads, head),), "v": ((outer, keys, key_heads, head),),
               "m": ((outer, 1, rows, keys),) if form != "filled" else ((rows, keys), "bool")}, ["s0"])
    scores = (outer, heads, rows, keys)
    t = lambda *shape: (shape, dtype)

    def exchanged(name, dims, *shape):
        g.call(f"{name}_{dtype}", "aten::_to_copy", {"self": name}, ((shape[0], shape[2], shape[1], shape[3]), dtype), dtype=f'#graph.dtype<"{dtype}">')
        g.call(f"{name}_heads", "aten::permute", {"self": f"{name}_{dtype}"}, t(*shape), dims=dims)
        return f"{name}_heads"
    q = exchanged("q", "[0, 2, 1, 3]", outer, heads, rows, head)
    k = exchanged("k", "[0, 2, 1, 3]", outer, key_heads, keys, head)
    v = exchanged("v", "[0, 2, 1, 3]", outer, key_heads, keys, head)
    if form == "grouped":
        for name in (k, v):
            g.call(f"{name}_one", "aten::unsqueeze", {"self": name}, t(outer, key_heads, 1, keys, head), dim="2 : i64")
            g.call(f"{name}_all", "aten::expand", {"self": f"{name}_one"}, t(outer, key_heads, 2, keys, head),
                   size=f"[{outer}, {key_heads}, 2, {keys}, {head}]")
            g.call(f"{name}_repeated", "aten::reshape", {"self": f"{name}_all"}, t(outer, heads, keys, head), shape=f"[{outer}, {heads}, {keys}, {head}]")
        k, v = f"{k}_repeated", f"{v}_repeated"
    g.call("k_t", "aten::transpose.int", {"self": k}, t(outer, heads, head, keys), dim0="-2 : i64", dim1="-1 : i64")
    if form == "filled":
        g.call("q_scaled", "aten::mul.Tensor", {"self": q}, t(outer, heads, rows, head), other="2.5e-01 : f64")
        q = "q_scaled"
    if form == "three":
        flat = outer * heads
        g.call("q_flat", "aten::reshape", {"self": q}, t(flat, rows, head), shape=f'[{flat}, #graph.expr<"s0">, {head}]')
        g.call("k_flat", "aten::reshape", {"self": "k_t"}, t(flat, head, keys), shape=f"[{flat}, {head}, {keys}]")
        g.call("v_flat", "aten::reshape", {"self": v}, t(flat, keys, head), shape=f"[{flat}, {keys}, {head}]")
        g.call("flat_scores", "aten::bmm", {"self": "q_flat", "mat2": "k_flat"}, t(flat, rows, keys))
        g.call("scores", "aten::view", {"self": "flat_scores"}, t(*scores), size=f'[{outer}, {heads}, #graph.expr<"s0">, {keys}]')
    else:
        g.call("scores", "aten::matmul", {"self": q, "other": "k_t"}, t(*scores))
    last = "scores"
    if form != "filled":
        g.call("scaled", "aten::div.Tensor", {"self": last}, t(*scores), other="4.5 : f64")
        g.call("mask", "aten::_to_copy", {"self": "m"}, t(outer, 1, rows, keys), dtype=f'#graph.dtype<"{dtype}">')
        g.call("masked", "aten::add.Tensor", {"self": "scaled", "other": "mask"}, t(*scores))
    else:
        # A query that may see no key would get NaN: the first key is always seen.
        g.call("first", "aten::arange", {}, ((keys,), "int64"), end=f"{keys} : i64")
        g.call("behind", "aten::gt.Scalar", {"self": "first"}, ((keys,), "bool"), other="0 : i64")
        g.call("hidden", "aten::logical_and", {"self": "m", "other": "behind"}, ((rows, keys), "bool"))
        g.call("masked", "aten::masked_fill.Scalar", {"self": last, "mask": "hidden"}, t(*scores), value="0xFFF0000000000000 : f64")
    g.call("weights", "aten::softmax.int", {"self": "masked"}, (scores, "float32"), dim="-1 : i64", dtype='#graph.dtype<"float32">')
    g.call("narrow", "aten::_to_copy", {"self": "weights"}, t(*scores), dtype=f'#graph.dtype<"{dtype}">')
    if form == "three":
        g.call("flat_weights", "aten::view", {"self": "narrow"}, t(flat, rows, keys), size=f'[{flat}, #graph.expr<"s0">, {keys}]')
        g.call("product", "aten::bmm", {"self": "flat_weights", "mat2": "v_flat"}, t(flat, rows, head))
        shape = (flat, rows, head)
    else:
        shape = (outer, heads, rows, head)
        g.call("product", "aten::matmul", {"self": "narrow", "other": v}, t(*shape))
    g.call("out", "aten::_to_copy", {"self": "product"}, (shape, "float32"), dtype='#graph.dtype<"float32">')
    # Copies of the three tensors, attention, and the mask that is made; in half precision casts of inputs, mask and result.
    return g.text("out"), 9 if dtype != "float32" else 4 + (form == "filled")


def projections(dtype, op):
    """Queries, keys and values of one input as heads: one product, of which the copies of heads take their parts."""
    g = Graph({"x": (("s0", "s1", 20),)}, ["s0", "s1"])
    add_casts(g, dtype, {"x": ("s0", "s1", 20)})
    t = lambda *shape: (shape, dtype)
    numbers = lambda count, seed: [((i * seed + 3) % 23) / 23 - 0.5 for i in range(count)]
    outputs = []
    for i, (name, heads) in enumerate((("q", 4), ("k", 2), ("v", 2))):
        columns = 8 * heads
        shape = (columns, 20) if op == "linear" else (20, columns)
        g.constant(f"{name}_w", shape, numbers(20 * columns, 5 + i), dtype)
        g.constant(f"{name}_b", (columns,), numbers(columns, 9 + i), dtype)
        if op == "linear":
            g.call(name, "aten::linear", {"input": f"x_{dtype}", "weight": f"{name}_w", "bias": f"{name}_b"}, t("s0", "s1", columns))
        else:
            g.call(f"{name}_x", "aten::view", {"self": f"x_{dtype}"}, t("s0*s1", 20), size='[#graph.expr<"s0*s1">, 20]')
            g.call(name, "aten::addmm", {"self": f"{name}_b", "mat1": f"{name}_x", "mat2": f"{name}_w"}, t("s0*s1", columns))
        g.call(f"{name}_view", "aten::view", {"self": name}, t("s0", "s1", heads, 8), size=f'[#graph.expr<"s0">, #graph.expr<"s1">, {heads}, 8]')
        g.call(f"{name}_heads", "aten::transpose.int", {"self": f"{name}_view"}, t("s0", heads, "s1", 8), dim0="1 : i64", dim1="2 : i64")
        g.call(f"{name}_out", "aten::_to_copy", {"self": f"{name}_heads"}, (("s0", heads, "s1", 8), "float32"), dtype='#graph.dtype<"float32">')
        outputs.append(f"{name}_out")
    return g.text(*outputs), 4 + (dtype != "float32")


def halves():
    """Parts of one product: heads that are exchanged, and the halves of a gated layer."""
    g = Graph({"x": (("s0", 12),), "w": ((24, 12),)}, ["s0"])
    g.call("linear", "aten::linear", {"input": "x", "weight": "w"}, (("s0", 24),))
    for i in range(3):
        g.values[f"part{i}"] = tensor(("s0", 8))
    g.lines.append('  %part0, %part1, %part2 = graph.call "aten::split.Tensor" node "split" (%linear) names ["self"] arguments {split_size = 8 : i64, '
                   f'dim = 1 : i64}} : ({tensor(("s0", 24))}) -> ({", ".join(3 * [tensor(("s0", 8))])})')
    for i in range(3):
        g.call(f"heads{i}", "aten::transpose.int", {"self": f"part{i}"}, ((8, "s0"),), dim0="0 : i64", dim1="1 : i64")
    g.values["gate"] = g.values["up"] = tensor(("s0", 6))
    g.lines.append('  %gate, %up = graph.call "aten::chunk" node "chunk" (%x) names ["self"] arguments {chunks = 2 : i64, dim = 1 : i64} : '
                   f'({tensor(("s0", 12))}) -> ({tensor(("s0", 6))}, {tensor(("s0", 6))})')
    g.call("silu", "aten::silu", {"self": "gate"}, (("s0", 6),))
    g.call("gated", "aten::mul.Tensor", {"self": "silu", "other": "up"}, (("s0", 6),))
    return g.text("heads0", "heads1", "heads2", "gated"), 5
