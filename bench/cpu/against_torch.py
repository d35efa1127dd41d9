#!/usr/bin/env python3
"""Models by Inlay, with oneDNN and without it, beside PyTorch eager on the CPU: in one run, by turns, on as many threads.

Usage: against_torch.py BIN_FOLDER LIB_FOLDER [--only PATTERN] [--threads N] [--repeat N] [--turn-ms MS] [--out FILE.json]
BIN_FOLDER holds inlay, LIB_FOLDER libinlay_runtime.so. Models are those of tests/models/zoo.py by name, patterns with | between them; float32.
Each contender is a process of its own, which waits while another has its turn: eager, the engine, the same engine with
INLAY_ONEDNN=none, and again. A turn is one call, or as many as fit into MS, after a quarter of that in which nothing is measured, so that
threads that slept run again, and those of the one before end their spinning. For each the least and the median of all calls are
printed, in microseconds, and its median over eager's; the engine's largest distance from eager, relative to the largest output, beside
it: times of a wrong result mean nothing. Exit status 1
if a model failed or differs by more than 1e-3. It is a measurement, not a test; needs PyTorch and what of torchvision, timm and
transformers the models are of.
"""
import argparse
import fnmatch
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent.parent / "tests" / "models")]

from runtime import Runtime  # noqa: E402

DEFAULT = ("torchvision/resnet18|torchvision/resnet50|torchvision/mobilenet_v2|torchvision/efficientnet_b0|torchvision/convnext_tiny|torchvision/vit_b_16|"
           "torchvision/deeplabv3_mobilenet_v3_large|timm/deit_tiny_patch16_224|timm/sequencer2d_s|transformers/bert|transformers/gpt2|transformers/mamba")
CONTENDERS = {"eager": None, "engine": {}, "engine without oneDNN": {"INLAY_ONEDNN": "none"}}
LARGEST_ERROR = 1e-3


def aligned(array):
    """A copy at an address that vectors like."""
    import numpy
    memory = numpy.empty(array.nbytes + 64, numpy.uint8)
    begin = -memory.ctypes.data % 64
    copy = memory[begin:begin + array.nbytes].view(array.dtype).reshape(array.shape)
    copy[...] = array
    return copy


def tensors(outputs):
    import torch
    from torch.utils._pytree import tree_flatten
    return [value for value in tree_flatten(outputs)[0] if isinstance(value, torch.Tensor)]


def prepare(name, given):
    """Exports and builds a model; inputs, and what eager makes of them, are kept for the engine's processes."""
    import numpy
    import torch
    from architectures import make_model
    from zoo import cpu_target
    model, arguments, _ = make_model(name, torch.float32)
    with torch.no_grad():
        expected = tensors(model(*arguments))
        program = torch.export.export(model, arguments, strict=False)
    torch.export.save(program, given.folder / "model.pt2")
    subprocess.run([str(given.binaries / "inlay"), "build", str(given.folder / "model.pt2"), "--target", cpu_target(), "--quiet", "-o",
                    str(given.folder / "model.inlay")], check=True)
    for kind, values in (("in", arguments), ("out", expected)):
        numpy.savez(given.folder / f"{kind}.npz", **{f"{i:04}": value.numpy() for i, value in enumerate(values)})


def eager(name, given):
    """The call that is measured, and its error."""
    import torch
    from architectures import make_model
    torch.set_num_threads(given.threads)
    model, arguments, _ = make_model(name, torch.float32)

    def call():
        with torch.no_grad():
            model(*arguments)
    return call, 0.0


def engine(given):
    import numpy
    runtime = Runtime(given.libraries / "libinlay_runtime.so", given.folder / "model.inlay", "cpu", given.threads)
    inputs, expected = ([aligned(array) for array in numpy.load(given.folder / f"{kind}.npz").values()] for kind in ("in", "out"))
    outputs = [aligned(numpy.zeros_like(array)) for array in expected]
    runtime.bind(inputs, outputs)
    runtime.run()
    error = max(float(numpy.abs(ours.astype(float) - theirs).max() / max(numpy.abs(theirs).max(), 1e-30)) for ours, theirs in zip(outputs, expected))
    runtime.kept = inputs, outputs
    return runtime.run, error


