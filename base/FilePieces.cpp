#include "base/FilePieces.h"

#include "base/File.h"

namespace inlay {

void FilePieces::append(MaybeOwnedBytes bytes) {
  if (bytes.bytes().empty())
    return;
  sizeBytes_ += bytes.bytes().size();
  pieces_.push_back(std::move(bytes));
}

void FilePieces::padTo(uint64_t sizeBytes) {
  INLAY_CHECK(sizeBytes >= sizeBytes_, "a file cannot be padded to fewer bytes than it has");
  append(std::vector<std::byte>(sizeBytes - sizeBytes_));
}

std::vector<std::span<const std::byte>> FilePieces::pieces() const {
  std::vector<std::span<const std::byte>> spans;
  spans.reserve(pieces_.size());
  for (const MaybeOwnedBytes &piece : pieces_)
    spans.push_back(piece.bytes());
  return spans;
}

std::vector<std::byte> FilePieces::toBytes() const {
  std::vector<std::byte> bytes;
  bytes.reserve(sizeBytes_);
  for (const MaybeOwnedBytes &piece : pieces_)
    bytes.insert(bytes.end(), piece.bytes().begin(), piece.bytes().end());
  return bytes;
}

Status FilePieces::save(const std::string &path, const CancelCheck &isCancelled) const {
  return writeFileAtomically(path, pieces(), isCancelled);
}

} // namespace inlay
