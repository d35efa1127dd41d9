// Writes a compiled plan as an engine file.
#pragma once

#include "base/Status.h"
#include "compiler/driver/CompileKernels.h"
#include "engine/EngineLayout.h"

#include <string>
#include <utility>
#include <vector>

namespace inlay {

/// How an engine was made: keys and values, without times, paths or anything else that differs
/// between equal builds.
using BuildRecord = std::vector<std::pair<std::string, std::string>>;

/// Translates a verified plan and its compiled kernels, in the plan's order, into an engine file.
/// `name` is the engine's; `weightsFile` names the file that takes the weights, if they are to lie
/// beside it. The bytes of weights are borrowed from the context of the plan. Deterministic.
/// Errors: InvalidArgument for a name with a folder, Cancelled, Internal (a plan that the verifier
/// should have refused).
Result<EnginePieces> planToEngine(plan::ProgramOp program,
                                  const std::vector<CompiledKernel> &kernels,
                                  const std::string &name, const BuildRecord &record,
                                  const std::string &weightsFile = "",
                                  const CancelCheck &isCancelled = {});

} // namespace inlay
