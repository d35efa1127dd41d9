#include "compiler/conversions/tile-to-cpu/Evaluator.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace inlay::tile_to_cpu {

namespace {

unsigned levelOf(const Coordinates &coordinates) {
  unsigned level = 0;
  for (const Coordinate &coordinate : coordinates)
    level = std::max(level, coordinate.level);
  return level;
}

bool isUniform(const Coordinates &coordinates) {
  return llvm::all_of(coordinates,
                      [](const Coordinate &coordinate) { return coordinate.isUniform(); });
}

ArrayRef<int64_t> shapeOf(Value tile) { return cast<RankedTensorType>(tile.getType()).getShape(); }

/// The vector <0, step, 2 step, …>.
Value iota(OpBuilder &builder, Location location, Type element, unsigned width, int64_t step) {
  unsigned bits = element.getIntOrFloatBitWidth();
  SmallVector<APInt> steps;
  for (unsigned lane = 0; lane < width; ++lane)
    steps.push_back(APInt(bits, step * lane, /*isSigned=*/true, /*implicitTrunc=*/true));
  auto type = VectorType::get({width}, element);
  return arith::ConstantOp::create(builder, location, type, DenseElementsAttr::get(type, steps));
}

Value constantTrue(OpBuilder &builder, Location location, unsigned width) {
  return integerConstant(builder, location, lanesType(builder.getI1Type(), width), 1);
}

bool isConstantTrue(Value mask) { return matchPattern(mask, m_One()); }

} // namespace

void Evaluator::enterLoop(Operation *loop, Block *body) {
  points_.back() = {loop->getBlock(), Block::iterator(loop)};
  Block::iterator end =
      body->mightHaveTerminator() ? Block::iterator(body->getTerminator()) : body->end();
  points_.push_back({body, end});
  cache_.emplace_back();
}

void Evaluator::leaveLoop() {
  points_.pop_back();
  cache_.pop_back();
  assumed_.clear();
  // What follows goes behind the loop.
  points_.back() = {points_.back().getBlock(), std::next(points_.back().getPoint())};
  builder_.restoreInsertionPoint(points_.back());
}

bool Evaluator::isAllTrue(Value mask, const Coordinates &coordinates) const {
  if (isAssumed(mask, coordinates))
    return true;
  Operation *op = mask.getDefiningOp();
  if (!op || values_.bufferOf(mask))
    return false;
  if (matchPattern(mask, m_One()))
    return true;
  if (isa<arith::AndIOp>(op))
    return isAllTrue(op->getOperand(0), coordinates) && isAllTrue(op->getOperand(1), coordinates);
  if (isShapeOp(op))
    if (std::optional<Coordinates> source = sourceCoordinates(op, coordinates))
      return isAllTrue(op->getOperand(0), *source);
  return false;
}

Value Evaluator::scalar(Value value, const Coordinates &coordinates) {
  return evaluate(value, coordinates, 1);
}

Value Evaluator::lanes(Value value, const Coordinates &coordinates) {
  return evaluate(value, coordinates, width_);
}

