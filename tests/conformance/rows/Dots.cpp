// Matrix products. Operands are small whole numbers where results must be exact in every order.
#include "tests/conformance/RowTable.h"
#include "tests/conformance/rows/Types.h"

#include <fmt/format.h>

namespace inlay::conformance {
namespace {

constexpr const char *kDot = R"(import triton
import triton.language as tl


@triton.jit
def kernel(Z, X, Y, M: tl.constexpr, N: tl.constexpr, K: tl.constexpr):
    i = tl.arange(0, M)
    j = tl.arange(0, N)
    k = tl.arange(0, K)
    x = tl.load(X + $X)
    y = tl.load(Y + $Y)
    z = tl.dot(x, y$OPTIONS)
$EPILOGUE    tl.store(Z + i[:, None] * N + j[None, :], z)
)";

struct Shape {
  int m, n, k;
};
struct Types {
  const char *operand, *out;
};

/// What a row of a product may vary.
struct Product {
  std::string name;
  Types types;
  Shape shape;
  int warps = 4;
  bool isTransposedX = false, isTransposedY = false;
  std::string options = "", epilogue = "", fill = "integers";
  double rtol = 0, atol = 0;
  bool isUpstream = true;
};

void addProduct(RowTable &table, const Product &p) {
  auto [m, n, k] = p.shape;
  table.add(
      {.group = "test_dot",
       .name = fmt::format("{}/{}-{}/{}x{}x{}/{}{}{}", p.name, p.types.operand, p.types.out, m, n,
                           k, p.warps, p.isTransposedX ? "/xt" : "", p.isTransposedY ? "/yt" : ""),
       .source = fillIn(
           kDot,
           {{"X", p.isTransposedX ? "i[:, None] + k[None, :] * M" : "i[:, None] * K + k[None, :]"},
            {"Y", p.isTransposedY ? "k[:, None] + j[None, :] * K" : "k[:, None] * N + j[None, :]"},
            {"OPTIONS", p.options},
            {"EPILOGUE", p.epilogue}}),
       .arguments = fmt::format("Z=output:{}[{},{}] X={}:{}[{}] Y={}:{}[{}]", p.types.out, m, n,
                                p.fill, p.types.operand, m * k, p.fill, p.types.operand, k * n),
       .constexprs = fmt::format("M={} N={} K={}", m, n, k),
       .rtol = p.rtol,
       .atol = p.atol,
       .numWarps = p.warps,
       .isUpstream = p.isUpstream});
}

void addTypesAndShapes(RowTable &table) {
  for (Types types : {Types{"f16", "f32"},
                      {"bf16", "f32"},
                      {"f32", "f32"},
                      {"i8", "i32"},
                      {"f64", "f64"},
                      {"fp8e5", "f32"},
                      {"fp8e4nv", "f32"},
                      {"f16", "f16"}})
    for (Shape shape : {Shape{16, 16, 32},
                        {32, 32, 32},
                        {64, 64, 64},
                        {128, 128, 32},
                        {128, 64, 32},
                        {32, 128, 64},
                        {64, 32, 128},
                        {1, 64, 64},
                        {2, 32, 32},
                        {4, 16, 64},
                        {8, 8, 32},
                        {64, 1, 32},
                        {32, 2, 64},
                        {16, 8, 32},
                        {16, 256, 32}})
      for (int warps : {1, 2, 4, 8})
        addProduct(table,
                   {.name = "plain",
                    .types = types,
                    .shape = shape,
                    .warps = warps,
                    .options = std::string_view(types.out) == "f16"   ? ", out_dtype=tl.float16"
                               : std::string_view(types.out) == "f64" ? ", out_dtype=tl.float64"
                                                                      : ""});
  for (Types types : {Types{"f16", "f32"}, {"f32", "f32"}, {"i8", "i32"}, {"bf16", "f32"}})
    for (bool x : {false, true})
      for (bool y : {false, true})
        for (Shape shape : {Shape{64, 64, 64}, {32, 128, 32}, {128, 32, 64}})
          for (int warps : {2, 4})
            addProduct(table, {.name = "trans",
                               .types = types,
                               .shape = shape,
                               .warps = warps,
                               .isTransposedX = x,
                               .isTransposedY = y});
}

void addPrecisions(RowTable &table) {
  for (auto [precision, rtol] : {std::pair("tf32", 3e-3),
                                 {"tf32x3", 3e-6},
                                 {"ieee", 2e-6},
                                 {"bf16x3", 1e-4},
                                 {"bf16x6", 5e-6}})
    for (Shape shape : {Shape{32, 32, 32}, {64, 64, 64}, {128, 64, 32}, {16, 16, 128}})
      addProduct(table, {.name = precision,
                         .types = {"f32", "f32"},
                         .shape = shape,
                         .options = fmt::format(", input_precision='{}'", precision),
                         .fill = "-1..1",
                         .rtol = rtol,
                         .atol = rtol * 4});
  addProduct(table, {.name = "no-tf32",
                     .types = {"f32", "f32"},
                     .shape = {32, 64, 32},
                     .options = ", allow_tf32=False",
                     .fill = "-1..1",
                     .rtol = 2e-6,
                     .atol = 8e-6});
  for (Types types :
       {Types{"f16", "f32"}, {"bf16", "f32"}, {"f64", "f64"}, {"fp8e5", "f32"}, {"fp8e4nv", "f32"}})
    addProduct(table,
               {.name = "random",
                .types = types,
                .shape = {64, 64, 64},
                .options = std::string_view(types.out) == "f64" ? ", out_dtype=tl.float64" : "",
                .fill = "-1..1",
                .rtol = 2e-5,
                .atol = 3e-5,
                .isUpstream = false});
  for (int imprecise : {0, 32, 64, 128})
    for (const char *type : {"fp8e5", "fp8e4nv"})
      addProduct(table, {.name = fmt::format("imprecise-{}", imprecise),
                         .types = {type, "f32"},
                         .shape = {64, 64, 128},
                         .options = fmt::format(", max_num_imprecise_acc={}", imprecise)});
}

void addEpilogues(RowTable &table) {
  struct Epilogue {
    const char *name, *text;
  };
  for (Epilogue e :
       {Epilogue{"add-matrix",
                 "    z += tl.load(X + i[:, None]).to(z.dtype) + tl.zeros((M, N), z.dtype)\n"},
        {"add-rows", "    z += tl.load(X + i).to(z.dtype)[:, None]\n"},
        {"add-columns", "    z += tl.load(Y + j).to(z.dtype)[None, :]\n"},
        {"reduce", "    z = z - tl.max(z, 1)[:, None]\n"},
        {"softmax", "    z = tl.exp((z - tl.max(z, 1)[:, None]) * 0.125)\n    z = z / tl.sum(z, "
                    "1)[:, None]\n"},
        {"chain", "    z = tl.dot((z * 0.125).to(x.dtype), tl.trans(z * 0.125).to(x.dtype)) if M "
                  "== N else z\n"},
        {"trans", "    z = tl.trans(tl.trans(z))\n"},
        {"relu", "    z = tl.where(z > 0, z, z * 0.5)\n"}})
    for (Types types : {Types{"f16", "f32"}, {"f32", "f32"}, {"bf16", "f32"}})
      for (Shape shape : {Shape{64, 64, 32}, {128, 128, 32}, {32, 64, 64}})
        for (int warps : {4, 8}) {
          bool isChain = std::string_view(e.name) == "chain",
               isSoftmax = std::string_view(e.name) == "softmax";
          addProduct(table, {.name = e.name,
                             .types = types,
                             .shape = shape,
                             .warps = warps,
                             .epilogue = e.text,
                             .rtol = isSoftmax ? 1e-5
                                     : isChain ? 1e-2
                                               : 0,
                             .atol = isSoftmax ? 1e-6
                                     : isChain ? 2
                                               : 0});
        }
  for (Types types : {Types{"f16", "f32"}, {"i8", "i32"}, {"f32", "f32"}})
    addProduct(table, {.name = "accumulator",
                       .types = types,
                       .shape = {64, 64, 64},
                       .options = std::string(", acc=tl.full((M, N), 7, ") +
                                  (types.operand[0] == 'i' ? "tl.int32" : "tl.float32") + ")" +
                                  (types.operand[0] == 'i' ? ", out_dtype=tl.int32" : "")});
  table.add({.group = "test_dot",
             .name = "without-load",
             .source = R"(import triton
import triton.language as tl


@triton.jit
def kernel(Z, SIZE: tl.constexpr):
    a = tl.full((SIZE, SIZE), 1.0, tl.float16)
    b = (tl.arange(0, SIZE)[:, None] + tl.arange(0, SIZE)[None, :] % 3).to(tl.float16)
    tl.store(Z + tl.arange(0, SIZE)[:, None] * SIZE + tl.arange(0, SIZE)[None, :], tl.dot(a, b))
)",
             .arguments = "Z=output:f32[32,32]",
             .constexprs = "SIZE=32"});
}

