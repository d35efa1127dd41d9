// Shared libraries that register host functions.
#pragma once

#include "base/Status.h"

#include <string>

namespace inlay {

/// Opens a library and lets it register its functions (inlay_host_library_v1); it stays loaded
/// until the process ends. Errors: NotFound (no such file), InvalidArgument (no such entry), what
/// the library returns.
Status loadHostLibrary(const std::string &path);

} // namespace inlay
