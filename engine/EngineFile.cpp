#include "engine/EngineFile.h"

#include "base/Error.h"
#include "engine/WeightsFile.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <cstring>
#include <filesystem>

namespace inlay {
namespace {

constexpr char kMagic[9] = "INLAYENG";
/// FlatBuffers' offsets are 32 bits wide.
constexpr uint64_t kMaxMetadataBytes = uint64_t{1} << 31;

uint64_t checksumOf(std::span<const std::byte> bytes) {
  return XXH64(bytes.data(), bytes.size(), 0);
}

/// Checksum over the header's fields before `checksum`, continued over the metadata.
uint64_t headerChecksum(const EngineHeader &header, std::span<const std::byte> metadata) {
  const uint64_t seed = XXH64(&header, offsetof(EngineHeader, checksum), 0);
  return XXH64(metadata.data(), metadata.size(), seed);
}

/// True if a runtime that does not know these fields would launch wrongly.
bool hasLaunchDetails(const fb::EngineT &engine) {
  for (const auto &kernel : engine.kernels)
    for (const auto &image : kernel->images)
      if (!image->block.empty() || !image->cluster.empty() || image->blocks_per_program != 1 ||
          image->is_cooperative || image->is_programmatic)
        return true;
  const uint32_t absent = fb::LaunchT().shared_bytes;
  for (const auto &step : engine.steps)
    if (const fb::LaunchT *launch = step->kind.AsLaunch())
      if (!launch->block.empty() || launch->shared_bytes != absent)
        return true;
  return false;
}

Status verifyHeader(const EngineHeader &header, uint64_t fileSizeBytes) {
  if (std::memcmp(header.magic, kMagic, sizeof(header.magic)) != 0)
    return dataLoss("not an engine file: it does not start with \"{}\"", kMagic);
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

bool hasState(const fb::EngineT &engine) {
  return std::ranges::any_of(engine.buffers, [](const std::unique_ptr<fb::BufferT> &buffer) {
    return buffer->kind == fb::BufferKind::State;
  });
}

bool readsSizes(const fb::EngineT &engine) {
  for (const std::unique_ptr<fb::StepT> &step : engine.steps)
    if (step->kind.AsReadSize())
      return true;
  return false;
}

bool callsLibraries(const fb::EngineT &engine) {
  for (const std::unique_ptr<fb::KernelT> &kernel : engine.kernels)
    for (const std::unique_ptr<fb::ImageT> &image : kernel->images)
      if (image->format == fb::ImageFormat::LibraryFunction)
        return true;
  return false;
}

bool callsHost(const fb::EngineT &engine) {
  for (const std::unique_ptr<fb::StepT> &step : engine.steps)
    if (step->kind.AsHostCall())
      return true;
  return false;
}

bool usesScratch(const fb::EngineT &engine) {
  for (const std::unique_ptr<fb::KernelT> &kernel : engine.kernels)
    for (const std::unique_ptr<fb::ImageT> &image : kernel->images)
      if (image->scratch_bytes != 0)
        return true;
  return false;
}

} // namespace

Result<std::vector<std::byte>> writeEngineFile(fb::EngineT engine,
                                               std::span<const std::vector<std::byte>> segments) {
  INLAY_ASSIGN(EngineBytes written, writeEngineFiles(std::move(engine), segments, ""));
  return std::move(written.engine);
}

Result<EngineBytes> writeEngineFiles(fb::EngineT engine,
                                     std::span<const std::vector<std::byte>> segments,
                                     const std::string &weightsName) {
  EngineBytes written;
  engine.segments.clear();
  engine.weights_file.reset();
  for (const std::vector<std::byte> &bytes : segments) {
    auto segment = std::make_unique<fb::SegmentT>();
    segment->size_bytes = bytes.size();
    segment->checksum = checksumOf(bytes);
    // Not 0, so that the field is stored and the metadata's size does not depend on the offset
    // found below.
    segment->offset = 1;
    engine.segments.push_back(std::move(segment));
  }
  if (!weightsName.empty()) {
    INLAY_ASSIGN(written.weights, moveWeightsOut(engine, segments, weightsName));
  }
  auto pack = [&] {
    flatbuffers::FlatBufferBuilder builder;
    builder.Finish(fb::Engine::Pack(builder, &engine), fb::EngineIdentifier());
    const auto *begin = reinterpret_cast<const std::byte *>(builder.GetBufferPointer());
    return std::vector<std::byte>(begin, begin + builder.GetSize());
  };
  const uint64_t metadataSizeBytes = pack().size();
  const uint64_t segmentsOffset = alignSegment(sizeof(EngineHeader) + metadataSizeBytes);
  uint64_t end = segmentsOffset;
  for (size_t i = 0; i < segments.size(); ++i) {
    if (engine.segments[i]->is_external)
      continue;
    engine.segments[i]->offset = alignSegment(end);
    end = engine.segments[i]->offset + segments[i].size();
  }
  const std::vector<std::byte> metadata = pack();
  INLAY_CHECK(metadata.size() == metadataSizeBytes,
              "segment offsets change the size of the metadata");

  EngineHeader header{};
  std::memcpy(header.magic, kMagic, sizeof(header.magic));
  header.formatVersion = kEngineFormatVersion;
  header.flags =
      (hasLaunchDetails(engine) ? kLaunchDetailsFlag : 0) |
      (usesScratch(engine) ? kScratchFlag : 0) | (callsHost(engine) ? kHostCallFlag : 0) |
      (readsSizes(engine) ? kComputedSizesFlag : 0) | (engine.choices.empty() ? 0 : kTacticsFlag) |
      (hasState(engine) ? kStateFlag : 0) | (engine.weights_file ? kExternalWeightsFlag : 0) |
      (callsLibraries(engine) ? kLibraryFunctionsFlag : 0);
  header.metadataOffset = sizeof(EngineHeader);
  header.metadataSizeBytes = metadataSizeBytes;
  header.segmentsOffset = segmentsOffset;
  header.totalSizeBytes = end;
  header.checksum = headerChecksum(header, metadata);

  std::vector<std::byte> &file = written.engine;
  file.resize(end);
  std::memcpy(file.data(), &header, sizeof(header));
  std::memcpy(file.data() + sizeof(header), metadata.data(), metadata.size());
  for (size_t i = 0; i < segments.size(); ++i)
    if (!engine.segments[i]->is_external)
      std::ranges::copy(segments[i],
                        file.begin() + static_cast<ptrdiff_t>(engine.segments[i]->offset));
  Result<EngineFile> readBack = EngineFile::fromBytes(written);
  if (!readBack.isOk())
    return internalError("the engine just written does not verify: {}",
                         readBack.status().message());
  return written;
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

Status EngineFile::load() {
  const std::span<const std::byte> file = bytes();
  if (file.size() < sizeof(EngineHeader))
    return dataLoss("engine is {} bytes long; the header alone takes {}", file.size(),
                    sizeof(EngineHeader));
  EngineHeader header;
  std::memcpy(&header, file.data(), sizeof(header));
  INLAY_TRY(verifyHeader(header, file.size()));
  const auto metadata = file.subspan(header.metadataOffset, header.metadataSizeBytes);
  if (headerChecksum(header, metadata) != header.checksum)
    return dataLoss("engine metadata is corrupt: its checksum differs from the header's");
  flatbuffers::Verifier verifier(reinterpret_cast<const uint8_t *>(metadata.data()),
                                 metadata.size(), 64, 10'000'000);
  if (!fb::VerifyEngineBuffer(verifier))
    return dataLoss("engine metadata is corrupt: it is no valid FlatBuffer of type Engine");
  engine_ = fb::GetEngine(metadata.data());
  INLAY_TRY(verifyEngine(*engine_, header.segmentsOffset, file.size()));
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
