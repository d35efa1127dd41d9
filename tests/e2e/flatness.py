#!/usr/bin/env python3
"""30,000 runs with alternating shapes, and 300 engines loaded and freed: memory must not grow, with and without CUDA graphs.

Usage: flatness.py BIN_FOLDER DEVICE [RUNS [LOADS]]
DEVICE is cpu or cuda:N. On a GPU the figures are the driver's own (cuMemGetInfo), and those of the kernel for the host; on the CPU
what the context says that it holds. BIN_FOLDER holds inlay, inlay-run and flatness. Exit status 77 says that there is no such
device (CTest counts the test as skipped), 1 that something grew or failed.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

import chain

MANIFEST = pathlib.Path(__file__).resolve().parent.parent.parent / "examples" / "add_one" / "add_one.toml"
SKIPPED = 77
NUM_KERNELS = 3
# Recorded runs to keep; the program has 8 shapes: all fit, or some must leave.
GRAPHS = (0, 16, 4)


def main():
    binary, device = pathlib.Path(sys.argv[1]), sys.argv[2]
    runs, loads = (sys.argv[3:] + ["30000", "300"][len(sys.argv) - 3:])[:2]
    is_cpu = device == "cpu"
    if not is_cpu and subprocess.run([binary / "inlay-run", "--has-device", device], capture_output=True).returncode != 0:
        print(f"[SKIP] no device {device} here")
        return SKIPPED
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "chain.mlir").write_text(chain.chain_graph(NUM_KERNELS, "s0"))
        subprocess.run([binary / "inlay", "build", folder / "chain.mlir", "--plugin", MANIFEST, "--target", "cpu" if is_cpu else "cuda:sm_80",
                        "--quiet", "-o", folder / "chain.inlay"], check=True)
        failed = False
        for graphs in GRAPHS[:1] if is_cpu else GRAPHS:
            done = subprocess.run([binary / "flatness", folder / "chain.inlay", device, runs, loads, str(graphs)], capture_output=True, text=True)
            print(f"graphs {graphs}: {done.stdout.strip()}")
            passed = done.returncode == 0
            if passed:
                figures = json.loads(done.stdout)
                # Each run has another shape than the one before; the shapes that were recorded stay as far as they may.
                passed = figures["plans"] >= int(runs) and figures["graphs"] == min(graphs, figures["shapes"])
            print(f"graphs {graphs}: {'PASS' if passed else 'FAIL ' + done.stderr.strip()}")
            failed = failed or not passed
        return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
