// What must hold of the tactics of which a context takes one.
#pragma once

#include "base/Status.h"
#include "engine/Engine_generated.h"

namespace inlay {

/// Checks an engine whose steps are known to be of known kinds: each choice has tactics and orders
/// of them; in an order every tactic stands once, the last can always be taken, and the last order
/// fits every device and profile; launches name tactics that there are. Errors: DataLoss naming the
/// row, found and expected.
Status verifyChoices(const fb::Engine &engine);

} // namespace inlay
