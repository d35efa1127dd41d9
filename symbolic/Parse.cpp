// Expression text in: Inlay's own grammar, and what torch.export writes (sympy's srepr, or the
// older infix form).
#include "base/Error.h"
#include "symbolic/Expr.h"

#include <array>
#include <cctype>
#include <limits>

namespace inlay {
namespace {

constexpr size_t kMaxTextBytes = 64 * 1024;
constexpr int kMaxDepth = 200;
/// Chains like a//b//c//… nest as deep as they are long without recursion in the parser, but what
/// walks the expression afterwards recurses.
constexpr int kMaxTokens = 4000;

enum class Grammar : uint8_t { Inlay, Sympy };

enum class TokenKind : uint8_t { Integer, Name, String, Symbol, End };

struct Token {
  TokenKind kind = TokenKind::End;
  std::string_view text; // String: without the quotes
  size_t offset = 0;
};

/// A recursive-descent parser with Python's precedence; depth and text length are bounded.
class Parser {
public:
  Parser(std::string_view text, Grammar grammar) : text_(text), grammar_(grammar) {}

  Result<Expr> parse() {
    if (text_.size() > kMaxTextBytes)
      return invalidArgument("expression of {} bytes is too long; at most {} are read",
                             text_.size(), kMaxTextBytes);
    INLAY_TRY(advance());
    INLAY_ASSIGN(Expr expr, parseConditional());
    if (token_.kind != TokenKind::End)
      return unexpected("the end of the expression");
    return expr;
  }

private:
  Status errorAt(size_t offset, std::string_view message) const {
    // Long expressions are shown around the error only.
    constexpr size_t kContext = 60;
    const size_t from = offset > kContext ? offset - kContext : 0;
    std::string shown(text_.substr(from, 2 * kContext));
    for (char &c : shown)
      c = std::isprint(static_cast<unsigned char>(c)) ? c : '?';
    return invalidArgument("column {}: {}\n  {}\n  {}^", offset + 1, message, shown,
                           std::string(offset - from, ' '));
  }

  Status unexpected(std::string_view expected) const {
    const std::string found = token_.kind == TokenKind::End
                                  ? "the end"
                                  : "'" + std::string(token_.text.substr(0, 40)) + "'";
    return errorAt(token_.offset, fmt::format("found {}, expected {}", found, expected));
  }

  /// Reads the next token into token_.
  Status advance() {
    if (++numTokens_ > kMaxTokens)
      return errorAt(position_, fmt::format("expression has more than {} words", kMaxTokens));
    while (position_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[position_])))
      ++position_;
    const size_t start = position_;
    auto take = [&](TokenKind kind, size_t end) {
      token_ = {kind, text_.substr(start, end - start), start};
      position_ = end;
      return Status();
    };
    if (start == text_.size())
      return take(TokenKind::End, start);
    const char c = text_[start];
    if (std::isdigit(static_cast<unsigned char>(c)))
      return take(TokenKind::Integer, scan(start, [](char d) {
                    return std::isdigit(static_cast<unsigned char>(d)) != 0;
                  }));
    if (isNameStart(c))
      return take(TokenKind::Name, scanName(start));
    if (c == '\'' || c == '"') {
      const size_t close = text_.find(c, start + 1);
      if (close == std::string_view::npos)
        return errorAt(start, "string is not closed");
      token_ = {TokenKind::String, text_.substr(start + 1, close - start - 1), start};
      position_ = close + 1;
      return {};
    }
    static constexpr std::array<std::string_view, 18> kSymbols = {
        "//", "**", "==", "!=", "<=", ">=", "<", ">", "+",
        "-",  "*",  "/",  "%",  "(",  ")",  ",", "=", "."};
    for (std::string_view symbol : kSymbols)
      if (text_.substr(start).starts_with(symbol))
        return take(TokenKind::Symbol, start + symbol.size());
    return errorAt(
        start, fmt::format("character {:?} is not part of an expression", text_.substr(start, 1)));
  }

  static bool isNameStart(char c) {
    return std::isalpha(static_cast<unsigned char>(c)) || c == '_';
  }
  static bool isNamePart(char c) {
    return isNameStart(c) || std::isdigit(static_cast<unsigned char>(c));
  }

  template <typename Predicate>
  size_t scan(size_t from, Predicate accepts) const {
    while (from < text_.size() && accepts(text_[from]))
      ++from;
    return from;
  }

