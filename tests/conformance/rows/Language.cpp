// Forms of the Python in kernels: classes, tuples, recursion, statements. Every row has a plain
// reference in C++ of what one element becomes, because a front end that reads a statement wrongly
// deceives the interpreter too.
#include "tests/conformance/RowTable.h"
#include "tests/conformance/rows/Types.h"

#include <fmt/format.h>
#include <utility>

namespace inlay::conformance {
namespace {

constexpr int kSize = 64, kPrograms = 4;

constexpr const char *kFrame = R"(from collections import namedtuple
from typing import NamedTuple

import triton
import triton.language as tl
from triton.language.core import _aggregate as aggregate

Span = namedtuple("Span", ["low", "high"])
STEP: tl.constexpr = 3


class Pair(NamedTuple):
    first: tl.tensor
    second: tl.tensor = 7


@aggregate
class Sum:
    total: tl.tensor
    count: tl.tensor
    WEIGHT: tl.constexpr

    def __init__(self, total, count, WEIGHT):
        self.total = total
        self.count = count
        self.WEIGHT = tl.constexpr(WEIGHT)

    @triton.jit
    def plus(self, value):
        return Sum(self.total + value * self.WEIGHT, self.count + 1, self.WEIGHT)

    @triton.jit
    def mixed(self, factor: tl.constexpr):
        return self.plus(self.count).total * factor + self.count


@triton.jit
def power(v, N: tl.constexpr):
    if N == 0:
        return v * 0 + 1
    else:
        return v * power(v, N - 1)


@triton.jit
def fibonacci(N: tl.constexpr):
    if N < 2:
        return N
    else:
        return fibonacci(N - 1) + fibonacci(N - 2)


@triton.jit
def weighted(a, b, *rest, scale: tl.constexpr = 2):
    s = a + b * scale
    for k in tl.static_range(len(rest)):
        s += rest[k] * (k + 3)
    return s


@triton.jit
def gap(pair):
    return pair.first - pair.second


@triton.jit
def compared(a, b):
    if a < b:
        return -1
    elif a == b:
        return 0
    else:
        return b


@triton.jit
def clipped(a, b):
    y = a
    if a > 2:
        y = b
        if b > 3:
            y = y * 2
    return y + (1 if b > 0 else 5)


@triton.jit
def crossed(a0, a1, b0, b1):
    return a0 * 10 + b1, a1 * 10 + b0, a0 - a1, b0 - b1


@triton.jit(noinline=True)
def apart(a, b):
    return a * b + 1


@triton.jit
def kernel(Z, X, n, SIZE: tl.constexpr):
    i = tl.program_id(0)
    offsets = i * SIZE + tl.arange(0, SIZE)
    x = tl.load(X + offsets)
$BODY    tl.store(Z + offsets, y)
)";

/// The element that the row stores where x is loaded from place `at` of `xs`.
template <int (*element)(int x, int n, const std::vector<double> &xs, int at)>
void eachElement(PlainValues &values) {
  int n = static_cast<int>(values.at("n")[0]);
  const std::vector<double> &xs = values.at("X");
  for (size_t i = 0; i < xs.size(); ++i)
    values.at("Z")[i] = element(static_cast<int>(xs[i]), n, xs, static_cast<int>(i));
}

/// A host passes each element of a tuple as an argument of its own.
constexpr const char *kTupleArguments = R"(import triton
import triton.language as tl


@triton.jit
def row(source, stride, SIZE: tl.constexpr):
    return tl.load(source + tl.arange(0, SIZE) * stride)


@triton.jit
def kernel(Z, sources, strides, n, SIZE: tl.constexpr):
    first, second = sources
    y = row(first, strides[0], SIZE) * n + row(second, strides[1], SIZE)
    for k in tl.static_range(len(sources)):
        y += row(sources[k], strides[k], SIZE) * k
    tl.store(Z + tl.arange(0, SIZE), y)
)";

void tupleArguments(PlainValues &values) {
  const double n = values.at("n")[0];
  for (size_t i = 0; i < values.at("Z").size(); ++i)
    values.at("Z")[i] = values.at("sources.0")[i * 2] * n + values.at("sources.1")[i] * 2;
}

struct Form {
  const char *name, *body;
  PlainReference reference;
};

int power(int base, int exponent) {
  int result = 1;
  for (int i = 0; i < exponent; ++i)
    result *= base;
  return result;
}

