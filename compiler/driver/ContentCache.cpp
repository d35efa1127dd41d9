#include "compiler/driver/ContentCache.h"

#include "base/Error.h"
#include "base/File.h"
#include "base/Log.h"
#include "compiler/targets/cuda/PtxAssembler.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/CachePruning.h"
#include "llvm/Support/Caching.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SHA256.h"

#include <dlfcn.h>

namespace inlay {

namespace {

/// The folder's size is looked at this often at most.
constexpr std::chrono::seconds kPruningInterval{60};
constexpr size_t kHashDigits = 64;
/// It is asked after so many bytes whether to go on hashing.
constexpr size_t kHashedBytes = size_t{32} << 20;

void logTrouble(const std::string &what, const std::string &folder, llvm::Error error) {
  INLAY_LOG(Driver, Warn, "{} {}: {}", what, folder, llvm::toString(std::move(error)));
}

} // namespace

std::string contentHash(llvm::StringRef text) {
  llvm::SHA256 hash;
  hash.update(text);
  return llvm::toHex(hash.final(), /*LowerCase=*/true);
}

Result<std::string> contentHash(std::span<const std::span<const std::byte>> pieces,
                                const CancelCheck &isCancelled) {
  llvm::SHA256 hash;
  for (std::span<const std::byte> piece : pieces)
    for (; !piece.empty(); piece = piece.subspan(std::min(piece.size(), kHashedBytes))) {
      INLAY_TRY(checkCancelled(isCancelled));
      const auto part = piece.first(std::min(piece.size(), kHashedBytes));
      hash.update(llvm::ArrayRef(reinterpret_cast<const uint8_t *>(part.data()), part.size()));
    }
  return llvm::toHex(hash.final(), /*LowerCase=*/true);
}

llvm::StringRef textOf(const std::vector<std::byte> &bytes) {
  return {reinterpret_cast<const char *>(bytes.data()), bytes.size()};
}

const std::string &compilerIdentity() {
  static const std::string identity = [] {
    Dl_info info{};
    if (!dladdr(reinterpret_cast<const void *>(&compilerIdentity), &info) || !info.dli_fname)
      return std::string();
    // dladdr gives the program the name it was called by, which need not be a path.
    auto buffer = llvm::MemoryBuffer::getFile(info.dli_fname);
    if (!buffer)
      buffer = llvm::MemoryBuffer::getFile("/proc/self/exe");
    return buffer ? contentHash((*buffer)->getBuffer()) : std::string();
  }();
  return identity;
}

std::string assemblerIdentity() {
  Result<std::optional<std::string>> ptxas = findPtxas();
  llvm::sys::fs::file_status status;
  if (!ptxas.isOk() || !*ptxas || llvm::sys::fs::status(**ptxas, status))
    return "none";
  return **ptxas + " " + std::to_string(status.getSize()) + " " +
         std::to_string(status.getLastModificationTime().time_since_epoch().count());
}

ContentCache::ContentCache(std::string what, std::string magic, std::string folder,
                           uint64_t maxBytes, CancelCheck isCancelled)
    : what_(std::move(what)), magic_(std::move(magic)), folder_(std::move(folder)),
      maxBytes_(maxBytes), isCancelled_(std::move(isCancelled)) {}

std::unique_ptr<llvm::MemoryBuffer> ContentCache::open(const std::string &key) const {
  if (!llvm::sys::fs::is_directory(folder_))
    return nullptr;
  std::unique_ptr<llvm::MemoryBuffer> entry;
  llvm::Expected<llvm::FileCache> cache = llvm::localCache(
      "inlay", "inlay", folder_,
      [&](unsigned, const llvm::Twine &, std::unique_ptr<llvm::MemoryBuffer> buffer) {
        entry = std::move(buffer);
      });
  if (!cache) {
    logTrouble(what_, folder_, cache.takeError());
    return nullptr;
  }
  llvm::Expected<llvm::AddStreamFn> add = (*cache)(0, key, "");
  if (!add) {
    logTrouble(what_, folder_, add.takeError());
    return nullptr;
  }
  if (!entry)
    return nullptr;
  llvm::StringRef bytes = entry->getBuffer();
  const bool hasHash =
      bytes.consume_front(magic_) && bytes.size() > kHashDigits && bytes[kHashDigits] == '\n';
  const llvm::StringRef content = hasHash ? bytes.drop_front(kHashDigits + 1) : "";
  const auto piece = std::as_bytes(std::span(content.data(), content.size()));
  const Result<std::string> hash = contentHash(std::span(&piece, 1), isCancelled_);
  if (!hash.isOk())
    return nullptr;
  if (!hasHash || *hash != bytes.take_front(kHashDigits)) {
    INLAY_LOG(Driver, Warn, "{} {}: a damaged entry was passed over", what_, folder_);
    return nullptr;
  }
  return entry;
}

llvm::StringRef ContentCache::contentOf(const llvm::MemoryBuffer &entry) const {
  return entry.getBuffer().drop_front(magic_.size() + kHashDigits + 1);
}

std::optional<std::string> ContentCache::find(const std::string &key) const {
  const std::unique_ptr<llvm::MemoryBuffer> entry = open(key);
  return entry ? std::optional(contentOf(*entry).str()) : std::nullopt;
}

void ContentCache::store(const std::string &key, llvm::StringRef bytes) const {
  const auto piece = std::as_bytes(std::span(bytes.data(), bytes.size()));
  store(key, FilePieces(MaybeOwnedBytes::borrow(piece)));
}

void ContentCache::store(const std::string &key, const FilePieces &bytes) const {
  const std::vector<std::span<const std::byte>> content = bytes.pieces();
  const Result<std::string> hash = contentHash(content, isCancelled_);
  if (!hash.isOk())
    return;
  const std::string head = magic_ + *hash + "\n";
  std::vector<std::span<const std::byte>> pieces{std::as_bytes(std::span(head))};
  pieces.insert(pieces.end(), content.begin(), content.end());
  if (std::error_code error = llvm::sys::fs::create_directories(folder_))
    return logTrouble(what_, folder_, llvm::errorCodeToError(error));
  // Under the name by which llvm::localCache finds it; written here, since that leaves a file
  // behind if the process is killed, which nothing deletes.
  const Status written = writeFileAtomically(folder_ + "/llvmcache-" + key, pieces, isCancelled_,
                                             /*isSynced=*/false);
  if (written.code() == StatusCode::Cancelled)
    return;
  if (!written.isOk()) {
    INLAY_LOG(Driver, Warn, "{} {}: {}", what_, folder_, written.message());
    return;
  }
  llvm::CachePruningPolicy policy;
  policy.Interval = kPruningInterval;
  policy.Expiration = std::chrono::seconds(0); // age alone deletes nothing
  policy.MaxSizePercentageOfAvailableSpace = 0;
  policy.MaxSizeBytes = maxBytes_;
  llvm::pruneCache(folder_, policy);
}

} // namespace inlay
