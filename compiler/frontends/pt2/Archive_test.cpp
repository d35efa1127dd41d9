#include "compiler/frontends/pt2/Archive.h"

#include "compiler/frontends/pt2/TestArchive.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>

namespace inlay::pt2 {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

std::string_view textOf(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char *>(bytes.data()), bytes.size()};
}

/// Overwrites `value` at the n-th byte after the last place of `signature`: of the directory's
/// entry for the last member, say.
template <typename T>
void patch(std::vector<std::byte> &zip, std::string_view signature, size_t offset, T value) {
  const auto pattern = bytesOf(signature);
  const auto at = std::find_end(zip.begin(), zip.end(), pattern.begin(), pattern.end());
  ASSERT_NE(at, zip.end());
  ASSERT_LE(offset + sizeof(T), static_cast<size_t>(zip.end() - at));
  std::memcpy(&*at + offset, &value, sizeof(T));
}
constexpr std::string_view kDirectoryEntry("PK\x01\x02", 4), kLocalHeader("PK\x03\x04", 4),
    kDirectoryEnd("PK\x05\x06", 4);

Status openStatus(const std::vector<TestMember> &members) {
  return Archive::fromBytes(makeZip(members)).status();
}

/// What looking for the model in an archive of these members says.
Status modelStatus(const std::vector<TestMember> &members) {
  const std::vector<std::byte> zip = makeZip(members);
  Result<Archive> archive = Archive::fromBytes(zip);
  return archive.isOk() ? archive->lookupModel().status() : archive.status();
}

TEST(Pt2Archive, FindsMembersWithoutTheirTopFolder) {
  const std::vector<std::byte> zip = makeZip(testMembers());
  Result<Archive> archive = Archive::fromBytes(zip);
  ASSERT_TRUE(archive.isOk()) << archive.status().toString();
  EXPECT_THAT(archive->names(), ElementsAre("archive_format", "archive_version", "byteorder",
                                            "data/constants/model_constants_config.json",
                                            "data/weights/model_weights_config.json",
                                            "data/weights/weight_0", "models/model.json"));
  ASSERT_TRUE(archive->find("models/model.json"));
  EXPECT_EQ(textOf(*archive->find("models/model.json")), testProgramJson());
  EXPECT_FALSE(archive->find("m/models/model.json"));
  EXPECT_FALSE(archive->find("models"));
  EXPECT_EQ(archive->sizeBytes(), zip.size());
  Result<ArchivedModel> model = archive->lookupModel();
  ASSERT_TRUE(model.isOk()) << model.status().toString();
  EXPECT_EQ(model->name, "model");
  EXPECT_EQ(model->programMember, "models/model.json");
}

/// Bytes are not copied: weights of many gigabytes stay in the file.
TEST(Pt2Archive, MembersStayInPlace) {
  const std::vector<std::byte> zip = makeZip(testMembers());
  Result<Archive> archive = Archive::fromBytes(zip);
  ASSERT_TRUE(archive.isOk());
  const auto member = *archive->find("data/weights/weight_0");
  EXPECT_GE(member.data(), zip.data());
  EXPECT_LE(member.data() + member.size(), zip.data() + zip.size());
}

TEST(Pt2Archive, TopFolderMayHaveAnyNameOrBeMissing) {
  for (const std::string folder : {"", "m/", "models/", "data/", ".data/"}) {
    std::vector<TestMember> members = testMembers();
    for (TestMember &member : members)
      member.name = folder + member.name.substr(2);
    for (int isReversed : {0, 1}) {
      if (isReversed)
        std::reverse(members.begin(), members.end());
      const std::vector<std::byte> zip = makeZip(members);
      Result<Archive> archive = Archive::fromBytes(zip);
      ASSERT_TRUE(archive.isOk()) << folder << archive.status().toString();
      EXPECT_TRUE(archive->find("models/model.json")) << folder;
      EXPECT_TRUE(archive->lookupModel().isOk()) << folder;
    }
  }
}

