#include "compiler/transforms/tile/AxisInfo.h"

#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"

#include <algorithm>
#include <numeric>

using namespace mlir;

namespace inlay::tile {
namespace {

constexpr int64_t kLargest = int64_t{1} << 30;

/// The largest power of two that divides a value, bounded.
int64_t powerOfTwoIn(int64_t value) {
  constexpr int kLargestBit = 30;
  static_assert(kLargest == int64_t{1} << kLargestBit);
  return int64_t{1} << std::min(kLargestBit, llvm::countr_zero(static_cast<uint64_t>(value)));
}

unsigned rankOf(Type type) {
  if (auto tensor = dyn_cast<RankedTensorType>(type))
    return std::max<int64_t>(tensor.getRank(), 1);
  return 1;
}

int64_t sizeOf(Type type, unsigned dimension) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor && tensor.getRank() > 0 ? tensor.getDimSize(dimension) : 1;
}

/// Size of what a pointer addresses, in bytes.
int64_t pointeeBytes(Type pointerLike) {
  Type element = cast<PointerType>(elementTypeOf(pointerLike)).getElementType();
  return isa<PointerType>(element) ? 8 : std::max(1u, element.getIntOrFloatBitWidth() / 8);
}

AxisInfo ofConstant(int64_t value, Type type) {
  AxisInfo info = AxisInfo::unknown(rankOf(type));
  for (unsigned d = 0; d < info.constancy.size(); ++d) {
    info.constancy[d] = sizeOf(type, d);
    info.divisibility[d] = powerOfTwoIn(value);
  }
  info.constant = value;
  return info;
}

unsigned bitWidthOf(Type type) {
  Type element = elementTypeOf(type);
  return element.isIntOrFloat() ? element.getIntOrFloatBitWidth() : 64;
}

/// Operands as the type's integers, which wrap around.
std::optional<int64_t> foldConstants(Operation *op, std::optional<int64_t> a,
                                     std::optional<int64_t> b) {
  if (!a || !b)
    return std::nullopt;
  const unsigned width = bitWidthOf(op->getResult(0).getType());
  auto wrapped = [&](int64_t value) {
    return APInt(width, static_cast<uint64_t>(value), /*isSigned=*/true, /*implicitTrunc=*/true);
  };
  const APInt x = wrapped(*a), y = wrapped(*b);
  return llvm::TypeSwitch<Operation *, std::optional<int64_t>>(op)
      .Case<arith::AddIOp>([&](auto) { return (x + y).getSExtValue(); })
      .Case<arith::SubIOp>([&](auto) { return (x - y).getSExtValue(); })
      .Case<arith::MulIOp>([&](auto) { return (x * y).getSExtValue(); })
      .Default([](Operation *) { return std::nullopt; });
}

/// What divides the first value of each group of `group` neighbours along dimension d: a group that
/// counts up loses divisors when it is cut.
int64_t divisibilityOfGroups(const AxisInfo &info, unsigned d, int64_t group) {
  return group < info.contiguity[d] ? std::min(info.divisibility[d], group) : info.divisibility[d];
}

/// Cuts the groups that count up along dimension d.
void limitContiguity(AxisInfo &info, unsigned d, int64_t group) {
  group = std::min(group, info.contiguity[d]);
  info.divisibility[d] = divisibilityOfGroups(info, d, group);
  info.contiguity[d] = group;
}

/// Sums, of integers or of an address and an offset in units of `unit` bytes.
AxisInfo ofSum(const AxisInfo &a, const AxisInfo &b, int64_t unit) {
  AxisInfo info = AxisInfo::unknown(a.contiguity.size());
  for (unsigned d = 0; d < info.contiguity.size(); ++d) {
    info.contiguity[d] = std::max(std::min(a.contiguity[d], b.constancy[d]),
                                  std::min(a.constancy[d], b.contiguity[d]));
    const int64_t group = info.contiguity[d];
    const int64_t ofA =
        group < a.contiguity[d] ? std::min(a.divisibility[d], group * unit) : a.divisibility[d];
    info.divisibility[d] = std::min({ofA, kLargest, divisibilityOfGroups(b, d, group) * unit});
    info.constancy[d] = std::min(a.constancy[d], b.constancy[d]);
  }
  return info;
}

AxisInfo ofDifference(const AxisInfo &a, const AxisInfo &b) {
  AxisInfo info = AxisInfo::unknown(a.contiguity.size());
  for (unsigned d = 0; d < info.contiguity.size(); ++d) {
    const int64_t group = std::min(a.contiguity[d], b.constancy[d]);
    info.contiguity[d] = group;
    info.divisibility[d] =
        std::min(divisibilityOfGroups(a, d, group), divisibilityOfGroups(b, d, group));
    info.constancy[d] = std::min(a.constancy[d], b.constancy[d]);
  }
  return info;
}

AxisInfo ofProduct(const AxisInfo &a, const AxisInfo &b) {
  if (b.constant == 1)
    return a;
  if (a.constant == 1)
    return b;
  AxisInfo info = AxisInfo::unknown(a.contiguity.size());
  for (unsigned d = 0; d < info.contiguity.size(); ++d) {
    // Inside a group that counts up, only the first value is known to be divisible.
    auto divisor = [d](const AxisInfo &x) { return x.contiguity[d] > 1 ? 1 : x.divisibility[d]; };
    info.divisibility[d] = std::min(kLargest, divisor(a) * divisor(b));
    info.constancy[d] = std::min(a.constancy[d], b.constancy[d]);
  }
  return info;
}

/// Groups of dividends that count up. Signed division rounds to zero: beside 0 its quotients and
/// remainders follow another pattern for negative dividends.
int64_t countingGroup(const AxisInfo &a, unsigned d, bool roundsToZero) {
  return roundsToZero && !a.isNonNegative ? 1 : std::min(a.contiguity[d], a.divisibility[d]);
}

AxisInfo ofQuotient(const AxisInfo &a, const AxisInfo &b, bool roundsToZero) {
  if (b.constant == 1)
    return a;
  AxisInfo info = AxisInfo::unknown(a.contiguity.size());
  const int64_t divisor = b.constant && *b.constant > 0 ? powerOfTwoIn(*b.constant) : 1;
  for (unsigned d = 0; d < info.contiguity.size(); ++d) {
    info.constancy[d] = std::min(a.constancy[d], b.constancy[d]);
    // Neighbours that count up from a multiple of 2^k have one quotient by any multiple of 2^k.
    info.constancy[d] =
        std::max(info.constancy[d], std::min(countingGroup(a, d, roundsToZero), divisor));
    if (b.constant && divisor == *b.constant && a.contiguity[d] == 1)
      info.divisibility[d] = std::max<int64_t>(1, a.divisibility[d] / divisor);
  }
  return info;
}

AxisInfo ofRemainder(const AxisInfo &a, const AxisInfo &b, bool roundsToZero) {
  AxisInfo info = AxisInfo::unknown(a.contiguity.size());
  for (unsigned d = 0; d < info.contiguity.size(); ++d) {
    const int64_t divisor = divisibilityOfGroups(b, d, 1);
    info.contiguity[d] = std::min(countingGroup(a, d, roundsToZero), divisor);
    if (b.constancy[d] < info.contiguity[d])
      info.contiguity[d] = 1;
    info.divisibility[d] = info.contiguity[d] == a.contiguity[d] || a.contiguity[d] == 1
                               ? std::min(a.divisibility[d], divisor)
                               : info.contiguity[d];
    info.constancy[d] = std::min(a.constancy[d], b.constancy[d]);
  }
  return info;
}

/// A comparison is constant over a group that counts up from a multiple of 2^k if the other side is
/// a multiple of 2^k.
AxisInfo ofComparison(arith::CmpIPredicate predicate, const AxisInfo &a, const AxisInfo &b) {
  AxisInfo info = AxisInfo::unknown(a.contiguity.size());
  using Predicate = arith::CmpIPredicate;
  const bool isStrictLess = predicate == Predicate::slt || predicate == Predicate::ult ||
                            predicate == Predicate::sge || predicate == Predicate::uge;
  const bool isStrictGreater = predicate == Predicate::sgt || predicate == Predicate::ugt ||
                               predicate == Predicate::sle || predicate == Predicate::ule;
  for (unsigned d = 0; d < info.contiguity.size(); ++d) {
    info.constancy[d] = std::min(a.constancy[d], b.constancy[d]);
    auto alongGroup = [&](const AxisInfo &counting, const AxisInfo &fixed) {
      return std::min({counting.contiguity[d], counting.divisibility[d], fixed.divisibility[d],
                       fixed.constancy[d]});
    };
    if (isStrictLess)
      info.constancy[d] = std::max(info.constancy[d], alongGroup(a, b));
    if (isStrictGreater)
      info.constancy[d] = std::max(info.constancy[d], alongGroup(b, a));
  }
  return info;
}

/// Equal where all operands are; nothing else is known.
AxisInfo ofElementwise(ArrayRef<const AxisInfo *> operands, unsigned rank) {
  AxisInfo info = AxisInfo::unknown(rank);
  for (unsigned d = 0; d < rank; ++d) {
    info.constancy[d] = kLargest;
    for (const AxisInfo *operand : operands)
      info.constancy[d] = std::min(info.constancy[d], operand->constancy[d]);
    if (operands.empty())
      info.constancy[d] = 1;
  }
  return info;
}

AxisInfo ofSelect(const AxisInfo &condition, const AxisInfo &a, const AxisInfo &b) {
  AxisInfo info = AxisInfo::unknown(a.contiguity.size());
  for (unsigned d = 0; d < info.contiguity.size(); ++d) {
    // A scalar condition stands for all elements.
    const int64_t same = d < condition.constancy.size() ? condition.constancy[d] : kLargest;
    info.contiguity[d] = std::min({a.contiguity[d], b.contiguity[d], same});
    info.divisibility[d] = std::min(divisibilityOfGroups(a, d, info.contiguity[d]),
                                    divisibilityOfGroups(b, d, info.contiguity[d]));
    info.constancy[d] = std::min({a.constancy[d], b.constancy[d], same});
  }
  return info;
}

/// What two values have in common, one of which is taken.
AxisInfo common(const AxisInfo &a, const AxisInfo &b) {
  AxisInfo info = AxisInfo::unknown(a.contiguity.size());
  for (unsigned d = 0; d < info.contiguity.size(); ++d) {
    info.contiguity[d] = std::min(a.contiguity[d], b.contiguity[d]);
    info.divisibility[d] = std::min(divisibilityOfGroups(a, d, info.contiguity[d]),
                                    divisibilityOfGroups(b, d, info.contiguity[d]));
    info.constancy[d] = std::min(a.constancy[d], b.constancy[d]);
  }
  if (a.constant == b.constant)
    info.constant = a.constant;
  info.isNonNegative = a.isNonNegative && b.isNonNegative;
  return info;
}

bool sameFacts(const AxisInfo &a, const AxisInfo &b) {
  return a.contiguity == b.contiguity && a.divisibility == b.divisibility &&
         a.constancy == b.constancy && a.constant == b.constant &&
         a.isNonNegative == b.isNonNegative;
}

/// Another width of integers. What it cuts off may lie between neighbours.
AxisInfo ofCast(Operation *op, AxisInfo info) {
  const unsigned from = bitWidthOf(op->getOperand(0).getType());
  if (isa<arith::ExtUIOp>(op))
    for (unsigned d = 0; d < info.contiguity.size(); ++d)
      limitContiguity(info, d, info.isNonNegative ? info.contiguity[d] : info.divisibility[d]);
  if (info.constant && from < 64) {
    const APInt bits(from, static_cast<uint64_t>(*info.constant), /*isSigned=*/true,
                     /*implicitTrunc=*/true);
    const unsigned to = bitWidthOf(op->getResult(0).getType());
    info.constant = isa<arith::ExtUIOp>(op) ? static_cast<int64_t>(bits.getZExtValue())
                                            : bits.sextOrTrunc(to).getSExtValue();
  }
  return info;
}

/// Integers of few bits do wrap around: neighbours are known to count up where a group cannot reach
/// over the end of the numbers.
void limitToWidth(Type type, AxisInfo &info) {
  const unsigned width = bitWidthOf(type);
  if (width >= 32)
    return;
  for (unsigned d = 0; d < info.contiguity.size(); ++d)
    limitContiguity(info, d, std::min(info.divisibility[d], int64_t{1} << (width - 1)));
}

void insertDimension(AxisInfo &info, unsigned axis) {
  // Along the new dimension every element is the first of its group; known is what divides every
  // element.
  int64_t divisibility = 1;
  for (unsigned d = 0; d < info.contiguity.size(); ++d)
    divisibility = std::max(divisibility, divisibilityOfGroups(info, d, 1));
  info.contiguity.insert(info.contiguity.begin() + axis, 1);
  info.divisibility.insert(info.divisibility.begin() + axis, divisibility);
  info.constancy.insert(info.constancy.begin() + axis, 1);
}

/// Replaces facts by those the user promised.
void applyHints(Operation *op, AxisInfo &info) {
  auto apply = [&](StringRef name, llvm::SmallVector<int64_t, 2> &values) {
    if (auto hint = op->getAttrOfType<DenseI64ArrayAttr>(name))
      for (auto [value, promised] : llvm::zip(values, hint.asArrayRef()))
        value = std::max(value, powerOfTwoIn(promised));
  };
  apply(kContiguityAttr, info.contiguity);
  apply(kDivisibilityAttr, info.divisibility);
  apply(kConstancyAttr, info.constancy);
}

} // namespace

