// Control flow and calls, and what the front end must refuse.
#include "tests/conformance/RowTable.h"
#include "tests/conformance/rows/Types.h"

#include <fmt/format.h>

namespace inlay::conformance {
namespace {

struct Program {
  const char *name, *body; // of `def kernel(Z, X, n, SIZE)`, after its first lines
};

/// `i` is the program, `offsets` has SIZE elements, `x` is a loaded tile of i32.
constexpr const char *kFrame = R"(import triton
import triton.language as tl


@triton.jit
def double(v):
    return v * 2


@triton.jit
def divmod_of(a, b):
    return a // b, a % b


@triton.jit
def chosen(v, w, WHICH: tl.constexpr):
    if WHICH == 0:
        return v + w
    elif WHICH == 1:
        return v - w
    else:
        return v * w


@triton.jit
def applied(v, f: tl.constexpr):
    return f(f(v))


@triton.jit
def factorial(N: tl.constexpr):
    if N <= 1:
        return 1
    else:
        return N * factorial(N - 1)


@triton.jit
def kernel(Z, X, n, SIZE: tl.constexpr):
    i = tl.program_id(0)
    offsets = i * SIZE + tl.arange(0, SIZE)
    x = tl.load(X + offsets)
$BODY)";

constexpr Program kPrograms[] = {
    {"if-scalar", R"(
    if n > 10:
        y = x + 1
    else:
        y = x - 1
    tl.store(Z + offsets, y)
)"},
    {"if-program", R"(
    y = x
    if i == 0:
        y = y * 3
    elif i == 1:
        y = y * 5
    tl.store(Z + offsets, y)
)"},
    {"if-return", R"(
    if i >= 2:
        return
    tl.store(Z + offsets, x * 7)
)"},
    {"if-nested", R"(
    y = tl.zeros((SIZE,), tl.int32)
    if n > 3:
        if i > 0:
            y = x
        else:
            if n % 2 == 0:
                y = -x
            else:
                y = x * x
    tl.store(Z + offsets, y)
)"},
    {"if-constexpr-dead", R"(
    if SIZE == 0:
        y = undefined_name(x)
    else:
        y = x
    tl.store(Z + offsets, y)
)"},
    {"if-loaded", R"(
    first = tl.load(X + i)
    if first > 0:
        tl.store(Z + offsets, first + x)
    else:
        tl.store(Z + offsets, first - x)
)"},
    {"ternary", R"(
    s = 3 if n > 5 else 4
    t = 1 if SIZE > 5 else 2
    tl.store(Z + offsets, x * s + t)
)"},
    {"for-sum", R"(
    total = tl.zeros((SIZE,), tl.int32)
    for k in range(0, n):
        total += x * k
    tl.store(Z + offsets, total)
)"},
    {"for-negative-step", R"(
    total = x
    for k in range(n, 0, -3):
        total = total * 2 + k
    tl.store(Z + offsets, total)
)"},
    {"for-empty", R"(
    total = x
    for k in range(5, 5):
        total = total * 0
    for k in range(7, n - 100):
        total = total * 0
    tl.store(Z + offsets, total)
)"},
    {"for-nested", R"(
    total = x
    for a in range(0, 3):
        for b in range(a, n, 2):
            total += a * b
    tl.store(Z + offsets, total)
)"},
    {"for-in-if", R"(
    y = x
    if i < 2:
        for k in range(n):
            y += k
    else:
        for k in range(3):
            y -= k
    tl.store(Z + offsets, y)
)"},
    {"for-pointers", R"(
    p = X + i * SIZE + tl.arange(0, SIZE)
    q = Z + i * SIZE + tl.arange(0, SIZE)
    for k in range(0, 1):
        tl.store(q, tl.load(p))
        p += SIZE
        q += SIZE
)"},
    {"for-two-carried", R"(
    a = x
    b = x + 1
    for k in range(n):
        a, b = b, a + b
    tl.store(Z + offsets, a * 31 + b)
)"},
    {"static-range", R"(
    y = x
    for k in tl.static_range(4):
        if k % 2 == 0:
            y += k
        else:
            y *= k
    tl.store(Z + offsets, y)
)"},
    {"tl-range", R"(
    y = x
    for k in tl.range(0, n, 2, num_stages=2, loop_unroll_factor=2):
        y += k
    tl.store(Z + offsets, y)
)"},
    {"while", R"(
    k = n
    y = x
    while k > 1:
        if k % 2 == 0:
            k = k // 2
        else:
            k = 3 * k + 1
        y += k
    tl.store(Z + offsets, y)
)"},
    {"while-and", R"(
    k = 0
    j = n
    while (k < 20) & (j > 0):
        k += 3
        j -= 2
    tl.store(Z + offsets, x + k * 100 + j)
)"},
    {"while-never", R"(
    k = n
    while k < 0:
        k += 1
    tl.store(Z + offsets, x + k)
)"},
    {"call", R"(
    tl.store(Z + offsets, double(double(x)) + double(n))
)"},
    {"call-tuple", R"(
    q, r = divmod_of(x, n + 1)
    tl.store(Z + offsets, q * 1000 + r)
)"},
    {"call-constexpr", R"(
    tl.store(Z + offsets, chosen(x, n, 0) + chosen(x, n, 1) * chosen(x, n, WHICH=2))
)"},
    {"call-function-argument", R"(
    tl.store(Z + offsets, applied(x, double))
)"},
    {"call-recursive", R"(
    tl.store(Z + offsets, x + factorial(5))
)"},
    {"tuples", R"(
    t = (x, n, 3)
    a, b, c = t
    u = t + (a + b,)
    tl.store(Z + offsets, u[3] * c + u[-1] + len(t))
)"},
    {"boolean-operators", R"(
    y = x
    if n > 3 and i < 3:
        y = y + 1
    if n < 3 or i > 1:
        y = y + 2
    if not (n == 4):
        y = y + 4
    tl.store(Z + offsets, y)
)"},
    {"augmented", R"(
    y = x
    y += 1
    y -= 3
    y *= 5
    y //= 2
    y %= 97
    y <<= 2
    y >>= 1
    y |= 64
    y &= 0xff
    y ^= 0x55
    tl.store(Z + offsets, y)
)"},
    {"python-min-max", R"(
    tl.store(Z + offsets, max(min(x, 5), -3) + max(2, 3) + min(n, i))
)"},
    {"int-wraps", R"(
    y = x
    for k in range(40):
        y = y * 3 + 1
    tl.store(Z + offsets, y)
)"},
    {"shadowed", R"(
    k = 5
    for k in range(n):
        x += k
    tl.store(Z + offsets, x)
)"},
    {"grid", R"(
    tl.store(Z + offsets, x * 0 + tl.num_programs(0) * 100 + tl.num_programs(1) * 10 + i)
)"},
    {"swizzle", R"(
    a, b = tl.swizzle2d(i // 2, i % 2, 2, 2, 2)
    tl.store(Z + offsets, x * 0 + a * 10 + b)
)"},
    {"cdiv", R"(
    tl.store(Z + offsets, tl.cdiv(x, 7) + tl.cdiv(n, 3) + tl.cdiv(SIZE, 5))
)"},
    {"cast-in-loop", R"(
    y = x.to(tl.float32)
    for k in range(n):
        y = (y * 0.5).to(tl.float16).to(tl.float32)
    tl.store(Z + offsets, y.to(tl.int32))
)"},
    {"assume-hints", R"(
    tl.assume(n > 0)
    tl.static_assert(SIZE == 64)
    tl.static_print("SIZE", SIZE)
    m = tl.multiple_of(n * 16, 16)
    tl.store(Z + offsets, x + m)
)"},
};

/// Kernels that Triton refuses, with words of the reason.
constexpr Program kRefused[] = {
    {"type-changes-in-loop|loop", R"(
    y = 0.0
    for k in range(n):
        y += x
    tl.store(Z + offsets, y)
)"},
    {"undefined-name|undefined_name", R"(
    tl.store(Z + offsets, undefined_name)
)"},
    {"defined-in-one-branch|y", R"(
    if n > 0:
        y = x
    tl.store(Z + offsets, y)
)"},
    {"branch-types-differ|y", R"(
    if n > 0:
        y = x
    else:
        y = x.to(tl.float32)
    tl.store(Z + offsets, y)
)"},
    {"return-in-loop|return", R"(
    for k in range(n):
        return
)"},
    {"break|break", R"(
    for k in range(n):
        break
)"},
    {"continue|continue", R"(
    for k in range(n):
        continue
)"},
    {"arange-not-power-of-two|power", R"(
    tl.store(Z + tl.arange(0, 24), 1)
)"},
    {"arange-dynamic|arange", R"(
    tl.store(Z + tl.arange(0, n), 1)
)"},
    {"shapes-do-not-broadcast|[64] and [128]", R"(
    y = tl.arange(0, SIZE) + tl.arange(0, SIZE * 2)
    tl.store(Z + offsets, y)
)"},
    {"store-constexpr-pointer|pointer", R"(
    tl.store(5, x)
)"},
    {"load-not-a-pointer|pointer", R"(
    y = tl.load(x)
    tl.store(Z + offsets, y)
)"},
    {"mask-not-boolean|mask", R"(
    y = tl.load(X + offsets, mask=offsets)
    tl.store(Z + offsets, y)
)"},
    {"other-without-mask|mask", R"(
    y = tl.load(X + offsets, other=0)
    tl.store(Z + offsets, y)
)"},
    {"static-assert|SIZE is 64", R"(
    tl.static_assert(SIZE == 32, "SIZE is 64")
)"},
    {"pointer-plus-pointer|not defined", R"(
    y = tl.load(X + X)
    tl.store(Z + offsets, y)
)"},
    {"unknown-builtin|tl.no_such_function", R"(
    tl.store(Z + offsets, tl.no_such_function(x))
)"},
    {"too-many-arguments|argument", R"(
    tl.store(Z + offsets, double(x, x))
)"},
    {"reshape-count|reshape", R"(
    tl.store(Z + offsets, tl.reshape(x, (3,)))
)"},
    {"number-does-not-fit|out of range", R"(
    tl.store(Z + offsets, x.to(tl.int8) + 1000)
)"},
    {"power-operator|**", R"(
    tl.store(Z + offsets, x ** 2)
)"},
    {"matmul-operator|@", R"(
    tl.store(Z + offsets, x @ x)
)"},
    {"tensor-as-condition|condition", R"(
    if x > 0:
        tl.store(Z + offsets, x)
)"},
    {"not-on-tensor|int1", R"(
    tl.store(Z + offsets, not x)
)"},
    {"subscript|", R"(
    tl.store(Z + offsets, x[0])
)"},
};

std::string framed(const char *body) { return fillIn(kFrame, {{"BODY", body + 1}}); }

} // namespace

void addControlRows(RowTable &table) {
  for (const Program &program : kPrograms)
    for (int n : {4, 11})
      table.add({.group = "test_control_flow",
                 .name = fmt::format("{}/{}", program.name, n),
                 .source = framed(program.body),
                 .arguments = fmt::format("Z=output:i32[256] X=integers:i32[256] n=i32:{}", n),
                 .constexprs = "SIZE=64",
                 .numWarps = n == 4 ? 4 : 2,
                 .grid = {4, 1, 1}});
  for (const Program &program : kRefused) {
    std::string_view name = program.name;
    size_t bar = name.find('|');
    std::string words(name.substr(bar + 1));
    table.add({.group = "test_compile_errors",
               .name = std::string(name.substr(0, bar)),
               .source = framed(program.body),
               .arguments = "Z=output:i32[256] X=integers:i32[256] n=i32:4",
               .constexprs = "SIZE=64",
               .error = words.empty() ? "kernel.py" : words});
  }
}

} // namespace inlay::conformance
