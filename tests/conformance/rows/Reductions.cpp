// Reductions and scans. Sums are of small whole numbers where they must be exact whatever the
// order.
#include "tests/conformance/RowTable.h"
#include "tests/conformance/rows/Types.h"

#include <fmt/format.h>

namespace inlay::conformance {
namespace {

constexpr const char *kImports = "import triton\nimport triton.language as tl\n\n\n";
constexpr const char *kReduce1d = R"(@triton.jit
def kernel(Z, X, SIZE: tl.constexpr):
    x = tl.load(X + tl.arange(0, SIZE))
    tl.store(Z, $CALL)
)";
constexpr const char *kReduce2d = R"(@triton.jit
def kernel(Z, X, M: tl.constexpr, N: tl.constexpr, COUNT: tl.constexpr):
    x = tl.load(X + tl.arange(0, M)[:, None] * N + tl.arange(0, N)[None, :])
    z = $CALL
    tl.store(Z + tl.arange(0, COUNT), tl.reshape(z, (COUNT,)))
)";

/// The type that holds a reduction's results exactly.
std::string outOf(std::string_view op, std::string_view type) {
  return op.starts_with("arg") ? "i32" : wideOf(type);
}
/// Sums of narrow floats are rounded at different places in different orders.
double toleranceOf(std::string_view op, std::string_view type, int size) {
  bool isSum = op == "sum" || op == "cumsum";
  return isSum && type == "bf16" ? size / 16.0 : 0;
}

void addOneDimension(RowTable &table) {
  for (const char *op : {"min", "max", "sum", "argmin", "argmax", "xor_sum"})
    for (std::string_view type : kTypes)
      for (int size : {32, 64, 128, 512}) {
        if (std::string_view(op) == "xor_sum" && isFloat(type))
          continue;
        bool isSum = std::string_view(op) == "sum";
        table.add({.group = "test_reduce1d",
                   .name = fmt::format("{}/{}/{}", op, type, size),
                   .source = kImports +
                             fillIn(kReduce1d, {{"CALL", fmt::format("tl.{}(x, axis=0)", op)}}),
                   .arguments = fmt::format("Z=output:{}[1] X={}:{}[{}]", outOf(op, type),
                                            isSum ? "integers" : "finite", type, size),
                   .constexprs = fmt::format("SIZE={}", size),
                   .atol = toleranceOf(op, type, size),
                   .isUpstream = std::string_view(op) != "xor_sum"});
      }
  for (const char *op : {"min", "max"})
    for (std::string_view type : kTypes) {
      for (int size : {32, 64, 128, 512})
        table.add({.group = "test_reduce1d",
                   .name = fmt::format("{}-with-index/{}/{}", op, type, size),
                   .source = kImports + fillIn(R"(@triton.jit
def kernel(Z, I, X, SIZE: tl.constexpr):
    x = tl.load(X + tl.arange(0, SIZE))
    v, i = tl.$OP(x, axis=0, return_indices=True)
    tl.store(Z, v)
    tl.store(I, i)
)",
                                               {{"OP", op}}),
                   .arguments = fmt::format("Z=output:{}[1] I=output:i32[1] X=integers:{}[{}]",
                                            wideOf(type), type, size),
                   .constexprs = fmt::format("SIZE={}", size)});
      table.add(
          {.group = "test_reduce1d",
           .name = fmt::format("{}-nan/{}", op, type),
           .source = kImports + fillIn(kReduce1d, {{"CALL", fmt::format("tl.{}(x, axis=0)", op)}}),
           .arguments = fmt::format("Z=output:{}[1] X=any:{}[256]", wideOf(type), type),
           .constexprs = "SIZE=256",
           .isUpstream = type == "f32"});
    }
  for (const char *type : {"f32", "f64", "f16"})
    for (int size : {1, 2, 256, 4096})
      table.add({.group = "test_reduce1d",
                 .name = fmt::format("sum-random/{}/{}", type, size),
                 .source = kImports + fillIn(kReduce1d, {{"CALL", "tl.sum(x, axis=0)"}}),
                 .arguments = fmt::format("Z=output:{0}[1] X=-1..1:{0}[{1}]", type, size),
                 .constexprs = fmt::format("SIZE={}", size),
                 .rtol = epsilonOf(type),
                 .atol = epsilonOf(type) * size / 4,
                 .isUpstream = false});
}

struct Tile {
  int m, n;
};

