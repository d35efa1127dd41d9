// Integer expressions over named symbols: the one language for shapes, launch grids, kernel
// arguments, buffer sizes and profiles.
#pragma once

#include "base/Status.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace inlay {

enum class ExprKind : uint8_t {
#define INLAY_EXPR_KIND(name, value, arity, spelling) name = value,
#include "symbolic/ExprKind.def"
#undef INLAY_EXPR_KIND
};

/// An immutable integer expression: a handle to a shared node, cheap to copy, safe to share between
/// threads. All arithmetic is on int64 and checked: an overflow is an error, never a wrap.
/// Comparisons and logic give 0 or 1. Building an expression simplifies it: constants are folded,
/// sums and products of the same terms are brought to one canonical order. FloorDiv, CeilDiv and
/// Mod round as Python does (toward minus infinity; Mod has the sign of the divisor).
class Expr {
public:
  /// The constant 0.
  Expr();
  Expr(int64_t constant);
  Expr(int constant) : Expr(static_cast<int64_t>(constant)) {}
  /// A named symbol. Names are any non-empty text the grammar's identifiers allow: letters, digits,
  /// '_', '.', and indices in brackets as in "X.shape[0]".
  static Expr symbol(std::string name);
  static Expr make(ExprKind kind, std::vector<Expr> operands);

  ExprKind kind() const;
  /// Operands in order; empty for constants and symbols.
  std::span<const Expr> operands() const;
  bool isConstant() const { return kind() == ExprKind::Constant; }
  std::optional<int64_t> constantValue() const;
  /// The symbol's name; only for ExprKind::Symbol.
  const std::string &symbolName() const;
  /// Canonical text; parseExpr reads it back to an equal expression.
  std::string toString() const;
  /// Structural equality of canonical forms.
  friend bool operator==(const Expr &a, const Expr &b);

  struct Node;

private:
  explicit Expr(std::shared_ptr<const Node> node);
  std::shared_ptr<const Node> node_;
};

Expr operator+(const Expr &a, const Expr &b);
Expr operator-(const Expr &a, const Expr &b);
Expr operator-(const Expr &a);
Expr operator*(const Expr &a, const Expr &b);
Expr floorDiv(const Expr &a, const Expr &b);
Expr ceilDiv(const Expr &a, const Expr &b);
Expr mod(const Expr &a, const Expr &b);
Expr min(const Expr &a, const Expr &b);
Expr max(const Expr &a, const Expr &b);
Expr equal(const Expr &a, const Expr &b);
Expr notEqual(const Expr &a, const Expr &b);
Expr less(const Expr &a, const Expr &b);
Expr lessEqual(const Expr &a, const Expr &b);
Expr logicalAnd(const Expr &a, const Expr &b);
Expr logicalOr(const Expr &a, const Expr &b);
Expr logicalNot(const Expr &a);
Expr select(const Expr &condition, const Expr &ifTrue, const Expr &ifFalse);

/// Reads Inlay's expression text: integers, symbols, + - * // % (Python precedence), unary -,
/// comparisons, and/or/not, `a if c else b`, calls min, max, ceildiv, floordiv, mod, select,
/// numel-free; errors give the column and a caret.
Result<Expr> parseExpr(std::string_view text);
/// Reads what torch.export writes as `expr_str`: sympy's srepr (`Mul(Integer(2), Symbol('s0', …))`)
/// or the older infix form. Functions outside integer arithmetic are refused by name.
Result<Expr> parseSympyExpr(std::string_view text);

using SymbolLookup = std::function<std::optional<int64_t>(std::string_view name)>;
/// Value of an expression; errors: NotFound (a symbol without value, by name), OutOfRange
/// (overflow), InvalidArgument (division by zero).
Result<int64_t> evaluate(const Expr &expr, const SymbolLookup &symbols);

/// Replaces symbols by expressions; symbols not in the map stay.
Expr substitute(const Expr &expr, const std::map<std::string, Expr, std::less<>> &replacements);
/// The names of all symbols in an expression, sorted, each once.
std::vector<std::string> symbolsOf(const Expr &expr);

/// A closed interval; an absent bound is unbounded (or beyond int64).
struct Interval {
  std::optional<int64_t> min;
  std::optional<int64_t> max;
};
/// Interval that contains every value the expression takes while its symbols stay in the given
/// ranges (absent: unbounded).
Interval boundsOf(const Expr &expr, const std::function<Interval(std::string_view name)> &ranges);
/// The largest power of two (at most 2^30) known to divide the expression for all symbol values;
/// `divisors` gives that of a symbol (1 if nothing is known). Used for kernel specialisation by
/// divisibility.
int64_t knownDivisor(const Expr &expr,
                     const std::function<int64_t(std::string_view name)> &divisors);

/// One step of an evaluation program: operands are indices of earlier steps; `value` is a constant
/// or a symbol's index.
struct ExprInstruction {
  ExprKind kind;
  uint32_t a = 0, b = 0, c = 0;
  int64_t value = 0;
};

/// Turns expressions into one compact evaluation program without repeated work. Deterministic: the
/// same sequence of calls gives the same program.
class ExprProgramBuilder {
public:
  /// `symbolNames`: the program's inputs; instruction.value of a Symbol is an index into them.
  explicit ExprProgramBuilder(std::vector<std::string> symbolNames);
  /// Adds an expression and returns the index of the instruction that holds its value; a symbol
  /// outside symbolNames is NotFound.
  Result<uint32_t> add(const Expr &expr);
  const std::vector<ExprInstruction> &instructions() const { return instructions_; }

private:
  std::vector<std::string> symbolNames_;
  std::vector<ExprInstruction> instructions_;
  std::map<std::string, uint32_t> known_;
};

/// Evaluates a program: writes one value per instruction to `values` (same length as the program).
/// Allocates nothing on success. Errors as in evaluate; instructions are trusted to be verified
/// (operands refer to earlier instructions).
Status evaluateProgram(std::span<const ExprInstruction> program, std::span<const int64_t> symbols,
                       std::span<int64_t> values);

} // namespace inlay
