#!/usr/bin/env python3
"""The memory that the planner says an engine needs, and what was measured while it ran: within 10 %.

Usage: memory.py BIN_FOLDER DEVICE
DEVICE is cpu or cuda:N. Exit status 77 says that there is no such device (CTest counts the test as skipped).
"""
import json
import pathlib
import subprocess
import sys
import tempfile

import plugins
from plugins import Failure, run

TOLERANCE = 0.1
ELEMENTS = 1 << 20


def tensor(size):
    return f'!graph.tensor<["{size}"], "float32">'


def chain(size, symbols, weight, state):
    """Softmax after softmax, which no pass fuses away; a weight and a state of the same size, if asked for."""
    t = tensor(size)
    lines, value = [], "x"
    for name, wanted in (("w", weight), ("s", state)):
        if wanted:
            lines.append(f'  %{name} = graph.constant "{name}" dense<0.5> : tensor<{size}xf32> : {t}')
            lines.append(f'  %a_{name} = graph.call "aten::add.Tensor" node "a_{name}" (%{value}, %{name}) names ["self", "other"] arguments {{}} : ({t}, {t}) -> {t}')
            value = f"a_{name}"
    for i in range(4):
        lines.append(f'  %v{i} = graph.call "aten::_softmax" node "v{i}" (%{value}) names ["self"] arguments {{dim = 0 : i64, half_to_float = false}} : ({t}) -> {t}')
        value = f"v{i}"
    if state:
        lines.append(f"  graph.update %s with %{value} : {t}, {t}")
    declared = ", ".join(f'{{name = "{name}", min = 1 : i64, max = 4194304 : i64, opt = {ELEMENTS} : i64}}' for name in symbols)
    return (f'graph.model @m inputs ["x"] [""] outputs ["y"] [""] symbols [{declared}] checks [] {{\n^bb0(%x: {t}):\n' + "\n".join(lines) +
            f"\n  graph.output %{value} : {t}\n}}\n")


def measured(binary, device, folder, graph, *flags, build=()):
    model, engine = folder / "model.mlir", folder / "model.inlay"
    model.write_text(graph)
    run(binary / "inlay", "build", model, "--target", "cpu" if device == "cpu" else "cuda", "--quiet", "-o", engine, *build)
    said = json.loads(run(binary / "inlay", "bench", engine, "--device", device, "--iterations", 3, "--json", *flags))
    inspected = json.loads(run(binary / "inlay", "inspect", engine, "--json"))["memory_bytes"]
    return said["memory_bytes"], inspected, said["tensor_bytes"]


def check(name, memory):
    error = memory["peak"] / memory["planned"] - 1
    if abs(error) > TOLERANCE:
        raise Failure(f"{name}: planned {memory['planned']} bytes, measured {memory['peak']}: {100 * error:+.1f} %")
    return f"{name} {memory['planned']} planned, {memory['peak']} measured ({100 * error:+.1f} %)"


def main():
    binary, device = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2]
    if device != "cpu" and subprocess.run([binary / "inlay-run", "--has-device", device], capture_output=True).returncode != 0:
        print(f"[SKIP] no device {device} here")
        return plugins.SKIPPED
    failures = 0
    for name, graph, flags, build in (
            ("plain", chain(ELEMENTS, [], False, False), (), ()),
            ("weights", chain(ELEMENTS, [], True, False), (), ("--refittable",)),
            ("state", chain(ELEMENTS, [], False, True), (), ("--refittable",)),
            ("dynamic", chain("n", ["n"], False, False), ("--shapes", "x=2097152"), ())):
        with tempfile.TemporaryDirectory() as folder:
            try:
                memory, inspected, tensors = measured(binary, device, pathlib.Path(folder), graph, *flags, build=build)
                said = check(name, memory)
                if memory["peak"] < tensors or memory["intermediates"] < 4 * ELEMENTS:
                    raise Failure(f"{name}: {memory} is less than the tensors and one intermediate take")
                # Without a device `inspect` gives the same figure, at the sizes that the engine is tuned for.
                if not flags and abs(inspected["total"] / memory["planned"] - 1) > TOLERANCE:
                    raise Failure(f"{name}: inspect says {inspected}, the run {memory}")
                print(said)
            except Failure as failure:
                failures += 1
                print(f"{name} on {device} FAILED: {failure}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
