#!/usr/bin/env python3
"""Exports architectures of torchvision, timm and transformers, builds them with Inlay, runs them and compares with PyTorch.

Usage: zoo.py BIN_FOLDER DEVICE [--only PATTERN] [--jobs N] [--dtype float32|float16|bfloat16|tf32] [--time] [--compile PATTERN ...] [--out FILE.json]
              [--build-option OPTION ...]
DEVICE is cpu or cuda:N. Weights are random (seeded), configurations of language models small: what counts is the operators. For each
model one line: `ok` with the largest error relative to the largest output, and build time; `vacuous` if an output hardly differs between
inputs, so that a match would say nothing; `unsupported` with the operators that have no plugin; or at which step it failed, with the
message. An output is right if its distance from float64 is at most twice that of PyTorch in the same type plus 1e-4 (float32), 8e-3 (bfloat16)
or 1e-3 (float16, tf32) of the largest absolute value. With --time, when all that is done, the engines that are right are timed one by one beside
PyTorch eager and, for models that --compile names, torch.compile. Build times of several jobs at once are not comparable.
Needs PyTorch and what of the three packages is installed; exit status 77 if there is none of them.
"""
import argparse
import concurrent.futures
import copy
import fnmatch
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import time

from architectures import all_names, make_model


def flatten(outputs):
    import torch
    from torch.utils._pytree import tree_flatten
    return [value for value in tree_flatten(outputs)[0] if isinstance(value, torch.Tensor)]


def run(*command):
    return subprocess.run([str(part) for part in command], capture_output=True, text=True)


def try_model(name, given):
    """One model, in a process of its own. The engine stays in the folder of the run."""
    import numpy
    import torch
    torch.set_num_threads(2)
    result = {"model": name}
    dtype = torch_dtype(given)
    device = "cuda" if given.device != "cpu" else "cpu"
    allow_tf32(given.dtype == "tf32")  # convolutions of PyTorch are with 10 bits otherwise
    try:
        model, arguments, others = make_model(name, dtype)
        inside = model
        if dtype == torch.bfloat16:  # which NumPy's files do not hold
            model = float32_around(model)
            arguments, others = ([a.float() if a.is_floating_point() else a for a in values] for values in (arguments, others))
            arguments = tuple(arguments)

        def in_double(values):
            return [value.double() if value.is_floating_point() else value for value in values]
        with torch.no_grad():
            exact = copy.deepcopy(inside).double()
            if hasattr(exact, "config"):
                exact.config._experts_implementation = "eager"  # PyTorch's product of groups takes no float64
            reference = [value.double().cpu() for value in flatten(exact(*in_double(arguments)))]
            changed = [value.double().cpu() for value in flatten(exact(*in_double(others)))]
            theirs = [value.double().cpu() for value in flatten(model.to(device)(*(a.to(device) for a in arguments)))]
            model = model.cpu()
        program = torch.export.export(model, arguments, strict=False)
    except Exception as problem:  # noqa: BLE001: whatever a package throws is a line of the table
        return {**result, "state": "export", "message": str(problem).splitlines()[0][:200] if str(problem) else repr(problem)}
    difference = min(float((a - b).abs().max() / b.abs().max().clamp_min(1e-30)) for a, b in zip(changed, reference))
    if not difference > 1e-2:
        return {**result, "state": "vacuous", "message": f"outputs of two inputs differ by {difference:.1e} of the largest"}
    folder = given.folder / name.replace("/", "_")
    folder.mkdir()
    torch.export.save(program, folder / "model.pt2")
    start = time.time()
    precision = ["--precision", "tf32"] if given.dtype == "tf32" else []
    done = run(given.binaries / "inlay", "build", folder / "model.pt2", *precision, "--target", cpu_target() if device == "cpu" else "cuda:sm_90a", "--quiet",
               "-o", folder / "model.inlay", *given.build_option)
    result["build_s"] = round(time.time() - start, 1)
    (folder / "model.pt2").unlink()
    if done.returncode:
        operators = re.findall(r"^  ((?:aten|torchvision|prims|higher_order)[^\s]*)", done.stderr, re.M)
        if operators:
            return {**result, "state": "unsupported", "operators": operators}
        return {**result, "state": "build", "message": " ".join(done.stderr.split())[:300]}
    numpy.savez(folder / "in.npz", **{f"in_{i}": a.numpy() for i, a in enumerate(arguments)})
    outputs = []
    info = json.loads(run(given.binaries / "inlay", "inspect", folder / "model.inlay", "--json").stdout)
    for i, output in enumerate(info["outputs"]):
        outputs += ["--output", f"{output['name']}={folder}/out_{i}.npy"]
    done = run(given.binaries / "inlay-run", folder / "model.inlay", "--device", given.device, "--inputs", folder / "in.npz", *outputs)
    if done.returncode:
        return {**result, "state": "run", "message": " ".join(done.stderr.split())[:300]}
    ours = [torch.from_numpy(numpy.load(folder / f"out_{i}.npy").astype(numpy.float64)) for i in range(len(info["outputs"]))]
    if len(ours) != len(reference):
        return {**result, "state": "wrong", "message": f"{len(ours)} outputs, PyTorch has {len(reference)}"}

    def error(values):
        # Of NumPy, whose maximum of a NaN and a number is NaN.
        return float(numpy.max([float((a.reshape(b.shape) - b).abs().max() / b.abs().max().clamp_min(1e-30)) if b.numel() else 0.0
                                for a, b in zip(values, reference)]))
    result["error"], result["pytorch_error"] = error(ours), error(theirs)
    allowed = 2 * result["pytorch_error"] + {"float32": 1e-4, "bfloat16": 8e-3}.get(given.dtype, 1e-3)
    result["state"] = "ok" if result["error"] <= allowed else "wrong"
    result["launches"] = sum(step["kind"] == "launch" for step in info["steps"])
    if given.time and result["state"] == "ok" and is_compiled(name, given):
        compile_once(model.to(device), [a.to(device) for a in arguments])
    return result


