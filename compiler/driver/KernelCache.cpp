#include "compiler/driver/KernelCache.h"

#include "base/Env.h"
#include "base/Error.h"
#include "base/Log.h"
#include "compiler/targets/cuda/PtxAssembler.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/CachePruning.h"
#include "llvm/Support/Caching.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SHA256.h"

#include <charconv>
#include <dlfcn.h>

namespace inlay {

namespace {

/// Changes when the form of an entry does.
constexpr llvm::StringLiteral kMagic = "inlay-kernel-2\n";
constexpr uint64_t kDefaultMaxMegabytes = 1024;
/// The folder's size is looked at this often at most.
constexpr std::chrono::seconds kPruningInterval{60};
constexpr size_t kHashBytes = 32;

llvm::StringRef textOf(const std::vector<std::byte> &bytes) {
  return {reinterpret_cast<const char *>(bytes.data()), bytes.size()};
}

std::string hashOf(llvm::StringRef text) {
  llvm::SHA256 hash;
  hash.update(text);
  return llvm::toHex(hash.final(), /*LowerCase=*/true);
}

/// The hash of the program or library that holds this code, so that another build of the compiler
/// finds nothing of this one's; empty if the file cannot be read.
const std::string &compilerIdentity() {
  static const std::string identity = [] {
    Dl_info info{};
    if (!dladdr(reinterpret_cast<const void *>(&compilerIdentity), &info) || !info.dli_fname)
      return std::string();
    // dladdr gives the program the name it was called by, which need not be a path.
    auto buffer = llvm::MemoryBuffer::getFile(info.dli_fname);
    if (!buffer)
      buffer = llvm::MemoryBuffer::getFile("/proc/self/exe");
    return buffer ? hashOf((*buffer)->getBuffer()) : std::string();
  }();
  return identity;
}

/// Which assembler makes cubins: its place, size and age.
std::string assemblerIdentity() {
  Result<std::optional<std::string>> ptxas = findPtxas();
  llvm::sys::fs::file_status status;
  if (!ptxas.isOk() || !*ptxas || llvm::sys::fs::status(**ptxas, status))
    return "none";
  return **ptxas + " " + std::to_string(status.getSize()) + " " +
         std::to_string(status.getLastModificationTime().time_since_epoch().count());
}

std::string keyOf(mlir::ModuleOp module, const Target &target) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  stream << kMagic << compilerIdentity() << "\n" << target.name() << "\n";
  if (llvm::StringRef(target.name()).starts_with("cuda:"))
    stream << assemblerIdentity() << "\n";
  module->print(stream, mlir::OpPrintingFlags().enableDebugInfo());
  return hashOf(text);
}

std::string serialize(const std::vector<KernelImage> &images) {
  std::string body;
  llvm::raw_string_ostream stream(body);
  llvm::json::OStream json(stream);
  json.array([&] {
    for (const KernelImage &image : images)
      json.object([&] {
        json.attribute("target", image.target);
        json.attribute("format", static_cast<int64_t>(image.format));
        json.attribute("entry", image.entry);
        json.attribute("size", static_cast<int64_t>(image.bytes.size()));
        json.attribute("num_warps", image.numWarps);
        json.attribute("shared_bytes", image.sharedBytes);
        json.attribute("registers", image.registers);
        json.attribute("spill_bytes", image.spillBytes);
        json.attribute("ptx_version", image.ptxVersion);
        json.attribute("scratch_bytes", image.scratchBytes);
      });
  });
  stream << "\n";
  for (const KernelImage &image : images)
    stream << textOf(image.bytes);
  return kMagic.str() + hashOf(body) + "\n" + body;
}

/// One image's description; its bytes are taken off the front of `bytes`. False if it does not fit.
bool readImage(const llvm::json::Value &value, llvm::StringRef &bytes, KernelImage &image) {
  llvm::json::Path::Root root;
  llvm::json::ObjectMapper map(value, root);
  std::string target, entry;
  int64_t format = 0, size = 0;
  if (!map || !map.map("target", target) || !map.map("entry", entry) ||
      !map.map("format", format) || !map.map("size", size) ||
      !map.map("num_warps", image.numWarps) || !map.map("shared_bytes", image.sharedBytes) ||
      !map.map("registers", image.registers) || !map.map("spill_bytes", image.spillBytes) ||
      !map.map("ptx_version", image.ptxVersion) || !map.map("scratch_bytes", image.scratchBytes))
    return false;
  if (format < 0 || format > static_cast<int64_t>(ImageFormat::X86SharedObject) || size < 0 ||
      static_cast<uint64_t>(size) > bytes.size())
    return false;
  image.target = std::move(target);
  image.entry = std::move(entry);
  image.format = static_cast<ImageFormat>(format);
  const auto *begin = reinterpret_cast<const std::byte *>(bytes.data());
  image.bytes.assign(begin, begin + size);
  bytes = bytes.drop_front(static_cast<size_t>(size));
  return true;
}

/// nullopt if the entry is damaged.
std::optional<std::vector<KernelImage>> deserialize(llvm::StringRef entry) {
  if (!entry.consume_front(kMagic))
    return std::nullopt;
  auto [hash, body] = entry.split('\n');
  if (hash.size() != 2 * kHashBytes || hash != hashOf(body))
    return std::nullopt;
  auto [description, bytes] = body.split('\n');
  llvm::Expected<llvm::json::Value> json = llvm::json::parse(description);
  if (!json) {
    llvm::consumeError(json.takeError());
    return std::nullopt;
  }
  const llvm::json::Array *array = json->getAsArray();
  std::vector<KernelImage> images;
  for (size_t i = 0; array && i < array->size(); ++i)
    if (!readImage((*array)[i], bytes, images.emplace_back()))
      return std::nullopt;
  if (images.empty() || !bytes.empty())
    return std::nullopt;
  return images;
}

void logTrouble(llvm::StringRef folder, llvm::Error error) {
  INLAY_LOG(Driver, Warn, "kernel cache {}: {}", folder.str(), llvm::toString(std::move(error)));
}

} // namespace

