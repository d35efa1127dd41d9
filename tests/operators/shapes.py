"""Cases of views, copies, creation and casts."""
import math

import numpy as np

from graphs import Case, Dtype, Size, Tensor
from pointwise import EDGES, edges, numbers

TYPES = ("float32", "float16", "bfloat16", "int64", "int8", "bool", "float64")


def of(values, dtype):
    """The reference's result, with the values of the input's type as they are."""
    return Tensor(np.array(values, order="C"), dtype)


def unary(op, shape, function, dtype="float32", **arguments):
    x = numbers(shape, dtype)
    return Case(f"aten::{op}", {"self": x, **arguments}, of(function(x.values), dtype))


def views():
    for dtype in TYPES:
        yield unary("view", (4, 6), lambda x: x.reshape(2, 2, 6), dtype, size=[2, 2, -1])
        yield unary("permute", (2, 3, 4), lambda x: x.transpose(2, 0, 1), dtype, dims=[2, 0, -2])
        yield unary("slice.Tensor", (5, 7), lambda x: x[:, 1:6:2], dtype, dim=1, start=1, end=-1, step=2)
    for op in ("alias", "detach", "clone", "contiguous", "lift_fresh_copy"):
        yield unary(op, (3, 4), lambda x: x)
    yield Case("aten::dropout", {"input": numbers((3,), "float32"), "p": 0.5, "train": False}, numbers((3,), "float32"))
    x = numbers((2, 3), "float32")
    yield Case("aten::reshape", {"self": x, "shape": [-1]}, of(x.values.reshape(6), "float32"))
    yield unary("_unsafe_view", (2, 3), lambda x: x.reshape(3, 2), size=[3, 2])
    yield unary("view", (0, 4), lambda x: x.reshape(2, 0), size=[2, 0])
    yield unary("view", (1, 1), lambda x: x.reshape(()), size=[])
    yield unary("view_as", (2, 3), lambda x: x.reshape(6), other=numbers((6,), "int32"))
    yield unary("reshape_as", (2, 3), lambda x: x.reshape(3, 2), other=numbers((3, 2), "int32"))
    yield unary("flatten.using_ints", (2, 3, 4), lambda x: x.reshape(2, 12), start_dim=1)
    yield unary("flatten.using_ints", (), lambda x: x.reshape(1))
    yield unary("unflatten.int", (2, 12), lambda x: x.reshape(2, 3, 4), dim=-1, sizes=[3, -1])
    yield unary("unsqueeze", (2, 3), lambda x: x[:, :, None], dim=-1)
    yield unary("unsqueeze", (), lambda x: x.reshape(1), dim=0)
    yield unary("squeeze", (1, 3, 1), lambda x: x.reshape(3))
    yield unary("squeeze.dim", (1, 3, 1), lambda x: x.reshape(1, 3), dim=2)
    yield unary("squeeze.dim", (2, 3), lambda x: x, dim=0)
    yield unary("squeeze.dims", (1, 3, 1), lambda x: x.reshape(3), dim=[0, -1])
    yield unary("transpose.int", (2, 3, 4), lambda x: x.swapaxes(1, 2), dim0=1, dim1=-1)
    yield unary("transpose.int", (1, 3, 1), lambda x: x.swapaxes(0, 2), dim0=0, dim1=2)
    yield unary("transpose.int", (65, 130), lambda x: x.T, dim0=0, dim1=1)
    yield unary("swapaxes", (2, 3), lambda x: x.T, axis0=0, axis1=1)
    yield unary("t", (2, 3), lambda x: x.T)
    yield unary("t", (3,), lambda x: x)
    yield unary("movedim.intlist", (2, 3, 4, 5), lambda x: np.moveaxis(x, (0, 1), (2, 0)), source=[0, 1], destination=[2, 0])
    yield unary("mT", (2, 3, 4), lambda x: x.swapaxes(1, 2))
    yield unary("movedim.int", (2, 3, 4), lambda x: np.moveaxis(x, 0, -1), source=0, destination=-1)
    for indices in ([2], [1, 4], [3, 2, 9], [-1]):
        x = numbers((3, 5), "float32")
        parts = np.split(x.values, [index + 5 if index < 0 else index for index in indices], 1)
        parts = [part if part.size else np.zeros((3, 0)) for part in parts]
        yield Case("aten::tensor_split.indices", {"self": x, "indices": indices, "dim": 1}, *[[of(part, "float32") for part in parts]])
    yield unary("unfold", (3, 9, 2), lambda x: np.lib.stride_tricks.sliding_window_view(x, 4, 1)[:, ::2], dimension=1, size=4, step=2)
    x = numbers((8, 2), "float32")
    yield Case("aten::tensor_split.sections", {"self": x, "sections": 3}, [of(part, "float32") for part in np.array_split(x.values, 3)])
    yield unary("permute", (2, 1, 3), lambda x: x.transpose(1, 0, 2), dims=[1, 0, 2])
    yield unary("permute", (3, 5, 2, 7), lambda x: x.transpose(0, 2, 3, 1), dims=[0, 2, 3, 1])
    yield unary("expand", (3, 1), lambda x: np.broadcast_to(x, (2, 3, 4)), size=[2, -1, 4])
    yield unary("expand", (3, 4), lambda x: x, size=[3, 4])
    yield unary("expand", (), lambda x: np.broadcast_to(x, (2, 3)), size=[2, 3])
    yield unary("expand_as", (3, 1), lambda x: np.broadcast_to(x, (3, 5)), other=numbers((3, 5), "int32"))
    yield unary("broadcast_to", (4,), lambda x: np.broadcast_to(x, (0, 4)), size=[0, 4])
    for start, end, step in ((None, None, 1), (2, None, 1), (-3, -1, 1), (0, 2**63 - 1, 3), (5, 2, 1), (-100, 3, 1), (4, 100, 2)):
        yield unary("slice.Tensor", (7, 3), lambda x: x[start:end:step], start=start, end=end, step=step)
        yield unary("slice.Tensor", (2, 7), lambda x: x[:, start:end:step], dim=1, start=start, end=end, step=step)
    yield unary("narrow", (7, 3), lambda x: x[2:6], dim=0, start=2, length=4)
    yield unary("select.int", (4, 5), lambda x: x[:, -2], dim=1, index=-2)
    yield unary("select.int", (4,), lambda x: x[3], dim=0, index=3)
    yield unary("flip", (3, 4), lambda x: x[::-1, ::-1], dims=[0, 1])
    yield unary("flip", (3, 4, 2), lambda x: x[:, ::-1], dims=[1])
    yield unary("diagonal", (3, 5), lambda x: np.diagonal(x))
    yield unary("diagonal", (3, 5), lambda x: np.diagonal(x, -1), offset=-1)
    yield unary("diagonal", (3, 5), lambda x: np.diagonal(x, 9), offset=9)
    yield unary("diagonal_copy", (4, 3, 2, 5), lambda x: np.diagonal(x, 2, 0, 3), offset=2, dim1=0, dim2=-1)
    yield unary("diagonal", (4, 3, 2, 5), lambda x: np.diagonal(x, 1, 3, 1), offset=1, dim1=3, dim2=1)
    yield unary("as_strided", (12,), lambda x: np.lib.stride_tricks.as_strided(x[1:], (3, 2), (4 * x.itemsize, x.itemsize)), size=[3, 2], stride=[4, 1],
                storage_offset=1)
    for op, shape, parts, arguments in (
            ("split.Tensor", (7, 3), lambda x: [x[:3], x[3:6], x[6:]], {"split_size": 3}),
            ("split.Tensor", (3, 6), lambda x: [x[:, :3], x[:, 3:]], {"split_size": 3, "dim": -1}),
            ("split_with_sizes", (7, 3), lambda x: [x[:1], x[1:1], x[1:]], {"split_sizes": [1, 0, 6]}),
            ("chunk", (7, 3), lambda x: [x[:3], x[3:6], x[6:]], {"chunks": 3}), ("chunk", (4, 6), lambda x: [x[:, :3], x[:, 3:]], {"chunks": 2, "dim": 1}),
            ("chunk", (2, 1), lambda x: [x[:1], x[1:]], {"chunks": 5}), ("unbind.int", (2, 3), lambda x: [x[0], x[1]], {}),
            ("unbind.int", (2, 3), lambda x: [x[:, 0], x[:, 1], x[:, 2]], {"dim": 1})):
        x = numbers(shape, "float32")
        yield Case(f"aten::{op}", {"self": x, **arguments}, [of(part, "float32") for part in parts(x.values)])


