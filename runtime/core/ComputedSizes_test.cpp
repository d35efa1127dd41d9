// Sizes that kernels compute, on the null device, where a copy from an input computes them; and
// outputs in an input's memory.
#include "runtime/core/CountAllocations.h"
#include "runtime/core/TestContext.h"
#include "runtime/devices/null/NullDevice.h"

namespace inlay {
namespace {

using testing::ElementsAre;

const NullDeviceCounters &countersOf(ExecutionContext &context) {
  return *static_cast<NullDevice &>(context.device()).counters();
}

class ComputedSizes : public testing::Test {
protected:
  ComputedSizes() { setCount(30); }

  void makeContext(TestEngine test = makeSizeTestEngine(), bool isDebug = false) {
    context_ = makeTestContext(loadTestEngine(std::move(test)), "null", 0, 0, isDebug);
    bindInputs(100);
  }
  void setCount(int32_t count) { *static_cast<int32_t *>(count_.data()) = count; }
  void bindInputs(int64_t n) {
    const int64_t shape[] = {n};
    EXPECT_OK(context_->bindInput(0, {x_->data(), DataType::Float32, shape}));
    EXPECT_OK(context_->bindInput(1, {count_.data(), DataType::Int32, {}}));
  }
  Status bindOutput(int64_t size) {
    const int64_t shape[] = {size};
    return context_->bindOutput(0, {z_->data(), DataType::Float32, shape});
  }

