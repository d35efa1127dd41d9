// The log: lines on stderr, by area and level, chosen with INLAY_LOG.
#pragma once

#include "base/Status.h"

#include <fmt/format.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>

namespace inlay {

enum class LogLevel : uint8_t { Error, Warn, Info, Debug, Trace };

enum class LogArea : uint8_t {
#define INLAY_LOG_AREA(name, text) name,
#include "base/LogArea.def"
#undef INLAY_LOG_AREA
};

inline constexpr size_t kNumLogAreas = 0
#define INLAY_LOG_AREA(name, text) +1
#include "base/LogArea.def"
#undef INLAY_LOG_AREA
    ;

/// The highest level that is logged, per area.
using LogLevels = std::array<LogLevel, kNumLogAreas>;

/// Reads the text of INLAY_LOG: a level for all areas, or comma-separated AREA=LEVEL, or both; what
/// is not named logs errors and warnings. Errors: InvalidArgument naming the part and what is
/// possible.
Result<LogLevels> parseLogLevels(std::string_view text);

namespace detail {
/// Per area, the highest level that may be logged; until INLAY_LOG was read, every level may.
extern constinit std::array<std::atomic<uint8_t>, kNumLogAreas> logThresholds;
/// Reads INLAY_LOG on the first call; a text that cannot be read is reported once and ignored.
bool isLoggedSlow(LogArea area, LogLevel level);
void writeLog(LogArea area, LogLevel level, fmt::string_view format, fmt::format_args args);
} // namespace detail

/// Whether a line of this area and level is written. Costs one load and one branch where it is not.
inline bool isLogged(LogArea area, LogLevel level) {
  const uint8_t threshold =
      detail::logThresholds[static_cast<size_t>(area)].load(std::memory_order_relaxed);
  return static_cast<uint8_t>(level) <= threshold && detail::isLoggedSlow(area, level);
}

/// Writes one line, whatever the level; use INLAY_LOG, which looks first.
template <typename... Args>
void logLine(LogArea area, LogLevel level, fmt::format_string<Args...> format, Args &&...args) {
  detail::writeLog(area, level, format, fmt::make_format_args(args...));
}

} // namespace inlay

/// INLAY_LOG(Cuda, Debug, "loaded {} modules", count): the arguments are evaluated only if logged.
#define INLAY_LOG(area, level, ...)                                                                \
  do {                                                                                             \
    if (::inlay::isLogged(::inlay::LogArea::area, ::inlay::LogLevel::level)) [[unlikely]]          \
      ::inlay::logLine(::inlay::LogArea::area, ::inlay::LogLevel::level, __VA_ARGS__);             \
  } while (false)
