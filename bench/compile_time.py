#!/usr/bin/env python3
"""Time, memory and code size of compiling kernels on one core: compile_time.py BIN_FOLDER [--rounds N] [--filter TEXT].

Each figure is the processor time (user and system, of `inlay kernel compile` and the ptxas it starts) of whole processes: the
least of N, in ms. `start` is a process that compiles nothing, and is in all others too. `tile` stops after the front end; `ptx`
and `so` end with that; `cubin` is ptx and ptxas. Rows are kernels of the repository, one JSON object with --json.
"""
import argparse
import json
import os
import pathlib
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
CONFORMANCE = "tests/conformance/kernels/"
F16, F32, I32 = "*fp16:16", "*fp32:16", "i32:16"

TRAINING = [F16, F32, F16, F16, F32, F32, F16, F16, F16, "*i32:16", "*bf16:16", F32, F32, F32, F32, F16, F16, F16, F32, F32, F32,
            "*i8:16", F32, "*i32:16", F32, I32, I32, "i32", "i32"] + 7 * ["fp32"] + ["i32"]

# name, FILE:FUNCTION, types of the parameters that are no constexprs, constexprs
KERNELS = [
    ("add_one", "examples/add_one/add_one.py:add_one_kernel", [F32, I32, F32], {"BLOCK_SIZE": 256}),
    ("softmax", CONFORMANCE + "softmax.py:softmax", [F32, F32, I32, I32, "i32", "i32"], {"BLOCK": 1024, "STAGES": 2}),
    ("layer norm backward", CONFORMANCE + "layer_norm.py:backward", [F16, F16, F32, F32, F16, F16, F32, F32, "*i32:16", I32, "i32"],
     {"GROUPS": 64, "BLOCK": 1024}),
    ("matmul", CONFORMANCE + "matmul.py:grouped", [F16, F16, F16] + 3 * ["i32"] + [I32, "i32", I32, "i32", I32, "i32"],
     {"M": 128, "N": 128, "K": 64, "GROUP": 8, "ACTIVATION": "''"}),
    ("attention forward", "bench/gpu/kernels/attention.py:attention", [F16, F16, F16, F16, "fp32", I32],
     {"HEAD": 64, "TILE_Q": 64, "TILE_K": 64, "CAUSAL": True}),
    ("training step (300 lines)", "bench/kernels/training_step.py:training_step", TRAINING,
     {"BLOCK": 1024, "HALF": 512, "CLASSES": 1024, "GROUP": 128, "ACTIVATION": "'gelu'", "CENTERED": True}),
]
GPU, CPU = "cuda:sm_90a", "cpu:x86-64-v3"


def kernel_arguments(kernel, target, stage, output):
    _, source, types, constexprs = kernel
    arguments = ["kernel", "compile", str(ROOT / source), "--signature", ",".join(types), "--target", target, "--emit", stage]
    for name, value in constexprs.items():
        arguments += ["--constexpr", f"{name}={value}"]
    return arguments + ["-o", str(output)]


def run_once(program, arguments, environment):
    """Milliseconds of processor time and peak MB of one process and its children; ends this program if it fails."""
    messages = tempfile.TemporaryFile()
    child = os.fork()
    if child == 0:
        os.dup2(messages.fileno(), 1)
        os.dup2(messages.fileno(), 2)
        os.execve(program, [program, *arguments], environment)
    _, status, usage = os.wait4(child, 0)
    if status != 0:
        messages.seek(0)
        raise SystemExit(f"compile_time: {program} {' '.join(arguments)} failed with status {os.waitstatus_to_exitcode(status)}: "
                         + messages.read().decode())
    return 1e3 * (usage.ru_utime + usage.ru_stime), usage.ru_maxrss / 1024


def least(program, arguments, environment, rounds):
    results = [run_once(program, arguments, environment) for _ in range(rounds)]
    return min(ms for ms, _ in results), max(mb for _, mb in results)


class Table:
    def __init__(self, program, rounds, folder):
        self.program, self.rounds, self.output = program, rounds, folder / "output"
        base = {name: value for name, value in os.environ.items() if not name.startswith("INLAY_")}
        # Without ptxas in PATH the compiler stops at PTX.
        self.without_ptxas, self.with_ptxas = {**base, "PATH": str(folder)}, base

    def stage(self, kernel, target, stage, environment=None):
        """ms, MB and bytes of compiling up to a stage."""
        arguments = kernel_arguments(kernel, target, stage, self.output)
        ms, mb = least(self.program, arguments, environment or self.without_ptxas, self.rounds)
        return ms, mb, self.output.stat().st_size

    def kernel(self, kernel):
        tile, _, _ = self.stage(kernel, GPU, "tile")
        ptx, ptx_mb, ptx_bytes = self.stage(kernel, GPU, "ptx")
        cubin, _, _ = self.stage(kernel, GPU, "cubin", self.with_ptxas)
        so, so_mb, so_bytes = self.stage(kernel, CPU, "so")
        return {"kernel": kernel[0], "tile_ms": tile, "ptx_ms": ptx, "cubin_ms": cubin, "so_ms": so, "ptx_mb": ptx_mb, "so_mb": so_mb,
                "ptx_bytes": ptx_bytes, "so_bytes": so_bytes}

    def block(self, kernel, name, size):
        changed = (kernel[0], kernel[1], kernel[2], {**kernel[3], name: size})
        ms, mb, size_bytes = self.stage(changed, CPU, "so")
        return {"kernel": kernel[0], "block": size, "so_ms": ms, "so_mb": mb, "so_bytes": size_bytes}


def print_row(row, as_json):
    if as_json:
        print(json.dumps({key: round(value, 1) if isinstance(value, float) else value for key, value in row.items()}), flush=True)
    else:
        print("| " + " | ".join(f"{value:.0f}" if isinstance(value, float) else str(value) for value in row.values()) + " |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bin_folder", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--filter", default="", help="only kernels whose name holds this text")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    program = str((options.bin_folder / "inlay").resolve())
    kernels = [kernel for kernel in KERNELS if options.filter in kernel[0]]
    if not kernels:
        raise SystemExit(f"compile_time: no kernel's name holds '{options.filter}'; they are {', '.join(k[0] for k in KERNELS)}")
    with tempfile.TemporaryDirectory() as folder:
        table = Table(program, options.rounds, pathlib.Path(folder))
        start, _ = least(program, ["--version"], table.without_ptxas, options.rounds)
        print_row({"start_ms": start}, options.json)
        for kernel in kernels:
            print_row(table.kernel(kernel), options.json)
        for kernel, name in ((kernels[0], "BLOCK_SIZE"), *((k, "BLOCK") for k in kernels if k[0] == "softmax")):
            if name in kernel[3]:
                for size in (64, 256, 1024, 4096, 16384, 65536):
                    print_row(table.block(kernel, name, size), options.json)


if __name__ == "__main__":
    main()
