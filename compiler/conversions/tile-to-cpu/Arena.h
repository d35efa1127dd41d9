// Memory for the tiles of one program.
#pragma once

#include "mlir/IR/Builders.h"

#include <map>

namespace inlay::tile_to_cpu {

/// One piece of memory, cut up while a kernel is lowered: on the stack, or scratch memory of the
/// caller if it grows large. Programs that one call runs use the same piece.
class Arena {
public:
  /// Addresses are computed at the start of `entry`, the first block of a function.
  Arena(mlir::OpBuilder &builder, mlir::Block *entry);

  /// The address of `bytes` bytes, aligned to a cache line, that no other place overlaps until
  /// released.
  mlir::Value allocate(mlir::Location location, uint64_t bytes);
  /// From here on in the order of emission the place may be given away again.
  void release(mlir::Value address);
  /// Emits the memory itself: if it is too large for the stack, a further parameter of the
  /// function, which then says how much it needs (kScratchBytesAttr).
  void finish();

private:
  struct Place {
    uint64_t offset, bytes;
    mlir::Value address;
  };
  mlir::Value addScratchParameter();

  mlir::OpBuilder &builder_;
  mlir::Block *entry_;
  mlir::Operation *base_;
  llvm::SmallVector<Place> places_; ///< by offset
  std::map<uint64_t, mlir::Value> addresses_;
  uint64_t bytes_ = 0;
};

} // namespace inlay::tile_to_cpu
