// 30,000 runs with alternating shapes, and engines loaded and freed by the hundred: what is held of
// host memory, device memory and code stays the same. The GPU's own figures are looked at by
// tests/e2e/flatness.py.
#include "base/Error.h"
#include "runtime/devices/cpu/CpuTestEngine.h"
#include "runtime/devices/cuda/CudaTestFixture.h"
#include "runtime/devices/null/NullDevice.h"

#include <malloc.h>
#include <unistd.h>

#include <cstdio>
#include <functional>
#include <vector>

#if !defined(__has_feature)
#define __has_feature(feature) 0 // clang's; g++ defines macros
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) ||                               \
    __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define INLAY_SEES_HOST_MEMORY 0 // sanitizers hold memory of their own, and keep what is freed
#else
#define INLAY_SEES_HOST_MEMORY 1
#endif

namespace inlay {
namespace {

constexpr int64_t kSizes[] = {1, 1000, 300, 256, 999, 17};
constexpr int kRounds = 5000; // of a run with each size: 30,000 runs
constexpr int kRoundsBetweenLooks = 250;
/// In all rounds after the first look: less than a byte in four runs.
constexpr size_t kHostSlackBytes = 8 << 10;
constexpr size_t kResidentSlackBytes = 1 << 20;

/// Bytes that malloc has given out in this process.
size_t mallocBytes() {
  const struct mallinfo2 info = ::mallinfo2();
  return info.uordblks + info.hblkhd;
}

/// Resident memory of this process.
size_t residentBytes() {
  unsigned long pages = 0;
  if (std::FILE *file = std::fopen("/proc/self/statm", "r")) {
    if (std::fscanf(file, "%*u %lu", &pages) != 1)
      pages = 0;
    std::fclose(file);
  }
  return pages * static_cast<size_t>(::sysconf(_SC_PAGESIZE));
}

/// Counts that must not change at all, and those that must not grow.
struct Held {
  std::vector<uint64_t> counts;
  size_t mallocBytes = 0, residentBytes = 0;
};

void expectFlat(const Held &before, const Held &now, const std::string &where) {
  EXPECT_EQ(now.counts, before.counts) << where;
  if (!INLAY_SEES_HOST_MEMORY)
    return;
  EXPECT_GT(before.residentBytes, 0u);
  EXPECT_LE(now.mallocBytes, before.mallocBytes + kHostSlackBytes) << where;
  EXPECT_LE(now.residentBytes, before.residentBytes + kResidentSlackBytes) << where;
}

/// One run with `n` floats; false if it failed or gave no x + `added` (0: nothing is computed).
bool runOnce(ExecutionContext &context, const TestMemory &x, const TestMemory &z, int64_t n,
             bool isOnDevice, float added) {
  const int64_t shape[] = {n};
  const auto last = static_cast<size_t>(n - 1);
  z.floats()[0] = z.floats()[last] = -1;
  if (!context.bindInput(0, {x.data(), DataType::Float32, shape, isOnDevice}).isOk() ||
      !context.bindOutput(0, {z.data(), DataType::Float32, shape, isOnDevice}).isOk() ||
      !context.run(nullptr).isOk())
    return false;
  return added == 0 ||
         (z.floats()[0] == x.floats()[0] + added && z.floats()[last] == x.floats()[last] + added);
}

/// Runs all rounds and looks at what is held now and then; `counts` gives what must not change.
void runRounds(ExecutionContext &context, bool isOnDevice, float added,
               const std::function<std::vector<uint64_t>()> &counts) {
  const auto x = countingFloats(1000), z = countingFloats(1000);
  Held first;
  for (int round = 1; round <= kRounds; ++round) {
    for (int64_t n : kSizes)
      ASSERT_TRUE(runOnce(context, *x, *z, n, isOnDevice, added)) << n << " in round " << round;
    if (round % kRoundsBetweenLooks != 0)
      continue;
    const Held held{counts(), mallocBytes(), residentBytes()};
    if (round == kRoundsBetweenLooks)
      first = held;
    expectFlat(first, held, fmt::format("after {} rounds", round));
  }
  EXPECT_EQ(context.statistics().numPlans, uint64_t{kRounds} * std::size(kSizes));
}

TEST(Flatness, NullDevice) {
  auto context = makeTestContext(loadTestEngine(), "null");
  const NullDeviceCounters &counters = *static_cast<NullDevice &>(context->device()).counters();
  runRounds(*context, false, 0, [&]() -> std::vector<uint64_t> {
    return {counters.liveBytes,   counters.allocations,   counters.frees,
            counters.kernelLoads, counters.kernelUnloads, context->statistics().allocatedBytes};
  });
  EXPECT_EQ(counters.kernelLoads, 1u);
  EXPECT_EQ(counters.launches, uint64_t{kRounds} * std::size(kSizes));
}

TEST(Flatness, Cpu) {
  auto context = makeTestContext(loadTestEngine(makeCpuEngine()), "cpu", 2);
  runRounds(*context, false, 1,
            [&]() -> std::vector<uint64_t> { return {context->statistics().allocatedBytes}; });
}

class CudaFlatness : public CudaDeviceTest {
protected:
  void runRoundsWith(uint32_t maxGraphs, bool isOnDevice) {
    auto context = makeTestContext(loadTestEngine(makeCudaEngine()), "cuda", 0, maxGraphs);
    runRounds(*context, isOnDevice, 1, [&]() -> std::vector<uint64_t> {
      forgetCalls();
      return {
          static_cast<uint64_t>(mock_->liveAllocations), static_cast<uint64_t>(mock_->liveModules),
          static_cast<uint64_t>(mock_->liveStreams),     static_cast<uint64_t>(mock_->liveEvents),
          static_cast<uint64_t>(mock_->liveGraphs),      mock_->images.size(),
          context->statistics().allocatedBytes,          context->numGraphs()};
    });
    EXPECT_EQ(mock_->images.size(), 1u); // one module, loaded once
    EXPECT_EQ(context->numGraphs(), std::min<size_t>(maxGraphs, std::size(kSizes)));
  }
  /// What the driver made for tests writes down grows with each call.
  void forgetCalls() {
    mock_->launches.clear();
    mock_->synchronized.clear();
  }
};

TEST_F(CudaFlatness, Launches) { runRoundsWith(0, true); }
TEST_F(CudaFlatness, StagedTensors) { runRoundsWith(0, false); }
TEST_F(CudaFlatness, GraphsOfAllShapes) { runRoundsWith(8, true); }
TEST_F(CudaFlatness, MoreShapesThanGraphs) { runRoundsWith(4, true); }

TEST_F(CudaFlatness, LoadAndUnload) {
  constexpr int kLoads = 300, kLoadsBetweenLooks = 50;
  const auto x = countingFloats(1000), z = countingFloats(1000);
  Held first;
  for (int load = 1; load <= kLoads; ++load) {
    const std::pair<const char *, TestEngine (*)()> devices[] = {
        {"null", [] { return makeTestEngine(); }},
        {"cpu", [] { return makeCpuEngine(); }},
        {"cuda", [] { return makeCudaEngine(); }}};
    for (const auto &[device, makeEngine] : devices) {
      const bool isCuda = device == std::string_view("cuda");
      const float added = device == std::string_view("null") ? 0 : 1;
      std::shared_ptr<Engine> engine = loadTestEngine(makeEngine());
      auto one = makeTestContext(engine, device, 2, isCuda ? 2 : 0);
      auto other = makeTestContext(engine, device, 2, isCuda ? 2 : 0);
      engine.reset();
      for (int64_t n : {300, 300, 1000})
        for (ExecutionContext *context : {one.get(), other.get()})
          ASSERT_TRUE(runOnce(*context, *x, *z, n, true, added)) << n << " on " << device;
    }
    EXPECT_EQ(mock_->liveModules, 0);
    EXPECT_EQ(mock_->liveGraphs, 0);
    if (load % kLoadsBetweenLooks != 0)
      continue;
    EXPECT_EQ(mock_->images.size(), static_cast<size_t>(kLoadsBetweenLooks)); // one for each engine
    forgetCalls();
    mock_->images.clear();
    const Held held{
        {static_cast<uint64_t>(mock_->liveAllocations), static_cast<uint64_t>(mock_->liveContexts),
         static_cast<uint64_t>(mock_->liveStreams), static_cast<uint64_t>(mock_->liveEvents)},
        mallocBytes(),
        residentBytes()};
    if (load == kLoadsBetweenLooks)
      first = held;
    expectFlat(first, held, fmt::format("after {} loads", load));
  }
}

} // namespace
} // namespace inlay
