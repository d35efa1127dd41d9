#!/usr/bin/env python3
"""Runs the kernels of all lessons on a device and compares with NumPy in float64, or with PyTorch's own operators.

Usage: check.py BIN_FOLDER DEVICE [--against numpy|torch] [--size small|large] [--lesson NAME …] [--jobs N] [--quiet] [--time]
       check.py BIN_FOLDER --assemble sm_80,sm_90a,sm_100a,sm_120
DEVICE is cpu or cuda:N. --assemble runs nothing: it compiles every launch of the small cases for these GPUs, with NVIDIA's ptxas.
Exit status 1 if a result is beyond the tolerance or a kernel does not compile; 77 if there is no such device, or no ptxas.
"""
import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import numpy

import lessons_matrices
import lessons_rows
from launch import Failed, Launcher, call, in_parallel
from lesson import describe, worst

LESSONS = lessons_rows.LESSONS + lessons_matrices.LESSONS
SKIPPED = 77
REPEATS = 50  # launches that are measured


def numpy_results(lesson, x, case):
    return lesson.expected({name: array.values() for name, array in x.items()}, **case)


def torch_tensor(torch, array, device):
    views = {"bf16": (numpy.int16, torch.bfloat16), "fp8e5": (numpy.uint8, torch.float8_e5m2), "fp8e4nv": (numpy.uint8, torch.float8_e4m3fn)}
    if array.dtype in views:
        raw, dtype = views[array.dtype]
        return torch.from_numpy(array.data.view(raw)).view(dtype).to(device)
    return torch.from_numpy(array.data).to(device)


def torch_results(lesson, x, case, device):
    """None where PyTorch has no operator for it."""
    import torch
    results = lesson.torch(torch, {name: torch_tensor(torch, array, device) for name, array in x.items()}, **case)
    return results and {name: value.detach().to("cpu", torch.float64).numpy() for name, value in results.items()}