AxisInfo AxisInfo::unknown(unsigned rank) {
  AxisInfo info;
  info.contiguity.assign(rank, 1);
  info.divisibility.assign(rank, 1);
  info.constancy.assign(rank, 1);
  return info;
}

const AxisInfo &AxisAnalysis::get(Value value) {
  auto it = known_.find(value);
  if (it == known_.end()) {
    AxisInfo info = compute(value);
    it = known_.try_emplace(value, std::move(info)).first;
  }
  return it->second;
}

AxisInfo AxisAnalysis::compute(Value value) {
  if (auto argument = dyn_cast<BlockArgument>(value))
    return ofBlockArgument(argument);
  Operation *op = value.getDefiningOp();
  if (isa<scf::ForOp, scf::WhileOp, scf::IfOp>(op))
    return ofRegionResult(op, cast<OpResult>(value).getResultNumber());
  AxisInfo info =
      op->getNumResults() == 1 ? ofOperation(op) : AxisInfo::unknown(rankOf(value.getType()));
  for (unsigned d = 0; d < info.contiguity.size(); ++d) {
    // A dimension has no group longer than itself.
    const int64_t size = sizeOf(value.getType(), d);
    info.contiguity[d] = std::min(info.contiguity[d], size);
    info.constancy[d] = std::min(info.constancy[d], size);
  }
  limitToWidth(value.getType(), info);
  info.isNonNegative = op->getNumResults() == 1 && isNonNegative(op);
  applyHints(op, info);
  return info;
}

