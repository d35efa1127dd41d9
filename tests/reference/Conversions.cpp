// Conversions between element types.
#include "tests/reference/Interpreter.h"

#include "llvm/ADT/TypeSwitch.h"

#include <cmath>

using namespace mlir;

namespace inlay::reference {

bool Interpreter::runConversion(Operation &op) {
  if (op.getNumOperands() != 1 || op.getNumResults() != 1)
    return false;
  Value source = op.getOperand(0);
  Type from = tile::elementTypeOf(source.getType()),
       to = tile::elementTypeOf(op.getResult(0).getType());
  unsigned width = widthOf(from);
  auto integer = [&](auto convert) {
    return forEach(op, [&](size_t i) {
      return Cell{static_cast<uint64_t>(convert(of(source)[i])) & maskOf(widthOf(to)), 0};
    });
  };
  auto real = [&](auto convert) {
    return forEach(op, [&](size_t i) { return Cell{0, convert(of(source)[i])}; });
  };
  // Out of range the conversion saturates, NaN gives 0, as PTX does.
  auto clampTo = [&](double value, double low, double high) -> __int128 {
    return std::isnan(value) ? 0 : static_cast<__int128>(std::clamp(std::trunc(value), low, high));
  };
  return llvm::TypeSwitch<Operation *, bool>(&op)
      .Case<arith::ExtSIOp>(
          [&](auto) { return integer([&](const Cell &c) { return signedOf(c.bits, width); }); })
      .Case<arith::ExtUIOp, arith::TruncIOp, arith::IndexCastUIOp>(
          [&](auto) { return integer([&](const Cell &c) { return c.bits; }); })
      .Case<arith::IndexCastOp>(
          [&](auto) { return integer([&](const Cell &c) { return signedOf(c.bits, width); }); })
      .Case<arith::FPToSIOp>([&](auto) {
        double limit = std::ldexp(1.0, static_cast<int>(widthOf(to)) - 1);
        return integer([&](const Cell &c) {
          return std::min<__int128>(clampTo(c.real, -limit, limit),
                                    static_cast<__int128>(limit) - 1);
        });
      })
      .Case<arith::FPToUIOp>([&](auto) {
        double limit = std::ldexp(1.0, static_cast<int>(widthOf(to)));
        return integer([&](const Cell &c) {
          return std::min<__int128>(clampTo(c.real, 0, limit), static_cast<__int128>(limit) - 1);
        });
      })
      .Case<arith::BitcastOp>([&](auto) {
        return forEach(op, [&](size_t i) { return fromBits(bitsOf(of(source)[i], from), to); });
      })
      .Case<arith::ExtFOp>([&](auto) { return real([](const Cell &c) { return c.real; }); })
      // 8-bit floats saturate, as `cvt.satfinite` does; NaN stays NaN.
      .Case<arith::TruncFOp>([&](arith::TruncFOp truncate) {
        bool towardZero = truncate.getRoundingmode() == arith::RoundingMode::toward_zero;
        auto type = cast<FloatType>(to);
        double limit = type.getWidth() == 8
                           ? toDouble(APFloat::getLargest(type.getFloatSemantics()))
                           : HUGE_VAL;
        return real([&](const Cell &c) {
          double value = std::isnan(c.real) ? c.real : std::clamp(c.real, -limit, limit);
          return roundTo(value, to, towardZero);
        });
      })
      // 64-bit integers round once, straight to the result's type.
      .Case<arith::SIToFPOp, arith::UIToFPOp>([&](auto) {
        bool isSigned = isa<arith::SIToFPOp>(op);
        return real([&](const Cell &c) {
          APFloat value(cast<FloatType>(to).getFloatSemantics());
          value.convertFromAPInt(APInt(width, c.bits), isSigned, APFloat::rmNearestTiesToEven);
          return toDouble(value);
        });
      })
      .Default([](Operation *) { return false; });
}

} // namespace inlay::reference
