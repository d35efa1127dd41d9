// Everything that textual IR may hold and every pass that may run on it, for inlay-opt.
#pragma once

#include "mlir/IR/DialectRegistry.h"

namespace inlay {

/// Registers the dialects of all stages, with those of the lowerings.
void registerAllDialects(mlir::DialectRegistry &registry);
/// Registers Inlay's passes, and MLIR's canonicalizer and common-subexpression elimination.
void registerAllPasses();

} // namespace inlay
