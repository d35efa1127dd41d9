#include "runtime/core/HostFunctionTable.h"

#include "base/Error.h"
#include "engine/HostSegment.h"
#include "runtime/core/HostCallTable.h"

#include <fmt/ranges.h>

namespace inlay {
namespace {

/// What is to be known of a segment, for whoever has to write the function; of others nothing.
std::string describeSegment(const fb::HostCall &call) {
  std::string text;
  if (isHostSegment(call))
    for (const std::string &line : hostSegmentLines(call))
      text += "\n  " + line;
  return text;
}

Status checkCount(const fb::HostCall &call, std::string_view what, int32_t takes, size_t count) {
  if (takes < 0 || static_cast<size_t>(takes) == count)
    return {};
  return incompatible(
      "the engine calls host function {} with {} {}s; the registered function takes "
      "{}{}",
      describeHostCall(call), count, what, takes, describeSegment(call));
}

} // namespace

Result<HostFunctionTable> HostFunctionTable::find(const fb::Engine &engine,
                                                  const HostFunctions &functions) {
  HostFunctionTable table;
  std::vector<std::string> missing;
  std::string segments;
  Status status;
  for (const fb::Step *step : *engine.steps()) {
    const fb::HostCall *found = step->kind_as_HostCall();
    if (!found)
      continue;
    const fb::HostCall &call = *found;
    auto function = functions.find(call.function()->string_view());
    if (!function) {
      missing.push_back(describeHostCall(call));
      if (isHostSegment(call))
        segments +=
            fmt::format("\n{} is a host segment:{}", describeHostCall(call), describeSegment(call));
    }
    if (function && status.isOk())
      status = checkCount(call, "input", function->numInputs(), call.inputs()->size());
    if (function && status.isOk())
      status = checkCount(call, "output", function->numOutputs(), call.outputs()->size());
    table.functions_.push_back(std::move(function));
  }
  if (!missing.empty()) {
    const std::vector<std::string> names = functions.names();
    return notFound("the engine calls host functions that this process has not registered: {}; "
                    "registered are: {}{}",
                    fmt::join(missing, ", "),
                    names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", ")), segments);
  }
  INLAY_TRY(std::move(status));
  return table;
}

} // namespace inlay