def copies():
    for dtype in ("float32", "bfloat16", "int32", "bool"):
        a, b, c = numbers((2, 3), dtype, 1), numbers((2, 1), dtype, 2), numbers((2, 4), dtype, 3)
        yield Case("aten::cat", {"tensors": [a, b, c], "dim": -1}, of(np.concatenate([a.values, b.values, c.values], 1), dtype))
        yield Case("aten::stack", {"tensors": [a, a], "dim": 1}, of(np.stack([a.values, a.values], 1), dtype))
    a, b = numbers((2, 3), "float32", 1), numbers((4, 3), "float32", 2)
    yield Case("aten::cat", {"tensors": [a, b]}, of(np.concatenate([a.values, b.values]), "float32"))
    yield Case("aten::cat", {"tensors": [numbers((0,), "float32"), a, numbers((0, 3), "float32")]}, of(a.values, "float32"))
    yield Case("aten::cat", {"tensors": [numbers((3,), "int64", 1), numbers((2,), "float16", 2)]},
               Tensor(np.concatenate([numbers((3,), "int64", 1).wide, numbers((2,), "float16", 2).wide]), "float16"))
    yield Case("aten::stack", {"tensors": [numbers((), "float32", i) for i in range(3)]}, of(np.stack([numbers((), "float32", i).values for i in range(3)]), "float32"))
    x = numbers((2, 3, 4), "float32", 4)
    yield Case("aten::constant_pad_nd", {"self": x, "pad": [1, 2, 0, 1], "value": 2.5},
               of(np.pad(x.values, ((0, 0), (0, 1), (1, 2)), constant_values=2.5), "float32"))
    yield Case("aten::constant_pad_nd", {"self": x, "pad": [-1, 1, 0, -2]}, of(np.pad(x.values, ((0, 0), (0, 0), (0, 1)))[:, :1, 1:], "float32"))
    yield Case("aten::pad", {"self": numbers((3,), "bool"), "pad": [1, 1], "value": 1.0}, of(np.pad(numbers((3,), "bool").values, 1, constant_values=True), "bool"))
    yield Case("aten::pad", {"self": numbers((3, 2), "int64"), "pad": [0, 0]}, of(numbers((3, 2), "int64").values, "int64"))
    for mode, numpy_mode in (("reflect", "reflect"), ("replicate", "edge"), ("circular", "wrap")):
        yield Case("aten::pad", {"self": x, "pad": [3, 2, 1, 2], "mode": mode}, of(np.pad(x.values, ((0, 0), (1, 2), (3, 2)), mode=numpy_mode), "float32"))
        yield Case("aten::pad", {"self": x, "pad": [1, 1], "mode": mode}, of(np.pad(x.values, ((0, 0), (0, 0), (1, 1)), mode=numpy_mode), "float32"))
    yield unary("repeat", (2, 3), lambda x: np.tile(x, (2, 1, 3)), repeats=[2, 1, 3])
    yield unary("repeat", (2,), lambda x: np.tile(x, 0), repeats=[0])
    yield unary("repeat", (), lambda x: np.tile(x, 4), "int64", repeats=[4])
    yield unary("repeat_interleave.self_int", (2, 3), lambda x: np.repeat(x, 3), repeats=3)
    yield unary("repeat_interleave.self_int", (2, 3, 2), lambda x: np.repeat(x, 4, 1), "int64", repeats=4, dim=-2, output_size=12)
    yield unary("repeat_interleave.self_int", (), lambda x: np.repeat(x, 2), repeats=2)
    yield unary("repeat_interleave.self_int", (2, 3), lambda x: np.repeat(x, 0, 0), repeats=0, dim=0)
    yield unary("roll", (3, 5), lambda x: np.roll(x, (1, -7), (0, 1)), shifts=[1, -7], dims=[0, 1])
    yield unary("roll", (3, 5), lambda x: np.roll(x, 4), shifts=[4])
    for diagonal in (0, 1, -2, 10**12):
        yield unary("tril", (2, 3, 4), lambda x: np.tril(x, min(diagonal, 100)), diagonal=diagonal)
        yield unary("triu", (4, 3), lambda x: np.triu(x, min(diagonal, 100)), "int64", diagonal=diagonal)
    yield unary("tril", (4, 4), lambda x: np.tril(x), "bool")

    # Runs that are long enough to be tiles of rows and columns.
    x = numbers((5, 70), "float32", 4)
    yield unary("roll", (5, 70), lambda x: np.roll(x, (2, 33), (0, 1)), shifts=[2, 33], dims=[0, 1])
    yield unary("repeat", (2, 33), lambda x: np.tile(x, (3, 2)), "bfloat16", repeats=[3, 2])
    yield unary("tril", (3, 50, 60), lambda x: np.tril(x, -3), "float16", diagonal=-3)
    yield unary("flip", (3, 4, 1100), lambda x: x[:, ::-1, ::-1], dims=[1, 2])
    yield unary("permute", (3, 40, 5, 64), lambda x: x.transpose(0, 2, 1, 3), "int64", dims=[0, 2, 1, 3])
    yield unary("permute", (3, 40, 5, 64), lambda x: x.transpose(3, 1, 2, 0), "int8", dims=[3, 1, 2, 0])
    yield unary("slice.Tensor", (7, 2100), lambda x: x[:, 3:2099:2], "float16", dim=1, start=3, end=-1, step=2)
    yield Case("aten::cat", {"tensors": [x, numbers((5, 1), "float32"), x], "dim": 1}, of(np.concatenate([x.values, numbers((5, 1), "float32").values, x.values], 1), "float32"))
    yield Case("aten::constant_pad_nd", {"self": x, "pad": [3, 40, 1, 1], "value": -1}, of(np.pad(x.values, ((1, 1), (3, 40)), constant_values=-1), "float32"))
    yield Case("aten::pad", {"self": x, "pad": [60, 60, 2, 3], "mode": "reflect"}, of(np.pad(x.values, ((2, 3), (60, 60)), mode="reflect"), "float32"))
    yield Case("aten::diff", {"self": x, "prepend": numbers((5, 1), "float32")}, of(np.diff(np.concatenate([numbers((5, 1), "float32").values, x.values], 1)), "float32"))

    base, source = numbers((4, 5), "float32", 1), numbers((4, 2), "float32", 2)
    changed = base.values.copy()
    changed[:, 1:4:2] = source.values
    yield Case("aten::slice_scatter", {"self": base, "src": source, "dim": 1, "start": 1, "end": 4, "step": 2}, of(changed, "float32"))
    changed = base.values.copy()
    changed[2] = numbers((5,), "float32", 3).values
    yield Case("aten::select_scatter", {"self": base, "src": numbers((5,), "float32", 3), "dim": 0, "index": -2}, of(changed, "float32"))
    changed = base.values.copy()
    changed.reshape(-1)[3:3 + 2 * 6:6], changed.reshape(-1)[4:4 + 2 * 6:6] = numbers((2, 2), "float32", 3).values.T
    yield Case("aten::as_strided_scatter", {"self": base, "src": numbers((2, 2), "float32", 3), "size": [2, 2], "stride": [6, 1], "storage_offset": 3}, of(changed, "float32"))
    for dtype in ("int64", "float16", "bool"):
        x, first, last = numbers((3, 5), dtype, 1), numbers((3, 1), dtype, 2), numbers((3, 2), dtype, 3)
        difference = lambda values: Tensor(np.diff(values) if dtype != "float16" else np.diff(values.astype(float)), dtype)
        yield Case("aten::diff", {"self": x}, difference(x.values))
        yield Case("aten::diff", {"self": x, "dim": 1, "prepend": first}, difference(np.concatenate([first.values, x.values], 1)))
        yield Case("aten::diff", {"self": x, "prepend": first, "append": last}, difference(np.concatenate([first.values, x.values, last.values], 1)))
    yield Case("aten::diff", {"self": numbers((3, 5), "int64"), "dim": 0}, of(np.diff(numbers((3, 5), "int64").values, axis=0), "int64"))


