// Gives every tile of a kernel the layout in which the threads of a GPU block hold it.
#pragma once

#include "mlir/Pass/Pass.h"

#include <memory>

namespace inlay::tile {

/// Pass "tile-assign-layouts".
///
/// A load or store takes a blocked layout in which neighbouring threads touch neighbouring memory
/// and each thread's elements form accesses of up to 16 bytes, as far as AxisInfo proves that they
/// are neighbours. Accesses of one shape along one dimension share a layout. What is computed from
/// loaded values stays in their layout; what is computed from nothing loaded (indices, masks,
/// constants) is computed again in each layout that wants it; loaded values wanted in another
/// layout pass through tile.convert_layout.
///
/// Requires   the module attribute tile.num_warps (a power of two; 4 if absent); no layouts yet.
/// Marks      each tile.dot that groups of warps multiply (WarpgroupMma.h) with tile.warpgroup.
/// Guarantees every tile type has a layout (LayoutAttr), operands and results of an op agree.
std::unique_ptr<mlir::Pass> createAssignLayoutsPass();

/// Registers the passes of this folder.
void registerTileTransformPasses();

} // namespace inlay::tile
