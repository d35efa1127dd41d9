// Building with profiles and measured tactics from C++, over the two shared libraries.
#include <inlay/tuning.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <unistd.h>

namespace inlay {
namespace {

using testing::HasSubstr;

constexpr const char *kModel =
    R"(graph.model @m inputs ["x"] [""] outputs ["y"] [""] symbols [{name = "s0", min = 0 : i64, max = 4096 : i64, opt = 64 : i64}] checks [] {
^bb0(%x: !graph.tensor<["s0"], "float32">):
  %y = graph.call "test::OP" node "node" (%x) names ["X"] arguments {} : (!graph.tensor<["s0"], "float32">) -> !graph.tensor<["s0"], "float32">
  graph.output %y : !graph.tensor<["s0"], "float32">
}
)";

class Tuning : public testing::Test {
protected:
  Tuning()
      : folder_(std::filesystem::temp_directory_path() /
                ("inlay_tuning_" + std::to_string(getpid()))) {
    std::filesystem::create_directories(folder_);
  }
  ~Tuning() override { std::filesystem::remove_all(folder_); }

  /// The options for a model of one operator of tests/plugins/tactics.
  BuildOptions optionsFor(const std::string &op) {
    std::string text = kModel;
    text.replace(text.find("OP"), 2, op);
    const std::string path = (folder_ / (op + ".mlir")).string();
    std::ofstream(path) << text;
    BuildOptions options;
    options.model = path;
    options.pluginFiles = {"tests/plugins/tactics/tactics.toml"};
    options.timingCache = (folder_ / "times.json").string();
    return options;
  }
  static std::string errorOf(const BuildOptions &options) {
    try {
      build(options);
      return "built";
    } catch (const BuildError &error) {
      return error.what();
    }
  }

  std::filesystem::path folder_;
};

TEST_F(Tuning, MeasuresOnADeviceAndThenTakesTheTimesOfTheCache) {
  BuildOptions options = optionsFor("double_slowly");
  options.timers = {deviceTimer("cpu")};
  const CompiledEngine measured = build(options);
  EXPECT_THAT(measured.report(), HasSubstr("\"ROUNDS=1, num_warps=1\""));
  options.timers[0].measureUs = nullptr;
  const CompiledEngine recorded = build(options);
  EXPECT_EQ(std::string(static_cast<const char *>(measured.data()), measured.sizeBytes()),
            std::string(static_cast<const char *>(recorded.data()), recorded.sizeBytes()));
  const Engine engine = Engine::fromMemory(measured.data(), measured.sizeBytes());
  Context context = engine.createContext({.device = "cpu"});
  std::vector<float> x{1, -2, 3}, y(3);
  context.bind("x", x, {3}).bind("y", y, {3}).run();
  EXPECT_THAT(y, testing::ElementsAre(2, -4, 6));
}

TEST_F(Tuning, ProfilesKeepTheOrderOfTheirSizes) {
  BuildOptions options = optionsFor("which");
  options.timingCache = "";
  options.profiles = {"x:0=1,64,99", "x:0=1000,2048,4096"};
  // The last profile is measured first: all three tactics can be taken for 2048 elements, and the
  // third, "any", is said to be the fastest.
  int count = 0;
  options.timers = {{"cpu", "cpu:x86-64-v3", "pretended",
                     [&](const void *, size_t) { return ++count == 3 ? 1.0 : 5.0; }}};
  const CompiledEngine compiled = build(options);
  const Engine engine = Engine::fromMemory(compiled.data(), compiled.sizeBytes());
  EXPECT_EQ(engine.numProfiles(), 2u);
  Context context = engine.createContext({.device = "cpu", .profile = 2});
  std::vector<float> x(1001, 1.0F), y(1001);
  context.bind("x", x, {1001}).bind("y", y, {1001}).run();
  EXPECT_EQ(y[1000], 4.0F);
  x.resize(999);
  EXPECT_THAT([&] { context.bind("x", x, {999}); },
              testing::ThrowsMessage<Error>(HasSubstr("profile 2")));
}

TEST_F(Tuning, WhatATimerThrowsIsTheReason) {
  BuildOptions options = optionsFor("which");
  options.timers = {{"cpu", "cpu:x86-64-v3", "pretended",
                     [](const void *, size_t) -> double { throw std::runtime_error("no power"); }}};
  EXPECT_THAT(errorOf(options), testing::AllOf(HasSubstr("measuring on 'pretended': no power"),
                                               HasSubstr("choosing a tactic for node node")));
  options.timers[0].measureUs = [](const void *, size_t) { return -1.0; };
  EXPECT_THAT(errorOf(options), HasSubstr("measuring on 'pretended' gave -1 microseconds"));
  options.timers[0].measureUs = nullptr;
  EXPECT_THAT(errorOf(options), HasSubstr("has no times of device 'pretended'"));
  options.timingCache = "";
  EXPECT_THAT(errorOf(options),
              HasSubstr("timer of 'pretended' measures nothing, and there is no timing cache"));
}

} // namespace
} // namespace inlay