def spread():
    """Elements that are there several times, or change places with channels."""
    for dtype in TYPES:
        yield unary("tile", (2, 3), lambda x: np.tile(x, (2, 1, 2)), dtype, dims=[2, 1, 2])
        a, b, c = numbers((3,), dtype), numbers((), dtype), numbers((130,), dtype)
        for indexing in ("ij", "xy"):
            grids = np.meshgrid(a.values, b.values, c.values, indexing=indexing)
            yield Case("aten::meshgrid.indexing", {"tensors": [a, b, c], "indexing": indexing}, [of(grid, dtype) for grid in grids])
        a, b = numbers((3, 1), dtype), numbers((2, 1, 4), dtype)
        yield Case("aten::broadcast_tensors", {"tensors": [a, b]}, [of(x, dtype) for x in np.broadcast_arrays(a.values, b.values)])
        yield unary("pixel_shuffle", (2, 8, 3, 5), lambda x: x.reshape(2, 2, 2, 2, 3, 5).transpose(0, 1, 4, 2, 5, 3).reshape(2, 2, 6, 10), dtype,
                    upscale_factor=2)
        yield unary("pixel_unshuffle", (2, 2, 6, 9), lambda x: x.reshape(2, 2, 2, 3, 3, 3).transpose(0, 1, 3, 5, 2, 4).reshape(2, 18, 2, 3), dtype,
                    downscale_factor=3)
        yield unary("zero", (3, 4), np.zeros_like, dtype)
    yield unary("tile", (2, 3), lambda x: np.tile(x, (1, 2)), dims=[2])
    a, b = numbers((3,), "int64"), numbers((2,), "float32")
    yield Case("aten::meshgrid", {"tensors": [a, b]}, [of(x, t) for x, t in zip(np.meshgrid(a.values, b.values, indexing="ij"), ("int64", "float32"))])
    yield unary("pixel_shuffle", (9, 2, 2), lambda x: x.reshape(1, 3, 3, 2, 2).transpose(0, 3, 1, 4, 2).reshape(1, 6, 6), upscale_factor=3)


