// Reading plugin manifests (docs/plugins-manifest.md).
#pragma once

#include "compiler/plugins/PluginDefinition.h"

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace inlay {

/// A file that is part of the program.
struct EmbeddedFile {
  const char *path;
  const char *text;
};
/// Texts of kernel files by path.
using EmbeddedFiles = std::map<std::string, std::string>;

/// Reads the plugins of a TOML text. `path` names it in messages, and kernel files are looked for
/// beside it; they are not opened here. Errors: InvalidArgument with path:line:column, the key,
/// what was found and what was expected.
/// `embedded` holds kernel files that are no files, by the path a manifest at `path` gives them.
Result<std::vector<std::unique_ptr<PluginDefinition>>>
readManifest(const std::string &path, std::string_view text, const EmbeddedFiles &embedded = {});

/// Reads a manifest file and adds all its plugins, or none.
Status addManifest(PluginRegistry &registry, const std::string &path);

} // namespace inlay
