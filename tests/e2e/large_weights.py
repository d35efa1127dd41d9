#!/usr/bin/env python3
"""The memory that importing, building and loading a large model takes beside the pages of files that it maps.

Usage: large_weights.py BIN_FOLDER [LAYERS [FOLDER]]
Weights are 64 MiB a layer, 8 layers (512 MiB) by default. What counts is the peak of RssAnon in /proc/PID/status, looked at every 2 ms: resident
memory that is no page of a file. The same model with small weights is what it is compared with: the difference is what weights cost.
"""
import pathlib
import subprocess
import sys
import tempfile
import time

import npy
import synthetic_archive
from plugins import Failure, run

WIDTH, SMALL_WIDTH, FAR_WIDTH = 4096, 256, 33000
MAX_EXTRA_MB = 100


def peak_mb(*command):
    """Runs a command; the most anonymous memory that it had, and its seconds."""
    start, peak = time.monotonic(), 0
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen([str(part) for part in command], stdout=said, stderr=subprocess.STDOUT)
        while process.poll() is None:
            try:
                status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
            except OSError:
                continue
            peak = max([peak] + [int(line.split()[1]) for line in status.splitlines() if line.startswith("RssAnon:")])
            time.sleep(0.002)
        if process.returncode:
            said.seek(0)
            raise Failure(f"{' '.join(map(str, command))}\nexit status {process.returncode}\n{said.read().decode()}")
    return peak / 1024, time.monotonic() - start


def commands(binary, folder, width, layers):
    """What is measured, by name, in order: later commands use files of earlier ones."""
    model, engine, beside = folder / "m.pt2", folder / "m.inlay", folder / "b.inlay"
    synthetic_archive.write(model, layers, width)
    data = folder / "data.npz"
    first = 3.0 * (2.0 if layers % 2 else 1.0)
    npy.save_npz(data, {"x": ([3.0] + [1.0] * (width - 1), (1, width), "float32"), f"linear_{layers - 1}": ([first] + [0.0] * (width - 1), (1, width), "float32")})
    build = (binary / "inlay", "build", model, "--quiet", "--no-vendor-libraries")
    cached = (*build, "--engine-cache", folder / "cache", "--engine-cache-mb", 100000, "-o", engine)
    check = ("--device", "cpu", "--inputs", data, "--check", data)
    return {"dry run": (binary / "inlay", "build", model, "--dry-run"), "build": (*build, "-o", engine), "inspect": (binary / "inlay", "inspect", engine),
            "run": (binary / "inlay-run", engine, *check), "build, weights beside": (*build, "--weights", "beside", "-o", beside),
            "run, weights beside": (binary / "inlay-run", beside, *check), "build for the engine cache": cached, "build from the engine cache": cached,
            "build --refittable": (*build, "--refittable", "-o", engine), "refit": (binary / "inlay", "refit", engine, "--weights", model, "-o", beside)}


def far(binary, parent):
    """Members of more than 4 GiB, and behind the first 4 GiB: the numbers that a zip archive has in an extra field."""
    with tempfile.TemporaryDirectory(dir=parent) as folder:
        model = pathlib.Path(folder) / "far.pt2"
        synthetic_archive.write(model, 2, FAR_WIDTH)
        said = run(binary / "inlay", "build", model, "--dry-run")
        expected = f"2 constants, {8 * FAR_WIDTH * FAR_WIDTH} bytes"
        if expected not in said:
            raise Failure(f"expected '{expected}', found: {said}")
        return expected


def main():
    binary, layers = pathlib.Path(sys.argv[1]).resolve(), int(sys.argv[2]) if len(sys.argv) > 2 else 8
    parent = sys.argv[3] if len(sys.argv) > 3 else None
    failures = 0
    try:
        print(f"numbers of 64 bits: {far(binary, parent)}")
    except Failure as failure:
        failures += 1
        print(f"FAILED: {failure}")
    with tempfile.TemporaryDirectory(dir=parent) as large, tempfile.TemporaryDirectory(dir=parent) as small:
        large, small = pathlib.Path(large), pathlib.Path(small)
        for (name, command), of_small in zip(commands(binary, large, WIDTH, layers).items(), commands(binary, small, SMALL_WIDTH, layers).values()):
            try:
                base, _ = peak_mb(*of_small)
                peak, seconds = peak_mb(*command)
                print(f"{name}: {peak:.0f} MB at most, {peak - base:+.0f} MB against small weights, {seconds:.1f} s", flush=True)
                if peak - base > MAX_EXTRA_MB:
                    raise Failure(f"{name}: {layers * WIDTH * WIDTH * 4 >> 20} MiB of weights cost {peak - base:.0f} MB of memory; expected at most {MAX_EXTRA_MB}")
            except Failure as failure:
                failures += 1
                print(f"FAILED: {failure}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
