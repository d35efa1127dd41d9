#include "compiler/driver/Coverage.h"

namespace inlay {

/// CoveragePage.html, made a text by CMake.
extern const char kCoveragePage[];

std::string coverageHtml(const CoverageReport &report) {
  std::string page = kCoveragePage, data = coverageJson(report);
  // Names of a model may hold anything, also what would end the script; JSON may write it so.
  for (size_t at = 0; (at = data.find('<', at)) != std::string::npos;)
    data.replace(at, 1, "\\u003c");
  constexpr std::string_view kPlace = "\"REPORT\"";
  return page.replace(page.find(kPlace), kPlace.size(), data);
}

} // namespace inlay
