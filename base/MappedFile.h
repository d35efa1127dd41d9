// A file's bytes, mapped read-only.
#pragma once

#include "base/Status.h"

#include <cstddef>
#include <span>
#include <string>

namespace inlay {

/// Owns a read-only mapping of a whole file; movable. The bytes stay where they are for its
/// lifetime. Another process that truncates the file meanwhile makes reads fault, as with any
/// mapping.
class MappedFile {
public:
  /// Errors: NotFound or InvalidArgument naming the path and the system's reason.
  static Result<MappedFile> open(const std::string &path);

  MappedFile(MappedFile &&other) noexcept;
  MappedFile &operator=(MappedFile &&other) noexcept;
  ~MappedFile();

  std::span<const std::byte> bytes() const { return bytes_; }

private:
  explicit MappedFile(std::span<const std::byte> bytes) : bytes_(bytes) {}
  std::span<const std::byte> bytes_;
};

} // namespace inlay
