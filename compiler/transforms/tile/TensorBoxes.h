// How the copy engine moves a block of a tensor between memory and a tile in shared memory.
#pragma once

#include "compiler/dialects/tile/Tile.h"

#include "llvm/ADT/SmallVector.h"

#include <cstdint>
#include <optional>

namespace inlay::tile {

/// The engine's number for a type of elements; none if it has none, or cannot pad it so. Source:
/// PTX ISA, "tensormap.replace", table of .elemtype.
std::optional<unsigned> tensorElementCode(mlir::Type elementType, Padding padding);

/// A block as boxes, each of which one instruction moves.
///
/// In shared memory a block is a tile of rows along its last dimension, placed as
/// conversions/tile-to-gpu/SharedTile.h says: panels of up to 128 bytes of all rows. A box is part
/// of one panel, of up to 256 elements along each dimension.
struct TensorBoxes {
  /// Elements along each dimension of the tensor, outermost first.
  llvm::SmallVector<int64_t> shape;
  int64_t sizeBytes = 0;
  /// How pieces of 16 bytes are permuted, the engine's number: 0 not, 1, 2 and 3 in rows of 32, 64
  /// and 128 bytes.
  unsigned swizzle = 0;
  struct Part {
    /// Where the box begins in the block.
    llvm::SmallVector<int64_t> coordinates;
    /// Where it begins in the tile.
    int64_t offsetBytes = 0;
  };
  llvm::SmallVector<Part> parts;
};

/// The boxes of a block, whose dimensions are powers of two and whose rows have 16 bytes or more.
TensorBoxes planTensorBoxes(llvm::ArrayRef<int64_t> block, unsigned elementBytes);

} // namespace inlay::tile
