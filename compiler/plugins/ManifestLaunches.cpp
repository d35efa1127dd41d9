// Launches and tactics of a plugin.
#include "compiler/plugins/ManifestReader.h"
#include "compiler/plugins/RecordedKernel.h"

#include <algorithm>
#include <filesystem>

namespace inlay {

Status ManifestReader::readTactics(const toml::table &table) {
  INLAY_ASSIGN(const toml::array *tactics, arrayOf(table, "tactic"));
  if (tactics && table.get("launch"))
    return errorAt(*tactics, "a plugin has either launches or tactics with launches of their own");
  if (tactics) {
    if (tactics->empty())
      return errorAt(*tactics, "'tactic' is empty; expected at least one tactic");
    for (const toml::node &node : *tactics) {
      INLAY_ASSIGN(const toml::table *tactic, tableOf(node, "tactic"));
      INLAY_TRY(readTactic(*tactic));
    }
    return {};
  }
  INLAY_ASSIGN(const toml::array *launches, arrayOf(table, "launch", !record_.hasJit));
  if (!launches)
    return {};
  if (launches->empty())
    return errorAt(*launches, "a plugin has at least one launch");
  ManifestTactic only;
  for (const toml::node &node : *launches) {
    INLAY_ASSIGN(const toml::table *launch, tableOf(node, "launch"));
    INLAY_ASSIGN(only.launches.emplace_back(), readLaunch(*launch));
  }
  record_.tactics.push_back(std::move(only));
  return {};
}

Status ManifestReader::readTactic(const toml::table &table) {
  INLAY_TRY(checkKeys(table, {"name", "guard", "aligned", "launch"}, "[[plugin.tactic]]"));
  ManifestTactic tactic;
  INLAY_ASSIGN(tactic.name, requiredString(table, "name"));
  if (!isIdentifier(tactic.name))
    return errorAt(*table.get("name"), "'{}' is no name; expected letters, digits and '_'",
                   tactic.name);
  if (std::ranges::find(record_.tactics, tactic.name, &ManifestTactic::name) !=
      record_.tactics.end())
    return errorAt(*table.get("name"), "two tactics of this plugin are named '{}'", tactic.name);
  INLAY_ASSIGN(const toml::array *guards, arrayOf(table, "guard"));
  for (size_t i = 0; guards && i < guards->size(); ++i) {
    INLAY_ASSIGN(tactic.guards.emplace_back(), readExpr(*guards->get(i), "guard", {}));
  }
  if (const toml::node *aligned = table.get("aligned"))
    INLAY_TRY(readAlignments(*aligned, tactic));
  INLAY_ASSIGN(const toml::array *launches, arrayOf(table, "launch", true));
  if (launches->empty())
    return errorAt(*launches, "a tactic has at least one launch");
  for (const toml::node &node : *launches) {
    INLAY_ASSIGN(const toml::table *launch, tableOf(node, "launch"));
    INLAY_ASSIGN(tactic.launches.emplace_back(), readLaunch(*launch));
  }
  record_.tactics.push_back(std::move(tactic));
  return {};
}

Status ManifestReader::readAlignments(const toml::node &node, ManifestTactic &tactic) const {
  constexpr int64_t kMaxBytes = 4096;
  INLAY_ASSIGN(const toml::table *written, tableOf(node, "aligned"));
  for (const auto &[key, value] : *written) {
    TensorAlignment alignment;
    const std::optional<uint32_t> input = findInput(key.str());
    const auto output = std::ranges::find(record_.outputs, key.str(), &ManifestOutput::name);
    if (!input && output == record_.outputs.end())
      return errorAt(value, "in 'aligned': '{}' is no input or output of this plugin", key.str());
    alignment.isOfOutput = !input;
    alignment.index = input ? *input : static_cast<uint32_t>(output - record_.outputs.begin());
    const auto *bytes = value.as_integer();
    if (!bytes || bytes->get() < 1 || bytes->get() > kMaxBytes ||
        (bytes->get() & (bytes->get() - 1)) != 0)
      return errorAt(value, "the alignment of '{}' is a number of bytes, a power of two up to {}",
                     key.str(), kMaxBytes);
    alignment.bytes = bytes->get();
    tactic.alignments.push_back(alignment);
  }
  return {};
}

Result<ManifestLaunch> ManifestReader::readLaunch(const toml::table &table) {
  INLAY_TRY(checkKeys(table,
                      {"kernel", "images", "constexprs", "num_warps", "num_stages", "num_ctas",
                       "configs", "grid", "block", "shared_bytes", "cluster", "cooperative",
                       "programmatic", "args", "extra_args"},
                      "a launch"));
  ManifestLaunch launch;
  launch.position = positionOf(table);
  INLAY_TRY(readKernelName(table, launch));
  INLAY_TRY(readKernelOptions(table, launch));
  INLAY_TRY(readConstexprs(table, launch));
  INLAY_TRY(readConfigs(table, launch));
  // Expressions may name what every configuration gives.
  const std::map<std::string, ManifestConstexpr> own = launch.constexprs;
  if (!launch.configs.empty())
    for (const auto &[name, value] : launch.configs.front().constexprs)
      launch.constexprs.emplace(name, value);
  areNamesOpen_ = launch.usesAutotune;
  Status status = readGrid(table, launch);
  if (status.isOk())
    status = readBlock(table, launch);
  if (status.isOk())
    status = readArguments(table, launch);
  areNamesOpen_ = false;
  INLAY_TRY(std::move(status));
  launch.constexprs = own;
  return launch;
}

Result<std::unique_ptr<PluginDefinition>>
ManifestReader::readRecordedKernel(const toml::table &table) const {
  INLAY_TRY(checkKeys(table, {"kernel", "constexprs", "hash", "num_stages"}, "a Triton kernel"));
  ManifestLaunch launch;
  INLAY_TRY(readKernelName(table, launch));
  if (launch.function.empty())
    return errorAt(*table.get("kernel"), "a kernel that a model launches itself is a function in "
                                         "the Triton language; expected \"FILE.py:FUNCTION\"");
  INLAY_TRY(readKernelOptions(table, launch));
  INLAY_TRY(readConstexprs(table, launch));
  RecordedKernelSource source;
  source.kernel = {launch.kernelPath, launch.kernelSource, launch.function, {}, 4,
                   launch.numStages};
  for (const auto &[name, written] : launch.constexprs) {
    if (written.source != ManifestConstexpr::Source::Value)
      return errorAt(*table.get("constexprs"),
                     "constexpr '{}' is no value; those of a kernel that the model launches itself "
                     "are a number, bool, string or list",
                     name);
    source.kernel.constexprs.emplace(name, written.value);
  }
  if (table.get("hash")) {
    INLAY_ASSIGN(source.hash, requiredString(table, "hash"));
    if (source.hash.empty() ||
        source.hash.find_first_not_of("0123456789abcdef") != std::string::npos)
      return errorAt(*table.get("hash"),
                     "'hash' is '{}'; expected the first hexadecimal digits behind the kernel's "
                     "name in the model",
                     source.hash);
  }
  source.origin = fmt::format("{}:{}", path_, table.source().begin.line);
  return makeRecordedKernelPlugin(std::move(source));
}

Status ManifestReader::readConfigs(const toml::table &table, ManifestLaunch &launch) const {
  const toml::node *node = table.get("configs");
  if (!node)
    return {};
  if (launch.function.empty())
    return errorAt(*node, "'configs' is for kernels in the Triton language; this launch has none");
  if (const auto *word = node->as_string()) {
    if (word->get() != "autotune")
      return errorAt(*node, "'configs' is '{}'; expected \"autotune\" or a list of tables",
                     word->get());
    for (std::string_view key : {"num_warps", "num_stages"})
      if (const toml::node *option = table.get(key))
        return errorAt(*option, "'{}' comes from the kernel's configurations", key);
    launch.usesAutotune = true;
    return {};
  }
  const toml::array *written = node->as_array();
  if (!written || written->empty())
    return wrongKind(*node, "configs", "\"autotune\" or a list of tables that is not empty");
  for (const toml::node &entry : *written) {
    INLAY_ASSIGN(ManifestConfig config, readConfig(entry, launch));
    const auto names = [](const ManifestConfig &of) {
      std::string text;
      for (const auto &[name, value] : of.constexprs)
        text += (text.empty() ? "" : ", ") + name;
      return text;
    };
    if (!launch.configs.empty() && names(config) != names(launch.configs.front()))
      return errorAt(entry, "this configuration has {}; the first one has {}", names(config),
                     names(launch.configs.front()));
    if (std::ranges::find(launch.configs, config.text, &ManifestConfig::text) !=
        launch.configs.end())
      return errorAt(entry, "the configuration '{}' is there twice", config.text);
    launch.configs.push_back(std::move(config));
  }
  return {};
}

Result<ManifestConfig> ManifestReader::readConfig(const toml::node &node,
                                                  const ManifestLaunch &launch) const {
  INLAY_ASSIGN(const toml::table *written, tableOf(node, "configs"));
  ManifestConfig config;
  for (const auto &[key, value] : *written) {
    const std::string name(key.str());
    std::string text;
    if (const auto *integer = value.as_integer())
      text = std::to_string(integer->get());
    else if (const auto *flag = value.as_boolean())
      text = flag->get() ? "true" : "false";
    else if (const auto *word = value.as_string())
      text = word->get();
    else if (const auto *number = value.as_floating_point())
      text = fmt::format("{}", number->get());
    else
      return wrongKind(value, name, "a number, a boolean or a string");
    config.text += fmt::format("{}{}={}", config.text.empty() ? "" : ", ", name, text);
    if (name == "num_warps" || name == "num_stages")
      continue;
    if (launch.constexprs.contains(name))
      return errorAt(value, "'{}' is given by 'constexprs' and by a configuration", name);
    INLAY_ASSIGN(config.constexprs[name], readConstexpr(value, name));
  }
  INLAY_ASSIGN(config.numWarps, readKernelOption(*written, "num_warps"));
  INLAY_ASSIGN(config.numStages, readKernelOption(*written, "num_stages"));
  if (config.text.empty())
    return errorAt(node, "a configuration is empty; expected constexprs, num_warps or num_stages");
  return config;
}

Result<std::optional<int>> ManifestReader::readKernelOption(const toml::table &table,
                                                            std::string_view key) const {
  const toml::node *node = table.get(key);
  if (!node)
    return std::optional<int>();
  const auto *number = node->as_integer();
  if (!number)
    return wrongKind(*node, key, "an integer");
  const bool isWarps = key == "num_warps";
  constexpr int64_t kGoodWarps = 4, kGoodStages = 3;
  if (const Status status = checkKernelOptions(isWarps ? number->get() : kGoodWarps,
                                               isWarps ? kGoodStages : number->get());
      !status.isOk())
    return errorAt(*node, "{}", status.message());
  return std::optional(static_cast<int>(number->get()));
}

Status ManifestReader::readKernelName(const toml::table &table, ManifestLaunch &launch) const {
  if (const toml::node *images = table.get("images")) {
    INLAY_ASSIGN(const toml::table *written, tableOf(*images, "images"));
    if (written->empty())
      return errorAt(*images, "'images' is empty; expected a file for at least one target");
    for (const auto &[key, file] : *written)
      INLAY_TRY(readKernelFile(file, std::string(key.str()), launch));
    if (!table.get("kernel"))
      return {};
  }
  INLAY_ASSIGN(std::string name, requiredString(table, "kernel"));
  const toml::node &node = *table.get("kernel");
  const auto [path, entry] = splitKernelName(name);
  if (!path.ends_with(".py") && std::filesystem::path(path).has_extension())
    return readKernelFile(node, "", launch);
  if (path.empty() || !isIdentifier(entry))
    return errorAt(node, "'{}' names no kernel; expected \"FILE.py:FUNCTION\"", name);
  launch.function = entry;
  launch.kernelPath = pathBeside(path);
  if (auto file = embedded_.find(launch.kernelPath); file != embedded_.end())
    launch.kernelSource = file->second;
  return {};
}

std::pair<std::string, std::string> ManifestReader::splitKernelName(const std::string &name) {
  // The entry may hold "::" and be a template's instance.
  size_t colon = name.find(':', name.rfind('/') == std::string::npos ? 0 : name.rfind('/'));
  if (colon == std::string::npos)
    return {name, ""};
  return {name.substr(0, colon), name.substr(colon + 1)};
}

std::string ManifestReader::pathBeside(const std::string &path) const {
  return (std::filesystem::path(path_).parent_path() / path).lexically_normal().string();
}

Status ManifestReader::readKernelFile(const toml::node &node, std::string target,
                                      ManifestLaunch &launch) const {
  INLAY_ASSIGN(const std::string name, stringOf(node, target.empty() ? "kernel" : target));
  auto [path, entry] = splitKernelName(name);
  KernelFile file{pathBeside(path), std::move(entry), std::move(target)};
  if (const Status status = checkKernelFile(file); !status.isOk())
    return errorAt(node, "{}", status.message());
  launch.files.push_back(std::move(file));
  return {};
}

Status ManifestReader::readKernelOptions(const toml::table &table, ManifestLaunch &launch) const {
  INLAY_ASSIGN(const std::optional<int> numWarps, readKernelOption(table, "num_warps"));
  INLAY_ASSIGN(const std::optional<int> numStages, readKernelOption(table, "num_stages"));
  if (const toml::node *ctas = table.get("num_ctas"); ctas && ctas->value<int64_t>() != 1)
    return errorAt(*ctas, "'num_ctas' is not 1: programs in the Triton language are compiled for "
                          "one block each; 'cluster' has the blocks of several programs start "
                          "together");
  launch.numWarps = numWarps.value_or(launch.numWarps);
  launch.numStages = numStages.value_or(launch.numStages);
  return {};
}

Status ManifestReader::readBlock(const toml::table &table, ManifestLaunch &launch) const {
  for (std::string_view key : {"block", "shared_bytes"})
    if (const toml::node *node = table.get(key); node && launch.files.empty())
      return errorAt(*node,
                     "'{}' is for kernels that were compiled elsewhere; the compiler "
                     "chooses it for kernels in the Triton language",
                     key);
  for (std::string_view key : {"num_warps", "num_stages", "constexprs"})
    if (const toml::node *node = table.get(key); node && launch.function.empty())
      return errorAt(*node, "'{}' is for kernels in the Triton language; this launch has none{}",
                     key, key == "num_warps" ? "; give 'block'" : "");
  INLAY_ASSIGN(const toml::array *block, arrayOf(table, "block"));
  if (block && (block->empty() || block->size() > 3))
    return errorAt(*block, "'block' has {} extents; expected 1 to 3", block->size());
  for (size_t axis = 0; block && axis < block->size(); ++axis) {
    INLAY_ASSIGN(ManifestExpr expr, readExpr(*block->get(axis), "block", launch.constexprs));
    launch.block.push_back(std::move(expr));
  }
  if (const toml::node *shared = table.get("shared_bytes")) {
    INLAY_ASSIGN(launch.sharedBytes, readExpr(*shared, "shared_bytes", launch.constexprs));
  }
  INLAY_TRY(readCluster(table, launch));
  for (auto [key, flag] :
       {std::pair("cooperative", &launch.isCooperative), {"programmatic", &launch.isProgrammatic}})
    if (const toml::node *node = table.get(key)) {
      if (!node->is_boolean())
        return wrongKind(*node, key, "a boolean");
      *flag = node->as_boolean()->get();
    }
  return {};
}

Status ManifestReader::readCluster(const toml::table &table, ManifestLaunch &launch) const {
  INLAY_ASSIGN(const toml::array *cluster, arrayOf(table, "cluster"));
  if (!cluster)
    return {};
  constexpr int64_t kMaxBlocks = 16;
  int64_t blocks = cluster->empty() || cluster->size() > 3 ? 0 : 1;
  launch.cluster = {1, 1, 1};
  for (size_t axis = 0; axis < cluster->size() && blocks > 0; ++axis) {
    const auto *extent = cluster->get(axis)->as_integer();
    const bool isPossible = extent && extent->get() >= 1 && extent->get() <= kMaxBlocks;
    blocks = isPossible ? blocks * extent->get() : 0;
    launch.cluster[axis] = isPossible ? static_cast<uint32_t>(extent->get()) : 0;
  }
  if (blocks < 1 || blocks > kMaxBlocks)
    return errorAt(*cluster, "'cluster' is 1 to 3 numbers of blocks, at most {} in all",
                   kMaxBlocks);
  return {};
}

Status ManifestReader::readConstexprs(const toml::table &table, ManifestLaunch &launch) const {
  const toml::node *node = table.get("constexprs");
  if (!node)
    return {};
  INLAY_ASSIGN(const toml::table *written, tableOf(*node, "constexprs"));
  for (const auto &[key, value] : *written) {
    INLAY_ASSIGN(ManifestConstexpr read, readConstexpr(value, key.str()));
    launch.constexprs.emplace(std::string(key.str()), std::move(read));
  }
  return {};
}

Result<ManifestConstexpr> ManifestReader::readConstexpr(const toml::node &node,
                                                        std::string_view key) const {
  ManifestConstexpr result;
  if (const auto *flag = node.as_boolean())
    result.value = flag->get();
  else if (const auto *integer = node.as_integer())
    result.value = integer->get();
  else if (const auto *number = node.as_floating_point())
    result.value = number->get();
  else if (const auto *text = node.as_string())
    result.value = text->get();
  else if (node.is_array())
    return readTuple(node, key);
  else if (const toml::table *table = node.as_table(); table && table->size() == 1)
    return readConstexprSource(*table, node);
  else
    return wrongKind(
        node, key,
        "a number, a boolean, a string, a list, or one of { expr = … }, { attribute = … }, "
        "{ dtype = … }");
  return result;
}

Result<ManifestConstexpr> ManifestReader::readTuple(const toml::node &node,
                                                    std::string_view key) const {
  for (AttributeKind kind : {AttributeKind::BoolList, AttributeKind::IntList,
                             AttributeKind::FloatList, AttributeKind::StringList})
    if (Result<AttributeValue> value = readAttributeValue(node, kind, std::string(key));
        value.isOk()) {
      ManifestConstexpr result;
      result.value = std::move(value).value();
      return result;
    }
  return errorAt(node,
                 "'{}' is a list of several kinds; expected booleans, integers, floats or "
                 "strings",
                 key);
}

Result<ManifestConstexpr> ManifestReader::readConstexprSource(const toml::table &table,
                                                              const toml::node &node) const {
  INLAY_TRY(checkKeys(table, {"expr", "attribute", "dtype"}, "a constexpr"));
  ManifestConstexpr result;
  if (const toml::node *expression = table.get("expr")) {
    result.source = ManifestConstexpr::Source::Expression;
    INLAY_ASSIGN(result.expression, readExpr(*expression, "expr", {}));
  } else if (table.get("attribute")) {
    result.source = ManifestConstexpr::Source::Attribute;
    INLAY_ASSIGN(result.attribute, requiredString(table, "attribute"));
    if (std::ranges::find(record_.attributes, result.attribute, &AttributeParameter::name) ==
        record_.attributes.end())
      return errorAt(node, "'{}' is no attribute of this plugin", result.attribute);
  } else {
    result.source = ManifestConstexpr::Source::InputDataType;
    INLAY_ASSIGN(std::string input, requiredString(table, "dtype"));
    INLAY_ASSIGN(result.input, inputNamed(node, input));
  }
  return result;
}

Status ManifestReader::readGrid(const toml::table &table, ManifestLaunch &launch) const {
  INLAY_ASSIGN(const toml::array *grid, arrayOf(table, "grid", true));
  if (grid->empty() || grid->size() > 3)
    return errorAt(*grid, "'grid' has {} extents; expected 1 to 3", grid->size());
  for (const toml::node &extent : *grid) {
    INLAY_ASSIGN(ManifestExpr expr, readExpr(extent, "grid", launch.constexprs));
    launch.grid.push_back(std::move(expr));
  }
  return {};
}

} // namespace inlay
