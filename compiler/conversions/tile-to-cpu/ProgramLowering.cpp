#include "compiler/conversions/tile-to-cpu/ProgramLowering.h"
#include "compiler/conversions/tile-to-cpu/EvaluationCost.h"

#include "mlir/Transforms/RegionUtils.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace inlay::tile_to_cpu {

namespace {

bool isTile(Value value) { return isa<RankedTensorType>(value.getType()); }

ArrayRef<int64_t> shapeOf(Value tile) { return cast<RankedTensorType>(tile.getType()).getShape(); }

bool hasTiles(Operation *op) {
  auto isTileType = [](Type type) { return isa<RankedTensorType>(type); };
  return llvm::any_of(op->getOperandTypes(), isTileType) ||
         llvm::any_of(op->getResultTypes(), isTileType);
}

/// The scalar pointer that a tile of pointers is computed from, or null.
Value basePointer(Value pointer) {
  while (Operation *op = pointer.getDefiningOp()) {
    if (!isa<tile::AddPtrOp, tile::SplatOp, tile::PtrCastOp>(op) && !isShapeOp(op))
      return isTile(pointer) ? Value() : pointer;
    pointer = op->getOperand(0);
  }
  return isTile(pointer) ? Value() : pointer;
}

/// True if the two accesses may touch the same memory at different elements.
bool mayOverlap(Value first, Value second) {
  if (first == second)
    return false;
  Value a = basePointer(first), b = basePointer(second);
  return !a || !b || a == b;
}

bool writes(Operation *op) {
  return op
      ->walk([](Operation *inner) {
        return isa<tile::StoreOp, tile::BarrierOp, tile::AtomicRmwOp, tile::AtomicCasOp>(inner)
                   ? WalkResult::interrupt()
                   : WalkResult::advance();
      })
      .wasInterrupted();
}

} // namespace

bool isEmittedInPlace(Operation *op) {
  return isa<tile::StoreOp, tile::DotOp, tile::AtomicRmwOp, tile::AtomicCasOp, tile::HistogramOp,
             tile::JoinOp, tile::PrintOp, tile::AssertOp>(op) ||
         op->getNumRegions() > 0 || op->hasTrait<OpTrait::IsTerminator>();
}

LogicalResult ProgramLowering::lower(func::FuncOp kernel, ValueRange arguments) {
  if (!kernel.getBody().hasOneBlock())
    return kernel.emitError(
        "a kernel with several basic blocks cannot be compiled for the CPU yet");
  values_.scalars.map(kernel.getArguments(), arguments);
  if (failed(lowerBlock(kernel.getBody().front())))
    return failure();
  arena_.finish();
  return success();
}

LogicalResult ProgramLowering::lowerBlock(Block &block) {
  scopes_.emplace_back();
  for (Operation &op : block.without_terminator()) {
    current_ = {&op};
    if (failed(lowerOp(&op)))
      return failure();
    if (isEmittedInPlace(&op))
      releaseDead();
  }
  current_.clear();
  return flush();
}

LogicalResult ProgramLowering::lowerOp(Operation *op) {
  return TypeSwitch<Operation *, LogicalResult>(op)
      .Case([&](tile::ProgramIdOp id) {
        values_.scalars.map(id.getResult(), grid_.programId[id.getAxis()]);
        return success();
      })
      .Case([&](tile::NumProgramsOp count) {
        values_.scalars.map(count.getResult(), grid_.numPrograms[count.getAxis()]);
        return success();
      })
      // One thread runs the whole program, so there is nobody to wait for; stores before it come
      // before loads after it.
      .Case([&](tile::BarrierOp) { return settle(op); })
      .Case([&](scf::ForOp loop) { return lowerFor(loop); })
      .Case([&](scf::IfOp branch) { return lowerIf(branch); })
      .Case([&](scf::WhileOp loop) { return lowerWhile(loop); })
      .Case([&](tile::ReduceOp reduce) { return lowerReduce(reduce); })
      .Case([&](tile::ScanOp scan) { return lowerScan(scan); })
      .Case([&](tile::DotOp dot) { return lowerDot(dot); })
      .Case<tile::AtomicRmwOp, tile::AtomicCasOp>([&](auto) { return lowerAtomic(op); })
      .Case([&](tile::PrintOp print) { return lowerPrint(print); })
      .Case([&](tile::AssertOp assertion) { return lowerAssert(assertion); })
      .Case([&](tile::HistogramOp histogram) { return lowerHistogram(histogram); })
      .Case([&](tile::ReshapeOp reshape) { return lowerReshape(reshape); })
      .Case([&](tile::JoinOp join) { return lowerJoin(join); })
      .Case([&](tile::SplitOp split) { return lowerSplit(split); })
      .Case([&](tile::GatherOp gather) { return lowerGather(gather); })
      .Case([&](tile::StoreOp store) -> LogicalResult {
        return isTile(store.getPtr()) ? addStore(store) : lowerScalar(op);
      })
      .Case([&](tile::LoadOp load) -> LogicalResult {
        if (!isTile(load.getPtr()))
          return lowerScalar(op);
        bool mustWait = llvm::any_of(pending_, [&](tile::StoreOp store) {
          return shapeOf(store.getPtr()) != shapeOf(load.getPtr()) ||
                 mayOverlap(store.getPtr(), load.getPtr());
        });
        if (mustWait && failed(flush()))
          return failure();
        return load.getIsVolatile() ? keep(load.getResult()) : success();
      })
      .Default([&](Operation *) -> LogicalResult {
        if (auto constant = dyn_cast<arith::ConstantOp>(op); constant && hasTiles(op)) {
          if (isa<SplatElementsAttr>(constant.getValue()))
            return success();
          bindTile(constant.getResult(), constantAddress(constant), 0);
          return success();
        }
        if (hasTiles(op)) {
          if (isElementwise(op) || isShapeOp(op) || isa<tile::SplatOp, tile::ArangeOp>(op))
            return success(); // evaluated where it is used
          return op->emitError("operation '")
                 << op->getName() << "' cannot be compiled for the CPU yet";
        }
        if (isElementwise(op) || isa<arith::ConstantOp>(op))
          return lowerScalar(op);
        if (op->getNumRegions() == 0 && op->getName().getDialectNamespace() == "ub") {
          builder_.clone(*op, values_.scalars);
          return success();
        }
        return op->emitError("operation '")
               << op->getName() << "' cannot be compiled for the CPU yet";
      });
}

