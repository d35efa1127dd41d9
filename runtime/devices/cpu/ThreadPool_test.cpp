#include "runtime/devices/cpu/ThreadPool.h"

#include <gtest/gtest.h>

#include <thread>

namespace inlay {
namespace {

struct Counts {
  static constexpr uint32_t kPlaces = 8;
  explicit Counts(uint64_t size) : perIndex(size) {}
  std::vector<std::atomic<int>> perIndex;
  std::atomic<int> perPlace[kPlaces] = {}; // threads inside with that place
  std::atomic<uint32_t> numShared{0}, lastPlace{0};
  std::atomic<int> numInside{0}, mostInside{0};

  static void body(void *data, uint32_t place, uint64_t begin, uint64_t end) {
    Counts &self = *static_cast<Counts *>(data);
    self.numShared += self.perPlace[place % kPlaces]++ != 0;
    for (uint32_t last = self.lastPlace; place > last;)
      if (self.lastPlace.compare_exchange_weak(last, place))
        break;
    const int inside = ++self.numInside;
    for (int most = self.mostInside; inside > most;)
      if (self.mostInside.compare_exchange_weak(most, inside))
        break;
    for (uint64_t i = begin; i < end; ++i)
      ++self.perIndex[i];
    --self.numInside;
    --self.perPlace[place % kPlaces];
  }

  bool areAllOne() const {
    for (const std::atomic<int> &count : perIndex)
      if (count != 1)
        return false;
    return true;
  }
};

TEST(ThreadPool, RunsEveryIndexOnce) {
  ThreadPool pool;
  pool.ensureWorkers(3);
  EXPECT_EQ(pool.numWorkers(), 3u);
  pool.ensureWorkers(2);
  EXPECT_EQ(pool.numWorkers(), 3u);
  for (const uint64_t count : {0, 1, 2, 7, 64, 1000})
    for (const uint64_t chunk : {1, 3, 2000}) {
      Counts counts(count);
      pool.run(count, chunk, 4, Counts::body, &counts);
      EXPECT_TRUE(counts.areAllOne()) << count << " by " << chunk;
    }
}

TEST(ThreadPool, UsesNoMoreThreadsThanAllowed) {
  ThreadPool pool;
  pool.ensureWorkers(7);
  for (const uint32_t maxThreads : {1u, 2u, 3u}) {
    Counts counts(2000);
    pool.run(2000, 1, maxThreads, Counts::body, &counts);
    EXPECT_TRUE(counts.areAllOne());
    EXPECT_LE(counts.mostInside, static_cast<int>(maxThreads));
    EXPECT_LT(counts.lastPlace, maxThreads);
    EXPECT_EQ(counts.numShared, 0u);
  }
}

TEST(ThreadPool, WithoutWorkersTheCallerDoesAll) {
  ThreadPool pool;
  Counts counts(100);
  pool.run(100, 1, 8, Counts::body, &counts);
  EXPECT_TRUE(counts.areAllOne());
  EXPECT_EQ(counts.mostInside, 1);
}

TEST(ThreadPool, LoopsOfSeveralThreadsRunAtOnce) {
  ThreadPool pool;
  pool.ensureWorkers(3);
  std::atomic<int> numWrong{0};
  std::vector<std::thread> callers;
  for (int t = 0; t < 4; ++t)
    callers.emplace_back([&] {
      for (int i = 0; i < 200; ++i) {
        Counts counts(97);
        pool.run(97, 2, 4, Counts::body, &counts);
        numWrong += !counts.areAllOne() || counts.numShared != 0 || counts.lastPlace > 3;
      }
    });
  for (std::thread &caller : callers)
    caller.join();
  EXPECT_EQ(numWrong, 0);
}

} // namespace
} // namespace inlay
