// Math functions against libm in double precision. Tolerances are those of Triton's own results on
// GPUs.
#include "tests/conformance/RowTable.h"
#include "tests/conformance/rows/Types.h"

#include <array>
#include <cfenv>
#include <cmath>
#include <fmt/format.h>

namespace inlay::conformance {
namespace {

std::string kernelOf(int numOperands, const std::string &expression) {
  std::string parameters = "Z", loads;
  for (char name : std::string("XYW").substr(0, static_cast<size_t>(numOperands))) {
    parameters += fmt::format(", {}", name);
    loads += fmt::format("    {} = tl.load({} + offsets)\n", static_cast<char>(name + 32), name);
  }
  return fmt::format(R"(import triton
import triton.language as tl
from triton.language.extra import libdevice


@triton.jit
def kernel({}, SIZE: tl.constexpr):
    offsets = tl.arange(0, SIZE)
{}    tl.store(Z + offsets, {})
)",
                     parameters, loads, expression);
}

/// A function with the range of its operands and its tolerance in fp32.
struct Function {
  const char *name, *range;
  double rtol, atol;
  int numOperands = 1;
  bool is64Bit = true;
};

void addFunctions(RowTable &table, std::string_view group, std::string_view prefix,
                  std::span<const Function> functions) {
  for (const Function &function : functions)
    for (const char *type : {"f32", "f64"}) {
      bool isWide = std::string_view(type) == "f64";
      if (isWide && !function.is64Bit)
        continue;
      std::string call = fmt::format("{}{}(x{})", prefix, function.name,
                                     function.numOperands == 2   ? ", y"
                                     : function.numOperands == 3 ? ", y, w"
                                                                 : "");
      std::string arguments = fmt::format("Z=output:{}[256]", type);
      for (int i = 0; i < function.numOperands; ++i)
        arguments += fmt::format(" {}={}:{}[256]", "XYW"[i], function.range, type);
      table.add({.group = group,
                 .name = fmt::format("{}/{}", function.name, type),
                 .source = kernelOf(function.numOperands, call),
                 .arguments = arguments,
                 .constexprs = "SIZE=256",
                 .rtol = isWide && function.rtol > 0 ? 1e-13 : function.rtol,
                 .atol = isWide && function.atol > 0 ? 1e-14 : function.atol});
    }
}

constexpr Function kLanguage[] = {
    {"exp", "-20..20", 4e-6, 0},
    {"exp2", "-20..20", 3e-7, 0},
    {"log", "0.001..1000", 3e-7, 1e-7},
    {"log2", "0.001..1000", 3e-7, 1e-7},
    {"sin", "-50..50", 0, 3e-7},
    {"cos", "-50..50", 0, 3e-7},
    {"sqrt", "0..1000", 3e-7, 0},
    {"rsqrt", "0.001..1000", 3e-7, 0},
    {"erf", "-4..4", 5e-7, 0},
    {"floor", "finite", 0, 0},
    {"ceil", "finite", 0, 0},
    {"sqrt_rn", "0..1000", 0, 0, 1, false},
    {"fma", "finite", 0, 0, 3},
    {"fdiv", "-10..10", 3e-7, 0, 2},
    {"div_rn", "-10..10", 0, 0, 2, false},
    {"sigmoid", "-20..20", 5e-6, 0},
};
constexpr Function kLibdevice[] = {
    {"pow", "0.1..8", 2e-6, 0, 2},
    {"tanh", "-6..6", 5e-7, 0},
    {"rint", "-100..100", 0, 0},
    {"trunc", "-100..100", 0, 0},
    {"round", "-100..100", 0, 0},
    {"acos", "-1..1", 5e-7, 2e-7},
    {"asin", "-1..1", 5e-7, 0},
    {"atan", "-20..20", 5e-7, 0},
    {"atan2", "-20..20", 5e-7, 0, 2},
    {"tan", "-20..20", 1e-6, 1e-6},
    {"log1p", "-0.9..20", 5e-7, 0},
    {"expm1", "-10..10", 5e-7, 0},
    {"log10", "0.001..1000", 5e-7, 1e-7},
    {"cosh", "-10..10", 6e-7, 0},
    {"sinh", "-10..10", 6e-7, 0},
    {"cbrt", "-50..50", 4e-7, 0},
    {"erfc", "-3..3", 1e-6, 0},
    {"fmod", "-10..10", 0, 0, 2},
    {"copysign", "any", 0, 0, 2},
    {"nearbyint", "-100..100", 0, 0},
    {"exp10", "-5..5", 5e-6, 0},
    {"asinh", "-20..20", 1e-6, 0},
    {"acosh", "1..50", 1e-6, 1e-6},
    {"atanh", "-0.99..0.99", 1e-6, 0},
    {"hypot", "-10..10", 5e-7, 0, 2},
    {"lgamma", "0.5..20", 2e-6, 1e-6},
    {"tgamma", "0.5..10", 2e-6, 0},
    {"erfinv", "-0.99..0.99", 1e-6, 0},
    {"fast_expf", "-10..10", 1e-5, 0, 1, false},
    {"fast_dividef", "1..10", 1e-6, 0, 2, false},
    {"fast_tanhf", "-5..5", 1e-3, 1e-3, 1, false},
};

void addPredicates(RowTable &table) {
  for (const char *name : {"isnan", "isinf"})
    for (const char *type : {"f32", "f64"})
      table.add({.group = "test_libdevice",
                 .name = fmt::format("{}/{}", name, type),
                 .source = kernelOf(1, fmt::format("libdevice.{}(x)", name)),
                 .arguments = fmt::format("Z=output:i8[256] X=any:{}[256]", type),
                 .constexprs = "SIZE=256"});
  table.add({.group = "test_libdevice",
             .name = "finitef",
             .source = kernelOf(1, "libdevice.finitef(x)"),
             .arguments = "Z=output:i8[256] X=any:f32[256]",
             .constexprs = "SIZE=256"});
  for (const char *name : {"ffs", "popc", "clz"})
    for (const char *type : {"i32", "i64"})
      table.add({.group = "test_libdevice",
                 .name = fmt::format("{}/{}", name, type),
                 .source = kernelOf(1, fmt::format("libdevice.{}(x)", name)),
                 .arguments = fmt::format("Z=output:i32[256] X=any:{}[256]", type),
                 .constexprs = "SIZE=256"});
}

/// Functions by their symbols, wrapped as Triton's own modules wrap them.
void addSymbols(RowTable &table) {
  struct Symbol {
    const char *symbol, *type, *name;
    int operands;
    double rtol = 0;
  };
  for (Symbol s : {Symbol{"__nv_rintf", "f32", "fp32", 1},
                   {"__nv_rint", "f64", "fp64", 1},
                   {"__nv_fadd_rz", "f32", "fp32", 2},
                   {"__nv_fmaf", "f32", "fp32", 3},
                   {"__nv_popcll", "i64", "int64", 1},
                   {"__nv_byte_perm", "i32", "int32", 3},
                   {"__nv_expf", "f32", "fp32", 1, 1e-6}}) {
    std::string types, names;
    for (int i = 0; i < s.operands; ++i) {
      types += fmt::format("core.dtype('{}'), ", s.name);
      names += fmt::format("{}, ", "xyw"[i]);
    }
    std::string source = kernelOf(s.operands, fmt::format("wrapped({})", names));
    source = fmt::format(R"(from triton.language import core
{0}

@core.extern
def wrapped({1}_semantic=None):
    return core.extern_elementwise('libdevice', '', [{1}], {{({2}): ('{3}', core.dtype('{4}'))}},
                                   is_pure=True, _semantic=_semantic)
)",
                         source, names, types, s.symbol, s.name);
    std::string arguments = fmt::format("Z=output:{}[256]", s.type);
    for (int i = 0; i < s.operands; ++i)
      arguments += fmt::format(" {}=any:{}[256]", "XYW"[i], s.type);
    table.add({.group = "test_libdevice",
               .name = fmt::format("symbols/{}", s.symbol),
               .source = source,
               .arguments = arguments,
               .constexprs = "SIZE=256",
               .rtol = s.rtol,
               .isUpstream = false});
  }
}

