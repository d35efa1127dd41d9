#include "base/Log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace inlay {
namespace {

using testing::HasSubstr;

LogLevel levelOf(std::string_view text, LogArea area) {
  Result<LogLevels> levels = parseLogLevels(text);
  EXPECT_TRUE(levels.isOk()) << levels.status().toString();
  return (*levels)[static_cast<size_t>(area)];
}

TEST(Log, LevelsAreReadForAllAreasAndForOne) {
  EXPECT_EQ(levelOf("", LogArea::Cuda), LogLevel::Warn);
  EXPECT_EQ(levelOf("info", LogArea::Cuda), LogLevel::Info);
  EXPECT_EQ(levelOf("cuda=debug,plan=trace", LogArea::Cuda), LogLevel::Debug);
  EXPECT_EQ(levelOf("cuda=debug,plan=trace", LogArea::Plan), LogLevel::Trace);
  EXPECT_EQ(levelOf("cuda=debug,plan=trace", LogArea::Cpu), LogLevel::Warn);
  // An area's own level wins wherever it stands.
  EXPECT_EQ(levelOf("cuda=debug, error", LogArea::Cuda), LogLevel::Debug);
  EXPECT_EQ(levelOf("cuda=debug, error", LogArea::Cpu), LogLevel::Error);
}

TEST(Log, UnknownNamesAreRefusedWithWhatIsPossible) {
  EXPECT_THAT(parseLogLevels("loud").status().message(),
              HasSubstr("'loud' is no level; expected one of error, warn, info, debug, trace"));
  EXPECT_THAT(parseLogLevels("gpu=info").status().message(),
              HasSubstr("'gpu' is no area; expected one of engine,"));
}

TEST(Log, ArgumentsAreEvaluatedOnlyIfLogged) {
  int evaluated = 0;
  testing::internal::CaptureStderr();
  INLAY_LOG(Cuda, Trace, "{}", ++evaluated);
  INLAY_LOG(Cuda, Error, "number {}", ++evaluated);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "inlay: error: cuda: number 1\n");
  EXPECT_EQ(evaluated, 1);
}

} // namespace
} // namespace inlay
