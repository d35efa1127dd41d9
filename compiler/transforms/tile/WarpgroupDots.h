// Dots that groups of warps multiply while they do something else.
#pragma once

#include "mlir/Pass/Pass.h"

#include <memory>

namespace inlay::tile {

/// Pass "tile-warpgroup-dots".
///
/// Replaces each tile.dot marked tile.warpgroup by a tile.warpgroup_dot that reads its operands
/// from shared memory: from the ring that a load was copied to, or from a buffer that the operand
/// is stored to where it is computed. A dot begins as early, and is waited for as late, as its
/// block allows:
///
///   a = shared_load r[i]; copy …; d = dot(a, …); use d
///     →  d' = warpgroup_dot r[i], …; copy …; d = warpgroup_wait 0 d'; use d
///
/// A loop over a ring of four slots or more turns it behind its last dot: there it waits for the
/// next iteration's slot and fills the one that the last iteration read. Dots stay in flight until
/// the next iteration has begun its own, where a loop does nothing with their results but add to
/// them, or has another wait before they are needed:
///
///   for … acc { d = warpgroup_dot r[i], …, acc; warpgroup_wait 1; async_wait; copy …; yield d }
///
/// Requires   tile-assign-layouts has run, and tile-pipeline-loads if it is to.
/// Guarantees no tile.dot has the attribute.
std::unique_ptr<mlir::Pass> createWarpgroupDotsPass();

} // namespace inlay::tile
