#include "symbolic/Expr.h"

#include "base/CheckedMath.h"

#include <algorithm>
#include <iterator>

namespace inlay {

/// `text` is the canonical text: it identifies the expression, orders terms and is what toString
/// returns.
struct Expr::Node {
  ExprKind kind;
  int64_t value = 0; // Constant
  std::string text;  // also the name of a Symbol
  std::vector<Expr> operands;
};

namespace {

/// Products of sums are multiplied out up to this many terms; larger ones stay products.
constexpr size_t kMaxExpandedTerms = 64;
/// … and up to this many bytes of text, since multiplying out repeats the factors.
constexpr size_t kMaxExpandedBytes = 4096;

/// Binding strength of a kind in the printed form, as in Python.
int precedenceOf(const Expr &expr) {
  switch (expr.kind()) {
  case ExprKind::Or:
    return 1;
  case ExprKind::And:
    return 2;
  case ExprKind::Not:
    return 3;
  case ExprKind::Equal:
  case ExprKind::NotEqual:
  case ExprKind::Less:
  case ExprKind::LessEqual:
    return 4;
  case ExprKind::Add:
    return 5;
  case ExprKind::Mul:
  case ExprKind::FloorDiv:
  case ExprKind::Mod:
    return 6;
  case ExprKind::Constant:
    return *expr.constantValue() < 0 ? 6 : 8;
  default:
    return 8;
  }
}

std::string_view spellingOf(ExprKind kind) {
  switch (kind) {
#define INLAY_EXPR_KIND(name, value, arity, spelling)                                              \
  case ExprKind::name:                                                                             \
    return spelling;
#include "symbolic/ExprKind.def"
#undef INLAY_EXPR_KIND
  }
  return "";
}

std::string parenthesized(const Expr &expr, int minimum) {
  return precedenceOf(expr) >= minimum ? expr.toString() : "(" + expr.toString() + ")";
}

/// The text of a kind applied to operands; see toString.
std::string textOf(ExprKind kind, std::span<const Expr> operands) {
  std::string spelling(spellingOf(kind));
  switch (kind) {
  case ExprKind::Add: {
    std::string right = parenthesized(operands[1], 6);
    // "a - 3*b" rather than "a + -3*b".
    if (right.front() == '-')
      return parenthesized(operands[0], 5) + " - " + right.substr(1);
    return parenthesized(operands[0], 5) + " + " + right;
  }
  case ExprKind::Mul:
  case ExprKind::FloorDiv:
    return parenthesized(operands[0], 6) + spelling + parenthesized(operands[1], 7);
  case ExprKind::Mod:
    return parenthesized(operands[0], 6) + " % " + parenthesized(operands[1], 7);
  case ExprKind::Equal:
  case ExprKind::NotEqual:
  case ExprKind::Less:
  case ExprKind::LessEqual:
    return parenthesized(operands[0], 5) + " " + spelling + " " + parenthesized(operands[1], 5);
  case ExprKind::And:
    return parenthesized(operands[0], 2) + " and " + parenthesized(operands[1], 3);
  case ExprKind::Or:
    return parenthesized(operands[0], 1) + " or " + parenthesized(operands[1], 2);
  case ExprKind::Not:
    return "not " + parenthesized(operands[0], 4);
  default: {
    std::string text = spelling + "(";
    for (size_t i = 0; i < operands.size(); ++i)
      text += (i ? ", " : "") + operands[i].toString();
    return text + ")";
  }
  }
}

/// A sum's term: coefficient times a product of factors (sorted by text; none: a constant term).
struct Term {
  int64_t coefficient;
  std::vector<Expr> factors;
};

void appendFactors(const Expr &product, std::vector<Expr> &factors) {
  if (product.kind() == ExprKind::Mul) {
    for (const Expr &operand : product.operands())
      appendFactors(operand, factors);
  } else {
    factors.push_back(product);
  }
}

Term termOf(const Expr &expr) {
  Term term{1, {}};
  if (std::optional<int64_t> value = expr.constantValue()) {
    term.coefficient = *value;
    return term;
  }
  appendFactors(expr, term.factors);
  // The coefficient of a canonical product is its first factor.
  if (std::optional<int64_t> value = term.factors.front().constantValue()) {
    term.coefficient = *value;
    term.factors.erase(term.factors.begin());
  }
  return term;
}

void appendTerms(const Expr &sum, std::vector<Term> &terms) {
  if (sum.kind() == ExprKind::Add) {
    for (const Expr &operand : sum.operands())
      appendTerms(operand, terms);
  } else {
    terms.push_back(termOf(sum));
  }
}

std::vector<Term> termsOf(const Expr &sum) {
  std::vector<Term> terms;
  appendTerms(sum, terms);
  return terms;
}

std::string keyOf(const std::vector<Expr> &factors) {
  std::string key;
  for (const Expr &factor : factors)
    key.append(factor.toString()).push_back('*');
  return key;
}

} // namespace

Expr::Expr(std::shared_ptr<const Node> node) : node_(std::move(node)) {}
Expr::Expr() : Expr(int64_t{0}) {}
Expr::Expr(int64_t constant)
    : node_(std::make_shared<Node>(
          Node{ExprKind::Constant, constant, std::to_string(constant), {}})) {}

Expr Expr::symbol(std::string name) {
  return Expr(std::make_shared<Node>(Node{ExprKind::Symbol, 0, std::move(name), {}}));
}

ExprKind Expr::kind() const { return node_->kind; }
std::span<const Expr> Expr::operands() const { return node_->operands; }
const std::string &Expr::symbolName() const { return node_->text; }
std::string Expr::toString() const { return node_->text; }
bool operator==(const Expr &a, const Expr &b) {
  return a.node_ == b.node_ || a.node_->text == b.node_->text;
}

std::optional<int64_t> Expr::constantValue() const {
  if (node_->kind != ExprKind::Constant)
    return std::nullopt;
  return node_->value;
}

namespace {

/// Builds canonical expressions; `raw` makes a node as it stands.
class Simplifier {
public:
  using Raw = Expr (*)(ExprKind, std::vector<Expr>);
  explicit Simplifier(Raw makeRaw) : raw_(makeRaw) {}

