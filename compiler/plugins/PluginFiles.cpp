#include "compiler/plugins/PluginFiles.h"

#include "base/Error.h"
#include "compiler/plugins/Manifest.h"
#include "compiler/plugins/PluginLibrary.h"

namespace inlay {

Status addPluginFile(PluginRegistry &registry, const std::string &path) {
  if (path.ends_with(".toml"))
    return addManifest(registry, path);
  // Versioned libraries end in ".so.1.2".
  if (path.ends_with(".so") || path.find(".so.") != std::string::npos)
    return addPluginLibrary(registry, path);
  return invalidArgument("plugin '{}' is neither a manifest (.toml) nor a library (.so)", path);
}

} // namespace inlay
