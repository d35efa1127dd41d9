// Weights of a loaded engine that are replaced, before contexts are made and between runs.
#include "engine/TestEngine.h"
#include "runtime/core/TestContext.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace inlay {
namespace {

using testing::HasSubstr;

/// z is the weight "w", two floats.
TestEngine makeWeightEngine() {
  TestEngine test = makeStateTestEngine();
  test.engine.buffers[2]->kind = fb::BufferKind::Constant;
  test.engine.steps.pop_back();
  for (const auto &buffer : test.engine.buffers)
    buffer->last_step = 0;
  const float first[2] = {1, 2};
  test.segments[0].assign(reinterpret_cast<const std::byte *>(first),
                          reinterpret_cast<const std::byte *>(first + 2));
  auto weight = std::make_unique<fb::WeightT>();
  weight->name = "w";
  weight->dtype = 12; // float32
  weight->shape = {2};
  weight->buffer = 2;
  test.engine.weights.push_back(std::move(weight));
  return test;
}

NewWeight weightOf(const std::vector<float> &values, const char *name = "w") {
  return {name,
          DataType::Float32,
          {static_cast<int64_t>(values.size())},
          std::as_bytes(std::span(values))};
}

class Refit : public testing::Test {
protected:
  std::vector<float> run(ExecutionContext &context) {
    const int64_t count = 2;
    EXPECT_OK(context.bindInput(0, {x_, DataType::Float32, {&count, 1}, false}));
    EXPECT_OK(context.bindOutput(0, {z_, DataType::Float32, {&count, 1}, false}));
    EXPECT_OK(context.run(nullptr));
    return {z_[0], z_[1]};
  }
  alignas(64) float x_[2] = {}, z_[2] = {};
};

TEST_F(Refit, ReachesContextsThatAreThereAndThoseToCome) {
  auto engine = loadTestEngine(makeWeightEngine());
  auto before = makeTestContext(engine, "cpu");
  EXPECT_THAT(run(*before), testing::ElementsAre(1, 2));
  const std::vector<float> next = {3, 4};
  const NewWeight weight = weightOf(next);
  EXPECT_OK(engine->refit(std::span(&weight, 1), true));
  EXPECT_THAT(run(*before), testing::ElementsAre(3, 4));
  auto after = makeTestContext(engine, "cpu");
  EXPECT_THAT(run(*after), testing::ElementsAre(3, 4));
}

TEST_F(Refit, ReachesDevicesThatAreOpenedLater) {
  auto engine = loadTestEngine(makeWeightEngine());
  const std::vector<float> next = {5, 6};
  const NewWeight weight = weightOf(next);
  EXPECT_OK(engine->refit(std::span(&weight, 1), true));
  auto context = makeTestContext(engine, "cpu");
  EXPECT_THAT(run(*context), testing::ElementsAre(5, 6));
}

TEST_F(Refit, ChangesNothingIfAnythingDoesNotFit) {
  auto engine = loadTestEngine(makeWeightEngine());
  auto context = makeTestContext(engine, "cpu");
  const std::vector<float> good = {7, 8}, bad = {1, 2, 3};
  const std::vector<NewWeight> weights = {weightOf(good), weightOf(good, "v"), weightOf(bad, "u")};
  const Status status = engine->refit(weights, true);
  EXPECT_THAT(status.message(), HasSubstr("2 mismatches"));
  EXPECT_THAT(status.message(), HasSubstr("'v' is no weight of the engine"));
  EXPECT_THAT(run(*context), testing::ElementsAre(1, 2));
}

TEST_F(Refit, StateBeginsWithItWhenItIsReset) {
  TestEngine test = makeWeightEngine();
  test.engine.buffers[2]->kind = fb::BufferKind::State;
  auto engine = loadTestEngine(std::move(test));
  auto context = makeTestContext(engine, "cpu");
  const std::vector<float> next = {3, 4};
  const NewWeight weight = weightOf(next);
  EXPECT_OK(engine->refit(std::span(&weight, 1), false));
  EXPECT_THAT(run(*context), testing::ElementsAre(1, 2));
  EXPECT_OK(context->resetState());
  EXPECT_THAT(run(*context), testing::ElementsAre(3, 4));
}

/// What libraries may keep copies of.
TEST(ConstantArguments, AreThoseThatARefitCannotReplace) {
  for (const bool isRefittable : {false, true}) {
    TestEngine test = makeTestEngine();
    if (isRefittable) {
      auto weight = std::make_unique<fb::WeightT>();
      weight->name = "bias";
      weight->dtype = 12; // float32
      weight->shape = {2};
      weight->buffer = 3;
      test.engine.weights.push_back(std::move(weight));
    }
    auto engine = loadTestEngine(std::move(test));
    auto device = engine->onDevice("null");
    ASSERT_TRUE(device.isOk()) << device.status().toString();
    auto table = LaunchTable::create(*engine, **device);
    ASSERT_TRUE(table.isOk()) << table.status().toString();
    const LaunchRecord &launch = table->steps()[0].launch;
    EXPECT_EQ(launch.constantArguments, isRefittable ? 0u : 1u << 3);
    if (!isRefittable) {
      EXPECT_EQ(*static_cast<void **>(launch.arguments[3]), (*device)->constant(3));
    }
  }
}

} // namespace
} // namespace inlay