Value Evaluator::evaluate(Value value, const Coordinates &coordinates, unsigned width) {
  OpBuilder::InsertionGuard guard(builder_);
  Location location = value.getLoc();
  if (!isa<RankedTensorType>(value.getType())) {
    builder_.restoreInsertionPoint(points_[level()]);
    return splat(builder_, location, values_.scalars.lookup(value), width);
  }
  if (width > 1) {
    if (isAssumed(value, coordinates)) {
      builder_.restoreInsertionPoint(points_[level()]);
      return constantTrue(builder_, location, width);
    }
    if (isUniform(coordinates)) {
      Value scalarValue = evaluate(value, coordinates, 1);
      builder_.restoreInsertionPoint(points_[level()]);
      return splat(builder_, location, scalarValue, width);
    }
  }
  unsigned at = levelOf(coordinates);
  std::pair<ElementKey, unsigned> key{{value.getAsOpaquePointer(), coordinates}, width};
  if (auto known = cache_[at].find(key); known != cache_[at].end())
    return known->second;
  builder_.restoreInsertionPoint(points_[at]);

  Value result;
  Operation *op = value.getDefiningOp();
  std::optional<int64_t> stride;
  if (width > 1)
    stride = strideOf(value, coordinates, values_);
  if (stride) {
    result = affineLanes(value, coordinates, *stride);
  } else if (Value buffer = values_.bufferOf(value)) {
    result =
        loadBuffer(cast<RankedTensorType>(value.getType()), buffer, coordinates, width, location);
  } else if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
    auto element = cast<DenseElementsAttr>(constant.getValue()).getSplatValue<TypedAttr>();
    result =
        splat(builder_, location, arith::ConstantOp::create(builder_, location, element), width);
  } else if (isa<tile::ArangeOp>(op)) {
    Value start = integerConstant(builder_, location, builder_.getI32Type(),
                                  static_cast<int32_t>(cast<tile::ArangeOp>(op).getStart()));
    Value position = width == 1
                         ? toWidth(builder_, location, positionOf(coordinates[0], location), 32)
                         : vectorOf(coordinates[0], location, width);
    result = arith::AddIOp::create(builder_, location, position,
                                   splat(builder_, location, start, width));
  } else if (isa<tile::SplatOp>(op)) {
    result = splat(builder_, location, values_.scalars.lookup(op->getOperand(0)), width);
  } else if (isShapeOp(op)) {
    std::optional<Coordinates> source = sourceCoordinates(op, coordinates);
    result = evaluate(op->getOperand(0),
                      source ? *source
                             : reshapedCoordinates(cast<tile::ReshapeOp>(op), coordinates, width),
                      width);
  } else if (auto loadOp = dyn_cast<tile::LoadOp>(op)) {
    result = load(loadOp, coordinates, width);
  } else if (auto gatherOp = dyn_cast<tile::GatherOp>(op)) {
    result = gather(gatherOp, coordinates, width);
  } else if (isa<tile::SplitOp>(op)) {
    Coordinates source = coordinates;
    source.push_back(constantCoordinate(cast<OpResult>(value).getResultNumber()));
    result = evaluate(op->getOperand(0), source, width);
  } else {
    SmallVector<Value> operands;
    for (Value operand : op->getOperands())
      operands.push_back(evaluate(operand, coordinates, width));
    result = emitElementwise(builder_, op, operands, width);
  }
  cache_[at][key] = result;
  return result;
}

Value Evaluator::affineLanes(Value value, const Coordinates &coordinates, int64_t stride) {
  Coordinates first = coordinates;
  const Coordinate *along = nullptr;
  for (size_t i = 0; i < coordinates.size(); ++i)
    if (!coordinates[i].isUniform()) {
      along = &coordinates[i];
      first[i] = {};
    }
  Location location = value.getLoc();
  Value base = evaluate(value, first, 1);
  if (stride == 0)
    return splat(builder_, location, base, width_);
  Value position = along->value;
  if (isa<LLVM::LLVMPointerType>(base.getType())) {
    Value address = firstAddress(value, coordinates, stride);
    return addBytes(builder_, location, address,
                    iota(builder_, location, builder_.getI64Type(), width_, stride));
  }
  unsigned bits = base.getType().getIntOrFloatBitWidth();
  Value step = integerConstant(builder_, location, base.getType(), stride);
  Value moved = arith::AddIOp::create(
      builder_, location, base,
      arith::MulIOp::create(builder_, location, toWidth(builder_, location, position, bits), step));
  return arith::AddIOp::create(builder_, location, splat(builder_, location, moved, width_),
                               iota(builder_, location, base.getType(), width_, stride));
}

Value Evaluator::firstAddress(Value pointers, const Coordinates &coordinates, int64_t stride) {
  Coordinates first = coordinates;
  Value position;
  for (size_t i = 0; i < coordinates.size(); ++i)
    if (!coordinates[i].isUniform()) {
      position = coordinates[i].value;
      first[i] = {};
    }
  Location location = pointers.getLoc();
  Value base = evaluate(pointers, first, 1);
  Value step = integerConstant(builder_, location, builder_.getI64Type(), stride);
  return addBytes(
      builder_, location, base,
      arith::MulIOp::create(builder_, location, position, step, arith::IntegerOverflowFlags::nsw));
}