def free():
    """Views that lie in the memory of their input: engines of them have no kernels."""
    for op, shape, function, arguments in (
            ("view", (4, 6), lambda x: x.reshape(24), {"size": [24]}), ("unsqueeze", (4,), lambda x: x[None], {"dim": 0}),
            ("squeeze", (1, 4), lambda x: x[0], {}), ("permute", (4, 1, 6), lambda x: x.transpose(1, 0, 2), {"dims": [1, 0, 2]}),
            ("expand", (4, 6), lambda x: x, {"size": [-1, 6]}), ("slice.Tensor", (4, 6), lambda x: x, {"dim": 1, "end": 2**63 - 1}),
            ("contiguous", (3,), lambda x: x, {}), ("clone", (3,), lambda x: x, {}), ("chunk", (3,), lambda x: x, {"chunks": 1}),
            ("to.dtype", (3,), lambda x: x, {"dtype": Dtype("float32")})):
        x = numbers(shape, "float32")
        yield Case(f"aten::{op}", {"self": x, **arguments}, of(function(x.values), "float32"))


def shared():
    """Views of values of which one is then changed in place: the others must stay what they were."""
    def scattered(base, source):
        changed = base.values.copy()
        changed[1:3] = source.values
        return Case("aten::slice_scatter", {"self": base, "src": source, "start": 1, "end": 3}, of(changed, "float32"))

    source = numbers((2, 6), "float32", 9)
    for order in range(4):
        x = numbers((4, 6), "float32", order)
        first = Case("aten::neg", {"self": x}, of(-x.values, "float32"), is_output=False)
        value = first.results[0]
        view = Case("aten::view", {"self": value, "size": [24]}, of(value.values.reshape(24), "float32"), is_output=False)
        again = Case("aten::view", {"self": view.results[0], "size": [4, 6]}, of(value.values, "float32"), is_output=False)
        user = lambda tensor: Case("aten::abs", {"self": tensor}, of(np.abs(tensor.values), "float32"))
        change = scattered(again.results[0] if order % 2 else value, source)
        yield from (first, view, again)
        yield from (user(view.results[0]), change) if order < 2 else (change, user(view.results[0]))
        yield user(change.results[0])
    base = numbers((4, 6), "float32", 7)  # an input, which belongs to the caller
    view = Case("aten::view", {"self": base, "size": [2, 12]}, of(base.values.reshape(2, 12), "float32"))
    back = Case("aten::reshape", {"self": view.results[0], "shape": [4, 6]}, of(base.values, "float32"))
    yield from (view, back, scattered(back.results[0], source), scattered(base, source), Case("aten::abs", {"self": base}, of(np.abs(base.values), "float32")))