TEST(Pt2Archive, FoldersAndEmptyMembersAreAllowed) {
  const std::vector<std::byte> zip = makeZip({{"m/", ""}, {"m/models/", ""}, {"m/a", ""}});
  Result<Archive> archive = Archive::fromBytes(zip);
  ASSERT_TRUE(archive.isOk()) << archive.status().toString();
  EXPECT_THAT(archive->names(), ElementsAre("a"));
  EXPECT_EQ(archive->find("a")->size(), 0u);
  EXPECT_EQ(openStatus({}).code(), StatusCode::DataLoss);
}

TEST(Pt2Archive, OpensEveryModelOfPyTorch) {
  ASSERT_FALSE(modelPaths().empty());
  for (const std::string &path : modelPaths()) {
    Result<Archive> archive = Archive::open(path);
    ASSERT_TRUE(archive.isOk()) << archive.status().toString();
    // The mapping moves with the archive.
    const Archive moved = std::move(*archive);
    EXPECT_EQ(textOf(*moved.find("archive_format")), "pt2") << path;
    Result<ArchivedModel> model = moved.lookupModel();
    ASSERT_TRUE(model.isOk()) << path << model.status().toString();
    EXPECT_EQ(model->name, "model");
  }
}

TEST(Pt2Archive, ErrorsNameTheFile) {
  EXPECT_EQ(Archive::open("no/such.pt2").status().code(), StatusCode::NotFound);
  EXPECT_THAT(Archive::open("no/such.pt2").status().message(), HasSubstr("no/such.pt2"));
  const std::string path = writeTemporary(".pt2", bytesOf("no zip archive"));
  const Status status = Archive::open(path).status();
  EXPECT_EQ(status.code(), StatusCode::DataLoss);
  EXPECT_THAT(status.message(),
              AllOf(HasSubstr(path), HasSubstr("not a zip archive"), HasSubstr("expected")));
  EXPECT_FALSE(Archive::open(writeTemporary("-empty.pt2", {})).isOk());
}

TEST(Pt2Archive, EveryTruncationIsRefused) {
  const std::vector<std::byte> zip = makeZip(testMembers());
  for (size_t size = 0; size < zip.size(); ++size) {
    Result<Archive> archive = Archive::fromBytes(std::span(zip).first(size));
    ASSERT_FALSE(archive.isOk()) << "first " << size << " bytes of " << zip.size();
    ASSERT_EQ(archive.status().code(), StatusCode::DataLoss) << archive.status().toString();
  }
}

TEST(Pt2Archive, RefusesUnsafeNames) {
  for (const char *name : {"/etc/passwd", "../x", "m/../../x", "m/..", "..", "m\\x"}) {
    const Status status = openStatus({{name, "text"}});
    EXPECT_EQ(status.code(), StatusCode::InvalidArgument) << name;
    EXPECT_THAT(status.message(), AllOf(HasSubstr(name), HasSubstr("unsafe name")));
  }
  EXPECT_TRUE(openStatus({{"m/a..b/..c", "text"}}).isOk());
  const Status status = openStatus({{std::string(5000, 'a'), "text"}});
  EXPECT_THAT(status.message(), HasSubstr("5000 bytes; at most 4095"));
}

TEST(Pt2Archive, RefusesTwoMembersOfOneName) {
  std::vector<TestMember> members = testMembers();
  members.push_back(members[3]);
  Status status = openStatus(members);
  EXPECT_EQ(status.code(), StatusCode::InvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("two members named 'models/model.json', expected one"));
  members.back().name = "models/model.json"; // outside the top folder
  EXPECT_EQ(openStatus(members).code(), StatusCode::InvalidArgument);
}

TEST(Pt2Archive, RefusesCompressedMembers) {
  const Status status = openStatus({{"m/bomb", std::string(1 << 20, 'a'), true}});
  EXPECT_EQ(status.code(), StatusCode::InvalidArgument);
  EXPECT_THAT(status.message(),
              AllOf(HasSubstr("'m/bomb' is compressed"), HasSubstr("method 8"),
                    HasSubstr("for 1048576"), HasSubstr("expected bytes stored")));
}

