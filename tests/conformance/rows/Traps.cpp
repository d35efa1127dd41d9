// Rules of the language that are easily got wrong, one by one: docs/conformance.md lists them. What
// is computed is compared with C++ written here, because the interpreter runs what the front end
// made.
#include "tests/conformance/RowTable.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace inlay::conformance {
namespace {

constexpr int kSize = 64;

constexpr const char *kFrame = R"(import triton
import triton.language as tl


@triton.jit
def plus(v, K=100):
    return v + K


@triton.jit
def hundred():
    return 100


@triton.jit
def one_more(v, p):
    if p is None:
        return v + 1
    else:
        return v + tl.load(p)


@triton.jit
def of_two_types(v):
    if v > 0:
        return 1
    else:
        return 1.0


@triton.jit
def joined(a, b):
    return a + b + 1


@triton.jit
def kernel(Z, X, n, SIZE: tl.constexpr):
    at = tl.arange(0, SIZE)
    x = tl.load(X + at)
$BODY    tl.store(Z + at, y)
)";

/// The element that the row stores at `at`, where `xs` were loaded.
using Element = double (*)(const std::vector<double> &xs, int at, int n);

template <Element element>
void eachElement(PlainValues &values) {
  int n = static_cast<int>(values.at("n")[0]);
  for (size_t at = 0; at < values.at("X").size(); ++at)
    values.at("Z")[at] = element(values.at("X"), static_cast<int>(at), n);
}
/// The same of x alone.
template <double (*element)(double x)>
void eachX(PlainValues &values) {
  std::ranges::transform(values.at("X"), values.at("Z").begin(), element);
}
/// The number that all elements are. Whole numbers only, as template arguments.
template <int64_t number>
void always(PlainValues &values) {
  std::ranges::fill(values.at("Z"), static_cast<double>(number));
}

struct Trap {
  const char *name, *x, *z, *body; // x: fill and type
  PlainReference reference;
};

