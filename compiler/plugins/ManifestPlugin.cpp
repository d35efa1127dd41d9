#include "compiler/plugins/ManifestPlugin.h"

#include "base/Error.h"
#include "compiler/plugins/ManifestExpressions.h"

#include <algorithm>
#include <cmath>

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
    Result<Expr> resolved = resolveIntegers(written.expr);
    if (resolved.isOk())
      return resolved;
    return invalidArgument("{}: in '{}': {}, for node {} ({})", written.position.toString(),
                           written.text, resolved.status().message(), node_.nodeName, node_.opName);
  }

  /// The same of a float argument.
  Result<FloatExpr> resolveFloats(const ManifestArgument &written) const {
    Result<FloatExpr> resolved =
        mapIntegers(written.floatExpression, [&](const Expr &integer) -> Result<FloatExpr> {
          if (integer.kind() == ExprKind::Symbol) {
            INLAY_ASSIGN(Number number, numberOf(integer.symbolName()));
            if (const double *value = std::get_if<double>(&number))
              return FloatExpr(*value);
          }
          INLAY_ASSIGN(Expr value, resolveIntegers(integer));
          constexpr int64_t kLargest = int64_t{1} << 53;
          if (const auto constant = value.constantValue().value_or(0);
              constant < -kLargest || constant > kLargest)
            return outOfRange("{} is {}, beyond the integers that a float64 holds exactly (2^53)",
                              integer.toString(), constant);
          return FloatExpr(value);
        });
    if (resolved.isOk())
      return resolved;
    return Status(resolved.status().code(),
                  fmt::format("{}: argument '{}': {}, for node {} ({})",
                              written.expression.position.toString(), written.text,
                              resolved.status().message(), node_.nodeName, node_.opName));
  }

