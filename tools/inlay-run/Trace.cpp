#include "tools/inlay-run/Trace.h"

#include "base/File.h"
#include "tools/inlay-run/EngineRun.h"
#include "tools/inlay-run/KernelProfile.h"

#include <fmt/format.h>

#include <algorithm>

namespace inlay::tools {
namespace {

constexpr double kGapUs = 10; // between runs

std::string nameOf(const inlay_profiled_step_t &step) {
  switch (step.kind) {
  case INLAY_STEP_COPY:
    return "copy";
  case INLAY_STEP_COPY_IN:
    return fmt::format("copy {} in", step.name);
  case INLAY_STEP_COPY_OUT:
    return fmt::format("copy {} out", step.name);
  case INLAY_STEP_READ_SIZE:
    return fmt::format("read {}", step.name);
  default:
    return step.name;
  }
}

std::string argumentsOf(const inlay_profiled_step_t &step) {
  std::string text = fmt::format("\"run\": {}, \"step\": {}, \"bytes\": {}", step.run, step.index,
                                 step.size_bytes);
  if (step.kind == INLAY_STEP_HOST_CALL || step.kind == INLAY_STEP_READ_SIZE)
    return text + fmt::format(", \"plugin\": {}, \"node\": {}", jsonString(step.plugin),
                              jsonString(step.node));
  if (step.kind != INLAY_STEP_LAUNCH)
    return text;
  text +=
      fmt::format(", \"plugin\": {}, \"node\": {}, \"grid\": [{}, {}, {}]", jsonString(step.plugin),
                  jsonString(step.node), step.grid[0], step.grid[1], step.grid[2]);
  if (step.block[0])
    text += fmt::format(", \"block\": [{}, {}, {}]", step.block[0], step.block[1], step.block[2]);
  return text;
}

} // namespace

void Trace::add(const inlay_profiled_step_t &step) {
  if (step.index == 0)
    runBeginUs_ = endUs_ > 0 ? endUs_ + kGapUs : 0;
  const std::string name = nameOf(step), arguments = argumentsOf(step);
  events_.push_back({name, true, runBeginUs_ + step.host_begin_us,
                     step.host_end_us - step.host_begin_us, step.kind, arguments});
  events_.push_back({name, false, runBeginUs_ + step.begin_us, step.end_us - step.begin_us,
                     step.kind, arguments});
  endUs_ = std::max({endUs_, runBeginUs_ + step.host_end_us, runBeginUs_ + step.end_us});
}

Status Trace::write(const std::string &path, const std::string &engine,
                    const std::string &device) const {
  const auto nameRow = [](int row, const std::string &name) {
    return fmt::format("{{\"ph\": \"M\", \"name\": \"thread_name\", \"pid\": 1, \"tid\": {}, "
                       "\"args\": {{\"name\": {}}}}}",
                       row, jsonString(name));
  };
  std::string text = fmt::format("{{\"displayTimeUnit\": \"ns\", \"otherData\": {{\"engine\": {}, "
                                 "\"device\": {}}}, \"traceEvents\": [\n{},\n{}",
                                 jsonString(engine), jsonString(device),
                                 nameRow(1, "host: into the stream"), nameRow(2, device));
  for (const Event &event : events_)
    text +=
        fmt::format(",\n{{\"ph\": \"X\", \"name\": {}, \"cat\": \"{}\", \"pid\": 1, \"tid\": {}, "
                    "\"ts\": {:.3f}, \"dur\": {:.3f}, \"args\": {{{}}}}}",
                    jsonString(event.name), stepKindName(event.kind), event.isOnHost ? 1 : 2,
                    event.beginUs, event.durationUs, event.arguments);
  return writeFileAtomically(path, text + "\n]}\n");
}

} // namespace inlay::tools
