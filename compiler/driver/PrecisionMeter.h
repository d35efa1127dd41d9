// Who runs engines to compare them, for builds: the tools do, on devices that are present.
#pragma once

#include "base/Status.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace inlay {

/// How far an output of an engine is from that of another, which is the reference.
struct OutputError {
  std::string name;
  double maxAbsoluteError = 0;
  double maxRelativeError = 0; // |found - expected| / |expected|, where that is not 0
  double maxAbsoluteValue = 0; // of the reference
  uint64_t numNotFinite = 0;   // elements that are finite in one of the two only
};

/// Runs engines on given inputs. Used by one thread.
class PrecisionMeter {
public:
  virtual ~PrecisionMeter() = default;
  /// The errors of `engine` against `reference`, by output. Errors: those of loading and running
  /// them; inputs that do not fit.
  virtual Result<std::vector<OutputError>> compare(std::span<const std::byte> reference,
                                                   std::span<const std::byte> engine) = 0;
};

} // namespace inlay