const Trap kNumbers[] = {
    {"number/bool-is-int1", "integers:i32", "i64", R"(
    b = True
    tl.static_assert(b.dtype == tl.int1)
    y = x * 0 + b
)",
     always<1>},
    {"number/int32", "integers:i32", "i64", R"(
    a = 2147483647
    tl.static_assert(a.dtype == tl.int32)
    y = x * 0 + (a + 1)
)",
     always<-2147483648>},
    {"number/uint32", "integers:i32", "i64", R"(
    a = 2147483648
    tl.static_assert(a.dtype == tl.uint32)
    y = (at * 0).to(tl.int64) + a * 2 + (a >> 31)
)",
     always<1>},
    {"number/int64", "integers:i32", "i64", R"(
    a = 4294967296
    b = -2147483649
    tl.static_assert(a.dtype == tl.int64 and b.dtype == tl.int64)
    y = at * 0 + a + b
)",
     always<2147483647>},
    {"number/uint64", "integers:i32", "i64", R"(
    a = 9223372036854775808
    tl.static_assert(a.dtype == tl.uint64)
    y = at * 0 + (a >> 63)
)",
     always<1>},
    {"number/float32", "integers:f32", "f64", R"(
    a = 0.1
    tl.static_assert(a.dtype == tl.float32)
    y = (x * 0).to(tl.float64) + a
)",
     eachX<[](double) { return static_cast<double>(0.1F); }>},
    {"number/float64-if-subnormal-or-large", "integers:f32", "f64", R"(
    a = 1e-40
    b = 1e39
    tl.static_assert(a.dtype == tl.float64 and b.dtype == tl.float64)
    y = a * b + x * 0
)",
     eachX<[](double) { return 1e-40 * 1e39; }>},
    {"number/infinity-is-float32", "integers:f32", "f64", R"(
    a = float("inf")
    b = 0.0
    tl.static_assert(a.dtype == tl.float32 and b.dtype == tl.float32 and float("nan") != float("nan"))
    y = x * 0 + a
)",
     eachX<[](double) -> double { return INFINITY; }>},
    {"number/keeps-the-tensors-type", "any:i8", "i64", R"(
    y = x + 100
    tl.static_assert(y.dtype == tl.int8)
)",
     eachX<[](double x) -> double { return static_cast<int8_t>(static_cast<int>(x) + 100); }>},
    {"number/of-a-higher-kind", "any:i8", "f64", R"(
    y = x + 0.5
    tl.static_assert(y.dtype == tl.float32)
)",
     eachX<[](double x) { return x + 0.5; }>},
    {"number/half-stays-half", "integers:f16", "f64", R"(
    y = x * 20000.0 + 3
    tl.static_assert(y.dtype == tl.float16)
)",
     // Halves of this size are multiples of 16, 32 and, above 65504, infinite.
     eachX<[](double x) -> double {
       double step = std::fabs(x) == 2 || std::fabs(x) == 3 ? 32 : 16;
       return std::fabs(x) == 4 ? x * INFINITY : x == 0 ? 3 : std::round((x * 20000) / step) * step;
     }>},
    {"number/divided-half-is-float32", "integers:f16", "f64", R"(
    y = x / 3
    r = x % 3
    tl.static_assert(y.dtype == tl.float32 and r.dtype == tl.float32)
    y += r
)",
     eachX<[](double x) {
       return static_cast<double>(static_cast<float>(x) / 3.0F) + std::fmod(x, 3.0);
     }>},
    {"number/argument-takes-part", "any:i8", "i64", R"(
    y = x + n
    tl.static_assert(y.dtype == tl.int32)
)",
     eachElement<[](const std::vector<double> &xs, int at, int n) { return xs[at] + n; }>},
    {"number/assigned-takes-part", "any:i8", "i64", R"(
    k = 100
    y = x + k
    tl.static_assert(y.dtype == tl.int32)
)",
     eachX<[](double x) { return x + 100; }>},
    {"number/constexpr-does-not-take-part", "any:i8", "i64", R"(
    k: tl.constexpr = 100
    y = x + k
    tl.static_assert(y.dtype == tl.int8)
)",
     eachX<[](double x) -> double { return static_cast<int8_t>(static_cast<int>(x) + 100); }>},
    {"number/default-and-passed-stay-numbers", "any:i8", "i64", R"(
    a = plus(x)
    b = plus(x, 50)
    tl.static_assert(a.dtype == tl.int8 and b.dtype == tl.int8)
    y = a.to(tl.int64) * 1000 + b
)",
     eachX<[](double x) -> double {
       int v = static_cast<int>(x);
       return static_cast<int8_t>(v + 100) * 1000 + static_cast<int8_t>(v + 50);
     }>},
    {"number/returned-becomes-a-tensor", "any:i8", "i64", R"(
    y = x + hundred()
    tl.static_assert(y.dtype == tl.int32)
)",
     eachX<[](double x) { return x + 100; }>},
    {"number/other-annotations-are-plain", "integers:i32", "i64", R"(
    k: tl.int8 = 1000
    y = x + k
    tl.static_assert(y.dtype == tl.int32)
)",
     eachX<[](double x) { return x + 1000; }>},
};

const Trap kPromotion[] = {
    {"promotion/half-and-bfloat16", "integers:f16", "f64", R"(
    y = x * 1.5 + x.to(tl.bfloat16)
    tl.static_assert(y.dtype == tl.float16)
)",
     eachX<[](double x) { return x * 2.5; }>},
    {"promotion/int-and-half", "integers:i32", "f64", R"(
    y = x * 30000 + (x * 0).to(tl.float16)
    tl.static_assert(y.dtype == tl.float16)
)",
     eachX<[](double x) -> double { return std::fabs(x) > 2 ? x * INFINITY : x * 30000; }>},
    {"promotion/bfloat16-and-others", "integers:bf16", "f64", R"(
    a = x + at
    b = x + x.to(tl.float32)
    c = x + x
    tl.static_assert(a.dtype == tl.float32 and b.dtype == tl.float32 and c.dtype == tl.bfloat16)
    y = a * 0.5 + b + c
)",
     eachElement<[](const std::vector<double> &xs, int at, int) {
       return (xs[at] + at) * 0.5 + xs[at] * 4;
     }>},
    {"promotion/unsigned-wins-at-equal-rank", "integers:i32", "i64", R"(
    a = x + x.to(tl.uint32)
    b = x.to(tl.int16) + x.to(tl.uint8)
    c = x.to(tl.int64) + x.to(tl.uint32)
    tl.static_assert(a.dtype == tl.uint32 and b.dtype == tl.int16 and c.dtype == tl.int64)
    y = a.to(tl.int64) * 4 + b + c
)",
     eachX<[](double v) -> double {
       auto x = static_cast<int>(v);
       auto unsignedX = static_cast<uint32_t>(x);
       return static_cast<double>(static_cast<int64_t>(unsignedX * 2) * 4 + x +
                                  static_cast<uint8_t>(x) + x + static_cast<int64_t>(unsignedX));
     }>},
    {"promotion/two-narrow-floats-make-half", "integers:f32", "f64", R"(
    y = x.to(tl.float8e4nv) + x.to(tl.float8e5)
    tl.static_assert(y.dtype == tl.float16)
)",
     eachX<[](double x) { return x * 2; }>},
    {"promotion/ranks-are-prepended", "integers:i32", "i64", R"(
    z = x + tl.full((2, SIZE), 3, tl.int32)
    tl.static_assert(z.shape[0] == 2 and z.shape[1] == SIZE)
    y = tl.sum(z, 0)
)",
     eachX<[](double x) { return 2 * x + 6; }>},
};