  /// A name with its attributes and integer indices: "X.shape[-1]".
  size_t scanName(size_t from) const {
    size_t end = scan(from, isNamePart);
    if (grammar_ == Grammar::Sympy)
      return end;
    while (end < text_.size()) {
      if (text_[end] == '.' && end + 1 < text_.size() && isNamePart(text_[end + 1])) {
        end = scan(end + 1, isNamePart);
      } else if (text_[end] == '[') {
        size_t digits = end + 1 + (end + 1 < text_.size() && text_[end + 1] == '-' ? 1 : 0);
        const size_t close =
            scan(digits, [](char d) { return std::isdigit(static_cast<unsigned char>(d)) != 0; });
        if (close == digits || close == text_.size() || text_[close] != ']')
          break;
        end = close + 1;
      } else {
        break;
      }
    }
    return end;
  }

  bool isSymbol(std::string_view text) const {
    return token_.kind == TokenKind::Symbol && token_.text == text;
  }
  bool isWord(std::string_view text) const {
    return token_.kind == TokenKind::Name && token_.text == text;
  }

  Status expectSymbol(std::string_view text) {
    if (!isSymbol(text))
      return unexpected(fmt::format("'{}'", text));
    return advance();
  }

  /// Counts nesting while it lives.
  struct Nesting {
    explicit Nesting(int &depth) : depth_(depth) { ++depth_; }
    ~Nesting() { --depth_; }
    int &depth_;
  };

  Result<Expr> parseConditional() {
    Nesting nesting(depth_);
    if (depth_ > kMaxDepth)
      return errorAt(token_.offset, fmt::format("nested more than {} deep", kMaxDepth));
    INLAY_ASSIGN(Expr value, parseOr());
    if (!isWord("if"))
      return value;
    INLAY_TRY(advance());
    INLAY_ASSIGN(Expr condition, parseOr());
    if (!isWord("else"))
      return unexpected("'else'");
    INLAY_TRY(advance());
    INLAY_ASSIGN(Expr otherwise, parseConditional());
    return select(condition, value, otherwise);
  }

  Result<Expr> parseOr() {
    INLAY_ASSIGN(Expr left, parseAnd());
    while (isWord("or")) {
      INLAY_TRY(advance());
      INLAY_ASSIGN(Expr right, parseAnd());
      left = logicalOr(left, right);
    }
    return left;
  }

  Result<Expr> parseAnd() {
    INLAY_ASSIGN(Expr left, parseNot());
    while (isWord("and")) {
      INLAY_TRY(advance());
      INLAY_ASSIGN(Expr right, parseNot());
      left = logicalAnd(left, right);
    }
    return left;
  }

  Result<Expr> parseNot() {
    if (!isWord("not"))
      return parseComparison();
    Nesting nesting(depth_);
    if (depth_ > kMaxDepth)
      return errorAt(token_.offset, fmt::format("nested more than {} deep", kMaxDepth));
    INLAY_TRY(advance());
    INLAY_ASSIGN(Expr operand, parseNot());
    return logicalNot(operand);
  }

  Result<Expr> parseComparison() {
    INLAY_ASSIGN(Expr left, parseSum());
    if (token_.kind != TokenKind::Symbol)
      return left;
    const std::string_view op = token_.text;
    if (op != "==" && op != "!=" && op != "<" && op != "<=" && op != ">" && op != ">=")
      return left;
    INLAY_TRY(advance());
    INLAY_ASSIGN(Expr right, parseSum());
    if (op == "==")
      return equal(left, right);
    if (op == "!=")
      return notEqual(left, right);
    if (op == "<")
      return less(left, right);
    if (op == "<=")
      return lessEqual(left, right);
    return op == ">" ? less(right, left) : lessEqual(right, left);
  }

  Result<Expr> parseSum() {
    INLAY_ASSIGN(Expr left, parseProduct());
    while (isSymbol("+") || isSymbol("-")) {
      const bool isMinus = isSymbol("-");
      INLAY_TRY(advance());
      INLAY_ASSIGN(Expr right, parseProductAfter(isMinus));
      left = left + right;
    }
    return left;
  }

  /// A product, negated if a minus stood before it; the most negative integer has no positive twin
  /// to negate.
  Result<Expr> parseProductAfter(bool isMinus) {
    if (!isMinus)
      return parseProduct();
    if (token_.kind == TokenKind::Integer && token_.text == "9223372036854775808") {
      INLAY_TRY(advance());
      return Expr(std::numeric_limits<int64_t>::min());
    }
    INLAY_ASSIGN(Expr product, parseProduct());
    return -product;
  }

  Result<Expr> parseProduct() {
    INLAY_ASSIGN(Expr left, parseUnary());
    while (isSymbol("*") || isSymbol("//") || isSymbol("%") || isSymbol("/")) {
      const Token op = token_;
      if (op.text == "/")
        return errorAt(op.offset, "'/' is no integer division; write // or ceildiv(a, b)");
      INLAY_TRY(advance());
      INLAY_ASSIGN(Expr right, parseUnary());
      left = op.text == "*"    ? left * right
             : op.text == "//" ? floorDiv(left, right)
                               : mod(left, right);
    }
    return left;
  }

