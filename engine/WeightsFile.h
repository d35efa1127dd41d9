// The file beside an engine that holds its weights: a header of 64 bytes, then the engine's
// external segments, each at a multiple of 64.
#pragma once

#include "base/FilePieces.h"
#include "base/Status.h"
#include "engine/EngineFile.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace inlay {

/// The version of the file's layout.
inline constexpr uint32_t kWeightsFormatVersion = 1;

/// The first 64 bytes, little-endian.
struct WeightsHeader {
  char magic[8];           // "INLAYWTS"
  uint32_t formatVersion;  // kWeightsFormatVersion
  uint32_t reserved;       // 0
  uint64_t totalSizeBytes; // of the file
  uint64_t checksum;       // XXH64 of all behind the header, seed 0
  uint64_t padding[4];     // 0
};
static_assert(sizeof(WeightsHeader) == 64);

/// The next place where a segment may begin.
uint64_t alignSegment(uint64_t offset);

/// Marks the segments of constants and state as external, with their places in the weights file
/// `name`, which it describes in the engine; gives the file, into which it moves their bytes. The
/// engine's segments have sizes and checksums. Errors: InvalidArgument for a name that is no plain
/// file name.
Result<FilePieces> moveWeightsOut(fb::EngineT &engine, std::span<MaybeOwnedBytes> segments,
                                  const std::string &name);

/// Checks that a file is the one that an engine was written with, byte for byte. Errors: DataLoss
/// (no weights file, truncated, corrupt), Incompatible (that of another engine, another version).
Status verifyWeightsFile(std::span<const std::byte> file, const fb::WeightsFile &expected);

/// True for the name of a file without a folder.
bool isPlainFileName(std::string_view name);

} // namespace inlay
