// Plugins in shared libraries.
#pragma once

#include "compiler/plugins/PluginDefinition.h"

#include <string>

namespace inlay {

/// Opens a plugin library and adds its plugins: all, or, on an error, none. The library stays open
/// as long as one of them lives. Its code runs in this process. Errors: NotFound with the loader's
/// reason; Incompatible if it exports no entry that this Inlay knows; those of addCppPlugins.
Status addPluginLibrary(PluginRegistry &registry, const std::string &path);

} // namespace inlay
