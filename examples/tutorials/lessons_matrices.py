"""The lessons on products of matrices: matmul, block pointers, grouped, persistent and scaled products, attention."""
import math

import numpy

from launch import Array, Described, Kernel, Table
from lesson import ROUNDOFF, Lesson, ceildiv, power_of_two


def error_function(x):
    return numpy.vectorize(math.erf, otypes=[float])(x)


ACTIVATIONS = {
    "": lambda x: x, "leaky_relu": lambda x: numpy.where(x >= 0, x, 0.01 * x), "relu": lambda x: numpy.maximum(x, 0),
    "silu": lambda x: x / (1 + numpy.exp(-x)), "gelu": lambda x: 0.5 * x * (1 + error_function(x / math.sqrt(2)))}


def torch_activation(torch, kind):
    functional = torch.nn.functional
    return {"": lambda x: x, "leaky_relu": functional.leaky_relu, "relu": functional.relu, "silu": functional.silu, "gelu": functional.gelu}[kind]


class Product(Lesson):
    """C = A . B with A [m, k] and B [k, n]; subclasses launch."""

    def inputs(self, random, dtype, shape, **case):
        m, n, k = shape
        scale = 0.5 if dtype.startswith("fp8") else 1.0
        return {"a": Array.of(scale * random.standard_normal((m, k)), dtype), "b": Array.of(scale * random.standard_normal((k, n)), dtype)}

    def expected(self, x, **case):
        return {"c": x["a"] @ x["b"]}

    def torch(self, torch, x, dtype, **case):
        if dtype.startswith("fp8"):
            return {"c": (x["a"].to(torch.float32) @ x["b"].to(torch.float32)).to(torch.float16)}
        return {"c": torch.matmul(x["a"], x["b"])}

    def tolerance(self, dtype, shape, **case):
        # Sums are kept in float32 and rounded once to the result's type; TF32's products of float32 keep 10 bits.
        # PyTorch rounds the product before the activation, too. Hopper's tensor cores add products of 8-bit floats, 32 along k at a time,
        # to sums of about 14 bits (DeepSeek-V3 technical report, 3.3.2), and cut what is below: the error grows with the number of steps.
        result = {"fp32": 2.0**-11}.get(dtype, ROUNDOFF.get(dtype, 2.0**-11))
        is_fp8 = dtype.startswith("fp8")
        smallest = 2.0**-10 if dtype == "fp32" else 2.0**-11 if is_fp8 else 2.0**-20
        return 4 * result + (shape[2] / 32 * 2.0**-14 if is_fp8 else 0), smallest * shape[2] ** 0.5 * 4


def result_type(dtype):
    return "fp16" if dtype.startswith("fp8") else dtype


class Matmul(Product):
    """Every activation and every configuration of the autotuner; operands stored by columns."""
    name = "matmul"
    cases = ([dict(dtype="fp16", shape=(130, 260, 70), config=6, activation=kind, order="rows") for kind in ACTIVATIONS] +
             [dict(dtype="fp16", shape=(150, 300, 100), config=config, activation="", order="rows") for config in range(8)] +
             [dict(dtype="fp8e5", shape=(150, 300, 160), config=config, activation="relu", order="rows") for config in range(8, 16)] +
             [dict(dtype=dtype, shape=(65, 96, 200), config=7, activation="leaky_relu", order=order) for dtype, order in
              [("fp32", "rows"), ("bf16", "columns"), ("fp16", "columns"), ("fp8e4nv", "columns")]])
    large = ([dict(dtype="fp16", shape=(2048, 2048, 2048), config=config, activation="", order="rows") for config in range(8)] +
             [dict(dtype="fp16", shape=(1000, 3000, 520), config=2, activation=kind, order="rows") for kind in ACTIVATIONS] +
             [dict(dtype="fp8e5", shape=(1024, 1024, 1024), config=config, activation="", order="columns") for config in range(8, 16)] +
             [dict(dtype="bf16", shape=(2048, 4096, 1024), config=0, activation="silu", order="columns")])

    def run(self, launch, x, dtype, shape, config, activation, order):
        m, n, k = shape
        tiles = ([(128, 256), (64, 256), (128, 128), (128, 64), (64, 128), (128, 32), (64, 32), (32, 64)] +
                 [(128, 256), (256, 128), (256, 64), (64, 256), (128, 128), (128, 64), (64, 128), (128, 32)])[config]
        if order == "columns":
            b, strides = Array(dtype, numpy.ascontiguousarray(x["b"].data.T)), (1, k)
        else:
            b, strides = x["b"], (n, 1)
        c, = launch(Kernel("matmul.py", "matmul", (ceildiv(m, tiles[0]) * ceildiv(n, tiles[1]),),
                           dict(a=x["a"], b=b, c=Array.zeros((m, n), result_type(dtype)), m=m, n=n, k=k, a_row=k, a_column=1,
                                b_row=strides[0], b_column=strides[1], c_row=n, c_column=1),
                           dict(ACTIVATION=activation), ["c"], config=config, warps=None))
        return {"c": c}

    def expected(self, x, activation, **case):
        return {"c": ACTIVATIONS[activation](x["a"] @ x["b"])}

    def torch(self, torch, x, activation, **case):
        return {"c": torch_activation(torch, activation)(super().torch(torch, x, **case)["c"])}


