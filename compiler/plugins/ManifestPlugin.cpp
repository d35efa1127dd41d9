#include "compiler/plugins/ManifestPlugin.h"

#include "base/Error.h"

#include <algorithm>

namespace inlay {
namespace {

/// Values of the names in a manifest's expressions, for one node.
class NodeNames {
public:
  NodeNames(const ManifestPluginRecord &record, const PluginNode &node)
      : record_(record), node_(node) {}

  /// Names that only a launch has.
  std::map<std::string, int64_t> constexprs;
  /// Shapes and requirements may speak of sizes that are computed; launches are made before.
  bool areSizesAllowed = false;

  /// The expression over the model's symbols. Errors: the place in the manifest, the name, and why
  /// it has no value here.
  Result<Expr> resolve(const ManifestExpr &written) const {
    std::map<std::string, Expr, std::less<>> values;
    for (const std::string &name : symbolsOf(written.expr)) {
      Result<Expr> value = valueOf(name);
      if (!value.isOk())
        return invalidArgument("{}: in '{}': {}, for node {} ({})", written.position.toString(),
                               written.text, value.status().message(), node_.nodeName,
                               node_.opName);
      values.emplace(name, *value);
    }
    return substitute(written.expr, values);
  }

private:
  Result<Expr> valueOf(const std::string &name) const {
    if (auto it = constexprs.find(name); it != constexprs.end())
      return Expr(it->second);
    const size_t end = name.find_first_of(".[");
    const std::string base = name.substr(0, end),
                      rest = end == std::string::npos ? "" : name.substr(end);
    if (const TensorSpec *tensor = findTensor(base))
      return tensorProperty(*tensor, base, rest);
    for (const ManifestSize &size : record_.sizes)
      if (size.name == base) {
        if (areSizesAllowed)
          return ComputedSize{size.name, {}, {}, {}}.symbol();
        return invalidArgument("'{}' is known only after the kernels have run, and is no number "
                               "here; a kernel writes it, by the argument \"{}\"",
                               name, name);
      }
    auto attribute = node_.attributes.find(base);
    if (attribute == node_.attributes.end())
      return notFound("'{}' names no input, output, attribute or integer constexpr", name);
    return attributeProperty(attribute->second, base, rest);
  }

  const TensorSpec *findTensor(std::string_view name) const {
    for (size_t i = 0; i < record_.inputNames.size() && i < node_.inputs.size(); ++i)
      if (record_.inputNames[i] == name)
        return &node_.inputs[i];
    for (size_t i = 0; i < record_.outputs.size() && i < node_.outputs.size(); ++i)
      if (record_.outputs[i].name == name)
        return &node_.outputs[i];
    return nullptr;
  }

  static Result<int64_t> indexIn(std::string_view rest, size_t count, std::string_view what) {
    const int64_t index = std::atoll(std::string(rest).c_str());
    const int64_t fromStart = index < 0 ? index + static_cast<int64_t>(count) : index;
    if (fromStart < 0 || fromStart >= static_cast<int64_t>(count))
      return outOfRange("{} has {} elements; index {} is outside", what, count, index);
    return fromStart;
  }

  static Result<Expr> tensorProperty(const TensorSpec &tensor, std::string_view name,
                                     std::string_view rest) {
    if (rest == ".numel")
      return tensor.numel();
    if (rest == ".rank")
      return Expr(static_cast<int64_t>(tensor.shape.size()));
    if (rest == ".size_bytes")
      return tensor.numel() * Expr(dataTypeSizeBytes(tensor.dtype));
    constexpr std::string_view kShape = ".shape[";
    if (rest.starts_with(kShape)) {
      INLAY_ASSIGN(int64_t dim, indexIn(rest.substr(kShape.size()), tensor.shape.size(),
                                        fmt::format("{}.shape", name)));
      return tensor.shape[static_cast<size_t>(dim)];
    }
    return notFound("'{}{}' is unknown; a tensor has .shape[i], .numel, .rank and .size_bytes",
                    name, rest);
  }

