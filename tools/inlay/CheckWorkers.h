// Checks kernels in processes of their own, so that one that crashes, hangs or takes all memory
// takes nothing else along.
#pragma once

#include "compiler/driver/KernelCheck.h"

#include <functional>

namespace inlay::tools {

struct CheckLimits {
  int jobs = 1;         // processes at the same time
  int seconds = 120;    // wall time of one kernel
  int megabytes = 8192; // address space of one kernel
};

struct CheckedKernel {
  FoundKernel kernel;
  KernelCheckResult result; // empty if its process did not finish
  std::string failure;      // why it did not
};

/// Checks `kernels` and returns them in the same order; `seen` is called for each in that order, as
/// soon as it and all before it are done. Must be called while the process has one thread. Errors:
/// Internal, if no process can be made.
Result<std::vector<CheckedKernel>>
checkInWorkers(const KernelPackage &package, const std::vector<FoundKernel> &kernels,
               const KernelCheckOptions &options, const CheckLimits &limits,
               const std::function<void(const CheckedKernel &)> &seen);

} // namespace inlay::tools
