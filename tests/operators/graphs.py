"""Graphs of single operators: written as the text of the `graph` stage, built, run, and compared with NumPy.

A case is a call of one operator with its results as a reference computed them. Many cases make one engine.
"""
import collections
import json
import pathlib
import re
import subprocess

import numpy as np

FLOATS = ("float16", "bfloat16", "float32", "float64")


class Failure(Exception):
    pass


def rounded(values, dtype):
    """float64 values as a type's nearest, kept in an array that holds them exactly."""
    values = np.asarray(values)
    if dtype != "bfloat16":
        with np.errstate(all="ignore"):
            return values.astype(dtype)
    with np.errstate(all="ignore"):
        bits = np.atleast_1d(values.astype(np.float32)).view(np.uint32).astype(np.uint64)
    one, sixteen = np.uint64(1), np.uint64(16)
    up = bits + np.uint64(0x7FFF) + ((bits >> sixteen) & one)
    nan = (bits & np.uint64(0x7FFFFFFF)) > 0x7F800000
    result = np.where(nan, bits | np.uint64(0x400000), up) & np.uint64(0xFFFF0000)
    return result.astype(np.uint32).view(np.float32).reshape(values.shape)


class Tensor:
    """An array with a type of PyTorch; bfloat16 is kept as the float32 of the same value."""

    def __init__(self, values, dtype, symbolic=None):
        self.dtype = dtype
        self.values = rounded(values, dtype)
        self.symbolic = symbolic  # sizes as the graph writes them, or None

    @property
    def wide(self):
        """The values as the reference computes: float64, int64 or bool."""
        kind = self.values.dtype.kind
        return self.values.astype(np.float64 if kind == "f" else bool if kind == "b" else np.int64)

    def stored(self):
        values = np.array(self.values, order="C")
        if self.dtype == "bfloat16":
            return (np.atleast_1d(values).view(np.uint32) >> 16).astype(np.uint16).view("V2").reshape(values.shape)
        return values

    @property
    def type_text(self):
        sizes = self.symbolic or self.values.shape
        return "!graph.tensor<[%s], \"%s\">" % (", ".join(f'"{size}"' for size in sizes), self.dtype)


class Size:
    """An integer that depends on sizes, as an argument: the text of the expression."""

    def __init__(self, text):
        self.text = text


class Dtype:
    def __init__(self, name):
        self.name = name


def attribute_text(value):
    if value is None:
        return "unit"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return f"{value} : i64"
    if isinstance(value, float):
        return "0x%016X : f64" % np.float64(value).view(np.uint64)
    if isinstance(value, str):
        return json.dumps(value)
    if isinstance(value, Size):
        return f'#graph.expr<"{value.text}">'
    if isinstance(value, Dtype):
        return f'#graph.dtype<"{value.name}">'
    return "[" + ", ".join(attribute_text(element) for element in value) + "]"


class Case:
    """`arguments`: by name, a Tensor, a list of Tensors (and None), or a literal. A Tensor that is a result of an earlier case
    of the engine is that case's value; the others are inputs. `ulps`: how many units in the last place a float result may be
    off the reference's, `near` how far besides. Results that are no outputs are there for other cases."""

    def __init__(self, op, arguments, results, ulps=0, near=0.0, is_output=True):
        self.op, self.arguments, self.ulps, self.near, self.is_output = op, arguments, ulps, near, is_output
        self.results = results if isinstance(results, list) else [results]

    @property
    def tensors(self):
        """(name, Tensor) of each operand."""
        for name, value in self.arguments.items():
            if isinstance(value, Tensor):
                yield name, value
            elif isinstance(value, list) and any(isinstance(element, Tensor) for element in value):
                yield from ((f"{name}[{i}]", element) for i, element in enumerate(value) if isinstance(element, Tensor))

    @property
    def literals(self):
        for name, value in self.arguments.items():
            if isinstance(value, list) and any(isinstance(element, Tensor) for element in value):
                yield from ((f"{name}[{i}]", None) for i, element in enumerate(value) if element is None)
            elif not isinstance(value, Tensor):
                yield name, value

    def describe(self):
        operands = ", ".join(f"{name}: {tensor.dtype}{list(tensor.values.shape)}" for name, tensor in self.tensors)
        literals = ", ".join(f"{name} = {getattr(value, 'text', getattr(value, 'name', value))}" for name, value in self.literals)
        return f"{self.op}({operands}{'; ' if literals else ''}{literals})"


def inputs_of(cases):
    """The tensors that no case computes, each once."""
    inputs, seen = [], set()
    for case in cases:
        for _, tensor in case.tensors:
            if id(tensor) not in seen:
                inputs.append(tensor)
                seen.add(id(tensor))
        seen.update(id(result) for result in case.results)
    return inputs


