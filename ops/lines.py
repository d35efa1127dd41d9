"""Operators along lines of a tensor: softmax, reductions, prefix sums.

A tensor is seen as [outer, length, inner], and its lines lie along the middle. A program takes LINES of them: neighbours in memory
where inner is not 1, whole lines that follow one another (IS_ROW) where it is.
"""
import triton
import triton.language as tl


@triton.jit
def lines_of(length, outer, inner, LINES: tl.constexpr, IS_ROW: tl.constexpr):
    """This program's lines: where the first begins, where all begin from there, which exist, and their numbers."""
    lane = tl.arange(0, LINES)
    if IS_ROW:
        first = tl.program_id(0) * LINES
        return first.to(tl.int64) * length, lane * length, first + lane < outer, first + lane
    else:
        tiles = tl.cdiv(inner, LINES)
        slice = tl.program_id(0) // tiles
        first = tl.program_id(0) % tiles * LINES
        return slice.to(tl.int64) * length * inner + first, lane, first + lane < inner, slice * inner + first + lane


@triton.jit
def split_lines(outer, kept_1, kept_2, reduced_0, reduced_1, LINES: tl.constexpr):
    """The same of lines along two dimensions of [kept_0, reduced_0, kept_1, reduced_1, kept_2], which are not neighbours."""
    line = tl.program_id(0) * LINES + tl.arange(0, LINES)
    rest = line // kept_2
    begin = (rest // kept_1).to(tl.int64) * reduced_0 * kept_1 + rest % kept_1
    return begin * reduced_1 * kept_2 + line % kept_2, line < outer, line


@triton.jit
def along_split(at, kept_1, kept_2, reduced_1):
    """Where the element `at` of such a line lies."""
    return (at // reduced_1 * kept_1 * reduced_1 + at % reduced_1) * kept_2


@triton.jit
def prepared(x, PREPARE: tl.constexpr, SUM: tl.constexpr):
    if PREPARE == "nonzero":
        return (x != 0).to(SUM)
    elif PREPARE == "square":
        return x.to(SUM) * x.to(SUM)
    elif PREPARE == "absolute":
        return tl.abs(x.to(SUM))
    else:
        tl.static_assert(PREPARE == "")
        return x.to(SUM)


@triton.jit
def combined(total, x, OP: tl.constexpr):
    if OP == "sum":
        return total + x
    elif OP == "product":
        return total * x
    elif OP == "max":
        return tl.maximum(total, x, propagate_nan=tl.PropagateNan.ALL)
    else:
        tl.static_assert(OP == "min")
        return tl.minimum(total, x, propagate_nan=tl.PropagateNan.ALL)


@triton.jit
def add(a, b):
    return a + b


@triton.jit
def multiply(a, b):
    return a * b


@triton.jit
def larger(a, b):
    return tl.maximum(a, b, propagate_nan=tl.PropagateNan.ALL)


@triton.jit
def smaller(a, b):
    return tl.minimum(a, b, propagate_nan=tl.PropagateNan.ALL)


@triton.jit
def reduced(total, OP: tl.constexpr):
    if OP == "sum":
        return tl.reduce(total, 1, add)
    elif OP == "product":
        return tl.reduce(total, 1, multiply)
    elif OP == "max":
        return tl.reduce(total, 1, larger)
    else:
        return tl.reduce(total, 1, smaller)


@triton.jit
def finished(total, length, FINISH: tl.constexpr):
    if FINISH == "mean":
        return total / length.to(total.dtype)
    elif FINISH == "root":
        return tl.sqrt_rn(total) if total.dtype == tl.float32 else tl.sqrt(total)
    else:
        tl.static_assert(FINISH == "")
        return total


@triton.jit
def reduce_kernel(x_ptr, out_ptr, length, outer, inner, OP: tl.constexpr, PREPARE: tl.constexpr, FINISH: tl.constexpr,
                  NEUTRAL: tl.constexpr, SUM: tl.constexpr, LINES: tl.constexpr, BLOCK: tl.constexpr, IS_ROW: tl.constexpr):
    """One number for each line. NEUTRAL is what OP leaves as it is."""
    start, begin, is_line, line = lines_of(length, outer, inner, LINES, IS_ROW)
    x_ptr += start
    lane = tl.arange(0, BLOCK)
    total = tl.full((LINES, BLOCK), NEUTRAL, dtype=SUM)
    for done in range(0, length, BLOCK):
        at = done + lane
        inside = is_line[:, None] & (at < length)[None, :]
        x = tl.load(x_ptr + begin[:, None] + at[None, :] * inner, mask=inside, other=0)
        total = combined(total, tl.where(inside, prepared(x, PREPARE, SUM), NEUTRAL), OP)
    result = finished(reduced(total, OP), length, FINISH)
    tl.store(out_ptr + line, result.to(out_ptr.dtype.element_ty), mask=is_line)


@triton.jit
def reduce_split_kernel(x_ptr, out_ptr, length, outer, kept_1, kept_2, reduced_0, reduced_1, OP: tl.constexpr, PREPARE: tl.constexpr,
                        FINISH: tl.constexpr, NEUTRAL: tl.constexpr, SUM: tl.constexpr, LINES: tl.constexpr, BLOCK: tl.constexpr):
    """The same along two dimensions that are not neighbours."""
    begin, is_line, line = split_lines(outer, kept_1, kept_2, reduced_0, reduced_1, LINES)
    lane = tl.arange(0, BLOCK)
    total = tl.full((LINES, BLOCK), NEUTRAL, dtype=SUM)
    for done in range(0, length, BLOCK):
        at = done + lane
        inside = is_line[:, None] & (at < length)[None, :]
        x = tl.load(x_ptr + begin[:, None] + along_split(at, kept_1, kept_2, reduced_1)[None, :], mask=inside, other=0)
        total = combined(total, tl.where(inside, prepared(x, PREPARE, SUM), NEUTRAL), OP)
    result = finished(reduced(total, OP), length, FINISH)
    tl.store(out_ptr + line, result.to(out_ptr.dtype.element_ty), mask=is_line)


@triton.jit
def first_larger(a, i, b, j):
    """Of two values and their places the larger; NaN is the largest, the first of equal ones counts."""
    is_first = (a > b) | ((a != a) & (b == b)) | (((a == b) | ((a != a) & (b != b))) & (i < j))
    return tl.where(is_first, a, b), tl.where(is_first, i, j)


@triton.jit
def first_smaller(a, i, b, j):
    is_first = (a < b) | ((a != a) & (b == b)) | (((a == b) | ((a != a) & (b != b))) & (i < j))
    return tl.where(is_first, a, b), tl.where(is_first, i, j)


@triton.jit
def find_kernel(x_ptr, out_ptr, index_ptr, length, outer, inner, OP: tl.constexpr, NEUTRAL: tl.constexpr, SUM: tl.constexpr,
                LINES: tl.constexpr, BLOCK: tl.constexpr, IS_ROW: tl.constexpr):
    """The largest or smallest element of each line, and its place; out_ptr may be None."""
    start, begin, is_line, line = lines_of(length, outer, inner, LINES, IS_ROW)
    x_ptr += start
    lane = tl.arange(0, BLOCK)
    best = tl.full((LINES, BLOCK), NEUTRAL, dtype=SUM)
    place = tl.full((LINES, BLOCK), 2147483647, dtype=tl.int32)
    for done in range(0, length, BLOCK):
        at = done + lane
        inside = is_line[:, None] & (at < length)[None, :]
        x = tl.load(x_ptr + begin[:, None] + at[None, :] * inner, mask=inside, other=0).to(SUM)
        x = tl.where(inside, x, NEUTRAL)
        here = tl.where(inside, at[None, :], 2147483647)
        if OP == "max":
            best, place = first_larger(best, place, x, here)
        else:
            best, place = first_smaller(best, place, x, here)
    if OP == "max":
        value, index = tl.reduce((best, place), 1, first_larger)
    else:
        value, index = tl.reduce((best, place), 1, first_smaller)
    tl.store(index_ptr + line, index.to(tl.int64), mask=is_line)
    if out_ptr is not None:
        tl.store(out_ptr + line, value.to(out_ptr.dtype.element_ty), mask=is_line)


@triton.jit
def store_variance(total, mean, length, line, is_line, out_ptr, mean_ptr, CORRECTION: tl.constexpr, IS_ROOT: tl.constexpr):
    variance = total / tl.maximum(length.to(total.dtype) - CORRECTION, 0.0)
    if IS_ROOT:
        variance = tl.sqrt_rn(variance) if total.dtype == tl.float32 else tl.sqrt(variance)
    tl.store(out_ptr + line, variance.to(out_ptr.dtype.element_ty), mask=is_line)
    if mean_ptr is not None:
        tl.store(mean_ptr + line, mean.to(mean_ptr.dtype.element_ty), mask=is_line)


@triton.jit
def variance_kernel(x_ptr, out_ptr, mean_ptr, length, outer, inner, CORRECTION: tl.constexpr, IS_ROOT: tl.constexpr, SUM: tl.constexpr,
                    LINES: tl.constexpr, BLOCK: tl.constexpr, IS_ROW: tl.constexpr):
    """The mean of squared distances from the mean, its divisor smaller by CORRECTION; mean_ptr may be None."""
    start, begin, is_line, line = lines_of(length, outer, inner, LINES, IS_ROW)
    x_ptr += start
    lane = tl.arange(0, BLOCK)
    total = tl.zeros((LINES, BLOCK), dtype=SUM)
    for done in range(0, length, BLOCK):
        at = done + lane
        inside = is_line[:, None] & (at < length)[None, :]
        total += tl.load(x_ptr + begin[:, None] + at[None, :] * inner, mask=inside, other=0.0).to(SUM)
    mean = tl.sum(total, 1) / length.to(SUM)
    total = tl.zeros((LINES, BLOCK), dtype=SUM)
    for done in range(0, length, BLOCK):
        at = done + lane
        inside = is_line[:, None] & (at < length)[None, :]
        x = tl.load(x_ptr + begin[:, None] + at[None, :] * inner, mask=inside, other=0.0).to(SUM)
        distance = tl.where(inside, x - mean[:, None], 0.0)
        total += distance * distance
    store_variance(tl.sum(total, 1), mean, length, line, is_line, out_ptr, mean_ptr, CORRECTION, IS_ROOT)


@triton.jit
def variance_split_kernel(x_ptr, out_ptr, mean_ptr, length, outer, kept_1, kept_2, reduced_0, reduced_1, CORRECTION: tl.constexpr,
                          IS_ROOT: tl.constexpr, SUM: tl.constexpr, LINES: tl.constexpr, BLOCK: tl.constexpr):
    """The same along two dimensions that are not neighbours."""
    begin, is_line, line = split_lines(outer, kept_1, kept_2, reduced_0, reduced_1, LINES)
    lane = tl.arange(0, BLOCK)
    total = tl.zeros((LINES, BLOCK), dtype=SUM)
    for done in range(0, length, BLOCK):
        at = done + lane
        inside = is_line[:, None] & (at < length)[None, :]
        total += tl.load(x_ptr + begin[:, None] + along_split(at, kept_1, kept_2, reduced_1)[None, :], mask=inside, other=0.0).to(SUM)
    mean = tl.sum(total, 1) / length.to(SUM)
    total = tl.zeros((LINES, BLOCK), dtype=SUM)
    for done in range(0, length, BLOCK):
        at = done + lane
        inside = is_line[:, None] & (at < length)[None, :]
        x = tl.load(x_ptr + begin[:, None] + along_split(at, kept_1, kept_2, reduced_1)[None, :], mask=inside, other=0.0).to(SUM)
        distance = tl.where(inside, x - mean[:, None], 0.0)
        total += distance * distance
    store_variance(tl.sum(total, 1), mean, length, line, is_line, out_ptr, mean_ptr, CORRECTION, IS_ROOT)


@triton.jit
def prefix_kernel(x_ptr, out_ptr, length, outer, inner, OP: tl.constexpr, SUM: tl.constexpr, LINES: tl.constexpr, BLOCK: tl.constexpr,
                  IS_ROW: tl.constexpr):
    """Sums or products of each element and those in front of it."""
    start, begin, is_line, line = lines_of(length, outer, inner, LINES, IS_ROW)
    x_ptr += start
    out_ptr += start
    lane = tl.arange(0, BLOCK)
    neutral = 0 if OP == "sum" else 1
    before = tl.full((LINES,), neutral, dtype=SUM)
    for done in range(0, length, BLOCK):
        at = done + lane
        inside = is_line[:, None] & (at < length)[None, :]
        offsets = begin[:, None] + at[None, :] * inner
        x = tl.load(x_ptr + offsets, mask=inside, other=neutral).to(SUM)
        if OP == "sum":
            results = before[:, None] + tl.cumsum(x, 1)
            before += tl.sum(x, 1)
        else:
            tl.static_assert(OP == "product")
            results = before[:, None] * tl.cumprod(x, 1)
            before *= tl.reduce(x, 1, multiply)
        tl.store(out_ptr + offsets, results.to(out_ptr.dtype.element_ty), mask=inside)


@triton.jit
def finite_or_zero(x):
    """The number that is taken from all elements of a line before exp: of a line of -inf only nothing is taken."""
    return tl.where(x == -float("inf"), 0.0, x)


@triton.jit
def log_sum_exp_kernel(x_ptr, out_ptr, length, outer, inner, SUM: tl.constexpr, LINES: tl.constexpr, BLOCK: tl.constexpr,
                       IS_ROW: tl.constexpr):
    start, begin, is_line, line = lines_of(length, outer, inner, LINES, IS_ROW)
    x_ptr += start
    lane = tl.arange(0, BLOCK)
    highest = tl.full((LINES, BLOCK), -float("inf"), dtype=SUM)
    for done in range(0, length, BLOCK):
        at = done + lane
        inside = is_line[:, None] & (at < length)[None, :]
        x = tl.load(x_ptr + begin[:, None] + at[None, :] * inner, mask=inside, other=-float("inf")).to(SUM)
        highest = tl.maximum(highest, x)
    # Of lines with an infinity nothing is taken: it stays.
    best = tl.max(highest, 1)
    best = tl.where(tl.abs(best) == float("inf"), 0.0, best)
    total = tl.zeros((LINES, BLOCK), dtype=SUM)
    for done in range(0, length, BLOCK):
        at = done + lane
        inside = is_line[:, None] & (at < length)[None, :]
        x = tl.load(x_ptr + begin[:, None] + at[None, :] * inner, mask=inside, other=-float("inf")).to(SUM)
        total += tl.exp(x - best[:, None])
    result = tl.log(tl.sum(total, 1)) + best
    tl.store(out_ptr + line, result.to(out_ptr.dtype.element_ty), mask=is_line)


@triton.jit
def share(x, best, total, IS_LOG: tl.constexpr):
    if IS_LOG:
        return x - best - tl.log(total)
    else:
        return tl.exp(x - best) / total


@triton.jit
def softmax_kernel(x_ptr, out_ptr, length, outer, inner, IS_LOG: tl.constexpr, SUM: tl.constexpr, LINES: tl.constexpr,
                   BLOCK: tl.constexpr, IS_ROW: tl.constexpr, FITS: tl.constexpr):
    """FITS: a line is no longer than BLOCK and is read once; else three times."""
    start, begin, is_line, line = lines_of(length, outer, inner, LINES, IS_ROW)
    x_ptr += start
    out_ptr += start
    lane = tl.arange(0, BLOCK)
    if FITS:
        inside = is_line[:, None] & (lane < length)[None, :]
        offsets = begin[:, None] + lane[None, :] * inner
        # Operands come to the result's type first, as PyTorch brings them.
        x = tl.load(x_ptr + offsets, mask=inside, other=-float("inf")).to(out_ptr.dtype.element_ty).to(SUM)
        best = finite_or_zero(tl.max(x, 1))[:, None]
        total = tl.sum(tl.exp(x - best), 1)[:, None]
        tl.store(out_ptr + offsets, share(x, best, total, IS_LOG).to(out_ptr.dtype.element_ty), mask=inside)
    else:
        highest = tl.full((LINES, BLOCK), -float("inf"), dtype=SUM)
        for done in range(0, length, BLOCK):
            at = done + lane
            inside = is_line[:, None] & (at < length)[None, :]
            x = tl.load(x_ptr + begin[:, None] + at[None, :] * inner, mask=inside, other=-float("inf"))
            highest = tl.maximum(highest, x.to(out_ptr.dtype.element_ty).to(SUM))
        best = finite_or_zero(tl.max(highest, 1))[:, None]
        sums = tl.zeros((LINES, BLOCK), dtype=SUM)
        for done in range(0, length, BLOCK):
            at = done + lane
            inside = is_line[:, None] & (at < length)[None, :]
            x = tl.load(x_ptr + begin[:, None] + at[None, :] * inner, mask=inside, other=-float("inf"))
            sums += tl.exp(x.to(out_ptr.dtype.element_ty).to(SUM) - best)
        total = tl.sum(sums, 1)[:, None]
        for done in range(0, length, BLOCK):
            at = done + lane
            inside = is_line[:, None] & (at < length)[None, :]
            offsets = begin[:, None] + at[None, :] * inner
            x = tl.load(x_ptr + offsets, mask=inside, other=-float("inf")).to(out_ptr.dtype.element_ty).to(SUM)
            tl.store(out_ptr + offsets, share(x, best, total, IS_LOG).to(out_ptr.dtype.element_ty), mask=inside)


@triton.jit
def weight_norm_kernel(x_ptr, length_ptr, out_ptr, length, outer, inner, SUM: tl.constexpr, LINES: tl.constexpr, BLOCK: tl.constexpr,
                       IS_ROW: tl.constexpr):
    """Each line as a vector brought to the length that length_ptr gives."""
    start, begin, is_line, line = lines_of(length, outer, inner, LINES, IS_ROW)
    x_ptr += start
    out_ptr += start
    lane = tl.arange(0, BLOCK)
    total = tl.zeros((LINES, BLOCK), dtype=SUM)
    for done in range(0, length, BLOCK):
        at = done + lane
        inside = is_line[:, None] & (at < length)[None, :]
        x = tl.load(x_ptr + begin[:, None] + at[None, :] * inner, mask=inside, other=0.0).to(SUM)
        total += x * x
    factor = tl.load(length_ptr + line, mask=is_line, other=0.0).to(SUM) / tl.sqrt(tl.sum(total, 1))
    for done in range(0, length, BLOCK):
        at = done + lane
        inside = is_line[:, None] & (at < length)[None, :]
        offsets = begin[:, None] + at[None, :] * inner
        x = tl.load(x_ptr + offsets, mask=inside, other=0.0).to(SUM)
        tl.store(out_ptr + offsets, (x * factor[:, None]).to(out_ptr.dtype.element_ty), mask=inside)