/// f of every element, computed by hardware that rounds as told. What is volatile keeps the
/// computation between the two changes of the mode.
template <typename To, typename From, auto f, int mode>
void roundedPlainly(PlainValues &values) {
  const bool hasY = values.contains("Y"), hasW = values.contains("W");
  std::fesetround(mode);
  for (size_t i = 0; i < values["Z"].size(); ++i) {
    volatile From x = static_cast<From>(values["X"][i]);
    volatile From y = hasY ? static_cast<From>(values["Y"][i]) : From(0);
    volatile From w = hasW ? static_cast<From>(values["W"][i]) : From(0);
    volatile To z = f(x, y, w);
    values["Z"][i] = static_cast<double>(z);
  }
  std::fesetround(FE_TONEAREST);
}

template <typename To, typename From, auto f>
void addRounded(RowTable &table, const std::string &name, int operands, const char *to,
                const char *from) {
  constexpr std::array<PlainReference, 3> references = {roundedPlainly<To, From, f, FE_TOWARDZERO>,
                                                        roundedPlainly<To, From, f, FE_DOWNWARD>,
                                                        roundedPlainly<To, From, f, FE_UPWARD>};
  for (size_t i = 0; i < references.size(); ++i) {
    std::string function = fmt::format("{}_r{}", name, "zdu"[i]);
    table.add({.group = "test_libdevice",
               .name = fmt::format("{}/{}", function, from),
               .source = kernelOf(operands, fmt::format("libdevice.{}({})", function,
                                                        operands == 1   ? "x"
                                                        : operands == 2 ? "x, y"
                                                                        : "x, y, w")),
               .arguments = fmt::format("Z=output:{}[256] X=any:{}[256]{}{}", to, from,
                                        operands > 1 ? fmt::format(" Y=any:{}[256]", from) : "",
                                        operands > 2 ? fmt::format(" W=any:{}[256]", from) : ""),
               .constexprs = "SIZE=256",
               .reference = references[i],
               .isUpstream = false});
  }
}

