// tl.inline_asm_elementwise: each instruction of the translated subset of PTX, and how operands,
// results and packs are passed. Exact wherever PTX says what the result is.
#include "tests/conformance/RowTable.h"

#include <fmt/format.h>

#include <vector>

namespace inlay::conformance {
namespace {

/// How a PTX type is an element type of the language, and in which register it passes.
struct Passed {
  std::string_view type, dtype, name;
  char letter;
  int pack;
};
constexpr Passed kPassed[] = {
    {"u8", "u8", "tl.uint8", 'r', 1},         {"s8", "i8", "tl.int8", 'r', 1},
    {"u16", "u16", "tl.uint16", 'h', 1},      {"s16", "i16", "tl.int16", 'h', 1},
    {"b16", "u16", "tl.uint16", 'h', 1},      {"u32", "u32", "tl.uint32", 'r', 1},
    {"s32", "i32", "tl.int32", 'r', 1},       {"b32", "u32", "tl.uint32", 'r', 1},
    {"u64", "u64", "tl.uint64", 'l', 1},      {"s64", "i64", "tl.int64", 'l', 1},
    {"b64", "u64", "tl.uint64", 'l', 1},      {"f16", "f16", "tl.float16", 'h', 1},
    {"bf16", "bf16", "tl.bfloat16", 'h', 1},  {"f32", "f32", "tl.float32", 'f', 1},
    {"f64", "f64", "tl.float64", 'd', 1},     {"u16x2", "u16", "tl.uint16", 'r', 2},
    {"s16x2", "i16", "tl.int16", 'r', 2},     {"f16x2", "f16", "tl.float16", 'r', 2},
    {"bf16x2", "bf16", "tl.bfloat16", 'r', 2}};

const Passed &passed(std::string_view type) {
  for (const Passed &known : kPassed)
    if (known.type == type)
      return known;
  std::abort();
}

/// One result of up to four operands.
struct Call {
  std::string name, text;
  std::string result;                ///< a PTX type
  std::vector<std::string> operands; ///< "any:f32", "0..40:u32"
  double rtol = 0, atol = 0;
  std::array<uint32_t, 3> grid{1, 1, 1};
};

void add(RowTable &table, const Call &call) {
  const Passed &result = passed(call.result);
  std::string loads, names, constraints = fmt::format("={}", result.letter),
                            arguments = fmt::format("Z=output:{}[512]", result.dtype);
  for (size_t i = 0; i < call.operands.size(); ++i) {
    size_t colon = call.operands[i].find(':');
    const Passed &operand = passed(std::string_view(call.operands[i]).substr(colon + 1));
    char name = static_cast<char>('A' + i);
    loads += fmt::format("    {0}_ = tl.load({0} + i)\n", name);
    names += fmt::format("{}_, ", name);
    constraints += fmt::format(",{}", operand.letter);
    arguments +=
        fmt::format(" {}={}:{}[512]", name, call.operands[i].substr(0, colon), operand.dtype);
  }
  std::string parameters = "Z";
  for (size_t i = 0; i < call.operands.size(); ++i)
    parameters += fmt::format(", {}", static_cast<char>('A' + i));
  table.add({.group = "test_inline_asm",
             .name = call.name,
             .source = fmt::format(R"(import triton
import triton.language as tl


@triton.jit
def kernel({}, SIZE: tl.constexpr):
    i = tl.arange(0, SIZE)
{}    z = tl.inline_asm_elementwise("""{}""", "{}", [{}], dtype={}, is_pure=True, pack={})
    tl.store(Z + i, z)
)",
                                   parameters, loads, call.text, constraints, names, result.name,
                                   result.pack),
             .arguments = arguments,
             .constexprs = "SIZE=512",
             .rtol = call.rtol,
             .atol = call.atol,
             .grid = call.grid,
             .isUpstream = false});
}

/// "NAME $0, $1, $2;" with all operands of one type.
void addSame(RowTable &table, const std::string &instruction, const std::string &type, size_t count,
             const std::string &fill = "any", double rtol = 0, double atol = 0) {
  std::string text = instruction + " $0";
  for (size_t i = 1; i <= count; ++i)
    text += fmt::format(", ${}", i);
  add(table, {.name = instruction,
              .text = text + ";",
              .result = type,
              .operands = std::vector<std::string>(count, fill + ":" + type),
              .rtol = rtol,
              .atol = atol});
}

void addIntegers(RowTable &table) {
  for (const char *type : {"u16", "s16", "u32", "s32", "u64", "s64"}) {
    auto named = [&](const char *name) { return fmt::format("{}.{}", name, type); };
    for (const char *name : {"add", "sub", "mul.lo", "mul.hi", "min", "max"})
      addSame(table, named(name), type, 2);
    for (const char *name : {"mad.lo", "mad.hi"})
      addSame(table, named(name), type, 3);
    for (const char *name : {"div", "rem"})
      addSame(table, named(name), type, 2, "nonzero");
    add(table, {named("shr"),
                named("shr") + " $0, $1, $2;",
                type,
                {fmt::format("any:{}", type), "0..80:u32"}});
    if (type[0] == 's')
      for (const char *name : {"abs", "neg"})
        addSame(table, named(name), type, 1);
  }
  for (const char *name : {"add", "min", "max"})
    for (const char *type : {"u16x2", "s16x2"})
      addSame(table, fmt::format("{}.{}", name, type), type, 2);
  for (const char *name : {"add.sat.s32", "sub.sat.s32", "min.relu.s32", "max.relu.s32"})
    addSame(table, name, "s32", 2);
  addSame(table, "min.relu.s16x2", "s16x2", 2);
  addSame(table, "mad.hi.sat.s32", "s32", 3);
  for (auto [narrow, wide] :
       {std::pair("u16", "u32"), {"s16", "s32"}, {"u32", "u64"}, {"s32", "s64"}}) {
    std::string operand = fmt::format("any:{}", narrow);
    add(table, {fmt::format("mul.wide.{}", narrow),
                fmt::format("mul.wide.{} $0, $1, $2;", narrow),
                wide,
                {operand, operand}});
    add(table, {fmt::format("mad.wide.{}", narrow),
                fmt::format("mad.wide.{} $0, $1, $2, $3;", narrow),
                wide,
                {operand, operand, fmt::format("any:{}", wide)}});
  }
  for (auto [first, second] :
       {std::pair("u32", "u32"), {"s32", "s32"}, {"u32", "s32"}, {"s32", "u32"}})
    add(table, {fmt::format("dp4a.{}.{}", first, second),
                fmt::format("dp4a.{}.{} $0, $1, $2, $3;", first, second),
                "u32",
                {"any:u32", "any:u32", "any:u32"}});
}

void addBits(RowTable &table) {
  for (const char *type : {"b16", "b32", "b64"}) {
    for (const char *name : {"and", "or", "xor"})
      addSame(table, fmt::format("{}.{}", name, type), type, 2);
    for (const char *name : {"not", "cnot"})
      addSame(table, fmt::format("{}.{}", name, type), type, 1);
    for (const char *name : {"shl", "shr"})
      add(table, {fmt::format("{}.{}", name, type),
                  fmt::format("{}.{} $0, $1, $2;", name, type),
                  type,
                  {fmt::format("any:{}", type), "0..80:u32"}});
  }
  for (const char *type : {"b32", "b64"}) {
    std::string any = fmt::format("any:{}", type);
    for (const char *name : {"popc", "clz"})
      add(table, {fmt::format("{}.{}", name, type),
                  fmt::format("{}.{} $0, $1;", name, type),
                  "u32",
                  {any}});
    addSame(table, fmt::format("brev.{}", type), type, 1);
    add(table, {fmt::format("bfi.{}", type),
                fmt::format("bfi.{} $0, $1, $2, $3, $4;", type),
                type,
                {any, any, "0..70:u32", "0..70:u32"}});
  }
  for (const char *type : {"u32", "s32", "u64", "s64"}) {
    std::string any = fmt::format("any:{}", type);
    for (const char *name : {"bfind", "bfind.shiftamt"})
      add(table, {fmt::format("{}.{}", name, type),
                  fmt::format("{}.{} $0, $1;", name, type),
                  "u32",
                  {any}});
    add(table, {fmt::format("bfe.{}", type),
                fmt::format("bfe.{} $0, $1, $2, $3;", type),
                type,
                {any, "0..70:u32", "0..70:u32"}});
  }
  for (int lut : {0x00, 0x1b, 0x6a, 0x80, 0x96, 0xca, 0xe8, 0xea, 0xff, 0x3f8})
    add(table, {fmt::format("lop3/{:#x}", lut),
                fmt::format("lop3.b32 $0, $1, $2, $3, {:#x};", lut),
                "b32",
                {"any:b32", "any:b32", "any:b32"}});
  for (const char *name : {"shf.l.wrap", "shf.l.clamp", "shf.r.wrap", "shf.r.clamp"})
    add(table, {name,
                fmt::format("{}.b32 $0, $1, $2, $3;", name),
                "b32",
                {"any:b32", "any:b32", "0..40:u32"}});
  for (const char *mode : {"", ".f4e", ".b4e", ".rc8", ".ecl", ".ecr", ".rc16"})
    add(table, {fmt::format("prmt{}", mode),
                fmt::format("prmt.b32{} $0, $1, $2, $3;", mode),
                "b32",
                {"any:b32", "any:b32", "any:b32"}});
}

void addFloats(RowTable &table) {
  for (const char *name : {"add", "sub", "mul"}) {
    for (const char *form :
         {"f32", "rn.f32", "rz.f32", "rm.f32", "rp.f32", "ftz.f32", "sat.f32", "rz.ftz.sat.f32"})
      addSame(table, fmt::format("{}.{}", name, form), "f32", 2);
    addSame(table, fmt::format("{}.f64", name), "f64", 2);
    for (const char *type : {"f16", "f16x2"})
      for (const char *form : {"", "rn.", "ftz.", "sat.", "ftz.sat."})
        addSame(table, fmt::format("{}.{}{}", name, form, type), type, 2);
    for (const char *type : {"bf16", "bf16x2"})
      addSame(table, fmt::format("{}.{}", name, type), type, 2);
  }
  for (const char *form : {"rn", "rz", "rm", "rp", "rn.ftz", "rn.sat", "rz.ftz"})
    addSame(table, fmt::format("fma.{}.f32", form), "f32", 3);
  addSame(table, "mad.rn.f32", "f32", 3);
  addSame(table, "fma.rn.f64", "f64", 3);
  for (const char *type : {"f16", "f16x2"})
    for (const char *form : {"", ".ftz", ".sat", ".relu"})
      addSame(table, fmt::format("fma.rn{}.{}", form, type), type, 3);
  for (const char *type : {"bf16", "bf16x2"})
    for (const char *form : {"", ".relu"})
      addSame(table, fmt::format("fma.rn{}.{}", form, type), type, 3);
  for (const char *mode : {"rn", "rz", "rm", "rp", "rn.ftz"}) {
    addSame(table, fmt::format("div.{}.f32", mode), "f32", 2);
    addSame(table, fmt::format("rcp.{}.f32", mode), "f32", 1);
    addSame(table, fmt::format("sqrt.{}.f32", mode), "f32", 1);
  }
  addSame(table, "div.rn.f64", "f64", 2);
  for (const char *name : {"rcp.rn.f64", "sqrt.rn.f64"})
    addSame(table, name, "f64", 1);
  for (const char *name : {"min", "max"}) {
    for (const char *form : {"", "ftz.", "NaN."})
      for (const char *type : {"f32", "f16", "f16x2"})
        addSame(table, fmt::format("{}.{}{}", name, form, type), type, 2);
    for (const char *form : {"", "NaN."})
      for (const char *type : {"bf16", "bf16x2"})
        addSame(table, fmt::format("{}.{}{}", name, form, type), type, 2);
    addSame(table, fmt::format("{}.f64", name), "f64", 2);
  }
  for (const char *name : {"abs", "neg"})
    for (const char *type : {"f32", "ftz.f32", "f64", "f16", "f16x2", "bf16", "bf16x2"}) {
      std::string_view element(type);
      element = element.substr(element.find('.') == std::string_view::npos ? 0 : 4);
      addSame(table, fmt::format("{}.{}", name, type), std::string(element), 1);
    }
  for (const char *type : {"f32", "f64"}) {
    addSame(table, fmt::format("copysign.{}", type), type, 2);
    for (const char *test : {"finite", "infinite", "number", "notanumber", "normal", "subnormal"})
      add(table,
          {fmt::format("testp.{}.{}", test, type),
           fmt::format("{{ .reg .pred p; testp.{}.{} p, $1; selp.u32 $0, 1, 0, p; }}", test, type),
           "u32",
           {fmt::format("any:{}", type)}});
  }
  // The bits of NaN are PTX's.
  for (const char *name : {"add.f32", "mul.ftz.f32", "max.f32", "fma.rn.f32"}) {
    bool hasThree = std::string_view(name).starts_with("fma");
    add(table, {fmt::format("bits/{}", name),
                fmt::format("{} $0, $1, $2{};", name, hasThree ? ", $1" : ""),
                "b32",
                {"any:f32", "any:f32"}});
  }
  add(table, {"bits/add.f16x2", "add.f16x2 $0, $1, $1;", "b32", {"any:b32"}});
}

void addFunctions(RowTable &table) {
  struct Function {
    const char *name, *fill;
    double rtol, atol;
  };
  for (Function f : {Function{"ex2.approx.f32", "any", 1e-6, 0},
                     {"ex2.approx.ftz.f32", "any", 1e-6, 0},
                     {"ex2.approx.f32/range", "-20..20", 1e-6, 0},
                     {"lg2.approx.f32", "any", 1e-6, 1e-6},
                     {"lg2.approx.ftz.f32", "any", 1e-6, 1e-6},
                     {"rcp.approx.f32", "any", 1e-6, 0},
                     {"rcp.approx.ftz.f32", "any", 1e-6, 0},
                     {"sqrt.approx.f32", "any", 1e-6, 0},
                     {"sqrt.approx.ftz.f32", "any", 1e-6, 0},
                     {"rsqrt.approx.f32", "any", 1e-6, 0},
                     {"rsqrt.approx.ftz.f32", "any", 1e-6, 0},
                     {"sin.approx.f32", "-3..3", 0, 2e-6},
                     {"cos.approx.f32", "-3..3", 0, 2e-6},
                     {"tanh.approx.f32", "-8..8", 2e-3, 0}}) {
    std::string text(f.name);
    text = text.substr(0, text.find('/'));
    add(table, {f.name, text + " $0, $1;", "f32", {fmt::format("{}:f32", f.fill)}, f.rtol, f.atol});
  }
  addSame(table, "rsqrt.approx.f64", "f64", 1, "0.01..100", 1e-6);
  for (const char *name : {"div.approx.f32", "div.approx.ftz.f32", "div.full.f32"})
    addSame(table, name, "f32", 2, "0.01..100", 1e-6);
  for (const char *type : {"f16", "f16x2"}) {
    addSame(table, fmt::format("ex2.approx.{}", type), type, 1, "-8..8", 4e-3);
    addSame(table, fmt::format("tanh.approx.{}", type), type, 1, "-4..4", 4e-3, 1e-3);
  }
  for (const char *type : {"bf16", "bf16x2"}) {
    addSame(table, fmt::format("ex2.approx.ftz.{}", type), type, 1, "-8..8", 2e-2);
    addSame(table, fmt::format("tanh.approx.{}", type), type, 1, "-4..4", 2e-2, 1e-2);
  }
}

void addComparisons(RowTable &table) {
  auto compare = [&](const std::string &comparison, const std::string &type) {
    std::string any = fmt::format("any:{}", type);
    add(table, {fmt::format("setp.{}.{}", comparison, type),
                fmt::format("{{ .reg .pred p; setp.{}.{} p, $1, $2; selp.u32 $0, 1, 0, p; }}",
                            comparison, type),
                "u32",
                {any, any}});
  };
  for (const char *type : {"s16", "s32", "s64", "u16", "u32", "u64", "f32", "f16", "f64", "bf16"})
    for (const char *comparison : {"eq", "ne", "lt", "le", "gt", "ge"})
      compare(comparison, type);
  for (const char *comparison : {"lo", "ls", "hi", "hs"})
    compare(comparison, "u32");
  for (const char *comparison : {"equ", "neu", "ltu", "leu", "gtu", "geu", "num", "nan", "lt.ftz"})
    compare(comparison, "f32");
  for (const char *op : {"and", "or", "xor"})
    add(table, {fmt::format("setp.{}", op),
                fmt::format("{{ .reg .pred p, q, r; setp.gt.s32 r, $2, 0; setp.lt.{}.f32 p|q, $1, "
                            "$3, !r; selp.u32 $0, 1, 0, p; @q add.u32 $0, $0, 2; }}",
                            op),
                "u32",
                {"any:f32", "any:s32", "any:f32"}});
  for (const char *form :
       {"lt.u32.f32", "geu.s32.f32", "ne.f32.s32", "lo.u32.u32", "lt.ftz.f32.f32"}) {
    std::string text(form);
    std::string from = text.substr(text.size() - 3);
    std::string to = text.substr(text.size() - 7, 3), any = "any:" + from;
    add(table,
        {fmt::format("set.{}", form), fmt::format("set.{} $0, $1, $2;", form), to, {any, any}});
  }
  for (const char *type : {"b16", "b32", "b64", "f32", "f64"}) {
    std::string any = fmt::format("any:{}", type);
    add(table,
        {fmt::format("selp.{}", type),
         fmt::format("{{ .reg .pred p; setp.ne.u32 p, $3, 0; selp.{} $0, $1, $2, p; }}", type),
         type,
         {any, any, "0..2:u32"}});
    add(table, {fmt::format("slct.{}.s32", type),
                fmt::format("slct.{}.s32 $0, $1, $2, $3;", type),
                type,
                {any, any, "any:s32"}});
    add(table, {fmt::format("slct.{}.f32", type),
                fmt::format("slct.{}.f32 $0, $1, $2, $3;", type),
                type,
                {any, any, "any:f32"}});
  }
  add(table, {"predicates",
              "{ .reg .pred p<4>; setp.lt.s32 p0, $1, $2; setp.gt.s32 p1, $1, 5; and.pred p2, p0, "
              "p1; or.pred p3, p0, p1; xor.pred p3, p3, p2; not.pred p2, p2; mov.pred p0, p3; "
              "selp.s32 $0, $1, $2, p0; @!p2 neg.s32 $0, $0; }",
              "s32",
              {"any:s32", "-9..9:s32"}});
}

void addConversion(RowTable &table, const std::string &form, const std::string &to,
                   const std::string &from) {
  add(table, {fmt::format("cvt.{}{}.{}", form, to, from),
              fmt::format("cvt.{}{}.{} $0, $1;", form, to, from),
              to,
              {fmt::format("any:{}", from)}});
}

void addConversions(RowTable &table) {
  const std::vector<std::string> integers{"u8", "s8", "u16", "s16", "u32", "s32", "u64", "s64"};
  auto widthOf = [](const std::string &type) { return std::stoi(type.substr(1)); };
  for (const std::string &to : integers) {
    for (const std::string &from : integers) {
      addConversion(table, "", to, from);
      bool isSignedTo = to[0] == 's', isSignedFrom = from[0] == 's';
      bool holdsAll =
          isSignedTo ? widthOf(to) > widthOf(from) || (isSignedFrom && widthOf(to) == widthOf(from))
                     : !isSignedFrom && widthOf(to) >= widthOf(from);
      if (!holdsAll)
        addConversion(table, "sat.", to, from);
    }
    // With bf16, registers must be as wide as the type: 8 bits pass in no operand.
    const bool isByte = widthOf(to) == 8;
    for (const char *rounding : {"rni.", "rzi.", "rmi.", "rpi."}) {
      for (const char *from : {"f32", "f16", "f64"})
        addConversion(table, rounding, to, from);
      if (!isByte)
        addConversion(table, rounding, to, "bf16");
    }
    addConversion(table, "rzi.ftz.", to, "f32");
    for (const char *rounding : {"rn.", "rz.", "rm.", "rp."}) {
      for (const char *type : {"f32", "f16"})
        addConversion(table, rounding, type, to);
      if (!isByte)
        addConversion(table, rounding, "bf16", to);
    }
    addConversion(table, "rn.", "f64", to);
    addConversion(table, "rn.sat.", "f32", to);
  }
  for (const char *form : {"", "ftz.", "sat.", "rni.", "rzi.", "rmi.", "rpi.", "rpi.ftz."})
    addConversion(table, form, "f32", "f32");
  for (const char *form : {"rni.", "rzi.", "rmi.", "rpi."})
    for (const char *type : {"f16", "f64"})
      addConversion(table, form, type, type);
  for (const char *rounding : {"rn.", "rz.", "rm.", "rp."}) {
    for (auto [to, from] : {std::pair("f32", "f64"),
                            {"f16", "f64"},
                            {"bf16", "f64"},
                            {"f16", "f32"},
                            {"bf16", "f32"},
                            {"bf16", "f16"}})
      addConversion(table, rounding, to, from);
    addConversion(table, fmt::format("{}ftz.sat.", rounding), "f32", "f64");
  }
  for (auto [to, from] : {std::pair("f64", "f32"), {"f64", "f16"}, {"f32", "f16"}, {"f32", "bf16"}})
    addConversion(table, "", to, from);
  for (const char *form : {"rn.relu.", "rz.relu.", "rn.satfinite.", "rz.relu.satfinite."})
    for (const char *to : {"f16", "bf16"})
      addConversion(table, form, to, "f32");
}

void addPackedConversions(RowTable &table) {
  for (const char *form : {"rna", "rn", "rz", "rn.relu", "rz.relu", "rna.satfinite"})
    add(table, {fmt::format("cvt.{}.tf32.f32", form),
                fmt::format("cvt.{}.tf32.f32 $0, $1;", form),
                "b32",
                {"finite:f32"}}); // of NaN, GPUs leave the lower 13 bits as they like
  for (const char *type : {"f16x2", "bf16x2"})
    for (const char *form : {"rn", "rz", "rn.relu", "rn.satfinite", "rz.relu.satfinite"})
      add(table, {fmt::format("cvt.{}.{}.f32", form, type),
                  fmt::format("cvt.{}.{}.f32 $0, $1, $2;", form, type),
                  "b32",
                  {"any:f32", "any:f32"}});
  for (const char *type : {"e4m3x2", "e5m2x2"}) {
    for (const char *form : {"rn.satfinite", "rn.satfinite.relu"}) {
      for (const char *fill : {"any", "-500..500"})
        add(table, {fmt::format("cvt.{}.{}.f32/{}", form, type, fill),
                    fmt::format("cvt.{}.{}.f32 $0, $1, $2;", form, type),
                    "b16",
                    {fmt::format("{}:f32", fill), fmt::format("{}:f32", fill)}});
      add(table, {fmt::format("cvt.{}.{}.f16x2", form, type),
                  fmt::format("cvt.{}.{}.f16x2 $0, $1;", form, type),
                  "b16",
                  {"any:b32"}});
    }
    for (const char *form : {"rn", "rn.relu"})
      add(table, {fmt::format("cvt.{}.f16x2.{}", form, type),
                  fmt::format("cvt.{}.f16x2.{} $0, $1;", form, type),
                  "b32",
                  {"any:b16"}});
  }
  // What only newer GPUs than sm_90 have.
  const std::string newer = "blackwell/";
  for (const char *form : {"rn.satfinite", "rn.satfinite.relu"}) {
    for (const char *fill : {"any", "-8..8"}) {
      std::string operand = fmt::format("{}:f32", fill);
      add(table,
          {newer + fmt::format("cvt.{}.e2m1x2.f32/{}", form, fill),
           fmt::format("{{ .reg .b8 b; cvt.{}.e2m1x2.f32 b, $1, $2; cvt.u32.u8 $0, b; }}", form),
           "b32",
           {operand, operand}});
      for (const char *type : {"e2m3x2", "e3m2x2"})
        add(table, {newer + fmt::format("cvt.{}.{}.f32/{}", form, type, fill),
                    fmt::format("cvt.{}.{}.f32 $0, $1, $2;", form, type),
                    "b16",
                    {operand, operand}});
    }
  }
  for (const char *form : {"rn", "rn.relu"}) {
    add(table, {newer + fmt::format("cvt.{}.f16x2.e2m1x2", form),
                fmt::format("{{ .reg .b8 b; cvt.u8.u32 b, $1; cvt.{}.f16x2.e2m1x2 $0, b; }}", form),
                "b32",
                {"any:b32"}});
    for (const char *type : {"e2m3x2", "e3m2x2"})
      add(table, {newer + fmt::format("cvt.{}.f16x2.{}", form, type),
                  fmt::format("{{ .reg .b16 h; and.b16 h, $1, 0x3f3f; cvt.{}.f16x2.{} $0, h; }}",
                              form, type),
                  "b32",
                  {"any:b16"}});
  }
  for (const char *form : {"rz", "rp", "rz.satfinite", "rp.satfinite"}) {
    add(table, {newer + fmt::format("cvt.{}.ue8m0x2.f32", form),
                fmt::format("cvt.{}.ue8m0x2.f32 $0, $1, $2;", form),
                "b16",
                {"any:f32", "any:f32"}});
    add(table, {newer + fmt::format("cvt.{}.ue8m0x2.bf16x2", form),
                fmt::format("cvt.{}.ue8m0x2.bf16x2 $0, $1;", form),
                "b16",
                {"any:b32"}});
  }
  add(table,
      {newer + "cvt.rn.bf16x2.ue8m0x2", "cvt.rn.bf16x2.ue8m0x2 $0, $1;", "b32", {"any:b16"}});
}

/// Moves, vectors, scopes, and the forms in which texts of real kernels come.
void addForms(RowTable &table) {
  add(table, {"mov.f32", "mov.f32 $0, $1;", "f32", {"any:f32"}});
  add(table, {"mov/unpack",
              "{ .reg .b16 lo, hi; mov.b32 {lo, hi}, $1; mov.b32 $0, {hi, lo}; }",
              "b32",
              {"any:b32"}});
  add(table, {"mov/bytes",
              "{ .reg .b8 b<4>; mov.b32 {b0, b1, b2, b3}, $1; mov.b32 $0, {b3, b2, b1, b0}; }",
              "b32",
              {"any:b32"}});
  add(table, {"mov/sink",
              "{ .reg .b16 hi; mov.b32 {_, hi}, $1; mov.b32 $0, {hi, 7}; }",
              "b32",
              {"any:b32"}});
  add(table, {"mov/b64",
              "{ .reg .b32 lo, hi; mov.b64 {lo, hi}, $1; mov.b64 $0, {hi, lo}; }",
              "b64",
              {"any:b64"}});
  add(table, {"mov/b64x4",
              "{ .reg .b16 h<4>; mov.b64 {h0, h1, h2, h3}, $1; mov.b64 $0, {h2, h0, h3, h1}; }",
              "b64",
              {"any:b64"}});
  add(table, {"mov/ctaid",
              "{ .reg .u32 n; mov.u32 $0, %ctaid.x; mov.u32 n, %nctaid.x; add.u32 $0, "
              "$0, n; }",
              "u32",
              {},
              0,
              0,
              {3, 1, 1}});
  add(table,
      {"guarded",
       "{ .reg .pred p; setp.gt.f32 p, $1, 20.; @p mov.f32 $0, $1; @!p mul.f32 $0, $1, 0.5; }",
       "f32",
       {"any:f32"}});
  add(table, {"softplus",
              "{ .reg .pred p; setp.gt.f32 p, $1, 20.; @p mov.f32 $0, $1; @!p mul.f32 $0, $1, "
              "1.4426950408889634; @!p ex2.approx.ftz.f32 $0, $0; @!p add.f32 $0, $0, 1.0; @!p "
              "lg2.approx.ftz.f32 $0, $0; @!p mul.f32 $0, $0, 0.6931471805599453; }",
              "f32",
              {"-30..30:f32"},
              2e-6,
              1e-6});
  add(table, {"scopes",
              "{ .reg .b32 %t<2>; mov.b32 %t0, $1; { .reg .b32 %t0; mov.b32 %t0, 5; add.u32 %t1, "
              "%t0, $1; } xor.b32 $0, %t0, %t1; }",
              "b32",
              {"any:b32"}});
  add(table, {"overwritten-operand",
              "{ lg2.approx.f32 $1, $1; cvt.rpi.f32.f32 $1, $1; cvt.rzi.s32.f32 $0, $1; }",
              "s32",
              {"0.001..1000:f32"}});
  add(table, {"floats-of-nibbles",
              "{ .reg .b32 t; lop3.b32 t, $1, 0x000f000f, 0x64006400, 0xea; sub.f16x2 $0, t, $2; }",
              "b32",
              {"any:b32", "any:b32"}});
}

/// How operands and results are passed; the five of upstream's tests, with our own texts.
void addPassing(RowTable &table) {
  auto kernel = [&](const char *name, const char *body, const char *arguments, bool isUpstream,
                    const char *constexprs = "SIZE=256") {
    table.add({.group = "test_inline_asm",
               .name = name,
               .source = fmt::format(R"(import triton
import triton.language as tl


@triton.jit
def kernel(Z, Y, X, A, SIZE: tl.constexpr):
    i = tl.arange(0, SIZE)
    x = tl.load(X + i)
    a = tl.load(A + i)
{}
)",
                                     body),
               .arguments = arguments,
               .constexprs = constexprs,
               .isUpstream = isUpstream});
  };
  const char *words = "Z=output:u32[256] Y=output:u32[256] X=any:u32[256] A=any:u32[256]";
  kernel("rotated", R"(    n: tl.constexpr = 17
    z = tl.inline_asm_elementwise("shf.l.wrap.b32 $0, $1, $2, $3;", "=r,r,r,n", [x, a, n], dtype=tl.uint32, is_pure=True, pack=1)
    tl.store(Z + i, z)
    tl.store(Y + i, a))",
         words, true);
  kernel(
      "packed",
      R"(    z = tl.inline_asm_elementwise("and.b32 $0, $1, 0x1f1f1f1f; shl.b32 $0, $0, 3;", "=r,r", [x], dtype=tl.int8, is_pure=True, pack=4)
    tl.store(Z + i, z)
    tl.store(Y + i, a))",
      "Z=output:i8[256] Y=output:i8[256] X=any:i8[256] A=any:i8[256]", true);
  kernel(
      "pointers",
      R"(    p = tl.inline_asm_elementwise("mov.u64 $0, $1;", "=l,l", [X + i], dtype=tl.pointer_type(tl.uint32), is_pure=True, pack=1)
    tl.store(Z + i, tl.load(p) ^ a)
    tl.store(Y + i, x))",
      words, true);
  kernel(
      "two-results",
      R"(    z, y = tl.inline_asm_elementwise("sub.u32 $0, $2, $3; sub.u32 $1, $3, $2;", "=r,=r,r,r", [x, a], dtype=(tl.uint32, tl.uint32), is_pure=True, pack=1)
    tl.store(Z + i, z)
    tl.store(Y + i, y))",
      words, true);
  kernel("packed-two-results", R"(    z, y = tl.inline_asm_elementwise("""
    {
        .reg .b8 b<4>;
        mov.b32 {b0, b1, b2, b3}, $8;
        cvt.u32.u8 $0, b0; cvt.u32.u8 $1, b1; cvt.u32.u8 $2, b2; cvt.u32.u8 $3, b3;
        cvt.rn.f32.s32 $4, $9; cvt.rn.f32.s32 $5, $10; cvt.rn.f32.s32 $6, $11; cvt.rn.f32.s32 $7, $12;
    }""", "=r,=r,=r,=r,=f,=f,=f,=f,r,r,r,r,r", [x, a], dtype=(tl.int32, tl.float32), is_pure=True, pack=4)
    tl.store(Z + i, z)
    tl.store(Y + i, y))",
         "Z=output:i32[256] Y=output:f32[256] X=any:i8[256] A=any:i32[256]", true);
  kernel("scalar", R"(    n = tl.load(X)
    z = tl.inline_asm_elementwise("add.u32 $0, $1, $2;", "=r,r,r", [n, 3], dtype=tl.uint32, is_pure=True, pack=1)
    tl.store(Z + i, z + x)
    tl.store(Y + i, tl.inline_asm_elementwise("add.u32 $0, $1, $2;", "=r,r,r", [n, x], dtype=tl.uint32, is_pure=True, pack=1)))",
         words, false);
  kernel(
      "tied",
      R"(    z = tl.inline_asm_elementwise("add.u32 $0, $0, $2;", "=r,0,r", [x, a], dtype=tl.uint32, is_pure=True, pack=1)
    tl.store(Z + i, z)
    tl.store(Y + i, a))",
      words, false);
  kernel(
      "two-dimensions",
      R"(    z = tl.inline_asm_elementwise("prmt.b32 $0, $1, $2, 0x2301;", "=r,r,r", [tl.reshape(x, (16, 16)), tl.reshape(a, (16, 16))], dtype=tl.uint16, is_pure=True, pack=2)
    tl.store(Z + i, tl.reshape(z, (SIZE,)))
    tl.store(Y + i, a))",
      "Z=output:u16[256] Y=output:u16[256] X=any:u16[256] A=any:u16[256]", false);
  kernel("barriers", R"(    tl.store(Z + i, x)
    tl.inline_asm_elementwise("fence.acq_rel.gpu; bar.sync 0; // $0", "=r", [], dtype=tl.int32, is_pure=False, pack=1)
    z = tl.load(Z + (SIZE - 1 - i))
    tl.store(Y + i, z + a))",
         words, false);
}

} // namespace

void addInlineAssemblyRows(RowTable &table) {
  addPassing(table);
  addForms(table);
  addIntegers(table);
  addBits(table);
  addFloats(table);
  addFunctions(table);
  addComparisons(table);
  addConversions(table);
  addPackedConversions(table);
}

} // namespace inlay::conformance
