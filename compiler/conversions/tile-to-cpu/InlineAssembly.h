// tile.inline_asm on the CPU: PTX of the documented subset as arithmetic on tiles.
#pragma once

#include "compiler/dialects/tile/Tile.h"

namespace inlay::tile_to_cpu {

/// Replaces the operation by others. With `pack`, elements that lie together in row-major order are
/// one call's; where the text does the same to each of them, they are not moved. Errors: a
/// diagnostic at the operation naming the line of the assembly, what was found and what is
/// translated.
mlir::LogicalResult expandInlineAssembly(tile::InlineAsmOp op);

} // namespace inlay::tile_to_cpu
