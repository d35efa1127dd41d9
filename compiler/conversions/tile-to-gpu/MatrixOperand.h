// A tile in shared memory as `wgmma` reads it: where an instruction's part begins, and the
// descriptor that tells the hardware where the rest of it is.
#pragma once

#include "compiler/conversions/tile-to-gpu/SharedTile.h"

namespace inlay::tile_to_gpu {

/// Where a tile that `wgmma` reads begins: addresses modulo this decide how pieces are permuted.
inline constexpr int64_t kMatrixAlignmentBytes = 1024;

/// A descriptor counts bytes by this.
inline constexpr unsigned kDescriptorUnitBytes = 16;

/// Where a buffer's tiles have their elements.
SharedTile placeOf(tile::SharedType buffer);

/// One operand: its elements are at (outer, k), where `outer` is a row of the left operand or a
/// column of the right one.
class MatrixOperand {
public:
  /// `place` holds the operand with K as dimension `kDimension`; its rows are of 32 bytes or more.
  MatrixOperand(const SharedTile &place, unsigned kDimension)
      : place_(place), kDimension_(kDimension) {}

  /// Whether K's elements are the neighbours in memory; otherwise the instruction must be told that
  /// the operand is transposed.
  bool isKMajor() const { return place_.fastest() == kDimension_; }
  /// The byte at which the part that begins at (outer, k) begins. Starts of parts along either
  /// dimension are not permuted, so that offsets of several add up.
  uint32_t partOffset(unsigned outer, unsigned k) const;
  /// The descriptor of a part at address 0: add the address in units of 16 bytes.
  uint64_t descriptor() const;

private:
  SharedTile place_;
  unsigned kDimension_;
};

} // namespace inlay::tile_to_gpu
