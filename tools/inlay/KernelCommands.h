// What the subcommands of `inlay kernel` share.
#pragma once

#include "base/Status.h"
#include "compiler/driver/KernelTool.h"

#include <string>

namespace CLI {
class App;
}

namespace inlay::tools {

/// Splits "FILE.py:FUNCTION"; a tile module ("FILE.mlir") may come without a function. Errors:
/// InvalidArgument.
Status splitKernelName(const std::string &name, KernelToolRequest &request);

/// `inlay kernel run`: one kernel once, on NumPy arrays.
void addKernelRunCommand(CLI::App &kernel, Status &outcome);
/// `inlay kernel check`: all kernels of files and packages.
void addKernelCheckCommand(CLI::App &kernel, Status &outcome);

} // namespace inlay::tools
