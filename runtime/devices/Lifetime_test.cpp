// Who loads code and who frees it: modules are loaded once per engine and device, whatever shapes,
// contexts and threads there are, and unloaded with the engine.
#include "base/Error.h"
#include "runtime/devices/cpu/CpuTestEngine.h"
#include "runtime/devices/cuda/CudaTestFixture.h"
#include "runtime/devices/null/NullDevice.h"

#include <atomic>
#include <functional>
#include <thread>

namespace inlay {
namespace {

/// Runs with `numShapes` shapes in turn; counts runs that fail or do not add `added` (0: any).
int countFailedRuns(ExecutionContext &context, int numShapes, int numRuns, float added) {
  const auto x = countingFloats(1000), z = countingFloats(1000);
  int numFailed = 0;
  for (int i = 0; i < numRuns; ++i) {
    const int64_t shape[] = {1 + (i % numShapes) * 37};
    const bool isOk = context.bindInput(0, {x->data(), DataType::Float32, shape, true}).isOk() &&
                      context.bindOutput(0, {z->data(), DataType::Float32, shape, true}).isOk() &&
                      context.run(nullptr).isOk();
    const auto last = static_cast<size_t>(shape[0] - 1);
    numFailed += !isOk || (added != 0 && z->floats()[last] != x->floats()[last] + added);
  }
  return numFailed;
}

class CudaModules : public CudaDeviceTest {};

TEST_F(CudaModules, AreLoadedOncePerEngineAndDevice) {
  std::shared_ptr<Engine> engine = loadTestEngine(makeCudaEngine());
  EXPECT_EQ(mock_->images.size(), 0u); // nothing is loaded before it is needed
  auto first = makeTestContext(engine, "cuda"), second = makeTestContext(engine, "cuda:0", 0, 2);
  EXPECT_EQ(mock_->images.size(), 1u);
  auto elsewhere = makeTestContext(engine, "cuda:1");
  EXPECT_EQ(mock_->images.size(), 2u);
  for (ExecutionContext *context : {first.get(), second.get(), elsewhere.get()})
    EXPECT_EQ(countFailedRuns(*context, 20, 60, 1), 0);
  EXPECT_EQ(mock_->images.size(), 2u);
  auto other = makeTestContext(loadTestEngine(makeCudaEngine()), "cuda:0");
  EXPECT_EQ(mock_->images.size(), 3u); // an engine of its own, if of the same bytes
  EXPECT_EQ(mock_->liveModules, 3);
}

TEST_F(CudaModules, AreUnloadedWithTheEngineAndItsLastContext) {
  std::shared_ptr<Engine> engine = loadTestEngine(makeCudaEngine());
  auto first = makeTestContext(engine, "cuda:0"), second = makeTestContext(engine, "cuda:1");
  first.reset();
  second.reset();
  EXPECT_EQ(mock_->liveModules, 2); // the engine keeps them for the next context
  first = makeTestContext(engine, "cuda:0");
  EXPECT_EQ(mock_->images.size(), 2u);
  engine.reset();
  EXPECT_EQ(countFailedRuns(*first, 3, 6, 1), 0); // a context keeps what it needs
  first.reset();
  EXPECT_EQ(mock_->liveModules, 0);
  EXPECT_EQ(mock_->liveContexts, 0);
}

TEST_F(CudaModules, OfAFailedLoadAreNotKept) {
  TestEngine test = makeCudaEngine();
  test.engine.kernels.push_back(std::make_unique<fb::KernelT>(*test.engine.kernels[0]));
  test.engine.kernels[1]->name = "second_kernel";
  std::shared_ptr<Engine> engine = loadTestEngine(std::move(test));
  failAt("cuModuleGetFunction");
  EXPECT_FALSE(ExecutionContext::create(engine, "cuda").isOk());
  EXPECT_EQ(mock_->liveModules, 0);
  failAt("");
  auto context = makeTestContext(engine, "cuda"); // and the next attempt works
  EXPECT_EQ(mock_->liveModules, 2);
  EXPECT_EQ(countFailedRuns(*context, 3, 6, 1), 0);
}

constexpr int kThreads = 8, kLoads = 25;

/// In each thread: a context of the shared engine that lives on, and engines that are loaded, used
/// by two contexts and freed while the other threads do the same. Gives the number of failed runs.
int useFromManyThreads(std::shared_ptr<Engine> shared, const std::function<TestEngine()> &makeOwn,
                       const std::function<std::string(int)> &deviceOf, uint32_t maxGraphs,
                       float added) {
  std::atomic<int> numFailed{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t)
    threads.emplace_back([&, t, engine = shared] {
      const std::string device = deviceOf(t);
      auto kept = makeTestContext(engine, device, 2, maxGraphs);
      for (int i = 0; i < kLoads; ++i) {
        std::shared_ptr<Engine> own = loadTestEngine(makeOwn());
        auto one = makeTestContext(own, device, 1, maxGraphs);
        auto other = makeTestContext(own, device, 1);
        own.reset();
        auto brief = makeTestContext(engine, device, 1);
        for (ExecutionContext *context : {kept.get(), one.get(), other.get(), brief.get()})
          numFailed += countFailedRuns(*context, 3, 9, added);
      }
    });
  shared.reset(); // the threads hold it
  for (std::thread &thread : threads)
    thread.join();
  return numFailed;
}

TEST_F(CudaModules, ManyThreadsContextsAndEngines) {
  const auto deviceOf = [](int thread) { return fmt::format("cuda:{}", thread % 2); };
  EXPECT_EQ(useFromManyThreads(loadTestEngine(makeCudaEngine()), makeCudaEngine, deviceOf, 2, 1),
            0);
  // The shared engine's on two devices, and one for each engine that a thread loaded.
  EXPECT_EQ(mock_->images.size(), size_t{2 + kThreads * kLoads});
  EXPECT_EQ(mock_->liveModules, 0);
  EXPECT_EQ(mock_->liveGraphs, 0);
}

TEST(Lifetime, ManyThreadsContextsAndEnginesOnTheCpu) {
  const auto onCpu = [](int) { return std::string("cpu"); };
  EXPECT_EQ(useFromManyThreads(loadTestEngine(makeCpuEngine()), makeCpuEngine, onCpu, 0, 1), 0);
}

TEST(Lifetime, ManyThreadsContextsAndEnginesOnTheNullDevice) {
  std::shared_ptr<Engine> engine = loadTestEngine();
  const auto kept = makeTestContext(engine, "null");
  const NullDeviceCounters &counters = *static_cast<NullDevice &>(kept->device()).counters();
  const uint64_t liveBytes = counters.liveBytes;
  const auto onNull = [](int) { return std::string("null"); };
  EXPECT_EQ(useFromManyThreads(engine, [] { return makeTestEngine(); }, onNull, 0, 0), 0);
  EXPECT_EQ(counters.kernelLoads, 1u); // the shared engine's
  EXPECT_EQ(counters.liveBytes, liveBytes);
}

} // namespace
} // namespace inlay