const Trap kOperators[] = {
    {"operator/minus-of-zero-is-positive", "zero:f32", "i64", R"(
    y = (-x).to(tl.int32, bitcast=True)
)",
     always<0>},
    {"operator/quotient-of-ints-is-float32", "integers:i32", "f64", R"(
    y = (x * 0 + 16777217) / 1
    tl.static_assert(y.dtype == tl.float32)
)",
     always<16777216>},
    {"operator/floor-division-truncates", "integers:i32", "i64", R"(
    C: tl.constexpr = -7 // 2
    tl.static_assert(C == -4)
    y = (x * 7 - 3) // 5
)",
     eachX<[](double x) -> double { return (static_cast<int>(x) * 7 - 3) / 5; }>},
    {"operator/remainder-has-the-dividends-sign", "integers:i32", "i64", R"(
    C: tl.constexpr = -7 % 3
    tl.static_assert(C == 2)
    y = (x * 7 - 3) % 5
)",
     eachX<[](double x) -> double { return (static_cast<int>(x) * 7 - 3) % 5; }>},
    {"operator/remainder-of-floats", "integers:f32", "f64", R"(
    y = (x * 7) % 2.5
)",
     eachX<[](double x) { return std::fmod(x * 7, 2.5); }>},
    {"operator/right-shift-by-the-left-type", "integers:i32", "i64", R"(
    y = (x >> x.to(tl.uint32) * 0 + 1) + (x.to(tl.uint32) >> 28).to(tl.int32) * 100
)",
     eachX<[](double v) -> double {
       auto x = static_cast<int>(v);
       return (x >> 1) + static_cast<int>(static_cast<uint32_t>(x) >> 28) * 100;
     }>},
    {"operator/comparisons-with-nan", "any:f32", "i64", R"(
    y = (x != x).to(tl.int32) + (x == x) * 10 + (x < float("inf")) * 100 + (x >= x) * 1000
    tl.static_assert((x < 0).dtype == tl.int1)
)",
     eachX<[](double x) -> double {
       return (x != x) + (x == x) * 10 + (x < INFINITY) * 100 + (x >= x) * 1000;
     }>},
    {"operator/none-is-known", "integers:i32", "i64", R"(
    y = one_more(x, None) * 10 + one_more(x, X)
)",
     eachElement<[](const std::vector<double> &xs, int at, int) {
       return (xs[at] + 1) * 10 + xs[at] + xs[0];
     }>},
    {"operator/and-or-stop-at-compile-time", "integers:i32", "i64", R"(
    y = x
    if SIZE > 1000 and undefined_name(x):
        y += 1
    if SIZE < 1000 or undefined_name(x):
        y += 2
)",
     eachX<[](double x) { return x + 2; }>},
    {"operator/constexprs-are-python", "integers:i32", "i64", R"(
    C: tl.constexpr = 2 ** 70 // 2 ** 68 + 7 / 2
    tl.static_assert(C == 7.5 and tl.float16.primitive_bitwidth == 16 and x.dtype.is_int_signed())
    y = x + int(C)
)",
     eachX<[](double x) { return x + 7; }>},
    {"operator/cdiv-truncates-tensors", "integers:i32", "i64", R"(
    y = tl.cdiv(x, 3)
)",
     eachX<[](double x) -> double { return (static_cast<int>(x) + 2) / 3; }>},
};