class BlockPointers(Product):
    name = "block_pointers"
    cases = [dict(dtype=dtype, shape=shape) for dtype, shape in [("fp16", (100, 70, 90)), ("bf16", (64, 64, 64)), ("fp32", (33, 65, 40))]]
    large = [dict(dtype=dtype, shape=(2048, 2048, 1000)) for dtype in ("fp16", "bf16")]

    def run(self, launch, x, dtype, shape):
        m, n, k = shape
        c, = launch(Kernel("block_pointers.py", "matmul_blocks", (ceildiv(m, 64), ceildiv(n, 64)),
                           dict(a=x["a"], b=x["b"], c=Array.zeros((m, n), dtype), m=m, n=n, k=k, a_row=k, a_column=1, b_row=n, b_column=1,
                                c_row=n, c_column=1), dict(TILE_M=64, TILE_N=64, TILE_K=32), ["c"]))
        return {"c": c}


class Grouped(Lesson):
    """Products of different sizes in one launch, by pointers and by descriptors made on the way."""
    name = "grouped_matmul"
    cases = [dict(dtype="fp16", sizes=((64, 48, 32), (100, 64, 96), (16, 16, 16)), described=described) for described in (False, True)]
    large = [dict(dtype="fp16", sizes=((1024, 1024, 1024), (512, 512, 512), (256, 256, 256), (128, 128, 128)), described=described)
             for described in (False, True)]

    def inputs(self, random, dtype, sizes, described):
        x = {}
        for i, (m, n, k) in enumerate(sizes):
            x[f"a{i}"] = Array.of(random.standard_normal((m, k)), dtype)
            x[f"b{i}"] = Array.of(random.standard_normal((k, n)), dtype)
        return x

    def run(self, launch, x, dtype, sizes, described):
        count = len(sizes)
        b = [x[f"b{i}"] for i in range(count)]
        if described:  # B as [n, k]
            b = [Array(dtype, numpy.ascontiguousarray(array.data.T)) for array in b]
        steps = [step for m, n, k in sizes for step in (k, k if described else n, n)]
        programs = 132 if max(sizes[0]) >= 512 else 8
        constexprs = dict(PROGRAMS=programs, TILE_M=64, TILE_N=64, TILE_K=32) | (dict(FP8=False) if described else {})
        c, = launch(Kernel("grouped_matmul.py", "problems_described" if described else "problems", (programs,),
                           dict(a_addresses=Table([x[f"a{i}"] for i in range(count)]), b_addresses=Table(b),
                                c_addresses=Table([Array.zeros((m, n), dtype) for m, n, _ in sizes]),
                                sizes=Array.of(numpy.array(sizes).reshape(-1), "i32"), steps=Array.of(steps, "i32"), count=count),
                           constexprs, ["c_addresses"]))
        return {f"c{i}": array for i, array in enumerate(c)}

    def expected(self, x, sizes, **case):
        return {f"c{i}": x[f"a{i}"] @ x[f"b{i}"] for i in range(len(sizes))}

    def torch(self, torch, x, sizes, **case):
        return {f"c{i}": x[f"a{i}"] @ x[f"b{i}"] for i in range(len(sizes))}

    def tolerance(self, sizes, **case):
        return 2 * ROUNDOFF["fp16"], 2.0**-18 * max(k for _, _, k in sizes) ** 0.5


