#include "symbolic/Expr.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace inlay {
namespace {

using testing::HasSubstr;

Expr parsed(std::string_view text) {
  Result<Expr> expr = parseExpr(text);
  EXPECT_TRUE(expr.isOk()) << expr.status().toString();
  return expr.isOk() ? expr.value() : Expr::symbol("failed");
}

std::string canonical(std::string_view text) { return parsed(text).toString(); }

struct CanonicalCase {
  const char *text;
  const char *expected;
};

class Canonical : public testing::TestWithParam<CanonicalCase> {};

TEST_P(Canonical, IsPrintedAsExpected) {
  EXPECT_EQ(canonical(GetParam().text), GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(
    Expr, Canonical,
    testing::Values(
        CanonicalCase{"1 + 2*3", "7"}, CanonicalCase{"b + a", "a + b"}, CanonicalCase{"a - a", "0"},
        CanonicalCase{"3 + a + 2*b - 1 + a", "2*a + 2*b + 2"},
        CanonicalCase{"a*(b + 1) - a", "a*b"}, CanonicalCase{"(a + 1)*(a + 1)", "2*a + a*a + 1"},
        CanonicalCase{"(4*a)//4", "a"}, CanonicalCase{"(4*a + 3)//4", "a"},
        CanonicalCase{"ceildiv(4*a + 3, 4)", "a + 1"}, CanonicalCase{"(a + 3)//4", "(a + 3)//4"},
        CanonicalCase{"ceildiv(X.numel, 256)", "ceildiv(X.numel, 256)"},
        CanonicalCase{"(8*a + b) % 4", "b % 4"}, CanonicalCase{"-7 // 2", "-4"},
        CanonicalCase{"-7 % 3", "2"}, CanonicalCase{"max(b, a)", "max(a, b)"},
        CanonicalCase{"min(a, a)", "a"}, CanonicalCase{"not a < b", "b <= a"},
        CanonicalCase{"a > b", "b < a"}, CanonicalCase{"1 if 1 else a", "1"},
        CanonicalCase{"select(a < 3, a, 3)", "select(a < 3, a, 3)"},
        CanonicalCase{"1 and a < b", "a < b"}, CanonicalCase{"0 and a", "0"},
        CanonicalCase{"a - 3*b", "a - 3*b"}, CanonicalCase{"b**2", "b*b"},
        CanonicalCase{"X.shape[-1]*X.shape[0]", "X.shape[-1]*X.shape[0]"},
        CanonicalCase{"a*(b//c)", "a*(b//c)"},
        CanonicalCase{"-9223372036854775808", "-9223372036854775808"}));

struct ErrorCase {
  const char *text;
  const char *message;
};

class ParseError : public testing::TestWithParam<ErrorCase> {};

TEST_P(ParseError, NamesTheColumn) {
  Result<Expr> expr = parseExpr(GetParam().text);
  ASSERT_FALSE(expr.isOk());
  EXPECT_EQ(expr.status().code(), StatusCode::InvalidArgument);
  EXPECT_THAT(expr.status().message(), HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Expr, ParseError,
    testing::Values(ErrorCase{"a +", "column 4: found the end, expected an integer, a name or '('"},
                    ErrorCase{"a / 2", "column 3: '/' is no integer division; write //"},
                    ErrorCase{"foo(a)", "column 1: 'foo' with 1 arguments is no function"},
                    ErrorCase{"(a", "column 3: found the end, expected ')'"},
                    ErrorCase{"a b", "column 3: found 'b', expected the end of the expression"},
                    ErrorCase{"99999999999999999999", "does not fit in 64 bits"},
                    ErrorCase{"a ** b", "exponent must be a constant"},
                    ErrorCase{"a $ b", "is not part of an expression"}));

TEST(Expr, RefusesDeepNestingWithoutOverflowingTheStack) {
  for (const char *open : {"(", "-", "not ", "min("}) {
    std::string text;
    for (int i = 0; i < 10000; ++i)
      text += open;
    Result<Expr> expr = parseExpr(text);
    ASSERT_FALSE(expr.isOk());
    EXPECT_THAT(expr.status().message(), HasSubstr("nested more than"));
  }
}

/// Each of these would repeat its operand with every step, or nest as deep as it is long.
TEST(Expr, HostileTextStaysSmall) {
  std::string doubling = "a", power = "(a//b)", chain = "a";
  for (int i = 0; i < 300; ++i)
    doubling += "*(b + c)//2";
  for (int i = 0; i < 20; ++i)
    power = "(" + power + ")**16";
  for (int i = 0; i < 20000; ++i)
    chain += "//b";
  Result<Expr> doubled = parseExpr(doubling);
  ASSERT_TRUE(doubled.isOk()) << doubled.status().toString();
  EXPECT_LT(doubled->toString().size(), 16384u);
  EXPECT_THAT(parseExpr(power).status().message(), HasSubstr("power of so long an expression"));
  EXPECT_THAT(parseExpr(chain).status().message(), HasSubstr("more than 4000 words"));
}

TEST(Expr, ReadsWhatTorchExportWrites) {
  auto read = [](std::string_view text) {
    Result<Expr> expr = parseSympyExpr(text);
    return expr.isOk() ? expr.value().toString() : expr.status().toString();
  };
  EXPECT_EQ(read("Symbol('s77', positive=True, integer=True)"), "s77");
  EXPECT_EQ(read("Mul(Integer(27), Symbol('s53', positive=True, integer=True))"), "27*s53");
  EXPECT_EQ(read("Add(Mul(Integer(36), Symbol('s53')), Integer(252))"), "36*s53 + 252");
  EXPECT_EQ(read("FloorDiv(Add(Symbol('s0'), Integer(1)), Integer(2))"), "(s0 + 1)//2");
  EXPECT_EQ(read("2*s0 + 1"), "2*s0 + 1");
  EXPECT_EQ(read("(s0//2)"), "s0//2");
  EXPECT_EQ(read("Pow(Symbol('s0'), Integer(2))"), "s0*s0");
  EXPECT_EQ(read("Max(Integer(1), Symbol('u0'))"), "max(1, u0)");
  EXPECT_THAT(read("FloatTrueDiv(Symbol('s0'), Integer(2))"),
              HasSubstr("'FloatTrueDiv' with 2 arguments is no function"));
}

TEST(Expr, EvaluationReportsOverflowDivisionAndMissingSymbols) {
  auto lookup = [](std::string_view name) -> std::optional<int64_t> {
    if (name == "big")
      return INT64_MAX;
    if (name == "zero")
      return 0;
    return std::nullopt;
  };
  EXPECT_EQ(evaluate(parsed("big + 1"), lookup).status().code(), StatusCode::OutOfRange);
  EXPECT_EQ(evaluate(parsed("big*big"), lookup).status().code(), StatusCode::OutOfRange);
  EXPECT_EQ(evaluate(parsed("big // zero"), lookup).status().code(), StatusCode::InvalidArgument);
  EXPECT_THAT(evaluate(parsed("n + 1"), lookup).status().message(),
              HasSubstr("symbol 'n' has no value"));
}

TEST(Expr, BoundsAndDivisors) {
  auto ranges = [](std::string_view name) { return name == "s0" ? Interval{1, 64} : Interval{}; };
  auto bounds = [&](std::string_view text) {
    Interval interval = boundsOf(parsed(text), ranges);
    return std::pair(interval.min, interval.max);
  };
  using Pair = std::pair<std::optional<int64_t>, std::optional<int64_t>>;
  EXPECT_EQ(bounds("2*s0 + 3"), Pair(5, 131));
  EXPECT_EQ(bounds("ceildiv(s0, 16)"), Pair(1, 4));
  EXPECT_EQ(bounds("3 - s0"), Pair(-61, 2));
  EXPECT_EQ(bounds("s0 % 16"), Pair(0, 15));
  EXPECT_EQ(bounds("s0 <= 64"), Pair(1, 1));
  EXPECT_EQ(bounds("s0 + u"), Pair(std::nullopt, std::nullopt));
  auto divisors = [](std::string_view name) { return name == "n" ? 16 : 1; };
  EXPECT_EQ(knownDivisor(parsed("n*s0"), divisors), 16);
  EXPECT_EQ(knownDivisor(parsed("4*s0 + 6"), divisors), 2);
  EXPECT_EQ(knownDivisor(parsed("n//4"), divisors), 4);
  EXPECT_EQ(knownDivisor(parsed("64*64"), divisors), 4096);
}

TEST(Expr, SubstitutionAndSymbols) {
  Expr expr = parsed("ceildiv(X.shape[0]*X.shape[1], B)");
  EXPECT_THAT(symbolsOf(expr), testing::ElementsAre("B", "X.shape[0]", "X.shape[1]"));
  EXPECT_EQ(
      substitute(expr,
                 {{"X.shape[0]", Expr(64)}, {"X.shape[1]", Expr::symbol("s0")}, {"B", Expr(16)}})
          .toString(),
      "4*s0");
}

/// Random expressions over a, b and c, of bounded depth.
class RandomExpr {
public:
  explicit RandomExpr(uint32_t seed) : random_(seed) {}
  /// Builds the expression and, beside it, the text it was built from.
  std::string text(int depth) {
    if (depth == 0 || pick(5) == 0)
      return pick(2) ? std::string(1, static_cast<char>('a' + pick(3)))
                     : std::to_string(static_cast<int>(pick(21)) - 10);
    std::string left = text(depth - 1), right = text(depth - 1);
    static const char *const kInfix[] = {"+",  "-",  "*",  "//",  "%", "<",
                                         "<=", "==", "!=", "and", "or"};
    switch (pick(14)) {
    case 11:
      return "min(" + left + ", " + right + ")";
    case 12:
      return "ceildiv(" + left + ", " + right + ")";
    case 13:
      return "select(" + left + ", " + right + ", " + text(depth - 1) + ")";
    default:
      return "((" + left + ") " + kInfix[pick(11)] + " (" + right + "))";
    }
  }
  int64_t value() { return static_cast<int64_t>(pick(41)) - 20; }

private:
  uint32_t pick(uint32_t count) { return static_cast<uint32_t>(random_() % count); }
  std::mt19937 random_;
};

TEST(Expr, SimplificationPrintingAndProgramsKeepValues) {
  const uint32_t seed = 20261123;
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  RandomExpr random(seed);
  for (int round = 0; round < 500; ++round) {
    const std::string text = random.text(4);
    SCOPED_TRACE(text);
    const Expr expr = parsed(text);
    const Expr again = parsed(expr.toString());
    EXPECT_EQ(again.toString(), expr.toString());
    ExprProgramBuilder builder({"a", "b", "c"});
    Result<uint32_t> index = builder.add(expr);
    ASSERT_TRUE(index.isOk());
    std::vector<int64_t> values(builder.instructions().size());
    for (int trial = 0; trial < 4; ++trial) {
      const int64_t symbols[3] = {random.value(), random.value(), random.value()};
      auto lookup = [&](std::string_view name) { return std::optional(symbols[name[0] - 'a']); };
      Result<int64_t> direct = evaluate(expr, lookup);
      Status program = evaluateProgram(builder.instructions(), symbols, values);
      // Both evaluate every operand, so both fail or neither does.
      ASSERT_EQ(direct.isOk(), program.isOk());
      if (!direct.isOk())
        continue;
      EXPECT_EQ(values[*index], *direct);
      const Interval bounds = boundsOf(expr, [&](std::string_view) { return Interval{-20, 20}; });
      if (bounds.min) {
        EXPECT_LE(*bounds.min, *direct);
      }
      if (bounds.max) {
        EXPECT_GE(*bounds.max, *direct);
      }
      EXPECT_EQ(*direct % knownDivisor(expr, [](std::string_view) { return 1; }), 0);
      // Substituting constants folds to the same value, whatever order the folding takes.
      const Expr folded = substitute(
          expr, {{"a", Expr(symbols[0])}, {"b", Expr(symbols[1])}, {"c", Expr(symbols[2])}});
      EXPECT_EQ(folded.constantValue(), *direct);
    }
  }
}

} // namespace
} // namespace inlay
