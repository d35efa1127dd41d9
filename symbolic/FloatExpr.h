// Floating-point expressions over integer ones: values of float arguments, "1.0 / X.shape[1]", say.
#pragma once

#include "base/Status.h"
#include "symbolic/Expr.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace inlay {

/// The values are in engine files: append only.
enum class FloatKind : uint8_t {
  Constant = 0,
  Integer = 1, // the value of an integer expression, rounded to float64
  Add = 2,
  Subtract = 3,
  Multiply = 4,
  Divide = 5,
  Negate = 6,
  Power = 7,
  Minimum = 8,
  Maximum = 9,
  Select = 10, // the first operand is not 0: the second, else the third
  SquareRoot = 11,
  Exponential = 12, // base e
  Exponential2 = 13,
  Logarithm = 14, // natural
  Logarithm2 = 15,
  Absolute = 16,
  Floor = 17,
  Ceiling = 18,
};
inline constexpr uint8_t kNumFloatKinds = 19;
/// Number of operands that are float expressions: 0 for constants and integers.
int floatArity(FloatKind kind);

/// An immutable float expression, cheap to copy. All arithmetic is IEEE float64, without traps: a
/// division by zero gives an infinity, which who uses the value must look for. Constants are folded
/// when it is built.
class FloatExpr {
public:
  FloatExpr() : FloatExpr(0.0) {}
  FloatExpr(double constant);
  /// The value of an integer expression.
  explicit FloatExpr(const Expr &integer);
  static FloatExpr make(FloatKind kind, std::vector<FloatExpr> operands);

  FloatKind kind() const;
  std::span<const FloatExpr> operands() const;
  std::optional<double> constantValue() const;
  const Expr &integer() const; // FloatKind::Integer only
  /// Canonical text; parseFloatExpr reads it back to an equal expression.
  std::string toString() const;

  struct Node;

private:
  explicit FloatExpr(std::shared_ptr<const Node> node) : node_(std::move(node)) {}
  std::shared_ptr<const Node> node_;
};

/// A float expression as read, and whether its text is one of floats: has a `/`, a number with a
/// point or an exponent, or a function of floats. "n + 1" is none of these.
struct ParsedFloatExpr {
  FloatExpr expr;
  bool isOfFloats = false;
  std::vector<std::string> integerNames; // that stand alone in int(…)
};

/// Reads numbers, names (integer symbols), + - * / ** and unary minus with Python's precedence,
/// `a if c else b` and select(c, a, b) with an integer expression c, sqrt, rsqrt, exp, exp2, log,
/// log2, abs, floor, ceil, min, max, and integer parts: int(a // b), ceildiv(a, b), and the other
/// functions of parseExpr. Errors as parseExpr's.
Result<ParsedFloatExpr> parseFloatExpr(std::string_view text);

/// Visits the integer expressions in it, from left to right.
void forEachInteger(const FloatExpr &expr, const std::function<void(const Expr &)> &visit);
/// Replaces each integer expression. Of a select whose condition becomes constant only the branch
/// that is taken is visited, so that the other one may have no value.
Result<FloatExpr> mapIntegers(const FloatExpr &expr,
                              const std::function<Result<FloatExpr>(const Expr &)> &map);

/// One step of an evaluation program: operands are indices of earlier steps; of Integer, `a` is the
/// index of an integer expression's value.
struct FloatInstruction {
  FloatKind kind;
  uint32_t a = 0, b = 0, c = 0;
  double value = 0; // Constant
};
/// The value of one step, given those before it and those of the integer expressions.
double evaluateFloat(const FloatInstruction &step, std::span<const int64_t> integers,
                     std::span<const double> values);

} // namespace inlay