def torch_us(lesson, x, case):
    """The median time of PyTorch's operators on the GPU, forward and backward where the lesson has both; None where there are none."""
    import torch
    if torch_results(lesson, x, case, "cuda") is None:
        return None
    tensors = {name: torch_tensor(torch, array, "cuda") for name, array in x.items()}
    times = []
    for _ in range(REPEATS):
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        lesson.torch(torch, tensors, **case)
        end.record()
        end.synchronize()
        times.append(start.elapsed_time(end) * 1000)
    return sorted(times)[len(times) // 2]


class Check:
    def __init__(self, arguments):
        self.arguments = arguments

    def __call__(self, item):
        """One case: lines of the table, as (lesson, case, output, against, error, share of the tolerance, tolerance or message)."""
        lesson, case = item
        # The same numbers whichever lessons are chosen.
        x = lesson.inputs(numpy.random.default_rng(sum(map(ord, lesson.name + describe(case)))), **case)
        try:
            launch = Launcher(self.arguments.binaries, self.arguments.device, REPEATS if self.arguments.time else 0)
            results = lesson.run(launch, x, **case)
        except Failed as failure:
            return [(lesson.name, describe(case), "", "", numpy.inf, numpy.inf, str(failure))]
        if self.arguments.time:
            theirs = torch_us(lesson, x, case)
            print(f"{lesson.name:20} {describe(case):60} {launch.us:10.1f} us" + (f"  PyTorch {theirs:10.1f} us" if theirs else ""), flush=True)
        against, expected = self.arguments.against, None
        if against == "torch":
            expected = torch_results(lesson, x, case, "cuda" if self.arguments.device.startswith("cuda") else "cpu")
        if expected is None:
            against, expected = "numpy", numpy_results(lesson, x, case)
        rtol, atol = lesson.tolerance(**case)
        lines = []
        for name, values in expected.items():
            error, share = worst(results[name].values(), values.reshape(results[name].shape), rtol, atol)
            lines.append((lesson.name, describe(case), name, against, error, share, f"{atol:.1e} + {rtol:.1e} |e|"))
        return lines


def print_table(rows, quiet):
    failures = sum(not row[5] <= 1 for row in rows)
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for lesson, case, output, against, error, share, tolerance in rows:
        good = share <= 1
        if not (quiet and good):
            print(f"{lesson:{widths[0]}}  {case:{widths[1]}}  {output:{widths[2]}}  {against:{widths[3]}}  error {error:8.2e}  "
                  f"{share:6.2f} of {tolerance}  {'ok' if good else 'WRONG'}")
    print(f"{len(rows) - failures} passed, {failures} failed")
    return failures == 0


def run(arguments, lessons):
    if arguments.device != "cpu":
        there = subprocess.run([pathlib.Path(arguments.binaries) / "inlay-run", "--has-device", arguments.device], capture_output=True, text=True)
        if there.returncode != 0:
            print(f"[SKIP] {there.stderr.strip()}")
            return SKIPPED
    items = [(lesson, case) for lesson in lessons for case in (lesson.cases if arguments.size == "small" else lesson.large)]
    rows = [row for lines in in_parallel(Check(arguments), items, arguments.jobs) for row in lines]
    return 0 if print_table(rows, arguments.quiet) else 1


def assemble(arguments, lessons):
    if not (os.environ.get("INLAY_PTXAS") or shutil.which("ptxas")):
        print("[SKIP] there is no ptxas: neither on the PATH nor in INLAY_PTXAS")
        return SKIPPED
    inlay = pathlib.Path(arguments.binaries) / "inlay"
    launches = {}

    def note(kernel):
        # Once for each kernel as compiled, not for each shape that it is launched on.
        launches.setdefault((kernel.named(), kernel.signature(), tuple(kernel.options())), kernel)
        return kernel.written()
    for lesson in lessons:
        for case in lesson.cases:
            lesson.run(note, lesson.inputs(numpy.random.default_rng(1), **case), **case)

    def compile_one(item):
        (named, signature, options), target = item
        with tempfile.TemporaryDirectory() as folder:
            try:
                call(inlay, "kernel", "compile", named, "--signature", signature, *options, "--target", f"cuda:{target}", "--emit", "cubin",
                     "-o", pathlib.Path(folder) / "kernel.cubin")
                return None
            except Failed as failure:
                return str(failure)
    items = [(key, target) for key in launches for target in arguments.assemble.split(",")]
    failures = [text for text in in_parallel(compile_one, items, arguments.jobs) if text]
    for text in failures:
        print(text)
    print(f"{len(items) - len(failures)} passed, {len(failures)} failed")
    return 1 if failures else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binaries", metavar="BIN_FOLDER")
    parser.add_argument("device", metavar="DEVICE", nargs="?", default="cpu")
    parser.add_argument("--against", choices=["numpy", "torch"], default="numpy")
    parser.add_argument("--size", choices=["small", "large"], default="small")
    parser.add_argument("--lesson", action="append", metavar="NAME", help="only this one; may be repeated")
    parser.add_argument("--jobs", type=int, default=0, help="cases at a time; default: one a processor, on a GPU one")
    parser.add_argument("--quiet", action="store_true", help="print only what is wrong, and the count")
    parser.add_argument("--time", action="store_true", help="on a GPU with PyTorch: print the time of each case's launches, and of PyTorch's operators")
    parser.add_argument("--assemble", metavar="TARGETS")
    arguments = parser.parse_args()
    names = [lesson.name for lesson in LESSONS]
    if unknown := set(arguments.lesson or []) - set(names):
        parser.error(f"no lesson {', '.join(map(repr, sorted(unknown)))}; there are: {', '.join(names)}")
    if arguments.time and not arguments.device.startswith("cuda"):
        parser.error("--time measures on a GPU: give a device such as cuda:0")
    lessons = [lesson for lesson in LESSONS if not arguments.lesson or lesson.name in arguments.lesson]
    arguments.jobs = arguments.jobs or (1 if arguments.device.startswith("cuda") else os.cpu_count())
    sys.exit(assemble(arguments, lessons) if arguments.assemble else run(arguments, lessons))


if __name__ == "__main__":
    main()
