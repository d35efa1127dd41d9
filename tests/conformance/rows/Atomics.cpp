// Atomic operations: what they leave in memory and what they return.
#include "tests/conformance/RowTable.h"
#include "tests/conformance/rows/Types.h"

#include <fmt/format.h>

namespace inlay::conformance {
namespace {

constexpr const char *kImports = "import triton\nimport triton.language as tl\n\n\n";

bool hasOperation(std::string_view op, std::string_view type) {
  if (op == "add")
    return isFloat(type) || widthOf(type) >= 32;
  if (op == "max" || op == "min" || op == "xchg")
    return widthOf(type) >= 32;
  return !isFloat(type) && widthOf(type) >= 32;
}

/// Many programs on one element: the order is open, so that only what it does not change is
/// compared.
void addScalars(RowTable &table) {
  for (const char *op : {"add", "max", "min", "and", "or", "xor"})
    for (std::string_view type : {"i32", "i64", "u32", "u64", "f16", "bf16", "f32", "f64"})
      for (const char *sem : {"", ", sem='relaxed'", ", sem='acquire'", ", sem='release'",
                              ", sem='acq_rel', scope='cta'"}) {
        if (!hasOperation(op, type))
          continue;
        std::string name = sem;
        for (char &c : name)
          c = std::isalnum(static_cast<unsigned char>(c)) ? c : '-';
        table.add({.group = "test_atomic_rmw",
                   .name = fmt::format("{}/{}/{}", op, type, name.empty() ? "default" : name),
                   .source = kImports + fillIn(R"(@triton.jit
def kernel(Z, X):
    i = tl.program_id(0)
    tl.atomic_$OP(Z, tl.load(X + i)$SEM)
)",
                                               {{"OP", op}, {"SEM", sem}}),
                   .arguments =
                       fmt::format("Z={}:{}[1] X=integers:{}[32]",
                                   std::string_view(op) == "and" ? "output" : "zero", type, type),
                   .grid = {32, 1, 1}});
      }
}

void addTiles(RowTable &table) {
  for (const char *op : {"add", "max", "min", "and", "or", "xor", "xchg"})
    for (std::string_view type : {"i32", "i64", "u32", "u64", "f16", "bf16", "f32", "f64"})
      for (int size : {1, 32, 128, 512})
        for (int warps : {1, 4}) {
          if (!hasOperation(op, type))
            continue;
          // Every element has its own address: the value returned is known.
          table.add({.group = "test_atomic_rmw",
                     .name = fmt::format("tile/{}/{}/{}/{}", op, type, size, warps),
                     .source = kImports + fillIn(R"(@triton.jit
def kernel(Z, W, X, SIZE: tl.constexpr):
    at = tl.arange(0, SIZE)
    mask = at % 5 != 1
    old = tl.atomic_$OP(Z + at, tl.load(X + at), mask=mask)
    tl.store(W + at, old, mask=mask)
)",
                                                 {{"OP", op}}),
                     .arguments = fmt::format(
                         "Z=integers:{0}[{1}] W=output:{0}[{1}] X=integers:{0}[{1}]", type, size),
                     .constexprs = fmt::format("SIZE={}", size),
                     .numWarps = warps});
        }
  for (const char *type : {"i32", "f32", "i64", "f16"})
    for (int warps : {1, 4, 8})
      table.add(
          {.group = "test_atomic_rmw",
           .name = fmt::format("collisions/{}/{}", type, warps),
           .source = std::string(kImports) + R"(@triton.jit
def kernel(Z, X, I, SIZE: tl.constexpr):
    at = tl.program_id(0) * SIZE + tl.arange(0, SIZE)
    tl.atomic_add(Z + tl.load(I + at), tl.load(X + at))
)",
           .arguments = fmt::format("Z=zero:{0}[8] X=integers:{0}[512] I=0..8:i32[512]", type),
           .constexprs = "SIZE=128",
           .numWarps = warps,
           .grid = {4, 1, 1}});
  for (int axis : {0, 1})
    for (int warps : {1, 4})
      table.add(
          {.group = "test_atomic_rmw",
           .name = fmt::format("reduced/{}/{}", axis, warps),
           .source = std::string(kImports) + R"(@triton.jit
def kernel(Z, W, X, M: tl.constexpr, N: tl.constexpr, AXIS: tl.constexpr):
    x = tl.load(X + tl.arange(0, M)[:, None] * N + tl.arange(0, N)[None, :])
    z = tl.sum(x, axis=AXIS)
    at = tl.arange(0, N) if AXIS == 0 else tl.arange(0, M)
    old = tl.atomic_add(Z + at, z)
    tl.store(W + at, old)
)",
           .arguments = fmt::format("Z=integers:f32[64] W=zero:f32[64] X=integers:f32[32,64]"),
           .constexprs = fmt::format("M=32 N=64 AXIS={}", axis),
           .numWarps = warps});
  // Signs and zeros of the float maximum made of integer operations.
  for (const char *op : {"max", "min"})
    for (const char *type : {"f32", "f64"})
      table.add({.group = "edges",
                 .name = fmt::format("atomic-{}/{}", op, type),
                 .source = kImports + fillIn(R"(@triton.jit
def kernel(Z, X, SIZE: tl.constexpr):
    at = tl.arange(0, SIZE)
    tl.atomic_$OP(Z + at, tl.load(X + at))
)",
                                             {{"OP", op}}),
                 .arguments = fmt::format("Z=finite:{0}[128] X=finite:{0}[128]", type),
                 .constexprs = "SIZE=128"});
}

