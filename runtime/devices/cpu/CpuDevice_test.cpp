// The CPU device with an image made by hand (CpuKernel_testlibrary.cpp).
#include "runtime/core/CountAllocations.h"
#include "runtime/devices/cpu/CpuDevice.h"
#include "runtime/devices/cpu/CpuFeatures.h"
#include "runtime/devices/cpu/CpuTestEngine.h"

#include <atomic>
#include <cmath>
#include <thread>

namespace inlay {
namespace {

void addImage(TestEngine &test, std::string_view level, const char *entry) {
  auto image = std::make_unique<fb::ImageT>(*test.engine.kernels[0]->images[1]);
  image->target = "cpu:" + std::string(level);
  image->entry = entry;
  test.engine.kernels[0]->images.push_back(std::move(image));
}

/// Runs on `n` floats counting from 0; what was added to all of them, or NaN if not the same.
float addedBy(ExecutionContext &context, int64_t n) {
  const auto x = countingFloats(static_cast<size_t>(n)), z = countingFloats(static_cast<size_t>(n));
  const int64_t shape[] = {n};
  EXPECT_OK(context.bindInput(0, {x->data(), DataType::Float32, shape, false}));
  EXPECT_OK(context.bindOutput(0, {z->data(), DataType::Float32, shape, false}));
  EXPECT_OK(context.run(nullptr));
  const float added = z->floats()[0] - x->floats()[0];
  for (size_t i = 0; i < static_cast<size_t>(n); ++i)
    if (z->floats()[i] != x->floats()[i] + added)
      return std::numeric_limits<float>::quiet_NaN();
  return added;
}

TEST(CpuDevice, RunsKernelsOnSmallAndLargeTensors) {
  std::shared_ptr<Engine> engine = loadTestEngine(makeCpuEngine());
  for (const int32_t numThreads : {1, 3, 0}) {
    auto context = makeTestContext(engine, "cpu", numThreads);
    for (const int64_t n : {1, 255, 256, 257, 100'000, 1'000'003})
      EXPECT_EQ(addedBy(*context, n), 1) << n << " elements, " << numThreads << " threads";
  }
}

/// The error of a run in debug mode of the kernel with this entry.
Status debugRun(const char *entry, TestMemory &z) {
  TestEngine test = makeCpuEngine();
  test.engine.kernels[0]->images[1]->entry = entry;
  auto context = makeTestContext(loadTestEngine(std::move(test)), "cpu", 1, 0, true);
  const auto x = countingFloats(300);
  const int64_t shape[] = {300};
  EXPECT_OK(context->bindInput(0, {x->data(), DataType::Float32, shape, false}));
  EXPECT_OK(context->bindOutput(0, {z.data(), DataType::Float32, shape, false}));
  Status first = context->run(nullptr);
  EXPECT_EQ(context->run(nullptr).message(), first.message()); // the guards are whole again
  EXPECT_EQ(x->floats()[1], 1);                                // the caller's memory is spared
  return first;
}

TEST(CpuDevice, DebugModeFindsStrayWrites) {
  const auto z = countingFloats(300);
  EXPECT_OK(debugRun("add_one_kernel", *z));
  EXPECT_EQ(z->floats()[299], 300);
  EXPECT_THAT(debugRun("write_behind_kernel", *z),
              IsError(StatusCode::OutOfRange,
                      "a write outside of intermediate 1 (1200 bytes): byte 1 behind it is now "
                      "0x00, while running step 0, kernel 'add_one_kernel' of plugin "
                      "'my::add_one' (node 'add_one_1'), with grid 2x1x1 and arguments 'x_ptr' = "
                      "0x"));
  EXPECT_THAT(debugRun("write_in_front_kernel", *z),
              IsError(StatusCode::OutOfRange, "a write outside of intermediate 1 (1200 bytes): "
                                              "byte 5 in front of it is now 0x40"));
  EXPECT_THAT(debugRun("write_input_kernel", *z),
              IsError(StatusCode::OutOfRange, "a write to input 'x' (1200 bytes): its byte 6 was "
                                              "0x80 and is now 0xe0"));
  EXPECT_OK(debugRun("write_nothing_kernel", *z));
  EXPECT_TRUE(std::isnan(z->floats()[5])); // what nobody wrote is NaN
}

TEST(CpuDevice, DebugModeTakesOtherShapes) {
  auto context = makeTestContext(loadTestEngine(makeCpuEngine()), "cpu", 2, 0, true);
  for (const int64_t n : {1000, 5, 2000, 1})
    EXPECT_EQ(addedBy(*context, n), 1) << n;
}

TEST(CpuDevice, ContextsShareThreadsAndRunAtOnce) {
  std::shared_ptr<Engine> engine = loadTestEngine(makeCpuEngine());
  std::atomic<int> numWrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      auto context = makeTestContext(engine, "cpu", 4);
      for (int i = 0; i < 20; ++i)
        numWrong += addedBy(*context, 50'000 + i) != 1;
    });
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_EQ(numWrong, 0);
}

constexpr uint64_t kScratchBytes = uint64_t{2} << 20; // of add_by_scratch_kernel

TestEngine makeScratchEngine(uint64_t scratchBytes = kScratchBytes) {
  TestEngine test = makeCpuEngine();
  test.engine.kernels[0]->images[1]->entry = "add_by_scratch_kernel";
  test.engine.kernels[0]->images[1]->scratch_bytes = scratchBytes;
  return test;
}

TEST(CpuDevice, ScratchMemoryIsAllocatedWhenAContextIsMade) {
  std::shared_ptr<Engine> engine = loadTestEngine(makeScratchEngine());
  for (const int32_t numThreads : {1, 4}) {
    auto context = makeTestContext(engine, "cpu", numThreads);
    EXPECT_EQ(context->statistics().allocatedBytes,
              static_cast<uint64_t>(numThreads) * kScratchBytes);
    for (const int64_t n : {1, 257, 100'000})
      EXPECT_EQ(addedBy(*context, n), 1) << n << " elements, " << numThreads << " threads";
    if (!INLAY_COUNTS_ALLOCATIONS)
      continue; // ThreadSanitizer has an operator new of its own
    const auto x = countingFloats(100'000), z = countingFloats(100'000);
    const int64_t shape[] = {100'000};
    EXPECT_OK(context->bindInput(0, {x->data(), DataType::Float32, shape, false}));
    EXPECT_OK(context->bindOutput(0, {z->data(), DataType::Float32, shape, false}));
    EXPECT_OK(context->run(nullptr));
    const uint64_t before = numAllocations;
    bool isOk = true;
    for (int i = 0; i < 200; ++i)
      isOk = context->run(nullptr).isOk() && isOk;
    const uint64_t after = numAllocations;
    EXPECT_TRUE(isOk);
    EXPECT_EQ(after, before) << numThreads << " threads";
  }
}

TEST(CpuDevice, ThreadsOfContextsThatRunAtOnceShareNoScratchMemory) {
  std::shared_ptr<Engine> engine = loadTestEngine(makeScratchEngine());
  std::atomic<int> numWrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      auto context = makeTestContext(engine, "cpu", 4);
      for (int i = 0; i < 10; ++i)
        numWrong += addedBy(*context, 40'000 + i) != 1;
    });
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_EQ(numWrong, 0);
}

TEST(CpuDevice, ScratchMemoryThatIsNotThereIsAnError) {
  for (const uint64_t bytes : {UINT64_MAX, uint64_t{1} << 62})
    EXPECT_THAT(
        ExecutionContext::create(loadTestEngine(makeScratchEngine(bytes)), "cpu", {4}).status(),
        IsError(StatusCode::OutOfMemory,
                std::to_string(bytes) + " bytes of scratch memory for each of 4 threads"));
  std::shared_ptr<Engine> engine = loadTestEngine(makeScratchEngine());
  std::unique_ptr<Device> device = createCpuDevice(0).value();
  auto kernel = device->loadKernel(engine->file(), *engine->metadata().kernels()->Get(0));
  ASSERT_TRUE(kernel.isOk()) << kernel.status().toString();
  Stream stream = device->createStream(2).value();
  LaunchRecord record{kernel->get(), {1, 1, 1}, nullptr, 0};
  EXPECT_THAT(device->launch(record, stream),
              IsError(StatusCode::FailedPrecondition, "2097152 bytes of scratch memory"));
  EXPECT_EQ(device->prepareLaunches(**kernel, stream).value(), 2 * kScratchBytes);
  EXPECT_EQ(device->prepareLaunches(**kernel, stream).value(), 0u);
  device->destroyStream(stream);
}

TEST(CpuDevice, HostTensorsAreUsedWhereTheyAre) {
  auto context = makeTestContext(loadTestEngine(makeCpuEngine()), "cpu");
  EXPECT_EQ(addedBy(*context, 1000), 1);
  EXPECT_EQ(context->statistics().allocatedBytes, 4000u); // the intermediate alone
  int stream = 0;
  EXPECT_THAT(context->run(&stream),
              IsError(StatusCode::InvalidArgument, "a stream was given to a run on cpu"));
}

TEST(CpuDevice, RunsTheImageOfTheHighestLevelTheProcessorHas) {
  TestEngine test = makeCpuEngine();
  test.engine.kernels[0]->images[1]->entry = "no_such_entry"; // lowest level, not to be looked at
  for (int level = 1; level <= 3; ++level)
    addImage(test, kCpuLevelNames[level],
             level == cpuLevel() ? "add_hundred_kernel" : "no_such_entry");
  auto made = ExecutionContext::create(loadTestEngine(std::move(test)), "cpu", {1});
  if (cpuLevel() == 0) {
    EXPECT_THAT(made.status(), IsError(StatusCode::DataLoss, "has no entry 'no_such_entry'"));
    return;
  }
  ASSERT_TRUE(made.isOk()) << made.status().toString();
  EXPECT_EQ(addedBy(**made, 300), 100);
}

TEST(CpuDevice, SaysWhatAnEngineWithoutCodeForItHolds) {
  TestEngine test = makeCpuEngine();
  test.engine.kernels[0]->images[1]->target = "cpu:x86-64-v9";
  EXPECT_THAT(ExecutionContext::create(loadTestEngine(std::move(test)), "cpu", {1}).status(),
              IsError(StatusCode::Incompatible,
                      "the engine holds: cuda:sm_80 (PTX), cpu:x86-64-v9; build it with --target "
                      "cpu"));
}

TEST(CpuDevice, RefusesCodeThatDoesNotLoad) {
  TestEngine noLibrary = makeCpuEngine(), noEntry = makeCpuEngine();
  noLibrary.segments[1] = bytesOf("\177ELF not really");
  noEntry.engine.kernels[0]->images[1]->entry = "missing_kernel";
  EXPECT_THAT(ExecutionContext::create(loadTestEngine(std::move(noLibrary)), "cpu", {1}).status(),
              IsError(StatusCode::DataLoss, "cannot load library 'add_one_kernel' from memory"));
  EXPECT_THAT(
      ExecutionContext::create(loadTestEngine(std::move(noEntry)), "cpu", {1}).status(),
      IsError(StatusCode::DataLoss,
              "the code of kernel 'add_one_kernel' for cpu:x86-64 has no entry 'missing_kernel'"));
}

TEST(CpuDevice, RunsEachProgramOfAGridOnce) {
  TestEngine test = makeCpuEngine();
  test.engine.kernels[0]->images[1]->entry = "count_programs_kernel";
  std::shared_ptr<Engine> engine = loadTestEngine(std::move(test));
  std::unique_ptr<Device> device = createCpuDevice(0).value();
  auto kernel = device->loadKernel(engine->file(), *engine->metadata().kernels()->Get(0));
  ASSERT_TRUE(kernel.isOk()) << kernel.status().toString();
  Stream stream = device->createStream(4).value();
  const uint32_t grids[][3] = {{1, 1, 1}, {7, 5, 3}, {1000, 1, 2}, {1, 1, 33}};
  for (const auto &grid : grids)
    for (const uint64_t workBytes : {uint64_t{0}, uint64_t{1} << 20}) {
      std::vector<uint32_t> counts(grid[0] * grid[1] * grid[2]);
      void *pointer = counts.data(), *arguments[] = {&pointer};
      LaunchRecord record{kernel->get(), {grid[0], grid[1], grid[2]}, arguments, workBytes};
      EXPECT_OK(device->launch(record, stream));
      EXPECT_EQ(counts, std::vector<uint32_t>(counts.size(), 1));
    }
  device->destroyStream(stream);
}

TEST(CpuDevice, CountsTheLargestGridWithoutOverflow) {
  std::unique_ptr<Device> device = createCpuDevice(0).value();
  Stream stream = device->createStream(1).value();
  LaunchRecord record{nullptr, {UINT32_MAX, UINT32_MAX, UINT32_MAX}, nullptr, 0};
  EXPECT_THAT(device->launch(record, stream),
              IsError(StatusCode::OutOfRange, "is too large for the CPU"));
  device->destroyStream(stream);
}

TEST(CpuDevice, DescribesItself) {
  const Result<DeviceInfo> info = describeDevice("cpu");
  ASSERT_TRUE(info.isOk());
  EXPECT_EQ(info->target, "cpu:" + std::string(kCpuLevelNames[cpuLevel()]));
  EXPECT_GT(info->memoryBytes, 0u);
  EXPECT_GT(info->numCores, 0);
  ::setenv("INLAY_NUM_THREADS", "7", 1);
  EXPECT_EQ(describeDevice("cpu")->numCores, 7);
  ::setenv("INLAY_NUM_THREADS", "many", 1);
  EXPECT_EQ(describeDevice("cpu")->numCores, info->numCores);
  ::unsetenv("INLAY_NUM_THREADS");
}

TEST(CpuDevice, AllocationsAreAlignedAndRefusedBeyondTheAddressSpace) {
  std::unique_ptr<Device> device = createCpuDevice(0).value();
  void *memory = device->allocate(1).value();
  EXPECT_EQ(reinterpret_cast<uintptr_t>(memory) % 256, 0u);
  device->free(memory);
  EXPECT_THAT(device->allocate(UINT64_MAX).status(),
              IsError(StatusCode::OutOfMemory, "bytes of host memory"));
}

} // namespace
} // namespace inlay
