#!/usr/bin/env python3
"""Checks the floors of ARCHITECTURE.md: which folder may include which, where getenv and MLIR may appear, no machine paths.

Usage: check_layering.py [ROOT]. Prints each violation as file:line: message; exit status 1 if there is any.
"""
import pathlib
import re
import subprocess
import sys

# folder -> folders whose headers it may include, besides its own. First match of the longest prefix counts.
ALLOWED = {
    "include/inlay": ["inlay"],
    "base": [],
    "symbolic": ["base"],
    "engine": ["base", "symbolic"],
    "runtime": ["base", "symbolic", "engine", "inlay"],
    "compiler/dialects/tile": ["base"],
    "compiler/dialects/graph": ["base", "symbolic", "compiler/plugins"],
    "compiler/dialects/plan": ["base", "symbolic", "compiler/dialects/tile"],
    "compiler/prebuilt": ["base", "inlay"],
    "compiler/ptx": ["base"],
    "compiler/plugins": ["base", "symbolic", "inlay"],
    "compiler/operators": ["base", "symbolic", "compiler/plugins", "ops"],
    "compiler/frontends/triton": ["base", "symbolic", "compiler/dialects/tile", "compiler/plugins"],
    "compiler/frontends/pt2": ["base", "symbolic", "compiler/dialects/graph", "compiler/plugins"],
    "compiler/transforms": ["base", "symbolic", "compiler/dialects", "compiler/ptx"],
    "compiler/conversions": ["base", "symbolic", "compiler/dialects", "compiler/ptx", "compiler/transforms", "compiler/conversions"],
    "compiler/transforms/graph": ["base", "symbolic", "compiler/dialects/graph", "compiler/plugins", "compiler/operators", "compiler/conversions/graph-to-plan"],
    "compiler/conversions/graph-to-plan": ["base", "symbolic", "compiler/dialects", "compiler/plugins", "compiler/operators", "compiler/frontends", "compiler/prebuilt", "compiler/targets"],
    "compiler/targets": ["base", "symbolic", "compiler/dialects", "compiler/transforms", "compiler/conversions"],
    "compiler/api": ["base", "inlay", "compiler/driver", "compiler/operators", "compiler/plugins"],
    "compiler/driver": ["base", "symbolic", "engine", "inlay", "compiler", "ops"],
    "ops": ["base", "compiler/plugins"],
    "tools/tensorio": ["base"],
    "tools/inlay-run": ["base", "symbolic", "engine", "inlay", "runtime", "tools/tensorio"],
    "tools": ["base", "symbolic", "engine", "inlay", "runtime", "compiler", "ops", "tools"],
    "bench": ["base", "symbolic", "engine", "inlay", "runtime", "compiler", "tools"],
    "tests": ["base", "symbolic", "engine", "inlay", "runtime", "compiler", "tools", "tests"],
    "examples": ["inlay"],
}
# Tests beside the code may also use these.
TEST_EXTRA = ["tests", "tools/tensorio", "compiler", "engine", "base", "symbolic", "inlay"]
MLIR_FREE = ("include", "base", "symbolic", "engine", "runtime", "compiler/operators", "compiler/plugins", "compiler/prebuilt", "compiler/ptx", "tools/tensorio", "tools/inlay-run", "ops")
INCLUDE = re.compile(r'^\s*#\s*include\s+["<]([^">]+)[">]')
MACHINE_PATH = re.compile(r"(^|[^A-Za-z0-9_.])/(work|root|home|usr/lib/llvm)[/-]")


def owner(path):
    best = max((f for f in ALLOWED if path == f or path.startswith(f + "/")), key=len, default=None)
    return best


def check_file(root, path):
    folder = owner(path)
    if folder is None:
        return
    is_test = path.endswith("_test.cpp")
    text = (root / path).read_text(encoding="utf-8")
    for number, line in enumerate(text.splitlines(), 1):
        where = f"{path}:{number}"
        if match := INCLUDE.match(line):
            header = match.group(1)
            if header.startswith(("mlir/", "llvm/", "lld/")) and path.startswith(MLIR_FREE) and not is_test:
                yield f"{where}: includes {header}, but this folder must build without MLIR"
            target = owner(header) if not header.startswith("inlay/") else "inlay"
            if target and target != folder:
                allowed = ALLOWED[folder] + (TEST_EXTRA if is_test else [])
                if not any(target == a or target.startswith(a + "/") for a in allowed):
                    yield f"{where}: {folder} may not include {header}"
        elif re.search(r"\b(secure_)?getenv\s*\(", line) and path != "base/Env.cpp" and not is_test:
            yield f"{where}: environment variables are read in base/Env.cpp only"
        if MACHINE_PATH.search(line):
            yield f"{where}: path of one machine"


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    files = subprocess.run(["git", "-C", root, "ls-files", "*.h", "*.cpp", "*.c", "*.td", "*.def"], check=True,
                           capture_output=True, text=True).stdout.split()
    problems = [p for f in files if (root / f).exists() for p in check_file(root, f)]
    print("\n".join(problems) if problems else f"{len(files)} files keep to the floors")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
