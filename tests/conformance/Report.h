// What the program prints and writes of a run.
#pragma once

#include "tests/conformance/KnownGaps.h"
#include "tests/conformance/RowTable.h"

#include <string>
#include <vector>

namespace inlay::conformance {

/// All that a report is made of.
struct Run {
  std::string device, description; // "cpu", "x86-64-v3, 2 threads, cpu:x86-64-v3"
  std::vector<const Row *> rows;
  std::vector<RowResult> results;
  double seconds = 0;
};

/// Prints failures that no gap explains, gaps that explain nothing, and a summary line. Returns
/// whether there are neither.
bool printSummary(const Run &run, const std::vector<KnownGap> &gaps);

/// One JSON object with all rows and their outcomes.
std::string runToJson(const Run &run, const std::vector<KnownGap> &gaps);

/// A Markdown table: for each group its upstream parametrizations, the rows that have an equivalent
/// among them, all rows, and how many pass.
std::string runToTable(const Run &run);

/// The rows as JSON, for a program that reads the dumped tensors: source, arguments, constexprs,
/// grid, warps, tolerances, and the file of each.
std::string rowsToJson(const Run &run);

} // namespace inlay::conformance
