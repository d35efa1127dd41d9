#!/usr/bin/env python3
"""Weights inside engines, beside them, and replaced: built, refitted and run on a device.

Usage: weights.py BIN_FOLDER DEVICE
DEVICE is cpu or cuda:N. Exit status 77 says that there is no such device (CTest counts the test as skipped).
"""
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

import npy
import plugins
from plugins import Failure, fails, run

MODELS = plugins.ROOT / "tests" / "models"
VECTOR = '!graph.tensor<["4"], "float32">'


def graph(w, b):
    """y = w * x + b; "unused" is no part of it."""
    constants = "".join(f'  %{name} = graph.constant "layer.{name}" dense<{value}> : tensor<4xf32> : {VECTOR}\n'
                        for name, value in (("w", w), ("b", b), ("unused", 9.0)))
    calls = "".join(f'  %{result} = graph.call "aten::{op}.Tensor" node "{op}" (%{left}, %{right}) names ["self", "other"] arguments {{}} : '
                    f'({VECTOR}, {VECTOR}) -> {VECTOR}\n' for result, op, left, right in (("m", "mul", "x", "w"), ("y", "add", "m", "b")))
    return (f'graph.model @m inputs ["x"] [""] outputs ["y"] [""] symbols [] checks [] {{\n^bb0(%x: {VECTOR}):\n{constants}{calls}'
            f'  graph.output %y : {VECTOR}\n}}\n')


class Weights:
    def __init__(self, binary, device, folder):
        self.binary, self.device, self.folder = binary, device, folder
        self.inlay = binary / "inlay"
        self.target = "cpu" if device == "cpu" else "cuda"

    def build(self, name, *flags, w=2.0, b=1.0):
        model = self.folder / f"{name}.mlir"
        model.write_text(graph(w, b))
        engine = self.folder / f"{name}.inlay"
        run(self.inlay, "build", model, "--target", self.target, "--quiet", "-o", engine, *flags)
        return engine

    def npz(self, name, **members):
        path = self.folder / name
        npy.save_npz(path, {f"layer.{key}": value for key, value in members.items()})
        return path

    def check(self, engine, w, b, *flags):
        x = [1.0, 2.0, 3.0, 4.0]
        data = self.folder / "data.npz"
        npy.save_npz(data, {"x": (x, (4,), "float32"), "y": ([w * v + b for v in x], (4,), "float32")})
        run(self.binary / "inlay-run", engine, "--device", self.device, "--inputs", data, "--check", data, "--rtol", 0, "--atol", 0, *flags)


def vector(value):
    return ([value] * 4, (4,), "float32")


def beside(t):
    inside = t.build("inside")
    engine = t.build("model", "--weights", "beside")
    weights = t.folder / "model.weights"
    t.check(inside, 2, 1)
    t.check(engine, 2, 1)
    if engine.read_bytes() != t.build("model", "--weights", "beside").read_bytes():
        raise Failure("two builds gave different bytes")
    moved = t.folder / "elsewhere"
    moved.mkdir()
    shutil.move(weights, moved / "w.bin")
    command = (t.binary / "inlay-run", engine, "--device", t.device, "--inputs", t.folder / "data.npz")
    fails(["opening the engine's weights, which lie in a file of their own", "model.weights"], *command)
    t.check(engine, 2, 1, "--weights", moved / "w.bin")
    run(t.inlay, "inspect", engine, "--weights", moved / "w.bin")
    t.build("other", "--weights", "beside", w=3.0)
    fails(["it belongs to another engine", "other.weights'"], *command, "--weights", t.folder / "other.weights")
    bytes_ = bytearray((moved / "w.bin").read_bytes())
    bytes_[64] ^= 1
    weights.write_bytes(bytes_)
    fails(["it is corrupt: its checksum differs", "model.weights'"], *command)
    weights.write_bytes(bytes_[:70])
    fails(["the file is truncated"], *command)
    fails(["for an engine that holds its own"], t.binary / "inlay-run", inside, "--weights", moved / "w.bin", "--device", t.device, "--inputs",
          t.folder / "data.npz")
    return "found, moved, missing, another engine's, damaged"


