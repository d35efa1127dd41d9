"""The lessons on vectors and rows: vector add, softmax, dropout, layer normalisation, arcsine."""
import numpy

from launch import Array, Kernel
from lesson import ROUNDOFF, Lesson, ceildiv, power_of_two


class VectorAdd(Lesson):
    name = "vector_add"
    cases = [dict(dtype=dtype, shape=(n,), tile=tile) for dtype, n, tile in
             [("fp32", 1, 128), ("fp32", 98432, 1024), ("fp32", 1000, 256), ("fp16", 4096, 1024), ("fp16", 777, 64), ("bf16", 5001, 1024),
              ("fp64", 3333, 512), ("i32", 2049, 1024), ("i64", 513, 256)]]
    large = [dict(dtype=dtype, shape=(1 << 24,), tile=1024) for dtype in ("fp32", "fp16", "bf16", "fp64", "i32")]

    def inputs(self, random, dtype, shape, tile):
        if dtype.startswith("i"):
            return {name: Array.of(random.integers(-2**20, 2**20, shape), dtype) for name in ("left", "right")}
        return {name: Array.of(random.standard_normal(shape), dtype) for name in ("left", "right")}

    def run(self, launch, x, dtype, shape, tile):
        out, = launch(Kernel("vector_add.py", "add_vectors", (ceildiv(shape[0], tile),),
                             dict(left=x["left"], right=x["right"], out=Array.zeros(shape, dtype), count=shape[0]), dict(TILE=tile), ["out"]))
        return {"out": out}

    def expected(self, x, **case):
        return {"out": x["left"] + x["right"]}

    def torch(self, torch, x, **case):
        return {"out": torch.add(x["left"], x["right"])}

    def tolerance(self, dtype, **case):
        # One rounding.
        return ROUNDOFF.get(dtype, 0), 0


class Softmax(Lesson):
    name = "softmax"
    cases = [dict(dtype=dtype, shape=shape, stages=stages, programs=programs, warps=warps) for dtype, shape, stages, programs, warps in
             [("fp32", (1823, 781), 4, 132, 8), ("fp32", (7, 1), 2, 3, 1), ("fp32", (33, 128), 1, 33, 4), ("fp32", (5, 4000), 2, 2, 8),
              ("fp16", (64, 333), 4, 16, 4), ("bf16", (64, 512), 3, 100, 4)]]
    large = [dict(dtype=dtype, shape=(4096, columns), stages=4, programs=528, warps=8) for dtype in ("fp32", "fp16", "bf16")
             for columns in (256, 1000, 4096, 12672)]

    def inputs(self, random, shape, dtype, **case):
        return {"scores": Array.of(4 * random.standard_normal(shape), dtype)}

    def run(self, launch, x, dtype, shape, stages, programs, warps):
        rows, columns = shape
        out, = launch(Kernel("softmax.py", "softmax_rows", (programs,),
                             dict(out=Array.zeros(shape, dtype), scores=x["scores"], out_step=columns, scores_step=columns, rows=rows,
                                  columns=columns), dict(WIDTH=power_of_two(columns), STAGES=stages), ["out"], warps=warps))
        return {"out": out}

    def expected(self, x, **case):
        weights = numpy.exp(x["scores"] - x["scores"].max(1, keepdims=True))
        return {"out": weights / weights.sum(1, keepdims=True)}

    def torch(self, torch, x, **case):
        return {"out": torch.softmax(x["scores"], dim=1)}

    def tolerance(self, dtype, **case):
        # Rounding of the result, and some units of float32 in exp and the sum; fp16's smallest numbers are absolute.
        return 2 * ROUNDOFF[dtype] + 2e-6, 1e-7 if dtype == "fp16" else 1e-12


def dropout_tolerance(dtype):
    """The quotient is rounded; on a GPU it is one of float32 within 2 ulp; fp16's smallest numbers are a unit of 2^-24 apart."""
    return 2 * ROUNDOFF[dtype] + 3e-7, 2.0**-24 if dtype == "fp16" else 0


