#include "tools/inlay/EngineOutput.h"

#include <filesystem>

namespace inlay::tools {

std::string weightsFileName(const std::string &enginePath) {
  return std::filesystem::path(enginePath).stem().string() + ".weights";
}

Status writeEngine(const std::string &path, const FilePieces &engine, const FilePieces &weights,
                   const CancelCheck &isCancelled) {
  if (weights.isEmpty())
    return engine.save(path, isCancelled);
  const auto beside = std::filesystem::path(path).replace_filename(weightsFileName(path));
  INLAY_TRY(weights.save(beside.string(), isCancelled));
  return engine.save(path); // an engine that was there before would not fit the new weights
}

} // namespace inlay::tools
