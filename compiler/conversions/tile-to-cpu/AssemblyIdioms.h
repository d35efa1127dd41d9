// PTX that users write often and that has a meaning elsewhere.
#pragma once

#include "compiler/dialects/tile/Tile.h"

namespace inlay::tile_to_cpu {

/// The value of the inline assembly as other operations, or null if it is not one of the known
/// idioms. Approximate functions are computed better than asked.
mlir::Value emitAssemblyIdiom(mlir::OpBuilder &builder, tile::InlineAsmOp op);

} // namespace inlay::tile_to_cpu
