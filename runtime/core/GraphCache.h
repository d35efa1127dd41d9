// Recorded runs of one context, to be launched as a whole.
#pragma once

#include "runtime/devices/Device.h"

#include <array>
#include <list>
#include <span>
#include <vector>

namespace inlay {

/// Runs that a device recorded (CUDA graphs), by what they depend on: the shapes of the inputs and
/// the addresses of all that is bound, its *key*. A key that comes for the second time is worth a
/// recording; a key that never comes again costs nothing. Holds a bounded number of recordings and
/// forgets the one that was not used for longest. Used by one thread at a time.
class GraphCache {
public:
  /// `capacity` 0 turns recording off. The device must outlive the cache.
  GraphCache(Device &device, uint32_t capacity) : device_(device), capacity_(capacity) {}
  GraphCache(const GraphCache &) = delete;
  ~GraphCache();

  bool isOn() const { return capacity_ > 0; }

  /// What the coming runs depend on.
  void select(std::span<const int64_t> key);
  /// The selected key is no longer that of the coming runs.
  void deselect() {
    isSelected_ = false;
    selected_ = nullptr;
  }
  bool isSelected() const { return isSelected_; }

  /// A recording and how many kernels it launches.
  struct Recording {
    std::vector<int64_t> key;
    Graph graph = nullptr;
    uint64_t numLaunches = 0;
  };
  /// The recording of the selected key; null if there is none.
  const Recording *find() const { return selected_; }
  /// True if the selected key was run before, so that it should be recorded.
  bool isWorthRecording() const { return wasSeen_; }
  /// The selected key was run without a recording.
  void noteRun();
  /// Keeps a graph as the selected key's recording, and owns it.
  const Recording &insert(std::span<const int64_t> key, Graph graph, uint64_t numLaunches);

  /// Forgets all recordings: what they use is gone.
  void clear();
  size_t size() const { return recordings_.size(); }

private:
  static uint64_t hashOf(std::span<const int64_t> key);

  Device &device_;
  uint32_t capacity_;
  std::list<Recording> recordings_; // last used first
  const Recording *selected_ = nullptr;
  bool isSelected_ = false;
  bool wasSeen_ = false;
  uint64_t selectedHash_ = 0;
  // Hashes of keys that were run without a recording. Two keys of one hash only mean that one of
  // them is recorded at its first run.
  static constexpr size_t kNumSeen = 64;
  std::array<uint64_t, kNumSeen> seen_{};
  size_t nextSeen_ = 0;
};

} // namespace inlay
