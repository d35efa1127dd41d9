#!/usr/bin/env python3
"""Builds what PyTorch exported in every form (as traced, functional, core ATen; archive corner cases), runs it and compares.

Usage: fixtures.py BIN_FOLDER DEVICE [NAME …]
DEVICE is cpu or cuda:N. Of those that are refused, the reason is compared. Exit status 77 says that there is no such device.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
FIXTURES = ROOT / "tests" / "fixtures"
PLUGINS = [ROOT / "examples" / "add_one" / "add_one.toml", ROOT / "tests" / "plugins" / "sample.toml", ROOT / "tests" / "plugins" / "attributes.toml",
           ROOT / "tests" / "plugins" / "in_place.toml"]
# Models that launch a kernel themselves, of which the archive has neither the source nor the constants: BLOCK_SIZE is not written down.
RECORDED = ["tri_hop", "tri_hop_dyn"]
RECORDED_KERNEL = ROOT / "tests" / "plugins" / "recorded.toml"
# Manifests that do not serve those, and what the build says.
KERNEL = "../../examples/add_one/add_one.py:add_one_kernel"
REFUSED = [
    ("", "it launches the Triton kernel 'add_one_kernel', of which the model holds neither source nor constexprs"),
    (f'kernel = "{KERNEL}"', "BLOCK_SIZE"),
    (f'kernel = "{KERNEL}"\nconstexprs = {{ BLOCK_SIZE = 256 }}\nhash = "ffff"', "this is 'add_one_kernel_ffff'"),
    ('kernel = "../../tests/plugins/sample.py:mul_kernel"', "the model launches the kernel 'add_one_kernel_"),
    (f'kernel = "{KERNEL}"\nhash = "not"', "expected the first hexadecimal digits"),
    (f'kernel = "{KERNEL}"\ngrid = [1]', "unknown key 'grid' in a Triton kernel"),
]
SKIPPED = 77


def run(*command):
    return subprocess.run([str(part) for part in command], capture_output=True, text=True)


def problem_of(binary, device, name, folder):
    """Empty if all is well; else what went wrong. Second: what was seen."""
    engine, npz = folder / f"{name}.inlay", FIXTURES / f"{name}.npz"
    plugins = [part for plugin in PLUGINS + [RECORDED_KERNEL] * (name in RECORDED) for part in ("--plugin", plugin)]
    build = run(binary / "inlay", "build", FIXTURES / f"{name}.pt2", *plugins, "--target", "cpu" if device == "cpu" else "cuda:sm_90a", "--quiet", "-o", engine)
    if name in RECORDED and (problem := refusal_problem(binary, name, folder)):
        return problem, ""
    if build.returncode:
        return build.stderr, ""
    done = run(binary / "inlay-run", engine, "--device", device, "--inputs", npz, "--check", npz, "--json")
    if done.returncode:
        return done.stderr, ""
    checked = json.loads(done.stdout)["checked"]
    if not checked:
        return "nothing was compared", ""
    return "", f"{len(checked)} outputs, largest error {max(output['max_absolute_error'] for output in checked):g}"


def refusal_problem(binary, name, folder):
    """Empty if every manifest of REFUSED is refused with its reason."""
    for number, (text, reason) in enumerate(REFUSED):
        manifest = folder / f"refused_{number}.toml"
        manifest.write_text(f"[[triton_kernel]]\n{text}\n".replace("../..", str(ROOT)))
        plugins = ["--plugin", manifest] if text else []
        build = run(binary / "inlay", "build", FIXTURES / f"{name}.pt2", *plugins, "--quiet", "-o", folder / "refused.inlay")
        if build.returncode != 1 or reason not in build.stderr:
            return f"expected a refusal that says '{reason}'; exit status {build.returncode}: {build.stderr}"
    return ""


def main():
    binary, device = pathlib.Path(sys.argv[1]), sys.argv[2]
    if device != "cpu" and run(binary / "inlay-run", "--has-device", device).returncode != 0:
        print(f"[SKIP] no device {device} here")
        return SKIPPED
    names = sys.argv[3:] or sorted(path.stem for path in FIXTURES.glob("*.pt2"))
    failures = []
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            problem, seen = problem_of(binary, device, name, pathlib.Path(folder))
            print(f"{name} on {device}: {problem or seen}")
            if problem:
                failures.append(name)
    print(f"{len(names) - len(failures)} of {len(names)} as expected")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
