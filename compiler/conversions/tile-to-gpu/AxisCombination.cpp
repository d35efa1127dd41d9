#include "compiler/conversions/tile-to-gpu/AxisCombination.h"

#include "llvm/Support/MathExtras.h"

namespace inlay::tile_to_gpu {

using tile::LinearLayout;
using tile::PlacePart;

namespace {

constexpr PlacePart kParts[] = {PlacePart::Register, PlacePart::Lane, PlacePart::Warp};

struct PlaceBit {
  PlacePart part;
  unsigned bit;
};

/// For each bit of the index along a dimension the only bit of a place that moves along it.
std::optional<std::vector<PlaceBit>> placesOfIndexBits(const LinearLayout &layout, int64_t size,
                                                       unsigned axis) {
  std::vector<std::optional<PlaceBit>> found(llvm::Log2_64(static_cast<uint64_t>(size)));
  for (PlacePart part : kParts)
    for (auto [bit, basis] : llvm::enumerate(layout.bases(part))) {
      const auto moved = static_cast<uint32_t>(basis[axis]);
      if (moved == 0)
        continue;
      for (unsigned d = 0; d < layout.rank(); ++d)
        if (d != axis && basis[d] != 0)
          return std::nullopt;
      if (!llvm::isPowerOf2_32(moved) || llvm::Log2_32(moved) >= found.size() ||
          found[llvm::Log2_32(moved)])
        return std::nullopt;
      found[llvm::Log2_32(moved)] = PlaceBit{part, static_cast<unsigned>(bit)};
    }
  std::vector<PlaceBit> result;
  for (const std::optional<PlaceBit> &place : found) {
    if (!place)
      return std::nullopt;
    result.push_back(*place);
  }
  return result;
}

} // namespace

std::optional<std::vector<AxisStage>> planAxisStages(const LinearLayout &layout, int64_t size,
                                                     unsigned axis, bool anyOrder) {
  std::optional<std::vector<PlaceBit>> places = placesOfIndexBits(layout, size, axis);
  if (!places)
    return std::nullopt;
  // Registers, then lanes, then warps.
  auto inOrder = [&](std::optional<PlacePart> only, std::vector<PlaceBit> &result) {
    for (const PlaceBit &place : *places)
      if (!only || place.part == *only)
        result.push_back(place);
  };
  std::vector<PlaceBit> ordered;
  if (anyOrder)
    for (PlacePart part : kParts)
      inOrder(part, ordered);
  else
    inOrder(std::nullopt, ordered);
  std::vector<AxisStage> stages;
  for (const PlaceBit &place : ordered) {
    if (stages.empty() || stages.back().part != place.part)
      stages.push_back({place.part, {}});
    stages.back().bits.push_back(place.bit);
  }
  return stages;
}

uint32_t zeroBits(const LinearLayout &layout, PlacePart part) {
  uint32_t bits = 0;
  for (auto [bit, basis] : llvm::enumerate(layout.bases(part)))
    if (llvm::all_of(basis, [](int32_t coordinate) { return coordinate == 0; }))
      bits |= 1u << bit;
  return bits;
}

} // namespace inlay::tile_to_gpu
