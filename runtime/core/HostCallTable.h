// The calls of an engine to functions of the process, made ready ahead of time like launches.
#pragma once

#include "engine/EngineFile.h"
#include "runtime/core/HostFunctionTable.h"
#include "runtime/core/ShapeEvaluation.h"

#include <span>
#include <string>
#include <vector>

namespace inlay {

class Device;

/// "'my::f' (node 'f_1')".
std::string describeHostCall(const fb::HostCall &call);

/// The calls of one context, numbered in the order of the steps. Used by one thread at a time.
class HostCallTable {
public:
  HostCallTable(const fb::Engine &engine, const HostFunctionTable &functions, const Device &device);
  HostCallTable(HostCallTable &&) = default;

  /// Computes the tensors' shapes. Errors: OutOfRange naming function and node.
  Status setShapes(const ShapeEvaluation &shapes, std::span<const int64_t> bufferSizesBytes);
  void setAddress(uint32_t buffer, void *address);
  /// Calls the function. Errors: the function's own, with its name and node.
  Status run(uint32_t call, void *stream) const;

private:
  struct Call {
    const HostFunction *function = nullptr;
    const fb::HostCall *metadata = nullptr;
    std::vector<std::vector<int64_t>> shapes; // inputs, then outputs
    std::vector<inlay_tensor_t> tensors;      // likewise
    std::vector<std::vector<const char *>> texts;
    std::vector<inlay_attribute_t> attributes;
    inlay_host_call_t call{};
  };
  static void addAttributes(Call &call);
  uint32_t bufferOf(const Call &call, size_t tensor) const;

  std::vector<Call> calls_; // their vectors are never resized once made
  std::string device_;
};

} // namespace inlay
