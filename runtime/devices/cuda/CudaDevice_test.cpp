// The CUDA device on a driver made for tests (CudaMock.h), so that all of it runs without a GPU.
#include "runtime/devices/cuda/CudaDevice.h"
#include "runtime/devices/cuda/CudaDriver.h"
#include "runtime/devices/cuda/CudaTestFixture.h"

#include <cstdlib>
#include <thread>

namespace inlay {
namespace {

TEST_F(CudaDeviceTest, RunsOnItsOwnStreamAndWaits) {
  auto context = makeTestContext(loadTestEngine(makeCudaEngine()), "cuda:1");
  EXPECT_EQ(context->deviceName(), "cuda:1 (Mock GPU 1, cuda:sm_90a)");
  ASSERT_EQ(mock_->images.size(), 1u);
  EXPECT_EQ(mock_->images[0], ".version 7.5\n"); // ends where the segment does
  Bound bound(*context);
  EXPECT_OK(context->run(nullptr));
  EXPECT_TRUE(bound.isResultRight());
  ASSERT_EQ(mock_->launches.size(), 1u);
  const CudaMockLaunch &launch = mock_->launches[0];
  EXPECT_EQ(launch.entry, "add_one_kernel");
  EXPECT_THAT(launch.grid, testing::ElementsAre(2, 1, 1));
  EXPECT_EQ(launch.block[0], 128u);
  EXPECT_EQ(launch.sharedBytes, 0u);
  EXPECT_EQ(launch.stream, context->stream());
  EXPECT_EQ(launch.arguments[1], 300u);
  EXPECT_EQ(launch.arguments[4], 0x3f000000u);
  EXPECT_EQ(mock_->synchronized.back(), context->stream());
  EXPECT_EQ(mock_->numCopies, 4); // the constant, x, the engine's own, z
}

TEST_F(CudaDeviceTest, EnqueuesOnTheCallersStream) {
  auto context = makeTestContext(loadTestEngine(makeCudaEngine()), "cuda");
  Bound bound(*context, true);
  const size_t numWaits = mock_->synchronized.size();
  int callersStream = 0;
  EXPECT_OK(context->run(&callersStream));
  EXPECT_TRUE(bound.isResultRight());
  EXPECT_EQ(mock_->launches.at(0).stream, &callersStream);
  EXPECT_EQ(mock_->launches.at(0).arguments[0], reinterpret_cast<uint64_t>(bound.x->data()));
  EXPECT_EQ(mock_->synchronized.size(), numWaits);
  EXPECT_OK(context->run(nullptr));
  EXPECT_EQ(mock_->launches.at(1).stream, context->stream());
  EXPECT_OK(context->synchronize());
}

TEST_F(CudaDeviceTest, RunsInAThreadThatHasNotSeenTheDevice) {
  auto context = makeTestContext(loadTestEngine(makeCudaEngine()), "cuda");
  std::thread([&] {
    Bound bound(*context);
    EXPECT_OK(context->run(nullptr));
    EXPECT_TRUE(bound.isResultRight());
    context.reset();
  }).join();
}

TEST_F(CudaDeviceTest, LoadsModulesOnceForAllContextsAndShapes) {
  std::shared_ptr<Engine> engine = loadTestEngine(makeCudaEngine());
  auto first = makeTestContext(engine, "cuda"), second = makeTestContext(engine, "cuda:0");
  for (ExecutionContext *context : {first.get(), second.get()}) {
    Bound bound(*context);
    EXPECT_OK(context->run(nullptr));
    const int64_t shape[] = {100};
    EXPECT_OK(context->bindInput(0, {bound.x->data(), DataType::Float32, shape, false}));
    EXPECT_OK(context->bindOutput(0, {bound.z->data(), DataType::Float32, shape, false}));
    EXPECT_OK(context->run(nullptr));
  }
  EXPECT_EQ(mock_->images.size(), 1u);
  EXPECT_EQ(mock_->launches.size(), 4u);
}

TEST_F(CudaDeviceTest, MeasuresWithEvents) {
  auto context = makeTestContext(loadTestEngine(makeCudaEngine()), "cuda");
  Bound bound(*context);
  Result<double> measured = context->measureUs(10);
  ASSERT_TRUE(measured.isOk()) << measured.status().toString();
  EXPECT_DOUBLE_EQ(*measured, 50); // the mock's 0.5 ms by 10
  for (const char *function :
       {"cuEventCreate", "cuEventRecord", "cuEventSynchronize", "cuEventElapsedTime"}) {
    failAt(function);
    EXPECT_EQ(context->measureUs(10).status().code(), StatusCode::DeviceError) << function;
  }
}

TEST_F(CudaDeviceTest, AlignsBuffersThatAskForMoreThanTheAllocatorGives) {
  TestEngine test = makeCudaEngine();
  test.engine.buffers[1]->alignment_bytes = 4096;
  auto context = makeTestContext(loadTestEngine(std::move(test)), "cuda");
  Bound bound(*context);
  EXPECT_OK(context->run(nullptr));
  EXPECT_TRUE(bound.isResultRight());
  EXPECT_EQ(mock_->launches.at(0).arguments[2] % 4096, 0u);
}

TEST_F(CudaDeviceTest, DescribesGpus) {
  const Result<DeviceInfo> info = describeDevice("cuda:1");
  ASSERT_TRUE(info.isOk()) << info.status().toString();
  EXPECT_EQ(info->name, "Mock GPU 1");
  EXPECT_EQ(info->target, "cuda:sm_90a");
  EXPECT_EQ(info->memoryBytes, uint64_t{80} << 30);
  EXPECT_EQ(info->numCores, 132);
  EXPECT_EQ(info->driverVersion, 12040);
  EXPECT_EQ(*countDevices("cuda"), 2u);
  EXPECT_THAT(describeDevice("cuda:2").status(),
              IsError(StatusCode::DeviceError,
                      "there is no device cuda:2; the NVIDIA driver finds 2 GPUs"));
  mock_->numDevices = 1;
  EXPECT_THAT(describeDevice("cuda:1").status(),
              IsError(StatusCode::DeviceError, "the NVIDIA driver finds 1 GPU"));
  failAt("cuDriverGetVersion");
  EXPECT_EQ(describeDevice("cuda")->driverVersion, 0);
}

TEST_F(CudaDeviceTest, AsksForLargeSharedMemory) {
  TestEngine test = makeCudaEngine();
  test.engine.kernels[0]->images[0]->shared_bytes = 100'000;
  {
    auto context = makeTestContext(loadTestEngine(std::move(test)), "cuda");
    EXPECT_THAT(mock_->funcAttributes,
                testing::ElementsAre(cuda::kFunctionAttributeMaxDynamicSharedBytes, 100'000));
    Bound bound(*context);
    EXPECT_OK(context->run(nullptr));
    EXPECT_EQ(mock_->launches.at(0).sharedBytes, 100'000u);
  }
  const auto withShared = [] {
    TestEngine large = makeCudaEngine();
    large.engine.kernels[0]->images[0]->shared_bytes = 100'000;
    return large;
  };
  failAt("cuFuncSetAttribute");
  EXPECT_THAT(createContext(withShared()),
              IsError(StatusCode::DeviceError, "raising the kernel's shared memory failed"));
  mock_->maxSharedBytesOptIn = 99'999;
  EXPECT_THAT(createContext(withShared()),
              IsError(StatusCode::Incompatible,
                      "kernel 'add_one_kernel' needs 100000 bytes of shared memory; cuda:0 (Mock "
                      "GPU 0) has 99999 per block"));
}

TEST_F(CudaDeviceTest, LaunchesWithWhatTheImageSays) {
  TestEngine test = makeCudaEngine();
  fb::ImageT &image = *test.engine.kernels[0]->images[0];
  image.block = {16, 4, 2};
  image.cluster = {2, 1, 1};
  image.blocks_per_program = 2;
  image.is_cooperative = image.is_programmatic = true;
  auto context = makeTestContext(loadTestEngine(std::move(test)), "cuda");
  EXPECT_THAT(mock_->funcAttributes, testing::IsEmpty());
  Bound bound(*context);
  EXPECT_OK(context->run(nullptr));
  ASSERT_EQ(mock_->launches.size(), 1u);
  const CudaMockLaunch &launch = mock_->launches[0];
  EXPECT_THAT(launch.grid, testing::ElementsAre(4, 1, 1)); // 2 programs of 2 blocks
  EXPECT_THAT(launch.block, testing::ElementsAre(16, 4, 2));
  ASSERT_EQ(launch.attributes.size(), 3u);
  EXPECT_THAT(launch.attributes.at(cuda::LaunchAttribute::ClusterDimension),
              testing::ElementsAre(2, 1, 1));
  EXPECT_EQ(launch.attributes.at(cuda::LaunchAttribute::Cooperative)[0], 1u);
  EXPECT_EQ(launch.attributes.at(cuda::LaunchAttribute::ProgrammaticStreamSerialization)[0], 1u);
}

TEST_F(CudaDeviceTest, LargeClustersAreAllowedFirst) {
  TestEngine test = makeCudaEngine();
  test.engine.kernels[0]->images[0]->cluster = {4, 4, 1};
  EXPECT_OK(createContext(std::move(test)));
  EXPECT_THAT(mock_->funcAttributes,
              testing::ElementsAre(cuda::kFunctionAttributeNonPortableCluster, 1));
}

TEST_F(CudaDeviceTest, LaunchesWithTheBlockAndSharedMemoryOfTheShapes) {
  TestEngine test = makeCudaEngine();
  fb::LaunchT &launch = *test.engine.steps[0]->kind.AsLaunch();
  const uint32_t n = test.engine.inputs[0]->shape[0];
  launch.block = {appendConstant(test.engine, 8), appendConstant(test.engine, 4),
                  appendConstant(test.engine, 1)};
  launch.shared_bytes =
      appendExpression(test.engine, ExprKind::Mul, n, appendConstant(test.engine, 200));
  auto context = makeTestContext(loadTestEngine(std::move(test)), "cuda");
  Bound bound(*context);
  EXPECT_OK(context->run(nullptr));
  EXPECT_OK(context->run(nullptr));
  ASSERT_EQ(mock_->launches.size(), 2u);
  EXPECT_THAT(mock_->launches[0].block, testing::ElementsAre(8, 4, 1));
  EXPECT_EQ(mock_->launches[0].sharedBytes, 60'000u);
  // The driver is told once.
  EXPECT_THAT(mock_->funcAttributes,
              testing::ElementsAre(cuda::kFunctionAttributeMaxDynamicSharedBytes, 60'000));
}

TEST_F(CudaDeviceTest, RefusesMoreSharedMemoryThanThereIsAtTheRun) {
  mock_->maxSharedBytesOptIn = 59'999;
  TestEngine test = makeCudaEngine();
  test.engine.steps[0]->kind.AsLaunch()->shared_bytes = appendConstant(test.engine, 60'000);
  auto context = makeTestContext(loadTestEngine(std::move(test)), "cuda");
  Bound bound(*context);
  EXPECT_THAT(
      context->run(nullptr),
      IsError(StatusCode::Incompatible,
              "a launch needs 60000 bytes of shared memory; cuda:0 (Mock GPU 0) has 59999"));
}

TEST_F(CudaDeviceTest, NamesGpuAndImagesWhereNoneFits) {
  mock_->major = 7;
  mock_->minor = 5;
  EXPECT_THAT(createContext(),
              IsError(StatusCode::Incompatible,
                      "kernel 'add_one_kernel' has no code for cuda:0 (Mock GPU 0, compute "
                      "capability 7.5); the engine holds: cuda:sm_80 (PTX), cpu:x86-64-v3; this "
                      "GPU is too old: 8.0 is the oldest that Inlay builds for"));
  mock_->major = 12;
  mock_->minor = 0;
  TestEngine specific = makeCudaEngine();
  specific.engine.kernels[0]->images[0]->target = "cuda:sm_90a";
  EXPECT_THAT(createContext(std::move(specific)),
              IsError(StatusCode::Incompatible, "build it with --target cuda:sm_120a"));
}

TEST_F(CudaDeviceTest, ExplainsCodeThatTheDriverDoesNotLoad) {
  mock_->jitLog = "ptxas fatal: line 3";
  failAt("module", cuda::kErrorUnsupportedPtxVersion);
  EXPECT_THAT(createContext(), IsError(StatusCode::Incompatible,
                                       "kernel 'add_one_kernel' (cuda:sm_80) is PTX of ISA version "
                                       "7.5, newer than the NVIDIA driver reads (its CUDA version "
                                       "is 12.4): update the driver"));
  failAt("module", cuda::kErrorNoBinaryForGpu);
  EXPECT_THAT(createContext(), IsError(StatusCode::Incompatible,
                                       "does not run on cuda:0 (Mock GPU 0, compute capability "
                                       "9.0)"));
  failAt("module", cuda::kErrorOutOfMemory);
  EXPECT_THAT(createContext(), IsError(StatusCode::OutOfMemory, "CUDA_ERROR_OUT_OF_MEMORY"));
  failAt("module", 218);
  EXPECT_THAT(createContext(),
              IsError(StatusCode::DeviceError, "the driver's log: ptxas fatal: line 3"));
  failAt("");
  TestEngine noEntry = makeCudaEngine();
  noEntry.engine.kernels[0]->images[0]->entry = "missing_kernel";
  EXPECT_THAT(createContext(std::move(noEntry)),
              IsError(StatusCode::DeviceError,
                      "while loading kernel 'add_one_kernel' with entry 'missing_kernel'"));
}

TEST_F(CudaDeviceTest, EveryFailureOfCreatingAContextIsAnError) {
  for (const char *function :
       {"cuInit", "cuDeviceGetCount", "cuDeviceGet", "cuDeviceGetName", "cuDeviceGetAttribute",
        "cuDeviceTotalMem_v2", "cuDevicePrimaryCtxRetain", "cuCtxSetCurrent", "cuMemAlloc_v2",
        "cuMemcpyHtoDAsync_v2", "cuModuleLoadDataEx", "cuModuleGetFunction", "cuStreamCreate",
        "cuStreamSynchronize"}) {
    failAt(function);
    EXPECT_THAT(createContext(), IsError(StatusCode::DeviceError,
                                         "CUDA_ERROR_MOCK (the mock was told to fail, error 1)"))
        << function;
    mock_->liveModules = mock_->liveStreams = 0; // what cannot be freed without a context
    mock_->liveAllocations = 0;
  }
  failAt("cuInit", cuda::kErrorNoDevice);
  EXPECT_THAT(createContext(), IsError(StatusCode::DeviceError, "finds no GPU"));
  failAt("cuMemAlloc_v2", cuda::kErrorOutOfMemory);
  EXPECT_THAT(createContext(),
              IsError(StatusCode::OutOfMemory, "cannot allocate 8 bytes on cuda:0 (Mock GPU 0)"));
  mock_->knowsErrors = false;
  failAt("cuInit", 999);
  EXPECT_THAT(createContext(),
              IsError(StatusCode::DeviceError, "unknown error (no description, error 999)"));
}

TEST_F(CudaDeviceTest, EveryFailureOfARunIsAnErrorAndTheNextRunWorks) {
  const std::pair<const char *, const char *> failures[] = {
      {"cuCtxSetCurrent", "cuCtxSetCurrent failed"},
      {"cuMemcpyHtoDAsync_v2", "while copying 'x' between host and device"},
      {"cuLaunchKernel",
       "cuLaunchKernel failed: CUDA_ERROR_MOCK (the mock was told to fail, error 1), while running "
       "step 0, kernel 'add_one_kernel' of plugin 'my::add_one' (node 'add_one_1'), with grid "
       "2x1x1, block 128x1x1 and arguments 'x_ptr' = 0x"},
      {"cuMemcpyDtoDAsync_v2", "while running step 1, a copy"},
      {"cuMemcpyDtoHAsync_v2", "while copying 'z' between host and device"},
      {"cuStreamSynchronize", "waiting for the GPU failed"},
  };
  auto context = makeTestContext(loadTestEngine(makeCudaEngine()), "cuda");
  for (const auto &[function, message] : failures) {
    Bound bound(*context);
    failAt(function);
    EXPECT_THAT(context->run(nullptr), IsError(StatusCode::DeviceError, message)) << function;
    failAt("");
    EXPECT_OK(context->run(nullptr));
    EXPECT_TRUE(bound.isResultRight()) << function;
  }
}

TEST_F(CudaDeviceTest, DebugModeNamesAllOfALaunch) {
  TestEngine test = makeCudaEngine();
  test.engine.steps[0]->kind.AsLaunch()->arguments[1]->index =
      appendConstant(test.engine, 301); // one more than there are
  auto context = makeTestContext(loadTestEngine(std::move(test)), "cuda", 0, 4, true);
  for (const bool isOnDevice : {false, true}) {
    Bound bound(*context, isOnDevice);
    int stream = 0;
    const Status status = context->run(isOnDevice ? &stream : nullptr);
    EXPECT_THAT(status,
                IsError(StatusCode::OutOfRange,
                        "a write outside of intermediate 1 (1200 bytes): byte 1 behind it"));
    EXPECT_THAT(
        status.message(),
        testing::ContainsRegex(
            "with grid 2x1x1, block 128x1x1 and arguments 'x_ptr' = 0x[0-9a-f]+, input 'x' "
            "\\(1200 bytes\\); 'n' = 301; 'y_ptr' = 0x[0-9a-f]+, intermediate 1 \\(1200 "
            "bytes\\); 'bias_ptr' = 0x[0-9a-f]+, constant 3 \\(8 bytes\\); 'scale' = 0.5$"));
  }
  EXPECT_EQ(mock_->numInstantiated, 0); // no graphs
}

TEST_F(CudaDeviceTest, ProfilesByEventsInTheRunsStream) {
  auto context = makeTestContext(loadTestEngine(makeCudaEngine()), "cuda", 0, 4);
  Bound bound(*context, true);
  std::vector<ProfiledStep> steps;
  EXPECT_OK(context->setProfiler([&](const ProfiledStep &step) { steps.push_back(step); }));
  EXPECT_EQ(mock_->liveEvents, 5); // two steps and two copies that may be needed
  int stream = 0;
  for (int i = 0; i < 3; ++i)
    EXPECT_OK(context->run(&stream));
  EXPECT_TRUE(bound.isResultRight());
  ASSERT_EQ(steps.size(), 6u);
  EXPECT_EQ(steps[0].times.endUs, 500); // of the mock
  EXPECT_THAT(steps[0].block, testing::ElementsAre(128, 1, 1));
  EXPECT_EQ(mock_->numInstantiated, 0); // no graphs
  for (const char *function : {"cuEventRecord", "cuEventSynchronize", "cuEventElapsedTime"}) {
    failAt(function);
    EXPECT_THAT(context->run(&stream),
                IsError(StatusCode::DeviceError, "the mock was told to fail"))
        << function;
    failAt("");
  }
  EXPECT_OK(context->setProfiler(nullptr));
  EXPECT_EQ(mock_->liveEvents, 0);
}

TEST_F(CudaDeviceTest, DebugModeStagesTensorsOfTheDevice) {
  auto context = makeTestContext(loadTestEngine(makeCudaEngine()), "cuda", 0, 0, true);
  Bound bound(*context, true);
  EXPECT_OK(context->run(nullptr));
  EXPECT_TRUE(bound.isResultRight());
  Bound onHost(*context);
  int stream = 0;
  EXPECT_THAT(context->run(&stream), IsError(StatusCode::InvalidArgument, "is in host memory"));
  EXPECT_OK(context->run(nullptr));
  EXPECT_TRUE(onHost.isResultRight());
}

TEST_F(CudaDeviceTest, OutOfMemoryInARunNamesWhatItWasFor) {
  auto context = makeTestContext(loadTestEngine(makeCudaEngine()), "cuda");
  failAt("cuMemAlloc_v2", cuda::kErrorOutOfMemory);
  {
    Bound onDevice(*context, true);
    EXPECT_THAT(context->run(nullptr),
                IsError(StatusCode::OutOfMemory,
                        "cannot allocate 1200 bytes on cuda:0 (Mock GPU 0): "
                        "CUDA_ERROR_OUT_OF_MEMORY (the mock was told to fail, error 2), while "
                        "allocating the memory of intermediates"));
    failAt("");
    EXPECT_OK(context->run(nullptr));
  }
  failAt("cuMemAlloc_v2", cuda::kErrorOutOfMemory);
  Bound onHost(*context);
  EXPECT_THAT(context->run(nullptr),
              IsError(StatusCode::OutOfMemory, "while allocating device memory for 'x'"));
  failAt("");
  EXPECT_OK(context->run(nullptr));
  EXPECT_TRUE(onHost.isResultRight());
}

TEST_F(CudaDeviceTest, DriversThatAreMissingOrTooOldAreNamed) {
  ::setenv("INLAY_CUDA_DRIVER", "/nowhere/libcuda.so.1", 1);
  EXPECT_THAT(createContext(), IsError(StatusCode::DeviceError,
                                       "no NVIDIA driver: /nowhere/libcuda.so.1 was not found"));
  EXPECT_EQ(countDevices("cuda").status().code(), StatusCode::DeviceError);
  ::setenv("INLAY_CUDA_DRIVER", INLAY_TEST_CUDA_OLD_MOCK, 1);
  EXPECT_THAT(createContext(),
              IsError(StatusCode::Incompatible, "has no function cuMemAlloc_v2: it is too old"));
}

} // namespace
} // namespace inlay
