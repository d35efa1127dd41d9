#!/usr/bin/env python3
"""Models built in half precision: what is converted, what stays, and what it costs.

Usage: precision.py BIN_FOLDER DEVICE
DEVICE is cpu or cuda:N. Exit status 77 says that there is no such device (CTest counts the test as skipped).
"""
import json
import pathlib
import re
import subprocess
import sys
import tempfile

import npy
import plugins
from plugins import Failure, fails, run

MODELS = plugins.ROOT / "tests" / "models"
KEPT = {"mlp": "linear", "cnn": "aten::conv2d"}  # some products of the model, not all


class Precision:
    def __init__(self, binary, device, folder):
        self.inlay, self.runner, self.device, self.folder = binary / "inlay", binary / "inlay-run", device, folder
        self.target = "cpu" if device == "cpu" else "cuda"

    def command(self, model, *flags):
        return (self.inlay, "build", MODELS / f"{model}.pt2", "--target", self.target, "--quiet", "--report", "-", "-o", self.folder / "model.inlay", *flags)

    def build(self, model, *flags):
        report = json.loads(run(*self.command(model, *flags)))
        return report["precision"], (self.folder / "model.inlay")


def costs(t):
    """Two layers of a perceptron and a convolutional net: exact to a few units of the type, and the report says so."""
    said = []
    for model in ("mlp", "cnn"):
        for precision, name, bound in (("fp16", "float16", 5e-3), ("bf16", "bfloat16", 4e-2)):
            report, engine = t.build(model, "--precision", precision, "--precision-inputs", MODELS / f"{model}.npz", "--precision-device", t.device)
            if report["type"] != name or report["converted"] == 0:
                raise Failure(f"{model} in {precision}: {report}")
            if not report["weight_bytes"] < 0.6 * report["weight_bytes_before"]:
                raise Failure(f"{model} in {precision} is not smaller: {report}")
            for error in report["errors"]:
                if not 0 < error["max_abs_error"] < bound * max(1, error["max_abs_value"]) or error["not_finite"]:
                    raise Failure(f"{model} in {precision}: {error}")
            # The engine itself computes what was compared; inputs and outputs are float32 still.
            run(t.runner, engine, "--device", t.device, "--inputs", MODELS / f"{model}.npz", "--check", MODELS / f"{model}.npz", "--rtol", bound, "--atol",
                4 * bound)
            said.append(f"{model} {precision} {max(error['max_abs_error'] for error in report['errors']):.2g}")
    return ", ".join(said)


def whole_model_kept(t):
    """With every operator kept the engine computes what float32 does, bit for bit."""
    ops = sorted({node["operator"] for node in json.loads(run(*t.command("mlp", "--passes", "none")))["operators"]})
    report, _ = t.build("mlp", "--precision", "fp16", "--precision-inputs", MODELS / "mlp.npz", "--precision-device", t.device,
                        *[part for op in ops for part in ("--keep-fp32", op)])
    if report["converted"] or report["errors"][0]["max_abs_error"] != 0:
        raise Failure(f"{report}")
    return f"{', '.join(ops)} kept"


def language_model(t):
    """Norms and softmax stay; a model with custom operators keeps theirs."""
    report, engine = t.build("tiny_lm", "--precision", "bf16", "--precision-inputs", MODELS / "tiny_lm.npz", "--precision-device", t.device)
    t.build("tiny_lm", "--precision", "bf16", "--weights", "beside")
    weights = engine.with_suffix(".weights").stat().st_size
    if not report["weight_bytes"] <= weights < report["weight_bytes"] + 0.2 * (report["weight_bytes_before"] - report["weight_bytes"]):
        raise Failure(f"the weights have {weights} bytes: {report}")
    kept = {entry["operator"]: entry["reason"] for entry in report["kept"]}
    if not any(reason == "by default" for reason in kept.values()):
        raise Failure(f"nothing stayed: {report}")
    return f"{report['converted']} converted, {sum(entry['count'] for entry in report['kept'])} kept, error {report['errors'][0]['max_abs_error']:.2g}"


