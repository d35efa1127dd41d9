#include "base/DynamicLibrary.h"

#include "base/File.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace inlay {
namespace {

using testing::HasSubstr;

int callAddOne(const DynamicLibrary &library, int x) {
  Result<void *> address = library.lookup("addOne");
  EXPECT_TRUE(address.isOk()) << address.status().toString();
  return address.isOk() ? reinterpret_cast<int (*)(int)>(*address)(x) : 0;
}

TEST(DynamicLibrary, OpensAFile) {
  Result<DynamicLibrary> library = DynamicLibrary::open(INLAY_TEST_LIBRARY);
  ASSERT_TRUE(library.isOk()) << library.status().toString();
  EXPECT_EQ(callAddOne(*library, 41), 42);
}

TEST(DynamicLibrary, OpensBytesAndOutlivesMoves) {
  Result<std::string> bytes = readFile(INLAY_TEST_LIBRARY);
  ASSERT_TRUE(bytes.isOk());
  Result<DynamicLibrary> library =
      DynamicLibrary::fromBytes(std::as_bytes(std::span(*bytes)), "addOne.so");
  ASSERT_TRUE(library.isOk()) << library.status().toString();
  DynamicLibrary moved = std::move(*library);
  EXPECT_EQ(callAddOne(moved, 1), 2);
}

TEST(DynamicLibrary, KeepsLibrariesFromBytesApart) {
  Result<std::string> one = readFile(INLAY_TEST_LIBRARY), two = readFile(INLAY_TEST_LIBRARY_2);
  ASSERT_TRUE(one.isOk() && two.isOk());
  Result<DynamicLibrary> first =
      DynamicLibrary::fromBytes(std::as_bytes(std::span(*one)), "library");
  Result<DynamicLibrary> second =
      DynamicLibrary::fromBytes(std::as_bytes(std::span(*two)), "library");
  ASSERT_TRUE(first.isOk() && second.isOk());
  EXPECT_NE(first->find("addOne"), nullptr);
  EXPECT_EQ(first->find("addTwo"), nullptr);
  EXPECT_NE(second->find("addTwo"), nullptr);
  EXPECT_EQ(second->find("addOne"), nullptr);
}

TEST(DynamicLibrary, NamesWhatIsMissing) {
  Result<DynamicLibrary> none = DynamicLibrary::open("libno-such-library.so");
  ASSERT_FALSE(none.isOk());
  EXPECT_EQ(none.status().code(), StatusCode::NotFound);
  EXPECT_THAT(none.status().message(), HasSubstr("'libno-such-library.so'"));
  Result<DynamicLibrary> library = DynamicLibrary::open(INLAY_TEST_LIBRARY);
  ASSERT_TRUE(library.isOk());
  EXPECT_EQ(library->find("addTwo"), nullptr);
  EXPECT_THAT(library->lookup("addTwo").status().message(), HasSubstr("no symbol 'addTwo'"));
}

TEST(DynamicLibrary, RefusesBytesThatAreNoLibrary) {
  const std::string garbage = "this is no shared object";
  Result<DynamicLibrary> library =
      DynamicLibrary::fromBytes(std::as_bytes(std::span(garbage)), "garbage");
  ASSERT_FALSE(library.isOk());
  EXPECT_EQ(library.status().code(), StatusCode::DataLoss);
}

} // namespace
} // namespace inlay
