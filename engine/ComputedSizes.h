// Which expressions of an engine need sizes that its kernels compute.
#pragma once

#include "engine/Engine_generated.h"
#include "symbolic/Expr.h"

#include <cstdint>
#include <vector>

namespace inlay {

/// How many operands a kind of expression has; -1 for unknown ones.
int expressionArity(uint8_t kind);

/// For each expression, the last symbol with a bound that it needs, counted from 1; 0 for none. The
/// expressions are verified.
std::vector<uint32_t> lastComputedSymbols(const fb::Engine &engine);

} // namespace inlay
