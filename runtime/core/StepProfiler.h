// When each step of a run began and ended, on the host and on the device.
#pragma once

#include "runtime/devices/Device.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace inlay {

/// Times of one step in microseconds since the run began.
struct StepTimes {
  double hostBeginUs = 0, hostEndUs = 0; // when the host put it into the stream
  double beginUs = 0, endUs = 0;         // when the device did it
};

/// One step of a profiled run. The texts live as long as the engine; "" where there is none.
struct ProfiledStep {
  enum class Kind : uint8_t { Launch, Copy, CopyIn, CopyOut, HostCall, ReadSize };
  Kind kind = Kind::Launch;
  uint64_t run = 0;      // counts profiled runs, from 0
  uint32_t index = 0;    // of the step in its run
  const char *name = ""; // kernel, host function, size, or tensor copied between host and device
  const char *plugin = "", *node = "";
  uint32_t grid[3] = {}, block[3] = {};
  uint64_t sizeBytes = 0; // of the copy, or of all buffers that a launch is given
  StepTimes times;
};
using ProfileCallback = std::function<void(const ProfiledStep &)>;

/// Measures the steps of runs in one stream: marks between them on the device, the host's clock
/// around them. Used by one thread at a time.
class StepProfiler {
public:
  /// At most `maxSteps` steps are in a run. Errors: DeviceError. The device must outlive it.
  static Result<std::unique_ptr<StepProfiler>> create(Device &device, size_t maxSteps);
  ~StepProfiler();
  StepProfiler(const StepProfiler &) = delete;

  /// Before the first step.
  Status begin(Stream stream);
  /// After each step.
  Status endStep(Stream stream);
  /// Waits for the run and gives the times of its steps, in order; valid until the next run.
  Result<const std::vector<StepTimes> *> finish();

private:
  using Clock = std::chrono::steady_clock;
  explicit StepProfiler(Device &device) : device_(device) {}

  Device &device_;
  std::vector<Event> marks_; // one more than steps
  std::vector<StepTimes> times_;
  size_t numSteps_ = 0;
  Clock::time_point start_;
  double lastHostUs_ = 0;
};

} // namespace inlay