Value Evaluator::load(tile::LoadOp load, const Coordinates &coordinates, unsigned width) {
  Location location = load.getLoc();
  Type element = tile::elementTypeOf(load.getType()),
       type = lanesType(memoryTypeOf(element), width);
  unsigned bytes = memoryBytesOf(element);
  bool unmasked = !load.getMask() || isAllTrue(load.getMask(), coordinates);
  auto plain = [&](Value address) -> Value {
    return LLVM::LoadOp::create(builder_, location, type, address, bytes, load.getIsVolatile());
  };
  std::optional<int64_t> stride = strideOf(load.getPtr(), coordinates, values_);
  bool contiguous = width == 1 || stride == static_cast<int64_t>(bytes);
  if (unmasked && contiguous) {
    Value address = width == 1 ? evaluate(load.getPtr(), coordinates, 1)
                               : firstAddress(load.getPtr(), coordinates, bytes);
    return fromMemory(builder_, location, plain(address), element);
  }
  Value mask = unmasked ? constantTrue(builder_, location, width)
                        : evaluate(load.getMask(), coordinates, width);
  Value other = load.getOther() && !unmasked
                    ? toMemory(builder_, location, evaluate(load.getOther(), coordinates, width))
                    : zeroConstant(builder_, location, type);
  if (width == 1) {
    Value address = evaluate(load.getPtr(), coordinates, 1);
    if (isConstantTrue(mask))
      return fromMemory(builder_, location, plain(address), element);
    auto guarded = scf::IfOp::create(
        builder_, location, mask,
        [&](OpBuilder &inner, Location at) {
          Value loaded =
              LLVM::LoadOp::create(inner, at, type, address, bytes, load.getIsVolatile());
          scf::YieldOp::create(inner, at, loaded);
        },
        [&](OpBuilder &inner, Location at) { scf::YieldOp::create(inner, at, other); });
    return fromMemory(builder_, location, guarded.getResult(0), element);
  }
  Value loaded;
  if (contiguous)
    loaded = LLVM::MaskedLoadOp::create(builder_, location, type,
                                        firstAddress(load.getPtr(), coordinates, bytes), mask,
                                        other, bytes);
  else if (hasMaskedAccess_ && width <= 32 && stride == 2 * static_cast<int64_t>(bytes))
    loaded = loadEveryOther(location, cast<VectorType>(type),
                            firstAddress(load.getPtr(), coordinates, *stride), mask, other);
  else
    loaded = LLVM::masked_gather::create(builder_, location, type,
                                         evaluate(load.getPtr(), coordinates, width), mask,
                                         ValueRange{other}, bytes);
  return fromMemory(builder_, location, loaded, element);
}

Value Evaluator::loadEveryOther(Location location, VectorType type, Value address, Value mask,
                                Value other) {
  const int64_t width = type.getNumElements();
  const unsigned bytes = type.getElementTypeBitWidth() / 8;
  SmallVector<int64_t> even;
  for (int64_t lane = 0; lane < width; ++lane)
    even.push_back(2 * lane);
  // Elements between those asked for may lie outside: a 0 behind each bit of the mask.
  Type i64 = builder_.getI64Type();
  auto bits = [&](Value value, Type to) -> Value {
    return LLVM::BitcastOp::create(builder_, location, to, value);
  };
  Value narrow = bits(mask, builder_.getIntegerType(width));
  Value spread = LLVM::CallIntrinsicOp::create(
                     builder_, location, i64, builder_.getStringAttr("llvm.x86.bmi.pdep.64"),
                     ValueRange{toWidth(builder_, location, narrow, 64),
                                integerConstant(builder_, location, i64, 0x5555555555555555)})
                     .getResult(0);
  Value mask2 = bits(toWidth(builder_, location, spread, 2 * width),
                     lanesType(builder_.getI1Type(), 2 * width));
  Type wide = VectorType::get({2 * width}, type.getElementType());
  Value both = LLVM::MaskedLoadOp::create(builder_, location, wide, address, mask2,
                                          zeroConstant(builder_, location, wide), bytes);
  Value loaded = vector::ShuffleOp::create(builder_, location, both, both, even);
  return arith::SelectOp::create(builder_, location, mask, loaded, other);
}

