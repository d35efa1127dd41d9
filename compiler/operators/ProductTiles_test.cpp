#include "compiler/operators/ProductTiles.h"

#include <gtest/gtest.h>

namespace inlay {
namespace {

ProductSize sizeOf(int64_t count, int64_t m, int64_t n, int64_t k,
                   DataType dtype = DataType::Float32) {
  return {Expr(count), Expr(m), Expr(n), Expr(k), dtype};
}

constexpr int64_t kShared = 163 << 10;

int64_t programs(const ProductTiles &tiles, const ProductSize &size) {
  return tiles.programs(size).constantValue().value();
}

TEST(ProductTiles, FewTilesOfDeepProductsAreSplit) {
  for (DataType dtype : {DataType::Float32, DataType::Float16, DataType::BFloat16}) {
    const ProductSize deep = sizeOf(1, 512, 49, 4608, dtype);
    const ProductTiles tiles = tilesForGpu(deep, kShared);
    EXPECT_GT(tiles.splits, 1);
    EXPECT_GE(programs(tiles, deep), 64);
    EXPECT_EQ(tiles.splitDepth % tiles.k, 0);
    EXPECT_GE(tiles.splits * tiles.splitDepth, 4608);
    EXPECT_LT((tiles.splits - 1) * tiles.splitDepth, 4608) << "a part is empty";
  }
}

TEST(ProductTiles, ManyTilesAreLargeAndWhole) {
  for (DataType dtype : {DataType::Float32, DataType::Float16}) {
    const ProductTiles tiles = tilesForGpu(sizeOf(1, 4096, 4096, 4096, dtype), kShared);
    EXPECT_EQ(tiles.splits, 1);
    EXPECT_GE(tiles.m * tiles.n, 64 * 64);
  }
}

TEST(ProductTiles, AreNotLargerThanTheProduct) {
  const ProductTiles tiles = tilesForGpu(sizeOf(1, 5, 3, 7), kShared);
  EXPECT_EQ(tiles.m, 8);
  EXPECT_EQ(tiles.n, 16);
  EXPECT_EQ(tiles.k, 16);
  EXPECT_EQ(tiles.splits, 1);
}

TEST(ProductTiles, OfUnknownOrEmptySizesAreNotSplit) {
  ProductSize size = sizeOf(1, 64, 64, 1 << 20);
  size.m = Expr::symbol("s0");
  EXPECT_EQ(tilesForGpu(size, kShared).splits, 1);
  for (const ProductSize &empty :
       {sizeOf(0, 64, 64, 64), sizeOf(1, 0, 64, 64), sizeOf(1, 64, 0, 64), sizeOf(1, 64, 64, 0)}) {
    const ProductTiles tiles = tilesForGpu(empty, kShared);
    EXPECT_GT(tiles.m * tiles.n * tiles.k, 0);
    EXPECT_EQ(tiles.splits, 1);
  }
}

TEST(ProductTiles, DependOnTheTargets) {
  PluginNode cpu, gpu, both;
  cpu.targets = {"cpu:x86-64-v3"};
  gpu.targets = {"cuda:sm_90a"};
  both.targets = {"cpu:x86-64-v3", "cuda"};
  const ProductSize deep = sizeOf(1, 512, 49, 4608);
  EXPECT_EQ(chooseTiles(cpu, deep).splits, 1);
  EXPECT_GT(chooseTiles(gpu, deep).splits, 1);
  EXPECT_GT(chooseTiles(both, deep).splits, 1);
  EXPECT_EQ(precisionOf(cpu, DataType::Float32), "ieee");
  EXPECT_EQ(precisionOf(gpu, DataType::Float32), "tf32x3");
  EXPECT_EQ(precisionOf(gpu, DataType::Float64), "ieee");
}

TEST(ProductTiles, OfCpusAreLargeButLeaveWorkForThreads) {
  for (DataType dtype : {DataType::Float32, DataType::BFloat16, DataType::Float64}) {
    const ProductSize large = sizeOf(1, 1024, 1024, 1024, dtype),
                      small = sizeOf(1, 64, 256, 256, dtype);
    EXPECT_GE(tilesForCpu(large).m * tilesForCpu(large).n, 128 * 128);
    EXPECT_GE(programs(tilesForCpu(large), large), 8);
    EXPECT_GE(programs(tilesForCpu(small), small), 4);
  }
  // Half of a step of 128 would be computed in vain.
  EXPECT_EQ(tilesForCpu(sizeOf(1, 256, 256, 576)).k, 64);
  for (const ProductSize &empty :
       {sizeOf(0, 64, 64, 64), sizeOf(1, 0, 64, 64), sizeOf(1, 64, 64, 0)}) {
    const ProductTiles tiles = tilesForCpu(empty);
    EXPECT_GT(tiles.m * tiles.n * tiles.k, 0);
  }
}

TEST(ProductTiles, OfWindowsFollowTheirRows) {
  const auto tiles = [](int64_t height, int64_t width) {
    return windowTilesForCpu({1, 64, height, width, 576, DataType::Float32, false});
  };
  EXPECT_EQ(tiles(7, 7).w, 8);
  EXPECT_EQ(tiles(14, 14).w, 16);
  EXPECT_EQ(tiles(28, 28).w, 32);
  // Pixels of one row.
  EXPECT_EQ(tiles(1, 500).h, 1);
  const WindowTiles unknown = windowTilesForCpu(
      {1, 64, Expr::symbol("s0"), Expr::symbol("s1"), 576, DataType::Float32, false});
  EXPECT_GT(unknown.m * unknown.h * unknown.w * unknown.k, 0);
}

TEST(ProductTiles, FitIntoSharedMemory) {
  const ProductSize large = sizeOf(1, 4096, 4096, 4096, DataType::Float16);
  for (const int64_t bytes : {99 << 10, 163 << 10}) {
    const ProductTiles tiles = tilesForGpu(large, bytes);
    EXPECT_LE((tiles.m + tiles.n) * tiles.k * 2 * tiles.stages, bytes);
    EXPECT_GE(tiles.m * tiles.n, 128 * 128);
  }
}

TEST(ProductTiles, OfTf32AreLarger) {
  const ProductSize large = sizeOf(1, 4096, 4096, 4096);
  const ProductTiles exact = tilesForGpu(large, kShared),
                     rounded = tilesForGpu(large, kShared, true);
  EXPECT_GT(rounded.m * rounded.n, exact.m * exact.n);
  EXPECT_LE((rounded.m + rounded.n) * rounded.k * 4 * rounded.stages, kShared);
}

TEST(ProductTiles, RowsReadMuchAtATime) {
  PluginNode gpu;
  gpu.targets = {"cuda:sm_90a"};
  for (DataType dtype : {DataType::Float32, DataType::Float16})
    for (int64_t n : {10, 1000, 4096, 50000}) {
      const RowTile tile = chooseRowTile(gpu, sizeOf(1, 1, n, 25088, dtype), true);
      EXPECT_EQ(tile.n * tile.k * dataTypeSizeBytes(dtype), 8192);
    }
}

} // namespace
} // namespace inlay
