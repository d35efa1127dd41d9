#include "engine/EngineFile.h"
#include "engine/EngineLayout.h"

#include "base/File.h"
#include "base/TemporaryFolder.h"
#include "engine/EngineText.h"
#include "engine/TestEngine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace inlay {
namespace {

using testing::HasSubstr;

std::vector<std::byte> writeTestEngine() {
  TestEngine test = makeTestEngine();
  Result<std::vector<std::byte>> bytes = writeEngineFile(std::move(test.engine), test.segments);
  EXPECT_TRUE(bytes.isOk()) << bytes.status().toString();
  return bytes.isOk() ? std::move(*bytes) : std::vector<std::byte>();
}

TEST(EngineFile, ReadsBackWhatWasWritten) {
  Result<EngineFile> file = EngineFile::fromBytes(writeTestEngine());
  ASSERT_TRUE(file.isOk()) << file.status().toString();
  std::unique_ptr<fb::EngineT> read(file->engine().UnPack());
  EXPECT_EQ(read->name, "add_one");
  EXPECT_EQ(read->symbols[0]->name, "n");
  EXPECT_EQ(read->kernels[0]->parameters.size(), 5u);
  EXPECT_EQ(read->steps[0]->kind.AsLaunch()->plugin, "my::add_one");
  EXPECT_EQ(read->steps[1]->kind.AsCopy()->target, 2u);
  const TestEngine test = makeTestEngine();
  for (uint32_t i = 0; i < test.segments.size(); ++i) {
    const std::span<const std::byte> segment = file->segment(i);
    EXPECT_TRUE(std::equal(segment.begin(), segment.end(), test.segments[i].begin(),
                           test.segments[i].end()));
    EXPECT_EQ(file->engine().segments()->Get(i)->offset() % kSegmentAlignmentBytes, 0u);
  }
  EXPECT_TRUE(file->verifyAllSegments().isOk());
}

TEST(EngineFile, ProgramGivesSizesAndGrid) {
  Result<EngineFile> file = EngineFile::fromBytes(writeTestEngine());
  ASSERT_TRUE(file.isOk());
  std::vector<int64_t> values(file->expressions().size());
  const int64_t n[] = {257};
  ASSERT_TRUE(evaluateProgram(file->expressions(), n, values).isOk());
  EXPECT_EQ(values[file->engine().buffers()->Get(0)->size_bytes()], 4 * 257);
  const fb::Launch *launch = file->engine().steps()->Get(0)->kind_as_Launch();
  EXPECT_EQ(values[launch->grid()->Get(0)], 2);
}

TEST(EngineFile, SameEngineGivesSameBytes) { EXPECT_EQ(writeTestEngine(), writeTestEngine()); }

TEST(EngineFile, OpensAFileAfterMoves) {
  const TemporaryFolder folder;
  const std::string path = folder.path("test.inlay");
  const std::vector<std::byte> bytes = writeTestEngine();
  ASSERT_TRUE(
      writeFileAtomically(path, {reinterpret_cast<const char *>(bytes.data()), bytes.size()})
          .isOk());
  Result<EngineFile> opened = EngineFile::open(path);
  ASSERT_TRUE(opened.isOk()) << opened.status().toString();
  EngineFile file = std::move(*opened);
  EXPECT_EQ(file.engine().name()->str(), "add_one");
  EXPECT_EQ(file.sizeBytes(), bytes.size());
  EXPECT_EQ(EngineFile::open("no/such/engine.inlay").status().code(), StatusCode::NotFound);
}

/// Engines of format version 1 must stay readable: this one was written by the first version.
TEST(EngineFile, ReadsTheFirstEngineOfFormatVersion1) {
  Result<EngineFile> file = EngineFile::open("tests/fuzz/corpus/engine/add_one.inlay");
  ASSERT_TRUE(file.isOk()) << file.status().toString();
  EXPECT_EQ(file->engine().name()->str(), "add_one");
  EXPECT_TRUE(file->verifyAllSegments().isOk());
}

/// Such a file passes the checksum and FlatBuffers' own checks.
TEST(EngineFile, ExpressionsOutOfPlaceAreRefused) {
  const Status status =
      EngineFile::open("tests/fuzz/corpus/engine/expressions_misaligned.inlay").status();
  EXPECT_EQ(status.code(), StatusCode::DataLoss);
  EXPECT_THAT(status.message(), HasSubstr("expressions lie 4 bytes behind a multiple of 8"));
}

/// Kernels are launched from engines without steps too; where their empty list of expressions lies
/// depends on the length of the names before it.
TEST(EngineFile, EnginesWithoutExpressionsAreRead) {
  for (size_t length = 1; length <= 16; ++length) {
    fb::EngineT engine;
    engine.producer = "test";
    engine.name = std::string(length, 'k');
    const Result<std::vector<std::byte>> bytes = writeEngineFile(std::move(engine), {});
    ASSERT_TRUE(bytes.isOk()) << bytes.status().toString();
    EXPECT_TRUE(EngineFile::fromBytes(*bytes).isOk());
  }
}

TEST(EngineFile, EveryTruncationIsRefused) {
  const std::vector<std::byte> bytes = writeTestEngine();
  for (size_t size = 0; size < bytes.size(); ++size) {
    Result<EngineFile> file = EngineFile::fromBytes({bytes.begin(), bytes.begin() + size});
    ASSERT_FALSE(file.isOk()) << "first " << size << " bytes";
    ASSERT_EQ(file.status().code(), StatusCode::DataLoss) << file.status().toString();
  }
}

/// Changes of the header, the metadata and code are refused; the padding between them is not read,
/// and constants are compared on request.
TEST(EngineFile, EveryChangedByteIsRefusedOrHarmless) {
  const std::vector<std::byte> bytes = writeTestEngine();
  Result<EngineFile> whole = EngineFile::fromBytes(bytes);
  ASSERT_TRUE(whole.isOk());
  EngineHeader header;
  std::memcpy(&header, bytes.data(), sizeof(header));
  const uint64_t metadataEnd = header.metadataOffset + header.metadataSizeBytes;
  auto isIn = [&](size_t i, uint32_t segment) {
    const fb::Segment *row = whole->engine().segments()->Get(segment);
    return i >= row->offset() && i < row->offset() + row->size_bytes();
  };
  for (size_t i = 0; i < bytes.size(); ++i)
    for (unsigned change : {0x01u, 0x80u, 0xffu}) {
      std::vector<std::byte> changed = bytes;
      changed[i] ^= static_cast<std::byte>(change);
      Result<EngineFile> file = EngineFile::fromBytes(std::move(changed));
      const bool isChecked = i < metadataEnd || isIn(i, 0) || isIn(i, 1);
      ASSERT_EQ(file.isOk(), !isChecked) << "byte " << i;
      if (file.isOk()) {
        ASSERT_EQ(file->verifyAllSegments().isOk(), !isIn(i, 2)) << "byte " << i;
        ASSERT_EQ(engineToText(*file), engineToText(*whole));
      }
    }
}

TEST(EngineFile, LaunchDetailsAreFlagged) {
  const auto flagsWith = [](auto change) {
    TestEngine test = makeTestEngine();
    change(*test.engine.kernels[0]->images[0], *test.engine.steps[0]->kind.AsLaunch());
    Result<std::vector<std::byte>> bytes = writeEngineFile(std::move(test.engine), test.segments);
    EXPECT_TRUE(bytes.isOk()) << bytes.status().message();
    return bytes.isOk() ? std::to_integer<uint32_t>((*bytes)[12]) : 0u;
  };
  EXPECT_EQ(flagsWith([](fb::ImageT &, fb::LaunchT &) {}), 0u);
  EXPECT_EQ(flagsWith([](fb::ImageT &image, fb::LaunchT &) { image.block = {16, 2, 1}; }),
            kLaunchDetailsFlag);
  EXPECT_EQ(flagsWith([](fb::ImageT &image, fb::LaunchT &) { image.is_cooperative = true; }),
            kLaunchDetailsFlag);
  EXPECT_EQ(flagsWith([](fb::ImageT &, fb::LaunchT &launch) { launch.shared_bytes = 0; }),
            kLaunchDetailsFlag);
}

TEST(EngineFile, ScratchMemoryIsMarkedForOlderReaders) {
  EXPECT_EQ(writeTestEngine()[12], std::byte{0}); // flags
  TestEngine test = makeTestEngine();
  test.engine.kernels[0]->images[1]->scratch_bytes = uint64_t{5} << 30;
  Result<std::vector<std::byte>> bytes = writeEngineFile(std::move(test.engine), test.segments);
  ASSERT_TRUE(bytes.isOk()) << bytes.status().toString();
  EXPECT_EQ((*bytes)[12], std::byte{kScratchFlag});
  Result<EngineFile> file = EngineFile::fromBytes(std::move(*bytes));
  ASSERT_TRUE(file.isOk()) << file.status().toString();
  EXPECT_EQ(file->engine().kernels()->Get(0)->images()->Get(1)->scratch_bytes(), uint64_t{5} << 30);
  EXPECT_THAT(engineToText(*file), HasSubstr(", 5368709120 bytes scratch"));
}

TEST(EngineFile, NewerFormatsAreIncompatible) {
  for (size_t field : {8, 15}) { // formatVersion, the highest flag
    std::vector<std::byte> bytes = writeTestEngine();
    bytes[field] = std::byte{0x80};
    EXPECT_EQ(EngineFile::fromBytes(std::move(bytes)).status().code(), StatusCode::Incompatible);
  }
  EXPECT_THAT(EngineFile::fromBytes(std::vector<std::byte>(100)).status().message(),
              HasSubstr("does not start with \"INLAYENG\""));
}

} // namespace
} // namespace inlay
