#include "compiler/targets/cpu/CodeGeneration.h"

#include "base/Error.h"
#include "compiler/conversions/tile-to-cpu/LibraryCalls.h"

#include "lld/Common/Driver.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/Object/ELFObjectFile.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

#include <mutex>

LLD_HAS_DRIVER(elf)

namespace inlay {

namespace {

/// Names of symbols the object needs from elsewhere, other than the functions of the C library that
/// kernels may call: every process that loads a kernel has those.
Result<std::vector<std::string>> undefinedSymbols(llvm::MemoryBufferRef object) {
  auto file = llvm::object::ObjectFile::createObjectFile(object);
  if (!file)
    return internalError("the object made for x86-64 cannot be read: {}",
                         llvm::toString(file.takeError()));
  std::vector<std::string> names;
  for (const llvm::object::SymbolRef &symbol : (*file)->symbols()) {
    llvm::Expected<uint32_t> flags = symbol.getFlags();
    llvm::Expected<llvm::StringRef> name = symbol.getName();
    if (!flags || !name) {
      llvm::consumeError(flags ? llvm::Error::success() : flags.takeError());
      llvm::consumeError(name ? llvm::Error::success() : name.takeError());
      return internalError("the symbols of the object made for x86-64 cannot be read");
    }
    // The first entry of every symbol table is undefined and has no name.
    if ((*flags & llvm::object::SymbolRef::SF_Undefined) && !name->empty() &&
        *name != "_GLOBAL_OFFSET_TABLE_" &&
        !llvm::is_contained(tile_to_cpu::kLibraryFunctionNames, *name))
      names.push_back(name->str());
  }
  return names;
}

Status runLinker(const std::string &objectPath, const std::string &outputPath) {
  // LLD keeps state in globals while it runs.
  static std::mutex mutex;
  std::lock_guard lock(mutex);
  const char *arguments[] = {"ld.lld",
                             "-shared",
                             "-nostdlib",
                             "--strip-all",
                             "--build-id=none",
                             "--hash-style=gnu",
                             "--threads=1",
                             "--no-rosegment",
                             "--no-eh-frame-hdr",
                             "-z",
                             "norelro",
                             "-z",
                             "max-page-size=4096",
                             "-z",
                             "noseparate-code",
                             "-o",
                             outputPath.c_str(),
                             objectPath.c_str()};
  std::string messages;
  llvm::raw_string_ostream stream(messages);
  lld::Result result = lld::lldMain(arguments, stream, stream, {{lld::Gnu, &lld::elf::link}});
  if (result.retCode != 0)
    return internalError("LLD could not link the shared object: {}", messages);
  return {};
}

} // namespace

Result<std::vector<std::byte>> linkSharedObject(llvm::ArrayRef<char> object) {
  llvm::StringRef bytes(object.data(), object.size());
  INLAY_ASSIGN(std::vector<std::string> undefined, undefinedSymbols({bytes, "kernel.o"}));
  if (!undefined.empty())
    return internalError(
        "the x86-64 code calls '{}', which no kernel may need; this is a bug of the CPU target",
        undefined.front());
  llvm::SmallString<128> directory;
  if (std::error_code error = llvm::sys::fs::createUniqueDirectory("inlay-link", directory))
    return failedPrecondition(
        "cannot make a temporary directory to link in ({}): {}; set TMPDIR to a writable folder",
        directory.str().str(), error.message());
  llvm::scope_exit cleanUp([&] { (void)llvm::sys::fs::remove_directories(directory); });
  llvm::SmallString<128> objectPath(directory), outputPath(directory);
  llvm::sys::path::append(objectPath, "kernel.o");
  llvm::sys::path::append(outputPath, "kernel.so");
  std::error_code error;
  {
    llvm::raw_fd_ostream file(objectPath, error, llvm::sys::fs::OF_None);
    if (!error)
      file << bytes;
    if (error || file.has_error()) {
      std::string reason = (error ? error : file.error()).message();
      file.clear_error();
      return failedPrecondition("cannot write the temporary file {}: {}", objectPath.str().str(),
                                reason);
    }
  }
  INLAY_TRY(runLinker(std::string(objectPath), std::string(outputPath)));
  auto linked =
      llvm::MemoryBuffer::getFile(outputPath, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!linked)
    return internalError("cannot read the linked file {}: {}", outputPath.str().str(),
                         linked.getError().message());
  llvm::StringRef content = (*linked)->getBuffer();
  const auto *first = reinterpret_cast<const std::byte *>(content.data());
  return std::vector<std::byte>(first, first + content.size());
}

} // namespace inlay
