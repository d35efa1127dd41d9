// Short names for arithmetic on tiles of one shape, or scalars; constants are folded.
#pragma once

#include "compiler/dialects/tile/Tile.h"

namespace inlay::tile_to_cpu {

/// Emits operations on the elements of values that are all tiles of one shape, or all scalars.
class ElementBuilder {
public:
  /// `shape` is any type of the shape; its element type does not matter.
  ElementBuilder(mlir::OpBuilder &builder, mlir::Location location, mlir::Type shape)
      : builder_(builder), location_(location), shape_(shape) {}

  mlir::OpBuilder &builder() { return builder_; }
  mlir::Location location() const { return location_; }
  mlir::Type like(mlir::Type element) const {
    if (auto tile = mlir::dyn_cast<mlir::RankedTensorType>(shape_))
      return tile.clone(element);
    return element;
  }
  mlir::Type integerType(unsigned bits) { return builder_.getIntegerType(bits); }

  mlir::Value integer(unsigned bits, uint64_t value) {
    return constant(builder_.getIntegerAttr(
        integerType(bits), llvm::APInt(bits, value, /*isSigned=*/false, /*implicitTrunc=*/true)));
  }
  mlir::Value integerLike(mlir::Value other, uint64_t value) {
    return integer(widthOf(other), value);
  }
  mlir::Value real(mlir::Type element, double value) {
    return constant(builder_.getFloatAttr(element, value));
  }
  mlir::Value realLike(mlir::Value other, double value) {
    return real(mlir::getElementTypeOrSelf(other), value);
  }

  template <typename Op, typename... Operands>
  mlir::Value make(Operands... operands) {
    return builder_.createOrFold<Op>(location_, operands...);
  }
  template <typename Op>
  mlir::Value convert(mlir::Value value, mlir::Type element) {
    return builder_.createOrFold<Op>(location_, like(element), value);
  }

  mlir::Value bitAnd(mlir::Value a, mlir::Value b) { return make<mlir::arith::AndIOp>(a, b); }
  mlir::Value bitOr(mlir::Value a, mlir::Value b) { return make<mlir::arith::OrIOp>(a, b); }
  mlir::Value bitXor(mlir::Value a, mlir::Value b) { return make<mlir::arith::XOrIOp>(a, b); }
  mlir::Value bitNot(mlir::Value a) { return bitXor(a, integerLike(a, ~uint64_t{0})); }
  mlir::Value iadd(mlir::Value a, mlir::Value b) { return make<mlir::arith::AddIOp>(a, b); }
  mlir::Value isub(mlir::Value a, mlir::Value b) { return make<mlir::arith::SubIOp>(a, b); }
  mlir::Value imul(mlir::Value a, mlir::Value b) { return make<mlir::arith::MulIOp>(a, b); }
  /// Shifts by amounts below the width.
  mlir::Value shl(mlir::Value a, mlir::Value by) { return make<mlir::arith::ShLIOp>(a, by); }
  mlir::Value shru(mlir::Value a, mlir::Value by) { return make<mlir::arith::ShRUIOp>(a, by); }
  mlir::Value shrs(mlir::Value a, mlir::Value by) { return make<mlir::arith::ShRSIOp>(a, by); }
  mlir::Value shl(mlir::Value a, unsigned by) { return by ? shl(a, integerLike(a, by)) : a; }
  mlir::Value shru(mlir::Value a, unsigned by) { return by ? shru(a, integerLike(a, by)) : a; }
  mlir::Value shrs(mlir::Value a, unsigned by) { return by ? shrs(a, integerLike(a, by)) : a; }

  mlir::Value icompare(mlir::arith::CmpIPredicate predicate, mlir::Value a, mlir::Value b) {
    return make<mlir::arith::CmpIOp>(predicate, a, b);
  }
  mlir::Value fcompare(mlir::arith::CmpFPredicate predicate, mlir::Value a, mlir::Value b) {
    return make<mlir::arith::CmpFOp>(predicate, a, b);
  }
  mlir::Value isNan(mlir::Value a) { return fcompare(mlir::arith::CmpFPredicate::UNO, a, a); }
  mlir::Value less(mlir::Value a, mlir::Value b) {
    return fcompare(mlir::arith::CmpFPredicate::OLT, a, b);
  }
  mlir::Value select(mlir::Value condition, mlir::Value a, mlir::Value b) {
    return make<mlir::arith::SelectOp>(condition, a, b);
  }

  /// The same bits in another element type of the same width.
  mlir::Value bitcast(mlir::Value value, mlir::Type element) {
    return mlir::getElementTypeOrSelf(value) == element
               ? value
               : convert<mlir::arith::BitcastOp>(value, element);
  }
  mlir::Value bits(mlir::Value value) { return bitcast(value, integerType(widthOf(value))); }
  /// An integer in another width.
  mlir::Value resize(mlir::Value value, unsigned bits, bool isSigned = false) {
    unsigned from = widthOf(value);
    if (from == bits)
      return value;
    if (from > bits)
      return convert<mlir::arith::TruncIOp>(value, integerType(bits));
    return isSigned ? convert<mlir::arith::ExtSIOp>(value, integerType(bits))
                    : convert<mlir::arith::ExtUIOp>(value, integerType(bits));
  }
  /// A float in another type; narrower ones round to nearest even.
  mlir::Value toFloat(mlir::Value value, mlir::Type element) {
    unsigned from = widthOf(value), to = element.getIntOrFloatBitWidth();
    if (mlir::getElementTypeOrSelf(value) == element)
      return value;
    return from < to ? convert<mlir::arith::ExtFOp>(value, element)
                     : convert<mlir::arith::TruncFOp>(value, element);
  }

  static unsigned widthOf(mlir::Value value) {
    return mlir::getElementTypeOrSelf(value).getIntOrFloatBitWidth();
  }

private:
  mlir::Value constant(mlir::TypedAttr element) {
    if (auto tile = mlir::dyn_cast<mlir::RankedTensorType>(shape_))
      element =
          mlir::DenseElementsAttr::get(tile.clone(element.getType()), mlir::Attribute(element));
    return mlir::arith::ConstantOp::create(builder_, location_, element);
  }

  mlir::OpBuilder &builder_;
  mlir::Location location_;
  mlir::Type shape_;
};

} // namespace inlay::tile_to_cpu
