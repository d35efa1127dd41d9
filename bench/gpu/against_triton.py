#!/usr/bin/env python3
"""Compares the results of the conformance rows on a GPU with those of Triton itself on the same kernels and inputs.

Runs `inlay-conformance --dump`, then each dumped row's kernel under Triton in several processes, and compares what the two left
in memory, within the row's tolerance. Needs PyTorch and Triton. Prints a line for each group and each difference.
Usage: against_triton.py BIN_FOLDER [--device cuda:0] [--filter PATTERN] [--all] [--fuzz N] [--jobs N] [--dump FOLDER]
Exit status 1 if a result differs from Triton's. Kernels that Triton refuses, and arguments that a launch from Python cannot
pass (an 8-bit number, a double), are counted apart.
"""
import argparse
import collections
import hashlib
import importlib.util
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def arguments_of():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bin", type=pathlib.Path)
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument("--filter", default="*")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--fuzz", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=min(16, os.cpu_count() or 1))
    parser.add_argument("--dump", type=pathlib.Path, help="read this folder's rows if it has them, else dump them there")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    return parser.parse_args()


# -- one row under Triton, in a worker process


def tensor_of(array, dtype):
    import numpy
    import torch
    kind = getattr(torch, dtype)
    if array.dtype.kind == "V" or dtype.startswith("float8"):
        raw = numpy.ascontiguousarray(array).view(numpy.uint8 if kind.itemsize == 1 else numpy.int16)
        return torch.from_numpy(raw.copy()).view(kind).cuda()
    return torch.from_numpy(array.copy()).cuda()


def is_expressible(argument):
    """Whether Python's launcher takes the number for the type that the row gives it."""
    value, dtype = argument["value"], argument["dtype"]
    if dtype == "float32":
        return True
    fits = -2**31 <= value < 2**31
    return (dtype == "int32" and fits) or (dtype == "int64" and not fits and value < 2**63) or (dtype == "uint64" and value >= 2**63)


def as_python(argument):
    return float(argument["value"]) if argument["dtype"] == "float32" else int(argument["value"])


def load_kernel(row, folder):
    path = folder / f"k{hashlib.sha256(row['source'].encode()).hexdigest()[:20]}.py"
    if not path.exists():
        temporary = path.with_suffix(f".{os.getpid()}")
        temporary.write_text(row["source"])
        temporary.replace(path)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return getattr(module, row["function"])


def difference(row, name, ours, triton):
    """What is different between two arrays of float64 or integers, or None."""
    import numpy
    if ours.dtype.kind in "iub":
        wrong = ours != triton
    else:
        with numpy.errstate(all="ignore"):
            wrong = ~((numpy.isnan(ours) & numpy.isnan(triton)) | (ours == triton) | (numpy.abs(ours - triton) <= row["atol"] + row["rtol"] * numpy.abs(triton)))
    if not wrong.any():
        return None
    at = int(numpy.flatnonzero(wrong)[0])
    return f"'{name}' differs in {int(wrong.sum())} of {wrong.size} elements, the first at {at}: ours {ours.flat[at]}, Triton's {triton.flat[at]}"


def comparable(tensor):
    import torch
    return (tensor.double() if tensor.dtype.is_floating_point else tensor).cpu().numpy()


