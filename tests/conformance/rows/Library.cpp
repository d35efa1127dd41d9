// What the language offers as functions of its own library: sorting, random numbers, block
// pointers, descriptors.
#include "tests/conformance/RowTable.h"
#include "tests/conformance/rows/Types.h"

#include <fmt/format.h>

namespace inlay::conformance {
namespace {

constexpr const char *kImports = "import triton\nimport triton.language as tl\n\n\n";
constexpr const char *kTile = R"(@triton.jit
def kernel(Z, X, M: tl.constexpr, N: tl.constexpr, COUNT: tl.constexpr):
    x = tl.load(X + tl.arange(0, M)[:, None] * N + tl.arange(0, N)[None, :])
    tl.store(Z + tl.arange(0, COUNT), tl.reshape($CALL, (COUNT,)))
)";

void addSorts(RowTable &table) {
  auto add = [&](const std::string &name, const std::string &call, const char *type, int m, int n,
                 int count, bool isUpstream = true) {
    table.add(
        {.group = "test_standard",
         .name = fmt::format("{}/{}/{}x{}", name, type, m, n),
         .source = kImports + fillIn(kTile, {{"CALL", call}}),
         .arguments = fmt::format("Z=output:{0}[{1}] X=finite:{0}[{2},{3}]", type, count, m, n),
         .constexprs = fmt::format("M={} N={} COUNT={}", m, n, count),
         .isUpstream = isUpstream});
  };
  for (const char *type : {"i32", "f16", "f32", "bf16", "i8"})
    for (auto [m, n] : {std::pair(1, 512), {8, 64}, {256, 16}, {4, 8}}) {
      add("sort", "tl.sort(x)", type, m, n, m * n);
      add("sort-descending", "tl.sort(x, descending=True)", type, m, n, m * n);
      if (n >= 8)
        add("topk", "tl.topk(x, 8)", type, m, n, m * 8);
      add("flip", "tl.flip(x, 1)", type, m, n, m * n);
      add("flip0", "tl.flip(x, 0)", type, m, n, m * n);
      add("ravel", "tl.ravel(x)", type, m, n, m * n, false);
    }
  table.add({.group = "test_standard",
             .name = "swizzle2d",
             .source = std::string(kImports) + R"(@triton.jit
def kernel(Z, M: tl.constexpr, N: tl.constexpr, G: tl.constexpr):
    for i in tl.range(0, M, 1):
        for j in tl.range(0, N, 1):
            a, b = tl.swizzle2d(i, j, M, N, G)
            tl.store(Z + a * N + b, i * N + j)
)",
             .arguments = "Z=output:i32[5,7]",
             .constexprs = "M=5 N=7 G=3"});
}

void addRandomNumbers(RowTable &table) {
  struct Call {
    const char *name, *call, *out;
    double atol;
  };
  for (Call c : {Call{"randint", "tl.randint(seed, at)", "u32", 0},
                 {"rand", "tl.rand(seed, at)", "f32", 0},
                 {"randn", "tl.randn(seed, at)", "f32", 3e-6},
                 {"rand4x", "tl.rand4x(seed, at)[2]", "f32", 0},
                 {"randint4x", "tl.randint4x(seed, at)[3]", "u32", 0},
                 {"randn4x", "tl.randn4x(seed, at)[1]", "f32", 3e-6},
                 {"rounds", "tl.randint(seed, at, n_rounds=6)", "u32", 0},
                 {"philox", "tl.philox(seed, at, at * 3, 0, 7)[0]", "u32", 0}})
    for (const char *seed :
         {"i32:0", "i32:42", "i32:-5", "i64:4294967296123", "u64:9007199254740991"})
      for (const char *kind : {"tl.int32", "tl.int64"}) {
        if (std::string_view(c.name) == "philox" && std::string_view(kind) == "tl.int64")
          continue;
        table.add({.group = "test_random",
                   .name = fmt::format("{}/{}/{}", c.name, seed, kind + 3),
                   .source = kImports +
                             fillIn(R"(@triton.jit
def kernel(Z, seed, SIZE: tl.constexpr):
    i = tl.program_id(0) * SIZE + tl.arange(0, SIZE)
    at = i.to($KIND)
    value = $CALL
    tl.store(Z + i, value)
)",
                                    {{"CALL", c.call},
                                     {"KIND",
                                      std::string_view(c.name) == "philox" ? "tl.uint32" : kind}}),
                   .arguments = fmt::format("Z=output:{}[512] seed={}", c.out, seed),
                   .constexprs = "SIZE=256",
                   .atol = c.atol,
                   .grid = {2, 1, 1}});
      }
}

