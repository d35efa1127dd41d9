#include "engine/WeightsFile.h"

#include "base/Error.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstring>

namespace inlay {
namespace {

constexpr char kMagic[9] = "INLAYWTS";

/// What WeightsHeader::checksum is, of bytes that come in pieces.
class Checksum {
public:
  Checksum() { XXH64_reset(&state_, 0); }
  void add(std::span<const std::byte> bytes) { XXH64_update(&state_, bytes.data(), bytes.size()); }
  uint64_t value() const { return XXH64_digest(&state_); }

private:
  XXH64_state_t state_;
};

uint64_t checksumOf(std::span<const std::byte> file) {
  Checksum checksum;
  checksum.add(file.subspan(sizeof(WeightsHeader)));
  return checksum.value();
}

bool holdsWeights(fb::BufferKind kind) {
  return kind == fb::BufferKind::Constant || kind == fb::BufferKind::State;
}

} // namespace

uint64_t alignSegment(uint64_t offset) {
  return (offset + kSegmentAlignmentBytes - 1) / kSegmentAlignmentBytes * kSegmentAlignmentBytes;
}

bool isPlainFileName(std::string_view name) {
  return !name.empty() && name != "." && name != ".." &&
         name.find_first_of(std::string_view("/\\\0", 3)) == std::string_view::npos;
}

Result<FilePieces> moveWeightsOut(fb::EngineT &engine, std::span<MaybeOwnedBytes> segments,
                                  const std::string &name) {
  if (!isPlainFileName(name))
    return invalidArgument("'{}' cannot be the name of an engine's weights file; expected a file "
                           "name without a folder",
                           name);
  for (const std::unique_ptr<fb::BufferT> &buffer : engine.buffers)
    if (holdsWeights(buffer->kind) && buffer->segment < engine.segments.size())
      engine.segments[buffer->segment]->is_external = true;
  Checksum checksum;
  uint64_t end = sizeof(WeightsHeader);
  for (size_t i = 0; i < segments.size(); ++i) {
    if (!engine.segments[i]->is_external)
      continue;
    const std::vector<std::byte> padding(alignSegment(end) - end);
    engine.segments[i]->offset = alignSegment(end);
    end = engine.segments[i]->offset + segments[i].bytes().size();
    checksum.add(padding);
    checksum.add(segments[i].bytes());
  }
  WeightsHeader header{};
  std::memcpy(header.magic, kMagic, sizeof(header.magic));
  header.formatVersion = kWeightsFormatVersion;
  header.totalSizeBytes = end;
  header.checksum = checksum.value();
  engine.weights_file = std::make_unique<fb::WeightsFileT>();
  engine.weights_file->name = name;
  engine.weights_file->size_bytes = end;
  engine.weights_file->checksum = header.checksum;
  std::vector<std::byte> head(sizeof(header));
  std::memcpy(head.data(), &header, sizeof(header));
  FilePieces file(std::move(head));
  for (size_t i = 0; i < segments.size(); ++i) {
    if (!engine.segments[i]->is_external)
      continue;
    file.padTo(engine.segments[i]->offset);
    file.append(std::move(segments[i]));
  }
  return file;
}

Status verifyWeightsFile(std::span<const std::byte> file, const fb::WeightsFile &expected) {
  WeightsHeader header;
  if (file.size() < sizeof(header) || std::memcmp(file.data(), kMagic, sizeof(header.magic)) != 0)
    return dataLoss("it is no weights file: it has {} bytes and does not start with \"{}\"",
                    file.size(), kMagic);
  std::memcpy(&header, file.data(), sizeof(header));
  if (header.formatVersion != kWeightsFormatVersion)
    return incompatible("it has format version {}; this runtime reads version {}",
                        header.formatVersion, kWeightsFormatVersion);
  const WeightsHeader zero{};
  if (header.reserved != 0 || std::memcmp(header.padding, zero.padding, sizeof(header.padding)))
    return dataLoss("its header is corrupt: bytes that should be 0 are not");
  if (header.totalSizeBytes != expected.size_bytes() || header.checksum != expected.checksum())
    return incompatible("it belongs to another engine: it holds {} bytes with checksum {:016x}, "
                        "the engine was written with {} bytes with checksum {:016x}",
                        header.totalSizeBytes, header.checksum, expected.size_bytes(),
                        expected.checksum());
  if (header.totalSizeBytes != file.size())
    return dataLoss("it is {} bytes long; its header says {}: the file is truncated or has grown",
                    file.size(), header.totalSizeBytes);
  if (checksumOf(file) != header.checksum)
    return dataLoss("it is corrupt: its checksum differs from its header's");
  return {};
}

} // namespace inlay
