#include "runtime/core/StepProfiler.h"

#include "base/Error.h"

namespace inlay {

Result<std::unique_ptr<StepProfiler>> StepProfiler::create(Device &device, size_t maxSteps) {
  std::unique_ptr<StepProfiler> profiler(new StepProfiler(device));
  profiler->times_.reserve(maxSteps);
  for (size_t i = 0; i <= maxSteps; ++i) {
    INLAY_ASSIGN(const Event mark, device.createEvent());
    profiler->marks_.push_back(mark);
  }
  return profiler;
}

StepProfiler::~StepProfiler() {
  for (Event mark : marks_)
    device_.destroyEvent(mark);
}

Status StepProfiler::begin(Stream stream) {
  numSteps_ = 0;
  times_.clear();
  lastHostUs_ = 0;
  start_ = Clock::now();
  return device_.record(marks_[0], stream);
}

Status StepProfiler::endStep(Stream stream) {
  if (numSteps_ + 1 >= marks_.size())
    return internalError("a run has more steps than the {} of its profile", marks_.size() - 1);
  INLAY_TRY(device_.record(marks_[++numSteps_], stream));
  const double nowUs = std::chrono::duration<double, std::micro>(Clock::now() - start_).count();
  times_.push_back({lastHostUs_, nowUs, 0, 0});
  lastHostUs_ = nowUs;
  return {};
}

Result<const std::vector<StepTimes> *> StepProfiler::finish() {
  double lastUs = 0;
  for (size_t i = 0; i < numSteps_; ++i) {
    times_[i].beginUs = lastUs;
    INLAY_ASSIGN(lastUs, device_.elapsedUs(marks_[0], marks_[i + 1]));
    times_[i].endUs = lastUs;
  }
  return &times_;
}

} // namespace inlay
