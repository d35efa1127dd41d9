#include "engine/EngineFile.h"

#include "base/Error.h"
#include "engine/WeightsFile.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstring>
#include <filesystem>

namespace inlay {
namespace {

/// FlatBuffers' offsets are 32 bits wide.
constexpr uint64_t kMaxMetadataBytes = uint64_t{1} << 31;

uint64_t checksumOf(std::span<const std::byte> bytes) {
  return XXH64(bytes.data(), bytes.size(), 0);
}

Status verifyHeader(const EngineHeader &header, uint64_t fileSizeBytes) {
  if (std::memcmp(header.magic, kEngineMagic, sizeof(header.magic)) != 0)
    return dataLoss("not an engine file: it does not start with \"{}\"", kEngineMagic);
  if (header.formatVersion != kEngineFormatVersion)
    return incompatible("engine has format version {}; this runtime reads version {}: build the "
                        "engine with the matching "
                        "compiler",
                        header.formatVersion, kEngineFormatVersion);
  if ((header.flags & ~kKnownEngineFlags) != 0 || header.reserved != 0)
    return incompatible("engine uses features (flags {:#x}) that this runtime does not know; it "
                        "knows flags {:#x}",
                        header.flags, kKnownEngineFlags);
  if (header.totalSizeBytes != fileSizeBytes)
    return dataLoss(
        "engine is {} bytes long; its header says {}: the file is truncated or has grown",
        fileSizeBytes, header.totalSizeBytes);
  if (header.metadataOffset != sizeof(EngineHeader) ||
      header.metadataSizeBytes > kMaxMetadataBytes ||
      header.metadataSizeBytes > fileSizeBytes - sizeof(EngineHeader) ||
      header.segmentsOffset != alignSegment(header.metadataOffset + header.metadataSizeBytes) ||
      header.segmentsOffset > alignSegment(fileSizeBytes))
    return dataLoss("engine header is corrupt: metadata of {} bytes at {}, segments at {}, in a "
                    "file of {} bytes",
                    header.metadataSizeBytes, header.metadataOffset, header.segmentsOffset,
                    fileSizeBytes);
  return {};
}

} // namespace

uint64_t headerChecksum(const EngineHeader &header, std::span<const std::byte> metadata) {
  const uint64_t seed = XXH64(&header, offsetof(EngineHeader, checksum), 0);
  return XXH64(metadata.data(), metadata.size(), seed);
}

Result<EngineFile> EngineFile::open(const std::string &path, const std::string &weightsPath) {
  EngineFile file;
  INLAY_ASSIGN(MappedFile mapped, MappedFile::open(path));
  file.mapped_.emplace(std::move(mapped));
  const std::string context = "loading engine '" + path + "'";
  INLAY_TRY(file.load(), context);
  const std::string folder = std::filesystem::path(path).parent_path().string();
  INLAY_TRY(file.loadWeights(weightsPath, folder.empty() ? "." : folder), context);
  return file;
}

Result<EngineFile> EngineFile::fromBytes(std::vector<std::byte> bytes,
                                         const std::string &weightsPath) {
  EngineFile file;
  file.owned_ = std::move(bytes);
  INLAY_TRY(file.load());
  INLAY_TRY(file.loadWeights(weightsPath, ""));
  return file;
}

Result<EngineFile> EngineFile::fromBytes(EngineBytes bytes) {
  EngineFile file;
  file.owned_ = std::move(bytes.engine);
  INLAY_TRY(file.load());
  if (!file.engine_->weights_file() && !bytes.weights.empty())
    return invalidArgument("weights were given for an engine that holds its own");
  file.ownedWeights_ = std::move(bytes.weights);
  if (file.engine_->weights_file())
    INLAY_TRY(file.checkWeights(file.ownedWeights_));
  return file;
}

/// `folder` is the engine's; empty if it has none.
Status EngineFile::loadWeights(const std::string &path, const std::string &folder) {
  const fb::WeightsFile *expected = engine_->weights_file();
  if (!expected && path.empty())
    return {};
  if (!expected)
    return invalidArgument("weights '{}' were given for an engine that holds its own", path);
  const std::string name = expected->name()->str();
  if (path.empty() && folder.empty())
    return invalidArgument("the engine's weights lie in a file of their own, '{}', and it was "
                           "loaded from memory; give that file's path",
                           name);
  const std::string found = path.empty() ? (std::filesystem::path(folder) / name).string() : path;
  const std::string context = "opening the engine's weights, which lie in a file of their own";
  INLAY_ASSIGN(MappedFile mapped, MappedFile::open(found), context);
  mappedWeights_.emplace(std::move(mapped));
  return checkWeights(mappedWeights_->bytes()).withContext("reading weights '" + found + "'");
}

Status EngineFile::checkWeights(std::span<const std::byte> bytes) const {
  return verifyWeightsFile(bytes, *engine_->weights_file());
}

Result<const fb::Engine *> verifyEngineHead(std::span<const std::byte> head,
                                            uint64_t fileSizeBytes) {
  if (head.size() < sizeof(EngineHeader))
    return dataLoss("engine is {} bytes long; the header alone takes {}", head.size(),
                    sizeof(EngineHeader));
  EngineHeader header;
  std::memcpy(&header, head.data(), sizeof(header));
  INLAY_TRY(verifyHeader(header, fileSizeBytes));
  if (header.metadataSizeBytes > head.size() - header.metadataOffset)
    return dataLoss("engine has {} bytes of metadata; {} are here", header.metadataSizeBytes,
                    head.size() - header.metadataOffset);
  const auto metadata = head.subspan(header.metadataOffset, header.metadataSizeBytes);
  if (headerChecksum(header, metadata) != header.checksum)
    return dataLoss("engine metadata is corrupt: its checksum differs from the header's");
  flatbuffers::Verifier verifier(reinterpret_cast<const uint8_t *>(metadata.data()),
                                 metadata.size(), 64, 10'000'000);
  if (!fb::VerifyEngineBuffer(verifier))
    return dataLoss("engine metadata is corrupt: it is no valid FlatBuffer of type Engine");
  const fb::Engine *engine = fb::GetEngine(metadata.data());
  INLAY_TRY(verifyEngine(*engine, header.segmentsOffset, fileSizeBytes));
  return engine;
}

Status EngineFile::load() {
  INLAY_ASSIGN(engine_, verifyEngineHead(bytes(), bytes().size()));
  expressions_.reserve(engine_->expressions()->size());
  for (const fb::ExprInstruction *step : *engine_->expressions())
    expressions_.push_back(
        {static_cast<ExprKind>(step->kind()), step->a(), step->b(), step->c(), step->value()});
  for (const fb::Kernel *kernel : *engine_->kernels())
    for (const fb::Image *image : *kernel->images())
      INLAY_TRY(verifySegment(image->segment()));
  return {};
}

std::span<const std::byte> EngineFile::segment(uint32_t index) const {
  const fb::Segment *segment = engine_->segments()->Get(index);
  return (segment->is_external() ? weightsBytes() : bytes())
      .subspan(segment->offset(), segment->size_bytes());
}

Status EngineFile::verifySegment(uint32_t index) const {
  if (checksumOf(segment(index)) != engine_->segments()->Get(index)->checksum())
    return dataLoss("segment {} is corrupt: its checksum differs from the recorded one", index);
  return {};
}

Status EngineFile::verifyAllSegments() const {
  for (uint32_t i = 0; i < engine_->segments()->size(); ++i)
    INLAY_TRY(verifySegment(i));
  return {};
}

} // namespace inlay
