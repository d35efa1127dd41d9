#include "compiler/conversions/math/Functions.h"

using namespace mlir;

namespace inlay::math_expansion {

Value expandRsqrt(FloatBuilder &f, Value x) {
  Value root = math::SqrtOp::create(f.builder(), f.location(), x);
  return f.div(f.constant(1), root);
}

Value expandRound(FloatBuilder &f, Value x) {
  Value whole = math::TruncOp::create(f.builder(), f.location(), x);
  // The fraction is exact, unlike x + 0.5.
  Value fraction = f.abs(f.sub(x, whole));
  Value isHalf = f.compare(arith::CmpFPredicate::OGE, fraction, f.constant(0.5));
  Value away = f.add(whole, f.copySign(f.constant(1), x));
  return f.select(isHalf, away, whole);
}

Value expandCbrt(FloatBuilder &f, Value x) {
  Value magnitude = f.abs(x);
  Value isSmall = f.less(magnitude, f.constant(0x1p-1022));
  Value a = f.select(isSmall, f.mul(magnitude, f.constant(0x1p54)), magnitude);
  // A third of the bits is a third of the exponent and nearly the right mantissa: 3 % off.
  Value third = arith::DivUIOp::create(f.builder(), f.location(), f.bits(a), f.integer(3));
  Value root = f.fromBits(f.iadd(third, f.integer(int64_t((682 - 0.0330624) * 0x1p52))));
  // Halley's steps: the error to the third power.
  for (int step = 0; step < 2; ++step) {
    Value ratio = f.div(a, f.mul(root, root));
    Value above = f.add(root, f.add(ratio, ratio)), below = f.add(ratio, f.add(root, root));
    root = f.mul(root, f.div(above, below));
  }
  // With 24 bits the square is exact, so the last step rounds little.
  root = f.fromBits(f.iand(f.bits(root), f.integer(int64_t(~0ULL << 29))));
  Value ratio = f.div(a, f.mul(root, root));
  Value change = f.div(f.sub(ratio, root), f.add(ratio, f.add(root, root)));
  root = f.mulAdd(root, change, root);
  root = f.select(isSmall, f.mul(root, f.constant(0x1p-18)), root);
  Value isOrdinary = f.iand(f.isFinite(x), f.greater(magnitude, f.constant(0)));
  return f.select(isOrdinary, f.copySign(root, x), x);
}

} // namespace inlay::math_expansion
