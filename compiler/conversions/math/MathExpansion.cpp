#include "compiler/conversions/math/MathExpansion.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;

namespace inlay {

namespace {

class MathExpansionPass : public PassWrapper<MathExpansionPass, OperationPass<>> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(MathExpansionPass)

  MathExpansionPass() = default;
  explicit MathExpansionPass(const MathExpansionOptions &options) {
    hasFma_ = options.hasFma;
    hasF16Conversion_ = options.hasF16Conversion;
  }
  MathExpansionPass(const MathExpansionPass &other) : PassWrapper(other) {
    hasFma_ = other.hasFma_.getValue();
    hasF16Conversion_ = other.hasF16Conversion_.getValue();
  }

  StringRef getArgument() const override { return "inlay-math-expansion"; }
  StringRef getDescription() const override {
    return "Expand math functions and 16-bit float conversions";
  }
  void getDependentDialects(DialectRegistry &registry) const override {
    registry
        .insert<arith::ArithDialect, math::MathDialect, scf::SCFDialect, vector::VectorDialect>();
  }
  void runOnOperation() override {
    MathExpansionOptions options{hasFma_, hasF16Conversion_};
    RewritePatternSet patterns(&getContext());
    populateMathExpansionPatterns(patterns, options);
    populateNarrowFloatPatterns(patterns, options);
    GreedyRewriteConfig config;
    config.enableFolding(false);
    config.setRegionSimplificationLevel(GreedySimplifyRegionLevel::Disabled);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns), config)))
      signalPassFailure();
  }

private:
  Option<bool> hasFma_{*this, "fma", llvm::cl::desc("math.fma is an instruction"),
                       llvm::cl::init(true)};
  Option<bool> hasF16Conversion_{*this, "f16-conversion",
                                 llvm::cl::desc("f32 <-> f16 are instructions"),
                                 llvm::cl::init(true)};
};

} // namespace

std::unique_ptr<Pass> createMathExpansionPass(const MathExpansionOptions &options) {
  return std::make_unique<MathExpansionPass>(options);
}

void registerMathExpansionPasses() {
  registerPass([] { return createMathExpansionPass(); });
}

} // namespace inlay
