#include "compiler/plugins/RecordedKernel.h"

#include "base/Error.h"

#include <algorithm>

namespace inlay {
namespace {

/// Hexadecimal digits of the hash (SHA-256) behind a kernel's name.
constexpr size_t kHashDigits = 64;

/// What "kernel_param_types" says of a parameter that is a number, and the type that it has.
constexpr std::pair<std::string_view, DataType> kNumberTypes[] = {
    {"i1", DataType::Bool},      {"i8", DataType::Int8},     {"i16", DataType::Int16},
    {"i32", DataType::Int32},    {"i64", DataType::Int64},   {"u8", DataType::UInt8},
    {"u16", DataType::UInt16},   {"u32", DataType::UInt32},  {"u64", DataType::UInt64},
    {"fp32", DataType::Float32}, {"fp64", DataType::Float64}};

const AttributeValue &valueOf(const PluginNode &node, std::string_view name) {
  return node.attributes.find(name)->second;
}

std::string argumentName(size_t index) { return fmt::format("args[{}]", index); }

class RecordedKernelPlugin final : public PluginDefinition {
public:
  explicit RecordedKernelPlugin(RecordedKernelSource source) : source_(std::move(source)) {
    opName_ = kRecordedLaunchOp;
    origin_ = source_.origin;
    variant_ = source_.kernel.function + (source_.hash.empty() ? "" : "_" + source_.hash);
    takesAllTensors_ = takesAllNumbers_ = true;
    const auto declare = [&](std::string name, AttributeKind kind,
                             std::optional<AttributeValue> value = std::nullopt) {
      attributes_.push_back({std::move(name), kind, false, std::move(value)});
    };
    declare("name", AttributeKind::String);
    declare("grid", AttributeKind::SizeList);
    declare("output_indices", AttributeKind::IntList);
    declare("num_warps", AttributeKind::Int, int64_t{4});
    declare("shared_memory_bytes", AttributeKind::Int, int64_t{0});
    declare("kernel_param_names", AttributeKind::StringList);
    declare("kernel_param_types", AttributeKind::StringList);
  }

  Result<std::vector<PluginRequirement>> conditions(const PluginNode &node) const override {
    const std::string &name = std::get<std::string>(valueOf(node, "name"));
    const std::string_view function = recordedKernelName(name);
    const bool isThis = function == source_.kernel.function &&
                        std::string_view(name)
                            .substr(function.size())
                            .starts_with(source_.hash.empty() ? "" : "_" + source_.hash);
    if (!isThis)
      return invalidArgument("the model launches the kernel '{}'; this is '{}'", name, variant_);
    return std::vector<PluginRequirement>();
  }

  Result<PluginDescription> describe(const PluginNode &node) const override {
    PluginDescription description;
    for (const int64_t index : outputIndices(node)) {
      const std::optional<uint32_t> input = findTensor(node, static_cast<size_t>(index));
      if (index < 0 || !input)
        return invalidArgument("'output_indices' has {}, and argument {} is no tensor", index,
                               index);
      description.aliasedInputs.emplace(static_cast<uint32_t>(description.outputs.size()), *input);
      description.outputs.push_back(node.inputs[*input]);
    }
    return description;
  }

  Result<PluginImplementation> implement(const PluginNode &node) const override {
    PluginLaunch launch;
    launch.kernel = source_.kernel;
    const int64_t numWarps = std::get<int64_t>(valueOf(node, "num_warps"));
    INLAY_TRY(checkKernelOptions(numWarps, source_.kernel.numStages));
    launch.kernel.numWarps = static_cast<int>(numWarps);
    const std::vector<Expr> &grid = node.sizeAttributes.find("grid")->second;
    if (grid.empty() || grid.size() > launch.grid.size())
      return invalidArgument("'grid' has {} extents; expected 1 to 3", grid.size());
    std::ranges::copy(grid, launch.grid.begin());
    const auto &names = std::get<std::vector<std::string>>(valueOf(node, "kernel_param_names"));
    const auto &types = std::get<std::vector<std::string>>(valueOf(node, "kernel_param_types"));
    if (names.size() != types.size())
      return invalidArgument("'kernel_param_names' has {} entries, 'kernel_param_types' {}",
                             names.size(), types.size());
    for (size_t i = 0; i < names.size(); ++i) {
      INLAY_ASSIGN(LaunchArgument argument, argumentOf(node, i, types[i]),
                   "parameter '" + names[i] + "'");
      launch.arguments.push_back(std::move(argument));
    }
    PluginImplementation implementation;
    implementation.launches.push_back(std::move(launch));
    return implementation;
  }

private:
  static const std::vector<int64_t> &outputIndices(const PluginNode &node) {
    return std::get<std::vector<int64_t>>(valueOf(node, "output_indices"));
  }

