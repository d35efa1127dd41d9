#!/usr/bin/env python3
"""Builds that are told to end: in time, with a status and a line that say so, and with files and caches left as they were.

Usage: interruption.py BIN_FOLDER
"""
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

import plugins
import synthetic_archive
from plugins import Failure, run

LAYERS, WIDTH = 8, 4096  # 512 MiB of weights
# How long a build may take to end: a second, and some for busy machines.
MAX_SECONDS = 5
NAMES = {signal.SIGINT: "SIGINT", signal.SIGTERM: "SIGTERM"}


class Interruption:
    def __init__(self, binary, folder):
        self.folder, self.model, self.engine, self.cache = folder, folder / "in" / "m.pt2", folder / "out" / "m.inlay", folder / "cache"
        self.command = [binary / "inlay", "build", self.model, "--quiet", "--engine-cache", folder / "engines"]
        for name in ("in", "out", "cache"):
            (folder / name).mkdir()
        synthetic_archive.write(self.model, LAYERS, WIDTH)
        self.ended = set()  # signals that the program has answered
        self.environment = os.environ | {"INLAY_CACHE_DIR": str(self.cache)}

    def interrupt(self, seconds, number, *command):
        """Sends a signal after so many seconds; what the command said, how it ended, and the seconds that took."""
        process = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=self.environment,
                                   preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))  # shells have their jobs ignore it
        time.sleep(seconds)
        process.send_signal(number)
        start = time.monotonic()
        _, said = process.communicate()
        return said, process.returncode, time.monotonic() - start

    def check(self, seconds, number, *command):
        said, status, took = self.interrupt(seconds, number, *command)
        if status == 0:  # a fast machine was done before
            self.engine.write_bytes(b"before")
            return 0.0
        # Before the program has begun it dies of the signal.
        if number == signal.SIGKILL or (status == -number and not said):
            return took
        self.ended.add(number)
        if status != 128 + number or f"interrupted by {NAMES[number]}" not in said or said.count("\n") != 1:
            raise Failure(f"after {seconds} s: exit status {status}, expected {128 + number}; it said: {said}")
        if took > MAX_SECONDS:
            raise Failure(f"after {seconds} s it took {took:.1f} s to end, expected at most {MAX_SECONDS}")
        return took

    def files(self):
        return sorted(str(path.relative_to(self.folder)) for name in ("out", "engines") for path in (self.folder / name).glob("*"))


def has_nameless_files(folder):
    try:
        os.close(os.open(folder, os.O_WRONLY | os.O_TMPFILE))
        return True
    except OSError:
        return False


def while_building(t):
    """At any time, with an engine there before, which stays."""
    t.engine.write_bytes(b"before")
    longest = 0
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        for seconds in (0.02, 0.1, 0.3, 0.6):
            longest = max(longest, t.check(seconds, number, *t.command, "-o", t.engine))
            left = [name for name in t.files() if name != "out/m.inlay" and not name.startswith("engines/llvmcache")]
            if (number != signal.SIGKILL or has_nameless_files(t.folder)) and left:
                raise Failure(f"{signal.Signals(number).name} after {seconds} s left {left}")
            if t.engine.read_bytes() != b"before":
                raise Failure(f"{signal.Signals(number).name} after {seconds} s changed the engine that was there")
    if t.ended != set(NAMES):
        raise Failure(f"the program answered {t.ended} only, expected {set(NAMES)}")
    return f"ended after {longest:.2f} s at most"


def afterwards(t):
    """What ended before does no harm to later builds, nor to what they take from caches."""
    run(*t.command, "-o", t.engine)
    (t.folder / "engines").rename(t.folder / "unused")
    os.environ.pop("INLAY_CACHE_DIR", None)
    fresh = t.folder / "out" / "fresh.inlay"
    run(*t.command[:-2], "--name", "m", "-o", fresh)
    if fresh.read_bytes() != t.engine.read_bytes():
        raise Failure("an engine from caches differs from one that was built without")
    return f"{t.engine.stat().st_size} bytes are the same"


def while_tuning(t):
    times = t.folder / "times.json"
    took = t.check(1.0, signal.SIGINT, t.command[0], "build", plugins.ROOT / "tests" / "models" / "cnn.pt2", "--quiet", "--tune", "cpu", "--timing-cache", times,
                   "-o", t.folder / "out" / "cnn.inlay")
    if (t.folder / "out" / "cnn.inlay").exists():
        raise Failure("an engine was written")
    # Times that were measured stay, and are taken.
    if times.exists() and "inlay_timing_cache" not in times.read_text():
        raise Failure(f"the timing cache is damaged: {times.read_text()}")
    return f"ended after {took:.2f} s"


def main():
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        t = Interruption(pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(folder))
        for case in (while_building, afterwards, while_tuning):
            try:
                print(f"{case.__name__}: {case(t)}", flush=True)
            except Failure as failure:
                failures += 1
                print(f"{case.__name__} FAILED: {failure}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
