// Blocks of tensors in memory: block pointers and tensor descriptors.
#include "tests/conformance/RowTable.h"
#include "tests/conformance/rows/Types.h"

#include <array>
#include <fmt/format.h>

namespace inlay::conformance {
namespace {

constexpr const char *kImports = "import triton\nimport triton.language as tl\n\n\n";
/// The types of descriptors' elements.
constexpr std::array<std::string_view, 14> kElementTypes = {"i8",  "i16",  "i32",   "i64",    "u8",
                                                            "u16", "u32",  "u64",   "f16",    "f32",
                                                            "f64", "bf16", "fp8e5", "fp8e4nv"};

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

void addBlockCopies(RowTable &table) {
  for (const char *type : {"i16", "i32", "f16", "f32", "bf16", "i8"})
    for (int size : {64, 128, 256, 512, 1024})
      for (const char *options :
           {"", "boundary_check=(0,)", "boundary_check=(0,), padding_option='zero'",
            "boundary_check=(0,), padding_option='nan'"}) {
        std::string_view padding = options;
        bool isNan = padding.find("nan") != padding.npos;
        if (isNan && !isFloat(type))
          continue;
        table.add({.group = "test_block_pointer",
                   .name = fmt::format("line/{}/{}/{}", type, size,
                                       padding.empty()                        ? "unchecked"
                                       : isNan                                ? "nan"
                                       : padding.find("zero") != padding.npos ? "zero"
                                                                              : "checked"),
                   .source = kImports + fillIn(R"(@triton.jit
def kernel(Z, X, n, SIZE: tl.constexpr):
    i = tl.program_id(0) * SIZE
    x = tl.make_block_ptr(X, shape=(n,), strides=(1,), offsets=(i,), block_shape=(SIZE,), order=(0,))
    z = tl.make_block_ptr(Z, shape=(n,), strides=(1,), offsets=(i,), block_shape=(SIZE,), order=(0,))
    v = tl.load(x, $OPTIONS)
    tl.store(z, v, boundary_check=(0,))
    tl.store(Z + n + tl.arange(0, SIZE), v, mask=i + SIZE >= n)
)",
                                               {{"OPTIONS", options}}),
                   .arguments = fmt::format("Z=output:{0}[{1}] X=finite:{0}[{2}] n=i32:{2}", type,
                                            3 * size, padding.empty() ? 2 * size : 2 * size - 13),
                   .constexprs = fmt::format("SIZE={}", size),
                   .grid = {2, 1, 1}});
      }
  struct Shape {
    int m, n, k;
  };
  for (Shape s : {Shape{64, 64, 16}, {32, 32, 32}, {64, 128, 32}, {128, 64, 64}, {16, 64, 128}})
    for (const char *type : {"f16", "bf16", "f32"})
      for (const char *order : {"(1, 0)", "(0, 1)"})
        for (int warps : {1, 4, 8})
          table.add({.group = "test_block_pointer",
                     .name = fmt::format("product/{}/{}x{}x{}/{}/{}", type, s.m, s.n, s.k,
                                         order[1] == '1' ? "rows" : "columns", warps),
                     .source = kImports + fillIn(R"(@triton.jit
def kernel(Z, X, Y, M: tl.constexpr, N: tl.constexpr, K: tl.constexpr):
    x = tl.make_block_ptr(X, (M, K), $X, (0, 0), (M, K), $ORDER)
    y = tl.make_block_ptr(Y, (K, N), $Y, (0, 0), (K, N), $ORDER)
    z = tl.make_block_ptr(Z, (M, N), (N, 1), (0, 0), (M, N), (1, 0))
    tl.store(z, tl.dot(tl.load(x), tl.load(y)))
)",
                                                 {{"X", order[1] == '1' ? "(K, 1)" : "(1, M)"},
                                                  {"Y", order[1] == '1' ? "(N, 1)" : "(1, K)"},
                                                  {"ORDER", order}}),
                     .arguments = fmt::format(
                         "Z=output:f32[{0},{1}] X=integers:{3}[{0},{2}] Y=integers:{3}[{2},{1}]",
                         s.m, s.n, s.k, type),
                     .constexprs = fmt::format("M={} N={} K={}", s.m, s.n, s.k),
                     .numWarps = warps});
}

