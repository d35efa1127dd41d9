// .npz files: zip archives of .npy files, read and written through minizip.
#include "base/Error.h"
#include "base/MappedFile.h"
#include "tools/tensorio/Npy.h"

#include <minizip/unzip.h>
#include <minizip/zip.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <memory>
#include <set>
#include <unistd.h>

namespace inlay {
namespace {

constexpr uint64_t kMaxMembers = 65536;
/// A member may inflate to at most this many times its compressed size: deflate's limit is 1032.
constexpr uint64_t kMaxInflation = 1100;

struct CloseArchive {
  void operator()(void *archive) const { unzClose(archive); }
};
using Archive = std::unique_ptr<void, CloseArchive>;

/// Reads the member that the archive stands on.
Result<std::vector<std::byte>> readMember(void *archive, const unz_file_info64 &info) {
  if (info.uncompressed_size > kMaxInflation * (info.compressed_size + 1))
    return dataLoss("it claims to inflate from {} to {} bytes", info.compressed_size,
                    info.uncompressed_size);
  if (const int reason = unzOpenCurrentFile(archive); reason != UNZ_OK)
    return dataLoss(
        "it cannot be opened (minizip error {}): encrypted, or packed in an unknown way", reason);
  // Grows with what really arrives: the claimed size is not to be trusted with memory.
  std::vector<std::byte> bytes, chunk(1 << 18);
  int count = 0;
  while ((count = unzReadCurrentFile(archive, chunk.data(), static_cast<unsigned>(chunk.size()))) >
         0) {
    bytes.insert(bytes.end(), chunk.begin(), chunk.begin() + count);
    if (bytes.size() > info.uncompressed_size)
      break;
  }
  const int closed = unzCloseCurrentFile(archive);
  if (count < 0 || bytes.size() != info.uncompressed_size)
    return dataLoss("{} of its {} bytes can be read", bytes.size(), info.uncompressed_size);
  if (closed == UNZ_CRCERROR)
    return dataLoss("its checksum is wrong");
  return bytes;
}

/// The name of the archive's current member, and the member unless it is not wanted.
Result<std::pair<std::string, std::optional<NpyTensor>>>
readTensor(void *archive, const DataTypeOf &dtypeOf, const MemberFilter &isWanted) {
  unz_file_info64 info;
  char name[1024];
  if (unzGetCurrentFileInfo64(archive, &info, name, sizeof(name), nullptr, 0, nullptr, 0) !=
          UNZ_OK ||
      info.size_filename >= sizeof(name))
    return dataLoss("the archive's directory is corrupt");
  std::string key(name, info.size_filename);
  if (key.ends_with(".npy"))
    key.resize(key.size() - 4);
  if (isWanted && !isWanted(key))
    return std::pair(std::move(key), std::optional<NpyTensor>());
  const std::string context = "reading member '" + key + "'";
  INLAY_ASSIGN(const std::vector<std::byte> bytes, readMember(archive, info), context);
  INLAY_ASSIGN(NpyTensor tensor, parseNpy(bytes, dtypeOf ? dtypeOf(key) : std::nullopt), context);
  return std::pair(std::move(key), std::optional(std::move(tensor)));
}

Result<NamedTensors> readTensors(void *archive, const DataTypeOf &dtypeOf,
                                 const MemberFilter &isWanted) {
  unz_global_info64 global;
  if (unzGetGlobalInfo64(archive, &global) != UNZ_OK || global.number_entry > kMaxMembers)
    return dataLoss("the archive's directory is corrupt or too long");
  NamedTensors tensors;
  std::set<std::string> names;
  for (uint64_t i = 0; i < global.number_entry; ++i) {
    if ((i == 0 ? unzGoToFirstFile(archive) : unzGoToNextFile(archive)) != UNZ_OK)
      return dataLoss("the archive's directory ends after {} of {} members", i,
                      static_cast<uint64_t>(global.number_entry));
    INLAY_ASSIGN(auto tensor, readTensor(archive, dtypeOf, isWanted));
    if (!names.insert(tensor.first).second)
      return dataLoss("two members have the name '{}'", tensor.first);
    if (tensor.second)
      tensors.emplace_back(std::move(tensor.first), std::move(*tensor.second));
  }
  return tensors;
}

/// Minizip reads archives whose end is cut off as if what is missing were 0. The end record must
/// lie exactly before the end of the file, with its comment. Errors: DataLoss.
Status verifyArchiveEnd(const std::string &path) {
  constexpr size_t kEndRecordBytes = 22;
  INLAY_ASSIGN(const MappedFile file, MappedFile::open(path));
  const std::span<const std::byte> bytes = file.bytes();
  const size_t farthest = std::min<size_t>(bytes.size(), kEndRecordBytes + 0xffff);
  for (size_t back = kEndRecordBytes; back <= farthest; ++back) {
    const std::byte *record = bytes.data() + (bytes.size() - back);
    const size_t commentBytes = static_cast<size_t>(record[20]) | static_cast<size_t>(record[21])
                                                                      << 8;
    if (std::memcmp(record, "PK\5\6", 4) == 0 && kEndRecordBytes + commentBytes == back)
      return {};
  }
  return dataLoss("'{}' is no .npz file: it is no zip archive, or truncated", path);
}

} // namespace

Result<NamedTensors> readNpz(const std::string &path, const DataTypeOf &dtypeOf,
                             const MemberFilter &isWanted) {
  INLAY_TRY(verifyArchiveEnd(path));
  const Archive archive(unzOpen64(path.c_str()));
  if (!archive)
    return dataLoss("'{}' is no .npz file: its zip directory cannot be read", path);
  INLAY_ASSIGN(NamedTensors tensors, readTensors(archive.get(), dtypeOf, isWanted),
               "reading '" + path + "'");
  return tensors;
}

Status writeNpz(const std::string &path, const NamedTensors &tensors) {
  const std::string temporary = path + ".part" + std::to_string(::getpid());
  zipFile archive = zipOpen64(temporary.c_str(), APPEND_STATUS_CREATE);
  if (!archive)
    return invalidArgument("cannot write '{}'", path);
  Status problem;
  std::set<std::string_view> names;
  for (const auto &[name, tensor] : tensors) {
    Result<std::vector<std::byte>> bytes = formatNpy(tensor);
    if (!bytes.isOk()) {
      problem = std::move(bytes).status().withContext("writing member '" + name + "'");
      break;
    }
    if (!names.insert(name).second) {
      problem = alreadyExists("two tensors have the name '{}'", name);
      break;
    }
    const zip_fileinfo noTime{};
    // Members are stored, as NumPy's savez does; minizip counts bytes of one call in 32 bits.
    int result = zipOpenNewFileInZip64(archive, (name + ".npy").c_str(), &noTime, nullptr, 0,
                                       nullptr, 0, nullptr, 0, 0, 1);
    constexpr size_t kChunkBytes = size_t{1} << 30;
    for (size_t at = 0; result == ZIP_OK && at < bytes->size(); at += kChunkBytes)
      result =
          zipWriteInFileInZip(archive, bytes->data() + at,
                              static_cast<unsigned>(std::min(kChunkBytes, bytes->size() - at)));
    if (result != ZIP_OK || zipCloseFileInZip(archive) != ZIP_OK) {
      problem = invalidArgument("cannot write member '{}' of '{}'", name, path);
      break;
    }
  }
  if (zipClose(archive, nullptr) != ZIP_OK && problem.isOk())
    problem = invalidArgument("cannot write '{}'", path);
  if (problem.isOk() && std::rename(temporary.c_str(), path.c_str()) != 0)
    problem = invalidArgument("cannot write '{}'", path);
  if (!problem.isOk())
    ::unlink(temporary.c_str());
  return problem;
}

} // namespace inlay
