#!/usr/bin/env python3
"""Matrix products and attention by Inlay and by Triton, checked against PyTorch, side by side.

    matmul.py prepare INLAY FOLDER [--target cuda:sm_90a]   here: compiles every case to PTX with the program `inlay`
    matmul.py measure FOLDER [--out FILE.json] [--only TEXT]  on a machine with PyTorch, Triton and a GPU

`prepare` needs neither a GPU nor PyTorch. It writes NAME.ptx, NAME.json, or NAME.error where a case does not compile; `measure` runs the
same sources with Triton. Both launch on the same tensors; a result that differs from PyTorch's is reported and its speed is not.
"""
import argparse
import ctypes
import importlib.util
import json
import math
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
KERNELS = HERE / "kernels"
TRITON_NAMES = {"f16": "fp16", "bf16": "bf16", "f32": "fp32", "i8": "i8", "e5m2": "fp8e5", "e4m3": "fp8e4nv", "i32": "i32", "f64": "fp64"}


class Case:
    """What cases have in common: how their kernel is launched."""
    file = property(lambda self: self.kernel)

    def inlay_arguments(self, tensors, scalars):
        values = [ctypes.c_void_p(t.data_ptr()) for t in tensors]
        return values + [ctypes.c_float(s) if isinstance(s, float) else ctypes.c_int32(s) for s in scalars]

    def triton_arguments(self, tensors, scalars):
        return [*tensors, *scalars]


class MatmulCase(Case):
    """M × K by K × N; `dtype` of A and B, `out` of C; `stored` tells for A and B: "n" by rows, "t" by columns."""

    def __init__(self, dtype, out, size, tiles, warps, stages, precision="tf32", stored="nn"):
        self.dtype, self.out, self.size, self.tiles = dtype, out, size, tiles
        self.num_warps, self.num_stages, self.precision = warps, stages, precision
        self.name = f"matmul_{dtype}_{precision}_{'x'.join(map(str, size))}_{'x'.join(map(str, tiles))}_w{warps}_s{stages}"
        self.name += "" if stored == "nn" else f"_{stored}"
        self.columns = [letter == "t" for letter in stored]
        self.kernel = "matmul"
        m, n, k = size
        self.flops = 2 * m * n * k
        self.grid = (math.ceil(m / tiles[0]) * math.ceil(n / tiles[1]), 1, 1)
        self.constexprs = {"TILE_M": tiles[0], "TILE_N": tiles[1], "TILE_K": tiles[2], "GROUP": 8, "PRECISION": precision,
                           "A_COLUMNS": self.columns[0], "B_COLUMNS": self.columns[1]}
        self.acc = "i32" if dtype == "i8" else "f64" if dtype == "f64" else "f32"

    def signature(self):
        def integer(value):
            return "i32:16" if value % 16 == 0 else "i32"

        m, n, k = self.size
        pointers = [f"*{TRITON_NAMES[self.dtype]}:16"] * 2 + [f"*{TRITON_NAMES[self.out]}:16"]
        return ",".join(pointers + [integer(x) for x in (m, n, k, *self.strides())])

    def strides(self):
        m, n, k = self.size
        return m if self.columns[0] else k, k if self.columns[1] else n, n

    def inlay_constexprs(self):
        types = {"i32": "tl.int32", "f64": "tl.float64", "f32": "tl.float32"}
        return {**self.constexprs, "ACC": types[self.acc]}

    def triton_constexprs(self, tl):
        return {**self.constexprs, "ACC": {"i32": tl.int32, "f64": tl.float64, "f32": tl.float32}[self.acc]}

    def make(self, torch):
        m, n, k = self.size
        shapes = ((k, m) if self.columns[0] else (m, k), (n, k) if self.columns[1] else (k, n))
        torch.manual_seed(0)
        types = {"f16": torch.float16, "bf16": torch.bfloat16, "f32": torch.float32, "f64": torch.float64, "i8": torch.int8,
                 "i32": torch.int32, "e5m2": torch.float8_e5m2, "e4m3": torch.float8_e4m3fn}
        if self.dtype == "i8":
            a, b = (torch.randint(-100, 100, shape, dtype=torch.int8, device="cuda") for shape in shapes)
        else:
            source = torch.float64 if self.dtype == "f64" else torch.float32
            a, b = (torch.randn(shape, dtype=source, device="cuda").to(types[self.dtype]) for shape in shapes)
        c = torch.empty((m, n), dtype=types[self.out], device="cuda")
        return [a, b, c], [m, n, k, *self.strides()]

    def reference(self, torch, tensors):
        a, b = (tensor.T if by_columns else tensor for tensor, by_columns in zip(tensors, self.columns))
        if self.dtype == "i8":
            return (a.double() @ b.double()).to(torch.int64), 0.0
        exact = a.double() @ b.double()
        k = self.size[2]
        # One result's rounding, and the products' where operands are shortened; sums grow like the root of K.
        relative = {"f16": 2e-3, "bf16": 1.6e-2, "f32": 2e-6, "f64": 1e-14, "e5m2": 2e-3, "e4m3": 2e-3}[self.out if self.out != "f32" else self.dtype]
        products = {"tf32": 2e-3, "ieee": 0, "tf32x3": 4e-6, "bf16x3": 1e-4, "bf16x6": 4e-6}[self.precision] if self.dtype == "f32" else 0
        return exact, (relative + products) * math.sqrt(k) * 4


