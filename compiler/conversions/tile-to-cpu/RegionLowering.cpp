// Loops and branches around tile ops. Tiles that a region takes or gives live in buffers; a
// loop-carried tile has two, which change places after every iteration, because the new value may
// need any element of the old one.
#include "compiler/conversions/tile-to-cpu/ProgramLowering.h"

using namespace mlir;

namespace inlay::tile_to_cpu {

namespace {

bool isTile(Value value) { return isa<RankedTensorType>(value.getType()); }

} // namespace

FailureOr<ProgramLowering::Carried> ProgramLowering::carry(ValueRange values, bool withSpare) {
  Carried carried;
  SmallVector<Value> tiles, addresses;
  for (Value value : values) {
    if (!isTile(value)) {
      carried.values.push_back(values_.scalars.lookup(value));
      continue;
    }
    Value address = allocate(value), spare = withSpare && address ? allocate(value) : address;
    if (!address || !spare)
      return failure();
    tiles.push_back(value);
    addresses.push_back(address);
    carried.values.push_back(address);
    if (withSpare)
      carried.spare.push_back(spare);
  }
  writeTiles(tiles, addresses);
  return carried;
}

void ProgramLowering::bind(ValueRange values, ValueRange emitted, bool isInside) {
  for (auto [value, result] : llvm::zip(values, emitted)) {
    if (isTile(value))
      bindTile(value, result, scopes_.size() + isInside);
    else
      values_.scalars.map(value, result);
  }
}

LogicalResult ProgramLowering::lowerFor(scf::ForOp loop) {
  if (failed(keepCostlyOperands(loop)))
    return failure();
  FailureOr<Carried> inits = carry(loop.getInitArgs(), /*withSpare=*/true);
  if (failed(inits))
    return failure();
  emitted_.insert(loop);
  size_t numCarried = inits->values.size();
  SmallVector<Value> initial(inits->values);
  initial.append(inits->spare);
  auto emitted = scf::ForOp::create(
      builder_, loop.getLoc(), values_.scalars.lookup(loop.getLowerBound()),
      values_.scalars.lookup(loop.getUpperBound()), values_.scalars.lookup(loop.getStep()), initial,
      nullptr, loop.getUnsignedCmp());
  values_.scalars.map(loop.getInductionVar(), emitted.getInductionVar());
  ProgramValues::Buffers outside = values_.buffers();
  bind(loop.getRegionIterArgs(), emitted.getRegionIterArgs().take_front(numCarried),
       /*isInside=*/true);
  {
    OpBuilder::InsertionGuard guard(builder_);
    Block *body = emitted.getBody();
    if (body->mightHaveTerminator())
      body->getTerminator()->erase();
    builder_.setInsertionPointToEnd(body);
    if (failed(lowerBlock(*loop.getBody())))
      return failure();
    SmallVector<Value> next, spares, tiles, addresses;
    size_t tile = 0;
    for (auto [index, value] : llvm::enumerate(loop.getYieldedValues())) {
      if (!isTile(value)) {
        next.push_back(values_.scalars.lookup(value));
        continue;
      }
      Value spare = emitted.getRegionIterArg(numCarried + tile++),
            current = emitted.getRegionIterArg(index);
      // In place, if nothing else needs the old value any more.
      if (!values_.bufferOf(value) && findOverwritable(value, {}, current) &&
          failed(keep(value, current)))
        return failure();
      if (values_.bufferOf(value) == current) {
        next.push_back(current);
        spares.push_back(spare);
        continue;
      }
      tiles.push_back(value);
      addresses.push_back(spare);
      next.push_back(spare);
      spares.push_back(current);
    }
    writeTiles(tiles, addresses);
    next.append(spares);
    scf::YieldOp::create(builder_, loop.getLoc(), next);
  }
  leaveBlock(*loop.getBody(), std::move(outside));
  // Which of its two buffers a tile ends in is known when the loop has run.
  size_t tile = 0;
  for (auto [index, result] : llvm::enumerate(loop.getResults()))
    if (isTile(result)) {
      auto &memories = memories_[emitted.getResult(index)];
      memories.append(memories_.lookup(inits->values[index]));
      memories.append(memories_.lookup(inits->spare[tile++]));
    }
  bind(loop.getResults(), emitted.getResults().take_front(numCarried));
  return success();
}

LogicalResult ProgramLowering::lowerIf(scf::IfOp branch) {
  if (failed(keepCostlyOperands(branch)))
    return failure();
  emitted_.insert(branch);
  SmallVector<Type> types;
  SmallVector<Value> addresses; // by result, null for scalars
  for (Value result : branch.getResults()) {
    addresses.push_back(isTile(result) ? allocate(result) : Value());
    if (isTile(result) && !addresses.back())
      return failure();
    if (!isTile(result))
      types.push_back(valueTypeOf(result.getType()));
  }
  auto emitted = scf::IfOp::create(
      builder_, branch.getLoc(), types, values_.scalars.lookup(branch.getCondition()),
      /*addThenBlock=*/true, /*addElseBlock=*/!branch.getElseRegion().empty());
  for (unsigned side = 0; side < 2; ++side) {
    Region *from = &branch->getRegion(side), *to = &emitted->getRegion(side);
    if (from->empty())
      continue;
    OpBuilder::InsertionGuard guard(builder_);
    ProgramValues::Buffers outside = values_.buffers();
    if (!to->front().empty())
      to->front().clear();
    builder_.setInsertionPointToEnd(&to->front());
    if (failed(lowerBlock(from->front())))
      return failure();
    SmallVector<Value> scalars, tiles, targets;
    for (auto [value, address] :
         llvm::zip(from->front().getTerminator()->getOperands(), addresses)) {
      if (!address) {
        scalars.push_back(values_.scalars.lookup(value));
      } else {
        tiles.push_back(value);
        targets.push_back(address);
      }
    }
    writeTiles(tiles, targets);
    scf::YieldOp::create(builder_, branch.getLoc(), scalars);
    leaveBlock(from->front(), std::move(outside));
  }
  SmallVector<Value> results;
  size_t scalar = 0;
  for (Value address : addresses)
    results.push_back(address ? address : Value(emitted.getResult(scalar++)));
  bind(branch.getResults(), results);
  return success();
}

LogicalResult ProgramLowering::lowerWhile(scf::WhileOp loop) {
  if (failed(keepCostlyOperands(loop)))
    return failure();
  // Tiles live in one buffer on the way into the condition, and in another on the way into the body
  // and the results.
  FailureOr<Carried> inits = carry(loop.getInits(), /*withSpare=*/false);
  if (failed(inits))
    return failure();
  emitted_.insert(loop);
  SmallVector<Value> initial, entering = inits->values, leaving;
  for (auto [value, emitted] : llvm::zip(loop.getInits(), inits->values))
    if (!isTile(value))
      initial.push_back(emitted);
  SmallVector<Type> resultTypes;
  for (Value result : loop.getResults()) {
    leaving.push_back(isTile(result) ? allocate(result) : Value());
    if (isTile(result) && !leaving.back())
      return failure();
    if (!isTile(result))
      resultTypes.push_back(valueTypeOf(result.getType()));
  }
  /// Values of a region's arguments: addresses of tiles, and the block's arguments for scalars.
  auto merge = [](ValueRange kernelValues, ArrayRef<Value> addresses, ValueRange scalars) {
    SmallVector<Value> merged;
    size_t scalar = 0;
    for (auto [value, address] : llvm::zip(kernelValues, addresses))
      merged.push_back(isTile(value) ? address : scalars[scalar++]);
    return merged;
  };
  /// Emits the block, its tiles to the addresses; returns the scalars it hands on.
  auto emitBlock = [&](Block &block, ValueRange handed,
                       ArrayRef<Value> addresses) -> FailureOr<SmallVector<Value>> {
    if (failed(lowerBlock(block)))
      return failure();
    SmallVector<Value> scalars, tiles, targets;
    for (auto [value, address] : llvm::zip(handed, addresses)) {
      if (!isTile(value)) {
        scalars.push_back(values_.scalars.lookup(value));
      } else {
        tiles.push_back(value);
        targets.push_back(address);
      }
    }
    writeTiles(tiles, targets);
    return scalars;
  };
  ProgramValues::Buffers outside = values_.buffers();
  auto emitted =
      scf::WhileOp::create(builder_, loop.getLoc(), resultTypes, initial, nullptr, nullptr);
  OpBuilder::InsertionGuard guard(builder_);
  auto makeBlock = [&](Region &region, TypeRange types) {
    return builder_.createBlock(&region, {}, types,
                                SmallVector<Location>(types.size(), loop.getLoc()));
  };
  Block *before = emitted.getBefore().empty()
                      ? makeBlock(emitted.getBefore(), ValueRange(initial).getTypes())
                      : &emitted.getBefore().front();
  builder_.setInsertionPointToEnd(before);
  bind(loop.getBeforeArguments(),
       merge(loop.getBeforeArguments(), entering, before->getArguments()), /*isInside=*/true);
  auto condition = loop.getConditionOp();
  FailureOr<SmallVector<Value>> forwarded =
      emitBlock(*loop.getBeforeBody(), condition.getArgs(), leaving);
  if (failed(forwarded))
    return failure();
  scf::ConditionOp::create(builder_, loop.getLoc(),
                           values_.scalars.lookup(condition.getCondition()), *forwarded);
  leaveBlock(*loop.getBeforeBody(), outside);

  Block *after = emitted.getAfter().empty() ? makeBlock(emitted.getAfter(), resultTypes)
                                            : &emitted.getAfter().front();
  builder_.setInsertionPointToEnd(after);
  bind(loop.getAfterArguments(), merge(loop.getAfterArguments(), leaving, after->getArguments()),
       /*isInside=*/true);
  FailureOr<SmallVector<Value>> yielded =
      emitBlock(*loop.getAfterBody(), loop.getYieldOp().getOperands(), entering);
  if (failed(yielded))
    return failure();
  scf::YieldOp::create(builder_, loop.getLoc(), *yielded);
  leaveBlock(*loop.getAfterBody(), std::move(outside));
  bind(loop.getResults(), merge(loop.getResults(), leaving, emitted.getResults()));
  return success();
}

} // namespace inlay::tile_to_cpu
