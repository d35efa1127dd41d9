# Every kind of token and statement, in few lines.
import a.b.c as d, e
from .f import (g as h,
                i)
if x == 1: y: int = 2; z = 3
elif x:
	try:
		w = rb'\x00' f"{a!r:>{w}}{{}}" '''t
q''' u"\u00e9\
"
	except (A, B) as e: pass
	else: pass
	finally: pass
@triton.jit(do_not_specialize=[1])
async def k(a, /, b: tl.constexpr = 0x1_F, *c, d=1e-3, **e) -> None:
    """doc"""
    x, (y, *z) = a[..., None, 1:2:3], -1 ** ~2, not b if c else [v for v in w if v]
    x += 1j; x: "t" = lambda u, *v: u; é = {1: 2, **m}; s = {1, 2}
    while a < b <= c is not d not in e: break
    else: continue
    for i, j in tl.range(0, n, num_stages=2): assert i, "m"
    with p as q: pass
    return f(*a, k=1, **kw) @ g[::2] // 0b1 << .5
