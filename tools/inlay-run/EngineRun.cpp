#include "tools/inlay-run/EngineRun.h"

#include "base/Error.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

namespace inlay::tools {
namespace {

std::string listNames(const std::vector<inlay_tensor_info_t> &tensors) {
  std::vector<std::string> names;
  for (const inlay_tensor_info_t &tensor : tensors)
    names.push_back(fmt::format("'{}'", tensor.name));
  return names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "));
}

const inlay_tensor_info_t *findTensor(const std::vector<inlay_tensor_info_t> &tensors,
                                      const std::string &name) {
  for (const inlay_tensor_info_t &tensor : tensors)
    if (name == tensor.name)
      return &tensor;
  return nullptr;
}

/// The number in "in_3" for the prefix "in"; -1 for other names.
int64_t numberOf(std::string_view member, const std::string &prefix) {
  if (!member.starts_with(prefix + "_"))
    return -1;
  member.remove_prefix(prefix.size() + 1);
  int64_t number = -1;
  const auto [stop, error] = std::from_chars(member.data(), member.data() + member.size(), number);
  return error == std::errc() && stop == member.data() + member.size() ? number : -1;
}

v1::Tensor viewOf(NpyTensor &tensor) {
  return v1::Tensor(tensor.data.data(), static_cast<inlay_dtype_t>(tensor.dtype), tensor.shape);
}

} // namespace

Result<TensorsByName> readTensors(const std::string &path,
                                  const std::vector<inlay_tensor_info_t> &tensors,
                                  const std::string &prefix) {
  const auto nameOf = [&](std::string_view member) -> std::string {
    const int64_t number = numberOf(member, prefix);
    if (number >= 0 && number < static_cast<int64_t>(tensors.size()))
      return tensors[static_cast<size_t>(number)].name;
    return std::string(member);
  };
  const auto dtypeOf = [&](std::string_view member) -> std::optional<DataType> {
    const inlay_tensor_info_t *tensor = findTensor(tensors, nameOf(member));
    return tensor ? std::optional(static_cast<DataType>(tensor->dtype)) : std::nullopt;
  };
  const auto isWanted = [&](std::string_view member) {
    return findTensor(tensors, nameOf(member)) || numberOf(member, prefix) >= 0;
  };
  INLAY_ASSIGN(NamedTensors members, readNpz(path, dtypeOf, isWanted));
  TensorsByName result;
  for (auto &[member, tensor] : members) {
    const std::string name = nameOf(member);
    if (findTensor(tensors, name))
      result[name] = std::move(tensor);
    else if (numberOf(member, prefix) >= 0)
      return notFound("'{}' has a member '{}'; the engine has {} tensors there: {}", path, member,
                      tensors.size(), listNames(tensors));
  }
  return result;
}

Result<std::pair<std::string, std::string>> splitNamed(const std::string &entry,
                                                       const std::string &what) {
  const size_t equals = entry.find('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == entry.size())
    return invalidArgument("'{}' is no {}", entry, what);
  return std::pair(entry.substr(0, equals), entry.substr(equals + 1));
}

Status readNamed(const std::string &entry, const std::vector<inlay_tensor_info_t> &tensors,
                 const std::string &what, TensorsByName &to) {
  INLAY_ASSIGN(auto named, splitNamed(entry, "NAME=FILE.npy"));
  const inlay_tensor_info_t *tensor = findTensor(tensors, named.first);
  if (!tensor)
    return notFound("the engine has no {} '{}'; its {}s are: {}", what, named.first, what,
                    listNames(tensors));
  INLAY_ASSIGN(to[named.first], readNpy(named.second, static_cast<DataType>(tensor->dtype)));
  return {};
}

EngineRun::EngineRun(v1::Engine engine, const v1::ContextOptions &options)
    : engine_(std::move(engine)), context_(engine_.createContext(options)) {}

void addWeightsOption(CLI::App &command, std::string &path) {
  command.add_option("--weights", path,
                     "The engine's weights file, if it has one of its own that is not beside it");
}

v1::Engine loadEngine(const std::string &path, const std::string &weightsPath) {
  return weightsPath.empty() ? v1::Engine::load(path) : v1::Engine::load(path, weightsPath);
}

void addShapeProfileOption(CLI::App &command, const std::string &names,
                           v1::ContextOptions &options) {
  command.add_option(names, options.profile,
                     "The engine's shape profile to run in, counted from 1; default: all its "
                     "shapes");
}

void addGraphsOption(CLI::App &command, v1::ContextOptions &options) {
  constexpr unsigned kDefaultMaxGraphs = 16;
  command
      .add_option("--graphs", options.maxGraphs,
                  "CUDA: record runs as graphs and keep this many, each for its shapes and "
                  "addresses; without a number 16")
      ->expected(0, 1)
      ->default_str(std::to_string(kDefaultMaxGraphs))
      ->check(CLI::Range(1, 1 << 20));
}

void addHostLibraryOption(CLI::App &command, std::vector<std::string> &paths) {
  command
      .add_option("--host-library", paths,
                  "A shared library with host functions that the engine calls; may be repeated")
      ->allow_extra_args(false);
}

void loadHostLibraries(const std::vector<std::string> &paths) {
  for (const std::string &path : paths)
    v1::loadHostLibrary(path);
}

Status EngineRun::bind(TensorsByName inputs) {
  inputs_ = std::move(inputs);
  for (const inlay_tensor_info_t &input : engine_.inputs()) {
    auto found = inputs_.find(input.name);
    if (found == inputs_.end())
      return notFound("no tensor was given for input '{}' ({}); give --input {}=FILE.npy or "
                      "--inputs FILE.npz",
                      input.name, inlay_dtype_name(input.dtype), input.name);
    context_.bind(input.name, viewOf(found->second));
  }
  for (const inlay_tensor_info_t &output : engine_.outputs()) {
    NpyTensor tensor;
    tensor.dtype = static_cast<DataType>(output.dtype);
    tensor.shape = context_.outputBound(output.name);
    INLAY_ASSIGN(const int64_t sizeBytes, computeSizeBytes(tensor.dtype, tensor.shape));
    tensor.data.resize(static_cast<size_t>(sizeBytes));
    outputs_.push_back(std::move(tensor));
  }
  size_t i = 0;
  for (const inlay_tensor_info_t &output : engine_.outputs())
    context_.bind(output.name, viewOf(outputs_[i++]));
  return {};
}

Status EngineRun::shrinkOutputs() {
  size_t i = 0;
  for (const inlay_tensor_info_t &output : engine_.outputs()) {
    NpyTensor &tensor = outputs_[i++];
    tensor.shape = context_.outputShape(output.name);
    INLAY_ASSIGN(const int64_t sizeBytes, computeSizeBytes(tensor.dtype, tensor.shape));
    tensor.data.resize(static_cast<size_t>(sizeBytes));
  }
  return {};
}

TimeSummary summarize(std::vector<double> timesUs) {
  TimeSummary summary;
  if (timesUs.empty())
    return summary;
  std::sort(timesUs.begin(), timesUs.end());
  const auto quantile = [&](double q) {
    return timesUs[static_cast<size_t>(q * static_cast<double>(timesUs.size() - 1))];
  };
  return {timesUs.size(), timesUs.front(), quantile(0.5),
          quantile(0.9),  quantile(0.99),  timesUs.back()};
}

std::string describeTensor(DataType dtype, const std::vector<int64_t> &shape) {
  return fmt::format("{} [{}]", dataTypeName(dtype), fmt::join(shape, ", "));
}

std::string jsonString(const std::string &text) {
  std::string result = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\')
      result += '\\';
    if (static_cast<unsigned char>(c) >= 0x20)
      result += c;
    else
      result += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
  }
  return result + "\"";
}

} // namespace inlay::tools
