// A bounded folder of byte strings, found again by the hash of what they were made from.
#pragma once

#include "base/Cancellation.h"
#include "base/FilePieces.h"
#include "base/Status.h"

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/MemoryBuffer.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace inlay {

/// A folder of entries under keys, which are hashes of all that an entry depends on.
///
/// Many processes and threads may use one folder: entries are written beside and renamed, and a
/// damaged one counts as absent. The least recently used entries are deleted when the folder
/// outgrows its limit, which is looked at once a minute.
class ContentCache {
public:
  /// `what` names the cache in warnings, "kernel cache"; `magic` begins each entry and changes when
  /// the form of entries does. `maxBytes` bounds the folder, which is created when the first entry
  /// is stored. A look-up that is cancelled finds nothing, and a cancelled entry is not stored.
  ContentCache(std::string what, std::string magic, std::string folder, uint64_t maxBytes,
               CancelCheck isCancelled = {});

  /// The entry under a key, mapped if it is large; null if there is none. Trouble with the folder
  /// counts as absence and is logged.
  std::unique_ptr<llvm::MemoryBuffer> open(const std::string &key) const;
  /// The bytes stored in an entry.
  llvm::StringRef contentOf(const llvm::MemoryBuffer &entry) const;
  /// A copy of the bytes stored under a key; nullopt as in open.
  std::optional<std::string> find(const std::string &key) const;
  /// Keeps bytes, in place of a damaged entry too. Trouble with the folder is logged; the build
  /// goes on without.
  void store(const std::string &key, const FilePieces &bytes) const;
  void store(const std::string &key, llvm::StringRef bytes) const;

private:
  std::string what_, magic_, folder_;
  uint64_t maxBytes_;
  CancelCheck isCancelled_;
};

/// SHA-256 as 64 lower-case digits: what keys are made of.
std::string contentHash(llvm::StringRef text);
/// As above; asks in between whether to go on. Errors: Cancelled.
Result<std::string> contentHash(std::span<const std::span<const std::byte>> pieces,
                                const CancelCheck &isCancelled);
/// The bytes as text.
llvm::StringRef textOf(const std::vector<std::byte> &bytes);
/// The hash of the program or library that holds this code, so that another build of the compiler
/// finds nothing of this one's; empty if the file cannot be read.
const std::string &compilerIdentity();
/// Which assembler makes cubins: its place, size and age.
std::string assemblerIdentity();

} // namespace inlay