template <typename T>
void addRoundedArithmetic(RowTable &table, const char *type) {
  addRounded<T, T, [](T x, T y, T) { return x + y; }>(table, "add", 2, type, type);
  addRounded<T, T, [](T x, T y, T) { return x - y; }>(table, "sub", 2, type, type);
  addRounded<T, T, [](T x, T y, T) { return x * y; }>(table, "mul", 2, type, type);
  addRounded<T, T, [](T x, T y, T) { return x / y; }>(table, "div", 2, type, type);
  addRounded<T, T, [](T x, T, T) { return T(1) / x; }>(table, "rcp", 1, type, type);
  addRounded<T, T, [](T x, T, T) { return std::sqrt(x); }>(table, "sqrt", 1, type, type);
}

void addRoundings(RowTable &table) {
  addRoundedArithmetic<float>(table, "f32");
  addRoundedArithmetic<double>(table, "f64");
  addRounded<float, float, [](float x, float y, float w) { return std::fma(x, y, w); }>(
      table, "fma", 3, "f32", "f32");
  addRounded<double, double, [](double x, double y, double w) { return std::fma(x, y, w); }>(
      table, "fma", 3, "f64", "f64");
  addRounded<float, double, [](double x, double, double) { return static_cast<float>(x); }>(
      table, "double2float", 1, "f32", "f64");
  addRounded<float, int32_t, [](int32_t x, int32_t, int32_t) { return static_cast<float>(x); }>(
      table, "int2float", 1, "f32", "i32");
}

template <auto f>
void computedPlainly(PlainValues &values) {
  const bool hasY = values.contains("Y");
  for (size_t i = 0; i < values["Z"].size(); ++i)
    values["Z"][i] = f(values["X"][i], hasY ? values["Y"][i] : 0.0);
}

