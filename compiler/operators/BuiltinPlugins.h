// The standard operators: described in ops/ or in C++, and carried inside the compiler.
#pragma once

#include "compiler/plugins/PluginDefinition.h"

namespace inlay {

/// Adds the plugins of ops/ and of this folder that the registry does not have: an operator that
/// the user's plugins serve with the same tensor arguments stays the user's.
Status addBuiltinPlugins(PluginRegistry &registry);

} // namespace inlay
