#include "compiler/driver/ContentCache.h"

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

void logTrouble(const std::string &what, const std::string &folder, llvm::Error error) {
  INLAY_LOG(Driver, Warn, "{} {}: {}", what, folder, llvm::toString(std::move(error)));
}

} // namespace

std::string contentHash(llvm::StringRef text) {
  llvm::SHA256 hash;
  hash.update(text);
  return llvm::toHex(hash.final(), /*LowerCase=*/true);
}

std::string contentHash(const FilePieces &bytes) {
  llvm::SHA256 hash;
  for (std::span<const std::byte> piece : bytes.pieces())
    hash.update(llvm::ArrayRef(reinterpret_cast<const uint8_t *>(piece.data()), piece.size()));
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
                           uint64_t maxBytes)
    : what_(std::move(what)), magic_(std::move(magic)), folder_(std::move(folder)),
      maxBytes_(maxBytes) {}

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
  if (!bytes.consume_front(magic_) || bytes.size() <= kHashDigits || bytes[kHashDigits] != '\n' ||
      contentHash(bytes.drop_front(kHashDigits + 1)) != bytes.take_front(kHashDigits)) {
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
  // The library would hand out an entry that is there; a damaged one must be replaced.
  llvm::sys::fs::remove(folder_ + "/llvmcache-" + key);
  llvm::Expected<llvm::FileCache> cache = llvm::localCache("inlay", "inlay", folder_);
  if (!cache)
    return logTrouble(what_, folder_, cache.takeError());
  llvm::Expected<llvm::AddStreamFn> add = (*cache)(0, key, "");
  if (!add)
    return logTrouble(what_, folder_, add.takeError());
  if (*add) { // empty if another process has stored it meanwhile
    llvm::Expected<std::unique_ptr<llvm::CachedFileStream>> stream = (*add)(0, "");
    if (!stream)
      return logTrouble(what_, folder_, stream.takeError());
    *(*stream)->OS << magic_ << contentHash(bytes) << "\n";
    for (std::span<const std::byte> piece : bytes.pieces())
      (*stream)->OS->write(reinterpret_cast<const char *>(piece.data()), piece.size());
    if (llvm::Error error = (*stream)->commit())
      return logTrouble(what_, folder_, std::move(error));
  }
  llvm::CachePruningPolicy policy;
  policy.Interval = kPruningInterval;
  policy.Expiration = std::chrono::seconds(0); // age alone deletes nothing
  policy.MaxSizePercentageOfAvailableSpace = 0;
  policy.MaxSizeBytes = maxBytes_;
  llvm::pruneCache(folder_, policy);
}

} // namespace inlay
