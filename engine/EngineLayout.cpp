#include "engine/EngineLayout.h"

#include "base/Error.h"
#include "engine/WeightsFile.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <cstring>

namespace inlay {
namespace {

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

uint32_t flagsOf(const fb::EngineT &engine) {
  return (hasLaunchDetails(engine) ? kLaunchDetailsFlag : 0) |
         (usesScratch(engine) ? kScratchFlag : 0) | (callsHost(engine) ? kHostCallFlag : 0) |
         (readsSizes(engine) ? kComputedSizesFlag : 0) |
         (engine.choices.empty() ? 0 : kTacticsFlag) | (hasState(engine) ? kStateFlag : 0) |
         (engine.weights_file ? kExternalWeightsFlag : 0) |
         (callsLibraries(engine) ? kLibraryFunctionsFlag : 0);
}

std::vector<std::byte> pack(const fb::EngineT &engine) {
  flatbuffers::FlatBufferBuilder builder;
  builder.Finish(fb::Engine::Pack(builder, &engine), fb::EngineIdentifier());
  const auto *begin = reinterpret_cast<const std::byte *>(builder.GetBufferPointer());
  return {begin, begin + builder.GetSize()};
}

/// Describes segments whose places are not known yet.
Status describeSegments(fb::EngineT &engine, std::span<const MaybeOwnedBytes> segments,
                        const CancelCheck &isCancelled) {
  engine.segments.clear();
  for (const MaybeOwnedBytes &bytes : segments) {
    INLAY_TRY(checkCancelled(isCancelled));
    auto segment = std::make_unique<fb::SegmentT>();
    segment->size_bytes = bytes.bytes().size();
    segment->checksum = XXH64(bytes.bytes().data(), bytes.bytes().size(), 0);
    // Not 0, so that the field is stored and the metadata's size does not depend on the offset
    // found later.
    segment->offset = 1;
    engine.segments.push_back(std::move(segment));
  }
  return {};
}

/// The header and the metadata of an engine whose segments end at `end`.
std::vector<std::byte> headOf(const fb::EngineT &engine, uint64_t segmentsOffset, uint64_t end) {
  const std::vector<std::byte> metadata = pack(engine);
  EngineHeader header{};
  std::memcpy(header.magic, kEngineMagic, sizeof(header.magic));
  header.formatVersion = kEngineFormatVersion;
  header.flags = flagsOf(engine);
  header.metadataOffset = sizeof(EngineHeader);
  header.metadataSizeBytes = metadata.size();
  header.segmentsOffset = segmentsOffset;
  header.totalSizeBytes = end;
  header.checksum = headerChecksum(header, metadata);
  INLAY_CHECK(alignSegment(sizeof(header) + metadata.size()) == segmentsOffset,
              "segment offsets change the size of the metadata");
  std::vector<std::byte> head(sizeof(header));
  std::memcpy(head.data(), &header, sizeof(header));
  head.insert(head.end(), metadata.begin(), metadata.end());
  return head;
}

} // namespace

Result<EnginePieces> layOutEngine(fb::EngineT engine, std::vector<MaybeOwnedBytes> segments,
                                  const std::string &weightsName, const CancelCheck &isCancelled) {
  EnginePieces files;
  engine.weights_file.reset();
  INLAY_TRY(describeSegments(engine, segments, isCancelled));
  if (!weightsName.empty()) {
    INLAY_ASSIGN(files.weights, moveWeightsOut(engine, segments, weightsName));
  }
  const uint64_t segmentsOffset = alignSegment(sizeof(EngineHeader) + pack(engine).size());
  uint64_t end = segmentsOffset;
  for (size_t i = 0; i < segments.size(); ++i) {
    if (engine.segments[i]->is_external)
      continue;
    engine.segments[i]->offset = alignSegment(end);
    end = engine.segments[i]->offset + segments[i].bytes().size();
  }
  std::vector<std::byte> head = headOf(engine, segmentsOffset, end);
  // The checksums of segments are known to be right; they need not be read again.
  if (Result<const fb::Engine *> verified = verifyEngineHead(head, end); !verified.isOk())
    return internalError("the engine to be written does not verify: {}",
                         verified.status().message());
  files.engine.append(std::move(head));
  for (size_t i = 0; i < segments.size(); ++i) {
    if (engine.segments[i]->is_external)
      continue;
    files.engine.padTo(engine.segments[i]->offset);
    files.engine.append(std::move(segments[i]));
  }
  files.engine.padTo(end);
  return files;
}

Result<EngineBytes> writeEngineFiles(fb::EngineT engine,
                                     std::span<const std::vector<std::byte>> segments,
                                     const std::string &weightsName) {
  std::vector<MaybeOwnedBytes> borrowed;
  for (const std::vector<std::byte> &segment : segments)
    borrowed.push_back(MaybeOwnedBytes::borrow(segment));
  INLAY_ASSIGN(const EnginePieces files,
               layOutEngine(std::move(engine), std::move(borrowed), weightsName));
  return files.toBytes();
}

Result<std::vector<std::byte>> writeEngineFile(fb::EngineT engine,
                                               std::span<const std::vector<std::byte>> segments) {
  INLAY_ASSIGN(EngineBytes written, writeEngineFiles(std::move(engine), segments, ""));
  return std::move(written.engine);
}

} // namespace inlay
