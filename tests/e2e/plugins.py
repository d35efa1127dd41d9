#!/usr/bin/env python3
"""Builds engines from kernels that others compiled, runs them on a device and compares with what is computed here.

Usage: plugins.py BIN_FOLDER DEVICE [CASE …]
DEVICE is cpu or cuda:N. Exit status 77 says that there is no such device, or no C compiler for the CPU's kernels (CTest counts the
test as skipped). On the CPU the engines are also built for GPUs, as far as NVRTC is installed.
"""
import json
import math
import os
import pathlib
import random
import shutil
import struct
import subprocess
import sys
import tempfile

import npy

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PREBUILT = ROOT / "tests" / "prebuilt"
KERNELS = ROOT / "tests" / "plugins" / "elsewhere"
OUTPUTS = ROOT / "tests" / "plugins" / "outputs" / "outputs.toml"
SKIPPED = 77
GPU_TARGETS = ("cuda:sm_90a",)


class Failure(Exception):
    pass


def run(*command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode != 0:
        raise Failure(f"{' '.join(map(str, command))}\nexit status {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def fails(expected, *command):
    """The command must fail and say all of these."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    said = done.stdout + done.stderr
    if done.returncode == 0:
        raise Failure(f"{' '.join(map(str, command))} did not fail")
    for text in expected:
        if text not in said:
            raise Failure(f"{' '.join(map(str, command))}\nexpected: {text}\nsaid: {said}")


def numbers(count):
    # Multiples of 1/8 below 2^4: sums of a few thousand are exact in float32.
    return [random.randrange(-128, 128) / 8 for _ in range(count)]


def model(op, shape, out_shape, dtype="float32", attributes=""):
    """The graph of one call. A text as a dimension is a symbol."""
    def tensor(sizes):
        return f'!graph.tensor<[{", ".join(chr(34) + str(size) + chr(34) for size in sizes)}], "{dtype}">'
    symbols = sorted({size for size in shape if isinstance(size, str)})
    declared = ", ".join(f'{{name = "{name}", min = 0 : i64, max = 1048576 : i64, opt = 64 : i64}}' for name in symbols)
    return f"""graph.model @m inputs ["in_0"] [""] outputs ["out_0"] [""] symbols [{declared}] checks [] {{
^bb0(%x: {tensor(shape)}):
  %y = graph.call "{op}" node "node_1" (%x) names ["X"] arguments {{{attributes}}} : ({tensor(shape)}) -> {tensor(out_shape)}
  graph.output %y : {tensor(out_shape)}
}}
"""


def calls(inputs, nodes, outputs):
    """The graph of several calls on float32 vectors of one symbolic size: nodes are (results, operator, operands by name)."""
    tensor = '!graph.tensor<["s0"], "float32">'

    def texts(values):
        return "[" + ", ".join(f'"{value}"' for value in values) + "]"
    lines = []
    for number, (results, op, operands) in enumerate(nodes):
        lines.append(f'  {", ".join("%" + name for name in results)} = graph.call "{op}" node "node_{number}" '
                     f'({", ".join("%" + value for value in operands.values())}) names {texts(operands)} arguments {{}} : '
                     f'({", ".join([tensor] * len(operands))}) -> ({", ".join([tensor] * len(results))})\n')
    return (f"graph.model @m inputs {texts(inputs)} {texts([''] * len(inputs))} outputs {texts('out_' + name for name in outputs)} "
            f"{texts([''] * len(outputs))} symbols [{{name = \"s0\", min = 0 : i64, max = 1048576 : i64, opt = 64 : i64}}] checks [] {{\n"
            f"^bb0({', '.join(f'%{name}: {tensor}' for name in inputs)}):\n{''.join(lines)}"
            f"  graph.output {', '.join('%' + name for name in outputs)} : {', '.join([tensor] * len(outputs))}\n}}\n")


def norm_model(rows, columns, dtype):
    """The graph of sample::rms_norm on [rows, columns] and [columns]."""
    x, w = (f'!graph.tensor<[{", ".join(chr(34) + str(size) + chr(34) for size in sizes)}], "{dtype}">'
            for sizes in ((rows, columns), (columns,)))
    symbols = ", ".join(f'{{name = "{s}", min = 0 : i64, max = 1048576 : i64, opt = 64 : i64}}'
                        for s in (rows, columns) if isinstance(s, str))
    return f"""graph.model @m inputs ["in_0", "in_1"] ["", ""] outputs ["out_0"] [""] symbols [{symbols}] checks [] {{
^bb0(%x: {x}, %w: {w}):
  %y = graph.call "sample::rms_norm" node "rms_norm" (%x, %w) names ["X", "W"] arguments {{eps = 0.125 : f64}} : ({x}, {w}) -> {x}
  graph.output %y : {x}
}}
"""


class Test:
    """One run: programs, device and a folder for files."""

    def __init__(self, binary, device, folder):
        self.binary, self.device, self.folder = binary, device, folder
        self.is_cpu = device == "cpu"

    def build(self, graph, manifest, targets):
        path = self.folder / "model.mlir"
        path.write_text(graph)
        engine = self.folder / "model.inlay"
        flags = [part for target in targets for part in ("--target", target)]
        run(self.binary / "inlay", "build", path, "--plugin", manifest, *flags, "--quiet", "-o", engine)
        return engine

    def refuse(self, expected, graph, manifest, *targets):
        path = self.folder / "model.mlir"
        path.write_text(graph)
        flags = [part for target in targets for part in ("--target", target)]
        fails(expected, self.binary / "inlay", "build", path, "--plugin", manifest, *flags, "-o", self.folder / "refused.inlay")

    def check(self, engine, x, shape, y, out_shape, *tolerances, more=None):
        return self.check_tensors(engine, {"in_0": (x, shape, "float32"), "out_0": (y, out_shape, "float32"), **(more or {})}, *tolerances)

    def check_tensors(self, engine, tensors, *tolerances, no_graphs=()):
        """no_graphs: what is said where runs of this engine cannot be recorded."""
        npz = self.folder / "case.npz"
        npy.save_npz(npz, tensors)
        command = (self.binary / "inlay-run", engine, "--device", self.device, "--inputs", npz, "--check", npz, "--json",
                   *(tolerances or ("--rtol", 0, "--atol", 0)))
        if not self.is_cpu and no_graphs:
            fails(no_graphs, *command, "--graphs")
        elif not self.is_cpu:  # recorded in the second run, launched as a graph from then on
            run(*command, "--graphs", "--repeat", 4)
        run(*command, "--debug", "--trace", self.folder / "trace.json")
        rows = {event["tid"] for event in json.loads((self.folder / "trace.json").read_text())["traceEvents"]}
        if rows != {1, 2}:
            raise Failure(f"the trace has the rows {rows}")
        said = run(*command)
        result = json.loads(said)
        if not result["checked"]:
            raise Failure("nothing was compared")
        return result

    def manifest(self, text):
        path = self.folder / "plugin.toml"
        path.write_text(text)
        return path

    def target(self):
        return "cpu" if self.is_cpu else GPU_TARGETS[0]


def add_one_manifest(kernel, extra=""):
    return f"""[[plugin]]
op = "my::add_one"
inputs = ["X"]
outputs = [{{ name = "Y", like = "X" }}]

[[plugin.launch]]
{kernel}
grid = ["ceildiv(X.numel, 256)"]
{extra}
args = ["X", "X.numel", "Y"]
"""


def check_add_one(test, manifest, targets, name):
    engine = test.build(model("my::add_one", ["s0"], ["s0"]), manifest, targets)
    launches = []
    for count in (1, 255, 256, 1000, 0):
        x = numbers(count)
        launches.append(test.check(engine, x, (count,), [v + 1 for v in x], (count,))["launches"])
    if launches != [1, 1, 1, 1, 0]:
        raise Failure(f"{name}: launches {launches}; an empty tensor launches nothing, others one")


def triton_files(test):
    """The tutorial's kernel as Triton wrote it: PTX, cubins and its JSON."""
    done = []
    for version in ("sm80", "sm90"):
        stem = f"add_one_fp32.{version}"
        for suffix in (".ptx", ".cubin", ".json"):
            folder = test.folder / f"{stem}{suffix}"
            folder.mkdir()
            for name in {stem + suffix, stem + ".json"} | ({stem + ".ptx", stem + ".cubin"} if suffix == ".json" else set()):
                shutil.copy(PREBUILT / name, folder)
            manifest = test.manifest(add_one_manifest(f'kernel = "{folder.name}/{stem}{suffix}:add_one_kernel"'))
            # A cubin of sm_80 runs on no other major version.
            target = "cuda:sm_80" if (version, suffix) == ("sm80", ".cubin") else GPU_TARGETS[0]
            if test.is_cpu or target != GPU_TARGETS[0]:
                test.build(model("my::add_one", ["s0"], ["s0"]), manifest, [target])
            else:
                check_add_one(test, manifest, [target], stem + suffix)
            done.append(stem + suffix)
    return ", ".join(done)


def objects(test):
    """The kernel as an object, a shared object, and Triton's PTX for GPUs beside it."""
    for suffix in ("o", "so"):
        shutil.copy(PREBUILT / "add_one_fp32.sm80.ptx", test.folder)
        shutil.copy(PREBUILT / "add_one_fp32.sm80.json", test.folder)
        images = f'images = {{ "cuda" = "add_one_fp32.sm80.ptx:add_one_kernel", "cpu" = "add_one.{suffix}:add_one_kernel" }}'
        check_add_one(test, test.manifest(add_one_manifest(images)), ["cpu", GPU_TARGETS[0]], suffix)
    return "one engine for CPU and GPU, from .o and .so"


def source_and_files(test):
    """A kernel in the Triton language for all targets but one."""
    shutil.copy(ROOT / "examples" / "add_one" / "add_one.py", test.folder)
    manifest = test.manifest(add_one_manifest(
        'kernel = "add_one.py:add_one_kernel"\nconstexprs = { BLOCK_SIZE = 256 }\n'
        'images = { "cuda:sm_80" = "add_one_fp32.sm80.ptx:add_one_kernel" }'))
    shutil.copy(PREBUILT / "add_one_fp32.sm80.ptx", test.folder)
    shutil.copy(PREBUILT / "add_one_fp32.sm80.json", test.folder)
    check_add_one(test, manifest, ["cpu", "cuda:sm_80"], "source")
    return "the compiler's code for the CPU, Triton's for sm_80"


def refusals(test):
    graph = model("my::add_one", ["s0"], ["s0"])
    for name in ("add_one_fp32.sm80.ptx", "add_one_fp32.sm80.json", "add_one_fp32.sm80.cubin"):
        shutil.copy(PREBUILT / name, test.folder)

    def refuse(expected, kernel, *targets, extra="", args=None):
        text = add_one_manifest(kernel, extra)
        if args:
            text = text.replace('args = ["X", "X.numel", "Y"]', f"args = {args}")
        test.refuse(expected, graph, test.manifest(text), *targets)

    ptx = 'kernel = "add_one_fp32.sm80.ptx:add_one_kernel"'
    refuse(["there is no image for this target", "add_one_fp32.sm80.ptx for sm_80", "my::add_one", "cpu:x86-64-v2"], ptx, "cpu")
    refuse(["there is no image for this target", "cuda:sm_90a", "add_one_fp32.sm80.cubin for sm_80"],
           'kernel = "add_one_fp32.sm80.cubin:add_one_kernel"', "cuda:sm_90a")
    refuse(["parameter 1 of kernel 'add_one_kernel' is 4-byte integer", "'i64(X.numel)' (int64)"], ptx, "cuda:sm_80",
           args='["X", "i64(X.numel)", "Y"]')
    refuse(["parameter 1 of kernel 'add_one_kernel'", "'Y' (*float32)"], ptx, "cuda:sm_80", args='["X", "Y", "X.numel"]')
    refuse(["has 5 parameters", "the launch passes 2 arguments"], ptx, "cuda:sm_80", args='["X", "Y"]')
    refuse(["it holds no kernel 'add'", "add_one_kernel"], 'kernel = "add_one_fp32.sm80.ptx:add"', "cuda:sm_80")
    refuse(["runs in blocks of 128 x 1 x 1 threads, but the launch gives 64 x 1 x 1"], ptx, "cuda:sm_80", extra="block = [64]")
    refuse(["the .json beside the code says"], ptx, "cuda:sm_80", extra="shared_bytes = 64")
    shutil.copy(PREBUILT / "add_one_fp32.sm90.ptx", test.folder)
    shutil.copy(PREBUILT / "add_one_fp32.sm90.json", test.folder)
    refuse(["sm_90", "which does not run on sm_80, the target it is given for"],
           'images = { "cuda:sm_80" = "add_one_fp32.sm90.ptx:add_one_kernel" }', "cuda:sm_80")
    shutil.copy(PREBUILT / "add_one_fp32.sm80.ptx", test.folder / "alone.ptx")
    refuse(["put the .json that it wrote there", "has 5 parameters, but the launch passes 3 arguments"],
           'kernel = "alone.ptx:add_one_kernel"', "cuda:sm_80")
    refuse(["nothing.ptx"], 'kernel = "nothing.ptx:add_one_kernel"', "cuda:sm_80")
    refuse(["plugin.toml:7:10:", "add_one.txt' is no file of kernels"], 'kernel = "add_one.txt:k"', "cuda:sm_80")
    return "each names what was found and expected"


def refusals_on_cpu(test):
    graph = model("my::add_one", ["s0"], ["s0"])
    kernel = 'images = { cpu = "add_one.so:add_one_kernel" }'
    text = add_one_manifest(kernel)
    test.refuse(["there is no image for this target", "add_one.so for cpu", "cuda:sm_90a"], graph, test.manifest(text), "cpu", "cuda:sm_90a")
    test.refuse(["parameter 1 of kernel 'add_one_kernel' is i32, but argument 'i64(X.numel)' is i64"], graph,
                test.manifest(text.replace('"X.numel"', '"i64(X.numel)"')), "cpu")
    test.refuse(["takes 3 arguments (*fp32, i32, *fp32), but the launch passes 2"], graph,
                test.manifest(text.replace('"X.numel", ', "")), "cpu")
    test.refuse(["it exports no function 'add'"], graph, test.manifest(text.replace("add_one_kernel", "add")), "cpu")
    test.refuse(["does not say what its arguments are", "INLAY_CPU_KERNEL"], graph,
                test.manifest(text.replace("add_one_kernel", "plain_kernel")), "cpu")
    return "each names what was found and expected"


def elsewhere(op, shape, out_shape, compute, sizes, tolerances=(), attributes=""):
    """A case over kernels.toml: CUDA C++ for GPUs, C for the CPU."""
    def case(test):
        targets = [test.target()]
        if test.is_cpu and test.has_nvrtc:
            targets += GPU_TARGETS
        elif not test.has_nvrtc and not test.is_cpu:
            raise Failure("NVRTC is not installed")
        engine = test.build(model(op, shape, out_shape, attributes=attributes), test.folder / "kernels.toml", targets)
        for size in sizes:
            x = numbers(math.prod(size))
            y, y_shape = compute(x, size)
            test.check(engine, x, size, y, y_shape, *tolerances)
        return f"{len(sizes)} sizes on {' and '.join(targets)}"
    return case


def sigmoid(x, shape):
    return [1 / (1 + math.exp(-v)) for v in x], shape


def reverse_rows(x, shape):
    rows, columns = shape
    return [v for row in range(rows) for v in reversed(x[row * columns:(row + 1) * columns])], shape


def host_function(test):
    """The tutorial's operator as a kernel and as a function of the process, from one manifest."""
    example = ROOT / "examples" / "host_function"
    compiler = os.environ.get("CXX") or shutil.which("c++") or shutil.which("g++") or shutil.which("clang++")
    if not compiler:
        raise Failure("there is no C++ compiler")
    library = test.folder / "host.so"
    run(compiler, "-std=c++17", "-O2", "-fPIC", "-shared", "-I", ROOT / "include", example / "add_one.cpp", "-o", library, "-ldl")
    graph = test.folder / "model.mlir"
    graph.write_text(model("my::add_one", ["s0"], ["s0"]))
    x = numbers(1000)
    npz = test.folder / "case.npz"
    npy.save_npz(npz, {"in_0": (x, (1000,), "float32"), "out_0": ([v + 1 for v in x], (1000,), "float32")})
    for policy in ("strict-aot", "strict-jit", "my::add_one=prefer-jit"):
        engine = test.folder / "policy.inlay"
        report = json.loads(run(test.binary / "inlay", "build", graph, "--plugin", example / "add_one.toml", "--target", test.target(),
                                "--implementation", policy, "--quiet", "--report", "-", "-o", engine))
        kind = "aot" if policy == "strict-aot" else "jit"
        if report["operators"][0]["implementation"] != kind:
            raise Failure(f"{policy} took {report['operators']}")
        command = [test.binary / "inlay-run", engine, "--device", test.device, "--inputs", npz, "--check", npz, "--rtol", 0, "--atol", 0]
        if kind == "jit":
            fails(["host functions that this process has not registered", "'my::add_one'"], *command)
            if not test.is_cpu:
                fails(["cannot be recorded", "'my::add_one'"], *command, "--host-library", library, "--graphs")
        run(*command, "--host-library", library, "--debug")
        run(*command, "--host-library", library, "--repeat", 3)
    fails(["strict-jit", "has no host function"], test.binary / "inlay", "build", graph, "--plugin",
          ROOT / "examples" / "add_one" / "add_one.toml", "--target", test.target(), "--implementation", "strict-jit", "-o", engine)
    fails(["'jit' is no policy"], test.binary / "inlay", "build", graph, "--plugin", example / "add_one.toml", "--implementation", "jit",
          "-o", engine)
    return "kernel and function agree; missing ones are named"


def in_place(test):
    """Additions in place: what they change is read elsewhere, is the caller's, or is theirs to take over."""
    targets = ["cpu", *GPU_TARGETS]
    engine = test.build(calls(["x", "y"], [
        (["t"], "test::double", {"X": "x"}),
        (["u"], "test::add_in_place", {"X": "t", "Y": "y"}),  # t is read below: a copy
        (["v"], "test::double", {"X": "t"}),
        (["w"], "test::add_in_place", {"X": "u", "Y": "v"}),  # takes u over
        (["z"], "test::add_in_place", {"X": "x", "Y": "y"}),  # the caller's x: a copy
        (["q"], "test::double", {"X": "x"}),
        (["r"], "test::add_in_place", {"X": "q", "Y": "q"}),  # q is also what is added: a copy
    ], ["w", "z", "r"]), OUTPUTS, targets)
    sizes = (1, 256, 1000)
    for count in sizes:
        x, y = numbers(count), numbers(count)
        result = test.check_tensors(engine, {
            "in_0": (x, (count,), "float32"), "in_1": (y, (count,), "float32"),
            "out_0": ([6 * a + b for a, b in zip(x, y)], (count,), "float32"),
            "out_1": ([a + b for a, b in zip(x, y)], (count,), "float32"),
            "out_2": ([4 * a for a in x], (count,), "float32")})
        if result["launches"] != 7:
            raise Failure(f"{result['launches']} launches instead of 7")
    said = run(test.binary / "inlay", "inspect", engine)
    if said.count(": copy ") != 3:
        raise Failure(f"expected 3 copies:\n{said}")
    # The same tensor twice, each to be a result's memory.
    engine = test.build(calls(["x"], [
        (["t"], "test::double", {"X": "x"}),
        (["a", "b"], "test::swap", {"X": "t", "Y": "t"}),
        (["c", "d"], "test::swap", {"X": "a", "Y": "b"}),
    ], ["c", "d"]), OUTPUTS, targets)
    for count in sizes:
        x = numbers(count)
        test.check_tensors(engine, {
            "in_0": (x, (count,), "float32"), "out_0": ([2 * v + 1 for v in x], (count,), "float32"),
            "out_1": ([2 * v + 1 for v in x], (count,), "float32")})
    return f"{len(sizes)} sizes; copied where others read, taken over elsewhere"


VECTOR = '!graph.tensor<["s0"], "float32">'
SYMBOLS = ", ".join(f'{{name = "{name}", min = 0 : i64, max = {most} : i64, opt = 64 : i64}}'
                    for name, most in (("s0", 4096), ("s1", 4096), ("u0", 9223372036854775807), ("u1", 9223372036854775807)))


def data_graph(body, inputs, outputs):
    """A graph of one input; s0, s1 are its sizes, u0 and u1 sizes that depend on data."""
    names = ", ".join(f'"out_{i}"' for i in range(outputs))
    paths = ", ".join('""' for _ in range(outputs))
    return (f'graph.model @m inputs ["in_0"] [""] outputs [{names}] [{paths}] symbols [{SYMBOLS}] checks [] {{\n'
            f"^bb0(%x: {inputs}):\n{body}}}\n")


def non_zero(test):
    """Sizes that depend on data: the exported model with its recorded result, and others, also none, all, and no elements."""
    engine = test.folder / "non_zero.inlay"
    models = ROOT / "tests" / "models"
    run(test.binary / "inlay", "build", models / "non_zero.pt2", "--plugin", OUTPUTS, "--target", "cpu", "--target", GPU_TARGETS[0],
        "--quiet", "-o", engine)
    reason = ("cannot be recorded", "it waits for the size 'u0' that plugin 'sample::non_zero_plugin' computes")
    recorded = npy.load_npz(models / "non_zero.npz")
    result = test.check_tensors(engine, recorded, no_graphs=reason)
    if result["checked"][0]["mismatches"] != 0 or result["launches"] != 1:
        raise Failure(f"{result}")
    out = test.folder / "out.npy"
    run(test.binary / "inlay-run", engine, "--device", test.device, "--inputs", test.folder / "case.npz", "--output",
        f"non_zero_plugin={out}", "--repeat", 3)
    if npy.load(out) != recorded["out_0"]:
        raise Failure(f"{npy.load(out)} instead of {recorded['out_0']}")
    said = run(test.binary / "inlay", "inspect", engine)
    for expected in ("symbol u0: 0 to 256, tuned for 128, computed by a kernel, at most 256", "read int32 of u0 from buffer"):
        if expected not in said:
            raise Failure(f"expected: {expected}\nsaid: {said}")

    matrix, indices = '!graph.tensor<["s0", "s1"], "float32">', '!graph.tensor<["u0", "2"], "int32">'
    engine = test.build(data_graph(
        f'  %y = graph.call "sample::non_zero_plugin" node "nz" (%x) names ["X"] arguments {{}} : ({matrix}) -> {indices}\n'
        f"  graph.output %y : {indices}\n", matrix, 1), OUTPUTS, ["cpu", GPU_TARGETS[0]])
    cases = 0
    for shape in ((1, 1), (16, 16), (3, 100), (33, 31), (0, 5), (5, 0)):
        count = math.prod(shape)
        for x in ([0.0] * count, [1.5] * count, [v if random.random() < 0.3 else 0.0 for v in numbers(count)]):
            y = [n for i, v in enumerate(x) if v != 0 for n in divmod(i, shape[1])]
            test.check_tensors(engine, {"in_0": (x, shape, "float32"), "out_0": (y, (len(y) // 2, 2), "int32")}, "--rtol", 0, "--atol", 0,
                               no_graphs=reason)
            cases += 1
    return f"as recorded, and {cases} further inputs"


def after_data(test):
    """Operators on what depends on data, sizes that depend on such sizes, and sizes that are results."""
    def tensor(size):
        return f'!graph.tensor<["{size}"], "float32">'
    scalar = '!graph.tensor<[], "int64">'
    above = ('  {results} = graph.call "test::above" node "{node}" ({x}) names ["X"] arguments {{threshold = {threshold} : f64}} : '
             '({type}) -> ({result}, ' + scalar + ")\n")
    engine = test.build(data_graph(
        above.format(results="%a, %n", node="first", x="%x", threshold="-4.0", type=VECTOR, result=tensor("u0")) +
        f'  %b = graph.call "test::double" node "b" (%a) names ["X"] arguments {{}} : ({tensor("u0")}) -> {tensor("u0")}\n' +
        above.format(results="%c, %m", node="second", x="%b", threshold="1.0", type=tensor("u0"), result=tensor("u1")) +
        f'  %d = graph.call "test::add_in_place" node "d" (%c, %c) names ["X", "Y"] arguments {{}} : ({tensor("u1")}, {tensor("u1")}) -> {tensor("u1")}\n'
        f'  graph.output %d, %b, %n, %m : {tensor("u1")}, {tensor("u0")}, {scalar}, {scalar}\n', VECTOR, 4),
        OUTPUTS, ["cpu", GPU_TARGETS[0]])
    counts = (0, 1, 100, 1000, 4096)
    for count in counts:
        x = numbers(count)
        b = [2 * v for v in x if v > -4]
        d = [2 * v for v in b if v > 1]
        test.check_tensors(engine, {
            "in_0": (x, (count,), "float32"), "out_0": (d, (len(d),), "float32"), "out_1": (b, (len(b),), "float32"),
            "out_2": ([len(b)], (), "int64"), "out_3": ([len(d)], (), "int64")}, "--rtol", 0, "--atol", 0, no_graphs=("cannot be recorded",))

    def wrong(value):
        graph = data_graph(
            f'  %y = graph.call "test::count" node "bad" (%x) names ["X"] arguments {{value = {value} : i64}} : ({VECTOR}) -> {tensor("u0")}\n'
            f'  graph.output %y : {tensor("u0")}\n', VECTOR, 1)
        return test.build(graph, OUTPUTS, ["cpu", GPU_TARGETS[0]])
    npz = test.folder / "wrong.npz"
    npy.save_npz(npz, {"in_0": (numbers(10), (10,), "float32")})
    for value in (11, -1):
        fails([f"plugin 'test::count' (node 'bad') computed the size {value} for 'u0'; possible are 0 to 10"],
              test.binary / "inlay-run", wrong(value), "--device", test.device, "--inputs", npz)
    # Nothing is launched, and so the size is what it began as.
    npy.save_npz(npz, {"in_0": (numbers(10), (10,), "float32"), "out_0": ([], (0,), "float32")})
    run(test.binary / "inlay-run", wrong(0), "--device", test.device, "--inputs", npz, "--check", npz)
    return f"{len(counts)} sizes; counts beyond the bound are named"


def float_expressions(test):
    """Float arguments that depend on attributes, None among them, and on sizes."""
    manifest = test.folder / "attributes.toml"
    done = 0
    for attributes, factor in (("", lambda columns: 1 / math.sqrt(columns)), ("scale = 1.5 : f64", lambda columns: 3.0)):
        engine = test.build(model("test::scaled", ["s0", "s1"], ["s0", "s1"], attributes=attributes), manifest, [test.target()])
        for rows, columns in ((1, 4), (4, 16), (2, 100), (0, 3)):
            x = numbers(rows * columns)
            y = [v * factor(columns) + (0.5 - 1 / rows) for v in x]
            launches = test.check(engine, x, (rows, columns), y, (rows, columns), "--rtol", 1e-6, "--atol", 1e-6)["launches"]
            # Of no rows the argument would be infinite, but nothing is launched.
            if launches != (1 if rows else 0):
                raise Failure(f"{rows} rows: {launches} launches")
            done += 1
    said = run(test.binary / "inlay", "inspect", engine)
    for text in ("factor = 3", "bias = (0.5 - (1.0 / s0))", "offsets = [0.25, 2.0], scale = 1.5"):
        if text not in said:
            raise Failure(f"inspect does not say {text}:\n{said}")
    test.refuse(["argument", "has the value -inf, no finite value of float64"],
                model("test::scaled", [0, 4], [0, 4]), manifest, test.target())
    return f"{done} runs"


def options(test):
    """Tuples, None, texts and dtypes as constexprs; a shape as arguments."""
    manifest = test.folder / "attributes.toml"
    x = numbers(6 * 50)
    cases = (("", lambda v: v + 5), ("pads = [4 : i64], limit = 2.5 : f64", lambda v: min(v + 4, 2.5)),
             ('mode = "negate", pads = []', lambda v: -v))
    for attributes, value in cases:
        engine = test.build(model("test::options", ["s0", 50], ["s0", 50], attributes=attributes), manifest, [test.target()])
        # Rounded to float16: 6050 is beyond its integers.
        y = [struct.unpack("<e", struct.pack("<e", value(v) + 6050))[0] for v in x]
        test.check(engine, x, (6, 50), y, (6, 50))
    graph = model("test::options", [6, 50], [6, 50], attributes='mode = "other"')
    test.refuse(["node node_1 (test::options", "mode is 'keep' or 'negate'"], graph, manifest, test.target())
    graph = model("test::options", [6, 50], [6, 50], attributes="pads = [1, 2, 3, 4, 5]")
    test.refuse(["there are at most four pads"], graph, manifest, test.target())
    return f"{len(cases)} sets of attributes"


def rms_norm(test):
    """sample::rms_norm alone, with sizes known and unknown."""
    manifest = test.folder / "attributes.toml"
    for rows, columns in ((3, 64), (5, 1000), (1, 4096)):
        x, w = numbers(rows * columns), numbers(columns)
        y = []
        for row in range(rows):
            values = x[row * columns:(row + 1) * columns]
            root = math.sqrt(sum(v * v for v in values) / columns + 0.125)
            y += [v / root * f for v, f in zip(values, w)]
        for sizes in ((rows, columns), ("s0", "s1")):
            engine = test.build(norm_model(*sizes, "float32"), manifest, [test.target()])
            test.check(engine, x, (rows, columns), y, (rows, columns), "--rtol", 1e-5, "--atol", 1e-5,
                       more={"in_1": (w, (columns,), "float32")})
    return "3 sizes, each known and unknown to the build"


def cluster_ranks(test):
    """A kernel in the Triton language in clusters of 4 programs, each of which knows its rank."""
    manifest = test.folder / "attributes.toml"
    graph = model("test::cluster_ranks", ["s0"], ["s0"])
    engine = test.build(graph, manifest, GPU_TARGETS)
    if "clusters of 4 x 1 x 1 blocks" not in run(test.binary / "inlay", "inspect", engine):
        raise Failure("inspect does not show the clusters")
    test.refuse(["the launch asks for clusters, which GPUs have from sm_90 on", "cuda:sm_80"], graph, manifest, "cuda:sm_80")
    if test.is_cpu:
        return "built for a GPU"
    for count in (1, 128, 1000, 5000):
        x = numbers(count)
        test.check(engine, x, (count,), [v + i // 128 % 4 for i, v in enumerate(x)], (count,))
    return "4 sizes"


CASES = {
    "cluster_ranks": cluster_ranks,
    "host_function": host_function,
    "in_place": in_place,
    "non_zero": non_zero,
    "after_data": after_data,
    "float_expressions": float_expressions,
    "options": options,
    "rms_norm": rms_norm,
    "triton_files": triton_files,
    "objects": objects,
    "source_and_files": source_and_files,
    "refusals": refusals,
    "refusals_on_cpu": refusals_on_cpu,
    "sigmoid": elsewhere("test::sigmoid", ["s0"], ["s0"], sigmoid, [(1,), (1000,), (4096,)], ("--rtol", 1e-6, "--atol", 1e-7)),
    "scale": elsewhere("test::scale", ["s0"], ["s0"], lambda x, s: ([2.5 * v for v in x], s), [(1,), (1000,)]),
    "sum": elsewhere("test::sum", ["s0"], [1], lambda x, s: ([sum(x)], (1,)), [(1,), (1024,), (5000,), (100000,)]),
    "mixed": elsewhere("test::mixed", ["s0", "s1"], ["s0", "s1"], lambda x, s: ([0.5 * v + 17.5 for v in x], s), [(1, 1), (7, 100)]),
    "mixed_flag": elsewhere("test::mixed", ["s0", "s1"], ["s0", "s1"], lambda x, s: ([v - 3 for v in x], s), [(7, 100)],
                            attributes="flag = false"),
    "reverse_rows": elsewhere("test::reverse_rows", ["s0", "s1"], ["s0", "s1"], reverse_rows, [(3, 5), (2, 16384), (3, 13000), (4, 8)]),
    "swap_neighbours": elsewhere("test::swap_neighbours", ["s0"], ["s0"], lambda x, s: ([x[i ^ 256] for i in range(len(x))], s),
                                 [(512,), (4096,)]),
}


def compile_for_cpu(folder):
    """Compiles the kernels in C; false if there is no compiler."""
    compiler = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if not compiler:
        return False
    flags = ["-O2", "-fPIC", "-I", ROOT / "include"]
    shutil.copy(KERNELS / "kernels.toml", folder)
    shutil.copy(KERNELS / "kernels.cu", folder)
    for name in ("attributes.py", "attributes.toml"):
        shutil.copy(KERNELS.parent / name, folder)
    source = ROOT / "tests" / "plugins" / "elsewhere"
    run(compiler, *flags, "-shared", source / "kernels.c", "-o", folder / "kernels.so", "-lm")
    run(compiler, *flags, "-c", source / "add_one.c", "-o", folder / "add_one.o")
    run(compiler, *flags, "-shared", source / "add_one.c", "-o", folder / "add_one.so")
    return True


def main():
    binary, device = pathlib.Path(sys.argv[1]), sys.argv[2]
    if device != "cpu" and subprocess.run([binary / "inlay-run", "--has-device", device], capture_output=True).returncode != 0:
        print(f"[SKIP] no device {device} here")
        return SKIPPED
    seed = 20261126
    random.seed(seed)
    print(f"seed {seed}")
    failures = []
    for name in sys.argv[3:] or CASES:
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            if not compile_for_cpu(folder):
                print("[SKIP] no C compiler here")
                return SKIPPED
            test = Test(binary, device, folder)
            ptxas = shutil.which("ptxas")
            test.has_nvrtc = "INLAY_NVRTC" in os.environ or (ptxas is not None and any(
                (pathlib.Path(ptxas).resolve().parent.parent / place / "libnvrtc.so").exists() for place in ("lib64", "lib")))
            if not test.has_nvrtc:
                print(f"{name}: [SKIP] NVRTC is not installed: CUDA C++ is not compiled")
            try:
                print(f"{name} on {device}: {CASES[name](test)}")
            except Failure as failure:
                failures.append(name)
                print(f"{name} on {device} FAILED: {failure}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
