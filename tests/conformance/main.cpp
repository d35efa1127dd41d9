// inlay-conformance: runs the rows of the table on a device and compares with the reference
// interpreter. Exit status: 0 as expected; 1 unexpected failures or unneeded gaps; 2 bad usage; 77
// the device is not there.
#include "base/Error.h"
#include "base/File.h"
#include "tests/conformance/Fuzz.h"
#include "tests/conformance/Report.h"
#include "tests/conformance/Workers.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fnmatch.h>
#include <thread>

namespace inlay::conformance {
namespace {

struct Options {
  WorkerOptions workers;
  std::string filter = "*", gapsPath = "tests/conformance/known_gaps.txt", jsonPath;
  uint64_t numFuzz = 0, seed = 1;
  uint64_t sharePart = 0, shareCount = 1;
  std::vector<std::string> excluded;
  bool isAll = false, isList = false, isSource = false, isTable = false, isVerbose = false;
};

Status writeReports(const Options &options, const Run &run, const std::vector<KnownGap> &gaps) {
  if (!options.jsonPath.empty())
    INLAY_TRY(writeFileAtomically(options.jsonPath, runToJson(run, gaps)));
  if (!options.workers.dumpFolder.empty())
    INLAY_TRY(writeFileAtomically(options.workers.dumpFolder + "/rows.json", rowsToJson(run)));
  return {};
}

Result<bool> runAll(const Options &options, const RowTable &table) {
  INLAY_ASSIGN(std::string gapsText, readFile(options.gapsPath));
  INLAY_ASSIGN(std::vector<KnownGap> gaps, parseKnownGaps(gapsText));
  Run run;
  run.device = options.workers.device;
  INLAY_TRY(probeDevice(run.device, run.description));
  run.rows = RowTable::share(table.select(options.filter, options.isAll || options.numFuzz > 0),
                             options.sharePart, options.shareCount);
  for (const std::string &pattern : options.excluded)
    std::erase_if(run.rows, [&](const Row *row) {
      return ::fnmatch(pattern.c_str(), row->fullName().c_str(), 0) == 0;
    });
  if (run.rows.empty())
    return notFound("no row matches '{}'", options.filter);
  if (!options.workers.dumpFolder.empty())
    std::filesystem::create_directories(options.workers.dumpFolder);
  auto start = std::chrono::steady_clock::now();
  run.results = runRows(run.rows, options.workers, [&](size_t index, const RowResult &result) {
    if (options.isVerbose)
      fmt::print("{:9} {:7.1f} ms {}\n", outcomeName(result.outcome), result.milliseconds,
                 run.rows[index]->fullName());
  });
  run.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  INLAY_TRY(writeReports(options, run, gaps));
  if (options.isTable)
    fmt::print("{}", runToTable(run));
  return printSummary(run, gaps);
}

int runMain(const Options &options) {
  RowTable table;
  if (options.numFuzz > 0)
    for (uint64_t i = 0; i < options.numFuzz; ++i)
      table.add(makeFuzzRow(options.seed + i));
  else
    table = buildRowTable();
  if (options.isSource) {
    for (const Row *row : table.select(options.filter, true))
      fmt::print("# {}: {}; {}; {} warps\n{}\n", row->fullName(), row->arguments, row->constexprs,
                 row->numWarps, row->source);
    return 0;
  }
  if (options.isList) {
    for (const Row *row : table.select(options.filter, options.isAll || options.numFuzz > 0))
      fmt::print("{}\n", row->fullName());
    return 0;
  }
  Result<bool> outcome = runAll(options, table);
  if (outcome.isOk())
    return *outcome ? 0 : 1;
  bool isMissing = outcome.status().code() == StatusCode::DeviceError;
  fmt::print(stderr, "{}{}\n",
             isMissing ? "[SKIP] " : "inlay-conformance: error: ", outcome.status().message());
  return isMissing ? 77 : 1;
}

} // namespace
} // namespace inlay::conformance

int main(int argc, char **argv) {
  inlay::conformance::Options options;
  CLI::App app("Runs the conformance rows on a device and compares with the reference interpreter.",
               "inlay-conformance");
  app.add_option("--device", options.workers.device,
                 "cpu, cuda:N, or compile:TARGET, which runs nothing")
      ->capture_default_str();
  app.add_option("--filter", options.filter, "Only rows whose name matches, \"test_dot/*\"");
  app.add_flag("--all", options.isAll, "Every row, not only the standard set");
  app.add_option("--exclude", options.excluded, "Without rows whose name matches; may be repeated")
      ->allow_extra_args(false);
  app.add_option_function<std::string>(
      "--share",
      [&](const std::string &text) {
        const int numRead =
            std::sscanf(text.c_str(), "%lu/%lu", &options.sharePart, &options.shareCount);
        if (numRead != 2 || options.sharePart >= options.shareCount)
          throw CLI::ValidationError("--share",
                                     "expected PART/COUNT with PART < COUNT, found '" + text + "'");
      },
      "PART/COUNT: of the rows one in COUNT, chosen by the hash of the name");
  app.add_flag("--source", options.isSource, "Print the rows' kernels and do nothing");
  app.add_flag("--list", options.isList, "Print the rows' names and do nothing");
  app.add_flag("--table", options.isTable, "Print the table of groups in Markdown");
  app.add_flag("--verbose", options.isVerbose, "Print each row's outcome and time");
  app.add_option("--json", options.jsonPath, "Write outcomes to a file");
  app.add_option("--dump", options.workers.dumpFolder,
                 "Write rows, inputs and results to a folder");
  app.add_option("--known-gaps", options.gapsPath, "The list of known gaps")->capture_default_str();
  options.workers.numWorkers = std::max(1u, std::thread::hardware_concurrency());
  app.add_option("--jobs", options.workers.numWorkers, "Processes; 0: run rows in this one")
      ->capture_default_str();
  app.add_option("--timeout", options.workers.timeoutSeconds, "Seconds a row may take")
      ->capture_default_str();
  app.add_option("--fuzz", options.numFuzz,
                 "Generate so many kernels instead of taking the table's");
  app.add_option("--seed", options.seed, "The first generated kernel's seed")
      ->capture_default_str();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError &error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return inlay::conformance::runMain(options);
}