  Result<Expr> parseUnary() {
    Nesting nesting(depth_);
    if (depth_ > kMaxDepth)
      return errorAt(token_.offset, fmt::format("nested more than {} deep", kMaxDepth));
    if (isSymbol("-")) {
      INLAY_TRY(advance());
      if (token_.kind == TokenKind::Integer && token_.text == "9223372036854775808") {
        INLAY_TRY(advance());
        return Expr(std::numeric_limits<int64_t>::min());
      }
      INLAY_ASSIGN(Expr operand, parseUnary());
      return -operand;
    }
    if (isSymbol("+")) {
      INLAY_TRY(advance());
      return parseUnary();
    }
    return parsePower();
  }

  Result<Expr> parsePower() {
    INLAY_ASSIGN(Expr base, parsePrimary());
    if (!isSymbol("**"))
      return base;
    const size_t offset = token_.offset;
    INLAY_TRY(advance());
    INLAY_ASSIGN(Expr exponent, parseUnary());
    return makePower(base, exponent, offset);
  }

  Result<Expr> makePower(const Expr &base, const Expr &exponent, size_t offset) const {
    std::optional<int64_t> count = exponent.constantValue();
    if (!count || *count < 0 || *count > 16)
      return errorAt(offset, fmt::format("exponent must be a constant from 0 to 16, found {}",
                                         exponent.toString()));
    if (base.toString().size() * static_cast<size_t>(*count) > kMaxTextBytes)
      return errorAt(offset, "power of so long an expression is not supported");
    Expr product(1);
    for (int64_t i = 0; i < *count; ++i)
      product = product * base;
    return product;
  }

  Result<int64_t> parseInteger() {
    int64_t value = 0;
    for (char digit : token_.text)
      if (__builtin_mul_overflow(value, 10, &value) ||
          __builtin_add_overflow(value, digit - '0', &value))
        return errorAt(token_.offset, fmt::format("integer {} does not fit in 64 bits",
                                                  token_.text.substr(0, 40)));
    INLAY_TRY(advance());
    return value;
  }

  Result<Expr> parsePrimary() {
    if (token_.kind == TokenKind::Integer) {
      INLAY_ASSIGN(int64_t value, parseInteger());
      return Expr(value);
    }
    if (isSymbol("(")) {
      INLAY_TRY(advance());
      INLAY_ASSIGN(Expr expr, parseConditional());
      INLAY_TRY(expectSymbol(")"));
      return expr;
    }
    if (token_.kind != TokenKind::Name || isKeyword(token_.text))
      return unexpected("an integer, a name or '('");
    const Token name = token_;
    INLAY_TRY(advance());
    if (isSymbol("("))
      return parseCall(name);
    if (grammar_ == Grammar::Sympy) {
      if (name.text == "true" || name.text == "false")
        return Expr(name.text == "true" ? 1 : 0);
      if (name.text == "oo" || name.text == "int_oo")
        return Expr(std::numeric_limits<int64_t>::max());
    }
    return Expr::symbol(std::string(name.text));
  }

  static bool isKeyword(std::string_view text) {
    return text == "and" || text == "or" || text == "not" || text == "if" || text == "else";
  }

  /// Arguments of a call; in sympy's text, strings come as symbols and keyword arguments are passed
  /// over.
  Result<std::vector<Expr>> parseArguments() {
    std::vector<Expr> arguments;
    INLAY_TRY(expectSymbol("("));
    while (!isSymbol(")")) {
      if (grammar_ == Grammar::Sympy && token_.kind == TokenKind::String) {
        if (token_.text.empty())
          return errorAt(token_.offset, "empty symbol name");
        arguments.push_back(Expr::symbol(std::string(token_.text)));
        INLAY_TRY(advance());
      } else {
        INLAY_ASSIGN(Expr argument, parseConditional());
        if (grammar_ == Grammar::Sympy && isSymbol("=")) {
          INLAY_TRY(advance());
          INLAY_TRY(skipKeywordValue());
        } else {
          arguments.push_back(std::move(argument));
        }
      }
      if (isSymbol(","))
        INLAY_TRY(advance());
      else if (!isSymbol(")"))
        return unexpected("',' or ')'");
    }
    INLAY_TRY(advance());
    return arguments;
  }

  Status skipKeywordValue() {
    if (token_.kind == TokenKind::End || token_.kind == TokenKind::Symbol)
      return unexpected("a value");
    return advance();
  }

