// Loads and stores: masks, padding, strides, modifiers, scalars, empty masks.
#include "tests/conformance/RowTable.h"
#include "tests/conformance/rows/Types.h"

#include <fmt/format.h>
#include <utility>

namespace inlay::conformance {
namespace {

void addMaskedLoads(RowTable &table) {
  for (std::string_view type : kTypes)
    for (int size : {1, 16, 32, 128, 1024})
      for (const char *other : {"", ", other=0", ", other=1"}) {
        int limit = size * 5 / 8;
        table.add({.group = "test_masked_load",
                   .name = fmt::format("{}/{}/{}", type, size, *other ? other + 8 : "none"),
                   .source = fillIn(R"(import triton
import triton.language as tl


@triton.jit
def kernel(Z, X, n, SIZE: tl.constexpr):
    offsets = tl.arange(0, SIZE)
    x = tl.load(X + offsets, mask=offsets < n$OTHER)
    tl.store(Z + offsets, x)
)",
                                    {{"OTHER", other}}),
                   .arguments =
                       fmt::format("Z=output:{0}[{1}] X=any:{0}[{2}] n=i32:{2}", type, size, limit),
                   .constexprs = fmt::format("SIZE={}", size)});
      }
  for (int columns : {7, 16, 33, 64})
    for (int warps : {1, 4, 8})
      table.add({.group = "test_masked_load",
                 .name = fmt::format("two-dimensional/{}/{}", columns, warps),
                 .source = R"(import triton
import triton.language as tl


@triton.jit
def kernel(Z, X, rows, columns, M: tl.constexpr, N: tl.constexpr):
    i = tl.program_id(0) * M + tl.arange(0, M)
    j = tl.arange(0, N)
    mask = (i[:, None] < rows) & (j[None, :] < columns)
    x = tl.load(X + i[:, None] * columns + j[None, :], mask=mask, other=-1.0)
    tl.store(Z + i[:, None] * N + j[None, :], x + 1)
)",
                 .arguments = fmt::format(
                     "Z=output:f32[32,64] X=any:f32[19,{0}] rows=i32:19 columns=i32:{0}", columns),
                 .constexprs = "M=16 N=64",
                 .numWarps = warps,
                 .grid = {2, 1, 1}});
  table.add({.group = "test_masked_load",
             .name = "scalar",
             .source = R"(import triton
import triton.language as tl


@triton.jit
def kernel(Z, X, n):
    i = tl.program_id(0)
    x = tl.load(X + i, mask=i < n, other=9)
    tl.store(Z + i, x, mask=i != 2)
)",
             .arguments = "Z=output:i32[8] X=any:i32[5] n=i32:5",
             .grid = {8, 1, 1}});
}

/// Masks that are empty, all true, or with holes; memory beside must stay as it is.
void addMasks(RowTable &table) {
  for (const char *mask :
       {"offsets < 0", "offsets >= 0", "offsets % 3 == 0", "(offsets > 5) & (offsets < 9)",
        "offsets == SIZE - 1", "tl.load(X + offsets) > 0"})
    for (int warps : {1, 4}) {
      std::string name = fmt::format("mask/{}/{}", std::string(mask), warps);
      for (char &c : name)
        if (c == ' ' || c == '(' || c == ')')
          c = '_';
      table.add({.group = "edges",
                 .name = name,
                 .source = fillIn(R"(import triton
import triton.language as tl


@triton.jit
def kernel(Z, X, SIZE: tl.constexpr):
    offsets = tl.arange(0, SIZE)
    mask = $MASK
    x = tl.load(X + offsets, mask=mask, other=3)
    tl.store(Z + offsets, x * 2, mask=mask)
    tl.store(Z + SIZE + offsets, x)
)",
                                  {{"MASK", mask}}),
                 .arguments = "Z=output:i16[512] X=any:i16[256]",
                 .constexprs = "SIZE=256",
                 .numWarps = warps});
    }
}

void addModifiers(RowTable &table) {
  for (const char *load :
       {"cache_modifier='.ca'", "cache_modifier='.cg'", "cache_modifier='.cv'",
        "eviction_policy='evict_first'", "eviction_policy='evict_last'", "volatile=True"})
    for (const char *type : {"f32", "f16"})
      table.add({.group = "test_load_store",
                 .name = fmt::format("load-{}/{}", std::string(load).substr(0, 30), type),
                 .source = fillIn(R"(import triton
import triton.language as tl


@triton.jit
def kernel(Z, X, n, SIZE: tl.constexpr):
    offsets = tl.program_id(0) * SIZE + tl.arange(0, SIZE)
    x = tl.load(X + offsets, mask=offsets < n, other=0.0, $HOW)
    tl.store(Z + offsets, x, mask=offsets < n)
)",
                                  {{"HOW", load}}),
                 .arguments = fmt::format("Z=output:{0}[1000] X=any:{0}[1000] n=i32:1000", type),
                 .constexprs = "SIZE=512",
                 .grid = {2, 1, 1}});
  for (const char *store : {"cache_modifier='.wb'", "cache_modifier='.cg'", "cache_modifier='.cs'",
                            "cache_modifier='.wt'", "eviction_policy='evict_first'"})
    table.add({.group = "test_load_store",
               .name = fmt::format("store-{}", store),
               .source = fillIn(R"(import triton
import triton.language as tl


@triton.jit
def kernel(Z, X, SIZE: tl.constexpr):
    offsets = tl.arange(0, SIZE)
    tl.store(Z + offsets, tl.load(X + offsets), $HOW)
)",
                                {{"HOW", store}}),
               .arguments = "Z=output:f32[512] X=any:f32[512]",
               .constexprs = "SIZE=512"});
}

