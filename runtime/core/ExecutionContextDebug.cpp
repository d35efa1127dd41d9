// What a context does in debug mode: memory between guards, a look at it after each step.
#include "base/Error.h"
#include "runtime/core/ExecutionContext.h"

#include <cstring>

namespace inlay {

Status ExecutionContext::checkStep(Stream stream) {
  INLAY_TRY(device().synchronize(stream));
  INLAY_ASSIGN(const std::optional<GuardedBuffers::Damage> damage, guards_->findDamage(stream));
  if (damage)
    return outOfRange("a write outside of {}: byte {} {} it is now {:#04x}",
                      table_.describeBuffer(damage->index), damage->offsetBytes + 1,
                      damage->isBefore ? "in front of" : "behind", damage->found);
  return checkInputsAreUnchanged(stream);
}

/// Kernels that write to an input are found where it is not said that they do.
Status ExecutionContext::checkInputsAreUnchanged(Stream stream) {
  std::vector<char> bound, staged;
  for (const Slot &slot : inputs_) {
    if (!slot.sizeBytes)
      continue;
    const char *expected = static_cast<const char *>(slot.data);
    if (!slot.isOnHost) {
      bound.resize(slot.sizeBytes);
      INLAY_TRY(device().copy(bound.data(), slot.data, slot.sizeBytes, CopyDirection::DeviceToHost,
                              stream));
      expected = bound.data();
    }
    staged.resize(slot.sizeBytes);
    INLAY_TRY(device().copy(staged.data(), slot.staging, slot.sizeBytes,
                            CopyDirection::DeviceToHost, stream));
    INLAY_TRY(device().synchronize(stream));
    const auto [at, other] = std::mismatch(staged.begin(), staged.end(), expected);
    if (at != staged.end())
      return outOfRange("a write to {}: its byte {} was {:#04x} and is now {:#04x}",
                        table_.describeBuffer(slot.description->buffer), at - staged.begin(),
                        static_cast<uint8_t>(*other), static_cast<uint8_t>(*at));
  }
  return {};
}

} // namespace inlay