/// Members that claim more than the file has: what the sizes say is never allocated.
TEST(Pt2Archive, RefusesMembersLargerThanTheFile) {
  for (uint32_t size : {uint32_t{1000}, uint32_t{0x7fffffff}, uint32_t{0xfffffffe}}) {
    std::vector<std::byte> zip = makeZip({{"m/a", "text"}});
    for (auto [signature, offset] : {std::pair(kDirectoryEntry, 20), std::pair(kLocalHeader, 18)}) {
      patch(zip, signature, offset, size);
      patch(zip, signature, offset + 4, size);
    }
    const Status status = Archive::fromBytes(zip).status();
    EXPECT_EQ(status.code(), StatusCode::DataLoss);
    EXPECT_THAT(status.message(), AllOf(HasSubstr("'m/a' has " + std::to_string(size) + " bytes"),
                                        HasSubstr("the file only")));
  }
  // A stored member cannot grow.
  std::vector<std::byte> zip = makeZip({{"m/a", "text"}});
  patch(zip, kDirectoryEntry, 24, uint32_t{1} << 30);
  patch(zip, kLocalHeader, 22, uint32_t{1} << 30);
  EXPECT_THAT(Archive::fromBytes(zip).status().message(), HasSubstr("found method 0"));
}

TEST(Pt2Archive, RefusesDirectoriesThatDoNotFit) {
  std::vector<std::byte> zip = makeZip({{"m/a", "text"}, {"m/b", "text"}});
  const std::vector<std::byte> whole = zip;
  patch(zip, kDirectoryEntry, 8, uint16_t{1}); // encrypted
  EXPECT_FALSE(Archive::fromBytes(zip).isOk());
  zip = whole;
  patch(zip, kDirectoryEntry, 42, uint32_t{1} << 30); // the offset of the local header
  EXPECT_THAT(Archive::fromBytes(zip).status().message(), HasSubstr("'m/b' has a corrupt header"));
  zip = whole;
  patch(zip, kLocalHeader, 26, uint16_t{9}); // the length of the name
  EXPECT_THAT(Archive::fromBytes(zip).status().message(), HasSubstr("'m/b' has a corrupt header"));
  zip = whole;
  for (size_t offset : {8, 10}) // the number of members
    patch(zip, kDirectoryEnd, offset, uint16_t{3});
  EXPECT_THAT(Archive::fromBytes(zip).status().message(),
              HasSubstr("corrupt after 2 members; expected 3"));
}

/// Members behind 4 GiB, and larger ones, have their numbers in an extra field.
TEST(Pt2Archive, ReadsNumbersOf64Bits) {
  std::vector<std::byte> zip = makeZip({{"m/a", "text"}});
  const struct {
    uint16_t kind = 1, sizeBytes = 24;
    uint32_t numbers[6] = {4, 0, 4, 0, 0, 0}; // size, stored size, place, of 64 bits each
  } extra;
  static_assert(sizeof(extra) == 28);
  const auto end = std::find_end(zip.begin(), zip.end(), bytesOf(kDirectoryEnd).begin(),
                                 bytesOf(kDirectoryEnd).end());
  uint32_t directoryBytes = 0;
  std::memcpy(&directoryBytes, &*end + 12, sizeof(directoryBytes));
  const auto field = std::as_bytes(std::span(&extra, 1));
  zip.insert(end, field.begin(), field.end());
  patch(zip, kDirectoryEnd, 12, directoryBytes + static_cast<uint32_t>(field.size()));
  patch(zip, kDirectoryEntry, 30, static_cast<uint16_t>(field.size()));
  for (size_t offset : {20, 24, 42})
    patch(zip, kDirectoryEntry, offset, 0xffffffffu);
  const Result<Archive> archive = Archive::fromBytes(zip);
  ASSERT_TRUE(archive.isOk()) << archive.status().toString();
  EXPECT_EQ(textOf(*archive->find("a")), "text");
  patch(zip, kDirectoryEntry, 46 + 3 + 2, uint16_t{25}); // longer than the extra field
  EXPECT_THAT(Archive::fromBytes(zip).status().message(),
              HasSubstr("directory is corrupt at member 'm/a'"));
}