void addAxes(RowTable &table) {
  for (const char *op : {"sum", "min", "max", "argmin", "argmax"})
    for (const char *type : {"i8", "i32", "u16", "f16", "f32", "bf16"})
      for (Tile tile : {Tile{32, 32}, {1, 128}, {128, 1}, {4, 64}, {64, 128}})
        for (const char *axis : {"0", "1"})
          for (int warps : {1, 4}) {
            bool isSum = std::string_view(op) == "sum";
            int count = axis[0] == '0' ? tile.n : tile.m;
            table.add(
                {.group = "test_reduce",
                 .name = fmt::format("{}/{}/{}x{}/{}/{}", op, type, tile.m, tile.n, axis, warps),
                 .source = kImports + fillIn(kReduce2d, {{"CALL", fmt::format("tl.{}(x, axis={})",
                                                                              op, axis)}}),
                 .arguments = fmt::format("Z=output:{}[{}] X={}:{}[{},{}]", outOf(op, type), count,
                                          isSum ? "integers" : "finite", type, tile.m, tile.n),
                 .constexprs = fmt::format("M={} N={} COUNT={}", tile.m, tile.n, count),
                 .atol = toleranceOf(op, type, 128),
                 .numWarps = warps,
                 .isUpstream = warps == 4 && tile.m != 64});
          }
  struct Call {
    const char *name, *call;
    int count;
  };
  for (Call c : {Call{"all", "tl.sum(x) + tl.zeros((1,), tl.float32)", 1},
                 {"keep-dims", "tl.sum(x, axis=1, keep_dims=True)", 32},
                 {"keep-all", "tl.max(x, keep_dims=True)", 1},
                 {"chained", "tl.sum(tl.sum(x, axis=1), axis=0) + tl.zeros((1,), tl.float32)", 1},
                 {"of-difference", "tl.sum(x - tl.max(x, axis=1, keep_dims=True), axis=0)", 64},
                 {"negative-axis", "tl.min(x, axis=-1)", 32},
                 {"three-dimensions", "tl.sum(tl.reshape(x, (4, 8, 64)), axis=1)", 256},
                 {"outer-of-three", "tl.max(tl.reshape(x, (4, 8, 64)), axis=0)", 512},
                 {"transposed", "tl.sum(tl.trans(x), axis=0)", 32},
                 {"method", "x.sum(axis=1) * x.max(axis=1)", 32}})
    for (int warps : {1, 4, 8})
      table.add({.group = "test_reduce",
                 .name = fmt::format("{}/{}", c.name, warps),
                 .source = kImports + fillIn(kReduce2d, {{"CALL", c.call}}),
                 .arguments = fmt::format("Z=output:f32[{}] X=integers:f32[32,64]", c.count),
                 .constexprs = fmt::format("M=32 N=64 COUNT={}", c.count),
                 .numWarps = warps});
  for (const char *type : {"i8", "i16", "u8", "f16", "bf16"})
    table.add({.group = "test_reduce",
               .name = fmt::format("sum-dtype/{}", type),
               .source = kImports +
                         fillIn(kReduce1d, {{"CALL", fmt::format("tl.sum(x, axis=0, dtype={})",
                                                                 type[0] == 'i' || type[0] == 'u'
                                                                     ? "tl.int64"
                                                                     : "tl.float32")}}),
               .arguments = fmt::format("Z=output:{}[1] X=-100..100:{}[256]", wideOf(type),
                                        std::string_view(type) == "u8" ? "i8" : type),
               .constexprs = "SIZE=256",
               .rtol = 1e-5,
               .atol = 1e-3});
}

