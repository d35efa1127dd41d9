// Ending long work before it is done.
#pragma once

#include "base/Error.h"
#include "base/Status.h"

#include <functional>

namespace inlay {

/// Asked now and then by work that takes long, on the thread that does it: true ends the work with
/// StatusCode::Cancelled. Empty: it is not asked.
using CancelCheck = std::function<bool()>;

/// Errors: Cancelled.
inline Status checkCancelled(const CancelCheck &isCancelled) {
  return isCancelled && isCancelled() ? cancelled("cancelled before it was done") : Status();
}

} // namespace inlay
