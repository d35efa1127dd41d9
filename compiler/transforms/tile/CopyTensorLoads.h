// Loads of described tensors that no loop makes ahead.
#pragma once

#include "mlir/Pass/Pass.h"

#include <memory>

namespace inlay::tile {

/// Pass "tile-copy-tensor-loads".
///
/// Turns each tile.tensor_load that is left into a copy to shared memory that is waited for at once
/// and read:
///
///   x = tensor_load map[i, j]
///     →  tensor_copy map[i, j] into s[0]; async_wait for s[0]; x = shared_load s[0]
///
/// Requires   tile-assign-layouts has run, and tile-pipeline-loads if it is to.
/// Guarantees no tile.tensor_load is left.
std::unique_ptr<mlir::Pass> createCopyTensorLoadsPass();

} // namespace inlay::tile
