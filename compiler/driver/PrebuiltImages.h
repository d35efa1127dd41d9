// Images of kernels that others compiled: which of a kernel's serve a target, and what becomes of
// them.
#pragma once

#include "base/Status.h"
#include "compiler/dialects/plan/Plan.h"
#include "compiler/targets/Target.h"

#include <optional>
#include <string>
#include <vector>

namespace inlay {

/// The images of a plan.kernel (their keys: conversions/graph-to-plan/PrebuiltKernels.h) that a
/// build for `target` takes: those given for this very target, else those for its family, else
/// those for another target whose code runs on it; of each kind the code for the newest
/// architecture. PTX is assembled where ptxas is installed, CUDA C++ compiled, an object linked.
/// Nullopt if none serves the target. Errors: InvalidArgument naming file, kernel and parameter;
/// NotFound if NVRTC is not installed; what NVRTC, ptxas or LLD say.
Result<std::optional<std::vector<KernelImage>>>
prebuiltImages(plan::ProgramOp program, plan::KernelOp kernel, const std::string &target);

/// The family of targets of a kernel that is a library's function, "cpu"; empty for other kernels.
std::string_view libraryFamily(plan::KernelOp kernel);

/// "ptx for sm_90, o for cpu": what a kernel's images are for, for messages.
std::string describePrebuilt(plan::KernelOp kernel);

} // namespace inlay
