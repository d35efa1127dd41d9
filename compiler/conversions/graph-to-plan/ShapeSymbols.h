// What is known of a model's symbols at build time.
#pragma once

#include "base/Status.h"
#include "symbolic/Expr.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace inlay {

/// A symbol of a model: its range, inclusive, and the value it had at export.
struct ShapeSymbol {
  int64_t min = 0;
  int64_t max = INT64_MAX; // INT64_MAX: unbounded
  int64_t hint = 0;
};

/// Answers questions about expressions over a model's symbols.
class ShapeSymbols {
public:
  void add(std::string name, ShapeSymbol symbol) { symbols_[std::move(name)] = symbol; }
  const ShapeSymbol *find(std::string_view name) const;

  /// The range of each symbol; one without an upper bound has no maximum.
  std::map<std::string, Interval, std::less<>> ranges() const;
  /// Interval of all values of an expression while its symbols stay in their ranges.
  Interval bounds(const Expr &expr) const;
  /// The power of two known to divide an expression.
  int64_t divisor(const Expr &expr) const;
  /// Value at the sizes of the export; nullopt where the expression cannot be evaluated.
  std::optional<int64_t> valueAtHints(const Expr &expr) const;
  /// Value with every symbol at the lower or upper end of its range; nullopt for an unbounded
  /// symbol or an overflow.
  std::optional<int64_t> valueAtMin(const Expr &expr) const;
  std::optional<int64_t> valueAtMax(const Expr &expr) const;

private:
  std::map<std::string, ShapeSymbol, std::less<>> symbols_;
};

/// Whether a condition holds: for all symbol values in their ranges, for none, or as known only at
/// run time.
enum class Truth { Always, Never, Unknown };
Truth truthOf(const Expr &condition, const ShapeSymbols &symbols);

} // namespace inlay
