#!/usr/bin/env python3
"""What the runtime library weighs and needs, read from the binary.

Usage: runtime_library.py LIBRARY STRIP READELF
"""
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

LIBRARY, STRIP, READELF = sys.argv.pop(1), sys.argv.pop(1), sys.argv.pop(1)
LARGEST_BYTES = 3 << 20
# The C and C++ libraries and the loader; libgcc_s comes with libstdc++, which needs it.
ALLOWED = {"libc.so.6", "libstdc++.so.6", "libm.so.6", "ld-linux-x86-64.so.2"}


def readelf(*arguments):
    return subprocess.run([READELF, *arguments, LIBRARY], check=True, capture_output=True, text=True).stdout


class RuntimeLibraryTest(unittest.TestCase):
    def test_is_small(self):
        with tempfile.TemporaryDirectory() as folder:
            stripped = pathlib.Path(folder) / "stripped.so"
            subprocess.run([STRIP, "-o", stripped, LIBRARY], check=True)
            self.assertGreater(stripped.stat().st_size, 50_000, "an empty library proves nothing")
            self.assertLessEqual(stripped.stat().st_size, LARGEST_BYTES)

    def test_needs_only_the_standard_libraries(self):
        needed = set(re.findall(r"\(NEEDED\).*\[(.*)\]", readelf("-d")))
        self.assertIn("libc.so.6", needed)
        self.assertLessEqual(needed, ALLOWED)

    def test_exports_the_c_interface_alone(self):
        symbols = [line.split()[-1] for line in readelf("--dyn-syms", "-W").splitlines() if re.search(r"(GLOBAL|WEAK)\s+DEFAULT\s+\d+ ", line)]
        self.assertIn("inlay_context_run", symbols)
        self.assertEqual([s for s in symbols if not s.startswith("inlay_")], [])


if __name__ == "__main__":
    unittest.main()
