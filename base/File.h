// Whole files in and out.
#pragma once

#include "base/Cancellation.h"
#include "base/Status.h"

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace inlay {

/// Reads a whole file. Errors: NotFound or InvalidArgument naming the path and the system's reason.
Result<std::string> readFile(const std::string &path);

/// The text of a file; nullopt if it cannot be read, for whatever reason.
std::optional<std::string> findFile(const std::string &path);

/// Writes a file so that it is there completely or not at all: to a new file, which takes its place
/// at the end. That file has no name meanwhile where the file system can do so, and a process that
/// is killed leaves nothing behind; elsewhere it is PATH.partPID. A path that is a device or a pipe
/// is written directly. Errors: InvalidArgument naming the path and the system's reason.
Status writeFileAtomically(const std::string &path, std::string_view bytes);
/// As above, for bytes in pieces, which may be many: asks in between whether to go on. `isSynced`
/// false is for files that may be damaged by a crash of the system, since whoever reads them looks.
/// Errors: Cancelled too, after which all is as it was.
Status writeFileAtomically(const std::string &path,
                           std::span<const std::span<const std::byte>> pieces,
                           const CancelCheck &isCancelled = {}, bool isSynced = true);

} // namespace inlay
