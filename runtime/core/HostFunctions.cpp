#include "runtime/core/HostFunctions.h"

#include "base/Error.h"

namespace inlay {

HostFunctions &HostFunctions::ofProcess() {
  // Never destroyed: engines in static storage may outlive anything that is.
  static auto *functions = new HostFunctions();
  return *functions;
}

Status HostFunctions::add(std::shared_ptr<const HostFunction> function) {
  std::lock_guard lock(mutex_);
  if (!functions_.try_emplace(function->name(), function).second)
    return alreadyExists("there is a host function '{}' already; unregister it first",
                         function->name());
  return {};
}

Status HostFunctions::remove(std::string_view name) {
  std::shared_ptr<const HostFunction> removed; // destroyed without the lock
  std::lock_guard lock(mutex_);
  auto found = functions_.find(name);
  if (found == functions_.end())
    return notFound("there is no host function '{}' to unregister", name);
  removed = std::move(found->second);
  functions_.erase(found);
  return {};
}

std::shared_ptr<const HostFunction> HostFunctions::find(std::string_view name) const {
  std::lock_guard lock(mutex_);
  auto found = functions_.find(name);
  return found == functions_.end() ? nullptr : found->second;
}

std::vector<std::string> HostFunctions::names() const {
  std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  for (const auto &[name, function] : functions_)
    names.push_back(name);
  return names;
}

} // namespace inlay
