"""Lesson: softmax of each row of a matrix in one pass over memory. Reductions, and programs that take many rows."""
import triton
import triton.language as tl


@triton.jit
def softmax_rows(out, scores, out_step, scores_step, rows, columns, WIDTH: tl.constexpr, STAGES: tl.constexpr):
    """WIDTH is a power of two, at least `columns`; the steps are elements from one row to the next."""
    lane = tl.arange(0, WIDTH)
    inside = lane < columns
    # As many programs as the device holds are enough: each goes on to the row that is num_programs further, and
    # STAGES tells how many rows may be on their way from memory at a time.
    for row in tl.range(tl.program_id(0), rows, tl.num_programs(0), num_stages=STAGES):
        x = tl.load(scores + row * scores_step + lane, mask=inside, other=-float("inf")).to(tl.float32)
        # exp(x - max) cannot overflow; lanes behind the row have -inf and add nothing to the sum.
        weight = tl.exp(x - tl.max(x, axis=0))
        share = weight / tl.sum(weight, axis=0)
        tl.store(out + row * out_step + lane, share, mask=inside)
