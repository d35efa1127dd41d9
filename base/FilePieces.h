// The bytes of a file before it is written, in pieces that are not copied together.
#pragma once

#include "base/Cancellation.h"
#include "base/Status.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace inlay {

/// Bytes that are owned, or that lie elsewhere: weights in a mapped archive.
class MaybeOwnedBytes {
public:
  MaybeOwnedBytes() = default;
  MaybeOwnedBytes(std::vector<std::byte> owned) : owned_(std::move(owned)) {}
  /// Borrowed: the bytes stay where they are as long as this and its copies.
  static MaybeOwnedBytes borrow(std::span<const std::byte> bytes) {
    MaybeOwnedBytes result;
    result.borrowed_ = bytes;
    return result;
  }
  std::span<const std::byte> bytes() const {
    return owned_.empty() ? borrowed_ : std::span<const std::byte>(owned_);
  }

private:
  std::vector<std::byte> owned_;
  std::span<const std::byte> borrowed_;
};

/// A file's bytes in order. Writing it needs no memory beyond the pieces.
class FilePieces {
public:
  FilePieces() = default;
  FilePieces(MaybeOwnedBytes bytes) { append(std::move(bytes)); }

  void append(MaybeOwnedBytes bytes);
  /// Appends zeros until the file has so many bytes; it has no more yet.
  void padTo(uint64_t sizeBytes);

  uint64_t sizeBytes() const { return sizeBytes_; }
  bool isEmpty() const { return sizeBytes_ == 0; }
  /// In order; valid as long as this is neither changed nor moved.
  std::vector<std::span<const std::byte>> pieces() const;
  /// All bytes in one place: a copy.
  std::vector<std::byte> toBytes() const;
  /// Writes the file, whole or not at all. Errors: those of writeFileAtomically.
  Status save(const std::string &path, const CancelCheck &isCancelled = {}) const;

private:
  std::vector<MaybeOwnedBytes> pieces_;
  uint64_t sizeBytes_ = 0;
};

} // namespace inlay
