// Operations that move elements: broadcasts, new axes, transpositions, reshapes, joins.
#include "tests/conformance/RowTable.h"
#include "tests/conformance/rows/Types.h"

#include <fmt/format.h>

#include <algorithm>

namespace inlay::conformance {
namespace {

/// A kernel that loads an M x N tile `x` and a row `r` of N elements and stores `$EXPRESSION`,
/// which has COUNT elements.
constexpr const char *kTile = R"(import triton
import triton.language as tl


@triton.jit
def kernel(Z, X, M: tl.constexpr, N: tl.constexpr, COUNT: tl.constexpr):
    i = tl.arange(0, M)
    j = tl.arange(0, N)
    x = tl.load(X + i[:, None] * N + j[None, :])
    r = tl.load(X + j)
    c = tl.load(X + i)
    z = $EXPRESSION
    tl.store(Z + tl.arange(0, COUNT), tl.reshape(z, (COUNT,)))
)";

struct Shape {
  int m, n;
};
constexpr Shape kShapes[] = {{16, 16}, {8, 32}, {128, 2}, {1, 64}, {64, 1}, {32, 64}};

void addTile(RowTable &table, std::string_view group, const std::string &name,
             const std::string &expression, const char *type, Shape shape, int count, int warps,
             bool isUpstream = true, std::string_view out = "") {
  table.add(
      {.group = group,
       .name = fmt::format("{}/{}/{}x{}/{}", name, type, shape.m, shape.n, warps),
       .source = fillIn(kTile, {{"EXPRESSION", expression}}),
       .arguments = fmt::format("Z=output:{}[{}] X=any:{}[{}]", out.empty() ? type : out, count,
                                type, std::max(shape.m * shape.n, std::max(shape.m, shape.n))),
       .constexprs = fmt::format("M={} N={} COUNT={}", shape.m, shape.n, count),
       .numWarps = warps,
       .isUpstream = isUpstream});
}

void addBroadcasts(RowTable &table) {
  for (std::string_view type : kTypes)
    addTile(table, "test_broadcast", "row", "x + tl.broadcast_to(r[None, :], (M, N))", type.data(),
            {32, 32}, 1024, 4);
  for (Shape shape : kShapes) {
    addTile(table, "test_broadcast", "outer", "r[None, :] * c[:, None]", "f32", shape,
            shape.m * shape.n, 4, false);
    addTile(table, "test_broadcast", "column", "x - c[:, None]", "i32", shape, shape.m * shape.n, 2,
            false);
  }
  addTile(table, "test_expand_dims", "axes", "tl.expand_dims(r, (0, 2))", "i32", {4, 32}, 32, 4);
  addTile(table, "test_expand_dims", "negative", "tl.expand_dims(r, -1)", "f32", {4, 64}, 64, 4,
          false);
  addTile(table, "test_expand_dims", "middle", "tl.expand_dims(x, 1) + 0", "f16", {8, 16}, 128, 4,
          false);
  for (std::string_view type : kTypes)
    addTile(table, "test_index1d", "new-axis", "r[None, :] + c[:, None]", type.data(), {16, 64},
            1024, 4);
}

void addTranspositions(RowTable &table) {
  for (Shape shape : kShapes)
    for (const char *type : {"i8", "f16", "f32", "i64"})
      for (int warps : {1, 4}) {
        addTile(table, "test_trans", "trans", "tl.trans(x)", type, shape, shape.m * shape.n, warps);
        addTile(table, "test_trans", "T-plus", "x.T + c[None, :]", type, shape, shape.m * shape.n,
                warps, false);
      }
  for (const char *order :
       {"0, 1, 2, 3", "3, 2, 1, 0", "1, 0, 3, 2", "2, 0, 3, 1", "0, 3, 1, 2", "1, 3, 0, 2"})
    for (int warps : {2, 4}) {
      std::string name(order);
      name.erase(
          std::remove_if(name.begin(), name.end(), [](char c) { return c == ',' || c == ' '; }),
          name.end());
      addTile(table, "test_trans", "permute4-" + name,
              fmt::format("tl.permute(tl.reshape(x, (2, 8, 4, 16)), ({}))", order), "f32", {32, 32},
              1024, warps);
    }
  for (const char *order : {"0, 2, 1", "2, 1, 0", "1, 2, 0"})
    addTile(table, "test_trans", fmt::format("permute3-{}", order[0]) + order[3] + order[6],
            fmt::format("x.reshape(4, 8, N).permute({})", order), "i32", {32, 16}, 512, 4);
  int number = 0;
  for (const char *shape :
       {"(N, M)", "(M * N,)", "(2, M // 2, N)", "(M, 2, N // 2)", "(M // 4, 4, N // 4, 4)"}) {
    ++number;
    addTile(table, "test_trans", fmt::format("reshape-{}", number),
            fmt::format("tl.reshape(x, {}) + 1", shape), "i32", {32, 16}, 512, 4);
    addTile(table, "test_trans", fmt::format("reshape-trans-{}", number),
            fmt::format("tl.reshape(tl.trans(x), {}) * 3", shape), "f32", {32, 16}, 512, 8, false);
  }
  addTile(table, "test_trans", "ravel", "tl.ravel(x.T)", "f32", {8, 64}, 512, 4, false);
}

void addJoins(RowTable &table) {
  for (std::string_view type : kTypes)
    addTile(table, "test_join", "cat",
            "tl.cat(r, r, can_reorder=True) * 0 + tl.join(r, r).reshape(2 * N)", type.data(),
            {8, 128}, 256, 4);
  for (const char *type : {"i8", "f32"})
    for (int warps : {1, 4}) {
      addTile(table, "test_join", "join", "tl.join(x, x + 1)", type, {16, 32}, 1024, warps);
      addTile(table, "test_join", "interleave", "tl.interleave(x, x * 2)", type, {16, 32}, 1024,
              warps);
      addTile(table, "test_join", "split",
              "tl.split(x.reshape(M, N // 2, 2))[0] - tl.split(x.reshape(M, N // 2, 2))[1]", type,
              {16, 32}, 256, warps);
      addTile(table, "test_join", "join-row", "tl.join(r, r * 2)", type, {4, 32}, 64, warps, false);
      addTile(table, "test_join", "trans-join", "tl.join(x, x - 1).permute(2, 0, 1)", type,
              {16, 16}, 512, warps, false);
    }
  table.add({.group = "test_join",
             .name = "scalars",
             .source = R"(import triton
import triton.language as tl


@triton.jit
def kernel(Z, X):
    a = tl.load(X)
    b = tl.load(X + 1)
    z = tl.join(a, b)
    tl.store(Z + tl.arange(0, 2), z)
    c, d = z.split()
    tl.store(Z + 2, d - c)
)",
             .arguments = "Z=output:i32[3] X=any:i32[2]"});
}

