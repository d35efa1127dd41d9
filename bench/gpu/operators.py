#!/usr/bin/env python3
"""Convolutions, products and attention of well-known models at batch 1: Inlay's kernels beside PyTorch's (cuDNN, cuBLAS).

    operators.py build INLAY FOLDER [--variant NAME] [--only REGEX] [--jobs N] [--option=OPTION …]   exports each case and builds engines for sm_90a; needs
                                                                        no GPU, but for --option=--tune --option=cuda:0 (with one job)
    operators.py measure LIBRARY FOLDER [--only REGEX] [--out FILE]     LIBRARY: libinlay_runtime.so; needs a GPU

Weights are inputs, so that engines are small and travel. Times are device times of one call in µs: calls of CUDA graphs that hold 20, the
contestants taking turns, the median of 7 rounds; operands stay in the cache where they fit. The floor is the larger of flops over
989 (float16) or 67 TFLOP/s (float32) and bytes over 4.8 TB/s. Errors are from float64, over the largest element. `--variant` keeps engines of several
compilers or options side by side. Of those that were tuned, what the build measured of each tactic is told, too.
"""
import argparse
import concurrent.futures
import json
import math
import pathlib
import re
import statistics
import subprocess
import sys

import torch
import torch.nn.functional as F

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from runtime import Runtime  # noqa: E402


class Convolution(torch.nn.Module):
    """`function` is of torch.nn.functional."""

    def __init__(self, function, **options):
        super().__init__()
        self.function, self.options = function, options

    def forward(self, x, weight, bias):
        return getattr(F, self.function)(x, weight, bias, **self.options)


class Linear(torch.nn.Module):
    def forward(self, x, weight, bias):
        return F.linear(x, weight, bias)


class Attention(torch.nn.Module):
    def forward(self, q, k, v):
        return F.scaled_dot_product_attention(q, k, v)


