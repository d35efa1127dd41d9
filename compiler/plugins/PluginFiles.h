// Plugins by the name of their file.
#pragma once

#include "compiler/plugins/PluginDefinition.h"

#include <string>

namespace inlay {

/// Adds the plugins of a manifest (.toml) or of a plugin library (.so), all or none. Errors:
/// InvalidArgument for another ending; those of addManifest and addPluginLibrary.
Status addPluginFile(PluginRegistry &registry, const std::string &path);

} // namespace inlay
