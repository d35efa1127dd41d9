// The operations of the language on tensors: typing, conversion, broadcasting, and the IR they
// become.
#pragma once

#include "compiler/frontends/triton/Value.h"

#include "compiler/dialects/tile/Tile.h"

#include <fmt/format.h>
#include <functional>

namespace inlay::triton {

/// The IR type of a front-end type: integers lose their sign, int1 in memory is a byte.
mlir::Type irType(mlir::MLIRContext *context, const Type &type);

enum class BinaryOperator : uint8_t { Add, Sub, Mul, Div, FloorDiv, Mod, And, Or, Xor, Shl, Shr };
/// Finds by Python spelling; nullopt for `**` and `@`, which tensors do not have.
std::optional<BinaryOperator> findBinaryOperator(std::string_view op);

/// Builds tensor operations at the builder's place. Every function may return poison after
/// reporting an error through `report`; none accepts poison.
class Semantics {
public:
  Semantics(mlir::MLIRContext *context, std::function<void(std::string)> report)
      : builder(context), location(builder.getUnknownLoc()), report_(std::move(report)) {}

  mlir::OpBuilder builder;
  mlir::Location location;

  template <typename... Args>
  Value error(fmt::format_string<Args...> format, Args &&...args) {
    report_(fmt::format(format, std::forward<Args>(args)...));
    return Value::poison();
  }

  /// A Python number as a tensor of a given scalar or block type; the number is converted as
  /// Python's struct would.
  Tensor constant(const Type &type, const Value &number);
  Tensor constant(const Type &type, int64_t number) {
    return constant(type, Value::integer(number));
  }
  /// Tensors as they are; numbers by the rule for Python numbers; others are errors that say `what`
  /// needed a tensor.
  Value toTensor(const Value &value, std::string_view what);

  enum class Rounding : uint8_t { Default, NearestEven, TowardZero };
  /// Converts the elements to `to` (its shape does not count).
  Value cast(const Tensor &input, const Type &to, Rounding rounding = Rounding::Default);
  Value bitcast(const Tensor &input, const Type &to);

  Tensor splat(const Tensor &scalar, const std::vector<int64_t> &shape);
  Value broadcastTo(const Tensor &input, const std::vector<int64_t> &shape);
  /// Brings both to one shape: scalars are splat, ranks are filled up with leading 1s. False after
  /// an error.
  bool broadcast(Tensor &a, Tensor &b);
  Value expandDims(const Tensor &input, int64_t axis);
  Value reshape(const Tensor &input, const std::vector<int64_t> &shape, bool allowReorder);
  Value transpose(const Tensor &input, const std::vector<int64_t> &order);
  /// An axis of a tensor counted from 0 (negative ones count from the end); nullopt after an error.
  std::optional<int64_t> axisIn(int64_t axis, const Type &type);
  /// The index along an axis: int32 of the given shape.
  Tensor iota(const std::vector<int64_t> &shape, size_t axis);

  /// Promotes and broadcasts the two sides of an operation; numbers take part as numbers.
  bool unify(Value &a, Value &b, std::string_view what, bool isDivisionOrRemainder = false);
  Value binary(BinaryOperator op, const Value &a, const Value &b);
  /// Float division after promotion; ieee rounds to nearest, else the fp32 quotient is approximate.
  Value divide(const Value &a, const Value &b, bool ieee);
  /// op is one of < <= > >= == !=.
  Value compare(std::string_view op, const Value &a, const Value &b);
  /// `and` / `or` of two tensors of int1.
  Value logical(bool isAnd, const Value &a, const Value &b);
  /// op is one of - + ~ not.
  Value unary(std::string_view op, const Tensor &a);
  /// maximum or minimum.
  Value extremum(bool isMaximum, const Value &a, const Value &b, bool propagatesNan);
  Value select(const Value &condition, const Value &a, const Value &b);

  /// Makes an op with one result of `type` and wraps it.
  template <typename Op, typename... Args>
  Tensor make(const Type &type, Args &&...args) {
    return {type, Op::create(builder, location, irType(builder.getContext(), type),
                             std::forward<Args>(args)...)};
  }
  template <typename Op, typename... Args>
  Value makeValue(const Type &type, Args &&...args) {
    return Value::tensor(make<Op>(type, std::forward<Args>(args)...));
  }
  mlir::arith::FastMathFlagsAttr fastMath(mlir::arith::FastMathFlags flags) {
    return mlir::arith::FastMathFlagsAttr::get(builder.getContext(), flags);
  }

private:
  Value castFloatToFloat(const Tensor &input, const Type &to, Rounding rounding);
  Value castPointer(const Tensor &input, const Type &to);
  Value pointerArithmetic(BinaryOperator op, Value a, Value b);
  Value arithmetic(BinaryOperator op, const Tensor &a, const Tensor &b, bool isLeftSigned);
  bool checkNumberFits(const Value &side, Scalar type);

  std::function<void(std::string)> report_;
};

} // namespace inlay::triton
