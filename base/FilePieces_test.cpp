#include "base/FilePieces.h"

#include "base/File.h"
#include "base/TemporaryFolder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

namespace inlay {
namespace {

std::span<const std::byte> bytesOf(std::string_view text) { return std::as_bytes(std::span(text)); }

TEST(FilePieces, KeepOrderAndPaddingAndCopyNothingThatIsBorrowed) {
  const std::string weights = "weights";
  FilePieces pieces(std::vector<std::byte>(2, std::byte{'h'}));
  pieces.padTo(4);
  pieces.append(MaybeOwnedBytes::borrow(bytesOf(weights)));
  pieces.append({});
  pieces.padTo(11);
  EXPECT_EQ(pieces.sizeBytes(), 11u);
  ASSERT_EQ(pieces.pieces().size(), 3u);
  EXPECT_EQ(static_cast<const void *>(pieces.pieces()[2].data()), weights.data());
  const FilePieces moved = std::move(pieces);
  const std::string expected("hh\0\0weights", 11);
  EXPECT_TRUE(std::ranges::equal(moved.toBytes(), bytesOf(expected)));
  const TemporaryFolder folder;
  ASSERT_TRUE(moved.save(folder.path("f")).isOk());
  EXPECT_EQ(*readFile(folder.path("f")), expected);
}

TEST(FilePieces, SavingThatIsCancelledLeavesAllAsItWas) {
  const TemporaryFolder folder;
  ASSERT_TRUE(writeFileAtomically(folder.path("f"), "old").isOk());
  FilePieces pieces;
  for (int i = 0; i < 4; ++i)
    pieces.append(std::vector<std::byte>(1000));
  // After each number of pieces, and before the file takes its place.
  for (int last = 0; last <= 5; ++last) {
    int count = 0;
    const Status status = pieces.save(folder.path("f"), [&] { return count++ == last; });
    EXPECT_EQ(status.code(), last == 5 ? StatusCode::Ok : StatusCode::Cancelled) << last;
    EXPECT_EQ(readFile(folder.path("f"))->size(), last == 5 ? 4000u : 3u) << last;
    size_t numFiles = 0;
    for ([[maybe_unused]] const auto &entry : std::filesystem::directory_iterator(folder.path()))
      ++numFiles;
    EXPECT_EQ(numFiles, 1u);
  }
}

} // namespace
} // namespace inlay
