#pragma once

#include <inlay/plugin.h>

void addPlugins(inlay::PluginRegistry &plugins);
