"""Operators that draw random numbers. No reference can say which: their range, moments and independence are looked at."""
import math

import numpy as np

import graphs
from cases import call, floats

COUNT = 40000


def is_plausible(values, mean, deviation):
    """Mean and variance of that many draws lie within five standard errors of their own."""
    fourth = 1.8 if deviation < 1 else 3.0  # of a uniform and a normal distribution, over the squared variance
    return (abs(values.mean() - mean) < 5 * deviation / math.sqrt(values.size)
            and abs(values.var() / deviation**2 - 1) < 5 * math.sqrt((fourth - 1) / values.size))


def check(binary, device, folder):
    """Messages of what is wrong."""
    zeros = np.zeros((COUNT // 40, 40))
    cases, moments = [], []
    for name, mean, deviation in (("rand", 0.5, math.sqrt(1 / 12)), ("randn", 0.0, 1.0)):
        for dtype in ("float32", "float16", "bfloat16"):
            arguments = {"size": list(zeros.shape), "dtype": f"%{dtype}"}
            cases += [call(f"aten::{name}", arguments, zeros, dtype=dtype), call(f"aten::{name}", arguments, zeros, dtype=dtype)]
        cases.append(call(f"aten::{name}_like", {"self": floats(zeros.shape)}, zeros))
        moments += [(name, mean, deviation)] * 7
    (folder / "draws.mlir").write_text(graphs.graph_text(cases))
    target = "cpu:x86-64-v3" if device == "cpu" else "cuda:sm_90a"
    graphs.run(binary / "inlay", "build", folder / "draws.mlir", "--target", target, "--quiet", "-o", folder / "draws.inlay")
    np.savez(folder / "in.npz", **{f"x{i}": tensor.stored() for i, tensor in enumerate(graphs.inputs_of(cases))})
    runs = []
    for _ in range(2):
        graphs.run(binary / "inlay-run", folder / "draws.inlay", "--device", device, "--inputs", folder / "in.npz", "--outputs", folder / "out.npz")
        with np.load(folder / "out.npz") as outputs:
            runs.append([outputs[f"y{i}"] for i in range(len(cases))])
    problems, drawn = [], []
    for case, (name, mean, deviation), first, second in zip(cases, moments, *runs):
        if first.tobytes() != second.tobytes():
            problems.append(f"{case.describe()}: two runs differ")
        if case.results[0].dtype == "bfloat16":
            first = (first.view(np.uint16).astype(np.uint32) << 16).view(np.float32)
        values = first.astype(np.float64)
        if name == "rand" and not (values.min() >= 0 and values.max() < 1):
            problems.append(f"{case.describe()}: numbers from {values.min()} to {values.max()}, expected [0, 1)")
        if not is_plausible(values, mean, deviation):
            problems.append(f"{case.describe()}: mean {values.mean()}, variance {values.var()}")
        for other in drawn:
            correlation = np.corrcoef(values.ravel(), other.ravel())[0, 1]
            if abs(correlation) > 5 / math.sqrt(values.size):
                problems.append(f"{case.describe()}: correlation {correlation} with an earlier call")
        drawn.append(values)
    return problems