const Trap kCasts[] = {
    {"cast/rounding-to-half", "integers:f32", "f64", R"(
    v = x * 0 + 2051
    y = v.to(tl.float16) + v.to(tl.float16, fp_downcast_rounding="rtz").to(tl.float64) * 10000
)",
     always<2052 + 20500000>},
    {"cast/float-to-int-truncates", "integers:f32", "i64", R"(
    y = (x + 0.75).to(tl.int32)
)",
     eachX<[](double x) { return std::trunc(x + 0.75); }>},
    {"cast/to-int1-is-not-zero", "integers:i32", "i64", R"(
    y = (x * 256).to(tl.int1).to(tl.int32) + (x * 0.25).to(tl.int1).to(tl.int32) * 10
)",
     eachX<[](double x) { return x != 0 ? 11.0 : 0.0; }>},
    {"cast/int1-zero-extends", "integers:i32", "i64", R"(
    y = (x > 0).to(tl.int64) + (x > 0).to(tl.float32).to(tl.int64)
)",
     eachX<[](double x) { return x > 0 ? 2.0 : 0.0; }>},
    {"cast/extends-by-the-source", "any:i8", "i64", R"(
    y = x.to(tl.uint32).to(tl.int64) * 1000 + x.to(tl.uint8).to(tl.int32)
)",
     eachX<[](double v) -> double {
       auto x = static_cast<int8_t>(v);
       return static_cast<double>(static_cast<int64_t>(static_cast<uint32_t>(x)) * 1000 +
                                  static_cast<uint8_t>(x));
     }>},
    {"cast/narrow-floats-saturate", "integers:f32", "f64", R"(
    y = (x * 0 + 1e6).to(tl.float8e4nv).to(tl.float32)
)",
     always<448>},
    {"cast/bool-pointers-are-bytes", "any:i8", "i64", R"(
    b = tl.load(X.to(tl.pointer_type(tl.int1)) + at)
    tl.static_assert(b.dtype == tl.int1)
    y = b.to(tl.int32)
)",
     eachX<[](double x) { return x != 0 ? 1.0 : 0.0; }>},
};

const Trap kMemory[] = {
    {"memory/masked-off-is-zero", "integers:i32", "i64", R"(
    y = tl.load(X + at, mask=at % 3 == 0)
)",
     eachElement<[](const std::vector<double> &xs, int at, int) { return at % 3 ? 0 : xs[at]; }>},
    {"memory/other-is-cast", "integers:i32", "i64", R"(
    y = tl.load(X + at, mask=at % 3 == 0, other=1.75)
)",
     eachElement<[](const std::vector<double> &xs, int at, int) { return at % 3 ? 1 : xs[at]; }>},
    {"memory/stored-is-cast", "integers:f32", "i32", R"(
    y = x + 0.75
)",
     eachX<[](double x) { return std::trunc(x + 0.75); }>},
    {"memory/pointer-broadcasts-to-the-mask", "integers:i32", "i64", R"(
    y = tl.load(X + at * 0, mask=at < 32)
)",
     eachElement<[](const std::vector<double> &xs, int at, int) { return at < 32 ? xs[0] : 0; }>},
    {"memory/asserts-need-debug", "integers:i32", "i64", R"(
    tl.device_assert(x > 1000, "not checked")
    assert n > 1000
    y = x
)",
     eachX<[](double x) { return x; }>},
};

/// Of all loaded elements one number, which every element becomes.
template <double (*whole)(const std::vector<double> &xs)>
void fromAll(PlainValues &values) {
  std::ranges::fill(values.at("Z"), whole(values.at("X")));
}

double sumOf(const std::vector<double> &xs) {
  double sum = 0;
  for (double x : xs)
    sum += x;
  return sum;
}