void Evaluator::store(tile::StoreOp store, const Coordinates &coordinates) {
  OpBuilder::InsertionGuard guard(builder_);
  builder_.restoreInsertionPoint(points_[level()]);
  Location location = store.getLoc();
  unsigned bytes = memoryBytesOf(tile::elementTypeOf(store.getValue().getType()));
  Value value = toMemory(builder_, location, lanes(store.getValue(), coordinates));
  bool unmasked = !store.getMask() || isAllTrue(store.getMask(), coordinates);
  if (width_ == 1) {
    Value address = scalar(store.getPtr(), coordinates);
    Value mask = unmasked ? Value() : scalar(store.getMask(), coordinates);
    if (!mask || isConstantTrue(mask)) {
      LLVM::StoreOp::create(builder_, location, value, address, bytes);
      return;
    }
    scf::IfOp::create(builder_, location, mask, [&](OpBuilder &inner, Location at) {
      LLVM::StoreOp::create(inner, at, value, address, bytes);
      scf::YieldOp::create(inner, at);
    });
    return;
  }
  bool contiguous = strideOf(store.getPtr(), coordinates, values_) == static_cast<int64_t>(bytes);
  Value mask =
      unmasked ? constantTrue(builder_, location, width_) : lanes(store.getMask(), coordinates);
  if (!contiguous)
    LLVM::masked_scatter::create(builder_, location, value, lanes(store.getPtr(), coordinates),
                                 mask, bytes);
  else if (unmasked)
    LLVM::StoreOp::create(builder_, location, value,
                          firstAddress(store.getPtr(), coordinates, bytes), bytes);
  else
    LLVM::MaskedStoreOp::create(builder_, location, value,
                                firstAddress(store.getPtr(), coordinates, bytes), mask, bytes);
}

void Evaluator::prefetch(tile::LoadOp load, Value distance, const Coordinates &coordinates) {
  constexpr int64_t kLine = 64;
  constexpr int kSecondLevel = 2; // the first is full of what is being multiplied
  const int64_t bytes = memoryBytesOf(tile::elementTypeOf(load.getType()));
  if (strideOf(load.getPtr(), coordinates, values_) != bytes)
    return;
  OpBuilder::InsertionGuard guard(builder_);
  builder_.restoreInsertionPoint(points_[level()]);
  Location location = load.getLoc();
  Value address =
      addBytes(builder_, location, firstAddress(load.getPtr(), coordinates, bytes), distance);
  for (int64_t line = 0; line < width_ * bytes; line += kLine)
    LLVM::Prefetch::create(
        builder_, location,
        addBytes(builder_, location, address,
                 integerConstant(builder_, location, builder_.getI64Type(), line)),
        /*rw=*/0, kSecondLevel, /*cache=*/1);
}

Value Evaluator::loadBuffer(RankedTensorType tileType, Value buffer, const Coordinates &coordinates,
                            unsigned width, Location location) {
  Type element = tileType.getElementType(), type = lanesType(memoryTypeOf(element), width);
  unsigned bytes = memoryBytesOf(element);
  Coordinate position = linearCoordinate(tileType.getShape(), coordinates, width);
  Value loaded;
  if (position.kind == Coordinate::Kind::Vector) {
    Value offsets = arith::MulIOp::create(
        builder_, location, toWidth(builder_, location, position.value, 64),
        integerConstant(builder_, location, lanesType(builder_.getI64Type(), width), bytes));
    loaded = LLVM::masked_gather::create(builder_, location, type,
                                         addBytes(builder_, location, buffer, offsets),
                                         constantTrue(builder_, location, width),
                                         ValueRange{zeroConstant(builder_, location, type)}, bytes);
  } else {
    Value offset =
        arith::MulIOp::create(builder_, location, positionOf(position, location),
                              integerConstant(builder_, location, builder_.getI64Type(), bytes));
    loaded = LLVM::LoadOp::create(builder_, location, type,
                                  addBytes(builder_, location, buffer, offset), bytes);
  }
  return fromMemory(builder_, location, loaded, element);
}

