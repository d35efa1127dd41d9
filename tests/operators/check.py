#!/usr/bin/env python3
"""Runs the standard operators on a device and compares them with NumPy.

Usage: check.py BIN_FOLDER DEVICE [GROUP …]
DEVICE is cpu or cuda:N. Exit status 77 says that there is no such device (CTest counts the test as skipped).
"""
import pathlib
import re
import subprocess
import sys
import tempfile

import contractions
import draws
import graphs
import lines
import losses
import masks
import pairs
import pointwise
import recurrences
import refused
import shapes
import volumes
import windows

SKIPPED = 77
MODULES = (pointwise, shapes, contractions, lines, losses, pairs, recurrences, volumes, windows)
# Of known bounds, where offsets are 32 bits wide, and of none, where they are 64.
SYMBOLS = [("s0", 2, 4096), ("s1", 2, 4096)]
UNBOUNDED = [("s0", 2, 2**63 - 1), ("s1", 2, 2**63 - 1)]
# Groups of which the CPU also runs the kernels that GPUs get, and some that only those have; how often they are launched, where that is known.
AS_ON_GPU = "_as_on_gpu"
GPU_KERNELS = {"deep_products": {"finish_kernel": None, "unfold_kernel": None}, "sums_of_products": {"product_kernel": None},
               "symbolic_contractions": {}, "volume_convolutions": {"convolution_kernel": None, "unfold_kernel": None, "collect_kernel": None},
               "large_windows": {"unfold_kernel": 2 + 2 + 4}, "shifted_windows": {"widen_kernel": None, "shifted_kernel": None, "finish_kernel": None},
               "symbolic_volumes": {"gather_kernel": None}, "additions": {"scatter_kernel": None}}
SIZES = [(3, 5), (2, 2), (7, 1030), (130, 17)]


def symbolic(module, symbols):
    first, *others = [list(module.symbolic(*sizes)) for sizes in SIZES]
    return first, symbols, others


def check_refusals(binary, folder):
    """Calls that must not build, and what the error says."""
    problems = []
    for case, message in refused.refusals():
        (folder / "refused.mlir").write_text(graphs.graph_text([case]))
        command = [binary / "inlay", "build", folder / "refused.mlir", "--target", "cpu:x86-64-v3", "--quiet", "-o", folder / "refused.inlay"]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 1 or not re.search(message, done.stderr):
            problems.append(f"{case.describe()}: expected an error that says '{message}'; exit status {done.returncode}, {done.stderr}")
    return problems


def main():
    binary, device = pathlib.Path(sys.argv[1]), sys.argv[2]
    if device != "cpu" and subprocess.run([binary / "inlay-run", "--has-device", device], capture_output=True).returncode != 0:
        print(f"[SKIP] no device {device} here")
        return SKIPPED
    groups = {group.__name__: (list(group()), (), ()) for module in MODULES for group in module.GROUPS}
    groups |= {f"symbolic_{module.__name__}": symbolic(module, SYMBOLS) for module in MODULES}
    groups |= {group.__name__: (cases := list(group()), masks.symbols_of(cases), ()) for group in masks.GROUPS}
    groups |= {f"unbounded_{module.__name__}": symbolic(module, UNBOUNDED) for module in (pointwise, shapes)}
    if device == "cpu":
        groups |= {f"{name}{AS_ON_GPU}": groups[name] for name in GPU_KERNELS}
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for name in sys.argv[3:] or [*groups, "draws"]:
            if name == "draws":
                problems = draws.check(binary, device, pathlib.Path(folder))
                for problem in problems:
                    print(f"draws on {device} FAILED: {problem}")
                failed += len(problems)
                continue
            cases, symbols, resized = groups[name]
            try:
                gpu_kernels = GPU_KERNELS[name.removesuffix(AS_ON_GPU)] if name.endswith(AS_ON_GPU) else None
                problems = graphs.check(binary, device, pathlib.Path(folder), name, cases, symbols, resized, name != "free", gpu_kernels)
            except graphs.Failure as failure:
                problems = [str(failure)]
            for problem in problems:
                print(f"{name} on {device} FAILED: {problem}")
            failed += len(problems)
            print(f"{name} on {device}: {len(cases)} calls, {1 + len(resized)} sizes, {len(problems)} problems")
        if not sys.argv[3:]:
            problems = check_refusals(binary, pathlib.Path(folder))
            for problem in problems:
                print(f"refusals FAILED: {problem}")
            failed += len(problems)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
