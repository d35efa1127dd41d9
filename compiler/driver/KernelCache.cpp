#include "compiler/driver/KernelCache.h"

#include "base/Env.h"
#include "base/Error.h"

#include "llvm/Support/JSON.h"

#include <charconv>

namespace inlay {

namespace {

/// Changes when the form of an entry does.
constexpr llvm::StringLiteral kMagic = "inlay-kernel-2\n";
constexpr uint64_t kDefaultMaxMegabytes = 1024;

std::string keyOf(mlir::ModuleOp module, const Target &target) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  stream << kMagic << compilerIdentity() << "\n" << target.name() << "\n";
  if (llvm::StringRef(target.name()).starts_with("cuda:"))
    stream << assemblerIdentity() << "\n";
  module->print(stream, mlir::OpPrintingFlags().enableDebugInfo());
  return contentHash(text);
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
  return body;
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
std::optional<std::vector<KernelImage>> deserialize(llvm::StringRef body) {
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

} // namespace

KernelCache::KernelCache(std::string folder, uint64_t maxBytes)
    : entries_("kernel cache", kMagic.str(), std::move(folder), maxBytes) {}

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
  const std::optional<std::string> entry = entries_.find(keyOf(module, target));
  return entry ? deserialize(*entry) : std::nullopt;
}

void KernelCache::store(mlir::ModuleOp module, const Target &target,
                        const std::vector<KernelImage> &images) const {
  entries_.store(keyOf(module, target), serialize(images));
}

} // namespace inlay
