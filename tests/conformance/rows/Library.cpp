// What the language offers as functions of its own library: sorting, random numbers.
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

} // namespace

void addLibraryRows(RowTable &table) {
  addSorts(table);
  addRandomNumbers(table);
}

} // namespace inlay::conformance
