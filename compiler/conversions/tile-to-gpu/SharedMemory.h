// Where the ops of a kernel put what they exchange between threads, and where threads must wait for
// each other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace inlay::tile_to_gpu {

/// A run of bytes of a block's shared memory.
struct SharedRegion {
  int64_t offset = 0;
  int64_t sizeBytes = 0;

  int64_t end() const { return offset + sizeBytes; }
  bool overlaps(const SharedRegion &other) const {
    return offset < other.end() && other.offset < end();
  }
};

/// The shared memory of one kernel while its code is emitted in order.
///
/// Regions are given out first fit and live from `allocate` to `release`: what an op needs for
/// itself it releases at its end, what lives over a loop is allocated before it and released after
/// it. An access is pending until the next barrier; a region whose bytes another access is pending
/// for may be used only behind a barrier: reads wait for writes, writes for reads and writes.
///
/// The order of emission is the order of time except at the back edge of a loop; see `enterLoop`.
class SharedMemory {
public:
  enum class Access : uint8_t { Read, Write };

  /// Bytes that no live region has. Small regions avoid those with pending accesses, so that no
  /// barrier is needed, as long as that costs little memory.
  SharedRegion allocate(int64_t sizeBytes, int64_t alignmentBytes = 16);
  /// Gives the bytes back; accesses to them stay pending.
  void release(const SharedRegion &region);

  /// Whether threads must wait for each other before they access the region so.
  bool needsBarrier(const SharedRegion &region, Access access) const;
  /// Notes that threads access the region.
  void note(const SharedRegion &region, Access access);
  /// Notes a barrier: no access is pending.
  void barrier();

  /// What is pending at a point of the code.
  struct State {
    std::vector<SharedRegion> reads, writes;
    /// Any byte may have been read and written.
    bool isUnknown = false;
  };
  const State &state() const { return state_; }
  void setState(State state) { state_ = std::move(state); }
  /// Two ways of control meet.
  void merge(const State &other);
  /// Begins a loop's body: what the body leaves pending at its end may be pending here, and that is
  /// not known yet. Restore the state before the loop with `leaveLoop`, which knows whether the
  /// body had accesses at all.
  struct LoopEntry {
    State before;
    size_t numAccesses = 0;
  };
  LoopEntry enterLoop();
  /// Ends a loop whose body may not have run.
  void leaveLoop(const LoopEntry &entry);

  /// Bytes the kernel needs.
  int64_t peakBytes() const { return peakBytes_; }

private:
  bool isFree(const SharedRegion &region, bool avoidsPending) const;
  int64_t firstFit(int64_t sizeBytes, int64_t alignmentBytes, bool avoidsPending) const;

  std::vector<SharedRegion> live_;
  State state_;
  size_t numAccesses_ = 0;
  int64_t peakBytes_ = 0;
};

} // namespace inlay::tile_to_gpu
