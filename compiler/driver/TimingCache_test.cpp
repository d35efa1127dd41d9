#include "compiler/driver/TimingCache.h"

#include "base/File.h"
#include "engine/EngineFile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <unistd.h>

namespace inlay {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// Counts what it is asked to measure.
class FakeTimer final : public EngineTimer {
public:
  explicit FakeTimer(std::string name = "GPU") : name_(std::move(name)) {}
  std::string family() const override { return "cuda"; }
  std::string target() const override { return "cuda:sm_90a"; }
  std::string deviceName() const override { return name_; }
  Result<double> measureUs(std::span<const std::byte> engine) override {
    ++count;
    return static_cast<double>(engine.size());
  }
  std::string libraryVersion() const override { return version; }
  int count = 0;
  std::string version;

private:
  std::string name_;
};

class TimingCacheTest : public testing::Test {
protected:
  TimingCacheTest()
      : path_((std::filesystem::temp_directory_path() /
               ("inlay_timing_" + std::to_string(getpid()) + ".json"))
                  .string()) {
    std::filesystem::remove(path_);
  }
  ~TimingCacheTest() override { std::filesystem::remove(path_); }
  TimingCache open(bool mustExist = false) {
    auto cache = TimingCache::open(path_, mustExist);
    EXPECT_TRUE(cache.isOk()) << cache.status().toString();
    return std::move(*cache);
  }
  std::string openError() { return TimingCache::open(path_).status().toString(); }

  std::string path_;
  const std::vector<std::byte> engine_ = std::vector<std::byte>(7);
};

TEST_F(TimingCacheTest, MeasuresOnceAndKeepsTimesByDeviceAndEngine) {
  FakeTimer timer;
  {
    TimingCache cache = open();
    CachingTimer caching(cache, timer);
    EXPECT_EQ(*caching.measureUs(engine_), 7);
    EXPECT_EQ(*caching.measureUs(engine_), 7);
    EXPECT_EQ(timer.count, 1);
    ASSERT_TRUE(cache.save().isOk());
  }
  TimingCache cache = open(true);
  CachingTimer caching(cache, timer);
  EXPECT_EQ(*caching.measureUs(engine_), 7);
  EXPECT_EQ(timer.count, 1);
  EXPECT_EQ(*caching.measureUs(std::vector<std::byte>(8)), 8);
  EXPECT_EQ(timer.count, 2);
  EXPECT_THAT(cache.devices(), ElementsAre("GPU"));
  EXPECT_EQ(cache.familyOf("GPU"), "cuda");
  EXPECT_EQ(cache.find("other", TimingCache::keyOf(engine_)), nullptr);
}

TEST_F(TimingCacheTest, TimesOfLibrariesAreThoseOfTheirVersion) {
  EngineHeader header{};
  header.flags = kLibraryFunctionsFlag;
  const auto bytes = std::as_bytes(std::span(&header, 1));
  const std::string key = TimingCache::keyOf(bytes);
  FakeTimer timer;
  TimingCache cache = open();
  cache.insert(timer, key, 1); // of a compiler that did not look at versions
  CachingTimer caching(cache, timer);
  ASSERT_TRUE(caching.measureUs(bytes).isOk());
  ASSERT_TRUE(caching.measureUs(bytes).isOk());
  EXPECT_EQ(timer.count, 2); // an unknown version
  for (const char *version : {"lib 3.9", "lib 3.10"}) {
    timer.version = version;
    const int before = timer.count;
    ASSERT_TRUE(caching.measureUs(bytes).isOk());
    ASSERT_TRUE(caching.measureUs(bytes).isOk());
    EXPECT_EQ(timer.count, before + 1) << version;
  }
  ASSERT_TRUE(caching.measureUs(engine_).isOk());
  timer.version = "lib 4";
  const int before = timer.count;
  ASSERT_TRUE(caching.measureUs(engine_).isOk()); // calls none
  EXPECT_EQ(timer.count, before);
  // Without the device, a time of any version.
  cache.insert(timer, key + " lib 9", 9);
  cache.insert(timer, key + "0", 10);
  auto recorded = RecordedTimer::create(cache, "GPU");
  ASSERT_TRUE(recorded.isOk());
  EXPECT_EQ(*recorded->measureUs(bytes), 9);
}

TEST_F(TimingCacheTest, SavingKeepsWhatOthersHaveAdded) {
  TimingCache one = open(), other = open();
  const FakeTimer a("A"), b("B");
  one.insert(a, "k", 1);
  other.insert(a, "l", 2);
  other.insert(b, "k", 3);
  ASSERT_TRUE(one.save().isOk());
  ASSERT_TRUE(other.save().isOk());
  const TimingCache both = open(true);
  ASSERT_TRUE(both.find("A", "k") && both.find("A", "l") && both.find("B", "k"));
  EXPECT_EQ(*both.find("A", "k"), 1);
}

TEST_F(TimingCacheTest, RecordedTimesNeedNoDeviceAndAreAllThereIs) {
  TimingCache cache = open();
  cache.insert(FakeTimer(), TimingCache::keyOf(engine_), 3.5);
  auto timer = RecordedTimer::create(cache, "GPU");
  ASSERT_TRUE(timer.isOk());
  EXPECT_EQ(*timer->measureUs(engine_), 3.5);
  EXPECT_FALSE(timer->mayFail());
  EXPECT_EQ(timer->target(), "cuda:sm_90a");
  EXPECT_THAT(timer->measureUs(std::vector<std::byte>(8)).status().toString(),
              HasSubstr("has no time of it on 'GPU', and may not be added to"));
  EXPECT_THAT(RecordedTimer::create(cache, "TPU").status().toString(),
              HasSubstr("has no times of device 'TPU'; it has those of: GPU"));
}

TEST_F(TimingCacheTest, AFileThatIsNoneIsNamedAndLeftAsItIs) {
  EXPECT_THAT(TimingCache::open(path_, true).status().toString(), HasSubstr("NOT_FOUND"));
  const std::pair<const char *, const char *> cases[] = {
      {"{", "it is no JSON object"},
      {"[]", "it is no JSON object"},
      {R"({"inlay_timing_cache": 2})", "expected \"inlay_timing_cache\": 1"},
      {R"({"inlay_timing_cache": 1})", "it has no object 'devices'"},
      {R"({"inlay_timing_cache": 1, "devices": {"A": 3}})",
       "device 'A' lacks the texts 'family' and 'target' or the object 'us'"},
      {R"({"inlay_timing_cache": 1, "devices": {"A": {"family": "cpu", "target": "", "us": {"k": -1}}}})",
       "the time 'k' of device 'A' is no number from 0"}};
  for (const auto &[text, message] : cases) {
    TimingCache cache = open();
    ASSERT_TRUE(writeFileAtomically(path_, text).isOk());
    EXPECT_THAT(openError(),
                testing::AllOf(HasSubstr("DATA_LOSS"), HasSubstr(path_), HasSubstr(message)));
    cache.insert(FakeTimer(), "k", 1);
    EXPECT_FALSE(cache.save().isOk());
    EXPECT_EQ(*readFile(path_), text);
    std::filesystem::remove(path_);
  }
}

} // namespace
} // namespace inlay