/// Loads to plain pointers and stores from them, over element types, block shapes and ranks.
void addDescriptorAccesses(RowTable &table) {
  for (std::string_view type : kElementTypes)
    for (auto [m, n] : {std::pair(2, 16), {8, 16}, {8, 32}, {8, 128}})
      for (bool isLoad : {true, false})
        table.add(
            {.group = "test_tensor_descriptor",
             .name = fmt::format("{}/{}/{}x{}", isLoad ? "load" : "store", type, m, n),
             .source =
                 kImports +
                 fillIn(
                     R"(@triton.jit
def kernel(Z, X, rows, columns, M: tl.constexpr, N: tl.constexpr):
    at = tl.arange(0, M)[:, None] * N + tl.arange(0, N)[None, :]
$BODY)",
                     {{"BODY",
                       isLoad
                           ? R"(    d = tl.make_tensor_descriptor(X, [rows, columns], [columns, 1], [M, N])
    tl.store(Z + at, d.load([0, 0]))
    tl.store(Z + M * N + at, d.load([rows - M + 1, columns - N + 3]))
    tl.store(Z + 2 * M * N + at, d.load([-1, -5]))
)"
                           : R"(    d = tl.make_tensor_descriptor(Z, [rows, columns], [columns, 1], [M, N])
    d.store([0, 0], tl.load(X + at))
    d.store([rows - M + 1, columns - N + 3], tl.load(X + M * N + at))
)"}}),
             .arguments = fmt::format("Z=output:{0}[{1}] X=integers:{0}[{1}] rows=i32:{2} "
                                      "columns=i32:{3}",
                                      type, 6 * m * n, 2 * m, 2 * n),
             .constexprs = fmt::format("M={} N={}", m, n)});
  constexpr std::array<int, 5> kSizes = {3, 2, 5, 3, 0}; // of the outer dimensions
  for (std::string_view type : {"i8", "u8", "i16", "u16", "i32", "u32", "f16", "bf16", "f32"})
    for (int rank : {1, 2, 3, 4, 5})
      for (int inner : {16, 32, 64, 128})
        for (bool isLoad : {true, false}) {
          std::string sizes, strides, block, offsets;
          int count = inner + 16, blockCount = inner;
          sizes = fmt::format("{}", count);
          strides = "1";
          block = fmt::format("{}", inner);
          offsets = fmt::format("{}", 24);
          for (int d = 1; d < rank; ++d) {
            strides = fmt::format("{}, {}", count, strides);
            sizes = fmt::format("{}, {}", kSizes[d - 1], sizes);
            block = fmt::format("{}, {}", d == 2 ? 1 : 2, block);
            offsets = fmt::format("{}, {}", d == 2 ? 1 : kSizes[d - 1] - 1, offsets);
            count *= kSizes[d - 1];
            blockCount *= d == 2 ? 1 : 2;
          }
          table.add(
              {.group = "test_tensor_descriptor",
               .name =
                   fmt::format("rank-{}/{}/{}/{}", rank, type, inner, isLoad ? "load" : "store"),
               .source =
                   kImports +
                   fillIn(R"(@triton.jit
def kernel(Z, X, COUNT: tl.constexpr):
    d = tl.make_tensor_descriptor($BASE, shape=[$SIZES], strides=[$STRIDES], block_shape=[$BLOCK])
    at = tl.arange(0, COUNT)
    $BODY
)",
                          {{"BASE", isLoad ? "X" : "Z"},
                           {"SIZES", sizes},
                           {"STRIDES", strides},
                           {"BLOCK", block},
                           {"BODY",
                            fillIn(isLoad ? "tl.store(Z + at, tl.reshape(d.load([$AT]), (COUNT,)))"
                                          : "d.store([$AT], tl.reshape(tl.load(X + at), [$BLOCK]))",
                                   {{"AT", offsets}, {"BLOCK", block}})}}),
               .arguments = fmt::format("Z=output:{0}[{1}] X=integers:{0}[{1}]", type,
                                        std::max(count, blockCount)),
               .constexprs = fmt::format("COUNT={}", blockCount)});
        }
  for (const char *padding : {"zero", "nan"})
    for (std::string_view type : {"f16", "bf16", "f32", "i32", "i8"})
      for (auto [m, n] : {std::pair(4, 16), {16, 32}, {32, 64}}) {
        if (padding[0] == 'n' && !isFloat(type))
          continue;
        table.add({.group = "test_tensor_descriptor",
                   .name = fmt::format("padding/{}/{}/{}x{}", padding, type, m, n),
                   .source = kImports + fillIn(R"(@triton.jit
def kernel(Z, X, rows, columns, M: tl.constexpr, N: tl.constexpr):
    x = tl.make_tensor_descriptor(X, [rows, columns], [N * 2, 1], [M, N], padding_option="$PADDING")
    z = tl.make_tensor_descriptor(Z, [M * 2, N * 2], [N * 2, 1], [M, N])
    for i in range(0, M * 2, M):
        for j in range(0, N * 2, N):
            z.store([i, j], x.load([i, j]))
)",
                                               {{"PADDING", padding}}),
                   .arguments = fmt::format("Z=output:{0}[{1},{2}] X=finite:{0}[{1},{2}] "
                                            "rows=i32:{3} columns=i32:{4}",
                                            type, 2 * m, 2 * n, m + 1, n + 5),
                   .constexprs = fmt::format("M={} N={}", m, n)});
      }
}