def convolution(channels, filters, size, kernel, stride=1, padding=None, groups=1, images=1):
    kernel = (kernel, kernel) if isinstance(kernel, int) else kernel
    padding = tuple(k // 2 for k in kernel) if padding is None else (padding, padding)
    shapes = [(images, channels, size, size), (filters, channels // groups, *kernel), (filters,)]
    return Convolution("conv2d", stride=stride, padding=padding, groups=groups), shapes


def volumes(channels, filters, deep, size, kernel, stride=1, groups=1, images=1):
    kernel = (kernel,) * 3 if isinstance(kernel, int) else kernel
    shapes = [(images, channels, deep, size, size), (filters, channels // groups, *kernel), (filters,)]
    return Convolution("conv3d", stride=stride, padding=tuple(k // 2 for k in kernel), groups=groups), shapes


def transposed(channels, filters, size, kernel, stride, padding=0, images=1):
    return Convolution("conv_transpose2d", stride=stride, padding=padding), [(images, channels, size, size), (channels, filters, kernel, kernel), (filters,)]


def linear(rows, depth, columns):
    return Linear(), [(rows, depth), (columns, depth), (columns,)]


def attention(heads, tokens, head):
    return Attention(), [(1, heads, tokens, head)] * 3


CASES = {
    "resnet50 7x7/2 3-64 224": convolution(3, 64, 224, 7, 2),
    "resnet50 1x1 64-64 56": convolution(64, 64, 56, 1),
    "resnet50 3x3 64-64 56": convolution(64, 64, 56, 3),
    "resnet50 1x1 64-256 56": convolution(64, 256, 56, 1),
    "resnet50 1x1 256-64 56": convolution(256, 64, 56, 1),
    "resnet50 1x1/2 256-512 56": convolution(256, 512, 56, 1, 2),
    "resnet50 3x3/2 128-128 56": convolution(128, 128, 56, 3, 2),
    "resnet50 3x3 128-128 28": convolution(128, 128, 28, 3),
    "resnet50 1x1 512-128 28": convolution(512, 128, 28, 1),
    "resnet50 1x1 128-512 28": convolution(128, 512, 28, 1),
    "resnet50 3x3 256-256 14": convolution(256, 256, 14, 3),
    "resnet50 1x1 1024-256 14": convolution(1024, 256, 14, 1),
    "resnet50 1x1 256-1024 14": convolution(256, 1024, 14, 1),
    "resnet50 3x3 512-512 7": convolution(512, 512, 7, 3),
    "resnet50 1x1 2048-512 7": convolution(2048, 512, 7, 1),
    "resnet50 1x1 512-2048 7": convolution(512, 2048, 7, 1),
    "resnet50 linear 1 2048-1000": linear(1, 2048, 1000),
    "vgg11 3x3 3-64 224": convolution(3, 64, 224, 3),
    "vgg11 3x3 64-128 112": convolution(64, 128, 112, 3),
    "vgg11 3x3 128-256 56": convolution(128, 256, 56, 3),
    "vgg11 3x3 256-256 56": convolution(256, 256, 56, 3),
    "vgg11 3x3 256-512 28": convolution(256, 512, 28, 3),
    "vgg11 3x3 512-512 28": convolution(512, 512, 28, 3),
    "vgg11 3x3 512-512 14": convolution(512, 512, 14, 3),
    "vgg11 linear 1 25088-4096": linear(1, 25088, 4096),
    "vgg11 linear 1 4096-4096": linear(1, 4096, 4096),
    "inception 3x3 32-64 147": convolution(32, 64, 147, 3),
    "inception 1x1 288-64 35": convolution(288, 64, 35, 1),
    "inception 3x3 96-96 35": convolution(96, 96, 35, 3),
    "inception 1x7 192-192 17": convolution(192, 192, 17, (1, 7)),
    "inception 1x1 768-192 17": convolution(768, 192, 17, 1),
    "inception 1x1 2048-320 8": convolution(2048, 320, 8, 1),
    "vit linear 197 768-2304": linear(197, 768, 2304),
    "vit linear 197 768-768": linear(197, 768, 768),
    "vit linear 197 768-3072": linear(197, 768, 3072),
    "vit linear 197 3072-768": linear(197, 3072, 768),
    "vit attention 12 197 64": attention(12, 197, 64),
    "attention 8 1024 256": attention(8, 1024, 256),
    "mobilenet depthwise 3x3 144 56": convolution(144, 144, 56, 3, groups=144),
    "mobilenet depthwise 3x3 960 7": convolution(960, 960, 7, 3, groups=960),
    "batch 16 3x3 256-256 14": convolution(256, 256, 14, 3, images=16),
    "linear 2048 2048-2048": linear(2048, 2048, 2048),
    "batch 32 7x7/2 3-64 224": convolution(3, 64, 224, 7, 2, images=32),
    "batch 32 3x3 64-64 56": convolution(64, 64, 56, 3, images=32),
    "batch 32 1x1 256-64 56": convolution(256, 64, 56, 1, images=32),
    "batch 32 3x3/2 128-128 56": convolution(128, 128, 56, 3, 2, images=32),
    "batch 32 1x1 1024-256 14": convolution(1024, 256, 14, 1, images=32),
    "batch 32 3x3 512-512 7": convolution(512, 512, 7, 3, images=32),
    "batch 32 3x3 256-256 56": convolution(256, 256, 56, 3, images=32),
    "batch 32 depthwise 3x3 144 56": convolution(144, 144, 56, 3, groups=144, images=32),
    "r3d stem 3x7x7/122 3-64 16x112": volumes(3, 64, 16, 112, (3, 7, 7), (1, 2, 2)),
    "r3d 3x3x3 64-64 16x56": volumes(64, 64, 16, 56, 3),
    "r3d 3x3x3/2 64-128 16x56": volumes(64, 128, 16, 56, 3, 2),
    "r3d 3x3x3 128-128 8x28": volumes(128, 128, 8, 28, 3),
    "r3d 3x3x3 256-256 4x14": volumes(256, 256, 4, 14, 3),
    "r3d 3x3x3 512-512 2x7": volumes(512, 512, 2, 7, 3),
    "s3d 1x3x3 64-192 16x56": volumes(64, 192, 16, 56, (1, 3, 3)),
    "s3d 3x1x1 192-192 16x56": volumes(192, 192, 16, 56, (3, 1, 1)),
    "mvit depthwise 3x3x3/122 96 8x56": volumes(96, 96, 8, 56, 3, (1, 2, 2), groups=96),
    "batch 4 r3d 3x3x3 64-64 16x56": volumes(64, 64, 16, 56, 3, images=4),
    "unet 2x2/2 transposed 512-256 32": transposed(512, 256, 32, 2, 2),
    "unet 2x2/2 transposed 128-64 128": transposed(128, 64, 128, 2, 2),
    "gan 4x4/2 transposed 512-256 8": transposed(512, 256, 8, 4, 2, 1),
    "gan 4x4/2 transposed 128-64 32": transposed(128, 64, 32, 4, 2, 1),
    "batch 16 gan 4x4/2 transposed 256-128 16": transposed(256, 128, 16, 4, 2, 1, images=16),
}
DTYPES = {"float32": torch.float32, "float16": torch.float16}


def file_of(folder, case, dtype, variant=""):
    return pathlib.Path(folder) / (re.sub(r"[^a-z0-9]+", "_", case) + f"@{dtype}@{variant}.inlay")


def tensors_of(case, dtype, device):
    """Of about the size that they have in models, so that sums neither grow nor vanish."""
    torch.manual_seed(len(case))
    shapes = CASES[case][1]
    depth = math.prod(shapes[1][1:])
    scales = [1, 1, 1] if "attention" in case else [1, depth**-0.5, 1]
    return [(torch.randn(shape) * scale).to(DTYPES[dtype]).to(device) for shape, scale in zip(shapes, scales)]


def build(options):
    folder = pathlib.Path(options.folder)
    folder.mkdir(parents=True, exist_ok=True)
    commands = []
    for case, (module, _) in CASES.items():
        for dtype in DTYPES:
            path, model = file_of(folder, case, dtype, options.variant), file_of(folder, case, dtype).with_suffix(".pt2")
            if path.exists() or not re.search(options.only, f"{case} {dtype}"):
                continue
            if not model.exists():
                torch.export.save(torch.export.export(module, tuple(tensors_of(case, dtype, "cpu"))), model)
            commands.append([options.inlay, "build", model, "--target", "cuda:sm_90a", "--quiet", "--report", path.with_suffix(".json"), "-o", path,
                             *options.option])
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        list(pool.map(lambda command: subprocess.run(command, check=True), commands))


def graph_of(function, calls=20):
    """A CUDA graph of so many calls, and the last result."""
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        for _ in range(3):
            function()
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, stream=stream, capture_error_mode="thread_local"):
        for _ in range(calls):
            result = function()
    return graph, result


def device_times(graphs, rounds=7, calls=20):
    times = {name: [] for name in graphs}
    for round_ in range(rounds + 1):
        for name, graph in graphs.items():
            begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
            begin.record()
            graph.replay()
            end.record()
            end.synchronize()
            if round_:
                times[name].append(begin.elapsed_time(end) * 1e3 / calls)
    return {name: statistics.median(values) for name, values in times.items()}


def floor_us(case, dtype, inputs, output):
    size = inputs[0].element_size()
    numbers = sum(t.numel() for t in inputs) + output.numel()
    if "attention" in case:
        flops = 4 * inputs[0].numel() * inputs[1].shape[2]
    else:
        flops = 2 * output.numel() * inputs[1][0].numel()
    return max(flops / (67e6 if dtype == "float32" else 989e6), numbers * size / 4.8e6)


def measure_case(case, dtype, options):
    inputs = tensors_of(case, dtype, "cuda")
    module = CASES[case][0]
    exact = module(*(t.double() for t in inputs))
    graphs, results = {}, {}
    for tf32 in ([False, True] if dtype == "float32" else [False]):
        torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = tf32
        name = "PyTorch, TF32" if tf32 else "PyTorch"
        graphs[name], results[name] = graph_of(lambda: module(*inputs))
    engines = []
    prefix = file_of(options.folder, case, dtype).name[:-len(".inlay")]
    for path in sorted(pathlib.Path(options.folder).glob(prefix + "*.inlay")):
        variant = path.stem.split("@")[-1] or "Inlay"
        output = torch.full_like(exact, float("nan"), dtype=DTYPES[dtype])
        engines.append(Runtime(options.library, path, "cuda:0"))
        engines[-1].bind(inputs, [output])
        graphs[variant], results[variant] = graph_of(engines[-1].enqueue)[0], output
    times = device_times(graphs)
    tactics = {}
    for report in sorted(pathlib.Path(options.folder).glob(prefix + "*.json")):
        for choice in json.loads(report.read_text())["tactics"]:
            for tactic in choice["kept"] + choice["passed_over"]:
                if tactic.get("us") is not None:
                    tactics[f"{report.stem.split('@')[-1] or 'Inlay'}: {tactic['name']}"] = tactic["us"]
    errors = {name: ((r.double() - exact).abs().max() / exact.abs().max()).item() for name, r in results.items()}
    return {"case": case, "dtype": dtype, "floor": floor_us(case, dtype, inputs, exact), "times": times, "errors": errors, "tactics": tactics}


@torch.no_grad()
def measure(options):
    torch.backends.cudnn.benchmark = False
    rows = []
    print(torch.cuda.get_device_name(0), torch.__version__)
    for case in CASES:
        for dtype in DTYPES:
            if not re.search(options.only, f"{case} {dtype}"):
                continue
            try:
                row = measure_case(case, dtype, options)
            except RuntimeError as error:
                print(f"{case} {dtype}: {error}")
                continue
            rows.append(row)
            cells = "  ".join(f"{name} {us:.1f} ({row['errors'][name]:.0e})" for name, us in row["times"].items())
            tactics = "  ".join(f"{name} {us:.1f}" for name, us in row["tactics"].items())
            print(f"{case} {dtype}: floor {row['floor']:.1f}  {cells}{'  | tactics: ' + tactics if tactics else ''}", flush=True)
    if options.out:
        pathlib.Path(options.out).write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    for name, function, what in [("build", build, "inlay"), ("measure", measure, "library")]:
        command = commands.add_parser(name)
        command.add_argument(what)
        command.add_argument("folder")
        command.add_argument("--only", default="")
        command.set_defaults(function=function)
    commands.choices["build"].add_argument("--variant", default="")
    commands.choices["build"].add_argument("--jobs", type=int, default=2)
    commands.choices["build"].add_argument("--option", action="append", default=[], help="passed to inlay build")
    commands.choices["measure"].add_argument("--out")
    chosen = parser.parse_args()
    chosen.function(chosen)
