// Constants, conversions and shapes.
#include "compiler/frontends/triton/Semantics.h"

#include "llvm/ADT/APFloat.h"

#include <algorithm>
#include <fmt/ranges.h>

using namespace mlir;

namespace inlay::triton {

namespace {

mlir::Type irScalar(MLIRContext *context, Scalar scalar) {
  Builder builder(context);
  switch (scalar) {
  case Scalar::Float8E5:
    return Float8E5M2Type::get(context);
  case Scalar::Float8E4NV:
    return Float8E4M3FNType::get(context);
  case Scalar::Float8E4B15:
    return Float8E4M3B11FNUZType::get(context);
  case Scalar::Float16:
    return builder.getF16Type();
  case Scalar::BFloat16:
    return builder.getBF16Type();
  case Scalar::Float32:
    return builder.getF32Type();
  case Scalar::Float64:
    return builder.getF64Type();
  default:
    return builder.getIntegerType(bitWidthOf(scalar));
  }
}

APInt toApInt(Integer value, unsigned bits) {
  uint64_t words[2] = {static_cast<uint64_t>(value), static_cast<uint64_t>(value >> 64)};
  return APInt(128, words).trunc(bits);
}

TypedAttr numberAttribute(mlir::Type type, const Value &number) {
  if (auto floatType = dyn_cast<FloatType>(type)) {
    APFloat value(*number.floatValue());
    bool losesInfo;
    value.convert(floatType.getFloatSemantics(), APFloat::rmNearestTiesToEven, &losesInfo);
    return FloatAttr::get(type, value);
  }
  unsigned bits = type.getIntOrFloatBitWidth();
  Integer value = 0;
  if (auto integer = number.integerValue())
    value = bits == 1 ? *integer != 0 : *integer;
  else if (double real = *number.floatValue(); std::abs(real) < 0x1p120)
    value = bits == 1 ? real != 0 : static_cast<Integer>(real);
  return IntegerAttr::get(type, toApInt(value, bits));
}

} // namespace

mlir::Type irType(MLIRContext *context, const Type &type) {
  mlir::Type element =
      irScalar(context, type.isPointer && type.scalar == Scalar::Int1 ? Scalar::Int8 : type.scalar);
  if (type.isPointer)
    element = tile::PointerType::get(element);
  return type.isBlock() ? RankedTensorType::get(type.shape, element) : element;
}

Tensor Semantics::constant(const Type &type, const Value &number) {
  mlir::Type ir = irType(builder.getContext(), type);
  TypedAttr attribute = numberAttribute(tile::elementTypeOf(ir), number);
  if (auto tensor = dyn_cast<RankedTensorType>(ir))
    attribute = DenseElementsAttr::get(tensor, ArrayRef<Attribute>(attribute));
  return {type, arith::ConstantOp::create(builder, location, attribute)};
}

Value Semantics::toTensor(const Value &value, std::string_view what) {
  if (value.asTensor())
    return value;
  if (!value.isNumber())
    return error("{} must be a tensor or a number, not {}", what, describe(value));
  std::optional<Scalar> type = numberType(value);
  if (!type)
    return error("integer {} does not fit 64 bits", describe(value));
  return Value::tensor(constant({*type, false, false, {}}, value));
}

Value Semantics::cast(const Tensor &input, const Type &to, Rounding rounding) {
  Type from = input.type;
  Type result = to.withShape(from.shape);
  bool narrowsFloat =
      from.isFloat() && to.isFloat() && bitWidthOf(to.scalar) < bitWidthOf(from.scalar);
  if (from.isPointer != to.isPointer || from.isPointer)
    return castPointer(input, result);
  if (from.scalar == to.scalar)
    return Value::tensor(input);
  if (rounding != Rounding::Default && !narrowsFloat)
    return error("fp_downcast_rounding is for conversions to a narrower float, not for {} to {}",
                 nameOf(from.scalar), nameOf(to.scalar));
  if (from.isFloat() && to.isFloat())
    return castFloatToFloat(input, result, rounding);
  if ((from.isFloat() && isFloat8(from.scalar)) || (to.isFloat() && isFloat8(to.scalar)))
    return error("{} converts to and from floating types only, not {}; cast to fp32 in between",
                 nameOf(from.isFloat() ? from.scalar : to.scalar),
                 nameOf(from.isFloat() ? to.scalar : from.scalar));
  if (to.isBool()) {
    Tensor zero = constant(from, int64_t{0});
    if (from.isFloat())
      return makeValue<arith::CmpFOp>(result, arith::CmpFPredicate::UNE, input.handle, zero.handle);
    return makeValue<arith::CmpIOp>(result, arith::CmpIPredicate::ne, input.handle, zero.handle);
  }
  if (from.isFloat())
    return isSigned(to.scalar) ? makeValue<arith::FPToSIOp>(result, input.handle)
                               : makeValue<arith::FPToUIOp>(result, input.handle);
  if (to.isFloat())
    return isSigned(from.scalar) ? makeValue<arith::SIToFPOp>(result, input.handle)
                                 : makeValue<arith::UIToFPOp>(result, input.handle);
  unsigned fromBits = bitWidthOf(from.scalar), toBits = bitWidthOf(to.scalar);
  if (fromBits == toBits)
    return Value::tensor({result, input.handle});
  if (fromBits > toBits)
    return makeValue<arith::TruncIOp>(result, input.handle);
  return isSigned(from.scalar) ? makeValue<arith::ExtSIOp>(result, input.handle)
                               : makeValue<arith::ExtUIOp>(result, input.handle);
}

Value Semantics::castFloatToFloat(const Tensor &input, const Type &to, Rounding rounding) {
  Scalar from = input.type.scalar;
  unsigned fromBits = bitWidthOf(from), toBits = bitWidthOf(to.scalar);
  auto via = [&](Scalar middle, Rounding first, Rounding second) {
    Value value = cast(input, to.withScalar(middle), first);
    return value.isPoison() ? value : cast(*value.asTensor(), to, second);
  };
  // The narrow types have no direct conversions among themselves; fp32 holds them all exactly.
  bool isHalfToOther =
      (from == Scalar::Float16 || from == Scalar::BFloat16) && to.scalar != Scalar::Float32;
  if ((isHalfToOther && !isFloat8(to.scalar)) ||
      (isFloat8(from) && toBits <= 16 && to.scalar != Scalar::Float16))
    return via(isFloat8(from) && to.scalar == Scalar::BFloat16 ? Scalar::Float16 : Scalar::Float32,
               Rounding::Default, toBits < 32 ? rounding : Rounding::Default);
  if (isFloat8(to.scalar) && from == Scalar::Float32 && rounding == Rounding::TowardZero)
    return via(Scalar::Float16, Rounding::TowardZero, Rounding::TowardZero);
  if (fromBits < toBits)
    return makeValue<arith::ExtFOp>(to, input.handle);
  auto mode =
      rounding == Rounding::TowardZero
          ? arith::RoundingModeAttr::get(builder.getContext(), arith::RoundingMode::toward_zero)
          : arith::RoundingModeAttr();
  return makeValue<arith::TruncFOp>(to, input.handle, mode, arith::FastMathFlagsAttr());
}

Value Semantics::castPointer(const Tensor &input, const Type &to) {
  const Type &from = input.type;
  if (from.isPointer && to.isPointer) {
    if (irType(builder.getContext(), from) == irType(builder.getContext(), to))
      return Value::tensor({to, input.handle});
    return makeValue<tile::PtrCastOp>(to, input.handle);
  }
  Type address{Scalar::Int64, false, false, from.shape};
  if (from.isPointer) {
    if (to.isInteger() && bitWidthOf(to.scalar) == 64)
      return makeValue<tile::PtrToIntOp>(to, input.handle);
    if (to.isBool()) {
      Tensor number = make<tile::PtrToIntOp>(address, input.handle);
      return makeValue<arith::CmpIOp>(to, arith::CmpIPredicate::ne, number.handle,
                                      constant(address, int64_t{0}).handle);
    }
    return error("a pointer converts to int64, uint64, int1 or another pointer type, not to {}",
                 nameOf(to.scalar));
  }
  if (!from.isInteger())
    return error("{} cannot be converted to a pointer; only integers can", nameOf(from.scalar));
  Value number = cast(input, address);
  return number.isPoison() ? number : makeValue<tile::IntToPtrOp>(to, number.asTensor()->handle);
}

Value Semantics::bitcast(const Tensor &input, const Type &to) {
  const Type &from = input.type;
  Type result = to.withShape(from.shape);
  if (from.element() == to.element())
    return Value::tensor(input);
  if (from.isPointer || to.isPointer)
    return castPointer(input, result);
  if (bitWidthOf(from.scalar) != bitWidthOf(to.scalar))
    return error("cannot bitcast {} ({} bits) to {} ({} bits)", nameOf(from.scalar),
                 bitWidthOf(from.scalar), nameOf(to.scalar), bitWidthOf(to.scalar));
  if (from.isInteger() && to.isInteger())
    return Value::tensor({result, input.handle});
  return makeValue<arith::BitcastOp>(result, input.handle);
}

Tensor Semantics::splat(const Tensor &scalar, const std::vector<int64_t> &shape) {
  if (shape.empty())
    return scalar;
  Type type = scalar.type.withShape(shape);
  if (auto constantOp = scalar.handle.getDefiningOp<arith::ConstantOp>()) {
    auto tensor = cast_or_null<RankedTensorType>(irType(builder.getContext(), type));
    return {type, arith::ConstantOp::create(
                      builder, location,
                      DenseElementsAttr::get(tensor, ArrayRef<Attribute>(constantOp.getValue())))};
  }
  return make<tile::SplatOp>(type, scalar.handle);
}

Value Semantics::broadcastTo(const Tensor &input, const std::vector<int64_t> &shape) {
  if (!input.type.isBlock())
    return Value::tensor(splat(input, shape));
  std::vector<int64_t> from = input.type.shape;
  if (from == shape)
    return Value::tensor(input);
  bool fits = from.size() == shape.size();
  for (size_t i = 0; fits && i < from.size(); ++i)
    fits = from[i] == shape[i] || from[i] == 1;
  if (!fits)
    return error("cannot broadcast a block of shape [{}] to [{}]", fmt::join(from, ", "),
                 fmt::join(shape, ", "));
  return makeValue<tile::BroadcastOp>(input.type.withShape(shape), input.handle);
}

bool Semantics::broadcast(Tensor &a, Tensor &b) {
  if (a.type.shape == b.type.shape)
    return true;
  if (a.type.isBlock() && b.type.isBlock()) {
    for (Tensor *side : {&a, &b})
      while (side->type.shape.size() < std::max(a.type.shape.size(), b.type.shape.size()))
        *side = *expandDims(*side, 0).asTensor();
    std::vector<int64_t> shape = a.type.shape;
    for (size_t i = 0; i < shape.size(); ++i) {
      int64_t left = a.type.shape[i], right = b.type.shape[i];
      if (left != right && left != 1 && right != 1) {
        error("blocks of shape [{}] and [{}] do not go together: dimension {} is {} and {}",
              fmt::join(a.type.shape, ", "), fmt::join(b.type.shape, ", "), i, left, right);
        return false;
      }
      shape[i] = std::max(left, right);
    }
    if (std::string reason = checkBlockShape(shape); !reason.empty()) {
      error("{}", reason);
      return false;
    }
    a = *broadcastTo(a, shape).asTensor();
    b = *broadcastTo(b, shape).asTensor();
    return true;
  }
  if (a.type.isBlock())
    b = splat(b, a.type.shape);
  else
    a = splat(a, b.type.shape);
  return true;
}

Value Semantics::expandDims(const Tensor &input, int64_t axis) {
  std::vector<int64_t> shape = input.type.shape;
  int64_t rank = static_cast<int64_t>(shape.size());
  if (axis < -rank - 1 || axis > rank)
    return error("axis {} is outside {}..{} for a tensor of rank {}", axis, -rank - 1, rank, rank);
  if (axis < 0)
    axis += rank + 1;
  shape.insert(shape.begin() + axis, 1);
  if (rank == 0)
    return Value::tensor(splat(input, shape));
  return makeValue<tile::ExpandDimsOp>(input.type.withShape(shape), input.handle,
                                       static_cast<int32_t>(axis));
}

Value Semantics::reshape(const Tensor &input, const std::vector<int64_t> &shape,
                         bool allowReorder) {
  int64_t from = 1, to = 1;
  for (int64_t size : input.type.shape)
    from *= size;
  for (int64_t size : shape)
    to *= size;
  if (from != to)
    return error("cannot reshape {} ({} elements) to [{}] ({} elements)", toString(input.type),
                 from, fmt::join(shape, ", "), to);
  if (!input.type.isBlock())
    return Value::tensor(splat(input, shape));
  if (shape.empty())
    return error("a block cannot be reshaped to a scalar; a reduction is needed");
  if (shape == input.type.shape)
    return Value::tensor(input);
  return makeValue<tile::ReshapeOp>(input.type.withShape(shape), input.handle, allowReorder);
}

std::optional<int64_t> Semantics::axisIn(int64_t axis, const Type &type) {
  int64_t rank = static_cast<int64_t>(type.shape.size());
  if (axis >= -rank && axis < rank)
    return axis < 0 ? axis + rank : axis;
  error("axis {} does not exist in a tensor of type {}", axis, toString(type));
  return std::nullopt;
}

Tensor Semantics::iota(const std::vector<int64_t> &shape, size_t axis) {
  Type type{Scalar::Int32, false, false, {shape[axis]}};
  Tensor result = make<tile::ArangeOp>(type, 0, static_cast<int32_t>(shape[axis]));
  for (size_t i = 0; i < shape.size(); ++i)
    if (i != axis)
      result = *expandDims(result, static_cast<int64_t>(i)).asTensor();
  return *broadcastTo(result, shape).asTensor();
}

Value Semantics::transpose(const Tensor &input, const std::vector<int64_t> &order) {
  std::vector<int64_t> shape, sorted = order;
  std::vector<int32_t> order32;
  std::sort(sorted.begin(), sorted.end());
  bool isPermutation = order.size() == input.type.shape.size();
  for (size_t i = 0; isPermutation && i < order.size(); ++i)
    isPermutation = sorted[i] == static_cast<int64_t>(i);
  if (!isPermutation)
    return error("[{}] is not a permutation of the {} dimensions of {}", fmt::join(order, ", "),
                 input.type.shape.size(), toString(input.type));
  for (int64_t dimension : order) {
    shape.push_back(input.type.shape[dimension]);
    order32.push_back(static_cast<int32_t>(dimension));
  }
  return makeValue<tile::TransOp>(input.type.withShape(shape), input.handle,
                                  ArrayRef<int32_t>(order32));
}

} // namespace inlay::triton