Value Evaluator::loadFromBuffer(RankedTensorType type, Value buffer,
                                const Coordinates &coordinates) {
  OpBuilder::InsertionGuard guard(builder_);
  builder_.restoreInsertionPoint(points_[level()]);
  return loadBuffer(type, buffer, coordinates, width_, buffer.getLoc());
}

void Evaluator::storeToBuffer(RankedTensorType type, Value value, Value buffer,
                              const Coordinates &coordinates) {
  OpBuilder::InsertionGuard guard(builder_);
  builder_.restoreInsertionPoint(points_[level()]);
  Location location = value.getLoc();
  unsigned bytes = memoryBytesOf(type.getElementType());
  value = toMemory(builder_, location, value);
  Coordinate position = linearCoordinate(type.getShape(), coordinates, width_);
  Type i64 = builder_.getI64Type();
  if (position.kind == Coordinate::Kind::Vector) {
    Value offsets =
        arith::MulIOp::create(builder_, location, toWidth(builder_, location, position.value, 64),
                              integerConstant(builder_, location, lanesType(i64, width_), bytes));
    LLVM::masked_scatter::create(builder_, location, value,
                                 addBytes(builder_, location, buffer, offsets),
                                 constantTrue(builder_, location, width_), bytes);
    return;
  }
  Value offset = arith::MulIOp::create(builder_, location, positionOf(position, location),
                                       integerConstant(builder_, location, i64, bytes));
  LLVM::StoreOp::create(builder_, location, value, addBytes(builder_, location, buffer, offset),
                        bytes);
}

void Evaluator::storeInterleaved(RankedTensorType type, Value first, Value second, Value buffer,
                                 const Coordinates &coordinates) {
  SmallVector<int64_t> shape(type.getShape());
  shape.push_back(2);
  RankedTensorType joined = type.clone(shape);
  OpBuilder::InsertionGuard guard(builder_);
  builder_.restoreInsertionPoint(points_[level()]);
  Coordinate position = linearCoordinate(type.getShape(), coordinates, width_);
  if (width_ == 1 || position.kind != Coordinate::Kind::Lanes) {
    for (auto [index, value] : {std::pair(0u, first), {1u, second}}) {
      Coordinates at = coordinates;
      at.push_back(constantCoordinate(index));
      storeToBuffer(joined, value, buffer, at);
    }
    return;
  }
  Location location = first.getLoc();
  SmallVector<int64_t> order;
  for (unsigned lane = 0; lane < width_; ++lane)
    order.append({lane, lane + width_});
  Value both = vector::ShuffleOp::create(builder_, location, toMemory(builder_, location, first),
                                         toMemory(builder_, location, second), order);
  unsigned bytes = memoryBytesOf(type.getElementType());
  Value offset =
      arith::MulIOp::create(builder_, location, position.value,
                            integerConstant(builder_, location, builder_.getI64Type(), 2 * bytes));
  LLVM::StoreOp::create(builder_, location, both, addBytes(builder_, location, buffer, offset),
                        bytes);
}

Value Evaluator::gather(tile::GatherOp op, const Coordinates &coordinates, unsigned width) {
  Location location = op.getLoc();
  auto type = cast<RankedTensorType>(op.getSource().getType());
  Value index = evaluate(op.getIndices(), coordinates, width);
  // An index outside gives some element, but must not leave the buffer.
  index = toWidth(builder_, location, index, width == 1 ? 64 : 32);
  index = arith::AndIOp::create(
      builder_, location, index,
      integerConstant(builder_, location, index.getType(), type.getDimSize(op.getAxis()) - 1));
  Coordinates at = coordinates;
  at[op.getAxis()] = {width == 1 ? Coordinate::Kind::Counter : Coordinate::Kind::Vector, index,
                      levelOf(coordinates)};
  return loadBuffer(type, values_.bufferOf(op.getSource()), at, width, location);
}

Coordinate Evaluator::constantCoordinate(unsigned position) {
  if (position == 0)
    return {};
  if (!one_) {
    OpBuilder::InsertionGuard guard(builder_);
    builder_.restoreInsertionPoint(points_[0]);
    one_ = integerConstant(builder_, builder_.getUnknownLoc(), builder_.getI64Type(), position);
  }
  return {Coordinate::Kind::Counter, one_, 0};
}

