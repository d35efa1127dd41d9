// Larger products: loops over K in the manner of the tutorials, and operands in microscaling
// formats.
#include "tests/conformance/RowTable.h"
#include "tests/conformance/rows/Types.h"

#include <array>
#include <fmt/format.h>
#include <utility>

namespace inlay::conformance {
namespace {

struct Shape {
  int m, n, k;
};

/// Both operands plain or transposed, the result in two types, with an epilogue in halves.
void addLayouts(RowTable &table) {
  for (std::string_view type : {"f16", "bf16", "f32", "fp8e5", "fp8e4nv"})
    for (std::string_view out : {"f16", "f32"})
      for (Shape block : {Shape{64, 64, 32}, {32, 64, 128}})
        for (const char *order : {"rr", "rc", "cr", "cc"})
          for (auto [stages, warps] : {std::pair(1, 4), {3, 8}}) {
            bool isHalved = order[0] == order[1];
            table.add(
                {.group = "test_matmul",
                 .name = fmt::format("{}-{}/{}/{}x{}x{}/s{}/{}", type, out, order, block.m, block.n,
                                     block.k, stages, warps),
                 .source = fillIn(
                     R"(import triton
import triton.language as tl


@triton.jit
def kernel(Z, X, Y, m, n, k, M: tl.constexpr, N: tl.constexpr, K: tl.constexpr, STAGES: tl.constexpr):
    i = tl.program_id(0) * M + tl.arange(0, M)
    j = tl.program_id(1) * N + tl.arange(0, N)
    at = tl.arange(0, K)
    # What lies outside the matrices is computed and not stored.
    x = X + $X
    y = Y + $Y
    total = tl.zeros((M, N), tl.float32)
    for start in tl.range(0, tl.cdiv(k, K), num_stages=STAGES):
        rest = k - start * K
        total += tl.dot(tl.load(x, mask=at[None, :] < rest, other=0.0), tl.load(y, mask=at[:, None] < rest, other=0.0))
        x += K * $XSTEP
        y += K * $YSTEP
$STORE)",
                     {{"XSTEP", order[0] == 'r' ? "1" : "m"},
                      {"YSTEP", order[1] == 'r' ? "n" : "1"},
                      {"X", order[0] == 'r' ? "(i % m)[:, None] * k + at[None, :]"
                                            : "(i % m)[:, None] + at[None, :] * m"},
                      {"Y", order[1] == 'r' ? "at[:, None] * n + (j % n)[None, :]"
                                            : "at[:, None] + (j % n)[None, :] * k"},
                      {"STORE",
                       isHalved
                           ? R"(    halves = tl.permute(tl.reshape(total, (M, 2, N // 2)), (0, 2, 1))
    left, right = tl.split(halves)
    c = tl.program_id(1) * N + tl.arange(0, N // 2)
    p = Z + i[:, None] * n + c[None, :]
    tl.store(p, left.to(Z.dtype.element_ty), mask=(i[:, None] < m) & (c[None, :] < n))
    tl.store(p + N // 2, right.to(Z.dtype.element_ty), mask=(i[:, None] < m) & (c[None, :] + N // 2 < n))
)"
                           : R"(    tl.store(Z + i[:, None] * n + j[None, :], total.to(Z.dtype.element_ty), mask=(i[:, None] < m) & (j[None, :] < n))
)"}}),
                 .arguments = fmt::format("Z=output:{0}[70,66] X=integers:{1}[70,96] "
                                          "Y=integers:{1}[96,66] m=i32:70 n=i32:66 k=i32:96",
                                          out, type),
                 .constexprs =
                     fmt::format("M={} N={} K={} STAGES={}", block.m, block.n, block.k, stages),
                 .numWarps = warps,
                 .grid = {static_cast<uint32_t>((70 + block.m - 1) / block.m),
                          static_cast<uint32_t>((66 + block.n - 1) / block.n), 1}});
          }
}

/// An operand of dot_scaled: its format there, and how its tensor is filled.
struct Format {
  std::string_view name, fill, type;
  int perElement = 1;
};

/// One side scaled, over formats, shapes and the order of both operands in memory. Numbers are
/// small, so that sums are exact.
void addScaledProducts(RowTable &table) {
  constexpr std::array<Format, 3> scaled = {{{"e2m1", "0..256", "u8", 2},
                                             {"e4m3", "integers", "fp8e4nv"},
                                             {"e5m2", "integers", "fp8e5"}}};
  constexpr std::array<Format, 4> plain = {{{"e4m3", "integers", "fp8e4nv"},
                                            {"e5m2", "integers", "fp8e5"},
                                            {"bf16", "integers", "bf16"},
                                            {"fp16", "integers", "f16"}}};
  // Upstream also takes 128: compiling those rows would take longer than all others.
  for (int m : {32, 64})
    for (int n : {32, 64})
      for (int k : {64})
        for (bool isColumnX : {false, true})
          for (bool isColumnY : {false, true})
            for (bool isRightScaled : {false, true})
              for (const Format &mx : scaled)
                for (const Format &normal : plain) {
                  const Format &x = isRightScaled ? normal : mx, &y = isRightScaled ? mx : normal;
                  int xk = k / x.perElement, yk = k / y.perElement;
                  table.add({.group = "test_scaled_dot",
                             .name = fmt::format("{}-{}/{}/{}x{}x{}/{}{}", x.name, y.name,
                                                 isRightScaled ? "right" : "left", m, n, k,
                                                 isColumnX ? 'c' : 'r', isColumnY ? 'c' : 'r'),
                             .source = fillIn(
                                 R"(import triton
import triton.language as tl


@triton.jit
def kernel(Z, X, Y, S, M: tl.constexpr, N: tl.constexpr, XK: tl.constexpr, YK: tl.constexpr, GROUPS: tl.constexpr):
    i = tl.arange(0, M)
    j = tl.arange(0, N)
    x = tl.load(X + $X)
    y = tl.load(Y + $Y)
    s = tl.load(S + $S[:, None] * GROUPS + tl.arange(0, GROUPS)[None, :])
    z = tl.dot_scaled(x, $SX, "$FX", y, $SY, "$FY")
    tl.store(Z + i[:, None] * N + j[None, :], z)
)",
                                 {{"X", isColumnX ? "i[:, None] + tl.arange(0, XK)[None, :] * M"
                                                  : "i[:, None] * XK + tl.arange(0, XK)[None, :]"},
                                  {"Y", isColumnY ? "tl.arange(0, YK)[:, None] + j[None, :] * YK"
                                                  : "tl.arange(0, YK)[:, None] * N + j[None, :]"},
                                  {"S", isRightScaled ? "j" : "i"},
                                  {"SX", isRightScaled ? "None" : "s"},
                                  {"SY", isRightScaled ? "s" : "None"},
                                  {"FX", std::string(x.name)},
                                  {"FY", std::string(y.name)}}),
                             .arguments = fmt::format(
                                 "Z=output:f32[{},{}] X={}:{}[{}] Y={}:{}[{}] S=124..131:u8[{}]", m,
                                 n, x.fill, x.type, m * xk, y.fill, y.type, n * yk,
                                 (isRightScaled ? n : m) * k / 32),
                             .constexprs = fmt::format("M={} N={} XK={} YK={} GROUPS={}", m, n, xk,
                                                       yk, k / 32)});
                }
  // Both sides scaled, an accumulator, and packing along the other dimension.
  for (const Format &x : scaled)
    for (const Format &y : scaled)
      for (const char *extra : {"", ", acc=tl.full((M, N), 3.0, tl.float32)"})
        table.add(
            {.group = "test_scaled_dot",
             .name = fmt::format("both/{}-{}{}", x.name, y.name, *extra ? "/accumulator" : ""),
             .source = fillIn(
                 R"(import triton
import triton.language as tl


@triton.jit
def kernel(Z, X, Y, S, T, M: tl.constexpr, N: tl.constexpr, XK: tl.constexpr, YK: tl.constexpr, GROUPS: tl.constexpr):
    i = tl.arange(0, M)
    j = tl.arange(0, N)
    g = tl.arange(0, GROUPS)
    x = tl.load(X + i[:, None] * XK + tl.arange(0, XK)[None, :])
    y = tl.load(Y + tl.arange(0, YK)[:, None] * N + j[None, :])
    s = tl.load(S + i[:, None] * GROUPS + g[None, :])
    t = tl.load(T + j[:, None] * GROUPS + g[None, :])
    tl.store(Z + i[:, None] * N + j[None, :], tl.dot_scaled(x, s, "$FX", y, t, "$FY"$EXTRA))
)",
                 {{"FX", std::string(x.name)}, {"FY", std::string(y.name)}, {"EXTRA", extra}}),
             .arguments = fmt::format("Z=output:f32[32,64] X={}:{}[{}] Y={}:{}[{}] "
                                      "S=124..131:u8[64] T=124..131:u8[128]",
                                      x.fill, x.type, 32 * 64 / x.perElement, y.fill, y.type,
                                      64 * 64 / y.perElement),
             .constexprs = fmt::format("M=32 N=64 XK={} YK={} GROUPS=2", 64 / x.perElement,
                                       64 / y.perElement),
             .isUpstream = false});
  table.add({.group = "test_scaled_dot",
             .name = "edges-of-scales",
             .source = R"(import triton
import triton.language as tl


@triton.jit
def kernel(Z, X, Y, S, M: tl.constexpr, N: tl.constexpr, K: tl.constexpr):
    i = tl.arange(0, M)
    j = tl.arange(0, N)
    k = tl.arange(0, K)
    x = tl.load(X + i[:, None] * K + k[None, :])
    y = tl.load(Y + k[:, None] * N + j[None, :])
    tl.store(Z + i[:, None] * N + j[None, :], tl.dot_scaled(x, tl.load(S + i[:, None]), "bf16", y, None, "bf16"))
)",
             // 2**-127, 2**-126, 1, 2**127 and NaN.
             .arguments = "Z=output:f32[16,16] X=integers:bf16[512] Y=0..1:bf16[512] "
                          "S=0/1/127/254/255/127/127/127/127/127/127/127/127/127/127/127:u8[16]",
             .constexprs = "M=16 N=16 K=32",
             .rtol = 1e-5,
             .atol = 1e-5,
             .isUpstream = false});
}

} // namespace

void addMatmulsRows(RowTable &table) {
  addLayouts(table);
  addScaledProducts(table);
}

} // namespace inlay::conformance
