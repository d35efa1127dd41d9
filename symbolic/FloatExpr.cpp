#include "symbolic/FloatExpr.h"

#include "base/Error.h"

#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstring>

namespace inlay {

struct FloatExpr::Node {
  FloatKind kind;
  double value = 0;
  Expr integer;
  std::vector<FloatExpr> operands;
};

namespace {

/// How a kind is written.
struct Spelling {
  FloatKind kind;
  int arity;
  std::string_view text; // an operator, or a function's name
};

constexpr std::array<Spelling, kNumFloatKinds> kSpellings = {{
    {FloatKind::Constant, 0, ""},       {FloatKind::Integer, 0, ""},
    {FloatKind::Add, 2, "+"},           {FloatKind::Subtract, 2, "-"},
    {FloatKind::Multiply, 2, "*"},      {FloatKind::Divide, 2, "/"},
    {FloatKind::Negate, 1, "-"},        {FloatKind::Power, 2, "**"},
    {FloatKind::Minimum, 2, "min"},     {FloatKind::Maximum, 2, "max"},
    {FloatKind::Select, 3, "select"},   {FloatKind::SquareRoot, 1, "sqrt"},
    {FloatKind::Exponential, 1, "exp"}, {FloatKind::Exponential2, 1, "exp2"},
    {FloatKind::Logarithm, 1, "log"},   {FloatKind::Logarithm2, 1, "log2"},
    {FloatKind::Absolute, 1, "abs"},    {FloatKind::Floor, 1, "floor"},
    {FloatKind::Ceiling, 1, "ceil"},
}};

double apply(FloatKind kind, double a, double b, double c) {
  switch (kind) {
  case FloatKind::Constant:
  case FloatKind::Integer:
    return a;
  case FloatKind::Add:
    return a + b;
  case FloatKind::Subtract:
    return a - b;
  case FloatKind::Multiply:
    return a * b;
  case FloatKind::Divide:
    return a / b;
  case FloatKind::Negate:
    return -a;
  case FloatKind::Power:
    return std::pow(a, b);
  case FloatKind::Minimum:
    return std::fmin(a, b);
  case FloatKind::Maximum:
    return std::fmax(a, b);
  case FloatKind::Select:
    return a != 0 ? b : c;
  case FloatKind::SquareRoot:
    return std::sqrt(a);
  case FloatKind::Exponential:
    return std::exp(a);
  case FloatKind::Exponential2:
    return std::exp2(a);
  case FloatKind::Logarithm:
    return std::log(a);
  case FloatKind::Logarithm2:
    return std::log2(a);
  case FloatKind::Absolute:
    return std::fabs(a);
  case FloatKind::Floor:
    return std::floor(a);
  case FloatKind::Ceiling:
    return std::ceil(a);
  }
  return 0;
}

/// "0.5", "1.0", "1e-06", "(-2.0)": never read as an integer.
std::string numberText(double value) {
  if (std::isnan(value))
    return "(0.0 / 0.0)";
  if (std::signbit(value))
    return "(-" + numberText(-value) + ")";
  if (std::isinf(value))
    return "(1.0 / 0.0)";
  std::string text = fmt::format("{}", value);
  return text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
}

} // namespace

int floatArity(FloatKind kind) { return kSpellings[static_cast<size_t>(kind)].arity; }

FloatExpr::FloatExpr(double constant)
    : node_(std::make_shared<const Node>(Node{FloatKind::Constant, constant, {}, {}})) {}

FloatExpr::FloatExpr(const Expr &integer)
    : node_(std::make_shared<const Node>(
          integer.isConstant()
              ? Node{FloatKind::Constant, static_cast<double>(*integer.constantValue()), {}, {}}
              : Node{FloatKind::Integer, 0, integer, {}})) {}

FloatExpr FloatExpr::make(FloatKind kind, std::vector<FloatExpr> operands) {
  if (kind == FloatKind::Select)
    if (std::optional<double> condition = operands[0].constantValue())
      return operands[*condition != 0 ? 1 : 2];
  double values[3] = {};
  bool isConstant = true;
  for (size_t i = 0; i < operands.size(); ++i) {
    const std::optional<double> value = operands[i].constantValue();
    isConstant = isConstant && value;
    values[i] = value.value_or(0);
  }
  if (isConstant)
    return FloatExpr(apply(kind, values[0], values[1], values[2]));
  return FloatExpr(std::make_shared<const Node>(Node{kind, 0, {}, std::move(operands)}));
}

FloatKind FloatExpr::kind() const { return node_->kind; }
std::span<const FloatExpr> FloatExpr::operands() const { return node_->operands; }
const Expr &FloatExpr::integer() const { return node_->integer; }

std::optional<double> FloatExpr::constantValue() const {
  return kind() == FloatKind::Constant ? std::optional(node_->value) : std::nullopt;
}

std::string FloatExpr::toString() const {
  const std::string_view word = kSpellings[static_cast<size_t>(kind())].text;
  const auto operand = [&](size_t i) { return node_->operands[i].toString(); };
  switch (kind()) {
  case FloatKind::Constant:
    return numberText(node_->value);
  case FloatKind::Integer:
    return node_->integer.kind() == ExprKind::Symbol ? node_->integer.symbolName()
                                                     : "int(" + node_->integer.toString() + ")";
  case FloatKind::Add:
  case FloatKind::Subtract:
  case FloatKind::Multiply:
  case FloatKind::Divide:
  case FloatKind::Power:
    return fmt::format("({} {} {})", operand(0), word, operand(1));
  case FloatKind::Negate:
    return fmt::format("(-{})", operand(0));
  case FloatKind::Select: {
    // The condition is an integer expression, or a constant.
    const FloatExpr &condition = node_->operands[0];
    return fmt::format("select({}, {}, {})", condition.integer().toString(), operand(1),
                       operand(2));
  }
  default:
    return fmt::format("{}({}{})", word, operand(0),
                       node_->operands.size() > 1 ? ", " + operand(1) : "");
  }
}

void forEachInteger(const FloatExpr &expr, const std::function<void(const Expr &)> &visit) {
  if (expr.kind() == FloatKind::Integer)
    visit(expr.integer());
  for (const FloatExpr &operand : expr.operands())
    forEachInteger(operand, visit);
}

Result<FloatExpr> mapIntegers(const FloatExpr &expr,
                              const std::function<Result<FloatExpr>(const Expr &)> &map) {
  if (expr.kind() == FloatKind::Constant)
    return expr;
  if (expr.kind() == FloatKind::Integer)
    return map(expr.integer());
  std::vector<FloatExpr> operands;
  for (const FloatExpr &operand : expr.operands()) {
    INLAY_ASSIGN(FloatExpr mapped, mapIntegers(operand, map));
    operands.push_back(std::move(mapped));
    if (expr.kind() == FloatKind::Select && operands.size() == 1)
      if (std::optional<double> condition = operands[0].constantValue())
        return mapIntegers(expr.operands()[*condition != 0 ? 1 : 2], map);
  }
  return FloatExpr::make(expr.kind(), std::move(operands));
}

double evaluateFloat(const FloatInstruction &step, std::span<const int64_t> integers,
                     std::span<const double> values) {
  if (step.kind == FloatKind::Constant)
    return step.value;
  if (step.kind == FloatKind::Integer)
    return static_cast<double>(integers[step.a]);
  const int arity = floatArity(step.kind);
  return apply(step.kind, values[step.a], arity > 1 ? values[step.b] : 0,
               arity > 2 ? values[step.c] : 0);
}

namespace {

constexpr size_t kMaxTextBytes = 64 * 1024;
constexpr int kMaxDepth = 200;
constexpr int kMaxOperations = 4000;

bool isNamePart(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

/// Reads float expressions by recursive descent; integer parts go to parseExpr as texts.
class FloatParser {
public:
  explicit FloatParser(std::string_view text) : text_(text) {}

  Result<ParsedFloatExpr> parse() {
    if (text_.size() > kMaxTextBytes)
      return invalidArgument("expression of {} bytes is too long; at most {} are read",
                             text_.size(), kMaxTextBytes);
    INLAY_ASSIGN(FloatExpr expr, parseConditional());
    if (skipSpace(); at_ != text_.size())
      return errorAt(at_, fmt::format("found '{}', expected the end of the expression",
                                      text_.substr(at_, 20)));
    return ParsedFloatExpr{expr, isOfFloats_, std::move(integerNames_)};
  }

private:
  struct Nesting {
    explicit Nesting(int &depth) : depth_(depth) { ++depth_; }
    ~Nesting() { --depth_; }
    int &depth_;
  };

  static Status errorAt(size_t offset, std::string_view message) {
    return invalidArgument("column {}: {}", offset + 1, message);
  }

  void skipSpace() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])))
      ++at_;
  }

  /// Takes `symbol` if it comes next.
  bool take(std::string_view symbol) {
    skipSpace();
    if (!text_.substr(at_).starts_with(symbol))
      return false;
    at_ += symbol.size();
    return true;
  }

  bool isWord(std::string_view word) {
    skipSpace();
    return text_.substr(at_).starts_with(word) &&
           (at_ + word.size() == text_.size() || !isNamePart(text_[at_ + word.size()]));
  }

  /// The place of the first of `stops` outside parentheses, from here on; npos if there is none.
  size_t findOutside(std::string_view stops) const {
    int depth = 0;
    for (size_t i = at_; i < text_.size(); ++i) {
      if (depth == 0 && stops.find(text_[i]) != std::string_view::npos)
        return i;
      depth += text_[i] == '(' ? 1 : text_[i] == ')' ? -1 : 0;
      if (depth < 0)
        return std::string_view::npos;
    }
    return std::string_view::npos;
  }

  /// The integer expression that the text up to `end` is.
  Result<FloatExpr> parseIntegerUpTo(size_t end) {
    const size_t begin = at_;
    Result<Expr> expr = parseExpr(text_.substr(begin, end - begin));
    if (!expr.isOk())
      return errorAt(begin, fmt::format("in the integer expression '{}': {}",
                                        text_.substr(begin, end - begin), expr.status().message()));
    at_ = end;
    return FloatExpr(*expr);
  }

  Result<FloatExpr> parseConditional() {
    Nesting nesting(depth_);
    if (depth_ > kMaxDepth)
      return errorAt(at_, fmt::format("nested more than {} deep", kMaxDepth));
    INLAY_ASSIGN(FloatExpr value, parseSum());
    if (!isWord("if"))
      return value;
    at_ += 2;
    const size_t end = findElse();
    if (end == std::string_view::npos)
      return errorAt(at_, "'if' without 'else'");
    INLAY_ASSIGN(FloatExpr condition, parseIntegerUpTo(end));
    at_ += std::strlen("else");
    INLAY_ASSIGN(FloatExpr other, parseConditional());
    return FloatExpr::make(FloatKind::Select, {condition, value, other});
  }

  /// The place of the "else" of an "if" that was read.
  size_t findElse() const {
    int depth = 0, open = 1;
    for (size_t i = at_; i < text_.size(); ++i) {
      depth += text_[i] == '(' ? 1 : text_[i] == ')' ? -1 : 0;
      if (depth != 0 || !isNamePart(text_[i]) || (i > 0 && isNamePart(text_[i - 1])))
        continue;
      size_t end = i;
      while (end < text_.size() && isNamePart(text_[end]))
        ++end;
      const std::string_view word = text_.substr(i, end - i);
      open += word == "if" ? 1 : word == "else" ? -1 : 0;
      if (open == 0)
        return i;
    }
    return std::string_view::npos;
  }

  Result<FloatExpr> binary(FloatKind kind, const FloatExpr &left, const FloatExpr &right) {
    if (++numOperations_ > kMaxOperations)
      return errorAt(at_, fmt::format("expression has more than {} operations", kMaxOperations));
    return FloatExpr::make(kind, {left, right});
  }

  Result<FloatExpr> parseSum() {
    INLAY_ASSIGN(FloatExpr left, parseProduct());
    while (true) {
      const bool isMinus = take("-");
      if (!isMinus && !take("+"))
        return left;
      INLAY_ASSIGN(FloatExpr right, parseProduct());
      INLAY_ASSIGN(left, binary(isMinus ? FloatKind::Subtract : FloatKind::Add, left, right));
    }
  }

  Result<FloatExpr> parseProduct() {
    INLAY_ASSIGN(FloatExpr left, parseUnary());
    while (true) {
      skipSpace();
      const size_t place = at_;
      if (text_.substr(at_).starts_with("//") || text_.substr(at_).starts_with("%"))
        return errorAt(place, "'//' and '%' are of integers; write int(a // b) inside an "
                              "expression of floats");
      FloatKind kind = FloatKind::Multiply;
      if (take("/")) {
        kind = FloatKind::Divide;
        isOfFloats_ = true;
      } else if (!take("*")) {
        return left;
      }
      INLAY_ASSIGN(FloatExpr right, parseUnary());
      INLAY_ASSIGN(left, binary(kind, left, right));
    }
  }

  Result<FloatExpr> parseUnary() {
    Nesting nesting(depth_);
    if (depth_ > kMaxDepth)
      return errorAt(at_, fmt::format("nested more than {} deep", kMaxDepth));
    if (take("-")) {
      INLAY_ASSIGN(FloatExpr operand, parseUnary());
      return FloatExpr::make(FloatKind::Negate, {operand});
    }
    if (take("+"))
      return parseUnary();
    INLAY_ASSIGN(FloatExpr base, parsePrimary());
    if (!take("**"))
      return base;
    INLAY_ASSIGN(FloatExpr exponent, parseUnary());
    return binary(FloatKind::Power, base, exponent);
  }

  Result<FloatExpr> parsePrimary() {
    skipSpace();
    if (take("(")) {
      INLAY_ASSIGN(FloatExpr expr, parseConditional());
      return closed(std::move(expr));
    }
    if (at_ < text_.size() &&
        (std::isdigit(static_cast<unsigned char>(text_[at_])) || text_[at_] == '.'))
      return parseNumber();
    if (at_ < text_.size() && isNamePart(text_[at_]))
      return parseName();
    const std::string found =
        at_ == text_.size() ? "the end" : fmt::format("'{}'", text_.substr(at_, 1));
    return errorAt(at_, fmt::format("found {}, expected a number, a name or '('", found));
  }

  Result<FloatExpr> closed(FloatExpr expr) {
    if (!take(")"))
      return errorAt(at_, "')' is missing");
    return expr;
  }

  Result<FloatExpr> parseNumber() {
    double value = 0;
    const char *begin = text_.data() + at_;
    const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), value);
    if (error != std::errc() || !std::isfinite(value) ||
        (end != text_.data() + text_.size() && isNamePart(*end)))
      return errorAt(at_, fmt::format("'{}' is no number", text_.substr(at_, 20)));
    const std::string_view written(begin, static_cast<size_t>(end - begin));
    isOfFloats_ = isOfFloats_ || written.find_first_of(".eE") != std::string_view::npos;
    at_ += written.size();
    return FloatExpr(value);
  }

  /// A name with attributes and indices, as parseExpr reads them, or a call.
  Result<FloatExpr> parseName() {
    const size_t begin = at_;
    while (at_ < text_.size() && (isNamePart(text_[at_]) || text_[at_] == '.' || text_[at_] == '['))
      if (text_[at_] != '[') {
        ++at_;
      } else {
        const size_t close = text_.find(']', at_);
        at_ = close == std::string_view::npos ? text_.size() : close + 1;
      }
    const std::string_view name = text_.substr(begin, at_ - begin);
    if (skipSpace(); at_ < text_.size() && text_[at_] == '(')
      return parseCall(begin, name);
    const size_t end = begin + name.size();
    at_ = begin;
    return parseIntegerUpTo(end);
  }

  Result<FloatExpr> parseCall(size_t begin, std::string_view name) {
    static constexpr std::string_view kInteger[] = {"ceildiv", "cdiv", "floordiv", "mod"};
    for (std::string_view function : kInteger)
      if (name == function) {
        ++at_;
        const size_t close = findOutside(")");
        if (close == std::string_view::npos)
          return errorAt(begin, "')' is missing");
        at_ = begin;
        return parseIntegerUpTo(close + 1);
      }
    ++at_; // the parenthesis
    if (name == "int" || name == "select") {
      const size_t end = findOutside(name == "int" ? ")" : ",");
      if (end == std::string_view::npos)
        return errorAt(at_, fmt::format("{}(…) is not finished", name));
      INLAY_ASSIGN(FloatExpr integer, parseIntegerUpTo(end));
      if (name == "int") {
        if (integer.kind() == FloatKind::Integer && integer.integer().kind() == ExprKind::Symbol)
          integerNames_.push_back(integer.integer().symbolName());
        return closed(std::move(integer));
      }
      ++at_;
      INLAY_ASSIGN(std::vector<FloatExpr> branches, parseOperands(begin, name, 2));
      return FloatExpr::make(FloatKind::Select, {integer, branches[0], branches[1]});
    }
    if (name == "min" || name == "max") {
      INLAY_ASSIGN(std::vector<FloatExpr> values, parseOperands(begin, name, 0));
      FloatExpr result = values[0];
      for (size_t i = 1; i < values.size(); ++i) {
        INLAY_ASSIGN(result, binary(name == "min" ? FloatKind::Minimum : FloatKind::Maximum, result,
                                    values[i]));
      }
      return result;
    }
    return parseFunction(begin, name);
  }

  Result<FloatExpr> parseFunction(size_t begin, std::string_view name) {
    isOfFloats_ = true;
    if (name == "rsqrt" || name == "float") {
      INLAY_ASSIGN(std::vector<FloatExpr> values, parseOperands(begin, name, 1));
      if (name == "float")
        return values[0];
      return FloatExpr::make(FloatKind::Divide,
                             {FloatExpr(1.0), FloatExpr::make(FloatKind::SquareRoot, values)});
    }
    for (const Spelling &spelling : kSpellings)
      if (spelling.arity == 1 && spelling.text == name) {
        INLAY_ASSIGN(std::vector<FloatExpr> values, parseOperands(begin, name, 1));
        return FloatExpr::make(spelling.kind, std::move(values));
      }
    return errorAt(begin, fmt::format("'{}' is no function of floats; there are sqrt, rsqrt, exp, "
                                      "exp2, log, log2, abs, floor, ceil, min, max, select, int "
                                      "and ceildiv",
                                      name.substr(0, 40)));
  }

  /// Operands up to the closing parenthesis; `count` of them, or any number from 1 if it is 0.
  Result<std::vector<FloatExpr>> parseOperands(size_t begin, std::string_view name, size_t count) {
    std::vector<FloatExpr> operands;
    do {
      INLAY_ASSIGN(FloatExpr operand, parseConditional());
      operands.push_back(std::move(operand));
    } while (take(","));
    if (!take(")"))
      return errorAt(at_, "')' is missing");
    if (count != 0 && operands.size() != count)
      return errorAt(begin,
                     fmt::format("{} has {} operands, expected {}", name, operands.size(), count));
    return operands;
  }

  std::string_view text_;
  size_t at_ = 0;
  int depth_ = 0;
  int numOperations_ = 0;
  bool isOfFloats_ = false;
  std::vector<std::string> integerNames_;
};

} // namespace

Result<ParsedFloatExpr> parseFloatExpr(std::string_view text) { return FloatParser(text).parse(); }

} // namespace inlay
