#include "tools/inlay/EngineOutput.h"

#include "base/File.h"

#include <filesystem>

namespace inlay::tools {

std::string weightsFileName(const std::string &enginePath) {
  return std::filesystem::path(enginePath).stem().string() + ".weights";
}

Status writeEngine(const std::string &path, const EngineBytes &bytes) {
  const auto textOf = [](const std::vector<std::byte> &from) {
    return std::string_view(reinterpret_cast<const char *>(from.data()), from.size());
  };
  if (!bytes.weights.empty()) {
    const auto weights = std::filesystem::path(path).replace_filename(weightsFileName(path));
    INLAY_TRY(writeFileAtomically(weights.string(), textOf(bytes.weights)));
  }
  return writeFileAtomically(path, textOf(bytes.engine));
}

} // namespace inlay::tools
