#include "symbolic/FloatExpr.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace inlay {
namespace {

using testing::HasSubstr;

FloatExpr parsed(std::string_view text) {
  auto result = parseFloatExpr(text);
  EXPECT_TRUE(result.isOk()) << text << ": " << result.status().toString();
  return result.isOk() ? result->expr : FloatExpr(std::nan(""));
}

TEST(FloatExpr, FoldsConstantsAsPythonDoes) {
  const std::pair<const char *, double> cases[] = {
      {"1.0 / 4", 0.25},
      {"1 / 4", 0.25},
      {"2 ** -1", 0.5},
      {"-2 ** 2", -4},
      {"2 ** 3 ** 2", 512},
      {"1 - 2 - 3.5", -4.5},
      {"8 / 2 / 2", 2},
      {"sqrt(16) + rsqrt(4)", 4.5},
      {"exp(0) + log(1) + exp2(3) + log2(8)", 12},
      {"abs(-2.5) + floor(2.5) + ceil(2.5)", 7.5},
      {"min(3, 1.5, 2) * max(1, 4)", 6},
      {"select(2 > 1, 0.5, 7)", 0.5},
      {"0.5 if 1 == 2 else (0.25 if 1 else 3)", 0.25},
      {"int(7 // 2) + ceildiv(7, 2) + mod(7, 4)", 10},
      {"1e-3 * 1000", 1},
      {".5 + 2.", 2.5},
  };
  for (const auto &[text, value] : cases)
    EXPECT_EQ(parsed(text).constantValue(), value) << text;
}

TEST(FloatExpr, TellsTextsOfFloatsFromThoseOfIntegers) {
  for (const char *text : {"1.0", "n / 2", "1e3", "sqrt(n)", "2 * (n + 0.5)"})
    EXPECT_TRUE(parseFloatExpr(text)->isOfFloats) << text;
  for (const char *text : {"1", "n + 2", "min(n, 3)", "X.shape[0] * 2", "ceildiv(n, 2)"})
    EXPECT_FALSE(parseFloatExpr(text)->isOfFloats) << text;
}

TEST(FloatExpr, TextsAreReadBack) {
  for (const char *text :
       {"1.0 / X.shape[-1]", "scale / sqrt(s0 * 2.0)", "-(a - 1e-06) ** 2.5",
        "select(s0 > 4, 1.0 / s0, int(s0 // 2) * 0.5)", "min(a, b, 0.1) + max(log2(a), exp(-b))",
        "a if b == 2 and not c else floor(c / 3)", "(-0.5) * s0"}) {
    const FloatExpr expr = parsed(text);
    EXPECT_FALSE(expr.constantValue()) << text;
    EXPECT_EQ(parsed(expr.toString()).toString(), expr.toString()) << text;
  }
  for (const char *text : {"1.0 / 0", "-1.0 / 0", "0.0 / 0", "-0.0", "1e300 * 1e300"})
    EXPECT_EQ(parsed(parsed(text).toString()).toString(), parsed(text).toString()) << text;
  EXPECT_EQ(parsed("1.0 / (s0 + 2*s1)").toString(), "(1.0 / (s0 + (2.0 * s1)))");
  EXPECT_EQ(parsed("1.0 / int(s0 + 2*s1)").toString(), "(1.0 / int(s0 + 2*s1))");
}

TEST(FloatExpr, MapsNamesToValues) {
  const auto map = [](const Expr &integer) -> Result<FloatExpr> {
    if (integer == Expr::symbol("eps"))
      return FloatExpr(0.5);
    if (integer == Expr::symbol("n"))
      return FloatExpr(Expr::symbol("s0") * Expr(2));
    return Status(StatusCode::NotFound, "no " + integer.toString());
  };
  auto mapped = mapIntegers(parsed("eps * 2 / n"), map);
  ASSERT_TRUE(mapped.isOk());
  EXPECT_EQ(mapped->toString(), "(1.0 / int(2*s0))");
  EXPECT_FALSE(mapIntegers(parsed("eps * m"), map).isOk());
  // The branch that is not taken needs no value.
  auto taken = mapIntegers(parsed("select(1, eps, m)"), map);
  ASSERT_TRUE(taken.isOk());
  EXPECT_EQ(taken->constantValue(), 0.5);
}

TEST(FloatExpr, EvaluatesStepByStep) {
  const FloatInstruction program[] = {{FloatKind::Constant, 0, 0, 0, 1.0},
                                      {FloatKind::Integer, 1},
                                      {FloatKind::Divide, 0, 1},
                                      {FloatKind::Select, 1, 2, 0}};
  const int64_t integers[] = {7, 4}, zero[] = {7, 0};
  double values[4];
  for (size_t i = 0; i < 4; ++i)
    values[i] = evaluateFloat(program[i], integers, values);
  EXPECT_EQ(values[3], 0.25);
  for (size_t i = 0; i < 4; ++i)
    values[i] = evaluateFloat(program[i], zero, values);
  EXPECT_EQ(values[2], std::numeric_limits<double>::infinity());
  EXPECT_EQ(values[3], 1.0);
}

TEST(FloatExpr, MistakesAreNamed) {
  const std::pair<std::string, const char *> cases[] = {
      {"", "found the end, expected a number, a name or '('"},
      {"1.0 +", "found the end"},
      {"1.0 // n", "write int(a // b)"},
      {"n % 2.0", "write int(a // b)"},
      {"(1.0", "')' is missing"},
      {"sqrt(1, 2)", "sqrt has 2 operands, expected 1"},
      {"sinh(n)", "'sinh' is no function of floats"},
      {"1.0 if n", "'if' without 'else'"},
      {"int(1.5)", "in the integer expression '1.5'"},
      {"1.0 2.0", "expected the end of the expression"},
      {"1e999", "is no number"},
      {"1.5x", "is no number"},
      {"a[", "in the integer expression"},
      {std::string(1000, '('), "nested more than 200 deep"},
      {std::string(1000, '-') + "1", "nested more than 200 deep"},
      {std::string(70000, ' '), "is too long"},
  };
  for (const auto &[text, expected] : cases) {
    auto result = parseFloatExpr(text);
    ASSERT_FALSE(result.isOk()) << text.substr(0, 40);
    EXPECT_THAT(result.status().message(), HasSubstr(expected)) << text.substr(0, 40);
  }
}

} // namespace
} // namespace inlay
