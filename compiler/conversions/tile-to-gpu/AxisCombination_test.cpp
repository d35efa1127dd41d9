// Reductions and scans carried out for all threads of a block at once, with a combination that is
// not commutative: the list of the elements it saw.
#include "compiler/conversions/tile-to-gpu/AxisCombination.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>

namespace inlay::tile_to_gpu {
namespace {

using tile::kLaneBits;
using tile::LinearLayout;
using tile::PlacePart;

constexpr uint32_t kLanes = 1u << kLaneBits;

/// All threads in step: a value is one list for each thread.
class Simulation {
public:
  using List = std::vector<int>;
  using Value = std::vector<List>;

  /// `isCommutative`: lists are kept sorted, so that the order of combination does not show.
  explicit Simulation(uint32_t numWarps, bool isCommutative = false)
      : numThreads_(numWarps * kLanes), isCommutative_(isCommutative) {}

  Value combine(const Value &earlier, const Value &later) {
    ++numCombinations;
    Value result = earlier;
    for (uint32_t thread = 0; thread < numThreads_; ++thread)
      result[thread].insert(result[thread].end(), later[thread].begin(), later[thread].end());
    if (isCommutative_)
      for (List &list : result)
        std::sort(list.begin(), list.end());
    return result;
  }
  Value shuffleXor(const Value &value, uint32_t laneMask) {
    ++numShuffles;
    return each([&](uint32_t thread) { return value[thread ^ laneMask]; });
  }
  Value selectByLane(unsigned bit, const Value &ifSet, const Value &ifClear) {
    return each([&](uint32_t t) { return (t % kLanes) >> bit & 1 ? ifSet[t] : ifClear[t]; });
  }
  Value selectByWarp(llvm::ArrayRef<unsigned> bits, uint32_t index, const Value &ifEqual,
                     const Value &otherwise) {
    return each([&](uint32_t t) {
      for (auto [i, bit] : llvm::enumerate(bits))
        if ((t / kLanes >> bit & 1) != (index >> i & 1))
          return otherwise[t];
      return ifEqual[t];
    });
  }
  std::optional<Value> reduceWarp(const Value &) { return std::nullopt; }
  std::vector<std::vector<Value>> exchangeWarps(const WarpExchange &exchange,
                                                const std::vector<Value> &values) {
    ++numExchanges;
    std::vector<std::vector<Value>> result;
    for (const Value &value : values) {
      // One thread of those that are said to be equal writes for all.
      for (uint32_t t = 0; t < numThreads_; ++t)
        EXPECT_EQ(value[t], value[t & ~(exchange.equalLanes | exchange.equalWarps * kLanes)]);
      result.emplace_back();
      for (uint32_t k = 0; k < 1u << exchange.bits.size(); ++k)
        result.back().push_back(each([&](uint32_t t) {
          uint32_t warp = t / kLanes;
          for (auto [i, bit] : llvm::enumerate(exchange.bits))
            warp = (warp & ~(1u << bit)) | (k >> i & 1) << bit;
          return value[warp * kLanes + t % kLanes];
        }));
    }
    return result;
  }

  int numCombinations = 0, numShuffles = 0, numExchanges = 0;

private:
  template <typename Function>
  Value each(Function function) {
    Value result;
    for (uint32_t thread = 0; thread < numThreads_; ++thread)
      result.push_back(function(thread));
    return result;
  }

