// Engine files: writing them, and reading them so that nothing is used before it is checked.
#pragma once

#include "base/MappedFile.h"
#include "base/Status.h"
#include "engine/Engine_generated.h"
#include "symbolic/Expr.h"

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace inlay {

/// The version of the file's layout (EngineHeader); the metadata evolves by FlatBuffers' rules
/// within one version.
inline constexpr uint32_t kEngineFormatVersion = 1;
/// Segments start at multiples of this, counted from the start of the file.
inline constexpr uint64_t kSegmentAlignmentBytes = 64;

/// Flag of engines whose images or launches say more than older runtimes look for: blocks, clusters
/// and what else a launch on a GPU needs. Without it they would be launched wrongly.
inline constexpr uint32_t kLaunchDetailsFlag = 1;
/// Flag of engines with code for the CPU that takes scratch memory (Image.scratch_bytes), a further
/// argument that older runtimes do not give it.
inline constexpr uint32_t kScratchFlag = 2;
/// Flag of engines that call functions of the process that runs them.
inline constexpr uint32_t kHostCallFlag = 4;
/// Flag of engines with sizes that their kernels compute: symbols with a bound, ReadSize steps.
inline constexpr uint32_t kComputedSizesFlag = 8;
/// Flag of engines with launches that run only if their tactic is taken.
inline constexpr uint32_t kTacticsFlag = 16;
/// Flag of engines with state: memory that a context keeps from one run to the next.
inline constexpr uint32_t kStateFlag = 32;
/// Flag of engines whose weights lie in a file of their own.
inline constexpr uint32_t kExternalWeightsFlag = 64;
/// Flag of engines with kernels that are functions of libraries on the machine.
inline constexpr uint32_t kLibraryFunctionsFlag = 128;
/// All flags that this version of the code knows.
inline constexpr uint32_t kKnownEngineFlags = kLaunchDetailsFlag | kScratchFlag | kHostCallFlag |
                                              kComputedSizesFlag | kTacticsFlag | kStateFlag |
                                              kExternalWeightsFlag | kLibraryFunctionsFlag;

/// The first 64 bytes of an engine file, little-endian.
struct EngineHeader {
  char magic[8];           // "INLAYENG"
  uint32_t formatVersion;  // kEngineFormatVersion
  uint32_t flags;          // of kKnownEngineFlags; others are refused
  uint64_t metadataOffset; // of the FlatBuffer, a multiple of 64
  uint64_t metadataSizeBytes;
  uint64_t segmentsOffset; // end of the metadata, rounded up to 64
  uint64_t totalSizeBytes; // of the file
  uint64_t checksum;       // XXH64 of the 48 bytes before, continued over the metadata
  uint64_t reserved;       // 0
};
static_assert(sizeof(EngineHeader) == 64);

/// What an engine file starts with.
inline constexpr char kEngineMagic[9] = "INLAYENG";
/// Checksum over the header's fields before `checksum`, continued over the metadata.
uint64_t headerChecksum(const EngineHeader &header, std::span<const std::byte> metadata);

/// An engine, and the file with its weights if they lie beside it.
struct EngineBytes {
  std::vector<std::byte> engine;
  std::vector<std::byte> weights; // empty: they are in the engine
};

/// Checks the metadata of an engine beyond what FlatBuffers checks: every index, kind, size and
/// name, so that the runtime may use it without looking. Segment offsets are checked against
/// `fileSizeBytes` and the first offset they may have. Errors: DataLoss naming the field, what was
/// found and what was expected.
Status verifyEngine(const fb::Engine &engine, uint64_t segmentsOffset, uint64_t fileSizeBytes);

/// Checks the header and the metadata that an engine file of `fileSizeBytes` starts with, and gives
/// the metadata, which lies in `head`. Errors: DataLoss, Incompatible (another format version).
Result<const fb::Engine *> verifyEngineHead(std::span<const std::byte> head,
                                            uint64_t fileSizeBytes);

/// A verified engine file, mapped or in memory. Read-only, safe to share between threads.
class EngineFile {
public:
  /// Maps and verifies a file: header, checksum, metadata, and the checksums of all segments that
  /// hold code. Errors: NotFound, DataLoss (truncated or corrupt), Incompatible (another format
  /// version). Weights that lie beside the engine are mapped from `weightsPath`, or if that is
  /// empty from the file that the engine names, in its own folder, and all of their bytes are
  /// checked. Errors of these: NotFound, Incompatible (of another engine), DataLoss;
  /// InvalidArgument for a path where the weights are inside the engine.
  static Result<EngineFile> open(const std::string &path, const std::string &weightsPath = "");
  /// As open, for bytes in memory; the path of weights beside them has to be given.
  static Result<EngineFile> fromBytes(std::vector<std::byte> bytes,
                                      const std::string &weightsPath = "");
  /// As open, for an engine and its weights in memory.
  static Result<EngineFile> fromBytes(EngineBytes bytes);

  const fb::Engine &engine() const { return *engine_; }
  /// The expression program (symbolic/Expr.h); verified, so evaluateProgram may run it.
  std::span<const ExprInstruction> expressions() const { return expressions_; }
  /// Bytes of a segment; valid as long as this file.
  std::span<const std::byte> segment(uint32_t index) const;
  /// Compares the checksums of all segments, constants too. Errors: DataLoss naming the segment.
  Status verifyAllSegments() const;
  uint64_t sizeBytes() const { return bytes().size(); }

private:
  EngineFile() = default;
  Status load();
  Status loadWeights(const std::string &path, const std::string &folder);
  Status checkWeights(std::span<const std::byte> bytes) const;
  Status verifySegment(uint32_t index) const;
  std::span<const std::byte> bytes() const {
    return mapped_ ? mapped_->bytes() : std::span<const std::byte>(owned_);
  }
  std::span<const std::byte> weightsBytes() const {
    return mappedWeights_ ? mappedWeights_->bytes() : std::span<const std::byte>(ownedWeights_);
  }

  std::optional<MappedFile> mapped_;
  std::vector<std::byte> owned_;
  std::optional<MappedFile> mappedWeights_;
  std::vector<std::byte> ownedWeights_;
  const fb::Engine *engine_ = nullptr; // inside the bytes
  std::vector<ExprInstruction> expressions_;
};

} // namespace inlay
