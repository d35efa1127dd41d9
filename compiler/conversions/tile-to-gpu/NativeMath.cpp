#include "compiler/conversions/math/MathExpansion.h"
#include "compiler/conversions/tile-to-gpu/TileToGpu.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;

namespace inlay {

namespace {

constexpr unsigned short kNativeBenefit = 10;
/// 2^x in one instruction; subnormal results are 0. Keeping them takes four.
constexpr const char *kExp2 = "llvm.nvvm.ex2.approx.ftz";

Value callIntrinsic(PatternRewriter &rewriter, Location location, StringRef name,
                    ValueRange operands) {
  return LLVM::CallIntrinsicOp::create(rewriter, location, operands[0].getType(),
                                       rewriter.getStringAttr(name), operands)
      .getResult(0);
}

template <typename Op>
bool allowsApproximation(Op op) {
  return op.getType().isF32() &&
         arith::bitEnumContainsAny(op.getFastmath(), arith::FastMathFlags::afn);
}

/// An f32 op that one intrinsic replaces; if `needsFlag`, only under `afn`.
template <typename Op, bool needsFlag>
class IntrinsicPattern : public OpRewritePattern<Op> {
public:
  IntrinsicPattern(MLIRContext *context, StringRef name)
      : OpRewritePattern<Op>(context, kNativeBenefit), name_(name) {}
  LogicalResult matchAndRewrite(Op op, PatternRewriter &rewriter) const override {
    if (!op.getType().isF32() || (needsFlag && !allowsApproximation(op)))
      return failure();
    rewriter.replaceOp(op, callIntrinsic(rewriter, op.getLoc(), name_, op->getOperands()));
    return success();
  }

private:
  StringRef name_;
};

/// exp(x) = 2^(x log2 e), with the error that ex2.approx and the rounding of the product have.
class ExpPattern : public OpRewritePattern<math::ExpOp> {
public:
  explicit ExpPattern(MLIRContext *context) : OpRewritePattern(context, kNativeBenefit) {}
  LogicalResult matchAndRewrite(math::ExpOp op, PatternRewriter &rewriter) const override {
    if (!allowsApproximation(op))
      return failure();
    Value log2e = arith::ConstantOp::create(rewriter, op.getLoc(),
                                            rewriter.getF32FloatAttr(1.44269504088896340736f));
    Value scaled = arith::MulFOp::create(rewriter, op.getLoc(), op.getOperand(), log2e);
    rewriter.replaceOp(op, callIntrinsic(rewriter, op.getLoc(), kExp2, scaled));
    return success();
  }
};

class GpuMathExpansionPass : public PassWrapper<GpuMathExpansionPass, OperationPass<>> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(GpuMathExpansionPass)

  StringRef getArgument() const override { return "inlay-gpu-math-expansion"; }
  StringRef getDescription() const override {
    return "Turn math functions into instructions of the GPU, or expand them";
  }
  void getDependentDialects(DialectRegistry &registry) const override {
    registry.insert<arith::ArithDialect, math::MathDialect, LLVM::LLVMDialect>();
    createMathExpansionPass()->getDependentDialects(registry);
  }
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    populateNativeGpuMathPatterns(patterns);
    const MathExpansionOptions options{
        .hasFma = true, .hasF16Conversion = true, .hasNarrowFloats = true};
    populateMathExpansionPatterns(patterns, options);
    populateNarrowFloatPatterns(patterns, options);
    GreedyRewriteConfig config;
    config.enableFolding(false);
    config.setRegionSimplificationLevel(GreedySimplifyRegionLevel::Disabled);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns), config)))
      signalPassFailure();
  }
};

} // namespace

void populateNativeGpuMathPatterns(RewritePatternSet &patterns) {
  MLIRContext *context = patterns.getContext();
  patterns.add<IntrinsicPattern<arith::DivFOp, true>>(context, "llvm.nvvm.div.full");
  patterns.add<IntrinsicPattern<math::SqrtOp, true>>(context, "llvm.nvvm.sqrt.approx.f");
  patterns.add<IntrinsicPattern<math::Exp2Op, true>>(context, kExp2);
  patterns.add<IntrinsicPattern<math::RsqrtOp, false>>(context, "llvm.nvvm.rsqrt.approx.f");
  patterns.add<ExpPattern>(context);
}

std::unique_ptr<Pass> createGpuMathExpansionPass() {
  return std::make_unique<GpuMathExpansionPass>();
}

} // namespace inlay
