#include "tests/conformance/KnownGaps.h"

#include "base/Error.h"

#include <fnmatch.h>

#include <sstream>

namespace inlay::conformance {
namespace {

bool covers(const KnownGap &gap, const std::string &device, const std::string &row) {
  // "cuda:0" and "compile:cuda:sm_90a" are both of the kind cuda.
  size_t start = device.starts_with("compile:") ? 8 : 0;
  std::string kind = device.substr(start, device.find(':', start) - start);
  return (gap.device == "any" || gap.device == kind) &&
         ::fnmatch(gap.pattern.c_str(), row.c_str(), 0) == 0;
}

} // namespace

Result<std::vector<KnownGap>> parseKnownGaps(std::string_view text) {
  std::vector<KnownGap> gaps;
  std::istringstream stream{std::string(text)};
  int number = 0;
  for (std::string line; std::getline(stream, line);) {
    ++number;
    if (line.empty() || line[0] == '#')
      continue;
    std::istringstream words(line);
    KnownGap gap;
    gap.line = number;
    words >> gap.device >> gap.pattern >> std::ws;
    std::getline(words, gap.reason);
    bool isDevice = gap.device == "cpu" || gap.device == "cuda" || gap.device == "any";
    if (!isDevice || gap.reason.empty())
      return invalidArgument("known gaps, line {}: expected 'cpu|cuda|any PATTERN REASON', found "
                             "'{}'",
                             number, line);
    gaps.push_back(std::move(gap));
  }
  return gaps;
}

const KnownGap *findGap(const std::vector<KnownGap> &gaps, const std::string &device,
                        const std::string &row) {
  for (const KnownGap &gap : gaps)
    if (covers(gap, device, row))
      return &gap;
  return nullptr;
}

std::vector<const KnownGap *> unneededGaps(const std::vector<KnownGap> &gaps,
                                           const std::string &device,
                                           const std::vector<const Row *> &rows,
                                           const std::vector<RowResult> &results) {
  std::vector<const KnownGap *> unneeded;
  if (device.starts_with("compile:")) // what fails later passes there
    return unneeded;
  for (const KnownGap &gap : gaps) {
    size_t numCovered = 0, numPassed = 0;
    for (size_t i = 0; i < rows.size(); ++i)
      if (covers(gap, device, rows[i]->fullName())) {
        ++numCovered;
        numPassed += results[i].outcome == Outcome::Passed;
      }
    if (numCovered > 0 && numCovered == numPassed)
      unneeded.push_back(&gap);
  }
  return unneeded;
}

} // namespace inlay::conformance