template <auto f>
void addAgainstLibm(RowTable &table, const char *name, const char *range, double rtol, double atol,
                    const char *orders = nullptr) {
  for (const char *type : {"f32", "f64"}) {
    const bool isWide = std::string_view(type) == "f64";
    table.add({.group = "test_libdevice",
               .name = fmt::format("{}/{}", name, type),
               .source = kernelOf(orders ? 2 : 1,
                                  fmt::format("libdevice.{}({})", name, orders ? "y, x" : "x")),
               .arguments = fmt::format("Z=output:{0}[256] X={1}:{0}[256]{2}", type, range,
                                        orders ? fmt::format(" Y={}:i32[256]", orders) : ""),
               .constexprs = "SIZE=256",
               .rtol = isWide ? rtol : 1e-6,
               .atol = isWide ? atol : atol * 1e8,
               .reference = computedPlainly<f>,
               .isUpstream = false});
  }
}

/// Against the C library, and where it has no such function, against sums in long double.
void addBessel(RowTable &table) {
  addAgainstLibm<[](double x, double) { return ::j0(x); }>(table, "j0", "-60..60", 0, 3e-15);
  addAgainstLibm<[](double x, double) { return ::j1(x); }>(table, "j1", "-60..60", 0, 3e-15);
  addAgainstLibm<[](double x, double) { return ::y0(x); }>(table, "y0", "0.01..60", 1e-14, 3e-15);
  addAgainstLibm<[](double x, double) { return ::y1(x); }>(table, "y1", "0.01..60", 1e-14, 3e-15);
  addAgainstLibm<[](double x, double n) { return ::jn(static_cast<int>(n), x); }>(
      table, "jn", "-40..40", 0, 1e-14, "0..50");
  addAgainstLibm<[](double x, double n) { return ::yn(static_cast<int>(n), x); }>(
      table, "yn", "0.5..60", 1e-13, 1e-14, "0..20");
  addAgainstLibm<[](double x, double) { return std::cyl_bessel_i(0.0, std::abs(x)); }>(
      table, "cyl_bessel_i0", "-50..50", 1e-13, 0);
  addAgainstLibm<[](double x, double) {
    return std::copysign(std::cyl_bessel_i(1.0, std::abs(x)), x);
  }>(table, "cyl_bessel_i1", "-50..50", 1e-13, 0);
  addAgainstLibm<[](double x, double) {
    const long double wide = x;
    return static_cast<double>(std::exp(wide * wide) * std::erfc(wide));
  }>(table, "erfcx", "-9..60", 1e-13, 0);
}

/// Narrow floats are refused, as the language says.
void addRefusals(RowTable &table) {
  for (const char *name : {"exp", "log", "sin", "sqrt", "erf"})
    for (const char *type : {"f16", "bf16", "i32"})
      table.add({.group = "test_compile_errors",
                 .name = fmt::format("math/{}/{}", name, type),
                 .source = kernelOf(1, fmt::format("tl.{}(x)", name)),
                 .arguments = fmt::format("Z=output:{0}[256] X=finite:{0}[256]", type),
                 .constexprs = "SIZE=256",
                 .error = name});
}

/// Infinities, NaN and denormals through the functions that kernels use most.
void addEdges(RowTable &table) {
  for (const char *name :
       {"exp", "exp2", "log", "log2", "sqrt", "rsqrt", "erf", "floor", "ceil", "sigmoid"})
    for (const char *type : {"f32", "f64"})
      table.add({.group = "edges",
                 .name = fmt::format("{}/{}", name, type),
                 .source = kernelOf(1, fmt::format("tl.{}(x)", name)),
                 .arguments = fmt::format("Z=output:{0}[256] X=any:{0}[256]", type),
                 .constexprs = "SIZE=256",
                 .rtol = type[1] == '3' ? 5e-6 : 1e-13,
                 .atol = type[1] == '3' ? 2e-38 : 3e-308});
}

} // namespace

void addMathRows(RowTable &table) {
  addFunctions(table, "test_math_op", "tl.", kLanguage);
  addFunctions(table, "test_libdevice", "libdevice.", kLibdevice);
  addPredicates(table);
  addSymbols(table);
  addRoundings(table);
  addBessel(table);
  addRefusals(table);
  addEdges(table);
}

} // namespace inlay::conformance
