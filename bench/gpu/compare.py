#!/usr/bin/env python3
"""Inlay beside Triton, PyTorch and AOTInductor on one GPU, in one run.

Needs PyTorch, Triton and a GPU; it is a measurement, not a test. Usage:
    compare.py BIN_FOLDER LIB_FOLDER [--out FILE.json]
BIN_FOLDER holds inlay, host_overhead and driver_baseline; LIB_FOLDER holds libinlay_runtime.so.

Tables: bandwidth of the tutorial's kernel from the same source over 2^27 floats; host time of one run with one kernel; process
start to the first result and peak memory.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import torch
import triton
import triton.language as tl

HERE = pathlib.Path(__file__).resolve().parent
EXAMPLE = HERE.parent.parent / "examples" / "add_one"
sys.path.insert(0, str(HERE.parent))

from runtime import Runtime  # noqa: E402


@triton.jit
def add_one_kernel(x_ptr, n_elements, y_ptr, BLOCK_SIZE: tl.constexpr):
    pid = tl.program_id(0)
    block_start = pid * BLOCK_SIZE
    offsets = block_start + tl.arange(0, BLOCK_SIZE)
    mask = offsets < n_elements
    x = tl.load(x_ptr + offsets, mask=mask)
    output = x + 1
    tl.store(y_ptr + offsets, output, mask=mask)


@torch.library.custom_op("bench::add_one", mutates_args=())
def add_one_op(x: torch.Tensor) -> torch.Tensor:
    y = torch.empty_like(x)
    n = x.numel()
    add_one_kernel[(triton.cdiv(n, 256),)](x, n, y, BLOCK_SIZE=256)
    return y


@add_one_op.register_fake
def _(x):
    return torch.empty_like(x)


@torch.library.triton_op("bench::add_one_t", mutates_args=())
def add_one_triton_op(x: torch.Tensor) -> torch.Tensor:
    y = torch.empty_like(x)
    n = x.numel()
    torch.library.wrap_triton(add_one_kernel)[(triton.cdiv(n, 256),)](x, n, y, BLOCK_SIZE=256)
    return y


class CustomOpModel(torch.nn.Module):
    def forward(self, x):
        return torch.ops.my.add_one(x)


class TritonOpModel(torch.nn.Module):
    def forward(self, x):
        return torch.ops.bench.add_one_t(x)


def host_time_us(function, iterations=2000, sync_every=64):
    """Median host time of one call in microseconds, the queue kept short by synchronizing now and then."""
    for _ in range(200):
        function()
    torch.cuda.synchronize()
    times = []
    for i in range(iterations):
        begin = time.perf_counter_ns()
        function()
        times.append((time.perf_counter_ns() - begin) / 1e3)
        if i % sync_every == sync_every - 1:
            torch.cuda.synchronize()
    return statistics.median(times)


def device_time_us(functions, rounds=15, calls=20):
    """Median device time of one call of each function; the functions take turns, so that they see the same clocks."""
    for function in functions.values():
        for _ in range(5):
            function()
    times = {name: [] for name in functions}
    for _ in range(rounds):
        for name, function in functions.items():
            start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
            start.record()
            for _ in range(calls):
                function()
            end.record()
            end.synchronize()
            times[name].append(start.elapsed_time(end) * 1e3 / calls)
    return {name: statistics.median(values) for name, values in times.items()}


def run_json(*command):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{command}: {done.stdout}{done.stderr}")
    return json.loads(done.stdout.strip().splitlines()[-1])


class Compare:
    def __init__(self, binaries, libraries, folder):
        self.bin, self.lib, self.folder = pathlib.Path(binaries), pathlib.Path(libraries), pathlib.Path(folder)
        self.results = {"device": torch.cuda.get_device_name(0), "torch": torch.__version__, "triton": triton.__version__}
        torch.library.define("my::add_one", "(Tensor X) -> Tensor")
        torch.library.register_fake("my::add_one", lambda X: torch.empty_like(X))

    def engine(self, name, shape, block, dynamic=False):
        """Exports x + 1 with the tutorial's operator and builds it with the tutorial's kernel."""
        x = torch.empty(shape, device="cuda")
        shapes = {"x": {0: torch.export.Dim("n", min=1, max=2**30)}} if dynamic else None
        program = torch.export.export(CustomOpModel(), (x,), dynamic_shapes=shapes)
        torch.export.save(program, self.folder / f"{name}.pt2")
        manifest = self.folder / f"{name}.toml"
        manifest.write_text((EXAMPLE / "add_one.toml").read_text().replace("add_one.py", str(EXAMPLE / "add_one.py"))
                            .replace("BLOCK_SIZE = 256", f"BLOCK_SIZE = {block}"))
        path = self.folder / f"{name}.inlay"
        subprocess.run([self.bin / "inlay", "build", self.folder / f"{name}.pt2", "--plugin", manifest, "--target", "cuda:sm_90a",
                        "--target", "cuda", "--quiet", "-o", path], check=True)
        return path

    def bandwidth(self, n=2**27):
        x, y = torch.rand(n, device="cuda"), torch.empty(n, device="cuda")
        rows = []
        for block in (256, 1024):
            grid = (triton.cdiv(n, block),)
            functions = {"triton": lambda: add_one_kernel[grid](x, n, y, BLOCK_SIZE=block), "torch copy": lambda: y.copy_(x)}
            for kind in ("static", "dynamic"):
                runtime = Runtime(self.lib / "libinlay_runtime.so", self.engine(f"big_{block}_{kind}", (n,), block, kind == "dynamic"), "cuda:0")
                runtime.bind([x], [y])
                y.zero_()
                runtime.enqueue()
                assert torch.equal(y, x + 1), "wrong result"
                functions[f"inlay {kind}"] = runtime.enqueue
            times = device_time_us(functions)
            rows.append({"block": block} | {name: {"us": round(t, 2), "gb_per_s": round(8 * n / t / 1e3, 1)} for name, t in times.items()})
        self.results["bandwidth_2^27_floats"] = rows

    def aoti(self, shape):
        """AOTInductor's C++ runner on the same kernel as a triton_op; None with the reason if it cannot be built here."""
        try:
            program = torch.export.export(TritonOpModel(), (torch.empty(shape, device="cuda"),))
            package = torch._inductor.aoti_compile_and_package(program, package_path=str(self.folder / "aoti.pt2"))
            from torch.utils import cpp_extension
            include = [f"-I{p}" for p in cpp_extension.include_paths(device_type="cuda")]
            library = [f"-L{p}" for p in cpp_extension.library_paths(device_type="cuda")]
            runner = self.folder / "aoti_runner"
            subprocess.run(["g++", "-O2", "-std=c++20", f"-D_GLIBCXX_USE_CXX11_ABI={int(torch.compiled_with_cxx11_abi())}", *include,
                            str(HERE / "aoti_runner.cpp"), "-o", str(runner), *library,
                            f"-Wl,-rpath,{pathlib.Path(torch.__file__).parent / 'lib'}", "-Wl,--no-as-needed", "-ltorch_cuda", "-lc10_cuda",
                            "-ltorch", "-ltorch_cpu", "-lc10", "-lcudart"], check=True, capture_output=True, text=True)
            return run_json(runner, package, shape[0], 5000)
        except subprocess.CalledProcessError as error:
            return {"not measured": error.stderr[-800:]}
        except Exception as error:  # what AOTInductor raises is not ours to list
            return {"not measured": str(error)[-800:]}

    def host_time(self, n=4096):
        x, y = torch.rand(n, device="cuda"), torch.empty(n, device="cuda")
        engine = self.engine("small", (n,), 256)
        ptx = self.folder / "add_one.ptx"
        subprocess.run([self.bin / "inlay", "kernel", "compile", f"{EXAMPLE / 'add_one.py'}:add_one_kernel", "--signature",
                        "*fp32:16,i32:16,*fp32:16", "--constexpr", "BLOCK_SIZE=256", "--target", "cuda:sm_90a", "--emit", "ptx", "-o", ptx],
                       check=True)
        grid = (triton.cdiv(n, 256),)
        compiled = torch.compile(lambda t: torch.ops.bench.add_one_t(t))
        # Twice each: the first start reads files and fills the driver's caches.
        for _ in range(2):
            driver = run_json(self.bin / "driver_baseline", ptx, "add_one_kernel", n, 256, 20000)
            inlay = run_json(self.bin / "host_overhead", engine, "cuda:0", 20000)
        aoti = self.aoti((n,))
        if "not measured" not in aoti:
            aoti = run_json(self.folder / "aoti_runner", self.folder / "aoti.pt2", n, 5000)
        self.results["host_time_us_one_kernel"] = {
            "cuLaunchKernel": driver["run_us"],
            "inlay run": inlay["run_us"],
            "inlay bind + run": inlay["rebind_us"],
            "AOTInductor C++": aoti.get("host_us_p50", aoti),
            "Triton from Python": round(host_time_us(lambda: add_one_kernel[grid](x, n, y, BLOCK_SIZE=256)), 2),
            "eager custom op": round(host_time_us(lambda: torch.ops.bench.add_one(x)), 2),
            "torch.compile": round(host_time_us(lambda: compiled(x)), 2),
        }
        self.results["process_start_to_first_result"] = {"driver alone": driver, "inlay": inlay, "AOTInductor C++": aoti}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binaries")
    parser.add_argument("libraries")
    parser.add_argument("--out")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        compare = Compare(arguments.binaries, arguments.libraries, folder)
        compare.bandwidth()
        compare.host_time()
    text = json.dumps(compare.results, indent=1)
    print(text)
    if arguments.out:
        pathlib.Path(arguments.out).write_text(text)


if __name__ == "__main__":
    main()