def creation():
    like = numbers((2, 3), "float16")
    for dtype in TYPES + ("uint8",):
        yield Case("aten::full", {"size": [2, 3], "fill_value": 3, "dtype": Dtype(dtype)}, Tensor(np.full((2, 3), 3), dtype))
        yield Case("aten::ones_like", {"self": like, "dtype": Dtype(dtype)}, Tensor(np.ones((2, 3)), dtype))
    for value in (math.inf, -math.inf, math.nan, 0.1, 1e30, -2.5):
        yield Case("aten::full", {"size": [3], "fill_value": value}, Tensor(np.full(3, value), "float32"))
    yield Case("aten::full", {"size": [3], "fill_value": True}, Tensor(np.full(3, True), "bool"))
    yield Case("aten::full", {"size": [3], "fill_value": 2**40, "pin_memory": False, "device": "cpu"}, Tensor(np.full(3, 2**40), "int64"))
    yield Case("aten::full", {"size": [], "fill_value": -1, "dtype": Dtype("int64")}, Tensor(-1, "int64"))
    classes = Tensor([[0, 3, 4], [2, 2, 1]], "int64")
    yield Case("aten::one_hot", {"self": classes, "num_classes": 5}, Tensor(np.eye(5)[classes.values], "int64"))
    for dtype in ("float32", "bfloat16", "int64", "bool"):
        yield Case("aten::eye", {"n": 5, "dtype": Dtype(dtype)}, Tensor(np.eye(5), dtype))
        yield Case("aten::eye.m", {"n": 3, "m": 40, "dtype": Dtype(dtype)}, Tensor(np.eye(3, 40), dtype))
    yield Case("aten::zeros", {"size": [2, 0]}, Tensor(np.zeros((2, 0)), "float32"))
    yield Case("aten::ones", {"size": [1500]}, Tensor(np.ones(1500), "float32"))
    yield Case("aten::zeros_like", {"self": like}, Tensor(np.zeros((2, 3)), "float16"))
    yield Case("aten::empty_like", {"self": like, "memory_format": "preserve_format"}, Tensor(np.zeros((2, 3)), "float16"))
    yield Case("aten::full_like", {"self": like, "fill_value": -2.5}, Tensor(np.full((2, 3), -2.5), "float16"))
    yield Case("aten::new_ones", {"self": like, "size": [4], "dtype": Dtype("bool")}, Tensor(np.ones(4), "bool"))
    yield Case("aten::new_zeros", {"self": like, "size": [4]}, Tensor(np.zeros(4), "float16"))
    yield Case("aten::new_full", {"self": like, "size": [4], "fill_value": 7}, Tensor(np.full(4, 7), "float16"))
    yield Case("aten::scalar_tensor", {"s": 2.5, "dtype": Dtype("bfloat16")}, Tensor(2.5, "bfloat16"))
    yield Case("aten::empty_permuted", {"size": [2, 3], "physical_layout": [1, 0]}, Tensor(np.zeros((2, 3)), "float32"))
    for dtype, steps in (("float32", 7), ("float16", 64), ("float64", 1), ("int64", 5), ("float32", 0)):
        yield Case("aten::linspace", {"start": -1, "end": 2.5, "steps": steps, "dtype": Dtype(dtype)}, Tensor(np.linspace(-1, 2.5, steps), dtype), ulps=1)
    yield Case("aten::linspace", {"start": 3, "end": -4, "steps": 2000}, Tensor(np.linspace(3, -4, 2000), "float32"), ulps=1)
    yield Case("aten::arange", {"end": 7}, Tensor(np.arange(7), "int64"))
    yield Case("aten::arange", {"end": 2.5}, Tensor(np.arange(3), "float32"))
    yield Case("aten::arange", {"end": 5, "dtype": Dtype("float16")}, Tensor(np.arange(5), "float16"))
    yield Case("aten::arange.start", {"start": -3, "end": 4, "dtype": Dtype("int32")}, Tensor(np.arange(-3, 4), "int32"))
    yield Case("aten::arange.start", {"start": 4, "end": 4}, Tensor(np.zeros(0), "int64"))
    yield Case("aten::arange.start_step", {"start": 0, "end": 1, "step": 0.1}, Tensor(np.arange(10) * 0.1, "float32"))
    yield Case("aten::arange.start_step", {"start": 10, "end": 0, "step": -3}, Tensor(np.arange(10, 0, -3), "int64"))


