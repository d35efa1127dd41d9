// tile.reduce and tile.scan: the steps of AxisCombination as code.
#include "compiler/conversions/tile-to-gpu/AxisCombination.h"
#include "compiler/conversions/tile-to-gpu/KernelLowering.h"
#include "compiler/conversions/tile-to-gpu/Shuffle.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace inlay::tile_to_gpu {

using tile::kLaneBits;
using tile::LinearLayout;
using tile::PlacePart;

namespace {

/// Shared memory that one exchange between warps takes; more values go in several rounds.
constexpr int64_t kExchangeBytes = 16 * 1024;

/// The only op of a combination of two elements that takes them both, in whatever order; null if
/// the region is anything else.
Operation *findCommutativeOp(Block &combine) {
  if (combine.getNumArguments() != 2 || !llvm::hasNItems(combine, 2))
    return nullptr;
  Operation &op = combine.front();
  const bool isCommutative =
      isa<arith::AddIOp, arith::AddFOp, arith::MulIOp, arith::MulFOp, arith::AndIOp, arith::OrIOp,
          arith::XOrIOp, arith::MaxSIOp, arith::MaxUIOp, arith::MinSIOp, arith::MinUIOp,
          arith::MaxNumFOp, arith::MinNumFOp, arith::MaximumFOp, arith::MinimumFOp>(op);
  if (!isCommutative || op.getOperand(0) == op.getOperand(1) ||
      !llvm::all_of(op.getOperands(), llvm::IsaPred<BlockArgument>) ||
      combine.getTerminator()->getOperand(0) != op.getResult(0))
    return nullptr;
  return &op;
}

std::optional<NVVM::ReduxKind> reduxKindOf(Operation *op) {
  return llvm::TypeSwitch<Operation *, std::optional<NVVM::ReduxKind>>(op)
      .Case<arith::AddIOp>([](auto) { return NVVM::ReduxKind::ADD; })
      .Case<arith::AndIOp>([](auto) { return NVVM::ReduxKind::AND; })
      .Case<arith::OrIOp>([](auto) { return NVVM::ReduxKind::OR; })
      .Case<arith::XOrIOp>([](auto) { return NVVM::ReduxKind::XOR; })
      .Case<arith::MaxSIOp>([](auto) { return NVVM::ReduxKind::MAX; })
      .Case<arith::MinSIOp>([](auto) { return NVVM::ReduxKind::MIN; })
      .Case<arith::MaxUIOp>([](auto) { return NVVM::ReduxKind::UMAX; })
      .Case<arith::MinUIOp>([](auto) { return NVVM::ReduxKind::UMIN; })
      .Default([](Operation *) { return std::nullopt; });
}

} // namespace

/// Emits what AxisCombination asks for. A value is one SSA value for each operand of the op.
class KernelLowering::AxisEmitter {
public:
  using Value = Registers;

  AxisEmitter(KernelLowering &kernel, Operation *op, Block &combine, const LinearLayout &layout)
      : kernel_(kernel), builder_(kernel.builder_), location_(op->getLoc()), combine_(combine),
        numWarpBits_(layout.bases(PlacePart::Warp).size()),
        commutative_(findCommutativeOp(combine)) {}

  bool isCommutative() const { return commutative_ != nullptr; }

  Value combine(const Value &earlier, const Value &later) {
    IRMapping map;
    map.map(combine_.getArguments().take_front(earlier.size()), earlier);
    map.map(combine_.getArguments().drop_front(earlier.size()), later);
    for (Operation &op : combine_.without_terminator()) {
      if (isa<arith::ConstantOp>(op)) {
        builder_.clone(op, map);
        continue;
      }
      SmallVector<mlir::Value> operands;
      for (mlir::Value operand : op.getOperands())
        operands.push_back(map.lookup(operand));
      for (auto [result, value] : llvm::zip(op.getResults(), emitElement(builder_, &op, operands)))
        map.map(result, value);
    }
    Value result;
    for (mlir::Value yielded : combine_.getTerminator()->getOperands())
      result.push_back(map.lookup(yielded));
    return result;
  }

  Value shuffleXor(const Value &value, uint32_t laneMask) {
    Value result;
    for (mlir::Value part : value)
      result.push_back(tile_to_gpu::shuffleXor(builder_, location_, part, laneMask));
    return result;
  }