  Expr make(ExprKind kind, const std::vector<Expr> &operands) const {
    if (std::optional<Expr> folded = foldConstants(kind, operands))
      return *folded;
    switch (kind) {
    case ExprKind::Add:
      return makeSum(operands);
    case ExprKind::Mul:
      return makeProduct(operands[0], operands[1]);
    case ExprKind::FloorDiv:
    case ExprKind::CeilDiv:
    case ExprKind::Mod:
      return makeDivision(kind, operands[0], operands[1]);
    case ExprKind::Min:
    case ExprKind::Max:
      return operands[0] == operands[1] ? operands[0] : makeSorted(kind, operands);
    case ExprKind::Equal:
    case ExprKind::NotEqual:
    case ExprKind::Less:
    case ExprKind::LessEqual:
      return makeComparison(kind, operands);
    case ExprKind::And:
    case ExprKind::Or:
      return makeLogical(kind, operands);
    case ExprKind::Not:
      return makeNot(operands[0]);
    case ExprKind::Select:
      if (std::optional<int64_t> condition = operands[0].constantValue())
        return operands[*condition != 0 ? 1 : 2];
      return operands[1] == operands[2] ? operands[1] : raw_(kind, operands);
    case ExprKind::Constant:
    case ExprKind::Symbol:
      break;
    }
    INLAY_CHECK(false, "constants and symbols have no operands");
  }

private:
  /// Evaluates where all operands are constants; what fails (overflow, division by zero) is left to
  /// evaluation.
  std::optional<Expr> foldConstants(ExprKind kind, const std::vector<Expr> &operands) const {
    std::vector<ExprInstruction> program;
    for (const Expr &operand : operands) {
      if (!operand.isConstant())
        return std::nullopt;
      program.push_back({ExprKind::Constant, 0, 0, 0, *operand.constantValue()});
    }
    program.push_back({kind, 0, operands.size() > 1 ? 1u : 0u, operands.size() > 2 ? 2u : 0u, 0});
    std::vector<int64_t> values(program.size());
    if (!evaluateProgram(program, {}, values).isOk())
      return std::nullopt;
    return Expr(values.back());
  }

  Expr makeSum(const std::vector<Expr> &operands) const {
    std::vector<Term> terms;
    for (const Expr &operand : operands)
      appendTerms(operand, terms);
    std::optional<Expr> sum = sumOf(terms);
    return sum ? *sum : raw_(ExprKind::Add, operands);
  }

  /// The canonical sum of terms: like terms collected, sorted by their factors' text, the constant
  /// last. None on overflow.
  std::optional<Expr> sumOf(const std::vector<Term> &terms) const {
    std::map<std::string, Term> collected;
    int64_t constant = 0;
    for (const Term &term : terms) {
      int64_t *total = &constant;
      if (!term.factors.empty())
        total = &collected.try_emplace(keyOf(term.factors), Term{0, term.factors})
                     .first->second.coefficient;
      if (!checkedAdd(*total, term.coefficient, *total))
        return std::nullopt;
    }
    std::optional<Expr> sum;
    for (const auto &[key, term] : collected) {
      if (term.coefficient == 0)
        continue;
      Expr product = productOf(term);
      sum = sum ? raw_(ExprKind::Add, {*sum, product}) : product;
    }
    if (!sum)
      return Expr(constant);
    return constant == 0 ? *sum : raw_(ExprKind::Add, {*sum, Expr(constant)});
  }

