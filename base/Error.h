// Makers of error Statuses with formatted messages. A message says what failed and on which named
// thing, what was found, what was expected, and what to do.
#pragma once

#include "base/Status.h"

#include <fmt/format.h>

namespace inlay {

#define INLAY_ERROR_MAKER(function, code)                                                          \
  template <typename... Args>                                                                      \
  Status function(fmt::format_string<Args...> format, Args &&...args) {                            \
    return Status(StatusCode::code, fmt::vformat(format, fmt::make_format_args(args...)));         \
  }
INLAY_ERROR_MAKER(invalidArgument, InvalidArgument)
INLAY_ERROR_MAKER(notFound, NotFound)
INLAY_ERROR_MAKER(alreadyExists, AlreadyExists)
INLAY_ERROR_MAKER(outOfRange, OutOfRange)
INLAY_ERROR_MAKER(failedPrecondition, FailedPrecondition)
INLAY_ERROR_MAKER(unimplemented, Unimplemented)
INLAY_ERROR_MAKER(outOfMemory, OutOfMemory)
INLAY_ERROR_MAKER(dataLoss, DataLoss)
INLAY_ERROR_MAKER(incompatible, Incompatible)
INLAY_ERROR_MAKER(deviceError, DeviceError)
INLAY_ERROR_MAKER(internalError, Internal)
INLAY_ERROR_MAKER(cancelled, Cancelled)
#undef INLAY_ERROR_MAKER

} // namespace inlay
