#!/usr/bin/env python3
"""Builds engines whose products and convolutions may call a library of the machine, and runs them with it, without it, and for sizes that it is not taken for.

Usage: libraries.py BIN_FOLDER DEVICE
DEVICE is cpu (oneDNN) or cuda:N (cuBLASLt, cuDNN). Exit status 77 says that there is no such device, or not one of its libraries (CTest counts the test as skipped).
"""
import json
import math
import os
import pathlib
import subprocess
import sys
import tempfile

import npy
import plugins
from plugins import Failure, run

def small(count, seed):
    """Integers whose products and sums are exact, in float16 too."""
    return [float((i * seed + i // 7) % 3 - 1) for i in range(count)]


def tensor(dtype, *sizes):
    return f'!graph.tensor<[{", ".join(chr(34) + str(size) + chr(34) for size in sizes)}], "{dtype}">'


class Product:
    """aten::linear on so many rows."""
    few, many = 1, 64
    functions = {"cpu": ("oneDNN", "onednn.matmul_bias", "INLAY_ONEDNN"), "cuda": ("cuBLASLt", "cublasLt.matmul_bias", "INLAY_CUBLASLT")}
    op, arguments = "aten::linear", ""
    DEPTH, COLUMNS = 128, 128

    def shapes(self, rows):
        return [(rows, self.DEPTH), (self.COLUMNS, self.DEPTH), (self.COLUMNS,), (rows, self.COLUMNS)]

    def compute(self, rows, x, w, bias):
        y = []
        for row in range(rows):
            line = x[row * self.DEPTH:(row + 1) * self.DEPTH]
            for column in range(self.COLUMNS):
                y.append(bias[column] + sum(a * b for a, b in zip(line, w[column * self.DEPTH:(column + 1) * self.DEPTH])))
        return y


class Convolution:
    """aten::conv2d of so many images: 3 x 3, stride 2, padding 1."""
    few, many = 1, 5
    functions = {"cpu": ("oneDNN", "onednn.convolution_bias", "INLAY_ONEDNN"), "cuda": ("cuDNN", "cudnn.convolution", "INLAY_CUDNN")}
    op, arguments = "aten::conv2d", "stride = [2, 2], padding = [1, 1]"
    CHANNELS, FILTERS, SIZE, OUT = 16, 32, 12, 6

    def shapes(self, images):
        return [(images, self.CHANNELS, self.SIZE, self.SIZE), (self.FILTERS, self.CHANNELS, 3, 3), (self.FILTERS,),
                (images, self.FILTERS, self.OUT, self.OUT)]

    def compute(self, images, x, w, bias):
        size, y = self.SIZE, []
        taps = [(i, j) for i in range(3) for j in range(3)]
        for image in range(images):
            for filter in range(self.FILTERS):
                for row in range(self.OUT):
                    for column in range(self.OUT):
                        seen = [(row * 2 + i - 1, column * 2 + j - 1, i, j) for i, j in taps]
                        seen = [place for place in seen if 0 <= place[0] < size and 0 <= place[1] < size]
                        y.append(bias[filter] + sum(x[((image * self.CHANNELS + c) * size + r) * size + k] * w[((filter * self.CHANNELS + c) * 3 + i) * 3 + j]
                                                    for c in range(self.CHANNELS) for r, k, i, j in seen))
        return y


def graph(work, dtype):
    x, w, bias, y = (tensor(dtype, *shape) for shape in work.shapes("s0"))
    return f"""graph.model @m inputs ["x", "w", "bias"] ["", "", ""] outputs ["y"] [""]
    symbols [{{name = "s0", min = 0 : i64, max = 1048576 : i64, opt = 1024 : i64}}] checks [] {{
^bb0(%x: {x}, %w: {w}, %bias: {bias}):
  %y = graph.call "{work.op}" node "node" (%x, %w, %bias) names ["input", "weight", "bias"] arguments {{{work.arguments}}} : ({x}, {w}, {bias}) -> {y}
  graph.output %y : {y}
}}
"""


class Libraries:
    def __init__(self, work, binary, device, folder):
        self.work, self.binary, self.device, self.folder = work, binary, device, folder
        is_cpu = device == "cpu"
        self.name, self.function, self.variable = work.functions["cpu" if is_cpu else "cuda"]
        self.target = "cpu" if is_cpu else plugins.GPU_TARGETS[0]
        # In float32 the library of GPUs is for those who measure.
        self.dtype = "float32" if is_cpu else "float16"
        (folder / "model.mlir").write_text(graph(work, self.dtype))

    def build(self, *flags, environment=None):
        engine = self.folder / "model.inlay"
        said = self.run_with(environment or {}, self.binary / "inlay", "build", self.folder / "model.mlir", "--target", self.target, "--quiet",
                             "--report", "-", "-o", engine, *flags).stdout
        return engine, json.loads(said)

    @staticmethod
    def run_with(environment, *command):
        result = subprocess.run([str(part) for part in command], env={**os.environ, **environment}, capture_output=True, text=True)
        if result.returncode:
            raise Failure(f"{' '.join(map(str, command))} failed:\n{result.stdout}{result.stderr}")
        return result

    def log_of_run(self, engine, rows, **environment):
        """Runs on so many rows or images, compares with exact results, and gives what the runtime says."""
        shapes = self.work.shapes(rows)
        x, w, bias = (small(math.prod(shape), seed) for shape, seed in zip(shapes, (3, 5, 1)))
        y = self.work.compute(rows, x, w, bias)
        npz = self.folder / "case.npz"
        npy.save_npz(npz, {name: (values, shape, self.dtype) for name, values, shape in zip(("x", "w", "bias", "y"), (x, w, bias, y), shapes)})
        result = self.run_with({"INLAY_LOG": "debug", **environment}, self.binary / "inlay-run", engine, "--device", self.device, "--inputs", npz,
                               "--check", npz, "--rtol", 0, "--atol", 0, "--json")
        if not json.loads(result.stdout)["checked"]:
            raise Failure("nothing was compared")
        return result.stderr


def must_say(text, log):
    if text not in log:
        raise Failure(f"nothing says '{text}':\n{log}")


def must_not_say(text, log):
    if text in log:
        raise Failure(f"something says '{text}':\n{log}")


def by_rule(t):
    """A written rule takes the library for large products only."""
    engine, report = t.build()
    names = [entry["name"] for entry in report["tactics"][0]["kept"]]
    if names != [t.name, "inlay"]:
        raise Failure(f"the tactics are {names}")
    said = run(t.binary / "inlay", "inspect", engine)
    must_say(f"LibraryFunction, '{t.function}', called where the library is installed", said)
    must_say(f"tactic '{t.name}'", said)
    if t.device == "cpu":  # on a GPU such sizes are too many for plain Python
        must_say("is ready", t.log_of_run(engine, t.work.many))
    must_not_say("is ready", t.log_of_run(engine, t.work.few))
    if t.device != "cpu":
        (t.folder / "model.mlir").write_text(graph(t.work, "float32"))
        _, report = t.build()
        (t.folder / "model.mlir").write_text(graph(t.work, t.dtype))
        if report["tactics"]:
            raise Failure(f"in float32 there are tactics: {report['tactics']}")
    return "taken for large products"


def without_the_library(t):
    """Own kernels stand in, and the log says why."""
    engine, _ = t.build()
    for path, why in (("none", f"{t.variable} is set to none"), ("/no/such.so", f"{t.name} is not there: {t.variable} names '/no/such.so'")):
        log = t.log_of_run(engine, t.work.many, **{t.variable: path})
        must_say(f"kernel '{t.function}' is not taken on {t.device}: {why}", log)
        must_not_say("is ready", log)
    return "two reasons"


def unwanted(t):
    """An engine that needs no library."""
    engine, report = t.build("--no-vendor-libraries")
    if report["tactics"]:
        raise Failure(f"there are tactics: {report['tactics']}")
    must_not_say("LibraryFunction", run(t.binary / "inlay", "inspect", engine))
    must_not_say(t.function, t.log_of_run(engine, t.work.many))
    return "no functions"


def measured(t):
    """Measuring decides, and a kernel of our own stays behind the library's; without the library it is alone."""
    engine, report = t.build("--tune", t.device)
    kept, passed_over = ([entry["name"] for entry in report["tactics"][0][key]] for key in ("kept", "passed_over"))
    if kept[-1] != "inlay" or sorted(kept + passed_over) != sorted([t.name, "inlay"]):
        raise Failure(f"kept {kept}, passed over {passed_over}")
    t.log_of_run(engine, t.work.many)
    engine, report = t.build("--tune", t.device, environment={t.variable: "none"})
    if [entry["name"] for entry in report["tactics"][0]["kept"]] != ["inlay"] or t.variable not in report["tactics"][0]["failures"][0]:
        raise Failure(f"without the library: {report['tactics']}")
    must_not_say("LibraryFunction", run(t.binary / "inlay", "inspect", engine))
    return f"kept {kept}; {versions(t)}"


def versions(t):
    """A timing cache knows the time of the library's version that is here, and no other."""
    cache = t.folder / f"times-{t.function}.json"
    t.build("--tune", t.device, "--timing-cache", cache)
    times = json.loads(cache.read_text())
    (device,) = times["devices"].values()
    count = len(device["us"])
    (own,) = [key for key in device["us"] if f" {t.name} " in key]
    device["us"] = {key.split(" ")[0] + " another version" if key == own else key: us for key, us in device["us"].items()}
    cache.write_text(json.dumps(times))
    t.build("--tune", t.device, "--timing-cache", cache)
    (device,) = json.loads(cache.read_text())["devices"].values()
    if own not in device["us"] or len(device["us"]) != count + 1:
        raise Failure(f"the time of another version was taken: {device['us']}")
    return own.split(" ", 1)[1]


def main():
    binary, device = pathlib.Path(sys.argv[1]), sys.argv[2]
    if device != "cpu" and subprocess.run([binary / "inlay-run", "--has-device", device], capture_output=True).returncode != 0:
        print(f"[SKIP] no device {device} here")
        return plugins.SKIPPED
    with tempfile.TemporaryDirectory() as folder:
        skipped = 0
        for work in (Product(), Convolution()):
            test = Libraries(work, binary, device, pathlib.Path(folder))
            engine, _ = test.build()
            if "is not installed" in test.log_of_run(engine, work.few):
                print(f"[SKIP] {test.name} is not installed")
                skipped += 1
                continue
            for case in (by_rule, without_the_library, unwanted, measured):
                try:
                    print(f"ok {work.op} {case.__name__}: {case(test)}", flush=True)
                except Failure as failure:
                    print(f"FAILED {work.op} {case.__name__}: {failure}")
                    return 1
    return plugins.SKIPPED if skipped else 0


if __name__ == "__main__":
    sys.exit(main())