const Form kForms[] = {
    {"recursion", R"(
    y = power(x, 3) + fibonacci(10)
)",
     eachElement<[](int x, int, const std::vector<double> &, int) { return power(x, 3) + 55; }>},
    {"named-tuple-class", R"(
    p = Pair(x, n)
    q = Pair(first=x)
    a, b = p
    y = gap(p) * 100 + gap(q) + a + b + p[0] + len(p)
)",
     eachElement<[](int x, int n, const std::vector<double> &, int) {
       return (x - n) * 100 + (x - 7) + x + n + x + 2;
     }>},
    {"named-tuple-call", R"(
    s = Span(low=x, high=x * 0 + n)
    y = x
    for k in range(3):
        s = Span(s.low + k, s.high * 2)
    if n > 5:
        s = Span(s.high, s.low)
    y = s.low * 3 + s.high
)",
     eachElement<[](int x, int n, const std::vector<double> &, int) {
       int low = x + 3, high = n * 8;
       return n > 5 ? high * 3 + low : low * 3 + high;
     }>},
    {"aggregate", R"(
    s = Sum(x, 0, 3)
    for k in range(n):
        s = s.plus(k)
    y = s.mixed(2) + s.total * 1000
)",
     eachElement<[](int x, int n, const std::vector<double> &, int) {
       int total = x + 3 * (n * (n - 1) / 2);
       return (total + n * 3) * 2 + n + total * 1000;
     }>},
    {"operators-by-name", R"(
    y = tl.add(x, tl.mul(n, 3, sanitize_overflow=False)) * 10 + tl.core.sub(x, 1)
)",
     eachElement<[](int x, int n, const std::vector<double> &, int) {
       return (x + n * 3) * 10 + x - 1;
     }>},
    {"star-arguments", R"(
    t = (x, n, 5, 6)
    y = weighted(*t) + weighted(x, *t[:2], scale=4)
)",
     eachElement<[](int x, int n, const std::vector<double> &, int) {
       return x + n * 2 + 5 * 3 + 6 * 4 + (x + x * 4 + n * 3);
     }>},
    {"tuple-carried-by-while", R"(
    t = (x, 1)
    k = 0
    while k < n:
        t = (t[0] + t[1], t[1] * 2)
        k += 1
    y = t[0] + t[1]
)",
     eachElement<[](int x, int n, const std::vector<double> &, int) {
       return x + (1 << n) - 1 + (1 << n);
     }>},
    {"tuple-nested-carried-by-for", R"(
    t = (x, (0, 1))
    shape = (SIZE,)
    for k in range(n):
        t = (t[0] + k, (t[1][1], t[1][0] + t[1][1]))
        shape = (SIZE,)
    y = t[0] * 100 + t[1][0] + tl.zeros(shape, tl.int32)
)",
     eachElement<[](int x, int n, const std::vector<double> &, int) {
       int a = 0, b = 1;
       for (int k = 0; k < n; ++k)
         a = std::exchange(b, a + b);
       return (x + n * (n - 1) / 2) * 100 + a;
     }>},
    {"tuple-of-numbers-in-branches", R"(
    t = (1, 2)
    if n > 5:
        t = (3, 4)
    y = x * t[0] + t[1]
)",
     eachElement<[](int x, int n, const std::vector<double> &, int) {
       return n > 5 ? x * 3 + 4 : x + 2;
     }>},
    {"for-over-tuple", R"(
    y = x
    for f in (2, 3, 5):
        y = y * f + 1
    for a, b in ((1, n), (n, 2)):
        y += a * b
)",
     eachElement<[](int x, int n, const std::vector<double> &, int) {
       return ((x * 2 + 1) * 3 + 1) * 5 + 1 + n + n * 2;
     }>},
    {"list-comprehension", R"(
    t = [x + k for k in (1, 2, 3, 4) if k != 3]
    u = [a * b for a, b in ((x, 2), (n, 3))]
    y = t[0] * t[2] + u[0] + u[1] + len(t)
)",
     eachElement<[](int x, int n, const std::vector<double> &, int) {
       return (x + 1) * (x + 4) + x * 2 + n * 3 + 3;
     }>},
    {"chained-comparisons", R"(
    y = tl.where(-2 < x <= 2, x, n)
    if 3 < n < 10 < 20:
        y += 100
    if 0 < SIZE < 65 and 1 < 2 < 3:
        y += 1000
)",
     eachElement<[](int x, int n, const std::vector<double> &, int) {
       return (x > -2 && x <= 2 ? x : n) + (n > 3 && n < 10 ? 100 : 0) + 1000;
     }>},
    {"assignment-expression", R"(
    y = x
    if (m := n + 1) > 5:
        y += m
    k = 0
    while (d := n - k) > 2:
        y += d
        k += 1
    y += (z := x * 2) + z + d
)",
     eachElement<[](int x, int n, const std::vector<double> &, int) {
       int y = x + (n + 1 > 5 ? n + 1 : 0), k = 0;
       for (; n - k > 2; ++k)
         y += n - k;
       return y + x * 4 + n - k;
     }>},
    {"several-targets", R"(
    a = b = x + n
    y = a * b
    del a, b
    pass
)",
     eachElement<[](int x, int n, const std::vector<double> &, int) { return (x + n) * (x + n); }>},
    {"async-tasks", R"(
    y = x
    with tl.async_task([0]):
        y += 1
    with tl.async_task([1, 2], registers=24):
        y *= n
)",
     eachElement<[](int x, int n, const std::vector<double> &, int) { return (x + 1) * n; }>},
    {"range-keywords", R"(
    y = x
    for k in tl.range(arg1=1, arg2=n, step=2, warp_specialize=True, flatten=True, disable_licm=True):
        y += k
    for k in tl.range(n, disallow_acc_multi_buffer=True):
        y += k * 100
    while tl.condition(n > 1000, disable_licm=True):
        y += 1
)",
     eachElement<[](int x, int n, const std::vector<double> &, int) {
       int y = x;
       for (int k = 1; k < n; k += 2)
         y += k;
       return y + n * (n - 1) / 2 * 100;
     }>},
    {"noinline", R"(
    y = apart(x, n) + apart(n, x)
)",
     eachElement<[](int x, int n, const std::vector<double> &, int) { return 2 * (x * n + 1); }>},
    {"map-elementwise", R"(
    y = tl.map_elementwise(compared, x, n) * 10 + tl.map_elementwise(clipped, x, tl.flip(x))
)",
     eachElement<[](int x, int n, const std::vector<double> &xs, int at) {
       int compared = x < n ? -1 : x == n ? 0 : n;
       int other = static_cast<int>(xs.at(at / kSize * kSize + kSize - 1 - at % kSize));
       int y = x > 2 ? (other > 3 ? other * 2 : other) : x;
       return compared * 10 + y + (other > 0 ? 1 : 5);
     }>},
    {"map-elementwise-pack", R"(
    v, w = tl.map_elementwise(crossed, x, offsets, pack=2)
    y = v * 1000 + w
)",
     eachElement<[](int x, int, const std::vector<double> &xs, int at) {
       // v pairs an element with the other's place; w has the differences inside the pairs.
       int w = at % 2 ? -1 : x - static_cast<int>(xs.at(at + 1));
       return (x * 10 + (at ^ 1)) * 1000 + w;
     }>},
    {"formatted-strings", R"(
    tl.static_assert(f"{STEP:03d}|{'a':>3}|{1.5:.2f}|{SIZE!r}" == "003|  a|1.50|64")
    y = x
)",
     eachElement<[](int x, int, const std::vector<double> &, int) { return x; }>},
    {"dtype-facts", R"(
    t: tl.constexpr = Z.dtype.element_ty
    tl.static_assert(t.int_signedness == tl.dtype.SIGNEDNESS.SIGNED and t.kind() == tl.dtype.KIND.INTEGRAL)
    tl.static_assert(tl.bfloat16.fp_mantissa_width == 7 and tl.float32.kind() == tl.dtype.KIND.FLOATING)
    y = x + t.primitive_bitwidth
)",
     eachElement<[](int x, int, const std::vector<double> &, int) { return x + 32; }>},
};

