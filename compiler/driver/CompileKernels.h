// Compiles the kernels of a plan for the targets of a build.
#pragma once

#include "base/Status.h"
#include "compiler/dialects/plan/Plan.h"
#include "compiler/driver/Build.h"
#include "compiler/targets/Target.h"

#include <memory>
#include <string>
#include <vector>

namespace inlay {

/// What became of one kernel of a plan.
struct CompiledKernel {
  std::string name; // symbol in the plan
  std::vector<KernelParameter> parameters;
  std::vector<KernelImage> images; // by target in the order asked for
  std::vector<double> imageMs;     // time of the target that made the image
};

/// Makes the targets that the names stand for, each once. Errors: InvalidArgument.
Result<std::vector<std::unique_ptr<Target>>>
createBuildTargets(const std::vector<std::string> &names);

/// Compiles every kernel of the plan for every target. Errors carry kernel, source, plugins and
/// target.
Result<std::vector<CompiledKernel>>
compileKernels(plan::ProgramOp program, const std::vector<std::unique_ptr<Target>> &targets,
               const BuildOptions &options);

/// The operators that launch a kernel, sorted, each once.
std::vector<std::string> pluginsOfKernel(plan::ProgramOp program, llvm::StringRef kernel);

} // namespace inlay