const Trap kReductions[] = {
    {"reduction/half-sums-in-half", "integers:f16", "f64", R"(
    s = tl.sum(x * 0 + 2048)
    tl.static_assert(s.dtype == tl.float16)
    y = at * 0 + s
)",
     eachX<[](double) -> double { return INFINITY; }>},
    {"reduction/bfloat16-sums-in-bfloat16", "integers:bf16", "f64", R"(
    s = tl.sum(x)
    tl.static_assert(s.dtype == tl.bfloat16)
    y = at * 0 + s
)",
     fromAll<sumOf>},
    {"reduction/narrow-ints-sum-in-32-bits", "integers:i8", "i64", R"(
    s = tl.sum(x * 0 + 100)
    u = tl.sum((x * 0 + 100).to(tl.uint8) * 2)
    tl.static_assert(s.dtype == tl.int32 and u.dtype == tl.uint32)
    y = at * 0 + s + u.to(tl.int32)
)",
     always<19200>},
    {"reduction/bools-are-counted", "integers:i32", "i64", R"(
    s = tl.sum(x == x)
    tl.static_assert(s.dtype == tl.uint32)
    y = at * 0 + s.to(tl.int32)
)",
     always<64>},
    {"reduction/sum-in-a-given-type", "integers:f16", "f64", R"(
    s = tl.sum(x * 0 + 2048, dtype=tl.float32)
    tl.static_assert(s.dtype == tl.float32)
    y = at * 0 + s
)",
     always<131072>},
    {"reduction/max-of-narrow-types-widens", "integers:f16", "f64", R"(
    tl.static_assert(tl.max(x).dtype == tl.float32 and tl.min(x.to(tl.bfloat16)).dtype == tl.float32)
    tl.static_assert(tl.max(x.to(tl.int8)).dtype == tl.int32 and tl.max(x.to(tl.int64)).dtype == tl.int64)
    y = at * 0 + tl.max(x)
)",
     fromAll<[](const std::vector<double> &xs) { return *std::ranges::max_element(xs); }>},
    {"reduction/max-with-indices-keeps-half", "integers:f16", "f64", R"(
    v, i = tl.max(x, 0, return_indices=True)
    w, j = tl.max(x.to(tl.bfloat16), 0, return_indices=True)
    u, k = tl.max(x.to(tl.int8), 0, return_indices=True)
    tl.static_assert(v.dtype == tl.float16 and w.dtype == tl.float32 and u.dtype == tl.int8)
    y = at * 0 + v + i + j + k
)",
     fromAll<[](const std::vector<double> &xs) {
       auto largest = std::ranges::max_element(xs);
       return *largest + 3.0 * static_cast<double>(largest - xs.begin());
     }>},
    {"reduction/max-ignores-nan", "any:f32", "f64", R"(
    y = at * 0 + tl.max(tl.where(tl.abs(x) < 1e30, x, float("nan")))
)",
     fromAll<[](const std::vector<double> &xs) {
       double largest = -INFINITY;
       for (double x : xs)
         largest = std::fabs(x) < static_cast<double>(1e30F) ? std::max(largest, x) : largest;
       return largest;
     }>},
    {"reduction/ties-take-the-lowest-index", "integers:i32", "i64", R"(
    y = at * 0 + tl.argmax(x, 0) * 100 + tl.argmin(x, 0)
)",
     fromAll<[](const std::vector<double> &xs) {
       return static_cast<double>((std::ranges::max_element(xs) - xs.begin()) * 100 +
                                  (std::ranges::min_element(xs) - xs.begin()));
     }>},
    {"reduction/no-identity-is-invented", "integers:i32", "i64", R"(
    y = at * 0 + tl.reduce(x, 0, joined)
)",
     fromAll<[](const std::vector<double> &xs) { return sumOf(xs) + kSize - 1; }>},
    {"reduction/all-axes-are-flattened", "integers:i32", "i64", R"(
    y = at * 0 + tl.sum(tl.reshape(x, (4, 16))) + tl.reduce(tl.reshape(x, (4, 16)), None, joined)
)",
     fromAll<[](const std::vector<double> &xs) { return 2 * sumOf(xs) + kSize - 1; }>},
    {"reduction/cumsum-types", "integers:i8", "i64", R"(
    y = tl.cumsum(x * 0 + 100, 0)
    tl.static_assert(y.dtype == tl.int32)
    tl.static_assert(tl.cumsum(x.to(tl.bfloat16), 0).dtype == tl.float32)
    tl.static_assert(tl.cumsum(x.to(tl.float16), 0).dtype == tl.float16)
)",
     eachElement<[](const std::vector<double> &, int at, int) { return 100.0 * (at + 1); }>},
    {"reduction/reversed-scan", "integers:i32", "i64", R"(
    y = tl.associative_scan(x, 0, joined, reverse=True)
)",
     eachElement<[](const std::vector<double> &xs, int at, int) {
       double sum = xs[at];
       for (int i = at + 1; i < kSize; ++i)
         sum += xs[i] + 1;
       return sum;
     }>},
};

const Trap kFunctions[] = {
    {"function/maximum-of-bfloat16-is-float32", "integers:bf16", "f64", R"(
    y = tl.maximum(x, 1)
    tl.static_assert(y.dtype == tl.float32 and tl.minimum(x.to(tl.float16), 1).dtype == tl.float16)
)",
     eachX<[](double x) { return std::max(x, 1.0); }>},
    {"function/maximum-and-nan", "any:f32", "i64", R"(
    v = tl.where(x == x, 5.0, x)
    a = tl.maximum(v, 3.0)
    b = tl.maximum(v, 3.0, propagate_nan=tl.PropagateNan.ALL)
    y = a.to(tl.int32) * 10 + (b != b)
)",
     eachX<[](double x) { return x == x ? 50.0 : 31.0; }>},
    {"function/where-promotes-both", "any:i8", "i64", R"(
    y = tl.where(x > 0, x, n)
    tl.static_assert(y.dtype == tl.int32)
)",
     eachElement<[](const std::vector<double> &xs, int at, int n) -> double {
       return xs[at] > 0 ? xs[at] : n;
     }>},
    {"function/where-takes-what-is-not-zero", "integers:i32", "i64", R"(
    y = tl.where(x * 256, 1, 2)
)",
     eachX<[](double x) { return x != 0 ? 1.0 : 2.0; }>},
    {"function/python-max-stays-constexpr", "integers:i32", "i64", R"(
    y = x + tl.sum(tl.arange(0, max(4, min(8, SIZE))))
)",
     eachX<[](double x) { return x + 28; }>},
};

