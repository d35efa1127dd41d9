// Random kernels for differential testing: well typed, and with one right result whatever the order
// of sums and whether products are fused into sums.
#pragma once

#include "tests/conformance/Row.h"

namespace inlay::conformance {

/// The kernel of a seed, as a row of the group `fuzz` that compares exactly.
Row makeFuzzRow(uint64_t seed);

} // namespace inlay::conformance