TEST(Pt2Archive, ChangedBytesAreRefusedOrReadable) {
  const std::vector<std::byte> zip = makeZip(testMembers());
  auto use = [](std::span<const std::byte> bytes) {
    Result<Archive> archive = Archive::fromBytes(bytes);
    if (!archive.isOk()) {
      EXPECT_FALSE(archive.status().message().empty());
      return;
    }
    for (const std::string &name : archive->names()) {
      const auto member = *archive->find(name);
      ASSERT_GE(member.data(), bytes.data());
      ASSERT_LE(member.data() + member.size(), bytes.data() + bytes.size());
    }
    (void)archive->lookupModel();
  };
  for (size_t i = 0; i < zip.size(); ++i)
    for (unsigned change : {0x01u, 0x80u, 0xffu}) {
      std::vector<std::byte> changed = zip;
      changed[i] ^= static_cast<std::byte>(change);
      use(changed);
    }
  constexpr unsigned kSeed = 20261124;
  SCOPED_TRACE(kSeed);
  std::mt19937 random(kSeed);
  for (int round = 0; round < 2000; ++round) {
    std::vector<std::byte> changed = zip;
    for (int i = 0; i < 8; ++i) // most of them in the directory
      changed[changed.size() - 1 - random() % std::min<size_t>(changed.size(), 700)] =
          static_cast<std::byte>(random());
    use(changed);
  }
}

TEST(Pt2Archive, SaysWhatIsNoExportedProgram) {
  EXPECT_EQ(modelStatus({{"m/data/aotinductor/model/x.so", "elf"}}).code(),
            StatusCode::InvalidArgument);
  EXPECT_THAT(modelStatus({{"m/data/aotinductor/model/x.so", "elf"}}).message(),
              AllOf(HasSubstr("AOTInductor"), HasSubstr("torch.export.save")));
  EXPECT_THAT(modelStatus({{"m/readme.txt", "hello"}}).message(),
              HasSubstr("no member 'models/NAME.json'"));
  EXPECT_THAT(modelStatus({{"m/models/a.json", "{}"}, {"m/models/b.json", "{}"}}).message(),
              HasSubstr("2 models ('a', 'b'), expected one"));
}

/// PyTorch 2.6 and 2.7 wrote no folders.
TEST(Pt2Archive, FindsProgramsOfOlderGenerations) {
  const std::vector<std::byte> zip = makeZip({{"serialized_exported_program.json", "{}"},
                                              {"serialized_state_dict.pt", "PK"},
                                              {"extra_files/note", "n"},
                                              {"version", "8.1"}});
  Result<Archive> archive = Archive::fromBytes(zip);
  ASSERT_TRUE(archive.isOk()) << archive.status().toString();
  Result<ArchivedModel> model = archive->lookupModel();
  ASSERT_TRUE(model.isOk()) << model.status().toString();
  EXPECT_EQ(model->programMember, "serialized_exported_program.json");
}

TEST(Pt2Archive, ChecksWhatTheArchiveSaysOfItself) {
  const auto with = [](size_t member, const char *content) {
    std::vector<TestMember> members = testMembers();
    members[member].content = content;
    return modelStatus(members);
  };
  EXPECT_EQ(with(4, "zip").code(), StatusCode::InvalidArgument);
  EXPECT_THAT(with(4, "zip").message(), HasSubstr("'archive_format': found 'zip', expected 'pt2'"));
  EXPECT_EQ(with(5, "1").code(), StatusCode::Incompatible);
  EXPECT_THAT(with(5, "1").message(), HasSubstr("'archive_version': found '1', expected '0'"));
  EXPECT_EQ(with(6, "big").code(), StatusCode::Unimplemented);
  EXPECT_THAT(with(6, "big").message(), HasSubstr("'byteorder': found 'big', expected 'little'"));
}

} // namespace
} // namespace inlay::pt2
