#include "tests/conformance/Fuzz.h"

#include "tests/conformance/Random.h"
#include "tests/conformance/rows/Types.h"

#include <fmt/format.h>

#include <algorithm>

namespace inlay::conformance {
namespace {

enum class Shape : uint8_t { Scalar, Row, Column, Tile };

struct Variable {
  std::string name, type;
  Shape shape;
};

/// The type of `a op b`, as the language promotes.
std::string promoted(const std::string &a, const std::string &b) {
  if (a == b)
    return a;
  if (isFloat(a) || isFloat(b)) {
    if (!isFloat(a) || !isFloat(b))
      return isFloat(a) ? a : b;
    return widthOf(a) >= widthOf(b) ? a : b;
  }
  if (isUnsigned(a) == isUnsigned(b))
    return widthOf(a) >= widthOf(b) ? a : b;
  const std::string &u = isUnsigned(a) ? a : b, &s = isUnsigned(a) ? b : a;
  return widthOf(u) >= widthOf(s) ? u : s;
}

/// Writes the statements of one kernel. Integers wrap. Floats are whole numbers of at most 32 after
/// every statement, so that sums and products are exact in every type and order.
class Generator {
public:
  explicit Generator(uint64_t seed) : random_(fmt::format("fuzz {}", seed)) {}

  Row generate(uint64_t seed);

private:
  std::string pick(std::initializer_list<const char *> choices) {
    return choices.begin()[random_.below(choices.size())];
  }
  const Variable &pickVariable() { return variables_[random_.below(variables_.size())]; }
  const Variable *findVariable(bool wantsFloat, bool wantsTile) {
    for (int attempt = 0; attempt < 20; ++attempt) {
      const Variable &candidate = pickVariable();
      if (isFloat(candidate.type) == wantsFloat && (!wantsTile || candidate.shape == Shape::Tile))
        return &candidate;
    }
    return nullptr;
  }

  void line(const std::string &text) { body_ += std::string(4 * depth_, ' ') + text + "\n"; }
  Variable define(const std::string &type, Shape shape, const std::string &expression) {
    Variable variable{fmt::format("v{}", next_++), type, shape};
    line(variable.name + " = " + bounded(type, expression));
    variables_.push_back(variable);
    return variable;
  }
  static std::string bounded(const std::string &type, const std::string &expression) {
    return isFloat(type) ? fmt::format("clipped({}).to({})", expression, languageName(type))
                         : expression;
  }

  /// Both names spelled so that they broadcast to `outShape`.
  std::pair<std::string, std::string> together(const Variable &a, const Variable &b,
                                               Shape &outShape);
  void statement();
  void binary();
  void compareAndSelect();
  void cast();
  void transpose();
  void reduce();
  void scan();
  void maskedLoad();
  void branch();
  void loop();
  void block(int count);

