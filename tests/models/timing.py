"""Latency and memory of PyTorch, for the table beside the engine's."""
import time

from architectures import make_model


def median_us(call, device, seconds=1.0):
    """Median time of a call and waiting for it: after warming up, at most 50 calls or `seconds`."""
    import torch

    def once():
        start = time.perf_counter()
        call()
        if device == "cuda":
            torch.cuda.synchronize()
        return (time.perf_counter() - start) * 1e6
    for _ in range(5):
        once()
    times, end = [], time.perf_counter() + seconds
    while len(times) < 50 and (len(times) < 5 or time.perf_counter() < end):
        times.append(once())
    return sorted(times)[len(times) // 2]


def time_pytorch(name, dtype, device, compiled, rounds_products=False):
    """Eager with PyTorch's defaults (TF32 in convolutions; in products, too, if it is asked for), and torch.compile with its defaults if it is
    asked for."""
    import torch
    torch.backends.cudnn.allow_tf32 = True
    torch.backends.cuda.matmul.allow_tf32 = rounds_products
    model, arguments, _ = make_model(name, dtype)
    model, arguments = model.to(device), [a.to(device) for a in arguments]
    result = {}
    with torch.no_grad():
        if device == "cuda":
            torch.cuda.reset_peak_memory_stats()
        result["eager_us"] = median_us(lambda: model(*arguments), device)
        if device == "cuda":
            result["eager_peak_mb"] = round(torch.cuda.max_memory_allocated() / 1e6, 1)
        if compiled:
            try:
                fast = torch.compile(model)
                result["compile_us"] = median_us(lambda: fast(*arguments), device)
            except Exception as problem:  # noqa: BLE001: whatever it throws is said in the table
                result["compile_failed"] = repr(problem)[:200]
    return result
