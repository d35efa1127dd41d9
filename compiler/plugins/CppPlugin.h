// Plugins that come through the C interface of inlay/plugin_abi.h, from C++ or another language.
#pragma once

#include "compiler/plugins/PluginDefinition.h"

#include <inlay/plugin_abi.h>

#include <functional>
#include <memory>
#include <string>

namespace inlay {

/// Where plugins come from.
struct PluginSource {
  std::string origin;                    // for messages: "libadd_one.so"
  std::string folder;                    // where relative kernel files lie; empty: the current one
  std::shared_ptr<const void> keepAlive; // holds their code; released after the last of them
};

/// Calls `registerPlugins` with a table and adds what it adds: all, or, on an error, none. Errors:
/// what it passes to fail, malformed definitions, and those of PluginRegistry::addAll.
Status addCppPlugins(PluginRegistry &registry,
                     const std::function<void(const inlay_plugin_host_v1 *)> &registerPlugins,
                     const PluginSource &source);

} // namespace inlay
