// Which of a plan's tactics an engine keeps, and in which order it tries them.
#pragma once

#include "base/Status.h"
#include "compiler/dialects/plan/Plan.h"
#include "compiler/driver/Build.h"
#include "compiler/targets/Target.h"

#include <memory>
#include <string>
#include <vector>

namespace inlay {

/// Decides the choices of a plan. For each device that `options.timers` measure on, and each
/// profile of the plan, the tactics that can be taken at the sizes to tune for are ordered by their
/// times; those that cannot stay in front of them, as the plugin wrote them. Where nothing is
/// measured the order is the plugin's. An order ends with its first tactic without a condition;
/// what no order names leaves the plan, with its kernels. A tactic that cannot be compiled or run
/// on a device is passed over there. Errors: InvalidArgument if no target of the build runs on a
/// device; those of the timer if none of a choice's tactics can be measured.
Result<std::vector<TacticReport>> selectTactics(plan::ProgramOp program,
                                                const std::vector<std::unique_ptr<Target>> &targets,
                                                const BuildOptions &options);

} // namespace inlay
