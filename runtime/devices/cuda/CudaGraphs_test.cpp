// Runs recorded as CUDA graphs, on the driver made for tests.
#include "runtime/devices/cuda/CudaTestFixture.h"

namespace inlay {
namespace {

class CudaGraphs : public CudaDeviceTest {
protected:
  std::unique_ptr<ExecutionContext> makeContext(uint32_t maxGraphs = 2) {
    return makeTestContext(loadTestEngine(makeCudaEngine()), "cuda", 0, maxGraphs);
  }
  /// Runs with `n` floats that count from `first` in the first n places, and checks the result.
  void runWith(ExecutionContext &context, int64_t n, void *stream = nullptr) {
    EXPECT_OK(context.bindInput(0, {x_->data(), DataType::Float32, {&n, 1}, true}));
    EXPECT_OK(context.bindOutput(0, {z_->data(), DataType::Float32, {&n, 1}, true}));
    std::fill_n(z_->floats(), 1000, -1.0f);
    EXPECT_OK(context.run(stream));
    for (int64_t i = 0; i < 1000; ++i)
      ASSERT_EQ(z_->floats()[i], i < n ? x_->floats()[i] + 1 : -1) << n << " at " << i;
  }

  std::unique_ptr<TestMemory> x_ = countingFloats(1000), z_ = countingFloats(1000);
};

TEST_F(CudaGraphs, ShapesAreRecordedWhenTheyComeForTheSecondTime) {
  auto context = makeContext();
  runWith(*context, 1000); // the most memory that is needed here
  runWith(*context, 300);
  EXPECT_EQ(mock_->numInstantiated, 0);
  runWith(*context, 300);
  EXPECT_EQ(mock_->numInstantiated, 1);
  for (int i = 0; i < 10; ++i)
    runWith(*context, 300);
  EXPECT_EQ(mock_->numInstantiated, 1);
  EXPECT_EQ(mock_->numGraphLaunches, 11);
  EXPECT_EQ(context->statistics().numRecordings, 1u);
  EXPECT_EQ(context->statistics().numLaunches, 1u);
  EXPECT_EQ(context->numGraphs(), 1u);
  EXPECT_EQ(mock_->liveGraphs, 1); // the recorded graph itself is given back
  // The values of its arguments are the recording's, not those of the last shape.
  runWith(*context, 700);
  runWith(*context, 300);
  EXPECT_EQ(mock_->numInstantiated, 1);
  EXPECT_EQ(mock_->numGraphLaunches, 12);
}

TEST_F(CudaGraphs, TheOneNotUsedForLongestLeaves) {
  auto context = makeContext(2);
  runWith(*context, 1000);
  for (int64_t n : {100, 100, 200, 200, 100, 300, 300})
    runWith(*context, n);
  EXPECT_EQ(mock_->numInstantiated, 3);
  EXPECT_EQ(context->numGraphs(), 2u);
  EXPECT_EQ(mock_->liveGraphs, 2);
  runWith(*context, 100); // still there
  EXPECT_EQ(mock_->numInstantiated, 3);
  runWith(*context, 200); // was forgotten, but is known to come again
  EXPECT_EQ(mock_->numInstantiated, 4);
  EXPECT_EQ(mock_->liveGraphs, 2);
}

TEST_F(CudaGraphs, AreForgottenWhenTheMemoryOfIntermediatesMoves) {
  auto context = makeContext();
  runWith(*context, 300);
  runWith(*context, 300);
  EXPECT_EQ(mock_->liveGraphs, 1);
  runWith(*context, 1000);
  EXPECT_EQ(mock_->liveGraphs, 0);
  for (int i = 0; i < 3; ++i)
    runWith(*context, 300);
  EXPECT_EQ(mock_->numInstantiated, 2);
}

TEST_F(CudaGraphs, OtherAddressesAreOtherRecordings) {
  auto context = makeContext();
  runWith(*context, 300);
  runWith(*context, 300);
  auto other = countingFloats(1000, 50);
  std::swap(x_, other);
  runWith(*context, 300); // by launches: never seen with these addresses
  EXPECT_EQ(mock_->numGraphLaunches, 1);
  runWith(*context, 300);
  EXPECT_EQ(mock_->numInstantiated, 2);
  std::swap(x_, other);
  runWith(*context, 300);
  EXPECT_EQ(mock_->numInstantiated, 2);
  EXPECT_EQ(mock_->numGraphLaunches, 3);
}

TEST_F(CudaGraphs, CopiesOfHostTensorsStayOutside) {
  auto context = makeContext();
  for (int i = 0; i < 3; ++i) {
    Bound bound(*context); // host memory, another one each time
    EXPECT_OK(context->run(nullptr));
    EXPECT_TRUE(bound.isResultRight());
  }
  EXPECT_EQ(mock_->numInstantiated, 1); // staged at the same device addresses
  EXPECT_EQ(mock_->numGraphLaunches, 2);
}

TEST_F(CudaGraphs, RunOnTheCallersStream) {
  auto context = makeContext();
  int mine = 0;
  for (int i = 0; i < 3; ++i)
    runWith(*context, 300, &mine);
  EXPECT_EQ(mock_->numGraphLaunches, 2);
  EXPECT_EQ(mock_->launches[0].stream, &mine);
}

TEST_F(CudaGraphs, ACallerThatRecordsGetsLaunches) {
  auto context = makeContext();
  runWith(*context, 300);
  runWith(*context, 300);
  auto *stream = context->stream();
  auto own = context->device().createStream(0);
  ASSERT_TRUE(own.isOk());
  ASSERT_TRUE(context->device().beginGraph(*own).isOk());
  std::fill_n(z_->floats(), 1000, -1.0f);
  EXPECT_OK(context->run(*own));
  EXPECT_EQ(z_->floats()[0], -1); // recorded, not run
  EXPECT_EQ(mock_->numGraphLaunches, 1);
  Result<Graph> graph = context->device().endGraph(*own);
  ASSERT_TRUE(graph.isOk());
  EXPECT_OK(context->device().launchGraph(*graph, stream));
  EXPECT_EQ(z_->floats()[299], 300);
  context->device().destroyGraph(*graph);
  context->device().destroyStream(*own);
}

TEST_F(CudaGraphs, MeasuringLaunchesGraphs) {
  auto context = makeContext();
  runWith(*context, 300);
  ASSERT_TRUE(context->measureUs(5).isOk());
  EXPECT_EQ(mock_->numGraphLaunches, 6);
}

TEST_F(CudaGraphs, AFailedRecordingIsAnErrorAndTheNextRunWorks) {
  for (const char *function :
       {"cuStreamBeginCapture_v2", "cuStreamEndCapture", "cuGraphInstantiateWithFlags",
        "cuLaunchKernel", "cuMemcpyDtoDAsync_v2"}) {
    auto context = makeContext();
    runWith(*context, 300);
    failAt(function);
    EXPECT_THAT(context->run(nullptr), IsError(StatusCode::DeviceError, "while recording a graph"))
        << function;
    failAt("");
    runWith(*context, 300);
    EXPECT_EQ(context->statistics().numRecordings, 1u) << function;
  }
  auto context = makeContext();
  runWith(*context, 300);
  runWith(*context, 300);
  failAt("cuGraphLaunch");
  EXPECT_THAT(context->run(nullptr), IsError(StatusCode::DeviceError, "cuGraphLaunch failed"));
  failAt("");
}

TEST_F(CudaGraphs, NoneUnlessAskedFor) {
  auto context = makeContext(0);
  for (int i = 0; i < 5; ++i)
    runWith(*context, 300);
  EXPECT_EQ(mock_->numInstantiated, 0);
  EXPECT_EQ(mock_->launches.size(), 5u);
}

TEST_F(CudaGraphs, RunsThatReadASizeAreNotRecorded) {
  EXPECT_THAT(
      ExecutionContext::create(loadTestEngine(makeSizeTestEngine()), "cuda:0", {0, 4}).status(),
      IsError(StatusCode::InvalidArgument,
              "runs of this engine cannot be recorded: it waits for the size 'u' that "
              "plugin 'my::select' computes (node 'select_1')"));
}

TEST_F(CudaGraphs, DevicesWithoutGraphsRefuse) {
  EXPECT_THAT(ExecutionContext::create(loadTestEngine(), "null", {0, 4}).status(),
              IsError(StatusCode::InvalidArgument,
                      "graphs were asked for on null, which records none; only CUDA devices do"));
}

/// The test engine with its kernel launched `count` times.
TestEngine makeEngineOf(uint32_t count) {
  TestEngine test = makeTestEngine();
  const float bias[] = {2, 0};
  std::memcpy(test.segments[2].data(), bias, sizeof(bias));
  const fb::LaunchT launch = *test.engine.steps[0]->kind.AsLaunch();
  for (uint32_t i = 1; i < count; ++i) {
    auto step = std::make_unique<fb::StepT>();
    step->kind.Set(fb::LaunchT(launch));
    test.engine.steps.insert(test.engine.steps.begin(), std::move(step));
  }
  for (const auto &buffer : test.engine.buffers)
    buffer->last_step = count;
  return test;
}

TEST_F(CudaGraphs, TheHostsWorkDoesNotGrowWithTheModelOnceRecorded) {
  const auto callsOfARun = [&](uint32_t numNodes, uint32_t maxGraphs) {
    auto context = makeTestContext(loadTestEngine(makeEngineOf(numNodes)), "cuda", 0, maxGraphs);
    for (int i = 0; i < 3; ++i)
      runWith(*context, 300);
    const int before = mock_->numCalls;
    EXPECT_OK(context->run(context->stream()));
    EXPECT_EQ(context->statistics().numLaunches, numNodes);
    return mock_->numCalls - before;
  };
  const int few = callsOfARun(10, 2), many = callsOfARun(500, 2);
  EXPECT_EQ(few, many);
  EXPECT_LE(few, 3); // the context made current, is the stream recorded, one graph
  EXPECT_GT(callsOfARun(500, 0), 500); // by launches it does grow
}

} // namespace
} // namespace inlay
