// What may leave the engine and be computed by the process that runs it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace inlay {

/// Why a call is on the host.
enum class HostCause : uint8_t {
  None, // it is not
  NotServed,
  Excluded,
  SmallBlock // of calls on the device, beside a host segment
};

/// How a build divides a model between the engine and functions of the process.
struct PartitionOptions {
  /// Calls that no plugin serves become host segments; else they fail the build.
  bool allowsHostSegments = false;
  /// Operators ("aten::mul", every overload, or "aten::mul.Tensor") and nodes of the model
  /// ("mul_3") that go to the host although a plugin serves them. Only with host segments.
  std::vector<std::string> excluded;
  /// Blocks of fewer calls of the device go to the host segments beside them.
  uint32_t minBlockCalls = 1;

  /// True if all of the model is to be in the engine.
  bool isDefault() const { return !allowsHostSegments && excluded.empty() && minBlockCalls <= 1; }
};

} // namespace inlay
