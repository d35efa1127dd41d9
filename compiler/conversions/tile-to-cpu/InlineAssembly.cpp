#include "compiler/conversions/tile-to-cpu/InlineAssembly.h"

#include "compiler/conversions/tile-to-cpu/PtxEmitter.h"
#include "compiler/transforms/tile/InlineAssembly.h"

#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/DenseMap.h"

using namespace mlir;

namespace inlay::tile_to_cpu {

namespace {

Type elementOf(Value value) { return tile::elementTypeOf(value.getType()); }

/// The number that all elements of a value are, if it is known.
std::optional<int64_t> findConstant(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (!isa<tile::SplatOp, tile::BroadcastOp, tile::ExpandDimsOp, tile::ReshapeOp>(op))
      break;
    value = op->getOperand(0);
  }
  APInt constant;
  if (matchPattern(value, m_ConstantInt(&constant)))
    return constant.getSExtValue();
  return std::nullopt;
}

/// Whether two values are computed in the same way from arguments of one block, where argument
/// i + k of the second stands for argument i of the first (each operand has `pack` of them).
class LaneComparison {
public:
  LaneComparison(unsigned pack, unsigned lane) : pack_(pack), lane_(lane) {}

  bool isSame(Value first, Value second) {
    auto [known, isNew] = partner_.try_emplace(second, first);
    if (!isNew)
      return known->second == first;
    if (auto argument = dyn_cast<BlockArgument>(first)) {
      auto other = dyn_cast<BlockArgument>(second);
      return other && argument.getArgNumber() % pack_ == 0 &&
             other.getArgNumber() == argument.getArgNumber() + lane_;
    }
    Operation *a = first.getDefiningOp(), *b = second.getDefiningOp();
    if (!a || !b || a->getName() != b->getName() || a->getNumOperands() != b->getNumOperands() ||
        a->getAttrDictionary() != b->getAttrDictionary() || first.getType() != second.getType() ||
        cast<OpResult>(first).getResultNumber() != cast<OpResult>(second).getResultNumber())
      return false;
    for (auto [x, y] : llvm::zip_equal(a->getOperands(), b->getOperands()))
      if (!isSame(x, y))
        return false;
    return true;
  }

private:
  unsigned pack_, lane_;
  DenseMap<Value, Value> partner_; // of values of the second
};

/// Expands one operation.
class Expansion {
public:
  Expansion(tile::InlineAsmOp op, ptx::Program program)
      : op_(op), builder_(op), program_(std::move(program)) {}

  LogicalResult run() {
    pack_ = op_.getPack();
    for (Value operand : op_.getOperands())
      operands_.push_back(asInteger(operand));
    for (TypeRange types : {TypeRange(op_.getOperandTypes()), TypeRange(op_.getResultTypes())})
      for (Type type : types)
        if (isa<RankedTensorType>(type))
          shape_ = type;
    if (!shape_)
      shape_ = op_.getResult(0).getType();
    for (Value &operand : operands_)
      operand = inShape(operand);
    FailureOr<SmallVector<Value>> results =
        pack_ == 1 ? emit(builder_, shape_, operands_) : emitPacked();
    if (failed(results))
      return failure();
    if (hasBarrier_)
      tile::BarrierOp::create(builder_, op_.getLoc());
    for (auto [old, value] : llvm::zip_equal(op_.getResults(), *results)) {
      if (isa<tile::PointerType>(elementOf(old)))
        value = tile::IntToPtrOp::create(builder_, op_.getLoc(), old.getType(), value);
      old.replaceAllUsesWith(value);
    }
    op_.erase();
    return success();
  }

private:
  unsigned perOperand(Type element) const {
    return tile::RegisterPacking(element, pack_).perRegister;
  }

  Value asInteger(Value operand) {
    if (!isa<tile::PointerType>(elementOf(operand)))
      return operand;
    Type type = builder_.getI64Type();
    if (auto tile = dyn_cast<RankedTensorType>(operand.getType()))
      type = tile.clone(type);
    return tile::PtrToIntOp::create(builder_, op_.getLoc(), type, operand);
  }