class Persistent(Product):
    """The five ways of persistent_matmul.py."""
    name = "persistent_matmul"
    WAYS = ("tile_each", "persistent", "tile_each_described", "persistent_described", "persistent_describing")
    cases = ([dict(dtype="fp16", shape=(200, 160, 128), way=way, halves=False) for way in WAYS] +
             [dict(dtype="fp16", shape=(200, 160, 128), way=way, halves=True) for way in WAYS[3:]] +
             [dict(dtype="fp8e4nv", shape=(128, 128, 256), way=way, halves=False) for way in WAYS])
    large = ([dict(dtype="fp16", shape=(2048, 2048, 2048), way=way, halves=False) for way in WAYS] +
             [dict(dtype="fp16", shape=(2048, 2048, 2048), way=way, halves=True) for way in WAYS[3:]] +
             [dict(dtype="fp8e4nv", shape=(2048, 2048, 2048), way=way, halves=False) for way in WAYS])

    def run(self, launch, x, dtype, shape, way, halves):
        m, n, k = shape
        tile_m, tile_n, tile_k = 64, 64, 32 if dtype == "fp16" else 64
        c = Array.zeros((m, n), result_type(dtype))
        tiles = ceildiv(m, tile_m) * ceildiv(n, tile_n)
        constexprs = dict(TILE_M=tile_m, TILE_N=tile_n, TILE_K=tile_k, BAND=8)
        if way in ("tile_each", "persistent"):
            arguments = dict(a=x["a"], b=x["b"], c=c, m=m, n=n, k=k, a_row=k, a_column=1, b_row=n, b_column=1, c_row=n, c_column=1)
        else:
            transposed = Array(dtype, numpy.ascontiguousarray(x["b"].data.T))
            arguments = dict(a=x["a"], b=transposed, c=c, m=m, n=n, k=k)
            if way.endswith("described"):
                wide = tile_n // 2 if halves else tile_n
                arguments |= dict(a=Described(x["a"], (tile_m, tile_k)), b=Described(transposed, (tile_n, tile_k)), c=Described(c, (tile_m, wide)))
            if way.startswith("persistent"):
                constexprs["HALVES"] = halves
        c, = launch(Kernel("persistent_matmul.py", way, ((6 if tiles < 132 else 132) if way.startswith("persistent") else tiles,), arguments, constexprs,
                           ["c"]))
        return {"c": c}


# e2m1, the 4-bit float of the microscaling formats, by code.
E2M1 = numpy.array([0, 0.5, 1, 1.5, 2, 3, 4, 6])
E2M1 = numpy.concatenate([E2M1, -E2M1])