def graph_text(cases, symbols=()):
    """The graph of all cases: inputs x0, x1, …; outputs y0, y1, …."""
    inputs, calls, outputs = inputs_of(cases), [], []
    values = {id(tensor): f"%x{i}" for i, tensor in enumerate(inputs)}
    for number, case in enumerate(cases):
        operands = [(values[id(tensor)], name, tensor.type_text) for name, tensor in case.tensors]
        literals = ", ".join(f'"{name}"' if value is None else f'"{name}" = {attribute_text(value)}' for name, value in case.literals)
        names = ", ".join(f'"{name}"' for _, name, _ in operands)
        types = [result.type_text for result in case.results]
        count = f":{len(types)}" if len(types) > 1 else ""
        calls.append(f'    %r{number}{count} = graph.call "{case.op}" node "n{number}" ({", ".join(o[0] for o in operands)}) names [{names}] '
                     f'arguments {{{literals}}} : ({", ".join(o[2] for o in operands)}) -> ({", ".join(types)})')
        for i, result in enumerate(case.results):
            values[id(result)] = f"%r{number}#{i}" if count else f"%r{number}"
            if case.is_output:
                outputs.append((values[id(result)], result.type_text))
    quoted = lambda letter, count: "[" + ", ".join(f'"{letter}{i}"' for i in range(count)) + "]"
    blank = lambda count: "[" + ", ".join('""' for _ in range(count)) + "]"
    declared = ", ".join(f'{{name = "{name}", min = {low} : i64, max = {high} : i64, opt = {low} : i64}}' for name, low, high in symbols)
    block = ", ".join(f"%x{i}: {tensor.type_text}" for i, tensor in enumerate(inputs))
    return "\n".join(
        [f'module {{\n  graph.model @m inputs {quoted("x", len(inputs))} {blank(len(inputs))} outputs {quoted("y", len(outputs))} '
         f"{blank(len(outputs))} symbols [{declared}] checks [] {{", f"  ^bb0({block}):"] + calls +
        [f"    graph.output {', '.join(o[0] for o in outputs)} : {', '.join(o[1] for o in outputs)}", "  }", "}", ""])


def run(*command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode != 0:
        raise Failure(f"{' '.join(map(str, command))}\nexit status {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def units(expected, dtype):
    """The distance from each value to the next of its type."""
    bits, least = {"float16": (10, -24), "bfloat16": (7, -133), "float32": (23, -149), "float64": (52, -1074)}[dtype]
    with np.errstate(all="ignore"):
        exponent = np.floor(np.log2(np.abs(expected)))
    return np.exp2(np.maximum(np.where(np.isfinite(exponent), exponent, -2000) - bits, least))


def launches_of(description):
    """How often an engine that `inlay inspect --json` describes launches each kernel, those for other arguments counted together."""
    kernels = [re.sub(r"_[0-9]+$", "", kernel["name"]) for kernel in description["kernels"]]
    return collections.Counter(kernels[step["kernel"]] for step in description["steps"] if step["kind"] == "launch")


def difference(case, result, got):
    """Why a result is not what was expected; empty if it is."""
    expected = result.values
    if got.shape != expected.shape:
        return f"has the shape {got.shape}, expected {expected.shape}"
    if result.dtype == "bfloat16":
        got = (np.atleast_1d(got).view(np.uint16).astype(np.uint32) << 16).view(np.float32).reshape(expected.shape)
    elif str(got.dtype) != result.dtype:
        return f"is {got.dtype}, expected {result.dtype}"
    if result.dtype not in FLOATS:
        bad = got != expected
    else:
        wide, wanted = got.astype(np.float64), expected.astype(np.float64)
        with np.errstate(all="ignore"):
            close = np.abs(wide - wanted) <= case.ulps * units(wanted, result.dtype) + case.near
        bad = ~((wide == wanted) | (np.isnan(wide) & np.isnan(wanted)) | close)
    if not bad.any():
        return ""
    first = tuple(int(i) for i in np.argwhere(bad)[0]) if bad.ndim else ()
    operands = {name: tensor.values[first] for name, tensor in case.tensors if tensor.values.shape == expected.shape}
    return f"{int(bad.sum())} of {bad.size} elements differ; at {first}: {got[first]!r}, expected {expected[first]!r}, of {operands}"


def check(binary, device, folder, name, cases, symbols=(), resized=(), has_kernels=True, gpu_kernels=None):
    """Builds one engine of the cases and runs it; for each of `resized`, runs it again with cases of the same calls and other
    sizes. gpu_kernels: built for a GPU, too, so that there are these kernels, on the CPU as well, launched so often if that is
    not None. Returns messages of those that differ."""
    graph, engine = folder / f"{name}.mlir", folder / f"{name}.inlay"
    graph.write_text(graph_text(cases, symbols))
    target = "cpu:x86-64-v3" if device == "cpu" else "cuda:sm_90a"
    others = ["--target", "cuda:sm_90a"] if gpu_kernels is not None else []
    run(binary / "inlay", "build", graph, "--target", target, *others, "--quiet", "-o", engine)
    problems = []
    if not has_kernels:
        kernels = [kernel["name"] for kernel in json.loads(run(binary / "inlay", "inspect", engine, "--json"))["kernels"]]
        problems += [f"the engine has a kernel {kernel}, expected none" for kernel in kernels]
    if gpu_kernels:
        launches = launches_of(json.loads(run(binary / "inlay", "inspect", engine, "--json")))
        problems += [f"the engine launches {kernel} {launches[kernel]} times, expected {count or 'some'}" for kernel, count in gpu_kernels.items()
                     if launches[kernel] != count and (count or not launches[kernel])]
    for again in (cases, *resized):
        np.savez(folder / "in.npz", **{f"x{i}": tensor.stored() for i, tensor in enumerate(inputs_of(again))})
        # Memory that nobody wrote holds NaN then.
        run(binary / "inlay-run", engine, "--device", device, "--debug", "--inputs", folder / "in.npz", "--outputs", folder / "out.npz")
        with np.load(folder / "out.npz") as outputs:
            number = 0
            for case in again:
                for result in case.results if case.is_output else ():
                    if problem := difference(case, result, outputs[f"y{number}"]):
                        problems.append(f"{case.describe()}: {problem}")
                    number += 1
    return problems