void addGenericReductions(RowTable &table) {
  for (int warps : {1, 4}) {
    table.add({.group = "test_reduce",
               .name = fmt::format("generic/{}", warps),
               .source = std::string(kImports) + R"(@triton.jit
def merged(mean_a, m2_a, weight_a, mean_b, m2_b, weight_b):
    delta = mean_b - mean_a
    weight = weight_a + weight_b
    share = weight_b / weight
    return mean_a + delta * share, m2_a + m2_b + delta * delta * weight_a * share, weight


@triton.jit
def kernel(Z, X, SIZE: tl.constexpr):
    x = tl.load(X + tl.arange(0, SIZE))
    mean, m2, weight = tl.reduce((x, tl.zeros_like(x), tl.full((SIZE,), 1.0, tl.float32)), 0, merged)
    tl.store(Z, mean)
    tl.store(Z + 1, m2)
    tl.store(Z + 2, weight)
)",
               .arguments = "Z=output:f32[3] X=-3..3:f32[512]",
               .constexprs = "SIZE=512",
               .rtol = 1e-5,
               .atol = 1e-5,
               .numWarps = warps});
    table.add({.group = "test_reduce",
               .name = fmt::format("order/{}", warps),
               .source = std::string(kImports) + R"(@triton.jit
def composed(a, b, c, d):
    # (x -> a x + b) then (x -> c x + d): associative and not commutative.
    return a * c, b * c + d


@triton.jit
def kernel(Z, X, Y, M: tl.constexpr, N: tl.constexpr):
    at = tl.arange(0, M)[:, None] * N + tl.arange(0, N)[None, :]
    p, q = tl.reduce((tl.load(X + at), tl.load(Y + at)), 1, composed)
    tl.store(Z + tl.arange(0, M), p)
    tl.store(Z + M + tl.arange(0, M), q)
)",
               .arguments = "Z=output:i32[32] X=integers:i32[16,64] Y=integers:i32[16,64]",
               .constexprs = "M=16 N=64",
               .numWarps = warps,
               .isUpstream = false});
  }
  for (const char *shape : {"softmax", "tl.softmax"})
    table.add({.group = "test_reduce",
               .name = fmt::format("{}", shape),
               .source = std::string(kImports) +
                         fillIn(R"(@triton.jit
def softmax(x):
    e = tl.exp(x - tl.max(x, axis=1)[:, None])
    return e / tl.sum(e, axis=1)[:, None]


@triton.jit
def kernel(Z, X, M: tl.constexpr, N: tl.constexpr):
    at = tl.arange(0, M)[:, None] * N + tl.arange(0, N)[None, :]
    tl.store(Z + at, $CALL(tl.load(X + at)$MORE))
)",
                                {{"CALL", shape},
                                 {"MORE", shape[0] == 't' ? ", dim=1, keep_dims=True" : ""}}),
               .arguments = "Z=output:f32[16,128] X=-8..8:f32[16,128]",
               .constexprs = "M=16 N=128",
               .rtol = 1e-5,
               .isUpstream = false});
}

constexpr const char *kScan2d = R"($HELPERS@triton.jit
def kernel(Z, X, M: tl.constexpr, N: tl.constexpr):
    at = tl.arange(0, M)[:, None] * N + tl.arange(0, N)[None, :]
    x = tl.load(X + at)
    tl.store(Z + at, $CALL)
)";
constexpr const char *kLastNonzero = R"(@triton.jit
def last_nonzero(a, b):
    return tl.where(b != 0, b, a)


)";

void addScans(RowTable &table) {
  for (const char *op : {"cumsum", "cumprod", "last-nonzero"})
    for (const char *type : {"i8", "i16", "i32", "i64", "u8", "f16", "bf16", "f32", "f64"})
      for (Tile tile : {Tile{8, 32}, {16, 32}, {32, 16}, {2, 1024}, {1024, 2}, {32, 32}, {1, 1024}})
        for (int axis : {0, 1})
          for (const char *reverse : {"False", "True"})
            for (int warps : {1, 4, 8}) {
              bool isProduct = std::string_view(op) == "cumprod",
                   isSum = std::string_view(op) == "cumsum";
              if (isProduct && (tile.m * tile.n > 600 || std::string_view(type) == "bf16"))
                continue;
              std::string call =
                  isSum || isProduct
                      ? fmt::format("tl.{}(x, axis={}, reverse={})", op, axis, reverse)
                      : fmt::format("tl.associative_scan(x, {}, last_nonzero, reverse={})", axis,
                                    reverse);
              std::string_view fill = isProduct && isFloat(type) ? "0.8..1.25" : "integers";
              double epsilon = isProduct && isFloat(type) ? epsilonOf(type) * 40 : 0;
              table.add(
                  {.group = "test_scan",
                   .name = fmt::format("{}/{}/{}x{}/{}{}/{}", op, type, tile.m, tile.n, axis,
                                       reverse[0] == 'T' ? "r" : "", warps),
                   .source = kImports +
                             fillIn(kScan2d, {{"CALL", call},
                                              {"HELPERS", isSum || isProduct ? "" : kLastNonzero}}),
                   .arguments = fmt::format("Z=output:{0}[{1},{2}] X={3}:{4}[{1},{2}]",
                                            wideOf(type), tile.m, tile.n, fill, type),
                   .constexprs = fmt::format("M={} N={}", tile.m, tile.n),
                   .rtol = epsilon,
                   .atol = isSum && std::string_view(type) == "bf16"  ? 0
                           : isSum && std::string_view(type) == "f16" ? 4
                                                                      : epsilon,
                   .numWarps = warps});
            }
  for (const char *reverse : {"False", "True"})
    for (int warps : {1, 4})
      for (int size : {32, 128, 1024})
        table.add({.group = "test_scan",
                   .name = fmt::format("recurrence/{}/{}/{}", size, reverse, warps),
                   .source = kImports + fillIn(R"(@triton.jit
def composed(a, b, c, d):
    return a * c, b * c + d


@triton.jit
def kernel(Z, X, Y, SIZE: tl.constexpr):
    at = tl.arange(0, SIZE)
    p, q = tl.associative_scan((tl.load(X + at), tl.load(Y + at)), 0, composed, reverse=$REVERSE)
    tl.store(Z + at, q + p)
)",
                                               {{"REVERSE", reverse}}),
                   .arguments = fmt::format(
                       "Z=output:i32[{0}] X=integers:i32[{0}] Y=integers:i32[{0}]", size),
                   .constexprs = fmt::format("SIZE={}", size),
                   .numWarps = warps});
}