  Value selectByLane(unsigned bit, const Value &ifSet, const Value &ifClear) {
    mlir::Value lane = field(threadId(builder_, location_), 1u << bit);
    return select(compare(arith::CmpIPredicate::ne, lane, 0), ifSet, ifClear);
  }

  Value selectByWarp(ArrayRef<unsigned> bits, uint32_t index, const Value &ifEqual,
                     const Value &otherwise) {
    uint32_t mask = 0, wanted = 0;
    for (auto [i, bit] : llvm::enumerate(bits)) {
      mask |= 1u << (kLaneBits + bit);
      wanted |= (index >> i & 1) << (kLaneBits + bit);
    }
    mlir::Value warp = field(threadId(builder_, location_), mask);
    return select(compare(arith::CmpIPredicate::eq, warp, wanted), ifEqual, otherwise);
  }

  /// redux.sync, which combines 32 integers of 32 bits.
  std::optional<Value> reduceWarp(const Value &value) {
    if (!commutative_ || !value[0].getType().isInteger(32))
      return std::nullopt;
    std::optional<NVVM::ReduxKind> kind = reduxKindOf(commutative_);
    if (!kind)
      return std::nullopt;
    mlir::Value allLanes = constant(-1);
    return Value{NVVM::ReduxOp::create(builder_, location_, builder_.getI32Type(), value[0], *kind,
                                       allLanes)};
  }

  std::vector<std::vector<Value>> exchangeWarps(const WarpExchange &exchange,
                                                const std::vector<Value> &values) {
    // Where a thread's first value stands: the warps that are read together next to each other,
    // then the lanes and warps whose values differ.
    LinearLayout::Bases lanes(kLaneBits, {0}), warps(numWarpBits_, {0});
    int32_t numSlots = 1;
    for (unsigned bit : exchange.bits) {
      warps[bit] = {numSlots};
      numSlots *= 2;
    }
    LinearLayout::Bases readWarps(warps.size(), {0});
    auto addBits = [&](LinearLayout::Bases &bases, uint32_t equal, LinearLayout::Bases *other) {
      for (unsigned bit = 0; bit < bases.size(); ++bit)
        if (!(equal >> bit & 1) && bases[bit][0] == 0) {
          bases[bit] = {numSlots};
          if (other)
            (*other)[bit] = {numSlots};
          numSlots *= 2;
        }
    };
    addBits(lanes, exchange.equalLanes, nullptr);
    addBits(warps, exchange.equalWarps, &readWarps);
    mlir::Value writeSlot =
        threadCoordinate(builder_, location_, LinearLayout(1, {}, lanes, warps), 0);
    mlir::Value readSlot =
        threadCoordinate(builder_, location_, LinearLayout(1, {}, lanes, readWarps), 0);
    const uint32_t copies = exchange.equalLanes | exchange.equalWarps << kLaneBits;
    mlir::Value writes;
    if (copies)
      writes = compare(arith::CmpIPredicate::eq, field(threadId(builder_, location_), copies), 0);

    int64_t slotBytes = 0;
    for (mlir::Value part : values.front())
      slotBytes += memoryBytesOf(part.getType());
    const size_t perRound =
        static_cast<size_t>(std::max<int64_t>(1, kExchangeBytes / (slotBytes * numSlots)));
    std::vector<std::vector<Value>> result;
    for (size_t first = 0; first < values.size(); first += perRound) {
      ArrayRef<Value> round = ArrayRef(values).drop_front(first);
      round = round.take_front(std::min(perRound, round.size()));
      exchangeRound(round, numSlots, 1u << exchange.bits.size(), writeSlot, readSlot, writes,
                    result);
    }
    return result;
  }

private:
  void exchangeRound(ArrayRef<Value> values, int32_t numSlots, uint32_t numWarps,
                     mlir::Value writeSlot, mlir::Value readSlot, mlir::Value writes,
                     std::vector<std::vector<Value>> &result) {
    const size_t numParts = values.front().size();
    // Each operand has a section, which begins at a multiple of 16 bytes.
    SmallVector<int64_t> sections;
    int64_t sizeBytes = 0;
    for (mlir::Value part : values.front()) {
      sections.push_back(sizeBytes);
      sizeBytes += llvm::alignTo(
          static_cast<int64_t>(values.size()) * numSlots * memoryBytesOf(part.getType()), 16);
    }
    SharedRegion region = kernel_.acquireShared(location_, sizeBytes);
    auto address = [&](size_t part, size_t value, mlir::Value slot, int64_t more) {
      mlir::Value index = slot;
      if (const int64_t offset = static_cast<int64_t>(value) * numSlots + more)
        index = arith::AddIOp::create(builder_, location_, slot, constant(offset));
      return kernel_.sharedPointer(location_, region.offset + sections[part],
                                   memoryTypeOf(values[value][part].getType()), index);
    };
    kernel_.emitWhere(location_, writes, [&] {
      for (size_t v = 0; v < values.size(); ++v)
        for (size_t part = 0; part < numParts; ++part)
          LLVM::StoreOp::create(builder_, location_, toMemory(builder_, location_, values[v][part]),
                                address(part, v, writeSlot, 0));
    });
    kernel_.emitBarrier(location_);
    for (size_t v = 0; v < values.size(); ++v) {
      result.emplace_back(numWarps);
      for (uint32_t warp = 0; warp < numWarps; ++warp)
        for (size_t part = 0; part < numParts; ++part) {
          Type type = values[v][part].getType();
          mlir::Value loaded = LLVM::LoadOp::create(builder_, location_, memoryTypeOf(type),
                                                    address(part, v, readSlot, warp));
          result.back()[warp].push_back(fromMemory(builder_, location_, loaded, type));
        }
    }
    kernel_.releaseShared(region);
  }

