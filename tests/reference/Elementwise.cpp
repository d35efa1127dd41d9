// Arithmetic: each element in double precision (or as an integer), rounded to its type.
#include "tests/reference/Interpreter.h"

#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/TypeSwitch.h"

#include <cmath>

using namespace mlir;

namespace inlay::reference {
namespace {

double roundHalfEven(double x) { return std::nearbyint(x); }
double rsqrtOf(double x) { return 1.0 / std::sqrt(x); }

using UnaryFunction = double (*)(double);
const llvm::StringMap<UnaryFunction> &unaryFunctions() {
  static const llvm::StringMap<UnaryFunction> table = {
      {"math.exp", std::exp},
      {"math.exp2", std::exp2},
      {"math.expm1", std::expm1},
      {"math.log", std::log},
      {"math.log2", std::log2},
      {"math.log10", std::log10},
      {"math.log1p", std::log1p},
      {"math.sqrt", std::sqrt},
      {"math.rsqrt", rsqrtOf},
      {"math.cbrt", std::cbrt},
      {"math.sin", std::sin},
      {"math.cos", std::cos},
      {"math.tan", std::tan},
      {"math.asin", std::asin},
      {"math.acos", std::acos},
      {"math.atan", std::atan},
      {"math.sinh", std::sinh},
      {"math.cosh", std::cosh},
      {"math.tanh", std::tanh},
      {"math.asinh", std::asinh},
      {"math.acosh", std::acosh},
      {"math.atanh", std::atanh},
      {"math.erf", std::erf},
      {"math.erfc", std::erfc},
      {"math.floor", std::floor},
      {"math.ceil", std::ceil},
      {"math.trunc", std::trunc},
      {"math.round", std::round},
      {"math.roundeven", roundHalfEven},
      {"math.absf", std::fabs},
  };
  return table;
}

double maximum(double a, double b) {
  return std::isnan(a) || std::isnan(b) ? NAN : a == b ? (std::signbit(a) ? b : a) : std::max(a, b);
}
double minimum(double a, double b) { return -maximum(-a, -b); }
double add(double a, double b) { return a + b; }
double subtract(double a, double b) { return a - b; }
double multiply(double a, double b) { return a * b; }
double divide(double a, double b) { return a / b; }

using BinaryFunction = double (*)(double, double);
const llvm::StringMap<BinaryFunction> &binaryFunctions() {
  static const llvm::StringMap<BinaryFunction> table = {
      {"arith.addf", add},          {"arith.subf", subtract},    {"arith.mulf", multiply},
      {"arith.divf", divide},       {"arith.remf", std::fmod},   {"arith.maxnumf", std::fmax},
      {"arith.minnumf", std::fmin}, {"arith.maximumf", maximum}, {"arith.minimumf", minimum},
      {"math.powf", std::pow},      {"math.atan2", std::atan2},  {"math.copysign", std::copysign},
  };
  return table;
}

/// Integer operations on zero-extended operands of a width; the caller masks. Division by zero
/// gives 0 and a shift by the width or more 0 (or the sign): the language leaves both open.
using IntegerFunction = uint64_t (*)(uint64_t, uint64_t, unsigned);
const llvm::StringMap<IntegerFunction> &integerFunctions() {
  static const llvm::StringMap<IntegerFunction> table = {
      {"arith.addi", [](uint64_t a, uint64_t b, unsigned) { return a + b; }},
      {"arith.subi", [](uint64_t a, uint64_t b, unsigned) { return a - b; }},
      {"arith.muli", [](uint64_t a, uint64_t b, unsigned) { return a * b; }},
      {"arith.divui", [](uint64_t a, uint64_t b, unsigned) { return b == 0 ? 0 : a / b; }},
      {"arith.remui", [](uint64_t a, uint64_t b, unsigned) { return b == 0 ? 0 : a % b; }},
      {"arith.divsi",
       [](uint64_t a, uint64_t b, unsigned w) {
         return b == 0
                    ? 0
                    : static_cast<uint64_t>(static_cast<__int128>(signedOf(a, w)) / signedOf(b, w));
       }},
      {"arith.remsi",
       [](uint64_t a, uint64_t b, unsigned w) {
         return b == 0
                    ? 0
                    : static_cast<uint64_t>(static_cast<__int128>(signedOf(a, w)) % signedOf(b, w));
       }},
      {"arith.andi", [](uint64_t a, uint64_t b, unsigned) { return a & b; }},
      {"arith.ori", [](uint64_t a, uint64_t b, unsigned) { return a | b; }},
      {"arith.xori", [](uint64_t a, uint64_t b, unsigned) { return a ^ b; }},
      {"arith.shli", [](uint64_t a, uint64_t b, unsigned w) { return b >= w ? 0 : a << b; }},
      {"arith.shrui", [](uint64_t a, uint64_t b, unsigned w) { return b >= w ? 0 : a >> b; }},
      {"arith.shrsi",
       [](uint64_t a, uint64_t b, unsigned w) {
         return static_cast<uint64_t>(signedOf(a, w) >> std::min<uint64_t>(b, w - 1));
       }},
      {"arith.maxui", [](uint64_t a, uint64_t b, unsigned) { return std::max(a, b); }},
      {"arith.minui", [](uint64_t a, uint64_t b, unsigned) { return std::min(a, b); }},
      {"arith.maxsi",
       [](uint64_t a, uint64_t b, unsigned w) { return signedOf(a, w) > signedOf(b, w) ? a : b; }},
      {"arith.minsi",
       [](uint64_t a, uint64_t b, unsigned w) { return signedOf(a, w) < signedOf(b, w) ? a : b; }},
  };
  return table;
}

bool compareIntegers(arith::CmpIPredicate predicate, uint64_t a, uint64_t b, unsigned width) {
  return arith::applyCmpPredicate(predicate, APInt(width, a), APInt(width, b));
}

} // namespace

bool Interpreter::runElementwise(Operation &op) {
  if (op.getNumResults() == 0 || op.getNumOperands() == 0)
    return false;
  StringRef name = op.getName().getStringRef();
  Type element = tile::elementTypeOf(op.getOperand(op.getNumOperands() - 1).getType());
  unsigned width = isa<FloatType>(element) || element.isIntOrIndex() ? widthOf(element) : 0;
  auto operand = [&](unsigned n, size_t i) -> const Cell & { return at(op.getOperand(n), i); };
  if (auto found = unaryFunctions().find(name); found != unaryFunctions().end())
    return forEach(
        op, [&](size_t i) { return Cell{0, roundTo(found->second(operand(0, i).real), element)}; });
  if (auto found = binaryFunctions().find(name); found != binaryFunctions().end())
    return forEach(op, [&](size_t i) {
      return Cell{0, roundTo(found->second(operand(0, i).real, operand(1, i).real), element)};
    });
  if (auto found = integerFunctions().find(name); found != integerFunctions().end())
    return forEach(op, [&](size_t i) {
      return Cell{found->second(operand(0, i).bits, operand(1, i).bits, width) & maskOf(width), 0};
    });
  return llvm::TypeSwitch<Operation *, bool>(&op)
      .Case([&](arith::CmpIOp compare) {
        return forEach(op, [&](size_t i) {
          return Cell{compareIntegers(compare.getPredicate(), operand(0, i).bits,
                                      operand(1, i).bits, width),
                      0};
        });
      })
      .Case([&](arith::CmpFOp compare) {
        return forEach(op, [&](size_t i) {
          return Cell{arith::applyCmpPredicate(compare.getPredicate(), APFloat(operand(0, i).real),
                                               APFloat(operand(1, i).real)),
                      0};
        });
      })
      .Case<arith::SelectOp>([&](auto) {
        return forEach(
            op, [&](size_t i) { return operand(0, i).bits & 1 ? operand(1, i) : operand(2, i); });
      })
      .Case<arith::NegFOp>(
          [&](auto) { return forEach(op, [&](size_t i) { return Cell{0, -operand(0, i).real}; }); })
      .Case<math::CountLeadingZerosOp>([&](auto) {
        return forEach(
            op, [&](size_t i) { return Cell{APInt(width, operand(0, i).bits).countl_zero(), 0}; });
      })
      .Case<math::CountTrailingZerosOp>([&](auto) {
        return forEach(
            op, [&](size_t i) { return Cell{APInt(width, operand(0, i).bits).countr_zero(), 0}; });
      })
      .Case<math::CtPopOp>([&](auto) {
        return forEach(
            op, [&](size_t i) { return Cell{APInt(width, operand(0, i).bits).popcount(), 0}; });
      })
      .Case<math::AbsIOp>([&](auto) {
        return forEach(op, [&](size_t i) {
          return Cell{static_cast<uint64_t>(std::abs(signedOf(operand(0, i).bits, width))) &
                          maskOf(width),
                      0};
        });
      })
      .Case<math::IsNaNOp>([&](auto) {
        return forEach(op, [&](size_t i) { return Cell{std::isnan(operand(0, i).real), 0}; });
      })
      .Case<math::IsInfOp>([&](auto) {
        return forEach(op, [&](size_t i) { return Cell{std::isinf(operand(0, i).real), 0}; });
      })
      .Case<math::IsFiniteOp>([&](auto) {
        return forEach(op, [&](size_t i) { return Cell{std::isfinite(operand(0, i).real), 0}; });
      })
      .Case<math::FmaOp>([&](auto) {
        // Rounded once: in the type itself, because double may round twice.
        return forEach(op, [&](size_t i) {
          auto type = cast<FloatType>(element);
          APFloat value = toFormat(operand(0, i).real, type);
          value.fusedMultiplyAdd(toFormat(operand(1, i).real, type),
                                 toFormat(operand(2, i).real, type), APFloat::rmNearestTiesToEven);
          return Cell{0, toDouble(value)};
        });
      })
      .Case<arith::MulUIExtendedOp, arith::MulSIExtendedOp>([&](auto multiply) {
        Cells low, high;
        for (size_t i = 0; i < countOf(multiply.getLow().getType()); ++i) {
          bool isSigned = isa<arith::MulSIExtendedOp>(op);
          APInt a(width, operand(0, i).bits), b(width, operand(1, i).bits);
          APInt product = isSigned ? a.sext(2 * width) * b.sext(2 * width)
                                   : a.zext(2 * width) * b.zext(2 * width);
          low.push_back({product.trunc(width).getZExtValue(), 0});
          high.push_back({product.lshr(width).trunc(width).getZExtValue(), 0});
        }
        values_[multiply.getLow()] = low;
        values_[multiply.getHigh()] = high;
        return true;
      })
      .Default([](Operation *) { return false; });
}

} // namespace inlay::reference