  Result<Expr> parseCall(const Token &name) {
    INLAY_ASSIGN(std::vector<Expr> arguments, parseArguments());
    std::optional<Expr> made = grammar_ == Grammar::Inlay ? makeCall(name.text, arguments)
                                                          : makeSympyCall(name.text, arguments);
    if (made)
      return *made;
    if (grammar_ == Grammar::Sympy && (name.text == "Pow" || name.text == "PowByNatural") &&
        arguments.size() == 2)
      return makePower(arguments[0], arguments[1], name.offset);
    return errorAt(name.offset,
                   fmt::format("'{}' with {} arguments is no function of integer expressions",
                               name.text, arguments.size()));
  }

  using Binary = Expr (*)(const Expr &, const Expr &);

  static Expr fold(Binary function, const std::vector<Expr> &arguments) {
    Expr result = arguments[0];
    for (size_t i = 1; i < arguments.size(); ++i)
      result = function(result, arguments[i]);
    return result;
  }

  static std::optional<Expr> makeCall(std::string_view name, const std::vector<Expr> &arguments) {
    const size_t count = arguments.size();
    if ((name == "min" || name == "max") && count >= 1)
      return fold(name == "min" ? Binary(&min) : Binary(&max), arguments);
    if (name == "select" && count == 3)
      return select(arguments[0], arguments[1], arguments[2]);
    static constexpr std::pair<std::string_view, Binary> kBinary[] = {
        {"ceildiv", &ceilDiv}, {"cdiv", &ceilDiv}, {"floordiv", &floorDiv}, {"mod", &mod}};
    for (const auto &[known, function] : kBinary)
      if (name == known && count == 2)
        return function(arguments[0], arguments[1]);
    return std::nullopt;
  }

  static std::optional<Expr> makeSympyCall(std::string_view name,
                                           const std::vector<Expr> &arguments) {
    static constexpr Binary add = [](const Expr &a, const Expr &b) { return a + b; };
    static constexpr Binary multiply = [](const Expr &a, const Expr &b) { return a * b; };
    static constexpr Binary greater = [](const Expr &a, const Expr &b) { return less(b, a); };
    static constexpr Binary greaterEqual = [](const Expr &a, const Expr &b) {
      return lessEqual(b, a);
    };
    // n-ary functions, then binary ones; PyTorch's names for Python's rounding.
    static constexpr std::pair<std::string_view, Binary> kFolded[] = {
        {"Add", add},  {"Mul", multiply},    {"Max", &max},
        {"Min", &min}, {"And", &logicalAnd}, {"Or", &logicalOr}};
    static constexpr std::pair<std::string_view, Binary> kBinary[] = {
        {"FloorDiv", &floorDiv},
        {"CleanDiv", &floorDiv},
        {"CeilDiv", &ceilDiv},
        {"Mod", &mod},
        {"PythonMod", &mod},
        {"Equality", &equal},
        {"Eq", &equal},
        {"Unequality", &notEqual},
        {"Ne", &notEqual},
        {"LessThan", &lessEqual},
        {"StrictLessThan", &less},
        {"GreaterThan", greaterEqual},
        {"Le", &lessEqual},
        {"Lt", &less},
        {"Ge", greaterEqual},
        {"Gt", greater},
        {"StrictGreaterThan", greater}};
    const size_t count = arguments.size();
    if ((name == "Symbol" || name == "Dummy") && count == 1 &&
        arguments[0].kind() == ExprKind::Symbol)
      return arguments[0];
    if ((name == "Integer" || name == "Identity") && count == 1)
      return arguments[0];
    if (name == "Not" && count == 1)
      return logicalNot(arguments[0]);
    if (name == "Where" && count == 3)
      return select(arguments[0], arguments[1], arguments[2]);
    if (name == "ModularIndexing" && count == 3)
      return mod(floorDiv(arguments[0], arguments[1]), arguments[2]);
    for (const auto &[known, function] : kFolded)
      if (name == known && count >= 1)
        return fold(function, arguments);
    for (const auto &[known, function] : kBinary)
      if (name == known && count == 2)
        return function(arguments[0], arguments[1]);
    return std::nullopt;
  }

  std::string_view text_;
  Grammar grammar_;
  size_t position_ = 0;
  Token token_;
  int depth_ = 0;
  int numTokens_ = 0;
};

} // namespace

Result<Expr> parseExpr(std::string_view text) { return Parser(text, Grammar::Inlay).parse(); }
Result<Expr> parseSympyExpr(std::string_view text) { return Parser(text, Grammar::Sympy).parse(); }

} // namespace inlay