def run_row(row, dump, folder):
    import numpy
    import torch
    import triton
    import triton.language as tl
    if not all(argument["tensor"] or is_expressible(argument) for argument in row["arguments"]):
        return "not expressible", ""
    triton.set_allocator(lambda size, alignment, stream: torch.empty(size, dtype=torch.int8, device="cuda"))
    data = numpy.load(dump / row["file"])
    passed = [tensor_of(data["in_" + a["name"]], a["dtype"]) if a["tensor"] else as_python(a) for a in row["arguments"]]
    constexprs = {}
    for entry in row["constexprs"].split():
        name, value = entry.split("=", 1)
        constexprs[name] = eval(value, {"tl": tl})
    try:
        kernel = load_kernel(row, folder)
        named = {}
        for a, value in zip(row["arguments"], passed):
            name, dot, _ = a["name"].partition(".")
            named[name] = named.get(name, ()) + (value,) if dot else value
        kernel[tuple(row["grid"])](**named, **constexprs, num_warps=row["num_warps"])
        torch.cuda.synchronize()
    except Exception as error:
        fatal = "CUDA error" in str(error) or "illegal" in str(error)
        return ("fatal" if fatal else "refused"), f"{type(error).__name__}: {str(error).strip().splitlines()[-1] if str(error).strip() else ''}"
    for argument, value in zip(row["arguments"], passed):
        if argument["tensor"]:
            ours = comparable(tensor_of(data["out_" + argument["name"]], argument["dtype"]))
            problem = difference(row, argument["name"], ours.reshape(-1), comparable(value).reshape(-1))
            if problem:
                return "different", problem
    return "equal", ""


def work(dump, folder):
    """Reads numbers of rows from standard input and answers each with a line of JSON."""
    rows = json.loads((dump / "rows.json").read_text())
    for line in sys.stdin:
        index = int(line)
        try:
            outcome, message = run_row(rows[index], dump, folder)
        except Exception as error:
            outcome, message = "broken", repr(error)
        print(json.dumps([index, outcome, message]), flush=True)
        if outcome == "fatal":  # the context of this process is lost
            os._exit(0)


# -- all rows, in the parent


class Queue:
    def __init__(self, count):
        self.next, self.count, self.lock = 0, count, threading.Lock()

    def take(self):
        with self.lock:
            self.next += 1
            return self.next - 1 if self.next <= self.count else None


def serve(queue, results, options, dump, folder):
    """Feeds one worker process at a time until the queue is empty."""
    index = queue.take()
    while index is not None:
        command = [sys.executable, __file__, str(options.bin), "--dump", str(dump), "--worker", str(folder)]
        worker = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        while index is not None:
            try:
                worker.stdin.write(f"{index}\n")
                worker.stdin.flush()
                answer = worker.stdout.readline()
            except BrokenPipeError:
                answer = ""
            results[index] = json.loads(answer)[1:] if answer else ["fatal", "the process died"]
            index_done, index = index, queue.take()
            if results[index_done][0] == "fatal":
                break
        worker.stdin.close()
        worker.wait()


def main():
    options = arguments_of()
    if options.worker:
        return work(options.dump, pathlib.Path(options.worker))
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        dump = options.dump or folder / "dump"
        if not (dump / "rows.json").exists():
            command = [options.bin.resolve() / "inlay-conformance", "--device", options.device, "--dump", dump.resolve(), "--filter", options.filter]
            command += ["--all"] if options.all else []
            command += ["--fuzz", str(options.fuzz)] if options.fuzz else []
            if subprocess.run(command, cwd=ROOT).returncode not in (0, 1):
                return 2
        rows = json.loads((dump / "rows.json").read_text())
        results = [["broken", "not run"]] * len(rows)
        queue = Queue(len(rows))
        threads = [threading.Thread(target=serve, args=(queue, results, options, dump, folder)) for _ in range(options.jobs)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        groups = collections.defaultdict(collections.Counter)
        for row, (outcome, message) in zip(rows, results):
            groups[row["group"]][outcome] += 1
            if outcome not in ("equal", "not expressible"):
                print(f"{outcome.upper()} {row['name']}: {message}")
        for group, counts in groups.items():
            print(f"{group}: {sum(counts.values())} rows, " + ", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items())))
        total = sum(groups.values(), collections.Counter())
        print(f"all: {len(rows)} rows, " + ", ".join(f"{count} {outcome}" for outcome, count in sorted(total.items())))
        return 1 if total["different"] or total["broken"] else 0


if __name__ == "__main__":
    sys.exit(main())
