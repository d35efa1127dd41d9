#include "compiler/driver/EngineCache.h"

#include "base/Error.h"
#include "base/File.h"
#include "compiler/dialects/plan/Plan.h"

#include "mlir/IR/AsmState.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/Support/xxhash.h"

namespace inlay {

namespace {

/// Changes when the form of an entry does.
constexpr llvm::StringLiteral kMagic = "inlay-engine-1\n";

std::string hashOfData(llvm::ArrayRef<char> bytes) {
  const llvm::XXH128_hash_t hash = llvm::xxh3_128bits(
      llvm::ArrayRef(reinterpret_cast<const uint8_t *>(bytes.data()), bytes.size()));
  return fmt::format("{:016x}{:016x} {}", hash.high64, hash.low64, bytes.size());
}

/// The bytes of weights that lie beside the module's text. They may be mapped from the model's
/// file, and are not copied into a text.
void printWeights(mlir::ModuleOp plan, llvm::raw_ostream &stream) {
  plan.walk([&](plan::BufferOp buffer) {
    if (!buffer.getData())
      return;
    auto resource = llvm::dyn_cast<mlir::DenseResourceElementsAttr>(*buffer.getData());
    if (mlir::AsmResourceBlob *blob = resource ? resource.getRawHandle().getBlob() : nullptr)
      stream << buffer.getSymName() << " " << hashOfData(blob->getData()) << "\n";
  });
}

/// A part of an entry: its size and a newline, then so many bytes.
std::optional<llvm::StringRef> takePart(llvm::StringRef &rest) {
  auto [digits, behind] = rest.split('\n');
  size_t size = 0;
  if (digits.getAsInteger(10, size) || size > behind.size())
    return std::nullopt;
  rest = behind.drop_front(size);
  return behind.take_front(size);
}

MaybeOwnedBytes borrow(llvm::StringRef text) {
  return MaybeOwnedBytes::borrow(std::as_bytes(std::span(text.data(), text.size())));
}

/// Appends a part as takePart takes it.
void appendPart(FilePieces &entry, const FilePieces &part) {
  const std::string size = fmt::format("{}\n", part.sizeBytes());
  const auto digits = std::as_bytes(std::span(size));
  entry.append(std::vector<std::byte>(digits.begin(), digits.end()));
  for (std::span<const std::byte> piece : part.pieces())
    entry.append(MaybeOwnedBytes::borrow(piece));
}

} // namespace

EngineCache::EngineCache(const EngineCacheOptions &options, CancelCheck isCancelled)
    : entries_("engine cache", kMagic.str(), options.folder, options.maxBytes,
               std::move(isCancelled)) {}

std::optional<BuiltEngine> EngineCache::find(const std::string &key) const {
  std::unique_ptr<llvm::MemoryBuffer> entry = entries_.open(key);
  if (!entry)
    return std::nullopt;
  llvm::StringRef rest = entries_.contentOf(*entry);
  const std::optional<llvm::StringRef> report = takePart(rest);
  const std::optional<llvm::StringRef> engine = report ? takePart(rest) : std::nullopt;
  const std::optional<llvm::StringRef> weights = engine ? takePart(rest) : std::nullopt;
  std::optional<BuildReport> read = weights ? reportFromJson(*report) : std::nullopt;
  if (!read || !rest.empty())
    return std::nullopt;
  BuiltEngine built;
  built.engine.append(borrow(*engine));
  built.weights.append(borrow(*weights));
  built.report = std::move(*read);
  built.cacheEntry = std::move(entry);
  return built;
}

void EngineCache::store(const std::string &key, const BuiltEngine &built) const {
  const std::string report = reportJson(built.report);
  FilePieces entry;
  appendPart(entry, FilePieces(borrow(report)));
  appendPart(entry, built.engine);
  appendPart(entry, built.weights);
  entries_.store(key, entry);
}

Result<std::string> engineKey(mlir::ModuleOp plan, const std::vector<std::string> &targets,
                              const std::string &engineName, const BuildOptions &options) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  stream << kMagic << compilerIdentity() << "\n" << assemblerIdentity() << "\n";
  stream << "name " << engineName << "\nweights " << options.weightsFile << "\n";
  for (const std::string &target : targets)
    stream << "target " << target << "\n";
  for (EngineTimer *timer : options.timers)
    stream << "tuned on " << timer->identity() << "\n";
  for (const std::string &path : options.engineCache->pluginFiles) {
    INLAY_ASSIGN(const std::string bytes, readFile(path), "reading a plugin for the engine's key");
    stream << "plugin " << contentHash(bytes) << "\n";
  }
  printWeights(plan, stream);
  plan->print(stream, mlir::OpPrintingFlags().enableDebugInfo().elideLargeResourceString(0));
  return contentHash(text);
}

std::string whyNotCached(mlir::ModuleOp plan) {
  std::string why;
  plan.walk([&](plan::KernelOp kernel) {
    if (!why.empty() || !kernel.getImages())
      return;
    for (auto image : kernel.getImages()->getAsRange<mlir::DictionaryAttr>())
      if (auto format = image.getAs<mlir::StringAttr>("format"); format && format == "cu")
        why = fmt::format("kernel {} is CUDA C++, whose headers are not known",
                          kernel.getSource().str());
  });
  return why;
}

} // namespace inlay
