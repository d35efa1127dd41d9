// Where pointers of a kernel come from.
#pragma once

#include "compiler/dialects/tile/Tile.h"

namespace inlay::tile {

/// The scalar pointer that a pointer or a tile of pointers is made from, as far as it can be told.
/// Different roots are taken to address different memory.
mlir::Value rootOf(mlir::Value pointer);

/// The root of what an op reads or writes through its first operand: pointers or a map.
mlir::Value rootOfAccess(mlir::Operation *access);

} // namespace inlay::tile
