#include "compiler/plugins/NodeBinder.h"

#include "base/Error.h"

#include <algorithm>

namespace inlay {
namespace {

std::string joined(const std::vector<std::string> &names) {
  std::string text;
  for (const std::string &name : names)
    text += (text.empty() ? "" : ", ") + name;
  return text.empty() ? "none" : text;
}

template <typename T>
std::optional<AttributeValue> asList(const AttributeValue &value) {
  if (std::holds_alternative<std::vector<T>>(value))
    return value;
  // PyTorch lets a single element stand for a list.
  if (const T *single = std::get_if<T>(&value))
    return std::vector<T>{*single};
  return std::nullopt;
}

std::optional<double> asFloat(const AttributeValue &value) {
  if (const double *number = std::get_if<double>(&value))
    return *number;
  if (const int64_t *number = std::get_if<int64_t>(&value))
    return static_cast<double>(*number);
  if (const bool *flag = std::get_if<bool>(&value))
    return *flag ? 1.0 : 0.0;
  return std::nullopt;
}

std::optional<AttributeValue> asInt(const AttributeValue &value) {
  if (std::holds_alternative<int64_t>(value))
    return value;
  if (const bool *flag = std::get_if<bool>(&value))
    return static_cast<int64_t>(*flag);
  return std::nullopt;
}

std::optional<AttributeValue> asFloatList(const AttributeValue &value) {
  if (const auto *integers = std::get_if<std::vector<int64_t>>(&value))
    return std::vector<double>(integers->begin(), integers->end());
  return asList<double>(value);
}

/// An empty list carries no element kind: an exporter may write it as another kind of list.
bool isEmptyList(const AttributeValue &value) {
  return std::visit(
      [](const auto &v) {
        if constexpr (requires { v.empty(); } &&
                      !std::is_same_v<std::decay_t<decltype(v)>, std::string>)
          return v.empty();
        else
          return false;
      },
      value);
}

} // namespace

std::optional<AttributeValue> convertAttribute(const AttributeValue &value, AttributeKind kind) {
  switch (kind) {
  case AttributeKind::Bool:
    return std::holds_alternative<bool>(value) ? std::optional(value) : std::nullopt;
  case AttributeKind::Int:
  case AttributeKind::Size:
    return asInt(value);
  case AttributeKind::Float:
    if (std::optional<double> number = asFloat(value))
      return *number;
    return std::nullopt;
  case AttributeKind::SizeNumber:
    // The result's type depends on the kind of a number, also where it is a bool.
    if (std::holds_alternative<bool>(value))
      return value;
    [[fallthrough]];
  case AttributeKind::Number:
    return std::holds_alternative<double>(value) ? std::optional(value) : asInt(value);
  case AttributeKind::String:
    return std::holds_alternative<std::string>(value) ? std::optional(value) : std::nullopt;
  case AttributeKind::DataType:
    return std::holds_alternative<DataType>(value) ? std::optional(value) : std::nullopt;
  case AttributeKind::BoolList:
    return isEmptyList(value) ? AttributeValue(std::vector<bool>()) : asList<bool>(value);
  case AttributeKind::IntList:
  case AttributeKind::SizeList:
    return isEmptyList(value) ? AttributeValue(std::vector<int64_t>()) : asList<int64_t>(value);
  case AttributeKind::FloatList:
    return isEmptyList(value) ? AttributeValue(std::vector<double>()) : asFloatList(value);
  case AttributeKind::StringList:
    return isEmptyList(value) ? AttributeValue(std::vector<std::string>())
                              : asList<std::string>(value);
  }
  return std::nullopt;
}

namespace {

class Binder {
public:
  Binder(const PluginDefinition &plugin, PluginNode &node,
         const std::vector<NodeArgument> &arguments)
      : plugin_(plugin), node_(node), arguments_(arguments) {}

  Status bind() {
    node_.inputNames = plugin_.takesAllTensors() ? tensorNames() : plugin_.inputNames();
    INLAY_TRY(checkNames());
    for (const std::string &name : node_.inputNames)
      INLAY_TRY(bindInput(name));
    for (const AttributeParameter &parameter : plugin_.attributes())
      INLAY_TRY(bindAttribute(parameter));
    for (const NodeArgument &argument : arguments_)
      if (plugin_.takesAllNumbers() && !isKnown(argument.name))
        INLAY_TRY(bindAttribute({argument.name, AttributeKind::SizeNumber, true, std::nullopt}));
    return {};
  }

private:
  std::string head() const {
    return fmt::format("node {} ({}, plugin at {})", node_.nodeName, node_.opName,
                       plugin_.origin());
  }

  const NodeArgument *find(std::string_view name) const {
    auto it = std::ranges::find(arguments_, name, &NodeArgument::name);
    return it == arguments_.end() ? nullptr : &*it;
  }

  /// Names of the arguments that are tensors and no attributes.
  std::vector<std::string> tensorNames() const {
    std::vector<std::string> names;
    for (const NodeArgument &argument : arguments_)
      if (std::holds_alternative<TensorSpec>(argument.value) &&
          std::ranges::find(plugin_.attributes(), argument.name, &AttributeParameter::name) ==
              plugin_.attributes().end())
        names.push_back(argument.name);
    return names;
  }

  bool isKnown(std::string_view name) const {
    return std::ranges::find(node_.inputNames, name) != node_.inputNames.end() ||
           node_.attributes.contains(name);
  }

