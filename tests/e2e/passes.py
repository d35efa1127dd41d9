#!/usr/bin/env python3
"""Builds models with the passes over the graph and without, one at a time too, runs them and compares the results.

Usage: passes.py BIN_FOLDER DEVICE
DEVICE is cpu or cuda:N. Exit status 77 says that there is no such device (CTest counts the test as skipped).
"""
import json
import pathlib
import random
import subprocess
import sys
import tempfile

import npy

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
MODELS = ROOT / "tests" / "models"
PLUGINS = [ROOT / "examples" / "add_one" / "add_one.toml", ROOT / "tests" / "plugins" / "sample.toml", ROOT / "tests" / "plugins" / "attributes.toml"]
RECORDED = ["cnn", "mlp", "rms_block", "mixed_add_one", "kv_cache", "tiny_lm"]
# Of which launches there are fewer with passes.
FEWER = {"cnn", "mixed_add_one", "tiny_lm"}
SKIPPED = 77


class Failure(Exception):
    pass


def run(*command, status=0):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode != status:
        raise Failure(f"{' '.join(map(str, command))}\nexit status {done.returncode}\n{done.stdout}{done.stderr}")
    return done


def build(binary, device, model, engine, *options):
    """Gives the report."""
    target = "cpu" if device == "cpu" else "cuda:sm_90a"
    plugins = [part for plugin in PLUGINS for part in ("--plugin", plugin)]
    report = engine.with_suffix(".json")
    run(binary / "inlay", "build", model, *plugins, "--target", target, *options, "--quiet", "--report", report, "-o", engine)
    return json.loads(report.read_text())


def launches(report):
    return sum(node["launches"] for node in report["operators"])


def compare(binary, device, model, inputs, folder, rtol, atol):
    """All passes against none. Gives how many launches both make."""
    plain, fused = folder / "plain.inlay", folder / "fused.inlay"
    before = build(binary, device, model, plain, "--passes", "none")
    after = build(binary, device, model, fused)
    if before["remarks"]:
        raise Failure(f"{model}: there are remarks without passes: {before['remarks']}")
    expected = folder / "expected.npz"
    run(binary / "inlay-run", plain, "--device", device, "--inputs", inputs, "--outputs", expected)
    result = json.loads(run(binary / "inlay-run", fused, "--device", device, "--inputs", inputs, "--check", expected, "--rtol", rtol,
                            "--atol", atol, "--json").stdout)
    if not result["checked"]:
        raise Failure(f"{model}: nothing was compared")
    error = max(o["max_absolute_error"] for o in result["checked"])
    again = folder / "again.inlay"
    build(binary, device, model, again)
    if again.read_bytes() != fused.read_bytes():
        raise Failure(f"{model}: two builds with passes differ")
    return launches(before), launches(after), error


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


def random_values(shape, dtype):
    count = 1
    for size in shape:
        count *= size
    if dtype == "bool":
        return [random.random() < 0.4 for _ in range(count)], shape, dtype
    if dtype == "int32":
        return [random.randrange(-100, 100) for _ in range(count)], shape, dtype
    return [random.gauss(0, 1) for _ in range(count)], shape, dtype


def check_graph(binary, device, folder, name, text, most, cases, rtol, atol):
    model = folder / f"{name}.mlir"
    model.write_text(text)
    for inputs in cases:
        npz = folder / "inputs.npz"
        npy.save_npz(npz, {key: random_values(*spec) for key, spec in inputs.items()})
        before, after, error = compare(binary, device, model, npz, folder, rtol, atol)
        if after > most:
            raise Failure(f"{name}: {after} launches with passes, expected {most} at most ({before} without)")
    print(f"{name} on {device}: {before} launches became {after}; largest difference {error:g}")


def check_options(binary, folder):
    model = MODELS / "cnn.pt2"
    done = run(binary / "inlay", "build", model, "--disable-pass", "fuse", "-o", folder / "no.inlay", status=1)
    for text in ("no pass 'fuse'", "cse", "fold-batch-norm", "fuse-reductions", "fuse-pointwise"):
        if text not in done.stderr:
            raise Failure(f"an unknown pass: '{text}' is not in: {done.stderr}")
    run(binary / "inlay", "build", model, "--passes", "some", "-o", folder / "no.inlay", status=1)
    done = run(binary / "inlay", "build", model, "--remarks", "--quiet", "--dump-stages", folder / "stages", "-o", folder / "cnn.inlay")
    if "remark: fold-batch-norm: node " not in done.stdout:
        raise Failure(f"--remarks printed no remark of fold-batch-norm: {done.stdout}")
    for stage in ("01-graph.mlir", "01-optimized-graph.mlir"):
        if not (folder / "stages" / stage).exists():
            raise Failure(f"--dump-stages wrote no {stage}")
    run(binary / "inlay", "build", folder / "stages" / "01-optimized-graph.mlir", "--passes", "none", "--name", "cnn", "--quiet", "-o",
        folder / "read.inlay")


def main():
    binary, device = pathlib.Path(sys.argv[1]), sys.argv[2]
    if device != "cpu" and subprocess.run([binary / "inlay-run", "--has-device", device], capture_output=True).returncode != 0:
        print(f"[SKIP] no device {device} here")
        return SKIPPED
    seed = random.randrange(2**32)
    random.seed(seed)
    print(f"seed {seed}")
    failed = 0

    def attempt(function, *arguments):
        nonlocal failed
        try:
            with tempfile.TemporaryDirectory() as folder:
                function(pathlib.Path(folder), *arguments)
        except Failure as failure:
            failed += 1
            print(f"FAILED: {failure}")

    def model(folder, name):
        before, after, error = compare(binary, device, MODELS / f"{name}.pt2", MODELS / f"{name}.npz", folder, 1e-4, 1e-5)
        if name in FEWER and after >= before:
            raise Failure(f"{name}: {after} launches with passes, {before} without")
        print(f"{name} on {device}: {before} launches became {after}; largest difference {error:g}")

    for name in RECORDED:
        attempt(model, name)
    text, most = pointwise_tree()
    sizes = [{"x": ((n, 6), "float32"), "y": ((6,), "float32"), "i": ((n, 6), "int32"), "t": ((6, n), "float32")} for n in (1, 5, 64)]
    attempt(lambda folder: check_graph(binary, device, folder, "pointwise_tree", text, most, sizes, 2e-3, 1e-3))
    for length in (2, 49, 128, 1000):
        text, most = lines(length)
        sizes = [{"x": ((n, 3, length), "float32"), "r": ((n, 3, length), "float32"), "w": ((length,), "float32"), "m": ((3, length), "bool")}
                 for n in (1, 7)]
        attempt(lambda folder: check_graph(binary, device, folder, f"lines_{length}", text, most, sizes, 2e-3, 1e-5))
    attempt(lambda folder: check_options(binary, folder))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