AxisInfo AxisAnalysis::ofBlockArgument(BlockArgument argument) {
  AxisInfo info = AxisInfo::unknown(rankOf(argument.getType()));
  Operation *parent = argument.getOwner()->getParentOp();
  if (auto function = dyn_cast<func::FuncOp>(parent)) {
    if (auto divisibility =
            function.getArgAttrOfType<IntegerAttr>(argument.getArgNumber(), kDivisibilityAttr))
      info.divisibility[0] = powerOfTwoIn(divisibility.getInt());
  } else if (auto loop = dyn_cast<scf::ForOp>(parent); loop && argument == loop.getInductionVar()) {
    const AxisInfo lower = get(loop.getLowerBound()), step = get(loop.getStep());
    info.divisibility[0] = std::min(lower.divisibility[0], step.divisibility[0]);
    info.isNonNegative = lower.isNonNegative;
  } else if (loop) {
    solveLoop(loop, *loop.getBody(), loop.getRegionIterArgs(), loop.getInitArgs(),
              loop.getBody()->getTerminator()->getOperands());
    return known_.find(argument)->second;
  } else if (auto whileLoop = dyn_cast<scf::WhileOp>(parent)) {
    if (argument.getOwner() == whileLoop.getAfterBody())
      return get(whileLoop.getConditionOp().getArgs()[argument.getArgNumber()]);
    solveLoop(whileLoop, *whileLoop.getBeforeBody(), whileLoop.getBeforeArguments(),
              whileLoop.getInits(), whileLoop.getAfterBody()->getTerminator()->getOperands());
    return known_.find(argument)->second;
  }
  return info;
}

