#include "compiler/driver/EngineCache.h"

#include "compiler/driver/Context.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

namespace inlay {
namespace {

namespace fs = std::filesystem;

/// A plan with a weight in a resource, a device that has a name only.
constexpr const char *kPlan = R"(
plan.program @m {
  plan.input "x" "float32" ["4"] in @x
  plan.output "y" "float32" ["4"] in @y
  plan.buffer @x input "16"
  plan.buffer @y output "16"
  plan.buffer @w constant "16" data dense_resource<w> : tensor<16xi8>
  plan.copy @w to @y
}
{-# dialect_resources: { builtin: { w: "0x0400000001020304050607080900010203040506" } } #-}
)";

class NamedTimer final : public EngineTimer {
public:
  explicit NamedTimer(std::string name) : name_(std::move(name)) {}
  std::string family() const override { return "cpu"; }
  std::string target() const override { return "cpu:x86-64-v3"; }
  std::string deviceName() const override { return name_; }
  Result<double> measureUs(std::span<const std::byte>) override { return 1.0; }

private:
  std::string name_;
};

class EngineCacheTest : public testing::Test {
protected:
  EngineCacheTest() : context_(createContext()) {
    std::string pattern = (fs::temp_directory_path() / "inlay-engines-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    options_.engineCache = EngineCacheOptions{folder_ + "/engines", 1 << 20, {}};
  }
  ~EngineCacheTest() override { fs::remove_all(folder_); }

  std::string keyOf(const std::string &text, const std::vector<std::string> &targets = {"cpu"},
                    const std::string &name = "m") {
    auto context = createContext(); // resources of one name would be told apart otherwise
    auto module = parseModule(*context, "plan.mlir", text);
    EXPECT_TRUE(module.isOk()) << module.status().toString();
    Result<std::string> key = engineKey(**module, targets, name, options_);
    EXPECT_TRUE(key.isOk()) << key.status().toString();
    return *key;
  }
  std::string with(const std::string &from, const std::string &to) {
    std::string text = kPlan;
    text.replace(text.find(from), from.size(), to);
    return text;
  }

  std::string folder_;
  std::unique_ptr<mlir::MLIRContext> context_;
  BuildOptions options_;
};

TEST_F(EngineCacheTest, KeysDependOnAllThatAnEngineIsMadeFrom) {
  std::set<std::string> keys{keyOf(kPlan)};
  EXPECT_EQ(keyOf(kPlan), *keys.begin());
  const auto isNew = [&](const std::string &key) { return keys.insert(key).second; };
  EXPECT_TRUE(isNew(keyOf(with("050607", "050608")))); // a byte of a weight
  EXPECT_TRUE(isNew(keyOf(with("@w to @y", "@x to @y"))));
  EXPECT_TRUE(isNew(keyOf(kPlan, {"cpu", "cuda"})));
  EXPECT_TRUE(isNew(keyOf(kPlan, {"cpu"}, "other")));
  NamedTimer one("one"), two("two");
  options_.timers = {&one};
  EXPECT_TRUE(isNew(keyOf(kPlan)));
  options_.timers = {&two};
  EXPECT_TRUE(isNew(keyOf(kPlan)));
  options_.timers.clear();
  const std::string plugin = folder_ + "/plugin.so";
  options_.engineCache->pluginFiles = {plugin};
  for (const char *bytes : {"one", "another"}) {
    std::ofstream(plugin) << bytes;
    EXPECT_TRUE(isNew(keyOf(kPlan)));
  }
}

TEST_F(EngineCacheTest, APluginThatCannotBeReadIsAnError) {
  options_.engineCache->pluginFiles = {folder_ + "/none.so"};
  auto module = parseModule(*context_, "plan.mlir", kPlan);
  ASSERT_TRUE(module.isOk());
  EXPECT_THAT(engineKey(**module, {"cpu"}, "m", options_).status().toString(),
              testing::HasSubstr("reading a plugin for the engine's key"));
}

TEST_F(EngineCacheTest, GivesBackEngineAndReport) {
  BuiltEngine built;
  built.engine.append(std::vector<std::byte>(1000, std::byte{7}));
  built.report.engineName = "m";
  built.report.engineBytes = 1000;
  built.report.operators = {{"n", "my::op", "op.toml:1", 2, "aot", "the plugin has no other"}};
  KernelReport kernel{"k", "k.py:k", {"my::op"}, "cuda:sm_90a", ImageFormat::Cubin, 12.5, 3000,
                      4,   32,       8,          4096};
  built.report.kernels = {kernel};
  TacticReport tactic{"n", "my::op", "NVIDIA H200", 1, 3, {}, {}, {"b: does not fit"}};
  tactic.kept = {{"a", "s0 % 4 == 0", 1.5}, {"c", "", 0}};
  built.report.tactics = {tactic};
  built.report.notes = {"a note"};
  const EngineCache cache(*options_.engineCache);
  EXPECT_FALSE(cache.find("key"));
  cache.store("key", built);
  EXPECT_FALSE(cache.find("other"));
  const std::optional<BuiltEngine> found = cache.find("key");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->engine.toBytes(), built.engine.toBytes());
  built.report.kernels[0].compileMs = 0; // nothing was compiled
  EXPECT_EQ(reportJson(found->report), reportJson(built.report));
}

TEST_F(EngineCacheTest, DoesNotKeepWhatDependsOnUnknownHeaders) {
  auto module = parseModule(*context_, "plan.mlir", R"(
plan.program @m {
  plan.kernel @k source "k.cu:k" attributes {external, images = [{format = "cu", target = "cuda", entry = "k", file = "k.cu", code = dense<0> : vector<4xi8>}]} {
    builtin.module { func.func @k() attributes {tile.kernel} { return } }
  }
})");
  ASSERT_TRUE(module.isOk()) << module.status().toString();
  EXPECT_THAT(whyNotCached(**module), testing::HasSubstr("k.cu:k is CUDA C++"));
}

} // namespace
} // namespace inlay
