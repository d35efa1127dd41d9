#!/usr/bin/env python3
"""What choosing tactics by measuring gains: the tutorial's matrix product, 16 configurations, for several numbers of rows.

Usage: tuning.py BIN_FOLDER DEVICE [--rows M …] [--size N] [--out FILE.json]
Builds two engines of C[M, N] = A[M, N] · B[N, N] in float16 (float32 on the CPU) with M free and a profile for each M: one in the plugin's
order, one with --tune. Prints for each M the device's time of the first, the best and the worst configuration as the build measured them,
and of a run of both engines by `inlay bench` beside PyTorch's (cuBLAS), where it is installed; all in this call, on this device. Floor:
2·M·N² operations over the peak, and the bytes of A, B and C over the bandwidth of memory, whichever is more; give both with --peak-tflops
and --bandwidth-tbps.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent


def call(*command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\nexit status {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def graph(size, dtype):
    a, b = f'!graph.tensor<["s0", "{size}"], "{dtype}">', f'!graph.tensor<["{size}", "{size}"], "{dtype}">'
    return f"""graph.model @m inputs ["a", "b"] ["", ""] outputs ["c"] [""] symbols [{{name = "s0", min = 1 : i64, max = 65536 : i64, opt = 64 : i64}}] checks [] {{
^bb0(%a: {a}, %b: {b}):
  %c = graph.call "bench::matmul" node "matmul" (%a, %b) names ["A", "B"] arguments {{}} : ({a}, {b}) -> {a}
  graph.output %c : {a}
}}
"""


def torch_us(rows, size):
    """Median device time of torch.matmul in microseconds; None without PyTorch."""
    try:
        import torch
    except ImportError:
        return None
    a, b = (torch.rand(shape, device="cuda", dtype=torch.float16) for shape in ((rows, size), (size, size)))
    for _ in range(10):
        torch.matmul(a, b)
    times = []
    for _ in range(20):
        start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        start.record()
        for _ in range(20):
            torch.matmul(a, b)
        end.record()
        end.synchronize()
        times.append(start.elapsed_time(end) * 1000 / 20)
    return sorted(times)[10]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binaries", type=pathlib.Path)
    parser.add_argument("device")
    parser.add_argument("--rows", type=int, nargs="+", default=[16, 256, 4096])
    parser.add_argument("--size", type=int, default=4096)
    parser.add_argument("--peak-tflops", type=float, default=0)
    parser.add_argument("--bandwidth-tbps", type=float, default=0)
    parser.add_argument("--out", type=pathlib.Path)
    given = parser.parse_args()
    is_gpu, n = given.device != "cpu", given.size
    profiles = [part for rows in given.rows for part in ("--profile", f"a:0={rows}")]
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "model.mlir").write_text(graph(n, "float16" if is_gpu else "float32"))
        build = [given.binaries / "inlay", "build", folder / "model.mlir", "--plugin", HERE / "kernels" / "matmul.toml", "--quiet", "--report", "-",
                 "--target", "cuda:sm_90a" if is_gpu else "cpu:x86-64-v3", *profiles]
        call(*build, "-o", folder / "first.inlay")
        report = json.loads(call(*build, "--tune", given.device, "-o", folder / "tuned.inlay"))
        print(f"measured in {report['phases_ms']['tune'] / 1000:.1f} s: {len(given.rows) + 1} times 16 configurations, compiled and run")
        for number, rows in enumerate(given.rows, 1):
            (tactic,) = [entry for entry in report["tactics"] if entry["profile"] == number]
            entries = tactic["kept"] + tactic["passed_over"]
            times = {entry["name"]: entry["us"] for entry in entries if "us" in entry}
            line = {"rows": rows, "best": tactic["kept"][0]["name"], "best_us": min(times.values()), "worst_us": max(times.values()),
                    "failures": len(tactic["failures"])}
            for name in ("first", "tuned"):
                bench = json.loads(call(given.binaries / "inlay", "bench", folder / f"{name}.inlay", "--device", given.device, "--shape-profile", number, "--json"))
                line[f"{name}_run_us"] = bench["device_time_us"]
            if is_gpu:
                line["torch_us"] = torch_us(rows, n)
            if given.peak_tflops and given.bandwidth_tbps:
                line["floor_us"] = max(2 * rows * n * n / given.peak_tflops / 1e6, 2 * (2 * rows * n + n * n) / given.bandwidth_tbps / 1e6)
            lines.append(line)
            print(", ".join(f"{key} {value:.1f}" if isinstance(value, float) else f"{key} {value}" for key, value in line.items()), flush=True)
    if given.out:
        given.out.write_text(json.dumps(lines, indent=1))


if __name__ == "__main__":
    main()