Value ProgramLowering::constantAddress(arith::ConstantOp constant) {
  Location location = constant.getLoc();
  auto elements = cast<DenseElementsAttr>(constant.getValue());
  unsigned bits = 8 * memoryBytesOf(elements.getElementType());
  SmallVector<APInt> memory;
  if (isa<FloatType>(elements.getElementType()))
    for (const APFloat &value : elements.getValues<APFloat>())
      memory.push_back(value.bitcastToAPInt());
  else
    for (const APInt &value : elements.getValues<APInt>())
      memory.push_back(value.zextOrTrunc(bits));
  Type element = builder_.getIntegerType(bits);
  auto module = builder_.getInsertionBlock()->getParentOp()->getParentOfType<ModuleOp>();
  OpBuilder atModule = OpBuilder::atBlockBegin(module.getBody());
  auto global = LLVM::GlobalOp::create(
      atModule, location, LLVM::LLVMArrayType::get(element, memory.size()), /*isConstant=*/true,
      LLVM::Linkage::Internal, "tile." + std::to_string(numConstants_++),
      DenseElementsAttr::get(RankedTensorType::get(int64_t(memory.size()), element), memory),
      /*alignment=*/64);
  return LLVM::AddressOfOp::create(builder_, location, global);
}

LogicalResult ProgramLowering::lowerScalar(Operation *op) {
  Location location = op->getLoc();
  auto value = [&](Value operand) { return values_.scalars.lookup(operand); };
  if (isa<arith::ConstantOp>(op)) {
    builder_.clone(*op, values_.scalars);
    return success();
  }
  if (isElementwise(op)) {
    SmallVector<Value> operands = llvm::map_to_vector(op->getOperands(), value);
    values_.scalars.map(op->getResult(0), emitElementwise(builder_, op, operands, 1));
    return success();
  }
  if (auto load = dyn_cast<tile::LoadOp>(op)) {
    if (failed(flush()))
      return failure();
    Type element = load.getType(), memory = memoryTypeOf(element);
    auto emitLoad = [&](OpBuilder &builder, Location at) -> Value {
      Value loaded = LLVM::LoadOp::create(builder, at, memory, value(load.getPtr()),
                                          memoryBytesOf(element), load.getIsVolatile());
      return fromMemory(builder, at, loaded, element);
    };
    if (!load.getMask()) {
      values_.scalars.map(load.getResult(), emitLoad(builder_, location));
      return success();
    }
    Value other = load.getOther() ? value(load.getOther())
                                  : zeroConstant(builder_, location, valueTypeOf(element));
    auto guarded = scf::IfOp::create(
        builder_, location, value(load.getMask()),
        [&](OpBuilder &inner, Location at) {
          scf::YieldOp::create(inner, at, emitLoad(inner, at));
        },
        [&](OpBuilder &inner, Location at) { scf::YieldOp::create(inner, at, other); });
    values_.scalars.map(load.getResult(), guarded.getResult(0));
    return success();
  }
  auto store = cast<tile::StoreOp>(op);
  if (failed(settle(op)))
    return failure();
  auto emitStore = [&](OpBuilder &builder, Location at) {
    LLVM::StoreOp::create(builder, at, toMemory(builder, at, value(store.getValue())),
                          value(store.getPtr()), memoryBytesOf(store.getValue().getType()));
  };
  emitted_.insert(op);
  if (!store.getMask()) {
    emitStore(builder_, location);
    return success();
  }
  scf::IfOp::create(builder_, location, value(store.getMask()), [&](OpBuilder &inner, Location at) {
    emitStore(inner, at);
    scf::YieldOp::create(inner, at);
  });
  return success();
}

