#include "base/File.h"

#include "base/Error.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace inlay {

Result<std::string> readFile(const std::string &path) {
  int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0 && errno == ENOENT)
    return notFound("cannot read '{}': there is no such file", path);
  if (file < 0)
    return invalidArgument("cannot read '{}': {}", path, std::strerror(errno));
  std::string bytes;
  char chunk[1 << 16];
  ssize_t count;
  while ((count = read(file, chunk, sizeof chunk)) > 0 || (count < 0 && errno == EINTR))
    if (count > 0)
      bytes.append(chunk, static_cast<size_t>(count));
  int reason = errno;
  close(file);
  if (count < 0)
    return invalidArgument("cannot read '{}': {}", path, std::strerror(reason));
  return bytes;
}

std::optional<std::string> findFile(const std::string &path) {
  Result<std::string> text = readFile(path);
  if (!text.isOk())
    return std::nullopt;
  return std::move(text).value();
}

namespace {

/// Writes all bytes and closes the file; returns 0 or the system's error number.
int writeAndClose(int file, std::string_view bytes) {
  int reason = 0;
  while (!bytes.empty() && reason == 0) {
    ssize_t count = write(file, bytes.data(), bytes.size());
    if (count >= 0)
      bytes.remove_prefix(static_cast<size_t>(count));
    else if (errno != EINTR)
      reason = errno;
  }
  // Before the rename, so that a crash leaves the old file or the new one. Pipes cannot be synced.
  if (reason == 0 && fsync(file) != 0 && errno != EINVAL && errno != EROFS)
    reason = errno;
  if (close(file) != 0 && reason == 0)
    reason = errno;
  return reason;
}

} // namespace

Status writeFileAtomically(const std::string &path, std::string_view bytes) {
  struct stat existing;
  bool isSpecial = stat(path.c_str(), &existing) == 0 && !S_ISREG(existing.st_mode);
  std::string written = isSpecial ? path : path + ".part" + std::to_string(getpid());
  int flags = O_WRONLY | O_CLOEXEC | (isSpecial ? 0 : O_CREAT | O_TRUNC);
  int file = open(written.c_str(), flags, 0666);
  int reason = file < 0 ? errno : writeAndClose(file, bytes);
  if (reason == 0 && !isSpecial && rename(written.c_str(), path.c_str()) != 0)
    reason = errno;
  if (reason == 0)
    return {};
  if (!isSpecial && file >= 0)
    unlink(written.c_str());
  return invalidArgument("cannot write '{}': {}", path, std::strerror(reason));
}

} // namespace inlay
