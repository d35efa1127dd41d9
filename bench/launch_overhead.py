#!/usr/bin/env python3
"""Host time of one run with 1, 10, 100 and 500 kernels in an engine, with and without CUDA graphs, beside the driver's own.

Usage: launch_overhead.py BIN_FOLDER DEVICE [--runs N] [--size N] [--out FILE.json]
DEVICE is cpu or cuda:N. Needs inlay, host_overhead and, for a GPU, driver_baseline; no PyTorch. The floor is measured in the same
call: as many bare cuLaunchKernel of the same kernel in a row, and one bare cuGraphLaunch of them. Prints a table; exit status 1 if
a run of one kernel takes more than the budget and more than ALLOWED_US beyond a bare launch on the same machine.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "e2e"))
import chain  # noqa: E402

EXAMPLE = ROOT / "examples" / "add_one"
KERNELS = (1, 10, 100, 500)
# A bare cuLaunchKernel takes about 2 us, a run of one kernel should take 3: 1 us is Inlay's.
BUDGET_US, ALLOWED_US = 3.0, 1.0
GRAPHS = (0, 4)


def call(*command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\nexit status {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", type=pathlib.Path)
    parser.add_argument("device")
    parser.add_argument("--runs", type=int, default=5000)
    parser.add_argument("--size", type=int, default=4096, help="float32 elements that each kernel reads and writes")
    parser.add_argument("--out", type=pathlib.Path)
    options = parser.parse_args()
    is_cpu = options.device == "cpu"
    target = "cpu" if is_cpu else "cuda:sm_80"
    rows, device = [], ""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        if not is_cpu:
            call(options.binary / "inlay", "kernel", "compile", f"{EXAMPLE / 'add_one.py'}:add_one_kernel", "--signature",
                 "*fp32:16,i32:16,*fp32:16", "--constexpr", "BLOCK_SIZE=256", "--target", target, "--emit", "ptx", "-o", folder / "add_one.ptx")
        for kernels in KERNELS:
            engine = folder / f"chain{kernels}.inlay"
            (folder / "chain.mlir").write_text(chain.chain_graph(kernels, options.size))
            call(options.binary / "inlay", "build", folder / "chain.mlir", "--plugin", EXAMPLE / "add_one.toml", "--target", target,
                 "--quiet", "-o", engine)
            row = {"kernels": kernels}
            if not is_cpu:
                floor = json.loads(call(options.binary / "driver_baseline", folder / "add_one.ptx", "add_one_kernel", options.size, 256,
                                        options.runs, kernels))
                row |= {"driver_launches_us": floor["run_us"], "driver_graph_us": floor["graph_us"]}
            for graphs in GRAPHS[:1] if is_cpu else GRAPHS:
                found = json.loads(call(options.binary / "host_overhead", engine, options.device, options.runs, graphs))
                if found["launches"] != kernels or found["graphs"] != (1 if graphs else 0):
                    sys.exit(f"{kernels} kernels with {graphs} graphs: {found}")
                device = found["device"]
                prefix = "graph_" if graphs else ""
                row |= {prefix + key: found[key] for key in ("run_us", "rebind_us", "run_and_wait_us", "device_us")}
            rows.append(row)
    columns = list(rows[0])
    print(f"{device}, {options.size} floats, median of {options.runs} runs")
    print("| " + " | ".join(column.replace("_us", ", us").replace("_", " ") for column in columns) + " |")
    print("|" + "---|" * len(columns))
    for row in rows:
        print("| " + " | ".join(f"{row[column]:.2f}" if column != "kernels" else str(row[column]) for column in columns) + " |")
    if options.out:
        options.out.write_text(json.dumps({"device": device, "size": options.size, "runs": options.runs, "rows": rows}, indent=1) + "\n")
    if is_cpu:
        return 0
    one = rows[0]
    bare = one["driver_launches_us"]
    print(f"one kernel: {one['run_us']:.2f} us, {one['run_us'] - bare:+.2f} us beside a bare launch; budget {BUDGET_US} us, or {ALLOWED_US} us more")
    return 1 if one["run_us"] > max(BUDGET_US, bare + ALLOWED_US) else 0


if __name__ == "__main__":
    sys.exit(main())