void addDescriptorAtomics(RowTable &table) {
  struct Kind {
    std::string_view op;
    std::vector<std::string_view> types;
  };
  const std::vector<std::string_view> integers = {"i32", "i64", "u32", "u64"};
  for (const Kind &kind : {Kind{"add", {"i32", "i64", "u32", "u64", "f16", "bf16", "f32"}},
                           {"min", {"i32", "i64", "u32", "u64", "f32"}},
                           {"max", {"i32", "i64", "u32", "u64", "f32"}},
                           {"and", integers},
                           {"or", integers},
                           {"xor", integers}})
    for (std::string_view type : kind.types)
      for (auto [m, n] : {std::pair(2, 16), {8, 16}, {8, 32}, {8, 128}})
        for (int warps : {1, 4})
          table.add({.group = "test_tensor_descriptor",
                     .name = fmt::format("atomic-{}/{}/{}x{}/{}", kind.op, type, m, n, warps),
                     .source = kImports + fillIn(R"(@triton.jit
def kernel(Z, X, rows, columns, M: tl.constexpr, N: tl.constexpr):
    z = tl.make_tensor_descriptor(Z, [rows, columns], [columns, 1], [M, N])
    i = tl.program_id(0) * (M // 2)
    x = tl.load(X + (i + tl.arange(0, M)[:, None]) * N + tl.arange(0, N)[None, :])
    z.atomic_$OP([i, 4], x)
)",
                                                 {{"OP", std::string(kind.op)}}),
                     .arguments = fmt::format("Z=integers:{0}[{1},{2}] X=integers:{0}[{3},{2}] "
                                              "rows=i32:{1} columns=i32:{2}",
                                              type, 2 * m - 1, n, 3 * m),
                     .constexprs = fmt::format("M={} N={}", m, n),
                     .numWarps = warps,
                     .grid = {4, 1, 1}});
}

void addDescriptorGathers(RowTable &table) {
  for (std::string_view type : {"i8", "i16", "i32", "f16", "bf16", "f32", "fp8e5", "fp8e4nv"})
    for (auto [rows, columns] : {std::pair(128, 128), {64, 256}})
      for (auto [m, n] : {std::pair(8, 32), {32, 32}, {64, 128}, {16, 128}, {256, 16}})
        for (int column : {0, 32, 100})
          for (bool isGather : {true, false})
            table.add(
                {.group = "test_tensor_descriptor",
                 .name = fmt::format("{}/{}/{}x{}/{}x{}/{}", isGather ? "gather" : "scatter", type,
                                     rows, columns, m, n, column),
                 .source =
                     kImports +
                     fillIn(R"(@triton.jit
def kernel(Z, X, I, column, ROWS: tl.constexpr, COLUMNS: tl.constexpr, M: tl.constexpr, N: tl.constexpr):
    i = tl.load(I + tl.arange(0, M))
    at = tl.arange(0, M)[:, None] * N + tl.arange(0, N)[None, :]
    $BODY
)",
                            {{"BODY", isGather ? "d = tl.make_tensor_descriptor(X, [ROWS, "
                                                 "COLUMNS], [COLUMNS, 1], [1, N])\n"
                                                 "    tl.store(Z + at, d.gather(i, column))"
                                               : "d = tl.make_tensor_descriptor(Z, [ROWS, "
                                                 "COLUMNS], [COLUMNS, 1], [1, N])\n"
                                                 "    d.scatter(tl.load(X + at), i, column)"}}),
                 // Scattered rows are different ones, some of them outside.
                 .arguments = fmt::format(
                     "Z=output:{0}[{1}] X=integers:{0}[{1}] I={2}:i32[{3}] column=i32:{4}", type,
                     rows * columns, isGather ? fmt::format("-2..{}", rows + 3) : "index", m,
                     column),
                 .constexprs = fmt::format("ROWS={} COLUMNS={} M={} N={}", rows, columns, m, n)});
}

