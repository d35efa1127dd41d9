// Where the time of profiled runs goes: their steps added up, as a table and as JSON.
#pragma once

#include <inlay/inlay.h>

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

namespace inlay::tools {

/// Adds up the steps of a context's profiled runs. A row is one step of the model: a kernel, host
/// function, copy or read size, for one node.
class KernelProfile {
public:
  struct Row {
    std::string name, plugin, node; // "" where there is none
    inlay_step_kind_t kind = INLAY_STEP_LAUNCH;
    uint64_t calls = 0;
    double totalUs = 0; // on the device
    double meanUs() const { return totalUs / static_cast<double>(calls); }
  };

  /// For v1::Context::setProfiler.
  void add(const inlay_profiled_step_t &step);

  uint64_t numRuns() const { return numRuns_; }
  /// Device time of all steps.
  double totalUs() const;
  /// The rows, those of most time first; equal ones by name.
  std::vector<Row> rows() const;
  /// What part of all time each of these rows took, in tenths of a percent, rounded so that they
  /// add up to 1000; all 0 if no time passed.
  static std::vector<uint32_t> sharesInTenths(const std::vector<Row> &rows);

  /// A table for a terminal, lines ended by newlines.
  std::string text() const;
  /// One JSON object: runs, total_us, kernels.
  std::string json() const;

private:
  using Key = std::tuple<inlay_step_kind_t, std::string, std::string, std::string>;
  std::map<Key, Row> rows_;
  uint64_t numRuns_ = 0;
};

/// "launch", "copy", "copy in", "copy out", "host call", "read size".
const char *stepKindName(inlay_step_kind_t kind);

} // namespace inlay::tools
