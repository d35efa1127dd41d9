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
    if (info.compression_method != 0 || info.compressed_size != info.uncompressed_size ||
        (info.flag & 1) != 0)
      return invalidArgument("archive member '{}' is compressed or encrypted: found method {}, "
                             "flags {:#x} and {} bytes for {}, expected bytes stored as they are",
                             name, info.compression_method, info.flag, info.compressed_size,
                             info.uncompressed_size);
    if (unzOpenCurrentFile(zip.get()) != UNZ_OK)
      return dataLoss(
          "archive member '{}' has a corrupt header: it differs from the directory's entry", name);
    const uint64_t offset = unzGetCurrentFileZStreamPos64(zip.get());
    // Sums of stored members are not checked: PyTorch may write none.
    unzCloseCurrentFile(zip.get());
    if (offset > bytes.size() || info.uncompressed_size > bytes.size() - offset)
      return dataLoss(
          "archive member '{}' has {} bytes at offset {}, the file only {}; it is truncated or "
          "corrupt",
          name, info.uncompressed_size, offset, bytes.size());
    members.emplace_back(std::move(name), bytes.subspan(offset, info.uncompressed_size));
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
