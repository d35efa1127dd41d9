// Contexts of one profile of an engine, on the null device.
#include "runtime/core/ShapeProfile.h"

#include "runtime/core/TestContext.h"
#include "runtime/devices/null/NullDevice.h"

namespace inlay {
namespace {

struct TestRange {
  int64_t min, opt, max;
};

/// The test engine for n up to 1000 with these profiles.
std::shared_ptr<Engine> loadEngineWith(const std::vector<TestRange> &profiles) {
  TestEngine test = makeTestEngine();
  for (const TestRange &range : profiles)
    addTestProfile(test.engine, range.min, range.opt, range.max);
  return loadTestEngine(std::move(test));
}

std::unique_ptr<ExecutionContext> makeContext(const std::shared_ptr<Engine> &engine,
                                              uint32_t profile) {
  ContextOptions options;
  options.profile = profile;
  auto context = ExecutionContext::create(engine, "null", options);
  INLAY_CHECK(context.isOk(), context.status().toString());
  return std::move(*context);
}

Status runWith(ExecutionContext &context, int64_t n) {
  static const auto x = countingFloats(1000), z = countingFloats(1000);
  const int64_t shape[] = {n};
  INLAY_TRY(context.bindInput(0, {x->data(), DataType::Float32, shape, true}));
  INLAY_TRY(context.bindOutput(0, {z->data(), DataType::Float32, shape, true}));
  return context.run(nullptr);
}

TEST(ShapeProfile, ContextsRefuseShapesOutsideTheirs) {
  std::shared_ptr<Engine> engine = loadEngineWith({{1, 8, 64}, {65, 512, 1000}});
  auto small = makeContext(engine, 1), large = makeContext(engine, 2), any = makeContext(engine, 0);
  EXPECT_OK(runWith(*small, 64));
  EXPECT_THAT(runWith(*small, 65),
              IsError(StatusCode::OutOfRange, "input 'x' has shape 65: dimension 0 (n) is 65, "
                                              "expected 1 to 64 in profile 1"));
  EXPECT_OK(small->run(nullptr)); // the earlier binding stays
  EXPECT_THAT(runWith(*large, 64),
              IsError(StatusCode::OutOfRange, "is 64, expected 65 to 1000 in profile 2"));
  EXPECT_OK(runWith(*large, 65));
  for (int64_t n : {1, 64, 65, 1000})
    EXPECT_OK(runWith(*any, n));
}

TEST(ShapeProfile, NothingIsAllocatedAfterTheContextIsMade) {
  std::shared_ptr<Engine> engine = loadEngineWith({{1, 8, 64}, {65, 512, 1000}});
  auto small = makeContext(engine, 1), large = makeContext(engine, 2);
  EXPECT_EQ(small->statistics().allocatedBytes, 4 * 64u);
  EXPECT_EQ(large->statistics().allocatedBytes, 4 * 1000u);
  EXPECT_EQ(large->statistics().plannedBytes, 0u);
  const auto &counters = *static_cast<NullDevice &>(large->device()).counters();
  const uint64_t before = counters.allocations;
  for (int64_t n : {65, 1000, 512, 999})
    EXPECT_OK(runWith(*large, n));
  EXPECT_OK(runWith(*small, 64));
  EXPECT_EQ(counters.allocations, before);
  EXPECT_EQ(large->statistics().plannedBytes, 4 * 999u);
}

TEST(ShapeProfile, UnboundedOnesReserveNothing) {
  std::shared_ptr<Engine> engine =
      loadEngineWith({{2, 8, INT64_MAX}, {1, 8, INT64_MAX / 2}, {100, 100, 100}});
  for (uint32_t profile : {1u, 2u}) { // without a bound, and with one beyond what bytes can count
    auto context = makeContext(engine, profile);
    EXPECT_EQ(context->statistics().allocatedBytes, 0u);
    EXPECT_OK(runWith(*context, 10));
  }
  auto context = makeContext(engine, 1);
  EXPECT_THAT(runWith(*context, 1),
              IsError(StatusCode::OutOfRange, "is 1, expected 2 to any size in profile 1"));
}

TEST(ShapeProfile, OthersThanTheEngineHasAreRefused) {
  ContextOptions options;
  options.profile = 3;
  EXPECT_THAT(
      ExecutionContext::create(loadEngineWith({{1, 8, 64}, {65, 512, 1000}}), "null", options)
          .status(),
      IsError(StatusCode::OutOfRange,
              "profile 3 was asked for; engine 'add_one' has 2 profiles, counted from 1"));
  EXPECT_THAT(ExecutionContext::create(loadTestEngine(), "null", options).status(),
              IsError(StatusCode::OutOfRange, "engine 'add_one' has 0 profiles"));
}

TEST(ShapeProfile, DimensionsAreDescribed) {
  std::shared_ptr<Engine> engine = loadEngineWith({{1, 8, 64}, {65, 512, 1000}});
  EXPECT_EQ(numProfiles(*engine), 2u);
  const DimDescription whole = dimInProfile(*engine, 0, 0, 0),
                       large = dimInProfile(*engine, 2, 0, 0);
  EXPECT_EQ(whole.opt, 64);
  EXPECT_EQ(whole.max, INT64_MAX);
  EXPECT_EQ(large.min, 65);
  EXPECT_EQ(large.opt, 512);
  EXPECT_EQ(large.max, 1000);
  EXPECT_STREQ(large.symbol, "n");
}

} // namespace
} // namespace inlay
