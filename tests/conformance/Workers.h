// Runs rows in several processes, so that a kernel that crashes or hangs costs one row.
#pragma once

#include "tests/conformance/RunRow.h"

#include <functional>
#include <string>
#include <vector>

namespace inlay::conformance {

struct WorkerOptions {
  std::string device = "cpu";
  unsigned numWorkers = 2; // 0: rows run in this process, for debuggers and sanitizers
  double timeoutSeconds = 60;
  std::string dumpFolder; // where to write NAME.npz of each row that ran; empty: nowhere
};

/// Asks a process of its own whether the device can be opened. Errors: as KernelRunner::open.
Status probeDevice(const std::string &device, std::string &outDescription);

/// Runs the rows and gives their results in order; `onResult` hears of each as it comes. A worker
/// that dies or takes too long is replaced. After an error of a GPU its process is replaced too,
/// because the driver stays in that state.
std::vector<RowResult> runRows(const std::vector<const Row *> &rows, const WorkerOptions &options,
                               const std::function<void(size_t, const RowResult &)> &onResult);

/// The name of a row's dump: its full name with what file names should not hold replaced.
std::string dumpName(const Row &row);

} // namespace inlay::conformance
