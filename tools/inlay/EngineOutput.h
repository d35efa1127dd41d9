// Where the commands put the engines that they make.
#pragma once

#include "base/Status.h"
#include "engine/EngineLayout.h"

#include <string>

namespace inlay::tools {

/// Name of the weights file beside an engine: "model.weights" for "out/model.inlay".
std::string weightsFileName(const std::string &enginePath);

/// Writes an engine, each of its files whole or not at all. Weights that lie beside it are written
/// first, into its folder under the name that weightsFileName gives, so that an engine is never
/// there without them. Errors: those of writeFileAtomically.
Status writeEngine(const std::string &path, const FilePieces &engine, const FilePieces &weights,
                   const CancelCheck &isCancelled = {});

} // namespace inlay::tools