const Trap kControl[] = {
    {"control/dead-branch-is-not-visited", "integers:i32", "i64", R"(
    if SIZE == 0:
        y = undefined_name(x) + tl.zeros((3,), tl.int32) + X
        return 1, 2
    elif SIZE is not None:
        y = x
    else:
        y = x @ x
    y += 1 if SIZE > 1 else undefined_name
)",
     eachX<[](double x) { return x + 1; }>},
    {"control/loop-variable-is-as-wide-as-its-bounds", "integers:i32", "i64", R"(
    y = x.to(tl.int64)
    for k in range(n.to(tl.int64)):
        tl.static_assert(k.dtype == tl.int64)
        y += k
    for k in range(0, n):
        tl.static_assert(k.dtype == tl.int32)
        y += k
)",
     eachElement<[](const std::vector<double> &xs, int at, int n) {
       return xs[at] + n * (n - 1);
     }>},
    {"control/static-range-counts-constexprs", "integers:i32", "i64", R"(
    y = x
    for k in tl.static_range(1, 4):
        y += tl.sum(tl.arange(0, 2 ** k))
)",
     eachX<[](double x) { return x + 1 + 6 + 28; }>},
    {"control/negative-step", "integers:i32", "i64", R"(
    y = x
    for k in range(n, 0, -2):
        y = y * 3 + k
)",
     eachElement<[](const std::vector<double> &xs, int at, int n) {
       double y = xs[at];
       for (int k = n; k > 0; k -= 2)
         y = y * 3 + k;
       return y;
     }>},
    {"control/bounds-are-read-once", "integers:i32", "i64", R"(
    y = x
    m = n
    for k in range(m):
        m += 1
        y += m
)",
     eachElement<[](const std::vector<double> &xs, int at, int n) {
       double y = xs[at];
       for (int k = 0; k < n; ++k)
         y += n + k + 1;
       return y;
     }>},
    {"control/values-swap", "integers:i32", "i64", R"(
    y = x
    z = x * 2
    for k in range(n):
        y, z = z, y + 1
    y = y * 100 + z
)",
     eachElement<[](const std::vector<double> &xs, int at, int n) {
       double y = xs[at], z = y * 2;
       for (int k = 0; k < n; ++k) {
         double old = y + 1;
         y = z;
         z = old;
       }
       return y * 100 + z;
     }>},
    {"control/early-return-in-an-if", "integers:i32", "i64", R"(
    if n > 3:
        tl.store(Z + at, x + 7)
        return
    y = x * 0
)",
     eachX<[](double x) { return x + 7; }>},
    {"control/one-armed-if-keeps-the-other-value", "integers:i32", "i64", R"(
    y = x
    if n < 3:
        y = x * 2
        only_here = 3
    only_here = 4
    y += only_here
)",
     eachX<[](double x) { return x + 4; }>},
    {"control/tuples", "integers:i32", "i64", R"(
    t = (x, n, 3)
    shape: tl.constexpr = x.shape[:-1] + [2, SIZE // 2]
    tl.static_assert(len(t) == 3 and (1, 2) == (1, 2) and len((1, 2) * 2) == 4)
    u = [v + 1 for v in t[1:]] + (5,)
    y = tl.reshape(tl.reshape(x, shape), (SIZE,)) + u[0] + u[1] + u[-1]
)",
     eachElement<[](const std::vector<double> &xs, int at, int n) {
       return xs[at] + n + 1 + 4 + 5;
     }>},
};

struct Refusal {
  const char *name, *x, *body, *error;
};

