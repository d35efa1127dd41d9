#include "base/File.h"

#include "base/MappedFile.h"
#include "base/TemporaryFolder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <unistd.h>

namespace inlay {
namespace {

using testing::HasSubstr;

/// A folder of its own for each test, removed with it.
class File : public testing::Test {
protected:
  std::string path(const std::string &name) const { return folder_.path(name); }
  size_t numFiles() const {
    size_t count = 0;
    for ([[maybe_unused]] const auto &entry : std::filesystem::directory_iterator(folder_.path()))
      ++count;
    return count;
  }
  TemporaryFolder folder_;
};

TEST_F(File, ReadsAndMapsWhatWasWritten) {
  const std::string bytes("a\0b", 3);
  ASSERT_TRUE(writeFileAtomically(path("f"), bytes).isOk());
  Result<std::string> read = readFile(path("f"));
  ASSERT_TRUE(read.isOk());
  EXPECT_EQ(*read, bytes);
  Result<MappedFile> mapped = MappedFile::open(path("f"));
  ASSERT_TRUE(mapped.isOk());
  MappedFile moved = std::move(*mapped);
  ASSERT_EQ(moved.bytes().size(), 3u);
  EXPECT_EQ(std::memcmp(moved.bytes().data(), bytes.data(), 3), 0);
}

TEST_F(File, ReplacesAFileAndLeavesNothingBeside) {
  ASSERT_TRUE(writeFileAtomically(path("f"), "old").isOk());
  ASSERT_TRUE(writeFileAtomically(path("f"), "new").isOk());
  EXPECT_EQ(*readFile(path("f")), "new");
  EXPECT_EQ(numFiles(), 1u);
}

TEST_F(File, FailedWriteKeepsTheFolderAsItWas) {
  std::filesystem::create_directory(path("taken"));
  std::filesystem::create_directory(path("taken/x"));
  Status written = writeFileAtomically(path("taken"), "bytes");
  ASSERT_FALSE(written.isOk());
  EXPECT_THAT(written.message(), HasSubstr(path("taken")));
  EXPECT_EQ(numFiles(), 1u);
}

TEST_F(File, ErrorsNamePathAndReason) {
  Result<std::string> read = readFile(path("none"));
  ASSERT_FALSE(read.isOk());
  EXPECT_EQ(read.status().code(), StatusCode::NotFound);
  EXPECT_THAT(read.status().message(), HasSubstr(path("none")));
  Result<MappedFile> mapped = MappedFile::open(path("none"));
  ASSERT_FALSE(mapped.isOk());
  EXPECT_EQ(mapped.status().code(), StatusCode::NotFound);
  EXPECT_THAT(mapped.status().message(), HasSubstr("No such file"));
  EXPECT_THAT(MappedFile::open(folder_.path()).status().message(), HasSubstr("is no regular file"));
  EXPECT_THAT(writeFileAtomically(path("no/folder"), "").message(), HasSubstr("No such file"));
}

TEST_F(File, MapsAnEmptyFile) {
  ASSERT_TRUE(writeFileAtomically(path("empty"), "").isOk());
  Result<MappedFile> mapped = MappedFile::open(path("empty"));
  ASSERT_TRUE(mapped.isOk());
  EXPECT_TRUE(mapped->bytes().empty());
}

} // namespace
} // namespace inlay
