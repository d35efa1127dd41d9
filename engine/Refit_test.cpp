#include "engine/Refit.h"

#include "engine/TestEngine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace inlay {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

EngineFile load(TestEngine test, const std::string &weightsName = "") {
  Result<EngineBytes> bytes = writeEngineFiles(std::move(test.engine), test.segments, weightsName);
  EXPECT_TRUE(bytes.isOk()) << bytes.status().toString();
  Result<EngineFile> file = EngineFile::fromBytes(std::move(*bytes));
  EXPECT_TRUE(file.isOk()) << file.status().toString();
  return std::move(*file);
}

std::string textOf(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char *>(bytes.data()), bytes.size()};
}

TEST(Refit, ReplacesWeightsInsideAndBeside) {
  const std::vector<std::byte> one = bytesOf("new bias"), two = bytesOf("whatever");
  const std::vector<NewWeight> weights = {{"count", DataType::Float32, {2}, two},
                                          {"bias", DataType::Float32, {2}, one}};
  for (const char *name : {"", "w.weights"}) {
    const EngineFile file = load(makeRefittableTestEngine(), name);
    EXPECT_THAT(*matchWeights(file, weights, true), ElementsAre(1, 0));
    Result<EnginePieces> made = refitEngine(file, weights, true, "w2.weights");
    ASSERT_TRUE(made.isOk()) << made.status().toString();
    EXPECT_EQ(made->weights.isEmpty(), *name == 0);
    Result<EngineFile> refitted = EngineFile::fromBytes(made->toBytes());
    ASSERT_TRUE(refitted.isOk()) << refitted.status().toString();
    EXPECT_EQ(textOf(refitted->segment(2)), "new bias");
    EXPECT_EQ(textOf(refitted->segment(1)), textOf(file.segment(1)));
    EXPECT_EQ(textOf(file.segment(2)), "8 bytes.");
  }
}

TEST(Refit, OfTheSameWeightsGivesTheSameBytes) {
  TestEngine test = makeRefittableTestEngine();
  const EngineBytes first = *writeEngineFiles(std::move(test.engine), test.segments, "");
  const Result<EngineFile> file = EngineFile::fromBytes(first);
  ASSERT_TRUE(file.isOk()) << file.status().toString();
  const std::vector<std::byte> same = bytesOf("8 bytes.");
  const NewWeight weight{"bias", DataType::Float32, {2}, same};
  EXPECT_EQ(refitEngine(*file, std::span(&weight, 1), false, "")->engine.toBytes(), first.engine);
}

TEST(Refit, NamesEveryMismatch) {
  const std::vector<std::byte> bytes(8);
  const std::vector<NewWeight> weights = {{"bias", DataType::Float16, {2, 2}, bytes},
                                          {"other", DataType::Float32, {2}, bytes},
                                          {"bias", DataType::Float32, {2}, bytes},
                                          {"more", DataType::Float32, {2}, bytes}};
  const EngineFile file = load(makeRefittableTestEngine());
  EXPECT_EQ(matchWeights(file, weights, true).status().message(),
            "the weights do not fit engine 'add_one', which is left as it was; 5 mismatches:\n"
            "  'bias' is float16 [2, 2], expected float32 [2]\n"
            "  'other' is no weight of the engine\n"
            "  'bias' is given twice\n"
            "  'more' is no weight of the engine\n"
            "  'count' is missing");
  const NewWeight shortData{"bias", DataType::Float32, {2}, std::span(bytes).first(4)};
  EXPECT_THAT(matchWeights(file, std::span(&shortData, 1), false).status().message(),
              HasSubstr("'bias' has 4 bytes of data, expected 8"));
  EXPECT_TRUE(matchWeights(file, {}, false).isOk());
}

TEST(Refit, NeedsAnEngineBuiltForIt) {
  const Status status = matchWeights(load(makeTestEngine()), {}, false).status();
  EXPECT_EQ(status.code(), StatusCode::FailedPrecondition);
  EXPECT_THAT(status.message(), HasSubstr("build it with --refittable"));
}

} // namespace
} // namespace inlay
