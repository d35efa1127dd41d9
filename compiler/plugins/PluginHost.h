// The functions that a C++ plugin calls while it describes or implements a node.
#pragma once

#include "compiler/plugins/PluginDefinition.h"

#include <inlay/plugin_abi.h>

#include <string>

namespace inlay {

/// A function of a plugin that is called for a node: describe, implement or when.
using PluginCallback = void (*)(void *user, const inlay_plugin_host_v1 *host,
                                inlay_plugin_node_t *node);

/// What a plugin's function fills: exactly one is given.
struct PluginResults {
  PluginDescription *description = nullptr;
  PluginImplementation *implementation = nullptr;
  std::vector<PluginRequirement> *conditions = nullptr;
};

/// Calls a plugin's function. Kernel files are looked for in `folder`. Errors: the first that the
/// plugin or the table recorded, headed by the node and `origin`.
Status callPlugin(PluginCallback function, void *user, const PluginNode &node,
                  const std::string &origin, const std::string &folder,
                  const PluginResults &results);

/// The table with all that callbacks use; `registration`, fail and add_plugin are null.
const inlay_plugin_host_v1 &pluginNodeTable();

} // namespace inlay
