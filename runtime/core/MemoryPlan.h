// Places buffers in one arena so that those alive at the same time do not overlap.
#pragma once

#include "base/Status.h"

#include <cstdint>
#include <span>

namespace inlay {

/// A buffer to place, live from `firstStep` to `lastStep`, inclusive. A size of 0 takes no room.
struct PlannedBuffer {
  uint64_t sizeBytes = 0;
  uint32_t firstStep = 0;
  uint32_t lastStep = 0;
  uint64_t alignmentBytes = 256; // a power of two
};

/// Chooses an offset for each buffer, by size, largest first, each in the smallest gap that holds
/// it (greedy best fit), and returns the arena's size. `offsets` is as long as `buffers`.
/// Deterministic. Errors: OutOfRange if the arena would be larger than 2^62 bytes.
Result<uint64_t> planMemory(std::span<const PlannedBuffer> buffers, std::span<uint64_t> offsets);

} // namespace inlay