  static Result<Expr> attributeProperty(const AttributeValue &value, std::string_view name,
                                        std::string_view rest) {
    if (rest.empty()) {
      if (const int64_t *number = std::get_if<int64_t>(&value))
        return Expr(*number);
      if (const bool *flag = std::get_if<bool>(&value))
        return Expr(*flag ? 1 : 0);
      return invalidArgument("attribute '{}' is {}, which is no integer", name,
                             attributeText(value));
    }
    const auto *list = std::get_if<std::vector<int64_t>>(&value);
    if (!list)
      return invalidArgument("attribute '{}' is {}, which is no list of integers", name,
                             attributeText(value));
    if (rest == ".len")
      return Expr(static_cast<int64_t>(list->size()));
    if (rest.front() == '[') {
      INLAY_ASSIGN(int64_t index, indexIn(rest.substr(1), list->size(), name));
      return Expr((*list)[static_cast<size_t>(index)]);
    }
    return notFound("'{}{}' is unknown; a list has [i] and .len", name, rest);
  }

  const ManifestPluginRecord &record_;
  const PluginNode &node_;
};

std::string typeNames(const std::vector<DataType> &types) {
  std::string text;
  for (DataType type : types)
    text += (text.empty() ? "" : ", ") + std::string(dataTypeName(type));
  return text;
}

Result<ConstexprValue> constexprOf(const ManifestConstexpr &written, const NodeNames &names,
                                   const PluginNode &node) {
  switch (written.source) {
  case ManifestConstexpr::Source::Value:
    return written.value;
  case ManifestConstexpr::Source::InputDataType:
    return ConstexprValue(node.inputs[written.input].dtype);
  case ManifestConstexpr::Source::Expression: {
    INLAY_ASSIGN(Expr value, names.resolve(written.expression));
    if (std::optional<int64_t> constant = value.constantValue())
      return ConstexprValue(*constant);
    return invalidArgument(
        "{}: a constexpr must be known when the engine is built; '{}' is {} for node {} ({})",
        written.expression.position.toString(), written.expression.text, value.toString(),
        node.nodeName, node.opName);
  }
  case ManifestConstexpr::Source::Attribute:
    break;
  }
  const AttributeValue &value = node.attributes.find(written.attribute)->second;
  if (std::holds_alternative<std::monostate>(value))
    return ConstexprValue();
  if (const auto *flag = std::get_if<bool>(&value))
    return ConstexprValue(*flag);
  if (const auto *integer = std::get_if<int64_t>(&value))
    return ConstexprValue(*integer);
  if (const auto *number = std::get_if<double>(&value))
    return ConstexprValue(*number);
  if (const auto *text = std::get_if<std::string>(&value))
    return ConstexprValue(*text);
  if (const auto *type = std::get_if<DataType>(&value))
    return ConstexprValue(*type);
  return invalidArgument(
      "attribute '{}' is the list {}, which cannot be a constexpr; take elements by expression",
      written.attribute, attributeText(value));
}

/// An int attribute for a float parameter.
Result<double> exactDouble(int64_t value, const ManifestArgument &written) {
  constexpr int64_t kLargest = int64_t{1} << 53;
  if (value >= -kLargest && value <= kLargest)
    return static_cast<double>(value);
  return outOfRange("argument '{}': attribute '{}' is {}, beyond the integers that a float64 holds "
                    "exactly (2^53)",
                    written.text, written.attribute, value);
}

/// The integers that a shape or strides (in elements, of a dense tensor) are.
std::vector<LaunchArgument> dimensionArguments(const ManifestArgument &written,
                                               const PluginNode &node) {
  const TensorSpec &tensor =
      written.isOfOutput ? node.outputs[written.index] : node.inputs[written.index];
  std::vector<LaunchArgument> arguments(tensor.shape.size());
  Expr stride(1);
  for (size_t dim = tensor.shape.size(); dim-- > 0;) {
    LaunchArgument &argument = arguments[dim];
    argument.kind = LaunchArgument::Kind::Integer;
    argument.dtype = written.dtype;
    argument.text = fmt::format("{}[{}]", written.text, dim);
    argument.expression =
        written.kind == ManifestArgument::Kind::Shape ? tensor.shape[dim] : stride;
    stride = stride * tensor.shape[dim];
  }
  return arguments;
}

Result<LaunchArgument> argumentOf(const ManifestArgument &written, const NodeNames &names,
                                  const PluginNode &node) {
  LaunchArgument argument{LaunchArgument::Kind::Input,
                          written.index,
                          Expr(),
                          written.dtype,
                          written.value,
                          written.text};
  switch (written.kind) {
  case ManifestArgument::Kind::Input:
    break;
  case ManifestArgument::Kind::Output:
    argument.kind = LaunchArgument::Kind::Output;
    break;
  case ManifestArgument::Kind::Workspace:
    argument.kind = LaunchArgument::Kind::Workspace;
    break;
  case ManifestArgument::Kind::Size:
    argument.kind = LaunchArgument::Kind::Size;
    break;
  case ManifestArgument::Kind::Integer: {
    argument.kind = LaunchArgument::Kind::Integer;
    INLAY_ASSIGN(argument.expression, names.resolve(written.expression));
    break;
  }
  case ManifestArgument::Kind::FloatValue:
    argument.kind = LaunchArgument::Kind::Float;
    break;
  case ManifestArgument::Kind::FloatAttribute: {
    argument.kind = LaunchArgument::Kind::Float;
    const AttributeValue &value = node.attributes.find(written.attribute)->second;
    if (const double *number = std::get_if<double>(&value))
      argument.value = *number;
    else if (const int64_t *integer = std::get_if<int64_t>(&value)) {
      INLAY_ASSIGN(argument.value, exactDouble(*integer, written));
    } else
      return invalidArgument("argument '{}': attribute '{}' is {}, which is no number",
                             written.text, written.attribute, attributeText(value));
    break;
  }
  case ManifestArgument::Kind::Shape:
  case ManifestArgument::Kind::Strides:
    break; // several arguments: dimensionArguments
  }
  return argument;
}

/// What a launch says of blocks, shared memory and clusters.
Status implementBlock(const ManifestLaunch &written, const NodeNames &names, PluginLaunch &launch) {
  launch.files = written.files;
  launch.cluster = written.cluster;
  launch.isCooperative = written.isCooperative;
  launch.isProgrammatic = written.isProgrammatic;
  if (!written.block.empty()) {
    launch.block = {Expr(1), Expr(1), Expr(1)};
    for (size_t axis = 0; axis < written.block.size(); ++axis) {
      INLAY_ASSIGN((*launch.block)[axis], names.resolve(written.block[axis]));
    }
  }
  if (written.sharedBytes) {
    INLAY_ASSIGN(launch.sharedBytes, names.resolve(*written.sharedBytes));
  }
  return {};
}

} // namespace

std::string ManifestPosition::toString() const {
  return fmt::format("{}:{}:{}", path, line, column);
}

ManifestPlugin::ManifestPlugin(ManifestPluginRecord record) : record_(std::move(record)) {
  opName_ = record_.opName;
  inputNames_ = record_.inputNames;
  attributes_ = record_.attributes;
  origin_ = fmt::format("{}:{}", record_.position.path, record_.position.line);
  variant_ = record_.variant;
  priority_ = record_.priority;
  policy_ = record_.policy;
}

Status ManifestPlugin::checkInputTypes(const PluginNode &node) const {
  for (const auto &[input, allowed] : record_.dtypes)
    if (std::ranges::find(allowed, node.inputs[input].dtype) == allowed.end())
      return invalidArgument("node {} ({}, plugin at {}): input '{}' is {}; the plugin takes {}",
                             node.nodeName, node.opName, origin_, inputNames_[input],
                             dataTypeName(node.inputs[input].dtype), typeNames(allowed));
  return {};
}

/// Compares the types of all inputs, and of the outputs as the exporter recorded them.
Status ManifestPlugin::checkTypes(const PluginNode &node) const {
  if (record_.types.empty())
    return {};
  TypeCombination found;
  for (const std::vector<TensorSpec> *tensors : {&node.inputs, &node.outputs})
    for (const TensorSpec &tensor : *tensors)
      found.push_back(tensor.dtype);
  std::string allowed;
  for (const TypeCombination &types : record_.types) {
    if (types == found)
      return {};
    allowed += (allowed.empty() ? "" : "; ") + typeCombinationText(types, node.inputs.size());
  }
  return invalidArgument("node {} ({}, plugin at {}): its types are {}; the plugin takes {}",
                         node.nodeName, node.opName, origin_,
                         typeCombinationText(found, node.inputs.size()), allowed);
}

Result<std::vector<PluginRequirement>> ManifestPlugin::conditions(const PluginNode &node) const {
  INLAY_TRY(checkInputTypes(node));
  INLAY_TRY(checkTypes(node));
  std::vector<PluginRequirement> conditions;
  NodeNames names(record_, node);
  for (const ManifestRequirement &written : record_.conditions) {
    INLAY_ASSIGN(Expr condition, names.resolve(written.that));
    conditions.push_back({condition, written.message});
  }
  return conditions;
}

Result<PluginDescription> ManifestPlugin::describe(const PluginNode &node) const {
  INLAY_TRY(checkInputTypes(node));
  PluginDescription description;
  // Outputs are described from the inputs; only requirements may speak of outputs.
  PluginNode described = node;
  described.outputs.clear();
  for (const ManifestSize &size : record_.sizes) {
    NodeNames names(record_, described);
    INLAY_ASSIGN(Expr bound, names.resolve(size.bound));
    INLAY_ASSIGN(Expr opt, names.resolve(size.opt));
    description.sizes.push_back({size.name, size.dtype, bound, opt});
  }
  for (const ManifestOutput &output : record_.outputs) {
    NodeNames names(record_, described);
    names.areSizesAllowed = true;
    TensorSpec spec{output.dtype.fixed.value_or(node.inputs.empty()
                                                    ? DataType::Float32
                                                    : node.inputs[output.dtype.likeInput].dtype),
                    {}};
    if (output.shapeLikeInput)
      spec.shape = node.inputs[*output.shapeLikeInput].shape;
    for (const ManifestExpr &dim : output.shape) {
      INLAY_ASSIGN(Expr value, names.resolve(dim));
      spec.shape.push_back(value);
    }
    if (output.aliasedInput)
      description.aliasedInputs.emplace(described.outputs.size(), *output.aliasedInput);
    if (output.size)
      description.sizeOutputs.emplace(described.outputs.size(), *output.size);
    described.outputs.push_back(spec);
  }
  description.outputs = described.outputs;
  NodeNames names(record_, described);
  names.areSizesAllowed = true;
  for (const ManifestRequirement &requirement : record_.requirements) {
    INLAY_ASSIGN(Expr condition, names.resolve(requirement.that));
    description.requirements.push_back({condition, requirement.message});
  }
  return description;
}

Result<PluginImplementation> ManifestPlugin::implement(const PluginNode &node) const {
  PluginImplementation implementation;
  NodeNames names(record_, node);
  for (const ManifestWorkspace &workspace : record_.workspaces) {
    INLAY_ASSIGN(Expr sizeBytes, names.resolve(workspace.sizeBytes));
    implementation.workspaces.push_back({workspace.name, workspace.dtype, sizeBytes});
  }
  for (const ManifestLaunch &written : record_.launches) {
    PluginLaunch launch;
    launch.kernel.path = written.kernelPath;
    launch.kernel.source = written.kernelSource;
    launch.kernel.function = written.function;
    launch.kernel.numWarps = written.numWarps;
    launch.kernel.numStages = written.numStages;
    NodeNames launchNames(record_, node);
    for (const auto &[name, constexprWritten] : written.constexprs) {
      INLAY_ASSIGN(ConstexprValue value, constexprOf(constexprWritten, names, node));
      if (const int64_t *integer = std::get_if<int64_t>(&value))
        launchNames.constexprs[name] = *integer;
      launch.kernel.constexprs[name] = std::move(value);
    }
    for (size_t axis = 0; axis < written.grid.size(); ++axis) {
      INLAY_ASSIGN(launch.grid[axis], launchNames.resolve(written.grid[axis]));
    }
    INLAY_TRY(implementBlock(written, launchNames, launch));
    for (const ManifestArgument &argumentWritten : written.arguments) {
      if (argumentWritten.kind == ManifestArgument::Kind::Shape ||
          argumentWritten.kind == ManifestArgument::Kind::Strides) {
        for (LaunchArgument &argument : dimensionArguments(argumentWritten, node))
          launch.arguments.push_back(std::move(argument));
        continue;
      }
      INLAY_ASSIGN(LaunchArgument argument, argumentOf(argumentWritten, launchNames, node));
      launch.arguments.push_back(std::move(argument));
    }
    implementation.launches.push_back(std::move(launch));
  }
  return implementation;
}

Result<std::optional<Expr>> ManifestPlugin::hostWorkspace(const PluginNode &node) const {
  if (!record_.jitWorkspace)
    return std::optional<Expr>();
  NodeNames names(record_, node);
  INLAY_ASSIGN(Expr bytes, names.resolve(*record_.jitWorkspace));
  return std::optional(bytes);
}

} // namespace inlay
