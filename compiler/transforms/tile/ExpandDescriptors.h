// Turns accesses through tensor descriptors into loads and stores through pointers.
#pragma once

#include "mlir/Pass/Pass.h"

#include <memory>

namespace inlay::tile {

/// Pass "tile-expand-descriptors".
///
/// A tile.descriptor_load becomes a load of the block's elements that lie inside the tensor, the
/// others being 0 or NaN; a tile.descriptor_store becomes a store under the same mask.
///
/// Guarantees no descriptor op is left. For targets that have no hardware for them.
std::unique_ptr<mlir::Pass> createExpandDescriptorsPass();

} // namespace inlay::tile
