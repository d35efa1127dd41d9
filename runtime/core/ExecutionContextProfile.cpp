// Runs whose steps are measured, for a profiler's callback.
#include "runtime/core/ExecutionContext.h"

namespace inlay {

Status ExecutionContext::setProfiler(ProfileCallback callback) {
  INLAY_TRY(device().makeCurrent());
  profiler_.reset();
  profiledSteps_.clear();
  profileCallback_ = std::move(callback);
  if (!profileCallback_)
    return {};
  const size_t maxSteps = table_.steps().size() + inputs_.size() + outputs_.size();
  profiledSteps_.reserve(maxSteps);
  INLAY_ASSIGN(profiler_, StepProfiler::create(device(), maxSteps));
  return {};
}

Status ExecutionContext::runProfiled(Stream stream) {
  profiledSteps_.clear();
  INLAY_TRY(profiler_->begin(stream));
  INLAY_TRY(hasStaged_ ? runStaged(stream) : enqueue(stream));
  INLAY_ASSIGN(const std::vector<StepTimes> *times, profiler_->finish());
  for (uint32_t i = 0; i < profiledSteps_.size(); ++i) {
    profiledSteps_[i].times = (*times)[i];
    profileCallback_(profiledSteps_[i]);
  }
  ++numProfiledRuns_;
  return {};
}

Status ExecutionContext::profileStep(uint32_t index, Stream stream) {
  ProfiledStep step = table_.profile(index);
  step.run = numProfiledRuns_;
  step.index = static_cast<uint32_t>(profiledSteps_.size());
  profiledSteps_.push_back(step);
  return profiler_->endStep(stream);
}

Status ExecutionContext::profileCopy(const Slot &slot, Stream stream) {
  ProfiledStep step;
  step.kind = slot.isInput ? ProfiledStep::Kind::CopyIn : ProfiledStep::Kind::CopyOut;
  step.run = numProfiledRuns_;
  step.index = static_cast<uint32_t>(profiledSteps_.size());
  step.name = slot.description->name.data();
  step.sizeBytes = slot.sizeBytes;
  profiledSteps_.push_back(step);
  return profiler_->endStep(stream);
}

} // namespace inlay
