// What must hold of the weights of an engine, and of the file that may hold them.
#pragma once

#include "base/Status.h"
#include "engine/Engine_generated.h"

namespace inlay {

/// Checks an engine whose segments and buffers are verified: weights have names, each its own, and
/// a known type and shape; each belongs to a constant or state of that size, no two to one; a
/// weights file has a plain name, and external segments are there only with one, and are never
/// code. Errors: DataLoss naming the row, found and expected.
Status verifyWeights(const fb::Engine &engine);

} // namespace inlay