void addBlockPointers(RowTable &table) {
  for (const char *type : {"f32", "f16", "i16", "bf16"})
    for (const char *check : {"(0, 1)", "(0,)", "(1,)"})
      for (const char *padding : {"zero", "nan"})
        for (int warps : {1, 4}) {
          bool isNan = padding[0] == 'n';
          if (isNan && !isFloat(type))
            continue;
          int rows = check[1] == '0' ? 37 : 64,
              columns = std::string_view(check) == "(0,)" ? 64 : 41;
          std::string name = check;
          for (char &c : name)
            c = c == '0' || c == '1' ? c : '-';
          table.add({.group = "test_block_pointer",
                     .name = fmt::format("{}/{}/{}/{}", type, name, padding, warps),
                     .source = kImports + fillIn(R"(@triton.jit
def kernel(Z, X, rows, columns, M: tl.constexpr, N: tl.constexpr):
    x = tl.make_block_ptr(X, (rows, columns), (columns, 1), (tl.program_id(0) * M, 0), (M, N), (1, 0))
    z = tl.make_block_ptr(Z, (64, 64), (64, 1), (tl.program_id(0) * M, 0), (M, N), (1, 0))
    for j in range(0, 64, N):
        tl.store(z, tl.load(x, boundary_check=$CHECK, padding_option="$PADDING"))
        x = tl.advance(x, (0, N))
        z = tl.advance(z, (0, N))
)",
                                                 {{"CHECK", check}, {"PADDING", padding}}),
                     .arguments = fmt::format(
                         "Z=output:{0}[64,64] X=finite:{0}[{1},{2}] rows=i32:{1} columns=i32:{2}",
                         type, rows, columns),
                     .constexprs = "M=32 N=16",
                     .numWarps = warps,
                     .grid = {2, 1, 1}});
        }
  table.add({.group = "test_block_pointer",
             .name = "matmul",
             .source = std::string(kImports) + R"(@triton.jit
def kernel(Z, X, Y, m, n, k, M: tl.constexpr, N: tl.constexpr, K: tl.constexpr):
    x = tl.make_block_ptr(X, (m, k), (k, 1), (tl.program_id(0) * M, 0), (M, K), (1, 0))
    y = tl.make_block_ptr(Y, (k, n), (n, 1), (0, tl.program_id(1) * N), (K, N), (1, 0))
    total = tl.zeros((M, N), tl.float32)
    for _ in range(0, k, K):
        total += tl.dot(tl.load(x, boundary_check=(0, 1)), tl.load(y, boundary_check=(0, 1)))
        x = x.advance((0, K))
        y = y.advance((K, 0))
    z = tl.make_block_ptr(Z, (m, n), (n, 1), (tl.program_id(0) * M, tl.program_id(1) * N), (M, N), (1, 0))
    tl.store(z, total, boundary_check=(0, 1))
)",
             .arguments = "Z=output:f32[50,70] X=integers:f16[50,90] Y=integers:f16[90,70] "
                          "m=i32:50 n=i32:70 k=i32:90",
             .constexprs = "M=32 N=32 K=32",
             .grid = {2, 3, 1}});
  table.add({.group = "test_block_pointer",
             .name = "transposed",
             .source = std::string(kImports) + R"(@triton.jit
def kernel(Z, X, M: tl.constexpr, N: tl.constexpr):
    x = tl.make_block_ptr(X, (M, N), (1, M), (0, 0), (M, N), (0, 1))
    tl.store(tl.make_block_ptr(Z, (M, N), (N, 1), (0, 0), (M, N), (1, 0)), tl.load(x) + 1)
)",
             .arguments = "Z=output:f32[32,64] X=any:f32[32,64]",
             .constexprs = "M=32 N=64"});
}