class AttentionCase(Case):
    def __init__(self, batch, heads, length, head, tiles, warps, stages, causal):
        self.shape, self.tiles, self.causal = (batch, heads, length, head), tiles, causal
        self.num_warps, self.num_stages, self.kernel = warps, stages, "attention"
        self.name = f"attention_d{head}_{'causal' if causal else 'full'}_n{length}_{'x'.join(map(str, tiles))}_w{warps}_s{stages}"
        self.flops = 4 * batch * heads * length * length * head / (2 if causal else 1)
        self.grid = (length // tiles[0], batch * heads, 1)
        self.constexprs = {"HEAD": head, "TILE_Q": tiles[0], "TILE_K": tiles[1], "CAUSAL": causal}

    def signature(self):
        return "*fp16:16,*fp16:16,*fp16:16,*fp16:16,fp32,i32:16"

    def inlay_constexprs(self):
        return self.constexprs

    def triton_constexprs(self, tl):
        return self.constexprs

    def make(self, torch):
        torch.manual_seed(0)
        tensors = [torch.randn(self.shape, dtype=torch.float16, device="cuda") for _ in range(3)]
        scale = 1 / math.sqrt(self.shape[3])
        return tensors + [torch.empty_like(tensors[0])], [scale / math.log(2), self.shape[2]]

    def reference(self, torch, tensors):
        q, k, v, _ = tensors
        return torch.nn.functional.scaled_dot_product_attention(q.float(), k.float(), v.float(), is_causal=self.causal).double(), 4e-3


class DescribedCase(Case):
    """M × K by transposed N × K through descriptors; `way` is a kernel of kernels/described.py."""
    file = "described"
    MULTIPROCESSORS = 132

    def __init__(self, way, size, tiles, warps, stages):
        self.kernel, self.size, self.tiles, self.num_warps, self.num_stages = way, size, tiles, warps, stages
        self.name = f"described_{way}_{'x'.join(map(str, size))}_{'x'.join(map(str, tiles))}_w{warps}_s{stages}"
        m, n, k = size
        self.flops = 2 * m * n * k
        count = math.ceil(m / tiles[0]) * math.ceil(n / tiles[1])
        self.grid = (count if way == "tile_each" else min(count, self.MULTIPROCESSORS), 1, 1)
        self.constexprs = {"TILE_M": tiles[0], "TILE_N": tiles[1], "TILE_K": tiles[2], "GROUP": 8}

    def blocks(self):
        tile_m, tile_n, tile_k = self.tiles
        return (tile_m, tile_k), (tile_n, tile_k), (tile_m, tile_n)

    def signature(self):
        integers = ["i32:16" if value % 16 == 0 else "i32" for value in self.size]
        tensors = [f"tensordesc<fp16[{rows},{columns}]>" for rows, columns in self.blocks()]
        return ",".join((["*fp16:16"] * 3 if self.kernel == "describing" else tensors) + integers)

    def inlay_constexprs(self):
        return self.constexprs

    def triton_constexprs(self, tl):
        return self.constexprs

    def make(self, torch):
        m, n, k = self.size
        torch.manual_seed(0)
        a, b = (torch.randn(shape, device="cuda").half() for shape in ((m, k), (n, k)))
        return [a, b, torch.empty((m, n), dtype=torch.float16, device="cuda")], [m, n, k]

    def reference(self, torch, tensors):
        a, b, _ = tensors
        return a.double() @ b.double().T, 2e-3 * math.sqrt(self.size[2]) * 4

    def inlay_arguments(self, tensors, scalars):
        if self.kernel == "describing":
            return super().inlay_arguments(tensors, scalars)
        values = []
        for tensor in tensors:
            values.append(ctypes.c_void_p(tensor.data_ptr()))
            values += [ctypes.c_int64(number) for number in (*tensor.shape, *tensor.stride())]
        return values + [ctypes.c_int32(s) for s in scalars]

    def triton_arguments(self, tensors, scalars):
        if self.kernel == "describing":
            return super().triton_arguments(tensors, scalars)
        from triton.tools.tensor_descriptor import TensorDescriptor
        described = [TensorDescriptor.from_tensor(tensor, list(block)) for tensor, block in zip(tensors, self.blocks())]
        return [*described, *scalars]


def described_cases():
    ways = ("tile_each", "persistent", "describing")
    # Sizes that are no multiples of the tiles, and fewer steps along K than stages; then sizes to be timed.
    return [DescribedCase(way, size, tiles, warps, stages) for way in ways for size, tiles, warps, stages in (
        ((200, 136, 72), (64, 64, 32), 4, 3), ((256, 256, 64), (128, 128, 64), 8, 4), ((1000, 1048, 200), (128, 256, 64), 8, 3),
        ((1000, 1048, 208), (64, 64, 128), 4, 1), ((2048, 2048, 2048), (128, 128, 64), 8, 4), ((4096, 4096, 4096), (128, 256, 64), 8, 3),
        ((4096, 4096, 4096), (128, 128, 64), 8, 4))]


def all_cases():
    small = (256, 256, 256)
    cases = [MatmulCase(*types, small, (64, 64, 32), 4, 3) for types in
             (("f16", "f16"), ("bf16", "bf16"), ("f32", "f32"), ("i8", "i32"), ("e5m2", "f16"), ("e4m3", "f16"), ("f64", "f64"))]
    cases += [MatmulCase("f32", "f32", small, (64, 64, 32), 4, 3, p) for p in ("ieee", "tf32x3", "bf16x3", "bf16x6")]
    # Sizes that are no multiples of the tiles, and tiles smaller than an instruction.
    cases += [MatmulCase("f16", "f16", (200, 136, 72), (64, 64, 32), 4, 3), MatmulCase("f16", "f16", (100, 99, 77), (32, 32, 16), 4, 2),
              MatmulCase("f16", "f32", (16, 256, 256), (16, 64, 64), 4, 3), MatmulCase("bf16", "f32", (1, 256, 256), (1, 64, 64), 4, 3),
              MatmulCase("f16", "f16", small, (128, 128, 32), 8, 1)]
    # Every way that groups of warps read operands from shared memory: rows of 32, 64 and 128 bytes along either dimension, groups along M
    # and N, one and several instructions a group.
    for dtype, out, size in (("f16", "f16", (528, 272, 208)), ("bf16", "f32", (520, 264, 200))):
        for stored in ("nn", "nt", "tn", "tt"):
            cases += [MatmulCase(dtype, out, size, tiles, warps, stages, stored=stored) for tiles, warps, stages in
                      (((64, 64, 16), 4, 3), ((128, 32, 32), 4, 2), ((64, 256, 64), 8, 3), ((128, 16, 128), 8, 4), ((256, 128, 64), 16, 3))]
    for dtype, out in (("f32", "f32"), ("i8", "i32"), ("e5m2", "f16"), ("e4m3", "f32")):
        cases += [MatmulCase(dtype, out, (528, 272, 208), tiles, warps, stages, stored="nt") for tiles, warps, stages in
                  (((64, 64, 32), 4, 3), ((128, 128, 64), 8, 2), ((64, 128, 128), 8, 1))]
    for size in (2048, 4096, 8192):
        for tiles, warps, stages in (((128, 128, 32), 4, 4), ((128, 256, 64), 8, 3), ((128, 128, 64), 8, 3), ((64, 128, 64), 4, 3)):
            cases.append(MatmulCase("f16", "f16", (size,) * 3, tiles, warps, stages))
    cases += [MatmulCase("bf16", "bf16", (4096,) * 3, (128, 128, 32), 4, 4), MatmulCase("f32", "f32", (4096,) * 3, (128, 128, 32), 8, 3),
              MatmulCase("e5m2", "f16", (4096,) * 3, (128, 128, 64), 8, 3), MatmulCase("i8", "i32", (4096,) * 3, (128, 128, 64), 8, 3)]
    cases += [MatmulCase(*types, (4096,) * 3, (128, 128, tile_k), 8, 3, stored="nt") for *types, tile_k in
              (("f16", "f16", 64), ("bf16", "bf16", 64), ("f32", "f32", 32), ("i8", "i32", 128), ("e5m2", "f16", 128))]
    for head, causal in ((64, False), (64, True), (128, False), (128, True)):
        cases.append(AttentionCase(1, 2, 512, head, (64, 64), 4, 2, causal))
        for tiles, warps, stages in (((64, 64), 4, 3), ((128, 64), 8, 3), ((128, 64), 4, 2)):
            cases.append(AttentionCase(4, 16, 4096, head, tiles, warps, stages, causal))
    return cases + described_cases()


def prepare(inlay, folder, target):
    folder.mkdir(parents=True, exist_ok=True)
    failures = 0
    for case in all_cases():
        path = folder / case.name
        command = [inlay, "kernel", "compile", f"{KERNELS / case.file}.py:{case.kernel}", "--target", target, "--signature", case.signature(),
                   "--num-warps", str(case.num_warps), "--num-stages", str(case.num_stages)]
        for name, value in case.inlay_constexprs().items():
            text = f'"{value}"' if isinstance(value, str) and not value.startswith("tl.") else value
            command += ["--constexpr", f"{name}={text}"]
        for suffix in ("ptx", "json"):
            done = subprocess.run(command + ["--emit", suffix, "-o", f"{path}.{suffix}"], capture_output=True, text=True)
            if done.returncode:
                pathlib.Path(f"{path}.error").write_text(done.stderr)
                print(f"{case.name}: {done.stderr.strip()}", file=sys.stderr)
                failures += 1
                break
        else:
            pathlib.Path(f"{path}.error").unlink(missing_ok=True)
    print(f"{len(all_cases()) - failures} of {len(all_cases())} cases compile", file=sys.stderr)
    return failures == 0


class Driver:
    """Loads PTX and launches it in PyTorch's context."""
    MAX_DYNAMIC_SHARED = 8  # CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES

    def __init__(self):
        self.lib = ctypes.CDLL("libcuda.so.1")

    def check(self, code, what):
        if code:
            text = ctypes.c_char_p()
            self.lib.cuGetErrorString(code, ctypes.byref(text))
            raise RuntimeError(f"{what}: {text.value.decode() if text.value else code}")

    def load(self, ptx, info):
        module, function = ctypes.c_void_p(), ctypes.c_void_p()
        self.check(self.lib.cuModuleLoadData(ctypes.byref(module), ptx.encode() + b"\0"), "cuModuleLoadData")
        self.check(self.lib.cuModuleGetFunction(ctypes.byref(function), module, info["name"].encode()), "cuModuleGetFunction")
        if info["shared_bytes"]:
            self.check(self.lib.cuFuncSetAttribute(function, self.MAX_DYNAMIC_SHARED, info["shared_bytes"]), "cuFuncSetAttribute")
        return function

    def launcher(self, function, case, info, tensors, scalars, stream):
        values = case.inlay_arguments(tensors, scalars)
        pointers = (ctypes.c_void_p * len(values))(*(ctypes.cast(ctypes.pointer(v), ctypes.c_void_p) for v in values))

        def launch():
            self.check(self.lib.cuLaunchKernel(function, *case.grid, 32 * info["num_warps"], 1, 1, info["shared_bytes"],
                                               ctypes.c_void_p(stream), pointers, None), "cuLaunchKernel")

        launch.keeps = values
        return launch


def load_kernels(file):
    spec = importlib.util.spec_from_file_location(file, KERNELS / f"{file}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def judge(torch, result, expected, tolerance):
    """The largest error, and whether it is within the tolerance of an element or of a typical one."""
    error = (result.double() - expected.double()).abs()
    allowed = tolerance * (1 + expected.double().abs()) if tolerance else 0
    return error.max().item(), bool((error <= allowed).all())


def measure(folder, out, only):
    import torch
    import triton
    import triton.language as tl

    driver, rows = Driver(), []
    torch.cuda.init()
    files = {name: load_kernels(name) for name in ("matmul", "attention", "described")}
    triton.set_allocator(lambda size, alignment, stream: torch.empty(size, dtype=torch.int8, device="cuda"))
    for case in all_cases():
        if only not in case.name:
            continue
        tensors, scalars = case.make(torch)
        expected, tolerance = case.reference(torch, tensors)
        row = {"case": case.name}

        def run(who, launch):
            try:
                tensors[-1].zero_()
                launch()
                torch.cuda.synchronize()
                row[f"{who}_error"], row[f"{who}_ok"] = judge(torch, tensors[-1], expected, tolerance)
                if row[f"{who}_ok"]:
                    row[f"{who}_tflops"] = case.flops / triton.testing.do_bench(launch, warmup=10, rep=50) / 1e9
            except Exception as failure:  # one case must not end the table
                row[f"{who}_failure"] = str(failure).splitlines()[0][:200]

        constexprs = case.triton_constexprs(tl)
        kernel, arguments = getattr(files[case.file], case.kernel), case.triton_arguments(tensors, scalars)
        run("triton", lambda: kernel[case.grid](*arguments, **constexprs, num_warps=case.num_warps, num_stages=case.num_stages))
        path = folder / case.name
        if pathlib.Path(f"{path}.ptx").exists():
            info = json.loads(pathlib.Path(f"{path}.json").read_text())
            row["registers"], row["spill_bytes"] = info.get("registers"), info.get("spill_bytes")
            try:
                function = driver.load(pathlib.Path(f"{path}.ptx").read_text(), info)
                run("inlay", driver.launcher(function, case, info, tensors, scalars, torch.cuda.current_stream().cuda_stream))
            except RuntimeError as failure:
                row["inlay_failure"] = str(failure)
        else:
            row["inlay_failure"] = "did not compile"
        rows.append(row)
        show = lambda who: row.get(f"{who}_failure") or ("WRONG, error %.3g" % row[f"{who}_error"] if not row[f"{who}_ok"]
                                                         else "%.1f TFLOP/s" % row[f"{who}_tflops"])
        print(f"{case.name:58} inlay {show('inlay'):28} triton {show('triton')}", flush=True)
    if out:
        pathlib.Path(out).write_text(json.dumps({"gpu": torch.cuda.get_device_name(), "triton": triton.__version__,
                                                 "torch": torch.__version__, "rows": rows}, indent=1) + "\n")
    wrong = [r["case"] for r in rows if not r.get("inlay_ok")]
    print(f"{len(rows) - len(wrong)} of {len(rows)} cases right; not: {', '.join(wrong) or 'none'}")
    return not wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    first = commands.add_parser("prepare")
    first.add_argument("inlay")
    first.add_argument("folder", type=pathlib.Path)
    first.add_argument("--target", default="cuda:sm_90a")
    second = commands.add_parser("measure")
    second.add_argument("folder", type=pathlib.Path)
    second.add_argument("--out")
    second.add_argument("--only", default="")
    options = parser.parse_args()
    ok = prepare(options.inlay, options.folder, options.target) if options.command == "prepare" else measure(options.folder, options.out, options.only)
    sys.exit(0 if ok else 1)


if __name__ == "__main__":
    main()