const Refusal kRefusals[] = {
    {"number/must-fit", "integers:i8", "y = x + 1000", "1000 is out of range for i8"},
    {"number/negative-with-unsigned", "integers:u8", "y = x + (-1)", "negative number -1"},
    {"promotion/narrow-float-with-int", "integers:f32", "y = x.to(tl.float8e5) + at",
     "fp8e5 and i32 have no common type"},
    {"promotion/division-of-mixed-signs", "integers:i32", "y = x // x.to(tl.uint32)",
     "i32 and u32 differ in signedness"},
    {"promotion/remainder-of-mixed-signs", "integers:i32", "y = x.to(tl.uint8) % x",
     "u8 and i32 differ in signedness"},
    {"operator/invert-float", "integers:f32", "y = ~x", "needs an integer"},
    {"operator/floor-division-of-floats", "integers:f32", "y = x // 2.0", "'//' needs integers"},
    {"operator/bits-of-floats", "integers:f32", "y = x & 1", "'&' needs integers"},
    {"operator/pointers-are-not-compared", "integers:i32", "y = x + (X == Z)",
     "'==' is not defined"},
    {"operator/and-needs-int1", "integers:i32", "y = x and n", "'and' needs int1"},
    {"operator/arms-of-different-types", "integers:i32", "y = x + (1 if n > 0 else 2.0)",
     "must have one type, not i32 and fp32"},
    {"operator/condition-is-a-block", "integers:i32", "y = x if x > 0 else x",
     "must be one value, not i1[64]"},
    {"cast/bitcast-of-another-width", "integers:i32", "y = x.to(tl.int16, bitcast=True)",
     "cannot bitcast i32"},
    {"cast/int-to-narrow-float", "integers:i32", "y = x.to(tl.float8e5)",
     "to and from floating types only"},
    {"memory/block-of-no-power-of-two", "integers:i32", "y = x + tl.zeros((3,), tl.int32)",
     "a power of two, not 3"},
    {"memory/block-too-large", "integers:i32", "y = x + tl.sum(tl.zeros((2048, 1024), tl.int32))",
     "more than the allowed 1048576"},
    {"memory/scalar-pointer-block-mask", "integers:i32", "y = x + tl.load(X, mask=x > 0)",
     "'mask' is a block"},
    {"memory/block-to-a-scalar-pointer", "integers:i32", "y = x\n    tl.store(Z, x)",
     "the pointer is a scalar"},
    {"memory/narrow-bitwise-atomics", "integers:i16", "y = tl.atomic_or(X + at, x)",
     "integers of 32 and 64 bits, not for i16"},
    {"function/exp-of-half", "integers:f16", "y = tl.exp(x)", "takes fp32 or fp64, not fp16"},
    {"function/floor-of-half", "integers:f16", "y = tl.floor(x)", "takes fp32 or fp64, not fp16"},
    {"function/sqrt-of-int", "integers:i32", "y = tl.sqrt(x)", "takes fp32 or fp64, not i32"},
    {"function/clamp-of-int", "integers:i32", "y = tl.clamp(x, 0, 1)", "clamp is for floats"},
    {"dot/operands-of-two-types", "integers:f16",
     "a = tl.reshape(x, (4, 16))\n    y = tl.sum(tl.dot(a, tl.trans(a).to(tl.float32))) + x",
     "not fp16 by fp32"},
    {"dot/accumulator-of-another-type", "integers:f16",
     "a = tl.reshape(x, (4, 16))\n    y = x + tl.sum(tl.dot(a, tl.trans(a), tl.zeros((4, 4), "
     "tl.float16)))",
     "must be fp32[4, 4], not a tensor of type fp16"},
    {"dot/accumulator-of-another-shape", "integers:f16",
     "a = tl.reshape(x, (4, 16))\n    y = x + tl.sum(tl.dot(a, tl.trans(a), tl.zeros((4, 8), "
     "tl.float32)))",
     "must be fp32[4, 4], not a tensor of type fp32[4, 8]"},
    {"dot/short-k", "integers:f16",
     "a = tl.reshape(x, (8, 8))\n    y = x + tl.sum(tl.dot(a, tl.trans(a)))",
     "K is 8, but must be at least 16"},
    {"control/both-branches-are-visited", "integers:i32",
     "if n > 0:\n        y = x\n    else:\n        y = undefined_name",
     "name 'undefined_name' is not defined"},
    {"control/branch-keeps-types", "integers:i32",
     "y = x\n    if n > 0:\n        y = x.to(tl.float32)",
     "'y' must have one type before and in all branches"},
    {"control/name-of-one-branch", "integers:i32", "if n > 0:\n        y = x",
     "only in one branch"},
    {"control/loop-keeps-types", "integers:i32", "y = 0\n    for k in range(n):\n        y += 0.5",
     "'y' must keep its type through the loop"},
    {"control/while-keeps-types", "integers:i32",
     "y = x\n    k = n\n    while k > 0:\n        k = k - 0.5",
     "'k' must keep its type through the loop"},
    {"control/constexpr-is-constant", "integers:i32",
     "C: tl.constexpr = 1\n    C = 2\n    y = x + C", "'C' is a tl.constexpr"},
    {"control/constexpr-in-a-loop", "integers:i32",
     "C: tl.constexpr = 1\n    for k in range(n):\n        C += 1\n    y = x + C",
     "'C' is a tl.constexpr"},
    {"control/loop-variable-ends", "integers:i32",
     "y = x\n    for k in range(n):\n        y += k\n    y += k", "only inside the loop"},
    {"control/range-does-not-unroll", "integers:i32",
     "y = x\n    for k in range(1, 4):\n        y += tl.sum(tl.arange(0, k))",
     "must be a compile-time integer"},
    {"control/returns-of-two-types", "integers:i32", "y = x + of_two_types(n)",
     "return different things: i32 and fp32"},
    {"control/return-in-a-loop", "integers:i32",
     "y = x\n    for k in range(n):\n        if k > 2:\n            return",
     "'return' under a run-time condition"},
    {"control/for-else", "integers:i32",
     "y = x\n    for k in range(n):\n        y += 1\n    else:\n        y += 2", "'for … else'"},
    {"control/try", "integers:i32", "try:\n        y = x\n    finally:\n        y = x",
     "'try' is not supported"},
    {"control/global", "integers:i32", "global y\n    y = x", "'global' is not supported"},
    {"control/nested-function", "integers:i32", "def inner(v):\n        return v\n    y = inner(x)",
     "'def' is not supported"},
    {"control/condition-is-a-string", "integers:i32", "y = x\n    if 'relu':\n        y += 1",
     "not 'relu'"},
    {"control/recursion-without-end", "integers:i32", "y = kernel(Z, X, n, SIZE)",
     "more than 64 levels deep"},
};

} // namespace

