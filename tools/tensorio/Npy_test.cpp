#include "tools/tensorio/Npy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

namespace inlay {
namespace {

using testing::HasSubstr;

NpyTensor makeTensor(DataType dtype, std::vector<int64_t> shape) {
  NpyTensor tensor{dtype, std::move(shape), {}};
  tensor.data.resize(static_cast<size_t>(*computeSizeBytes(dtype, tensor.shape)));
  for (size_t i = 0; i < tensor.data.size(); ++i)
    tensor.data[i] = static_cast<std::byte>(i * 7 + 1);
  return tensor;
}

/// A file of version 1 with this header and this many bytes of elements.
std::vector<std::byte> npyBytes(const std::string &header, size_t numBytes, char version = 1) {
  std::string bytes = std::string("\x93NUMPY") + version + '\0';
  bytes += static_cast<char>(header.size() & 0xff);
  bytes += static_cast<char>(header.size() >> 8);
  bytes += (version > 1 ? std::string(2, '\0') : "") + header + std::string(numBytes, 'x');
  const auto span = std::as_bytes(std::span(bytes));
  return {span.begin(), span.end()};
}

TEST(Npy, EveryDtypeAndRankRoundTrips) {
  for (int value = 0; value < 256; ++value) {
    if (!isDataType(static_cast<uint64_t>(value)))
      continue;
    for (const std::vector<int64_t> &shape :
         {std::vector<int64_t>{}, {5}, {2, 3}, {0, 4}, {1, 2, 3, 2, 1, 1, 1, 2}}) {
      const NpyTensor tensor = makeTensor(static_cast<DataType>(value), shape);
      Result<std::vector<std::byte>> bytes = formatNpy(tensor);
      ASSERT_TRUE(bytes.isOk());
      EXPECT_EQ((bytes->size() - tensor.data.size()) % 64, 0u);
      Result<NpyTensor> read = parseNpy(*bytes, tensor.dtype);
      ASSERT_TRUE(read.isOk()) << read.status().toString();
      EXPECT_EQ(read->dtype, tensor.dtype);
      EXPECT_EQ(read->shape, tensor.shape);
      EXPECT_EQ(read->data, tensor.data);
    }
  }
}

TEST(Npy, LaterVersionsAreRead) {
  const std::string header = "{\"shape\": (3,), \"fortran_order\": False, \"descr\": \"<i2\"}\n";
  for (char version : {1, 2, 3}) {
    Result<NpyTensor> tensor = parseNpy(npyBytes(header, 6, version));
    ASSERT_TRUE(tensor.isOk()) << tensor.status().toString();
    EXPECT_EQ(tensor->dtype, DataType::Int16);
    EXPECT_THAT(tensor->shape, testing::ElementsAre(3));
  }
}

struct Refusal {
  const char *header;
  size_t numBytes;
  const char *message;
};

TEST(Npy, WhatIsNotReadIsNamed) {
  const Refusal refusals[] = {
      {"{'descr': '<f4', 'fortran_order': True, 'shape': (2, 2), }", 16, "is in Fortran order"},
      {"{'descr': '>f4', 'fortran_order': False, 'shape': (2,), }", 8, "is big-endian ('>f4')"},
      {"{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }", 8, "element type '<c8'"},
      {"{'descr': '|V2', 'fortran_order': False, 'shape': (1,), }", 2, "say which dtype they are"},
      {"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", 4, "holds records"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }", 8,
       "holds 8 bytes of elements; its shape [3] of float32 takes 12"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296), }", 0,
       "beyond 64 bits"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (0, 4294967296, 4294967296), }", 0,
       "beyond 64 bits"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }", 0,
       "dimension beyond 64 bits"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }", 0, "expected a dimension"},
      {"{'descr': '<f4', 'shape': (1,), }", 4, "lacks one of"},
      {"{'descr': '<f4', 'descr': '<f4', ", 4, "repeated key 'descr'"},
      {"{'descr': '<f4'", 0, "expected ',' or '}'"},
      {"", 0, "expected '{'"}};
  for (const Refusal &refusal : refusals) {
    std::vector<std::byte> bytes = npyBytes(refusal.header, refusal.numBytes);
    bytes.resize(std::max<size_t>(bytes.size(), 12), std::byte{' '});
    Result<NpyTensor> tensor = parseNpy(bytes);
    ASSERT_FALSE(tensor.isOk()) << refusal.header;
    EXPECT_THAT(tensor.status().message(), HasSubstr(refusal.message));
  }
}

TEST(Npy, EveryTruncationAndChangedHeaderByteIsSurvived) {
  const std::vector<std::byte> bytes = *formatNpy(makeTensor(DataType::Float32, {2, 3}));
  for (size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(parseNpy(std::span(bytes).first(size)).isOk()) << size;
  for (size_t i = 0; i < bytes.size() - 24; ++i)
    for (int value = 0; value < 256; ++value) {
      std::vector<std::byte> changed = bytes;
      changed[i] = static_cast<std::byte>(value);
      Result<NpyTensor> tensor = parseNpy(changed);
      if (tensor.isOk()) {
        EXPECT_EQ(*computeSizeBytes(tensor->dtype, tensor->shape), 24);
      }
    }
}

} // namespace
} // namespace inlay
