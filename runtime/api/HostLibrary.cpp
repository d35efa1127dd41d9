#include "runtime/api/HostLibrary.h"

#include "base/DynamicLibrary.h"
#include "base/Error.h"
#include "runtime/core/StatusHandle.h"

#include <mutex>
#include <vector>

namespace inlay {
namespace {

constexpr const char *kEntry = "inlay_host_library_v1";

} // namespace

Status loadHostLibrary(const std::string &path) {
  INLAY_ASSIGN(DynamicLibrary library, DynamicLibrary::open(path),
               "opening host library '" + path + "'");
  auto *entry = reinterpret_cast<inlay_host_library_entry_t>(library.find(kEntry));
  if (!entry)
    return invalidArgument("'{}' has no function {}, which a library of host functions exports",
                           path, kEntry);
  const inlay_host_api_t api{sizeof(inlay_host_api_t),       inlay_host_function_register,
                             inlay_host_function_unregister, inlay_status_create,
                             inlay_status_message,           inlay_status_free};
  // Kept for good: the functions may be called as long as the process runs.
  static auto *libraries = new std::vector<DynamicLibrary>();
  static std::mutex mutex;
  Status status = fromHandle(entry(&api));
  std::lock_guard lock(mutex);
  libraries->push_back(std::move(library));
  return std::move(status).withContext("registering the functions of '" + path + "'");
}

} // namespace inlay