void addBatches(RowTable &table) {
  for (int batch : {1, 2, 4, 8})
    for (Types types : {Types{"f16", "f32"}, {"f32", "f32"}, {"i8", "i32"}})
      for (Shape shape : {Shape{32, 32, 32}, {64, 32, 32}, {16, 64, 32}, {64, 64, 64}})
        for (int warps : {1, 4, 8})
          table.add(
              {.group = "test_dot3d",
               .name = fmt::format("{}/{}/{}x{}x{}/{}", batch, types.operand, shape.m, shape.n,
                                   shape.k, warps),
               .source = R"(import triton
import triton.language as tl


@triton.jit
def kernel(Z, X, Y, B: tl.constexpr, M: tl.constexpr, N: tl.constexpr, K: tl.constexpr):
    b = tl.arange(0, B)[:, None, None]
    x = tl.load(X + b * M * K + tl.arange(0, M)[None, :, None] * K + tl.arange(0, K)[None, None, :])
    y = tl.load(Y + b * K * N + tl.arange(0, K)[None, :, None] * N + tl.arange(0, N)[None, None, :])
    tl.store(Z + b * M * N + tl.arange(0, M)[None, :, None] * N + tl.arange(0, N)[None, None, :], tl.dot(x, y))
)",
               .arguments =
                   fmt::format("Z=output:{}[{}] X=integers:{}[{}] Y=integers:{}[{}]", types.out,
                               batch * shape.m * shape.n, types.operand, batch * shape.m * shape.k,
                               types.operand, batch * shape.k * shape.n),
               .constexprs = fmt::format("B={} M={} N={} K={}", batch, shape.m, shape.n, shape.k),
               .numWarps = warps});
}

