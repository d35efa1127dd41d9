// `inlay run`: an engine once, on NumPy arrays.
#pragma once

#include "base/Status.h"

namespace CLI {
class App;
}

namespace inlay::tools {

/// Adds the options of a run to a command or to a whole program; when parsed, it runs and leaves
/// its outcome. A failed --check is an outcome of code OutOfRange.
void addRunOptions(CLI::App &command, Status &outcome);
/// `inlay run`.
void addRunCommand(CLI::App &app, Status &outcome);

} // namespace inlay::tools