void addPatterns(RowTable &table) {
  for (const char *type : {"i8", "f16", "f32", "f64"})
    for (int stride : {1, 2, 3, 7})
      table.add({.group = "test_load_store",
                 .name = fmt::format("strided/{}/{}", type, stride),
                 .source = R"(import triton
import triton.language as tl


@triton.jit
def kernel(Z, X, stride, SIZE: tl.constexpr):
    offsets = tl.arange(0, SIZE)
    x = tl.load(X + offsets * stride)
    tl.store(Z + (SIZE - 1 - offsets) * stride, x)
)",
                 .arguments = fmt::format("Z=output:{0}[{1}] X=any:{0}[{1}] stride=i32:{2}", type,
                                          128 * stride, stride),
                 .constexprs = "SIZE=128"});
  for (const char *type : {"i32", "f16"})
    for (int warps : {1, 4})
      table.add(
          {.group = "test_load_store",
           .name = fmt::format("indirect/{}/{}", type, warps),
           .source = R"(import triton
import triton.language as tl


@triton.jit
def kernel(Z, X, I, SIZE: tl.constexpr):
    offsets = tl.arange(0, SIZE)
    i = tl.load(I + offsets)
    j = tl.load(I + i)
    tl.store(Z + offsets, tl.load(X + j))
)",
           .arguments = fmt::format("Z=output:{0}[256] X=any:{0}[256] I=0..256:i32[256]", type),
           .constexprs = "SIZE=256",
           .numWarps = warps});
  table.add({.group = "test_load_store",
             .name = "pointer-table",
             .source = R"(import triton
import triton.language as tl


@triton.jit
def kernel(Z, X, SIZE: tl.constexpr):
    # Where the row begins is itself loaded.
    row = tl.load(Z + SIZE).to(tl.int64) * 0
    offsets = tl.arange(0, SIZE)
    tl.store(Z + offsets, tl.load(X + row + offsets))
)",
             .arguments = "Z=zero:i32[129] X=any:i32[128]",
             .constexprs = "SIZE=128",
             .isUpstream = false});
  // Accesses wide enough for vectors, with hints.
  for (int size : {128, 512, 2048})
    for (const char *type : {"i8", "bf16", "f32", "i64"})
      table.add({.group = "test_load_store",
                 .name = fmt::format("hints/{}/{}", size, type),
                 .source = R"(import triton
import triton.language as tl


@triton.jit
def kernel(Z, X, n, SIZE: tl.constexpr):
    offsets = tl.program_id(0) * SIZE + tl.max_contiguous(tl.multiple_of(tl.arange(0, SIZE), SIZE), SIZE)
    tl.store(Z + offsets, tl.load(X + offsets, mask=offsets < n), mask=offsets < n)
)",
                 .arguments = fmt::format("Z=output:{0}[4080] X=any:{0}[4080] n=i32:4080", type),
                 .constexprs = fmt::format("SIZE={}", size),
                 .grid = {static_cast<uint32_t>(4096 / size), 1, 1},
                 .isUpstream = size == 2048});
}

void addPointerArithmetic(RowTable &table) {
  for (std::string_view type : kTypes)
    for (const char *offset : {"tl.int32", "tl.int64"})
      table.add({.group = "test_addptr",
                 .name = fmt::format("{}/{}", type, offset),
                 .source = fillIn(R"(import triton
import triton.language as tl


@triton.jit
def kernel(Z, X, ITERATIONS: tl.constexpr, SIZE: tl.constexpr):
    xs = X + tl.arange(0, SIZE).to($OFFSET)
    zs = SIZE // 2 + tl.arange(0, SIZE) + Z - SIZE // 2
    for i in range(0, ITERATIONS):
        tl.store(zs, tl.load(xs))
        xs += SIZE
        zs = zs + tl.full((1,), SIZE, tl.int32)
)",
                                  {{"OFFSET", offset}}),
                 .arguments = fmt::format("Z=output:{0}[512] X=any:{0}[512]", type),
                 .constexprs = "SIZE=128 ITERATIONS=4"});
  for (const char *type : {"u8", "u16", "u32"})
    table.add({.group = "test_addptr",
               .name = fmt::format("unsigned-offsets/{}", type),
               .source = R"(import triton
import triton.language as tl


@triton.jit
def kernel(Z, X, I, SIZE: tl.constexpr):
    # 200 as u8 is no negative offset.
    i = tl.load(I + tl.arange(0, SIZE))
    tl.store(Z + tl.arange(0, SIZE), tl.load(X + i))
)",
               .arguments = fmt::format("Z=output:i32[128] X=any:i32[256] I=0..256:{}[128]", type),
               .constexprs = "SIZE=128",
               .isUpstream = false});
}