void addGathers(RowTable &table) {
  struct Case {
    int m, n, mi, ni, axis;
  };
  for (Case c : {Case{4, 4, 8, 4, 0},
                 {128, 64, 256, 64, 0},
                 {128, 64, 128, 128, 1},
                 {16, 32, 16, 8, 1},
                 {1, 64, 1, 64, 1}})
    for (const char *type : {"f32", "i16"})
      table.add(
          {.group = "test_gather",
           .name = fmt::format("{}x{}/{}x{}/{}/{}", c.m, c.n, c.mi, c.ni, c.axis, type),
           .source = R"(import triton
import triton.language as tl


@triton.jit
def kernel(Z, X, I, M: tl.constexpr, N: tl.constexpr, MI: tl.constexpr, NI: tl.constexpr, AXIS: tl.constexpr):
    x = tl.load(X + tl.arange(0, M)[:, None] * N + tl.arange(0, N)[None, :])
    at = tl.arange(0, MI)[:, None] * NI + tl.arange(0, NI)[None, :]
    tl.store(Z + at, tl.gather(x, tl.load(I + at), AXIS))
)",
           .arguments =
               fmt::format("Z=output:{0}[{1},{2}] X=any:{0}[{3},{4}] I=0..{5}:i32[{1},{2}]", type,
                           c.mi, c.ni, c.m, c.n, c.axis == 0 ? c.m : c.n),
           .constexprs = fmt::format("M={} N={} MI={} NI={} AXIS={}", c.m, c.n, c.mi, c.ni, c.axis),
           .isUpstream = std::string_view(type) == "f32"});
  table.add({.group = "test_gather",
             .name = "one-dimensional",
             .source = R"(import triton
import triton.language as tl


@triton.jit
def kernel(Z, X, I, SIZE: tl.constexpr):
    x = tl.load(X + tl.arange(0, SIZE))
    i = tl.load(I + tl.arange(0, SIZE))
    tl.store(Z + tl.arange(0, SIZE), x.gather(i, 0))
)",
             .arguments = "Z=output:f32[128] X=any:f32[128] I=0..128:i32[128]",
             .constexprs = "SIZE=128",
             .isUpstream = false});
}

} // namespace

void addShapesRows(RowTable &table) {
  addBroadcasts(table);
  addTranspositions(table);
  addJoins(table);
  addGathers(table);
}

} // namespace inlay::conformance
