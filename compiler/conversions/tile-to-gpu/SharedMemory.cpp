#include "compiler/conversions/tile-to-gpu/SharedMemory.h"

#include <algorithm>

namespace inlay::tile_to_gpu {

namespace {

/// Regions up to this size rather lie elsewhere than wait for a barrier, below this end.
constexpr int64_t kSmallBytes = 4096;
constexpr int64_t kRoomBytes = 16 * 1024;

bool overlapsAny(const std::vector<SharedRegion> &regions, const SharedRegion &region) {
  return std::any_of(regions.begin(), regions.end(),
                     [&](const SharedRegion &other) { return other.overlaps(region); });
}

void addRegion(std::vector<SharedRegion> &regions, const SharedRegion &region) {
  const bool isCovered =
      std::any_of(regions.begin(), regions.end(), [&](const SharedRegion &other) {
        return other.offset <= region.offset && region.end() <= other.end();
      });
  if (!isCovered)
    regions.push_back(region);
}

} // namespace

bool SharedMemory::isFree(const SharedRegion &region, bool avoidsPending) const {
  return !overlapsAny(live_, region) && (!avoidsPending || !needsBarrier(region, Access::Write));
}

int64_t SharedMemory::firstFit(int64_t sizeBytes, int64_t alignmentBytes,
                               bool avoidsPending) const {
  // A first fit begins at 0 or at the end of a region in the way.
  std::vector<int64_t> candidates = {0};
  for (const std::vector<SharedRegion> *regions : {&live_, &state_.reads, &state_.writes})
    for (const SharedRegion &region : *regions)
      candidates.push_back((region.end() + alignmentBytes - 1) / alignmentBytes * alignmentBytes);
  std::sort(candidates.begin(), candidates.end());
  return *std::find_if(candidates.begin(), candidates.end(),
                       [&](int64_t offset) { return isFree({offset, sizeBytes}, avoidsPending); });
}

SharedRegion SharedMemory::allocate(int64_t sizeBytes, int64_t alignmentBytes) {
  SharedRegion region{firstFit(sizeBytes, alignmentBytes, false), sizeBytes};
  if (sizeBytes <= kSmallBytes && !state_.isUnknown) {
    const int64_t apart = firstFit(sizeBytes, alignmentBytes, true);
    if (apart + sizeBytes <= std::max(kRoomBytes, peakBytes_))
      region.offset = apart;
  }
  live_.push_back(region);
  peakBytes_ = std::max(peakBytes_, region.end());
  return region;
}

void SharedMemory::release(const SharedRegion &region) {
  auto found = std::find_if(live_.begin(), live_.end(), [&](const SharedRegion &other) {
    return other.offset == region.offset && other.sizeBytes == region.sizeBytes;
  });
  if (found != live_.end())
    live_.erase(found);
}

bool SharedMemory::needsBarrier(const SharedRegion &region, Access access) const {
  return state_.isUnknown || overlapsAny(state_.writes, region) ||
         (access == Access::Write && overlapsAny(state_.reads, region));
}

void SharedMemory::note(const SharedRegion &region, Access access) {
  addRegion(access == Access::Read ? state_.reads : state_.writes, region);
  ++numAccesses_;
}

void SharedMemory::barrier() { state_ = {}; }

void SharedMemory::merge(const State &other) {
  for (const SharedRegion &region : other.reads)
    addRegion(state_.reads, region);
  for (const SharedRegion &region : other.writes)
    addRegion(state_.writes, region);
  state_.isUnknown |= other.isUnknown;
}

SharedMemory::LoopEntry SharedMemory::enterLoop() {
  LoopEntry entry{state_, numAccesses_};
  state_.isUnknown = true;
  return entry;
}

void SharedMemory::leaveLoop(const LoopEntry &entry) {
  if (numAccesses_ == entry.numAccesses)
    state_ = entry.before;
  else
    merge(entry.before);
}

} // namespace inlay::tile_to_gpu
