#include "runtime/core/MemoryEstimate.h"

#include "base/Error.h"
#include "runtime/core/MemoryPlan.h"

#include <algorithm>
#include <vector>

namespace inlay {
namespace {

/// What every device's allocations are aligned to.
constexpr uint64_t kAlignmentBytes = 256;

} // namespace

Result<MemoryEstimate> estimateMemory(const EngineFile &file, std::span<const int64_t> symbols) {
  std::vector<int64_t> values(file.expressions().size());
  INLAY_TRY(evaluateProgram(file.expressions(), symbols, values));
  MemoryEstimate estimate;
  std::vector<PlannedBuffer> planned;
  for (const fb::Buffer *buffer : *file.engine().buffers()) {
    const int64_t size = values[buffer->size_bytes()];
    if (size < 0)
      return outOfRange("a buffer of the engine would have {} bytes", size);
    const auto sizeBytes = static_cast<uint64_t>(size);
    switch (buffer->kind()) {
    case fb::BufferKind::Input:
      estimate.inputBytes += sizeBytes;
      break;
    case fb::BufferKind::Output:
      estimate.outputBytes += sizeBytes;
      break;
    case fb::BufferKind::State:
      estimate.stateBytes += sizeBytes;
      [[fallthrough]]; // its first bytes are kept
    case fb::BufferKind::Constant:
      estimate.weightBytes += sizeBytes;
      break;
    case fb::BufferKind::Intermediate:
    case fb::BufferKind::Workspace:
      planned.push_back({sizeBytes, buffer->first_step(), buffer->last_step(),
                         std::max<uint64_t>(buffer->alignment_bytes(), kAlignmentBytes)});
    }
  }
  std::vector<uint64_t> offsets(planned.size());
  INLAY_ASSIGN(estimate.intermediateBytes, planMemory(planned, offsets));
  return estimate;
}

} // namespace inlay
