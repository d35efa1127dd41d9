#include "compiler/transforms/tile/FoldDotSums.h"

#include "compiler/dialects/tile/Tile.h"

#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;

namespace inlay::tile {
namespace {

bool isZero(Value value) {
  if (auto splat = value.getDefiningOp<SplatOp>())
    return isZero(splat.getSource());
  return matchPattern(value, m_Zero()) || matchPattern(value, m_AnyZeroFloat());
}

template <typename Sum>
struct FoldSum : OpRewritePattern<Sum> {
  using OpRewritePattern<Sum>::OpRewritePattern;

  LogicalResult matchAndRewrite(Sum sum, PatternRewriter &rewriter) const override {
    for (auto [dotSide, other] :
         {std::pair(sum.getLhs(), sum.getRhs()), std::pair(sum.getRhs(), sum.getLhs())}) {
      auto dot = dotSide.template getDefiningOp<DotOp>();
      if (!dot || !dot->hasOneUse() || dot->getBlock() != sum->getBlock() || !isZero(dot.getAcc()))
        continue;
      // The other side may come after the dot, so the dot moves to the sum.
      rewriter.replaceOpWithNewOp<DotOp>(sum, dot.getType(), dot.getLhs(), dot.getRhs(), other,
                                         dot.getPrecision(), dot.getMaxNumImprecise());
      rewriter.eraseOp(dot);
      return success();
    }
    return failure();
  }
};

class FoldDotSumsPass : public PassWrapper<FoldDotSumsPass, OperationPass<>> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(FoldDotSumsPass)

  StringRef getArgument() const override { return "tile-fold-dot-sums"; }
  StringRef getDescription() const override { return "Make sums with dots the dots' accumulators"; }
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<FoldSum<arith::AddFOp>, FoldSum<arith::AddIOp>>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace

std::unique_ptr<Pass> createFoldDotSumsPass() { return std::make_unique<FoldDotSumsPass>(); }

} // namespace inlay::tile