/// The tutorial's loop over K with masks, on sizes that are no multiples of the blocks.
void addMatmuls(RowTable &table) {
  for (Types types :
       {Types{"f16", "f32"}, {"bf16", "f32"}, {"f32", "f32"}, {"i8", "i32"}, {"fp8e5", "f32"}})
    for (Shape size : {Shape{64, 64, 128}, {100, 70, 90}, {33, 129, 64}, {128, 128, 256}})
      for (Shape block : {Shape{32, 32, 32}, {64, 64, 32}, {32, 64, 64}, {128, 64, 32}})
        for (int stages : {1, 3})
          for (int warps : {4, 8})
            table.add(
                {.group = "test_matmul",
                 .name = fmt::format("{}/{}x{}x{}/{}x{}x{}/s{}/{}", types.operand, size.m, size.n,
                                     size.k, block.m, block.n, block.k, stages, warps),
                 .source = R"(import triton
import triton.language as tl


@triton.jit
def kernel(Z, X, Y, m, n, k, M: tl.constexpr, N: tl.constexpr, K: tl.constexpr, STAGES: tl.constexpr, KIND: tl.constexpr):
    i = tl.program_id(0) * M + tl.arange(0, M)
    j = tl.program_id(1) * N + tl.arange(0, N)
    total = tl.zeros((M, N), KIND)
    for start in tl.range(0, k, K, num_stages=STAGES):
        at = start + tl.arange(0, K)
        x = tl.load(X + i[:, None] * k + at[None, :], mask=(i[:, None] < m) & (at[None, :] < k), other=0.0)
        y = tl.load(Y + at[:, None] * n + j[None, :], mask=(at[:, None] < k) & (j[None, :] < n), other=0.0)
        total = tl.dot(x, y, total, out_dtype=KIND)
    tl.store(Z + i[:, None] * n + j[None, :], total, mask=(i[:, None] < m) & (j[None, :] < n))
)",
                 .arguments = fmt::format("Z=output:{}[{},{}] X=integers:{}[{},{}] "
                                          "Y=integers:{}[{},{}] m=i32:{} n=i32:{} k=i32:{}",
                                          types.out, size.m, size.n, types.operand, size.m, size.k,
                                          types.operand, size.k, size.n, size.m, size.n, size.k),
                 .constexprs =
                     fmt::format("M={} N={} K={} STAGES={} KIND={}", block.m, block.n, block.k,
                                 stages, types.out[0] == 'i' ? "tl.int32" : "tl.float32"),
                 .numWarps = warps,
                 .grid = {static_cast<uint32_t>((size.m + block.m - 1) / block.m),
                          static_cast<uint32_t>((size.n + block.n - 1) / block.n), 1}});
  for (int stages : {1, 2, 3, 4, 5})
    for (const char *type : {"f32", "f16"})
      table.add(
          {.group = "test_pipeliner",
           .name = fmt::format("sum/{}/{}", stages, type),
           .source = R"(import triton
import triton.language as tl


@triton.jit
def kernel(Z, X, rows, SIZE: tl.constexpr, STAGES: tl.constexpr):
    j = tl.arange(0, SIZE)
    total = tl.zeros((SIZE,), tl.float32)
    for i in tl.range(0, rows, num_stages=STAGES):
        total += tl.load(X + i * SIZE + j).to(tl.float32)
    tl.store(Z + j, total)
)",
           .arguments = fmt::format("Z=output:f32[256] X=integers:{}[13,256] rows=i32:13", type),
           .constexprs = fmt::format("SIZE=256 STAGES={}", stages)});
}