class MaskedDropout(Lesson):
    name = "dropout_mask"
    cases = [dict(dtype=dtype, shape=(n,), rate=rate, tile=tile) for dtype, n, rate, tile in
             [("fp32", 10, 0.5, 1024), ("fp32", 5000, 0.25, 256), ("fp16", 1000, 0.5, 128), ("bf16", 333, 0.0, 64)]]
    large = [dict(dtype=dtype, shape=(1 << 22,), rate=0.5, tile=1024) for dtype in ("fp32", "fp16")]

    def inputs(self, random, dtype, shape, rate, tile):
        return {"values": Array.of(random.standard_normal(shape), dtype), "kept": Array.of(random.random(shape) > rate, "i32")}

    def run(self, launch, x, dtype, shape, rate, tile):
        out, = launch(Kernel("dropout.py", "drop_by_mask", (ceildiv(shape[0], tile),),
                             dict(values=x["values"], kept=x["kept"], out=Array.zeros(shape, dtype), count=shape[0], rate=float(rate)),
                             dict(TILE=tile), ["out"]))
        return {"out": out}

    def expected(self, x, rate, **case):
        return {"out": numpy.where(x["kept"] != 0, x["values"] / (1 - rate), 0)}

    def torch(self, torch, x, rate, **case):
        return {"out": torch.where(x["kept"] != 0, x["values"] / (1 - rate), 0)}

    def tolerance(self, dtype, **case):
        return dropout_tolerance(dtype)


def philox(seed, counter):
    """The first of the four numbers that ten rounds of Philox 4x32 make of a counter, as uint32 (Salmon et al., SC 2011)."""
    low = 0xFFFFFFFF
    c0, c1, c2, c3 = counter.astype(numpy.uint64), *(numpy.zeros(counter.shape, numpy.uint64) for _ in range(3))
    k0, k1 = seed & low, (seed >> 32) & low
    for _ in range(10):
        first, second = c0 * numpy.uint64(0xD2511F53), c2 * numpy.uint64(0xCD9E8D57)
        c0, c1, c2, c3 = ((second >> numpy.uint64(32)) ^ c1 ^ numpy.uint64(k0), second & numpy.uint64(low),
                          (first >> numpy.uint64(32)) ^ c3 ^ numpy.uint64(k1), first & numpy.uint64(low))
        k0, k1 = (k0 + 0x9E3779B9) & low, (k1 + 0xBB67AE85) & low
    return c0.astype(numpy.uint32)


def uniform(seed, counter):
    """tl.rand: the number's distance from zero as a signed integer, scaled to [0, 1), in float32 as the kernel does it."""
    n = philox(seed, counter).view(numpy.int32)
    return numpy.where(n < 0, -n - 1, n).astype(numpy.float32) * numpy.float32(4.6566127342e-10)


class SeededDropout(Lesson):
    name = "dropout_seed"
    cases = [dict(dtype=dtype, shape=(n,), rate=rate, seed=seed, tile=tile) for dtype, n, rate, seed, tile in
             [("fp32", 10, 0.5, 123, 1024), ("fp32", 20000, 0.5, 512, 1024), ("fp32", 4097, 0.1, 2**31 - 1, 256),
              ("fp16", 1000, 0.9, 7, 128), ("fp32", 3000, 0.3, 2**40 + 5, 256)]]
    large = [dict(dtype=dtype, shape=(1 << 22,), rate=0.3, seed=99, tile=1024) for dtype in ("fp32", "fp16")]

    def inputs(self, random, dtype, shape, **case):
        return {"values": Array.of(random.standard_normal(shape), dtype)}

    def run(self, launch, x, dtype, shape, rate, seed, tile):
        out, = launch(Kernel("dropout.py", "drop_by_seed", (ceildiv(shape[0], tile),),
                             dict(values=x["values"], out=Array.zeros(shape, dtype), count=shape[0], rate=float(rate), seed=seed),
                             dict(TILE=tile), ["out"]))
        return {"out": out}

    def expected(self, x, shape, rate, seed, **case):
        keep = uniform(seed, numpy.arange(shape[0])) > numpy.float32(rate)
        if shape[0] > 2000:  # far beyond chance
            assert abs(keep.mean() - (1 - rate)) < 6 * (rate * (1 - rate) / shape[0]) ** 0.5
        return {"out": numpy.where(keep, x["values"] / (1 - rate), 0)}

    def tolerance(self, dtype, **case):
        return dropout_tolerance(dtype)


