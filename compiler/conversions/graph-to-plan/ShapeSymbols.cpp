#include "compiler/conversions/graph-to-plan/ShapeSymbols.h"

namespace inlay {

const ShapeSymbol *ShapeSymbols::find(std::string_view name) const {
  auto it = symbols_.find(name);
  return it == symbols_.end() ? nullptr : &it->second;
}

namespace {

Interval rangeOf(const ShapeSymbol &symbol) {
  return {symbol.min, symbol.max == INT64_MAX ? std::nullopt : std::optional(symbol.max)};
}

} // namespace

std::map<std::string, Interval, std::less<>> ShapeSymbols::ranges() const {
  std::map<std::string, Interval, std::less<>> ranges;
  for (const auto &[name, symbol] : symbols_)
    ranges.emplace(name, rangeOf(symbol));
  return ranges;
}

Interval ShapeSymbols::bounds(const Expr &expr) const {
  return boundsOf(expr, [this](std::string_view name) -> Interval {
    const ShapeSymbol *symbol = find(name);
    return symbol ? rangeOf(*symbol) : Interval();
  });
}

int64_t ShapeSymbols::divisor(const Expr &expr) const {
  return knownDivisor(expr, [this](std::string_view name) -> int64_t {
    const ShapeSymbol *symbol = find(name);
    // A symbol with one value has the divisors of that value.
    return symbol && symbol->min == symbol->max ? knownDivisor(Expr(symbol->min), {}) : 1;
  });
}

namespace {

template <typename Pick>
std::optional<int64_t> valueWith(const Expr &expr, const ShapeSymbols &symbols, Pick pick) {
  Result<int64_t> value = evaluate(expr, [&](std::string_view name) -> std::optional<int64_t> {
    const ShapeSymbol *symbol = symbols.find(name);
    return symbol ? pick(*symbol) : std::nullopt;
  });
  return value.isOk() ? std::optional(*value) : std::nullopt;
}

} // namespace

std::optional<int64_t> ShapeSymbols::valueAtHints(const Expr &expr) const {
  return valueWith(expr, *this,
                   [](const ShapeSymbol &symbol) { return std::optional(symbol.hint); });
}

std::optional<int64_t> ShapeSymbols::valueAtMin(const Expr &expr) const {
  return valueWith(expr, *this,
                   [](const ShapeSymbol &symbol) { return std::optional(symbol.min); });
}

std::optional<int64_t> ShapeSymbols::valueAtMax(const Expr &expr) const {
  return valueWith(expr, *this, [](const ShapeSymbol &symbol) {
    return symbol.max == INT64_MAX ? std::nullopt : std::optional(symbol.max);
  });
}

Truth truthOf(const Expr &condition, const ShapeSymbols &symbols) {
  Interval bounds = symbols.bounds(condition);
  if ((bounds.min && *bounds.min > 0) || (bounds.max && *bounds.max < 0))
    return Truth::Always;
  if (bounds.min && bounds.max && *bounds.min == 0 && *bounds.max == 0)
    return Truth::Never;
  return Truth::Unknown;
}

} // namespace inlay
