#!/usr/bin/env python3
"""Builds models with the passes over the graph and without, one at a time too, runs them and compares the results.

Usage: passes.py BIN_FOLDER DEVICE [NAME …]
DEVICE is cpu or cuda:N; names are those of the models, all without any. Exit status 77 says that there is no such device (CTest counts the test as skipped).
"""
import json
import pathlib
import random
import re
import subprocess
import sys
import tempfile

import graphs
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


def compare(binary, device, model, cases, folder, rtol, atol, *options):
    """All passes against none, for inputs of several files. Gives how many launches both make, and the largest difference."""
    plain, fused = folder / "plain.inlay", folder / "fused.inlay"
    before = build(binary, device, model, plain, "--passes", "none", *options)
    after = build(binary, device, model, fused, *options)
    if before["remarks"]:
        raise Failure(f"{model}: there are remarks without passes: {before['remarks']}")
    expected, error = folder / "expected.npz", 0
    for inputs in cases:
        run(binary / "inlay-run", plain, "--device", device, "--inputs", inputs, "--outputs", expected)
        result = json.loads(run(binary / "inlay-run", fused, "--device", device, "--inputs", inputs, "--check", expected, "--rtol", rtol,
                                "--atol", atol, "--json").stdout)
        if not result["checked"]:
            raise Failure(f"{model}: nothing was compared")
        error = max([error, *(o["max_absolute_error"] for o in result["checked"])])
    again = folder / "again.inlay"
    build(binary, device, model, again, *options)
    if again.read_bytes() != fused.read_bytes():
        raise Failure(f"{model}: two builds with passes differ")
    return launches(before), launches(after), error


def random_values(shape, dtype):
    count = 1
    for size in shape:
        count *= size
    if dtype == "bool":
        return [random.random() < 0.4 for _ in range(count)], shape, dtype
    if dtype == "int32":
        return [random.randrange(-100, 100) for _ in range(count)], shape, dtype
    return [random.gauss(0, 1) for _ in range(count)], shape, dtype


def check_graph(binary, device, folder, name, text, most, cases, rtol, atol, *options):
    model = folder / f"{name}.mlir"
    model.write_text(text)
    files = [folder / f"inputs{i}.npz" for i in range(len(cases))]
    for file, inputs in zip(files, cases):
        npy.save_npz(file, {key: random_values(*spec) for key, spec in inputs.items()})
    before, after, error = compare(binary, device, model, files, folder, rtol, atol, *options)
    if after > most:
        raise Failure(f"{name}: {after} launches with passes, expected {most} at most ({before} without)")
    print(f"{name} on {device}: {before} launches became {after}; largest difference {error:g}")


def inputs_of(text):
    """The inputs of a graph's text: shape and type."""
    block = text[text.index("^bb0("):text.index("):\n")]
    return {name: (tuple(int(size) if size.isdigit() else size for size in re.findall('"([^"]+)"', shape)), dtype)
            for name, shape, dtype in re.findall(r'%(\w+): !graph.tensor<\[([^\]]*)\], "(\w+)">', block)}


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
    wanted = sys.argv[3:]

    def attempt(name, function, *arguments):
        nonlocal failed
        if wanted and name not in wanted:
            return
        try:
            with tempfile.TemporaryDirectory() as folder:
                function(pathlib.Path(folder), *arguments)
        except Failure as failure:
            failed += 1
            print(f"FAILED: {failure}")

    def model(folder, name):
        before, after, error = compare(binary, device, MODELS / f"{name}.pt2", [MODELS / f"{name}.npz"], folder, 1e-4, 1e-5)
        if name in FEWER and after >= before:
            raise Failure(f"{name}: {after} launches with passes, {before} without")
        print(f"{name} on {device}: {before} launches became {after}; largest difference {error:g}")

    for name in RECORDED:
        attempt(name, model, name)
    text, most = graphs.pointwise_tree()
    sizes = [{"x": ((n, 6), "float32"), "y": ((6,), "float32"), "i": ((n, 6), "int32"), "t": ((6, n), "float32")} for n in (1, 5, 64)]
    attempt("pointwise_tree", lambda folder: check_graph(binary, device, folder, "pointwise_tree", text, most, sizes, 2e-3, 1e-3))
    for length in (2, 49, 128, 1000):
        text, most = graphs.lines(length)
        sizes = [{"x": ((n, 3, length), "float32"), "r": ((n, 3, length), "float32"), "w": ((length,), "float32"), "m": ((3, length), "bool")}
                 for n in (1, 7)]
        attempt(f"lines_{length}", lambda folder: check_graph(binary, device, folder, f"lines_{length}", text, most, sizes, 2e-3, 1e-5))
    def graph(name, made, tolerance, sizes, *options):
        """A model of graphs.py with random inputs of each of some sizes; a launch of a library counts as one."""
        inputs = [{key: (tuple({"s0": n, "s1": 5 * n}.get(size, size) for size in shape), dtype) for key, (shape, dtype) in inputs_of(made[0]).items()}
                  for n in sizes]
        attempt(name, lambda folder: check_graph(binary, device, folder, name, *made, inputs, tolerance, tolerance, *options))

    for dtype, tolerance in (("float32", 1e-5), ("float16", 4e-3), ("bfloat16", 3e-2)):
        # In half precision the types differ, not what is recognised.
        is_whole = dtype == "float32"
        for rows, sizes in (("s0", (1, 45)), (1, (1,)), (130, (1,)))[:3 if is_whole else 1]:
            graph(f"products_{rows}_{dtype}", graphs.products(dtype, rows), tolerance, sizes, "--no-vendor-libraries")
        # The weights that a norm became part of are rounded.
        graph(f"residual_block_{dtype}", graphs.residual_block(dtype), 4 * tolerance, (1, 3), "--no-vendor-libraries")
        for op in ("linear", "addmm") if is_whole else ("linear",):
            graph(f"projections_{op}_{dtype}", graphs.projections(dtype, op), tolerance, (1, 3), "--no-vendor-libraries")
        for form in ("scaled", "filled", "grouped", "three") if is_whole else ("scaled",):
            graph(f"attention_{form}_{dtype}", graphs.attention(form, dtype), 2 * tolerance, (1, 33), "--no-vendor-libraries")
    graph("library_product", graphs.library_product(), 1e-4, (2, 60))
    graph("library_convolution", graphs.library_convolution(), 1e-4, (1, 3))
    graph("halves", graphs.halves(), 1e-5, (1, 7), "--no-vendor-libraries")
    text, most = graphs.convolutions()
    # GPUs copy what the windows of a convolution of known sizes see, in a launch of its own.
    graph("convolutions", (text, most if device == "cpu" else most + 1), 1e-5, (1, 2), "--no-vendor-libraries")
    attempt("options", lambda folder: check_options(binary, folder))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