def casts():
    values = {"bool": np.array([True, False]), "float": np.array([v for v in EDGES if math.isfinite(v)] + [0.3, 1234.5, -0.7])}
    every = ("float32", "float16", "bfloat16", "float64", "int8", "int32", "int64", "uint8", "bool")
    for source in every:
        x = edges("bool") if source == "bool" else Tensor(values["float"], source) if source in ("float32", "float16", "bfloat16", "float64") else numbers((9,), source)
        for target in every:
            wide = x.values.astype(np.float64)
            value = wide != 0 if target == "bool" else wide if "float" in target else np.trunc(wide).astype(np.int64)
            if target in ("int8", "uint8"):
                inside = (np.trunc(wide) >= (-128 if target == "int8" else 0)) & (np.trunc(wide) <= (127 if target == "int8" else 255))
                x_in = Tensor(x.values[inside], source)
                yield Case("aten::to.dtype", {"self": x_in, "dtype": Dtype(target)}, Tensor(value[inside], target))
            else:
                yield Case("aten::to.dtype", {"self": x, "dtype": Dtype(target)}, Tensor(value, target))
    specials = Tensor([math.nan, math.inf, -math.inf, 1e6, 1e-9, 65520.0, 65519.0, 3.4e38], "float32")
    for target in ("float16", "bfloat16", "float64", "bool"):
        yield Case("aten::_to_copy", {"self": specials, "dtype": Dtype(target)}, Tensor(specials.values.astype(np.float64) if target != "bool" else specials.values != 0, target))
    x = numbers((3,), "int32")
    yield Case("aten::to.dtype_layout", {"self": x, "dtype": Dtype("float32"), "layout": "strided", "device": "cpu"}, Tensor(x.values, "float32"))
    yield Case("aten::to.device", {"self": x, "device": "cpu", "dtype": Dtype("int64"), "copy": True}, Tensor(x.values, "int64"))
    yield Case("aten::type_as", {"self": x, "other": numbers((2,), "float16")}, Tensor(x.values, "float16"))
    yield Case("aten::to.dtype", {"self": x, "dtype": Dtype("int32")}, x)
    big = Tensor([2**63 - 1, -(2**63), 2**53 + 1], "int64")
    yield Case("aten::to.dtype", {"self": big, "dtype": Dtype("float32")}, Tensor(big.values.astype(np.float32), "float32"))
    yield Case("aten::to.dtype", {"self": big, "dtype": Dtype("int32")}, Tensor(big.values.astype(np.int32), "int32"))


