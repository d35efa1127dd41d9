#include "compiler/frontends/pt2/Archive.h"

#include "base/Error.h"

#include <minizip/unzip.h>

#include <algorithm>
#include <cstring>
#include <memory>

namespace inlay::pt2 {
namespace {

constexpr uint64_t kMaxMembers = 1'000'000;
constexpr size_t kMaxNameBytes = 4096;
constexpr std::string_view kModelPrefix = "models/", kModelSuffix = ".json";
/// Of PyTorch before 2.8.
constexpr std::string_view kFlatProgram = "serialized_exported_program.json";

/// A read position in memory, as minizip's file functions want it.
struct MemoryStream {
  std::span<const std::byte> bytes;
  uint64_t position = 0;
  bool wasShort = false; // a read went over the end
};

voidpf openStream(voidpf opaque, const void *, int) { return opaque; }
uLong readStream(voidpf, voidpf stream, void *buffer, uLong size) {
  auto &memory = *static_cast<MemoryStream *>(stream);
  const uint64_t count = std::min<uint64_t>(size, memory.bytes.size() - memory.position);
  if (count > 0) // an empty file has no address
    std::memcpy(buffer, memory.bytes.data() + memory.position, count);
  memory.position += count;
  memory.wasShort |= count < size;
  return static_cast<uLong>(count);
}
uLong writeStream(voidpf, voidpf, const void *, uLong) { return 0; }
ZPOS64_T tellStream(voidpf, voidpf stream) { return static_cast<MemoryStream *>(stream)->position; }
long seekStream(voidpf, voidpf stream, ZPOS64_T offset, int origin) {
  auto &memory = *static_cast<MemoryStream *>(stream);
  const uint64_t size = memory.bytes.size();
  const uint64_t base = origin == ZLIB_FILEFUNC_SEEK_CUR   ? memory.position
                        : origin == ZLIB_FILEFUNC_SEEK_END ? size
                                                           : 0;
  if (offset > size || base > size - offset)
    return -1;
  memory.position = base + offset;
  return 0;
}
int closeStream(voidpf, voidpf) { return 0; }
/// Without an error minizip takes zeros for what lies behind the end.
int errorStream(voidpf, voidpf stream) { return static_cast<MemoryStream *>(stream)->wasShort; }

/// A little-endian number at a place; nullopt where it would reach behind the end.
template <typename T>
std::optional<T> numberAt(std::span<const std::byte> bytes, uint64_t at) {
  T value;
  if (at > bytes.size() || bytes.size() - at < sizeof(T))
    return std::nullopt;
  std::memcpy(&value, bytes.data() + at, sizeof(T));
  return value;
}

constexpr uint32_t kDirectoryEntry = 0x02014b50, kLocalHeader = 0x04034b50;
constexpr uint64_t kDirectoryEntryBytes = 46, kLocalHeaderBytes = 30;
/// Stands in a field of 32 bits for a number of 64 in the extra field of this kind.
constexpr uint32_t kIsFar = 0xffffffff;
constexpr uint16_t kFarExtra = 1;

/// What the directory says of a member.
struct DirectoryEntry {
  uint64_t sizeBytes = 0, storedBytes = 0, headerOffset = 0;
};

/// Reads the entry at `position`. minizip takes numbers of 32 bits for what they are, so that all
/// behind 4 GiB would be lost.
std::optional<DirectoryEntry> readEntry(std::span<const std::byte> bytes, uint64_t position) {
  const auto nameBytes = numberAt<uint16_t>(bytes, position + 28);
  const auto extraBytes = numberAt<uint16_t>(bytes, position + 30);
  const auto stored = numberAt<uint32_t>(bytes, position + 20);
  const auto size = numberAt<uint32_t>(bytes, position + 24);
  const auto offset = numberAt<uint32_t>(bytes, position + 42);
  if (!offset || numberAt<uint32_t>(bytes, position) != kDirectoryEntry)
    return std::nullopt;
  DirectoryEntry entry{*size, *stored, *offset};
  uint64_t at = position + kDirectoryEntryBytes + *nameBytes;
  const uint64_t end = at + *extraBytes;
  while (at + 4 <= end) {
    const auto kind = numberAt<uint16_t>(bytes, at), fieldBytes = numberAt<uint16_t>(bytes, at + 2);
    if (!fieldBytes || at + 4 + *fieldBytes > end)
      return std::nullopt;
    uint64_t from = at + 4;
    at = from + *fieldBytes;
    for (uint64_t *number : {&entry.sizeBytes, &entry.storedBytes, &entry.headerOffset})
      if (kind == kFarExtra && *number == kIsFar && from + sizeof(uint64_t) <= at) {
        const auto wide = numberAt<uint64_t>(bytes, from);
        if (!wide)
          return std::nullopt;
        *number = *wide;
        from += sizeof(uint64_t);
      }
  }
  return entry;
}

/// Where a member's bytes begin; nullopt if its own header differs from the directory's entry.
std::optional<uint64_t> dataOffset(std::span<const std::byte> bytes, const DirectoryEntry &entry,
                                   std::string_view name, uint64_t method) {
  const uint64_t header = entry.headerOffset;
  if (header > bytes.size())
    return std::nullopt;
  const auto nameBytes = numberAt<uint16_t>(bytes, header + 26);
  const auto extraBytes = numberAt<uint16_t>(bytes, header + 28);
  if (!extraBytes || numberAt<uint32_t>(bytes, header) != kLocalHeader ||
      numberAt<uint16_t>(bytes, header + 8) != method || *nameBytes != name.size() ||
      bytes.size() - header < kLocalHeaderBytes + name.size() ||
      std::memcmp(bytes.data() + header + kLocalHeaderBytes, name.data(), name.size()) != 0)
    return std::nullopt;
  return header + kLocalHeaderBytes + *nameBytes + *extraBytes;
}

struct UnzipCloser {
  void operator()(void *file) const { unzClose(file); }
};

Status checkMemberName(std::string_view name) {
  const bool isUnsafe =
      name.empty() || name.front() == '/' || name.find('\\') != std::string_view::npos ||
      name == ".." || name.starts_with("../") || name.ends_with("/..") ||
      name.find("/../") != std::string_view::npos || name.find('\0') != std::string_view::npos;
  return isUnsafe ? invalidArgument("archive member '{}' has an unsafe name", name) : Status();
}

} // namespace

Result<Archive> Archive::open(const std::string &path) {
  INLAY_ASSIGN(MappedFile file, MappedFile::open(path));
  Archive archive;
  const std::span<const std::byte> bytes = file.bytes();
  archive.file_.emplace(std::move(file));
  INLAY_TRY(archive.load(bytes), "reading '" + path + "'");
  return archive;
}

Result<Archive> Archive::fromBytes(std::span<const std::byte> bytes) {
  Archive archive;
  INLAY_TRY(archive.load(bytes));
  return archive;
}

Status Archive::load(std::span<const std::byte> bytes) {
  sizeBytes_ = bytes.size();
  MemoryStream stream{bytes};
  zlib_filefunc64_def functions{openStream, readStream,  writeStream, tellStream,
                                seekStream, closeStream, errorStream, &stream};
  std::unique_ptr<void, UnzipCloser> zip(unzOpen2_64("", &functions));
  if (!zip)
    return dataLoss("not a zip archive, or a truncated one; expected a .pt2 file as "
                    "torch.export.save writes it");
  unz_global_info64 global{};
  if (unzGetGlobalInfo64(zip.get(), &global) != UNZ_OK || global.number_entry == 0 ||
      global.number_entry > kMaxMembers)
    return dataLoss("archive has {} members; expected 1 to {}", global.number_entry, kMaxMembers);
  std::vector<std::pair<std::string, std::span<const std::byte>>> members;
  int step = unzGoToFirstFile(zip.get());
  for (; step == UNZ_OK; step = unzGoToNextFile(zip.get())) {
    unz_file_info64 info{};
    char nameBuffer[kMaxNameBytes];
    if (unzGetCurrentFileInfo64(zip.get(), &info, nameBuffer, sizeof(nameBuffer), nullptr, 0,
                                nullptr, 0) != UNZ_OK)
      return dataLoss("archive directory is corrupt after {} members; expected {}", members.size(),
                      global.number_entry);
    if (info.size_filename >= kMaxNameBytes)
      return invalidArgument("archive member has a name of {} bytes; at most {} are read",
                             info.size_filename, kMaxNameBytes - 1);
    std::string name(nameBuffer, info.size_filename);
    INLAY_TRY(checkMemberName(name));
    if (name.back() == '/')
      continue;
    const std::optional<DirectoryEntry> entry = readEntry(bytes, unzGetOffset64(zip.get()));
    if (!entry)
      return dataLoss("archive directory is corrupt at member '{}'", name);
    if (info.compression_method != 0 || entry->storedBytes != entry->sizeBytes ||
        (info.flag & 1) != 0)
      return invalidArgument("archive member '{}' is compressed or encrypted: found method {}, "
                             "flags {:#x} and {} bytes for {}, expected bytes stored as they are",
                             name, info.compression_method, info.flag, entry->storedBytes,
                             entry->sizeBytes);
    // Sums of stored members are not checked: PyTorch may write none.
    const std::optional<uint64_t> offset = dataOffset(bytes, *entry, name, info.compression_method);
    if (!offset)
      return dataLoss(
          "archive member '{}' has a corrupt header: it differs from the directory's entry", name);
    if (*offset > bytes.size() || entry->sizeBytes > bytes.size() - *offset)
      return dataLoss(
          "archive member '{}' has {} bytes at offset {}, the file only {}; it is truncated or "
          "corrupt",
          name, entry->sizeBytes, *offset, bytes.size());
    members.emplace_back(std::move(name), bytes.subspan(*offset, entry->sizeBytes));
  }
  if (step != UNZ_END_OF_LIST_OF_FILE)
    return dataLoss("archive directory is corrupt after {} members; expected {}", members.size(),
                    global.number_entry);
  return addMembers(std::move(members));
}

Status
Archive::addMembers(std::vector<std::pair<std::string, std::span<const std::byte>>> members) {
  std::string topFolder;
  if (!members.empty())
    topFolder = members[0].first.substr(0, members[0].first.find('/') + 1);
  // PyTorch writes one top folder, that of the first member and of any name; some packers write
  // none.
  const auto isFormat = [&](const auto &member) {
    return member.first == topFolder + "archive_format";
  };
  if ((topFolder == kModelPrefix || topFolder == "data/" || topFolder == ".data/") &&
      std::none_of(members.begin(), members.end(), isFormat))
    topFolder.clear();
  for (auto &[name, bytes] : members) {
    if (name.starts_with(topFolder))
      name.erase(0, topFolder.size());
    if (!members_.emplace(name, bytes).second)
      return invalidArgument("archive has two members named '{}', expected one", name);
  }
  return {};
}

std::optional<std::span<const std::byte>> Archive::find(std::string_view name) const {
  auto it = members_.find(name);
  if (it == members_.end())
    return std::nullopt;
  return it->second;
}

std::vector<std::string> Archive::names() const {
  std::vector<std::string> names;
  for (const auto &[name, bytes] : members_)
    names.push_back(name);
  return names;
}

/// What the small members at the top say; writers other than PyTorch's may leave them out.
Status Archive::checkFormat() const {
  struct Mark {
    std::string_view member, expected;
    StatusCode code;
    std::string_view advice;
  };
  static constexpr Mark kMarks[] = {
      {"archive_format", "pt2", StatusCode::InvalidArgument,
       "expected a file as torch.export.save writes it"},
      {"archive_version", "0", StatusCode::Incompatible, "this version cannot be read"},
      {"byteorder", "little", StatusCode::Unimplemented,
       "export the model on a little-endian machine"}};
  for (const Mark &mark : kMarks) {
    const auto bytes = find(mark.member);
    if (!bytes)
      continue;
    const std::string_view text(reinterpret_cast<const char *>(bytes->data()), bytes->size());
    if (text != mark.expected)
      return Status(mark.code,
                    fmt::format("archive member '{}': found '{}', expected '{}'; {}", mark.member,
                                text.substr(0, 32), mark.expected, mark.advice));
  }
  return {};
}

Result<ArchivedModel> Archive::lookupModel() const {
  INLAY_TRY(checkFormat());
  std::vector<std::string> models;
  bool hasInductor = false;
  for (const auto &[name, bytes] : members_) {
    hasInductor |= name.starts_with("data/aotinductor/");
    if (name.starts_with(kModelPrefix) && name.ends_with(kModelSuffix))
      models.push_back(name.substr(kModelPrefix.size(),
                                   name.size() - kModelPrefix.size() - kModelSuffix.size()));
  }
  if (models.empty() && hasInductor)
    return invalidArgument("this is an AOTInductor package (compiled code), not an exported "
                           "program; export the model with torch.export.save");
  if (models.empty() && find(kFlatProgram))
    return ArchivedModel{"model", std::string(kFlatProgram)};
  if (models.empty())
    return dataLoss("archive has no member 'models/NAME.json'; expected an exported program as "
                    "torch.export.save writes it");
  if (models.size() > 1)
    return unimplemented("archive has {} models ('{}', '{}'), expected one", models.size(),
                         models[0], models[1]);
  return ArchivedModel{models[0],
                       std::string(kModelPrefix) + models[0] + std::string(kModelSuffix)};
}

} // namespace inlay::pt2