  Expr productOf(const Term &term) const {
    if (term.factors.empty())
      return Expr(term.coefficient);
    std::optional<Expr> product;
    if (term.coefficient != 1)
      product = Expr(term.coefficient);
    for (const Expr &factor : term.factors)
      product = product ? raw_(ExprKind::Mul, {*product, factor}) : factor;
    return *product;
  }

  /// Multiplies sums out, so that equal polynomials become equal, unless that gives too many terms.
  Expr makeProduct(const Expr &a, const Expr &b) const {
    std::vector<Term> left = termsOf(a), right = termsOf(b);
    const bool isRepeating = left.size() > 1 || right.size() > 1;
    if (left.size() * right.size() > kMaxExpandedTerms ||
        (isRepeating && a.toString().size() * right.size() + b.toString().size() * left.size() >
                            kMaxExpandedBytes)) {
      left = {termOf(a)};
      right = {termOf(b)};
    }
    std::vector<Term> terms;
    for (const Term &x : left)
      for (const Term &y : right) {
        Term term{0, x.factors};
        if (!checkedMul(x.coefficient, y.coefficient, term.coefficient))
          return raw_(ExprKind::Mul, {a, b});
        term.factors.insert(term.factors.end(), y.factors.begin(), y.factors.end());
        std::sort(term.factors.begin(), term.factors.end(),
                  [](const Expr &p, const Expr &q) { return p.toString() < q.toString(); });
        terms.push_back(std::move(term));
      }
    std::optional<Expr> sum = sumOf(terms);
    return sum ? *sum : raw_(ExprKind::Mul, {a, b});
  }

  /// Division and remainder by a positive constant: terms that it divides leave the division,
  /// exactly for every rounding.
  Expr makeDivision(ExprKind kind, const Expr &a, const Expr &b) const {
    std::optional<int64_t> divisor = b.constantValue();
    if (!divisor || *divisor <= 0)
      return raw_(kind, {a, b});
    if (*divisor == 1)
      return kind == ExprKind::Mod ? Expr(0) : a;
    std::vector<Term> whole, rest;
    for (Term term : termsOf(a)) {
      bool divides = term.coefficient % *divisor == 0;
      if (divides)
        term.coefficient /= *divisor;
      (divides ? whole : rest).push_back(std::move(term));
    }
    std::optional<Expr> quotient = sumOf(whole), remainder = sumOf(rest);
    if (!quotient || !remainder)
      return raw_(kind, {a, b});
    // A lone constant beside symbols stays inside unless it divides: (x + 3)//2 has one form only.
    std::optional<Expr> inner = foldConstants(kind, {*remainder, b});
    Expr reduced = inner ? *inner : raw_(kind, {*remainder, b});
    return kind == ExprKind::Mod ? reduced : makeSum({*quotient, reduced});
  }

  Expr makeSorted(ExprKind kind, std::vector<Expr> operands) const {
    std::sort(operands.begin(), operands.end(),
              [](const Expr &p, const Expr &q) { return p.toString() < q.toString(); });
    return raw_(kind, std::move(operands));
  }

  Expr makeComparison(ExprKind kind, const std::vector<Expr> &operands) const {
    if (operands[0] == operands[1])
      return Expr(kind == ExprKind::Equal || kind == ExprKind::LessEqual ? 1 : 0);
    if (kind == ExprKind::Equal || kind == ExprKind::NotEqual)
      return makeSorted(kind, operands);
    return raw_(kind, operands);
  }

  static bool isBoolean(const Expr &expr) {
    switch (expr.kind()) {
    case ExprKind::Equal:
    case ExprKind::NotEqual:
    case ExprKind::Less:
    case ExprKind::LessEqual:
    case ExprKind::And:
    case ExprKind::Or:
    case ExprKind::Not:
      return true;
    default:
      return expr.constantValue() == 0 || expr.constantValue() == 1;
    }
  }

