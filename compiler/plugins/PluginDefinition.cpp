#include "compiler/plugins/PluginDefinition.h"

#include "base/Error.h"

#include <algorithm>

namespace inlay {
namespace {

constexpr std::string_view kDefaultOverload = ".default";

bool isName(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(),
                                      [](unsigned char c) { return std::isalnum(c) || c == '_'; });
}

/// "ns::name" and "ns::name.overload" are well formed.
bool isOpName(std::string_view opName) {
  const size_t colons = opName.find("::");
  if (colons == std::string_view::npos || !isName(opName.substr(0, colons)))
    return false;
  std::string_view name = opName.substr(colons + 2);
  const size_t dot = name.find('.');
  return isName(name.substr(0, dot)) &&
         (dot == std::string_view::npos || isName(name.substr(dot + 1)));
}

/// The registry's key: the overload "default" has no name.
std::string_view keyOf(std::string_view opName) {
  if (opName.ends_with(kDefaultOverload))
    opName.remove_suffix(kDefaultOverload.size());
  return opName;
}

} // namespace

Expr TensorSpec::numel() const {
  Expr product(1);
  for (const Expr &dim : shape)
    product = product * dim;
  return product;
}

std::string_view attributeKindName(AttributeKind kind) {
  static constexpr std::string_view kNames[] = {
      "bool",    "int",      "float",  "string", "dtype",  "bool[]",        "int[]",
      "float[]", "string[]", "number", "size",   "size[]", "size or number"};
  return kNames[static_cast<size_t>(kind)];
}

namespace {
/// Prints a value as Python does.
struct AttributePrinter {
  std::string operator()(std::monostate) const { return "None"; }
  std::string operator()(bool value) const { return value ? "True" : "False"; }
  std::string operator()(int64_t value) const { return std::to_string(value); }
  std::string operator()(double value) const {
    const std::string text = fmt::format("{}", value);
    return text.find_first_of(".en") == std::string::npos ? text + ".0" : text;
  }
  std::string operator()(const std::string &value) const { return "'" + value + "'"; }
  std::string operator()(DataType value) const { return std::string(dataTypeName(value)); }
  template <typename T>
  std::string operator()(const std::vector<T> &values) const {
    std::string text = "[";
    for (const T &element : values)
      text += (text.size() > 1 ? ", " : "") + (*this)(element);
    return text + "]";
  }
};
} // namespace

std::string attributeText(const AttributeValue &value) {
  return std::visit(AttributePrinter(), value);
}

namespace {

/// What a kind of file may be for.
struct FileKind {
  std::string_view extension;
  std::string_view family; // "cuda" or "cpu"
};

constexpr FileKind kFileKinds[] = {{".ptx", "cuda"}, {".cubin", "cuda"}, {".json", "cuda"},
                                   {".cu", "cuda"},  {".o", "cpu"},      {".so", "cpu"}};

} // namespace

Status checkKernelFile(const KernelFile &file) {
  for (const FileKind &kind : kFileKinds) {
    if (!file.path.ends_with(kind.extension))
      continue;
    const bool isOfFamily =
        file.target.empty() || file.target == kind.family ||
        (file.target.starts_with(kind.family) && file.target[kind.family.size()] == ':');
    if (!isOfFamily)
      return invalidArgument("'{}' is for '{}', but {} files are for targets '{}' and '{}:…'",
                             file.path, file.target, kind.extension, kind.family, kind.family);
    if (file.entry.empty() && kind.extension == ".cu")
      return invalidArgument("'{}' names no kernel; expected \"FILE.cu:FUNCTION\"", file.path);
    return {};
  }
  return invalidArgument("'{}' is no file of kernels; expected .py, .ptx, .cubin, .json (beside a "
                         ".ptx or .cubin of Triton's), .cu, .o or .so",
                         file.path);
}

bool isTargetOf(std::string_view target, std::string_view name) {
  return target == name ||
         (target.starts_with(name) && target.substr(name.size()).starts_with(":"));
}

Status checkTargetName(std::string_view target) {
  if (isTargetOf(target, "cuda") || isTargetOf(target, "cpu"))
    return {};
  return invalidArgument("'{}' is no target; expected \"cuda\", \"cpu\", \"cuda:sm_90a\" or such",
                         target);
}

Result<std::vector<KernelConfigValues>>
PluginNode::autotuneConfigs(const TritonKernel &kernel) const {
  if (!readAutotune)
    return failedPrecondition("the autotuner of kernel '{}' is read while an engine is built",
                              kernel.function);
  return readAutotune(kernel);
}

std::string KernelConfigValues::name() const {
  std::string text;
  for (const auto &[name, value] : constexprs)
    text += fmt::format("{}={}, ", name, attributeText(value));
  return text + fmt::format("num_warps={}, num_stages={}", numWarps, numStages);
}