/// Descriptors as values: in functions, loops, branches, tuples.
void addDescriptorForms(RowTable &table) {
  struct Form {
    const char *name, *body;
  };
  for (Form form : {Form{"function", R"(
    copied(x, z, i)
)"},
                    {"returned", R"(
    a = described(X, rows, columns, M, N)
    b = described(Z, rows, columns, M, N)
    b.store([i, 0], a.load([i, 0]) + 1)
)"},
                    {"nested", R"(
    twice(x, z, i)
)"},
                    {"functional", R"(
    tl.store_tensor_descriptor(z, [i, 0], tl.load_tensor_descriptor(x, [i, 0]) * 2)
)"},
                    {"loop", R"(
    for j in range(0, columns, N):
        z.store([i, j], x.load([i, j]) + j.to(x.dtype))
)"},
                    {"pipelined-loop", R"(
    total = tl.zeros((M, N), tl.float32)
    for j in tl.range(0, columns, N, num_stages=3):
        total += x.load([i, j]).to(tl.float32)
    z.store([i, 0], total.to(z.dtype))
)"},
                    {"while", R"(
    j = i * 0
    while j < columns:
        z.store([i, j], x.load([i, j]) * 3)
        j += N
)"},
                    {"branch", R"(
    if tl.program_id(0) == 0:
        z.store([i, 0], x.load([i, 0]))
    else:
        z.store([i, N], x.load([i, 0]) + x.load([i, N]))
)"},
                    {"made-in-a-loop", R"(
    for k in range(2):
        part = tl.make_tensor_descriptor(X + k * columns, [rows - k, columns], [columns, 1], [M, N])
        z.store([i, k * N], part.load([i, 0]))
)"},
                    {"tuple", R"(
    pair = (x, z)
    pair[1].store([i, 0], pair[0].load([i, 0]))
)"},
                    {"transposed", R"(
    t = tl.make_tensor_descriptor(Z, [columns, rows], [rows, 1], [N, M])
    t.store([0, i], x.load([i, 0]).T)
)"}})
    for (const char *type : {"f32", "f16", "i32"})
      for (auto [m, n] : {std::pair(16, 16), {32, 64}})
        for (int warps : {1, 4})
          table.add({.group = "test_tensor_descriptor",
                     .name = fmt::format("{}/{}/{}x{}/{}", form.name, type, m, n, warps),
                     .source = kImports + fillIn(R"(@triton.jit
def described(base, rows, columns, M: tl.constexpr, N: tl.constexpr):
    return tl.make_tensor_descriptor(base, shape=[rows, columns], strides=[columns, 1], block_shape=[M, N])


@triton.jit
def copied(x, z, i):
    z.store([i, 0], x.load([i, 0]) + 5)


@triton.jit
def twice(x, z, i):
    copied(x, z, i)
    copied(z, z, i)


@triton.jit
def kernel(Z, X, rows, columns, M: tl.constexpr, N: tl.constexpr):
    i = tl.program_id(0) * M
    x = tl.make_tensor_descriptor(X, [rows, columns], [columns, 1], [M, N])
    z = tl.make_tensor_descriptor(Z, [rows, columns], [columns, 1], [M, N])
$BODY)",
                                                 {{"BODY", form.body + 1}}),
                     .arguments = fmt::format("Z=output:{0}[{1},{2}] X=integers:{0}[{1},{2}] "
                                              "rows=i32:{1} columns=i32:{2}",
                                              type, 2 * m, 2 * n),
                     .constexprs = fmt::format("M={} N={}", m, n),
                     .numWarps = warps,
                     .grid = {2, 1, 1}});
}

/// Products whose operands come through descriptors, also in batches.
void addDescriptorProducts(RowTable &table) {
  struct Block {
    int m, n, k;
  };
  for (std::string_view type : {"f16", "bf16", "f32", "fp8e5", "fp8e4nv", "i8"})
    for (Block block : {Block{64, 64, 32}, {128, 64, 32}, {64, 128, 64}, {32, 32, 64}})
      for (bool isTransposed : {false, true})
        for (int stages : {1, 3})
          for (int warps : {4, 8}) {
            std::string_view kind = type == "i8" ? "i32" : "f32";
            table.add(
                {.group = "test_tensor_descriptor",
                 .name = fmt::format("matmul/{}/{}x{}x{}/{}/s{}/{}", type, block.m, block.n,
                                     block.k, isTransposed ? "trans" : "plain", stages, warps),
                 .source = kImports + fillIn(R"(@triton.jit
def kernel(Z, X, Y, m, n, k, M: tl.constexpr, N: tl.constexpr, K: tl.constexpr, STAGES: tl.constexpr):
    x = tl.make_tensor_descriptor(X, shape=[m, k], strides=[k, 1], block_shape=[M, K])
    y = tl.make_tensor_descriptor(Y, $Y)
    z = tl.make_tensor_descriptor(Z, shape=[m, n], strides=[n, 1], block_shape=[M, N])
    i = tl.program_id(0) * M
    j = tl.program_id(1) * N
    total = tl.zeros((M, N), $KIND)
    for start in tl.range(0, k, K, num_stages=STAGES):
        total = tl.dot(x.load([i, start]), $LOAD, total, out_dtype=$KIND)
    z.store([i, j], total)
)",
                                             {{"Y", isTransposed ? "[n, k], [k, 1], [N, K]"
                                                                 : "[k, n], [n, 1], [K, N]"},
                                              {"LOAD", isTransposed ? "y.load([j, start]).T"
                                                                    : "y.load([start, j])"},
                                              {"KIND", languageName(kind)}}),
                 .arguments =
                     fmt::format("Z=output:{0}[80,64] X=integers:{1}[80,96] Y=integers:{1}[96,64] "
                                 "m=i32:80 n=i32:64 k=i32:96",
                                 kind, type),
                 .constexprs =
                     fmt::format("M={} N={} K={} STAGES={}", block.m, block.n, block.k, stages),
                 .numWarps = warps,
                 .grid = {static_cast<uint32_t>((80 + block.m - 1) / block.m),
                          static_cast<uint32_t>((64 + block.n - 1) / block.n), 1}});
          }
  for (std::string_view type : {"f16", "bf16", "f32"})
    for (int warps : {1, 4, 8})
      table.add({.group = "test_tensor_descriptor",
                 .name = fmt::format("batch/{}/{}", type, warps),
                 .source = std::string(kImports) + R"(@triton.jit
def kernel(Z, X, Y, B: tl.constexpr, M: tl.constexpr, N: tl.constexpr, K: tl.constexpr):
    x = tl.make_tensor_descriptor(X, [B, M, K * 2], [M * K * 2, K * 2, 1], [1, M, K])
    y = tl.make_tensor_descriptor(Y, [B, N, K * 2], [N * K * 2, K * 2, 1], [1, N, K])
    z = tl.make_tensor_descriptor(Z, [B, M, N], [M * N, N, 1], [1, M, N])
    b = tl.program_id(0)
    total = tl.zeros((M, N), tl.float32)
    for k in range(0, K * 2, K):
        total = tl.dot(x.load([b, 0, k]).reshape(M, K), y.load([b, 0, k]).reshape(N, K).T, total)
    z.store([b, 0, 0], total.reshape(1, M, N).to(z.dtype))
)",
                 .arguments = fmt::format(
                     "Z=output:{0}[3,32,32] X=integers:{0}[3,32,64] Y=integers:{0}[3,32,64]", type),
                 .constexprs = "B=3 M=32 N=32 K=32",
                 .rtol = type == "f32" ? 0.0 : 8e-3,
                 .numWarps = warps,
                 .grid = {3, 1, 1}});
}

} // namespace

void addBlocksRows(RowTable &table) {
  addBlockPointers(table);
  addBlockCopies(table);
  addDescriptors(table);
  addDescriptorAccesses(table);
  addDescriptorAtomics(table);
  addDescriptorGathers(table);
  addDescriptorForms(table);
  addDescriptorProducts(table);
}

} // namespace inlay::conformance
