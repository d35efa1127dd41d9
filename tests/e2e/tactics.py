#!/usr/bin/env python3
"""Builds engines with several tactics for a node, chosen by measuring, by a timing cache, or at run time, and runs them on a device.

Usage: tactics.py BIN_FOLDER DEVICE
DEVICE is cpu or cuda:N. Exit status 77 says that there is no such device (CTest counts the test as skipped).
"""
import json
import pathlib
import subprocess
import sys
import tempfile

import plugins
from plugins import Failure, fails, model, run

MANIFEST = plugins.ROOT / "tests" / "plugins" / "tactics" / "tactics.toml"


class Tactics:
    def __init__(self, binary, device, folder):
        self.test = plugins.Test(binary, device, folder)
        self.folder, self.device = folder, device
        self.cache = folder / "times.json"

    def command(self, op, *flags, target=None, name="model"):
        graph = self.folder / f"{name}.mlir"
        graph.write_text(model(f"test::{op}", ["s0"], ["s0"]))
        engine = self.folder / f"{name}.inlay"
        return engine, (self.test.binary / "inlay", "build", graph, "--plugin", MANIFEST, "--target", target or self.test.target(), "--quiet",
                        "--report", "-", "-o", engine, *flags)

    def build(self, op, *flags, **named):
        engine, command = self.command(op, *flags, **named)
        return engine, json.loads(run(*command))["tactics"]

    def check(self, engine, count, value, *flags):
        """The operator's result for `count` elements is value(x)."""
        x = plugins.numbers(count)
        self.test.check(engine, x, (count,), [value(v) for v in x], (count,), "--rtol", 0, "--atol", 0, *flags)


def at_run_time(t):
    """Guards on sizes; what is bound from files is aligned well enough on a GPU, to which it is copied."""
    engine, _ = t.build("which")
    for count, added in ((1000, 1), (5000, 1), (999, 3), (7, 3), (0, 3)):
        t.check(engine, count, lambda v, added=added: v + added)
    if not t.test.is_cpu:
        t.check(engine, 512, lambda v: v + 2)
    said = run(t.test.binary / "inlay", "inspect", engine)
    for text in ("tactic 'wide', if 0 == s0 % 16 and buffer 0 is aligned to 64 and buffer 1 is aligned to 64",
                 "tried: 'large', 'wide', 'any'", "only for tactic 'large' of choice 0"):
        if text not in said:
            raise Failure(f"inspect does not say {text}:\n{said}")
    return "5 sizes"


def by_measuring(t):
    """The slow configuration stands first; measuring finds another."""
    engine, (tactics,) = t.build("double_slowly")
    if [entry["name"] for entry in tactics["kept"]] != ["ROUNDS=64"] or tactics["device"]:
        raise Failure(f"without measuring the first one counts: {tactics}")
    t.check(engine, 1000, lambda v: 2 * v)
    engine, (tactics,) = t.build("double_slowly", "--tune", t.device, "--timing-cache", t.cache)
    if [entry["name"] for entry in tactics["kept"]] != ["ROUNDS=1, num_warps=1"]:
        raise Failure(f"measuring took {tactics}")
    t.check(engine, 1000, lambda v: 2 * v)
    times = {entry["name"]: entry["us"] for entry in tactics["kept"] + tactics["passed_over"]}
    if not times["ROUNDS=1, num_warps=1"] < times["ROUNDS=8"] < times["ROUNDS=64"]:
        raise Failure(f"times are {times}")
    return "64 rounds passed over"


def by_cache(t):
    """A build from recorded times needs no device and gives the same bytes."""
    engine, _ = t.build("double", "--tune", t.device, "--timing-cache", t.cache)
    first = engine.read_bytes()
    (device,) = json.loads(t.cache.read_text())["devices"]
    for flags in (("--tune", t.device, "--timing-cache", t.cache), ("--tune", device, "--timing-cache", t.cache, "--timing-cache-required")):
        engine, (tactics,) = t.build("double", *flags)
        if engine.read_bytes() != first or tactics["device"] != device:
            raise Failure(f"{flags}: another engine, {tactics}")
    t.check(engine, 777, lambda v: 2 * v)
    required = ("--timing-cache", t.cache, "--timing-cache-required")
    fails(["has no times of device 'no such'", device], *t.command("double", "--tune", "no such", *required)[1])
    fails(["has no time of it", "finding the time of tactic 'BLOCK=64", "choosing a tactic for node node_1"],
          *t.command("double", "--tune", device, *required, "--profile", "in_0:0=1,333,4096")[1])
    other = t.folder / "other.json"
    fails(["reading the timing cache", "other.json"], *t.command("double", "--tune", device, "--timing-cache", other, required[-1])[1])
    other.write_text("{}")
    fails(["other.json' is no timing cache"], *t.command("double", "--tune", t.device, "--timing-cache", other)[1])
    fails(["--timing-cache needs --tune DEVICE"], *t.command("double", "--timing-cache", t.cache)[1])
    fails(["--timing-cache-required needs --timing-cache"], *t.command("double", "--tune", device, "--timing-cache-required")[1])
    return device


def by_profile(t):
    """Each profile keeps the order that was found for its sizes."""
    engine, reports = t.build("which", "--tune", t.device, "--profile", "in_0:0=1,64,99", "--profile", "in_0:0=16,2048,4096")
    if sorted(report["profile"] for report in reports) != [0, 1, 2]:
        raise Failure(f"profiles measured: {reports}")
    (large,) = [report for report in reports if report["profile"] == 2]
    if "large" not in [entry["name"] for entry in large["kept"] + large["passed_over"] if entry.get("us")]:
        raise Failure(f"the second profile did not measure 'large': {large}")
    (small,) = [report for report in reports if report["profile"] == 1]
    if small["kept"][0]["name"] != "large" or "us" in small["kept"][0]:
        raise Failure(f"'large' cannot be taken for 64 elements, and stays in front: {small}")
    # 4095 is no multiple of 16, so that "wide" cannot be taken.
    taken = next(entry["name"] for entry in large["kept"] if entry["name"] != "wide")
    t.check(engine, 4095, lambda v: v + {"large": 1, "any": 3}[taken], "--profile", 2)
    return f"'{taken}' for 4095 elements"


def refusals(t):
    other = "cuda:sm_90a" if t.test.is_cpu else "cpu"
    fails(["no target of the family"], *t.command("double", "--tune", t.device, target=other)[1])
    fails(["reading --tune"], *t.command("double", "--tune", "tpu")[1])
    fails(["both of the family"], *t.command("double", "--tune", t.device, "--tune", t.device)[1])
    return "each names what was found and expected"


def main():
    binary, device = pathlib.Path(sys.argv[1]), sys.argv[2]
    if device != "cpu" and subprocess.run([binary / "inlay-run", "--has-device", device], capture_output=True).returncode != 0:
        print(f"[SKIP] no device {device} here")
        return plugins.SKIPPED
    failures = 0
    for case in (at_run_time, by_measuring, by_cache, by_profile, refusals):
        with tempfile.TemporaryDirectory() as folder:
            try:
                print(f"{case.__name__} on {device}: {case(Tactics(binary, device, pathlib.Path(folder)))}")
            except Failure as failure:
                failures += 1
                print(f"{case.__name__} on {device} FAILED: {failure}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
