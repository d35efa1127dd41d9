// The subcommands of `inlay`. Each adds itself to the command line; when chosen, it runs and leaves
// its outcome.
#pragma once

#include "base/Status.h"

namespace CLI {
class App;
}

namespace inlay::tools {

/// `inlay build`: a `.pt2` and plugins to an engine file.
void addBuildCommand(CLI::App &app, Status &outcome);
/// `inlay refit`: an engine with other weights.
void addRefitCommand(CLI::App &app, Status &outcome);
/// `inlay inspect`: an engine file as text or JSON.
void addInspectCommand(CLI::App &app, Status &outcome);
/// `inlay kernel compile|list`: one Triton-language kernel.
void addKernelCommand(CLI::App &app, Status &outcome);
/// `inlay doctor`: what this machine offers.
void addDoctorCommand(CLI::App &app, Status &outcome);
/// `inlay env`: the environment variables Inlay reads.
void addEnvCommand(CLI::App &app, Status &outcome);

} // namespace inlay::tools
