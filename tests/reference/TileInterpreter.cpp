#include "tests/reference/TileInterpreter.h"

#include "base/Error.h"
#include "compiler/dialects/tile/Tile.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/TypeSwitch.h"

#include <cmath>
#include <cstring>

using namespace mlir;

namespace inlay {
namespace {

/// One element: integers and addresses in `bits` (zero-extended), floats in `real`.
struct Cell {
  uint64_t bits = 0;
  double real = 0;
};
/// A scalar (one cell) or a tile in row-major order.
using Cells = std::vector<Cell>;

unsigned widthOf(Type element) {
  return isa<tile::PointerType>(element) || element.isIndex() ? 64
                                                              : element.getIntOrFloatBitWidth();
}
uint64_t maskOf(unsigned width) { return width >= 64 ? ~uint64_t{0} : (uint64_t{1} << width) - 1; }

int64_t signedOf(uint64_t bits, unsigned width) {
  unsigned shift = 64 - width;
  return static_cast<int64_t>(bits << shift) >> shift;
}

double toDouble(APFloat value) {
  bool losesInfo;
  value.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &losesInfo);
  return value.convertToDouble();
}

APFloat toFormat(double value, FloatType type, bool towardZero = false) {
  APFloat result(value);
  bool losesInfo;
  result.convert(type.getFloatSemantics(),
                 towardZero ? APFloat::rmTowardZero : APFloat::rmNearestTiesToEven, &losesInfo);
  return result;
}

double roundTo(double value, Type type, bool towardZero = false) {
  if (type.isF64())
    return value;
  return toDouble(toFormat(value, cast<FloatType>(type), towardZero));
}

uint64_t bitsOf(const Cell &cell, Type type) {
  if (auto floatType = dyn_cast<FloatType>(type))
    return toFormat(cell.real, floatType).bitcastToAPInt().getZExtValue();
  return cell.bits & maskOf(widthOf(type));
}

Cell fromBits(uint64_t bits, Type type) {
  if (auto floatType = dyn_cast<FloatType>(type))
    return {0, toDouble(APFloat(floatType.getFloatSemantics(), APInt(floatType.getWidth(), bits)))};
  return {bits & maskOf(widthOf(type)), 0};
}

uint64_t sizeOf(Type type) { return (widthOf(type) + 7) / 8; }

std::vector<int64_t> shapeOf(Type type) {
  if (auto tensor = dyn_cast<RankedTensorType>(type))
    return {tensor.getShape().begin(), tensor.getShape().end()};
  return {};
}

size_t countOf(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor ? static_cast<size_t>(tensor.getNumElements()) : 1;
}

/// For each element of `to`, the row-major index of the element of `from` it comes from, where
/// dimension d of `to` walks `strides[d]` elements of the operand.
std::vector<size_t> gatherIndices(ArrayRef<int64_t> to, ArrayRef<int64_t> strides) {
  std::vector<size_t> indices;
  std::vector<int64_t> at(to.size(), 0);
  size_t count = 1;
  for (int64_t size : to)
    count *= size;
  for (size_t i = 0; i < count; ++i) {
    size_t index = 0;
    for (size_t d = 0; d < to.size(); ++d)
      index += at[d] * strides[d];
    indices.push_back(index);
    for (size_t d = to.size(); d-- > 0;) {
      if (++at[d] < to[d])
        break;
      at[d] = 0;
    }
  }
  return indices;
}

std::vector<int64_t> rowMajorStrides(ArrayRef<int64_t> shape) {
  std::vector<int64_t> strides(shape.size(), 1);
  for (size_t d = shape.size(); d-- > 1;)
    strides[d - 1] = strides[d] * shape[d];
  return strides;
}

double roundHalfEven(double x) { return std::nearbyint(x); }
double rsqrtOf(double x) { return 1.0 / std::sqrt(x); }

using UnaryFunction = double (*)(double);
const llvm::StringMap<UnaryFunction> &unaryFunctions() {
  static const llvm::StringMap<UnaryFunction> table = {
      {"math.exp", std::exp},     {"math.exp2", std::exp2},
      {"math.expm1", std::expm1}, {"math.log", std::log},
      {"math.log2", std::log2},   {"math.log10", std::log10},
      {"math.log1p", std::log1p}, {"math.sqrt", std::sqrt},
      {"math.rsqrt", rsqrtOf},    {"math.cbrt", std::cbrt},
      {"math.sin", std::sin},     {"math.cos", std::cos},
      {"math.tan", std::tan},     {"math.asin", std::asin},
      {"math.acos", std::acos},   {"math.atan", std::atan},
      {"math.sinh", std::sinh},   {"math.cosh", std::cosh},
      {"math.tanh", std::tanh},   {"math.erf", std::erf},
      {"math.erfc", std::erfc},   {"math.floor", std::floor},
      {"math.ceil", std::ceil},   {"math.trunc", std::trunc},
      {"math.round", std::round}, {"math.roundeven", roundHalfEven},
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

/// What a block ended with: the operands of its terminator.
struct BlockEnd {
  Operation *terminator = nullptr;
  std::vector<Cells> values;
};

class Interpreter {
public:
  Interpreter(std::array<uint32_t, 3> grid, std::span<const MemoryRange> memory)
      : grid_(grid), memory_(memory) {}

  Status runProgram(func::FuncOp kernel, std::span<const void *const> arguments,
                    std::array<uint32_t, 3> program);

private:
  Result<BlockEnd> runBlock(Block &block, const std::vector<Cells> &arguments);
  Status runOperation(Operation &op);
  Status runIf(scf::IfOp op);
  Status runFor(scf::ForOp op);
  Status runWhile(scf::WhileOp op);
  Status runLoad(tile::LoadOp op);
  Status runStore(tile::StoreOp op);
  bool runShape(Operation &op);
  bool runElementwise(Operation &op);
  bool runConversion(Operation &op);
  Status checkAccess(Operation &op, uint64_t address, uint64_t sizeBytes);
  std::string placeOf(Operation &op);

  const Cells &of(Value value) { return values_[value]; }
  /// Element `i` of a value; a scalar stands for all.
  const Cell &at(Value value, size_t i) {
    const Cells &cells = of(value);
    return cells.size() == 1 ? cells[0] : cells[i];
  }
  template <typename Function>
  bool forEach(Operation &op, Function function) {
    Cells result(countOf(op.getResult(0).getType()));
    for (size_t i = 0; i < result.size(); ++i)
      result[i] = function(i);
    values_[op.getResult(0)] = std::move(result);
    return true;
  }

  std::array<uint32_t, 3> grid_;
  std::array<uint32_t, 3> program_{};
  std::span<const MemoryRange> memory_;
  llvm::DenseMap<Value, Cells> values_;
};

std::string Interpreter::placeOf(Operation &op) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  stream << op.getName() << " at ";
  op.getLoc().print(stream);
  return fmt::format("{} in program ({}, {}, {})", text, program_[0], program_[1], program_[2]);
}

Status Interpreter::checkAccess(Operation &op, uint64_t address, uint64_t sizeBytes) {
  for (const MemoryRange &range : memory_) {
    uint64_t begin = reinterpret_cast<uint64_t>(range.begin);
    if (address >= begin && address - begin + sizeBytes <= range.sizeBytes)
      return {};
  }
  return memory_.empty() ? Status()
                         : outOfRange("{} touches {} bytes at {:#x}, outside the given memory",
                                      placeOf(op), sizeBytes, address);
}

Status Interpreter::runLoad(tile::LoadOp op) {
  Type element = tile::elementTypeOf(op.getResult().getType());
  Cells result(countOf(op.getResult().getType()));
  for (size_t i = 0; i < result.size(); ++i) {
    if (op.getMask() && (at(op.getMask(), i).bits & 1) == 0) {
      result[i] = op.getOther() ? at(op.getOther(), i) : Cell{};
      continue;
    }
    uint64_t address = at(op.getPtr(), i).bits, bits = 0;
    INLAY_TRY(checkAccess(*op, address, sizeOf(element)));
    std::memcpy(&bits, reinterpret_cast<const void *>(address), sizeOf(element));
    result[i] = fromBits(bits, element);
  }
  values_[op.getResult()] = std::move(result);
  return {};
}

Status Interpreter::runStore(tile::StoreOp op) {
  Type element = tile::elementTypeOf(op.getValue().getType());
  for (size_t i = 0; i < countOf(op.getValue().getType()); ++i) {
    if (op.getMask() && (at(op.getMask(), i).bits & 1) == 0)
      continue;
    uint64_t address = at(op.getPtr(), i).bits, bits = bitsOf(at(op.getValue(), i), element);
    INLAY_TRY(checkAccess(*op, address, sizeOf(element)));
    std::memcpy(reinterpret_cast<void *>(address), &bits, sizeOf(element));
  }
  return {};
}

bool Interpreter::runShape(Operation &op) {
  auto gather = [&](Value source, ArrayRef<int64_t> strides) {
    std::vector<size_t> indices = gatherIndices(shapeOf(op.getResult(0).getType()), strides);
    return forEach(op, [&](size_t i) { return of(source)[indices[i]]; });
  };
  return llvm::TypeSwitch<Operation *, bool>(&op)
      .Case([&](tile::ProgramIdOp id) {
        return forEach(op, [&](size_t) { return Cell{program_[id.getAxis()], 0}; });
      })
      .Case([&](tile::NumProgramsOp count) {
        return forEach(op, [&](size_t) { return Cell{grid_[count.getAxis()], 0}; });
      })
      .Case([&](tile::ArangeOp range) {
        return forEach(
            op, [&](size_t i) { return Cell{static_cast<uint32_t>(range.getStart() + i), 0}; });
      })
      .Case([&](tile::SplatOp splat) {
        return forEach(op, [&](size_t) { return of(splat.getSource())[0]; });
      })
      .Case<tile::ExpandDimsOp, tile::ReshapeOp>([&](auto reshape) {
        return forEach(op, [&](size_t i) { return of(reshape.getSource())[i]; });
      })
      .Case([&](tile::BroadcastOp broadcast) {
        std::vector<int64_t> from = shapeOf(broadcast.getSource().getType()),
                             strides = rowMajorStrides(from);
        for (size_t d = 0; d < from.size(); ++d)
          strides[d] = from[d] == 1 ? 0 : strides[d];
        return gather(broadcast.getSource(), strides);
      })
      .Case([&](tile::TransOp trans) {
        std::vector<int64_t> strides = rowMajorStrides(shapeOf(trans.getSource().getType())),
                             permuted;
        for (int32_t dimension : trans.getOrder())
          permuted.push_back(strides[dimension]);
        return gather(trans.getSource(), permuted);
      })
      .Case([&](tile::AddPtrOp add) {
        uint64_t size = sizeOf(
            cast<tile::PointerType>(tile::elementTypeOf(add.getPtr().getType())).getElementType());
        unsigned width = widthOf(tile::elementTypeOf(add.getOffset().getType()));
        return forEach(op, [&](size_t i) {
          return Cell{
              at(add.getPtr(), i).bits + signedOf(at(add.getOffset(), i).bits, width) * size, 0};
        });
      })
      .Case<tile::PtrToIntOp, tile::IntToPtrOp, tile::PtrCastOp>([&](auto convert) {
        return forEach(op, [&](size_t i) { return of(convert.getSource())[i]; });
      })
      .Default([](Operation *) { return false; });
}

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
      .Case<arith::TruncFOp>([&](arith::TruncFOp truncate) {
        bool towardZero = truncate.getRoundingmode() == arith::RoundingMode::toward_zero;
        return real([&](const Cell &c) { return roundTo(c.real, to, towardZero); });
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

Status Interpreter::runIf(scf::IfOp op) {
  bool isTaken = of(op.getCondition())[0].bits & 1;
  Block *block = isTaken ? op.thenBlock() : op.elseBlock();
  if (!block)
    return {};
  INLAY_ASSIGN(BlockEnd end, runBlock(*block, {}));
  for (auto [result, value] : llvm::zip_equal(op.getResults(), end.values))
    values_[result] = value;
  return {};
}

Status Interpreter::runFor(scf::ForOp op) {
  unsigned width = widthOf(op.getInductionVar().getType());
  auto bound = [&](Value value) -> __int128 {
    uint64_t bits = of(value)[0].bits;
    return op.getUnsignedCmp() ? static_cast<__int128>(bits) : signedOf(bits, width);
  };
  __int128 end = bound(op.getUpperBound()), step = bound(op.getStep());
  if (step <= 0)
    return invalidArgument("{}: the step is {}, but must be positive", placeOf(*op),
                           static_cast<int64_t>(step));
  std::vector<Cells> carried;
  for (Value initial : op.getInitArgs())
    carried.push_back(of(initial));
  for (__int128 i = bound(op.getLowerBound()); i < end; i += step) {
    std::vector<Cells> arguments{{Cell{static_cast<uint64_t>(i) & maskOf(width), 0}}};
    arguments.insert(arguments.end(), carried.begin(), carried.end());
    INLAY_ASSIGN(BlockEnd blockEnd, runBlock(*op.getBody(), arguments));
    carried = std::move(blockEnd.values);
  }
  for (auto [result, value] : llvm::zip_equal(op.getResults(), carried))
    values_[result] = value;
  return {};
}

Status Interpreter::runWhile(scf::WhileOp op) {
  std::vector<Cells> carried;
  for (Value initial : op.getInits())
    carried.push_back(of(initial));
  while (true) {
    INLAY_ASSIGN(BlockEnd before, runBlock(op.getBefore().front(), carried));
    bool isDone = (before.values[0][0].bits & 1) == 0;
    carried.assign(before.values.begin() + 1, before.values.end());
    if (isDone)
      break;
    INLAY_ASSIGN(BlockEnd after, runBlock(op.getAfter().front(), carried));
    carried = std::move(after.values);
  }
  for (auto [result, value] : llvm::zip_equal(op.getResults(), carried))
    values_[result] = value;
  return {};
}

Status Interpreter::runOperation(Operation &op) {
  if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
    Type element = tile::elementTypeOf(constant.getType());
    auto cell = [&](Attribute attribute) {
      if (auto real = dyn_cast<FloatAttr>(attribute))
        return Cell{0, toDouble(real.getValue())};
      return Cell{cast<IntegerAttr>(attribute).getValue().getZExtValue() & maskOf(widthOf(element)),
                  0};
    };
    Cells result;
    if (auto dense = dyn_cast<DenseElementsAttr>(constant.getValue()))
      for (Attribute attribute : dense.getValues<Attribute>())
        result.push_back(cell(attribute));
    else
      result.push_back(cell(constant.getValue()));
    values_[constant.getResult()] = std::move(result);
    return {};
  }
  if (auto ifOp = dyn_cast<scf::IfOp>(op))
    return runIf(ifOp);
  if (auto forOp = dyn_cast<scf::ForOp>(op))
    return runFor(forOp);
  if (auto whileOp = dyn_cast<scf::WhileOp>(op))
    return runWhile(whileOp);
  if (auto load = dyn_cast<tile::LoadOp>(op))
    return runLoad(load);
  if (auto store = dyn_cast<tile::StoreOp>(op))
    return runStore(store);
  if (isa<tile::BarrierOp>(op) || runShape(op) || runConversion(op) || runElementwise(op))
    return {};
  return unimplemented("the tile interpreter does not know {}", placeOf(op));
}

Result<BlockEnd> Interpreter::runBlock(Block &block, const std::vector<Cells> &arguments) {
  for (auto [argument, value] : llvm::zip_equal(block.getArguments(), arguments))
    values_[argument] = value;
  for (Operation &op : block.without_terminator())
    INLAY_TRY(runOperation(op));
  BlockEnd end{block.getTerminator(), {}};
  for (Value operand : end.terminator->getOperands())
    end.values.push_back(of(operand));
  return end;
}

Status Interpreter::runProgram(func::FuncOp kernel, std::span<const void *const> arguments,
                               std::array<uint32_t, 3> program) {
  program_ = program;
  values_.clear();
  std::vector<Cells> cells;
  for (auto [i, type] : llvm::enumerate(kernel.getArgumentTypes())) {
    uint64_t bits = 0;
    std::memcpy(&bits, arguments[i], sizeOf(type));
    cells.push_back({fromBits(bits, type)});
  }
  INLAY_ASSIGN(BlockEnd end, runBlock(kernel.front(), cells));
  return {};
}

} // namespace

Status interpretTileKernel(ModuleOp module, std::span<const void *const> arguments,
                           std::array<uint32_t, 3> grid, std::span<const MemoryRange> memory) {
  func::FuncOp kernel;
  module.walk([&](func::FuncOp function) {
    if (function->hasAttr(tile::kKernelAttr))
      kernel = function;
  });
  if (!kernel)
    return invalidArgument("the module holds no function with the attribute '{}'",
                           tile::kKernelAttr.str());
  if (kernel.getNumArguments() != arguments.size())
    return invalidArgument("kernel '{}' takes {} arguments, not {}", kernel.getName().str(),
                           kernel.getNumArguments(), arguments.size());
  Interpreter interpreter(grid, memory);
  for (uint32_t z = 0; z < grid[2]; ++z)
    for (uint32_t y = 0; y < grid[1]; ++y)
      for (uint32_t x = 0; x < grid[0]; ++x)
        INLAY_TRY(interpreter.runProgram(kernel, arguments, {x, y, z}));
  return {};
}

} // namespace inlay
