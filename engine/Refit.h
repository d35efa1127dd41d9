// New weights for an engine: what fits, and the engine that has them.
#pragma once

#include "base/DataType.h"
#include "base/Status.h"
#include "engine/EngineFile.h"
#include "engine/EngineLayout.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace inlay {

/// A tensor for a weight of this name, dense and row-major. The bytes are borrowed.
struct NewWeight {
  std::string name;
  DataType dtype = DataType::Float32;
  std::vector<int64_t> shape;
  std::span<const std::byte> bytes;
};

/// The row in the engine's weights of each new one. `isComplete` asks for all of them. Errors:
/// FailedPrecondition for an engine that was not built to be refitted; InvalidArgument that lists
/// every mismatch: a weight that is missing, one that the engine does not have, one given twice, of
/// another dtype or shape.
Result<std::vector<uint32_t>> matchWeights(const EngineFile &file,
                                           std::span<const NewWeight> weights, bool isComplete);

/// The engine with other weights, in the same form: inside it, or in a file of the name
/// `weightsName` if it has one of its own. Weights that are not given stay. The bytes of all are
/// borrowed. Errors: those of matchWeights.
Result<EnginePieces> refitEngine(const EngineFile &file, std::span<const NewWeight> weights,
                                 bool isComplete, const std::string &weightsName);

/// The same engine with its weights inside, whose bytes are borrowed.
Result<FilePieces> moveWeightsIn(const EngineFile &file);

} // namespace inlay
