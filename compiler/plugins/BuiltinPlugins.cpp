#include "compiler/plugins/BuiltinPlugins.h"

#include "compiler/plugins/Manifest.h"

namespace inlay {

// Generated from the files in ops/.
extern const EmbeddedFile kEmbeddedFiles[];
extern const size_t kNumEmbeddedFiles;

Status addBuiltinPlugins(PluginRegistry &registry) {
  EmbeddedFiles files;
  for (size_t i = 0; i < kNumEmbeddedFiles; ++i)
    files.emplace(kEmbeddedFiles[i].path, kEmbeddedFiles[i].text);
  for (const auto &[path, text] : files) {
    if (!path.ends_with(".toml"))
      continue;
    INLAY_ASSIGN(auto definitions, readManifest(path, text, files), "reading the built-in plugins");
    for (std::unique_ptr<PluginDefinition> &definition : definitions) {
      const PluginDefinition *known = registry.find(definition->opName(), definition->inputNames());
      if (!known || (known->inputNames() != definition->inputNames() && !known->takesAllTensors()))
        INLAY_TRY(registry.add(std::move(definition)));
    }
  }
  return {};
}

} // namespace inlay
