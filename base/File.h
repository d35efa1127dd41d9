// Whole files in and out.
#pragma once

#include "base/Status.h"

#include <optional>
#include <string>
#include <string_view>

namespace inlay {

/// Reads a whole file. Errors: NotFound or InvalidArgument naming the path and the system's reason.
Result<std::string> readFile(const std::string &path);

/// The text of a file; nullopt if it cannot be read, for whatever reason.
std::optional<std::string> findFile(const std::string &path);

/// Writes a file so that it is there completely or not at all: to a new file beside it, then
/// renamed. A path that is a device or a pipe is written directly. Errors: InvalidArgument naming
/// the path and the system's reason.
Status writeFileAtomically(const std::string &path, std::string_view bytes);

} // namespace inlay
