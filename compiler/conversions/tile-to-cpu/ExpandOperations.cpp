// Before the lowering: operations that others can express.
#include "compiler/conversions/tile-to-cpu/InlineAssembly.h"
#include "compiler/conversions/tile-to-cpu/TileToCpu.h"
#include "compiler/dialects/tile/Tile.h"

#include "mlir/IR/Matchers.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;

namespace inlay {

namespace {

/// Tile arithmetic at one place.
class TileBuilder {
public:
  TileBuilder(PatternRewriter &rewriter, Location location)
      : rewriter_(rewriter), location_(location) {}

  Value splat(Value scalar, ArrayRef<int64_t> shape) {
    return tile::SplatOp::create(rewriter_, location_,
                                 RankedTensorType::get(shape, scalar.getType()), scalar);
  }
  Value constant(Type type, int64_t value) {
    Type element = getElementTypeOrSelf(type);
    TypedAttr attribute = rewriter_.getIntegerAttr(
        element, APInt(element.getIntOrFloatBitWidth(), value, true, true));
    if (auto tile = dyn_cast<RankedTensorType>(type))
      attribute = DenseElementsAttr::get(tile, Attribute(attribute));
    return arith::ConstantOp::create(rewriter_, location_, attribute);
  }
  /// offset + i along dimension d, as i64 of the whole shape.
  Value index(ArrayRef<int64_t> shape, size_t d, Value offset) {
    Type i64 = rewriter_.getI64Type();
    auto line = RankedTensorType::get(shape[d], rewriter_.getI32Type());
    Value range = tile::ArangeOp::create(rewriter_, location_, line, 0, shape[d]);
    range = arith::ExtSIOp::create(rewriter_, location_, line.clone(i64), range);
    Value start = splat(arith::ExtSIOp::create(rewriter_, location_, i64, offset), shape[d]);
    Value sum = arith::AddIOp::create(rewriter_, location_, start, range);
    SmallVector<int64_t> sizes{shape[d]};
    for (size_t other = 0; other < shape.size(); ++other) {
      if (other == d)
        continue;
      sizes.insert(sizes.begin() + other, 1);
      sum = tile::ExpandDimsOp::create(rewriter_, location_, RankedTensorType::get(sizes, i64), sum,
                                       other);
    }
    return tile::BroadcastOp::create(rewriter_, location_, RankedTensorType::get(shape, i64), sum);
  }

private:
  PatternRewriter &rewriter_;
  Location location_;
};

/// The pointers of a described tile and where it is inside the tensor.
std::pair<Value, Value> addressTile(PatternRewriter &rewriter, Location location, Value base,
                                    ValueRange sizes, ValueRange strides, ValueRange offsets,
                                    ArrayRef<int64_t> shape) {
  TileBuilder tiles(rewriter, location);
  Value pointers = tiles.splat(base, shape), mask;
  for (size_t d = 0; d < shape.size(); ++d) {
    Value index = tiles.index(shape, d, offsets[d]);
    Value low = arith::CmpIOp::create(rewriter, location, arith::CmpIPredicate::sge, index,
                                      tiles.constant(index.getType(), 0));
    Value high = arith::CmpIOp::create(rewriter, location, arith::CmpIPredicate::slt, index,
                                       tiles.splat(sizes[d], shape));
    Value inside = arith::AndIOp::create(rewriter, location, low, high);
    mask = mask ? Value(arith::AndIOp::create(rewriter, location, mask, inside)) : inside;
    // The last stride is promised to be 1.
    if (d + 1 != shape.size())
      index = arith::MulIOp::create(rewriter, location, index, tiles.splat(strides[d], shape));
    pointers = tile::AddPtrOp::create(rewriter, location, pointers.getType(), pointers, index);
  }
  return {pointers, mask};
}

class DescriptorLoadPattern : public OpRewritePattern<tile::DescriptorLoadOp> {
public:
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(tile::DescriptorLoadOp op,
                                PatternRewriter &rewriter) const override {
    auto type = cast<RankedTensorType>(op.getType());
    auto [pointers, mask] = addressTile(rewriter, op.getLoc(), op.getBase(), op.getSizes(),
                                        op.getStrides(), op.getOffsets(), type.getShape());
    Type element = type.getElementType();
    TypedAttr padding = rewriter.getZeroAttr(element);
    if (op.getPadding() == tile::Padding::NaN && isa<FloatType>(element))
      padding =
          FloatAttr::get(element, APFloat::getNaN(cast<FloatType>(element).getFloatSemantics()));
    Value other = arith::ConstantOp::create(rewriter, op.getLoc(),
                                            DenseElementsAttr::get(type, Attribute(padding)));
    rewriter.replaceOpWithNewOp<tile::LoadOp>(op, type, pointers, mask, other);
    return success();
  }
};

class DescriptorStorePattern : public OpRewritePattern<tile::DescriptorStoreOp> {
public:
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(tile::DescriptorStoreOp op,
                                PatternRewriter &rewriter) const override {
    auto type = cast<RankedTensorType>(op.getValue().getType());
    auto [pointers, mask] = addressTile(rewriter, op.getLoc(), op.getBase(), op.getSizes(),
                                        op.getStrides(), op.getOffsets(), type.getShape());
    rewriter.replaceOpWithNewOp<tile::StoreOp>(op, pointers, op.getValue(), mask);
    return success();
  }
};

/// x + dot(a, b, 0) is dot(a, b, x).
class AddDotPattern : public OpRewritePattern<arith::AddFOp> {
public:
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(arith::AddFOp op, PatternRewriter &rewriter) const override {
    for (auto [product, addend] :
         {std::pair(op.getLhs(), op.getRhs()), {op.getRhs(), op.getLhs()}}) {
      auto dot = product.getDefiningOp<tile::DotOp>();
      if (!dot || !dot->hasOneUse() || !matchPattern(dot.getAcc(), m_AnyZeroFloat()) ||
          dot->getBlock() != op->getBlock())
        continue;
      rewriter.replaceOpWithNewOp<tile::DotOp>(op, op.getType(), dot.getLhs(), dot.getRhs(), addend,
                                               dot.getPrecision(), dot.getMaxNumImprecise());
      return success();
    }
    return failure();
  }
};

/// Both halves of a product: through 64 bits, or four products of halves.
class ExtendedProductPattern : public OpRewritePattern<arith::MulUIExtendedOp> {
public:
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(arith::MulUIExtendedOp op,
                                PatternRewriter &rewriter) const override {
    Type type = op.getLhs().getType(), element = getElementTypeOrSelf(type);
    if (!element.isInteger())
      return failure();
    Location location = op.getLoc();
    unsigned bits = element.getIntOrFloatBitWidth();
    TileBuilder tiles(rewriter, location);
    auto mul = [&](Value a, Value b) -> Value {
      return arith::MulIOp::create(rewriter, location, a, b);
    };
    auto add = [&](Value a, Value b) -> Value {
      return arith::AddIOp::create(rewriter, location, a, b);
    };
    auto shift = [&](Value a, int64_t by) -> Value {
      return arith::ShRUIOp::create(rewriter, location, a, tiles.constant(a.getType(), by));
    };
    Value low = mul(op.getLhs(), op.getRhs()), high;
    if (bits <= 32) {
      Type wide = rewriter.getI64Type();
      if (auto tile = dyn_cast<RankedTensorType>(type))
        wide = tile.clone(wide);
      Value a = arith::ExtUIOp::create(rewriter, location, wide, op.getLhs());
      Value b = arith::ExtUIOp::create(rewriter, location, wide, op.getRhs());
      high = arith::TruncIOp::create(rewriter, location, type, shift(mul(a, b), bits));
    } else {
      auto lowHalf = [&](Value a) -> Value {
        return arith::AndIOp::create(rewriter, location, a,
                                     tiles.constant(a.getType(), 0xffffffff));
      };
      Value a0 = lowHalf(op.getLhs()), a1 = shift(op.getLhs(), 32), b0 = lowHalf(op.getRhs()),
            b1 = shift(op.getRhs(), 32);
      Value middle = add(mul(a1, b0), shift(mul(a0, b0), 32));
      Value carry = add(mul(a0, b1), lowHalf(middle));
      high = add(add(mul(a1, b1), shift(middle, 32)), shift(carry, 32));
    }
    rewriter.replaceOp(op, {low, high});
    return success();
  }
};

class ExpandOperationsPass : public PassWrapper<ExpandOperationsPass, OperationPass<ModuleOp>> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(ExpandOperationsPass)

  StringRef getArgument() const override { return "inlay-tile-expand-for-cpu"; }
  StringRef getDescription() const override {
    return "Express descriptors, extended products and inline assembly by other operations";
  }
  void getDependentDialects(DialectRegistry &registry) const override {
    registry.insert<arith::ArithDialect, math::MathDialect>();
  }
  void runOnOperation() override {
    SmallVector<tile::InlineAsmOp> assembly;
    getOperation().walk([&](tile::InlineAsmOp op) { assembly.push_back(op); });
    for (tile::InlineAsmOp op : assembly)
      if (failed(tile_to_cpu::expandInlineAssembly(op)))
        return signalPassFailure();
    RewritePatternSet patterns(&getContext());
    patterns
        .add<DescriptorLoadPattern, DescriptorStorePattern, AddDotPattern, ExtendedProductPattern>(
            &getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace

std::unique_ptr<Pass> createExpandOperationsForCpuPass() {
  return std::make_unique<ExpandOperationsPass>();
}

} // namespace inlay