  /// The results, lane by lane, of a call on values of `shape`; `operands` has `pack` values for
  /// each operand.
  SmallVector<Value> emit(OpBuilder &builder, Type shape, ValueRange operands) {
    PtxEmitter emitter(builder, op_.getLoc(), shape, program_);
    ElementBuilder &elements = emitter.elements();
    size_t numOutputs =
        llvm::count_if(program_.constraints, [](const ptx::Constraint &c) { return c.isOutput; });
    size_t at = numOutputs;
    for (size_t i = 0; i < op_.getNumOperands(); ++i) {
      Type element = elementOf(op_.getOperand(i));
      unsigned perRegister = perOperand(element);
      for (unsigned first = 0; first < pack_; first += perRegister, ++at) {
        if (!program_.bindings[at])
          continue;
        RegisterParts parts;
        unsigned bits = 0;
        for (unsigned k = 0; k < perRegister; ++k) {
          Value value = operands[i * pack_ + first + k];
          if (getElementTypeOrSelf(value).isInteger(1) && program_.constraints[at].width() > 1)
            value = elements.resize(value, 8);
          parts.push_back({value});
          bits += ElementBuilder::widthOf(value);
        }
        // What is not given of a wider register is 0.
        for (; bits < program_.constraints[at].width(); bits *= 2)
          parts.push_back({elements.integer(bits, 0)});
        emitter.setRegister(*program_.bindings[at], std::move(parts));
      }
    }
    emitter.run();
    hasBarrier_ = emitter.hasBarrier();
    SmallVector<Value> results;
    at = 0;
    for (Value result : op_.getResults()) {
      Type element = elementOf(result);
      if (isa<tile::PointerType>(element))
        element = builder.getI64Type();
      unsigned perRegister = perOperand(element);
      for (unsigned first = 0; first < pack_; first += perRegister, ++at)
        for (unsigned k = 0; k < perRegister; ++k)
          results.push_back(emitter.registerAs(*program_.bindings[at],
                                               k * tile::registerBitsOf(element), element));
    }
    return results;
  }

  /// Where every lane is the same function of its own elements, that function of whole tiles; else
  /// tiles of each lane's elements.
  FailureOr<SmallVector<Value>> emitPacked() {
    Block scratch;
    for (Value operand : operands_)
      for (unsigned lane = 0; lane < pack_; ++lane)
        scratch.addArgument(operand.getType(), op_.getLoc());
    OpBuilder inner(builder_.getContext());
    inner.setInsertionPointToStart(&scratch);
    SmallVector<Value> lanes = emit(inner, shape_, scratch.getArguments());
    bool areAlike = true;
    for (size_t i = 0; i < lanes.size() && areAlike; i += pack_)
      for (unsigned lane = 0; lane < pack_ && areAlike; ++lane)
        areAlike = LaneComparison(pack_, lane).isSame(lanes[i], lanes[i + lane]);
    SmallVector<Value> results;
    if (areAlike) {
      results = cloneFirstLanes(scratch, lanes);
    } else {
      FailureOr<SmallVector<Value>> grouped = emitGrouped();
      if (failed(grouped)) {
        dropScratch(scratch);
        return failure();
      }
      results = std::move(*grouped);
    }
    dropScratch(scratch);
    return results;
  }

  static void dropScratch(Block &scratch) {
    scratch.dropAllDefinedValueUses();
    scratch.clear();
  }

  Value inShape(Value operand) {
    auto tile = dyn_cast<RankedTensorType>(shape_);
    if (!tile || isa<RankedTensorType>(operand.getType()))
      return operand;
    return tile::SplatOp::create(builder_, op_.getLoc(), tile.clone(operand.getType()), operand);
  }

  SmallVector<Value> cloneFirstLanes(Block &scratch, ArrayRef<Value> lanes) {
    IRMapping mapping;
    for (auto [i, operand] : llvm::enumerate(operands_))
      mapping.map(scratch.getArgument(static_cast<unsigned>(i) * pack_), operand);
    // Operations of other lanes alone are left out: they are found from the results back.
    llvm::SmallPtrSet<Operation *, 32> needed;
    SmallVector<Value> work;
    for (size_t i = 0; i < lanes.size(); i += pack_)
      work.push_back(lanes[i]);
    while (!work.empty())
      if (Operation *definition = work.pop_back_val().getDefiningOp();
          definition && definition->getBlock() == &scratch && needed.insert(definition).second)
        work.append(definition->operand_begin(), definition->operand_end());
    for (Operation &inner : scratch)
      if (needed.contains(&inner))
        builder_.clone(inner, mapping);
    SmallVector<Value> results;
    for (size_t i = 0; i < lanes.size(); i += pack_)
      results.push_back(mapping.lookupOrDefault(lanes[i]));
    return results;
  }

