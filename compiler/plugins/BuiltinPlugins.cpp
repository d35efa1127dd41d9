#include "compiler/plugins/BuiltinPlugins.h"

#include "compiler/plugins/Manifest.h"

#include <algorithm>

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
      // A variant of the user's may refuse nodes, which the built-in one then serves.
      const auto isReplacement = [&](const PluginDefinition *known) {
        return known->variant().empty() &&
               (known->takesAllTensors() || known->inputNames() == definition->inputNames());
      };
      const auto known = registry.candidates(definition->opName(), definition->inputNames());
      const auto replacement = std::ranges::find_if(known, isReplacement);
      if (replacement == known.end())
        INLAY_TRY(registry.add(std::move(definition)));
      else
        registry.noteOverride(**replacement);
    }
  }
  return {};
}

} // namespace inlay
