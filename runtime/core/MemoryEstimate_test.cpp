// What is said to be needed, and what is allocated.
#include "runtime/core/MemoryEstimate.h"

#include "engine/TestEngine.h"
#include "runtime/core/TestContext.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace inlay {
namespace {

TEST(MemoryEstimate, CountsEachKindOfBuffer) {
  auto engine = loadTestEngine();
  const int64_t n = 1000;
  Result<MemoryEstimate> estimate = estimateMemory(engine->file(), std::span(&n, 1));
  ASSERT_TRUE(estimate.isOk()) << estimate.status().toString();
  EXPECT_EQ(estimate->inputBytes, 4000u);
  EXPECT_EQ(estimate->outputBytes, 4000u);
  EXPECT_EQ(estimate->weightBytes, 8u);
  EXPECT_EQ(estimate->stateBytes, 0u);
  EXPECT_GE(estimate->intermediateBytes, 4000u);
  EXPECT_LT(estimate->intermediateBytes, 4300u);
  EXPECT_EQ(estimate->total(), 8008 + estimate->intermediateBytes);
}

TEST(MemoryEstimate, StateIsHeldTwice) {
  auto engine = loadTestEngine(makeStateTestEngine());
  const Result<MemoryEstimate> estimate = estimateMemory(engine->file(), {});
  ASSERT_TRUE(estimate.isOk());
  EXPECT_EQ(estimate->weightBytes, 8u);
  EXPECT_EQ(estimate->stateBytes, 8u);
}

TEST(MemoryUse, IsWhatTheContextSaysItNeeds) {
  auto engine = loadTestEngine();
  auto context = makeTestContext(engine, "null");
  const int64_t shape[] = {1000};
  auto x = countingFloats(1000), z = countingFloats(1000);
  EXPECT_OK(context->bindInput(0, {x->data(), DataType::Float32, shape, false}));
  EXPECT_OK(context->bindOutput(0, {z->data(), DataType::Float32, shape, false}));
  EXPECT_OK(context->run(nullptr));
  const MemoryUse use = context->device().memoryUse();
  const auto needed = static_cast<double>(context->statistics().neededBytes);
  EXPECT_NEAR(static_cast<double>(use.peakBytes), needed, 0.1 * needed);
  EXPECT_EQ(use.nowBytes, use.peakBytes);
  // Memory that callers ask for counts, and stays in the peak when it is freed.
  Result<void *> memory = context->device().allocate(5000);
  ASSERT_TRUE(memory.isOk());
  context->device().free(*memory);
  EXPECT_EQ(context->device().memoryUse().nowBytes, use.nowBytes);
  EXPECT_EQ(context->device().memoryUse().peakBytes, use.peakBytes + 5000);
}

} // namespace
} // namespace inlay
