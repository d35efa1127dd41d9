#include "compiler/conversions/math/Functions.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace inlay {

using namespace math_expansion;

namespace math_expansion {

Value anyLane(FloatBuilder &f, Value condition) {
  auto type = dyn_cast<VectorType>(condition.getType());
  if (!type)
    return condition;
  if (type.getRank() != 1) {
    auto flat = VectorType::get({type.getNumElements()}, type.getElementType());
    condition = vector::ShapeCastOp::create(f.builder(), f.location(), flat, condition);
  }
  return vector::ReductionOp::create(f.builder(), f.location(), vector::CombiningKind::OR,
                                     condition);
}

} // namespace math_expansion

namespace {

/// How an f32 function is computed.
enum class Single { Native, ViaDouble };

template <typename Op, auto function, Single single = Single::Native>
class FunctionPattern : public OpRewritePattern<Op> {
public:
  FunctionPattern(MLIRContext *context, const MathExpansionOptions &options)
      : OpRewritePattern<Op>(context), hasFma_(options.hasFma) {}

  LogicalResult matchAndRewrite(Op op, PatternRewriter &rewriter) const override {
    Type element = getElementTypeOrSelf(op.getType());
    if (!element.isF32() && !element.isF64())
      return failure();
    FloatBuilder f(rewriter, op.getLoc(), op.getType(), hasFma_);
    SmallVector<Value> operands(op->getOperands());
    if (single == Single::Native || element.isF64()) {
      rewriter.replaceOp(op, call(f, operands));
      return success();
    }
    for (Value &operand : operands)
      operand = f.extend(operand);
    FloatBuilder f64 = f.withElement(rewriter.getF64Type());
    rewriter.replaceOp(op, f.truncate(call(f64, operands)));
    return success();
  }

private:
  static Value call(FloatBuilder &f, ArrayRef<Value> operands) {
    if constexpr (std::is_invocable_v<decltype(function), FloatBuilder &, Value>)
      return function(f, operands[0]);
    else if constexpr (std::is_invocable_v<decltype(function), FloatBuilder &, Value, Value>)
      return function(f, operands[0], operands[1]);
    else
      return function(f, operands[0], operands[1], operands[2]);
  }

  bool hasFma_;
};

} // namespace

void populateMathExpansionPatterns(RewritePatternSet &patterns,
                                   const MathExpansionOptions &options) {
  patterns.add<FunctionPattern<math::ExpOp, expandExp>,     //
               FunctionPattern<math::Exp2Op, expandExp2>,   //
               FunctionPattern<math::ExpM1Op, expandExpM1>, //
               FunctionPattern<math::TanhOp, expandTanh>,   //
               FunctionPattern<math::LogOp, expandLog>,     //
               FunctionPattern<math::Log2Op, expandLog2>,   //
               FunctionPattern<math::Log10Op, expandLog10>, //
               FunctionPattern<math::Log1pOp, expandLog1p>, //
               FunctionPattern<math::SinOp, expandSin>,     //
               FunctionPattern<math::CosOp, expandCos>,     //
               FunctionPattern<math::ErfOp, expandErf>,     //
               FunctionPattern<math::PowFOp, expandPower>,  //
               FunctionPattern<math::RsqrtOp, expandRsqrt>, //
               FunctionPattern<math::RoundOp, expandRound>, //
               FunctionPattern<arith::RemFOp, expandRemainder>,
               FunctionPattern<math::TanOp, expandTan, Single::ViaDouble>,
               FunctionPattern<math::SinhOp, expandSinh, Single::ViaDouble>,
               FunctionPattern<math::CoshOp, expandCosh, Single::ViaDouble>,
               FunctionPattern<math::ErfcOp, expandErfc, Single::ViaDouble>,
               FunctionPattern<math::AsinOp, expandAsin, Single::ViaDouble>,
               FunctionPattern<math::AcosOp, expandAcos, Single::ViaDouble>,
               FunctionPattern<math::AtanOp, expandAtan, Single::ViaDouble>,
               FunctionPattern<math::Atan2Op, expandAtan2, Single::ViaDouble>,
               FunctionPattern<math::CbrtOp, expandCbrt, Single::ViaDouble>>(patterns.getContext(),
                                                                             options);
  if (!options.hasFma)
    patterns.add<FunctionPattern<math::FmaOp, expandFma>>(patterns.getContext(), options);
}

} // namespace inlay
