// Reads back what reportJson wrote.
#include "compiler/driver/BuildReport.h"

#include "llvm/Support/JSON.h"

namespace inlay {

namespace {

using llvm::json::ObjectMapper;
using llvm::json::Path;
using llvm::json::Value;

} // namespace

// Found by llvm::json's own reader of vectors.

static bool fromJSON(const Value &value, KernelReport &kernel, Path path) {
  ObjectMapper map(value, path);
  std::string format;
  if (!map || !map.map("kernel", kernel.kernel) || !map.map("source", kernel.source) ||
      !map.map("plugins", kernel.plugins) || !map.map("target", kernel.target) ||
      !map.map("format", format) || !map.map("compile_ms", kernel.compileMs) ||
      !map.map("size_bytes", kernel.sizeBytes) || !map.map("num_warps", kernel.numWarps) ||
      !map.map("registers", kernel.registers) || !map.map("spill_bytes", kernel.spillBytes) ||
      !map.map("shared_bytes", kernel.sharedBytes))
    return false;
  for (ImageFormat known : {ImageFormat::Ptx, ImageFormat::Cubin, ImageFormat::X86SharedObject})
    if (imageFormatName(known) == format) {
      kernel.format = known;
      return true;
    }
  return false;
}

static bool fromJSON(const Value &value, OperatorReport &node, Path path) {
  ObjectMapper map(value, path);
  return map && map.map("node", node.node) && map.map("operator", node.opName) &&
         map.map("plugin", node.plugin) && map.map("launches", node.launches) &&
         map.map("implementation", node.implementation) && map.map("reason", node.reason);
}

static bool fromJSON(const Value &value, TacticReport::Entry &entry, Path path) {
  ObjectMapper map(value, path);
  return map && map.map("name", entry.name) && map.map("condition", entry.condition) &&
         map.mapOptional("us", entry.us);
}

static bool fromJSON(const Value &value, TacticReport &tactic, Path path) {
  ObjectMapper map(value, path);
  return map && map.map("node", tactic.node) && map.map("operator", tactic.opName) &&
         map.map("device", tactic.device) && map.map("profile", tactic.profile) &&
         map.map("num_tactics", tactic.numTactics) && map.map("kept", tactic.kept) &&
         map.map("passed_over", tactic.passedOver) && map.map("failures", tactic.failures);
}

static bool fromJSON(const Value &value, RemarkReport &remark, Path path) {
  ObjectMapper map(value, path);
  return map && map.map("pass", remark.pass) && map.map("node", remark.node) &&
         map.map("applied", remark.isApplied) && map.map("text", remark.text);
}

std::optional<BuildReport> reportFromJson(std::string_view json) {
  llvm::Expected<Value> value = llvm::json::parse(json);
  if (!value) {
    llvm::consumeError(value.takeError());
    return std::nullopt;
  }
  BuildReport report;
  Path::Root root;
  ObjectMapper map(*value, root);
  if (!map || !map.map("engine_name", report.engineName) ||
      !map.map("engine_bytes", report.engineBytes) || !map.map("operators", report.operators) ||
      !map.map("tactics", report.tactics) || !map.map("kernels", report.kernels) ||
      !map.map("remarks", report.remarks) || !map.map("notes", report.notes))
    return std::nullopt;
  for (KernelReport &kernel : report.kernels)
    kernel.compileMs = 0;
  return report;
}

} // namespace inlay
