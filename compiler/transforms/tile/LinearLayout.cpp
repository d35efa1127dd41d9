#include "compiler/transforms/tile/LinearLayout.h"

#include "llvm/Support/MathExtras.h"
#include "llvm/Support/raw_ostream.h"

#include <algorithm>

namespace inlay::tile {

LinearLayout::LinearLayout(unsigned rank, Bases registers, Bases lanes, Bases warps)
    : rank_(rank), bases_{std::move(registers), std::move(lanes), std::move(warps)} {}

LinearLayout LinearLayout::createBlocked(llvm::ArrayRef<int64_t> shape,
                                         llvm::ArrayRef<unsigned> order, unsigned perThread,
                                         unsigned numWarps) {
  LinearLayout layout(static_cast<unsigned>(shape.size()));
  llvm::SmallVector<int64_t> taken(shape.size(), 1);
  // The next bit of a place moves along the fastest dimension that is not yet covered; past the
  // tile it moves nowhere.
  auto addBits = [&](PlacePart part, unsigned count, llvm::ArrayRef<unsigned> dimensions,
                     bool keepsFree) {
    for (unsigned i = 0; i < count; ++i) {
      Coordinates basis(shape.size(), 0);
      bool moves = false;
      for (unsigned dimension : dimensions)
        if (taken[dimension] < shape[dimension]) {
          basis[dimension] = static_cast<int32_t>(taken[dimension]);
          taken[dimension] *= 2;
          moves = true;
          break;
        }
      if (moves || keepsFree)
        layout.bases_[static_cast<size_t>(part)].push_back(std::move(basis));
    }
  };
  if (!order.empty())
    addBits(PlacePart::Register, llvm::Log2_32(perThread), order.take_front(), false);
  addBits(PlacePart::Lane, kLaneBits, order, true);
  addBits(PlacePart::Warp, llvm::Log2_32(numWarps), order, true);
  addBits(PlacePart::Register, 32, order, false);
  return layout;
}

LinearLayout::Coordinates LinearLayout::apply(uint32_t registerIndex, uint32_t lane,
                                              uint32_t warp) const {
  Coordinates result(rank_, 0);
  const uint32_t bits[] = {registerIndex, lane, warp};
  for (unsigned part = 0; part < kNumPlaceParts; ++part)
    for (auto [i, basis] : llvm::enumerate(bases_[part]))
      if ((bits[part] >> i) & 1)
        for (unsigned d = 0; d < rank_; ++d)
          result[d] ^= basis[d];
  return result;
}

uint32_t LinearLayout::freeBits(PlacePart wanted) const {
  // Gaussian elimination over the bases in the order of the parts: a bit is free if its basis
  // depends on earlier ones. A tile has at most 2^20 elements, so a coordinate has at most 21 bits.
  constexpr unsigned kBitsPerDimension = 21;
  using Key = llvm::SmallVector<uint32_t, 4>;
  llvm::SmallVector<Key> reduced;
  auto leadingBit = [&](const Key &key) -> int {
    for (unsigned d = 0; d < key.size(); ++d)
      if (key[d])
        return static_cast<int>(d * kBitsPerDimension + llvm::Log2_32(key[d]));
    return -1;
  };
  uint32_t free = 0;
  for (unsigned part = 0; part < kNumPlaceParts; ++part)
    for (auto [i, basis] : llvm::enumerate(bases_[part])) {
      Key key(basis.begin(), basis.end());
      for (const Key &row : reduced) {
        const int lead = leadingBit(row);
        if ((key[static_cast<unsigned>(lead) / kBitsPerDimension] >>
             (static_cast<unsigned>(lead) % kBitsPerDimension)) &
            1)
          for (unsigned d = 0; d < key.size(); ++d)
            key[d] ^= row[d];
      }
      if (leadingBit(key) >= 0)
        reduced.push_back(std::move(key));
      else if (part == static_cast<unsigned>(wanted))
        free |= 1u << i;
    }
  return free;
}

unsigned LinearLayout::contiguousRegisters(unsigned dimension) const {
  unsigned count = 1;
  for (const Coordinates &basis : bases(PlacePart::Register)) {
    for (unsigned d = 0; d < rank_; ++d)
      if (basis[d] != (d == dimension ? static_cast<int32_t>(count) : 0))
        return count;
    count *= 2;
  }
  return count;
}

template <typename Map>
LinearLayout LinearLayout::mapped(unsigned rank, Map map) const {
  LinearLayout result(rank);
  for (unsigned part = 0; part < kNumPlaceParts; ++part)
    for (const Coordinates &basis : bases_[part])
      result.bases_[part].push_back(map(basis));
  return result;
}

LinearLayout LinearLayout::withoutDimension(unsigned dimension) const {
  return mapped(rank_ - 1, [&](Coordinates basis) {
    basis.erase(basis.begin() + dimension);
    return basis;
  });
}

LinearLayout LinearLayout::withUnitDimension(unsigned dimension) const {
  return mapped(rank_ + 1, [&](Coordinates basis) {
    basis.insert(basis.begin() + dimension, 0);
    return basis;
  });
}

LinearLayout LinearLayout::clampedTo(llvm::ArrayRef<int64_t> shape) const {
  return mapped(rank_, [&](Coordinates basis) {
    for (unsigned d = 0; d < rank_; ++d)
      if (shape[d] == 1)
        basis[d] = 0;
    return basis;
  });
}

LinearLayout LinearLayout::beforeTranspose(llvm::ArrayRef<int32_t> order) const {
  return mapped(rank_, [&](const Coordinates &basis) {
    Coordinates source(rank_, 0);
    for (unsigned i = 0; i < rank_; ++i)
      source[static_cast<unsigned>(order[i])] = basis[i];
    return source;
  });
}

LinearLayout LinearLayout::beforeReshape(llvm::ArrayRef<int64_t> from,
                                         llvm::ArrayRef<int64_t> to) const {
  return mapped(static_cast<unsigned>(from.size()), [&](const Coordinates &basis) {
    // Sizes are powers of two, so the row-major index concatenates the coordinates' bits.
    int64_t index = 0;
    for (auto [size, coordinate] : llvm::zip_equal(to, basis))
      index = index * size + coordinate;
    Coordinates source(from.size(), 0);
    for (size_t d = from.size(); d-- > 0; index /= from[d])
      source[d] = static_cast<int32_t>(index % from[d]);
    return source;
  });
}

std::optional<unsigned> LinearLayout::findRegisterBit(unsigned dimension, int32_t step) const {
  Coordinates wanted(rank_, 0);
  wanted[dimension] = step;
  for (auto [bit, basis] : llvm::enumerate(bases(PlacePart::Register)))
    if (basis == wanted)
      return static_cast<unsigned>(bit);
  return std::nullopt;
}

LinearLayout LinearLayout::withPairDimension() const {
  LinearLayout result = withUnitDimension(rank_);
  Coordinates pair(rank_ + 1, 0);
  pair.back() = 1;
  Bases &registers = result.bases_[static_cast<size_t>(PlacePart::Register)];
  registers.insert(registers.begin(), pair);
  return result;
}

LinearLayout LinearLayout::withoutPairDimension() const {
  const std::optional<unsigned> bit = findRegisterBit(rank_ - 1, 1);
  assert(bit && "both halves of a pair are in one thread");
  LinearLayout result = *this;
  Bases &registers = result.bases_[static_cast<size_t>(PlacePart::Register)];
  registers.erase(registers.begin() + *bit);
  return result.withoutDimension(rank_ - 1);
}

LayoutAttr LinearLayout::toAttribute(mlir::MLIRContext *context) const {
  mlir::Builder builder(context);
  auto array = [&](PlacePart part) {
    llvm::SmallVector<mlir::Attribute> rows;
    for (const Coordinates &basis : bases(part))
      rows.push_back(builder.getDenseI32ArrayAttr(basis));
    return builder.getArrayAttr(rows);
  };
  return LayoutAttr::get(context, rank_, array(PlacePart::Register), array(PlacePart::Lane),
                         array(PlacePart::Warp));
}

LinearLayout LinearLayout::fromAttribute(LayoutAttr attribute) {
  auto bases = [](mlir::ArrayAttr rows) {
    Bases result;
    for (auto row : rows.getAsRange<mlir::DenseI32ArrayAttr>())
      result.emplace_back(row.asArrayRef().begin(), row.asArrayRef().end());
    return result;
  };
  return LinearLayout(attribute.getRank(), bases(attribute.getRegisters()),
                      bases(attribute.getLanes()), bases(attribute.getWarps()));
}

std::string LinearLayout::toString() const {
  std::string text;
  llvm::raw_string_ostream stream(text);
  static constexpr const char *kNames[] = {"register", "lane", "warp"};
  for (unsigned part = 0; part < kNumPlaceParts; ++part)
    for (auto [i, basis] : llvm::enumerate(bases_[part])) {
      stream << kNames[part] << " " << (1u << i) << " -> (";
      llvm::interleaveComma(basis, stream);
      stream << ")\n";
    }
  return text;
}

LinearLayout layoutOf(mlir::RankedTensorType type) {
  return LinearLayout::fromAttribute(mlir::cast<LayoutAttr>(type.getEncoding()));
}

} // namespace inlay::tile
