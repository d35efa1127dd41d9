// The C interface's handle of a Status.
#pragma once

#include "base/Status.h"

#include <inlay/inlay.h>

struct inlay_status_t {
  inlay::Status status;
};

namespace inlay {

/// Null for success.
inline inlay_status_t *toHandle(Status status) {
  return status.isOk() ? nullptr : new inlay_status_t{std::move(status)};
}

/// The Status of a handle, which is freed; null is success.
inline Status fromHandle(inlay_status_t *handle) {
  if (!handle)
    return {};
  Status status = std::move(handle->status);
  delete handle;
  return status;
}

} // namespace inlay
