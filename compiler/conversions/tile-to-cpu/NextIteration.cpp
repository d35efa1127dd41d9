#include "compiler/conversions/tile-to-cpu/NextIteration.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace inlay::tile_to_cpu {

namespace {

/// By how much an iteration of the loop moves values. Integers count in themselves, pointers in
/// bytes.
class Mover {
public:
  Mover(OpBuilder &builder, scf::ForOp loop, ProgramValues &values)
      : builder_(builder), loop_(loop), values_(values) {}

  /// An i64, null if the value stays; nothing if that is not known.
  std::optional<Value> distanceOf(Value value) {
    if (loop_.isDefinedOutsideOfLoop(value))
      return Value();
    if (auto argument = dyn_cast<BlockArgument>(value))
      return argument.getOwner() == loop_.getBody() ? distanceOfArgument(argument) : std::nullopt;
    Operation *op = value.getDefiningOp();
    return TypeSwitch<Operation *, std::optional<Value>>(op)
        .Case<tile::SplatOp, tile::ExpandDimsOp, tile::BroadcastOp, tile::TransOp, arith::ExtSIOp,
              arith::ExtUIOp>([&](auto) { return distanceOf(op->getOperand(0)); })
        .Case<arith::AddIOp>([&](auto) { return sum(op->getOperand(0), op->getOperand(1), 1); })
        .Case<arith::MulIOp>([&](auto) { return product(op->getOperand(0), op->getOperand(1)); })
        .Case([&](tile::AddPtrOp add) {
          auto type = cast<tile::PointerType>(tile::elementTypeOf(add.getType()));
          return sum(add.getPtr(), add.getOffset(), memoryBytesOf(type.getElementType()));
        })
        .Default([&](Operation *) -> std::optional<Value> {
          bool stays = op->getNumRegions() == 0 && !isa<tile::LoadOp>(op) &&
                       llvm::all_of(op->getOperands(), [&](Value operand) {
                         std::optional<Value> distance = distanceOf(operand);
                         return distance && !*distance;
                       });
          return stays ? std::optional(Value()) : std::nullopt;
        });
  }

private:
  std::optional<Value> distanceOfArgument(BlockArgument argument) {
    if (argument == loop_.getInductionVar())
      return emitted(loop_.getStep());
    if (isa<RankedTensorType>(argument.getType()) || !argument.getType().isInteger())
      return std::nullopt;
    auto add = loop_.getTiedLoopYieldedValue(argument)->get().getDefiningOp<arith::AddIOp>();
    if (!add)
      return std::nullopt;
    Value step = add.getLhs() == argument   ? add.getRhs()
                 : add.getRhs() == argument ? add.getLhs()
                                            : Value();
    return step && loop_.isDefinedOutsideOfLoop(step) ? emitted(step) : std::nullopt;
  }

  std::optional<Value> product(Value a, Value b) {
    std::optional<Value> first = distanceOf(a), second = distanceOf(b);
    if (!first || !second || (*first && *second))
      return std::nullopt;
    if (!*first && !*second)
      return Value();
    std::optional<Value> factor = uniform(*first ? b : a);
    if (!factor)
      return std::nullopt;
    return Value(arith::MulIOp::create(builder_, a.getLoc(), *first ? *first : *second, *factor));
  }

  /// The number that all elements are, as an i64.
  std::optional<Value> uniform(Value value) {
    APInt constant;
    if (matchPattern(value, m_ConstantInt(&constant)))
      return integerConstant(builder_, value.getLoc(), builder_.getI64Type(),
                             constant.getSExtValue());
    Operation *op = value.getDefiningOp();
    if (isa_and_nonnull<tile::SplatOp, tile::ExpandDimsOp, tile::BroadcastOp, arith::ExtSIOp>(op))
      return uniform(op->getOperand(0));
    return isa<RankedTensorType>(value.getType()) ? std::nullopt : emitted(value);
  }

  std::optional<Value> emitted(Value scalar) {
    Value value = values_.scalars.lookupOrNull(scalar);
    if (!value || !value.getType().isInteger())
      return std::nullopt;
    Type i64 = builder_.getI64Type();
    if (value.getType() == i64)
      return value;
    return Value(arith::ExtSIOp::create(builder_, scalar.getLoc(), i64, value));
  }

  std::optional<Value> sum(Value a, Value b, int64_t scale) {
    std::optional<Value> first = distanceOf(a), second = distanceOf(b);
    if (!first || !second)
      return std::nullopt;
    Location location = a.getLoc();
    if (*second && scale != 1)
      second =
          arith::MulIOp::create(builder_, location, *second,
                                integerConstant(builder_, location, builder_.getI64Type(), scale));
    if (!*first || !*second)
      return *first ? first : second;
    return Value(arith::AddIOp::create(builder_, location, *first, *second));
  }

  OpBuilder &builder_;
  scf::ForOp loop_;
  ProgramValues &values_;
};

} // namespace

Value emitDistanceToNext(OpBuilder &builder, tile::LoadOp load, ProgramValues &values) {
  auto loop = load->getParentOfType<scf::ForOp>();
  if (!loop)
    return {};
  return Mover(builder, loop, values).distanceOf(load.getPtr()).value_or(Value());
}

} // namespace inlay::tile_to_cpu
