// The rows that are known to fail on a device, each with a reason.
#pragma once

#include "base/Status.h"
#include "tests/conformance/Row.h"
#include "tests/conformance/RowResult.h"

#include <string>
#include <string_view>
#include <vector>

namespace inlay::conformance {

/// One line of known_gaps.txt: "DEVICE PATTERN REASON". DEVICE is cpu, cuda or any.
struct KnownGap {
  std::string device, pattern, reason;
  int line = 0;
};

/// Reads the file's text; lines that start with # are comments. Errors: InvalidArgument naming the
/// line.
Result<std::vector<KnownGap>> parseKnownGaps(std::string_view text);

/// The gap that covers a row on a device ("cpu", "cuda:0"), or null.
const KnownGap *findGap(const std::vector<KnownGap> &gaps, const std::string &device,
                        const std::string &row);

/// The gaps of the device of whose rows at least one ran and all passed: lines to be removed.
std::vector<const KnownGap *> unneededGaps(const std::vector<KnownGap> &gaps,
                                           const std::string &device,
                                           const std::vector<const Row *> &rows,
                                           const std::vector<RowResult> &results);

} // namespace inlay::conformance
