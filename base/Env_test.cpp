#include "base/Env.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <set>

namespace inlay {
namespace {

TEST(Env, EachVariableHasOneRowInOrder) {
  std::set<std::string_view> names;
  size_t index = 0;
  for (const EnvironmentVariableRow &row : environmentVariables()) {
    EXPECT_EQ(static_cast<size_t>(row.variable), index++);
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_FALSE(row.description.empty()) << row.name;
  }
}

TEST(Env, EmptyCountsAsUnset) {
  ::setenv("INLAY_PTXAS", "", 1);
  EXPECT_EQ(findEnvironment(EnvironmentVariable::Ptxas), std::nullopt);
  ::setenv("INLAY_PTXAS", "trace.json", 1);
  EXPECT_EQ(findEnvironment(EnvironmentVariable::Ptxas), "trace.json");
  ::unsetenv("INLAY_PTXAS");
  EXPECT_EQ(findEnvironment(EnvironmentVariable::Ptxas), std::nullopt);
}

TEST(Env, SwitchesAreReadAsPeopleWriteThem) {
  for (const char *off : {"", "0", "off", "no", "false"}) {
    ::setenv("INLAY_LAUNCH_BLOCKING", off, 1);
    EXPECT_FALSE(isEnvironmentOn(EnvironmentVariable::LaunchBlocking)) << off;
  }
  ::setenv("INLAY_LAUNCH_BLOCKING", "1", 1);
  EXPECT_TRUE(isEnvironmentOn(EnvironmentVariable::LaunchBlocking));
  ::unsetenv("INLAY_LAUNCH_BLOCKING");
}

} // namespace
} // namespace inlay
