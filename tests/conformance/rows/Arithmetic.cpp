// Operators over pairs of types. Results are stored in a type that holds all values, so that the
// type they were computed in shows.
#include "tests/conformance/RowTable.h"
#include "tests/conformance/rows/Types.h"

#include <fmt/format.h>

namespace inlay::conformance {
namespace {

constexpr const char *kBinary = R"(import triton
import triton.language as tl


@triton.jit
def kernel(Z, X, Y, SIZE: tl.constexpr):
    offsets = tl.arange(0, SIZE)
    x = tl.load(X + offsets)
    y = tl.load(Y + offsets)
    tl.store(Z + offsets, $EXPRESSION)
)";
constexpr const char *kUnary = R"(import triton
import triton.language as tl


@triton.jit
def kernel(Z, X, SIZE: tl.constexpr):
    offsets = tl.arange(0, SIZE)
    x = tl.load(X + offsets)
    tl.store(Z + offsets, $EXPRESSION)
)";

std::string binary(const std::string &expression) {
  return fillIn(kBinary, {{"EXPRESSION", expression}});
}
std::string unary(const std::string &expression) {
  return fillIn(kUnary, {{"EXPRESSION", expression}});
}

struct Operator {
  const char *text, *name;
};

bool isMixedSign(std::string_view a, std::string_view b) {
  return !isFloat(a) && !isFloat(b) && isUnsigned(a) != isUnsigned(b);
}

void addBinaryOperators(RowTable &table) {
  for (auto [text, name] :
       {Operator{"+", "add"}, {"-", "sub"}, {"*", "mul"}, {"/", "div"}, {"%", "mod"}})
    for (std::string_view x : kTypes)
      for (std::string_view y : kTypes) {
        bool isDivision = text[0] == '/' || text[0] == '%';
        bool isRefused = isDivision && isMixedSign(x, y);
        std::string out = text[0] == '/' ? "f64" : wideOf(x, y);
        // Triton divides fp32 within two units in the last place.
        double rtol = text[0] == '/' ? 3e-7 : 0, atol = text[0] == '/' ? 3e-45 : 0;
        table.add({.group = "test_bin_op",
                   .name = fmt::format("{}/{}-{}", name, x, y),
                   .source = binary(fmt::format("x {} y", text)),
                   .arguments = fmt::format("Z=output:{}[128] X={}:{}[128] Y={}:{}[128]", out,
                                            isDivision ? "finite" : "any", x,
                                            isDivision ? "nonzero" : "any", y),
                   .constexprs = "SIZE=128",
                   .rtol = rtol,
                   .atol = atol,
                   .error = isRefused ? "signedness" : ""});
      }
}

void addBitwiseOperators(RowTable &table) {
  for (auto [text, name] : {Operator{"&", "and"}, {"|", "or"}, {"^", "xor"}})
    for (std::string_view x : kTypes)
      for (std::string_view y : kTypes)
        table.add({.group = "test_bitwise_op",
                   .name = fmt::format("{}/{}-{}", name, x, y),
                   .source = binary(fmt::format("x {} y", text)),
                   .arguments = fmt::format("Z=output:i64[128] X=any:{}[128] Y=any:{}[128]", x, y),
                   .constexprs = "SIZE=128",
                   .error = isFloat(x) || isFloat(y) ? "needs integers" : ""});
  for (auto [text, name] : {Operator{"<<", "left"}, {">>", "right"}})
    for (std::string_view x : kIntegerTypes)
      for (std::string_view y : kIntegerTypes)
        table.add({.group = "test_shift_op",
                   .name = fmt::format("{}/{}-{}", name, x, y),
                   .source = binary(fmt::format("x {} y", text)),
                   .arguments = fmt::format("Z=output:i64[128] X=any:{}[128] Y=0..{}:{}[128]", x,
                                            widthOf(x), y),
                   .constexprs = "SIZE=128"});
  for (std::string_view x : kIntegerTypes)
    for (std::string_view y : kIntegerTypes)
      table.add(
          {.group = "test_floordiv",
           .name = fmt::format("{}-{}", x, y),
           .source = binary("x // y"),
           .arguments = fmt::format("Z=output:i64[128] X=any:{}[128] Y=nonzero:{}[128]", x, y),
           .constexprs = "SIZE=128",
           .error = isMixedSign(x, y) ? "signedness" : ""});
}

void addComparisons(RowTable &table) {
  for (auto [text, name] :
       {Operator{"==", "eq"}, {"!=", "ne"}, {">", "gt"}, {"<", "lt"}, {">=", "ge"}, {"<=", "le"}}) {
    for (std::string_view x : kTypes)
      for (std::string_view y : kTypes)
        table.add(
            {.group = "test_compare_op",
             .name = fmt::format("{}/{}-{}", name, x, y),
             .source = binary(fmt::format("x {} y", text)),
             .arguments = fmt::format("Z=output:i8[128] X=finite:{}[128] Y=finite:{}[128]", x, y),
             .constexprs = "SIZE=128",
             .isUpstream = x != "bf16" && y != "bf16"});
    for (std::string_view type : kFloatTypes)
      table.add(
          {.group = "test_compare_op",
           .name = fmt::format("{}-nan/{}", name, type),
           .source = binary(fmt::format("x {} y", text)),
           .arguments = fmt::format("Z=output:i8[128] X=any:{}[128] Y=any:{}[128]", type, type),
           .constexprs = "SIZE=128"});
  }
}

