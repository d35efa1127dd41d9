#include "base/Log.h"

#include "base/Env.h"
#include "base/Error.h"

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <mutex>

namespace inlay {
namespace {

constexpr std::string_view kLevelNames[] = {"error", "warn", "info", "debug", "trace"};
constexpr std::string_view kAreaNames[] = {
#define INLAY_LOG_AREA(name, text) text,
#include "base/LogArea.def"
#undef INLAY_LOG_AREA
};

template <size_t N>
std::optional<size_t> findName(const std::string_view (&names)[N], std::string_view name) {
  const auto *found = std::find(std::begin(names), std::end(names), name);
  if (found == std::end(names))
    return std::nullopt;
  return static_cast<size_t>(found - std::begin(names));
}

std::string_view trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(' ');
  if (first == std::string_view::npos)
    return {};
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

} // namespace

Result<LogLevels> parseLogLevels(std::string_view text) {
  LogLevels levels;
  levels.fill(LogLevel::Warn);
  LogLevels named = levels;
  std::array<bool, kNumLogAreas> isNamed{};
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    const std::string_view part = trimmed(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
    if (part.empty())
      continue;
    const size_t equals = part.find('=');
    const std::string_view levelName =
        trimmed(equals == std::string_view::npos ? part : part.substr(equals + 1));
    std::optional<size_t> level = findName(kLevelNames, levelName);
    if (!level)
      return invalidArgument("INLAY_LOG: '{}' is no level; expected one of {}", levelName,
                             fmt::join(kLevelNames, ", "));
    if (equals == std::string_view::npos) {
      levels.fill(static_cast<LogLevel>(*level));
      continue;
    }
    const std::string_view areaName = trimmed(part.substr(0, equals));
    std::optional<size_t> area = findName(kAreaNames, areaName);
    if (!area)
      return invalidArgument("INLAY_LOG: '{}' is no area; expected one of {}", areaName,
                             fmt::join(kAreaNames, ", "));
    named[*area] = static_cast<LogLevel>(*level);
    isNamed[*area] = true;
  }
  for (size_t i = 0; i < kNumLogAreas; ++i)
    if (isNamed[i])
      levels[i] = named[i];
  return levels;
}

namespace detail {

#define INLAY_LOG_AREA(name, text) 255,
constinit std::array<std::atomic<uint8_t>, kNumLogAreas> logThresholds = {
#include "base/LogArea.def"
};
#undef INLAY_LOG_AREA

bool isLoggedSlow(LogArea area, LogLevel level) {
  static std::once_flag once;
  std::call_once(once, [] {
    Result<LogLevels> levels =
        parseLogLevels(findEnvironment(EnvironmentVariable::Log).value_or(""));
    if (!levels.isOk())
      fmt::print(stderr, "inlay: warn: {}\n", levels.status().message());
    for (size_t i = 0; i < kNumLogAreas; ++i)
      logThresholds[i].store(static_cast<uint8_t>(levels.isOk() ? (*levels)[i] : LogLevel::Warn),
                             std::memory_order_relaxed);
  });
  return static_cast<uint8_t>(level) <=
         logThresholds[static_cast<size_t>(area)].load(std::memory_order_relaxed);
}

void writeLog(LogArea area, LogLevel level, fmt::string_view format, fmt::format_args args) {
  // One call per line, so that the lines of several threads do not mix.
  const std::string line =
      fmt::format("inlay: {}: {}: {}\n", kLevelNames[static_cast<size_t>(level)],
                  kAreaNames[static_cast<size_t>(area)], fmt::vformat(format, args));
  std::fwrite(line.data(), 1, line.size(), stderr);
}

} // namespace detail
} // namespace inlay
