// Runs as a Chrome trace: what chrome://tracing and Perfetto show.
#pragma once

#include "base/Status.h"

#include <inlay/engine.h>

#include <string>

namespace inlay::tools {

/// Collects the steps of a context's runs. Rows: the host putting steps into the stream, and the
/// device doing them. Runs follow each other with the time between them left out.
class Trace {
public:
  /// For v1::Context::setProfiler.
  void add(const inlay_profiled_step_t &step);
  /// Writes the trace in the Trace Event Format (JSON object form). Errors: those of
  /// writeFileAtomically.
  Status write(const std::string &path, const std::string &engine, const std::string &device) const;

private:
  struct Event {
    std::string name;
    bool isOnHost;
    double beginUs, durationUs;
    inlay_step_kind_t kind;
    std::string arguments; // JSON
  };
  std::vector<Event> events_;
  double runBeginUs_ = 0; // of the current run
  double endUs_ = 0;      // of all so far
};

} // namespace inlay::tools