  FailureOr<SmallVector<Value>> emitGrouped() {
    auto tile = dyn_cast<RankedTensorType>(shape_);
    if (!tile || tile.getNumElements() % pack_ != 0)
      return op_.emitError("inline assembly: the lanes of a call differ, and ")
             << shape_ << " has not a multiple of " << pack_ << " elements";
    Type part = tile.clone({tile.getNumElements() / pack_}, tile.getElementType());
    SmallVector<Value> arguments;
    for (Value operand : operands_) {
      split(reshaped(operand, {tile.getNumElements()}), pack_, arguments);
    }
    SmallVector<Value> lanes = emit(builder_, part, arguments);
    SmallVector<Value> results;
    for (size_t i = 0; i < lanes.size(); i += pack_)
      results.push_back(reshaped(joined(ArrayRef<Value>(lanes).slice(i, pack_)), tile.getShape()));
    return results;
  }

  Value reshaped(Value value, ArrayRef<int64_t> shape) {
    auto type = cast<RankedTensorType>(value.getType());
    if (type.getShape() == shape)
      return value;
    return tile::ReshapeOp::create(builder_, op_.getLoc(),
                                   RankedTensorType::get(shape, type.getElementType()), value,
                                   /*allowReorder=*/false);
  }

  /// Appends `count` tiles: every count-th element, from 0, 1, … on.
  void split(Value flat, unsigned count, SmallVectorImpl<Value> &parts) {
    if (count == 1) {
      parts.push_back(flat);
      return;
    }
    int64_t size = cast<RankedTensorType>(flat.getType()).getNumElements();
    auto halves = tile::SplitOp::create(
        builder_, op_.getLoc(),
        TypeRange{RankedTensorType::get({size / 2}, getElementTypeOrSelf(flat)),
                  RankedTensorType::get({size / 2}, getElementTypeOrSelf(flat))},
        reshaped(flat, {size / 2, 2}));
    SmallVector<Value> even, odd;
    split(halves.getLhs(), count / 2, even);
    split(halves.getRhs(), count / 2, odd);
    for (auto [a, b] : llvm::zip_equal(even, odd)) {
      parts.push_back(a);
      parts.push_back(b);
    }
  }

  /// The reverse of split.
  Value joined(ArrayRef<Value> parts) {
    if (parts.size() == 1)
      return parts[0];
    SmallVector<Value> even, odd;
    for (size_t i = 0; i < parts.size(); i += 2) {
      even.push_back(parts[i]);
      odd.push_back(parts[i + 1]);
    }
    Value a = joined(even), b = joined(odd);
    auto type = cast<RankedTensorType>(a.getType());
    int64_t size = type.getNumElements();
    Value pairs = tile::JoinOp::create(
        builder_, op_.getLoc(), RankedTensorType::get({size, 2}, type.getElementType()), a, b);
    return reshaped(pairs, {2 * size});
  }

  tile::InlineAsmOp op_;
  OpBuilder builder_;
  ptx::Program program_;
  unsigned pack_ = 1;
  Type shape_;
  SmallVector<Value> operands_; // in one shape, pointers as integers
  bool hasBarrier_ = false;
};

} // namespace

LogicalResult expandInlineAssembly(tile::InlineAsmOp op) {
  FailureOr<std::vector<ptx::Constraint>> constraints = tile::checkedConstraints(op);
  if (failed(constraints))
    return failure();
  // Values of immediates: with pack 1 each input has one register.
  std::vector<std::optional<int64_t>> immediates;
  size_t input = 0;
  for (const ptx::Constraint &constraint : *constraints) {
    immediates.emplace_back();
    if (constraint.isOutput)
      continue;
    if (constraint.isImmediate() && op.getPack() == 1 && input < op.getNumOperands())
      immediates.back() = findConstant(op.getOperand(static_cast<unsigned>(input)));
    ++input;
  }
  auto program = ptx::parseProgram(op.getText(), op.getConstraints(), immediates);
  if (!program.isOk())
    return op.emitError("inline assembly cannot be translated for the CPU: ")
           << program.status().message();
  return Expansion(op, std::move(*program)).run();
}

} // namespace inlay::tile_to_cpu