private:
  using Number = std::variant<Expr, double>;

  /// Names without a value are errors only if the result depends on them: of `select(is_none(a), 1,
  /// a)`, a need not be an integer.
  Result<Expr> resolveIntegers(const Expr &expr) const {
    std::map<std::string, Expr, std::less<>> values;
    std::map<std::string, Status> unknown;
    for (const std::string &name : symbolsOf(expr)) {
      Result<Number> value = numberOf(name);
      if (value.isOk() && std::holds_alternative<double>(*value))
        value = invalidArgument("attribute '{}' is {}, which is no integer", name,
                                std::get<double>(*value));
      // No symbol of a model begins so.
      const std::string placeholder = "?" + name;
      values.emplace(name, value.isOk() ? std::get<Expr>(*value) : Expr::symbol(placeholder));
      if (!value.isOk())
        unknown.emplace(placeholder, std::move(value).status());
    }
    Expr resolved = substitute(expr, values);
    if (!unknown.empty())
      for (const std::string &name : symbolsOf(resolved))
        if (auto found = unknown.find(name); found != unknown.end())
          return found->second;
    return resolved;
  }

  Result<Number> numberOf(const std::string &name) const {
    if (auto it = constexprs.find(name); it != constexprs.end())
      return Number(Expr(it->second));
    const ExpressionName parts = splitExpressionName(name);
    if (const TensorSpec *tensor = findTensor(parts.base)) {
      INLAY_ASSIGN(Expr value, tensorProperty(*tensor, parts));
      return Number(value);
    }
    for (const ManifestSize &size : record_.sizes)
      if (size.name == parts.base) {
        if (areSizesAllowed)
          return Number(ComputedSize{size.name, {}, {}, {}}.symbol());
        return invalidArgument("'{}' is known only after the kernels have run, and is no number "
                               "here; a kernel writes it, by the argument \"{}\"",
                               name, name);
      }
    auto attribute = node_.attributes.find(parts.base);
    if (attribute == node_.attributes.end())
      return notFound("'{}' names no input, output, attribute or integer constexpr", name);
    INLAY_ASSIGN(auto value, attributeNameValue(attribute->second, parts));
    if (const double *number = std::get_if<double>(&value))
      return Number(*number);
    return Number(Expr(std::get<int64_t>(value)));
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

  static Result<Expr> tensorProperty(const TensorSpec &tensor, const ExpressionName &name) {
    if (name.property == "numel")
      return tensor.numel();
    if (name.property == "rank")
      return Expr(static_cast<int64_t>(tensor.shape.size()));
    if (name.property == "size_bytes")
      return tensor.numel() * Expr(dataTypeSizeBytes(tensor.dtype));
    if (name.property == "dtype" && name.comparedWith)
      return Expr(findDataType(*name.comparedWith) == tensor.dtype ? 1 : 0);
    if (name.property == "shape" && name.index) {
      const auto rank = static_cast<int64_t>(tensor.shape.size());
      const int64_t dim = *name.index < 0 ? *name.index + rank : *name.index;
      if (dim < 0 || dim >= rank)
        return outOfRange("{}.shape has {} elements; index {} is outside", name.base, rank,
                          *name.index);
      return tensor.shape[static_cast<size_t>(dim)];
    }
    return notFound("'{}.{}' is unknown; a tensor has .shape[i], .numel, .rank and .size_bytes",
                    name.base, name.property);
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
  return node.attributes.find(written.attribute)->second;
}

/// A float argument's value, or its expression over sizes.
Status setFloat(const ManifestArgument &written, const NodeNames &names, LaunchArgument &argument) {
  argument.kind = LaunchArgument::Kind::Float;
  INLAY_ASSIGN(FloatExpr value, names.resolveFloats(written));
  const std::optional<double> constant = value.constantValue();
  if (!constant) {
    argument.floatExpression = std::move(value);
    return {};
  }
  argument.value = *constant;
  // An attribute may be infinite, a computation may not.
  const bool isComputed = floatArity(written.floatExpression.kind()) != 0;
  const bool isFinite = std::isfinite(*constant);
  const bool fits = argument.dtype != DataType::Float32 || !isFinite ||
                    std::isfinite(static_cast<float>(*constant));
  if (fits && (isFinite || !isComputed))
    return {};
  return outOfRange("{}: argument '{}' has the value {}, no finite value of {}",
                    written.expression.position.toString(), written.text, *constant,
                    dataTypeName(argument.dtype));
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

Result<LaunchArgument> argumentOf(const ManifestArgument &written, const NodeNames &names) {
  LaunchArgument argument{LaunchArgument::Kind::Input,
                          written.index,
                          Expr(),
                          written.dtype,
                          written.value,
                          written.text,
                          {}};
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
  case ManifestArgument::Kind::FloatExpression:
    INLAY_TRY(setFloat(written, names, argument));
    break;
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

/// The compile-time values of one launch, and what the choice between several is called.
struct LaunchConfig {
  std::map<std::string, ConstexprValue> constexprs;
  int numWarps = 4, numStages = 3;
  std::string text; // empty: there is no choice
};

/// The configurations of a launch, of which there is one at least.
Result<std::vector<LaunchConfig>> configsOf(const ManifestLaunch &written, const NodeNames &names,
                                            const PluginNode &node) {
  LaunchConfig common{{}, written.numWarps, written.numStages, ""};
  for (const auto &[name, constexprWritten] : written.constexprs) {
    INLAY_ASSIGN(common.constexprs[name], constexprOf(constexprWritten, names, node));
  }
  std::vector<LaunchConfig> configs;
  for (const ManifestConfig &config : written.configs) {
    LaunchConfig &added = configs.emplace_back(common);
    for (const auto &[name, constexprWritten] : config.constexprs) {
      INLAY_ASSIGN(added.constexprs[name], constexprOf(constexprWritten, names, node));
    }
    added.numWarps = config.numWarps.value_or(written.numWarps);
    added.numStages = config.numStages.value_or(written.numStages);
    added.text = config.text;
  }
  if (written.usesAutotune) {
    TritonKernel kernel;
    kernel.path = written.kernelPath;
    kernel.source = written.kernelSource;
    kernel.function = written.function;
    INLAY_ASSIGN(const std::vector<KernelConfigValues> read, node.autotuneConfigs(kernel),
                 fmt::format("{}: reading 'configs'", written.position.toString()));
    for (const KernelConfigValues &config : read) {
      LaunchConfig &added = configs.emplace_back(
          LaunchConfig{config.constexprs, config.numWarps, config.numStages, ""});
      added.text = config.name();
      for (const auto &[name, value] : common.constexprs) // the manifest's own count before
        added.constexprs[name] = value;
    }
  }
  if (configs.empty())
    configs.push_back(std::move(common));
  return configs;
}

Result<PluginLaunch> implementLaunch(const ManifestLaunch &written, const LaunchConfig &config,
                                     const ManifestPluginRecord &record, const PluginNode &node) {
  PluginLaunch launch;
  launch.kernel.path = written.kernelPath;
  launch.kernel.source = written.kernelSource;
  launch.kernel.function = written.function;
  launch.kernel.numWarps = config.numWarps;
  launch.kernel.numStages = config.numStages;
  launch.kernel.constexprs = config.constexprs;
  NodeNames names(record, node);
  for (const auto &[name, value] : config.constexprs)
    if (const int64_t *integer = std::get_if<int64_t>(&value))
      names.constexprs[name] = *integer;
  for (size_t axis = 0; axis < written.grid.size(); ++axis) {
    INLAY_ASSIGN(launch.grid[axis], names.resolve(written.grid[axis]));
  }
  INLAY_TRY(implementBlock(written, names, launch));
  for (const ManifestArgument &argumentWritten : written.arguments) {
    if (argumentWritten.kind == ManifestArgument::Kind::Shape ||
        argumentWritten.kind == ManifestArgument::Kind::Strides) {
      for (LaunchArgument &argument : dimensionArguments(argumentWritten, node))
        launch.arguments.push_back(std::move(argument));
      continue;
    }
    INLAY_ASSIGN(LaunchArgument argument, argumentOf(argumentWritten, names));
    launch.arguments.push_back(std::move(argument));
  }
  return launch;
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
  takesStaticShapesOnly_ = record_.takesStaticShapesOnly;
  targets_ = record_.targets;
}

Status ManifestPlugin::checkInputTypes(const PluginNode &node) const {
  for (const auto &[input, allowed] : record_.dtypes)
    if (std::ranges::find(allowed, node.inputs[input].dtype) == allowed.end())
      return invalidArgument("node {} ({}, plugin at {}): input '{}' is {}; the plugin takes {}",
                             node.nodeName, node.opName, origin_, inputNames_[input],
                             dataTypeName(node.inputs[input].dtype), typeNames(allowed));
  return {};
}

Result<std::vector<PluginRequirement>> ManifestPlugin::conditions(const PluginNode &node) const {
  INLAY_TRY(checkInputTypes(node));
  INLAY_TRY(checkTypeCombinations(*this, node, record_.types));
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
  for (const ManifestTactic &tactic : record_.tactics)
    INLAY_TRY(implementTactic(node, tactic, implementation));
  return implementation;
}

/// Adds the launches of a tactic, once for each combination of their configurations.
Status ManifestPlugin::implementTactic(const PluginNode &node, const ManifestTactic &tactic,
                                       PluginImplementation &implementation) const {
  constexpr size_t kMaxCombinations = 1024;
  const NodeNames names(record_, node);
  std::vector<std::vector<LaunchConfig>> configs;
  size_t combinations = 1;
  for (const ManifestLaunch &launch : tactic.launches) {
    INLAY_ASSIGN(configs.emplace_back(), configsOf(launch, names, node));
    combinations *= configs.back().size();
    if (combinations > kMaxCombinations)
      return invalidArgument("{}: the launches have more than {} combinations of configurations",
                             launch.position.toString(), kMaxCombinations);
  }
  const bool isChoice = !tactic.name.empty() || combinations > 1;
  for (size_t combination = 0; combination < combinations; ++combination) {
    PluginTactic added{tactic.name, {}, tactic.alignments};
    for (const ManifestExpr &guard : tactic.guards) {
      INLAY_ASSIGN(added.conditions.emplace_back(), names.resolve(guard));
    }
    size_t rest = combination;
    for (size_t i = 0; i < configs.size(); ++i) {
      const LaunchConfig &config = configs[i][rest % configs[i].size()];
      rest /= configs[i].size();
      if (!config.text.empty())
        added.name += (added.name.empty() ? "" : "; ") + config.text;
      INLAY_ASSIGN(PluginLaunch launch, implementLaunch(tactic.launches[i], config, record_, node));
      if (isChoice)
        launch.tactic = static_cast<uint32_t>(implementation.tactics.size());
      implementation.launches.push_back(std::move(launch));
    }
    if (isChoice)
      implementation.tactics.push_back(std::move(added));
  }
  return {};
}

Result<std::optional<Expr>> ManifestPlugin::hostWorkspace(const PluginNode &node) const {
  if (!record_.jitWorkspace)
    return std::optional<Expr>();
  NodeNames names(record_, node);
  INLAY_ASSIGN(Expr bytes, names.resolve(*record_.jitWorkspace));
  return std::optional(bytes);
}

} // namespace inlay