class ScaledMatmul(Lesson):
    name = "scaled_matmul"
    cases = [dict(formats=formats, shape=(64, 64, 128)) for formats in (("e4m3", "e4m3"), ("e5m2", "e4m3"), ("e2m1", "e2m1"), ("e4m3", "e2m1"))]
    large = [dict(formats=formats, shape=(1024, 1024, 1024)) for formats in (("e4m3", "e4m3"), ("e2m1", "e2m1"))]
    TYPES = {"e4m3": "fp8e4nv", "e5m2": "fp8e5", "e2m1": "u8"}

    def inputs(self, random, formats, shape):
        m, n, k = shape
        x = {}
        for name, size, form in zip("ab", (m, n), formats):
            if form == "e2m1":
                x[name] = Array("u8", random.integers(0, 256, (size, k // 2), dtype=numpy.uint8))
            else:
                x[name] = Array.of(random.standard_normal((size, k)), self.TYPES[form])
            x[name + "_scales"] = Array("u8", random.integers(124, 131, (size, k // 32), dtype=numpy.uint8))
        return x

    def run(self, launch, x, formats, shape):
        m, n, k = shape
        c, = launch(Kernel("scaled_matmul.py", "matmul_scaled", (ceildiv(m, 64), ceildiv(n, 64)),
                           dict(a=x["a"], a_scales=x["a_scales"], b=x["b"], b_scales=x["b_scales"], c=Array.zeros((m, n), "fp32"), m=m, n=n, k=k),
                           dict(A_FORMAT=formats[0], B_FORMAT=formats[1], TILE_M=64, TILE_N=64, TILE_K=64), ["c"]))
        return {"c": c}

    def expected(self, x, formats, **case):
        def full(name, form):
            values = x[name]
            if form == "e2m1":
                codes = values.astype(numpy.uint8)
                values = numpy.stack([E2M1[codes & 15], E2M1[codes >> 4]], axis=-1).reshape(len(codes), -1)
            return values * numpy.repeat(2.0 ** (x[name + "_scales"] - 127), 32, axis=1)
        return {"c": full("a", formats[0]) @ full("b", formats[1]).T}

    def tolerance(self, shape, **case):
        # Products are exact; sums of float32, whose terms may cancel.
        return 1e-5, 2e-4 * shape[2] ** 0.5


class Attention(Lesson):
    """Forward, then backward with the logs that forward stored."""
    name = "attention"
    cases = [dict(dtype=dtype, shape=shape, tiles=tiles, causal=causal) for dtype, shape, tiles, causal in
             [("fp16", (3, 100, 64), (32, 32), False), ("fp16", (2, 128, 32), (64, 32), True), ("bf16", (2, 70, 16), (16, 32), True),
              ("fp16", (1, 65, 40), (32, 16), False)]]
    large = [dict(dtype=dtype, shape=(32, length, dim), tiles=(64, 64), causal=causal) for dtype in ("fp16", "bf16")
             for length, dim in ((1024, 64), (1000, 128)) for causal in (False, True)]

    def inputs(self, random, dtype, shape, **case):
        return {name: Array.of(0.5 * random.standard_normal(shape), dtype) for name in ("q", "k", "v", "out_grad")}

    def run(self, launch, x, dtype, shape, tiles, causal):
        heads, length, dim = shape
        scale = dim ** -0.5
        sizes = dict(DIM=dim, WIDTH=power_of_two(dim))
        blocks = sizes | dict(TILE_Q=tiles[0], TILE_K=tiles[1], CAUSAL=causal)
        grid_q, grid_k = (ceildiv(length, tiles[0]), heads), (ceildiv(length, tiles[1]), heads)
        qkv = {name: x[name] for name in ("q", "k", "v")}
        row = Array.zeros((heads, length), "fp32")
        out, logs = launch(Kernel("attention.py", "forward", grid_q, qkv | dict(out=Array.zeros(shape, dtype), logs=row, scale=scale, length=length),
                                  blocks, ["out", "logs"]))
        products, = launch(Kernel("attention.py", "row_products", grid_q, dict(out=out, out_grad=x["out_grad"], products=row, length=length),
                                  sizes | dict(TILE_Q=tiles[0]), ["products"]))
        given = qkv | dict(out_grad=x["out_grad"], logs=logs, products=products)
        k_grad, v_grad = launch(Kernel("attention.py", "backward_keys", grid_k,
                                       given | dict(k_grad=Array.zeros(shape, dtype), v_grad=Array.zeros(shape, dtype), scale=scale, length=length),
                                       blocks, ["k_grad", "v_grad"]))
        q_grad, = launch(Kernel("attention.py", "backward_queries", grid_q, given | dict(q_grad=Array.zeros(shape, dtype), scale=scale, length=length),
                                blocks, ["q_grad"]))
        return {"out": out, "q_grad": q_grad, "k_grad": k_grad, "v_grad": v_grad}

    def expected(self, x, shape, causal, **case):
        _, length, dim = shape
        q, k, v, g = x["q"], x["k"], x["v"], x["out_grad"]
        scores = q @ k.transpose(0, 2, 1) * dim ** -0.5
        if causal:
            scores = numpy.where(numpy.tri(length, dtype=bool), scores, -numpy.inf)
        shares = numpy.exp(scores - scores.max(2, keepdims=True))
        shares /= shares.sum(2, keepdims=True)
        out = shares @ v
        inner = g @ v.transpose(0, 2, 1)
        gradients = shares * (inner - (g * out).sum(2, keepdims=True)) * dim ** -0.5
        return {"out": out, "q_grad": gradients @ k, "k_grad": gradients.transpose(0, 2, 1) @ q, "v_grad": shares.transpose(0, 2, 1) @ g}

    def torch(self, torch, x, causal, **case):
        leaves = {name: x[name].detach().clone().requires_grad_() for name in ("q", "k", "v")}
        out = torch.nn.functional.scaled_dot_product_attention(leaves["q"][None], leaves["k"][None], leaves["v"][None], is_causal=causal)[0]
        out.backward(x["out_grad"])
        return {"out": out} | {name + "_grad": leaf.grad for name, leaf in leaves.items()}

    def tolerance(self, dtype, **case):
        # Shares and gradients of scores are rounded to dtype before they are multiplied.
        return 4 * ROUNDOFF[dtype], ROUNDOFF[dtype]


LESSONS = [Matmul(), BlockPointers(), Grouped(), Persistent(), ScaledMatmul(), Attention()]
