// Where the elements of a tile stand in shared memory, so that rows and columns are read without
// bank conflicts.
#pragma once

#include "compiler/transforms/tile/LinearLayout.h"

#include <cstdint>

namespace inlay::tile_to_gpu {

/// The place of a rank-2 tile's elements in shared memory: rows of up to 128 bytes along the
/// fastest dimension, one row after the other; what is left along the fastest dimension follows as
/// further panels. The 16-byte pieces of a row are permuted: bits 4 … of an address are combined by
/// exclusive or with bits 7 … (128-byte, 64-byte or 32-byte swizzle, as rows are long). Eight rows'
/// pieces of one column then lie in different banks. It is what TMA writes and wgmma reads. Source:
/// PTX ISA, "Asynchronous warpgroup level matrix instructions", "Shared memory matrix layout".
class SharedTile {
public:
  SharedTile(llvm::ArrayRef<int64_t> shape, unsigned elementBytes, unsigned fastest);

  int64_t sizeBytes() const { return sizeBytes_; }
  /// Elements of an aligned run along the fastest dimension that are neighbours in memory too.
  unsigned runElements() const { return runElements_; }
  unsigned fastest() const { return fastest_; }
  unsigned elementBytes() const { return elementBytes_; }
  int64_t rowBytes() const { return rowBytes_; }
  /// From a panel to the next along the fastest dimension.
  int64_t panelBytes() const { return numRows_ * rowBytes_; }
  /// The byte at which an element stands. Linear over GF(2): the offset of the exclusive or of two
  /// coordinates is the exclusive or of their offsets.
  uint32_t offset(llvm::ArrayRef<int32_t> coordinates) const;

private:
  unsigned elementBytes_, fastest_, runElements_;
  int64_t rowBytes_, numRows_, sizeBytes_;
};

} // namespace inlay::tile_to_gpu
