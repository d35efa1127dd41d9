#include "base/DynamicLibrary.h"

#include "base/Error.h"

#include <dlfcn.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>

namespace inlay {
namespace {

std::string loaderError() {
  const char *message = ::dlerror();
  return message ? message : "unknown reason";
}

/// Writes all bytes; returns 0 or the system's error number.
int writeAll(int file, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(file, bytes.data(), bytes.size());
    if (count >= 0)
      bytes = bytes.subspan(static_cast<size_t>(count));
    else if (errno != EINTR)
      return errno;
  }
  return 0;
}

/// A path to an open file that no other call has given. The loader takes two libraries of one path
/// for one library, and the system gives the number of a closed file to the next; so the bits of a
/// counter are written into the path, where "./" changes nothing.
std::string uniquePathOf(int file) {
  static std::atomic<uint32_t> counter{0};
  std::string path = "/proc/self/";
  for (uint32_t bits = counter.fetch_add(1); bits != 0; bits >>= 1)
    path += (bits & 1) ? "./" : ".//";
  return path + "fd/" + std::to_string(file);
}

} // namespace

Result<DynamicLibrary> DynamicLibrary::open(const std::string &path) {
  void *handle = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!handle)
    return notFound("cannot open library '{}': {}", path, loaderError());
  return DynamicLibrary(handle, path);
}

Result<DynamicLibrary> DynamicLibrary::fromBytes(std::span<const std::byte> bytes,
                                                 const std::string &name) {
  // The system allows names of 249 bytes.
  const int file = ::memfd_create(name.substr(0, 200).c_str(), MFD_CLOEXEC);
  if (file < 0)
    return outOfMemory("cannot make a file in memory for library '{}': {}", name,
                       std::strerror(errno));
  if (const int reason = writeAll(file, bytes)) {
    ::close(file);
    return outOfMemory("cannot keep library '{}' of {} bytes in memory: {}", name, bytes.size(),
                       std::strerror(reason));
  }
  const std::string path = uniquePathOf(file);
  void *handle = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  const std::string reason = handle ? "" : loaderError();
  ::close(file);
  if (!handle)
    return dataLoss("cannot load library '{}' from memory: {}", name, reason);
  return DynamicLibrary(handle, name);
}

DynamicLibrary::DynamicLibrary(DynamicLibrary &&other) noexcept
    : handle_(std::exchange(other.handle_, nullptr)), name_(std::move(other.name_)) {}

DynamicLibrary &DynamicLibrary::operator=(DynamicLibrary &&other) noexcept {
  std::swap(handle_, other.handle_);
  std::swap(name_, other.name_);
  return *this;
}

DynamicLibrary::~DynamicLibrary() {
  if (handle_)
    ::dlclose(handle_);
}

void *DynamicLibrary::find(const char *symbol) const { return ::dlsym(handle_, symbol); }

Result<void *> DynamicLibrary::lookup(const char *symbol) const {
  void *address = find(symbol);
  if (!address)
    return notFound("library '{}' has no symbol '{}'", name_, symbol);
  return address;
}

} // namespace inlay