def refittable(t):
    """Weights that are to be replaced stay float32 under their names."""
    report, engine = t.build("mlp", "--precision", "fp16", "--refittable")
    weights = json.loads(run(t.inlay, "inspect", engine, "--json"))["weights"]
    if report["weight_bytes"] != report["weight_bytes_before"] or {weight["dtype"] for weight in weights} != {"float32"}:
        raise Failure(f"{report}, {weights}")
    run(t.inlay, "refit", engine, "--weights", MODELS / "mlp.pt2", "-o", t.folder / "again.inlay")
    run(t.runner, t.folder / "again.inlay", "--device", t.device, "--inputs", MODELS / "mlp.npz", "--check", MODELS / "mlp.npz", "--rtol", 5e-3, "--atol", 2e-2)
    return f"{len(weights)} weights"


def tf32(t):
    """Products are of TF32 on GPUs where that was asked for, and nowhere else; on CPUs nothing changes."""
    said = []
    for model in ("mlp", "cnn"):
        for flags, precisions in (((), {"tf32x3"}), (("--precision", "tf32"), {"tf32"}), (("--precision", "tf32", "--keep-fp32", KEPT[model]), {"tf32x3", "tf32"})):
            stages = t.folder / f"stages_{model}_{len(flags)}"
            run(t.inlay, "build", MODELS / f"{model}.pt2", "--target", "cuda:sm_90a", "--quiet", "--dump-stages", stages, "-o", t.folder / "gpu.inlay", *flags)
            found = set(re.findall(r'PRECISION = "(\w+)"', (stages / "02-plan.mlir").read_text()))
            if found != precisions:
                raise Failure(f"{model} with {flags}: products of {found}, expected {precisions}")
        report, _ = t.build(model, "--precision", "tf32", "--precision-inputs", MODELS / f"{model}.npz", "--precision-device", t.device)
        if report["type"] != "tf32" or report["converted"] == 0 or report["casts"]:
            raise Failure(f"{model}: {report}")
        for error in report["errors"]:
            if error["not_finite"] or not error["max_abs_error"] <= (0 if t.device == "cpu" else 5e-3 * max(1, error["max_abs_value"])):
                raise Failure(f"{model}: {error}")
        said.append(f"{model} {max(error['max_abs_error'] for error in report['errors']):.2g}")
    return ", ".join(said)


def refusals(t):
    fails(["'aten::mm2' is to stay in float32, but the model has no such operator"], *t.command("mlp", "--precision", "fp16", "--keep-fp32", "aten::mm2"))
    fails(["--keep-fp32 needs --precision fp16, bf16 or tf32"], *t.command("mlp", "--keep-fp32", "aten::mm"))
    fails(["--precision-inputs needs --precision fp16, bf16 or tf32"], *t.command("mlp", "--precision-inputs", MODELS / "mlp.npz"))
    empty = t.folder / "empty.npz"
    npy.save_npz(empty, {"other": ([0.0], (1,), "float32")})
    fails(["measuring the error of half precision", "no tensor was given for input"],
          *t.command("mlp", "--precision", "fp16", "--precision-inputs", empty))
    return "each names what was found and expected"


def main():
    binary, device = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2]
    if device != "cpu" and subprocess.run([binary / "inlay-run", "--has-device", device], capture_output=True).returncode != 0:
        print(f"[SKIP] no device {device} here")
        return plugins.SKIPPED
    failures = 0
    for case in (costs, whole_model_kept, language_model, refittable, tf32, refusals):
        with tempfile.TemporaryDirectory() as folder:
            try:
                print(f"{case.__name__} on {device}: {case(Precision(binary, device, pathlib.Path(folder)))}")
            except Failure as failure:
                failures += 1
                print(f"{case.__name__} on {device} FAILED: {failure}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
