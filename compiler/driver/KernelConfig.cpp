// Choosing one of an autotuner's configurations by index or by its values.
#include "compiler/driver/KernelTool.h"

#include "base/Error.h"
#include "base/File.h"
#include "compiler/driver/Context.h"
#include "compiler/frontends/triton/TritonFrontend.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

namespace inlay {

namespace {

Result<triton::KernelTuning> readTuningOf(const std::string &path, const std::string &function,
                                          const std::vector<std::string> &includeRoots) {
  triton::KernelRequest request;
  request.path = path;
  INLAY_ASSIGN(request.source, readFile(path));
  request.function = function;
  request.includeRoots = includeRoots;
  request.readModule = findFile;
  std::unique_ptr<mlir::MLIRContext> context = createContext();
  return triton::readTuning(*context, request);
}

std::string describeConfig(const triton::KernelConfig &config) {
  std::string text;
  for (const auto &[name, value] : config.values)
    text += fmt::format("{}={} ", name, constexprText(value));
  return text + fmt::format("num_warps={} num_stages={}", config.numWarps, config.numStages);
}

std::string describeConfig(size_t index, const triton::KernelConfig &config) {
  return fmt::format("{}: {}", index, describeConfig(config));
}

/// True if every "NAME=VALUE" is in the configuration; num_warps and num_stages count, too.
Result<bool> matches(const triton::KernelConfig &config,
                     const std::map<std::string, ConstexprValue> &wanted) {
  for (const auto &[name, value] : wanted) {
    auto own = config.values.find(name);
    bool isSame = own != config.values.end() && own->second == value;
    if (name == "num_warps" || name == "num_stages")
      isSame = value ==
               ConstexprValue(int64_t{name == "num_warps" ? config.numWarps : config.numStages});
    if (!isSame)
      return false;
  }
  return true;
}

} // namespace

Result<std::vector<std::string>> listKernelConfigs(const std::string &path,
                                                   const std::string &function,
                                                   const std::vector<std::string> &includeRoots) {
  INLAY_ASSIGN(triton::KernelTuning tuning, readTuningOf(path, function, includeRoots));
  if (tuning.configs.empty())
    return invalidArgument("kernel '{}' has no configurations of an autotuner{}{}", function,
                           tuning.notes.empty() ? "" : ": ", fmt::join(tuning.notes, "; "));
  std::vector<std::string> texts;
  for (const triton::KernelConfig &config : tuning.configs)
    texts.push_back(describeConfig(config));
  return texts;
}

Result<std::vector<std::string>> describeTuning(const std::string &path,
                                                const std::string &function,
                                                const std::vector<std::string> &includeRoots) {
  INLAY_ASSIGN(triton::KernelTuning tuning, readTuningOf(path, function, includeRoots));
  std::vector<std::string> lines;
  for (size_t i = 0; i < tuning.configs.size(); ++i)
    lines.push_back("config " + describeConfig(i, tuning.configs[i]));
  if (!tuning.heuristics.empty())
    lines.push_back(fmt::format("heuristics: {}", fmt::join(tuning.heuristics, ", ")));
  for (const std::string &note : tuning.notes)
    lines.push_back("note: " + note);
  return lines;
}

Status applyKernelConfig(KernelToolRequest &request) {
  if (request.config.empty())
    return {};
  INLAY_ASSIGN(triton::KernelTuning tuning,
               readTuningOf(request.path, request.function, request.includeRoots));
  std::vector<std::string> known;
  for (size_t i = 0; i < tuning.configs.size(); ++i)
    known.push_back(describeConfig(i, tuning.configs[i]));
  known.insert(known.end(), tuning.notes.begin(), tuning.notes.end());
  auto fail = [&](std::string_view why) {
    return invalidArgument("config '{}' of kernel '{}': {}; its configurations are:\n  {}",
                           request.config, request.function, why,
                           known.empty() ? "none" : fmt::format("{}", fmt::join(known, "\n  ")));
  };
  size_t index = 0;
  const char *begin = request.config.data(), *end = begin + request.config.size();
  auto [stop, error] = std::from_chars(begin, end, index);
  if (error != std::errc() || stop != end) {
    std::vector<std::string> entries;
    for (std::string &entry : triton::splitSignature(request.config))
      entries.push_back(std::move(entry));
    INLAY_ASSIGN(auto wanted, parseConstexprs(entries));
    std::vector<size_t> found;
    for (size_t i = 0; i < tuning.configs.size(); ++i) {
      INLAY_ASSIGN(bool isMatch, matches(tuning.configs[i], wanted));
      if (isMatch)
        found.push_back(i);
    }
    if (found.size() != 1)
      return fail(found.empty() ? "none has these values" : "several have these values");
    index = found.front();
  }
  if (index >= tuning.configs.size())
    return fail(fmt::format("there are {}, counted from 0", tuning.configs.size()));
  const triton::KernelConfig &config = tuning.configs[index];
  INLAY_ASSIGN(auto given, parseConstexprs(request.constexprs));
  for (const auto &[name, value] : config.values)
    if (!given.contains(name))
      request.constexprs.push_back(name + "=" + constexprText(value));
  request.numWarps = config.numWarps;
  request.numStages = config.numStages;
  request.config.clear(); // applied
  return {};
}

} // namespace inlay
