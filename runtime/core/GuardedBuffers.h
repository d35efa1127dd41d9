// Memory for runs in debug mode: writes beyond a buffer are found.
#pragma once

#include "runtime/devices/Device.h"

#include <optional>
#include <vector>

namespace inlay {

/// Buffers of a device that lie apart from each other, each between two guards of known bytes. A
/// guard begins at the very byte where its buffer ends. Used by one thread at a time.
class GuardedBuffers {
public:
  /// The device must outlive the buffers.
  GuardedBuffers(Device &device, size_t numBuffers);
  GuardedBuffers(const GuardedBuffers &) = delete;
  ~GuardedBuffers();

  /// Memory of buffer `index`, aligned to 256 bytes; what it held is lost. Errors: OutOfMemory.
  Result<void *> reserve(uint32_t index, uint64_t sizeBytes);
  /// Writes the guards, and bytes of 0xFF (NaN as any float) into all buffers, so that reading what
  /// nobody wrote shows.
  Status arm(Stream stream);

  struct Damage {
    uint32_t index;
    bool isBefore;        // in front of the buffer, else behind its end
    uint64_t offsetBytes; // from its beginning or end, 0 being the next byte
    uint8_t found;
  };
  /// Waits for the stream and looks at all guards. Errors: DeviceError.
  Result<std::optional<Damage>> findDamage(Stream stream);

  /// Bytes of each guard. A kernel's stray write may miss them and hit nothing that is known.
  static constexpr uint64_t kGuardBytes = 1024;

private:
  struct Buffer {
    char *memory = nullptr; // with both guards
    uint64_t sizeBytes = 0, capacityBytes = 0;
    char *begin() const { return memory + kGuardBytes; }
    char *end() const { return begin() + sizeBytes; }
  };

  Device &device_;
  std::vector<Buffer> buffers_;
  std::vector<char> guard_, fill_, found_; // on the host
};

} // namespace inlay