class RowsDropout(Lesson):
    name = "dropout_rows"
    cases = [dict(dtype="fp32", shape=(13, 300), rate=0.4, tile=128), dict(dtype="fp16", shape=(4, 64), rate=0.5, tile=64)]
    large = [dict(dtype="fp32", shape=(1024, 3000), rate=0.4, tile=1024)]

    def inputs(self, random, dtype, shape, **case):
        return {"values": Array.of(random.standard_normal(shape), dtype), "seeds": Array.of(random.integers(0, 2**31, shape[0]), "i32")}

    def run(self, launch, x, dtype, shape, rate, tile):
        out, = launch(Kernel("dropout.py", "drop_rows_by_seeds", (shape[0],),
                             dict(values=x["values"], seeds=x["seeds"], out=Array.zeros(shape, dtype), columns=shape[1], row_step=shape[1],
                                  rate=float(rate)), dict(TILE=tile), ["out"]))
        return {"out": out}

    def expected(self, x, shape, rate, **case):
        keep = numpy.stack([uniform(int(seed), numpy.arange(shape[1])) > numpy.float32(rate) for seed in x["seeds"]])
        return {"out": numpy.where(keep, x["values"] / (1 - rate), 0)}

    def tolerance(self, dtype, **case):
        return dropout_tolerance(dtype)


