// Conversions between types: values, bits, rounding.
#include "tests/conformance/RowTable.h"
#include "tests/conformance/rows/Types.h"

#include <fmt/format.h>

namespace inlay::conformance {
namespace {

constexpr const char *kCast = R"(import triton
import triton.language as tl


@triton.jit
def kernel(Z, X, SIZE: tl.constexpr):
    offsets = tl.arange(0, SIZE)
    x = tl.load(X + offsets)
    tl.store(Z + offsets, x.to($ARGUMENTS)$AFTER)
)";

std::string cast(const std::string &arguments, const std::string &after = "") {
  return fillIn(kCast, {{"ARGUMENTS", arguments}, {"AFTER", after}});
}

/// Out of range, float to integer is undefined: inputs stay inside.
std::string inputFill(std::string_view from, std::string_view to) {
  if (!isFloat(from) || isFloat(to) || to == "i1")
    return from == "i1" ? "0..2" : "any";
  return isUnsigned(to) ? "0..100" : "-100..100";
}

void addValues(RowTable &table) {
  std::vector<std::string_view> types(kTypes.begin(), kTypes.end());
  types.push_back("i1");
  for (std::string_view from : types)
    for (std::string_view to : types) {
      std::string out = to == "i1" ? "i8" : std::string(to);
      table.add({.group = "test_cast",
                 .name = fmt::format("{}-{}", from, to),
                 .source = cast(languageName(to)),
                 .arguments =
                     fmt::format("Z=output:{}[128] X={}:{}[128]", out, inputFill(from, to), from),
                 .constexprs = "SIZE=128"});
    }
  // A wide type after a narrow one shows that the narrow one was really there.
  for (std::string_view to : kTypes)
    for (std::string from : {"f64", "i64"})
      table.add({.group = "test_cast",
                 .name = fmt::format("back/{}-{}", from, to),
                 .source = cast(languageName(to), fmt::format(".to({})", languageName(from))),
                 .arguments =
                     fmt::format("Z=output:{0}[128] X={1}:{0}[128]", from,
                                 from == "i64" && isFloat(to) ? "-100..100" : inputFill(from, to)),
                 .constexprs = "SIZE=128",
                 .isUpstream = false});
}

void addBits(RowTable &table) {
  for (auto [from, to] : {std::pair("f32", "i32"),
                          {"i32", "f32"},
                          {"f16", "i16"},
                          {"i16", "bf16"},
                          {"bf16", "u16"},
                          {"f64", "i64"},
                          {"u64", "f64"},
                          {"f16", "bf16"},
                          {"i8", "u8"},
                          {"u32", "f32"}})
    table.add({.group = "test_cast",
               .name = fmt::format("bits/{}-{}", from, to),
               .source = cast(languageName(to) + ", bitcast=True"),
               .arguments = fmt::format("Z=output:{}[128] X=finite:{}[128]", to, from),
               .constexprs = "SIZE=128"});
  table.add({.group = "test_cast",
             .name = "bits/f32-i16",
             .source = cast("tl.int16, bitcast=True"),
             .arguments = "Z=output:i16[128] X=any:f32[128]",
             .constexprs = "SIZE=128",
             .error = "bitcast"});
}

void addRounding(RowTable &table) {
  for (const char *to : {"f16", "bf16", "fp8e5", "fp8e4nv"})
    for (const char *from : {"f32", "f64", "f16", "bf16"})
      for (const char *rounding : {"rtne", "rtz"}) {
        if (widthOf(from) <= widthOf(to) ||
            (widthOf(to) == 8 && std::string_view(rounding) == "rtz" &&
             std::string_view(to) != "fp8e5") ||
            (widthOf(to) == 8 && std::string_view(from) == "f64"))
          continue;
        table.add({.group = "test_conversions",
                   .name = fmt::format("down/{}-{}-{}", from, to, rounding),
                   .source = cast(
                       fmt::format("{}, fp_downcast_rounding='{}'", languageName(to), rounding),
                       ".to(tl.float32)"),
                   .arguments = fmt::format("Z=output:f32[256] X=-300..300:{}[256]", from),
                   .constexprs = "SIZE=256"});
        table.add({.group = "test_conversions",
                   .name = fmt::format("small/{}-{}-{}", from, to, rounding),
                   .source = cast(
                       fmt::format("{}, fp_downcast_rounding='{}'", languageName(to), rounding),
                       ".to(tl.float32)"),
                   .arguments = fmt::format("Z=output:f32[256] X=-0.03..0.03:{}[256]", from),
                   .constexprs = "SIZE=256"});
      }
  // Every value of the 8-bit floats.
  for (const char *from : {"fp8e5", "fp8e4nv"})
    for (const char *to : {"f16", "bf16", "f32", "f64"})
      table.add({.group = "test_conversions",
                 .name = fmt::format("up/{}-{}", from, to),
                 .source = R"(import triton
import triton.language as tl


@triton.jit
def kernel(Z, X, SIZE: tl.constexpr):
    offsets = tl.arange(0, SIZE)
    x = tl.load(X + offsets).to()" +
                           languageName(from) + R"(, bitcast=True)
    tl.store(Z + offsets, x.to()" +
                           languageName(to) + R"())
)",
                 .arguments = fmt::format("Z=output:{}[256] X=index:u8[256]", to),
                 .constexprs = "SIZE=256"});
  for (const char *to : {"fp8e5", "fp8e4nv"})
    for (const char *from : {"f32", "f16", "bf16"})
      table.add({.group = "test_conversions",
                 .name = fmt::format("saturate/{}-{}", from, to),
                 .source = cast(languageName(to), ".to(tl.float32)"),
                 .arguments = fmt::format("Z=output:f32[256] X=any:{}[256]", from),
                 .constexprs = "SIZE=256"});
}

void addPointers(RowTable &table) {
  table.add({.group = "test_cast",
             .name = "pointers",
             .source = R"(import triton
import triton.language as tl


@triton.jit
def kernel(Z, X, SIZE: tl.constexpr):
    offsets = tl.arange(0, SIZE)
    address = X.to(tl.int64) + 4 * offsets
    bits = tl.load(address.to(tl.pointer_type(tl.int32)))
    tl.store(Z + offsets, bits + (X.to(tl.int1)).to(tl.int32))
)",
             .arguments = "Z=output:i32[128] X=any:f32[128]",
             .constexprs = "SIZE=128",
             .isUpstream = false});
}

} // namespace

void addCastsRows(RowTable &table) {
  addValues(table);
  addBits(table);
  addRounding(table);
  addPointers(table);
}

} // namespace inlay::conformance
