// Weights beside engines, refitting and the cache of engines from C++, over the two shared
// libraries.
#include <inlay/compiler.h>
#include <inlay/engine.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <unistd.h>

namespace inlay {
namespace {

using testing::HasSubstr;

constexpr const char *kModel =
    R"(graph.model @m inputs ["x"] [""] outputs ["y"] [""] symbols [] checks [] {
^bb0(%x: !graph.tensor<["4"], "float32">):
  %w = graph.constant "w" dense<2.0> : tensor<4xf32> : !graph.tensor<["4"], "float32">
  %y = graph.call "aten::mul.Tensor" node "mul" (%x, %w) names ["self", "other"] arguments {} : (!graph.tensor<["4"], "float32">, !graph.tensor<["4"], "float32">) -> !graph.tensor<["4"], "float32">
  graph.output %y : !graph.tensor<["4"], "float32">
}
)";

class Weights : public testing::Test {
protected:
  Weights()
      : folder_(std::filesystem::temp_directory_path() /
                ("inlay_weights_" + std::to_string(getpid()))) {
    std::filesystem::create_directories(folder_);
    options_.model = (folder_ / "m.mlir").string();
    std::ofstream(options_.model) << kModel;
  }
  ~Weights() override { std::filesystem::remove_all(folder_); }

  static float firstOf(Context &context) {
    HostTensor x(INLAY_DTYPE_FLOAT32, {4}), y(INLAY_DTYPE_FLOAT32, {4});
    x.data<float>()[0] = 5;
    context.bind("x", x).bind("y", y);
    context.run();
    return y.data<float>()[0];
  }

  std::filesystem::path folder_;
  BuildOptions options_;
};

TEST_F(Weights, SavingThatFailsLeavesWhatIsThere) {
  const CompiledEngine built = build(options_);
  const std::filesystem::path taken = folder_ / "taken.inlay";
  std::filesystem::create_directories(taken / "inside");
  EXPECT_THROW(built.save(taken.string()), BuildError);
  EXPECT_TRUE(std::filesystem::exists(taken / "inside"));
  EXPECT_FALSE(std::filesystem::exists(taken.string() + ".part"));
}

TEST_F(Weights, BuildsAreCancelledWheneverTheyAsk) {
  options_.weightsFile = "m.weights";
  options_.engineCache = (folder_ / "engines").string();
  options_.targets = {"cpu:x86-64-v3"};
  int count = 0, last = 0;
  options_.isCancelled = [&] { return ++count > last; };
  const auto codeOfBuild = [&] {
    count = 0;
    try {
      build(options_);
      return INLAY_STATUS_OK;
    } catch (const BuildError &error) {
      EXPECT_THAT(error.what(), HasSubstr("cancelled before it was done"));
      return error.code();
    }
  };
  while (codeOfBuild() == INLAY_STATUS_CANCELLED) {
    ASSERT_LT(++last, 1000);
    EXPECT_LE(count, last + 1); // it ends where it is told to, but for what a cache passes over
  }
  EXPECT_GT(last, 10); // phases, passes, the kernel, the weight, the cache
  EXPECT_EQ(codeOfBuild(), INLAY_STATUS_OK);
}

TEST_F(Weights, LieBesideTheEngineAndAreRefitted) {
  options_.weightsFile = "m.weights";
  options_.isRefittable = true;
  const CompiledEngine built = build(options_);
  ASSERT_GT(built.weightsSizeBytes(), 0u);
  EXPECT_EQ(built.weightsSizeBytes(), 64u + 16u); // known before the bytes are asked for
  const std::string path = (folder_ / "m.inlay").string();
  built.save(path);
  Engine engine = Engine::load(path);
  Context context = engine.createContext();
  EXPECT_EQ(firstOf(context), 10);
  ASSERT_EQ(engine.weights().size(), 1u);
  EXPECT_EQ(engine.weights()[0].name, "w");
  EXPECT_EQ(engine.weights()[0].shape, Shape{4});
  std::vector<float> next(4, 3.0f);
  engine.refit("w", Tensor(next.data(), {4}));
  EXPECT_EQ(firstOf(context), 15);
  try {
    engine.refitAll({{"v", Tensor(next.data(), {4})}});
    FAIL() << "fitted";
  } catch (const Error &error) {
    EXPECT_EQ(error.code(), INLAY_STATUS_INVALID_ARGUMENT);
    EXPECT_THAT(error.message(), HasSubstr("'v' is no weight of the engine\n  'w' is missing"));
  }
  EXPECT_EQ(firstOf(context), 15);
  EXPECT_EQ(Engine::fromMemory(built.data(), built.sizeBytes(), (folder_ / "m.weights").string())
                .weights()
                .size(),
            1u);
}

TEST_F(Weights, AreTakenFromTheEngineCacheToo) {
  options_.weightsFile = "m.weights";
  options_.engineCache = (folder_ / "engines").string();
  const CompiledEngine first = build(options_), second = build(options_);
  EXPECT_THAT(first.report(), HasSubstr("\"hit\": false"));
  EXPECT_THAT(second.report(), HasSubstr("\"hit\": true"));
  ASSERT_EQ(first.weightsSizeBytes(), second.weightsSizeBytes());
  EXPECT_EQ(std::memcmp(first.weights(), second.weights(), first.weightsSizeBytes()), 0);
  ASSERT_EQ(first.sizeBytes(), second.sizeBytes());
  EXPECT_EQ(std::memcmp(first.data(), second.data(), first.sizeBytes()), 0);
}

TEST_F(Weights, HalfPrecisionIsMeasuredByTheProgram) {
  options_.precision = "bf16";
  options_.precisionMeter = [](const void *reference, size_t referenceSizeBytes, const void *engine,
                               size_t engineSizeBytes) {
    Context exact = Engine::fromMemory(reference, referenceSizeBytes).createContext();
    Context half = Engine::fromMemory(engine, engineSizeBytes).createContext();
    const double expected = firstOf(exact), found = firstOf(half);
    return std::vector<OutputError>{{"y", std::abs(found - expected), 0.5, expected, 0}};
  };
  const std::string report = build(options_).report();
  EXPECT_THAT(report, HasSubstr("\"type\": \"bfloat16\""));
  EXPECT_THAT(report, HasSubstr("\"max_rel_error\": 0.5"));
  EXPECT_THAT(report, HasSubstr("\"max_abs_value\": 10"));
  options_.keepFp32 = {"mul"};
  EXPECT_THAT(build(options_).report(), HasSubstr("'mul' was asked for"));
  options_.precisionMeter = [](const void *, size_t, const void *,
                               size_t) -> std::vector<OutputError> {
    throw std::runtime_error("no device");
  };
  try {
    build(options_);
    FAIL() << "built";
  } catch (const BuildError &error) {
    EXPECT_THAT(error.what(), HasSubstr("no device, while measuring the error of half precision"));
  }
}

} // namespace
} // namespace inlay