class LayerNorm(Lesson):
    """Forward, then backward in two stages with the means that forward stored."""
    name = "layer_norm"
    cases = [dict(dtype=dtype, shape=shape, tile=tile, parts=parts, warps=warps) for dtype, shape, tile, parts, warps in
             [("fp32", (151, 1000), 256, 8, 4), ("fp32", (1, 17), 64, 4, 1), ("fp32", (40, 512), 512, 64, 4), ("fp16", (128, 800), 1024, 16, 8),
              ("bf16", (33, 96), 32, 3, 2)]]
    large = [dict(dtype=dtype, shape=(4096, columns), tile=1024, parts=parts, warps=8) for dtype in ("fp16", "bf16", "fp32")
             for columns, parts in ((1000, 128), (4096, 96), (8192, 64))]
    epsilon = 1e-5

    def inputs(self, random, dtype, shape, **case):
        columns = shape[1]
        return {"x": Array.of(-2.3 + 0.5 * random.standard_normal(shape), dtype), "weight": Array.of(random.random(columns), dtype),
                "bias": Array.of(random.random(columns), dtype), "y_grad": Array.of(0.1 * random.standard_normal(shape), dtype)}

    def run(self, launch, x, dtype, shape, tile, parts, warps):
        rows, columns = shape
        step = dict(row_step=columns, columns=columns)
        y, means, inverses = launch(Kernel(
            "layer_norm.py", "normalize", (rows,),
            dict(x=x["x"], y=Array.zeros(shape, dtype), weight=x["weight"], bias=x["bias"], means=Array.zeros(rows, "fp32"),
                 inverses=Array.zeros(rows, "fp32"), **step, epsilon=self.epsilon), dict(TILE=tile), ["y", "means", "inverses"], warps=warps))
        # The sums need not be zero: the first to come to each does not read it.
        sums = Array.of(numpy.full((parts, columns), 1e30), "fp32")
        x_grad, weight_parts, bias_parts, locks = launch(Kernel(
            "layer_norm.py", "backward_rows", (rows,),
            dict(x_grad=Array.zeros(shape, dtype), y_grad=x["y_grad"], weight_parts=sums, bias_parts=sums, x=x["x"], weight=x["weight"],
                 means=means, inverses=inverses, locks=Array.zeros(2 * parts, "i32"), **step),
            dict(PARTS=parts, TILE=power_of_two(columns)), ["x_grad", "weight_parts", "bias_parts", "locks"], warps=warps))
        weight_grad, bias_grad = launch(Kernel(
            "layer_norm.py", "add_parts", (ceildiv(columns, 128),),
            dict(weight_parts=weight_parts, bias_parts=bias_parts, weight_grad=Array.zeros(columns, dtype),
                 bias_grad=Array.zeros(columns, dtype), parts=min(parts, rows), columns=columns), dict(TILE_M=32, TILE_N=128),
            ["weight_grad", "bias_grad"]))
        return {"y": y, "x_grad": x_grad, "weight_grad": weight_grad, "bias_grad": bias_grad, "locks": locks}

    def expected(self, x, shape, parts, **case):
        v, g = x["x"], x["y_grad"]
        inverse = 1 / numpy.sqrt(v.var(1, keepdims=True) + self.epsilon)
        normal = (v - v.mean(1, keepdims=True)) * inverse
        wg = g * x["weight"]
        x_grad = (wg - normal * (wg * normal).mean(1, keepdims=True) - wg.mean(1, keepdims=True)) * inverse
        # All locks are open in the end, and the sums of rows that there are were begun.
        locks = numpy.concatenate([numpy.zeros(parts), numpy.arange(parts) < shape[0]])
        return {"y": normal * x["weight"] + x["bias"], "x_grad": x_grad, "weight_grad": (g * normal).sum(0), "bias_grad": g.sum(0),
                "locks": locks}

    def torch(self, torch, x, **case):
        leaves = {name: x[name].detach().clone().requires_grad_() for name in ("x", "weight", "bias")}
        y = torch.nn.functional.layer_norm(leaves["x"], leaves["weight"].shape, leaves["weight"], leaves["bias"], self.epsilon)
        y.backward(x["y_grad"])
        return {"y": y, "x_grad": leaves["x"].grad, "weight_grad": leaves["weight"].grad, "bias_grad": leaves["bias"].grad}

    def tolerance(self, dtype, shape, **case):
        # Results of order one are rounded to dtype; sums over rows and columns are of float32.
        return 4 * ROUNDOFF[dtype] + 1e-5, 2 * ROUNDOFF[dtype] + 1e-6 * shape[0] ** 0.5


class Arcsine(Lesson):
    name = "arcsine"
    cases = [dict(dtype=dtype, shape=(n,), tile=tile) for dtype, n, tile in [("fp32", 98432, 1024), ("fp32", 5, 16), ("fp64", 1000, 256)]]
    large = [dict(dtype=dtype, shape=(1 << 22,), tile=1024) for dtype in ("fp32", "fp64")]

    def inputs(self, random, dtype, shape, **case):
        return {"x": Array.of(random.uniform(-1, 1, shape), dtype)}

    def run(self, launch, x, dtype, shape, tile):
        y, = launch(Kernel("arcsine.py", "arcsine", (ceildiv(shape[0], tile),), dict(x=x["x"], y=Array.zeros(shape, dtype), count=shape[0]),
                           dict(TILE=tile), ["y"]))
        return {"y": y}

    def expected(self, x, **case):
        return {"y": numpy.arcsin(x["x"])}

    def torch(self, torch, x, **case):
        return {"y": torch.asin(x["x"])}

    def tolerance(self, dtype, **case):
        # CUDA states 2 ulp for asinf and for asin.
        return 6 * ROUNDOFF[dtype], 0


LESSONS = [VectorAdd(), Softmax(), MaskedDropout(), SeededDropout(), RowsDropout(), LayerNorm(), Arcsine()]
