// Loads, stores, described tensors and atomics, one element after the other.
#include "base/Error.h"
#include "tests/reference/Interpreter.h"

#include <cmath>
#include <cstring>

using namespace mlir;

namespace inlay::reference {

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

Result<Cell> Interpreter::loadCell(Operation &op, uint64_t address, Type element) {
  INLAY_TRY(checkAccess(op, address, sizeOf(element)));
  uint64_t bits = 0;
  std::memcpy(&bits, reinterpret_cast<const void *>(address), sizeOf(element));
  return fromBits(bits, element);
}

Status Interpreter::storeCell(Operation &op, uint64_t address, const Cell &value, Type element) {
  INLAY_TRY(checkAccess(op, address, sizeOf(element)));
  uint64_t bits = bitsOf(value, element);
  std::memcpy(reinterpret_cast<void *>(address), &bits, sizeOf(element));
  return {};
}

Status Interpreter::runLoad(tile::LoadOp op) {
  Type element = tile::elementTypeOf(op.getResult().getType());
  Cells result(countOf(op.getResult().getType()));
  for (size_t i = 0; i < result.size(); ++i) {
    if (isTrue(op.getMask(), i)) {
      INLAY_ASSIGN(result[i], loadCell(*op, at(op.getPtr(), i).bits, element));
    } else if (op.getOther()) {
      result[i] = at(op.getOther(), i);
    }
  }
  values_[op.getResult()] = std::move(result);
  return {};
}

Status Interpreter::runStore(tile::StoreOp op) {
  Type element = tile::elementTypeOf(op.getValue().getType());
  for (size_t i = 0; i < countOf(op.getValue().getType()); ++i)
    if (isTrue(op.getMask(), i))
      INLAY_TRY(storeCell(*op, at(op.getPtr(), i).bits, at(op.getValue(), i), element));
  return {};
}

std::optional<uint64_t> Interpreter::describedAddress(uint64_t base, uint64_t elementBytes,
                                                      ValueRange sizes, ValueRange strides,
                                                      ValueRange offsets, ArrayRef<int64_t> at) {
  int64_t element = 0;
  for (size_t d = 0; d < at.size(); ++d) {
    int64_t index = signedScalar(offsets[d]) + at[d];
    if (index < 0 || index >= signedScalar(sizes[d]))
      return std::nullopt;
    element += index * signedScalar(strides[d]);
  }
  return base + static_cast<uint64_t>(element) * elementBytes;
}

Status Interpreter::runDescriptorLoad(tile::DescriptorLoadOp op) {
  Type element = tile::elementTypeOf(op.getResult().getType());
  bool isNaN = op.getPadding() == tile::Padding::NaN && isa<FloatType>(element);
  Cells result(countOf(op.getResult().getType()), Cell{0, isNaN ? NAN : 0});
  Status outcome;
  forEachIndex(shapeOf(op.getResult().getType()), [&](size_t i, ArrayRef<int64_t> at) {
    std::optional<uint64_t> address =
        describedAddress(of(op.getBase())[0].bits, sizeOf(element), op.getSizes(), op.getStrides(),
                         op.getOffsets(), at);
    if (!address || !outcome.isOk())
      return;
    Result<Cell> cell = loadCell(*op, *address, element);
    if (cell.isOk())
      result[i] = *cell;
    else
      outcome = cell.status();
  });
  values_[op.getResult()] = std::move(result);
  return outcome;
}

Status Interpreter::runDescriptorStore(tile::DescriptorStoreOp op) {
  Type element = tile::elementTypeOf(op.getValue().getType());
  Status outcome;
  forEachIndex(shapeOf(op.getValue().getType()), [&](size_t i, ArrayRef<int64_t> at) {
    std::optional<uint64_t> address =
        describedAddress(of(op.getBase())[0].bits, sizeOf(element), op.getSizes(), op.getStrides(),
                         op.getOffsets(), at);
    if (address && outcome.isOk())
      outcome = storeCell(*op, *address, of(op.getValue())[i], element);
  });
  return outcome;
}

namespace {

/// What an atomic operation leaves in memory.
Cell updated(tile::AtomicKind kind, const Cell &old, const Cell &value, Type element) {
  if (kind == tile::AtomicKind::Exchange)
    return value;
  if (kind == tile::AtomicKind::FAdd)
    return {0, roundTo(old.real + value.real, element)};
  uint64_t a = old.bits, b = value.bits;
  unsigned width = widthOf(element);
  bool isLess = signedOf(a, width) < signedOf(b, width);
  switch (kind) {
  case tile::AtomicKind::And:
    return {a & b};
  case tile::AtomicKind::Or:
    return {a | b};
  case tile::AtomicKind::Xor:
    return {a ^ b};
  case tile::AtomicKind::Add:
    return {(a + b) & maskOf(width)};
  case tile::AtomicKind::Max:
    return {isLess ? b : a};
  case tile::AtomicKind::Min:
    return {isLess ? a : b};
  case tile::AtomicKind::UMax:
    return {std::max(a, b)};
  case tile::AtomicKind::UMin:
    return {std::min(a, b)};
  case tile::AtomicKind::FAdd:
  case tile::AtomicKind::Exchange:
    break;
  }
  return value;
}

} // namespace

/// Elements whose mask is false give 0: the operation leaves them open.
Status Interpreter::runAtomicRmw(tile::AtomicRmwOp op) {
  Type element = tile::elementTypeOf(op.getResult().getType());
  Cells result(countOf(op.getResult().getType()));
  for (size_t i = 0; i < result.size(); ++i) {
    if (!isTrue(op.getMask(), i))
      continue;
    uint64_t address = at(op.getPtr(), i).bits;
    INLAY_ASSIGN(result[i], loadCell(*op, address, element));
    INLAY_TRY(storeCell(*op, address,
                        updated(op.getKind(), result[i], at(op.getValue(), i), element), element));
  }
  values_[op.getResult()] = std::move(result);
  return {};
}

Status Interpreter::runAtomicCas(tile::AtomicCasOp op) {
  Type element = tile::elementTypeOf(op.getResult().getType());
  Cells result(countOf(op.getResult().getType()));
  for (size_t i = 0; i < result.size(); ++i) {
    uint64_t address = at(op.getPtr(), i).bits;
    INLAY_ASSIGN(result[i], loadCell(*op, address, element));
    if (bitsOf(result[i], element) == bitsOf(at(op.getCompare(), i), element))
      INLAY_TRY(storeCell(*op, address, at(op.getValue(), i), element));
  }
  values_[op.getResult()] = std::move(result);
  return {};
}

Status Interpreter::runMemory(Operation &op, bool &isKnown) {
  if (auto load = dyn_cast<tile::LoadOp>(op))
    return runLoad(load);
  if (auto store = dyn_cast<tile::StoreOp>(op))
    return runStore(store);
  if (auto load = dyn_cast<tile::DescriptorLoadOp>(op))
    return runDescriptorLoad(load);
  if (auto store = dyn_cast<tile::DescriptorStoreOp>(op))
    return runDescriptorStore(store);
  if (auto atomic = dyn_cast<tile::AtomicRmwOp>(op))
    return runAtomicRmw(atomic);
  if (auto atomic = dyn_cast<tile::AtomicCasOp>(op))
    return runAtomicCas(atomic);
  isKnown = false;
  return {};
}

} // namespace inlay::reference