void addHistograms(RowTable &table) {
  for (auto [size, bins] : {std::pair(32, 32),
                            {2048, 2},
                            {1024, 8},
                            {1024, 128},
                            {256, 512},
                            {32, 512},
                            {8, 512},
                            {8, 2},
                            {256, 256}})
    for (int warps : {1, 4})
      table.add({.group = "test_histogram",
                 .name = fmt::format("{}/{}/{}", size, bins, warps),
                 .source = kImports + std::string(R"(@triton.jit
def kernel(Z, X, SIZE: tl.constexpr, BINS: tl.constexpr):
    x = tl.load(X + tl.arange(0, SIZE))
    tl.store(Z + tl.arange(0, BINS), tl.histogram(x, BINS))
)"),
                 .arguments = fmt::format("Z=output:i32[{0}] X=0..{0}:i32[{1}]", bins, size),
                 .constexprs = fmt::format("SIZE={} BINS={}", size, bins),
                 .numWarps = warps,
                 .isUpstream = warps == 4});
  table.add({.group = "test_histogram",
             .name = "masked",
             .source = kImports + std::string(R"(@triton.jit
def kernel(Z, X, n, SIZE: tl.constexpr, BINS: tl.constexpr):
    at = tl.arange(0, SIZE)
    x = tl.load(X + at)
    tl.store(Z + tl.arange(0, BINS), x.histogram(BINS, mask=at < n))
)"),
             .arguments = "Z=output:i32[16] X=0..16:i32[512] n=i32:300",
             .constexprs = "SIZE=512 BINS=16"});
}

/// A maximum along the dimension in whose direction memory is contiguous, of rows that wrap around
/// and are in part replaced: conditions cut the loop of vectors in two.
void addWrappedRows(RowTable &table) {
  for (int n : {5, 63, 64, 100})
    table.add({.group = "test_reduce",
               .name = fmt::format("wrapped-rows/{}", n),
               .source = kImports + std::string(R"(@triton.jit
def kernel(Z, X, n):
    last = n % 64
    row = tl.arange(0, 64)
    column = tl.arange(0, 32)
    from_row = ((n // 64 % 2) * 64 + 64 + row) % 128
    newest = tl.load(X + last * 64 + (64 + column) * 64)
    kept = tl.load(X + from_row[:, None] + column[None, :] * 64)
    all = tl.where((row == last)[:, None], newest[None, :], kept)
    valid = tl.where((row <= last)[:, None], all, -1e30)
    tl.store(Z + column, tl.max(valid, 0))
)"),
               .arguments = fmt::format("Z=output:f32[32] X=-4..4:f32[16384] n=i32:{}", n),
               .constexprs = ""});
}

/// The bits of all elements along an axis together.
void addBits(RowTable &table) {
  for (const char *op : {"reduce_or", "xor_sum"})
    for (std::string_view type : kIntegerTypes)
      for (Tile tile : {Tile{32, 16}, {4, 128}})
        for (int axis : {0, 1})
          for (int warps : {1, 4})
            table.add(
                {.group = "test_reduce",
                 .name = fmt::format("{}/{}/{}x{}/{}/{}", op, type, tile.m, tile.n, axis, warps),
                 .source = kImports +
                           fillIn(kReduce2d, {{"CALL", fmt::format("tl.{}(x, {})", op, axis)}}),
                 .arguments = fmt::format("Z=output:i64[{}] X=any:{}[{},{}]",
                                          axis == 0 ? tile.n : tile.m, type, tile.m, tile.n),
                 .constexprs =
                     fmt::format("M={} N={} COUNT={}", tile.m, tile.n, axis == 0 ? tile.n : tile.m),
                 .numWarps = warps,
                 .isUpstream = false});
}

} // namespace

void addReductionsRows(RowTable &table) {
  addWrappedRows(table);
  addOneDimension(table);
  addAxes(table);
  addGenericReductions(table);
  addBits(table);
  addScans(table);
  addHistograms(table);
}

} // namespace inlay::conformance