Value Evaluator::positionOf(const Coordinate &coordinate, Location location) {
  return coordinate.value ? coordinate.value
                          : integerConstant(builder_, location, builder_.getI64Type(), 0);
}

Value Evaluator::vectorOf(const Coordinate &coordinate, Location location, unsigned width) {
  if (coordinate.kind == Coordinate::Kind::Vector)
    return coordinate.value;
  Type i32 = builder_.getI32Type();
  Value first = splat(builder_, location,
                      toWidth(builder_, location, positionOf(coordinate, location), 32), width);
  if (coordinate.kind != Coordinate::Kind::Lanes)
    return first;
  return arith::AddIOp::create(builder_, location, first, iota(builder_, location, i32, width, 1));
}

Coordinate Evaluator::linearCoordinate(ArrayRef<int64_t> shape, const Coordinates &coordinates,
                                       unsigned width) {
  Location location = builder_.getUnknownLoc();
  Type i64 = builder_.getI64Type();
  Coordinate result{Coordinate::Kind::Counter, integerConstant(builder_, location, i64, 0),
                    levelOf(coordinates)};
  bool asVector = false;
  int64_t size = 1;
  for (size_t i = shape.size(); i-- > 0; size *= shape[i]) {
    if (coordinates[i].kind == Coordinate::Kind::Zero)
      continue;
    if (coordinates[i].kind == Coordinate::Kind::Lanes && size == 1)
      result.kind = Coordinate::Kind::Lanes;
    else if (!coordinates[i].isUniform())
      asVector = true;
    if (coordinates[i].kind != Coordinate::Kind::Vector)
      result.value = arith::AddIOp::create(
          builder_, location, result.value,
          arith::MulIOp::create(builder_, location, coordinates[i].value,
                                integerConstant(builder_, location, i64, size)));
  }
  if (!asVector)
    return result;
  Type type = lanesType(builder_.getI32Type(), width);
  Value sum = integerConstant(builder_, location, type, 0);
  size = 1;
  for (size_t i = shape.size(); i-- > 0; size *= shape[i])
    sum = arith::AddIOp::create(
        builder_, location, sum,
        arith::MulIOp::create(builder_, location, vectorOf(coordinates[i], location, width),
                              integerConstant(builder_, location, type, size)));
  return {Coordinate::Kind::Vector, sum, result.level};
}

Coordinates Evaluator::reshapedCoordinates(tile::ReshapeOp op, const Coordinates &coordinates,
                                           unsigned width) {
  std::pair<ElementKey, unsigned> key{{op.getResult().getAsOpaquePointer(), coordinates}, width};
  if (auto known = reshaped_.find(key); known != reshaped_.end())
    return known->second;
  Location location = op.getLoc();
  Coordinate linear = linearCoordinate(shapeOf(op.getResult()), coordinates, width);
  ArrayRef<int64_t> shape = shapeOf(op.getSource());
  Coordinates result(shape.size());
  int64_t stride = 1;
  for (size_t i = shape.size(); i-- > 0; stride *= shape[i]) {
    if (shape[i] == 1)
      continue;
    Coordinate &coordinate = result[i] = linear;
    if (linear.kind == Coordinate::Kind::Lanes && !(stride == 1 && shape[i] >= width)) {
      bool same = stride >= static_cast<int64_t>(width); // lanes begin at multiples of the width
      coordinate.kind = same ? Coordinate::Kind::Counter : Coordinate::Kind::Vector;
      if (!same)
        coordinate.value = vectorOf(linear, location, width);
    }
    Type type = coordinate.value.getType();
    Value shifted =
        arith::ShRUIOp::create(builder_, location, coordinate.value,
                               integerConstant(builder_, location, type, llvm::Log2_64(stride)));
    coordinate.value = arith::AndIOp::create(
        builder_, location, shifted, integerConstant(builder_, location, type, shape[i] - 1));
  }
  return reshaped_[key] = result;
}

} // namespace inlay::tile_to_cpu