/// Addresses of many kinds: neighbours, strided, shifted, shared by several elements, masked; with
/// the results used and not.
void addAccessPatterns(RowTable &table) {
  struct Pattern {
    const char *name, *address, *mask;
    bool isShared; // by several elements, so that what they return is open
  };
  for (Pattern p : {Pattern{"contiguous", "at", "at < n", false},
                    {"strided", "at * 3", "at < n", false},
                    {"shifted", "at + 1", "at < n", false},
                    {"reversed", "SIZE - 1 - at", "at < n", false},
                    {"permuted", "(at * 5) % SIZE", "at < n", false},
                    {"halves", "at", "at % 2 == 0", false},
                    {"pairs", "at // 2", "at < n", true},
                    {"one", "at * 0", "at < n", true},
                    {"folded", "at % 8", "at % 3 != 1", true},
                    {"nothing", "at", "at < 0", false}})
    for (std::string_view type : {"f16", "bf16", "f32", "f64", "i32", "u64"})
      for (int size : {16, 128, 1024})
        for (bool isUsed : {false, true}) {
          if (p.isShared && isUsed)
            continue;
          // Sums of narrow floats must stay exact.
          if (p.isShared && size > 128)
            continue;
          table.add(
              {.group = "test_atomic_rmw",
               .name = fmt::format("pattern/{}/{}/{}{}", p.name, type, size, isUsed ? "/used" : ""),
               .source =
                   kImports +
                   fillIn(R"(@triton.jit
def kernel(Z, W, X, n, SIZE: tl.constexpr):
    at = tl.arange(0, SIZE)
    mask = $MASK
    old = tl.atomic_add(Z + $ADDRESS, tl.load(X + at), mask=mask, sem="relaxed")
$STORE)",
                          {{"MASK", p.mask},
                           {"ADDRESS", p.address},
                           {"STORE", isUsed ? "    tl.store(W + at, old + 1, mask=mask)\n" : ""}}),
               .arguments = fmt::format("Z=integers:{0}[{1}] W=output:{0}[{2}] "
                                        "X=integers:{0}[{2}] n=i32:{3}",
                                        type, 3 * size, size, size - 3),
               .constexprs = fmt::format("SIZE={}", size)});
        }
}

void addCompareAndSwap(RowTable &table) {
  for (const char *type : {"i32", "i64", "u32", "f32"})
    table.add(
        {.group = "test_atomic_cas",
         .name = fmt::format("tile/{}", type),
         .source = std::string(kImports) + R"(@triton.jit
def kernel(Z, W, C, X, SIZE: tl.constexpr):
    at = tl.arange(0, SIZE)
    tl.store(W + at, tl.atomic_cas(Z + at, tl.load(C + at), tl.load(X + at)))
)",
         .arguments = fmt::format(
             "Z=integers:{0}[128] W=output:{0}[128] C=integers:{0}[128] X=any:{0}[128]", type),
         .constexprs = "SIZE=128"});
  table.add({.group = "test_atomic_cas",
             .name = "lock",
             .source = std::string(kImports) + R"(@triton.jit
def kernel(Z, LOCK, SIZE: tl.constexpr):
    at = tl.arange(0, SIZE)
    while tl.atomic_cas(LOCK, 0, 1) == 1:
        pass
    tl.store(Z + at, tl.load(Z + at) + tl.program_id(0) + 1)
    tl.debug_barrier()
    tl.atomic_xchg(LOCK, 0)
)",
             .arguments = "Z=zero:i32[128] LOCK=zero:i32[1]",
             .constexprs = "SIZE=128",
             .grid = {16, 1, 1}});
  for (const char *sem : {"acquire", "release", "acq_rel", "relaxed"})
    table.add({.group = "test_atomic_cas",
               .name = sem,
               .source = kImports + fillIn(R"(@triton.jit
def kernel(Z, W):
    tl.store(W, tl.atomic_cas(Z, 5, 9, sem="$SEM"))
    tl.store(W + 1, tl.atomic_cas(Z, 5, 7, sem="$SEM"))
)",
                                           {{"SEM", sem}}),
               .arguments = "Z=5..6:i32[1] W=output:i32[2]"});
}

} // namespace

void addAtomicsRows(RowTable &table) {
  addScalars(table);
  addTiles(table);
  addAccessPatterns(table);
  addCompareAndSwap(table);
}

} // namespace inlay::conformance