SmallVector<tile::LoadOp> ProgramLowering::overlappingLoads(ArrayRef<Value> operands,
                                                            ArrayRef<Value> pointers) {
  SetVector<Operation *> slice;
  SmallVector<Value> work(operands);
  SmallVector<tile::LoadOp> overlapping;
  while (!work.empty()) {
    Value value = work.pop_back_val();
    Operation *op = value.getDefiningOp();
    if (!isTile(value) || !op || values_.bufferOf(value) || !slice.insert(op))
      continue;
    auto load = dyn_cast<tile::LoadOp>(op);
    if (load &&
        llvm::any_of(pointers, [&](Value pointer) { return mayOverlap(load.getPtr(), pointer); }))
      overlapping.push_back(load);
    if (op->getNumRegions() == 0)
      work.append(op->operand_begin(), op->operand_end());
  }
  return overlapping;
}

LogicalResult ProgramLowering::addStore(tile::StoreOp store) {
  if (!pending_.empty() && shapeOf(pending_[0].getPtr()) != shapeOf(store.getPtr()) &&
      failed(flush()))
    return failure();
  // Loads that this store could change before they are evaluated for another element.
  SmallVector<Value> operands(store->getOperands()), pointers{store.getPtr()};
  for (tile::StoreOp earlier : pending_) {
    operands.append(earlier->operand_begin(), earlier->operand_end());
    pointers.push_back(earlier.getPtr());
  }
  SmallVector<tile::LoadOp> overlapping = overlappingLoads(operands, pointers);
  if (!overlapping.empty()) {
    if (failed(flush()))
      return failure();
    for (tile::LoadOp load : overlapping)
      if (failed(keep(load.getResult())))
        return failure();
  }
  pending_.push_back(store);
  return success();
}

LogicalResult ProgramLowering::flush() {
  if (pending_.empty())
    return success();
  SmallVector<tile::StoreOp> stores;
  std::swap(stores, pending_);
  llvm::DenseSet<Operation *> outer = current_;
  for (tile::StoreOp store : stores) {
    emitted_.insert(store);
    current_.insert(store);
  }
  if (failed(keepLoads(stores.back())))
    return failure();
  SmallVector<Root> roots;
  SmallVector<Value> operands;
  for (tile::StoreOp store : stores)
    operands.append(store->operand_begin(), store->operand_end());
  if (failed(addSharedValues(operands, roots)))
    return failure();
  for (tile::StoreOp store : stores)
    roots.push_back({.store = store});
  emitNest(builder_, stores.front().getLoc(), values_, roots, options_);
  bindShared(roots);
  current_ = std::move(outer);
  return success();
}

LogicalResult ProgramLowering::settle(Operation *op) {
  if (failed(flush()))
    return failure();
  return keepLoads(op);
}

bool ProgramLowering::isNeededLater(Value tile, DenseMap<Value, bool> &known, bool countsCurrent) {
  if (auto found = known.find(tile); found != known.end())
    return found->second;
  bool needed = llvm::any_of(tile.getUsers(), [&](Operation *user) {
    if (isEmittedInPlace(user))
      return !emitted_.contains(user) || (countsCurrent && current_.contains(user));
    return llvm::any_of(user->getResults(), [&](Value result) {
      return isTile(result) && !values_.bufferOf(result) &&
             isNeededLater(result, known, countsCurrent);
    });
  });
  return known[tile] = needed;
}

LogicalResult ProgramLowering::keepLoads(Operation *op) {
  // Loads of enclosing blocks too: what runs here may run before their next use.
  for (Operation *at = op; at && !isa<func::FuncOp>(at); at = at->getParentOp()) {
    DenseMap<Value, bool> known;
    for (Operation &earlier : *at->getBlock()) {
      if (&earlier == at)
        break;
      auto load = dyn_cast<tile::LoadOp>(earlier);
      if (load && isTile(load.getResult()) && !values_.bufferOf(load.getResult()) &&
          isNeededLater(load.getResult(), known) && failed(keep(load.getResult())))
        return failure();
    }
  }
  return success();
}

LogicalResult ProgramLowering::keepCostlyOperands(Operation *op) {
  if (failed(flush()))
    return failure();
  SetVector<Value> used;
  for (Region &region : op->getRegions())
    getUsedValuesDefinedAbove(region, used);
  SmallVector<Value> work(used.begin(), used.end());
  DenseSet<Value> seen;
  bool isLoop = isa<scf::ForOp, scf::WhileOp>(op);
  while (!work.empty()) {
    Value value = work.pop_back_val();
    if (!isTile(value) || values_.bufferOf(value) || !seen.insert(value).second || isCheap(value))
      continue;
    Operation *definition = value.getDefiningOp();
    bool isCostly =
        isa<tile::LoadOp>(definition) ? (isLoop || writes(op)) : isLoop && !isShapeOp(definition);
    if (isCostly) {
      if (failed(keep(value)))
        return failure();
    } else {
      work.append(definition->operand_begin(), definition->operand_end());
    }
  }
  if (writes(op))
    return keepLoads(op);
  return success();
}

} // namespace inlay::tile_to_cpu
