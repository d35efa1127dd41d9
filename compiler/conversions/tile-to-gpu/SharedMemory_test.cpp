#include "compiler/conversions/tile-to-gpu/SharedMemory.h"

#include <gtest/gtest.h>

#include <random>

namespace inlay::tile_to_gpu {
namespace {

using Access = SharedMemory::Access;

TEST(SharedMemory, GivesTheFirstBytesThatAreFree) {
  SharedMemory memory;
  const SharedRegion a = memory.allocate(100), b = memory.allocate(50),
                     c = memory.allocate(16, 128);
  EXPECT_EQ(a.offset, 0);
  EXPECT_EQ(b.offset, 112);
  EXPECT_EQ(c.offset, 256);
  memory.release(a);
  EXPECT_EQ(memory.allocate(64).offset, 0);
  EXPECT_EQ(memory.allocate(64).offset, 176) << "between the first and b there are 32 bytes only";
  EXPECT_EQ(memory.peakBytes(), 272);
}

TEST(SharedMemory, HazardsWaitForABarrier) {
  SharedMemory memory;
  const SharedRegion region{0, 64}, inside{32, 4}, apart{64, 4};
  memory.note(region, Access::Write);
  EXPECT_TRUE(memory.needsBarrier(inside, Access::Read));
  EXPECT_TRUE(memory.needsBarrier(inside, Access::Write));
  EXPECT_FALSE(memory.needsBarrier(apart, Access::Write));
  memory.barrier();
  EXPECT_FALSE(memory.needsBarrier(inside, Access::Write));
  memory.note(region, Access::Read);
  EXPECT_FALSE(memory.needsBarrier(inside, Access::Read));
  EXPECT_TRUE(memory.needsBarrier(inside, Access::Write));
}

TEST(SharedMemory, SmallRegionsLieBesidePendingAccesses) {
  SharedMemory memory;
  const SharedRegion first = memory.allocate(128);
  memory.note(first, Access::Read);
  memory.release(first);
  const SharedRegion second = memory.allocate(128);
  EXPECT_EQ(second.offset, 128);
  EXPECT_FALSE(memory.needsBarrier(second, Access::Write));
  memory.release(second);
  const SharedRegion large = memory.allocate(20'000);
  EXPECT_EQ(large.offset, 0) << "memory is worth more than a barrier";
  EXPECT_TRUE(memory.needsBarrier(large, Access::Write));
}

TEST(SharedMemory, WaysThatMeetLeaveThePendingOfBoth) {
  SharedMemory memory;
  const SharedRegion a{0, 16}, b{16, 16};
  const SharedMemory::State before = memory.state();
  memory.note(a, Access::Read);
  const SharedMemory::State afterThen = memory.state();
  memory.setState(before);
  memory.note(b, Access::Write);
  memory.merge(afterThen);
  EXPECT_TRUE(memory.needsBarrier(a, Access::Write));
  EXPECT_FALSE(memory.needsBarrier(a, Access::Read));
  EXPECT_TRUE(memory.needsBarrier(b, Access::Read));
}

TEST(SharedMemory, LoopsBeginWithWhatTheirEndLeaves) {
  SharedMemory memory;
  SharedMemory::LoopEntry entry = memory.enterLoop();
  const SharedRegion region = memory.allocate(64);
  EXPECT_TRUE(memory.needsBarrier(region, Access::Write)) << "the last round may still read";
  memory.barrier();
  memory.note(region, Access::Read);
  memory.release(region);
  memory.leaveLoop(entry);
  EXPECT_TRUE(memory.needsBarrier(region, Access::Write));
  EXPECT_FALSE(memory.needsBarrier(region, Access::Read));

  memory.barrier();
  entry = memory.enterLoop();
  memory.leaveLoop(entry);
  EXPECT_FALSE(memory.needsBarrier(region, Access::Write)) << "a loop without accesses";
}

/// Whatever is allocated, no two live regions overlap.
TEST(SharedMemory, LiveRegionsAreApart) {
  for (unsigned seed = 0; seed < 50; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    SharedMemory memory;
    std::vector<SharedRegion> live;
    for (int i = 0; i < 60; ++i) {
      if (!live.empty() && random() % 2) {
        const size_t victim = random() % live.size();
        memory.note(live[victim], random() % 2 ? Access::Read : Access::Write);
        memory.release(live[victim]);
        live.erase(live.begin() + static_cast<std::ptrdiff_t>(victim));
      } else {
        const SharedRegion region = memory.allocate(1 + random() % 9000, 16 << random() % 4);
        for (const SharedRegion &other : live)
          EXPECT_FALSE(region.overlaps(other));
        EXPECT_LE(region.end(), memory.peakBytes());
        live.push_back(region);
      }
      if (random() % 8 == 0)
        memory.barrier();
    }
  }
}

} // namespace
} // namespace inlay::tile_to_gpu
