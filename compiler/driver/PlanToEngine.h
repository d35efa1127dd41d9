// Writes a compiled plan as an engine file.
#pragma once

#include "base/Status.h"
#include "compiler/driver/CompileKernels.h"

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace inlay {

/// How an engine was made: keys and values, without times, paths or anything else that differs
/// between equal builds.
using BuildRecord = std::vector<std::pair<std::string, std::string>>;

/// Translates a verified plan and its compiled kernels, in the plan's order, into an engine file.
/// `name` is the engine's. Deterministic. Errors: Internal (a plan that the verifier should have
/// refused).
Result<std::vector<std::byte>> planToEngine(plan::ProgramOp program,
                                            const std::vector<CompiledKernel> &kernels,
                                            const std::string &name, const BuildRecord &record);

} // namespace inlay
