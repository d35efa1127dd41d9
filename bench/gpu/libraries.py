#!/usr/bin/env python3
"""Products by Inlay's kernels, by cuBLASLt as a tactic of the same engine, and by PyTorch, on one GPU.

    libraries.py prepare BIN_FOLDER OUT_FOLDER      builds engines (no GPU needed)
    libraries.py measure LIB_FOLDER OUT_FOLDER      measures them: needs PyTorch, a GPU and cuBLASLt (PyTorch brings one)
LIB_FOLDER holds libinlay_runtime.so. Each line is JSON: microseconds of device time of one run, the least of several averages, and the largest
difference from float64 beside PyTorch's. An engine without cuBLASLt is the same engine in a process with INLAY_CUBLASLT=none.
"""
import json
import os
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from runtime import Runtime  # noqa: E402

# (name, batch, M, N, K, dtype, weight is transposed and has a bias)
CASES = [(f"{kind}_{m}x{n}x{k}_{dtype}", batch, m, n, k, dtype, kind == "linear")
         for dtype in ("float16", "bfloat16", "float32")
         for kind, batch, m, n, k in (("linear", 1, 16, 1024, 1024), ("linear", 1, 128, 768, 768), ("linear", 1, 128, 3072, 768),
                                      ("linear", 1, 1024, 1024, 1024), ("linear", 1, 4096, 4096, 4096), ("linear", 1, 1, 4096, 4096),
                                      ("linear", 1, 513, 1000, 2048), ("bmm", 96, 128, 128, 64), ("bmm", 96, 128, 64, 128))]


def graph(batch, m, n, k, dtype, is_linear):
    def tensor(*sizes):
        return f'!graph.tensor<[{", ".join(chr(34) + str(size) + chr(34) for size in sizes)}], "{dtype}">'
    if is_linear:
        op, operands = "aten::linear", [("input", tensor(m, k)), ("weight", tensor(n, k)), ("bias", tensor(n))]
        y = tensor(m, n)
    else:
        op, operands = "aten::bmm", [("self", tensor(batch, m, k)), ("mat2", tensor(batch, k, n))]
        y = tensor(batch, m, n)
    names = ", ".join(f'"{name}"' for name, _ in operands)
    values = ", ".join(f"%{name}" for name, _ in operands)
    empty = ", ".join('""' for _ in operands)
    return f"""graph.model @m inputs [{names}] [{empty}] outputs ["y"] [""] symbols [] checks [] {{
^bb0({", ".join(f"%{name}: {type_}" for name, type_ in operands)}):
  %y = graph.call "{op}" node "product" ({values}) names [{names}] arguments {{}} : ({", ".join(t for _, t in operands)}) -> {y}
  graph.output %y : {y}
}}
"""


def prepare(binary, out):
    """The written rule leaves small products to our kernels; without its condition all of them may be measured."""
    out.mkdir(parents=True, exist_ok=True)
    for name, *case in CASES:
        (out / "graph.mlir").write_text(graph(*case))
        build = [str(binary / "inlay"), "build", "--target", "cuda:sm_90a", "--quiet", "-o", str(out / f"{name}.inlay")]
        subprocess.run([*build, str(out / "graph.mlir"), "--dump-stages", str(out / "stages")], check=True)
        (plan,) = (out / "stages").glob("*plan.mlir")
        text = plan.read_text()
        if "cuBLASLt" not in text:  # the rule is known not to hold
            print(f"{name}: by the rule, our kernel alone")
            continue
        (out / "plan.mlir").write_text(re.sub(r'condition = "[^"]*", (library = "cuBLASLt")', r"\1", text))
        subprocess.run([*build, str(out / "plan.mlir")], check=True)


def torch_microseconds(torch, function):
    for _ in range(10):
        function()
    best = float("inf")
    for _ in range(5):
        start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        start.record()
        for _ in range(100):
            function()
        end.record()
        end.synchronize()
        best = min(best, start.elapsed_time(end) * 10)
    return best


def measure_one(library, out, name, batch, m, n, k, dtype, is_linear):
    import torch
    torch.manual_seed(3)
    torch.backends.cuda.matmul.allow_tf32 = False
    kind = getattr(torch, dtype)

    def random(*shape):
        return (torch.rand(shape, device="cuda", dtype=torch.float32) - 0.5).to(kind)
    if is_linear:
        inputs = [random(m, k), random(n, k), random(n)]
        function = torch.nn.functional.linear
    else:
        inputs = [random(batch, m, k), random(batch, k, n)]
        function = torch.bmm
    exact = function(*(value.double() for value in inputs))
    theirs = function(*inputs)
    ours = torch.full_like(theirs, float("nan"))
    runtime = Runtime(library / "libinlay_runtime.so", out / f"{name}.inlay", "cuda:0")
    runtime.bind(inputs, [ours])
    runtime.run()
    first = ours.clone()
    runtime.run()
    result = {"us": min(runtime.microseconds(100) for _ in range(5)), "error": (ours.double() - exact).abs().max().item(),
              "is_repeatable": torch.equal(first, ours), "torch_us": torch_microseconds(torch, lambda: function(*inputs)),
              "torch_error": (theirs.double() - exact).abs().max().item()}
    print(json.dumps(result))


def measure(library, out):
    import torch
    print(json.dumps({"gpu": torch.cuda.get_device_name(), "torch": torch.__version__}))
    for case in CASES:
        if not (out / f"{case[0]}.inlay").exists():
            continue
        rows = {}
        for label, path in (("cublasLt", None), ("own", "none")):
            environment = dict(os.environ, INLAY_LOG="cuda=info,runtime=debug,engine=info")
            if path:
                environment["INLAY_CUBLASLT"] = path
            else:  # the one that PyTorch brought is loaded in the process, and found by its name
                environment.setdefault("INLAY_CUBLASLT", find_cublaslt())
            done = subprocess.run([sys.executable, __file__, "one", library, out, case[0]], env=environment, capture_output=True, text=True)
            if done.returncode:
                rows[label] = {"failed": done.stderr[-600:]}
                continue
            rows[label] = json.loads(done.stdout.splitlines()[-1])
            rows[label]["is_ready"] = "is ready" in done.stderr
        print(json.dumps({"case": case[0], **rows}), flush=True)


def find_cublaslt():
    import torch
    root = pathlib.Path(torch.__file__).resolve().parent.parent
    found = sorted(root.glob("nvidia/**/libcublasLt.so.*"))
    return str(found[-1]) if found else "libcublasLt.so.12"


def main():
    command, library, out = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    if command == "prepare":
        prepare(library, out)
    elif command == "measure":
        measure(library, out)
    else:
        measure_one(library, out, *next(case for case in CASES if case[0] == sys.argv[4]))


if __name__ == "__main__":
    main()
