#include "engine/WeightsFile.h"

#include "engine/EngineText.h"
#include "engine/TestEngine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace inlay {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

EngineBytes writeBeside(const std::string &name = "test.weights") {
  TestEngine test = makeRefittableTestEngine();
  Result<EngineBytes> written = writeEngineFiles(std::move(test.engine), test.segments, name);
  EXPECT_TRUE(written.isOk()) << written.status().toString();
  return std::move(*written);
}

std::string textOf(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char *>(bytes.data()), bytes.size()};
}

class WeightsBeside : public testing::Test {
protected:
  WeightsBeside() {
    std::string pattern = (fs::temp_directory_path() / "inlay-weights-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
  }
  ~WeightsBeside() override { fs::remove_all(folder_); }
  std::string write(const std::string &name, std::span<const std::byte> bytes) {
    const std::string path = folder_ + "/" + name;
    std::ofstream(path, std::ios::binary) << textOf(bytes);
    return path;
  }
  std::string folder_;
};

TEST_F(WeightsBeside, AreFoundInTheEnginesFolderOrWhereItIsSaid) {
  const EngineBytes bytes = writeBeside();
  EXPECT_EQ(textOf(bytes.engine).find("8 bytes."), std::string::npos);
  const std::string engine = write("test.inlay", bytes.engine);
  const std::string weights = write("test.weights", bytes.weights);
  for (const std::string &path : {std::string(), weights}) {
    Result<EngineFile> file = EngineFile::open(engine, path);
    ASSERT_TRUE(file.isOk()) << file.status().toString();
    EXPECT_EQ(textOf(file->segment(2)), "8 bytes.");
    EXPECT_TRUE(file->verifyAllSegments().isOk());
    EXPECT_THAT(engineToText(*file), HasSubstr("weights file 'test.weights': 72 bytes"));
    EXPECT_THAT(engineToText(*file), HasSubstr("weight 'bias': float32[2] in buffer 3"));
    EXPECT_THAT(engineToText(*file), HasSubstr("weight 'count': float32[2], not used"));
    EXPECT_THAT(engineToJson(*file), HasSubstr("\"is_external\": true"));
  }
  EXPECT_TRUE(EngineFile::fromBytes(bytes.engine, weights).isOk());
  EXPECT_EQ(bytes.engine[12], std::byte{kExternalWeightsFlag});
}

TEST_F(WeightsBeside, ThatAreMissingOrOthersAreNamed) {
  const EngineBytes bytes = writeBeside();
  const std::string engine = write("test.inlay", bytes.engine);
  Status status = EngineFile::open(engine).status();
  EXPECT_EQ(status.code(), StatusCode::NotFound);
  EXPECT_THAT(status.message(), HasSubstr(folder_ + "/test.weights"));
  EXPECT_THAT(EngineFile::fromBytes(bytes.engine).status().message(),
              HasSubstr("'test.weights', and it was loaded from memory; give that file's path"));
  TestEngine test = makeRefittableTestEngine();
  test.segments[2] = bytesOf("8 others");
  const EngineBytes other = *writeEngineFiles(std::move(test.engine), test.segments, "x");
  status = EngineFile::open(engine, write("other.weights", other.weights)).status();
  EXPECT_EQ(status.code(), StatusCode::Incompatible);
  EXPECT_THAT(status.message(), testing::AllOf(HasSubstr("it belongs to another engine"),
                                               HasSubstr("other.weights'")));
  EXPECT_THAT(EngineFile::open(engine, engine).status().message(),
              HasSubstr("it is no weights file"));
  TestEngine inside = makeTestEngine();
  const std::string whole =
      write("inside.inlay", *writeEngineFile(std::move(inside.engine), inside.segments));
  EXPECT_THAT(EngineFile::open(whole, engine).status().message(),
              HasSubstr("for an engine that holds its own"));
}

TEST_F(WeightsBeside, EveryChangedByteAndEveryTruncationIsFound) {
  const EngineBytes bytes = writeBeside();
  for (size_t i = 0; i < bytes.weights.size(); ++i) {
    EngineBytes changed = bytes;
    changed.weights[i] ^= std::byte{0x10};
    EXPECT_FALSE(EngineFile::fromBytes(std::move(changed)).isOk()) << i;
    EngineBytes shorter = bytes;
    shorter.weights.resize(i);
    EXPECT_FALSE(EngineFile::fromBytes(std::move(shorter)).isOk()) << i;
  }
  EXPECT_TRUE(EngineFile::fromBytes(bytes).isOk());
}

TEST_F(WeightsBeside, NamesAreFilesWithoutAFolder) {
  for (const char *name : {"a/b", "../w", "..", "/w", "a\\b"}) {
    TestEngine test = makeTestEngine();
    EXPECT_THAT(writeEngineFiles(std::move(test.engine), test.segments, name).status().message(),
                HasSubstr("expected a file name without a folder"))
        << name;
  }
}

std::string messageOf(void (*change)(fb::EngineT &)) {
  TestEngine test = makeRefittableTestEngine();
  change(test.engine);
  return writeEngineFile(std::move(test.engine), test.segments).status().message();
}

TEST(WeightVerifier, NamesWhatIsWrong) {
  EXPECT_EQ(messageOf([](fb::EngineT &) {}), "");
  EXPECT_THAT(messageOf([](fb::EngineT &engine) { engine.weights[1]->name = "bias"; }),
              HasSubstr("weights[1] has the name 'bias', which is empty or taken"));
  EXPECT_THAT(messageOf([](fb::EngineT &engine) { engine.weights[0]->shape = {3}; }),
              HasSubstr("'bias' has 12 bytes; its buffer 3 has 8"));
  EXPECT_THAT(messageOf([](fb::EngineT &engine) { engine.weights[0]->shape = {-2}; }),
              HasSubstr("expected a known dtype and a shape"));
  EXPECT_THAT(messageOf([](fb::EngineT &engine) { engine.weights[0]->shape = {1LL << 62, 8}; }),
              HasSubstr("expected a known dtype and a shape"));
  EXPECT_THAT(messageOf([](fb::EngineT &engine) { engine.weights[0]->dtype = 99; }),
              HasSubstr("has dtype 99"));
  EXPECT_THAT(messageOf([](fb::EngineT &engine) { engine.weights[0]->buffer = 1; }),
              HasSubstr("buffer 1, which is no constant and no state"));
  EXPECT_THAT(messageOf([](fb::EngineT &engine) { engine.weights[0]->buffer = 77; }),
              HasSubstr("refers to buffer 77; the engine has 4"));
  EXPECT_THAT(messageOf([](fb::EngineT &engine) { engine.weights[1]->buffer = 3; }),
              HasSubstr("refers to buffer 3, which another weight has"));
}

} // namespace
} // namespace inlay
