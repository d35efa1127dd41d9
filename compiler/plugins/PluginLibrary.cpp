#include "compiler/plugins/PluginLibrary.h"

#include "base/DynamicLibrary.h"
#include "base/Error.h"
#include "compiler/plugins/CppPlugin.h"

#include <filesystem>

namespace inlay {

Status addPluginLibrary(PluginRegistry &registry, const std::string &path) {
  constexpr const char *kEntry = "inlay_register_plugins_v1";
  // A bare name would be looked for along the loader's search path.
  const std::string file = path.find('/') == std::string::npos ? "./" + path : path;
  INLAY_ASSIGN(DynamicLibrary opened, DynamicLibrary::open(file));
  auto library = std::make_shared<DynamicLibrary>(std::move(opened));
  void *entry = library->find(kEntry);
  if (!entry)
    return incompatible("plugin library '{}' exports no {}; define its plugins under "
                        "INLAY_PLUGIN_LIBRARY of inlay/plugin.h, and build it for this Inlay",
                        path, kEntry);
  const PluginSource source{path, std::filesystem::path(path).parent_path().string(), library};
  return addCppPlugins(registry, reinterpret_cast<decltype(&inlay_register_plugins_v1)>(entry),
                       source);
}

} // namespace inlay