  Random random_;
  std::string body_;
  std::vector<Variable> variables_;
  size_t depth_ = 1;
  int next_ = 0;
  int m_ = 0, n_ = 0;
};

std::pair<std::string, std::string> Generator::together(const Variable &a, const Variable &b,
                                                        Shape &outShape) {
  auto spelled = [](const Variable &v, Shape other) {
    if (v.shape == Shape::Row && (other == Shape::Tile || other == Shape::Column))
      return v.name + "[None, :]";
    if (v.shape == Shape::Column && (other == Shape::Tile || other == Shape::Row))
      return v.name + "[:, None]";
    return v.name;
  };
  bool isMixed = a.shape != b.shape && a.shape != Shape::Scalar && b.shape != Shape::Scalar;
  outShape = isMixed ? Shape::Tile : std::max(a.shape, b.shape);
  return {spelled(a, b.shape), spelled(b, a.shape)};
}

void Generator::binary() {
  const Variable a = pickVariable(), b = pickVariable();
  Shape shape;
  auto [x, y] = together(a, b, shape);
  std::string type = promoted(a.type, b.type);
  if (isFloat(type)) {
    std::string op = pick({"+", "-", "*", "max", "min"});
    std::string text = op == "max"   ? fmt::format("tl.maximum({}, {})", x, y)
                       : op == "min" ? fmt::format("tl.minimum({}, {})", x, y)
                                     : fmt::format("{} {} {}", x, op, y);
    define(type, shape, text);
    return;
  }
  std::string op = pick({"+", "-", "*", "&", "|", "^", "<<", ">>", "//", "%", "max", "min"});
  if (op == "//" || op == "%") {
    // One type on both sides, and a divisor that is neither 0 nor -1.
    define(a.type, a.shape, fmt::format("{0} {1} (({0} & 6) | 1)", a.name, op));
  } else if (op == "<<" || op == ">>") {
    define(a.type, a.shape, fmt::format("{0} {1} ({0} & 7)", a.name, op));
  } else if (op == "max" || op == "min") {
    define(type, shape, fmt::format("tl.{}imum({}, {})", op, x, y));
  } else {
    define(type, shape, fmt::format("{} {} {}", x, op, y));
  }
}

void Generator::compareAndSelect() {
  const Variable a = pickVariable(), b = pickVariable();
  Shape shape;
  auto [x, y] = together(a, b, shape);
  std::string condition = fmt::format("{} {} {}", x, pick({"<", "<=", ">", ">=", "==", "!="}), y);
  if (random_.below(3) == 0)
    condition = fmt::format("({}) {} ({} != 0)", condition, pick({"&", "|", "^"}), x);
  define(promoted(a.type, b.type), shape, fmt::format("tl.where({}, {}, {})", condition, x, y));
}

void Generator::cast() {
  const Variable a = pickVariable();
  // Floats are whole and small, but may be negative: no unsigned integers from them.
  std::string type =
      isFloat(a.type) ? pick({"i8", "i16", "i32", "i64", "f16", "f32", "f64"})
                      : pick({"i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64", "f32", "f64"});
  define(type, a.shape, fmt::format("{}.to({})", a.name, languageName(type)));
}

void Generator::transpose() {
  const Variable a = pickVariable();
  if (a.shape != Shape::Tile)
    return;
  switch (random_.below(3)) {
  case 0:
    define(a.type, Shape::Tile, fmt::format("tl.trans({0} + {0} * 0).reshape(M, N)", a.name));
    break;
  case 1:
    define(a.type, Shape::Tile,
           fmt::format("tl.reshape(tl.reshape({}, (N, M)).T, (M, N))", a.name));
    break;
  default:
    define(a.type, Shape::Tile, fmt::format("{}.reshape(M * N).reshape(M, N)", a.name));
  }
}

void Generator::reduce() {
  const Variable a = pickVariable();
  if (a.shape != Shape::Tile)
    return;
  bool isRow = random_.below(2) == 0;
  std::string op = pick({"sum", "max", "min", "argmax", "argmin"});
  // tl.sum, tl.max and tl.min widen narrow integers; tl.max and tl.min also narrow floats.
  std::string type = op.starts_with("arg")  ? "i32"
                     : isFloat(a.type)      ? (op == "sum" ? a.type : promoted(a.type, "f32"))
                     : widthOf(a.type) < 32 ? (isUnsigned(a.type) && op == "sum" ? "u32" : "i32")
                                            : a.type;
  define(type, isRow ? Shape::Row : Shape::Column,
         fmt::format("tl.{}({}, axis={}).to({})", op, a.name, isRow ? 0 : 1, languageName(type)));
}

void Generator::scan() {
  const Variable a = pickVariable();
  if (a.shape != Shape::Tile)
    return;
  std::string type = isFloat(a.type) || widthOf(a.type) >= 32 ? a.type
                     : isUnsigned(a.type)                     ? "u32"
                                                              : "i32";
  define(type, Shape::Tile,
         fmt::format("tl.cumsum({}, axis={}, reverse={}).to({})", a.name, random_.below(2),
                     pick({"True", "False"}), languageName(type)));
}

void Generator::maskedLoad() {
  const Variable *index = findVariable(false, true);
  if (!index)
    return;
  std::string condition = fmt::format("({} & {}) != 0", index->name, 1 << random_.below(3));
  define("i32", Shape::Tile,
         fmt::format("tl.load(X0 + ({} & {}).to(tl.int32), mask={}, other={})", index->name,
                     std::min(m_ * n_, 64) - 1, condition, random_.below(9)));
}

/// Assigns to some variables from before, in their own types.
void Generator::block(int count) {
  size_t outer = variables_.size();
  ++depth_;
  for (int i = 0; i < count; ++i)
    statement();
  for (int i = 0; i < 2; ++i) {
    const Variable target = variables_[random_.below(outer)];
    std::vector<Variable> sources;
    for (const Variable &v : variables_)
      if (v.shape == target.shape && !(isFloat(v.type) && isUnsigned(target.type)) &&
          v.name != target.name)
        sources.push_back(v);
    std::string source =
        sources.empty() ? target.name : sources[random_.below(sources.size())].name;
    line(fmt::format("{0} = {1}", target.name,
                     bounded(target.type, fmt::format("({} + {}).to({})", source,
                                                      target.name == source ? "1" : "1",
                                                      languageName(target.type)))));
  }
  --depth_;
  variables_.resize(outer);
}

void Generator::branch() {
  line(fmt::format("if n % {} == {}:", 2 + random_.below(3), random_.below(2)));
  block(2);
  if (random_.below(2)) {
    line("else:");
    block(2);
  }
}

void Generator::loop() {
  std::string k = fmt::format("k{}", next_++);
  switch (random_.below(3)) {
  case 0:
    line(fmt::format("for {} in range(n):", k));
    break;
  case 1:
    line(fmt::format("for {} in range({}, -1, -2):", k, random_.below(5)));
    break;
  default:
    line(fmt::format("for {} in tl.static_range({}):", k, 1 + random_.below(3)));
  }
  block(2);
}

void Generator::statement() {
  switch (random_.below(depth_ > 2 ? 10 : 12)) {
  case 0:
  case 1:
  case 2:
  case 3:
    return binary();
  case 4:
    return compareAndSelect();
  case 5:
    return cast();
  case 6:
    return transpose();
  case 7:
    return reduce();
  case 8:
    return scan();
  case 9:
    return maskedLoad();
  case 10:
    return branch();
  default:
    return loop();
  }
}

Row Generator::generate(uint64_t seed) {
  m_ = 1 << random_.below(6);
  n_ = 1 << random_.below(7);
  Row row;
  row.group = "fuzz";
  row.name = fmt::format("seed-{}", seed);
  row.numWarps = 1 << random_.below(4);
  row.isUpstream = false;
  row.constexprs = fmt::format("M={} N={}", m_, n_);
  row.arguments = fmt::format("n=i32:{} X0=any:i32[64]", random_.below(5));
  std::string parameters = "n, X0";
  line("i = tl.arange(0, M)");
  line("j = tl.arange(0, N)");
  line("at = i[:, None] * N + j[None, :]");
  // Copies: statements may assign to every variable, and addresses need the originals.
  define("i32", Shape::Column, "i + 0");
  define("i32", Shape::Row, "j + 0");
  define("i32", Shape::Scalar, "n + 0");
  for (const char *type : {"i32", "i8", "u16", "i64", "f32", "f16"}) {
    std::string name = fmt::format("Y{}", next_);
    parameters += ", " + name;
    row.arguments +=
        fmt::format(" {}={}:{}[{}]", name, isFloat(type) ? "integers" : "any", type, m_ * n_);
    define(type, Shape::Tile, fmt::format("tl.load({} + at)", name));
  }
  for (size_t count = 4 + random_.below(12); count > 0; --count)
    statement();
  size_t numOutputs = std::min<size_t>(variables_.size(), 8);
  for (size_t i = 0; i < numOutputs; ++i) {
    const Variable &v = variables_[variables_.size() - 1 - i];
    std::string name = fmt::format("Z{}", i);
    parameters += ", " + name;
    int count = v.shape == Shape::Tile     ? m_ * n_
                : v.shape == Shape::Row    ? n_
                : v.shape == Shape::Column ? m_
                                           : 1;
    row.arguments += fmt::format(" {}=output:{}[{}]", name, v.type, count);
    line(fmt::format("tl.store({}{}, {})", name,
                     v.shape == Shape::Tile     ? " + at"
                     : v.shape == Shape::Row    ? " + j"
                     : v.shape == Shape::Column ? " + i"
                                                : "",
                     v.name));
  }
  row.source = fmt::format(R"(import triton
import triton.language as tl


@triton.jit
def clipped(x):
    return tl.minimum(tl.maximum(x, -32.0), 32.0)


@triton.jit
def kernel({}, M: tl.constexpr, N: tl.constexpr):
{})",
                           parameters, body_);
  return row;
}

} // namespace

Row makeFuzzRow(uint64_t seed) { return Generator(seed).generate(seed); }

} // namespace inlay::conformance
