// The functions of the process that one engine calls.
#pragma once

#include "engine/EngineFile.h"
#include "runtime/core/HostFunctions.h"

#include <memory>
#include <vector>

namespace inlay {

/// The functions that an engine's steps call, in the order of the calls. Errors of find: NotFound
/// naming all that are missing, and for which nodes; Incompatible (numbers of tensors).
class HostFunctionTable {
public:
  static Result<HostFunctionTable> find(const fb::Engine &engine, const HostFunctions &functions);
  bool isEmpty() const { return functions_.empty(); }
  const HostFunction &function(uint32_t call) const { return *functions_[call]; }

private:
  std::vector<std::shared_ptr<const HostFunction>> functions_;
};

} // namespace inlay