void addArguments(RowTable &table) {
  for (const char *value : {"i32:-1",
                            "i32:0",
                            "i32:1",
                            "i32:16",
                            "i32:2147483647",
                            "i64:4294967296",
                            "i64:-9007199254740992",
                            "u64:9007199254740992",
                            "u32:4294967295",
                            "i8:-128",
                            "u8:255",
                            "i16:-32768",
                            "u16:65535",
                            "f32:1.5",
                            "f32:-1e30",
                            "f64:1.1",
                            "f16:0.333",
                            "bf16:2.71",
                            "i1:1",
                            "i1:0"}) {
    bool isFloat = std::string_view(value).find('f') != std::string_view::npos;
    table.add(
        {.group = "test_value_specialization",
         .name = value,
         .source = R"(import triton
import triton.language as tl


@triton.jit
def kernel(Z, VALUE):
    tl.store(Z, VALUE)
    tl.store(Z + 1, VALUE + VALUE)
)",
         .arguments = fmt::format("Z=output:{}[2] VALUE={}", isFloat ? "f64" : "i64", value)});
  }
}

/// Kernels that generated ones led to.
void addOnceFailed(RowTable &table) {
  // A tile that is kept for the second store is computed from x, which the first store, begun
  // before and emitted after it, needs too.
  for (auto [m, n] : {std::pair(32, 32), {8, 64}})
    table.add({.group = "fuzz",
               .name = fmt::format("kept-between-stores/{}x{}", m, n),
               .source = R"(import triton
import triton.language as tl


@triton.jit
def clipped(x):
    return tl.minimum(tl.maximum(x, -32.0), 32.0)


@triton.jit
def kernel(Z, W, V, X, Y, M: tl.constexpr, N: tl.constexpr):
    j = tl.arange(0, N)
    at = tl.arange(0, M)[:, None] * N + j[None, :]
    y = tl.load(Y + at)
    x = clipped(tl.load(X + at))
    v = clipped(tl.maximum(x, j[None, :]))
    w = clipped(tl.trans(v + v * 0).reshape(M, N))
    tl.store(Z + at, clipped(x - y))
    tl.store(W + at, w)
    tl.store(V + at, v)
)",
               .arguments = fmt::format("Z=output:f32[{0}] W=output:f32[{0}] V=output:f32[{0}] "
                                        "X=integers:f32[{0}] Y=any:i64[{0}]",
                                        m * n),
               .constexprs = fmt::format("M={} N={}", m, n),
               .isUpstream = false});
  // Masks of which one register is known to be false and another is decided at run time.
  for (const char *type : {"f32", "i64", "i32", "f16"})
    for (const char *part : {"at < SIZE // 2", "at >= SIZE // 2", "at < SIZE // 4",
                             "(at < SIZE // 4) | (at >= SIZE // 2)"})
      table.add({.group = "fuzz",
                 .name = fmt::format("half-a-mask/{}/{}", type,
                                     std::string_view(part).find('|') != std::string_view::npos
                                         ? "two-parts"
                                     : part[3] == '>'  ? "upper"
                                     : part[13] == '2' ? "lower"
                                                       : "quarter"),
                 .source = fillIn(R"(import triton
import triton.language as tl


@triton.jit
def kernel(Z, W, X, n, SIZE: tl.constexpr):
    at = tl.arange(0, SIZE)
    for k in range(3):
        mask = ($PART) & (k < n)
        tl.store(Z + k * SIZE + at, tl.load(X + k * SIZE + at, mask=mask, other=7))
        tl.store(W + k * SIZE + at, at, mask=mask)
)",
                                  {{"PART", part}}),
                 .arguments =
                     fmt::format("Z=output:{0}[48] W=output:{0}[48] X=any:{0}[48] n=i32:2", type),
                 .constexprs = "SIZE=16",
                 .isUpstream = false});
}

} // namespace

void addMemoryRows(RowTable &table) {
  addOnceFailed(table);
  addMaskedLoads(table);
  addMasks(table);
  addModifiers(table);
  addPatterns(table);
  addPointerArithmetic(table);
  addArguments(table);
}

} // namespace inlay::conformance