  mlir::Value constant(int64_t value) {
    return integerConstant(builder_, location_, builder_.getI32Type(), value);
  }
  mlir::Value field(mlir::Value bits, uint32_t mask) {
    return arith::AndIOp::create(builder_, location_, bits, constant(mask));
  }
  mlir::Value compare(arith::CmpIPredicate predicate, mlir::Value value, int64_t other) {
    return arith::CmpIOp::create(builder_, location_, predicate, value, constant(other));
  }
  Value select(mlir::Value condition, const Value &ifTrue, const Value &ifFalse) {
    Value result;
    for (auto [a, b] : llvm::zip_equal(ifTrue, ifFalse))
      result.push_back(arith::SelectOp::create(builder_, location_, condition, a, b));
    return result;
  }

  KernelLowering &kernel_;
  OpBuilder &builder_;
  Location location_;
  Block &combine_;
  size_t numWarpBits_;
  Operation *commutative_;
};

std::vector<Registers> KernelLowering::gatherOperands(ValueRange operands) {
  std::vector<Registers> byRegister(get(operands.front()).size());
  for (Value operand : operands)
    for (auto [r, value] : llvm::enumerate(get(operand)))
      byRegister[r].push_back(value);
  return byRegister;
}

LogicalResult KernelLowering::lowerReduce(tile::ReduceOp op) {
  auto type = cast<RankedTensorType>(op.getSources().front().getType());
  const LinearLayout layout = tile::layoutOf(type);
  AxisEmitter emitter(*this, op, op.getCombine().front(), layout);
  auto stages =
      planAxisStages(layout, type.getDimSize(op.getAxis()), op.getAxis(), emitter.isCommutative());
  if (!stages)
    return op.emitOpError("cannot combine along axis ")
           << op.getAxis() << " of a tile whose layout mixes dimensions";
  std::vector<Registers> results = reduceAlong(emitter, *stages, layout, emitter.isCommutative(),
                                               gatherOperands(op.getSources()));
  for (auto [i, result] : llvm::enumerate(op.getResults())) {
    Registers registers;
    for (const Registers &values : results)
      registers.push_back(values[i]);
    if (!isa<RankedTensorType>(result.getType()))
      registers.resize(1);
    registers_[result] = std::move(registers);
  }
  return success();
}

LogicalResult KernelLowering::lowerScan(tile::ScanOp op) {
  auto type = cast<RankedTensorType>(op.getSources().front().getType());
  const LinearLayout layout = tile::layoutOf(type);
  AxisEmitter emitter(*this, op, op.getCombine().front(), layout);
  auto stages =
      planAxisStages(layout, type.getDimSize(op.getAxis()), op.getAxis(), /*anyOrder=*/false);
  if (!stages)
    return op.emitOpError("cannot combine along axis ")
           << op.getAxis() << " of a tile whose layout mixes dimensions";
  std::vector<Registers> results =
      scanAlong(emitter, *stages, layout, op.getReverse(), gatherOperands(op.getSources()));
  for (auto [i, result] : llvm::enumerate(op.getResults())) {
    Registers registers;
    for (const Registers &values : results)
      registers.push_back(values[i]);
    registers_[result] = std::move(registers);
  }
  return success();
}

} // namespace inlay::tile_to_gpu