void addTrapsRows(RowTable &table) {
  for (std::span<const Trap> traps :
       {std::span<const Trap>(kNumbers), std::span<const Trap>(kPromotion),
        std::span<const Trap>(kOperators), std::span<const Trap>(kCasts),
        std::span<const Trap>(kMemory), std::span<const Trap>(kReductions),
        std::span<const Trap>(kFunctions), std::span<const Trap>(kControl)})
    for (const Trap &trap : traps)
      table.add({.group = "traps",
                 .name = trap.name,
                 .source = fillIn(kFrame, {{"BODY", trap.body + 1}}),
                 .arguments =
                     fmt::format("Z=output:{}[{}] X={}[{}] n=i32:5", trap.z, kSize, trap.x, kSize),
                 .constexprs = fmt::format("SIZE={}", kSize),
                 .reference = trap.reference,
                 .isUpstream = false});
  for (const Refusal &refusal : kRefusals)
    table.add(
        {.group = "traps",
         .name = refusal.name,
         .source = fillIn(kFrame, {{"BODY", fmt::format("    {}\n", refusal.body)}}),
         .arguments = fmt::format("Z=output:f32[{}] X={}[{}] n=i32:5", kSize, refusal.x, kSize),
         .constexprs = fmt::format("SIZE={}", kSize),
         .error = refusal.error,
         .isUpstream = false});
  table.add({.group = "traps",
             .name = "memory/const-pointers-are-only-read",
             .source = R"(import triton
import triton.language as tl


@triton.jit
def kernel(X: tl.const):
    tl.store(X, tl.load(X))
)",
             .arguments = "X=any:f32[1]",
             .error = "read only (tl.const)",
             .isUpstream = false});
  table.add({.group = "traps",
             .name = "memory/compare-and-swap-of-16-bits",
             .source = R"(import triton
import triton.language as tl


@triton.jit
def kernel(Z, X, n):
    at = tl.arange(0, 4)
    old = tl.atomic_cas(X + at, at.to(tl.int16), (at + n).to(tl.int16))
    tl.store(Z + at, old)
)",
             .arguments = "Z=output:i32[4] X=0/5/2/-1:i16[4] n=i32:7",
             .reference =
                 [](PlainValues &values) {
                   values.at("Z") = values.at("X");
                   values.at("X") = {7, 5, 9, -1};
                 },
             .isUpstream = false});
}

} // namespace inlay::conformance