def take_turns(name, kind, given):
    """A contender's process: a line from the other side is a turn."""
    call, error = eager(name, given) if CONTENDERS[kind] is None else engine(given)

    def timed():
        start = time.perf_counter()
        call()
        return (time.perf_counter() - start) * 1e6

    def fill(milliseconds):
        """Times of the calls that fit, of one at least."""
        times = [timed()]
        while sum(times) + times[-1] < milliseconds * 1e3:
            times.append(timed())
        return times
    call()
    print(json.dumps(error), flush=True)
    for _ in sys.stdin:
        fill(given.turn_ms / 4)
        print(json.dumps(fill(given.turn_ms)), flush=True)


def measure(name, given, options):
    """Each contender's times, by turns."""
    processes, times, errors = {}, {kind: [] for kind in CONTENDERS}, {}
    with open(given.folder / "log", "w") as log:
        subprocess.run([sys.executable, __file__, *options, "--part", "prepare"], check=True, stderr=log)
        for kind, variables in CONTENDERS.items():
            processes[kind] = subprocess.Popen([sys.executable, __file__, *options, "--part", kind], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                               stderr=log, text=True, env=dict(os.environ, **(variables or {})))
    try:
        for kind, process in processes.items():
            errors[kind] = json.loads(process.stdout.readline())
        for _ in range(given.repeat):
            for kind, process in processes.items():
                print("turn", file=process.stdin, flush=True)
                times[kind] += json.loads(process.stdout.readline())
    finally:
        for process in processes.values():
            process.stdin.close()
            process.wait()
    row = {"model": name}
    for kind, values in times.items():
        row[kind] = {"min_us": min(values), "median_us": statistics.median(values), "calls": len(values), "error": errors[kind]}
        row[kind]["ratio"] = row[kind]["median_us"] / row["eager"]["median_us"]
    return row


def print_row(row):
    cells = "  ".join(f"{row[kind]['min_us']:>9.0f} {row[kind]['median_us']:>9.0f}" for kind in CONTENDERS)
    ratios = "  ".join(f"{row[kind]['ratio']:>5.2f}" for kind in CONTENDERS if kind != "eager")
    print(f"{row['model']:<42}  {cells}  {ratios}  {max(row[kind]['error'] for kind in CONTENDERS):.1e}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binaries", type=pathlib.Path)
    parser.add_argument("libraries", type=pathlib.Path)
    parser.add_argument("--only", default=DEFAULT, help="patterns of names, with | between them; default: 12 models of all kinds")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--repeat", type=int, default=10, help="turns of each")
    parser.add_argument("--turn-ms", type=float, default=200.0)
    parser.add_argument("--out", type=pathlib.Path)
    parser.add_argument("--folder", type=pathlib.Path, help=argparse.SUPPRESS)
    for hidden in ("--part", "--model"):  # of the processes that this one starts
        parser.add_argument(hidden, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.part == "prepare":
        prepare(given.model, given)
        return 0
    if given.part:
        take_turns(given.model, given.part, given)
        return 0
    from architectures import all_names
    patterns = given.only.split("|")
    names = [name for name in all_names() if any(fnmatch.fnmatch(name, pattern) for pattern in patterns)]
    print(f"microseconds on {given.threads} threads, {given.repeat} turns: least and median of eager, of the engine, of the engine without oneDNN; medians over eager's; "
          "error")
    rows, problems = [], 0
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            given.folder = pathlib.Path(folder)
            options = [str(given.binaries), str(given.libraries), "--threads", str(given.threads), "--turn-ms", str(given.turn_ms), "--folder", folder, "--model", name]
            try:
                rows.append(measure(name, given, options))
            except (subprocess.CalledProcessError, ValueError, OSError) as problem:
                lines = (given.folder / "log").read_text().splitlines()
                print(f"{name:<42}  FAILED: {lines[-1] if lines else problem}", flush=True)
                problems += 1
                continue
        print_row(rows[-1])
        problems += any(rows[-1][kind]["error"] > LARGEST_ERROR for kind in CONTENDERS)
        if given.out:
            given.out.write_text(json.dumps(rows, indent=1))
    return 1 if problems or not rows else 0


if __name__ == "__main__":
    sys.exit(main())
