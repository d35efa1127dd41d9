// Linear layouts: which element of a tile each register of each thread holds.
//
// A tile's dimensions are powers of two, and so are the numbers of registers, lanes and warps.
// Every layout Inlay uses is linear over GF(2): write the place (register, lane, warp) as bits;
// each bit that is set moves the element's coordinates by a fixed vector, and the movements combine
// by exclusive or. So a layout is a list of vectors, its bases:
//
//   bits of a place      register 0b01 -> (0, 1)   lane 0b00001 -> (0, 4)   warp 0b01 -> (1, 0)
//                        register 0b10 -> (0, 2)   lane 0b00010 -> (0, 8)   …
//
// A basis of zeros means that the bit does not matter: places that differ in it hold the same
// element (replication). Slicing a dimension away, broadcasting, transposing and reshaping only
// rewrite the bases, so the data stays where it is.
#pragma once

#include "compiler/dialects/tile/Tile.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>

namespace inlay::tile {

/// The parts of a place, from the fastest: the bits of one are independent of the others'.
enum class PlacePart : uint8_t { Register, Lane, Warp };
inline constexpr unsigned kNumPlaceParts = 3;
inline constexpr unsigned kLaneBits = 5;

class LinearLayout {
public:
  /// Coordinates of an element, one for each dimension; also a basis.
  using Coordinates = llvm::SmallVector<int32_t, 4>;
  using Bases = llvm::SmallVector<Coordinates, 8>;

  /// The layout of a scalar tile: no registers bits, everything replicated.
  explicit LinearLayout(unsigned rank = 0) : rank_(rank) {}
  LinearLayout(unsigned rank, Bases registers, Bases lanes, Bases warps);

  /// Spreads a tile over threads: `perThread` consecutive elements along the fastest dimension of
  /// `order` in each thread, then lanes, then warps along the dimensions in that order, then
  /// further registers for what is left. Threads beyond the tile's size hold copies. `perThread`
  /// and `numWarps` are powers of two; `order` is a permutation, fastest first.
  static LinearLayout createBlocked(llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<unsigned> order,
                                    unsigned perThread, unsigned numWarps);

  unsigned rank() const { return rank_; }
  const Bases &bases(PlacePart part) const { return bases_[static_cast<size_t>(part)]; }
  unsigned numRegisters() const { return 1u << bases(PlacePart::Register).size(); }
  unsigned numWarps() const { return 1u << bases(PlacePart::Warp).size(); }

  /// The coordinates that a place holds.
  Coordinates apply(uint32_t registerIndex, uint32_t lane, uint32_t warp) const;
  /// Coordinates of a register in thread 0; combine with others by exclusive or.
  Coordinates registerOffset(uint32_t registerIndex) const { return apply(registerIndex, 0, 0); }
  /// Bits of a part that do not change the coordinates beyond what lower bits of all parts reach:
  /// replicated places have them set. A place is the owner of its element if none of its free bits
  /// is set.
  uint32_t freeBits(PlacePart part) const;
  /// How many registers, from 0 on, hold consecutive coordinates along a dimension (1, 2, 4, …) and
  /// start at a multiple.
  unsigned contiguousRegisters(unsigned dimension) const;

  /// Without a dimension: the layout of the operand of expand_dims, or of a slice.
  LinearLayout withoutDimension(unsigned dimension) const;
  /// With a dimension of size 1 inserted.
  LinearLayout withUnitDimension(unsigned dimension) const;
  /// With dimensions where `shape` is 1 held at coordinate 0: the layout of the operand of
  /// broadcast.
  LinearLayout clampedTo(llvm::ArrayRef<int64_t> shape) const;
  /// The layout of an operand whose transposition by `order` has this layout (result dimension i is
  /// operand dimension order[i]).
  LinearLayout beforeTranspose(llvm::ArrayRef<int32_t> order) const;
  /// The layout of a tile of shape `from` whose row-major reshape to `to` has this layout.
  LinearLayout beforeReshape(llvm::ArrayRef<int64_t> from, llvm::ArrayRef<int64_t> to) const;

  /// The register bit that moves along one dimension by `step` and nowhere else.
  std::optional<unsigned> findRegisterBit(unsigned dimension, int32_t step) const;
  /// With a last dimension of size 2 whose elements are neighbours in the lowest register bit: the
  /// result of joining two tiles of this layout.
  LinearLayout withPairDimension() const;
  /// Without the last dimension, of size 2, and its register bit, which must be there: one half of
  /// each pair.
  LinearLayout withoutPairDimension() const;

  friend bool operator==(const LinearLayout &a, const LinearLayout &b) {
    return a.rank_ == b.rank_ && a.bases_ == b.bases_;
  }

  /// As the encoding of a tile's type, and back.
  LayoutAttr toAttribute(mlir::MLIRContext *context) const;
  static LinearLayout fromAttribute(LayoutAttr attribute);
  std::string toString() const;

private:
  template <typename Map>
  LinearLayout mapped(unsigned rank, Map map) const;

  unsigned rank_ = 0;
  std::array<Bases, kNumPlaceParts> bases_;
};

/// The layout in a tile's type. Requires that layouts were assigned.
LinearLayout layoutOf(mlir::RankedTensorType type);

} // namespace inlay::tile
