// Outputs that may be bound to the memory of an input, which is then updated in place.
#pragma once

#include "compiler/dialects/plan/Plan.h"

namespace inlay {

/// Marks outputs whose buffer begins as a copy of an input that no later step uses: the caller may
/// bind both to the same memory. An input is marked once.
void markUpdatedInputs(plan::ProgramOp program);

} // namespace inlay
