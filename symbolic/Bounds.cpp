// What is known of an expression without the values of its symbols: intervals and divisors.
#include "base/CheckedMath.h"
#include "symbolic/Expr.h"

#include <algorithm>
#include <numeric>

namespace inlay {
namespace {

using Bound = std::optional<int64_t>;

Bound addBounds(Bound a, Bound b) {
  int64_t sum = 0;
  return a && b && checkedAdd(*a, *b, sum) ? Bound(sum) : Bound();
}

bool isNonNegative(const Interval &interval) { return interval.min && *interval.min >= 0; }

Interval multiply(const Interval &a, const Interval &b) {
  if (isNonNegative(a) && isNonNegative(b)) {
    Interval result;
    int64_t product = 0;
    if (checkedMul(*a.min, *b.min, product))
      result.min = product;
    if (a.max && b.max && checkedMul(*a.max, *b.max, product))
      result.max = product;
    return result;
  }
  // A constant factor scales (and perhaps turns) an interval even if the other end is open.
  for (const auto &[scale, other] : {std::pair(a, b), std::pair(b, a)})
    if (scale.min && scale.min == scale.max) {
      auto times = [factor = *scale.min](Bound bound) {
        int64_t product = 0;
        return bound && checkedMul(*bound, factor, product) ? Bound(product) : Bound();
      };
      return *scale.min >= 0 ? Interval{times(other.min), times(other.max)}
                             : Interval{times(other.max), times(other.min)};
    }
  if (!a.min || !a.max || !b.min || !b.max)
    return {};
  Interval result;
  for (int64_t x : {*a.min, *a.max})
    for (int64_t y : {*b.min, *b.max}) {
      int64_t product = 0;
      if (!checkedMul(x, y, product))
        return {};
      result.min = result.min ? std::min(*result.min, product) : product;
      result.max = result.max ? std::max(*result.max, product) : product;
    }
  return result;
}

/// Division by a positive divisor is monotone in the dividend.
Interval divide(const Interval &a, const Interval &b,
                bool (*rounded)(int64_t, int64_t, int64_t &)) {
  if (!b.min || *b.min <= 0)
    return {};
  auto quotient = [&](Bound dividend, bool wantsLow) -> Bound {
    if (!dividend)
      return {};
    // The quotient is smallest for the largest divisor if the dividend is positive, for the
    // smallest if it is negative.
    const bool wantsLargeDivisor = (*dividend >= 0) == wantsLow;
    if (wantsLargeDivisor && !b.max)
      return wantsLow ? Bound(0) : Bound(rounded == &checkedCeilDiv ? 0 : -1);
    int64_t result = 0;
    return rounded(*dividend, wantsLargeDivisor ? *b.max : *b.min, result) ? Bound(result)
                                                                           : Bound();
  };
  return {quotient(a.min, true), quotient(a.max, false)};
}

Interval remainder(const Interval &a, const Interval &b) {
  if (!b.min || *b.min <= 0)
    return {};
  if (isNonNegative(a) && a.max && *a.max < *b.min)
    return a;
  Interval result{0, {}};
  if (b.max)
    result.max = *b.max - 1;
  if (isNonNegative(a) && a.max)
    result.max = result.max ? std::min(*result.max, *a.max) : *a.max;
  return result;
}

Interval joinIntervals(const Interval &a, const Interval &b) {
  return {a.min && b.min ? Bound(std::min(*a.min, *b.min)) : Bound(),
          a.max && b.max ? Bound(std::max(*a.max, *b.max)) : Bound()};
}

Interval minimum(const Interval &a, const Interval &b) {
  Interval result;
  if (a.min && b.min)
    result.min = std::min(*a.min, *b.min);
  if (a.max || b.max)
    result.max = std::min(a.max.value_or(INT64_MAX), b.max.value_or(INT64_MAX));
  return result;
}

Interval maximum(const Interval &a, const Interval &b) {
  Interval result;
  if (a.max && b.max)
    result.max = std::max(*a.max, *b.max);
  if (a.min || b.min)
    result.min = std::max(a.min.value_or(INT64_MIN), b.min.value_or(INT64_MIN));
  return result;
}

/// 0 or 1, or the one of them that the intervals decide.
Interval compare(ExprKind kind, const Interval &a, const Interval &b) {
  const bool isBelow = a.max && b.min && *a.max < *b.min,
             isAbove = a.min && b.max && *a.min > *b.max;
  const bool isAtMost = a.max && b.min && *a.max <= *b.min,
             isAtLeast = a.min && b.max && *a.min >= *b.max;
  const bool areEqual = isAtMost && isAtLeast;
  auto decided = [](bool value) { return Interval{value, value}; };
  switch (kind) {
  case ExprKind::Less:
    if (isBelow || isAtLeast)
      return decided(isBelow);
    break;
  case ExprKind::LessEqual:
    if (isAtMost || isAbove)
      return decided(isAtMost);
    break;
  default:
    if (isBelow || isAbove || areEqual)
      return decided(areEqual == (kind == ExprKind::Equal));
  }
  return {0, 1};
}

/// Whether a value of an interval, as a condition, is known.
std::optional<bool> truthOf(const Interval &interval) {
  if (interval.min == 0 && interval.max == 0)
    return false;
  if ((interval.min && *interval.min > 0) || (interval.max && *interval.max < 0))
    return true;
  return std::nullopt;
}

Interval logical(ExprKind kind, const Interval &a, const Interval &b) {
  std::optional<bool> x = truthOf(a), y = truthOf(b);
  const bool deciding = kind == ExprKind::Or;
  if (x == deciding || y == deciding)
    return {deciding, deciding};
  if (x && y)
    return {!deciding, !deciding};
  return {0, 1};
}

} // namespace

Interval boundsOf(const Expr &expr, const std::function<Interval(std::string_view name)> &ranges) {
  if (std::optional<int64_t> value = expr.constantValue())
    return {*value, *value};
  if (expr.kind() == ExprKind::Symbol)
    return ranges(expr.symbolName());
  Interval operands[3];
  size_t count = 0;
  for (const Expr &operand : expr.operands())
    operands[count++] = boundsOf(operand, ranges);
  const Interval &a = operands[0], &b = operands[1];
  switch (expr.kind()) {
  case ExprKind::Add:
    return {addBounds(a.min, b.min), addBounds(a.max, b.max)};
  case ExprKind::Mul:
    return multiply(a, b);
  case ExprKind::FloorDiv:
    return divide(a, b, &checkedFloorDiv);
  case ExprKind::CeilDiv:
    return divide(a, b, &checkedCeilDiv);
  case ExprKind::Mod:
    return remainder(a, b);
  case ExprKind::Min:
    return minimum(a, b);
  case ExprKind::Max:
    return maximum(a, b);
  case ExprKind::Equal:
  case ExprKind::NotEqual:
  case ExprKind::Less:
  case ExprKind::LessEqual:
    return compare(expr.kind(), a, b);
  case ExprKind::And:
  case ExprKind::Or:
    return logical(expr.kind(), a, b);
  case ExprKind::Not: {
    std::optional<bool> truth = truthOf(a);
    return truth ? Interval{!*truth, !*truth} : Interval{0, 1};
  }
  case ExprKind::Select: {
    std::optional<bool> truth = truthOf(a);
    return truth ? (*truth ? b : operands[2]) : joinIntervals(b, operands[2]);
  }
  case ExprKind::Constant:
  case ExprKind::Symbol:
    break;
  }
  return {};
}

int64_t knownDivisor(const Expr &expr,
                     const std::function<int64_t(std::string_view name)> &divisors) {
  constexpr int64_t kLargest = int64_t{1} << 30;
  auto powerOfTwoIn = [kLargest](int64_t value) {
    return value == 0 ? kLargest
                      : std::min(kLargest, static_cast<int64_t>(uint64_t{1} << __builtin_ctzll(
                                                                    static_cast<uint64_t>(value))));
  };
  if (std::optional<int64_t> value = expr.constantValue())
    return powerOfTwoIn(*value);
  if (expr.kind() == ExprKind::Symbol)
    return powerOfTwoIn(divisors(expr.symbolName()));
  std::vector<int64_t> known;
  for (const Expr &operand : expr.operands())
    known.push_back(knownDivisor(operand, divisors));
  switch (expr.kind()) {
  case ExprKind::Add:
  case ExprKind::Min:
  case ExprKind::Max:
  case ExprKind::Mod: // a - b*floor(a/b)
    return std::min(known[0], known[1]);
  case ExprKind::Mul:
    return std::min(kLargest, known[0] * known[1]);
  case ExprKind::FloorDiv:
  case ExprKind::CeilDiv: {
    // Exact where the divisor is a power of two that divides the dividend.
    std::optional<int64_t> divisor = expr.operands()[1].constantValue();
    if (divisor && *divisor > 0 && powerOfTwoIn(*divisor) == *divisor && known[0] % *divisor == 0)
      return known[0] / *divisor;
    return 1;
  }
  case ExprKind::Select:
    return std::min(known[1], known[2]);
  default:
    return 1;
  }
}

} // namespace inlay
