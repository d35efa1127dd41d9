// Shared libraries opened at run time.
#pragma once

#include "base/Status.h"

#include <cstddef>
#include <span>
#include <string>

namespace inlay {

/// Owns an open shared library; closed with it, so that its symbols must not be used afterwards.
/// Movable. Its code runs with the process's rights: open only what is trusted.
class DynamicLibrary {
public:
  /// Opens a library by path, or by bare name along the loader's search path; its symbols stay
  /// local. Errors: NotFound with the loader's reason.
  static Result<DynamicLibrary> open(const std::string &path);
  /// Opens a library from its bytes, by way of a file in memory; `name` is for messages and
  /// debuggers. Errors: DataLoss with the loader's reason, OutOfMemory.
  static Result<DynamicLibrary> fromBytes(std::span<const std::byte> bytes,
                                          const std::string &name);

  DynamicLibrary(DynamicLibrary &&other) noexcept;
  DynamicLibrary &operator=(DynamicLibrary &&other) noexcept;
  ~DynamicLibrary();

  /// The address of a symbol; null if there is none.
  void *find(const char *symbol) const;
  /// The address of a symbol. Errors: NotFound naming the symbol and the library.
  Result<void *> lookup(const char *symbol) const;
  const std::string &name() const { return name_; }

private:
  DynamicLibrary(void *handle, std::string name) : handle_(handle), name_(std::move(name)) {}
  void *handle_ = nullptr;
  std::string name_;
};

} // namespace inlay