  uint32_t numThreads_;
  bool isCommutative_;
};

struct Case {
  llvm::SmallVector<int64_t> shape;
  LinearLayout layout;
  unsigned axis;
};

/// A layout whose index bits are spread over the bits of places at random, some of which copy.
Case randomCase(std::mt19937 &random) {
  Case result;
  const unsigned rank = 1 + random() % 3;
  std::vector<LinearLayout::Coordinates> moves;
  for (unsigned d = 0; d < rank; ++d) {
    const unsigned bits = random() % (rank == 1 ? 9 : 5);
    result.shape.push_back(int64_t{1} << bits);
    for (unsigned b = 0; b < bits; ++b) {
      LinearLayout::Coordinates basis(rank, 0);
      basis[d] = 1 << b;
      moves.push_back(basis);
    }
  }
  const unsigned warpBits = random() % 4;
  LinearLayout::Bases registers, lanes(kLaneBits, LinearLayout::Coordinates(rank, 0)),
      warps(warpBits, LinearLayout::Coordinates(rank, 0));
  std::shuffle(moves.begin(), moves.end(), random);
  for (const LinearLayout::Coordinates &move : moves) {
    LinearLayout::Bases *part = random() % 3 == 0 ? nullptr : random() % 2 ? &lanes : &warps;
    auto free = part ? std::find_if(part->begin(), part->end(),
                                    [](const auto &basis) {
                                      return llvm::all_of(basis, [](int32_t c) { return c == 0; });
                                    })
                     : nullptr;
    if (part && free != part->end())
      *free = move;
    else
      registers.push_back(move);
  }
  if (random() % 2)
    registers.insert(registers.begin() + random() % (registers.size() + 1),
                     LinearLayout::Coordinates(rank, 0));
  std::shuffle(lanes.begin(), lanes.end(), random);
  result.layout = LinearLayout(rank, registers, lanes, warps);
  result.axis = random() % rank;
  return result;
}

/// Registers of all threads, each element as the list of its index along the axis.
std::vector<Simulation::Value> elementsOf(const Case &c) {
  std::vector<Simulation::Value> registers;
  for (uint32_t r = 0; r < c.layout.numRegisters(); ++r) {
    registers.emplace_back();
    for (uint32_t t = 0; t < c.layout.numWarps() * kLanes; ++t)
      registers.back().push_back({c.layout.apply(r, t % kLanes, t / kLanes)[c.axis]});
  }
  return registers;
}

TEST(AxisCombination, ReductionsSeeEveryElementOnceInOrder) {
  for (unsigned seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    const Case c = randomCase(random);
    for (bool anyOrder : {false, true}) {
      auto stages = planAxisStages(c.layout, c.shape[c.axis], c.axis, anyOrder);
      ASSERT_TRUE(stages);
      Simulation simulation(c.layout.numWarps(), anyOrder);
      auto results = reduceAlong(simulation, *stages, c.layout, anyOrder, elementsOf(c));
      ASSERT_EQ(results.size(), c.layout.numRegisters());
      Simulation::List all(static_cast<size_t>(c.shape[c.axis]));
      std::iota(all.begin(), all.end(), 0);
      for (Simulation::Value &result : results)
        for (Simulation::List &list : result)
          ASSERT_EQ(list, all);
    }
  }
}

TEST(AxisCombination, ScansCombineAllEarlierElementsInOrder) {
  for (unsigned seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    const Case c = randomCase(random);
    for (bool reverse : {false, true}) {
      const int size = static_cast<int>(c.shape[c.axis]);
      auto stages = planAxisStages(c.layout, size, c.axis, false);
      ASSERT_TRUE(stages);
      Simulation simulation(c.layout.numWarps());
      auto results = scanAlong(simulation, *stages, c.layout, reverse, elementsOf(c));
      for (uint32_t r = 0; r < c.layout.numRegisters(); ++r)
        for (uint32_t t = 0; t < c.layout.numWarps() * kLanes; ++t) {
          const int index = c.layout.apply(r, t % kLanes, t / kLanes)[c.axis];
          Simulation::List expected(static_cast<size_t>(reverse ? size - index : index + 1));
          if (reverse)
            std::iota(expected.rbegin(), expected.rend(), index);
          else
            std::iota(expected.begin(), expected.end(), 0);
          ASSERT_EQ(results[r][t], expected) << "register " << r << " thread " << t;
        }
    }
  }
}

TEST(AxisCombination, CommutativeReductionsExchangeLittle) {
  // 4096 elements on 8 warps, four neighbours a thread: 16 registers.
  const LinearLayout layout = LinearLayout::createBlocked({4096}, {0}, 4, 8);
  Case c{{4096}, layout, 0};
  auto stages = planAxisStages(layout, 4096, 0, true);
  ASSERT_TRUE(stages);
  Simulation simulation(8, /*isCommutative=*/true);
  reduceAlong(simulation, *stages, layout, true, elementsOf(c));
  EXPECT_EQ(simulation.numShuffles, 5);
  EXPECT_EQ(simulation.numExchanges, 1);
  EXPECT_EQ(simulation.numCombinations, 15 + 5 + 7);
}

TEST(AxisCombination, RefusesLayoutsThatMixDimensions) {
  const LinearLayout::Bases lanes = {{0, 1}, {0, 2}, {1, 0}, {2, 2}, {4, 0}};
  EXPECT_FALSE(planAxisStages(LinearLayout(2, {}, lanes, {}), 4, 1, true));
  // An index bit in two places, and in none.
  EXPECT_FALSE(planAxisStages(LinearLayout(1, {{1}}, {{1}, {2}, {4}, {8}, {16}}, {}), 32, 0, true));
  EXPECT_FALSE(planAxisStages(LinearLayout(1, {}, {{1}, {2}, {4}, {8}, {16}}, {}), 64, 0, true));
}

} // namespace
} // namespace inlay::tile_to_gpu
