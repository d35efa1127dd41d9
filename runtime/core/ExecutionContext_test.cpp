// What a context does on the null device: what it asks of a device, and what it refuses.
#include "runtime/core/CountAllocations.h"
#include "runtime/core/TestContext.h"
#include "runtime/devices/null/NullDevice.h"

#include <atomic>
#include <cstdlib>
#include <functional>
#include <new>
#include <thread>

namespace inlay {
namespace {

const NullDeviceCounters &countersOf(ExecutionContext &context) {
  return *static_cast<NullDevice &>(context.device()).counters();
}

TensorBinding floats(void *data, std::span<const int64_t> shape, bool isOnDevice = false) {
  return {data, DataType::Float32, shape, isOnDevice};
}

/// Binds x and z of the test engine, `n` floats each.
void bindFloats(ExecutionContext &context, void *x, void *z, int64_t n, bool isOnDevice = false) {
  const int64_t shape[] = {n};
  EXPECT_OK(context.bindInput(0, floats(x, shape, isOnDevice)));
  EXPECT_OK(context.bindOutput(0, floats(z, shape, isOnDevice)));
}

TEST(ExecutionContext, RunStagesHostTensorsAndLaunches) {
  auto context = makeTestContext(loadTestEngine(), "null");
  const auto x = countingFloats(100), z = countingFloats(100);
  bindFloats(*context, x->data(), z->data(), 100);
  const uint64_t copiesBefore = countersOf(*context).copies;
  EXPECT_OK(context->run(nullptr));
  EXPECT_EQ(countersOf(*context).launches, 1u);
  EXPECT_EQ(countersOf(*context).copies - copiesBefore, 3u); // in, the engine's own, out
  EXPECT_EQ(context->statistics().numLaunches, 1u);
  EXPECT_EQ(context->statistics().plannedBytes, 400u);
  EXPECT_EQ(context->statistics().allocatedBytes, 1200u); // the intermediate, x and z
}

TEST(ExecutionContext, TensorsOnTheDeviceAreNotStaged) {
  auto context = makeTestContext(loadTestEngine(), "null");
  const auto x = countingFloats(100), z = countingFloats(100);
  bindFloats(*context, x->data(), z->data(), 100, true);
  const uint64_t copiesBefore = countersOf(*context).copies;
  int stream = 0;
  EXPECT_OK(context->run(&stream));
  EXPECT_EQ(countersOf(*context).copies - copiesBefore, 1u);
  EXPECT_EQ(countersOf(*context).synchronizations, 1u); // of loading the constants
  EXPECT_EQ(context->statistics().allocatedBytes, 400u);
}

TEST(ExecutionContext, EmptyTensorsLaunchNothing) {
  TestEngine test = makeTestEngine();
  test.engine.symbols[0]->min = 0;
  // Without this the constant alone would make the launch worth its while if the grid had programs.
  auto context = makeTestContext(loadTestEngine(std::move(test)), "null");
  bindFloats(*context, nullptr, nullptr, 0);
  const uint64_t copiesBefore = countersOf(*context).copies;
  EXPECT_OK(context->run(nullptr));
  EXPECT_EQ(countersOf(*context).launches, 0u);
  EXPECT_EQ(countersOf(*context).copies, copiesBefore);
  EXPECT_EQ(context->statistics().plannedBytes, 0u);
  EXPECT_EQ(context->statistics().allocatedBytes, 0u);
}

TEST(ExecutionContext, KernelsOfEmptyTensorsOnlyAreNotLaunchedWhateverTheirGrid) {
  TestEngine test = makeTestEngine();
  test.engine.symbols[0]->min = 0;
  const uint32_t one = appendConstant(test.engine, 1);
  fb::LaunchT &launch = *test.engine.steps[0]->kind.AsLaunch();
  launch.grid[0] = one;
  launch.arguments[3]->index = 0; // x instead of the constant
  auto context = makeTestContext(loadTestEngine(std::move(test)), "null");
  bindFloats(*context, nullptr, nullptr, 0);
  EXPECT_OK(context->run(nullptr));
  EXPECT_EQ(countersOf(*context).launches, 0u);
  const auto x = countingFloats(4), z = countingFloats(4);
  bindFloats(*context, x->data(), z->data(), 4);
  EXPECT_OK(context->run(nullptr));
  EXPECT_EQ(countersOf(*context).launches, 1u);
}

TEST(ExecutionContext, BlocksAndSharedMemoryBeyondTheirRangeAreRefused) {
  const auto runWith = [](std::array<int64_t, 3> block, int64_t sharedBytes) {
    TestEngine test = makeTestEngine();
    fb::LaunchT &launch = *test.engine.steps[0]->kind.AsLaunch();
    for (int64_t extent : block)
      launch.block.push_back(appendConstant(test.engine, extent));
    launch.shared_bytes = appendConstant(test.engine, sharedBytes);
    auto context = makeTestContext(loadTestEngine(std::move(test)), "null");
    auto x = countingFloats(300), z = countingFloats(300);
    const int64_t shape[] = {300};
    EXPECT_OK(context->bindInput(0, {x->data(), DataType::Float32, shape, true}));
    EXPECT_OK(context->bindOutput(0, {z->data(), DataType::Float32, shape, true}));
    return context->run(nullptr);
  };
  EXPECT_OK(runWith({32, 8, 4}, 100));
  EXPECT_THAT(
      runWith({32, 0, 1}, 100),
      IsError(StatusCode::OutOfRange, "its block has 0 threads in y; possible are 1 to 1024"));
  EXPECT_THAT(runWith({32, 33, 1}, 100),
              IsError(StatusCode::OutOfRange, "its block has 33 threads in y"));
  EXPECT_THAT(
      runWith({1, 1, 65}, 100),
      IsError(StatusCode::OutOfRange, "its block has 65 threads in z; possible are 1 to 64"));
  EXPECT_THAT(runWith({1, 1, 1}, -1),
              IsError(StatusCode::OutOfRange, "its shared memory has -1 bytes"));
}

TEST(ExecutionContext, RunsAndNewAddressesAllocateNothing) {
  if (!INLAY_COUNTS_ALLOCATIONS)
    GTEST_SKIP() << "ThreadSanitizer has an operator new of its own";
  auto context = makeTestContext(loadTestEngine(), "null");
  const auto x = countingFloats(100), z = countingFloats(100), other = countingFloats(100);
  const int64_t shape[] = {100};
  for (bool isOnDevice : {false, true}) {
    bindFloats(*context, x->data(), z->data(), 100, isOnDevice);
    EXPECT_OK(context->run(nullptr));
    const uint64_t before = numAllocations, deviceBefore = countersOf(*context).allocations;
    bool isOk = true;
    for (int i = 0; i < 100; ++i) {
      const TensorBinding binding = floats((i % 2 ? x : other)->data(), shape, isOnDevice);
      isOk = isOk && context->bindInput(0, binding).isOk() && context->run(nullptr).isOk();
    }
    const uint64_t after = numAllocations;
    EXPECT_TRUE(isOk);
    EXPECT_EQ(after, before);
    EXPECT_EQ(countersOf(*context).allocations, deviceBefore);
  }
}

TEST(ExecutionContext, MemoryIsPlannedOncePerChangeOfShapes) {
  auto context = makeTestContext(loadTestEngine(), "null");
  const auto x = countingFloats(1000), z = countingFloats(1000);
  uint64_t numPlans = 0;
  for (const uint64_t n : {100, 100, 50, 1000, 1000}) {
    const bool isNew = numPlans == 0 || context->statistics().plannedBytes != 4 * n;
    bindFloats(*context, x->data(), z->data(), static_cast<int64_t>(n));
    EXPECT_OK(context->run(nullptr));
    EXPECT_OK(context->run(nullptr));
    numPlans += isNew;
    EXPECT_EQ(context->statistics().numPlans, numPlans) << n;
    EXPECT_EQ(context->statistics().plannedBytes, 4 * n);
  }
  EXPECT_EQ(numPlans, 3u);
  // 100, kept for 50, and 1000 in its place.
  EXPECT_EQ(context->statistics().allocatedBytes, 3 * 4000u);
}

TEST(ExecutionContext, AllMemoryAndCodeIsFreed) {
  std::shared_ptr<const NullDeviceCounters> counters;
  {
    std::shared_ptr<Engine> engine = loadTestEngine();
    auto first = makeTestContext(engine, "null"), second = makeTestContext(engine, "null");
    counters = static_cast<NullDevice &>(first->device()).counters();
    EXPECT_EQ(counters->kernelLoads, 1u);
    EXPECT_EQ(counters->liveBytes, 8u); // the constant
    engine.reset();                     // the contexts keep what they need
    const auto x = countingFloats(100), z = countingFloats(100);
    for (ExecutionContext *context : {first.get(), second.get()}) {
      bindFloats(*context, x->data(), z->data(), 100);
      EXPECT_OK(context->run(nullptr));
    }
    EXPECT_EQ(counters->liveBytes, 8u + 2 * 1200u);
    first.reset();
    EXPECT_EQ(counters->liveBytes, 8u + 1200u);
  }
  EXPECT_EQ(counters->liveBytes, 0u);
  EXPECT_EQ(counters->allocations, counters->frees);
  EXPECT_EQ(counters->kernelUnloads, 1u);
}

TEST(ExecutionContext, ContextsOfOneEngineRunInSeveralThreads) {
  constexpr int kThreads = 4, kRuns = 50;
  std::shared_ptr<Engine> engine = loadTestEngine();
  const auto kept = makeTestContext(engine, "null");
  std::atomic<int> numFailed{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t)
    threads.emplace_back([&, t] {
      auto context = makeTestContext(engine, "null");
      const auto x = countingFloats(200), z = countingFloats(200);
      for (int i = 0; i < kRuns; ++i) {
        const int64_t shape[] = {1 + (i + t) % 200};
        numFailed += !context->bindInput(0, floats(x->data(), shape)).isOk() ||
                     !context->bindOutput(0, floats(z->data(), shape)).isOk() ||
                     !context->run(nullptr).isOk();
      }
    });
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_EQ(numFailed, 0);
  EXPECT_EQ(countersOf(*kept).kernelLoads, 1u);
  EXPECT_EQ(countersOf(*kept).launches, static_cast<uint64_t>(kThreads * kRuns));
}

TEST(ExecutionContext, MeasuresRuns) {
  auto context = makeTestContext(loadTestEngine(), "null");
  const auto x = countingFloats(100), z = countingFloats(100);
  EXPECT_THAT(context->measureUs(5).status(),
              IsError(StatusCode::FailedPrecondition, "input 'x' is not bound"));
  bindFloats(*context, x->data(), z->data(), 100);
  const Result<double> measured = context->measureUs(5);
  ASSERT_TRUE(measured.isOk()) << measured.status().toString();
  EXPECT_GE(*measured, 0);
  EXPECT_EQ(countersOf(*context).launches, 6u);
  EXPECT_THAT(context->measureUs(0).status(), IsError(StatusCode::InvalidArgument, "0 runs"));
}

TEST(ExecutionContext, LaunchBlockingWaitsAfterEachStep) {
  for (const bool isBlocking : {false, true}) {
    ::setenv("INLAY_LAUNCH_BLOCKING", isBlocking ? "1" : "0", 1);
    auto context = makeTestContext(loadTestEngine(), "null");
    ::unsetenv("INLAY_LAUNCH_BLOCKING");
    const auto x = countingFloats(100), z = countingFloats(100);
    bindFloats(*context, x->data(), z->data(), 100);
    const uint64_t before = countersOf(*context).synchronizations;
    EXPECT_OK(context->run(nullptr));
    EXPECT_EQ(countersOf(*context).synchronizations - before, isBlocking ? 3u : 1u);
  }
}

TEST(ExecutionContext, OutputShapesComeFromTheInputs) {
  TestEngine test = makeTestEngine();
  const uint32_t two = appendConstant(test.engine, 2), n = test.engine.inputs[0]->shape[0];
  const uint32_t half = appendExpression(test.engine, ExprKind::FloorDiv, n, two);
  test.engine.outputs[0]->shape = {two, half};
  auto context = makeTestContext(loadTestEngine(std::move(test)), "null");
  EXPECT_THAT(context->outputShape(0).status(),
              IsError(StatusCode::FailedPrecondition, "input 'x' is not bound"));
  const auto x = countingFloats(100), z = countingFloats(100);
  const int64_t shape[] = {100}, outputShape[] = {2, 50}, wrongShape[] = {2, 49};
  EXPECT_OK(context->bindInput(0, floats(x->data(), shape)));
  Result<BoundShape> computed = context->outputShape(0);
  ASSERT_TRUE(computed.isOk()) << computed.status().toString();
  EXPECT_EQ(*computed, BoundShape({2, 50}));
  EXPECT_OK(context->bindOutput(0, floats(z->data(), wrongShape)));
  EXPECT_THAT(context->run(nullptr), IsError(StatusCode::InvalidArgument,
                                             "output 'z' has shape 2x49, expected 2x50 (n = 100)"));
  EXPECT_OK(context->bindOutput(0, floats(z->data(), outputShape)));
  EXPECT_OK(context->run(nullptr));
}

TEST(ExecutionContext, RunNamesWhatIsNotBound) {
  auto context = makeTestContext(loadTestEngine(), "null");
  EXPECT_THAT(context->run(nullptr),
              IsError(StatusCode::FailedPrecondition, "input 'x' is not bound"));
  const auto x = countingFloats(10);
  const int64_t shape[] = {10};
  EXPECT_OK(context->bindInput(0, floats(x->data(), shape)));
  EXPECT_THAT(context->run(nullptr),
              IsError(StatusCode::FailedPrecondition,
                      "output 'z' is not bound; it needs float32 of shape 10"));
}

TEST(ExecutionContext, HostTensorsAreRefusedOnTheCallersStream) {
  auto context = makeTestContext(loadTestEngine(), "null");
  const auto x = countingFloats(10), z = countingFloats(10);
  bindFloats(*context, x->data(), z->data(), 10);
  int stream = 0;
  EXPECT_THAT(context->run(&stream),
              IsError(StatusCode::InvalidArgument, "input 'x' is in host memory"));
}

TEST(ExecutionContext, BadBindingsAreRefusedAndTheEarlierOneStays) {
  auto context = makeTestContext(loadTestEngine(), "null");
  const auto x = countingFloats(1000), z = countingFloats(1000);
  bindFloats(*context, x->data(), z->data(), 100);
  EXPECT_OK(context->run(nullptr));
  const int64_t shape[] = {100}, none[] = {0}, negative[] = {-1}, rank2[] = {10, 10},
                tooLarge[] = {INT64_MAX / 2};
  TensorBinding wrongType = floats(x->data(), shape);
  wrongType.dtype = DataType::Float16;
  const auto expectRefused = [&](const TensorBinding &binding, StatusCode code, const char *text) {
    EXPECT_THAT(context->bindInput(0, binding), IsError(code, text));
  };
  expectRefused(wrongType, StatusCode::InvalidArgument,
                "input 'x' has dtype float16, expected float32");
  expectRefused(floats(x->data(), rank2), StatusCode::InvalidArgument,
                "has rank 2 (shape 10x10), expected rank 1 (shape n)");
  expectRefused(floats(x->data(), {}), StatusCode::InvalidArgument, "has rank 0 (shape scalar)");
  expectRefused(floats(x->data(), none), StatusCode::OutOfRange,
                "dimension 0 (n) is 0, expected 1 to any size");
  expectRefused(floats(x->data(), negative), StatusCode::OutOfRange, "dimension 0 (n) is -1");
  expectRefused(floats(x->data(), tooLarge), StatusCode::OutOfRange,
                "more bytes than an address can count");
  expectRefused(floats(nullptr, shape), StatusCode::InvalidArgument, "its address is null");
  expectRefused(floats(x->floats() + 1, shape), StatusCode::InvalidArgument,
                "is not a multiple of 16 bytes");
  EXPECT_OK(context->run(nullptr));
  EXPECT_EQ(context->statistics().numPlans, 1u);
}

TEST(ExecutionContext, FixedDimensionsAndRepeatedSymbolsAreCompared) {
  TestEngine test = makeTestEngine();
  const uint32_t n = test.engine.inputs[0]->shape[0], three = appendConstant(test.engine, 3);
  test.engine.inputs[0]->shape = {n, n, three};
  const uint32_t square = appendExpression(test.engine, ExprKind::Mul, n, n);
  const uint32_t bytes = appendConstant(test.engine, 12);
  test.engine.buffers[0]->size_bytes = appendExpression(test.engine, ExprKind::Mul, square, bytes);
  auto context = makeTestContext(loadTestEngine(std::move(test)), "null");
  const auto x = countingFloats(100);
  const int64_t good[] = {5, 5, 3}, unequal[] = {5, 4, 3}, notThree[] = {5, 5, 4};
  EXPECT_THAT(context->bindInput(0, floats(x->data(), notThree)),
              IsError(StatusCode::InvalidArgument, "dimension 2 is 4, expected 3"));
  EXPECT_OK(context->bindInput(0, floats(x->data(), unequal)));
  EXPECT_THAT(context->outputShape(0).status(),
              IsError(StatusCode::InvalidArgument,
                      "input 'x' has shape 5x4x3: dimension 1 is 4, expected 5 (n = 5)"));
  EXPECT_OK(context->bindInput(0, floats(x->data(), good)));
  EXPECT_TRUE(context->outputShape(0).isOk());
}

/// An engine that does not fit large or odd shapes, and what a run of `n` elements says.
struct RefusedRun {
  const char *name;
  int64_t n;
  std::function<void(fb::EngineT &)> change;
  StatusCode code;
  const char *message;
};

void PrintTo(const RefusedRun &refused, std::ostream *out) { *out << refused.name; }

class RunRefuses : public testing::TestWithParam<RefusedRun> {};

TEST_P(RunRefuses, TheShapeBeforeAnythingIsAllocated) {
  TestEngine test = makeTestEngine();
  GetParam().change(test.engine);
  auto context = makeTestContext(loadTestEngine(std::move(test)), "null");
  const auto memory = countingFloats(16);
  bindFloats(*context, memory->data(), memory->data(), GetParam().n, true);
  EXPECT_THAT(context->run(nullptr), IsError(GetParam().code, GetParam().message));
  EXPECT_EQ(countersOf(*context).launches, 0u);
  EXPECT_EQ(context->statistics().allocatedBytes, 0u);
  EXPECT_EQ(context->statistics().numPlans, 0u);
}

void dropChecks(fb::EngineT &engine) { engine.checks.clear(); }

const RefusedRun kRefusedRuns[] = {
    {"failedCheck", 1001, [](fb::EngineT &) {}, StatusCode::InvalidArgument,
     "the inputs' shapes do not fit the engine: n is at most 1000 (n = 1001)"},
    {"scalarBeyondInt32", int64_t{1} << 31, dropChecks, StatusCode::OutOfRange,
     "kernel 'add_one_kernel' of plugin 'my::add_one' (node 'add_one_1'): parameter 'n' is "
     "2147483648, beyond the range of its type int32, -2147483648 to 2147483647; its expression "
     "is n (n = 2147483648)"},
    {"gridTooLarge", 65536,
     [](fb::EngineT &engine) {
       dropChecks(engine);
       engine.steps[0]->kind.AsLaunch()->grid[1] = engine.inputs[0]->shape[0];
     },
     StatusCode::OutOfRange, "its grid has 65536 programs in y; possible are 0 to 65535"},
    {"gridNegative", 3,
     [](fb::EngineT &engine) {
       const uint32_t negative = appendConstant(engine, -1);
       engine.steps[0]->kind.AsLaunch()->grid[2] = negative;
     },
     StatusCode::OutOfRange, "its grid has -1 programs in z"},
    {"overflow", int64_t{1} << 40,
     [](fb::EngineT &engine) {
       dropChecks(engine);
       const uint32_t n = engine.inputs[0]->shape[0];
       appendExpression(engine, ExprKind::Mul, n, n);
     },
     StatusCode::OutOfRange, "while computing sizes with n = 1099511627776: n*n"},
    {"negativeBuffer", 8,
     [](fb::EngineT &engine) {
       engine.buffers[1]->size_bytes = engine.buffers[2]->size_bytes = appendConstant(engine, -4);
     },
     StatusCode::OutOfRange, "buffer 1 of the engine would have -4 bytes (n = 8)"},
    {"boundBytesAreNotWhatTheKernelNeeds", 8,
     [](fb::EngineT &engine) { engine.buffers[0]->size_bytes = appendConstant(engine, 64); },
     StatusCode::DataLoss, "the engine gives 'x' a buffer of 64 bytes; its shape 8 has 32"},
};

INSTANTIATE_TEST_SUITE_P(ExecutionContext, RunRefuses, testing::ValuesIn(kRefusedRuns),
                         [](const auto &test) { return std::string(test.param.name); });

TEST(ExecutionContext, ProfilersSeeEachStep) {
  auto context = makeTestContext(loadTestEngine(), "null");
  const auto x = countingFloats(300), z = countingFloats(300);
  bindFloats(*context, x->data(), z->data(), 300);
  std::vector<ProfiledStep> steps;
  EXPECT_OK(context->setProfiler([&](const ProfiledStep &step) { steps.push_back(step); }));
  EXPECT_OK(context->run(nullptr));
  EXPECT_OK(context->run(nullptr));
  ASSERT_EQ(steps.size(), 8u);
  using Kind = ProfiledStep::Kind;
  const Kind kinds[] = {Kind::CopyIn, Kind::Launch, Kind::Copy, Kind::CopyOut};
  const std::string names[] = {"x", "add_one_kernel", "", "z"};
  double last = 0;
  for (uint32_t i = 0; i < 8; ++i) {
    const ProfiledStep &step = steps[i];
    EXPECT_EQ(step.kind, kinds[i % 4]) << i;
    EXPECT_EQ(step.name, names[i % 4]);
    EXPECT_EQ(step.run, i / 4);
    EXPECT_EQ(step.index, i % 4);
    EXPECT_EQ(step.sizeBytes, i % 4 == 1 ? 2408u : 1200u);
    last = i % 4 == 0 ? 0 : last;
    EXPECT_EQ(step.times.beginUs, last);
    EXPECT_GE(step.times.endUs, step.times.beginUs);
    EXPECT_GE(step.times.hostEndUs, step.times.hostBeginUs);
    last = step.times.endUs;
  }
  EXPECT_STREQ(steps[1].plugin, "my::add_one");
  EXPECT_STREQ(steps[1].node, "add_one_1");
  EXPECT_THAT(steps[1].grid, testing::ElementsAre(2, 1, 1));
  EXPECT_THAT(context->measureUs(1).status(),
              IsError(StatusCode::FailedPrecondition, "a context with a profiler cannot measure"));
  EXPECT_OK(context->setProfiler(nullptr));
  EXPECT_OK(context->run(nullptr));
  EXPECT_EQ(steps.size(), 8u);
}

TEST(ExecutionContext, UnknownDevicesAreRefused) {
  std::shared_ptr<Engine> engine = loadTestEngine();
  for (const char *device : {"", "gpu", "cuda:", "cuda:x", "cuda:-1", "cuda:1x", "cpu:0", "null:1"})
    EXPECT_THAT(ExecutionContext::create(engine, device, {0}).status(),
                IsError(StatusCode::InvalidArgument, "unknown device '" + std::string(device)));
  EXPECT_THAT(ExecutionContext::create(engine, "null", {-1}).status(),
              IsError(StatusCode::InvalidArgument, "-1 threads"));
}

TEST(ExecutionContext, KeepsStateOfItsOwnFromRunToRun) {
  for (const char *device : {"null", "cpu"}) {
    const auto engine = loadTestEngine(makeStateTestEngine());
    const auto one = makeTestContext(engine, device), other = makeTestContext(engine, device);
    const auto x = countingFloats(2, 1), z = countingFloats(2, 100);
    float first[2];
    std::memcpy(first, "8 bytes.", sizeof(first));
    const int64_t shape[] = {2};
    for (const auto &context : {one.get(), other.get()}) {
      EXPECT_OK(context->bindInput(0, {x->data(), DataType::Float32, shape}));
      EXPECT_OK(context->bindOutput(0, {z->data(), DataType::Float32, shape}));
    }
    EXPECT_OK(one->run(nullptr));
    EXPECT_EQ(std::memcmp(z->data(), first, sizeof(first)), 0) << device;
    EXPECT_OK(one->run(nullptr));
    EXPECT_THAT(std::span(z->floats(), 2), testing::ElementsAre(1, 2)) << device;
    EXPECT_OK(other->run(nullptr));
    EXPECT_EQ(std::memcmp(z->data(), first, sizeof(first)), 0) << device;
    EXPECT_OK(one->resetState());
    EXPECT_OK(one->run(nullptr));
    EXPECT_EQ(std::memcmp(z->data(), first, sizeof(first)), 0) << device;
    EXPECT_GE(one->statistics().allocatedBytes, 8u);
  }
}

} // namespace
} // namespace inlay