KernelCache::KernelCache(std::string folder, uint64_t maxBytes)
    : folder_(std::move(folder)), maxBytes_(maxBytes) {}

Result<std::optional<KernelCache>> KernelCache::fromEnvironment() {
  std::optional<std::string> folder = findEnvironment(EnvironmentVariable::CacheDir);
  if (!folder)
    return std::optional<KernelCache>();
  uint64_t megabytes = kDefaultMaxMegabytes;
  if (std::optional<std::string> text = findEnvironment(EnvironmentVariable::CacheMegabytes)) {
    auto [end, code] = std::from_chars(text->data(), text->data() + text->size(), megabytes);
    if (code != std::errc() || end != text->data() + text->size() || megabytes == 0 ||
        megabytes > UINT64_MAX >> 20)
      return invalidArgument("INLAY_CACHE_MB is '{}'; expected a positive number of megabytes",
                             *text);
  }
  return std::optional<KernelCache>(KernelCache(std::move(*folder), megabytes << 20));
}

std::optional<std::vector<KernelImage>> KernelCache::find(mlir::ModuleOp module,
                                                          const Target &target) const {
  if (!llvm::sys::fs::is_directory(folder_))
    return std::nullopt;
  std::unique_ptr<llvm::MemoryBuffer> entry;
  llvm::Expected<llvm::FileCache> cache = llvm::localCache(
      "inlay", "inlay", folder_,
      [&](unsigned, const llvm::Twine &, std::unique_ptr<llvm::MemoryBuffer> buffer) {
        entry = std::move(buffer);
      });
  if (!cache) {
    logTrouble(folder_, cache.takeError());
    return std::nullopt;
  }
  llvm::Expected<llvm::AddStreamFn> add = (*cache)(0, keyOf(module, target), "");
  if (!add) {
    logTrouble(folder_, add.takeError());
    return std::nullopt;
  }
  if (!entry)
    return std::nullopt;
  std::optional<std::vector<KernelImage>> images = deserialize(entry->getBuffer());
  if (!images)
    INLAY_LOG(Driver, Warn, "kernel cache {}: a damaged entry was passed over", folder_);
  return images;
}

void KernelCache::store(mlir::ModuleOp module, const Target &target,
                        const std::vector<KernelImage> &images) const {
  const std::string key = keyOf(module, target);
  // The library would hand out an entry that is there; a damaged one must be replaced.
  llvm::sys::fs::remove(folder_ + "/llvmcache-" + key);
  llvm::Expected<llvm::FileCache> cache = llvm::localCache("inlay", "inlay", folder_);
  if (!cache)
    return logTrouble(folder_, cache.takeError());
  llvm::Expected<llvm::AddStreamFn> add = (*cache)(0, key, "");
  if (!add)
    return logTrouble(folder_, add.takeError());
  if (*add) { // empty if another process has stored it meanwhile
    llvm::Expected<std::unique_ptr<llvm::CachedFileStream>> stream = (*add)(0, "");
    if (!stream)
      return logTrouble(folder_, stream.takeError());
    *(*stream)->OS << serialize(images);
    if (llvm::Error error = (*stream)->commit())
      return logTrouble(folder_, std::move(error));
  }
  llvm::CachePruningPolicy policy;
  policy.Interval = kPruningInterval;
  policy.Expiration = std::chrono::seconds(0); // age alone deletes nothing
  policy.MaxSizePercentageOfAvailableSpace = 0;
  policy.MaxSizeBytes = maxBytes_;
  llvm::pruneCache(folder_, policy);
}

} // namespace inlay
