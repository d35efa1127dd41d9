#!/usr/bin/env python3
"""Builds engines of exported models, runs them on a device and compares with what PyTorch recorded.

Usage: models.py BIN_FOLDER DEVICE [MODEL …]
DEVICE is cpu or cuda:N. Models with dynamic shapes also run at further sizes, whose results are computed here. Exit status 77
says that there is no such device (CTest counts the test as skipped).
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
SKIPPED = 77


def numbers(count):
    # Multiples of 1/8 below 2^13: sums and products with small integers are exact in float32.
    return [random.randrange(-65536, 65536) / 8 for _ in range(count)]


def add_one(shape):
    x = numbers(product(shape))
    return {"in_0": (x, shape, "float32")}, {"out_0": ([v + 1 for v in x], shape, "float32")}


def circ_pad(shape, pads=(1, 2, 3, 4)):
    n, c, rows, cols = shape
    left, right, top, bottom = pads
    x = numbers(product(shape))
    out_shape = (n, c, rows + top + bottom, cols + left + right)
    y = []
    for image in range(n * c):
        for row in range(out_shape[2]):
            start = (image * rows + (row - top) % rows) * cols
            y += [x[start + (col - left) % cols] for col in range(out_shape[3])]
    return {"in_0": (x, shape, "float32")}, {"out_0": (y, out_shape, "float32")}


def product(shape):
    result = 1
    for size in shape:
        result *= size
    return result


# Further sizes of each model: a function that makes inputs and outputs, and shapes. BLOCK_SIZE is 256.
SIZES = {
    "add_one_dynamic": (add_one, [(n,) for n in (1, 2, 255, 256, 257, 511, 512, 513, 1000, 4096, 65535, 65536)]),
    "add_one_dynamic2d": (add_one, [(1, 2), (1, 128), (3, 85), (2, 128), (4, 64), (7, 37), (64, 2), (64, 128)]),
    "add_one_triton_op": (add_one, [(100,)]),
    "circ_pad_dynamic": (circ_pad, [(1, 3, 4, 9), (1, 3, 5, 9), (2, 3, 31, 9), (5, 3, 17, 9), (64, 3, 64, 9)]),
}
EMPTY = {"add_one_dynamic": (add_one, [(0,)]), "add_one_dynamic2d": (add_one, [(0, 2), (0, 85)])}
RECORDED = ["add_one", "add_one_fp16", "add_one_dynamic", "add_one_dynamic2d", "elementwise_mul_f32", "elementwise_mul_i32",
            "scale_mul_kwargs", "scale_mul_defaults", "circ_pad", "circ_pad_dynamic", "split_sign_dict",
            "mixed_add_one", "cnn", "mlp", "rms_block", "dict_io", "kv_cache", "kv_cache.core", "tiny_lm"]
ALL = RECORDED + ["add_one_triton_op"]
# Which of an operator's plugins serves the model.
KERNELS = {"circ_pad": "circ_pad_row_kernel", "circ_pad_dynamic": "circ_pad_kernel"}
# Built more than once, for all levels of CPUs and a GPU; the bytes must be the same.
REBUILT = ["cnn", "mlp", "tiny_lm"]


class Failure(Exception):
    pass


def run(*command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode != 0:
        raise Failure(f"{' '.join(map(str, command))}\nexit status {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def check(binary, engine, device, npz, tolerances=()):
    result = json.loads(run(binary / "inlay-run", engine, "--device", device, "--inputs", npz, "--check", npz, "--json", *tolerances))
    if not result["checked"]:
        raise Failure(f"{engine}: nothing was compared")
    return result


def test_model(binary, device, name, folder):
    engine = folder / f"{name}.inlay"
    target = "cpu" if device == "cpu" else "cuda:sm_90a"
    plugins = [part for plugin in PLUGINS for part in ("--plugin", plugin)]
    targets = ["--target", target] + (["--target", "cuda"] if device != "cpu" else [])
    run(binary / "inlay", "build", MODELS / f"{name}.pt2", *plugins, *targets, "--quiet", "-o", engine)
    lines = []
    if name in KERNELS:
        found = [kernel["name"] for kernel in json.loads(run(binary / "inlay", "inspect", engine, "--json"))["kernels"]]
        if found != [KERNELS[name]]:
            raise Failure(f"{name}: the engine's kernels are {found}; expected {KERNELS[name]}")
    if name in REBUILT:
        lines.append(check_same_bytes(binary, name, plugins, folder))
    if name in RECORDED:
        result = check(binary, engine, device, MODELS / f"{name}.npz")
        lines.append(f"recorded: largest error {max(o['max_absolute_error'] for o in result['checked']):g}")
    make, shapes = SIZES.get(name, (None, []))
    for shape in shapes:
        inputs, outputs = make(shape)
        npz = folder / "case.npz"
        npy.save_npz(npz, inputs | outputs)
        check(binary, engine, device, npz, ("--rtol", 0, "--atol", 0))
    if name in EMPTY:
        lines.append(f"{check_empty(binary, name, targets, plugins, device, folder)} empty tensors")
    if shapes:
        lines.append(f"{len(shapes)} further sizes: exact")
    print(f"{name} on {device}: {'; '.join(lines)}")


def check_same_bytes(binary, name, plugins, folder):
    """Addresses differ from process to process, and nothing that a build writes may depend on them."""
    targets = [part for target in ("cpu:x86-64-v2", "cpu:x86-64-v3", "cpu:x86-64-v4", "cuda:sm_90a") for part in ("--target", target)]
    builds = [targets, targets, targets[:6], targets[:6], targets[:6]]  # those for GPUs have other kernels on the CPU
    engines = []
    for number, options in enumerate(builds):
        file = folder / f"same{number}.inlay"
        run(binary / "inlay", "build", MODELS / f"{name}.pt2", *plugins, *options, "--quiet", "-o", file)
        engines.append(file.read_bytes())
    if engines[1] != engines[0] or any(engine != engines[2] for engine in engines[3:]):
        raise Failure(f"{name}: engines of the same build differ")
    return f"{len(builds)} builds alike"


def test_state(binary, device, folder):
    """state_T adds its input to a buffer and returns twice the sum: each run goes on from the one before."""
    engine, npz = folder / "state.inlay", folder / "state.npz"
    run(binary / "inlay", "build", MODELS / "state_T.pt2", "--target", "cpu" if device == "cpu" else "cuda:sm_90a", "--quiet", "-o", engine)
    x = numbers(3)
    for repeats in (1, 2, 5):
        npy.save_npz(npz, {"in_0": (x, (3,), "float32"), "out_0": ([2 * repeats * v for v in x], (3,), "float32")})
        check(binary, engine, device, npz, ("--rtol", 0, "--atol", 0, "--repeat", repeats))
        if device != "cpu":
            check(binary, engine, device, npz, ("--rtol", 0, "--atol", 0, "--repeat", repeats, "--graphs"))
    print(f"state on {device}: 1, 2 and 5 runs")


def check_empty(binary, name, targets, plugins, device, folder):
    """Builds the dumped graph with ranges that begin at 0 and runs it on empty tensors, which launch nothing."""
    stages = folder / "stages"
    run(binary / "inlay", "build", MODELS / f"{name}.pt2", *plugins, *targets, "--quiet", "--dump-stages", stages, "-o", folder / "again.inlay")
    graph = stages / "01-graph.mlir"
    text = graph.read_text()
    if "min = 1 :" not in text:
        raise Failure(f"{graph}: no range begins at 1")
    graph.write_text(text.replace("min = 1 :", "min = 0 :"))
    engine = folder / "empty.inlay"
    run(binary / "inlay", "build", graph, *plugins, *targets, "--quiet", "-o", engine)
    make, shapes = EMPTY[name]
    for shape in shapes:
        inputs, outputs = make(shape)
        npz = folder / "empty.npz"
        npy.save_npz(npz, inputs | outputs)
        result = check(binary, engine, device, npz)
        if result["launches"] != 0:
            raise Failure(f"{name} of shape {shape} launched {result['launches']} kernels")
    return len(shapes)


def main():
    binary, device = pathlib.Path(sys.argv[1]), sys.argv[2]
    if device != "cpu" and subprocess.run([binary / "inlay-run", "--has-device", device], capture_output=True).returncode != 0:
        print(f"[SKIP] no device {device} here")
        return SKIPPED
    seed = 20261123
    random.seed(seed)
    print(f"seed {seed}")
    failures = []
    with tempfile.TemporaryDirectory() as folder:
        for name in sys.argv[3:] or [*ALL, "state"]:
            try:
                if name == "state":
                    test_state(binary, device, pathlib.Path(folder))
                    continue
                test_model(binary, device, name, pathlib.Path(folder))
            except Failure as failure:
                failures.append(name)
                print(f"{name} on {device} FAILED: {failure}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
