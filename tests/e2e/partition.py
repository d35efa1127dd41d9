#!/usr/bin/env python3
"""Models divided between an engine and functions of the process: built, run on a device, compared with what PyTorch recorded.

Usage: partition.py BIN_FOLDER DEVICE
DEVICE is cpu or cuda:N. Exit status 77 says that there is no such device (CTest counts the test as skipped).
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import npy
import plugins
from plugins import Failure, fails, run

MODELS = plugins.ROOT / "tests" / "models"
FIXTURES = plugins.ROOT / "tests" / "fixtures"
VECTOR = '!graph.tensor<["4"], "float32">'
ALLOWED = "--allow-host-segments"


def chain(*ops):
    """A model that applies operators of one tensor one after the other; nodes are n0, n1, …"""
    calls, last = "", "x"
    for i, op in enumerate(ops):
        calls += f'  %n{i} = graph.call "{op}" node "n{i}" (%{last}) names ["self"] arguments {{}} : ({VECTOR}) -> {VECTOR}\n'
        last = f"n{i}"
    return f'graph.model @m inputs ["x"] [""] outputs ["y"] [""] symbols [] checks [] {{\n^bb0(%x: {VECTOR}):\n{calls}  graph.output %{last} : {VECTOR}\n}}\n'


class Partition:
    def __init__(self, binary, device, folder):
        self.binary, self.device, self.folder = binary, device, folder
        self.inlay = binary / "inlay"
        self.target = "cpu" if device == "cpu" else "cuda"
        compiler = os.environ.get("CXX") or shutil.which("c++") or shutil.which("g++") or shutil.which("clang++")
        if not compiler:
            raise Failure("there is no C++ compiler")
        self.library, self.wrong_library = folder / "segments.so", folder / "wrong.so"
        for library, definitions in ((self.library, ()), (self.wrong_library, ("-DSEGMENTS_NUM_INPUTS=17",))):
            run(compiler, "-std=c++17", "-O1", "-fPIC", "-shared", *definitions, "-I", plugins.ROOT / "include",
                plugins.ROOT / "tests" / "e2e" / "segments.cpp", "-o", library, "-ldl")
        os.environ["INLAY_CACHE_DIR"] = str(folder / "kernels")  # many builds have the same kernels

    def command(self, model, *flags):
        return [self.inlay, "build", model, "--target", self.target, *flags]

    def build(self, model, *flags):
        """The engine, and which host functions it calls."""
        engine = self.folder / "model.inlay"
        report = json.loads(run(*self.command(model, *flags), "--quiet", "--report", "-", "-o", engine))
        return engine, [node["operator"] for node in report["operators"] if node["implementation"] == "jit"]

    def run_command(self, engine, npz, *flags):
        return [self.binary / "inlay-run", engine, "--device", self.device, "--inputs", npz, "--check", npz, *flags]

    def check(self, model, npz, segments, *flags, tolerances=("--rtol", 1e-4, "--atol", 1e-5)):
        engine, called = self.build(model, *flags)
        if called != [f"segment::{pathlib.Path(model).stem}_{i}" for i in range(segments)]:
            raise Failure(f"{model} {flags}: expected {segments} segments, found {called}")
        before = engine.read_bytes()
        self.build(model, *flags)
        if engine.read_bytes() != before:
            raise Failure(f"{model} {flags}: two builds differ")
        run(*self.run_command(engine, npz, *tolerances, "--host-library", self.library))
        return engine

    def text(self, *ops):
        path = self.folder / "m.mlir"
        path.write_text(chain(*ops))
        return path


def results_are_pytorchs(test):
    mlp, recorded = MODELS / "mlp.pt2", MODELS / "mlp.npz"
    test.check(mlp, recorded, 0)
    test.check(mlp, recorded, 0, ALLOWED)
    test.check(mlp, recorded, 1, ALLOWED, "--exclude", "aten::relu")
    test.check(mlp, recorded, 2, ALLOWED, "--exclude", "aten::relu.default", "--exclude", "silu", "--passes", "none")
    engine = test.check(mlp, recorded, 1, ALLOWED, "--exclude", "aten::relu", "--exclude", "linear_1")
    text = run(test.inlay, "inspect", engine)
    for said in (r"call host function 'segment::mlp_0'", r"input 0: linear: float32\[", r"input 1: \S*weight: float32\[", r"output 0: linear_1: ",
                 r"computes relu: float32\[\S*, \d+\] = aten::relu\(self = linear\)", r"computes linear_1: .* = aten::linear\(input = relu, weight = "):
        if not re.search(said, text):
            raise Failure(f"inspect does not say '{said}':\n{text}")
    # Blocks of one call go to their neighbour: the first linear.
    test.check(mlp, recorded, 1, ALLOWED, "--exclude", "aten::relu", "--min-block-size", 2)
    # All of it.
    engine = test.check(mlp, recorded, 1, ALLOWED, "--exclude", "aten::relu", "--min-block-size", 4)
    if "launch" in run(test.inlay, "inspect", engine):
        raise Failure("a model that is on the host as a whole has launches")
    test.check(FIXTURES / "mlp_dyn_T.pt2", FIXTURES / "mlp_dyn_T.npz", 1, ALLOWED, "--exclude", "aten::gelu")
    test.check(MODELS / "cnn.pt2", MODELS / "cnn.npz", 2, ALLOWED, "--exclude", "aten::relu")
    return "on the host: single calls, calls with weights, small blocks, all"


def goes_with_other_settings(test):
    mlp, recorded = MODELS / "mlp.pt2", MODELS / "mlp.npz"
    exclude = (ALLOWED, "--exclude", "aten::relu", "--exclude", "linear_1")
    test.check(mlp, recorded, 1, *exclude, "--refittable")
    # Segments compute in the model's types, whatever the device does.
    test.check(mlp, recorded, 1, *exclude, "--precision", "fp16", tolerances=("--rtol", 2e-2, "--atol", 2e-2))
    return "weights stay replaceable; float32 in segments of a build in half precision"


def unknown_operators_are_served(test):
    model = test.text("aten::relu", "my::triple", "aten::neg")
    data = test.folder / "data.npz"
    x = [-1.0, 0.5, 2.0, 4.0]
    npy.save_npz(data, {"x": (x, (4,), "float32"), "y": ([-3 * max(v, 0) for v in x], (4,), "float32")})
    fails(["no plugin for 1 of the model's operators", "my::triple"], *test.command(model, "-o", test.folder / "e.inlay"))
    fails(["no plugin for 1 of the model's operators"], *test.command(model, "--require-full", "-o", test.folder / "e.inlay"))
    test.check(model, data, 1, ALLOWED)
    return "forbidden by default, served where allowed"


def errors_name_what_is_wrong(test):
    mlp, out = MODELS / "mlp.pt2", ("-o", test.folder / "e.inlay")
    fails(["'aten::rleu' is to be excluded", "it has 'aten::relu'"], *test.command(mlp, ALLOWED, "--exclude", "aten::rleu", *out))
    fails(["'aten::relu' is to be excluded", "--allow-host-segments"], *test.command(mlp, "--exclude", "aten::relu", *out))
    fails(["blocks of fewer than 3 calls", "--allow-host-segments"], *test.command(mlp, "--min-block-size", 3, *out))
    fails(["host segments were allowed", "is a plan"], *test.command(plan_of(test, mlp), ALLOWED, *out))
    fails(["host segment segment::", "depends on data", "'non_zero_plugin"], *test.command(MODELS / "non_zero.pt2", ALLOWED, *out))
    engine, _ = test.build(mlp, ALLOWED, "--exclude", "aten::relu", "--exclude", "linear_1")
    command = test.run_command(engine, MODELS / "mlp.npz")
    fails(["has not registered: 'segment::mlp_0'", "is a host segment:", "input 0: linear: float32[", "output 0: linear_1: float32[", "= aten::relu(self = linear)"],
          *command)
    fails(["'segment::mlp_0'", "with 3 inputs; the registered function takes 17", "input 0: linear: float32["], *command,
          "--host-library", test.wrong_library)
    return "names, settings, functions that are missing or take other tensors"


def plan_of(test, model):
    stages = test.folder / "stages"
    run(*test.command(model, "--quiet", "--dump-stages", stages, "-o", test.folder / "e.inlay"))
    (plan,) = stages.glob("*plan.mlir")
    return plan


def dry_runs_show_the_parts(test):
    mlp, page = MODELS / "mlp.pt2", test.folder / "page.html"
    flags = (ALLOWED, "--exclude", "aten::relu", "--dry-run")
    text = run(*test.command(mlp, *flags, "--html", page))
    for said in ("2 blocks on the device, 1 host segment", "host segment segment::mlp_0, 1 call: relu", "input linear: float32[",
                 "'aten::relu' is excluded", "what would help: leave out --exclude", "output linear_2: float32["):
        if said not in text:
            raise Failure(f"the dry run does not say '{said}':\n{text}")
    report = json.loads(run(*test.command(mlp, *flags, "--json")))
    if [block["side"] for block in report["blocks"]] != ["device", "host", "device"]:
        raise Failure(f"blocks are {report['blocks']}")
    relu = next(node for node in report["nodes"] if node["node"] == "relu")
    if relu["side"] != "host" or relu["block"] != 1 or not relu["plugin"] or relu["operands"][0]["name"] != "linear":
        raise Failure(f"relu is {relu}")
    html = page.read_text()
    if re.search(r'\b(src|href)=|url\(|@import|https?://(?!www\.w3\.org/2000/svg)', html):
        raise Failure("the page loads something")
    if json.loads(re.search(r"const report = (\{.*?\n\})\n;", html, re.S).group(1)) != report:
        raise Failure("the page has another report")
    # A build that would fail shows how it could be divided, and still fails.
    model = test.text("aten::relu", "my::</script>")
    failed = subprocess.run([str(part) for part in test.command(model, "--dry-run", "--html", page)], capture_output=True, text=True)
    if failed.returncode != 1 or "with --allow-host-segments the model would be: 1 block on the device, 1 host segment" not in failed.stdout:
        raise Failure(f"{failed.returncode}: {failed.stdout}{failed.stderr}")
    if page.read_text().count("</script>") != 1:
        raise Failure("a name of the model ends the page's script")
    run(*test.command(model, "--dry-run", ALLOWED))
    fails(["--html is for --dry-run"], *test.command(mlp, "--html", page, "-o", test.folder / "e.inlay"))
    return "as text, JSON and a page"


CASES = [results_are_pytorchs, goes_with_other_settings, unknown_operators_are_served, errors_name_what_is_wrong, dry_runs_show_the_parts]


def main():
    binary, device = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2]
    if device != "cpu" and subprocess.run([binary / "inlay-run", "--has-device", device], capture_output=True).returncode != 0:
        print(f"[SKIP] no device {device} here")
        return plugins.SKIPPED
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        test = Partition(binary, device, pathlib.Path(folder))
        for case in CASES:
            try:
                print(f"{case.__name__}: {case(test)}")
            except Failure as failure:
                failed += 1
                print(f"{case.__name__}: FAILED\n{failure}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
