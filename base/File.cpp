#include "base/File.h"

#include "base/Error.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

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

/// Large files are written in parts of so many bytes.
constexpr size_t kChunkBytes = size_t{32} << 20;

/// Writes all bytes; returns 0 or the system's error number.
int writeAll(int file, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t count = write(file, bytes.data(), bytes.size());
    if (count >= 0)
      bytes = bytes.subspan(static_cast<size_t>(count));
    else if (errno != EINTR)
      return errno;
  }
  return 0;
}

/// A file that takes the place of another, or is written directly where that is a device or a pipe.
class ReplacingFile {
public:
  ReplacingFile(std::string path, bool isSynced) : path_(std::move(path)), isSynced_(isSynced) {
    struct stat existing;
    isSpecial_ = stat(path_.c_str(), &existing) == 0 && !S_ISREG(existing.st_mode);
    part_ = path_ + ".part" + std::to_string(getpid());
    open();
  }
  ~ReplacingFile() {
    if (file_ >= 0)
      close(file_);
    if (hasPart_)
      unlink(part_.c_str());
  }
  ReplacingFile(const ReplacingFile &) = delete;
  ReplacingFile &operator=(const ReplacingFile &) = delete;

  /// 0 or the system's error number, of the first call that failed; so do the others below.
  int reason() const { return reason_; }
  void append(std::span<const std::byte> bytes) {
    if (reason_ == 0)
      reason_ = writeAll(file_, bytes);
    numWritten_ += static_cast<off64_t>(bytes.size());
    if (reason_ != 0 || numWritten_ - numSynced_ < static_cast<off64_t>(kChunkBytes))
      return;
    // What is written goes to the disk meanwhile, at most a part behind: otherwise a large file
    // would be written by the sync at the end, which cannot be interrupted.
    sync_file_range(file_, numSynced_, numWritten_ - numSynced_, SYNC_FILE_RANGE_WRITE);
    if (numSynced_ > 0)
      sync_file_range(file_, 0, numSynced_, SYNC_FILE_RANGE_WAIT_BEFORE);
    numSynced_ = numWritten_;
  }
  int finish() {
    // Before the rename, so that a crash leaves the old file or the new one. Pipes cannot be
    // synced.
    if (reason_ == 0 && isSynced_ && fsync(file_) != 0 && errno != EINVAL && errno != EROFS)
      reason_ = errno;
    if (reason_ == 0 && !isSpecial_)
      replace();
    if (file_ >= 0 && close(std::exchange(file_, -1)) != 0 && reason_ == 0)
      reason_ = errno;
    return reason_;
  }

private:
  void open() {
    if (!isSpecial_) {
      const size_t slash = path_.find_last_of('/');
      const std::string folder = slash == std::string::npos ? "." : path_.substr(0, slash + 1);
      file_ = ::open(folder.c_str(), O_WRONLY | O_CLOEXEC | O_TMPFILE, 0666);
    }
    if (file_ >= 0)
      return;
    const std::string &name = isSpecial_ ? path_ : part_;
    file_ = ::open(name.c_str(), O_WRONLY | O_CLOEXEC | (isSpecial_ ? 0 : O_CREAT | O_TRUNC), 0666);
    reason_ = file_ < 0 ? errno : 0;
    hasPart_ = file_ >= 0 && !isSpecial_;
  }
  /// A link cannot replace a file; a rename can.
  void replace() {
    if (!hasPart_) {
      const std::string open = "/proc/self/fd/" + std::to_string(file_);
      unlink(part_.c_str()); // of an earlier process of this number, which was killed
      if (linkat(AT_FDCWD, open.c_str(), AT_FDCWD, part_.c_str(), AT_SYMLINK_FOLLOW) != 0) {
        reason_ = errno;
        return;
      }
      hasPart_ = true;
    }
    if (rename(part_.c_str(), path_.c_str()) != 0)
      reason_ = errno;
    else
      hasPart_ = false;
  }

  std::string path_, part_;
  int file_ = -1, reason_ = 0;
  off64_t numWritten_ = 0, numSynced_ = 0; // bytes: all, and those on their way to the disk
  bool isSynced_, isSpecial_ = false;
  bool hasPart_ = false; // there is a file of that name
};

} // namespace

Status writeFileAtomically(const std::string &path,
                           std::span<const std::span<const std::byte>> pieces,
                           const CancelCheck &isCancelled, bool isSynced) {
  ReplacingFile file(path, isSynced);
  for (std::span<const std::byte> piece : pieces)
    for (; !piece.empty(); piece = piece.subspan(std::min(piece.size(), kChunkBytes))) {
      INLAY_TRY(checkCancelled(isCancelled), "writing '" + path + "'");
      file.append(piece.first(std::min(piece.size(), kChunkBytes)));
    }
  INLAY_TRY(checkCancelled(isCancelled), "writing '" + path + "'");
  if (const int reason = file.finish(); reason != 0)
    return invalidArgument("cannot write '{}': {}", path, std::strerror(reason));
  return {};
}

Status writeFileAtomically(const std::string &path, std::string_view bytes) {
  const auto piece = std::as_bytes(std::span(bytes));
  return writeFileAtomically(path, std::span(&piece, 1));
}

} // namespace inlay
