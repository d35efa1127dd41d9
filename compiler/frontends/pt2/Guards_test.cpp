#include "compiler/frontends/pt2/Guards.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace inlay::pt2 {
namespace {

using testing::HasSubstr;

/// x: [s0, 4], z['k'][0]: [2*s1], s1.
std::optional<Expr> sizeOf(std::string_view input, int64_t dimension) {
  const Expr s0 = Expr::symbol("s0"), s1 = Expr::symbol("s1");
  if (input == "x" && dimension == 0)
    return s0;
  if (input == "x" && (dimension == 1 || dimension == -1))
    return Expr(4);
  if (input == "z['k'][0]" && dimension == 0)
    return Expr(2) * s1;
  return std::nullopt;
}

TEST(Guards, SizesAreReplacedByTheirExpressions) {
  const std::tuple<const char *, const char *, const char *> guards[] = {
      {"L['x'].size()[0] <= 1024", "s0 <= 1024", "x.size(0) <= 1024"},
      {"L[\"x\"].shape[-1] == 4", "1", "x.size(-1) == 4"},
      {"L['x'].size()[0] % 8 == 0", "s0 % 8 == 0", "x.size(0) % 8 == 0"},
      {"L['x'].size()[0] != L['z']['k'][0].size()[0]", "s0 != 2*s1",
       "x.size(0) != z['k'][0].size(0)"},
      {"((L['x'].size()[0]) // 2) >= 3 and not L['x'].size()[0] == 9", "3 <= s0//2 and not s0 == 9",
       "((x.size(0)) // 2) >= 3 and not x.size(0) == 9"}};
  for (const auto &[text, condition, shown] : guards) {
    Result<Guard> guard = parseGuard(text, sizeOf);
    ASSERT_TRUE(guard.isOk()) << guard.status().toString();
    EXPECT_EQ(guard->condition.toString(), parseExpr(condition)->toString()) << text;
    EXPECT_EQ(guard->text, shown);
  }
}

TEST(Guards, WhatIsNoConditionOnSizesIsRefused) {
  const std::pair<const char *, const char *> guards[] = {
      {"L['x'].stride()[0] == 1", "speaks of more than sizes of inputs"},
      {"L['n'] == 3", "speaks of more than sizes of inputs"},
      {"L['x'].size()[s0] == 1", "speaks of more than sizes of inputs"},
      {"L['x'", "speaks of more than sizes of inputs"},
      {"L['x'].size()[0", "speaks of more than sizes of inputs"},
      {"s0 == 1", "speaks of 's0', which is no size"},
      {"math.sqrt(L['x'].size()[0]) == 2", "cannot be read"},
      {"L['x'].size()[0] ==", "cannot be read"},
      {"", "cannot be read"},
      {"L['y'].size()[0] == 1", "size 0 of 'y', which no input has"},
      {"L['x'].size()[2] == 1", "size 2 of 'x', which no input has"}};
  for (const auto &[text, message] : guards) {
    const Result<Guard> guard = parseGuard(text, sizeOf);
    ASSERT_FALSE(guard.isOk()) << text;
    EXPECT_THAT(guard.status().message(), HasSubstr(message));
  }
}

} // namespace
} // namespace inlay::pt2
