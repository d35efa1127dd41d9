// What must hold of sizes that kernels compute and of inputs that are updated in place.
#pragma once

#include "base/Status.h"
#include "engine/Engine_generated.h"

namespace inlay {

/// Checks an engine whose indices are all in range: symbols with a bound are each read once, in
/// their order, from a buffer that holds one integer, and a bound needs none that is read later;
/// inputs do not depend on them. An output that may be an input's memory is a copy of it first, and
/// nothing reads the input from then on. Errors: DataLoss naming the row, found and expected.
Status verifyOutputs(const fb::Engine &engine);

} // namespace inlay