  std::unique_ptr<ExecutionContext> context_;
  std::unique_ptr<TestMemory> x_ = countingFloats(1000), z_ = countingFloats(1000, 5000);
  TestMemory count_{64};
};

TEST_F(ComputedSizes, AnOutputIsBoundForTheBoundAndThenHasTheSizeOfTheRun) {
  makeContext();
  EXPECT_TRUE(context_->engine().outputs()[0].dependsOnData);
  EXPECT_THAT(*context_->outputShape(0), ElementsAre(100));
  EXPECT_OK(bindOutput(30));
  EXPECT_THAT(context_->run(nullptr),
              IsError(StatusCode::InvalidArgument, "output 'z' has shape 30, expected 100"));
  EXPECT_OK(bindOutput(100));
  for (int32_t count : {30, 0, 100, 7}) {
    setCount(count);
    EXPECT_OK(context_->run(nullptr));
    EXPECT_THAT(*context_->outputShape(0), ElementsAre(count));
    EXPECT_THAT(*context_->outputBound(0), ElementsAre(100));
  }
  // Bound anew, the inputs are those of another run.
  bindInputs(100);
  EXPECT_THAT(*context_->outputShape(0), ElementsAre(100));
  bindInputs(200);
  EXPECT_THAT(*context_->outputShape(0), ElementsAre(200));
  EXPECT_THAT(*context_->outputBound(0), ElementsAre(200));
  EXPECT_OK(bindOutput(200));
  EXPECT_OK(context_->run(nullptr));
  EXPECT_THAT(*context_->outputShape(0), ElementsAre(7));
  EXPECT_EQ(context_->statistics().plannedBytes, 1024u + 4u); // 200 floats, then the count
}

TEST_F(ComputedSizes, OnlyWhatWasComputedIsCopiedOut) {
  makeContext();
  EXPECT_OK(bindOutput(100));
  EXPECT_OK(context_->run(nullptr));
  EXPECT_EQ(z_->floats()[30], 5030.0f);
}

TEST_F(ComputedSizes, OutsideTheirRangeAreNamed) {
  makeContext();
  EXPECT_OK(bindOutput(100));
  for (int32_t count : {101, -1, INT32_MIN}) {
    setCount(count);
    EXPECT_THAT(context_->run(nullptr),
                IsError(StatusCode::OutOfRange,
                        "plugin 'my::select' (node 'select_1') computed the size " +
                            std::to_string(count) + " for 'u'; possible are 0 to 100"));
  }
  setCount(100);
  EXPECT_OK(context_->run(nullptr));
}

TEST_F(ComputedSizes, ChecksOnThemAreTestedWhenTheyAreKnown) {
  TestEngine test = makeSizeTestEngine();
  auto check = std::make_unique<fb::CheckT>();
  check->condition =
      appendExpression(test.engine, ExprKind::LessEqual, test.engine.outputs[0]->shape[0],
                       appendConstant(test.engine, 40));
  check->message = "at most 40 are possible";
  test.engine.checks.push_back(std::move(check));
  makeContext(std::move(test));
  EXPECT_OK(bindOutput(100)); // their bound is no violation
  EXPECT_OK(context_->run(nullptr));
  setCount(41);
  EXPECT_THAT(context_->run(nullptr),
              IsError(StatusCode::InvalidArgument,
                      "the sizes that it computes do not fit the engine: at most 40 are possible"));
  setCount(40);
  EXPECT_OK(context_->run(nullptr));
}

TEST_F(ComputedSizes, BuffersThatGrowAsASizeShrinksAreRefused) {
  TestEngine test = makeSizeTestEngine();
  // A workspace of 400 - 4 * u bytes: nothing at the bound, which memory is planned for.
  fb::EngineT &engine = test.engine;
  const uint32_t negative = appendExpression(engine, ExprKind::Mul, appendConstant(engine, -4),
                                             engine.outputs[0]->shape[0]);
  auto buffer = std::make_unique<fb::BufferT>();
  buffer->kind = fb::BufferKind::Workspace;
  buffer->size_bytes =
      appendExpression(engine, ExprKind::Add, appendConstant(engine, 400), negative);
  buffer->last_step = 3;
  engine.buffers.push_back(std::move(buffer));
  makeContext(std::move(test));
  EXPECT_OK(bindOutput(100));
  EXPECT_THAT(context_->run(nullptr),
              IsError(StatusCode::OutOfRange,
                      "workspace 6 (0 bytes) would have 280 bytes with the "
                      "sizes that were computed; it was planned for up to 0"));
}

TEST_F(ComputedSizes, RunsAllocateNothing) {
  if (!INLAY_COUNTS_ALLOCATIONS)
    GTEST_SKIP() << "ThreadSanitizer has an operator new of its own";
  makeContext();
  EXPECT_OK(bindOutput(100));
  EXPECT_OK(context_->run(nullptr));
  const uint64_t before = numAllocations, deviceBefore = countersOf(*context_).allocations;
  bool isOk = true;
  for (int32_t i = 0; i < 100; ++i) {
    setCount(i);
    isOk = isOk && context_->run(nullptr).isOk();
  }
  EXPECT_EQ(numAllocations, before);
  EXPECT_TRUE(isOk);
  EXPECT_EQ(countersOf(*context_).allocations, deviceBefore);
}

TEST_F(ComputedSizes, AreStepsOfAProfileAndOfADebuggedRun) {
  makeContext(makeSizeTestEngine(), true);
  EXPECT_OK(bindOutput(100));
  std::vector<ProfiledStep> steps;
  EXPECT_OK(context_->setProfiler([&](const ProfiledStep &step) { steps.push_back(step); }));
  EXPECT_OK(context_->run(nullptr));
  ASSERT_EQ(steps.size(), 7u); // two inputs, four steps, an output
  EXPECT_EQ(steps[4].kind, ProfiledStep::Kind::ReadSize);
  EXPECT_STREQ(steps[4].name, "u");
  EXPECT_STREQ(steps[4].plugin, "my::select");
  EXPECT_EQ(steps[5].sizeBytes, 120u);
  EXPECT_THAT(*context_->outputShape(0), ElementsAre(30));
}

TEST_F(ComputedSizes, AnAllocatorIsAskedWithTheSizeOfTheRun) {
  makeContext();
  std::vector<std::vector<int64_t>> asked;
  OutputPlace place{z_->data(), false};
  context_->setOutputAllocator(0,
                               [&](const TensorDescription &output, std::span<const int64_t> shape,
                                   uint64_t sizeBytes) -> Result<OutputPlace> {
                                 EXPECT_EQ(output.name, "z");
                                 asked.push_back({shape[0], static_cast<int64_t>(sizeBytes)});
                                 if (asked.size() > 3)
                                   return Status(StatusCode::OutOfMemory, "no more memory");
                                 return place;
                               });
  for (int32_t count : {30, 0}) {
    setCount(count);
    EXPECT_OK(context_->run(nullptr));
    EXPECT_THAT(*context_->outputShape(0), ElementsAre(count));
  }
  EXPECT_THAT(asked, ElementsAre(ElementsAre(30, 120), ElementsAre(0, 0)));
  setCount(30);
  place.data = static_cast<char *>(z_->data()) + 4;
  EXPECT_THAT(context_->run(nullptr),
              IsError(StatusCode::InvalidArgument, "the allocator of output 'z' gave address"));
  EXPECT_THAT(context_->run(nullptr),
              IsError(StatusCode::OutOfMemory, "no more memory, while asking for the place of "));
  EXPECT_OK(bindOutput(100));
  EXPECT_OK(context_->run(nullptr));
  EXPECT_EQ(asked.size(), 4u);
  context_->setOutputAllocator(0, nullptr);
  EXPECT_THAT(context_->run(nullptr),
              IsError(StatusCode::FailedPrecondition, "output 'z' is not bound"));
}

TEST(UpdatedInputs, AreNotCopiedWhereTheOutputIsTheirMemory) {
  auto context = makeTestContext(loadTestEngine(makeUpdateTestEngine()), "null");
  const auto x = countingFloats(100), z = countingFloats(100);
  const int64_t shape[] = {100};
  EXPECT_OK(context->bindInput(0, {x->data(), DataType::Float32, shape, true}));
  for (const auto &[output, copies] : {std::pair(&z, 1u), std::pair(&x, 0u)}) {
    EXPECT_OK(context->bindOutput(0, {(*output)->data(), DataType::Float32, shape, true}));
    const uint64_t before = countersOf(*context).copies;
    EXPECT_OK(context->run(nullptr));
    EXPECT_EQ(countersOf(*context).copies - before, copies);
  }
}

} // namespace
} // namespace inlay