void AxisAnalysis::solveLoop(Operation *loop, Block &first, ValueRange arguments,
                             ValueRange initial, ValueRange next) {
  for (auto [argument, value] : llvm::zip_equal(arguments, initial)) {
    AxisInfo info = get(value);
    known_.insert_or_assign(argument, std::move(info));
  }
  auto forgetBody = [&] {
    for (Region &region : loop->getRegions())
      region.walk([&](Operation *op) {
        for (Value result : op->getResults())
          known_.erase(result);
        for (Region &inner : op->getRegions())
          for (Value argument : inner.getArguments())
            known_.erase(argument);
      });
    for (Region &region : loop->getRegions())
      if (&region.front() != &first)
        for (Value argument : region.getArguments())
          known_.erase(argument);
  };
  // Facts only get fewer, and each halves or goes: this ends.
  for (bool isChanged = true; isChanged;) {
    isChanged = false;
    SmallVector<AxisInfo> joined;
    for (auto [argument, value] : llvm::zip_equal(arguments, next)) {
      const AxisInfo carried = get(value), assumed = get(argument);
      joined.push_back(common(assumed, carried));
      isChanged |= !sameFacts(joined.back(), assumed);
    }
    if (!isChanged)
      return;
    forgetBody();
    for (auto [argument, info] : llvm::zip_equal(arguments, joined))
      known_.insert_or_assign(argument, info);
  }
}

