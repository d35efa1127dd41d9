#include "runtime/core/GraphCache.h"

#include <algorithm>
#include <functional>
#include <string_view>

namespace inlay {

GraphCache::~GraphCache() { clear(); }

void GraphCache::clear() {
  deselect();
  for (const Recording &recording : recordings_)
    device_.destroyGraph(recording.graph);
  recordings_.clear();
}

uint64_t GraphCache::hashOf(std::span<const int64_t> key) {
  const std::string_view bytes(reinterpret_cast<const char *>(key.data()), key.size_bytes());
  return std::hash<std::string_view>()(bytes) | 1; // 0 is an empty place in seen_
}

void GraphCache::select(std::span<const int64_t> key) {
  isSelected_ = true;
  selected_ = nullptr;
  wasSeen_ = false;
  for (auto it = recordings_.begin(); it != recordings_.end(); ++it)
    if (std::ranges::equal(it->key, key)) {
      recordings_.splice(recordings_.begin(), recordings_, it);
      selected_ = &recordings_.front();
      return;
    }
  selectedHash_ = hashOf(key);
  wasSeen_ = std::ranges::find(seen_, selectedHash_) != seen_.end();
}

void GraphCache::noteRun() {
  wasSeen_ = true;
  seen_[nextSeen_++ % kNumSeen] = selectedHash_;
}

const GraphCache::Recording &GraphCache::insert(std::span<const int64_t> key, Graph graph,
                                                uint64_t numLaunches) {
  if (recordings_.size() >= capacity_) {
    device_.destroyGraph(recordings_.back().graph);
    recordings_.pop_back();
  }
  recordings_.push_front({{key.begin(), key.end()}, graph, numLaunches});
  selected_ = &recordings_.front();
  return recordings_.front();
}

} // namespace inlay
