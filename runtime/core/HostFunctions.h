// Functions of the process that engines call by name: the JIT form of plugins.
#pragma once

#include "base/Status.h"

#include <inlay/inlay.h>

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace inlay {

/// A registered function. Engines that call it hold it, so that it outlives its registration.
class HostFunction {
public:
  explicit HostFunction(const inlay_host_function_t &given) : given_(given), name_(given.name) {}
  HostFunction(const HostFunction &) = delete;
  ~HostFunction() {
    if (given_.destroy)
      given_.destroy(given_.user_data);
  }
  const std::string &name() const { return name_; }
  /// Numbers of tensors that it takes; negative: any.
  int32_t numInputs() const { return given_.num_inputs; }
  int32_t numOutputs() const { return given_.num_outputs; }
  /// Null is success; else the caller frees it.
  inlay_status_t *call(const inlay_host_call_t &call) const {
    return given_.call(given_.user_data, &call);
  }

private:
  inlay_host_function_t given_;
  std::string name_;
};

/// The process's functions by name. All functions may be called from several threads at once.
class HostFunctions {
public:
  static HostFunctions &ofProcess();

  /// Errors: AlreadyExists.
  Status add(std::shared_ptr<const HostFunction> function);
  /// Engines that were loaded before keep the function. Errors: NotFound.
  Status remove(std::string_view name);
  /// Null if there is none.
  std::shared_ptr<const HostFunction> find(std::string_view name) const;
  /// Sorted.
  std::vector<std::string> names() const;

private:
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const HostFunction>, std::less<>> functions_;
};

} // namespace inlay
