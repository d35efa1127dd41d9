#include "base/File.h"
#include "base/TemporaryFolder.h"
#include "tools/tensorio/Npy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>

namespace inlay {
namespace {

using testing::HasSubstr;

NpyTensor makeTensor(DataType dtype, std::vector<int64_t> shape, std::byte fill) {
  NpyTensor tensor{dtype, std::move(shape), {}};
  tensor.data.assign(static_cast<size_t>(*computeSizeBytes(dtype, tensor.shape)), fill);
  return tensor;
}

class Npz : public testing::Test {
protected:
  std::string path(const std::string &name) const { return folder_.path(name); }
  TemporaryFolder folder_;
};

TEST_F(Npz, RoundTripsAndIsDeterministic) {
  const NamedTensors tensors = {{"in_0", makeTensor(DataType::Float32, {2, 3}, std::byte{1})},
                                {"in_1", makeTensor(DataType::BFloat16, {4}, std::byte{2})},
                                {"empty", makeTensor(DataType::Int64, {0}, std::byte{0})}};
  ASSERT_TRUE(writeNpz(path("a.npz"), tensors).isOk());
  ASSERT_TRUE(writeNpz(path("b.npz"), tensors).isOk());
  EXPECT_EQ(*readFile(path("a.npz")), *readFile(path("b.npz")));
  Result<NamedTensors> read = readNpz(path("a.npz"), [](std::string_view name) {
    return name == "in_1" ? std::optional(DataType::BFloat16) : std::nullopt;
  });
  ASSERT_TRUE(read.isOk()) << read.status().toString();
  ASSERT_EQ(read->size(), 3u);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ((*read)[i].first, tensors[i].first);
    EXPECT_EQ((*read)[i].second.dtype, tensors[i].second.dtype);
    EXPECT_EQ((*read)[i].second.shape, tensors[i].second.shape);
    EXPECT_EQ((*read)[i].second.data, tensors[i].second.data);
  }
  EXPECT_THAT(readNpz(path("a.npz")).status().message(), HasSubstr("reading member 'in_1'"));
}

/// Written by numpy.savez; the deflated twin holds the same members.
TEST_F(Npz, ReadsWhatNumpyWrites) {
  Result<NamedTensors> stored = readNpz("tests/data/add_one_fp16.npz");
  Result<NamedTensors> deflated = readNpz("tests/data/add_one_fp16_deflated.npz");
  ASSERT_TRUE(stored.isOk()) << stored.status().toString();
  ASSERT_TRUE(deflated.isOk()) << deflated.status().toString();
  ASSERT_EQ(stored->size(), 2u);
  ASSERT_EQ(deflated->size(), 2u);
  EXPECT_EQ((*stored)[0].first, "in_0");
  EXPECT_EQ((*stored)[1].first, "out_0");
  const NpyTensor &input = (*stored)[0].second, &output = (*stored)[1].second;
  ASSERT_EQ(input.dtype, DataType::Float16);
  ASSERT_EQ(input.shape, output.shape);
  for (size_t i = 0; i < input.data.size(); i += 2) {
    uint16_t x, y;
    std::memcpy(&x, input.data.data() + i, 2);
    std::memcpy(&y, output.data.data() + i, 2);
    EXPECT_EQ(y, toFloat16(fromFloat16(x) + 1));
  }
  for (size_t i = 0; i < 2; ++i)
    EXPECT_EQ(compareTensors((*deflated)[i].second, (*stored)[i].second, 0, 0)->numMismatches, 0);
}

/// Every truncation is refused; every changed byte is refused or leaves tensors that fit their
/// shapes.
TEST_F(Npz, DamagedFilesAreSurvived) {
  const std::string bytes = *readFile("tests/data/add_one_fp16_deflated.npz");
  for (size_t size = 0; size < bytes.size(); ++size) {
    std::ofstream(path("cut.npz"), std::ios::binary) << bytes.substr(0, size);
    EXPECT_FALSE(readNpz(path("cut.npz")).isOk()) << size;
  }
  for (size_t i = 0; i < bytes.size(); ++i) {
    std::string changed = bytes;
    changed[i] = static_cast<char>(changed[i] ^ 0x55);
    std::ofstream(path("changed.npz"), std::ios::binary) << changed;
    Result<NamedTensors> read = readNpz(path("changed.npz"));
    if (read.isOk()) {
      for (const auto &[name, tensor] : *read)
        EXPECT_EQ(static_cast<int64_t>(tensor.data.size()),
                  *computeSizeBytes(tensor.dtype, tensor.shape));
    }
  }
}

TEST_F(Npz, RefusalsNameTheReason) {
  EXPECT_EQ(readNpz(path("none.npz")).status().code(), StatusCode::NotFound);
  ASSERT_TRUE(writeFileAtomically(path("text.npz"), "this is no zip archive").isOk());
  EXPECT_THAT(readNpz(path("text.npz")).status().message(), HasSubstr("it is no zip archive"));
  EXPECT_THAT(readNpz("tests/data/duplicate_names.npz").status().message(),
              HasSubstr("two members have the name 'x'"));
  EXPECT_THAT(readNpz("tests/data/inflates.npz").status().message(),
              HasSubstr("claims to inflate"));
  const NpyTensor tensor = makeTensor(DataType::Int8, {1}, std::byte{1});
  EXPECT_EQ(writeNpz(path("two.npz"), {{"x", tensor}, {"x", tensor}}).code(),
            StatusCode::AlreadyExists);
  EXPECT_FALSE(std::filesystem::exists(path("two.npz")));
}

} // namespace
} // namespace inlay