/// Two sums that both shrink in each iteration are in flight from one to the next.
constexpr const char *kTwoSums = R"(import triton
import triton.language as tl


@triton.jit
def kernel(o, p, q, k, v, w, n, M: tl.constexpr, N: tl.constexpr, D: tl.constexpr):
    i = tl.arange(0, M)
    j = tl.arange(0, N)
    d = tl.arange(0, D)
    queries = tl.load(q + i[:, None] * D + d[None, :])
    first = tl.zeros([M, D], tl.float32)
    second = tl.zeros([M, D], tl.float32)
    for start in range(0, n, N):
        keys = tl.load(k + (start + j)[None, :] * D + d[:, None])
        values = tl.load(v + (start + j)[:, None] * D + d[None, :])
        others = tl.load(w + (start + j)[:, None] * D + d[None, :])
        shares = (tl.dot(queries, keys) * 0.25).to(tl.float16)
        first = tl.dot(shares, values, first * 0.5)
        second = tl.dot(shares, others, second * 0.25)
    tl.store(o + i[:, None] * D + d[None, :], first)
    tl.store(p + i[:, None] * D + d[None, :], second)
)";

} // namespace

void addDotsRows(RowTable &table) {
  addTypesAndShapes(table);
  addPrecisions(table);
  addEpilogues(table);
  addBatches(table);
  addMatmuls(table);
  for (int n : {64, 256})
    table.add({.group = "fuzz",
               .name = fmt::format("two-shrinking-sums/{}", n),
               .source = kTwoSums,
               .arguments = fmt::format("o=output:f32[64,64] p=output:f32[64,64] "
                                        "q=integers:f16[64,64] k=integers:f16[256,64] "
                                        "v=integers:f16[256,64] w=integers:f16[256,64] n=i32:{}",
                                        n),
               .constexprs = "M=64 N=64 D=64",
               .rtol = 1e-6,
               .atol = 1e-3,
               .isUpstream = false});
}

} // namespace inlay::conformance
