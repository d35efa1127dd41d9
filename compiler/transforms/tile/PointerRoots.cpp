#include "compiler/transforms/tile/PointerRoots.h"

using namespace mlir;

namespace inlay::tile {

Value rootOf(Value pointer) {
  while (true) {
    Operation *op = pointer.getDefiningOp();
    if (op && isa<AddPtrOp, PtrCastOp, SplatOp, BroadcastOp, ExpandDimsOp, ReshapeOp, TransOp,
                  ConvertLayoutOp>(op)) {
      pointer = op->getOperand(0);
      continue;
    }
    auto argument = dyn_cast<BlockArgument>(pointer);
    auto loop = argument ? dyn_cast<scf::ForOp>(argument.getOwner()->getParentOp()) : scf::ForOp();
    if (!loop || argument == loop.getInductionVar())
      return pointer;
    pointer = loop.getInitArgs()[argument.getArgNumber() - loop.getNumInductionVars()];
  }
}

Value rootOfAccess(Operation *access) {
  Value accessed = access->getOperand(0);
  if (auto map = accessed.getDefiningOp<TensorMapOp>())
    accessed = map.getBase();
  return rootOf(accessed);
}

} // namespace inlay::tile
