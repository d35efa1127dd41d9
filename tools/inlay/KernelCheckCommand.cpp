#include "tools/inlay/KernelCommands.h"

#include "base/Error.h"
#include "compiler/driver/KernelCheck.h"
#include "compiler/targets/Target.h"
#include "tools/inlay/CheckWorkers.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <fnmatch.h>
#include <map>
#include <memory>
#include <thread>

namespace inlay::tools {
namespace {

struct CheckOptions {
  std::vector<std::string> paths;
  KernelCheckOptions check;
  std::vector<std::string> types, constants; // NAME=…
  std::string filter = "*";
  CheckLimits limits;
  bool isJson = false, isVerbose = false;
};

Status splitEntries(const std::vector<std::string> &entries, std::string_view option,
                    std::map<std::string, std::string> &into) {
  for (const std::string &entry : entries) {
    size_t equals = entry.find('=');
    if (equals == 0 || equals == std::string::npos || equals + 1 == entry.size())
      return invalidArgument("{} '{}': expected NAME=VALUE", option, entry);
    into[entry.substr(0, equals)] = entry.substr(equals + 1);
  }
  return {};
}

/// How far a kernel came, in one word, and why not further.
struct Verdict {
  std::string_view word;
  std::string reason;
};

Verdict judge(const CheckedKernel &checked) {
  if (!checked.failure.empty())
    return {"stopped", checked.failure};
  const KernelCheckResult &result = checked.result;
  if (!result.isParsed)
    return {"not parsed", result.reason};
  if (!result.isTyped)
    return {"not typed", result.reason};
  for (const KernelCheckTarget &target : result.targets)
    if (!target.isCompiled)
      return {"not compiled", target.name + ": " + target.reason};
  return {"ok", ""};
}

/// One line for a kernel, the reason in full below it.
void printKernel(const CheckedKernel &checked, bool isVerbose) {
  Verdict verdict = judge(checked);
  fmt::print("{:<13}{}:{}: {}\n", verdict.word, checked.kernel.path, checked.kernel.line,
             checked.kernel.name);
  if (isVerbose && verdict.word == "ok")
    fmt::print("             --signature '{}' {}\n", checked.result.signature,
               fmt::join(checked.result.constexprs, " "));
  if (verdict.word != "ok")
    for (size_t begin = 0; begin < verdict.reason.size();) {
      size_t end = std::min(verdict.reason.find('\n', begin), verdict.reason.size());
      fmt::print("    {}\n", verdict.reason.substr(begin, end - begin));
      begin = end + 1;
    }
}

std::string share(size_t part, size_t whole) {
  return whole == 0 ? "-" : fmt::format("{:.1f} %", 100.0 * double(part) / double(whole));
}

struct Totals {
  size_t kernels = 0, helpers = 0, parsed = 0, typed = 0, all = 0;
  std::map<std::string, size_t> compiled;
};

Totals count(const std::vector<CheckedKernel> &kernels, size_t helpers,
             const std::vector<std::string> &targets) {
  Totals totals;
  totals.kernels = kernels.size();
  totals.helpers = helpers;
  for (const std::string &target : targets)
    totals.compiled[target] = 0;
  for (const CheckedKernel &checked : kernels) {
    totals.parsed += checked.result.isParsed;
    totals.typed += checked.result.isTyped;
    totals.all += judge(checked).word == "ok";
    for (const KernelCheckTarget &target : checked.result.targets)
      totals.compiled[target.name] += target.isCompiled;
  }
  return totals;
}

void printTotals(const Totals &totals, const std::vector<std::string> &targets) {
  auto line = [&](const std::string &name, size_t part) {
    fmt::print("{:<28}{:>6} {:>9}\n", name, part, share(part, totals.kernels));
  };
  fmt::print("\n");
  line("kernels", totals.kernels);
  line("parsed", totals.parsed);
  line("typed", totals.typed);
  for (const std::string &target : targets)
    line("compiled for " + target, totals.compiled.at(target));
  line("compiled for all", totals.all);
  fmt::print("{:<28}{:>6}   (only called by kernels: compiled within them)\n", "helpers",
             totals.helpers);
}

nlohmann::ordered_json describe(const CheckedKernel &checked) {
  const KernelCheckResult &result = checked.result;
  Verdict verdict = judge(checked);
  nlohmann::ordered_json entry = {{"path", checked.kernel.path},
                                  {"line", checked.kernel.line},
                                  {"kernel", checked.kernel.name},
                                  {"verdict", verdict.word},
                                  {"reason", verdict.reason},
                                  {"parsed", result.isParsed},
                                  {"typed", result.isTyped},
                                  {"signature", result.signature},
                                  {"constexprs", result.constexprs},
                                  {"num_warps", result.numWarps},
                                  {"num_stages", result.numStages},
                                  {"attempts", result.attempts},
                                  {"notes", result.notes}};
  nlohmann::ordered_json parameters = nlohmann::ordered_json::array();
  for (const KernelCheckParameter &parameter : result.parameters)
    parameters.push_back({{"name", parameter.name},
                          {"choice", parameter.choice},
                          {"ground", parameter.ground},
                          {"revised", parameter.isRevised}});
  entry["parameters"] = std::move(parameters);
  nlohmann::ordered_json targets = nlohmann::ordered_json::array();
  for (const KernelCheckTarget &target : result.targets)
    targets.push_back({{"name", target.name},
                       {"compiled", target.isCompiled},
                       {"reason", target.reason},
                       {"size_bytes", target.sizeBytes},
                       {"ms", target.milliseconds}});
  entry["targets"] = std::move(targets);
  return entry;
}

void printJson(const std::vector<CheckedKernel> &kernels, const std::vector<FoundKernel> &helpers,
               const Totals &totals) {
  nlohmann::ordered_json root;
  root["kernels"] = nlohmann::ordered_json::array();
  for (const CheckedKernel &checked : kernels)
    root["kernels"].push_back(describe(checked));
  root["helpers"] = nlohmann::ordered_json::array();
  for (const FoundKernel &helper : helpers)
    root["helpers"].push_back(
        {{"path", helper.path}, {"line", helper.line}, {"kernel", helper.name}});
  root["totals"] = {{"kernels", totals.kernels},   {"helpers", totals.helpers},
                    {"parsed", totals.parsed},     {"typed", totals.typed},
                    {"compiled", totals.compiled}, {"compiled_for_all", totals.all}};
  fmt::print("{}\n", root.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

Status checkKernels(CheckOptions &options) {
  INLAY_TRY(splitEntries(options.types, "--type", options.check.types));
  INLAY_TRY(splitEntries(options.constants, "--constexpr", options.check.constants));
  for (const std::string &target : options.check.targets)
    if (auto known = createTargets(target); !known.isOk()) // said once, not for each kernel
      return known.status();
  INLAY_ASSIGN(KernelPackage package, KernelPackage::open(options.paths));
  // What the user names is looked through first.
  for (std::string &root : package.importRoots())
    options.check.includeRoots.push_back(std::move(root));
  // The reason found so far is worth more than that the time is over.
  options.check.maxSearchSeconds = options.limits.seconds / 3.0;
  std::vector<FoundKernel> kernels, helpers;
  for (const FoundKernel &kernel : package.kernels())
    if (fnmatch(options.filter.c_str(), kernel.name.c_str(), 0) == 0)
      (kernel.isHelper ? helpers : kernels).push_back(kernel);
  if (kernels.empty() && helpers.empty())
    return notFound("no @triton.jit function {}was found in {} files",
                    options.filter == "*" ? "" : "that matches '" + options.filter + "' ",
                    package.files().size());
  auto seen = [&](const CheckedKernel &checked) {
    if (!options.isJson)
      printKernel(checked, options.isVerbose);
  };
  INLAY_ASSIGN(std::vector<CheckedKernel> results,
               checkInWorkers(package, kernels, options.check, options.limits, seen));
  Totals totals = count(results, helpers.size(), options.check.targets);
  if (options.isJson)
    printJson(results, helpers, totals);
  else
    printTotals(totals, options.check.targets);
  if (totals.all < totals.kernels)
    return Status(StatusCode::Unimplemented,
                  fmt::format("{} of {} kernels were not compiled for all targets",
                              totals.kernels - totals.all, totals.kernels));
  return {};
}

} // namespace

void addKernelCheckCommand(CLI::App &kernel, Status &outcome) {
  auto options = std::make_shared<CheckOptions>();
  CLI::App *check = kernel.add_subcommand(
      "check", "Compile all kernels of files and packages, with signatures found from their text");
  check->add_option("PATH", options->paths, "Python files, and folders of them")->required();
  check
      ->add_option("--target", options->check.targets,
                   "What to compile for; may be repeated; default cuda:sm_90a and cpu:x86-64-v3")
      ->allow_extra_args(false);
  check->add_option("--filter", options->filter, "Only kernels whose name matches this pattern")
      ->capture_default_str();
  check
      ->add_option("--type", options->types,
                   "A parameter's type in all kernels: NAME='*fp16'; may be repeated")
      ->allow_extra_args(false);
  check
      ->add_option("--constexpr", options->constants,
                   "A parameter's compile-time value in all kernels: NAME=VALUE; may be repeated")
      ->allow_extra_args(false);
  check
      ->add_option("--include", options->check.includeRoots,
                   "A folder with modules that the files import; may be repeated")
      ->allow_extra_args(false);
  options->limits.jobs = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  check->add_option("--jobs", options->limits.jobs, "Kernels compiled at the same time")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  check->add_option("--timeout", options->limits.seconds, "Seconds for one kernel")
      ->check(CLI::Range(1, 86400))
      ->capture_default_str();
  check->add_option("--memory", options->limits.megabytes, "Megabytes of memory for one kernel")
      ->check(CLI::Range(256, 1 << 20))
      ->capture_default_str();
  check->add_flag("--json", options->isJson, "Print one JSON object");
  check->add_flag("--verbose", options->isVerbose, "Print the signature that was used, too");
  check->callback([options, &outcome] {
    if (options->check.targets.empty())
      options->check.targets = {"cuda:sm_90a", "cpu:x86-64-v3"};
    outcome = checkKernels(*options);
  });
}

} // namespace inlay::tools
