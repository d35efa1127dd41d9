#include "tools/inlay/Progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

namespace inlay::tools {

Progress::Progress(bool isWanted) : isShown_(isWanted && isatty(STDERR_FILENO)) {}

Progress::~Progress() { clear(); }

void Progress::show(const BuildProgress &progress) {
  if (!isShown_)
    return;
  std::string line = fmt::format("{} {}", progress.phase, progress.item);
  if (progress.total > 1)
    line = fmt::format("[{}/{}] {}", progress.done, progress.total, line);
  // Carriage return, then "erase to the end of the line": the new text replaces the old.
  fmt::print(stderr, "\r\x1b[K{}", line.substr(0, 78));
  std::fflush(stderr);
  hasLine_ = true;
}

void Progress::clear() {
  if (!hasLine_)
    return;
  fmt::print(stderr, "\r\x1b[K");
  std::fflush(stderr);
  hasLine_ = false;
}

} // namespace inlay::tools
