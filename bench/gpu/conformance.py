#!/usr/bin/env python3
"""The standard operators of ops/ and the functions of the Triton language against PyTorch, on the CPU and on a GPU.

Exports one model per operator or function and element type, builds an engine for both devices, runs it and compares with what PyTorch
computes on the CPU in float64 (or in the integer type). Needs PyTorch. Usage: conformance.py BIN_FOLDER DEVICE [DEVICE …]
Exit status 1 if any result is beyond the tolerance, or any operator cannot be built.
"""
import pathlib
import subprocess
import sys
import tempfile

import numpy
import torch

FLOATS, INTEGERS = ["float32", "float16", "float64"], ["int32", "int64"]
# Operator: function, number of tensors, element types, range of the inputs.
OPERATORS = {
    "add": (lambda x, y: x + y, 2, FLOATS + INTEGERS, 4),
    "add_alpha": (lambda x, y: torch.add(x, y, alpha=2), 2, FLOATS + INTEGERS, 4),
    "add_number": (lambda x: x + 3, 1, FLOATS + INTEGERS, 4),
    "sub": (lambda x, y: x - y, 2, FLOATS + INTEGERS, 4),
    "mul": (lambda x, y: x * y, 2, FLOATS + INTEGERS, 4),
    "mul_number": (lambda x: x * 3, 1, FLOATS + INTEGERS, 4),
    "div": (lambda x, y: x / (y + 8), 2, FLOATS, 4),
}
# Functions of the Triton language, each in a kernel of its own: what it computes, and the range of its input.
FUNCTIONS = {
    "exp": (torch.exp, -8, 8), "exp2": (torch.exp2, -8, 8), "log": (torch.log, 0.1, 20), "log2": (torch.log2, 0.1, 20),
    "sin": (torch.sin, -20, 20), "cos": (torch.cos, -20, 20), "sqrt": (torch.sqrt, 0, 20), "rsqrt": (torch.rsqrt, 0.1, 20),
    "erf": (torch.erf, -4, 4), "floor": (torch.floor, -9, 9), "ceil": (torch.ceil, -9, 9), "abs": (torch.abs, -9, 9),
}
KERNEL = """import triton
import triton.language as tl


@triton.jit
def kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + i, mask=i < n)
    tl.store(y_ptr + i, tl.FUNCTION(xCAST), mask=i < n)
"""
MANIFEST = """[[plugin]]
op = "conformance::NAME"
inputs = ["x"]
outputs = [{ name = "y", like = "x" }]

[[plugin.launch]]
kernel = "kernel.py:kernel"
constexprs = { BLOCK = 512 }
grid = ["ceildiv(x.numel, BLOCK)"]
args = ["x", "y", "x.numel"]
"""
TOLERANCES = {"float32": (1e-6, 1e-6), "float16": (2e-3, 2e-3), "float64": (1e-13, 1e-13)}


GENERATOR = torch.Generator().manual_seed(1)


class Model(torch.nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, *arguments):
        return self.function(*arguments)


def operator_case(folder, name, dtype):
    """Model, inputs, the function in float64, and the plugins of a standard operator."""
    function, count, _, limit = OPERATORS[name]
    return function, [random(dtype, -limit, limit) for _ in range(count)], function, []


def function_case(folder, name, dtype):
    """The same for a function of the Triton language behind a custom operator. Half precision is computed in float32."""
    function, low, high = FUNCTIONS[name]
    if not hasattr(torch.ops.conformance, name):
        torch.library.define(f"conformance::{name}", "(Tensor x) -> Tensor")
        torch.library.register_fake(f"conformance::{name}", torch.empty_like)
    (folder / "kernel.py").write_text(KERNEL.replace("FUNCTION", name).replace("CAST", ".to(tl.float32)" if dtype == "float16" else ""))
    (folder / "plugin.toml").write_text(MANIFEST.replace("NAME", name))
    operator = getattr(torch.ops.conformance, name)
    return lambda x: operator(x), [random(dtype, low, high)], function, ["--plugin", folder / "plugin.toml"]


def random(dtype, low, high, shape=(37, 129)):
    kind = getattr(torch, dtype)
    if dtype in INTEGERS:
        return torch.randint(-100, 100, shape, generator=GENERATOR, dtype=kind)
    return (torch.rand(shape, generator=GENERATOR, dtype=torch.float64) * (high - low) + low).to(kind)


def check(binary, devices, folder, case, name, dtype):
    model, arguments, function, plugins = case(folder, name, dtype)
    torch.export.save(torch.export.export(Model(model), tuple(arguments)), folder / "model.pt2")
    exact = dtype in INTEGERS
    expected = function(*(a if exact else a.double() for a in arguments)).to(getattr(torch, dtype))
    numpy.savez(folder / "data.npz", **{f"in_{i}": a.numpy() for i, a in enumerate(arguments)}, out_0=expected.numpy())
    targets = [t for d in devices for t in (["--target", "cpu"] if d == "cpu" else ["--target", "cuda"])]
    done = subprocess.run([binary / "inlay", "build", folder / "model.pt2", *plugins, *targets, "--quiet", "-o", folder / "model.inlay"],
                          capture_output=True, text=True)
    if done.returncode != 0:
        return [f"{name} {dtype}: not built: {done.stderr.strip()}"]
    absolute, relative = (0, 0) if exact else TOLERANCES[dtype]
    problems = []
    for device in devices:
        done = subprocess.run([binary / "inlay-run", folder / "model.inlay", "--device", device, "--inputs", folder / "data.npz", "--check",
                               folder / "data.npz", "--atol", str(absolute), "--rtol", str(relative)], capture_output=True, text=True)
        if done.returncode != 0:
            problems.append(f"{name} {dtype} on {device}: {done.stdout.strip()[-400:]} {done.stderr.strip()[-400:]}")
    return problems


def main():
    binary, devices = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2:]
    cases = [(operator_case, name, dtype) for name, (_, _, dtypes, _) in OPERATORS.items() for dtype in dtypes]
    cases += [(function_case, name, dtype) for name in FUNCTIONS for dtype in FLOATS]
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for case in cases:
            problems = check(binary, devices, pathlib.Path(folder), *case)
            failed += bool(problems)
            for problem in problems:
                print(problem)
    print(f"{len(cases)} operators and functions by element type on {', '.join(devices)}: {len(cases) - failed} agree with PyTorch")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