  static std::optional<uint32_t> findTensor(const PluginNode &node, size_t argument) {
    const auto found = std::ranges::find(node.inputNames, argumentName(argument));
    if (found == node.inputNames.end())
      return std::nullopt;
    return static_cast<uint32_t>(found - node.inputNames.begin());
  }

  /// `type`: "*fp32" of a pointer, else one of kNumberTypes.
  static Result<LaunchArgument> argumentOf(const PluginNode &node, size_t index,
                                           std::string_view type) {
    LaunchArgument argument;
    argument.kind = LaunchArgument::Kind::Input;
    argument.text = argumentName(index);
    if (const std::optional<uint32_t> tensor = findTensor(node, index)) {
      if (!type.starts_with("*"))
        return invalidArgument("the model passes a tensor, and records the type '{}'", type);
      argument.index = *tensor;
      const auto written = std::ranges::find(outputIndices(node), static_cast<int64_t>(index));
      if (written == outputIndices(node).end())
        return argument;
      argument.kind = LaunchArgument::Kind::Output;
      argument.index = static_cast<uint32_t>(written - outputIndices(node).begin());
      return argument;
    }
    const auto known =
        std::ranges::find(kNumberTypes, type, [](const auto &entry) { return entry.first; });
    if (known == std::end(kNumberTypes) || !node.attributes.contains(argument.text))
      return invalidArgument("the model records the type '{}' and {}; expected a tensor and a "
                             "pointer, or a number",
                             type,
                             node.attributes.contains(argument.text) ? "a number" : "no argument");
    return numberOf(node, std::move(argument), known->second);
  }

  static Result<LaunchArgument> numberOf(const PluginNode &node, LaunchArgument argument,
                                         DataType type) {
    argument.dtype = type;
    const auto size = node.sizeAttributes.find(argument.text);
    const AttributeValue &value = valueOf(node, argument.text);
    const bool isFloat = type == DataType::Float32 || type == DataType::Float64;
    argument.kind = isFloat ? LaunchArgument::Kind::Float : LaunchArgument::Kind::Integer;
    if (const double *number = std::get_if<double>(&value); number && isFloat)
      argument.value = *number;
    else if (const int64_t *integer = std::get_if<int64_t>(&value); integer && isFloat)
      argument.value = static_cast<double>(*integer);
    else if (size != node.sizeAttributes.end() && size->second.size() == 1 && !isFloat)
      argument.expression = size->second.front();
    else if (const int64_t *whole = std::get_if<int64_t>(&value); whole && !isFloat)
      argument.expression = Expr(*whole);
    else if (const bool *flag = std::get_if<bool>(&value); flag && !isFloat)
      argument.expression = Expr(int64_t{*flag});
    else
      return invalidArgument("the model passes {} for {}", attributeText(value),
                             dataTypeName(type));
    return argument;
  }

  RecordedKernelSource source_;
};

} // namespace

std::unique_ptr<PluginDefinition> makeRecordedKernelPlugin(RecordedKernelSource source) {
  return std::make_unique<RecordedKernelPlugin>(std::move(source));
}

std::string_view recordedKernelName(std::string_view name) {
  const size_t line = name.rfind('_');
  if (line == std::string_view::npos || name.size() - line - 1 != kHashDigits)
    return name;
  const bool isHash = std::ranges::all_of(name.substr(line + 1), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
  });
  return isHash ? name.substr(0, line) : name;
}

} // namespace inlay
