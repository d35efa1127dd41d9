// The layouts in which the loads and stores of a kernel touch memory best.
#pragma once

#include "compiler/transforms/tile/AxisInfo.h"
#include "compiler/transforms/tile/LinearLayout.h"

#include "llvm/ADT/MapVector.h"

#include <map>

namespace inlay::tile {

/// The layout each memory access wants; those of one shape and one fastest dimension share it.
class AccessLayouts {
public:
  AccessLayouts(mlir::func::FuncOp kernel, unsigned numWarps);

  /// For an access through these pointers.
  LinearLayout ofPointers(mlir::Value pointers);
  /// For a tile that no access decides: as the first access of its shape, or row-major.
  LinearLayout ofShape(llvm::ArrayRef<int64_t> shape) const;
  /// For a tile that is read from shared memory, where rows lie in pieces of 16 bytes: as the first
  /// access of its shape, or row-major in such pieces.
  LinearLayout ofTensor(llvm::ArrayRef<int64_t> shape, unsigned elementBytes) const;
  /// Row-major, with `perThread` neighbours of the last dimension in each thread.
  LinearLayout ofRows(llvm::ArrayRef<int64_t> shape, unsigned perThread) const;

private:
  /// Shape, and dimensions from the fastest.
  using Key = std::pair<llvm::SmallVector<int64_t>, llvm::SmallVector<unsigned>>;

  Key keyOf(mlir::Value pointers);
  void addAccess(mlir::Value pointers);
  /// As the first access of a shape, or row-major with so many neighbours in each thread.
  LinearLayout ofShapeOr(llvm::ArrayRef<int64_t> shape, int64_t perThread) const;
  LinearLayout create(const Key &key, int64_t perThread) const;

  unsigned numWarps_;
  AxisAnalysis axes_;
  llvm::MapVector<Key, int64_t, std::map<Key, unsigned>> perThread_;
};

} // namespace inlay::tile