/// What must be refused, with words of the reason.
constexpr std::pair<const char *, const char *> kRefused[] = {
    {"endless-recursion|calls itself more than 64 levels deep", R"(
    y = power(x, -1)
)"},
    {"deleted-name|it is deleted in line", R"(
    y = x
    del y
)"},
    {"missing-field|needs a value for its field 'first'", R"(
    y = gap(Pair(second=x))
)"},
    {"unknown-field|has no field 'third'", R"(
    y = gap(Pair(x, third=n))
)"},
    {"attribute-assigned|__init__", R"(
    p = Pair(x, n)
    p.first = n
    y = gap(p)
)"},
    {"lambda|lambda", R"(
    f = lambda v: v
    y = f(x)
)"},
    {"with|async_task", R"(
    y = x
    with tl.cat(x, x):
        y = y + 1
)"},
    {"format|is not one for", R"(
    tl.static_print(f"{SIZE:q}")
    y = x
)"},
};

} // namespace

void addLanguageRows(RowTable &table) {
  auto source = [](const char *body) { return fillIn(kFrame, {{"BODY", body + 1}}); };
  for (const Form &form : kForms)
    for (int n : {4, 7})
      table.add({.group = "language",
                 .name = fmt::format("{}/{}", form.name, n),
                 .source = source(form.body),
                 .arguments = fmt::format("Z=output:i32[{0}] X=integers:i32[{0}] n=i32:{1}",
                                          kSize * kPrograms, n),
                 .constexprs = fmt::format("SIZE={}", kSize),
                 .numWarps = n == 4 ? 4 : 2,
                 .grid = {kPrograms, 1, 1},
                 .reference = form.reference});
  table.add({.group = "language",
             .name = "tuples-as-arguments",
             .source = kTupleArguments,
             .arguments = "Z=output:i32[64] sources.0=integers:i32[128] sources.1=integers:i32[64] "
                          "strides.0=i32:2 strides.1=i32:1 n=i32:7",
             .constexprs = "SIZE=64",
             .reference = tupleArguments});
  for (const auto &[title, body] : kRefused) {
    std::string_view name = title;
    size_t bar = name.find('|');
    table.add({.group = "test_compile_errors",
               .name = std::string(name.substr(0, bar)),
               .source = source(body),
               .arguments = "Z=output:i32[256] X=integers:i32[256] n=i32:4",
               .constexprs = "SIZE=64",
               .error = std::string(name.substr(bar + 1))});
  }
}

} // namespace inlay::conformance
