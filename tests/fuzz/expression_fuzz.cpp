// Feeds text to all expression grammars; what is read must print, read back the same and keep its
// value.
#include "symbolic/FloatExpr.h"

#include <cstdio>
#include <cstdlib>

using namespace inlay;

namespace {

/// Where sums are too long to be multiplied out, the printed form may read back as another equal
/// form; short ones must not.
constexpr size_t kMaxComparedBytes = 200;

void fail(const char *what, const Expr &expr) {
  std::fprintf(stderr, "%s: %s\n", what, expr.toString().c_str());
  std::abort();
}

void use(const Expr &expr, bool canReadBack) {
  auto lookup = [](std::string_view) -> std::optional<int64_t> { return 3; };
  Result<int64_t> value = evaluate(expr, lookup);
  const Interval bounds = boundsOf(expr, [](std::string_view) { return Interval{1, 8}; });
  const int64_t divisor = knownDivisor(expr, [](std::string_view) { return 1; });
  if (value.isOk() && ((bounds.min && *value < *bounds.min) ||
                       (bounds.max && *value > *bounds.max) || *value % divisor != 0))
    fail("value outside its bounds", expr);
  ExprProgramBuilder builder(symbolsOf(expr));
  Result<uint32_t> index = builder.add(expr);
  if (!index.isOk())
    fail("no program", expr);
  const std::vector<int64_t> symbols(symbolsOf(expr).size(), 3);
  std::vector<int64_t> values(builder.instructions().size());
  Status evaluated = evaluateProgram(builder.instructions(), symbols, values);
  if (evaluated.isOk() != value.isOk() || (value.isOk() && values[*index] != *value))
    fail("the program gives another value", expr);
  if (!canReadBack)
    return;
  Result<Expr> again = parseExpr(expr.toString());
  if (!again.isOk() && expr.toString().size() <= kMaxComparedBytes)
    fail(again.status().message().c_str(), expr);
  if (again.isOk() && expr.toString().size() <= kMaxComparedBytes && !(*again == expr))
    fail("reads back as another expression", expr);
}

/// What is read as a float expression prints as what is read as the same again, as far as the
/// integer expressions in it do.
void useFloats(std::string_view text) {
  Result<ParsedFloatExpr> parsed = parseFloatExpr(text);
  if (!parsed.isOk())
    return;
  bool canReadBack = true;
  forEachInteger(parsed->expr, [&](const Expr &integer) {
    Result<Expr> again = parseExpr(integer.toString());
    canReadBack = canReadBack && again.isOk() && again->toString() == integer.toString();
  });
  const std::string printed = parsed->expr.toString();
  if (!canReadBack || printed.size() > kMaxComparedBytes)
    return;
  Result<ParsedFloatExpr> again = parseFloatExpr(printed);
  if (!again.isOk() || again->expr.toString() != printed) {
    std::fprintf(stderr, "the float expression reads back otherwise: %s\n", printed.c_str());
    std::abort();
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const std::string_view text(reinterpret_cast<const char *>(data), size);
  if (Result<Expr> expr = parseExpr(text); expr.isOk())
    use(*expr, true);
  // Symbols of the other grammar may have names that ours cannot read.
  if (Result<Expr> expr = parseSympyExpr(text); expr.isOk())
    use(*expr, false);
  useFloats(text);
  return 0;
}