def float32_around(model):
    """The model with float32 outside, all in bfloat16 inside."""
    import torch

    class Float32Around(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.inside = model

        def forward(self, *arguments):
            outputs = self.inside(*(a.to(torch.bfloat16) if a.is_floating_point() else a for a in arguments))
            return [value.float() if value.is_floating_point() else value for value in flatten(outputs)]
    return Float32Around().eval()


def torch_dtype(given):
    import torch
    return torch.float32 if given.dtype == "tf32" else getattr(torch, given.dtype)


def allow_tf32(is_allowed):
    """In products and in convolutions of PyTorch."""
    import torch
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = is_allowed


def cpu_target():
    """The best level that this processor has: PyTorch takes it too."""
    flags = pathlib.Path("/proc/cpuinfo").read_text()
    return "cpu:x86-64-v4" if all(f"avx512{part}" in flags for part in ("f", "bw", "cd", "dq", "vl")) else "cpu:x86-64-v3"


def is_compiled(name, given):
    return any(fnmatch.fnmatch(name, pattern) for pattern in given.compile)


def compile_once(model, arguments):
    """Fills torch.compile's cache on disk, which the timing reads later: compiling takes long, and here several do at once."""
    import torch
    try:
        with torch.no_grad():
            torch.compile(model)(*arguments)
    except Exception:  # noqa: BLE001, S110: the timing meets it again and says so
        pass


def time_model(row, given):
    """Adds latencies to a row of the table; nothing else runs meanwhile."""
    from timing import time_pytorch
    engine = given.folder / row["model"].replace("/", "_") / "model.inlay"
    bench = run(given.binaries / "inlay", "bench", engine, "--device", given.device, "--iterations", "50", "--json")
    if bench.returncode:
        row["bench_failed"] = " ".join(bench.stderr.split())[:200]
        return
    report = json.loads(bench.stdout)
    row["latency_us"] = report["latency_us"]["median"]
    row["device_us"] = report["device_time_us"]
    row["planned_mb"], row["peak_mb"] = (round(report["memory_bytes"][key] / 1e6, 1) for key in ("planned", "peak"))
    row.update(time_pytorch(row["model"], torch_dtype(given), "cuda" if given.device != "cpu" else "cpu", is_compiled(row["model"], given),
                            given.dtype == "tf32"))


def text_of(row):
    return ", ".join(f"{key} {value:.2g}" if key.endswith("error") else f"{key} {value:.0f}" if key.endswith("_us") else
                     f"{value}" if key in ("model", "state") else f"{key} {value}" for key, value in row.items())


def check_all(names, given, report):
    """A row for each model; several at once."""
    options = [given.binaries, given.device, "--dtype", given.dtype, "--folder", given.folder] + ["--time"] * given.time
    options += [f"--compile={pattern}" for pattern in given.compile]
    options += [f"--build-option={option}" for option in given.build_option]

    def check(name):
        try:
            done = subprocess.run([sys.executable, __file__, *options, "--one", name], capture_output=True, text=True, timeout=given.seconds)
            return json.loads(done.stdout.splitlines()[-1])
        except subprocess.TimeoutExpired:
            return {"model": name, "state": "time", "message": f"more than {given.seconds} s"}
        except (ValueError, IndexError):
            return {"model": name, "state": "failed", "message": (done.stderr or done.stdout)[-300:]}
    rows = []
    with concurrent.futures.ThreadPoolExecutor(given.jobs) as pool:
        for row in pool.map(check, names):
            rows.append(row)
            report(rows, row)
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binaries", type=pathlib.Path)
    parser.add_argument("device")
    parser.add_argument("--only", default="*", help="patterns of names, with | between them")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--dtype", choices=("float32", "float16", "bfloat16", "tf32"), default="float32",
                        help="tf32: float32 whose products and convolutions may round to TF32, in PyTorch as well")
    parser.add_argument("--time", action="store_true")
    parser.add_argument("--compile", action="append", default=[], metavar="PATTERN", help="with --time: models to time under torch.compile too")
    parser.add_argument("--build-option", action="append", default=[], help="passed to inlay build")
    parser.add_argument("--seconds", type=float, default=300, help="for one model")
    parser.add_argument("--out", type=pathlib.Path)
    parser.add_argument("--folder", type=pathlib.Path, help=argparse.SUPPRESS)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(try_model(given.one, given)))
        return 0
    try:
        import torch  # noqa: F401
    except ImportError as missing:
        print(f"[SKIP] {missing}")
        return 77
    names = [name for name in all_names() if any(fnmatch.fnmatch(name, pattern) for pattern in given.only.split("|"))]
    if not names:
        print("[SKIP] there are no such models here")
        return 77

    def report(rows, row):
        print(text_of(row), flush=True)
        if given.out:
            given.out.write_text(json.dumps(rows, indent=1))
    with tempfile.TemporaryDirectory() as folder:
        given.folder = pathlib.Path(folder)
        rows = check_all(names, given, report)
        for row in rows if given.time else ():
            if row["state"] == "ok":
                time_model(row, given)
                report(rows, row)
    good = sum(row["state"] == "ok" for row in rows)
    print(f"{good} of {len(rows)} models match PyTorch")
    return 0 if good == len(rows) else 1


if __name__ == "__main__":
    sys.exit(main())
