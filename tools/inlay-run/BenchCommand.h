// `inlay bench`: how long runs of an engine take.
#pragma once

#include "base/Status.h"

namespace CLI {
class App;
}

namespace inlay::tools {

/// `inlay bench`.
void addBenchCommand(CLI::App &app, Status &outcome);

} // namespace inlay::tools
