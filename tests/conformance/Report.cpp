#include "tests/conformance/Report.h"

#include "tests/conformance/Workers.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cstdio>

namespace inlay::conformance {

bool printSummary(const Run &run, const std::vector<KnownGap> &gaps) {
  size_t numPassed = 0, numKnown = 0, numFailed = 0;
  for (size_t i = 0; i < run.rows.size(); ++i) {
    const RowResult &result = run.results[i];
    if (result.outcome == Outcome::Passed) {
      ++numPassed;
    } else if (findGap(gaps, run.device, run.rows[i]->fullName())) {
      ++numKnown;
    } else {
      ++numFailed;
      fmt::print("FAILED {} ({}): {}\n", run.rows[i]->fullName(), outcomeName(result.outcome),
                 result.message);
    }
  }
  auto unneeded = unneededGaps(gaps, run.device, run.rows, run.results);
  for (const KnownGap *gap : unneeded)
    fmt::print("UNNEEDED line {} of known_gaps.txt: every row that matches '{}' passes\n",
               gap->line, gap->pattern);
  fmt::print(
      "{} on {}: {} rows in {:.1f} s, {} pass, {} known gaps, {} failures, {} unneeded gaps\n",
      run.device, run.description, run.rows.size(), run.seconds, numPassed, numKnown, numFailed,
      unneeded.size());
  return numFailed == 0 && unneeded.empty();
}

std::string runToJson(const Run &run, const std::vector<KnownGap> &gaps) {
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (size_t i = 0; i < run.rows.size(); ++i) {
    nlohmann::ordered_json row;
    row["name"] = run.rows[i]->fullName();
    row["outcome"] = outcomeName(run.results[i].outcome);
    row["message"] = run.results[i].message;
    row["ms"] = run.results[i].milliseconds;
    const KnownGap *gap = findGap(gaps, run.device, run.rows[i]->fullName());
    row["known_gap"] = gap ? gap->reason : "";
    rows.push_back(std::move(row));
  }
  nlohmann::ordered_json json;
  json["device"] = run.device;
  json["description"] = run.description;
  json["seconds"] = run.seconds;
  json["rows"] = std::move(rows);
  return json.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

std::string runToTable(const Run &run) {
  std::string text = fmt::format("| group | upstream | equivalent rows | rows | pass on {} |\n"
                                 "|---|--:|--:|--:|--:|\n",
                                 run.device);
  size_t totals[4] = {};
  for (const Group &group : allGroups()) {
    size_t counts[4] = {static_cast<size_t>(group.numUpstream), 0, 0, 0};
    for (size_t i = 0; i < run.rows.size(); ++i)
      if (run.rows[i]->group == group.name) {
        counts[1] += run.rows[i]->isUpstream && group.numUpstream > 0;
        ++counts[2];
        counts[3] += run.results[i].outcome == Outcome::Passed;
      }
    text += fmt::format("| `{}`: {} | {} | {} | {} | {} |\n", group.name, group.description,
                        counts[0], counts[1], counts[2], counts[3]);
    for (size_t column = 0; column < 4; ++column)
      totals[column] += counts[column];
  }
  return text +
         fmt::format("| all | {} | {} | {} | {} |\n", totals[0], totals[1], totals[2], totals[3]);
}

std::string rowsToJson(const Run &run) {
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (size_t i = 0; i < run.rows.size(); ++i) {
    const Row &row = *run.rows[i];
    Outcome outcome = run.results[i].outcome;
    if (!row.error.empty() || (outcome != Outcome::Passed && outcome != Outcome::Mismatch))
      continue;
    nlohmann::ordered_json json, arguments = nlohmann::ordered_json::array();
    auto parsed = parseArgumentList(row.arguments);
    for (const Argument &argument : *parsed)
      arguments.push_back({{"name", argument.name},
                           {"dtype", std::string(dataTypeName(argument.dtype))},
                           {"tensor", argument.isTensor},
                           {"value", argument.value}});
    json["name"] = row.fullName();
    json["group"] = row.group;
    json["file"] = dumpName(row) + ".npz";
    json["function"] = row.function;
    json["source"] = row.source;
    json["arguments"] = std::move(arguments);
    json["constexprs"] = row.constexprs;
    json["grid"] = row.grid;
    json["num_warps"] = row.numWarps;
    json["rtol"] = row.rtol;
    json["atol"] = row.atol;
    rows.push_back(std::move(json));
  }
  return rows.dump(1) + "\n";
}

} // namespace inlay::conformance
