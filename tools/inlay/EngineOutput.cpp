#include "tools/inlay/EngineOutput.h"

#include <filesystem>

namespace inlay::tools {

std::string weightsFileName(const std::string &enginePath) {
  return std::filesystem::path(enginePath).stem().string() + ".weights";
}

Status writeEngine(const std::string &path, const FilePieces &engine, const FilePieces &weights) {
  if (!weights.isEmpty())
    INLAY_TRY(
        weights.save(std::filesystem::path(path).replace_filename(weightsFileName(path)).string()));
  return engine.save(path);
}

} // namespace inlay::tools
