#include "compiler/driver/BuildReport.h"

#include <algorithm>
#include <fmt/format.h>
#include <llvm/Support/JSON.h>
#include <llvm/Support/raw_ostream.h>

namespace inlay {

std::string_view imageFormatName(ImageFormat format) {
  switch (format) {
  case ImageFormat::Ptx:
    return "ptx";
  case ImageFormat::Cubin:
    return "cubin";
  case ImageFormat::X86SharedObject:
    return "so";
  case ImageFormat::LibraryFunction:
    return "library";
  }
  return "?";
}

namespace {

using Row = std::vector<std::string>;

/// Lays rows out in columns, two spaces apart; `alignRight` says which columns hold numbers.
std::string table(const std::vector<Row> &rows, const std::vector<bool> &alignRight) {
  std::vector<size_t> widths(alignRight.size(), 0);
  for (const Row &row : rows)
    for (size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], row[i].size());
  std::string text;
  for (const Row &row : rows) {
    std::string line = "   ";
    for (size_t i = 0; i < row.size(); ++i)
      line += alignRight[i] ? fmt::format(" {:>{}} ", row[i], widths[i])
                            : fmt::format(" {:<{}} ", row[i], widths[i]);
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

/// 12345 as "12,345".
std::string withSeparators(uint64_t value) {
  std::string text = std::to_string(value);
  for (size_t i = text.size(); i > 3; i -= 3)
    text.insert(i - 3, ",");
  return text;
}

std::string kernelTable(const BuildReport &report) {
  std::vector<Row> rows = {
      {"kernel", "target", "format", "bytes", "warps", "registers", "spilled", "shared", "ms"}};
  for (const KernelReport &kernel : report.kernels) {
    bool isCuda = kernel.format == ImageFormat::Ptx || kernel.format == ImageFormat::Cubin;
    // ptxas has not seen PTX: its registers are not known yet.
    bool hasRegisters = isCuda && kernel.registers > 0;
    rows.push_back({kernel.kernel, kernel.target, std::string(imageFormatName(kernel.format)),
                    withSeparators(kernel.sizeBytes),
                    isCuda ? std::to_string(kernel.numWarps) : "-",
                    hasRegisters ? std::to_string(kernel.registers) : "-",
                    hasRegisters ? std::to_string(kernel.spillBytes) : "-",
                    isCuda ? std::to_string(kernel.sharedBytes) : "-",
                    fmt::format("{:.0f}", kernel.compileMs)});
  }
  return table(rows, {false, false, false, true, true, true, true, true, true});
}

std::string operatorTable(const BuildReport &report) {
  std::vector<Row> rows = {{"node", "operator", "plugin", "launches", "by", "since"}};
  for (const OperatorReport &node : report.operators)
    rows.push_back({node.node, node.opName, node.plugin, std::to_string(node.launches),
                    node.implementation, node.reason});
  return table(rows, {false, false, false, true, false, false});
}

std::string describeTactics(const std::vector<TacticReport::Entry> &entries) {
  std::string text;
  for (const TacticReport::Entry &entry : entries) {
    text += (text.empty() ? "" : ", ") + fmt::format("'{}'", entry.name);
    if (!entry.condition.empty())
      text += fmt::format(" if {}", entry.condition);
    if (entry.us > 0)
      text += fmt::format(" {:.2f} us", entry.us);
  }
  return text;
}

std::string tacticTable(const BuildReport &report) {
  std::vector<Row> rows = {{"node", "since", "tactics in order", "passed over"}};
  std::string failures;
  for (const TacticReport &tactic : report.tactics) {
    const std::string since =
        tactic.device.empty()
            ? "the plugin's order"
            : fmt::format("measured on {}{}", tactic.device,
                          tactic.profile ? fmt::format(", profile {}", tactic.profile) : "");
    rows.push_back({tactic.node, since, describeTactics(tactic.kept),
                    tactic.device.empty() ? fmt::format("{}", tactic.passedOver.size())
                                          : describeTactics(tactic.passedOver)});
    for (const std::string &failure : tactic.failures)
      failures += fmt::format("  note: node {}: tactic {}\n", tactic.node, failure);
  }
  return table(rows, {false, false, false, false}) + failures;
}

void tacticJson(llvm::json::OStream &json, const TacticReport &tactic) {
  json.attribute("node", tactic.node);
  json.attribute("operator", tactic.opName);
  json.attribute("device", tactic.device);
  json.attribute("profile", tactic.profile);
  json.attribute("num_tactics", tactic.numTactics);
  for (const auto &[name, entries] :
       {std::pair("kept", &tactic.kept), std::pair("passed_over", &tactic.passedOver)})
    json.attributeArray(name, [&] {
      for (const TacticReport::Entry &entry : *entries)
        json.object([&] {
          json.attribute("name", entry.name);
          json.attribute("condition", entry.condition);
          if (entry.us > 0)
            json.attribute("us", entry.us);
        });
    });
  json.attribute("failures", llvm::json::Array(tactic.failures));
}

std::string describeCache(const EngineCacheReport &cache) {
  if (cache.key.empty())
    return fmt::format("  engine cache: not used, {}\n", cache.reason);
  return fmt::format("  engine cache: {}, key {}\n", cache.isHit ? "hit" : "miss", cache.key);
}

std::string describePrecision(const BuildReport &report) {
  const PrecisionOutcome &precision = *report.precision;
  std::string text = fmt::format(
      "  precision {}: {} operators converted, {} casts; weights {} bytes, before {}\n",
      precision.type, precision.numConverted, precision.numCasts,
      withSeparators(precision.weightBytesAfter), withSeparators(precision.weightBytesBefore));
  for (const KeptOperator &kept : precision.kept)
    text += fmt::format("    float32: {} x {}, {}\n", kept.count, kept.opName, kept.reason);
  if (report.precisionErrors.empty())
    return text;
  std::vector<Row> rows = {{"output", "max abs error", "max rel error", "max abs value"}};
  for (const OutputError &error : report.precisionErrors)
    rows.push_back({error.name, fmt::format("{:.3g}", error.maxAbsoluteError),
                    fmt::format("{:.3g}", error.maxRelativeError),
                    fmt::format("{:.3g}", error.maxAbsoluteValue)});
  text += "  error against float32 on the given inputs\n" + table(rows, {false, true, true, true});
  for (const OutputError &error : report.precisionErrors)
    if (error.numNotFinite)
      text += fmt::format("  note: output {}: {} elements are finite in one of the two only\n",
                          error.name, error.numNotFinite);
  return text;
}

void precisionJson(llvm::json::OStream &json, const BuildReport &report) {
  if (!report.precision)
    return json.attribute("precision", nullptr);
  json.attributeObject("precision", [&] {
    json.attribute("type", report.precision->type);
    json.attribute("converted", report.precision->numConverted);
    json.attribute("casts", report.precision->numCasts);
    json.attribute("weight_bytes", report.precision->weightBytesAfter);
    json.attribute("weight_bytes_before", report.precision->weightBytesBefore);
    json.attributeArray("kept", [&] {
      for (const KeptOperator &kept : report.precision->kept)
        json.object([&] {
          json.attribute("operator", kept.opName);
          json.attribute("reason", kept.reason);
          json.attribute("count", kept.count);
        });
    });
    json.attributeArray("errors", [&] {
      for (const OutputError &error : report.precisionErrors)
        json.object([&] {
          json.attribute("output", error.name);
          json.attribute("max_abs_error", error.maxAbsoluteError);
          json.attribute("max_rel_error", error.maxRelativeError);
          json.attribute("max_abs_value", error.maxAbsoluteValue);
          json.attribute("not_finite", error.numNotFinite);
        });
    });
  });
}

void cacheJson(llvm::json::OStream &json, const std::optional<EngineCacheReport> &cache) {
  if (!cache)
    return json.attribute("engine_cache", nullptr);
  json.attributeObject("engine_cache", [&] {
    json.attribute("hit", cache->isHit);
    json.attribute("key", cache->key);
    json.attribute("reason", cache->reason);
  });
}

} // namespace

std::string reportText(const BuildReport &report) {
  std::string text = fmt::format("engine {}: {} bytes in {:.2f} s", report.engineName,
                                 withSeparators(report.engineBytes), report.totalMs / 1000);
  for (size_t i = 0; i < report.phases.size(); ++i)
    text += fmt::format("{}{} {:.0f} ms", i == 0 ? " (" : ", ", report.phases[i].name,
                        report.phases[i].ms);
  text += report.phases.empty() ? "\n" : ")\n";
  if (report.engineCache)
    text += describeCache(*report.engineCache);
  if (report.precision)
    text += describePrecision(report);
  if (!report.operators.empty())
    text += "  operators\n" + operatorTable(report);
  if (!report.tactics.empty())
    text += "  tactics\n" + tacticTable(report);
  if (!report.kernels.empty())
    text += "  kernels\n" + kernelTable(report);
  for (const std::string &note : report.notes)
    text += fmt::format("  note: {}\n", note);
  return text;
}

std::string remarksText(const BuildReport &report) {
  std::string text;
  for (const RemarkReport &remark : report.remarks)
    text += fmt::format("remark: {}: node {}: {}{}\n", remark.pass, remark.node,
                        remark.isApplied ? "" : "not applied, ", remark.text);
  return text;
}

std::string reportJson(const BuildReport &report) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  llvm::json::OStream json(stream, 2);
  json.object([&] {
    json.attribute("engine_name", report.engineName);
    json.attribute("engine_bytes", report.engineBytes);
    json.attribute("total_ms", report.totalMs);
    json.attributeObject("phases_ms", [&] {
      for (const PhaseReport &phase : report.phases)
        json.attribute(phase.name, phase.ms);
    });
    json.attributeArray("operators", [&] {
      for (const OperatorReport &node : report.operators)
        json.object([&] {
          json.attribute("node", node.node);
          json.attribute("operator", node.opName);
          json.attribute("plugin", node.plugin);
          json.attribute("launches", node.launches);
          json.attribute("implementation", node.implementation);
          json.attribute("reason", node.reason);
        });
    });
    json.attributeArray("tactics", [&] {
      for (const TacticReport &tactic : report.tactics)
        json.object([&] { tacticJson(json, tactic); });
    });
    json.attributeArray("kernels", [&] {
      for (const KernelReport &kernel : report.kernels)
        json.object([&] {
          json.attribute("kernel", kernel.kernel);
          json.attribute("source", kernel.source);
          json.attribute("plugins", llvm::json::Array(kernel.plugins));
          json.attribute("target", kernel.target);
          json.attribute("format", llvm::StringRef(imageFormatName(kernel.format)));
          json.attribute("compile_ms", kernel.compileMs);
          json.attribute("size_bytes", kernel.sizeBytes);
          json.attribute("num_warps", kernel.numWarps);
          json.attribute("registers", kernel.registers);
          json.attribute("spill_bytes", kernel.spillBytes);
          json.attribute("shared_bytes", kernel.sharedBytes);
        });
    });
    json.attributeArray("remarks", [&] {
      for (const RemarkReport &remark : report.remarks)
        json.object([&] {
          json.attribute("pass", remark.pass);
          json.attribute("node", remark.node);
          json.attribute("applied", remark.isApplied);
          json.attribute("text", remark.text);
        });
    });
    json.attribute("notes", llvm::json::Array(report.notes));
    cacheJson(json, report.engineCache);
    precisionJson(json, report);
  });
  return text + "\n";
}

} // namespace inlay