def symbolic(rows, columns):
    """Calls whose sizes change: s0 rows, s1 columns."""
    x = Tensor(numbers((rows, columns, 4), "float32", 1).values, "float32", ("s0", "s1", "4"))
    shaped = lambda values, *sizes: Tensor(np.array(values, order="C"), "float32", sizes)
    v = x.values
    yield Case("aten::view", {"self": x, "size": [Size("s0"), -1]}, shaped(v.reshape(rows, -1), "s0", "4*s1"))
    yield Case("aten::view", {"self": x, "size": [Size("s0*s1"), 2, 2]}, shaped(v.reshape(-1, 2, 2), "s0*s1", "2", "2"))
    yield Case("aten::flatten.using_ints", {"self": x, "start_dim": 0, "end_dim": 1}, shaped(v.reshape(-1, 4), "s0*s1", "4"))
    yield Case("aten::permute", {"self": x, "dims": [1, 0, 2]}, shaped(v.transpose(1, 0, 2), "s1", "s0", "4"))
    yield Case("aten::transpose.int", {"self": x, "dim0": 1, "dim1": 2}, shaped(v.swapaxes(1, 2), "s0", "4", "s1"))
    yield Case("aten::slice.Tensor", {"self": x, "dim": 1, "start": 1, "end": 2**63 - 1}, shaped(v[:, 1:], "s0", "s1 - 1", "4"))
    yield Case("aten::slice.Tensor", {"self": x, "dim": 0, "start": 0, "end": -1}, shaped(v[:-1], "s0 - 1", "s1", "4"))
    yield Case("aten::select.int", {"self": x, "dim": 1, "index": -1}, shaped(v[:, -1], "s0", "4"))
    yield Case("aten::expand", {"self": Tensor(v[:, :1], "float32", ("s0", "1", "4")), "size": [-1, Size("s1"), -1]},
               shaped(np.broadcast_to(v[:, :1], v.shape), "s0", "s1", "4"))
    yield Case("aten::cat", {"tensors": [x, x], "dim": 1}, shaped(np.concatenate([v, v], 1), "s0", "2*s1", "4"))
    yield Case("aten::flip", {"self": x, "dims": [0]}, shaped(v[::-1], "s0", "s1", "4"))
    yield Case("aten::constant_pad_nd", {"self": x, "pad": [0, 0, 1, 2], "value": 1.5},
               shaped(np.pad(v, ((0, 0), (1, 2), (0, 0)), constant_values=1.5), "s0", "s1 + 3", "4"))
    yield Case("aten::roll", {"self": x, "shifts": [1], "dims": [1]}, shaped(np.roll(v, 1, 1), "s0", "s1", "4"))
    yield Case("aten::repeat", {"self": x, "repeats": [1, 2, 1]}, shaped(np.tile(v, (1, 2, 1)), "s0", "2*s1", "4"))
    yield Case("aten::split.Tensor", {"self": x, "split_size": 2, "dim": 2}, [shaped(v[:, :, :2], "s0", "s1", "2"), shaped(v[:, :, 2:], "s0", "s1", "2")])
    yield Case("aten::tril", {"self": Tensor(v[:, :, 0], "float32", ("s0", "s1"))}, shaped(np.tril(v[:, :, 0]), "s0", "s1"))
    yield Case("aten::full", {"size": [Size("s0"), Size("s1")], "fill_value": 0.5}, shaped(np.full((rows, columns), 0.5), "s0", "s1"))
    yield Case("aten::arange", {"end": Size("s0"), "dtype": Dtype("float32")}, shaped(np.arange(rows), "s0"))
    yield Case("aten::arange.start", {"start": Size("s1"), "end": Size("s0 + s1")}, Tensor(np.arange(columns, rows + columns), "int64", ("s0",)))
    yield Case("aten::full", {"size": [2], "fill_value": Size("s0")}, Tensor(np.full(2, rows), "int64"))
    wide = Tensor(numbers((rows, columns, 72), "float32", 2).values, "float32", ("s0", "s1", "72"))
    w = wide.values
    yield Case("aten::permute", {"self": wide, "dims": [1, 0, 2]}, shaped(w.transpose(1, 0, 2), "s1", "s0", "72"))
    yield Case("aten::slice.Tensor", {"self": wide, "dim": 2, "start": 4, "end": 68}, shaped(w[:, :, 4:68], "s0", "s1", "64"))
    yield Case("aten::constant_pad_nd", {"self": wide, "pad": [1, 1, 0, 1]}, shaped(np.pad(w, ((0, 0), (0, 1), (1, 1))), "s0", "s1 + 1", "74"))


GROUPS = (views, copies, spread, free, shared, creation, casts)
