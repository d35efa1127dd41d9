"""Sorting, and the first elements of an order, along lines of [outer, length, inner]. All of it is stable.

Short lines by rank_kernel, in which each element goes where the number of those before it says: its time grows with the square of the
length. Longer ones by tiles of that kind, of which merge_kernel makes one order, two runs at a time; and where few elements are kept, these
are found first, by select_kernel. Between kernels stand keys, integers of which the smaller one comes first, and places in the line.
"""
import triton
import triton.language as tl


@triton.jit
def compared(x):
    """x in a type that the hardware compares."""
    if x.dtype.primitive_bitwidth < 32:
        return x.to(tl.float32) if x.dtype.is_floating() else x.to(tl.int32)
    return x


@triton.jit
def precedes(a, i, b, j, IS_DESCENDING: tl.constexpr):
    """True where a at place i comes before b at place j. NaN is larger than all else."""
    if IS_DESCENDING:
        is_first = (a > b) | ((a != a) & (b == b))
    else:
        is_first = (a < b) | ((a == a) & (b != b))
    are_equal = (a == b) | ((a != a) & (b != b))
    return is_first | (are_equal & (i < j))


@triton.jit
def rank_kernel(x_ptr, out_ptr, index_ptr, length, inner, kept, IS_DESCENDING: tl.constexpr, BLOCK: tl.constexpr, CHUNK: tl.constexpr):
    """The first `kept` elements of each line in order, unless out_ptr is None, and their places."""
    tiles = tl.cdiv(length, BLOCK)
    line = tl.program_id(0) // tiles
    outer = (line // inner).to(tl.int64)
    at = tl.program_id(0) % tiles * BLOCK + tl.arange(0, BLOCK)
    x_ptr += outer * length * inner + line % inner
    value = tl.load(x_ptr + at * inner, mask=at < length, other=0)
    x = compared(value)
    rank = tl.zeros((BLOCK,), dtype=tl.int32)
    for start in range(0, length, CHUNK):
        j = start + tl.arange(0, CHUNK)
        y = compared(tl.load(x_ptr + j * inner, mask=j < length, other=0))
        is_before = precedes(y[None, :], j[None, :], x[:, None], at[:, None], IS_DESCENDING) & (j < length)[None, :]
        rank += tl.sum(is_before.to(tl.int32), 1)
    place = outer * kept * inner + line % inner + rank * inner
    inside = (at < length) & (rank < kept)
    if out_ptr is not None:
        tl.store(out_ptr + place, value, mask=inside)
    tl.store(index_ptr + place, at.to(tl.int64), mask=inside)


@triton.jit
def key_of(x, IS_DESCENDING: tl.constexpr):
    """An integer of x's width, of 32 bits at least: the smaller one comes first."""
    KEY: tl.constexpr = tl.int64 if x.dtype.primitive_bitwidth == 64 else tl.int32
    if x.dtype.is_floating():
        LAST: tl.constexpr = 9223372036854775807 if x.dtype.primitive_bitwidth == 64 else 2147483647
        wide = x.to(tl.float64) if x.dtype.primitive_bitwidth == 64 else x.to(tl.float32)
        bits = wide.to(KEY, bitcast=True)
        key = tl.where(bits < 0, bits ^ LAST, bits)
        key = tl.where(wide == 0, 0, tl.where(wide != wide, LAST, key))
    else:
        key = x.to(KEY)
    return -1 - key if IS_DESCENDING else key


@triton.jit
def sort_tiles_kernel(x_ptr, keys_ptr, places_ptr, length, inner, IS_DESCENDING: tl.constexpr, RUN: tl.constexpr):
    """Runs of RUN elements of each line in order: their keys and places, lines one after the other."""
    tiles = tl.cdiv(length, RUN)
    line = tl.program_id(0) // tiles
    at = tl.program_id(0) % tiles * RUN + tl.arange(0, RUN)
    x_ptr += (line // inner).to(tl.int64) * length * inner + line % inner
    key = key_of(tl.load(x_ptr + at * inner, mask=at < length, other=0), IS_DESCENDING)
    other = key_of(tl.load(x_ptr + at * inner, mask=at < length, other=0), IS_DESCENDING)
    is_before = (other[None, :] < key[:, None]) | ((other[None, :] == key[:, None]) & (at[None, :] < at[:, None]))
    rank = tl.sum((is_before & (at < length)[None, :]).to(tl.int32), 1)
    place = line.to(tl.int64) * length + tl.program_id(0) % tiles * RUN + rank
    tl.store(keys_ptr + place, key, mask=at < length)
    tl.store(places_ptr + place, at, mask=at < length)


@triton.jit
def merge_kernel(keys_ptr, places_ptr, out_keys_ptr, out_places_ptr, x_ptr, out_ptr, index_ptr, length, inner, kept, RUN: tl.constexpr,
                 STEPS: tl.constexpr, BLOCK: tl.constexpr):
    """Runs of RUN elements become runs of twice as many: each element's place among the other run's is found in STEPS steps. The last
    time out_keys_ptr is None, and the first `kept` elements of x and their places are written instead."""
    tiles = tl.cdiv(length, BLOCK)
    line = tl.program_id(0) // tiles
    at = tl.program_id(0) % tiles * BLOCK + tl.arange(0, BLOCK)
    begin = line.to(tl.int64) * length
    key = tl.load(keys_ptr + begin + at, mask=at < length, other=0)
    place = tl.load(places_ptr + begin + at, mask=at < length, other=0)
    run = at // RUN
    is_second = run % 2 == 1
    other_run = tl.where(is_second, run - 1, run + 1) * RUN
    low = tl.zeros((BLOCK,), dtype=tl.int32)
    high = tl.minimum(tl.maximum(length - other_run, 0), RUN)
    for _ in range(STEPS):
        middle = (low + high) // 2
        is_open = (low < high) & (at < length)
        other = tl.load(keys_ptr + begin + other_run + middle, mask=is_open, other=0)
        is_before = (other < key) | ((other == key) & is_second)
        low = tl.where(is_open & is_before, middle + 1, low)
        high = tl.where(is_open & (is_before == 0), middle, high)
    rank = run // 2 * (2 * RUN) + at % RUN + low
    if out_keys_ptr is not None:
        tl.store(out_keys_ptr + begin + rank, key, mask=at < length)
        tl.store(out_places_ptr + begin + rank, place, mask=at < length)
    else:
        inside = (at < length) & (rank < kept)
        outer = (line // inner).to(tl.int64)
        to = outer * kept * inner + line % inner + rank * inner
        if out_ptr is not None:
            tl.store(out_ptr + to, tl.load(x_ptr + outer * length * inner + line % inner + place * inner, mask=inside, other=0), mask=inside)
        tl.store(index_ptr + to, place.to(tl.int64), mask=inside)


@triton.jit
def halved(low, high):
    """The integer between two, whatever their size."""
    return (low & high) + ((low ^ high) >> 1)


@triton.jit
def select_kernel(x_ptr, keys_ptr, places_ptr, chosen_ptr, length, inner, kept, IS_DESCENDING: tl.constexpr, KEY: tl.constexpr,
                  BITS: tl.constexpr, FIRST: tl.constexpr, LAST: tl.constexpr, HAS_LANES: tl.constexpr, BLOCK: tl.constexpr):
    """The places of the first `kept` elements of a line, in the order of the line. FIRST and LAST are the least and largest of BITS bits.
    HAS_LANES: `kept` is BLOCK at most. Then as many of BLOCK elements, each the first of its lane, already bound those that can be among
    them; only these candidates are looked at again. A program is a line."""
    line = tl.program_id(0)
    x_ptr += (line // inner).to(tl.int64) * length * inner + line % inner
    keys_ptr += line.to(tl.int64) * length
    places_ptr += line.to(tl.int64) * length
    chosen_ptr += line.to(tl.int64) * kept
    lane = tl.arange(0, BLOCK)
    bound = tl.full((), LAST, KEY)
    if HAS_LANES:
        best = tl.full((BLOCK,), LAST, KEY)
        for start in range(0, length, BLOCK):
            at = start + lane
            key = key_of(tl.load(x_ptr + at * inner, mask=at < length, other=0), IS_DESCENDING)
            best = tl.minimum(best, tl.where(at < length, key, LAST))
        low = tl.full((), FIRST, KEY)
        for _ in range(BITS):
            middle = halved(low, bound)
            is_enough = tl.sum((best <= middle).to(tl.int32), 0) >= kept
            low = tl.where(is_enough, low, middle + 1)
            bound = tl.where(is_enough, middle, bound)
    count = 0
    for start in range(0, length, BLOCK):
        at = start + lane
        key = key_of(tl.load(x_ptr + at * inner, mask=at < length, other=0), IS_DESCENDING)
        is_candidate = ((key <= bound) & (at < length)).to(tl.int32)
        found = tl.sum(is_candidate, 0)
        if found > 0:
            place = count + tl.cumsum(is_candidate, 0) - is_candidate
            tl.store(keys_ptr + place, key, mask=is_candidate != 0)
            tl.store(places_ptr + place, at, mask=is_candidate != 0)
            count += found
    tl.debug_barrier()
    low = tl.full((), FIRST, KEY)
    high = bound
    for _ in range(BITS):
        middle = halved(low, high)
        total = 0
        for start in range(0, count, BLOCK):
            at = start + lane
            key = tl.load(keys_ptr + at, mask=at < count, other=LAST)
            total += tl.sum(((key <= middle) & (at < count)).to(tl.int32), 0)
        low = tl.where(total >= kept, low, middle + 1)
        high = tl.where(total >= kept, middle, high)
    smaller = 0
    for start in range(0, count, BLOCK):
        at = start + lane
        key = tl.load(keys_ptr + at, mask=at < count, other=LAST)
        smaller += tl.sum(((key < high) & (at < count)).to(tl.int32), 0)
    done = 0
    equals = 0
    for start in range(0, count, BLOCK):
        at = start + lane
        key = tl.load(keys_ptr + at, mask=at < count, other=LAST)
        is_equal = ((key == high) & (at < count)).to(tl.int32)
        number = equals + tl.cumsum(is_equal, 0) - is_equal
        is_chosen = (((key < high) & (at < count)) | ((is_equal != 0) & (number < kept - smaller))).to(tl.int32)
        place = done + tl.cumsum(is_chosen, 0) - is_chosen
        tl.store(chosen_ptr + place, tl.load(places_ptr + at, mask=is_chosen != 0, other=0), mask=is_chosen != 0)
        equals += tl.sum(is_equal, 0)
        done += tl.sum(is_chosen, 0)


@triton.jit
def rank_chosen_kernel(x_ptr, chosen_ptr, out_ptr, index_ptr, length, inner, kept, IS_DESCENDING: tl.constexpr, BLOCK: tl.constexpr,
                       CHUNK: tl.constexpr):
    """The elements of x at chosen places of each line in order, unless out_ptr is None, and their places."""
    tiles = tl.cdiv(kept, BLOCK)
    line = tl.program_id(0) // tiles
    outer = (line // inner).to(tl.int64)
    at = tl.program_id(0) % tiles * BLOCK + tl.arange(0, BLOCK)
    x_ptr += outer * length * inner + line % inner
    chosen_ptr += line.to(tl.int64) * kept
    place = tl.load(chosen_ptr + at, mask=at < kept, other=0)
    value = tl.load(x_ptr + place * inner, mask=at < kept, other=0)
    key = key_of(value, IS_DESCENDING)
    rank = tl.zeros((BLOCK,), dtype=tl.int32)
    for start in range(0, kept, CHUNK):
        j = start + tl.arange(0, CHUNK)
        others = tl.load(chosen_ptr + j, mask=j < kept, other=0)
        other = key_of(tl.load(x_ptr + others * inner, mask=j < kept, other=0), IS_DESCENDING)
        is_before = (other[None, :] < key[:, None]) | ((other[None, :] == key[:, None]) & (j[None, :] < at[:, None]))
        rank += tl.sum((is_before & (j < kept)[None, :]).to(tl.int32), 1)
    to = outer * kept * inner + line % inner + rank * inner
    if out_ptr is not None:
        tl.store(out_ptr + to, value, mask=at < kept)
    tl.store(index_ptr + to, place.to(tl.int64), mask=at < kept)
