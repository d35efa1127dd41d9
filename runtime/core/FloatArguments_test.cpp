// Float arguments that are expressions over sizes.
#include "runtime/core/ArgumentValue.h"
#include "runtime/core/LaunchTable.h"
#include "runtime/core/TestContext.h"

#include <bit>
#include <cmath>
#include <functional>
#include <limits>

namespace inlay {
namespace {

/// The test engine with 1.0 / (n - 2) as its float argument.
TestEngine engineWithFloatExpression() {
  TestEngine test = makeTestEngine();
  const uint32_t n = test.engine.inputs[0]->shape[0];
  const uint32_t minusTwo = appendConstant(test.engine, -2);
  const uint32_t less = appendExpression(test.engine, ExprKind::Add, n, minusTwo);
  auto &floats = test.engine.float_expressions;
  floats.emplace_back(static_cast<uint8_t>(FloatKind::Constant), 0, 0, 0, 1.0);
  floats.emplace_back(static_cast<uint8_t>(FloatKind::Integer), less, 0, 0, 0);
  floats.emplace_back(static_cast<uint8_t>(FloatKind::Divide), 0, 1, 0, 0);
  fb::ArgumentT &argument = *test.engine.steps[0]->kind.AsLaunch()->arguments[4];
  argument.kind = fb::ArgumentKind::FloatExpression;
  argument.index = 2;
  return test;
}

Status runWith(ExecutionContext &context, int64_t n) {
  auto x = countingFloats(16);
  const int64_t shape[] = {n};
  EXPECT_OK(context.bindInput(0, {x->data(), DataType::Float32, shape, true}));
  EXPECT_OK(context.bindOutput(0, {x->data(), DataType::Float32, shape, true}));
  return context.run(nullptr);
}

TEST(FloatArguments, AreComputedWhenShapesChange) {
  auto engine = loadTestEngine(engineWithFloatExpression());
  auto context = makeTestContext(engine, "null");
  EXPECT_OK(runWith(*context, 6));
  // Division by zero is found before anything is launched, with names and sizes.
  EXPECT_THAT(runWith(*context, 2),
              IsError(StatusCode::OutOfRange,
                      "kernel 'add_one_kernel' of plugin 'my::add_one' (node 'add_one_1'): "
                      "parameter 'scale' is inf, no finite value of its type float32 (n = 2)"));
  EXPECT_OK(runWith(*context, 10));
}

TEST(FloatArguments, OfSkippedLaunchesMayHaveNoValue) {
  TestEngine test = engineWithFloatExpression();
  test.engine.steps[0]->kind.AsLaunch()->grid[1] = appendConstant(test.engine, 0);
  auto context = makeTestContext(loadTestEngine(std::move(test)), "null");
  EXPECT_OK(runWith(*context, 2));
}

fb::FloatInstruction step(FloatKind kind, uint32_t a, uint32_t b) {
  return {static_cast<uint8_t>(kind), a, b, 0, 0};
}

TEST(FloatArguments, HostileProgramsAreRefused) {
  const std::pair<std::function<void(fb::EngineT &)>, const char *> changes[] = {
      {[](fb::EngineT &e) { e.float_expressions[2] = step(FloatKind::Divide, 0, 2); },
       "float_expressions[2] uses step 2, which does not come before it"},
      {[](fb::EngineT &e) {
         e.float_expressions[2] = step(static_cast<FloatKind>(kNumFloatKinds), 0, 1);
       },
       "float_expressions[2] has unknown kind 19"},
      {[](fb::EngineT &e) { e.float_expressions[1] = step(FloatKind::Integer, 1000, 0); },
       "float_expressions[1]"},
      {[](fb::EngineT &e) { e.steps[0]->kind.AsLaunch()->arguments[4]->index = 3; },
       "float expression"},
      {[](fb::EngineT &e) { e.float_expressions.clear(); }, "float expression"},
      {[](fb::EngineT &e) {
         e.steps[0]->kind.AsLaunch()->arguments[1]->kind = fb::ArgumentKind::FloatExpression;
       },
       "does not fit its parameter"}};
  for (const auto &[change, message] : changes) {
    TestEngine test = engineWithFloatExpression();
    change(test.engine);
    auto bytes = writeEngineFile(std::move(test.engine), test.segments);
    ASSERT_FALSE(bytes.isOk()) << message;
    EXPECT_THAT(bytes.status().message(), testing::HasSubstr(message));
  }
}

TEST(FloatArguments, AreFiniteOnceRounded) {
  const double inf = std::numeric_limits<double>::infinity();
  uint64_t slot = 0;
  EXPECT_TRUE(storeFiniteFloat(DataType::Float32, 0.25, slot));
  EXPECT_EQ(slot, std::bit_cast<uint32_t>(0.25f));
  EXPECT_FALSE(storeFiniteFloat(DataType::Float32, 1e39, slot));
  EXPECT_TRUE(storeFiniteFloat(DataType::Float64, 1e39, slot));
  EXPECT_FALSE(storeFiniteFloat(DataType::Float64, inf, slot));
  EXPECT_FALSE(storeFiniteFloat(DataType::Float64, std::nan(""), slot));
  EXPECT_FALSE(storeFiniteFloat(DataType::Float16, 70000, slot));
  EXPECT_TRUE(storeFiniteFloat(DataType::Float16, -65504, slot));
  EXPECT_FALSE(storeFiniteFloat(DataType::BFloat16, 3.4e38, slot));
  EXPECT_FALSE(storeFiniteFloat(DataType::Int32, 1, slot));
}

TEST(FloatArguments, RangesOfIntegersAreNamed) {
  EXPECT_EQ(integerRangeText(DataType::Int32), "-2147483648 to 2147483647");
  EXPECT_EQ(integerRangeText(DataType::UInt8), "0 to 255");
  EXPECT_EQ(integerRangeText(DataType::UInt64), "0 to 18446744073709551615");
  EXPECT_EQ(integerRangeText(DataType::Int64), "-9223372036854775808 to 9223372036854775807");
  EXPECT_EQ(integerRangeText(DataType::Bool), "0 to 1");
}

} // namespace
} // namespace inlay
