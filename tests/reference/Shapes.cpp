// Program indices, and operations that move elements without computing.
#include "tests/reference/Interpreter.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace inlay::reference {
namespace {

/// For each element of `to`, the row-major index of the element of `from` it comes from, where
/// dimension d of `to` walks `strides[d]` elements of the operand.
std::vector<size_t> gatherIndices(ArrayRef<int64_t> to, ArrayRef<int64_t> strides) {
  std::vector<size_t> indices;
  forEachIndex(to, [&](size_t, ArrayRef<int64_t> at) {
    size_t index = 0;
    for (size_t d = 0; d < to.size(); ++d)
      index += at[d] * strides[d];
    indices.push_back(index);
  });
  return indices;
}

} // namespace

bool Interpreter::runShape(Operation &op) {
  auto gather = [&](Value source, ArrayRef<int64_t> strides) {
    std::vector<size_t> indices = gatherIndices(shapeOf(op.getResult(0).getType()), strides);
    return forEach(op, [&](size_t i) { return of(source)[indices[i]]; });
  };
  return llvm::TypeSwitch<Operation *, bool>(&op)
      .Case([&](tile::ProgramIdOp id) {
        return forEach(op, [&](size_t) { return Cell{program_[id.getAxis()], 0}; });
      })
      .Case([&](tile::NumProgramsOp count) {
        return forEach(op, [&](size_t) { return Cell{grid_[count.getAxis()], 0}; });
      })
      .Case([&](tile::ArangeOp range) {
        return forEach(
            op, [&](size_t i) { return Cell{static_cast<uint32_t>(range.getStart() + i), 0}; });
      })
      .Case([&](tile::SplatOp splat) {
        return forEach(op, [&](size_t) { return of(splat.getSource())[0]; });
      })
      .Case<tile::ExpandDimsOp, tile::ReshapeOp, tile::ConvertLayoutOp>([&](auto reshape) {
        return forEach(op, [&](size_t i) { return of(reshape.getSource())[i]; });
      })
      .Case([&](tile::BroadcastOp broadcast) {
        std::vector<int64_t> from = shapeOf(broadcast.getSource().getType()),
                             strides = rowMajorStrides(from);
        for (size_t d = 0; d < from.size(); ++d)
          strides[d] = from[d] == 1 ? 0 : strides[d];
        return gather(broadcast.getSource(), strides);
      })
      .Case([&](tile::TransOp trans) {
        std::vector<int64_t> strides = rowMajorStrides(shapeOf(trans.getSource().getType())),
                             permuted;
        for (int32_t dimension : trans.getOrder())
          permuted.push_back(strides[dimension]);
        return gather(trans.getSource(), permuted);
      })
      .Case([&](tile::JoinOp join) {
        return forEach(
            op, [&](size_t i) { return of(i % 2 == 0 ? join.getLhs() : join.getRhs())[i / 2]; });
      })
      .Case([&](tile::SplitOp split) {
        Cells left, right;
        for (auto [i, cell] : llvm::enumerate(of(split.getSource())))
          (i % 2 == 0 ? left : right).push_back(cell);
        values_[split.getLhs()] = std::move(left);
        values_[split.getRhs()] = std::move(right);
        return true;
      })
      .Case([&](tile::AddPtrOp add) {
        uint64_t size = sizeOf(
            cast<tile::PointerType>(tile::elementTypeOf(add.getPtr().getType())).getElementType());
        unsigned width = widthOf(tile::elementTypeOf(add.getOffset().getType()));
        return forEach(op, [&](size_t i) {
          return Cell{
              at(add.getPtr(), i).bits + signedOf(at(add.getOffset(), i).bits, width) * size, 0};
        });
      })
      .Case<tile::PtrToIntOp, tile::IntToPtrOp, tile::PtrCastOp>([&](auto convert) {
        return forEach(op, [&](size_t i) { return of(convert.getSource())[i]; });
      })
      .Default([](Operation *) { return false; });
}

} // namespace inlay::reference
