// Every property is checked at every place of every blocked layout of a few small tiles.
#include "compiler/transforms/tile/LinearLayout.h"

#include "mlir/IR/MLIRContext.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <numeric>
#include <set>

namespace inlay::tile {
namespace {

using testing::ElementsAre;
using Shape = std::vector<int64_t>;
using Order = std::vector<unsigned>;
using Element = std::vector<int32_t>;

struct Place {
  uint32_t registerIndex, lane, warp;
};

struct Blocked {
  Shape shape;
  Order order;
  unsigned perThread, numWarps;
  LinearLayout layout;

  std::string toString() const {
    std::string text = "shape";
    for (int64_t size : shape)
      text += " " + std::to_string(size);
    text += ", order";
    for (unsigned dimension : order)
      text += " " + std::to_string(dimension);
    return text + ", " + std::to_string(perThread) + " per thread, " + std::to_string(numWarps) +
           " warps\n" + layout.toString();
  }
};

std::vector<Blocked> blockedLayouts() {
  const std::vector<Shape> shapes = {{1},      {2},       {32},       {64},      {512},
                                     {1, 64},  {64, 1},   {4, 8},     {16, 16},  {2, 128},
                                     {128, 2}, {8, 4, 2}, {1, 16, 8}, {2, 2, 32}};
  std::vector<Blocked> all;
  for (const Shape &shape : shapes) {
    Order order(shape.size());
    std::iota(order.begin(), order.end(), 0u);
    do {
      for (unsigned perThread : {1u, 2u, 8u})
        for (unsigned numWarps : {1u, 2u, 4u})
          all.push_back({shape, order, perThread, numWarps,
                         LinearLayout::createBlocked(shape, order, perThread, numWarps)});
    } while (std::next_permutation(order.begin(), order.end()));
  }
  return all;
}

template <typename Check>
void forEachPlace(const LinearLayout &layout, Check check) {
  for (uint32_t warp = 0; warp < layout.numWarps(); ++warp)
    for (uint32_t lane = 0; lane < 32; ++lane)
      for (uint32_t r = 0; r < layout.numRegisters(); ++r)
        check(Place{r, lane, warp});
}

Element elementAt(const LinearLayout &layout, Place place) {
  LinearLayout::Coordinates at = layout.apply(place.registerIndex, place.lane, place.warp);
  return Element(at.begin(), at.end());
}

int64_t numElements(const Shape &shape) {
  return std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>());
}

TEST(LinearLayout, ScalarIsReplicated) {
  LinearLayout layout = LinearLayout::createBlocked({}, {}, 1, 4);
  EXPECT_EQ(layout.rank(), 0u);
  EXPECT_EQ(layout.numRegisters(), 1u);
  EXPECT_EQ(layout.numWarps(), 4u);
  EXPECT_EQ(layout.freeBits(PlacePart::Lane), 31u);
  EXPECT_EQ(layout.freeBits(PlacePart::Warp), 3u);
}

TEST(LinearLayout, BasesOfATypicalAccess) {
  LinearLayout layout = LinearLayout::createBlocked({1024}, {0}, 4, 2);
  EXPECT_EQ(layout.toString(), "register 1 -> (1)\nregister 2 -> (2)\n"
                               "register 4 -> (256)\nregister 8 -> (512)\n"
                               "lane 1 -> (4)\nlane 2 -> (8)\nlane 4 -> (16)\nlane 8 -> (32)\n"
                               "lane 16 -> (64)\nwarp 1 -> (128)\n");
  EXPECT_THAT(layout.apply(5, 3, 1), ElementsAre(1 + 256 + 12 + 128));
}

TEST(LinearLayout, FollowsTheOrder) {
  // Columns first: 4 lanes along dimension 1, then rows.
  LinearLayout rows = LinearLayout::createBlocked({16, 8}, {1, 0}, 2, 1);
  EXPECT_THAT(rows.apply(1, 0, 0), ElementsAre(0, 1));
  EXPECT_THAT(rows.apply(0, 1, 0), ElementsAre(0, 2));
  EXPECT_THAT(rows.apply(0, 4, 0), ElementsAre(1, 0));
  LinearLayout columns = LinearLayout::createBlocked({16, 8}, {0, 1}, 2, 1);
  EXPECT_THAT(columns.apply(1, 0, 0), ElementsAre(1, 0));
  EXPECT_THAT(columns.apply(0, 1, 0), ElementsAre(2, 0));
  EXPECT_THAT(columns.apply(0, 8, 0), ElementsAre(0, 1));
}

TEST(LinearLayout, BlockedHoldsEveryElementInside) {
  for (const Blocked &blocked : blockedLayouts()) {
    SCOPED_TRACE(blocked.toString());
    ASSERT_EQ(blocked.layout.bases(PlacePart::Lane).size(), kLaneBits);
    ASSERT_EQ(blocked.layout.numWarps(), blocked.numWarps);
    std::set<Element> held;
    forEachPlace(blocked.layout, [&](Place place) {
      Element at = elementAt(blocked.layout, place);
      for (size_t d = 0; d < at.size(); ++d) {
        ASSERT_GE(at[d], 0);
        ASSERT_LT(at[d], blocked.shape[d]);
      }
      held.insert(at);
    });
    EXPECT_EQ(static_cast<int64_t>(held.size()), numElements(blocked.shape));
  }
}

TEST(LinearLayout, IsLinear) {
  for (const Blocked &blocked : blockedLayouts())
    forEachPlace(blocked.layout, [&](Place place) {
      Element sum = elementAt(blocked.layout, {place.registerIndex, 0, 0});
      for (Place part : {Place{0, place.lane, 0}, Place{0, 0, place.warp}}) {
        Element moved = elementAt(blocked.layout, part);
        for (size_t d = 0; d < sum.size(); ++d)
          sum[d] ^= moved[d];
      }
      ASSERT_EQ(sum, elementAt(blocked.layout, place)) << blocked.toString();
    });
}

/// Places of which no free bit is set.
template <typename Check>
void forEachOwner(const LinearLayout &layout, Check check) {
  forEachPlace(layout, [&](Place place) {
    if (!(place.registerIndex & layout.freeBits(PlacePart::Register)) &&
        !(place.lane & layout.freeBits(PlacePart::Lane)) &&
        !(place.warp & layout.freeBits(PlacePart::Warp)))
      check(place);
  });
}

void expectOneOwnerEach(const LinearLayout &layout) {
  std::map<Element, int> owners;
  forEachPlace(layout, [&](Place place) { owners.try_emplace(elementAt(layout, place), 0); });
  forEachOwner(layout, [&](Place place) { ++owners[elementAt(layout, place)]; });
  for (const auto &[element, count] : owners)
    EXPECT_EQ(count, 1) << testing::PrintToString(element);
}

TEST(LinearLayout, EveryElementHasOneOwner) {
  // The inverse of a layout: from an element to the place that owns it.
  for (const Blocked &blocked : blockedLayouts()) {
    SCOPED_TRACE(blocked.toString());
    expectOneOwnerEach(blocked.layout);
    for (unsigned d = 0; d < blocked.layout.rank(); ++d) {
      expectOneOwnerEach(blocked.layout.withoutDimension(d));
      Shape clamped = blocked.shape;
      clamped[d] = 1;
      expectOneOwnerEach(blocked.layout.clampedTo(clamped));
    }
  }
}

TEST(LinearLayout, BasesThatAreSumsOfOthersAreFree) {
  // Lane 1 moves like both registers together, lane 16 like lane 2 and register 1.
  LinearLayout layout(2, {{0, 1}, {1, 0}}, {{1, 1}, {2, 0}, {0, 2}, {0, 0}, {2, 1}},
                      {{4, 3}, {4, 0}});
  EXPECT_EQ(layout.freeBits(PlacePart::Register), 0u);
  EXPECT_EQ(layout.freeBits(PlacePart::Lane), 0b11001u);
  EXPECT_EQ(layout.freeBits(PlacePart::Warp), 0b10u);
  expectOneOwnerEach(layout);
}

TEST(LinearLayout, ContiguousRegistersStartAtMultiples) {
  for (const Blocked &blocked : blockedLayouts()) {
    SCOPED_TRACE(blocked.toString());
    const unsigned fastest = blocked.order.front();
    EXPECT_GE(blocked.layout.contiguousRegisters(fastest),
              std::min<int64_t>(blocked.perThread, blocked.shape[fastest]));
    for (unsigned d = 0; d < blocked.layout.rank(); ++d) {
      const unsigned count = blocked.layout.contiguousRegisters(d);
      ASSERT_LE(count, blocked.layout.numRegisters());
      forEachPlace(blocked.layout, [&](Place place) {
        Element first =
            elementAt(blocked.layout, {place.registerIndex & ~(count - 1), place.lane, place.warp});
        ASSERT_EQ(first[d] % static_cast<int32_t>(count), 0);
        first[d] += static_cast<int32_t>(place.registerIndex % count);
        ASSERT_EQ(first, elementAt(blocked.layout, place));
      });
    }
  }
}

TEST(LinearLayout, DimensionsComeAndGo) {
  for (const Blocked &blocked : blockedLayouts())
    for (unsigned d = 0; d <= blocked.layout.rank(); ++d) {
      SCOPED_TRACE(blocked.toString());
      LinearLayout with = blocked.layout.withUnitDimension(d);
      EXPECT_EQ(with.withoutDimension(d), blocked.layout);
      forEachPlace(blocked.layout, [&](Place place) {
        Element expected = elementAt(blocked.layout, place);
        expected.insert(expected.begin() + d, 0);
        ASSERT_EQ(elementAt(with, place), expected);
      });
    }
}

TEST(LinearLayout, OperandOfBroadcastHoldsWhatItsResultRepeats) {
  for (const Blocked &blocked : blockedLayouts())
    for (unsigned subset = 0; subset < 1u << blocked.layout.rank(); ++subset) {
      Shape from = blocked.shape;
      for (unsigned d = 0; d < from.size(); ++d)
        if ((subset >> d) & 1)
          from[d] = 1;
      LinearLayout operand = blocked.layout.clampedTo(from);
      forEachPlace(blocked.layout, [&](Place place) {
        Element expected = elementAt(blocked.layout, place);
        for (unsigned d = 0; d < from.size(); ++d)
          if (from[d] == 1)
            expected[d] = 0;
        ASSERT_EQ(elementAt(operand, place), expected) << blocked.toString();
      });
    }
}

TEST(LinearLayout, TransposesAndBack) {
  for (const Blocked &blocked : blockedLayouts()) {
    std::vector<int32_t> order(blocked.shape.size());
    std::iota(order.begin(), order.end(), 0);
    do {
      SCOPED_TRACE(blocked.toString());
      LinearLayout operand = blocked.layout.beforeTranspose(order);
      forEachPlace(blocked.layout, [&](Place place) {
        Element result = elementAt(blocked.layout, place), source = elementAt(operand, place);
        for (size_t i = 0; i < order.size(); ++i)
          ASSERT_EQ(result[i], source[static_cast<size_t>(order[i])]);
      });
      std::vector<int32_t> inverse(order.size());
      for (size_t i = 0; i < order.size(); ++i)
        inverse[static_cast<size_t>(order[i])] = static_cast<int32_t>(i);
      EXPECT_EQ(operand.beforeTranspose(inverse), blocked.layout);
    } while (std::next_permutation(order.begin(), order.end()));
  }
}

int64_t rowMajorIndex(const Element &at, const Shape &shape) {
  int64_t index = 0;
  for (size_t d = 0; d < at.size(); ++d)
    index = index * shape[d] + at[d];
  return index;
}

TEST(LinearLayout, ReshapesAndBack) {
  const std::vector<Shape> all = {{256},    {1, 256},  {256, 1},    {16, 16},  {2, 128},
                                  {128, 2}, {8, 4, 8}, {1, 16, 16}, {4, 1, 64}};
  for (const Blocked &blocked : blockedLayouts()) {
    if (numElements(blocked.shape) != 256)
      continue;
    for (const Shape &from : all) {
      SCOPED_TRACE(blocked.toString());
      LinearLayout operand = blocked.layout.beforeReshape(from, blocked.shape);
      forEachPlace(blocked.layout, [&](Place place) {
        ASSERT_EQ(rowMajorIndex(elementAt(operand, place), from),
                  rowMajorIndex(elementAt(blocked.layout, place), blocked.shape));
      });
      EXPECT_EQ(operand.beforeReshape(blocked.shape, from), blocked.layout);
    }
  }
}

TEST(LinearLayout, IsAnAttributeAndBack) {
  mlir::MLIRContext context;
  context.loadDialect<TileDialect>();
  for (const Blocked &blocked : blockedLayouts())
    EXPECT_EQ(LinearLayout::fromAttribute(blocked.layout.toAttribute(&context)), blocked.layout);
  auto type = mlir::RankedTensorType::get(
      {4, 8}, mlir::Float32Type::get(&context),
      LinearLayout::createBlocked({4, 8}, {1, 0}, 2, 1).toAttribute(&context));
  EXPECT_EQ(layoutOf(type).numRegisters(), 2u);
}

} // namespace
} // namespace inlay::tile
