// Which tiles are in buffers, and how long.
#include "compiler/conversions/tile-to-cpu/EvaluationCost.h"
#include "compiler/conversions/tile-to-cpu/ProgramLowering.h"

using namespace mlir;

namespace inlay::tile_to_cpu {

namespace {

/// A kernel with more than this is a mistake.
constexpr uint64_t kMaxBufferBytes = uint64_t(1) << 30;

bool isTile(Value value) { return isa<RankedTensorType>(value.getType()); }

ArrayRef<int64_t> shapeOf(Value tile) { return cast<RankedTensorType>(tile.getType()).getShape(); }

uint64_t bytesOf(Value tile) {
  auto type = cast<RankedTensorType>(tile.getType());
  return type.getNumElements() * memoryBytesOf(type.getElementType());
}

} // namespace

Value ProgramLowering::allocateBytes(Location location, uint64_t bytes) {
  Value address = arena_.allocate(location, bytes);
  scopes_.back().push_back(std::make_unique<Memory>(Memory{address, {}}));
  memories_[address] = {scopes_.back().back().get()};
  return address;
}

Value ProgramLowering::allocate(Value tile) {
  if (bytesOf(tile) > kMaxBufferBytes) {
    emitError(tile.getLoc()) << "a tile of " << bytesOf(tile)
                             << " bytes cannot be kept on the CPU; use a smaller block size";
    return {};
  }
  return allocateBytes(tile.getLoc(), bytesOf(tile));
}

void ProgramLowering::bindTile(Value tile, Value address, unsigned depth) {
  values_.setBuffer(tile, address);
  depths_[tile] = depth;
  for (Memory *memory : memories_.lookup(address))
    memory->tiles.push_back(tile);
}

void ProgramLowering::bindShared(ArrayRef<Root> roots) {
  for (const Root &root : roots)
    if (root.tile)
      bindTile(root.tile, root.buffer, scopes_.size());
}

void ProgramLowering::releaseMemory(const Memory &memory) {
  for (Value tile : memory.tiles)
    values_.forgetBuffer(tile);
  arena_.release(memory.address);
  memories_.erase(memory.address);
}

void ProgramLowering::releaseDead() {
  DenseMap<Value, bool> known;
  llvm::erase_if(scopes_.back(), [&](const std::unique_ptr<Memory> &memory) {
    if (llvm::any_of(memory->tiles, [&](Value tile) { return isNeededLater(tile, known); }))
      return false;
    releaseMemory(*memory);
    return true;
  });
}

void ProgramLowering::leaveBlock(Block &block, ProgramValues::Buffers outside) {
  emitted_.insert(block.getTerminator());
  for (const std::unique_ptr<Memory> &memory : scopes_.back())
    releaseMemory(*memory);
  scopes_.pop_back();
  values_.restoreBuffers(std::move(outside));
}

bool ProgramLowering::canTake(Value tile, DenseMap<Value, bool> &known, bool countsCurrent) {
  Value address = values_.bufferOf(tile);
  auto depth = depths_.find(tile);
  if (!address || depth == depths_.end() || depth->second != scopes_.size())
    return false;
  return llvm::none_of(values_.buffers(), [&](const auto &other) {
    return other.second == address && (depths_.lookup(other.first) != scopes_.size() ||
                                       isNeededLater(other.first, known, countsCurrent));
  });
}

Value ProgramLowering::findOverwritable(Value tile, ArrayRef<Root> roots, Value wanted) {
  // Buffers that the tile is computed from, and whether only elements of the same place are read.
  SmallVector<std::pair<Value, bool>> work{{tile, true}};
  std::set<std::pair<void *, bool>> seen;
  SetVector<Value> candidates;
  DenseSet<Value> readElsewhere;
  while (!work.empty()) {
    auto [value, isSamePlace] = work.pop_back_val();
    Operation *op = value.getDefiningOp();
    if (!isTile(value) || !seen.insert({value.getAsOpaquePointer(), isSamePlace}).second)
      continue;
    if (Value address = values_.bufferOf(value)) {
      if (isSamePlace && shapeOf(value) == shapeOf(tile) && bytesOf(value) == bytesOf(tile))
        candidates.insert(value);
      else
        readElsewhere.insert(address);
      continue;
    }
    if (op)
      for (Value operand : op->getOperands())
        work.push_back({operand, isSamePlace && isElementwise(op)});
  }
  DenseMap<Value, bool> known{{tile, false}};
  for (const Root &root : roots)
    if (root.tile)
      known[root.tile] = false;
  for (Value candidate : candidates) {
    Value address = values_.bufferOf(candidate);
    if ((!wanted || address == wanted) && !readElsewhere.contains(address) &&
        canTake(candidate, known, /*countsCurrent=*/true))
      return address;
  }
  return {};
}

LogicalResult ProgramLowering::addSharedValues(ValueRange operands, SmallVector<Root> &roots) {
  DenseMap<Value, bool> known;
  DenseSet<Value> seen;
  // Values and whether the nest has their elements at hand.
  SmallVector<std::pair<Value, bool>> work;
  for (Value operand : operands)
    work.push_back({operand, true});
  SmallVector<Value> shared, apart;
  while (!work.empty()) {
    auto [value, isAtHand] = work.pop_back_val();
    Operation *op = value.getDefiningOp();
    if (!isTile(value) || !op || values_.bufferOf(value) || !seen.insert(value).second ||
        isCheap(value))
      continue;
    if (!isa<tile::LoadOp>(op) && !isShapeOp(op) && isNeededLater(value, known) &&
        evaluationCost(value, values_) > kBufferCost) {
      (isAtHand ? shared : apart).push_back(value);
      // What is apart is kept with its own shared values.
      if (!isAtHand)
        continue;
    }
    for (Value operand : op->getOperands())
      work.push_back({operand, isAtHand && isElementwise(op)});
  }
  for (Value value : llvm::reverse(apart))
    if (failed(keep(value)))
      return failure();
  for (Value value : llvm::reverse(shared)) {
    if (values_.bufferOf(value))
      continue;
    Value buffer = allocate(value);
    if (!buffer)
      return failure();
    roots.push_back({.tile = value, .buffer = buffer});
  }
  return success();
}

LogicalResult ProgramLowering::keep(Value tile, Value address) {
  if (values_.bufferOf(tile))
    return success();
  SmallVector<Root> roots;
  if (failed(addSharedValues(tile, roots)))
    return failure();
  llvm::erase_if(roots, [&](const Root &root) { return root.tile == tile; });
  if (!address)
    address = findOverwritable(tile, roots);
  if (!address)
    address = allocate(tile);
  if (!address)
    return failure();
  roots.push_back({.tile = tile, .buffer = address});
  emitNest(builder_, tile.getLoc(), values_, roots, options_);
  bindShared(roots);
  return success();
}

void ProgramLowering::writeTiles(ValueRange tiles, ValueRange addresses) {
  // One nest for tiles of one shape that follow each other, so that what they share is computed
  // once.
  SmallVector<Root> roots;
  auto emit = [&] {
    if (!roots.empty())
      emitNest(builder_, roots[0].tile.getLoc(), values_, roots, options_);
    roots.clear();
  };
  for (auto [tile, address] : llvm::zip_equal(tiles, addresses)) {
    if (!roots.empty() && roots[0].type().getShape() != shapeOf(tile))
      emit();
    roots.push_back({.tile = tile, .buffer = address});
  }
  emit();
}

} // namespace inlay::tile_to_cpu
