"""Softmax of the rows of a matrix; programs take row after row."""
import triton
import triton.language as tl


@triton.jit
def softmax(out, values, row_step_in, row_step_out, rows, columns, BLOCK: tl.constexpr, STAGES: tl.constexpr):
    first = tl.program_id(0)
    step = tl.num_programs(0)
    at = tl.arange(0, BLOCK)
    inside = at < columns
    for row in tl.range(first, rows, step, num_stages=STAGES):
        v = tl.load(values + row * row_step_in + at, mask=inside, other=-float("inf"))
        e = tl.exp(v - tl.max(v, axis=0))
        tl.store(out + row * row_step_out + at, e / tl.sum(e, axis=0), mask=inside)