AxisInfo AxisAnalysis::ofRegionResult(Operation *op, unsigned number) {
  if (auto loop = dyn_cast<scf::ForOp>(op))
    return get(loop.getRegionIterArgs()[number]);
  if (auto loop = dyn_cast<scf::WhileOp>(op))
    return get(loop.getConditionOp().getArgs()[number]);
  auto branch = cast<scf::IfOp>(op);
  const AxisInfo a = get(branch.thenYield().getOperand(number));
  return common(a, get(branch.elseYield().getOperand(number)));
}

bool AxisAnalysis::isNonNegative(Operation *op) {
  APInt constant;
  if (matchPattern(op, m_ConstantInt(&constant)))
    return !constant.isNegative();
  auto is = [&](unsigned i) { return get(op->getOperand(i)).isNonNegative; };
  return llvm::TypeSwitch<Operation *, bool>(op)
      .Case([](ArangeOp arange) { return static_cast<int32_t>(arange.getStart()) >= 0; })
      .Case<ProgramIdOp, NumProgramsOp>([](auto) { return true; })
      .Case<SplatOp, ExpandDimsOp, BroadcastOp, ReshapeOp, TransOp, ConvertLayoutOp, arith::ExtSIOp,
            arith::IndexCastOp, arith::ShRSIOp, arith::RemSIOp>([&](auto) { return is(0); })
      .Case<arith::ExtUIOp>([](auto) { return true; })
      .Case<arith::AddIOp, arith::MulIOp>([&](Operation *sum) {
        return bitWidthOf(sum->getResult(0).getType()) >= 32 && is(0) && is(1);
      })
      .Case<arith::DivSIOp>([&](arith::DivSIOp quotient) {
        const std::optional<int64_t> divisor = get(quotient.getRhs()).constant;
        return is(0) && (!divisor || *divisor > 0);
      })
      .Case<arith::DivUIOp, arith::RemUIOp, arith::MinSIOp>([&](auto) { return is(0) && is(1); })
      .Case<arith::MaxSIOp, arith::AndIOp>([&](auto) { return is(0) || is(1); })
      .Case<arith::SelectOp>([&](auto) { return is(1) && is(2); })
      .Default([](Operation *) { return false; });
}