Status checkKernelOptions(int64_t numWarps, int64_t numStages) {
  if (numWarps < 1 || numWarps > 32 || (numWarps & (numWarps - 1)) != 0)
    return invalidArgument("num_warps is {}; expected a power of two from 1 to 32", numWarps);
  if (numStages < 1 || numStages > 16)
    return invalidArgument("num_stages is {}; expected 1 to 16", numStages);
  return {};
}

Status PluginRegistry::check(const PluginDefinition &definition,
                             std::span<const PluginName> removed) const {
  const auto isRemoved = [&](const PluginDefinition &known) {
    return std::ranges::any_of(removed, [&](const PluginName &name) {
      return keyOf(name.opName) == keyOf(known.opName()) && name.variant == known.variant();
    });
  };
  const std::string &opName = definition.opName();
  if (!isOpName(opName))
    return invalidArgument(
        "plugin at {}: operator name '{}' is malformed; expected \"namespace::name\" or "
        "\"namespace::name.overload\"",
        definition.origin(), opName);
  auto known = definitions_.find(keyOf(opName));
  if (known == definitions_.end())
    return {};
  for (const auto &other : known->second)
    if (other->variant() == definition.variant() && !isRemoved(*other) &&
        (other->inputNames() == definition.inputNames() || other->takesAllTensors() ||
         definition.takesAllTensors()))
      return alreadyExists("plugin at {}: operator '{}' already has a plugin for these tensor "
                           "arguments{}, defined at {}",
                           definition.origin(), opName,
                           definition.variant().empty()
                               ? ""
                               : fmt::format(" and variant '{}'", definition.variant()),
                           other->origin());
  return {};
}

Status PluginRegistry::add(std::unique_ptr<PluginDefinition> definition) {
  INLAY_TRY(check(*definition));
  auto &known = definitions_[std::string(keyOf(definition->opName()))];
  known.push_back(std::move(definition));
  return {};
}

Status PluginRegistry::addAll(std::vector<std::unique_ptr<PluginDefinition>> definitions,
                              const std::vector<PluginName> &removed) {
  for (const PluginName &name : removed)
    if (!has(name))
      return notFound("operator '{}' has no plugin{} to remove", name.opName,
                      name.variant.empty() ? " without a variant"
                                           : fmt::format(" of variant '{}'", name.variant));
  PluginRegistry added;
  for (auto &definition : definitions) {
    INLAY_TRY(check(*definition, removed));
    INLAY_TRY(added.add(std::move(definition)));
  }
  for (const PluginName &name : removed)
    remove(name.opName, name.variant);
  for (auto &[key, known] : added.definitions_)
    for (auto &definition : known)
      definitions_[key].push_back(std::move(definition));
  return {};
}

bool PluginRegistry::has(const PluginName &name) const {
  auto it = definitions_.find(keyOf(name.opName));
  return it != definitions_.end() &&
         std::ranges::any_of(it->second, [&](const std::unique_ptr<PluginDefinition> &known) {
           return known->variant() == name.variant;
         });
}

const PluginDefinition *PluginRegistry::find(std::string_view opName) const {
  auto it = definitions_.find(keyOf(opName));
  return it == definitions_.end() ? nullptr : it->second.front().get();
}

std::vector<const PluginDefinition *>
PluginRegistry::candidates(std::string_view opName,
                           std::span<const std::string> tensorNames) const {
  auto it = definitions_.find(keyOf(opName));
  if (it == definitions_.end())
    return {};
  std::vector<const PluginDefinition *> found;
  for (const auto &definition : it->second) {
    if (!definition->takesAllTensors() &&
        !std::ranges::equal(definition->inputNames(), tensorNames))
      continue;
    const auto place = std::ranges::upper_bound(
        found, definition->priority(), std::ranges::greater(), &PluginDefinition::priority);
    found.insert(place, definition.get());
  }
  if (found.empty())
    return {it->second.front().get()};
  return found;
}

std::vector<std::string> PluginRegistry::opNames() const {
  std::vector<std::string> names;
  for (const auto &[name, definitions] : definitions_)
    names.push_back(name);
  return names;
}

bool PluginRegistry::remove(std::string_view opName) {
  auto it = definitions_.find(keyOf(opName));
  if (it == definitions_.end())
    return false;
  definitions_.erase(it);
  return true;
}

bool PluginRegistry::remove(std::string_view opName, std::string_view variant) {
  auto it = definitions_.find(keyOf(opName));
  if (it == definitions_.end())
    return false;
  const size_t count = std::erase_if(
      it->second, [&](const auto &definition) { return definition->variant() == variant; });
  if (it->second.empty())
    definitions_.erase(it);
  return count != 0;
}

} // namespace inlay
