// What memory an engine needs, without a device.
#pragma once

#include "base/Status.h"
#include "engine/EngineFile.h"

#include <cstdint>
#include <span>

namespace inlay {

/// Bytes at one set of sizes.
struct MemoryEstimate {
  uint64_t weightBytes = 0;       // constants, and what state begins with
  uint64_t stateBytes = 0;        // of each context
  uint64_t intermediateBytes = 0; // of each context: the planner's arena
  uint64_t inputBytes = 0, outputBytes = 0;
  uint64_t total() const {
    return weightBytes + stateBytes + intermediateBytes + inputBytes + outputBytes;
  }
};

/// Plans memory as a context does, for values of the engine's symbols. Of nodes with several
/// tactics the buffers of all are counted. Errors: those of the engine's expressions, OutOfRange.
Result<MemoryEstimate> estimateMemory(const EngineFile &file, std::span<const int64_t> symbols);

} // namespace inlay
