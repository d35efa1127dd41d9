#include "runtime/core/MemoryPlan.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace inlay {
namespace {

TEST(MemoryPlan, BuffersNotAliveTogetherShareMemory) {
  const PlannedBuffer buffers[] = {{1000, 0, 1, 256}, {1000, 2, 3, 256}, {500, 1, 2, 256}};
  uint64_t offsets[3];
  const Result<uint64_t> peak = planMemory(buffers, offsets);
  ASSERT_TRUE(peak.isOk());
  EXPECT_EQ(offsets[0], 0u);
  EXPECT_EQ(offsets[1], 0u);
  EXPECT_EQ(offsets[2], 1024u);
  EXPECT_EQ(*peak, 1524u);
}

TEST(MemoryPlan, FillsTheSmallestGapThatHoldsABuffer) {
  // In steps 3 and 4 the space of the second and fourth buffer is free again.
  const PlannedBuffer buffers[] = {
      {4096, 0, 4, 256}, {2048, 0, 1, 256}, {2047, 0, 4, 256},
      {1024, 0, 1, 256}, {1023, 0, 4, 256}, {700, 3, 4, 256},
  };
  uint64_t offsets[6];
  ASSERT_TRUE(planMemory(buffers, offsets).isOk());
  EXPECT_EQ(offsets[5], offsets[3]);
}

TEST(MemoryPlan, EmptyBuffersTakeNoRoom) {
  const PlannedBuffer buffers[] = {{0, 0, 5, 256}, {16, 0, 5, 256}, {0, 0, 5, 256}};
  uint64_t offsets[3];
  const Result<uint64_t> peak = planMemory(buffers, offsets);
  ASSERT_TRUE(peak.isOk());
  EXPECT_EQ(offsets[1], 0u);
  EXPECT_EQ(*peak, 16u);
  const Result<uint64_t> none = planMemory({}, {});
  ASSERT_TRUE(none.isOk());
  EXPECT_EQ(*none, 0u);
}

TEST(MemoryPlan, RefusesArenasBeyondTheAddressSpace) {
  const PlannedBuffer one[] = {{UINT64_MAX - 1, 0, 0, 256}};
  const PlannedBuffer sum[] = {{uint64_t{1} << 61, 0, 0, 256},
                               {uint64_t{1} << 61, 0, 0, 256},
                               {uint64_t{1} << 61, 0, 0, 256}};
  uint64_t offsets[3];
  for (std::span<const PlannedBuffer> buffers :
       {std::span<const PlannedBuffer>(one), std::span<const PlannedBuffer>(sum)})
    EXPECT_EQ(planMemory(buffers, offsets).status().code(), StatusCode::OutOfRange);
}

/// No two buffers alive together overlap, all are aligned, and the peak is what they reach.
TEST(MemoryPlan, RandomPlansKeepTheirPromises) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 200; ++round) {
    std::vector<PlannedBuffer> buffers(random() % 30);
    for (PlannedBuffer &buffer : buffers) {
      buffer.sizeBytes = random() % 5 == 0 ? 0 : random() % 10000;
      buffer.firstStep = random() % 20;
      buffer.lastStep = buffer.firstStep + random() % 6;
      buffer.alignmentBytes = uint64_t{256} << random() % 5;
    }
    std::vector<uint64_t> offsets(buffers.size()), again(buffers.size());
    const Result<uint64_t> peak = planMemory(buffers, offsets);
    ASSERT_TRUE(peak.isOk());
    uint64_t end = 0;
    for (size_t i = 0; i < buffers.size(); ++i) {
      const PlannedBuffer &a = buffers[i];
      EXPECT_EQ(offsets[i] % a.alignmentBytes, 0u);
      end = std::max(end, a.sizeBytes ? offsets[i] + a.sizeBytes : 0);
      for (size_t j = 0; j < i; ++j) {
        const PlannedBuffer &b = buffers[j];
        if (a.sizeBytes && b.sizeBytes && a.firstStep <= b.lastStep && b.firstStep <= a.lastStep) {
          EXPECT_TRUE(offsets[i] + a.sizeBytes <= offsets[j] ||
                      offsets[j] + b.sizeBytes <= offsets[i])
              << "buffers " << j << " and " << i;
        }
      }
    }
    EXPECT_EQ(*peak, end);
    ASSERT_TRUE(planMemory(buffers, again).isOk());
    EXPECT_EQ(offsets, again);
  }
}

} // namespace
} // namespace inlay