void addConstexprOperators(RowTable &table) {
  for (auto [text, name] : {Operator{"+", "add"},
                            {"-", "sub"},
                            {"*", "mul"},
                            {"/", "div"},
                            {"%", "mod"},
                            {"//", "floordiv"},
                            {"<", "lt"},
                            {">", "gt"},
                            {"**", "power"},
                            {"|", "or"},
                            {"&", "and"},
                            {"^", "xor"},
                            {"<<", "left"},
                            {">>", "right"},
                            {"==", "eq"},
                            {"!=", "ne"}})
    for (const char *operands : {"7 -3", "-7 2", "12 5"}) {
      std::string pair = operands, a = pair.substr(0, pair.find(' ')),
                  b = pair.substr(pair.find(' ') + 1);
      bool isShift = std::string_view(text) == "<<" || std::string_view(text) == ">>",
           isNegative = b[0] == '-';
      if (isShift && isNegative)
        continue;
      table.add({.group = "test_bin_op_constexpr",
                 .name = fmt::format("{}/{}/{}", name, a, b),
                 .source = fillIn(R"(import triton
import triton.language as tl


@triton.jit
def kernel(Z, A: tl.constexpr, B: tl.constexpr):
    tl.store(Z, A $OPERATOR B)
)",
                                  {{"OPERATOR", text}}),
                 .arguments = "Z=output:f64[1]",
                 .constexprs = fmt::format("A={} B={}", a, b),
                 .rtol = 3e-7});
    }
  // A tensor with a number takes the tensor's type.
  for (std::string_view type : kTypes)
    for (const char *number : {"2", "2.5", "True"}) {
      table.add(
          {.group = "test_bin_op_constexpr",
           .name = fmt::format("tensor/{}/{}", type, number),
           .source = unary(fmt::format("x * {}", number)),
           .arguments = fmt::format("Z=output:{}[128] X=any:{}[128]",
                                    std::string_view(number) == "2.5" ? "f64" : wideOf(type), type),
           .constexprs = "SIZE=128",
           .isUpstream = false});
    }
}

void addUnaryOperators(RowTable &table) {
  for (std::string_view type : kTypes) {
    table.add({.group = "test_unary_op",
               .name = fmt::format("minus/{}", type),
               .source = unary("-x"),
               .arguments = fmt::format("Z=output:{}[128] X=any:{}[128]", wideOf(type), type),
               .constexprs = "SIZE=128"});
    table.add({.group = "test_abs",
               .name = std::string(type),
               .source = unary("tl.abs(x)"),
               .arguments = fmt::format("Z=output:{}[128] X=any:{}[128]", wideOf(type), type),
               .constexprs = "SIZE=128"});
    if (!isFloat(type))
      table.add({.group = "test_unary_op",
                 .name = fmt::format("invert/{}", type),
                 .source = unary("~x"),
                 .arguments = fmt::format("Z=output:i64[128] X=any:{}[128]", type),
                 .constexprs = "SIZE=128"});
  }
  for (const char *type : {"i32", "u32", "i64", "u64"})
    table.add(
        {.group = "test_umulhi",
         .name = type,
         .source = binary("tl.umulhi(x, y)"),
         .arguments = fmt::format("Z=output:i64[128] X=any:{}[128] Y=any:{}[128]", type, type),
         .constexprs = "SIZE=128",
         .isUpstream = std::string_view(type) == "i32"});
}

void addSelections(RowTable &table) {
  for (std::string_view type : kTypes)
    table.add({.group = "test_where",
               .name = std::string(type),
               .source = R"(import triton
import triton.language as tl


@triton.jit
def kernel(Z, C, X, Y, SIZE: tl.constexpr):
    offsets = tl.arange(0, SIZE)
    c = tl.load(C + offsets)
    x = tl.load(X + offsets)
    y = tl.load(Y + offsets)
    tl.store(Z + offsets, tl.where(c, x, y))
    tl.store(Z + SIZE + offsets, tl.where(c, x, tl.load(Y)))
)",
               .arguments = fmt::format(
                   "Z=output:{0}[256] C=0..2:i1[128] X=any:{0}[128] Y=any:{0}[128]", type),
               .constexprs = "SIZE=128"});
  table.add({.group = "test_where",
             .name = "scalar-condition",
             .source = binary("tl.where(SIZE > 5, x, y)"),
             .arguments = "Z=output:f32[64] X=any:f32[64] Y=any:f32[64]",
             .constexprs = "SIZE=64"});
  for (auto [text, name] : {Operator{"tl.maximum", "maximum"}, {"tl.minimum", "minimum"}})
    for (std::string_view type : kTypes) {
      table.add({.group = "edges",
                 .name = fmt::format("{}/{}", name, type),
                 .source = binary(fmt::format("{}(x, y)", text)),
                 .arguments = fmt::format("Z=output:{0}[128] X=any:{1}[128] Y=any:{1}[128]",
                                          wideOf(type), type),
                 .constexprs = "SIZE=128"});
      if (isFloat(type))
        table.add(
            {.group = "edges",
             .name = fmt::format("{}-nan/{}", name, type),
             .source = binary(fmt::format("{}(x, y, propagate_nan=tl.PropagateNan.ALL)", text)),
             .arguments = fmt::format("Z=output:f64[128] X=any:{0}[128] Y=any:{0}[128]", type),
             .constexprs = "SIZE=128"});
    }
  for (std::string_view type : kFloatTypes)
    table.add({.group = "edges",
               .name = fmt::format("clamp/{}", type),
               .source = unary("tl.clamp(x, -1.5, 2.0)"),
               .arguments = fmt::format("Z=output:f64[128] X=finite:{}[128]", type),
               .constexprs = "SIZE=128"});
}

} // namespace

void addArithmeticRows(RowTable &table) {
  addBinaryOperators(table);
  addBitwiseOperators(table);
  addComparisons(table);
  addConstexprOperators(table);
  addUnaryOperators(table);
  addSelections(table);
}

} // namespace inlay::conformance