  Expr makeLogical(ExprKind kind, const std::vector<Expr> &operands) const {
    const bool isAnd = kind == ExprKind::And;
    for (size_t i = 0; i < 2; ++i)
      if (std::optional<int64_t> value = operands[i].constantValue()) {
        if ((*value != 0) != isAnd)
          return Expr(isAnd ? 0 : 1);
        const Expr &other = operands[1 - i];
        return isBoolean(other) ? other : makeComparison(ExprKind::NotEqual, {other, Expr(0)});
      }
    if (operands[0] == operands[1] && isBoolean(operands[0]))
      return operands[0];
    return makeSorted(kind, operands);
  }

  Expr makeNot(const Expr &operand) const {
    std::span<const Expr> inner = operand.operands();
    switch (operand.kind()) {
    case ExprKind::Less:
      return raw_(ExprKind::LessEqual, {inner[1], inner[0]});
    case ExprKind::LessEqual:
      return raw_(ExprKind::Less, {inner[1], inner[0]});
    case ExprKind::Equal:
      return raw_(ExprKind::NotEqual, {inner[0], inner[1]});
    case ExprKind::NotEqual:
      return raw_(ExprKind::Equal, {inner[0], inner[1]});
    case ExprKind::Not:
      if (isBoolean(inner[0]))
        return inner[0];
      break;
    default:
      break;
    }
    return raw_(ExprKind::Not, {operand});
  }

  Raw raw_;
};

} // namespace

Expr Expr::make(ExprKind kind, std::vector<Expr> operands) {
  static constexpr auto raw = [](ExprKind rawKind, std::vector<Expr> rawOperands) {
    std::string text = textOf(rawKind, rawOperands);
    return Expr(std::make_shared<Node>(Node{rawKind, 0, std::move(text), std::move(rawOperands)}));
  };
  return Simplifier(raw).make(kind, operands);
}

Expr operator+(const Expr &a, const Expr &b) { return Expr::make(ExprKind::Add, {a, b}); }
Expr operator-(const Expr &a) { return Expr::make(ExprKind::Mul, {Expr(-1), a}); }
Expr operator-(const Expr &a, const Expr &b) { return a + -b; }
Expr operator*(const Expr &a, const Expr &b) { return Expr::make(ExprKind::Mul, {a, b}); }
Expr floorDiv(const Expr &a, const Expr &b) { return Expr::make(ExprKind::FloorDiv, {a, b}); }
Expr ceilDiv(const Expr &a, const Expr &b) { return Expr::make(ExprKind::CeilDiv, {a, b}); }
Expr mod(const Expr &a, const Expr &b) { return Expr::make(ExprKind::Mod, {a, b}); }
Expr min(const Expr &a, const Expr &b) { return Expr::make(ExprKind::Min, {a, b}); }
Expr max(const Expr &a, const Expr &b) { return Expr::make(ExprKind::Max, {a, b}); }
Expr equal(const Expr &a, const Expr &b) { return Expr::make(ExprKind::Equal, {a, b}); }
Expr notEqual(const Expr &a, const Expr &b) { return Expr::make(ExprKind::NotEqual, {a, b}); }
Expr less(const Expr &a, const Expr &b) { return Expr::make(ExprKind::Less, {a, b}); }
Expr lessEqual(const Expr &a, const Expr &b) { return Expr::make(ExprKind::LessEqual, {a, b}); }
Expr logicalAnd(const Expr &a, const Expr &b) { return Expr::make(ExprKind::And, {a, b}); }
Expr logicalOr(const Expr &a, const Expr &b) { return Expr::make(ExprKind::Or, {a, b}); }
Expr logicalNot(const Expr &a) { return Expr::make(ExprKind::Not, {a}); }
Expr select(const Expr &condition, const Expr &ifTrue, const Expr &ifFalse) {
  return Expr::make(ExprKind::Select, {condition, ifTrue, ifFalse});
}

Expr substitute(const Expr &expr, const std::map<std::string, Expr, std::less<>> &replacements) {
  if (expr.kind() == ExprKind::Symbol) {
    auto it = replacements.find(expr.symbolName());
    return it == replacements.end() ? expr : it->second;
  }
  if (expr.operands().empty())
    return expr;
  std::vector<Expr> operands;
  for (const Expr &operand : expr.operands())
    operands.push_back(substitute(operand, replacements));
  return Expr::make(expr.kind(), std::move(operands));
}

namespace {
void collectSymbols(const Expr &expr, std::vector<std::string> &names) {
  if (expr.kind() == ExprKind::Symbol)
    names.push_back(expr.symbolName());
  for (const Expr &operand : expr.operands())
    collectSymbols(operand, names);
}
} // namespace

std::vector<std::string> symbolsOf(const Expr &expr) {
  std::vector<std::string> names;
  collectSymbols(expr, names);
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

} // namespace inlay