AxisInfo AxisAnalysis::ofOperation(Operation *op) {
  Type type = op->getResult(0).getType();
  const unsigned rank = rankOf(type);
  APInt constant;
  if (matchPattern(op, m_ConstantInt(&constant)))
    return ofConstant(constant.getSExtValue(), type);
  // Copies, not references: get may move what it returned before.
  auto operand = [&](unsigned i) -> AxisInfo { return get(op->getOperand(i)); };
  return llvm::TypeSwitch<Operation *, AxisInfo>(op)
      .Case<ArangeOp>([&](ArangeOp arange) {
        AxisInfo info = AxisInfo::unknown(1);
        info.contiguity[0] = arange.getEnd() - arange.getStart();
        info.divisibility[0] = powerOfTwoIn(static_cast<int32_t>(arange.getStart()));
        return info;
      })
      .Case<SplatOp>([&](SplatOp) {
        const AxisInfo source = operand(0);
        AxisInfo info = AxisInfo::unknown(rank);
        for (unsigned d = 0; d < rank; ++d) {
          info.divisibility[d] = source.divisibility[0];
          info.constancy[d] = sizeOf(type, d);
        }
        info.constant = source.constant;
        return info;
      })
      .Case<ExpandDimsOp>([&](ExpandDimsOp expand) {
        AxisInfo info = operand(0);
        insertDimension(info, expand.getAxis());
        return info;
      })
      .Case<BroadcastOp>([&](BroadcastOp broadcast) {
        AxisInfo info = operand(0);
        for (unsigned d = 0; d < rank; ++d)
          if (sizeOf(broadcast.getSource().getType(), d) != sizeOf(type, d)) {
            info.contiguity[d] = 1;
            info.constancy[d] = sizeOf(type, d);
          }
        return info;
      })
      .Case<TransOp>([&](TransOp trans) {
        const AxisInfo source = operand(0);
        AxisInfo info = AxisInfo::unknown(rank);
        for (auto [d, from] : llvm::enumerate(trans.getOrder())) {
          info.contiguity[d] = source.contiguity[from];
          info.divisibility[d] = source.divisibility[from];
          info.constancy[d] = source.constancy[from];
        }
        info.constant = source.constant;
        return info;
      })
      .Case<ConvertLayoutOp>([&](Operation *) { return operand(0); })
      .Case<AddPtrOp>([&](AddPtrOp) { return ofSum(operand(0), operand(1), pointeeBytes(type)); })
      .Case<arith::AddIOp>([&](Operation *) {
        const AxisInfo a = operand(0), b = operand(1);
        AxisInfo info = ofSum(a, b, 1);
        info.constant = foldConstants(op, a.constant, b.constant);
        return info;
      })
      .Case<arith::SubIOp>([&](Operation *) {
        const AxisInfo a = operand(0), b = operand(1);
        AxisInfo info = ofDifference(a, b);
        info.constant = foldConstants(op, a.constant, b.constant);
        return info;
      })
      .Case<arith::MulIOp>([&](Operation *) {
        const AxisInfo a = operand(0), b = operand(1);
        AxisInfo info = ofProduct(a, b);
        info.constant = foldConstants(op, a.constant, b.constant);
        return info;
      })
      .Case<arith::ShLIOp>([&](Operation *) {
        const AxisInfo amount = operand(1);
        if (!amount.constant || *amount.constant < 0 || *amount.constant > 30)
          return AxisInfo::unknown(rank);
        return ofProduct(operand(0), ofConstant(int64_t{1} << *amount.constant, type));
      })
      .Case<arith::ShRSIOp, arith::ShRUIOp>([&](Operation *) {
        const AxisInfo amount = operand(1);
        if (!amount.constant || *amount.constant < 0 || *amount.constant > 30)
          return AxisInfo::unknown(rank);
        return ofQuotient(operand(0), ofConstant(int64_t{1} << *amount.constant, type),
                          /*roundsToZero=*/false);
      })
      .Case<arith::DivSIOp, arith::DivUIOp>([&](Operation *) {
        return ofQuotient(operand(0), operand(1), /*roundsToZero=*/isa<arith::DivSIOp>(op));
      })
      .Case<arith::RemSIOp, arith::RemUIOp>([&](Operation *) {
        return ofRemainder(operand(0), operand(1), /*roundsToZero=*/isa<arith::RemSIOp>(op));
      })
      .Case<arith::CmpIOp>([&](arith::CmpIOp cmp) {
        return ofComparison(cmp.getPredicate(), operand(0), operand(1));
      })
      .Case<arith::SelectOp>(
          [&](Operation *) { return ofSelect(operand(0), operand(1), operand(2)); })
      .Case<arith::ExtSIOp, arith::ExtUIOp, arith::TruncIOp, arith::IndexCastOp>(
          [&](Operation *) { return ofCast(op, operand(0)); })
      .Case<PtrCastOp>([&](Operation *) {
        AxisInfo info = operand(0);
        const int64_t bytes = pointeeBytes(op->getOperand(0).getType());
        if (bytes != pointeeBytes(type))
          for (unsigned d = 0; d < rank; ++d) {
            if (info.contiguity[d] > 1)
              info.divisibility[d] = std::min(info.divisibility[d], bytes);
            info.contiguity[d] = 1;
          }
        return info;
      })
      .Case<arith::MinSIOp, arith::MinUIOp, arith::MaxSIOp, arith::MaxUIOp>([&](Operation *) {
        const AxisInfo a = operand(0), b = operand(1);
        AxisInfo info = ofElementwise({&a, &b}, rank);
        for (unsigned d = 0; d < rank; ++d)
          if (a.contiguity[d] == 1 && b.contiguity[d] == 1)
            info.divisibility[d] = std::min(a.divisibility[d], b.divisibility[d]);
        return info;
      })
      .Default([&](Operation *) {
        // Elementwise ops and loads keep what is equal equal; of the rest nothing is known.
        SmallVector<AxisInfo> infos;
        for (Value value : op->getOperands())
          if (isa<RankedTensorType>(value.getType()) && rankOf(value.getType()) == rank)
            infos.push_back(get(value));
        SmallVector<const AxisInfo *> operands;
        for (const AxisInfo &info : infos)
          operands.push_back(&info);
        const bool isElementwise = (isa<LoadOp>(op) || OpTrait::hasElementwiseMappableTraits(op)) &&
                                   isa<RankedTensorType>(type);
        return isElementwise ? ofElementwise(operands, rank) : AxisInfo::unknown(rank);
      });
}

} // namespace inlay::tile
