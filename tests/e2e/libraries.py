#!/usr/bin/env python3
"""Builds engines whose products may call a library of the machine, and runs them with it, without it, and for sizes that it is not taken for.

Usage: libraries.py BIN_FOLDER DEVICE
DEVICE is cpu (oneDNN) or cuda:N (cuBLASLt). Exit status 77 says that there is no such device, or not its library (CTest counts the test as skipped).
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import npy
import plugins
from plugins import Failure, run

DEPTH, COLUMNS = 128, 128


def graph(dtype):
    def tensor(*sizes):
        return f'!graph.tensor<[{", ".join(chr(34) + str(size) + chr(34) for size in sizes)}], "{dtype}">'
    x, w, bias, y = tensor("s0", DEPTH), tensor(COLUMNS, DEPTH), tensor(COLUMNS), tensor("s0", COLUMNS)
    return f"""graph.model @m inputs ["x", "w", "bias"] ["", "", ""] outputs ["y"] [""]
    symbols [{{name = "s0", min = 0 : i64, max = 65536 : i64, opt = 1024 : i64}}] checks [] {{
^bb0(%x: {x}, %w: {w}, %bias: {bias}):
  %y = graph.call "aten::linear" node "linear" (%x, %w, %bias) names ["input", "weight", "bias"] arguments {{}} : ({x}, {w}, {bias}) -> {y}
  graph.output %y : {y}
}}
"""


def small(count, seed):
    """Integers whose products and sums are exact, in float16 too."""
    return [float((i * seed + i // 7) % 3 - 1) for i in range(count)]


class Libraries:
    def __init__(self, binary, device, folder):
        self.binary, self.device, self.folder = binary, device, folder
        is_cpu = device == "cpu"
        self.name, self.function, self.variable = (("oneDNN", "onednn.matmul_bias", "INLAY_ONEDNN") if is_cpu else
                                                   ("cuBLASLt", "cublasLt.matmul_bias", "INLAY_CUBLASLT"))
        self.target = "cpu" if is_cpu else plugins.GPU_TARGETS[0]
        # In float32 the library of GPUs is for those who measure.
        self.dtype = "float32" if is_cpu else "float16"
        (folder / "model.mlir").write_text(graph(self.dtype))

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
        """Runs on so many rows, compares with exact results, and gives what the runtime says."""
        x, w, bias = small(rows * DEPTH, 3), small(COLUMNS * DEPTH, 5), small(COLUMNS, 1)
        y = []
        for row in range(rows):
            line = x[row * DEPTH:(row + 1) * DEPTH]
            for column in range(COLUMNS):
                y.append(bias[column] + sum(a * b for a, b in zip(line, w[column * DEPTH:(column + 1) * DEPTH])))
        npz = self.folder / "case.npz"
        npy.save_npz(npz, {"x": (x, (rows, DEPTH), self.dtype), "w": (w, (COLUMNS, DEPTH), self.dtype), "bias": (bias, (COLUMNS,), self.dtype),
                           "y": (y, (rows, COLUMNS), self.dtype)})
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
        must_say("is ready", t.log_of_run(engine, 64))
    must_not_say("is ready", t.log_of_run(engine, 1))
    if t.device != "cpu":
        (t.folder / "model.mlir").write_text(graph("float32"))
        _, report = t.build()
        (t.folder / "model.mlir").write_text(graph(t.dtype))
        if report["tactics"]:
            raise Failure(f"in float32 there are tactics: {report['tactics']}")
    return "taken for large products"


def without_the_library(t):
    """Own kernels stand in, and the log says why."""
    engine, _ = t.build()
    for path, why in (("none", f"{t.variable} is set to none"), ("/no/such.so", f"{t.name} is not there: {t.variable} names '/no/such.so'")):
        log = t.log_of_run(engine, 64, **{t.variable: path})
        must_say(f"kernel '{t.function}' is not taken on {t.device}: {why}", log)
        must_not_say("is ready", log)
    return "two reasons"


def unwanted(t):
    """An engine that needs no library."""
    engine, report = t.build("--no-vendor-libraries")
    if report["tactics"]:
        raise Failure(f"there are tactics: {report['tactics']}")
    must_not_say("LibraryFunction", run(t.binary / "inlay", "inspect", engine))
    must_not_say(t.function, t.log_of_run(engine, 64))
    return "no functions"


def measured(t):
    """Measuring decides, and a kernel of our own stays behind the library's; without the library it is alone."""
    engine, report = t.build("--tune", t.device)
    kept, passed_over = ([entry["name"] for entry in report["tactics"][0][key]] for key in ("kept", "passed_over"))
    if kept[-1] != "inlay" or sorted(kept + passed_over) != sorted([t.name, "inlay"]):
        raise Failure(f"kept {kept}, passed over {passed_over}")
    t.log_of_run(engine, 64)
    engine, report = t.build("--tune", t.device, environment={t.variable: "none"})
    if [entry["name"] for entry in report["tactics"][0]["kept"]] != ["inlay"] or t.variable not in report["tactics"][0]["failures"][0]:
        raise Failure(f"without the library: {report['tactics']}")
    must_not_say("LibraryFunction", run(t.binary / "inlay", "inspect", engine))
    return f"kept {kept}; {versions(t)}"


def versions(t):
    """A timing cache knows the time of the library's version that is here, and no other."""
    cache = t.folder / "times.json"
    t.build("--tune", t.device, "--timing-cache", cache)
    times = json.loads(cache.read_text())
    (device,) = times["devices"].values()
    (own,) = [key for key in device["us"] if f" {t.name} " in key]
    device["us"] = {key.split(" ")[0] + " another version" if key == own else key: us for key, us in device["us"].items()}
    cache.write_text(json.dumps(times))
    t.build("--tune", t.device, "--timing-cache", cache)
    (device,) = json.loads(cache.read_text())["devices"].values()
    if own not in device["us"] or len(device["us"]) != 3:
        raise Failure(f"the time of another version was taken: {device['us']}")
    return own.split(" ", 1)[1]


def main():
    binary, device = pathlib.Path(sys.argv[1]), sys.argv[2]
    if device != "cpu" and subprocess.run([binary / "inlay-run", "--has-device", device], capture_output=True).returncode != 0:
        print(f"[SKIP] no device {device} here")
        return plugins.SKIPPED
    with tempfile.TemporaryDirectory() as folder:
        test = Libraries(binary, device, pathlib.Path(folder))
        engine, _ = test.build()
        log = test.log_of_run(engine, 1)
        if "is not installed" in log:
            print(f"[SKIP] {test.name} is not installed")
            return plugins.SKIPPED
        for case in (by_rule, without_the_library, unwanted, measured):
            try:
                print(f"ok {case.__name__}: {case(test)}", flush=True)
            except Failure as failure:
                print(f"FAILED {case.__name__}: {failure}")
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