  Status checkNames() const {
    if (plugin_.takesAllTensors() && plugin_.takesAllNumbers())
      return {};
    std::vector<std::string> known = node_.inputNames;
    for (const AttributeParameter &parameter : plugin_.attributes())
      known.push_back(parameter.name);
    for (const NodeArgument &argument : arguments_)
      if (std::ranges::find(known, argument.name) == known.end() && !isMissingElement(argument))
        return invalidArgument(
            "{}: the model passes argument '{}', which the plugin does not declare; it declares {}",
            head(), argument.name, joined(known));
    return {};
  }

  /// An element of a list of tensors that is None: the names of the others tell where it was.
  bool isMissingElement(const NodeArgument &argument) const {
    const AttributeValue *value = std::get_if<AttributeValue>(&argument.value);
    return plugin_.takesAllTensors() && argument.name.ends_with(']') && value &&
           std::holds_alternative<std::monostate>(*value);
  }

  Status bindInput(const std::string &name) {
    const NodeArgument *argument = find(name);
    if (!argument)
      return invalidArgument("{}: the model passes no tensor for input '{}'", head(), name);
    const TensorSpec *tensor = std::get_if<TensorSpec>(&argument->value);
    if (!tensor)
      return invalidArgument("{}: argument '{}' is {}; the plugin declares it an input tensor",
                             head(), name, textOf(*argument));
    node_.inputs.push_back(*tensor);
    return {};
  }

  Status bindAttribute(const AttributeParameter &parameter) {
    const NodeArgument *argument = find(parameter.name);
    if (!argument) {
      if (!parameter.defaultValue && !parameter.isOptional)
        return invalidArgument(
            "{}: the model gives no value for attribute '{}', and the plugin declares no default",
            head(), parameter.name);
      setAttribute(parameter, parameter.defaultValue.value_or(AttributeValue()));
      return {};
    }
    if (const SizeArgument *sizes = std::get_if<SizeArgument>(&argument->value))
      return bindSizes(parameter, *sizes);
    const AttributeValue *value = std::get_if<AttributeValue>(&argument->value);
    if (!value)
      return invalidArgument(
          "{}: argument '{}' is a tensor; the plugin declares it an attribute of type {}", head(),
          parameter.name, attributeKindName(parameter.kind));
    if (parameter.isOptional && std::holds_alternative<std::monostate>(*value)) {
      setAttribute(parameter, *value);
      return {};
    }
    std::optional<AttributeValue> converted = convertAttribute(*value, parameter.kind);
    if (!converted)
      return invalidArgument("{}: argument '{}' is {}; the plugin declares it {}{}", head(),
                             parameter.name, attributeText(*value),
                             attributeKindName(parameter.kind),
                             parameter.isOptional ? " or None" : "");
    setAttribute(parameter, std::move(*converted));
    return {};
  }

  /// Sizes are given as expressions too, whether they depend on the model's sizes or not.
  void setAttribute(const AttributeParameter &parameter, AttributeValue value) {
    const bool isSize =
        parameter.kind == AttributeKind::Size || parameter.kind == AttributeKind::SizeList;
    if (const int64_t *integer = std::get_if<int64_t>(&value); integer && isSize)
      node_.sizeAttributes[parameter.name] = {Expr(*integer)};
    if (const auto *integers = std::get_if<std::vector<int64_t>>(&value); integers && isSize)
      node_.sizeAttributes[parameter.name].assign(integers->begin(), integers->end());
    node_.attributes[parameter.name] = std::move(value);
  }

  Status bindSizes(const AttributeParameter &parameter, const SizeArgument &sizes) {
    const bool isOne =
        parameter.kind == AttributeKind::Size || parameter.kind == AttributeKind::SizeNumber;
    if (parameter.kind != AttributeKind::SizeList && (!isOne || sizes.isList))
      return invalidArgument(
          "{}: argument '{}' depends on sizes ({}); the plugin declares it {}, which must be known "
          "when the engine is built",
          head(), parameter.name, textOf(sizes), attributeKindName(parameter.kind));
    node_.attributes[parameter.name] = AttributeValue();
    node_.sizeAttributes[parameter.name] = sizes.values;
    return {};
  }

  static std::string textOf(const SizeArgument &sizes) {
    std::vector<std::string> texts;
    for (const Expr &value : sizes.values)
      texts.push_back(value.toString());
    return sizes.isList ? fmt::format("[{}]", fmt::join(texts, ", ")) : texts.front();
  }

  static std::string textOf(const NodeArgument &argument) {
    if (const AttributeValue *value = std::get_if<AttributeValue>(&argument.value))
      return "the literal " + attributeText(*value);
    return "the size " + textOf(std::get<SizeArgument>(argument.value));
  }

  const PluginDefinition &plugin_;
  PluginNode &node_;
  const std::vector<NodeArgument> &arguments_;
};

} // namespace

Result<PluginNode> bindNode(const PluginDefinition &plugin, std::string opName,
                            std::string nodeName, const std::vector<NodeArgument> &arguments,
                            std::vector<TensorSpec> outputs) {
  PluginNode node{std::move(opName), std::move(nodeName), {}, {}, {}, std::move(outputs), {}};
  INLAY_TRY(Binder(plugin, node, arguments).bind());
  return node;
}

} // namespace inlay
