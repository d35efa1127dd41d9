// Laying out engine files: from metadata and segments to the bytes of files.
#pragma once

#include "base/FilePieces.h"
#include "base/Status.h"
#include "engine/EngineFile.h"

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace inlay {

/// The bytes of an engine, and of the file with its weights if they lie beside it. Segments that
/// were borrowed still are.
struct EnginePieces {
  FilePieces engine;
  FilePieces weights; // empty: they are in the engine

  EngineBytes toBytes() const { return {engine.toBytes(), weights.toBytes()}; }
};

/// Lays out an engine file. Fills `engine.segments`; the i-th segment holds the i-th bytes, of
/// which none are copied. With `weightsName`, a file name without a folder, the segments of
/// constants and state go into that file. The same arguments give the same bytes. Errors:
/// InvalidArgument for a name with a folder, Cancelled, Internal if the result does not verify.
Result<EnginePieces> layOutEngine(fb::EngineT engine, std::vector<MaybeOwnedBytes> segments,
                                  const std::string &weightsName,
                                  const CancelCheck &isCancelled = {});

/// As layOutEngine, in memory and with copies of the segments.
Result<EngineBytes> writeEngineFiles(fb::EngineT engine,
                                     std::span<const std::vector<std::byte>> segments,
                                     const std::string &weightsName);
/// As writeEngineFiles, with the weights in the engine.
Result<std::vector<std::byte>> writeEngineFile(fb::EngineT engine,
                                               std::span<const std::vector<std::byte>> segments);

} // namespace inlay