void addDescriptors(RowTable &table) {
  for (const char *type : {"f16", "f32", "i32", "bf16", "i8", "fp8e5"})
    for (auto [m, n] : {std::pair(8, 32), {32, 16}, {64, 64}})
      for (int warps : {1, 4})
        table.add({.group = "test_tensor_descriptor",
                   .name = fmt::format("copy/{}/{}x{}/{}", type, m, n, warps),
                   .source = std::string(kImports) + R"(@triton.jit
def kernel(Z, X, rows, columns, stride, M: tl.constexpr, N: tl.constexpr):
    x = tl.make_tensor_descriptor(X, shape=[rows, columns], strides=[stride, 1], block_shape=[M, N])
    z = tl.make_tensor_descriptor(Z, shape=[rows, columns], strides=[stride, 1], block_shape=[M, N])
    i = tl.program_id(0) * M
    j = tl.program_id(1) * N
    z.store([i, j], x.load([i, j]))
)",
                   .arguments = fmt::format("Z=output:{0}[50,128] X=integers:{0}[50,128] "
                                            "rows=i32:50 columns=i32:100 stride=i32:128",
                                            type),
                   .constexprs = fmt::format("M={} N={}", m, n),
                   .numWarps = warps,
                   .grid = {static_cast<uint32_t>((50 + m - 1) / m),
                            static_cast<uint32_t>((128 + n - 1) / n), 1}});
  for (const char *padding : {"zero", "nan"})
    table.add({.group = "test_tensor_descriptor",
               .name = fmt::format("padding/{}", padding),
               .source = kImports + fillIn(R"(@triton.jit
def kernel(Z, X, rows, columns, M: tl.constexpr, N: tl.constexpr):
    x = tl.make_tensor_descriptor(X, shape=[rows, columns], strides=[columns, 1], block_shape=[M, N], padding_option="$PADDING")
    at = tl.arange(0, M)[:, None] * N + tl.arange(0, N)[None, :]
    tl.store(Z + at, x.load([16, 8]))
)",
                                           {{"PADDING", padding}}),
               .arguments = "Z=output:f32[32,32] X=finite:f32[30,24] rows=i32:30 columns=i32:24",
               .constexprs = "M=32 N=32"});
  table.add({.group = "test_tensor_descriptor",
             .name = "three-dimensions",
             .source = std::string(kImports) + R"(@triton.jit
def kernel(Z, X, A: tl.constexpr, M: tl.constexpr, N: tl.constexpr):
    x = tl.make_tensor_descriptor(X, shape=[A, 20, 32], strides=[20 * 32, 32, 1], block_shape=[1, M, N])
    for a in range(A):
        tl.store(Z + a * M * N + tl.arange(0, M)[:, None] * N + tl.arange(0, N)[None, :], x.load([a, 8, 0]).reshape(M, N))
)",
             .arguments = "Z=output:f32[3,16,32] X=any:f32[3,20,32]",
             .constexprs = "A=3 M=16 N=32"});
  table.add({.group = "test_tensor_descriptor",
             .name = "matmul",
             .source = std::string(kImports) + R"(@triton.jit
def kernel(Z, X, Y, m, n, k, M: tl.constexpr, N: tl.constexpr, K: tl.constexpr):
    x = tl.make_tensor_descriptor(X, shape=[m, k], strides=[k, 1], block_shape=[M, K])
    y = tl.make_tensor_descriptor(Y, shape=[n, k], strides=[k, 1], block_shape=[N, K])
    z = tl.make_tensor_descriptor(Z, shape=[m, n], strides=[n, 1], block_shape=[M, N])
    i = tl.program_id(0) * M
    j = tl.program_id(1) * N
    total = tl.zeros((M, N), tl.float32)
    for start in range(0, k, K):
        total = tl.dot(x.load([i, start]), y.load([j, start]).T, total)
    z.store([i, j], total.to(tl.float16))
)",
             .arguments = "Z=output:f16[72,80] X=integers:f16[72,96] Y=integers:f16[80,96] "
                          "m=i32:72 n=i32:80 k=i32:96",
             .constexprs = "M=64 N=32 K=32",
             .rtol = 1e-3,
             .grid = {2, 3, 1}});
}

} // namespace

void addLibraryRows(RowTable &table) {
  addSorts(table);
  addRandomNumbers(table);
  addBlockPointers(table);
  addDescriptors(table);
}

} // namespace inlay::conformance