def refit(t):
    plain = t.build("plain")
    new = t.npz("new.npz", w=vector(3.0), b=vector(-1.0), unused=vector(0.0))
    out = t.folder / "out.inlay"
    fails(["engine 'plain' was not built to be refitted", "--refittable"], t.inlay, "refit", plain, "--weights", new, "-o", out)
    for place in ("inside", "beside"):
        engine = t.build("again", "--refittable", "--weights", place)
        before = engine.read_bytes()
        t.check(engine, 2, 1)
        run(t.inlay, "refit", engine, "--weights", new, "-o", out)
        t.check(out, 3, -1)
        t.check(engine, 2, 1)
        run(t.inlay, "refit", engine, "--weights", t.npz("one.npz", b=vector(5.0)), "--partial", "-o", out)
        t.check(out, 2, 5)
        wrong = t.npz("wrong.npz", w=([1.0] * 2, (2,), "float32"), b=([1] * 4, (4,), "int32"), more=vector(1.0))
        fails(["4 mismatches", "'layer.w' is float32 [2], expected float32 [4]", "'layer.b' is int32 [4], expected float32 [4]",
               "'layer.more' is no weight of the engine", "'layer.unused' is missing"], t.inlay, "refit", engine, "--weights", wrong, "-o", t.folder / "no.inlay")
        if (t.folder / "no.inlay").exists() or engine.read_bytes() != before:
            raise Failure("a refit that failed left something behind")
    # The same model's weights as another file of it has them.
    (t.folder / "trained.mlir").write_text(graph(4.0, 2.0))
    run(t.inlay, "refit", engine, "--weights", t.folder / "trained.mlir", "-o", out)
    t.check(out, 4, 2)
    return "inside and beside, whole and in part"


def refit_equals_build(t):
    """An engine that is refitted is the one that would have been built."""
    engine = t.build("first", "--refittable", "--name", "m")
    built = t.build("second", "--refittable", "--name", "m", w=3.0, b=7.0)
    out = t.folder / "out.inlay"
    run(t.inlay, "refit", engine, "--weights", t.npz("new.npz", w=vector(3.0), b=vector(7.0), unused=vector(9.0)), "-o", out)
    if out.read_bytes() != built.read_bytes():
        raise Failure("the refitted engine differs from the built one")
    return f"{len(out.read_bytes())} bytes are the same"


def model(t):
    """A .pt2 refits an engine of itself, with weights that nothing uses among them."""
    engine, out = t.folder / "mlp.inlay", t.folder / "out.inlay"
    run(t.inlay, "build", MODELS / "mlp.pt2", "--target", t.target, "--refittable", "--quiet", "-o", engine)
    run(t.inlay, "refit", engine, "--weights", MODELS / "mlp.pt2", "-o", out)
    if out.read_bytes() != engine.read_bytes():
        raise Failure("refitting with the same weights changed the engine")
    names = [weight["name"] for weight in json.loads(run(t.inlay, "inspect", engine, "--json"))["weights"]]
    if not all(name.endswith(("weight", "bias")) for name in names):
        raise Failure(f"weights are {names}")
    fails(["is no weight of the engine", "is missing"], t.inlay, "refit", engine, "--weights", MODELS / "cnn.pt2", "-o", out)
    run(t.binary / "inlay-run", engine, "--device", t.device, "--inputs", MODELS / "mlp.npz", "--check", MODELS / "mlp.npz", "--rtol", 1e-4, "--atol", 1e-4)
    return ", ".join(names)


def main():
    binary, device = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2]
    if device != "cpu" and subprocess.run([binary / "inlay-run", "--has-device", device], capture_output=True).returncode != 0:
        print(f"[SKIP] no device {device} here")
        return plugins.SKIPPED
    failures = 0
    for case in (beside, refit, refit_equals_build, model):
        with tempfile.TemporaryDirectory() as folder:
            try:
                print(f"{case.__name__} on {device}: {case(Weights(binary, device, pathlib.Path(folder)))}")
            except Failure as failure:
                failures += 1
                print(f"{case.__name__} on {device} FAILED: {failure}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
