#include "compiler/dialects/tile/BlockAddress.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace inlay::tile {

BlockAddresses createBlockAddresses(OpBuilder &builder, Location location, Value base,
                                    ValueRange sizes, ValueRange strides, ValueRange offsets,
                                    ArrayRef<int64_t> shape, ArrayRef<int64_t> checked) {
  Type i32 = builder.getI32Type(), i64 = builder.getI64Type(), i1 = builder.getI1Type();
  const unsigned rank = static_cast<unsigned>(shape.size());
  Value elementOffset, mask, address = base;
  for (unsigned d = 0; d < rank; ++d) {
    SmallVector<int64_t> line(rank, 1);
    line[d] = shape[d];
    auto lineType = RankedTensorType::get(line, i64);
    auto broadcast = [&](Value value, Type element) -> Value {
      auto type = RankedTensorType::get(shape, element);
      return value.getType() == type ? value : BroadcastOp::create(builder, location, type, value);
    };
    auto splat = [&](Value scalar) -> Value {
      return SplatOp::create(builder, location, lineType, scalar);
    };
    Value offset = arith::ExtSIOp::create(builder, location, i64, offsets[d]);
    address = AddPtrOp::create(builder, location, address,
                               arith::MulIOp::create(builder, location, offset, strides[d]));
    Value index = ArangeOp::create(builder, location, RankedTensorType::get({shape[d]}, i32), 0,
                                   static_cast<int32_t>(shape[d]));
    SmallVector<int64_t> grown{shape[d]};
    for (unsigned k = 0; k < rank; ++k) {
      if (k == d)
        continue;
      grown.insert(k < d ? grown.begin() : grown.end(), 1);
      index = ExpandDimsOp::create(builder, location, RankedTensorType::get(grown, i32), index,
                                   static_cast<int32_t>(k));
    }
    index = arith::ExtSIOp::create(builder, location, lineType, index);
    Value term = broadcast(arith::MulIOp::create(builder, location, index, splat(strides[d])), i64);
    elementOffset = elementOffset
                        ? arith::AddIOp::create(builder, location, elementOffset, term).getResult()
                        : term;
    if (!llvm::is_contained(checked, static_cast<int64_t>(d)))
      continue;
    Value place = arith::AddIOp::create(builder, location, index, splat(offset));
    Value zero = arith::ConstantOp::create(builder, location, builder.getZeroAttr(lineType));
    Value isAbove =
        arith::CmpIOp::create(builder, location, arith::CmpIPredicate::sge, place, zero);
    Value isBelow =
        arith::CmpIOp::create(builder, location, arith::CmpIPredicate::slt, place, splat(sizes[d]));
    Value isInside = broadcast(arith::AndIOp::create(builder, location, isAbove, isBelow), i1);
    mask = mask ? arith::AndIOp::create(builder, location, mask, isInside).getResult() : isInside;
  }
  Value first =
      SplatOp::create(builder, location, RankedTensorType::get(shape, base.getType()), address);
  return {AddPtrOp::create(builder, location, first, elementOffset), mask};
}

} // namespace inlay::tile
