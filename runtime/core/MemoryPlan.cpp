#include "runtime/core/MemoryPlan.h"

#include "base/Error.h"

#include <algorithm>
#include <numeric>
#include <vector>

namespace inlay {
namespace {

constexpr uint64_t kMaxArenaBytes = uint64_t{1} << 62;

uint64_t alignUp(uint64_t offset, uint64_t alignment) {
  return (offset + alignment - 1) & ~(alignment - 1);
}

bool areAliveTogether(const PlannedBuffer &a, const PlannedBuffer &b) {
  return a.firstStep <= b.lastStep && b.firstStep <= a.lastStep;
}

/// The start of the smallest gap between `placed` (in order of offset, those alive with `buffer`)
/// that holds the buffer, or the end of them all.
uint64_t findOffset(const PlannedBuffer &buffer, std::span<const PlannedBuffer> buffers,
                    std::span<const uint64_t> offsets, std::span<const uint32_t> placed) {
  uint64_t end = 0, best = 0, bestGap = UINT64_MAX;
  for (uint32_t other : placed) {
    if (!areAliveTogether(buffer, buffers[other]))
      continue;
    const uint64_t start = alignUp(end, buffer.alignmentBytes);
    if (start + buffer.sizeBytes <= offsets[other] && offsets[other] - end < bestGap) {
      best = start;
      bestGap = offsets[other] - end;
    }
    end = std::max(end, offsets[other] + buffers[other].sizeBytes);
  }
  return bestGap != UINT64_MAX ? best : alignUp(end, buffer.alignmentBytes);
}

} // namespace

Result<uint64_t> planMemory(std::span<const PlannedBuffer> buffers, std::span<uint64_t> offsets) {
  std::vector<uint32_t> order(buffers.size());
  std::iota(order.begin(), order.end(), 0u);
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    if (buffers[a].sizeBytes != buffers[b].sizeBytes)
      return buffers[a].sizeBytes > buffers[b].sizeBytes;
    return a < b;
  });
  std::vector<uint32_t> placed; // in order of offset
  uint64_t peak = 0;
  for (uint32_t index : order) {
    const PlannedBuffer &buffer = buffers[index];
    offsets[index] = 0;
    if (buffer.sizeBytes == 0)
      continue;
    const uint64_t offset = buffer.sizeBytes > kMaxArenaBytes
                                ? kMaxArenaBytes
                                : findOffset(buffer, buffers, offsets, placed);
    if (offset > kMaxArenaBytes - std::min(buffer.sizeBytes, kMaxArenaBytes))
      return outOfRange("the buffers of this run need more than {} bytes", kMaxArenaBytes);
    offsets[index] = offset;
    peak = std::max(peak, offset + buffer.sizeBytes);
    const auto position =
        std::upper_bound(placed.begin(), placed.end(), index,
                         [&](uint32_t a, uint32_t b) { return offsets[a] < offsets[b]; });
    placed.insert(position, index);
  }
  return peak;
}

} // namespace inlay
