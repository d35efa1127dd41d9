// Combining the elements of a tile along one dimension: the steps of reductions and scans, written
// once for whatever carries them out (the code emitter; a simulation in the tests).
//
// Along the dimension every bit of an element's index is a bit of its register, lane or warp. The
// elements that agree in all but the k lowest index bits are a segment; combining the two halves of
// each segment, for one bit after the other from the lowest, keeps all elements in order and needs
// for a bit of the register nothing but the thread, for one of the lane a shuffle and for one of
// the warp shared memory. If order does not matter, registers come first and warps last, which
// leaves the least to exchange.
#pragma once

#include "compiler/transforms/tile/LinearLayout.h"

#include <optional>
#include <vector>

namespace inlay::tile_to_gpu {

/// One step: the bits of one part that it combines. Those of lanes and registers go one by one;
/// those of warps together, the first for the lowest bit of the index among them.
struct AxisStage {
  tile::PlacePart part;
  llvm::SmallVector<unsigned, 5> bits;
};

/// The stages for a dimension of a layout. `anyOrder`: the combination is commutative. Nothing if
/// the layout holds some index bit of the dimension not in exactly one bit of a place, or mixed
/// with another dimension.
std::optional<std::vector<AxisStage>> planAxisStages(const tile::LinearLayout &layout, int64_t size,
                                                     unsigned axis, bool anyOrder);

/// Bits of a part whose basis is zero: their places hold copies.
uint32_t zeroBits(const tile::LinearLayout &layout, tile::PlacePart part);

/// What an exchange between warps must know.
struct WarpExchange {
  /// Warp bits along the dimension, as in AxisStage.
  llvm::ArrayRef<unsigned> bits;
  /// Bits of lane and warp in which all threads have the same value.
  uint32_t equalLanes, equalWarps;
};

/// Combines all elements along the dimension; every thread ends with what its registers' elements
/// combine to. `Machine` has
///   Value combine(earlier, later)
///   Value shuffleXor(value, laneMask)                  the value of the lane that differs so
///   Value selectByLane(laneBit, ifSet, ifClear)
///   std::optional<Value> reduceWarp(value)             all 32 lanes at once, if there is a way
///   std::vector<std::vector<Value>> exchangeWarps(exchange, values)
///                                                      for each value those of the warps, in order
template <typename Machine>
std::vector<typename Machine::Value> reduceAlong(Machine &machine, llvm::ArrayRef<AxisStage> stages,
                                                 const tile::LinearLayout &layout, bool anyOrder,
                                                 std::vector<typename Machine::Value> registers) {
  using tile::PlacePart;
  using Value = typename Machine::Value;
  uint32_t folded = zeroBits(layout, PlacePart::Register);
  uint32_t equalLanes = zeroBits(layout, PlacePart::Lane);
  uint32_t equalWarps = zeroBits(layout, PlacePart::Warp);
  auto kept = [&] {
    std::vector<uint32_t> result;
    for (uint32_t r = 0; r < registers.size(); ++r)
      if ((r & folded) == 0)
        result.push_back(r);
    return result;
  };
  for (const AxisStage &stage : stages) {
    if (stage.part == PlacePart::Register) {
      for (unsigned bit : stage.bits) {
        for (uint32_t r : kept())
          if (!(r >> bit & 1))
            registers[r] = machine.combine(registers[r], registers[r | 1u << bit]);
        folded |= 1u << bit;
      }
    } else if (stage.part == PlacePart::Lane) {
      for (uint32_t r : kept()) {
        Value &value = registers[r];
        if (anyOrder && stage.bits.size() == tile::kLaneBits) {
          if (std::optional<Value> all = machine.reduceWarp(value)) {
            value = *all;
            continue;
          }
        }
        for (unsigned bit : stage.bits) {
          const Value other = machine.shuffleXor(value, 1u << bit);
          value = anyOrder ? machine.combine(value, other)
                           : machine.combine(machine.selectByLane(bit, other, value),
                                             machine.selectByLane(bit, value, other));
        }
      }
      for (unsigned bit : stage.bits)
        equalLanes |= 1u << bit;
    } else {
      std::vector<Value> mine;
      for (uint32_t r : kept())
        mine.push_back(registers[r]);
      std::vector<std::vector<Value>> all =
          machine.exchangeWarps(WarpExchange{stage.bits, equalLanes, equalWarps}, mine);
      for (auto [i, r] : llvm::enumerate(kept())) {
        Value total = all[i].front();
        for (size_t k = 1; k < all[i].size(); ++k)
          total = machine.combine(total, all[i][k]);
        registers[r] = total;
      }
      for (unsigned bit : stage.bits)
        equalWarps |= 1u << bit;
    }
  }
  for (uint32_t r = 0; r < registers.size(); ++r)
    registers[r] = registers[r & ~folded];
  return registers;
}

/// Combines each element with all earlier ones along the dimension, or with all later ones if
/// `reverse`. The stages are those in order. `Machine` as above, and
///   Value selectByWarp(bits, index, ifEqual, otherwise)   index made of these bits of the warp
template <typename Machine>
std::vector<typename Machine::Value> scanAlong(Machine &machine, llvm::ArrayRef<AxisStage> stages,
                                               const tile::LinearLayout &layout, bool reverse,
                                               std::vector<typename Machine::Value> prefixes) {
  using tile::PlacePart;
  using Value = typename Machine::Value;
  const uint32_t copies = zeroBits(layout, PlacePart::Register);
  // Registers of one segment share its total, which the first of them keeps.
  uint32_t folded = copies;
  std::vector<Value> totals = prefixes;
  uint32_t equalLanes = zeroBits(layout, PlacePart::Lane);
  uint32_t equalWarps = zeroBits(layout, PlacePart::Warp);
  auto kept = [&](uint32_t without) {
    std::vector<uint32_t> result;
    for (uint32_t r = 0; r < prefixes.size(); ++r)
      if ((r & without) == 0)
        result.push_back(r);
    return result;
  };
  for (const AxisStage &stage : stages) {
    if (stage.part == PlacePart::Register) {
      for (unsigned bit : stage.bits) {
        const uint32_t mask = 1u << bit;
        const uint32_t earlier = reverse ? mask : 0;
        for (uint32_t r : kept(copies))
          if ((r & mask) != earlier)
            prefixes[r] = machine.combine(totals[(r & ~mask & ~folded) | earlier], prefixes[r]);
        for (uint32_t r : kept(folded))
          if (!(r & mask))
            totals[r] = machine.combine(totals[r | earlier], totals[r | (mask ^ earlier)]);
        folded |= mask;
      }
    } else if (stage.part == PlacePart::Lane) {
      for (unsigned bit : stage.bits) {
        std::vector<Value> others(prefixes.size());
        for (uint32_t r : kept(folded))
          others[r] = machine.shuffleXor(totals[r], 1u << bit);
        for (uint32_t r : kept(copies)) {
          const Value with = machine.combine(others[r & ~folded], prefixes[r]);
          prefixes[r] = reverse ? machine.selectByLane(bit, prefixes[r], with)
                                : machine.selectByLane(bit, with, prefixes[r]);
        }
        for (uint32_t r : kept(folded)) {
          const Value low = machine.selectByLane(bit, others[r], totals[r]);
          const Value high = machine.selectByLane(bit, totals[r], others[r]);
          totals[r] = reverse ? machine.combine(high, low) : machine.combine(low, high);
        }
        equalLanes |= 1u << bit;
      }
    } else {
      std::vector<Value> mine;
      for (uint32_t r : kept(folded))
        mine.push_back(totals[r]);
      std::vector<std::vector<Value>> all =
          machine.exchangeWarps(WarpExchange{stage.bits, equalLanes, equalWarps}, mine);
      std::vector<Value> before(prefixes.size());
      const size_t count = size_t{1} << stage.bits.size();
      auto inOrder = [&](size_t k) { return static_cast<uint32_t>(reverse ? count - 1 - k : k); };
      for (auto [i, r] : llvm::enumerate(kept(folded))) {
        Value total = all[i][inOrder(0)];
        before[r] = total; // stands for nothing in the first warp, which does not use it
        for (size_t k = 1; k < count; ++k) {
          before[r] =
              k == 1 ? total : machine.selectByWarp(stage.bits, inOrder(k), total, before[r]);
          total = machine.combine(total, all[i][inOrder(k)]);
        }
        totals[r] = total;
      }
      for (uint32_t r : kept(copies))
        prefixes[r] = machine.selectByWarp(stage.bits, inOrder(0), prefixes[r],
                                           machine.combine(before[r & ~folded], prefixes[r]));
      for (unsigned bit : stage.bits)
        equalWarps |= 1u << bit;
    }
  }
  for (uint32_t r = 0; r < prefixes.size(); ++r)
    prefixes[r] = prefixes[r & ~copies];
  return prefixes;
}

} // namespace inlay::tile_to_gpu
